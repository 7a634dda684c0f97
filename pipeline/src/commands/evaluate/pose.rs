//! `motionmill evaluate pose`: a plan of two tables, the stage `evaluate` and a table of metrics.

use stages::evaluate::{EvaluateConfig, format_table};
use stages::registry::StageConfig;

use super::super::formats;
use super::{Told, score};
use crate::cli::EvaluatePoseArgs;
use crate::plan::Plan;

/// Scores the predictions and prints the numbers.
pub(super) fn run(args: &EvaluatePoseArgs) -> anyhow::Result<()> {
    let config = EvaluateConfig {
        protocols: args.protocol.clone(),
        split: args.split.clone(),
        resamples: args.resamples,
        sigmas: None,
    };
    let plan = Plan::default()
        .with_source("truth", &[], formats::table(&args.truth, args.split.clone()))
        .with_source("predictions", &[], formats::table(&args.predictions, None));
    let told = Told { format: args.format, out: args.out.as_deref(), force: args.force, table: format_table };
    score(plan, &["truth", "predictions"], StageConfig::Evaluate(config), &told).map(drop)
}
