//! Applies the colour map of a crop to its levels.

use schemas::tables::samples::COLOUR_IDENTITY;

/// Applies `matrix`, `[3, 4]` row-major on levels 0 to 255, to `rgb` in place; results are clamped, then rounded.
pub fn apply(matrix: &[f64; 12], rgb: &mut [u8]) {
    if *matrix == COLOUR_IDENTITY {
        return;
    }
    let diagonal = (0..12).all(|at| at % 4 == 3 || at % 5 == 0 || matrix[at] == 0.0);
    if diagonal {
        let tables: [[u8; 256]; 3] = std::array::from_fn(|channel| {
            let (gain, offset) = (matrix[5 * channel], matrix[4 * channel + 3]);
            std::array::from_fn(|level| rounded(gain * level as f64 + offset))
        });
        for pixel in rgb.chunks_exact_mut(3) {
            for (level, table) in pixel.iter_mut().zip(&tables) {
                *level = table[usize::from(*level)];
            }
        }
        return;
    }
    for pixel in rgb.chunks_exact_mut(3) {
        let [r, g, b] = [pixel[0], pixel[1], pixel[2]].map(f64::from);
        for (level, row) in pixel.iter_mut().zip(matrix.chunks_exact(4)) {
            *level = rounded(row[0] * r + row[1] * g + row[2] * b + row[3]);
        }
    }
}

/// A cast clamps to 0 and 255, and makes 0 of what is no number.
fn rounded(level: f64) -> u8 {
    (level + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_mapped_clamped_and_rounded() {
        let mut rgb = [10, 100, 200];
        apply(&[1.26, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.5, -120.0], &mut rgb);
        assert_eq!(rgb, [13, 255, 0]);
        let mut rgb = [10, 100, 200];
        apply(&[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 5.4], &mut rgb);
        assert_eq!(rgb, [100, 200, 15]);
        apply(&COLOUR_IDENTITY, &mut rgb);
        assert_eq!(rgb, [100, 200, 15]);
    }

    #[test]
    fn the_table_of_a_gain_is_the_general_map() {
        let gain = [1.3, 0.0, 0.0, -4.0, 0.0, 0.7, 0.0, 9.0, 0.0, 0.0, 1.0, 0.5];
        let mut general = gain;
        general[1] = 1e-300;
        let all: Vec<u8> = (0..=255).flat_map(|level| [level; 3]).collect();
        let (mut first, mut second) = (all.clone(), all);
        apply(&gain, &mut first);
        apply(&general, &mut second);
        assert_eq!(first, second);
    }
}
