//! Contact sheets: many rows of a table on one page.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use image::RgbImage;
use schemas::Skeleton;
use schemas::columns::{integers, points, skeleton_of, strings};
use schemas::tables::people::{Pose, stated_size};
use schemas::tables::rejects::Reject;
use schemas::tables::{heatmaps, samples};

use super::error::{ReportError, within};
use super::heat::Maps;
use super::layout::{self, Group};
use super::pose::{self, Style};
use super::tile::{self, MapColumn, Refusal};
use stages::stage::reject;

/// Name under which rows that cannot be drawn are reported.
const NAME: &str = "contact sheet";
/// Side of a tile unless asked otherwise, px: a person's joints can be told apart, and a row of five fits a screen.
pub(crate) const DEFAULT_TILE_PX: u32 = 256;
/// The least side of a tile, px.
pub(crate) const LEAST_TILE_PX: u32 = 32;
/// The largest side of a tile, px.
pub(crate) const MOST_TILE_PX: u32 = 2048;
/// The most rows of one sheet: beyond, it no longer fits into memory or an eye.
pub(crate) const MOST_ROWS: usize = 1024;

/// How a sheet is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetOptions {
    /// Side of a tile, px.
    pub tile_px: u32,
    /// Rows of the table side by side; as many as make a page of 3:2 where `None`.
    pub columns: Option<usize>,
    /// At most so many rows are drawn, evenly spread over the batch.
    pub rows: usize,
    /// Folder that relative image paths start from; the working folder where `None`.
    pub image_root: Option<PathBuf>,
}

impl Default for SheetOptions {
    fn default() -> Self {
        let (tile_px, rows) = (DEFAULT_TILE_PX, 24);
        Self { tile_px, columns: None, rows, image_root: None }
    }
}

/// A page, and the rows that are not on it.
#[derive(Debug)]
pub struct Sheet {
    /// The page.
    pub picture: RgbImage,
    /// How many rows are on it.
    pub drawn: usize,
    /// The rows that were chosen and could not be drawn, each with the reason.
    pub rejects: Vec<Reject>,
}

/// The page of `batch`, a table `people`, `samples` or `heatmaps`.
///
/// Rows with the column `image` are drawn as crops, with their keypoints and, in a second tile, their maps; rows
/// with maps alone as maps; rows of `people` over the picture at `image_path`. Left, right and middle have three
/// colours; a hidden joint is a ring. Each row's id stands below.
///
/// # Errors
/// When the options are out of range or the batch has none of these columns, or one of another type.
pub fn contact_sheet(batch: &RecordBatch, options: &SheetOptions) -> Result<Sheet, ReportError> {
    let has = |name: &str| batch.schema_ref().index_of(name).is_ok();
    let maps = MapColumn::of(batch)?;
    if has(samples::IMAGE) || maps.is_some() {
        let posed = if has("keypoints") && has("visibility") { Some(tile::poses(batch)?) } else { None };
        return page(batch, options, |row| crop_row(batch, row, options, posed.as_ref(), maps.as_ref()));
    }
    let (skeleton, poses) = tile::poses(batch)?;
    strings(batch, "image_path")?;
    page(batch, options, |row| {
        let picture = match source(batch, row, options)? {
            Ok(picture) => picture,
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(Ok(vec![posed_tile(&picture, skeleton, &[(&poses[row], Style::Bold)], options)]))
    })
}

/// The page of `predictions`, a table `keypoints`, over the pictures of `people`: the prediction in the colours of
/// its sides, the annotation in thin white lines. Rows belong together by `sample_id`; where several output heads
/// predicted, the caption says which.
///
/// # Errors
/// When the options are out of range, a batch lacks a column, or the two follow different skeletons.
pub fn prediction_sheet(
    predictions: &RecordBatch,
    people: &RecordBatch,
    options: &SheetOptions,
) -> Result<Sheet, ReportError> {
    let skeleton = skeleton_of(predictions.schema_ref())?;
    let (truth_skeleton, truths) = tile::poses(people)?;
    if skeleton != truth_skeleton {
        let (predictions, people) = (skeleton.name, truth_skeleton.name);
        return Err(ReportError::SkeletonsDiffer { predictions, people });
    }
    let row_of: HashMap<&str, usize> =
        strings(people, "sample_id")?.iter().enumerate().filter_map(|(row, id)| Some((id?, row))).collect();
    let ids = strings(predictions, "sample_id")?;
    let predicted = points(predictions, "keypoints")?;
    page(predictions, options, |row| {
        let Some(person) = row_of.get(ids.value(row)) else {
            return Ok(Err(("person missing", "no row of people has this id".to_owned())));
        };
        let picture = match source(people, *person, options)? {
            Ok(picture) => picture,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let pose = pose::predicted(&predicted[row]);
        let layers = [(&truths[*person], Style::Thin), (&pose, Style::Bold)];
        Ok(Ok(vec![posed_tile(&picture, skeleton, &layers, options)]))
    })
}

type Drawn = Result<Result<Vec<RgbImage>, Refusal>, ReportError>;

/// Draws up to `options.rows` rows of `batch` with `draw`.
fn page(
    batch: &RecordBatch,
    options: &SheetOptions,
    draw: impl Fn(usize) -> Drawn,
) -> Result<Sheet, ReportError> {
    within("px of a tile's side", options.tile_px as usize, LEAST_TILE_PX as usize, MOST_TILE_PX as usize)?;
    within("rows of a sheet", options.rows, 1, MOST_ROWS)?;
    let (mut groups, mut rejects) = (Vec::new(), Vec::new());
    let chosen = options.rows.min(batch.num_rows());
    for row in (0..chosen).map(|number| number * batch.num_rows() / chosen) {
        match draw(row)? {
            Ok(tiles) => groups.push(Group { tiles, name: String::new(), caption: caption(batch, row) }),
            Err((reason, detail)) => rejects.push(reject(batch, row, NAME, reason, detail)),
        }
    }
    let picture = layout::page(&groups, options.tile_px, options.columns)?;
    Ok(Sheet { picture, drawn: groups.len(), rejects })
}

fn caption(batch: &RecordBatch, row: usize) -> String {
    let id =
        strings(batch, "sample_id").map_or_else(|_| format!("row {row}"), |ids| ids.value(row).to_owned());
    let number = |name: &str| integers(batch, name).ok().filter(|a| a.is_valid(row)).map(|a| a.value(row));
    let copy = number(samples::COPY).filter(|copy| *copy > 0).map(|copy| format!(" #{copy}"));
    let head = number(heatmaps::HEAD).map(|head| format!(" @{head}"));
    [Some(id), copy, head].into_iter().flatten().collect()
}

fn source(
    batch: &RecordBatch,
    row: usize,
    options: &SheetOptions,
) -> Result<Result<RgbImage, Refusal>, ReportError> {
    let path = strings(batch, "image_path")?.value(row);
    let picture = super::picture::read(path, options.image_root.as_deref(), stated_size(batch, row));
    Ok(picture.map_err(|detail| ("image not readable", detail)))
}

fn posed_tile(
    picture: &RgbImage,
    skeleton: &Skeleton,
    layers: &[(&Pose, Style)],
    options: &SheetOptions,
) -> RgbImage {
    let poses: Vec<&Pose> = layers.iter().map(|(pose, _)| *pose).take(1).collect();
    let window = tile::window_of(&poses, picture);
    let (mut tile, tile_from_picture) = super::picture::tile(picture, window, options.tile_px);
    for (pose, style) in layers {
        pose::draw(&mut tile, skeleton, pose, &tile_from_picture, *style);
    }
    tile
}

fn crop_row(
    batch: &RecordBatch,
    row: usize,
    options: &SheetOptions,
    posed: Option<&(&'static Skeleton, Vec<Pose>)>,
    maps: Option<&MapColumn<'_>>,
) -> Drawn {
    let root: Option<&Path> = options.image_root.as_deref();
    let crop = if batch.schema_ref().index_of(samples::IMAGE).is_ok() {
        match tile::crop(batch, row, root)? {
            Ok(crop) => Some(crop),
            Err(refusal) => return Ok(Err(refusal)),
        }
    } else {
        None
    };
    let maps = maps.map(|maps| Maps {
        values: maps.row(row),
        shape: maps.shape(),
        map_from_crop: maps.map_from_crop(batch, row, crop.as_ref().map(RgbImage::width)),
    });
    // Without the crop, keypoints have no picture to be drawn over.
    let posed = posed.filter(|_| crop.is_some()).map(|(skeleton, poses)| (*skeleton, &poses[row]));
    Ok(Ok(tile::crop_tiles(crop.as_ref(), posed, maps, options.tile_px)))
}
