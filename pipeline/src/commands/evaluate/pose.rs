//! `motionmill evaluate pose`: a plan of two tables, the stage `evaluate` and a table of metrics.

use datasets::shards::{ParquetSink, TableReader};
use schemas::tables::{metrics, rejects};
use stages::evaluate::{EvaluateConfig, format_table};
use stages::registry::StageConfig;

use super::super::{formats, progress, work};
use super::{BOOTSTRAP_SEED, print_metrics, say_what_was_left_out};
use crate::cli::EvaluatePoseArgs;
use crate::graph::Graph;
use crate::plan::{Plan, SinkConfig};

/// Scores the predictions and prints the numbers.
pub fn run(args: &EvaluatePoseArgs) -> anyhow::Result<()> {
    // Without `--out` the numbers are printed and nothing stays.
    let passing = args.out.is_none().then(tempfile::tempdir).transpose()?;
    let out = passing.as_ref().map(|folder| folder.path().join("metrics"));
    let out = args.out.clone().or(out).expect("one of both is there");
    let config = EvaluateConfig {
        protocols: args.protocol.clone(),
        split: args.split.clone(),
        resamples: args.resamples,
    };
    let plan = Plan { seed: BOOTSTRAP_SEED, ..Plan::default() }
        .with_source("truth", &[], formats::table(&args.truth, args.split.clone()))
        .with_source("predictions", &[], formats::table(&args.predictions, None))
        .with_stage("evaluate", &["truth", "predictions"], StageConfig::Evaluate(config))
        .with_sink("metrics", &["evaluate"], SinkConfig::Parquet(ParquetSink::at(&out)));
    let threads = progress::available_threads();
    let summary = work::carry_out(&Graph::build(plan, threads)?, threads, args.force)?;
    let mut left_out = Vec::new();
    if let Some(table) = summary.sinks.last() {
        for batch in TableReader::open(&table.path, None)?.read_all()? {
            left_out.extend(rejects::from_batch(&batch)?);
        }
    }
    say_what_was_left_out(&summary.notes, &left_out);
    let mut scored = Vec::new();
    for batch in TableReader::open(&out, None)?.read_all()? {
        scored.extend(metrics::from_batch(&batch)?);
    }
    print_metrics(&scored, args.format, format_table)?;
    if args.out.is_some() {
        eprint!("{}", summary.written());
    }
    Ok(())
}
