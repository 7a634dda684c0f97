//! `motionmill evaluate pose`: a plan of two tables, the stage `evaluate` and a table of metrics.

use std::collections::BTreeMap;

use datasets::shards::{ParquetSink, TableReader};
use schemas::tables::{metrics, rejects};
use stages::evaluate::{EvaluateConfig, format_table};
use stages::registry::StageConfig;

use super::super::{formats, progress, work};
use super::{BOOTSTRAP_SEED, print_metrics, say_what_was_left_out};
use crate::cli::EvaluatePoseArgs;
use crate::graph::Graph;
use crate::plan::{Plan, RunnerConfig, SinkConfig, SinkNode, StageNode};

/// Scores the predictions and prints the numbers.
pub fn run(args: &EvaluatePoseArgs) -> anyhow::Result<()> {
    // Without `--out` the numbers are printed and nothing stays.
    let passing = tempfile::tempdir()?;
    let out = args.out.clone().unwrap_or_else(|| passing.path().join("metrics"));
    let config = EvaluateConfig {
        protocols: args.protocol.clone(),
        split: args.split.clone(),
        resamples: args.resamples,
    };
    let inputs = ["truth", "predictions"].map(str::to_owned);
    let score = StageNode { inputs: inputs.to_vec(), run: StageConfig::Evaluate(config) };
    let write = SinkConfig::Parquet(ParquetSink::at(&out));
    let plan = Plan {
        seed: BOOTSTRAP_SEED,
        runner: RunnerConfig::default(),
        rejects: None,
        sources: BTreeMap::from([
            ("truth".to_owned(), formats::table(&args.truth, args.split.clone())),
            ("predictions".to_owned(), formats::table(&args.predictions, None)),
        ]),
        stages: BTreeMap::from([("evaluate".to_owned(), score)]),
        sinks: BTreeMap::from([(
            "metrics".to_owned(),
            SinkNode { inputs: vec!["evaluate".to_owned()], write },
        )]),
    };
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
