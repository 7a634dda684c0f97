//! Error types as a chart and a table.

use schemas::tables::metrics::Metric;

use super::super::super::chart::{Figure, Segment, StackedBar, stacked_bars};
use super::super::super::words::{count, number, spaced};
use super::super::content::{Block, Cell, Table};
use stages::evaluate::error_types::{ErrorType, GOOD_SIMILARITY, NEAR_SIMILARITY};
use stages::evaluate::{EvaluateOptions, OutputHead, ScoredPoses, error_types};

/// Shares by group as bars, and by joint as a table; `None` where the protocol scores no joints.
pub(super) fn errors(
    scored: &ScoredPoses<'_>,
    head: OutputHead<'_>,
    options: &EvaluateOptions,
    notes: &mut Vec<String>,
) -> Option<(Figure, Block)> {
    let rows = error_types(scored, head, options, notes)?;
    let five: Vec<&[Metric]> = rows.chunks(ErrorType::ALL.len()).collect();
    let groups = five.iter().filter(|rows| rows[0].group.is_some());
    let bars: Vec<StackedBar> = groups
        .map(|rows| StackedBar {
            name: spaced(rows[0].group.as_deref().unwrap_or_default()),
            parts: rows.iter().map(|row| row.value).collect(),
        })
        .collect();
    let segment = |class: ErrorType| Segment {
        label: class.name().to_owned(),
        class: format!("error-{}", class.name()),
    };
    let total = bars.last().map(|bar| bar.parts.clone()).unwrap_or_default();
    let summary: Vec<String> = ErrorType::ALL
        .iter()
        .zip(&total)
        .map(|(class, share)| format!("{} {share:.1}", class.name()))
        .collect();
    let summary = format!("Of all joints, in percent: {}.", summary.join(", "));
    let segments = ErrorType::ALL.map(segment);
    let chart =
        stacked_bars("What becomes of joints", &summary, "share of annotated joints, %", &segments, &bars);
    Some((chart, Block::table(table(&five))))
}

fn table(five: &[&[Metric]]) -> Table {
    let mut head = vec!["joint".to_owned()];
    head.extend(ErrorType::ALL.iter().flat_map(|class| [class.name().to_owned(), "95 %".to_owned()]));
    head.push("annotated".to_owned());
    let row = |rows: &&[Metric]| {
        let of = rows[0].joint.as_deref().or(rows[0].group.as_deref()).unwrap_or_default();
        let mut cells: Vec<Cell> = vec![spaced(of).into()];
        for row in *rows {
            cells.push(number(row.value).into());
            let ends = row.ci_low.zip(row.ci_high).map(|(low, high)| format!("{low:.1}–{high:.1}"));
            cells.push(ends.unwrap_or_default().into());
        }
        cells.push(count(rows[0].count).into());
        cells
    };
    let wanted = |rows: &&&[Metric]| rows[0].joint.is_some() || rows[0].group.as_deref() == Some("total");
    Table::new("Error types of each joint, in percent", head, five.iter().filter(wanted).map(row).collect())
}

/// What the classes mean, with the limits that hold here.
pub(super) fn words(scored: &ScoredPoses<'_>) -> Block {
    Block::text(format!(
        "After Ronchi and Perona (2017): good has a keypoint similarity of {GOOD_SIMILARITY} or more, jitter of \
         {NEAR_SIMILARITY} or more; an inversion is near the same person's joint of the other side, a swap near another \
         person's joint, a miss near neither. The limits are theirs. That a similarity of {NEAR_SIMILARITY} is this \
         protocol's threshold of {} is our choice, since only COCO has constants for each joint; so good and jitter add \
         up to what the protocol counts as right.",
        scored.headline()
    ))
}
