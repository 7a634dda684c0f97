//! Fitted models, one row each: `normalisers`, `projections`, `mixtures`. They are saved, read and passed on like
//! every other table.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, Float64Array, Int64Array, ListArray, RecordBatch,
    StringArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};

use super::{metadata, vector_array};
use crate::columns::{
    SchemaError, column, field, fixed_list, flat_floats, longs, numbers, strings, vectors_f64, wrong_type,
};

/// Name of the table of [`Normaliser`]s.
pub const NORMALISERS: &str = "normalisers";
/// Name of the table of [`Projection`]s.
pub const PROJECTIONS: &str = "projections";
/// Name of the table of [`Mixture`]s.
pub const MIXTURES: &str = "mixtures";

/// Means and spreads of the C channels of all training signals of one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Normaliser {
    /// The device, or empty where one normaliser serves all.
    pub group: String,
    /// How many samples it was fitted on.
    pub samples: i64,
    /// Mean of each channel, `[C]`, in the channel's unit.
    pub mean: Vec<f64>,
    /// Standard deviation of each channel, `[C]`, in the channel's unit.
    pub deviation: Vec<f64>,
}

/// A principal component analysis: y = directions (x - mean).
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// How many frames it was fitted on.
    pub frames: i64,
    /// The subjects that they came from, in order of name.
    pub subjects: Vec<String>,
    /// `[D]`.
    pub mean: Vec<f64>,
    /// `[P, D]`, unit vectors, by decreasing variance; in each, the number of largest magnitude is positive.
    pub directions: Vec<f64>,
    /// Variance of the training frames along each direction, `[P]`, with N - 1 as divisor.
    pub variance: Vec<f64>,
    /// Sum of the variances along all D directions.
    pub total_variance: f64,
}

/// A mixture of M Gaussians with diagonal covariance over D numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// The client that it was adapted to; `None` for a background model.
    pub client: Option<String>,
    /// The split of the client.
    pub split: Option<String>,
    /// How many frames it was fitted on, or adapted with.
    pub frames: i64,
    /// The subjects that the background model was fitted on, in order of name.
    pub subjects: Vec<String>,
    /// `[M]`, sum 1.
    pub weights: Vec<f64>,
    /// `[M, D]`.
    pub means: Vec<f64>,
    /// `[M, D]`.
    pub variances: Vec<f64>,
    /// Mean log-likelihood of a training frame before each iteration and after the last; empty for a client.
    pub log_likelihoods: Vec<f64>,
}

fn text_list() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)))
}

fn number_list() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Float64, true)))
}

fn matrix(rows: usize, columns: usize) -> DataType {
    fixed_list(fixed_list(DataType::Float64, columns), rows)
}

fn table(name: &str, fields: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new_with_metadata(fields, metadata(name, None)))
}

/// The schema of normalisers of C = `channels`; `input` says which they are.
pub fn normaliser_schema(input: &Schema, channels: usize) -> SchemaRef {
    let mut metadata = metadata(NORMALISERS, None);
    let key = super::signals::CHANNELS_KEY;
    metadata.extend(input.metadata().get(key).map(|names| (key.to_owned(), names.clone())));
    let fields = vec![
        Field::new("group", DataType::Utf8, false),
        Field::new("samples", DataType::Int64, false),
        Field::new("mean", fixed_list(DataType::Float64, channels), false),
        Field::new("deviation", fixed_list(DataType::Float64, channels), false),
    ];
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// The schema of projections from D = `dimensions` to P = `components`.
pub fn projection_schema(dimensions: usize, components: usize) -> SchemaRef {
    let fields = vec![
        Field::new("frames", DataType::Int64, false),
        Field::new("subjects", text_list(), false),
        Field::new("mean", fixed_list(DataType::Float64, dimensions), false),
        Field::new("directions", matrix(components, dimensions), false),
        Field::new("variance", fixed_list(DataType::Float64, components), false),
        Field::new("total_variance", DataType::Float64, false),
    ];
    table(PROJECTIONS, fields)
}

/// The schema of mixtures of M = `components` over D = `dimensions`.
pub fn mixture_schema(components: usize, dimensions: usize) -> SchemaRef {
    let fields = vec![
        Field::new("client", DataType::Utf8, true),
        Field::new("split", DataType::Utf8, true),
        Field::new("frames", DataType::Int64, false),
        Field::new("subjects", text_list(), false),
        Field::new("weights", fixed_list(DataType::Float64, components), false),
        Field::new("means", matrix(components, dimensions), false),
        Field::new("variances", matrix(components, dimensions), false),
        Field::new("log_likelihoods", number_list(), false),
    ];
    table(MIXTURES, fields)
}

/// `[rows, columns]` of the matrix column `name`.
///
/// # Errors
/// When it is absent or of another type.
pub fn matrix_shape(schema: &Schema, name: &str) -> Result<[usize; 2], SchemaError> {
    let found = field(schema, name)?.data_type();
    if let DataType::FixedSizeList(row, rows) = found
        && let DataType::FixedSizeList(item, columns) = row.data_type()
        && item.data_type() == &DataType::Float64
    {
        return Ok([*rows as usize, *columns as usize]);
    }
    Err(wrong_type(name, "[rows, columns] Float64", found))
}

fn matrix_array<'a>(rows: impl Iterator<Item = &'a [f64]>, shape: [usize; 2]) -> ArrayRef {
    let numbers: Vec<f64> = rows.flatten().copied().collect();
    let mut array: ArrayRef = Arc::new(Float64Array::from(numbers));
    for length in [shape[1], shape[0]] {
        let item = Arc::new(Field::new("item", array.data_type().clone(), true));
        array = Arc::new(FixedSizeListArray::new(item, length as i32, array, None));
    }
    array
}

fn text_lists<'a>(rows: impl Iterator<Item = &'a [String]>) -> ArrayRef {
    let (mut lengths, mut texts) = (Vec::new(), Vec::new());
    for row in rows {
        lengths.push(row.len());
        texts.extend(row.iter().map(String::as_str));
    }
    let item = Arc::new(Field::new("item", DataType::Utf8, true));
    let texts = Arc::new(StringArray::from(texts));
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), texts, None))
}

fn number_lists<'a>(rows: impl Iterator<Item = &'a [f64]>) -> ArrayRef {
    let (mut lengths, mut numbers) = (Vec::new(), Vec::new());
    for row in rows {
        lengths.push(row.len());
        numbers.extend_from_slice(row);
    }
    let item = Arc::new(Field::new("item", DataType::Float64, true));
    let numbers = Arc::new(Float64Array::from(numbers));
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(lengths), numbers, None))
}

fn list_at(batch: &RecordBatch, name: &str, row: usize) -> Result<ArrayRef, SchemaError> {
    let array = column(batch, name)?;
    let list = array.as_list_opt::<i32>().ok_or_else(|| wrong_type(name, "a list", array.data_type()))?;
    Ok(list.value(row))
}

fn texts_at(batch: &RecordBatch, name: &str, row: usize) -> Result<Vec<String>, SchemaError> {
    let list = list_at(batch, name, row)?;
    let texts =
        list.as_string_opt::<i32>().ok_or_else(|| wrong_type(name, "a list of Utf8", list.data_type()))?;
    Ok(texts.iter().flatten().map(str::to_owned).collect())
}

fn numbers_at(batch: &RecordBatch, name: &str, row: usize) -> Result<Vec<f64>, SchemaError> {
    let list = list_at(batch, name, row)?;
    let numbers = list
        .as_primitive_opt::<Float64Type>()
        .ok_or_else(|| wrong_type(name, "a list of Float64", list.data_type()))?;
    Ok(numbers.values().to_vec())
}

/// All numbers of the fixed-length list `name` in `row`, whatever its depth.
fn flat_at(batch: &RecordBatch, name: &str, row: usize) -> Result<Vec<f64>, SchemaError> {
    let array = column(batch, name)?;
    let flat = flat_floats(&array.slice(row, 1)).filter(|_| array.is_valid(row));
    flat.ok_or_else(|| wrong_type(name, "a list of Float64", array.data_type()))
}

impl Normaliser {
    /// The rows `models` as a batch of `schema`.
    pub fn to_batch(schema: &SchemaRef, models: &[Self]) -> RecordBatch {
        let channels = models.first().map_or_else(|| width(schema, "mean"), |model| model.mean.len());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(models.iter().map(|model| &model.group))),
            Arc::new(Int64Array::from_iter_values(models.iter().map(|model| model.samples))),
            vector_array(models.iter().map(|model| Some(&model.mean[..])), channels),
            vector_array(models.iter().map(|model| Some(&model.deviation[..])), channels),
        ];
        RecordBatch::try_new(schema.clone(), columns).expect("columns follow the schema")
    }

    /// The rows of `batch`.
    ///
    /// # Errors
    /// When a column is absent or of another type.
    pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, SchemaError> {
        let row_at = |row| {
            Ok(Self {
                group: strings(batch, "group")?.value(row).to_owned(),
                samples: longs(batch, "samples")?.value(row),
                mean: flat_at(batch, "mean", row)?,
                deviation: flat_at(batch, "deviation", row)?,
            })
        };
        (0..batch.num_rows()).map(row_at).collect()
    }
}

/// Numbers per row of the list column `name`, 0 where it is none.
fn width(schema: &Schema, name: &str) -> usize {
    match field(schema, name).map(Field::data_type) {
        Ok(DataType::FixedSizeList(_, length)) => *length as usize,
        _ => 0,
    }
}

impl Projection {
    /// The model as a batch of one row.
    pub fn to_batch(&self) -> RecordBatch {
        let (dimensions, components) = (self.mean.len(), self.variance.len());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![self.frames])),
            text_lists(std::iter::once(&self.subjects[..])),
            vector_array([Some(&self.mean[..])], dimensions),
            matrix_array(std::iter::once(&self.directions[..]), [components, dimensions]),
            vector_array([Some(&self.variance[..])], components),
            Arc::new(Float64Array::from(vec![self.total_variance])),
        ];
        RecordBatch::try_new(projection_schema(dimensions, components), columns)
            .expect("columns follow the schema")
    }

    /// The rows of `batch`.
    ///
    /// # Errors
    /// When a column is absent or of another type.
    pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, SchemaError> {
        let [components, dimensions] = matrix_shape(batch.schema_ref(), "directions")?;
        vectors_f64(batch, "mean", dimensions)?;
        vectors_f64(batch, "variance", components)?;
        let row_at = |row| {
            Ok(Self {
                frames: longs(batch, "frames")?.value(row),
                subjects: texts_at(batch, "subjects", row)?,
                mean: flat_at(batch, "mean", row)?,
                directions: flat_at(batch, "directions", row)?,
                variance: flat_at(batch, "variance", row)?,
                total_variance: numbers(batch, "total_variance")?.value(row),
            })
        };
        (0..batch.num_rows()).map(row_at).collect()
    }
}

impl Mixture {
    /// M, the number of Gaussians.
    pub fn components(&self) -> usize {
        self.weights.len()
    }

    /// D, the numbers of a frame.
    pub fn dimensions(&self) -> usize {
        self.means.len() / self.weights.len().max(1)
    }

    /// The rows `models` as a batch of `schema`, as [`mixture_schema`] gives it.
    pub fn to_batch(schema: &SchemaRef, models: &[Self]) -> RecordBatch {
        let shape = matrix_shape(schema, "means").expect("the schema is that of mixtures");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(models.iter().map(|model| model.client.as_deref()).collect::<StringArray>()),
            Arc::new(models.iter().map(|model| model.split.as_deref()).collect::<StringArray>()),
            Arc::new(Int64Array::from_iter_values(models.iter().map(|model| model.frames))),
            text_lists(models.iter().map(|model| &model.subjects[..])),
            vector_array(models.iter().map(|model| Some(&model.weights[..])), shape[0]),
            matrix_array(models.iter().map(|model| &model.means[..]), shape),
            matrix_array(models.iter().map(|model| &model.variances[..]), shape),
            number_lists(models.iter().map(|model| &model.log_likelihoods[..])),
        ];
        RecordBatch::try_new(schema.clone(), columns).expect("columns follow the schema")
    }

    /// The rows of `batch`.
    ///
    /// # Errors
    /// When a column is absent or of another type.
    pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, SchemaError> {
        let [components, _] = matrix_shape(batch.schema_ref(), "means")?;
        matrix_shape(batch.schema_ref(), "variances")?;
        vectors_f64(batch, "weights", components)?;
        let optional = |name: &str, row| {
            strings(batch, name).map(|array| array.is_valid(row).then(|| array.value(row).to_owned()))
        };
        let row_at = |row| {
            Ok(Self {
                client: optional("client", row)?,
                split: optional("split", row)?,
                frames: longs(batch, "frames")?.value(row),
                subjects: texts_at(batch, "subjects", row)?,
                weights: flat_at(batch, "weights", row)?,
                means: flat_at(batch, "means", row)?,
                variances: flat_at(batch, "variances", row)?,
                log_likelihoods: numbers_at(batch, "log_likelihoods", row)?,
            })
        };
        (0..batch.num_rows()).map(row_at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_come_back() {
        let normalisers = [Normaliser {
            group: "nexus".into(),
            samples: 9,
            mean: vec![1.0, 2.0],
            deviation: vec![0.5, 0.25],
        }];
        let schema = normaliser_schema(&Schema::empty(), 2);
        assert_eq!(
            Normaliser::from_batch(&Normaliser::to_batch(&schema, &normalisers)).unwrap(),
            normalisers
        );

        let projection = Projection {
            frames: 4,
            subjects: vec!["a".into(), "b".into()],
            mean: vec![0.0, 1.0, 2.0],
            directions: vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            variance: vec![3.0, 2.0],
            total_variance: 6.0,
        };
        assert_eq!(Projection::from_batch(&projection.to_batch()).unwrap(), [projection]);

        let background = Mixture {
            client: None,
            split: None,
            frames: 100,
            subjects: vec!["a".into()],
            weights: vec![0.5, 0.5],
            means: vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            variances: vec![1.0; 6],
            log_likelihoods: vec![-3.0, -2.0],
        };
        let client = Mixture {
            client: Some("c".into()),
            split: Some("test".into()),
            log_likelihoods: vec![],
            subjects: vec![],
            ..background.clone()
        };
        let models = [background, client];
        let batch = Mixture::to_batch(&mixture_schema(2, 3), &models);
        assert_eq!(Mixture::from_batch(&batch).unwrap(), models);
        assert_eq!(Mixture::from_batch(&batch.slice(1, 1)).unwrap(), models[1..]);
    }
}
