//! Bicubic enlargement of a map to input px, as in the test protocol of convolutional pose machines.

/// Slope of the cubic kernel at 1 (Keys 1981; what Matlab's `imresize(.., 'bicubic')` uses).
const CUBIC_SLOPE: f64 = -0.5;

/// For each output px along an axis, the four map px that it is made of and their weights.
#[derive(Debug, Clone)]
struct Taps(Vec<[(usize, f32); 4]>);

fn cubic(distance: f64) -> f64 {
    let d = distance.abs();
    if d <= 1.0 {
        ((CUBIC_SLOPE + 2.0) * d - (CUBIC_SLOPE + 3.0)) * d * d + 1.0
    } else if d < 2.0 {
        ((d - 5.0) * d + 8.0) * d * CUBIC_SLOPE - 4.0 * CUBIC_SLOPE
    } else {
        0.0
    }
}

/// `at` reflected into `0..size`, the border px counted twice.
fn reflected(at: i64, size: usize) -> usize {
    let size = size as i64;
    let at = at.rem_euclid(2 * size);
    (if at < size { at } else { 2 * size - 1 - at }) as usize
}

/// The four cells out of `cells`, and their weights, that are read at `place`, cell centres being at integers.
pub(super) fn taps_at(place: f64, cells: usize) -> [(usize, f32); 4] {
    let first = place.floor() as i64 - 1;
    [0, 1, 2, 3].map(|tap| {
        let cell = first + tap;
        (reflected(cell, cells), cubic(place - cell as f64) as f32)
    })
}

/// How many input px an axis of `cells` map px covers.
pub(super) fn covered(cells: usize, stride: f64) -> i64 {
    (cells as f64 * stride).round() as i64
}

impl Taps {
    fn new(cells: usize, stride: f64, origin: f64) -> Self {
        let taps = |at: i64| taps_at((at as f64 - origin) / stride, cells);
        Self((0..covered(cells, stride)).map(taps).collect())
    }
}

/// Enlarges maps of one size; the weights are worked out once.
#[derive(Debug, Clone)]
pub struct Upsample {
    across: Taps,
    down: Taps,
    width: usize,
}

impl Upsample {
    /// For maps `[height, width]` whose px lie at input px `origin + stride * i`.
    pub fn new(height: usize, width: usize, stride: f64, origin: f64) -> Self {
        Self { across: Taps::new(width, stride, origin), down: Taps::new(height, stride, origin), width }
    }

    /// Width of the enlarged map in px.
    pub fn width(&self) -> usize {
        self.across.0.len()
    }

    /// Enlarges `map` to `[height * stride, width * stride]`, borders reflected, into `out`, whose room is reused.
    pub fn enlarge(&self, map: &[f32], out: &mut Vec<f32>) {
        out.clear();
        let mut row = vec![0.0f32; self.width];
        for taps in &self.down.0 {
            let lines = taps.map(|(line, _)| &map[line * self.width..][..self.width]);
            for (x, value) in row.iter_mut().enumerate() {
                *value = (0..4).fold(0.0, |sum, tap| sum + taps[tap].1 * lines[tap][x]);
            }
            out.extend(
                self.across
                    .0
                    .iter()
                    .map(|taps| taps.iter().fold(0.0, |sum, (cell, weight)| sum + weight * row[*cell])),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_px_keep_their_value_where_the_grids_meet() {
        // Stride 3, origin 1: every third px lies on a map px.
        let map: Vec<f32> = (0..20).map(|value| (value * value % 7) as f32).collect();
        let (upsample, mut out) = (Upsample::new(4, 5, 3.0, 1.0), Vec::new());
        upsample.enlarge(&map, &mut out);
        assert_eq!((upsample.width(), out.len()), (15, 15 * 12));
        for (at, value) in map.iter().enumerate() {
            let (x, y) = (at % 5 * 3 + 1, at / 5 * 3 + 1);
            assert!((out[y * 15 + x] - value).abs() < 1e-5);
        }
    }

    #[test]
    fn planes_stay_planes_inside() {
        let map: Vec<f32> = (0..80).map(|at| (at % 10) as f32 * 2.0 - (at / 10) as f32).collect();
        let mut out = Vec::new();
        Upsample::new(8, 10, 8.0, 3.5).enlarge(&map, &mut out);
        for (x, y) in [(16, 16), (33, 21), (60, 40)] {
            let place = |at: usize| (at as f64 - 3.5) / 8.0;
            let expected = 2.0 * place(x) - place(y);
            assert!((f64::from(out[y * 80 + x]) - expected).abs() < 1e-4);
        }
    }
}
