//! Two predictions of the same people, with the interval of their difference.

use schemas::Skeleton;

use super::super::chart::{Span, spans};
use super::super::content::{Block, Cell, Table, count, number};
use super::{PoseInput, words};
use crate::evaluate::compare::Predicted;
use crate::evaluate::scored::Head;
use crate::evaluate::{Comparison, Difference, EvaluateOptions, PredictedPose, compare_poses};
use crate::stage::StageError;

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
pub fn blocks(
    input: &PoseInput<'_>,
    against: &AgainstPoses<'_>,
    (_, stage): Head<'_>,
    options: &EvaluateOptions,
) -> Result<Vec<Block>, StageError> {
    let last = against.predictions.iter().map(|pose| pose.stage).max().unwrap_or(1);
    let of = |poses: &[PredictedPose], stage: i32| -> Vec<PredictedPose> {
        poses.iter().filter(|pose| pose.stage == stage).cloned().collect()
    };
    let (ours, theirs) = (of(input.predictions, stage), of(against.predictions, last));
    let one = Predicted { poses: &ours, skeleton: input.prediction_skeleton };
    let other = Predicted { poses: &theirs, skeleton: against.skeleton };
    let compared = compare_poses(input.truth, input.truth_skeleton, one, other, options)?;
    let Some(Comparison { people, differences, mut notes }) = compared else { return Ok(Vec::new()) };
    let model = theirs.first().map(|pose| pose.model.as_str()).unwrap_or_default();
    notes.insert(0, format!(
        "{} people, each drawn for both at once. The other is {model}, output head {last}, of {}. Above zero, this one is better.",
        count(people as i64),
        against.name
    ));
    let is_group = |d: &&Difference| d.group.is_some() && d.threshold.is_some();
    let span =
        |d: &Difference| Span { name: words(d.group.unwrap_or_default()), value: d.difference, ends: d.ends };
    let groups: Vec<Span> = differences.iter().filter(is_group).map(span).collect();
    let clear = differences.iter().filter(is_group).filter(|d| d.is_clear()).count();
    let summary =
        format!("Differences of {} groups with 95 percent intervals; {clear} leave zero out.", groups.len());
    let chart = spans("Difference by group", &summary, "difference, points of percent", &groups);
    let mut blocks = vec![Block::heading(format!("Against {}", against.name)), Block::Notes { notes }];
    blocks.push(Block::Charts { charts: vec![chart] });
    blocks.push(Block::Table { table: table(&differences) });
    Ok(blocks)
}

fn table(differences: &[Difference]) -> Table {
    let row = |d: &Difference| -> Vec<Cell> {
        let of = d.joint.as_deref().or(d.group).unwrap_or_default();
        let at = d.threshold.map_or_else(String::new, |threshold| format!(" at {threshold}"));
        let ends = d.ends.map_or_else(String::new, |[low, high]| format!("{low:+.2} to {high:+.2}"));
        vec![
            format!("{} {}{at}", words(of), d.metric).into(),
            number(d.one).into(),
            number(d.other).into(),
            Cell { text: format!("{:+.2}", d.difference), bar: None, strong: d.is_clear() },
            ends.into(),
            count(d.count).into(),
        ]
    };
    let head = ["", "this", "other", "difference", "95 % interval", "annotated"].map(str::to_owned).to_vec();
    let caption =
        "Both predictions, in percent; bold where the interval of the difference leaves zero out".to_owned();
    Table { caption, head, rows: differences.iter().map(row).collect(), words_from: usize::MAX }
}
