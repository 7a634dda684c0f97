//! The worst people as pictures: annotation, prediction, heatmap, over the original image.

use std::collections::HashMap;
use std::path::Path;

use arrow::array::RecordBatch;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datasets::pixels::encode_jpeg;
use image::{RgbImage, imageops};
use rayon::prelude::*;
use schemas::columns::{affines, integers, strings};
use schemas::tables::heatmaps;
use schemas::tables::people::{Person, Pose};
use schemas::tables::rejects::Reject;
use schemas::{Affine, Visibility};

use super::super::super::heat::Maps;
use super::super::super::palette;
use super::super::super::picture;
use super::super::super::pose::{Style, draw};
use super::super::super::tile::{Framing, MapColumn, window_of};
use super::super::content::{Block, Figure, Swatch};
use super::super::{Given, ReportOptions};
use super::PoseInput;
use stages::evaluate::OutputHead;
use stages::evaluate::worst::MOST_ERROR;
use stages::evaluate::{ScoredPoses, Worst, worst};
use stages::stage::{Rows, StageError};

/// Quality of the pictures: at 80, skeletons and faces stay clear and a tile of 256 px takes about 15 kB.
const JPEG_QUALITY: u8 = 80;
/// Between the tiles of one person, px.
const SEAM_PX: u32 = 2;

/// The maps of one person, taken out of the table.
struct OwnMaps {
    /// The highest value of all joints at each px, `[1, h, w]`: all that is drawn of them.
    values: Vec<f32>,
    shape: [usize; 3],
    /// Px of the maps from px of the crop.
    map_from_crop: Affine,
    /// Px of the crop from px of the image.
    crop_from_image: Affine,
}

/// The gallery of the worst people.
pub fn blocks(
    input: &PoseInput<'_>,
    scored: &ScoredPoses<'_>,
    head: OutputHead<'_>,
    options: &ReportOptions,
    given: &mut Given,
) -> Result<Vec<Block>, StageError> {
    // Who has no prediction is as wrong as can be, and there is nothing to look at.
    let mut worst = worst(scored, head, usize::MAX);
    worst.retain(|worst| scored.prediction(head, &scored.people[worst.row].person.sample_id).is_some());
    worst.truncate(options.worst);
    if worst.is_empty() {
        return Ok(Vec::new());
    }
    let person_of = |worst: &Worst| scored.people[worst.row].person;
    let wanted: Vec<&str> = worst.iter().map(|worst| person_of(worst).sample_id.as_str()).collect();
    let maps = match input.heatmaps {
        Some(rows) => maps_of(rows, &wanted, head.number)?,
        None => HashMap::new(),
    };
    let figures: Vec<(Figure, Option<Reject>)> = worst
        .par_iter()
        .map(|worst| {
            let person = person_of(worst);
            let maps = maps.get(person.sample_id.as_str());
            figure(input, scored, head, person, worst, maps, options)
        })
        .collect();
    let mut all = Vec::with_capacity(figures.len());
    for (figure, reject) in figures {
        given.rejects.extend(reject);
        all.push(figure);
    }
    let mut blocks = vec![Block::heading(format!("The {} people with the largest error", all.len()))];
    let shown = match input.heatmaps {
        Some(_) => {
            "Left the prediction over the annotation, right the highest value of all joints' maps over the same picture."
        }
        None => {
            "The prediction over the annotation. No table of heatmaps was found that these predictions were read off."
        }
    };
    blocks.push(Block::text(format!("{shown} Each error counts as at most {MOST_ERROR} thresholds.")));
    blocks.push(Block::Gallery { figures: all, keys: keys() });
    Ok(blocks)
}

fn keys() -> Vec<Swatch> {
    let hex = |[r, g, b]: palette::Rgb| format!("#{r:02x}{g:02x}{b:02x}");
    let entries = [
        (palette::LEFT, "left side, predicted"),
        (palette::RIGHT, "right side, predicted"),
        (palette::CENTRE, "middle, predicted"),
        (palette::TRUTH, "annotated"),
    ];
    entries.map(|(colour, label)| Swatch { colour: hex(colour), label: label.to_owned() }).to_vec()
}

fn figure(
    input: &PoseInput<'_>,
    scored: &ScoredPoses<'_>,
    head: OutputHead<'_>,
    person: &Person,
    worst: &Worst,
    maps: Option<&OwnMaps>,
    options: &ReportOptions,
) -> (Figure, Option<Reject>) {
    let Worst { right, annotated, mean_error, .. } = worst;
    // The whole path stands in the tables; here it would crowd out the picture.
    let file = Path::new(&person.image_path)
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let caption = format!(
        "{right} of {annotated} right, mean error {mean_error:.2} thresholds, {} {}, {file}",
        person.dataset, person.split
    );
    let alt = format!(
        "Picture of {} with annotated and predicted skeleton; {right} of {annotated} joints are right.",
        person.sample_id
    );
    let name = person.sample_id.clone();
    let drawn = drawn(input, scored, head, person, maps, options);
    match drawn {
        Ok((source, size)) => (Figure { source, size, alt, missing: String::new(), name, caption }, None),
        Err(missing) => {
            let reject = Reject {
                stage: format!("report, {}", input.name),
                reason: "picture not readable".to_owned(),
                sample_id: Some(name.clone()),
                source_file: Some(person.source_file.clone()),
                source_record: Some(person.source_record.clone()),
                detail: missing.clone(),
                rows: 1,
            };
            let size = [options.tile_px, options.tile_px];
            (Figure { source: String::new(), size, alt, missing, name, caption }, Some(reject))
        }
    }
}

/// The picture as a `data:` address with its size, or why there is none.
fn drawn(
    input: &PoseInput<'_>,
    scored: &ScoredPoses<'_>,
    head: OutputHead<'_>,
    person: &Person,
    maps: Option<&OwnMaps>,
    options: &ReportOptions,
) -> Result<(String, [u32; 2]), String> {
    let file = options
        .image_root
        .as_ref()
        .map_or_else(|| (&person.image_path).into(), |root| root.join(&person.image_path));
    let picture = picture::read(&file)?;
    let tile_px = options.tile_px;
    let window = window_of(&[&person.pose], &picture, Framing::Person);
    let (plain, tile_from_image) = picture::tile(&picture, window, tile_px);
    let mut tile = plain.clone();
    draw(&mut tile, input.truth_skeleton, &person.pose, &tile_from_image, Style::Thin);
    if let Some(prediction) = scored.prediction(head, &person.sample_id) {
        let mut pose = Pose::unknown(input.prediction_skeleton.len());
        for (joint, point) in prediction.keypoints.iter().enumerate() {
            if point.iter().all(|v| v.is_finite()) {
                pose.set(joint, *point, Visibility::Visible);
            }
        }
        draw(&mut tile, input.prediction_skeleton, &pose, &tile_from_image, Style::Bold);
    }
    let heat = maps.and_then(|maps| heated(plain, maps, &tile_from_image));
    let page = match heat {
        Some(heat) => side_by_side(&tile, &heat),
        None => tile,
    };
    let (width, height) = page.dimensions();
    let bytes = encode_jpeg(page.as_raw(), width, height, JPEG_QUALITY).map_err(|error| error.to_string())?;
    Ok((format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)), [width, height]))
}

/// `tile` with the maps over it; `None` where their transform cannot be undone.
fn heated(mut tile: RgbImage, maps: &OwnMaps, tile_from_image: &Affine) -> Option<RgbImage> {
    let image_from_crop = maps.crop_from_image.inverse()?;
    let tile_from_crop = *tile_from_image * image_from_crop;
    let view = Maps { values: &maps.values, shape: maps.shape, map_from_crop: maps.map_from_crop };
    view.blend(&mut tile, &tile_from_crop);
    Some(tile)
}

fn side_by_side(left: &RgbImage, right: &RgbImage) -> RgbImage {
    let (width, height) = (left.width() + SEAM_PX + right.width(), left.height());
    let mut page = RgbImage::from_pixel(width, height, image::Rgb(palette::PAGE));
    imageops::replace(&mut page, left, 0, 0);
    imageops::replace(&mut page, right, i64::from(left.width() + SEAM_PX), 0);
    page
}

/// The maps of output head number `head` of those people of `wanted` that `rows` has.
fn maps_of(rows: &dyn Rows, wanted: &[&str], head: i32) -> Result<HashMap<String, OwnMaps>, StageError> {
    let mut found = HashMap::new();
    for batch in rows.scan() {
        let batch = batch?;
        let (ids, heads) = (strings(&batch, "sample_id")?, integers(&batch, heatmaps::HEAD)?);
        for row in 0..batch.num_rows() {
            let id = ids.value(row);
            if heads.value(row) == head && wanted.contains(&id) && !found.contains_key(id) {
                found.insert(id.to_owned(), own_maps(&batch, row)?);
            }
        }
        if found.len() == wanted.len() {
            break;
        }
    }
    Ok(found)
}

fn own_maps(batch: &RecordBatch, row: usize) -> Result<OwnMaps, StageError> {
    let one = batch.slice(row, 1);
    let column = MapColumn::of(&one)?.ok_or_else(|| {
        StageError::data("a table of heatmaps has no column `heatmaps`", "name another with `--heatmaps`")
    })?;
    let crop_from_image = affines(&one, "crop_from_image")?.pop().unwrap_or(Affine::IDENTITY);
    // The width of the crop only matters where the table does not say the stride; then maps cover the crop.
    let covered = column.shape()[2] as u32;
    let map_from_crop = column.map_from_crop(&one, 0, Some(covered));
    let [channels, height, width] = column.shape();
    let row = column.row(0);
    let highest =
        |px: usize| (0..channels).map(|channel| row[channel * height * width + px]).fold(0.0, f32::max);
    let values = (0..height * width).map(highest).collect();
    Ok(OwnMaps { values, shape: [1, height, width], map_from_crop, crop_from_image })
}
