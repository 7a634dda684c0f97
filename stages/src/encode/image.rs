//! `encode_image`: raw pixels to image files in the table, as trainers read them.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datasets::pixels::{JPEG_QUALITY, PixelError, encode_jpeg, encode_png};
use schemars::JsonSchema;
use schemas::columns::{column, field, integers, schema_with, strings, with_column, wrong_type};
use schemas::tables::samples::{COPY, IMAGE, encoded_image_field, raw_image_size};
use serde::{Deserialize, Serialize};

use crate::stage::{BuildContext, Outcome, Stage, StageError, reject, take_rows};

/// The file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EncodeImageConfig {
    /// Without loss, fast compression.
    #[default]
    Png,
    /// With loss, small.
    Jpeg {
        /// From 1 to 100.
        #[serde(default = "quality")]
        quality: Quality,
    },
}

/// A JPEG quality, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
pub struct Quality(u8);

impl TryFrom<u8> for Quality {
    type Error = String;

    fn try_from(value: u8) -> Result<Self, String> {
        if (1..=100).contains(&value) {
            return Ok(Self(value));
        }
        Err(format!("a quality must be a whole number from 1 to 100, found `{value}`"))
    }
}

impl From<Quality> for u8 {
    fn from(quality: Quality) -> Self {
        quality.0
    }
}

fn quality() -> Quality {
    Quality(JPEG_QUALITY)
}

/// The stage: the raw column `image` becomes `struct<bytes, path>`.
#[derive(Debug, Clone)]
pub struct EncodeImage {
    name: String,
    config: EncodeImageConfig,
}

impl EncodeImageConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> EncodeImage {
        EncodeImage { name: context.name.clone(), config: *self }
    }
}

impl EncodeImage {
    fn size(input: &Schema) -> Result<[u32; 2], StageError> {
        let image = field(input, IMAGE)?;
        field(input, "sample_id")?;
        let size = raw_image_size(image);
        size.ok_or_else(|| wrong_type(IMAGE, "raw pixels of `warp`", image.data_type()).into())
    }

    fn file(&self, rgb: &[u8], [width, height]: [u32; 2]) -> Result<Vec<u8>, PixelError> {
        match self.config {
            EncodeImageConfig::Png => encode_png(rgb, width, height),
            EncodeImageConfig::Jpeg { quality } => encode_jpeg(rgb, width, height, quality.0),
        }
    }

    fn path(&self, sample_id: &str, copy: i32) -> String {
        let extension = match self.config {
            EncodeImageConfig::Png => "png",
            EncodeImageConfig::Jpeg { .. } => "jpg",
        };
        // Only an augmented copy needs its number to be told apart.
        if copy == 0 {
            format!("{sample_id}.{extension}")
        } else {
            format!("{sample_id}-copy{copy}.{extension}")
        }
    }
}

impl Stage for EncodeImage {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        Self::size(input)?;
        Ok(Arc::new(schema_with(input, encoded_image_field())))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let size = Self::size(batch.schema_ref())?;
        let raw = column(batch, IMAGE)?;
        let raw = raw.as_binary_opt::<i32>().ok_or_else(|| wrong_type(IMAGE, "Binary", raw.data_type()))?;
        let ids = strings(batch, "sample_id")?;
        let copies = batch.column_by_name(COPY).map(|_| integers(batch, COPY)).transpose()?;
        let (mut kept, mut rejects) = (Vec::new(), Vec::new());
        let (mut files, mut paths) = (Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            match self.file(raw.value(row), size) {
                Ok(file) => {
                    kept.push(row);
                    files.push(file);
                    paths.push(self.path(ids.value(row), copies.map_or(0, |copies| copies.value(row))));
                }
                Err(error) => {
                    let reason = "image not encoded";
                    rejects.push(reject(batch, row, &self.name, reason, error.to_string()));
                }
            }
        }
        let field = encoded_image_field();
        let DataType::Struct(members) = field.data_type().clone() else {
            unreachable!("an encoded image is a struct")
        };
        let bytes: ArrayRef = Arc::new(BinaryArray::from_iter_values(&files));
        let paths: ArrayRef = Arc::new(StringArray::from(paths));
        let image = StructArray::try_new(members, vec![bytes, paths], None)?;
        let rows = with_column(&take_rows(batch, &kept)?, field, Arc::new(image))?;
        Ok(Outcome::some(rows, rejects))
    }
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
