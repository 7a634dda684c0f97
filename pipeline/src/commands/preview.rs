//! `motionmill preview`: a contact sheet of a table.

use std::path::PathBuf;

use anyhow::Context;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use datasets::shards::TableReader;
use schemas::columns::{integers, skeleton_of};
use schemas::tables::{keypoints, table_name};
use stages::ingest::MapSkeletonConfig;
use stages::report::{SheetOptions, contact_sheet, prediction_sheet};
use stages::{BuildContext, Stage};

use super::failure::Hint;
use crate::cli::PreviewArgs;

/// Rows read at a time while rows are picked.
const BATCH_ROWS: usize = 64;

/// Draws the sheet.
pub fn run(args: &PreviewArgs) -> anyhow::Result<()> {
    let table = TableReader::open(&args.path, args.split.as_deref())?;
    let is_prediction = table_name(table.schema()) == Some(keypoints::NAME);
    let rows = if is_prediction { last_stage(&table)? } else { spread(&table, args.count)? };
    let options = SheetOptions { rows: args.count, ..SheetOptions::default() };
    let sheet = if is_prediction {
        let Some(folder) = &args.people else {
            return Err(Hint::error(
                "a table of keypoints has no pictures",
                "name the people that they are of: `--people DIR`",
            ));
        };
        let people = TableReader::open(folder, None)?.read_all()?;
        let schema = people.first().context("the table of people is empty")?.schema();
        let people = concat_batches(&schema, &people)?;
        prediction_sheet(&rows, &in_skeleton_of(&rows, &people)?, &options)?
    } else {
        contact_sheet(&rows, &options)?
    };
    for reject in &sheet.rejects {
        eprintln!("not drawn: {}: {}", reject.sample_id.as_deref().unwrap_or("a row"), reject.detail);
    }
    sheet
        .picture
        .save(&args.out)
        .with_context(|| format!("cannot write the picture `{}`", args.out.display()))?;
    eprintln!("wrote {}: {} rows drawn", args.out.display(), sheet.drawn);
    Ok(())
}

/// The people with their joints in the order of the predictions.
fn in_skeleton_of(predictions: &RecordBatch, people: &RecordBatch) -> anyhow::Result<RecordBatch> {
    let to = skeleton_of(predictions.schema_ref())?.name.to_owned();
    let context = BuildContext { name: "preview".to_owned(), seed: 0, threads: 1, folder: PathBuf::new() };
    let stage = MapSkeletonConfig { to }.build(&context)?;
    stage.output_schema(&people.schema())?;
    Ok(stage.run(people)?.rows)
}

/// The predictions of the last output head. Keypoints are small: a table of them fits in memory.
fn last_stage(table: &TableReader) -> anyhow::Result<RecordBatch> {
    let all = concat_batches(table.schema(), &table.read_all()?)?;
    let stages = integers(&all, "stage")?;
    let last = stages.iter().flatten().max();
    let mask: BooleanArray = stages.iter().map(|stage| Some(stage == last)).collect();
    Ok(filter_record_batch(&all, &mask)?)
}

/// `count` rows of the table, evenly spread over it.
fn spread(table: &TableReader, count: usize) -> anyhow::Result<RecordBatch> {
    let total = table.rows() as usize;
    let count = count.min(total);
    let wanted: Vec<usize> = (0..count).map(|index| index * total / count).collect();
    let mut picked = Vec::new();
    let mut start = 0;
    for batch in table.batches(BATCH_ROWS) {
        let batch = batch?;
        let end = start + batch.num_rows();
        picked.extend(
            wanted.iter().filter(|row| (start..end).contains(row)).map(|row| batch.slice(row - start, 1)),
        );
        start = end;
        if picked.len() == count {
            break;
        }
    }
    Ok(concat_batches(table.schema(), &picked)?)
}
