//! The stage `merge_scales`: the maps of one sample at several scales, added up at the px of the image.

use std::collections::HashMap;
use std::path::PathBuf;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use datasets::pixels::{self, Frame, OrientationRule};
use schemars::JsonSchema;
use schemas::Affine;
use schemas::columns::{affines, booleans, column, field, integers, numbers, strings};
use schemas::tables::rejects::Reject;
use schemas::tables::{heatmaps, people, samples};
use serde::{Deserialize, Serialize};

use super::peak::peak_and_mean;
use super::summed::{MapGrid, Search, View};
use super::table::{self, Readings};
use super::upsample::covered;
use crate::augment::search_scales::{SCALE_INDEX, scales_of};
use crate::stage::reject;
use crate::{BuildContext, FanOut, Outcome, Stage, StageError};

/// Columns that are read besides the maps.
const NEEDED: [&str; 4] =
    [heatmaps::STRIDE, heatmaps::ORIGIN_IN_CROP, samples::CROP_FROM_IMAGE, samples::FLIPPED];
/// Longest side of an image in px.
const LONGEST_SIDE: f64 = 65_536.0;

/// How the scales of a sample become one prediction: the test of convolutional pose machines
/// (`testing/src/run_benchmark.m`).
///
/// The maps of all scales are added up at every px of the image, and the highest px is the joint: no flip, no
/// interpolation between px. Where a px lies outside the crop of a scale, that scale adds 0; px outside every crop do
/// not count. A map is interpolated once, with a bicubic kernel, at the place that `crop_from_image` gives; the
/// authors enlarge it 8 times, resize the result to the image, and round in between, so sums may differ slightly and a
/// joint by 1 px.
///
/// `score` is the sum at the joint divided by the number of scales, so that it compares to the height of one map, and
/// `heatmap_mean` the mean of the means of the scales' maps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeScalesConfig {
    /// Folder that `image_path` starts from, read only for the size of images whose rows do not state it; by default
    /// the current folder. Without `image_path`, an image is as large as the crops reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub images: Option<PathBuf>,
    /// What is done with an image whose EXIF orientation turns it; as `warp` has it.
    #[serde(default)]
    pub orientation: OrientationRule,
}

impl MergeScalesConfig {
    /// Builds the stage.
    pub fn build(&self, context: &BuildContext) -> MergeScales {
        let images =
            self.images.as_ref().map_or_else(|| context.folder.clone(), |at| context.folder.join(at));
        MergeScales { name: context.name.clone(), images, orientation: self.orientation }
    }
}

/// The stage. The scales of a sample must be in one batch, as `search_scales` makes them; a sample with a missing scale
/// is rejected. Every output head is merged separately.
#[derive(Debug, Clone)]
pub struct MergeScales {
    name: String,
    images: PathBuf,
    orientation: OrientationRule,
}

/// One sample's rows under one output head, by scale.
struct Group {
    rows: Vec<Option<usize>>,
}

impl Group {
    fn present(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().flatten().copied()
    }

    /// All rows, or what is missing.
    fn complete(&self) -> Result<Vec<usize>, Refusal> {
        let found: Vec<usize> = self.present().collect();
        if found.len() == self.rows.len() {
            return Ok(found);
        }
        let missing: Vec<String> =
            (0..self.rows.len()).filter(|at| self.rows[*at].is_none()).map(|at| at.to_string()).collect();
        let detail =
            format!("{} of {} scales came, not {}", found.len(), self.rows.len(), missing.join(", "));
        Err(("incomplete scales", detail))
    }
}

type Refusal = (&'static str, String);

/// The columns of a batch of maps.
struct Columns<'a> {
    maps: &'a [f32],
    shape: [usize; 3],
    strides: &'a [f64],
    origins: &'a [f64],
    crops: Vec<Affine>,
    flipped: Vec<bool>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, StageError> {
        let (_, shape) = table::shape_of(batch.schema_ref())?;
        Ok(Self {
            maps: heatmaps::maps_values(column(batch, heatmaps::HEATMAPS)?, heatmaps::HEATMAPS)?,
            shape,
            strides: numbers(batch, heatmaps::STRIDE)?.values(),
            origins: numbers(batch, heatmaps::ORIGIN_IN_CROP)?.values(),
            crops: affines(batch, samples::CROP_FROM_IMAGE)?,
            flipped: booleans(batch, samples::FLIPPED)?.iter().map(|flag| flag == Some(true)).collect(),
        })
    }

    fn grid(&self, row: usize) -> MapGrid {
        let [_, height, width] = self.shape;
        MapGrid { height, width, stride: self.strides[row], origin: self.origins[row] }
    }

    fn map(&self, row: usize, channel: usize) -> &'a [f32] {
        let [joints, height, width] = self.shape;
        &self.maps[(row * joints + channel) * height * width..][..height * width]
    }

    /// Whether the row's crop can be laid over the image px by px.
    fn check(&self, row: usize) -> Result<(), Refusal> {
        let crop = &self.crops[row];
        let [_, b, _, c, ..] = crop.0;
        if crop.inverse().is_none() {
            let detail = format!("`{}` {:?} cannot be inverted", samples::CROP_FROM_IMAGE, crop.0);
            return Err(("singular transform", detail));
        }
        if b != 0.0 || c != 0.0 {
            return Err((
                "rotated crop",
                format!("`{}` {:?} turns the image", samples::CROP_FROM_IMAGE, crop.0),
            ));
        }
        Ok(())
    }

    /// How far, from px 0, the crops of `rows` reach in the image: width and height.
    fn reach(&self, rows: &[usize]) -> [f64; 2] {
        let mut reach = [0.0f64; 2];
        for row in rows {
            let grid = self.grid(*row);
            let far = [grid.width, grid.height].map(|cells| covered(cells, grid.stride) as f64 - 0.5);
            if let Some(image_from_crop) = self.crops[*row].inverse() {
                for corner in [image_from_crop.apply([-0.5, -0.5]), image_from_crop.apply(far)] {
                    reach = [reach[0].max(corner[0].floor() + 1.0), reach[1].max(corner[1].floor() + 1.0)];
                }
            }
        }
        reach
    }
}

impl MergeScales {
    fn carried(input: &Schema) -> Vec<&str> {
        let names = input.fields().iter().map(|field| field.name().as_str());
        names.filter(|name| table::PROVENANCE.contains(name)).collect()
    }

    /// The rows of `batch` by sample, copy and output head, in order of their first rows; others as rejects.
    fn groups(&self, batch: &RecordBatch, rejects: &mut Vec<Reject>) -> Result<Vec<Group>, StageError> {
        let scales = scales_of(batch.schema_ref())?;
        let columns = Columns::of(batch)?;
        let maps = column(batch, heatmaps::HEATMAPS)?;
        let (ids, heads) = (strings(batch, "sample_id")?, integers(batch, heatmaps::HEAD)?);
        let (indices, copies) = (integers(batch, SCALE_INDEX)?, integers(batch, samples::COPY).ok());
        let mut groups: Vec<Group> = Vec::new();
        let mut known = HashMap::new();
        for row in 0..batch.num_rows() {
            let copy = copies.map_or(0, |copies| copies.value(row));
            let group = *known.entry((ids.value(row), copy, heads.value(row))).or_insert_with(|| {
                groups.push(Group { rows: vec![None; scales] });
                groups.len() - 1
            });
            let place =
                usize::try_from(indices.value(row)).ok().and_then(|at| groups[group].rows.get_mut(at));
            let refused = match place {
                None => Err(("unknown scale", format!("scale {} of {scales}", indices.value(row)))),
                Some(Some(_)) => Err(("repeated scale", format!("scale {} came before", indices.value(row)))),
                Some(_) if maps.is_null(row) => Err(("no maps", "the row has no maps".to_owned())),
                Some(place) => columns.check(row).map(|()| *place = Some(row)),
            };
            if let Err((reason, detail)) = refused {
                rejects.push(reject(batch, row, &self.name, reason, detail));
            }
        }
        Ok(groups)
    }
}

/// The sizes of the images, asked for row by row.
struct Sizes<'a> {
    stage: &'a MergeScales,
    batch: &'a RecordBatch,
    /// The last image whose header was read: rows of one image come side by side.
    last: Option<(String, [f64; 2])>,
}

impl Sizes<'_> {
    /// Width and height of the image of `rows`, as the table, the file, or the crops' reach says.
    fn get(&mut self, rows: &[usize], columns: &Columns<'_>) -> Result<[usize; 2], Refusal> {
        let row = rows[0];
        let size = match (self.stated(row), strings(self.batch, "image_path")) {
            (Some(size), _) => size,
            (None, Ok(paths)) => self.read(paths.value(row))?,
            (None, Err(_)) => columns.reach(rows),
        };
        if size.iter().all(|side| (0.0..=LONGEST_SIDE).contains(side)) {
            Ok(size.map(|side| side as usize))
        } else {
            Err(("image too large", format!("{} x {} px", size[0], size[1])))
        }
    }

    fn stated(&self, row: usize) -> Option<[f64; 2]> {
        people::stated_size(self.batch, row).map(|size| size.map(f64::from))
    }

    fn read(&mut self, path: &str) -> Result<[f64; 2], Refusal> {
        if let Some((last, size)) = &self.last
            && last == path
        {
            return Ok(*size);
        }
        let frame = Frame { rule: self.stage.orientation, stated: None };
        let found = pixels::framed_size(&self.stage.images.join(path), frame);
        let (size, _) = found.map_err(|error| (error.reason(), error.to_string()))?;
        let size = size.map(f64::from);
        self.last = Some((path.to_owned(), size));
        Ok(size)
    }
}

/// What the maps of `rows`, one a scale, say of each joint of an image of `size` px.
fn read(
    columns: &Columns<'_>,
    rows: &[usize],
    size: [usize; 2],
    mirrored: &[usize],
    readings: &mut Readings,
) {
    let views: Vec<View> =
        rows.iter().map(|row| View::new(size, &columns.crops[*row], &columns.grid(*row))).collect();
    let (mut search, scales) = (Search::new(size), rows.len() as f64);
    for (joint, mirror) in mirrored.iter().enumerate() {
        // In a mirrored crop the map of a left joint shows the right one.
        let channel = |row: usize| if columns.flipped[row] { *mirror } else { joint };
        let maps: Vec<(&View, &[f32])> =
            views.iter().zip(rows).map(|(view, row)| (view, columns.map(*row, channel(*row)))).collect();
        let mean = maps.iter().map(|(_, map)| peak_and_mean(map, columns.shape[2]).1).sum::<f64>() / scales;
        match search.highest(&maps) {
            Some(highest) => {
                readings.push([highest.x as f64, highest.y as f64], highest.sum / scales, mean);
            }
            None => readings.push([f64::NAN; 2], f64::NAN, mean),
        }
    }
}

impl Stage for MergeScales {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        for name in NEEDED {
            field(input, name)?;
        }
        scales_of(input)?;
        table::shape_of(input)?;
        table::check_one_stride(input)?;
        table::schema_of(input, &Self::carried(input))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let schema = self.output_schema(&batch.schema())?;
        let (skeleton, _) = table::shape_of(batch.schema_ref())?;
        let (mirrored, columns) = (skeleton.mirrored(), Columns::of(batch)?);
        let (mut rejects, mut readings) = (Vec::new(), Readings::default());
        let (mut kept, mut taken) = (Vec::new(), 0);
        let mut sizes = Sizes { stage: self, batch, last: None };
        for group in self.groups(batch, &mut rejects)? {
            let whole = group.complete().and_then(|rows| Ok((sizes.get(&rows, &columns)?, rows)));
            match whole {
                Ok((size, rows)) => {
                    read(&columns, &rows, size, &mirrored, &mut readings);
                    kept.push(rows[0]);
                    taken += rows.len();
                }
                Err((reason, detail)) => {
                    rejects
                        .extend(group.present().map(|row| reject(batch, row, &self.name, reason, &*detail)));
                }
            }
        }
        let rows = table::to_batch(&schema, batch, &kept, readings)?;
        Ok(Outcome { taken: Some(taken), ..Outcome::some(rows, rejects) })
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Varies
    }
}

#[cfg(test)]
#[path = "merge_scales_tests.rs"]
mod tests;
