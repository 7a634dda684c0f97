//! One static page about a run: what was read, how good it is, where it goes wrong.
//!
//! [`page`] takes rows and gives the text of one HTML file that needs nothing else: pictures, charts and styles are in
//! it, no address is loaded, and a browser without network or scripts shows it whole. `pose` and `verification` turn
//! numbers into the blocks of [`content`], charts among them; the markup stands in `templates/`.

mod content;
mod findings;
mod pictures;
mod pose;
mod sources;
mod template;
mod verification;

use std::path::PathBuf;

use schemas::tables::metrics::Metric;
use schemas::tables::rejects::Reject;

pub use findings::findings_page;
pub use pose::{AgainstPoses, PoseInput, disagreeing};
pub use sources::Source;
pub use verification::VerificationInput;

use self::content::{Block, Card, Section};
use super::error::ReportError;

/// How many people the gallery shows unless asked otherwise: three rows of four on a wide screen.
pub const DEFAULT_WORST: usize = 12;
/// The most people of a gallery: at about 30 kB each they stay well below what a browser takes.
pub const MOST_WORST: usize = 300;
/// Side of a tile of the gallery, px.
pub const TILE_PX: u32 = 240;

/// How a page is made.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportOptions {
    /// Heading of the page.
    pub title: String,
    /// How many of the worst people are shown.
    pub worst: usize,
    /// Side of their tiles, px.
    pub tile_px: u32,
    /// How often people are drawn anew where intervals are not in a metric table; 0 for none.
    pub resamples: u32,
    /// Folder that relative image paths start from; the working folder where `None`.
    pub image_root: Option<PathBuf>,
    /// Version of motionmill, at the foot of the page.
    pub version: String,
}

/// What a page is made of.
pub struct Report<'a> {
    /// Every table that was found.
    pub sources: Vec<Source>,
    /// Predictions of people.
    pub poses: Vec<PoseInput<'a>>,
    /// Scores of who holds the phone.
    pub verifications: Vec<VerificationInput>,
    /// Rows of `rejects` tables.
    pub rejects: Vec<Reject>,
    /// Numbers that no section shows.
    pub further: Vec<Metric>,
    /// What a reader must know about what was found.
    pub notes: Vec<String>,
}

/// What sections give besides themselves.
#[derive(Debug, Default)]
pub struct Given {
    cards: Vec<Card>,
    rejects: Vec<Reject>,
}

/// A page, and what could not be shown on it.
#[derive(Debug)]
pub struct Page {
    /// The HTML file.
    pub html: String,
    /// Rows that were to be shown and could not be, with the reason; they stand on the page too.
    pub rejects: Vec<Reject>,
}

/// The page of `report`.
///
/// # Errors
/// When the options are out of range, tables do not belong together, or there is nothing to score.
pub fn page(report: &Report<'_>, options: &ReportOptions) -> Result<Page, ReportError> {
    if options.worst > MOST_WORST {
        return Err(ReportError::GalleryTooLarge { people: options.worst, most: MOST_WORST });
    }
    let mut given = Given::default();
    let mut sections: Vec<Section> = Vec::new();
    for input in &report.poses {
        sections.push(pose::section(input, options, &mut given)?);
    }
    for input in &report.verifications {
        sections.push(verification::section(input, options, &mut given)?);
    }
    sections.extend(sources::further(&report.further));
    let mut rejects = report.rejects.clone();
    rejects.extend(given.rejects.iter().cloned());
    sections.push(sources::rejected(&report.sources, &rejects));
    let mut provenance = sources::provenance(&report.sources);
    provenance.blocks.insert(0, Block::Notes { notes: report.notes.clone() });
    sections.push(provenance);
    distinct_anchors(&mut sections, &mut given.cards);
    let html = template::render(options, &sources::facts(&report.sources), &given.cards, &sections)?;
    Ok(Page { html, rejects: given.rejects })
}

/// Two sections whose names differ in signs alone would share an anchor; the later gets a number.
fn distinct_anchors(sections: &mut [Section], cards: &mut [Card]) {
    for at in 1..sections.len() {
        let (before, rest) = sections.split_at_mut(at);
        let clash = before.iter().any(|section| section.id == rest[0].id);
        if clash {
            let id = format!("{}-{at}", rest[0].id);
            for card in cards.iter_mut().filter(|card| card.target == rest[0].id).skip(1) {
                card.target.clone_from(&id);
            }
            rest[0].id = id;
        }
    }
}

#[cfg(test)]
mod tests;
