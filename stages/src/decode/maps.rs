//! Reading heatmaps: a joint is at the highest px of its map, refined.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, RecordBatch};
use schemas::columns::{column, numbers};
use schemas::tables::heatmaps;

use super::error::DecodeError;
use super::peak::{Peak, peak_and_mean};
use super::reading::{Predictions, Reading};
use super::refine::Refine;
use super::rule::Rule;
use super::table;
use super::upsample::Upsample;
use crate::StageError;

/// The maps of a batch.
pub struct Maps<'a> {
    column: &'a ArrayRef,
    values: &'a [f32],
    /// `[N, K, 2, h, w]`, where the network gives offsets.
    offsets: Option<&'a [f32]>,
    /// Joints, height, width.
    shape: [usize; 3],
    strides: &'a [f64],
    /// Along y.
    strides_y: &'a [f64],
    origins: &'a [f64],
    rule: Rule,
    refine: Option<Refine>,
    enlargers: HashMap<[u64; 2], Upsample>,
    room: Vec<f32>,
}

impl<'a> Maps<'a> {
    /// The maps of `batch`, read by `rule` and refined by `refine`, by default by offsets where there are any, else by a
    /// quarter px.
    ///
    /// # Errors
    /// When a column is missing or of another type.
    pub fn open(batch: &'a RecordBatch, rule: Rule, refine: Option<Refine>) -> Result<Self, StageError> {
        let (_, shape) = table::shape_of(batch.schema_ref())?;
        let column = column(batch, heatmaps::HEATMAPS)?;
        let offsets = match batch.column_by_name(heatmaps::OFFSETS) {
            Some(offsets) if refine.is_none() => Some(heatmaps::maps_values(offsets, heatmaps::OFFSETS)?),
            _ => None,
        };
        let strides = numbers(batch, heatmaps::STRIDE)?.values();
        let strides_y = match batch.column_by_name(heatmaps::STRIDE_Y) {
            Some(_) if rule != Rule::Plain => return Err(DecodeError::TwoStrides.into()),
            Some(_) => numbers(batch, heatmaps::STRIDE_Y)?.values(),
            None => strides,
        };
        Ok(Self {
            column,
            values: heatmaps::maps_values(column, heatmaps::HEATMAPS)?,
            offsets,
            shape,
            strides,
            strides_y,
            origins: numbers(batch, heatmaps::ORIGIN_IN_CROP)?.values(),
            rule,
            refine,
            enlargers: HashMap::new(),
            room: Vec::new(),
        })
    }

    /// Peak of the map enlarged to px of the crop.
    fn enlarged(&mut self, row: usize, map: &[f32]) -> Option<Peak> {
        let [_, height, width] = self.shape;
        let (stride, origin) = (self.strides[row], self.origins[row]);
        let key = [stride.to_bits(), origin.to_bits()];
        let upsample =
            self.enlargers.entry(key).or_insert_with(|| Upsample::new(height, width, stride, origin));
        upsample.enlarge(map, &mut self.room);
        peak_and_mean(&self.room, upsample.width()).0
    }

    /// What the network says is to be added to the place of `peak`, px of the crop.
    fn offset(&self, row: usize, channel: usize, peak: Peak) -> Option<[f64; 2]> {
        let [joints, height, width] = self.shape;
        let pixels = height * width;
        let of_row = &self.offsets?[row * 2 * joints * pixels..];
        let at = peak.y * width + peak.x;
        Some([0, 1].map(|axis| f64::from(of_row[(2 * channel + axis) * pixels + at])))
    }
}

impl Predictions for Maps<'_> {
    fn refusal(&self, row: usize) -> Option<(&'static str, String)> {
        self.column.is_null(row).then(|| ("no maps", "the row has no maps".to_owned()))
    }

    fn read(&mut self, row: usize, channel: usize) -> Reading {
        let [joints, height, width] = self.shape;
        let pixels = height * width;
        let map = &self.values[(row * joints + channel) * pixels..][..pixels];
        let (peak, mean) = peak_and_mean(map, width);
        let nothing = Reading { point_in_crop: [f64::NAN; 2], score: f64::NAN, mean };
        let Some(peak) = peak else { return nothing };
        let [stride, stride_y] = [self.strides[row], self.strides_y[row]];
        let at = |x: f64, y: f64, origin: f64| [origin + stride * x, origin + stride_y * y];
        let (x, y) = (peak.x as f64, peak.y as f64);
        let (point_in_crop, score) = match self.rule {
            Rule::Cpm => match self.enlarged(row, map) {
                Some(peak) => ([peak.x as f64, peak.y as f64], peak.value),
                None => return nothing,
            },
            Rule::Hourglass if peak.value <= 0.0 => (at(0.0, 0.0, 0.5 * stride), peak.value),
            rule => {
                let origin = if rule == Rule::Hourglass { 0.5 * stride } else { self.origins[row] };
                if let Some([dx, dy]) = self.offset(row, channel, peak) {
                    let [x, y] = at(x, y, origin);
                    ([x + dx, y + dy], peak.value)
                } else {
                    let refine = self.refine.unwrap_or(Refine::Quarter);
                    let [dx, dy] = refine.offset(map, width, peak);
                    (at(x + dx, y + dy, origin), peak.value)
                }
            }
        };
        Reading { point_in_crop, score: f64::from(score), mean }
    }

    fn person_score(&self, _: usize) -> Option<f64> {
        None
    }
}
