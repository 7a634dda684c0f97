//! Two difference hashes of a picture: 64 bits across, 64 bits down.
//!
//! The picture is averaged to 9 x 8 grey cells; each bit says whether a cell is darker than its right neighbour. The
//! second hash does the same downwards on 8 x 9 cells. Size, compression and brightness hardly change them; a mirror, a
//! turn or a crop does. Source: N. Krawetz, "Kind of Like That" (hackerfactor.com, 2013), which describes the first;
//! one direction alone matches smooth backgrounds, so both must agree.

use datasets::pixels::{Decoded, Reduction};

/// Cells along the direction of comparison; one less comparisons.
const LONG: usize = 9;
/// Cells across it.
const SHORT: usize = 8;
/// Fewest px of the shorter side that are decoded, sixteen for each cell: with half of that, two pairs of eleven known
/// copies in LSPET come out as strangers.
const LEAST_SIDE_PX: f64 = 144.0;
/// Least difference between the darkest and the lightest cell, grey levels of 255: a plainer picture has no print.
const LEAST_CONTRAST: u64 = 8;

/// The print of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Print {
    /// Whether cells are darker than their right neighbours.
    pub across: u64,
    /// Whether cells are darker than those below.
    pub down: u64,
}

impl Print {
    /// How many bits differ, in the direction where more do.
    pub(crate) fn distance(self, other: Self) -> u32 {
        (self.across ^ other.across).count_ones().max((self.down ^ other.down).count_ones())
    }

    /// The print of `picture`; `None` where it is too plain.
    pub(crate) fn of(picture: &Decoded) -> Option<Self> {
        let across = Cells::of(picture, LONG, SHORT);
        if across.contrast() < LEAST_CONTRAST {
            return None;
        }
        let down = Cells::of(picture, SHORT, LONG);
        let bits = |cells: &Cells, step: [usize; 2]| {
            let pairs = (0..SHORT).flat_map(|slow| (0..SHORT).map(move |fast| (slow, fast)));
            pairs.fold(0_u64, |bits, (slow, fast)| {
                let [x, y] = if step == [1, 0] { [fast, slow] } else { [slow, fast] };
                bits << 1 | u64::from(cells.is_darker([x, y], [x + step[0], y + step[1]]))
            })
        };
        Some(Self { across: bits(&across, [1, 0]), down: bits(&down, [0, 1]) })
    }
}

/// By how much a picture of `width` x `height` px may be reduced while it is decoded for a print.
pub(super) fn reduction([width, height]: [u32; 2]) -> Reduction {
    Reduction::at_most(f64::from(width.min(height)) / LEAST_SIDE_PX)
}

/// Weighted sums of grey levels over the cells of a grid, exact, so that no rounding decides. All cells weigh the same:
/// a pixel that two cells share counts in both by its share.
struct Cells {
    columns: usize,
    sums: Vec<u64>,
    /// What a grey level of 1 everywhere sums to.
    unit: u64,
}

impl Cells {
    fn of(picture: &Decoded, columns: usize, rows: usize) -> Self {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let across: Vec<_> = (0..width).map(|x| shares(x, width, columns)).collect();
        let mut sums = vec![0; columns * rows];
        let mut line = vec![0; columns];
        for (y, pixels) in picture.rgb.chunks_exact(width * 3).enumerate() {
            line.fill(0);
            for (pixel, [(cell, weight), (next, rest)]) in pixels.chunks_exact(3).zip(&across) {
                let grey = grey(pixel);
                line[*cell] += weight * grey;
                line[*next] += rest * grey;
            }
            for (row, weight) in shares(y, height, rows) {
                let cells = &mut sums[row * columns..(row + 1) * columns];
                cells.iter_mut().zip(&line).for_each(|(sum, part)| *sum += weight * part);
            }
        }
        Self { columns, sums, unit: (width * height) as u64 * 1000 }
    }

    fn is_darker(&self, a: [usize; 2], b: [usize; 2]) -> bool {
        let at = |[x, y]: [usize; 2]| self.sums[y * self.columns + x];
        at(a) < at(b)
    }

    /// Grey levels between the darkest and the lightest cell.
    fn contrast(&self) -> u64 {
        let most = self.sums.iter().max().copied().unwrap_or(0);
        let least = self.sums.iter().min().copied().unwrap_or(0);
        (most - least) / self.unit
    }
}

/// Which two of `cells` cells over `length` px pixel number `at` lies in, and how much of it in each, in parts of 1 /
/// `cells` px. A picture of fewer px than cells gives a pixel to the first cells that it touches.
fn shares(at: usize, length: usize, cells: usize) -> [(usize, u64); 2] {
    let (from, to) = (at * cells, (at + 1) * cells);
    let cell = from / length;
    let edge = (cell + 1) * length;
    let next = (cell + 1).min(cells - 1);
    if to <= edge {
        return [(cell, (to - from) as u64), (next, 0)];
    }
    [(cell, (edge - from) as u64), (next, (to - edge) as u64)]
}

/// Luma of a pixel times 1000, with the weights of ITU-R BT.601.
fn grey(pixel: &[u8]) -> u64 {
    299 * u64::from(pixel[0]) + 587 * u64::from(pixel[1]) + 114 * u64::from(pixel[2])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use datasets::pixels::OTHER_DECODER;
    use proptest::prelude::*;

    /// A picture whose pixel at (x, y), from 0 to 1, has the grey `level`.
    pub(crate) fn picture(width: u32, height: u32, level: impl Fn(f64, f64) -> u8) -> Decoded {
        let at = |n: u32, of: u32| (f64::from(n) + 0.5) / f64::from(of);
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb = places.flat_map(|(x, y)| [level(at(x, width), at(y, height)); 3]).collect();
        Decoded { width, height, rgb, reduction: Reduction::Whole, decoder: OTHER_DECODER }
    }

    fn waves(phase: f64) -> impl Fn(f64, f64) -> u8 {
        move |x, y| (127.0 + 60.0 * libm::sin(9.0 * x + phase) + 60.0 * libm::cos(7.0 * y - phase * x)) as u8
    }

    #[test]
    fn a_ramp_is_all_ones_and_its_mirror_all_zeros() {
        let print = Print::of(&picture(90, 80, |x, _| (x * 200.0) as u8)).unwrap();
        assert_eq!(print, Print { across: u64::MAX, down: 0 });
        let mirrored = Print::of(&picture(90, 80, |x, _| 200 - (x * 200.0) as u8)).unwrap();
        assert_eq!((mirrored.across, print.distance(mirrored)), (0, 64));
        let down = Print::of(&picture(72, 90, |_, y| (y * 200.0) as u8)).unwrap();
        assert_eq!(down, Print { across: 0, down: u64::MAX });
    }

    #[test]
    fn plain_and_tiny_pictures() {
        assert_eq!(Print::of(&picture(64, 64, |_, _| 90)), None);
        assert!(Print::of(&picture(2, 1, |x, _| (x * 255.0) as u8)).is_some());
        assert_eq!(reduction([720, 576]), Reduction::Quarter);
        assert_eq!(reduction([300, 287]), Reduction::Whole);
    }

    proptest! {
        #[test]
        fn size_and_brightness_hardly_matter(phase in 0.0..6.0_f64, wide in 60_u32..200, tall in 60_u32..200) {
            let print = Print::of(&picture(144, 144, waves(phase))).unwrap();
            let other = picture(wide, tall, |x, y| (f64::from(waves(phase)(x, y)) * 0.8) as u8 + 20);
            let distance = print.distance(Print::of(&other).unwrap());
            prop_assert!(distance <= 4, "{distance}");
        }
    }
}
