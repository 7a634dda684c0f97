//! The section of one network's poses.

mod comparison;
mod conventions;
mod errors;
mod gallery;
mod precision;
mod scores;
mod sliced;

use schemas::Skeleton;
use schemas::tables::metrics::Metric;
use schemas::tables::people::Person;
use schemas::tables::rejects::Reject;

use super::super::error::ReportError;
use super::super::words::{anchor, count, interval, number};
use super::content::{Block, Card, Section};
use super::{Given, ReportOptions};
use schemas::tables::keypoints::PredictedPose;
use stages::evaluate::rules::{Normaliser, Rules};
use stages::evaluate::{EvaluateOptions, OutputHead, Protocol, ScoredPoses, evaluate_pose};
use stages::stage::Rows;

pub use comparison::AgainstPoses;
pub use scores::disagreeing;
pub(crate) use scores::plain_table;

/// The predictions of one model and the people they are of.
pub struct PoseInput<'a> {
    /// What the section is called: where the predictions stand.
    pub name: String,
    /// The annotated people, all of whom count.
    pub truth: &'a [Person],
    /// Their skeleton.
    pub truth_skeleton: &'static Skeleton,
    /// The predictions of one model; those of its last output head are looked at closely.
    pub predictions: &'a [PredictedPose],
    /// Their skeleton.
    pub prediction_skeleton: &'static Skeleton,
    /// How to score: the first one throughout, the others in a table.
    pub protocols: Vec<Protocol>,
    /// Rows of a metric table that the same run made. They are shown as they stand, and checked.
    pub metrics: Vec<Metric>,
    /// Seed of the intervals where they are drawn here.
    pub seed: u64,
    /// The maps that the predictions were read off.
    pub heatmaps: Option<&'a dyn Rows>,
    /// Another prediction of the same people.
    pub against: Option<AgainstPoses<'a>>,
}

impl PoseInput<'_> {
    /// How to score by `protocol`.
    fn options(&self, protocol: Protocol, resamples: u32) -> EvaluateOptions {
        EvaluateOptions { resamples, seed: self.seed, ..EvaluateOptions::new(protocol) }
    }

    /// Scores by `protocol`.
    fn evaluated(
        &self,
        protocol: Protocol,
        resamples: u32,
    ) -> Result<stages::evaluate::Evaluation, ReportError> {
        let options = self.options(protocol, resamples);
        let (truth, skeleton) = (self.truth, self.truth_skeleton);
        Ok(evaluate_pose(truth, skeleton, self.predictions, self.prediction_skeleton, &options)?)
    }
}

/// The section of `input`, with the number that stands at the top of the page.
///
/// # Errors
/// When truth and predictions do not belong together.
pub(super) fn section(
    input: &PoseInput<'_>,
    options: &ReportOptions,
    given: &mut Given,
) -> Result<Section, ReportError> {
    let protocol = *input.protocols.first().ok_or(ReportError::NoProtocol)?;
    let scores = scores::Scores::of(input, protocol, options)?;
    let mut section = Section { id: anchor(&input.name), title: input.name.clone(), ..Section::default() };
    given.rejects.extend(scores.rejects.iter().cloned());
    if protocol.is_of_pictures() {
        given.cards.extend(precision::fill(&mut section, input, protocol, &scores));
        return Ok(section);
    }
    let Some(rules) = protocol.rules_of(input.truth_skeleton) else {
        section.lead = format!("{protocol}, {}", scores.set());
        section.blocks.push(scores.plain());
        section.blocks.push(Block::Notes { notes: scores.notes.clone() });
        return Ok(section);
    };
    let how = input.options(protocol, options.resamples);
    let joined = ScoredPoses::join(
        input.truth,
        input.truth_skeleton,
        input.predictions,
        input.prediction_skeleton,
        &how,
    )?;
    let Some(scored) = joined.filter(|scored| !scored.people.is_empty()) else {
        "Nobody is left to score; why is said below.".clone_into(&mut section.lead);
        section.blocks.push(Block::Notes { notes: scores.notes.clone() });
        return Ok(section);
    };
    let head = scores.head();
    section.lead = lead(input, &scores, &scored, protocol, rules);
    if let Some(total) = scores.total() {
        given.cards.push(card(&section, &scores, total, rules, protocol, scored.people.len()));
    }
    section.blocks.push(scores.groups(rules));
    section.blocks.push(Block::Notes { notes: scores.notes.clone() });
    let mut charts = vec![scores.curves(rules, unit(rules))];
    let mut notes = Vec::new();
    let errors = errors::errors(&scored, head, &how, &mut notes);
    charts.extend(errors.as_ref().map(|(chart, _)| chart.clone()));
    section.blocks.push(Block::charts(charts));
    section.blocks.push(scores.joints(rules));
    if let Some((_, table)) = errors {
        section
            .blocks
            .push(Block::fold("Error types of each joint, in percent", vec![errors::words(&scored), table]));
    } else {
        section.blocks.push(Block::text("Error types are of joints; this protocol scores sticks."));
    }
    section.blocks.push(conventions::conventions(input, protocol, &scores));
    section.blocks.extend(scores.table_of_heads(rules));
    section.blocks.extend(sliced::blocks(&scored, head, &how, rules));
    if let Some(against) = &input.against {
        section.blocks.extend(comparison::blocks(input, against, head, &how)?);
    }
    section.blocks.extend(gallery::blocks(input, &scored, head, options, given)?);
    Ok(section)
}

/// What is scored, of whom and how, in a sentence or two.
fn lead(
    input: &PoseInput<'_>,
    scores: &scores::Scores,
    scored: &ScoredPoses<'_>,
    protocol: Protocol,
    rules: &Rules,
) -> String {
    let OutputHead { model, number } = scores.head();
    let heads = scores.heads.len();
    let head = if heads > 1 { format!(", output head {number} of {heads}") } else { String::new() };
    format!(
        "{model}{head}. {} people of {}, protocol {protocol}: errors divided by {}, right up to {} of it. Truth in {}, \
         predictions in {}.",
        count(scored.people.len() as i64),
        scores.set(),
        unit(rules),
        scored.headline(),
        input.truth_skeleton.name,
        input.prediction_skeleton.name
    )
}

fn card(
    section: &Section,
    scores: &scores::Scores,
    total: &Metric,
    rules: &Rules,
    protocol: Protocol,
    people: usize,
) -> Card {
    let ends = interval(total.ci_low, total.ci_high);
    let ends = if ends.is_empty() { ends } else { format!("95 % {ends}. ") };
    Card {
        title: format!("{} · {}", scores.set(), headline(rules)),
        value: format!("{} %", number(total.value)),
        detail: format!("{ends}{protocol}, {} people, {} parts", count(people as i64), count(total.count)),
        target: section.id.clone(),
    }
}

/// Name of the rate at the published threshold: `PCKh@0.5`.
fn headline(rules: &Rules) -> String {
    format!("{}@{}", rate_name(rules), rules.headline_hundredth as f64 / 100.0)
}

fn rate_name(rules: &Rules) -> String {
    if rules.metric == "pckh" { "PCKh".to_owned() } else { rules.metric.to_uppercase() }
}

/// By what errors are divided, in words.
fn unit(rules: &Rules) -> &'static str {
    match rules.normaliser {
        Normaliser::HeadBox => "the head size",
        Normaliser::TrueSegment(..) => "the torso",
        Normaliser::PredictedSegment(..) => "the predicted torso",
        Normaliser::JointsBox => "the box of the joints",
        Normaliser::PersonBox => "the person's box",
        Normaliser::StickWorseEnd | Normaliser::StickMeanEnd => "the stick's length",
    }
}

/// The rejects of scoring, each with the section it is of.
fn in_section(rejects: &[Reject], name: &str) -> Vec<Reject> {
    let named = |reject: &Reject| Reject { stage: format!("report, {name}"), ..reject.clone() };
    rejects.iter().map(named).collect()
}
