//! `motionmill evaluate pose`.

use std::collections::BTreeMap;

use datasets::shards::TableReader;
use schemas::tables::metrics;
use stages::BuildContext;
use stages::evaluate::{EvaluateConfig, format_table};
use stages::stage::Aggregate;

use super::table;
use crate::cli::{EvaluatePoseArgs, Format};
use crate::runner::grouped;

/// Seed of the bootstrap on the command line; a plan has its own.
const BOOTSTRAP_SEED: u64 = 0;

/// Scores the predictions and prints the numbers.
pub fn run(args: &EvaluatePoseArgs) -> anyhow::Result<()> {
    let config = EvaluateConfig {
        protocols: args.protocol.clone(),
        split: args.split.clone(),
        resamples: args.resamples,
    };
    let arguments = [serde_json::to_string(&config)?];
    let inputs = [args.truth.clone(), args.predictions.clone()];
    let provenance = table::provenance("evaluate pose", &arguments, &inputs)?;
    let context = BuildContext {
        name: "evaluate".to_owned(),
        seed: BOOTSTRAP_SEED,
        threads: super::progress::available_threads(),
        folder: std::path::PathBuf::new(),
    };
    let evaluate = config.build(&context)?;
    let truth = TableReader::open(&args.truth, args.split.as_deref())?.read_all()?;
    let predictions = TableReader::open(&args.predictions, None)?.read_all()?;
    let gathered = evaluate.run(&[truth, predictions], &provenance.plan_hash)?;
    for note in &gathered.notes {
        eprintln!("note: {note}");
    }
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for reject in &gathered.rejects {
        *reasons.entry(reject.reason.clone()).or_default() += 1;
    }
    for (reason, count) in &reasons {
        let first = gathered.rejects.iter().find(|reject| reject.reason == *reason);
        let example = first.and_then(|reject| reject.sample_id.as_deref()).unwrap_or("a row");
        eprintln!("rejected: {} x {reason}, the first is {example}", grouped(*count));
    }
    let rows = metrics::from_batch(&gathered.rows)?;
    match args.format {
        Format::Text => print!("{}", format_table(&rows)),
        Format::Json => println!("{}", serde_json::to_string_pretty(&rows)?),
    }
    if let Some(out) = &args.out {
        table::write(out, &gathered.rows, provenance, reasons, args.force)?;
    }
    Ok(())
}
