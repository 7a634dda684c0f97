//! Scoring trials: from blocks to rows of the metric table.

use schemas::tables::metrics::Metric;
use schemas::tables::trials::Trial;

use super::super::Evaluation;
use super::collect::{Block, Collector, Part, TrialRef, Trials};
use super::curve::{Curve, Scored};
use super::eer::{EerMethod, equal_error};
use super::error::VerificationError;
use super::groups::Groups;
use super::resample::intervals;

/// Protocol of scores that are not normalised; for others, `-` and the normalisation are appended.
pub const PROTOCOL: &str = "verification";
/// The value of the column `group` in the rows of a curve.
pub const CURVE_GROUP: &str = "curve";
/// How the column `group` of a client's own row begins.
pub const CLIENT_GROUP: &str = "client:";
/// The value of the column `group` in the counts of the split that sets the threshold.
pub const VALIDATION_GROUP: &str = "validation";
/// How often clients are resampled for the intervals; 1,000 is the usual minimum for a 95 % percentile interval
/// (Efron and Tibshirani 1993, section 13.3).
pub const DEFAULT_RESAMPLES: u32 = 1_000;
/// Points of a curve in the table: smooth to the eye on a page, and a few kilobytes.
pub const DEFAULT_POINTS: u32 = 200;

/// How to score trials.
#[derive(Debug, Clone, PartialEq)]
pub struct VerificationOptions {
    /// How equal error rates are read off.
    pub eer: EerMethod,
    /// How often clients are resampled for the intervals; 0 for no intervals.
    pub resamples: u32,
    /// How many points of the curve become rows, at most; 0 for none.
    pub points: u32,
    /// Seed of the draws.
    pub seed: u64,
    /// Hash of the run; every row states it.
    pub run: String,
}

impl Default for VerificationOptions {
    fn default() -> Self {
        Self {
            eer: EerMethod::default(),
            resamples: DEFAULT_RESAMPLES,
            points: DEFAULT_POINTS,
            seed: 0,
            run: String::new(),
        }
    }
}

/// Scores `trials` with the threshold of `validation`, each data set, system and normalisation separately.
///
/// All rows of the two slices are scored, whatever their split; trials whose client and probe are of two splits only
/// serve to normalise and are left out with a note. Without trials of `validation` there is no threshold to carry
/// over: the block then has equal error rates but no HTER, and a note says so.
///
/// ```
/// use stages::evaluate::verification::{VerificationError, VerificationOptions, evaluate_verification};
/// let error = evaluate_verification(&[], None, &VerificationOptions::default()).unwrap_err();
/// assert_eq!(error, VerificationError::Empty);
/// ```
///
/// # Errors
/// When there is nothing to score, or a block lacks genuine or impostor trials with finite scores.
pub fn evaluate_verification(
    trials: &[Trial],
    validation: Option<&[Trial]>,
    options: &VerificationOptions,
) -> Result<Evaluation, VerificationError> {
    let mut collector = Collector::default();
    for (part, trials) in [(Part::Test, trials), (Part::Validation, validation.unwrap_or_default())] {
        for trial in trials {
            collector.push(part, &TrialRef::from(trial));
        }
    }
    score(collector, options)
}

/// Scores what was collected.
pub(super) fn score(
    collector: Collector,
    options: &VerificationOptions,
) -> Result<Evaluation, VerificationError> {
    let (blocks, rejects, cohort) = collector.finish();
    let mut evaluation = Evaluation { rejects, ..Evaluation::default() };
    if cohort > 0 {
        evaluation
            .notes
            .push(format!("{cohort} trials across splits are only used to normalise scores; not scored"));
    }
    if !evaluation.rejects.is_empty() {
        let count = evaluation.rejects.len();
        evaluation.notes.push(format!("{count} trials have a score that is not finite; not scored"));
    }
    let tested: Vec<Block> = blocks.into_iter().filter(|block| keep(block, &mut evaluation.notes)).collect();
    if tested.is_empty() {
        return Err(match evaluation.rejects.len() {
            0 => VerificationError::Empty,
            count => VerificationError::NotFinite { count, of: count },
        });
    }
    for block in &tested {
        score_block(block, options, &mut evaluation)?;
    }
    Ok(evaluation)
}

/// Whether `block` has trials to score; one of the threshold's split alone is noted.
fn keep(block: &Block, notes: &mut Vec<String>) -> bool {
    let empty = block.test.scored.is_empty();
    if empty {
        notes.push(format!("{} have trials only in the validation split; not scored", named(block)));
    }
    !empty
}

/// The block, in words.
fn named(block: &Block) -> String {
    let Block { dataset, model, normalisation, .. } = block;
    format!("scores of `{model}` on `{dataset}` with normalisation `{normalisation}`")
}

/// The numbers of a block that have an interval, in the order of [`Figures::rates`].
const NAMES: [&str; 10] = [
    "eer",
    "eer_validation",
    "threshold",
    "far",
    "frr",
    "hter",
    "eer_per_client",
    "hter_per_client",
    "eer_per_session",
    "hter_per_session",
];

/// What the numbers of a block are computed from.
struct Figures<'a> {
    block: &'a Block,
    clients: Groups,
    sessions: Groups,
    method: EerMethod,
}

impl Figures<'_> {
    /// The numbers of [`NAMES`], rates in percent, NaN where undefined, with each client of the two splits counted
    /// as often as drawn.
    fn rates(&self, [test, validation]: [&[u32]; 2]) -> Vec<f64> {
        let curve = |trials: &Trials, weights: &[u32]| {
            Curve::weighted(&trials.scored, |trial| weights[trial.client as usize])
        };
        let tested = curve(&self.block.test, test);
        let eer = tested.as_ref().map_or(f64::NAN, |curve| equal_error(curve, self.method).rate);
        let validated =
            curve(&self.block.validation, validation).map(|curve| equal_error(&curve, self.method));
        let (validated_eer, threshold) =
            validated.map_or((f64::NAN, f64::NAN), |equal| (equal.rate, equal.threshold));
        let [far, frr] = match &tested {
            Some(curve) if !threshold.is_nan() => curve.rates_at(threshold),
            _ => [f64::NAN; 2],
        };
        let [client_eer, client_hter] = self.clients.means(test);
        let [session_eer, session_hter] = self.sessions.means(test);
        let hter = f64::midpoint(far, frr);
        let mut rates = vec![eer, validated_eer, threshold, far, frr, hter];
        rates.extend([client_eer, client_hter, session_eer, session_hter]);
        let percent = |(name, rate): (&&str, f64)| if *name == "threshold" { rate } else { 100.0 * rate };
        NAMES.iter().zip(rates).map(percent).collect()
    }
}

fn score_block(
    block: &Block,
    options: &VerificationOptions,
    evaluation: &mut Evaluation,
) -> Result<(), VerificationError> {
    let everyone = |trials: &Trials, which: &str| {
        Curve::weighted(&trials.scored, |_| 1).ok_or_else(|| {
            let genuine = trials.scored.iter().filter(|trial| trial.genuine).count() as u64;
            let impostor = trials.scored.len() as u64 - genuine;
            let of = format!("{} in the {which} split `{}`", named(block), trials.split);
            VerificationError::OneKind { of, genuine, impostor }
        })
    };
    let test = &block.test;
    let curve = everyone(test, "tested")?;
    let validation = match &block.validation {
        trials if trials.scored.is_empty() => None,
        trials => Some(everyone(trials, "validation")?),
    };
    let method = options.eer;
    let client_of = |trial: &Scored| trial.client;
    let clients = Groups::of(&test.scored, test.clients.len(), method, client_of, Some);
    let owner_of = |session: u32| test.owners[session as usize];
    let sessions =
        Groups::of(&test.scored, test.owners.len(), method, |trial: &Scored| trial.session, owner_of);
    let figures = Figures { block, clients, sessions, method };

    let people = [test.clients.len(), block.validation.clients.len()];
    let ones = people.map(|count| vec![1; count]);
    let values = figures.rates([&ones[0], &ones[1]]);
    let ends = match options.resamples {
        0 => vec![None; values.len()],
        resamples => intervals(people, resamples, options.seed, &values, |weights| figures.rates(weights)),
    };
    let mut rows = Rows::new(block, options);
    rows.counts(None, &curve);
    if let Some(validation) = &validation {
        rows.counts(Some(VALIDATION_GROUP), validation);
    }
    let own = equal_error(&curve, method).threshold;
    let carried = values[2];
    let all = test.scored.len() as u64;
    let validated = block.validation.scored.len() as u64;
    for ((name, value), ends) in NAMES.into_iter().zip(values).zip(ends) {
        let (threshold, count) = match name {
            "eer" => (Some(own), all),
            "eer_validation" => (Some(carried), validated),
            "threshold" => (None, validated),
            "far" => (Some(carried), curve.impostor()),
            "frr" => (Some(carried), curve.genuine()),
            "hter" => (Some(carried), all),
            "eer_per_client" | "hter_per_client" => (None, figures.clients.trials()),
            _ => (None, figures.sessions.trials()),
        };
        if !value.is_nan() {
            let group = name.starts_with("eer").then(|| method.name().to_owned());
            rows.push(name, group, threshold, value, count, ends);
        }
    }
    for rates in &figures.clients.rates {
        let group = format!("{CLIENT_GROUP}{}", test.clients[rates.group as usize]);
        rows.push("eer", Some(group), Some(rates.threshold), 100.0 * rates.eer, rates.trials, None);
    }
    rows.curve(&curve, options.points as usize);
    evaluation.metrics.extend(rows.metrics);
    note(&figures, validation.is_some(), evaluation);
    Ok(())
}

/// What a reader of the numbers must know.
fn note(figures: &Figures<'_>, validated: bool, evaluation: &mut Evaluation) {
    let named = named(figures.block);
    let notes = &mut evaluation.notes;
    if !validated {
        notes.push(format!("{named} have no validation trials to take a threshold from; no HTER"));
    }
    let kinds = [(&figures.clients, "clients"), (&figures.sessions, "sessions")];
    for (groups, kind) in kinds.into_iter().filter(|(groups, _)| groups.left_out > 0) {
        let all = groups.rates.len() + groups.left_out;
        notes.push(format!(
            "{named}: {} of {all} {kind} have genuine or impostor trials alone; not in the mean per {}",
            groups.left_out,
            kind.trim_end_matches('s')
        ));
    }
}

/// Rows of the metric table that share a block.
struct Rows<'a> {
    block: &'a Block,
    protocol: String,
    run: &'a str,
    metrics: Vec<Metric>,
}

impl<'a> Rows<'a> {
    fn new(block: &'a Block, options: &'a VerificationOptions) -> Self {
        let protocol = match block.normalisation.as_str() {
            "none" | "" => PROTOCOL.to_owned(),
            other => format!("{PROTOCOL}-{other}"),
        };
        Self { block, protocol, run: &options.run, metrics: Vec::new() }
    }

    fn push(
        &mut self,
        metric: &str,
        group: Option<String>,
        threshold: Option<f64>,
        value: f64,
        count: u64,
        ends: Option<[f64; 2]>,
    ) {
        self.metrics.push(Metric {
            protocol: self.protocol.clone(),
            dataset: self.block.dataset.clone(),
            split: self.block.test.split.clone(),
            metric: metric.to_owned(),
            joint: None,
            group,
            threshold,
            value,
            count: count as i64,
            ci_low: ends.map(|[low, _]| low),
            ci_high: ends.map(|[_, high]| high),
            model: self.block.model.clone(),
            head: None,
            run: self.run.to_owned(),
        });
    }

    fn counts(&mut self, group: Option<&str>, curve: &Curve) {
        for (name, count) in [("genuine_trials", curve.genuine()), ("impostor_trials", curve.impostor())] {
            self.push(name, group.map(str::to_owned), None, count as f64, count, None);
        }
    }

    fn curve(&mut self, curve: &Curve, points: usize) {
        for step in curve.thinned(points) {
            let threshold = Some(curve.threshold(step));
            let rates =
                [("far", curve.impostor()), ("frr", curve.genuine())].into_iter().zip(curve.rates(step));
            for ((name, count), rate) in rates {
                self.push(name, Some(CURVE_GROUP.to_owned()), threshold, 100.0 * rate, count, None);
            }
        }
    }
}
