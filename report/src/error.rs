//! Why rows could not be drawn, or a page not be made.

use schemas::{Fault, Hinted, SchemaError};
use stages::StageError;
use stages::evaluate::EvaluateError;
use stages::evaluate::verification::VerificationError;

/// Why rows could not be drawn, or a page not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A picture has no area, or a side that viewers do not open.
    #[error("a picture of {width} x {height} px cannot be drawn; sides are from 1 to {most} px")]
    PictureSize {
        /// Width, px.
        width: u32,
        /// Height, px.
        height: u32,
        /// The largest side, px.
        most: u32,
    },
    /// A number of the options is out of its range.
    #[error("the number of {what} must be from {least} to {most}, found {found}")]
    OutOfRange {
        /// What is counted.
        what: &'static str,
        /// The least that it may be.
        least: usize,
        /// The most that it may be.
        most: usize,
        /// What it is.
        found: usize,
    },
    /// More people are to be shown than a page holds.
    #[error("a gallery cannot show {people} people")]
    GalleryTooLarge {
        /// How many were asked for.
        people: usize,
        /// The most of them.
        most: usize,
    },
    /// The threshold is no number.
    #[error("the threshold must be a finite score, found {threshold}")]
    Threshold {
        /// What was asked for.
        threshold: f64,
    },
    /// Predictions and people follow different skeletons.
    #[error("predictions follow `{predictions}`, the people `{people}`")]
    SkeletonsDiffer {
        /// Skeleton of the predictions.
        predictions: &'static str,
        /// Skeleton of the people.
        people: &'static str,
    },
    /// A table of heatmaps has none.
    #[error("a table of heatmaps has no column `heatmaps`")]
    NoHeatmaps,
    /// No protocol was named.
    #[error("no protocol to score by")]
    NoProtocol,
    /// A table has no row.
    #[error("there are no rows of {table} to draw")]
    NoRows {
        /// What the rows would be.
        table: &'static str,
    },
    /// A table is none that holds signals.
    #[error("the rows are none of `readings`, `signals` and `windows`, so there is no signal to draw")]
    NoSignals,
    /// The names of channels are not as many as the channels.
    #[error("the metadata names {named} channels, the samples have {found}")]
    ChannelCount {
        /// Names in the metadata.
        named: usize,
        /// Channels of the samples.
        found: usize,
    },
    /// No series of trials has both kinds of them.
    #[error("no trials can be drawn: {reasons}")]
    NoSeries {
        /// What was left out and why.
        reasons: String,
    },
    /// There are more series of trials than colours.
    #[error("{found} series of trials cannot be told apart in one plot; {most} can")]
    TooManySeries {
        /// How many there are.
        found: usize,
        /// How many have a colour.
        most: usize,
    },
    /// A table lacks a column or has one of another type.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Tables could not be read or scored.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A figure makes no valid SVG, which is a bug.
    #[error("a figure cannot be drawn: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// A template is not valid, which is a bug.
    #[error("the page cannot be set: {0:#}")]
    Template(#[from] minijinja::Error),
}

impl Hinted for ReportError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::PictureSize { .. } => "ask for fewer rows",
            Self::OutOfRange { what, least, most, .. } => {
                return Some(format!("ask for {least} to {most} {what}"));
            }
            Self::GalleryTooLarge { most, .. } => {
                return Some(format!("ask for at most {most} with `--worst`"));
            }
            Self::Threshold { .. } => "give a threshold among the scores",
            Self::SkeletonsDiffer { .. } => "give people that were mapped to the skeleton of the predictions",
            Self::NoHeatmaps => "name another with `--heatmaps`",
            Self::NoProtocol => "name one with `--protocol`",
            Self::NoRows { .. } => "give a table that has rows",
            Self::NoSignals => "give a table with a column `window`, `signal` or `stamp_nanos`",
            Self::NoSeries { .. } => "give genuine and impostor trials with finite scores",
            Self::TooManySeries { .. } => "keep fewer models, normalisations and splits",
            Self::Svg(_) | Self::Template(_) => "this is a bug; please report it",
            Self::Stage(error) => return error.hint(),
            Self::Schema(error) => return error.hint(),
            Self::ChannelCount { .. } => return None,
        };
        Some(hint.to_owned())
    }

    fn fault(&self) -> Fault {
        match self {
            Self::NoRows { .. }
            | Self::ChannelCount { .. }
            | Self::NoSeries { .. }
            | Self::TooManySeries { .. }
            | Self::NoSignals
            | Self::NoHeatmaps => Fault::Data,
            Self::Schema(error) => error.fault(),
            Self::Stage(error) => error.fault().unwrap_or_default(),
            _ => Fault::Config,
        }
    }
}

/// That `found`, a number of `what`, is from `least` to `most`.
///
/// # Errors
/// When it is not.
pub(crate) fn within(what: &'static str, found: usize, least: usize, most: usize) -> Result<(), ReportError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(ReportError::OutOfRange { what, least, most, found })
}

impl From<EvaluateError> for ReportError {
    fn from(error: EvaluateError) -> Self {
        Self::Stage(error.into())
    }
}

impl From<VerificationError> for ReportError {
    fn from(error: VerificationError) -> Self {
        Self::Stage(error.into())
    }
}
