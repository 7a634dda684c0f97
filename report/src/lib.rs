//! Pictures and pages for people: contact sheets of poses, samples and heatmaps, and one page about a run.
//!
//! [`contact_sheet`] draws the rows of a `people`, `samples` or `heatmaps` batch, [`prediction_sheet`] those of a
//! `keypoints` batch over the people it belongs to, [`page`] sets a whole run. Rows come in, pixels and text go out:
//! nothing is written here.

mod chart;
mod error;
mod error_rates;
pub mod findings;
mod heat;
mod layout;
pub mod motion;
pub mod page;
mod palette;
mod picture;
mod pose;
mod sheet;
mod tile;
mod words;

pub use error::ReportError;
pub use palette::{CENTRE, LEFT, RIGHT};
pub use sheet::{Sheet, SheetOptions, contact_sheet, prediction_sheet};

#[cfg(test)]
mod tests;
