//! What the readings of a map can reach, as its cells say.

/// Most that the positive weights of the bicubic kernel add up to, both axes together: (1 + (5/4)^2) / 2, halfway between
/// two cells; all weights add up to 1.
const MOST_ABOVE: f64 = 1.28125;
/// Most that its negative weights add up to: ((5/4)^2 - 1) / 2.
const MOST_BELOW: f64 = 0.28125;
/// Most that the absolute values of its weights add up to along one axis.
const MOST_ALONG: f64 = 1.25;
/// Share of a cell's height that rounding in `f32` may add to a reading; it is below 1e-6.
const ROUNDING: f64 = 1e-5;
/// Cells of this height may be read as infinite.
const LARGE: f32 = 1e37;

/// The highest and lowest of some cells, those without a number left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extremes {
    highest: f32,
    lowest: f32,
}

impl Extremes {
    pub(super) const NONE: Self = Self { highest: f32::NEG_INFINITY, lowest: f32::INFINITY };

    pub(super) fn with(self, value: f32) -> Self {
        Self {
            highest: if value > self.highest { value } else { self.highest },
            lowest: if value < self.lowest { value } else { self.lowest },
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        self.with(other.highest).with(other.lowest)
    }

    /// The most that a reading of these cells can be; infinite where the cells do not bound it.
    pub(super) fn most(self) -> f64 {
        if self.highest.abs() >= LARGE || self.lowest.abs() >= LARGE {
            return f64::INFINITY;
        }
        let (highest, lowest) = (f64::from(self.highest), f64::from(self.lowest));
        MOST_ABOVE * highest - MOST_BELOW * lowest + ROUNDING * (highest.abs() + lowest.abs())
    }
}

/// How far a reading of `map`, lines of `width` cells, can lie above the highest of the readings at the four corners of a
/// tile around it, which are `steps` cells apart, across and down.
///
/// Along a line, a function lies at most `step^2 / 8` times its greatest second derivative above the higher of two of its
/// values that are `step` apart. Infinite where a cell is no number, or too large.
pub(super) fn rise(map: &[f32], width: usize, steps: [f64; 2]) -> f64 {
    let largest = map.iter().fold(0.0f32, |largest, cell| largest.max(cell.abs()));
    if largest >= LARGE || map.iter().any(|cell| cell.is_nan()) {
        return f64::INFINITY;
    }
    let rows: Vec<&[f32]> = map.chunks_exact(width).collect();
    let (mut across, mut down) = (0.0f32, 0.0f32);
    let mut bends = [vec![0.0f32; width], vec![0.0f32; width]];
    for (y, row) in rows.iter().enumerate() {
        across = across.max(bend_along(row));
        // Borders are reflected: the cell beyond the last is the last.
        let (above, below) = (rows[y.saturating_sub(1)], rows[(y + 1).min(rows.len() - 1)]);
        let [before, here] = &mut bends;
        for x in 0..width {
            here[x] = above[x] - 2.0 * row[x] + below[x];
        }
        if y == 0 {
            before.copy_from_slice(here);
        }
        for (before, here) in before.iter().zip(&*here) {
            down = down.max(bend(*before, *here));
        }
        bends.swap(0, 1);
    }
    let rise = |bend: f32, step: f64| MOST_ALONG * f64::from(bend) * step * step / 8.0;
    rise(across, steps[0]) + rise(down, steps[1]) + 4.0 * ROUNDING * f64::from(largest)
}

/// The most that the second derivative of the cubic along a line of cells is, per cell squared.
fn bend_along(line: &[f32]) -> f32 {
    let last = line.len() - 1;
    let difference = |x: usize| line[x.saturating_sub(1)] - 2.0 * line[x] + line[(x + 1).min(last)];
    let (mut most, mut before) = (0.0f32, difference(0));
    for x in 0..line.len() {
        let here = difference(x);
        most = most.max(bend(before, here));
        before = here;
    }
    most
}

/// The most that the second derivative of the cubic between two cells is, from the second differences at both: it goes
/// straight from `2 a - b` to `2 b - a`.
fn bend(a: f32, b: f32) -> f32 {
    (2.0 * a - b).abs().max((2.0 * b - a).abs())
}
