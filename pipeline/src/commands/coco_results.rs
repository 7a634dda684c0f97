//! `motionmill ingest coco-results`: what a model found, joined to the people.

use datasets::coco::{self, ResultOptions};
use datasets::export;
use datasets::shards::TableReader;

use super::{export as exporting, table};
use crate::cli::CocoResultArgs;

/// Reads the results and writes them as a table of keypoints; detections of nobody go to a table of rejects.
pub fn run(args: &CocoResultArgs) -> anyhow::Result<()> {
    let people = TableReader::open(&args.people, args.split.as_deref())?;
    let (skeleton, people) = export::all_people(people.batches(8192)).map_err(exporting::explained)?;
    let file_name = || args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let model = args.model.clone().unwrap_or_else(file_name);
    let options = ResultOptions { category: args.category_id, model: model.clone() };
    let found = coco::read_results(&args.file, &people, skeleton, &options)?;
    let arguments = [
        args.split.clone().unwrap_or_default(),
        args.category_id.map(|number| number.to_string()).unwrap_or_default(),
        model,
    ];
    let inputs = [args.file.clone(), args.people.clone()];
    let provenance = table::provenance("ingest coco-results", &arguments, &inputs)?;
    let counts = exporting::counted(&found.rejects);
    for (reason, rows) in &counts {
        eprintln!("rejected: {rows} x {reason}");
    }
    for note in &found.notes {
        eprintln!("note: {note}");
    }
    table::write(&args.out.out, &found.batch, provenance, counts, args.out.force)?;
    exporting::write_rejects(&args.out.out, &found.rejects)
}
