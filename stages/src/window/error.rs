//! Why signals could not be made, changed or cut.

use schemas::{Fault, Hinted};

use crate::StageError;

/// Why signals could not be made, changed or cut.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum WindowError {
    /// No sensor is to be resampled.
    #[error("`sensors` names no sensor")]
    NoSensors,
    /// Gaps may be so long that interpolating over them would fill the memory.
    #[error("a gap of {gap} ms at {rate} Hz would be drawn over with more than {most} samples")]
    LongGap { gap: f64, rate: f64, most: f64 },
    /// A column cannot hold so many samples.
    #[error("a batch of signals would hold {samples} samples; the most is {}", i32::MAX)]
    LongSignals { samples: usize },
    /// No kind of channel is named, or one twice.
    #[error("`channels` must name one kind of channel or more, each once")]
    Kinds,
    /// Features of vectors need whole vectors.
    #[error("the channels `{channels}` hold no x, y and z of a sensor")]
    NoVectors { channels: String },
    /// Two channels would have one name.
    #[error("the signals have a channel `{channel}` already")]
    ChannelTwice { channel: String },
    /// No signal is of the split.
    #[error("none of {signals} signals is of split `{split}`: there is nothing to fit on")]
    NothingToFit { signals: usize, split: String },
    /// A device is to be normalised in two ways.
    #[error("there are two normalisers for device `{device}`")]
    TwoNormalisers { device: String },
    /// The normalisers are of other channels.
    #[error("the normalisers were fitted on the channels `{fitted}`, the signals have `{found}`")]
    OtherChannels { fitted: String, found: String },
    /// There is no gain between the two.
    #[error("`gain_low` must be at most `gain_high`, found {low} and {high}")]
    Gains { low: f64, high: f64 },
    /// A channel was computed from vectors that would be rotated without it.
    #[error("channel `{channel}` would no longer fit the vectors that are turned")]
    LeftBehind { channel: String },
    /// Only whole vectors can be turned.
    #[error("the channels `{channels}` are not x, y and z of each sensor")]
    NotVectors { channels: String },
    /// There is no memory for what a batch would become.
    #[error("a batch of {what} would hold {numbers} numbers, more than there is memory for")]
    NoRoom { what: &'static str, numbers: usize },
    /// A batch would become more windows than make sense.
    #[error("a batch of signals would give {windows} windows; the most is {most}")]
    ManyWindows { windows: usize, most: usize },
    /// A row cannot hold such a window.
    #[error("a window of {blocks} blocks of {samples} samples is too long for a row")]
    LongWindow { blocks: usize, samples: usize },
}

/// Makes room for `more` numbers in `numbers`, those of `what`.
///
/// # Errors
/// When the system has no memory for them.
pub(super) fn reserve(numbers: &mut Vec<f32>, more: usize, what: &'static str) -> Result<(), StageError> {
    let all = numbers.len().saturating_add(more);
    numbers.try_reserve(more).map_err(|_| StageError::step(WindowError::NoRoom { what, numbers: all }))
}

impl Hinted for WindowError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoSensors => "leave the key out for both",
            Self::LongGap { .. } => "lower `max_gap_ms` or `rate_hz`",
            Self::LongSignals { .. } => "give fewer sessions at once, or lower `rate_hz`",
            Self::NoRoom { .. } => "lower `runner.batch_rows`, or `rate_hz`, or raise `stride_samples`",
            Self::ManyWindows { .. } => "raise `stride_samples`, or lower `runner.batch_rows`",
            Self::Kinds => "choose from `raw`, `magnitude` and `angles`",
            Self::NoVectors { .. } => "put `features` before stages that take channels away",
            Self::ChannelTwice { .. } => "leave its kind out of `channels`",
            Self::NothingToFit { .. } => "split the rows first, or set `split`; `*` takes all rows",
            Self::TwoNormalisers { .. } => "give the rows of one `fit_normaliser`",
            Self::OtherChannels { .. } => "fit on the rows that are normalised",
            Self::Gains { .. } => "swap them",
            Self::LeftBehind { .. } | Self::NotVectors { .. } => "put `rotate_frame` before `features`",
            Self::LongWindow { .. } => "lower `blocks` or `block_samples`",
        };
        Some(hint.to_owned())
    }

    fn fault(&self) -> Fault {
        match self {
            Self::LongSignals { .. }
            | Self::NoRoom { .. }
            | Self::ManyWindows { .. }
            | Self::NothingToFit { .. }
            | Self::TwoNormalisers { .. } => Fault::Data,
            _ => Fault::Config,
        }
    }
}
