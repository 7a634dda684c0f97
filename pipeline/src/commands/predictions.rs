//! `motionmill ingest predictions`: a published array, joined to people by row.

use std::collections::BTreeMap;

use anyhow::Context;
use arrow::array::Array;
use datasets::predictions::{self, Options};
use datasets::shards::TableReader;
use schemas::Skeleton;
use schemas::columns::strings;

use super::failure::Hint;
use super::table;
use crate::cli::PredictionArgs;

/// Reads the array and writes it as a table of keypoints.
pub fn run(args: &PredictionArgs) -> anyhow::Result<()> {
    let skeleton = Skeleton::named(&args.skeleton)?;
    let (ids, splits) = people(args)?;
    let options = Options {
        array: args.array.clone(),
        axes: args.axes.clone(),
        skeleton,
        first_pixel: args.first_pixel,
    };
    let read = predictions::read(&args.file, &options)?;
    let file_name = || args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let model = args.model.clone().unwrap_or_else(file_name);
    let batch = predictions::to_batch(&ids, &splits, &read, skeleton, &model)
        .with_context(|| format!("cannot join `{}` to the people", args.file.display()))?;
    let arguments = [
        args.array.clone(),
        args.axes.clone(),
        args.skeleton.clone(),
        args.first_pixel.to_string(),
        args.split.clone().unwrap_or_default(),
        model,
    ];
    let inputs = [args.file.clone(), args.people.clone()];
    let provenance = table::provenance("ingest predictions", &arguments, &inputs)?;
    table::write(&args.out.out, &batch, provenance, BTreeMap::new(), args.out.force)?;
    Ok(())
}

/// Ids and splits of the people, in the table's order, which must be one order.
fn people(args: &PredictionArgs) -> anyhow::Result<(Vec<String>, Vec<Option<String>>)> {
    let table = TableReader::open(&args.people, args.split.as_deref())?;
    let splits: Vec<String> =
        table.manifest().map(|manifest| manifest.splits.keys().cloned().collect()).unwrap_or_default();
    if args.split.is_none() && splits.len() > 1 {
        return Err(Hint::error(
            format!("the people have several splits ({}), whose rows stand apart", splits.join(", ")),
            format!("say which one the array is of: `--split {}`", splits[0]),
        ));
    }
    let (mut ids, mut split_names) = (Vec::new(), Vec::new());
    for batch in table.batches(8192) {
        let batch = batch?;
        ids.extend(strings(&batch, "sample_id")?.iter().flatten().map(str::to_owned));
        let names = strings(&batch, "split")?;
        split_names
            .extend((0..names.len()).map(|row| names.is_valid(row).then(|| names.value(row).to_owned())));
    }
    Ok((ids, split_names))
}
