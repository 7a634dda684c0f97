//! `motionmill evaluate pose`.

use arrow::compute::concat_batches;
use datasets::shards::TableReader;
use schemas::tables::metrics;
use stages::BuildContext;
use stages::evaluate::{EvaluateConfig, format_table};
use stages::stage::Aggregate;

use super::super::{progress, table};
use super::{BOOTSTRAP_SEED, print_metrics, say_what_was_left_out};
use crate::cli::EvaluatePoseArgs;

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
        threads: progress::available_threads(),
        folder: std::path::PathBuf::new(),
    };
    let evaluate = config.build(&context)?;
    let truth = TableReader::open(&args.truth, args.split.as_deref())?.read_all()?;
    let predictions = TableReader::open(&args.predictions, None)?.read_all()?;
    let mut given = Vec::new();
    let mut give = |batch| {
        given.push(batch);
        Ok(())
    };
    let gathered = evaluate.run(&[&truth, &predictions], &provenance.plan_hash, &mut give)?;
    let scored = concat_batches(&metrics::schema(), &given)?;
    let reasons = say_what_was_left_out(&gathered.notes, &gathered.rejects);
    print_metrics(&metrics::from_batch(&scored)?, args.format, format_table)?;
    if let Some(out) = &args.out {
        table::write(out, &scored, provenance, reasons, args.force)?;
    }
    Ok(())
}
