//! Pictures for people: contact sheets of poses, samples and heatmaps.
//!
//! [`contact_sheet`] draws the rows of a `people`, `samples` or `heatmaps` batch, [`prediction_sheet`] those of a
//! `keypoints` batch over the people it belongs to. Rows come in, pixels go out: nothing is written here.

mod caption;
mod heat;
mod layout;
pub mod motion;
mod palette;
mod picture;
mod pose;
mod sheet;
mod tile;

pub use palette::{CENTRE, LEFT, RIGHT};
pub use sheet::{Framing, Sheet, SheetOptions, contact_sheet, prediction_sheet};

#[cfg(test)]
mod tests;
