//! The rows of `keypoints` that every stage of this folder makes.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeListArray, Float64Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemas::columns::{column, field, skeleton_of, wrong_type};
use schemas::tables::rejects::Reject;
use schemas::tables::{MODEL_KEY, heatmaps, keypoints, metadata, samples};
use schemas::{Affine, SchemaError, Skeleton};

use super::error::DecodeError;
use crate::StageError;
use crate::stage::{reject, take_rows};

/// Columns that say where a prediction comes from; carried along where they are there.
pub const PROVENANCE: [&str; 9] = [
    "dataset",
    samples::COPY,
    "image_path",
    "person_index",
    "activity",
    "source_file",
    "source_record",
    keypoints::BOX,
    keypoints::DETECTION_SCORE,
];

/// What some rows say, joint after joint.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readings {
    points: Vec<f64>,
    scores: Vec<f64>,
    /// `None` where there are no maps.
    means: Option<Vec<f64>>,
    /// Scores of whole people, one a row, where the network gives any.
    persons: Vec<Option<f64>>,
}

impl Readings {
    /// Adds a joint: its place in px of the image, the height of its peak, both `NaN` where there is none, and the mean
    /// of its map.
    pub fn push(&mut self, point_in_image: [f64; 2], score: f64, mean: f64) {
        self.points.extend(point_in_image);
        self.scores.push(score);
        self.means.get_or_insert_default().push(mean);
    }

    /// Ends a row whose person has the score `score`, if any.
    pub fn push_person(&mut self, score: Option<f64>) {
        self.persons.push(score);
    }

    /// The predictions did not come from maps, and have no means.
    pub fn leave_means_out(&mut self) {
        self.means = None;
    }
}

/// The column of the score of a whole person.
pub fn person_score_field() -> Field {
    Field::new(keypoints::DETECTION_SCORE, DataType::Float64, true)
}

/// The reject of a row whose crop cannot be undone.
pub fn singular(batch: &RecordBatch, row: usize, stage: &str, crop: &Affine) -> Reject {
    let detail = format!("`{}` {:?} cannot be inverted", samples::CROP_FROM_IMAGE, crop.0);
    reject(batch, row, stage, "singular transform", detail)
}

/// The skeleton and `[K, h, w]` of a table of maps.
///
/// # Errors
/// When there are no maps, or not one for each joint.
pub fn shape_of(input: &Schema) -> Result<(&'static Skeleton, [usize; 3]), StageError> {
    let skeleton = skeleton_of(input)?;
    let maps = field(input, heatmaps::HEATMAPS)?;
    let expected = format!("maps [{}, h, w] of Float32", skeleton.len());
    match samples::maps_shape(maps.data_type()) {
        Some(shape) if shape[0] == skeleton.len() && shape.iter().all(|size| *size > 0) => {
            Ok((skeleton, shape))
        }
        _ => Err(wrong_type(heatmaps::HEATMAPS, &expected, maps.data_type()).into()),
    }
}

/// Refuses maps whose strides differ along x and y.
///
/// # Errors
/// When there is a column of strides along y.
pub fn check_one_stride(input: &Schema) -> Result<(), StageError> {
    match input.index_of(heatmaps::STRIDE_Y) {
        Ok(_) => Err(DecodeError::TwoStrides.into()),
        Err(_) => Ok(()),
    }
}

/// The schema of predictions that are read off maps of `input`, the columns `carried` being carried along.
///
/// # Errors
/// When a column is missing, or what made the maps is unknown.
pub fn schema_of(input: &Schema, carried: &[&str]) -> Result<SchemaRef, StageError> {
    let skeleton = skeleton_of(input)?;
    for name in ["sample_id", heatmaps::HEAD] {
        field(input, name)?;
    }
    let Some(model) = input.metadata().get(MODEL_KEY) else {
        return Err(DecodeError::NoModel.into());
    };
    let mut fields: Vec<Arc<Field>> = keypoints::fields(skeleton).into_iter().map(Arc::new).collect();
    for name in carried {
        fields.push(Arc::new(field(input, name)?.clone()));
    }
    let mut metadata = metadata(keypoints::NAME, Some(skeleton));
    metadata.insert(MODEL_KEY.to_owned(), model.clone());
    Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
}

/// `schema`, made by [`schema_of`], for predictions that `model` made of another network's maps.
pub fn named(schema: &Schema, model: &str) -> SchemaRef {
    let mut metadata = schema.metadata().clone();
    metadata.insert(MODEL_KEY.to_owned(), model.to_owned());
    Arc::new(Schema::new_with_metadata(schema.fields().clone(), metadata))
}

/// The columns of `schema`, made by [`schema_of`]: `readings` of the rows `kept` of `batch`, and what is carried.
///
/// # Errors
/// When there is not one reading for each joint of each row.
pub fn to_batch(
    schema: &SchemaRef,
    batch: &RecordBatch,
    kept: &[usize],
    readings: Readings,
) -> Result<RecordBatch, StageError> {
    let rows = take_rows(batch, kept)?;
    let (mut points, mut scores, mut means) = (Some(readings.points), Some(readings.scores), readings.means);
    let list = |values: &mut Option<Vec<f64>>, field: &Field| {
        list_column(values.take().unwrap_or_default(), field.data_type())
    };
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(match field.name().as_str() {
            "keypoints" => list(&mut points, field),
            "score" => list(&mut scores, field),
            "heatmap_mean" if means.is_none() => new_null_array(field.data_type(), kept.len()),
            "heatmap_mean" => list(&mut means, field),
            keypoints::DETECTION_SCORE if rows.column_by_name(keypoints::DETECTION_SCORE).is_none() => {
                Arc::new(readings.persons.iter().copied().collect::<Float64Array>())
            }
            _ => carried(schema, &rows, field)?,
        });
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns).map_err(SchemaError::from)?)
}

/// The column `field` of `schema` for `rows`, one that predictions do not make: what made them, or what is carried along.
///
/// # Errors
/// When `rows` have no such column.
pub fn carried(schema: &Schema, rows: &RecordBatch, field: &Field) -> Result<ArrayRef, StageError> {
    let count = rows.num_rows();
    Ok(match field.name().as_str() {
        "model" => {
            let model = &schema.metadata()[MODEL_KEY];
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(model, count)))
        }
        "split" if rows.schema_ref().index_of("split").is_err() => Arc::new(StringArray::new_null(count)),
        name => Arc::clone(column(rows, name)?),
    })
}

/// `values`, `[K, width]` or `[K]` numbers per row, as a column of `data_type`.
fn list_column(values: Vec<f64>, data_type: &DataType) -> ArrayRef {
    fn nested(values: ArrayRef, data_type: &DataType) -> ArrayRef {
        match data_type {
            DataType::FixedSizeList(item, length) => {
                let inner = nested(values, item.data_type());
                Arc::new(FixedSizeListArray::new(Arc::clone(item), *length, inner, None))
            }
            _ => values,
        }
    }
    nested(Arc::new(Float64Array::from(values)), data_type)
}
