//! The sections about the tables themselves: what was read, what made it, what was rejected, which numbers remain.

use std::collections::{BTreeMap, BTreeSet};

use datasets::shards::Manifest;
use schemas::tables::metrics::Metric;
use schemas::tables::rejects::{self, Reject};

use super::super::words::count;
use super::content::{Block, Cell, Section, Table};
use super::pose::plain_table;

/// Most rejects that are listed one by one; all are counted.
const LISTED: usize = 50;
/// Most further figures that are listed; the tables hold the rest.
const FIGURES: usize = 200;
/// Letters of a hash that tell it from others.
const HASH_LETTERS: usize = 16;

/// One table that was found.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it stands.
    pub path: String,
    /// What it serves for in this report; empty where it is only listed.
    pub role: String,
    /// What it holds and what made it.
    pub manifest: Manifest,
}

/// What made the tables that are shown, in a few words: plans, seeds, versions, engines.
pub(super) fn facts(sources: &[Source]) -> Vec<[String; 2]> {
    let shown =
        || sources.iter().filter(|source| !source.role.is_empty()).map(|source| &source.manifest.provenance);
    let joined = |all: BTreeSet<String>| all.into_iter().collect::<Vec<_>>().join(", ");
    let mut facts = vec![
        ("plans", joined(shown().map(|made| short(&made.plan_hash)).collect())),
        ("seeds", joined(shown().filter_map(|made| made.seed).map(|seed| seed.to_string()).collect())),
        ("made by motionmill", joined(shown().map(|made| made.motionmill.clone()).collect())),
    ];
    let engines: BTreeSet<(&String, &String)> = shown().flat_map(|made| &made.engines).collect();
    facts.extend(engines.into_iter().map(|(name, engine)| (name.as_str(), engine.clone())));
    facts.retain(|(_, value)| !value.is_empty());
    facts.into_iter().map(|(name, value)| [name.to_owned(), value]).collect()
}

fn short(hash: &str) -> String {
    hash.get(..HASH_LETTERS).unwrap_or(hash).to_owned()
}

/// What was read: every table with its counts and hashes.
pub(super) fn provenance(sources: &[Source]) -> Section {
    let row = |source: &Source| -> Vec<Cell> {
        let made = &source.manifest.provenance;
        let splits: Vec<String> = source
            .manifest
            .splits
            .iter()
            .map(|(split, rows)| format!("{split} {}", count(i128::from(*rows))))
            .collect();
        vec![
            source.path.clone().into(),
            count(i128::from(source.manifest.rows)).into(),
            source.manifest.table.clone().into(),
            if source.role.is_empty() { "not shown".into() } else { source.role.clone().into() },
            splits.join(", ").into(),
            format!("{} {}", made.made_by, made.motionmill).into(),
            Cell::or_dash(made.seed.map(|seed| seed.to_string())),
            short(&made.plan_hash).into(),
        ]
    };
    let head = ["path", "rows", "table", "serves as", "splits", "made by", "seed", "plan hash"];
    let (shown, rest): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|source| !source.role.is_empty());
    let table = |sources: &[&Source], caption: &str| {
        let rows = sources.iter().map(|source| row(source)).collect();
        Block::table(Table::new(caption, head, rows).words_from(2))
    };
    let mut blocks = vec![table(&shown, "Tables that this report shows")];
    if !rest.is_empty() {
        let title = format!("{} more tables of the run", rest.len());
        blocks.push(Block::fold(title, vec![table(&rest, "Tables that this report does not show")]));
    }
    blocks.push(Block::fold("Inputs, engines and hashes", vec![inputs(&shown)]));
    let lead = "Two tables of equal hashes hold the same bytes.".to_owned();
    Section { id: "provenance".into(), title: "What was read".into(), lead, blocks }
}

/// What the tables were made from.
fn inputs(sources: &[&Source]) -> Block {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for source in sources {
        let made = &source.manifest.provenance;
        let row = |from: &str, hash: &str| [source.path.as_str(), from, hash].map(Cell::from).to_vec();
        rows.push(row("plan", &made.plan_hash));
        rows.push(row("schema", &source.manifest.schema_hash));
        rows.extend(made.inputs.iter().map(|input| row(&input.path, &input.blake3)));
        rows.extend(made.engines.iter().map(|(name, engine)| row(name, engine)));
    }
    let head = ["table", "from", "BLAKE3, or version"];
    Block::table(Table::new("What each table was made from", head, rows).words_from(1))
}

/// Everything that was left out on the way, counted, and the first rows with their reasons.
pub(super) fn rejected(sources: &[Source], rejects: &[Reject]) -> Section {
    // Every table of one run carries the rejects of that run: they are told once.
    let mut told: BTreeMap<(&str, &str, u64), Vec<&str>> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.manifest.table != rejects::NAME) {
        for (reason, number) in &source.manifest.rejects {
            let key = (source.manifest.provenance.plan_hash.as_str(), reason.as_str(), *number);
            told.entry(key).or_default().push(&source.path);
        }
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for ((_, reason, number), paths) in told {
        rows.push(vec![reason.into(), count(i128::from(number)).into(), paths.join(", ").into()]);
    }
    let mut here: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for reject in rejects.iter().filter(|reject| reject.stage.starts_with("report")) {
        *here.entry((&reject.reason, &reject.stage)).or_default() += reject.rows;
    }
    for ((reason, stage), number) in here {
        rows.push(vec![reason.into(), count(i128::from(number)).into(), stage.into()]);
    }
    let mut blocks = Vec::new();
    if rows.is_empty() {
        blocks.push(Block::text("Nothing was rejected on the way to these tables, nor here."));
    } else {
        let head = ["reason", "rows", "on the way to"];
        let table = Table::new("Rows that could not be used, by reason", head, rows);
        blocks.push(Block::table(table.words_from(2)));
    }
    if !rejects.is_empty() {
        let row = |reject: &Reject| -> Vec<Cell> {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
            vec![
                reject.reason.clone().into(),
                count(i128::from(reject.rows)).into(),
                reject.stage.clone().into(),
                Cell::or_dash(reject.sample_id.as_deref()),
                reject.detail.clone().into(),
                format!("{} {}", text(&reject.source_file), text(&reject.source_record)).into(),
            ]
        };
        let head = ["reason", "rows", "stage", "id", "what was found", "source"];
        let listed = rejects.len().min(LISTED);
        let caption = format!("The first {listed} of {} entries", count(rejects.len() as i64));
        let rows = rejects.iter().take(LISTED).map(row).collect();
        let table = Table::new(caption, head, rows).words_from(2);
        blocks.push(Block::fold("Rejects one by one", vec![Block::table(table)]));
    }
    let lead = "Nothing is dropped in silence: rows in are rows out and these.".to_owned();
    Section { id: "rejects".into(), title: "Rejects".into(), lead, blocks }
}

/// Numbers of metric tables that no section shows; `None` where there are none.
pub(super) fn further(metrics: &[Metric]) -> Option<Section> {
    if metrics.is_empty() {
        return None;
    }
    let rows: Vec<&Metric> = metrics.iter().take(FIGURES).collect();
    let caption = format!("{} of {} rows", count(rows.len() as i64), count(metrics.len() as i64));
    let blocks = vec![Block::fold(
        "Rows of metric tables that stand nowhere above",
        vec![Block::table(plain_table(&rows, &caption))],
    )];
    Some(Section { id: "further".into(), title: "Further figures".into(), lead: String::new(), blocks })
}
