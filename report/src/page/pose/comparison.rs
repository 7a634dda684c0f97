//! Two predictions of the same people, with the interval of their difference.

use schemas::Skeleton;
use schemas::tables::keypoints::PredictedPose;

use super::super::super::chart::{Span, spans};
use super::super::super::error::ReportError;
use super::super::super::words::{count, number, signed, signed_interval, spaced};
use super::super::content::{Block, Cell, Table};
use super::PoseInput;
use stages::evaluate::compare::Predicted;
use stages::evaluate::{Comparison, Difference, EvaluateOptions, OutputHead, compare_poses};

/// Another prediction of the same people.
pub struct AgainstPoses<'a> {
    /// Where it stands.
    pub name: String,
    /// The predictions of one model; its last output head is compared.
    pub predictions: &'a [PredictedPose],
    /// Their skeleton.
    pub skeleton: &'static Skeleton,
}

/// The difference as a chart of the groups and a table of everything.
pub(super) fn blocks(
    input: &PoseInput<'_>,
    against: &AgainstPoses<'_>,
    head: OutputHead<'_>,
    options: &EvaluateOptions,
) -> Result<Vec<Block>, ReportError> {
    let last = against.predictions.iter().map(|pose| pose.head).max().unwrap_or(1);
    let of = |poses: &[PredictedPose], head: i32| -> Vec<PredictedPose> {
        poses.iter().filter(|pose| pose.head == head).cloned().collect()
    };
    let (ours, theirs) = (of(input.predictions, head.number), of(against.predictions, last));
    let one = Predicted { poses: &ours, skeleton: input.prediction_skeleton };
    let other = Predicted { poses: &theirs, skeleton: against.skeleton };
    let compared = compare_poses(input.truth, input.truth_skeleton, one, other, options)?;
    let Some(Comparison { people, differences, mut notes }) = compared else { return Ok(Vec::new()) };
    let model = theirs.first().map(|pose| pose.model.as_str()).unwrap_or_default();
    let headline =
        options.protocol.rules().map(|rules| (rules.metric, rules.headline_hundredth as f64 / 100.0));
    notes.insert(
        0,
        format!(
            "{} people, each drawn for both at once. The other is {model}, output head {last}, of {}. Above zero, this \
             one is better.",
            count(people as i64),
            against.name
        ),
    );
    let is_main = |d: &Difference| {
        d.group.is_some()
            && headline.is_some_and(|(metric, at)| d.metric == metric && d.threshold == Some(at))
    };
    let (groups, rest): (Vec<&Difference>, Vec<&Difference>) = differences.iter().partition(|d| is_main(d));
    let span = |d: &&Difference| Span {
        name: spaced(d.group.unwrap_or_default()),
        value: d.difference,
        ends: d.ends,
    };
    let clear = groups.iter().filter(|d| d.is_clear()).count();
    let summary =
        format!("Differences of {} groups with 95 percent intervals; {clear} leave zero out.", groups.len());
    let all: Vec<Span> = groups.iter().map(span).collect();
    let chart = spans("Difference by group", &summary, "difference, points of percent", &all);
    let caption = "Both predictions, in percent; bold where the interval of the difference leaves zero out";
    let rest = Block::table(table(&rest, caption));
    Ok(vec![
        Block::heading(format!("Against {}", against.name)),
        Block::Notes { notes },
        Block::charts(vec![chart]),
        Block::table(table(&groups, caption)),
        Block::fold("Differences of each joint, and of the areas under the curves", vec![rest]),
    ])
}

fn table(differences: &[&Difference], caption: &str) -> Table {
    let row = |d: &&Difference| -> Vec<Cell> {
        let of = d.joint.as_deref().or(d.group).unwrap_or_default();
        let at = d.threshold.map_or_else(String::new, |threshold| format!(" at {threshold}"));
        vec![
            format!("{} {}{at}", spaced(of), d.metric).into(),
            number(d.one).into(),
            number(d.other).into(),
            Cell::strong(signed(d.difference), d.is_clear()),
            signed_interval(d.ends).into(),
            count(d.count).into(),
        ]
    };
    let head = ["figure", "this", "other", "difference", "95 % interval", "annotated"];
    Table::new(caption, head, differences.iter().map(row).collect())
}
