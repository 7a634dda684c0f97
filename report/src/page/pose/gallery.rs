//! The worst people as pictures: annotation, prediction, heatmap, over the original image.

use std::collections::HashMap;
use std::path::Path;

use arrow::array::RecordBatch;
use image::RgbImage;
use rayon::prelude::*;
use schemas::Affine;
use schemas::columns::{affines, integers, strings};
use schemas::tables::heatmaps;
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;

use super::super::super::error::ReportError;
use super::super::super::heat::Maps;
use super::super::super::palette;
use super::super::super::picture;
use super::super::super::pose::{Style, draw, predicted};
use super::super::super::tile::{MapColumn, window_of};
use super::super::content::{Block, Figure};
use super::super::{Given, ReportOptions, pictures};
use super::PoseInput;
use stages::evaluate::OutputHead;
use stages::evaluate::worst::MOST_ERROR;
use stages::evaluate::{ScoredPoses, Worst, worst};
use stages::stage::Rows;

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
pub(super) fn blocks(
    input: &PoseInput<'_>,
    scored: &ScoredPoses<'_>,
    head: OutputHead<'_>,
    options: &ReportOptions,
    given: &mut Given,
) -> Result<Vec<Block>, ReportError> {
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
    let keys = pictures::keys([
        (palette::LEFT, "left side, predicted"),
        (palette::RIGHT, "right side, predicted"),
        (palette::CENTRE, "middle, predicted"),
        (palette::TRUTH, "annotated"),
    ]);
    blocks.push(Block::Gallery { figures: all, keys });
    Ok(blocks)
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
    let figure = pictures::figure(drawn, options.tile_px, [name.clone(), alt, caption]);
    let reject = (!figure.missing.is_empty()).then(|| Reject {
        stage: format!("report, {}", input.name),
        reason: "picture not readable".to_owned(),
        sample_id: Some(name),
        source_file: Some(person.source_file.clone()),
        source_record: Some(person.source_record.clone()),
        detail: figure.missing.clone(),
        rows: 1,
    });
    (figure, reject)
}

/// The tiles of `person`: the poses, and the maps where there are any; or why there are none.
fn drawn(
    input: &PoseInput<'_>,
    scored: &ScoredPoses<'_>,
    head: OutputHead<'_>,
    person: &Person,
    maps: Option<&OwnMaps>,
    options: &ReportOptions,
) -> Result<Vec<RgbImage>, String> {
    let picture = picture::read(&person.image_path, options.image_root.as_deref(), person.image_size)?;
    let tile_px = options.tile_px;
    let window = window_of(&[&person.pose], &picture);
    let (plain, tile_from_image) = picture::tile(&picture, window, tile_px);
    let mut tile = plain.clone();
    draw(&mut tile, input.truth_skeleton, &person.pose, &tile_from_image, Style::Thin);
    if let Some(prediction) = scored.prediction(head, &person.sample_id) {
        let pose = predicted(&prediction.keypoints);
        draw(&mut tile, input.prediction_skeleton, &pose, &tile_from_image, Style::Bold);
    }
    let heat = maps.and_then(|maps| heated(plain, maps, &tile_from_image));
    Ok(std::iter::once(tile).chain(heat).collect())
}

/// `tile` with the maps over it; `None` where their transform cannot be undone.
fn heated(mut tile: RgbImage, maps: &OwnMaps, tile_from_image: &Affine) -> Option<RgbImage> {
    let image_from_crop = maps.crop_from_image.inverse()?;
    let tile_from_crop = *tile_from_image * image_from_crop;
    let view = Maps { values: &maps.values, shape: maps.shape, map_from_crop: maps.map_from_crop };
    view.blend(&mut tile, &tile_from_crop);
    Some(tile)
}

/// The maps of output head number `head` of those people of `wanted` that `rows` has.
fn maps_of(rows: &dyn Rows, wanted: &[&str], head: i32) -> Result<HashMap<String, OwnMaps>, ReportError> {
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

fn own_maps(batch: &RecordBatch, row: usize) -> Result<OwnMaps, ReportError> {
    let one = batch.slice(row, 1);
    let column = MapColumn::of(&one)?.ok_or(ReportError::NoHeatmaps)?;
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
