//! One page about a check: what each rule counted, and its clearest findings as pictures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datasets::pixels::encode_jpeg;
use image::{RgbImage, imageops};
use schemas::Skeleton;
use schemas::tables::findings::Finding;

use super::super::findings::{Drawn, RING, Shown, drawn};
use super::super::palette;
use super::content::{Block, Card, Cell, Figure, Section, Swatch, Table, count};
use super::{ReportOptions, template};
use stages::check::{Checked, RuleSummary};
use stages::stage::StageError;

/// Quality of the pictures: at 80, skeletons and faces stay clear and a tile of 240 px takes about 12 kB.
const JPEG_QUALITY: u8 = 80;
/// Between the tiles of one finding, px.
const SEAM_PX: u32 = 2;
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
) -> Result<String, StageError> {
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
            row.share().map_or_else(|| "–".to_owned(), |share| format!("{share:.1} %")).into(),
            count(i128::from(row.checked)).into(),
            count(i128::from(row.left_out())).into(),
            row.rule.about().into(),
        ]
    };
    let head = ["rule", "findings", "people", "share", "checked", "not checked", "what it looks for"];
    let table = Table {
        caption: "What each rule found".to_owned(),
        head: head.map(str::to_owned).to_vec(),
        rows: checked.summary.iter().map(row).collect(),
        words_from: 6,
    };
    let blocks = vec![Block::Table { table }, Block::Notes { notes: checked.notes.clone() }];
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
        blocks.push(Block::Gallery { figures, keys: keys() });
    }
    let ours: Vec<&Finding> =
        checked.findings.iter().filter(|finding| finding.rule == row.rule.name()).collect();
    let listed = ours.len().min(LISTED);
    let caption = format!("{listed} of {} findings", count(ours.len() as i64));
    let title = format!("{} one by one", row.rule);
    blocks.push(Block::fold(title, vec![Block::Table { table: list(&ours[..listed], caption) }]));
    let id = row.rule.name().to_owned();
    Section { title: id.clone(), id, lead: row.rule.about().to_owned(), blocks }
}

fn list(findings: &[&Finding], caption: String) -> Table {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    let row = |finding: &&Finding| -> Vec<Cell> {
        vec![
            finding.sample_id.clone().unwrap_or_else(|| finding.dataset.clone()).into(),
            number(finding.value).into(),
            number(finding.limit).into(),
            text(&finding.unit).into(),
            finding.severity.name().into(),
            text(&finding.joint).into(),
            finding.detail.clone().into(),
            text(&finding.other_sample_id).into(),
        ]
    };
    let head = ["id", "value", "limit", "unit", "severity", "joint", "what was found", "other"];
    Table {
        caption,
        head: head.map(str::to_owned).to_vec(),
        rows: findings.iter().map(row).collect(),
        words_from: 3,
    }
}

fn figure(shown: &Shown<'_>, drawn: Drawn, options: &ReportOptions) -> Figure {
    let finding = shown.finding;
    let name = finding.sample_id.clone().unwrap_or_default();
    let alt = format!("Picture of {name}: {}", finding.detail);
    let caption = match &finding.joint {
        Some(joint) => format!("{joint}: {}", finding.detail),
        None => finding.detail.clone(),
    };
    let encoded = drawn.and_then(|tiles| {
        let page = side_by_side(&tiles);
        let (width, height) = page.dimensions();
        let bytes = encode_jpeg(page.as_raw(), width, height, JPEG_QUALITY);
        let bytes = bytes.map_err(|error| error.to_string())?;
        Ok((format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)), [width, height]))
    });
    match encoded {
        Ok((source, size)) => Figure { source, size, alt, missing: String::new(), name, caption },
        Err(missing) => {
            let size = [options.tile_px, options.tile_px];
            Figure { source: String::new(), size, alt, missing, name, caption }
        }
    }
}

fn side_by_side(tiles: &[RgbImage]) -> RgbImage {
    let seams = (tiles.len() as u32).saturating_sub(1) * SEAM_PX;
    let width = tiles.iter().map(RgbImage::width).sum::<u32>() + seams;
    let height = tiles.iter().map(RgbImage::height).max().unwrap_or(1);
    let mut page = RgbImage::from_pixel(width.max(1), height, image::Rgb(palette::PAGE));
    let mut x = 0;
    for tile in tiles {
        imageops::replace(&mut page, tile, i64::from(x), 0);
        x += tile.width() + SEAM_PX;
    }
    page
}

fn keys() -> Vec<Swatch> {
    let hex = |[r, g, b]: palette::Rgb| format!("#{r:02x}{g:02x}{b:02x}");
    let entries = [
        (palette::LEFT, "left side"),
        (palette::RIGHT, "right side"),
        (palette::CENTRE, "middle"),
        (palette::TRUTH, "the other person"),
        (RING, "the joint"),
    ];
    entries.map(|(colour, label)| Swatch { colour: hex(colour), label: label.to_owned() }).to_vec()
}
