//! `search_scales`: each sample once at every scale of a fixed list, as in the test of convolutional pose machines.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::Affine;
use schemas::columns::{field, schema_with, with_column};
use schemas::units::Positive;
use serde::{Deserialize, Serialize};

use super::error::AugmentError;
use super::geometry;
use crate::stage::{BuildContext, FanOut, Outcome, Stage, StageError};

/// Default factors by which the image is enlarged: 0.7 to 1.3, as in `testing/src/run_benchmark.m` of the convolutional
/// pose machines.
pub const FACTORS: [f64; 7] = [0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3];
/// Column of a row's place in the list of factors, from 0.
pub const SCALE_INDEX: &str = "scale_index";
/// Metadata key of that column: how many factors the list has.
pub const SCALES_KEY: &str = "motionmill.scales";

/// At which scales each sample is made.
///
/// ```
/// let config: stages::augment::SearchScalesConfig = toml::from_str("factors = [0.8, 1.0, 1.25]")?;
/// assert_eq!(toml::from_str::<stages::augment::SearchScalesConfig>("")?.factors.len(), 7);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchScalesConfig {
    /// Factors by which the image is enlarged about the crop's centre, one row for each, in this order.
    #[serde(default = "factors")]
    pub factors: Vec<Positive>,
}

fn factors() -> Vec<Positive> {
    FACTORS.map(Positive::constant).to_vec()
}

impl SearchScalesConfig {
    /// Builds the stage.
    ///
    /// # Errors
    /// When there is no factor, or one twice.
    pub fn build(&self, _: &BuildContext) -> Result<SearchScales, StageError> {
        let factors: Vec<f64> = self.factors.iter().map(|factor| factor.get()).collect();
        if factors.is_empty() {
            return Err(StageError::step(AugmentError::NoFactors));
        }
        let mut known = HashSet::new();
        if let Some(factor) = factors.iter().find(|factor| !known.insert(factor.to_bits())) {
            return Err(StageError::step(AugmentError::FactorTwice { factor: *factor }));
        }
        Ok(SearchScales { factors })
    }
}

/// The stage. The rows of one sample are consecutive, in the order of the factors, so that `warp` decodes their image
/// once and `merge_scales` finds them in one batch; `copy` does not change, `scale_index` distinguishes them, and the
/// factor is multiplied into `scale_factor`.
#[derive(Debug, Clone)]
pub struct SearchScales {
    factors: Vec<f64>,
}

impl SearchScales {
    fn index_field(&self) -> Field {
        let scales = [(SCALES_KEY.to_owned(), self.factors.len().to_string())];
        Field::new(SCALE_INDEX, DataType::Int32, false).with_metadata(scales.into())
    }

    fn schema(&self, input: &Schema) -> Result<Schema, StageError> {
        geometry::check(input)?;
        field(input, "sample_id")?;
        if input.index_of(SCALE_INDEX).is_ok() {
            return Err(StageError::step(AugmentError::ScalesMade { column: SCALE_INDEX }));
        }
        Ok(schema_with(input, self.index_field()))
    }
}

/// How many scales the rows of `schema` have.
///
/// # Errors
/// When the column `scale_index` is missing or does not say so.
pub fn scales_of(schema: &Schema) -> Result<usize, StageError> {
    let said = field(schema, SCALE_INDEX)?.metadata().get(SCALES_KEY);
    said.and_then(|text| text.parse().ok()).filter(|scales| *scales > 0).ok_or_else(|| {
        let (things, stage) = ("scales", "search_scales");
        StageError::step(AugmentError::NotSaid { column: SCALE_INDEX, key: SCALES_KEY, things, stage })
    })
}

impl Stage for SearchScales {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        Ok(Arc::new(self.schema(input)?))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        self.schema(batch.schema_ref())?;
        let size = geometry::crop_size_of(batch.schema_ref())?;
        let scales = self.factors.len();
        let rows = (0..batch.num_rows() as u64).flat_map(|row| std::iter::repeat_n(row, scales));
        let repeated = take_record_batch(batch, &UInt64Array::from_iter_values(rows))?;
        let mut rows = geometry::read(&repeated)?;
        for (geometry, factor) in rows.iter_mut().zip(self.factors.iter().cycle()) {
            geometry.then(Affine::scale(*factor).about(geometry.crop_center()));
            geometry.scale_factor *= factor;
        }
        let index: Int32Array = (0..rows.len()).map(|row| (row % scales) as i32).collect();
        let scaled = geometry::write(&repeated, &rows, size)?;
        Ok(Outcome::all(with_column(&scaled, self.index_field(), Arc::new(index))?))
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Each(self.factors.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::CropConfig;
    use crate::augment::laws::{context, person};
    use schemas::columns::{integers, numbers, strings};
    use schemas::skeleton::MPII16;
    use schemas::tables::people;

    fn crops(rows: usize) -> RecordBatch {
        let people: Vec<_> =
            (0..rows).map(|at| person(&format!("p{at}"), [300.0 + at as f64, 200.0], 1.0)).collect();
        let crop: CropConfig = toml::from_str("size = [64, 48]\nframe.person.height = 100").unwrap();
        crop.build(&context("crop", 1)).unwrap().run(&people::to_batch(&MPII16, &people)).unwrap().rows
    }

    fn build(plan: &str) -> Result<SearchScales, StageError> {
        toml::from_str::<SearchScalesConfig>(plan).unwrap().build(&context("search_scales", 1))
    }

    #[test]
    fn each_sample_is_shown_at_every_scale_about_the_centre_of_its_crop() {
        let (batch, stage) = (crops(3), build("").unwrap());
        let rows = stage.run(&batch).unwrap().rows;
        assert_eq!(rows.schema(), stage.output_schema(&batch.schema()).unwrap());
        assert_eq!(
            (rows.num_rows(), stage.fan_out(), scales_of(rows.schema_ref()).unwrap()),
            (21, FanOut::Each(7), 7)
        );
        assert_eq!(strings(&rows, "sample_id").unwrap().value(13), "p1");
        let (index, factors) =
            (integers(&rows, SCALE_INDEX).unwrap(), numbers(&rows, "scale_factor").unwrap());
        let (before, after) = (geometry::read(&batch).unwrap(), geometry::read(&rows).unwrap());
        for (row, geometry) in after.iter().enumerate() {
            let (sample, factor) = (row / 7, FACTORS[row % 7]);
            assert_eq!((index.value(row), factors.value(row)), ((row % 7) as i32, factor));
            // The framed point stays in the middle; a px beside it moves by the factor.
            let center = geometry.crop_from_image.apply([300.0 + sample as f64, 200.0]);
            assert!((center[0] - 32.0).abs() < 1e-9 && (center[1] - 24.0).abs() < 1e-9, "{center:?}");
            let enlarged =
                geometry.crop_from_image.magnification() / before[sample].crop_from_image.magnification();
            assert!((enlarged - factor).abs() < 1e-12);
        }
        assert_eq!(stage.run(&batch.slice(0, 0)).unwrap().rows.num_rows(), 0);
    }

    #[test]
    fn the_factor_one_alone_leaves_the_geometry_as_it_is() {
        let batch = crops(2);
        let rows = build("factors = [1]").unwrap().run(&batch).unwrap().rows;
        assert_eq!(geometry::read(&rows).unwrap(), geometry::read(&batch).unwrap());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(build("factors = []").unwrap_err().to_string().contains("is empty"));
        assert!(build("factors = [1, 0.5, 1.0]").unwrap_err().to_string().contains("has `1` twice"));
        assert!(toml::from_str::<SearchScalesConfig>("factors = [0]").is_err());
        let stage = build("").unwrap();
        let once = stage.output_schema(&crops(1).schema()).unwrap();
        assert!(
            stage.output_schema(&once).unwrap_err().to_string().contains("a column `scale_index` already")
        );
        let bare = Schema::new(vec![Field::new(SCALE_INDEX, DataType::Int32, false)]);
        assert!(scales_of(&bare).unwrap_err().to_string().contains("motionmill.scales"));
    }
}
