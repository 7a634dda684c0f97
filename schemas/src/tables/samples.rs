//! `samples`: one row is one crop of one person.
//!
//! A row begins as a row of `people` and gains columns from stage to stage. The stages before `warp` touch no
//! pixels: they multiply into `crop_from_image` and record what they drew. `warp` makes `image` and moves the
//! keypoints from the image into the crop.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::in_space;
use crate::columns::{fixed_list, points_type};

/// Name of the table.
pub const NAME: &str = "samples";

/// Number of the augmented copy, from 0.
pub const COPY: &str = "copy";
/// `[2, 3]` affine map from px of the image to px of the crop, f64.
pub const CROP_FROM_IMAGE: &str = "crop_from_image";
/// Width and height of the crop in px.
pub const CROP_SIZE: &str = "crop_size";
/// Product of the scale factors drawn.
pub const SCALE_FACTOR: &str = "scale_factor";
/// Sum of the rotations drawn, radians, positive clockwise on screen.
pub const ROTATION_RADIANS: &str = "rotation_radians";
/// Whether left and right are mirrored.
pub const FLIPPED: &str = "flipped";
/// Sum of the shifts drawn, `[2]` px of the crop.
pub const SHIFT_IN_CROP: &str = "shift_in_crop";
/// `[3, 4]` affine map of RGB levels (0 to 255) to RGB levels, row-major, f64.
pub const COLOUR_MATRIX: &str = "colour_matrix";
/// The pixels: raw RGB bytes `[H, W, 3]` in flight, `struct<bytes, path>` on disk for trainers.
pub const IMAGE: &str = "image";
/// By how much the image was reduced while it was decoded: 1, 2, 4 or 8.
pub const DECODE_REDUCTION: &str = "decode_reduction";
/// Target maps `[C, h, w]` f32.
pub const HEATMAPS: &str = "heatmaps";
/// 1 where a joint's target map counts in the loss, else 0: `[K]` f32.
pub const HEATMAP_WEIGHT: &str = "heatmap_weight";
/// Target of each joint along x, `[K, W * ratio]` f32: a class for each bin of a column.
pub const SIMCC_X: &str = "simcc_x";
/// Target of each joint along y, `[K, H * ratio]` f32: a class for each bin of a row.
pub const SIMCC_Y: &str = "simcc_y";
/// 1 where a joint's `simcc_x` and `simcc_y` count in the loss, else 0: `[K]` f32.
pub const SIMCC_WEIGHT: &str = "simcc_weight";
/// Target places of the joints, `[K, 2]` f32.
pub const COORDINATES: &str = "coordinates";
/// 1 where a joint's `coordinates` count in the loss, else 0: `[K]` f32.
pub const COORDINATE_WEIGHT: &str = "coordinate_weight";
/// The centre map `[H, W]` f32 that tells a network which person to look at.
pub const CENTER_MAP: &str = "center_map";

/// Colour map that changes nothing, row-major `[3, 4]`.
pub const COLOUR_IDENTITY: [f64; 12] = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];

/// Metadata key of a raw image column: its shape as `H,W,C`.
pub const SHAPE_KEY: &str = "motionmill.shape";

/// The columns that `crop` adds to a row of `people`, in order.
pub fn geometry_fields() -> Vec<Field> {
    vec![
        Field::new(CROP_FROM_IMAGE, fixed_list(DataType::Float64, 6), false),
        Field::new(CROP_SIZE, fixed_list(DataType::Int32, 2), false),
        Field::new(SCALE_FACTOR, DataType::Float64, false),
        Field::new(ROTATION_RADIANS, DataType::Float64, false),
        Field::new(FLIPPED, DataType::Boolean, false),
        in_space(Field::new(SHIFT_IN_CROP, fixed_list(DataType::Float64, 2), false), "crop"),
        Field::new(COLOUR_MATRIX, fixed_list(DataType::Float64, 12), false),
    ]
}

/// The raw image column of crops `width` x `height`: RGB bytes, `[height, width, 3]`, without padding.
pub fn raw_image_field(width: u32, height: u32) -> Field {
    Field::new(IMAGE, DataType::Binary, false)
        .with_metadata([(SHAPE_KEY.to_owned(), format!("{height},{width},3"))].into())
}

/// Width and height of a raw image column, or `None` if `field` is not one.
pub fn raw_image_size(field: &Field) -> Option<[u32; 2]> {
    let shape: Vec<u32> =
        field.metadata().get(SHAPE_KEY)?.split(',').map(|n| n.parse().ok()).collect::<Option<_>>()?;
    match shape[..] {
        [height, width, 3] if field.data_type() == &DataType::Binary => Some([width, height]),
        _ => None,
    }
}

/// The encoded image column, as Hugging Face reads it.
///
/// Its schema allows nulls, though there are none: Hugging Face `datasets` recognises an image column only if
/// its field is exactly what it would have written itself.
pub fn encoded_image_field() -> Field {
    let members = Fields::from(vec![
        Field::new("bytes", DataType::Binary, true),
        Field::new("path", DataType::Utf8, true),
    ]);
    Field::new(IMAGE, DataType::Struct(members), true)
}

/// Whether `field` is an encoded image column.
pub fn is_encoded_image(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Struct(members)
        if members.len() == 2 && members[0].name() == "bytes" && members[1].name() == "path")
}

/// `keypoints` of a sample: `[K, 2]` px of the crop, f32 as trainers read them.
pub fn crop_keypoints_field(joints: usize) -> Field {
    in_space(Field::new("keypoints", points_type(DataType::Float32, joints), false), "crop")
}

/// A stack of maps, `[channels, height, width]` f32.
pub fn maps_type(channels: usize, height: usize, width: usize) -> DataType {
    let rows = fixed_list(fixed_list(DataType::Float32, width), height);
    DataType::FixedSizeList(Arc::new(Field::new("item", rows, true)), channels as i32)
}

/// `[channels, height, width]` of a maps column, or `None` if `data_type` is not one.
pub fn maps_shape(data_type: &DataType) -> Option<[usize; 3]> {
    let DataType::FixedSizeList(map, channels) = data_type else { return None };
    let DataType::FixedSizeList(row, height) = map.data_type() else { return None };
    let DataType::FixedSizeList(value, width) = row.data_type() else { return None };
    let shape = [*channels as usize, *height as usize, *width as usize];
    matches!(value.data_type(), DataType::Float32).then_some(shape)
}
