//! `motionmill evaluate verification`.

use std::collections::BTreeSet;
use std::path::Path;

use ::report::motion::{VerificationSheetOptions, verification_sheet};
use anyhow::Context;
use datasets::shards::TableReader;
use schemas::tables::metrics;
use schemas::tables::trials::{self, Trial};
use stages::StageError;
use stages::evaluate::verification::{VerificationOptions, evaluate_verification, format_verification};

use super::super::table;
use super::{BOOTSTRAP_SEED, print_metrics, say_what_was_left_out};
use crate::cli::EvaluateVerificationArgs;

/// Scores the trials and prints the numbers.
pub fn run(args: &EvaluateVerificationArgs) -> anyhow::Result<()> {
    let all = read(&args.trials)?;
    let others = args.validation.as_deref().map(read).transpose()?;
    let (scored, validation) =
        scored_and_validation(&all, others.as_deref(), &args.split, &args.validation_split);
    let arguments = [
        args.split.clone(),
        args.validation_split.clone(),
        args.eer.name().to_owned(),
        args.resamples.to_string(),
    ];
    let inputs: Vec<_> = std::iter::once(args.trials.clone()).chain(args.validation.clone()).collect();
    let provenance = table::provenance("evaluate verification", &arguments, &inputs)?;
    let options = VerificationOptions {
        eer: args.eer,
        resamples: args.resamples,
        seed: BOOTSTRAP_SEED,
        run: provenance.plan_hash.clone(),
        ..VerificationOptions::default()
    };
    let evaluation =
        evaluate_verification(&scored, validation.as_deref(), &options).map_err(StageError::from)?;
    let reasons = say_what_was_left_out(&evaluation.notes, &evaluation.rejects);
    print_metrics(&evaluation.metrics, args.format, format_verification)?;
    if let Some(path) = &args.plot {
        let threshold = evaluation.metrics.iter().find(|metric| metric.metric == "threshold");
        let options =
            VerificationSheetOptions { threshold: threshold.map(|metric| metric.value), eer: args.eer };
        let sheet = verification_sheet(&scored, &options)?;
        sheet.picture.save(path).with_context(|| format!("cannot write the picture `{}`", path.display()))?;
        eprintln!("wrote {}", path.display());
    }
    if let Some(out) = &args.out {
        table::write(out, &metrics::to_batch(&evaluation.metrics), provenance, reasons, args.force)?;
    }
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<Vec<Trial>> {
    let mut all = Vec::new();
    for batch in TableReader::open(folder, None)?.batches(8192) {
        all.extend(trials::from_batch(&batch?)?);
    }
    Ok(all)
}

/// The trials of `all` that are scored, and those that set the threshold, which stand in `others` or else in `all`.
pub fn scored_and_validation(
    all: &[Trial],
    others: Option<&[Trial]>,
    split: &str,
    validation_split: &str,
) -> (Vec<Trial>, Option<Vec<Trial>>) {
    let validation = match others {
        Some(others) => of_split(others, validation_split),
        None => exactly(all, validation_split),
    };
    (of_split(all, split), (!validation.is_empty()).then_some(validation))
}

/// The trials whose client and probe are both of `split`.
fn exactly(all: &[Trial], split: &str) -> Vec<Trial> {
    all.iter().filter(|trial| trial.split == split && trial.client_split == split).cloned().collect()
}

/// The same; all trials of a table that knows only one split, whatever it is called.
fn of_split(all: &[Trial], split: &str) -> Vec<Trial> {
    let splits: BTreeSet<&str> = all.iter().map(|trial| trial.split.as_str()).collect();
    match splits.len() {
        1 => all.iter().filter(|trial| trial.client_split == trial.split).cloned().collect(),
        _ => exactly(all, split),
    }
}
