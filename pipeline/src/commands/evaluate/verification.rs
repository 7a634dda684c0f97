//! `motionmill evaluate verification`: a plan of tables of trials, the stage `verify` and a table of metrics.

use std::collections::BTreeSet;

use ::report::motion::{VerificationSheetOptions, verification_sheet};
use schemas::tables::trials;
use stages::evaluate::verification::{VerifyConfig, format_verification};
use stages::registry::StageConfig;

use super::super::formats;
use super::super::output::{Kind, Output};
use super::{Told, read, score};
use crate::cli::EvaluateVerificationArgs;
use crate::plan::Plan;

/// Scores the trials and prints the numbers.
pub(super) fn run(args: &EvaluateVerificationArgs) -> anyhow::Result<()> {
    let plot = args.plot.as_deref().map(|path| Output::at(path, &[Kind::Picture], args.force)).transpose()?;
    let config = VerifyConfig {
        validation: args.validation_split.clone(),
        split: args.split.clone(),
        validation_apart: args.validation.is_some(),
        eer: args.eer,
        resamples: args.resamples,
        ..VerifyConfig::default()
    };
    let (mut plan, mut inputs) = (Plan::default(), vec!["trials"]);
    plan = plan.with_source("trials", &[], formats::table(&args.trials, None));
    if let Some(validation) = &args.validation {
        plan = plan.with_source("validation", &[], formats::table(validation, None));
        inputs.push("validation");
    }
    let told =
        Told { format: args.format, out: args.out.as_deref(), force: args.force, table: format_verification };
    let scored = score(plan, &inputs, StageConfig::Verify(config), &told)?;
    if let Some(plot) = &plot {
        let mut drawn = read(&args.trials, trials::from_batch)?;
        let splits: BTreeSet<&str> = drawn.iter().map(|trial| trial.split.as_str()).collect();
        let any = splits.len() == 1;
        drawn.retain(|trial| trial.client_split == trial.split && (any || trial.split == args.split));
        let threshold = scored.iter().find(|metric| metric.metric == "threshold").map(|metric| metric.value);
        let sheet = verification_sheet(&drawn, &VerificationSheetOptions { threshold, eer: args.eer })?;
        plot.write_sheet(&sheet)?;
        plot.tell_written("")?;
    }
    Ok(())
}
