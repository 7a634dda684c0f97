//! The rate by size, visibility and data set, as a table with bars.

use super::super::super::words::{count, interval};
use super::super::content::{Block, Cell, Table};
use super::headline;
use stages::evaluate::OutputHead;
use stages::evaluate::rules::Rules;
use stages::evaluate::{EvaluateOptions, ScoredPoses, Slice, slices};

/// The table of all slices.
pub(super) fn blocks(
    scored: &ScoredPoses<'_>,
    head: OutputHead<'_>,
    options: &EvaluateOptions,
    rules: &Rules,
) -> Vec<Block> {
    let row = |slice: &Slice| -> Vec<Cell> {
        let label =
            if slice.by == "all" { "all".to_owned() } else { format!("{}: {}", slice.by, slice.label) };
        let [low, high] = slice.ends.map_or([None; 2], |ends| ends.map(Some));
        vec![
            label.into(),
            Cell::barred(slice.value, slice.by == "all"),
            interval(low, high).into(),
            count(slice.people as i64).into(),
            count(slice.count as i64).into(),
        ]
    };
    let columns = ["slice", &headline(rules), "95 % interval", "people", "annotated"];
    let rows = slices(scored, head, options).iter().map(row).collect();
    let caption = "All parts of the total thrown together, in percent; sizes are quarters of the people";
    vec![Block::heading("By size, visibility and data set"), Block::table(Table::new(caption, columns, rows))]
}
