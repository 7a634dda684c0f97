//! Texture: smooth value noise and the grain of a sensor.

use schemas::random::KeyedRandom;

/// Random values on a square lattice, read in between smoothly.
#[derive(Debug)]
pub(super) struct Lattice {
    cell: f64,
    columns: usize,
    values: Vec<f32>,
}

impl Lattice {
    /// Values from -1 to 1, `cell` px apart, for a raster `width` x `height` px.
    pub(super) fn draw(width: usize, height: usize, cell: f64, random: &mut KeyedRandom) -> Self {
        let count = |length: usize| (length as f64 / cell) as usize + 2;
        let (columns, rows) = (count(width), count(height));
        let values = (0..columns * rows).map(|_| random.uniform(-1.0, 1.0) as f32).collect();
        Self { cell, columns, values }
    }

    /// Adds `amplitude` times the noise of row `y` to `row`.
    pub(super) fn add_row(&self, y: usize, amplitude: f32, row: &mut [f32]) {
        let (above, down) = self.place(y);
        let mut at = (usize::MAX, 0.0, 0.0);
        for (x, value) in row.iter_mut().enumerate() {
            let (column, right) = self.place(x);
            if at.0 != column {
                let side = |column: usize| {
                    let top = self.values[above * self.columns + column];
                    let bottom = self.values[(above + 1) * self.columns + column];
                    top + (bottom - top) * down
                };
                at = (column, side(column), side(column + 1));
            }
            *value += amplitude * (at.1 + (at.2 - at.1) * right);
        }
    }

    /// The lattice line before px `position`, and the smoothed share of the way to the next.
    fn place(&self, position: usize) -> (usize, f32) {
        let scaled = position as f64 / self.cell;
        let (line, share) = (scaled as usize, scaled.fract() as f32);
        (line, share * share * (3.0 - 2.0 * share))
    }
}

/// Sizes of lattice cells, relative to the height of the picture, and the share of the amplitude each has.
const OCTAVES: [(f64, f32); 4] = [(0.25, 0.40), (0.08, 0.28), (0.025, 0.20), (0.008, 0.12)];
/// The least size of a lattice cell, px.
const LEAST_CELL_PX: f64 = 2.0;

/// Adds texture of `amplitude` grey levels to `rgb`, `[height, width, 3]`, the same to all channels.
pub(super) fn add_texture(rgb: &mut [u8], width: usize, amplitude: f32, random: &mut KeyedRandom) {
    let height = rgb.len() / 3 / width;
    let octaves = OCTAVES.map(|(cell, share)| {
        (Lattice::draw(width, height, (cell * height as f64).max(LEAST_CELL_PX), random), share * amplitude)
    });
    let mut row = vec![0.0; width];
    for (y, pixels) in rgb.chunks_exact_mut(width * 3).enumerate() {
        row.fill(0.0);
        for (lattice, share) in &octaves {
            lattice.add_row(y, *share, &mut row);
        }
        for (pixel, noise) in pixels.chunks_exact_mut(3).zip(&row) {
            for level in pixel {
                *level = (f32::from(*level) + noise).round() as u8;
            }
        }
    }
}

/// Adds grain to `rgb`, `[height, width, 3]`: luminance noise of standard deviation `spread` grey levels on every
/// pixel and weaker colour noise.
pub(super) fn add_grain(rgb: &mut [u8], spread: f64, random: &mut KeyedRandom) {
    // The sum of two uniform numbers from [-1/2, 1/2) has variance 1/6. Both halves of one draw serve.
    let gain = spread * 6.0_f64.sqrt();
    for pixel in rgb.chunks_exact_mut(3) {
        let whole = random.unit() * f64::from(1u32 << 26);
        let (high, low) = (whole.trunc() / f64::from(1u32 << 26), whole.fract());
        let light = gain * (high + low - 1.0);
        let tint = 0.5 * gain * (high - low);
        for (level, colour) in pixel.iter_mut().zip([tint, 0.0, -tint]) {
            *level = (f64::from(*level) + light + colour).round() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[u8], middle: f64) -> (f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
        let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count;
        (mean - middle, variance.sqrt())
    }

    #[test]
    fn grain_has_the_spread_it_is_asked_for() {
        let mut rgb = vec![128u8; 64 * 64 * 3];
        add_grain(&mut rgb, 6.0, &mut KeyedRandom::new(1, "noise", "grain", 0));
        let green: Vec<u8> = rgb.iter().skip(1).step_by(3).copied().collect();
        let (shift, deviation) = spread(&green, 128.0);
        assert!(shift.abs() < 0.4 && (deviation - 6.0).abs() < 0.4, "{shift} {deviation}");
    }

    #[test]
    fn texture_is_smooth_and_grey() {
        let mut rgb = vec![128u8; 128 * 96 * 3];
        add_texture(&mut rgb, 128, 40.0, &mut KeyedRandom::new(1, "noise", "texture", 0));
        assert!(rgb.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]));
        let (_, deviation) = spread(&rgb, 128.0);
        assert!(deviation > 3.0, "{deviation}");
        let steps = rgb.chunks_exact(3).map(|p| p[0]).collect::<Vec<u8>>();
        let rough = steps.chunks_exact(128).flat_map(|row| row.windows(2)).map(|w| w[0].abs_diff(w[1])).max();
        assert!(rough.is_some_and(|step| step < 16), "{rough:?}");
    }

    #[test]
    fn levels_stay_in_range() {
        for level in [0, 255] {
            let mut rgb = vec![level; 32 * 32 * 3];
            add_texture(&mut rgb, 32, 300.0, &mut KeyedRandom::new(1, "noise", "range", 0));
            assert!(rgb.contains(&level));
        }
    }
}
