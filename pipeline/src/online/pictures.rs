//! The image column as networks take it: decoded and, on request, as planes of normalised numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema};
use datasets::pixels::{Limits, Reduction, decode_into};
use schemas::columns::{column, field, schema_with, strings, with_column, wrong_type};
use schemas::tables::heatmaps::maps_array;
use schemas::tables::samples::{IMAGE, is_encoded_image, maps_type, raw_image_field, raw_image_size};
use stages::augment::planar_f32;

use super::OnlineError;

/// How pictures are given.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Pictures {
    /// Levels, u8 `[H, W, 3]`.
    #[default]
    Levels,
    /// Planes of (level - mean) / deviation of each channel, f32 `[3, H, W]`.
    Planes {
        /// Mean of the levels (0 to 255) of red, green, blue.
        mean: [f32; 3],
        /// Deviation of the levels.
        deviation: [f32; 3],
    },
}

impl Pictures {
    /// `schema`, whose picture column if any is raw, with the column as it is given.
    pub fn schema(self, schema: &Schema) -> Schema {
        let size = schema.field_with_name(IMAGE).ok().and_then(raw_image_size);
        match (self, size) {
            (Self::Planes { .. }, Some(size)) => schema_with(schema, planes_field(size)),
            _ => schema.clone(),
        }
    }

    /// `batch`, whose picture column if any is raw, with the column as it is given.
    ///
    /// # Errors
    /// When the rows do not fit their own schema.
    pub fn apply(self, batch: RecordBatch) -> Result<RecordBatch, OnlineError> {
        let size = batch.schema_ref().field_with_name(IMAGE).ok().and_then(raw_image_size);
        let (Self::Planes { mean, deviation }, Some(size)) = (self, size) else { return Ok(batch) };
        let raw = column(&batch, IMAGE)?;
        let raw = raw.as_binary_opt::<i32>().ok_or_else(|| wrong_type(IMAGE, "Binary", raw.data_type()))?;
        let [width, height] = size.map(|side| side as usize);
        let length = 3 * width * height;
        let mut planes = vec![0.0; batch.num_rows() * length];
        for (row, planes) in planes.chunks_exact_mut(length).enumerate() {
            planar_f32(raw.value(row), mean, deviation, planes);
        }
        Ok(with_column(&batch, planes_field(size), maps_array(planes, 3, height, width))?)
    }
}

fn planes_field([width, height]: [u32; 2]) -> Field {
    Field::new(IMAGE, maps_type(3, height as usize, width as usize), false)
}

/// Whether `schema` has a column of encoded pictures.
pub(super) fn is_encoded(schema: &Schema) -> bool {
    schema.field_with_name(IMAGE).is_ok_and(is_encoded_image)
}

/// `schema` with a raw picture column of `size`, width and height, in the place of the encoded one.
pub(super) fn decoded_schema(schema: &Schema, size: [u32; 2]) -> Schema {
    schema_with(schema, raw_image_field(size[0], size[1]))
}

/// `batch` with its encoded pictures decoded; all must have `size`, width and height in px.
///
/// # Errors
/// When an image cannot be decoded or has another size; the message names the sample.
pub(super) fn decode(batch: &RecordBatch, size: [u32; 2]) -> Result<RecordBatch, OnlineError> {
    let files = files(batch)?;
    let ids = strings(batch, "sample_id").ok();
    let length = 3 * size[0] as usize * size[1] as usize;
    let (mut all, mut spare) = (Vec::with_capacity(batch.num_rows() * length), Vec::new());
    for row in 0..batch.num_rows() {
        let refuse = |detail: String| OnlineError::Picture {
            sample_id: ids.map_or_else(|| format!("row {row}"), |ids| ids.value(row).to_owned()),
            detail,
        };
        if files.is_null(row) {
            return Err(refuse("there is none".to_owned()));
        }
        let decoded = decode_into(spare, files.value(row), &Limits::default(), Reduction::Whole)
            .map_err(|error| refuse(error.to_string()))?;
        if [decoded.width, decoded.height] != size {
            let [width, height] = size;
            let found = format!("{} x {} px", decoded.width, decoded.height);
            return Err(refuse(format!("it has {found}, the others {width} x {height} px")));
        }
        all.extend_from_slice(&decoded.rgb);
        spare = decoded.rgb;
    }
    let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(length, batch.num_rows()));
    let raw: ArrayRef = Arc::new(BinaryArray::new(offsets, Buffer::from_vec(all), None));
    Ok(with_column(batch, raw_image_field(size[0], size[1]), raw)?)
}

/// Width and height of the first picture of `batch`; `None` where it has no row.
///
/// # Errors
/// When it is no sound image.
pub(super) fn first_size(batch: &RecordBatch) -> Result<Option<[u32; 2]>, OnlineError> {
    if batch.num_rows() == 0 {
        return Ok(None);
    }
    let one = files(batch)?.value(0);
    let decoded = decode_into(Vec::new(), one, &Limits::default(), Reduction::Whole);
    let decoded = decoded.map_err(|error| {
        let sample_id = strings(batch, "sample_id").map_or("row 0", |ids| ids.value(0)).to_owned();
        OnlineError::Picture { sample_id, detail: error.to_string() }
    })?;
    Ok(Some([decoded.width, decoded.height]))
}

/// The image files of the encoded column, `[N]`.
fn files(batch: &RecordBatch) -> Result<&BinaryArray, OnlineError> {
    let data_type = field(batch.schema_ref(), IMAGE)?.data_type();
    let refuse = || wrong_type(IMAGE, "struct<bytes, path>", data_type);
    let DataType::Struct(_) = data_type else { return Err(refuse().into()) };
    let bytes = column(batch, IMAGE)?.as_struct().column_by_name("bytes");
    Ok(bytes.and_then(|bytes| bytes.as_binary_opt::<i32>()).ok_or_else(refuse)?)
}
