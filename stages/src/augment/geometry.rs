//! The geometry columns of a batch as rows that a stage can change.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, FixedSizeListArray, Float64Array, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use schemas::columns::{
    SchemaError, affines, booleans, field, numbers, schema_with, vectors_f64, with_column,
};
use schemas::tables::samples::{
    COLOUR_IDENTITY, COLOUR_MATRIX, CROP_FROM_IMAGE, CROP_SIZE, FLIPPED, ROTATION_RADIANS, SCALE_FACTOR,
    SHIFT_IN_CROP, geometry_fields, raw_image_size,
};
use schemas::tables::vector_array;
use schemas::{Affine, tables::samples};

use super::error::AugmentError;
use crate::stage::StageError;

/// Metadata key of the column `crop_size`: width and height of every crop, as `W,H`, so that the shape of pixels
/// and maps is known before a row flows.
pub const CROP_SIZE_KEY: &str = "motionmill.crop_size";

/// Metadata key of the level outside the image that the network wants, where `crop` took it from a card.
pub const BORDER_KEY: &str = "motionmill.border";

/// Column of the point that the crop was framed around, `[2]` px of the image.
pub const CROP_CENTER: &str = "crop_center";

/// How one crop lies in its image, and what was drawn for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    /// From px of the image to px of the crop.
    pub crop_from_image: Affine,
    /// Width and height of the crop in px.
    pub crop_size: [f64; 2],
    /// Product of the factors by which the picture was enlarged.
    pub scale_factor: f64,
    /// Sum of the rotations, radians, positive clockwise on screen.
    pub rotation_radians: f64,
    /// Whether left and right are mirrored.
    pub flipped: bool,
    /// Sum of the shifts, px of the crop.
    pub shift_in_crop: [f64; 2],
    /// `[3, 4]` map of RGB levels, row-major.
    pub colour_matrix: [f64; 12],
}

impl Geometry {
    /// A crop that nothing was drawn for.
    pub fn new(crop_from_image: Affine, crop_size: [f64; 2]) -> Self {
        Self {
            crop_from_image,
            crop_size,
            scale_factor: 1.0,
            rotation_radians: 0.0,
            flipped: false,
            shift_in_crop: [0.0; 2],
            colour_matrix: COLOUR_IDENTITY,
        }
    }

    /// The point of the crop that its frame's centre maps to: (W / 2, H / 2), as in the papers' code.
    pub fn crop_center(&self) -> [f64; 2] {
        [self.crop_size[0] / 2.0, self.crop_size[1] / 2.0]
    }

    /// Applies `step`, a map of the crop onto itself, after all that was composed so far.
    pub fn then(&mut self, step: Affine) {
        self.crop_from_image = step * self.crop_from_image;
    }
}

/// The fields of the geometry columns of crops `width` x `height`.
pub fn fields([width, height]: [u32; 2]) -> Vec<Field> {
    let sized = |field: Field| match field.name().as_str() {
        CROP_SIZE => field.with_metadata([(CROP_SIZE_KEY.to_owned(), format!("{width},{height}"))].into()),
        _ => field,
    };
    geometry_fields().into_iter().map(sized).collect()
}

/// `schema` with the geometry columns of crops `size`.
pub fn schema_with_geometry(schema: &Schema, size: [u32; 2]) -> Schema {
    fields(size).into_iter().fold(schema.clone(), |schema, field| schema_with(&schema, field))
}

/// Width and height of every crop of `schema`, from its geometry or its pixels.
///
/// # Errors
/// When neither is there.
pub fn crop_size_of(schema: &Schema) -> Result<[u32; 2], StageError> {
    let pixels = schema.field_with_name(samples::IMAGE).ok().and_then(raw_image_size);
    if let Some(size) = pixels {
        return Ok(size);
    }
    let text = field(schema, CROP_SIZE)?.metadata().get(CROP_SIZE_KEY);
    let pair = text.and_then(|text| text.split_once(','));
    let size = pair.and_then(|(width, height)| Some([width.parse().ok()?, height.parse().ok()?]));
    size.ok_or_else(|| {
        let (column, key, things) = (CROP_SIZE, CROP_SIZE_KEY, "crops");
        StageError::step(AugmentError::NotSaid { column, key, things, stage: "crop" })
    })
}

/// Checks that the columns are there and that no pixel was sampled yet.
///
/// # Errors
/// When a geometry column is missing, or `warp` already ran.
pub fn check(schema: &Schema) -> Result<[u32; 2], StageError> {
    for expected in geometry_fields() {
        let found = field(schema, expected.name())?;
        if found.data_type() != expected.data_type() {
            let kind = expected.data_type().to_string();
            return Err(schemas::columns::wrong_type(expected.name(), &kind, found.data_type()).into());
        }
    }
    if space_of_keypoints(schema) == Some("crop") {
        return Err(StageError::step(AugmentError::Sampled));
    }
    crop_size_of(schema)
}

/// `image` or `crop`: what the column `keypoints` is measured in.
pub fn space_of_keypoints(schema: &Schema) -> Option<&str> {
    schema.field_with_name("keypoints").ok()?.metadata().get("motionmill.space").map(String::as_str)
}

/// The geometry of each row.
///
/// # Errors
/// When a column is missing, of another type, or null somewhere.
pub fn read(batch: &RecordBatch) -> Result<Vec<Geometry>, StageError> {
    let [width, height] = crop_size_of(batch.schema_ref())?;
    let maps = affines(batch, CROP_FROM_IMAGE)?;
    let (factors, rotations) = (numbers(batch, SCALE_FACTOR)?, numbers(batch, ROTATION_RADIANS)?);
    let flipped = booleans(batch, FLIPPED)?;
    let shifts = vectors_f64(batch, SHIFT_IN_CROP, 2)?;
    let colours = vectors_f64(batch, COLOUR_MATRIX, 12)?;
    let null = |column: &str, row| SchemaError::NullValue { column: column.to_owned(), row };
    let mut rows = Vec::with_capacity(maps.len());
    for (row, crop_from_image) in maps.into_iter().enumerate() {
        let shift = shifts.row(row).ok_or_else(|| null(SHIFT_IN_CROP, row))?;
        let colour = colours.row(row).ok_or_else(|| null(COLOUR_MATRIX, row))?;
        rows.push(Geometry {
            crop_from_image,
            crop_size: [f64::from(width), f64::from(height)],
            scale_factor: factors.value(row),
            rotation_radians: rotations.value(row),
            flipped: flipped.value(row),
            shift_in_crop: [shift[0], shift[1]],
            colour_matrix: colour.try_into().expect("twelve numbers a row"),
        });
    }
    Ok(rows)
}

/// `batch` with the geometry columns of `rows`, crops `size`, added or replaced.
///
/// # Errors
/// When there is not one row of geometry for each row of the batch.
pub fn write(batch: &RecordBatch, rows: &[Geometry], size: [u32; 2]) -> Result<RecordBatch, StageError> {
    let vector =
        |get: fn(&Geometry) -> &[f64], length| vector_array(rows.iter().map(|row| Some(get(row))), length);
    let number = |get: fn(&Geometry) -> f64| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(get(row))).collect::<Float64Array>())
    };
    let columns: [ArrayRef; 7] = [
        vector(|row| &row.crop_from_image.0, 6),
        pairs(rows.len(), size),
        number(|row| row.scale_factor),
        number(|row| row.rotation_radians),
        Arc::new(rows.iter().map(|row| Some(row.flipped)).collect::<BooleanArray>()),
        vector(|row| &row.shift_in_crop, 2),
        vector(|row| &row.colour_matrix, 12),
    ];
    let mut batch = batch.clone();
    for (field, column) in std::iter::zip(fields(size), columns) {
        batch = with_column(&batch, field, column)?;
    }
    Ok(batch)
}

fn pairs(rows: usize, size: [u32; 2]) -> ArrayRef {
    let values: Int32Array = (0..rows).flat_map(|_| size.map(|side| side as i32)).collect();
    Arc::new(FixedSizeListArray::new(
        Arc::new(Field::new("item", DataType::Int32, true)),
        2,
        Arc::new(values),
        None,
    ))
}
