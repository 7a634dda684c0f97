//! `warp`: the one place that reads pixels.
//!
//! Each row's image is decoded, sampled bilinearly through the inverse of `crop_from_image`, and its levels go
//! through `colour_matrix`; keypoints move to the crop, and left and right joints swap where the crop is mirrored.
//! An image that shrinks by 2 or more is reduced as a whole first, so that no pixel is skipped.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod keypoints;
pub mod levels;
pub mod rgb;
pub mod sample;
pub mod shrink;
mod source;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int32Array, RecordBatch};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datasets::pixels::{Frame, Framing, Limits, MAX_PIXELS, OrientationRule, Reduction};
use schemars::JsonSchema;
use schemas::columns::{field, schema_with, skeleton_of, strings, with_column};
use schemas::tables::people::stated_size;
use schemas::tables::samples::{DECODE_REDUCTION, raw_image_field};
use schemas::units::{Grey, Megapixels};
use serde::{Deserialize, Serialize};

use self::rgb::Source;
use self::sample::Path;
use self::source::Sources;
use super::error::AugmentError;
use super::geometry::{self, BORDER_KEY, Geometry};
use crate::stage::{BuildContext, Outcome, Stage, StageError, reject, take_rows};

/// Default level outside the image: black, as in the hourglass code. Pose machines use 128.
pub const BORDER: Grey = Grey::constant(0);
/// Default largest image, in millions of pixels.
pub const MAX_MEGAPIXELS: Megapixels = Megapixels::constant(MAX_PIXELS as f64 / 1e6);

/// How pixels are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarpConfig {
    /// Folder that `image_path` starts from; by default the current folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub images: Option<PathBuf>,
    /// Level of all channels outside the image; by default what the card says that the stage `crop` was given, else black.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border: Option<Grey>,
    /// Whether a JPEG that shrinks by 2 or more is reduced while it is decoded. This is faster but changes pixels;
    /// `decode_reduction` records what was done.
    #[serde(default)]
    pub scaled_decoding: bool,
    /// Images with more pixels are rejected.
    #[serde(default = "max_megapixels")]
    pub max_megapixels: Megapixels,
    /// What is done with an image whose EXIF orientation turns it: the frame of the annotations is that of the stored
    /// pixels, or that of the image as viewers show it. An image that is turned is decoded in full size.
    #[serde(default)]
    pub orientation: OrientationRule,
}

fn max_megapixels() -> Megapixels {
    MAX_MEGAPIXELS
}

/// The stage. A row whose image is missing, unreadable or too large, or whose map cannot be inverted, is rejected.
#[derive(Debug, Clone)]
pub struct Warp {
    name: String,
    images: PathBuf,
    border: Option<u8>,
    scaled_decoding: bool,
    limits: Limits,
    orientation: OrientationRule,
    path: Path,
}

impl WarpConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> Warp {
        let images =
            self.images.as_ref().map_or_else(|| context.folder.clone(), |at| context.folder.join(at));
        let limits = Limits { max_pixels: (self.max_megapixels.get() * 1e6) as u64, ..Limits::default() };
        Warp {
            name: context.name.clone(),
            images,
            border: self.border.map(Grey::get),
            scaled_decoding: self.scaled_decoding,
            limits,
            orientation: self.orientation,
            path: Path::detect(),
        }
    }
}

impl Warp {
    fn schema(input: &Schema) -> Result<Schema, StageError> {
        let [width, height] = geometry::check(input)?;
        for name in ["sample_id", "image_path", "visibility"] {
            field(input, name)?;
        }
        let joints = skeleton_of(input)?.len();
        let schema = schema_with(input, raw_image_field(width, height));
        let schema = schema_with(&schema, Field::new(DECODE_REDUCTION, DataType::Int32, false));
        Ok(keypoints::fields(&schema, joints).into_iter().fold(schema, |schema, f| schema_with(&schema, f)))
    }

    /// Fills `crop`, RGB `[H, W, 3]`, and says by how much the image was reduced while it was decoded, and whether it was
    /// turned.
    fn pixels(
        &self,
        sources: &mut Sources,
        wanted: (&str, Option<[i32; 2]>),
        row: &Geometry,
        border: u8,
        crop: &mut [u8],
    ) -> Result<(i32, Framing), Refusal> {
        let (path, stated) = wanted;
        let unusable = || ("unusable transform", format!("crop_from_image is {:?}", row.crop_from_image.0));
        let image_from_crop = row.crop_from_image.inverse().ok_or_else(unusable)?;
        let shrink = 1.0 / row.crop_from_image.magnification();
        let wanted = if self.scaled_decoding { Reduction::at_most(shrink) } else { Reduction::Whole };
        let frame = Frame { rule: self.orientation, stated };
        let decoded = sources.get(&self.images.join(path), frame, wanted);
        let (decoded, framing) = decoded.map_err(|error| (error.reason(), error.to_string()))?;
        let factor = decoded.reduction.factor();
        let mut source =
            Source { rgb: &decoded.rgb, width: decoded.width as usize, height: decoded.height as usize };
        let mut source_from_crop = image_from_crop;
        if factor > 1 {
            let by = 1.0 / f64::from(factor);
            source_from_crop = shrink::raster_map(by, by) * source_from_crop;
        }
        let reduced = shrink::reduce(source, shrink / f64::from(factor));
        if let Some(reduced) = &reduced {
            source = Source { rgb: &reduced.rgb, width: reduced.width, height: reduced.height };
            source_from_crop = reduced.reduced_from_source * source_from_crop;
        }
        sample::sample(self.path, source, &source_from_crop, border, row.crop_size[0] as usize, crop);
        levels::apply(&row.colour_matrix, crop);
        Ok((factor as i32, framing))
    }

    /// The level outside the images of rows of `schema`.
    fn border(&self, schema: &Schema) -> u8 {
        let of_card = || schema.metadata().get(BORDER_KEY)?.parse().ok();
        self.border.or_else(of_card).unwrap_or(BORDER.get())
    }
}

type Refusal = (&'static str, String);

impl Stage for Warp {
    fn engines(&self) -> Vec<(String, String)> {
        vec![("jpeg".to_owned(), datasets::pixels::JPEG_DECODER.to_owned())]
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        Ok(Arc::new(Self::schema(input)?))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let schema = Self::schema(batch.schema_ref())?;
        let [width, height] = geometry::crop_size_of(batch.schema_ref())?;
        let geometry = geometry::read(batch)?;
        let paths = strings(batch, "image_path")?;
        let bytes = width as usize * height as usize * 3;
        if batch.num_rows().saturating_mul(bytes) > i32::MAX as usize {
            let crops = batch.num_rows();
            return Err(StageError::step(AugmentError::LargeBatch { crops, width, height }));
        }
        let mut crops = vec![0; batch.num_rows() * bytes];
        let (mut kept, mut rejects, mut reductions) = (Vec::new(), Vec::new(), Vec::new());
        let border = self.border(batch.schema_ref());
        let (mut sources, mut told) = (Sources::new(self.limits), BTreeMap::new());
        for (row, geometry) in geometry.iter().enumerate() {
            let at = kept.len() * bytes;
            let wanted = (paths.value(row), stated_size(batch, row));
            match self.pixels(&mut sources, wanted, geometry, border, &mut crops[at..at + bytes]) {
                Ok((reduction, framing)) => {
                    kept.push(row);
                    reductions.push(reduction);
                    if let Some(what) = framing.told() {
                        *told.entry(what).or_default() += 1;
                    }
                }
                Err((reason, detail)) => rejects.push(reject(batch, row, &self.name, reason, detail)),
            }
        }
        crops.truncate(kept.len() * bytes);
        let rows = take_rows(batch, &kept)?;
        let geometry: Vec<Geometry> = kept.iter().map(|row| geometry[*row]).collect();
        let offsets = OffsetBuffer::from_lengths(kept.iter().map(|_| bytes));
        let image: ArrayRef = Arc::new(BinaryArray::new(offsets, Buffer::from_vec(crops), None));
        let mut out = with_column(&rows, raw_image_field(width, height), image)?;
        let reductions: ArrayRef = Arc::new(Int32Array::from(reductions));
        out = with_column(&out, Field::new(DECODE_REDUCTION, DataType::Int32, false), reductions)?;
        out = keypoints::moved(&out, &geometry)?;
        debug_assert_eq!(out.schema_ref().as_ref(), &schema);
        Ok(Outcome { told, ..Outcome::some(out, rejects) })
    }
}

#[cfg(test)]
mod tests;
