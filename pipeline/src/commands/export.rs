//! `motionmill export`: tables to the files of other programs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use datasets::export::{
    self, ExportError, Exported, Predicted, coco, coco_results, hrnet_json, mpii_preds, webdataset, yolo_pose,
};
use datasets::shards::{Batches, Manifest, TableReader};
use schemas::Skeleton;
use schemas::tables::people::Person;
use schemas::tables::rejects::{self, Reject};

use super::failure::Hint;
use super::table;
use crate::cli::{Export, ExportArgs, PredictionExportArgs};
use crate::runner::{grouped, shard_hint};

/// Rows read at a time: rows of people are small, samples are held one batch at a time.
const PEOPLE_ROWS: usize = 1024;
const SAMPLE_ROWS: usize = 64;

/// Writes `format`, and the rows that it cannot hold to a table of rejects beside it.
pub fn run(format: &Export) -> anyhow::Result<()> {
    let (files, exported) = match format {
        Export::Coco { files, images, bbox } => {
            let (images, bbox, overwrite) = (images.images.clone(), (*bbox).into(), files.overwrite);
            let options = coco::Options { images, bbox, overwrite };
            (files, coco::write(batches(files, PEOPLE_ROWS)?, &files.out, &options))
        }
        Export::CocoResults(args) => {
            let ((skeleton, people), predicted) = predictions(args)?;
            let ExportArgs { out, overwrite, .. } = &args.files;
            (&args.files, coco_results::write(predicted, &people, skeleton, out, *overwrite))
        }
        Export::Hrnet { files, images } => {
            let options = hrnet_json::Options { images: images.images.clone(), overwrite: files.overwrite };
            (files, hrnet_json::write(batches(files, PEOPLE_ROWS)?, &files.out, &options))
        }
        Export::Preds(args) => {
            one_split(args)?;
            let ((skeleton, people), predicted) = predictions(args)?;
            let ExportArgs { out, overwrite, .. } = &args.files;
            (&args.files, mpii_preds::write(predicted, &people, skeleton, out, *overwrite))
        }
        Export::Yolo { files, images, bbox, link } => {
            let pictures = if *link { yolo_pose::Pictures::Link } else { yolo_pose::Pictures::Copy };
            let (images, bbox, overwrite) = (images.images.clone(), (*bbox).into(), files.overwrite);
            let options = yolo_pose::Options { images, bbox, pictures, overwrite };
            (files, yolo_pose::write(batches(files, PEOPLE_ROWS)?, &files.out, &options))
        }
        Export::Webdataset { files, shard_mib } => {
            let shard_bytes = u64::from(shard_mib.get()) << 20;
            let options = webdataset::Options { shard_bytes, overwrite: files.overwrite };
            (files, webdataset::write(batches(files, SAMPLE_ROWS)?, &files.out, &options))
        }
    };
    let exported = exported.map_err(explained)?;
    say(files, &exported);
    write_rejects(&files.out, &exported.rejects)
}

fn batches(files: &ExportArgs, rows: usize) -> anyhow::Result<Batches> {
    Ok(TableReader::open(&files.table, files.split.as_deref())?.batches(rows))
}

type People = (&'static Skeleton, Vec<Person>);

/// The people of the chosen split, and what is predicted of them.
fn predictions(args: &PredictionExportArgs) -> anyhow::Result<(People, Predicted)> {
    let split = args.files.split.as_deref();
    let people = TableReader::open(&args.people, split)?.batches(PEOPLE_ROWS);
    let people = export::all_people(people).map_err(explained)?;
    let all = TableReader::open(&args.files.table, None)?;
    // Predictions may have lost their splits on the way; then ids alone tell whose they are.
    let has = |split: &str| all.manifest().is_some_and(|manifest| manifest.splits.contains_key(split));
    let table = match split.filter(|split| has(split)) {
        Some(split) => TableReader::open(&args.files.table, Some(split))?,
        None => all,
    };
    let predicted = Predicted::read(table.batches(PEOPLE_ROWS), args.stage).map_err(explained)?;
    Ok((people, predicted))
}

/// Refuses people of several splits: rows of an array are known by their order alone.
fn one_split(args: &PredictionExportArgs) -> anyhow::Result<()> {
    let people = TableReader::open(&args.people, args.files.split.as_deref())?;
    let splits: Vec<&String> =
        people.manifest().map(|manifest| manifest.splits.keys().collect()).unwrap_or_default();
    if args.files.split.is_some() || splits.len() < 2 {
        return Ok(());
    }
    let names: Vec<String> = splits.iter().map(|split| format!("`{split}`")).collect();
    Err(Hint::error(
        format!("the people have several splits ({}), whose rows stand apart", names.join(", ")),
        format!("say which one the array is of: `--split {}`", splits[0]),
    ))
}

/// `error` with what to change.
pub(super) fn explained(error: ExportError) -> anyhow::Error {
    let hint = match &error {
        ExportError::Table(cause) => shard_hint(cause),
        other => other.hint(),
    };
    match hint {
        Some(hint) => Hint::error(error.to_string(), hint),
        None => error.into(),
    }
}

fn say(files: &ExportArgs, exported: &Exported) {
    for (reason, rows) in counted(&exported.rejects) {
        eprintln!("rejected: {} x {reason}", grouped(rows));
    }
    for note in &exported.notes {
        eprintln!("note: {note}");
    }
    eprintln!("wrote {}: {} rows", files.out.display(), grouped(exported.written));
}

/// How many rows each reason stands for.
pub(super) fn counted(rejects: &[Reject]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for reject in rejects {
        *counts.entry(reject.reason.clone()).or_default() += reject.rows;
    }
    counts
}

/// Writes `rejects`, if there are any, to the table beside `out`.
pub(super) fn write_rejects(out: &Path, rejects: &[Reject]) -> anyhow::Result<()> {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push("-rejects");
    let folder: PathBuf = out.with_file_name(name);
    if rejects.is_empty() {
        // What an earlier export left there is not of this one.
        let stale = Manifest::read(&folder).is_ok_and(|manifest| manifest.table == rejects::NAME);
        return if stale { Ok(fs::remove_dir_all(&folder)?) } else { Ok(()) };
    }
    let batch = rejects::to_batch(rejects);
    let provenance = table::provenance("rejects", &[format!("{rejects:?}")], &[])?;
    table::write(&folder, &batch, provenance, BTreeMap::new(), true)?;
    Ok(())
}
