//! The same predictions by other named protocols.

use super::super::super::words::number;
use super::super::content::{Block, Cell, Table};
use super::scores::{Scores, at};
use super::{PoseInput, headline};
use stages::evaluate::table::heading;
use stages::evaluate::{OutputHead, Protocol};

/// What stands above its tables.
const CAPTION: &str = "The same predictions by named protocols, in percent";

/// The same predictions by the other protocols of the same data set, those named first.
pub(super) fn conventions(input: &PoseInput<'_>, protocol: Protocol, scores: &Scores) -> Block {
    let family = |protocol: Protocol| protocol.name().split('-').next().unwrap_or_default();
    let beside = Protocol::ALL.into_iter().filter(|other| family(*other) == family(protocol));
    let mut all: Vec<Protocol> = input.protocols.clone();
    all.extend(beside.filter(|other| !input.protocols.contains(other)));
    let OutputHead { model, number: head } = scores.head();
    let mut blocks = Vec::new();
    let mut notes = Vec::new();
    for other in all {
        let Some(rules) = other.rules_of(input.truth_skeleton) else {
            notes.push(format!(
                "{other} compares no places; its numbers stand under further figures if the run has them"
            ));
            continue;
        };
        let rows = match input.evaluated(other, 0) {
            Ok(evaluation) => evaluation.metrics,
            Err(error) => {
                notes.push(format!("{other} does not apply: {error}"));
                continue;
            }
        };
        let of = |group: &str| {
            rows.iter().find(|row| {
                row.head == Some(head)
                    && row.model == model
                    && row.metric == rules.metric
                    && row.group.as_deref() == Some(group)
                    && row.threshold == Some(at(rules.headline_hundredth))
            })
        };
        if rows.is_empty() {
            notes.push(format!("{other} does not apply: nobody has what it divides errors by"));
            continue;
        }
        let mut row: Vec<Cell> = vec![other.name().into()];
        row.extend(rules.groups.iter().map(|group| {
            let cell = Cell::or_dash(of(group.name).map(|row| number(row.value)));
            Cell { strong: group.name == "total", ..cell }
        }));
        let mut head = vec![headline(rules)];
        head.extend(rules.groups.iter().map(|group| heading(group.name).to_owned()));
        match blocks.iter_mut().find(|table: &&mut Table| table.head == head) {
            Some(table) => table.rows.push(row),
            None => blocks.push(Table::new(CAPTION, head, vec![row])),
        }
    }
    let mut content: Vec<Block> = blocks.into_iter().map(Block::table).collect();
    content.push(Block::Notes { notes });
    Block::fold("Other conventions", content)
}
