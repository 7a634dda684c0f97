//! One page about a check: what each rule counted, and its clearest findings as pictures.

use schemas::Skeleton;
use schemas::tables::findings::Finding;

use super::super::error::ReportError;
use super::super::findings::{Drawn, RING, Shown, drawn};
use super::super::palette;
use super::super::words::count;
use super::content::{Block, Card, Cell, Figure, Section, Table};
use super::{ReportOptions, pictures, template};
use stages::check::{Checked, RuleSummary};

/// Most findings of a rule that are listed; the table holds all.
const LISTED: usize = 100;

/// The page of `checked` with the pictures of `shown`, whose people follow `skeleton`.
///
/// # Errors
/// When a template is not valid, which a test rules out.
pub fn findings_page(
    checked: &Checked,
    skeleton: &Skeleton,
    shown: &[Shown<'_>],
    options: &ReportOptions,
) -> Result<String, ReportError> {
    let mut drawings: Vec<(&Shown<'_>, Drawn)> =
        shown.iter().zip(drawn(skeleton, shown, options.image_root.as_deref(), options.tile_px)).collect();
    let mut sections = vec![overview(checked)];
    let mut cards = Vec::new();
    for row in checked.summary.iter().filter(|row| row.findings > 0) {
        let (ours, rest): (Vec<_>, Vec<_>) =
            drawings.into_iter().partition(|(shown, _)| shown.finding.rule == row.rule.name());
        drawings = rest;
        sections.push(of_rule(row, checked, ours, options));
        let share = row.share().map_or_else(String::new, |share| format!("{share:.1} % of those checked"));
        cards.push(Card {
            title: row.rule.name().to_owned(),
            value: count(i128::from(row.findings)),
            detail: format!("{} people, {share}", count(i128::from(row.people))),
            target: row.rule.name().to_owned(),
        });
    }
    template::render(options, &[], &cards, &sections)
}

fn overview(checked: &Checked) -> Section {
    let row = |row: &RuleSummary| -> Vec<Cell> {
        vec![
            row.rule.name().into(),
            count(i128::from(row.findings)).into(),
            count(i128::from(row.people)).into(),
            Cell::or_dash(row.share().map(|share| format!("{share:.1} %"))),
            count(i128::from(row.checked)).into(),
            count(i128::from(row.left_out())).into(),
            row.rule.about().into(),
        ]
    };
    let head = ["rule", "findings", "people", "share", "checked", "not checked", "what it looks for"];
    let table = Table::new("What each rule found", head, checked.summary.iter().map(row).collect());
    let blocks = vec![Block::table(table.words_from(6)), Block::Notes { notes: checked.notes.clone() }];
    let lead =
        "A finding is a suspicion with a value, unless it says error. No annotation was changed.".to_owned();
    Section { id: "overview".into(), title: "Overview".into(), lead, blocks }
}

fn of_rule(
    row: &RuleSummary,
    checked: &Checked,
    drawings: Vec<(&Shown<'_>, Drawn)>,
    options: &ReportOptions,
) -> Section {
    let mut blocks = Vec::new();
    if !drawings.is_empty() {
        let figures = drawings.into_iter().map(|(shown, drawn)| figure(shown, drawn, options)).collect();
        let keys = pictures::keys([
            (palette::LEFT, "left side"),
            (palette::RIGHT, "right side"),
            (palette::CENTRE, "middle"),
            (palette::TRUTH, "the other person"),
            (RING, "the joint"),
        ]);
        blocks.push(Block::Gallery { figures, keys });
    }
    let ours: Vec<&Finding> =
        checked.findings.iter().filter(|finding| finding.rule == row.rule.name()).collect();
    let listed = ours.len().min(LISTED);
    let caption = format!("{listed} of {} findings", count(ours.len() as i64));
    let title = format!("{} one by one", row.rule);
    blocks.push(Block::fold(title, vec![Block::table(list(&ours[..listed], caption))]));
    let id = row.rule.name().to_owned();
    Section { title: id.clone(), id, lead: row.rule.about().to_owned(), blocks }
}

fn list(findings: &[&Finding], caption: String) -> Table {
    let text = |text: &Option<String>| Cell::or_dash(text.as_deref());
    let number = |value: Option<f64>| Cell::or_dash(value.map(|value| format!("{value:.2}")));
    let row = |finding: &&Finding| -> Vec<Cell> {
        vec![
            finding.sample_id.clone().unwrap_or_else(|| finding.dataset.clone()).into(),
            number(finding.value),
            number(finding.limit),
            text(&finding.unit),
            finding.severity.name().into(),
            text(&finding.joint),
            finding.detail.clone().into(),
            text(&finding.other_sample_id),
        ]
    };
    let head = ["id", "value", "limit", "unit", "severity", "joint", "what was found", "other"];
    Table::new(caption, head, findings.iter().map(row).collect()).words_from(3)
}

fn figure(shown: &Shown<'_>, drawn: Drawn, options: &ReportOptions) -> Figure {
    let finding = shown.finding;
    let name = finding.sample_id.clone().unwrap_or_default();
    let alt = format!("Picture of {name}: {}", finding.detail);
    let caption = match &finding.joint {
        Some(joint) => format!("{joint}: {}", finding.detail),
        None => finding.detail.clone(),
    };
    pictures::figure(drawn, options.tile_px, [name, alt, caption])
}
