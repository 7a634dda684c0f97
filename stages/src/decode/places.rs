//! Reading coordinates: the network says the places itself.

use arrow::array::{Array, Float64Array, RecordBatch};
use schemas::columns::{SchemaError, Vectors, column, numbers, points, vectors_f64};
use schemas::tables::coordinates;

use super::reading::{Predictions, Reading};
use crate::StageError;

/// The places of a batch.
pub struct Places<'a> {
    points: Vec<Vec<[f64; 2]>>,
    scores: Vectors<'a, f64>,
    persons: &'a Float64Array,
}

impl<'a> Places<'a> {
    /// The places of `batch`.
    ///
    /// # Errors
    /// When a column is missing or of another type.
    pub fn open(batch: &'a RecordBatch) -> Result<Self, StageError> {
        let joints = schemas::columns::skeleton_of(batch.schema_ref())?.len();
        let places = points(batch, coordinates::POINTS)?;
        if places.first().is_some_and(|row| row.len() != joints) {
            let found = column(batch, coordinates::POINTS)?.data_type().to_string();
            let expected = format!("points [{joints}, 2] of Float64");
            let column = coordinates::POINTS.to_owned();
            return Err(SchemaError::WrongType { column, expected, found }.into());
        }
        Ok(Self {
            points: places,
            scores: vectors_f64(batch, coordinates::POINT_SCORE, joints)?,
            persons: numbers(batch, coordinates::PERSON_SCORE)?,
        })
    }
}

impl Predictions for Places<'_> {
    fn refusal(&self, _: usize) -> Option<(&'static str, String)> {
        None
    }

    fn read(&mut self, row: usize, channel: usize) -> Reading {
        let point = self.points[row][channel];
        let is_somewhere = point.iter().all(|value| value.is_finite());
        let score = self.scores.row(row).map_or(f64::NAN, |scores| scores[channel]);
        let point_in_crop = if is_somewhere { point } else { [f64::NAN; 2] };
        Reading { point_in_crop, score, mean: f64::NAN }
    }

    fn person_score(&self, row: usize) -> Option<f64> {
        self.persons.is_valid(row).then(|| self.persons.value(row))
    }
}
