//! `motionmill preview`: a contact sheet of a table.

use ::report::motion::{
    DEFAULT_QUALITY_ROWS, SignalOptions, VerificationSheetOptions, quality_sheet, signal_sheet,
    verification_sheet,
};
use ::report::{Sheet, SheetOptions, contact_sheet, prediction_sheet};
use anyhow::Context;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use datasets::sessions::{READ_ROWS, WholeSessions};
use datasets::shards::TableReader;
use schemas::columns::{integers, skeleton_of};
use schemas::tables::{keypoints, quality, readings, signals, table_name, trials, windows};
use stages::Stage;
use stages::evaluate::verification::EerMethod;
use stages::ingest::MapSkeleton;

use super::failure::Hint;
use super::output::{Kind, Output};
use crate::cli::PreviewArgs;

/// Rows read at a time while rows are picked.
const BATCH_ROWS: usize = 64;

/// Draws the sheet.
pub(super) fn run(args: &PreviewArgs) -> anyhow::Result<()> {
    let out = Output::at(&args.out, &[Kind::Picture], args.force)?;
    let table = TableReader::open(&args.path, args.split.as_deref())?;
    let name = table_name(table.schema()).unwrap_or_default().to_owned();
    let is_prediction = name == keypoints::NAME;
    if let Some(sheet) = motion_sheet(&name, &table, args)? {
        return save(&sheet, &out);
    }
    let rows = if is_prediction { last_head(&table)? } else { spread(&table, args.count)? };
    let options = SheetOptions { rows: args.count, ..SheetOptions::default() };
    let sheet = if is_prediction {
        let Some(folder) = &args.people else {
            return Err(Hint::error(
                "a table of keypoints has no pictures",
                "name their people: `--people DIR`",
            ));
        };
        let people = TableReader::open(folder, None)?.read_all()?;
        let schema = people.first().context("the table of people is empty")?.schema();
        let people = concat_batches(&schema, &people)?;
        prediction_sheet(&rows, &in_skeleton_of(&rows, &people)?, &options)?
    } else {
        contact_sheet(&rows, &options)?
    };
    save(&sheet, &out)
}

/// The sheet of a table of the motion chain; `None` where it is another one.
fn motion_sheet(name: &str, table: &TableReader, args: &PreviewArgs) -> anyhow::Result<Option<Sheet>> {
    Ok(Some(match name {
        readings::NAME | signals::NAME | windows::NAME => {
            let blocks = (name != readings::NAME).then(|| args.blocks.unwrap_or_default().0);
            let options = SignalOptions { panels: args.count, blocks, ..SignalOptions::default() };
            let rows = if name == readings::NAME {
                first_sessions(table, args.count)?
            } else {
                spread(table, args.count)?
            };
            signal_sheet(&rows, &options)?
        }
        quality::NAME => quality_sheet(&first_rows(table, DEFAULT_QUALITY_ROWS)?, DEFAULT_QUALITY_ROWS)?,
        trials::NAME => {
            let mut all = Vec::new();
            for batch in table.batches(8192) {
                all.extend(trials::from_batch(&batch?)?);
            }
            verification_sheet(
                &all,
                &VerificationSheetOptions { threshold: None, eer: EerMethod::default() },
            )?
        }
        _ => return Ok(None),
    }))
}

/// All rows of the first `count` sessions of a table of readings.
fn first_sessions(table: &TableReader, count: usize) -> anyhow::Result<RecordBatch> {
    let mut rows = Vec::new();
    for batch in WholeSessions::new(table.batches(READ_ROWS)).take(count) {
        rows.push(batch?);
    }
    Ok(concat_batches(table.schema(), &rows)?)
}

/// The first `count` rows of the table.
fn first_rows(table: &TableReader, count: usize) -> anyhow::Result<RecordBatch> {
    match table.batches(count).next() {
        Some(batch) => Ok(batch?),
        None => Ok(RecordBatch::new_empty(table.schema().clone())),
    }
}

fn save(sheet: &Sheet, out: &Output) -> anyhow::Result<()> {
    out.write_sheet(sheet)?;
    Ok(out.tell_written(&format!(": {} rows drawn", sheet.drawn))?)
}

/// The people with their joints in the order of the predictions.
fn in_skeleton_of(predictions: &RecordBatch, people: &RecordBatch) -> anyhow::Result<RecordBatch> {
    let stage = MapSkeleton::to(skeleton_of(predictions.schema_ref())?);
    stage.output_schema(&people.schema())?;
    Ok(stage.run(people)?.rows)
}

/// The predictions of the last output head. Keypoints are small: a table of them fits in memory.
fn last_head(table: &TableReader) -> anyhow::Result<RecordBatch> {
    let all = concat_batches(table.schema(), &table.read_all()?)?;
    let heads = integers(&all, keypoints::HEAD)?;
    let last = heads.iter().flatten().max();
    let mask: BooleanArray = heads.iter().map(|head| Some(head == last)).collect();
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
