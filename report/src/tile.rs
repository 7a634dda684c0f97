//! From one row of a table to its tiles.

use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use image::{Rgb, RgbImage};
use schemas::columns::{SchemaError, column, field, numbers, points, skeleton_of, visibilities};
use schemas::tables::people::Pose;
use schemas::tables::{heatmaps, samples};
use schemas::{Affine, Skeleton};

use super::heat::Maps;
use super::picture::{self, Window};
use super::pose::{self, Style};

/// White about a person, relative to the length of the longer side of the box about all joints.
const PERSON_MARGIN: f64 = 0.18;
/// The least window about a person, px.
const LEAST_WINDOW_PX: f64 = 24.0;
/// How bright a tile without a picture is.
const BLANK: Rgb<u8> = Rgb([96, 96, 96]);

/// What a row could not be drawn for: a fixed phrase and the words.
pub(crate) type Refusal = (&'static str, String);

/// The square about the annotated joints of `pose`, or about the whole `picture` where there are none.
pub(crate) fn window_of(poses: &[&Pose], picture: &RgbImage) -> Window {
    let placed: Vec<[f64; 2]> = poses
        .iter()
        .flat_map(|pose| (0..pose.keypoints.len()).filter_map(|joint| pose.joint(joint)))
        .filter(|point| point.iter().all(|v| v.is_finite()))
        .collect();
    if placed.is_empty() {
        return picture::whole(picture);
    }
    let bound = |axis: usize, pick: fn(f64, f64) -> f64, start: f64| {
        placed.iter().map(|point| point[axis]).fold(start, pick)
    };
    let low = [0, 1].map(|axis| bound(axis, f64::min, f64::INFINITY));
    let high = [0, 1].map(|axis| bound(axis, f64::max, f64::NEG_INFINITY));
    let longest = (high[0] - low[0]).max(high[1] - low[1]);
    let side = (longest * (1.0 + 2.0 * PERSON_MARGIN)).max(LEAST_WINDOW_PX);
    Window { left: (low[0] + high[0] - side) / 2.0, top: (low[1] + high[1] - side) / 2.0, side }
}

/// The poses of all rows, whatever their space.
pub(crate) fn poses(batch: &RecordBatch) -> Result<(&'static Skeleton, Vec<Pose>), SchemaError> {
    let skeleton = skeleton_of(batch.schema_ref())?;
    let keypoints = points(batch, "keypoints")?;
    let visibility = visibilities(batch, "visibility", skeleton.len())?;
    let join = |(keypoints, visibility)| Pose { keypoints, visibility };
    Ok((skeleton, keypoints.into_iter().zip(visibility).map(join).collect()))
}

/// The crop of a row: the column `image`, raw or encoded.
pub(crate) fn crop(
    batch: &RecordBatch,
    row: usize,
    root: Option<&Path>,
) -> Result<Result<RgbImage, Refusal>, SchemaError> {
    let field = field(batch.schema_ref(), samples::IMAGE)?;
    let array = column(batch, samples::IMAGE)?;
    let refused = |detail: String| ("image not readable", detail);
    if let (Some([width, height]), Some(bytes)) =
        (samples::raw_image_size(field), array.as_binary_opt::<i32>())
    {
        return Ok(picture::raw(bytes.value(row).to_vec(), width, height).map_err(refused));
    }
    if !samples::is_encoded_image(field) {
        let expected = "raw RGB bytes with their shape, or struct<bytes, path>";
        return Err(schemas::columns::wrong_type(samples::IMAGE, expected, field.data_type()));
    }
    let members = array.as_struct();
    let (bytes, path) = (members.column(0).as_binary::<i32>(), members.column(1).as_string::<i32>());
    if bytes.is_valid(row) {
        return Ok(picture::decode(bytes.value(row)).map_err(refused));
    }
    if path.is_valid(row) {
        return Ok(picture::read(path.value(row), root, None).map_err(refused));
    }
    Ok(Err(("image missing", "the row has neither bytes nor a path".to_owned())))
}

/// The tiles of a crop: with its pose, and with its maps where there are any.
pub(crate) fn crop_tiles(
    crop: Option<&RgbImage>,
    posed: Option<(&'static Skeleton, &Pose)>,
    maps: Option<Maps>,
    tile_px: u32,
) -> Vec<RgbImage> {
    let blank;
    let crop = if let Some(crop) = crop {
        crop
    } else {
        let [height, width] = maps.map_or([1, 1], |maps| [maps.shape[1] as u32, maps.shape[2] as u32]);
        blank = RgbImage::from_pixel(width, height, BLANK);
        &blank
    };
    let (plain, tile_from_crop) = picture::tile(crop, picture::whole(crop), tile_px);
    let mut tiles = Vec::new();
    if let Some((skeleton, pose)) = posed {
        let mut tile = plain.clone();
        pose::draw(&mut tile, skeleton, pose, &tile_from_crop, Style::Bold);
        tiles.push(tile);
    }
    if let Some(maps) = maps {
        let mut tile = plain.clone();
        maps.blend(&mut tile, &tile_from_crop);
        tiles.push(tile);
    }
    if tiles.is_empty() {
        tiles.push(plain);
    }
    tiles
}

/// The maps of every row and where they lie.
pub(crate) struct MapColumn<'a> {
    values: &'a [f32],
    shape: [usize; 3],
}

impl<'a> MapColumn<'a> {
    /// The column `heatmaps` of `batch`; `None` where there is none.
    pub(crate) fn of(batch: &'a RecordBatch) -> Result<Option<Self>, SchemaError> {
        let Some(array) = batch.column_by_name(heatmaps::HEATMAPS) else { return Ok(None) };
        let refuse = || {
            schemas::columns::wrong_type(heatmaps::HEATMAPS, "maps [K, h, w] of Float32", array.data_type())
        };
        let shape = samples::maps_shape(array.data_type()).ok_or_else(refuse)?;
        Ok(Some(Self { values: heatmaps::maps_values(array, heatmaps::HEATMAPS)?, shape }))
    }

    /// Numbers of one row, `[channels, height, width]`.
    pub(crate) fn row(&self, row: usize) -> &'a [f32] {
        let length = self.shape.iter().product::<usize>();
        &self.values[row * length..(row + 1) * length]
    }

    /// Channels, height, width.
    pub(crate) fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Px of the maps of `row` from px of a crop `crop_width` px wide: as the columns `stride` and `origin_in_crop`
    /// say, else so that the maps cover the crop.
    pub(crate) fn map_from_crop(&self, batch: &RecordBatch, row: usize, crop_width: Option<u32>) -> Affine {
        let said =
            |name: &str| numbers(batch, name).ok().filter(|array| array.is_valid(row)).map(|a| a.value(row));
        let covering = crop_width.map_or(1.0, |width| f64::from(width) / self.shape[2] as f64);
        let (stride, origin) = match (crop_width, said(heatmaps::STRIDE)) {
            (Some(_), Some(stride)) => {
                (stride, said(heatmaps::ORIGIN_IN_CROP).unwrap_or((stride - 1.0) / 2.0))
            }
            _ => (covering, (covering - 1.0) / 2.0),
        };
        Affine::scale(1.0 / stride) * Affine::translation(-origin, -origin)
    }
}
