//! `kind = "simcc"`: two vectors per joint, highest at its x and at its y (`RTMPose`, `SimCC`).

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::Field;
use schemas::tables::simcc;
use serde::{Deserialize, Serialize};

use super::{Card, Collect, Columns, check_head, head_column};
use crate::infer::flip::{Flip, FlipRule};
use crate::network::NetworkError;
use crate::network::ports::{Port, expect_output};

/// One output head that classifies coordinates: float `[N, K, bins]` along each axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimccOutput {
    /// The network's own name for the bins along x.
    pub x: String,
    /// The network's own name for the bins along y.
    pub y: String,
    /// Number of the output head, from 1.
    #[serde(default = "first")]
    pub head: i32,
    /// Bins per px of the input; bin b lies at px b / `split_ratio`.
    pub split_ratio: f64,
}

fn first() -> i32 {
    1
}

impl SimccOutput {
    pub(super) fn validate(&self) -> Result<(), NetworkError> {
        check_head(&self.x, self.head)?;
        if !(self.split_ratio.is_finite() && self.split_ratio > 0.0) {
            return Err(NetworkError::NotPositive {
                key: "split_ratio",
                found: self.split_ratio.to_string(),
            });
        }
        Ok(())
    }

    /// How many bins `side` px have.
    fn bins(&self, side: u32) -> i64 {
        (f64::from(side) * self.split_ratio).round() as i64
    }

    fn dimensions(&self, card: &Card<'_>) -> [(&str, [i64; 3]); 2] {
        let of = |bins| [-1, card.skeleton.len() as i64, bins];
        [(&self.x, of(self.bins(card.input.width))), (&self.y, of(self.bins(card.input.height)))]
    }

    pub(super) fn check_ports(&self, card: &Card<'_>, outputs: &[Port]) -> Result<(), NetworkError> {
        for (name, dimensions) in self.dimensions(card) {
            expect_output(outputs, name, &dimensions)?;
        }
        Ok(())
    }
}

struct SimccColumns {
    heads: Vec<SimccOutput>,
    joints: usize,
    bins: [usize; 2],
    mirrored_joints: Vec<usize>,
    /// By how many bins the mirrored x vectors move for the bins to lie on each other.
    moved: usize,
}

/// The columns of `heads`; see [`super::columns`].
pub(super) fn columns(
    heads: Vec<SimccOutput>,
    card: &Card<'_>,
    rows: usize,
    dimensions: &[Vec<i64>],
    flip: Option<Flip>,
) -> Result<impl Columns + use<>, NetworkError> {
    let joints = card.skeleton.len();
    let mut sizes = Vec::new();
    for (head, found) in heads.iter().zip(dimensions.chunks_exact(2)) {
        for ((name, expected), found) in head.dimensions(card).into_iter().zip(found) {
            let expected = [rows as i64, expected[1], expected[2]];
            if found[..] != expected {
                let (output, keys) = (name.to_owned(), "`split_ratio`, `skeleton` or the sides of the input");
                let expected = format!("[{}, {}]", expected[1], expected[2]);
                return Err(NetworkError::OtherShape { output, rows, expected, found: found.clone(), keys });
            }
        }
        sizes.push([found[0][2] as usize, found[1][2] as usize]);
    }
    if let Some(at) = sizes.iter().position(|size| *size != sizes[0]) {
        let (first, other) = (heads[0].x.clone(), heads[at].x.clone());
        return Err(NetworkError::MapSizes { first, size: sizes[0], other, other_size: sizes[at] });
    }
    // Bin b of the mirrored picture lies at px W - 1 - b / ratio: that is bin (W - 1) ratio - b.
    let moved = match flip.map(|flip| flip.rule) {
        Some(FlipRule::Exact) => {
            let head = &heads[0];
            if head.split_ratio.fract() != 0.0 {
                let (output, ratio) = (head.x.clone(), head.split_ratio);
                return Err(NetworkError::AsymmetricBins { output, ratio });
            }
            head.split_ratio as usize - 1
        }
        _ => 0,
    };
    let mirrored_joints = card.skeleton.mirrored();
    Ok(SimccColumns { joints, bins: sizes[0], mirrored_joints, moved, heads })
}

impl Columns for SimccColumns {
    fn table(&self) -> &'static str {
        simcc::NAME
    }

    fn fields(&self) -> Vec<Field> {
        simcc::fields(self.joints, self.bins)
    }

    fn rows_a_sample(&self) -> usize {
        self.heads.len()
    }

    fn start<'a>(&'a self, samples: usize) -> Box<dyn Collect + 'a> {
        let rows = samples * self.heads.len() * self.joints;
        Box::new(Vectors { of: self, samples, axes: self.bins.map(|bins| vec![0.0; rows * bins]) })
    }
}

struct Vectors<'a> {
    of: &'a SimccColumns,
    samples: usize,
    /// `[samples, heads, K, bins]`, x and y.
    axes: [Vec<f32>; 2],
}

impl Collect for Vectors<'_> {
    fn take(&mut self, sample: usize, mirrored: bool, given: &[&[f32]]) {
        let SimccColumns { heads, joints, bins, mirrored_joints, moved } = self.of;
        for (head, pair) in given.chunks_exact(2).enumerate() {
            for (axis, given) in pair.iter().enumerate() {
                let per_row = joints * bins[axis];
                let kept = &mut self.axes[axis][(sample * heads.len() + head) * per_row..][..per_row];
                if mirrored {
                    let vectors = kept.chunks_exact_mut(bins[axis]);
                    for (vector, opposite) in vectors.zip(mirrored_joints) {
                        let other = &given[opposite * bins[axis]..][..bins[axis]];
                        average(vector, other, (axis == 0).then_some(*moved));
                    }
                } else {
                    kept.copy_from_slice(given);
                }
            }
        }
    }

    fn columns(self: Box<Self>) -> Vec<ArrayRef> {
        let SimccColumns { heads, joints, bins, .. } = self.of;
        let [x, y] = self.axes;
        let ratios = (0..self.samples).flat_map(|_| heads).map(|head| head.split_ratio);
        vec![
            head_column(&heads.iter().map(|head| head.head), self.samples),
            simcc::vectors_array(x, *joints, bins[0]),
            simcc::vectors_array(y, *joints, bins[1]),
            Arc::new(Float64Array::from_iter_values(ratios)),
        ]
    }
}

/// Averages `kept` with `other`, which is read backwards from bin n - 1 - `moved` on where `moved` is given. Bins that have
/// no counterpart stay as they are.
fn average(kept: &mut [f32], other: &[f32], moved: Option<usize>) {
    let mean = |(kept, other): (&mut f32, &f32)| *kept = 0.5 * (*kept + other);
    match moved {
        None => kept.iter_mut().zip(other).for_each(mean),
        Some(moved) => kept.iter_mut().zip(other[..other.len() - moved].iter().rev()).for_each(mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrored_bins_lie_on_those_of_their_px() {
        // Two bins a px of 4 px: bin b lies at px b / 2, its mirror image at px 3 - b / 2, which is bin 6 - b.
        let mut kept: Vec<f32> = (0..8).map(|bin| bin as f32).collect();
        let other: Vec<f32> = (0..8).map(|bin| 10.0 * bin as f32).collect();
        average(&mut kept, &other, Some(1));
        for (bin, kept) in kept[..7].iter().enumerate() {
            assert_eq!(*kept, 0.5 * (bin as f32 + 10.0 * (6 - bin) as f32));
        }
        assert_eq!(kept[7], 7.0);
        // As toolkits do it, the vector is reversed as it is: half a px aside.
        let mut kept = vec![0.0f32; 8];
        average(&mut kept, &other, Some(0));
        assert_eq!((kept[0], kept[7]), (35.0, 0.0));
    }
}
