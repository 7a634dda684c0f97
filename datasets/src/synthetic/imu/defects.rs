//! Defects that real data has, one of each, and how a reader must show them.

use crate::imu::reasons;

/// A defect of real logs; those of HMOG are listed in PROTOCOLS.md 5.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// A session without `Accelerometer.csv`.
    MissingAccelerometer,
    /// A subject's folder whose digits are mixed up.
    MixedDigits,
    /// `__MACOSX` and `._` files.
    Junk,
    /// Stamps that repeat.
    DuplicateStamps,
    /// A stamp before the one of the line above.
    BackwardStamp,
    /// Seconds without a reading of either sensor.
    Gap,
    /// A log of no byte.
    EmptyFile,
    /// Text where a number must be.
    TextCell,
    /// `NaN` as a reading.
    NotANumber,
    /// A line that lacks its last columns.
    MissingColumn,
    /// A line of nothing.
    EmptyLine,
    /// A last line that breaks off.
    TruncatedLine,
    /// An activity that `Activity.csv` does not list.
    UnlistedActivity,
    /// A folder of a session without a file.
    EmptyFolder,
    /// An archive's entry whose path begins with `..`.
    LeavingPath,
    /// An archive's entry whose bytes are damaged.
    CorruptEntry,
    /// A subject with one session.
    OneSession,
    /// A session shorter than a window, about 3 s.
    ShortSession,
}

/// How a reader must show a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowsAs {
    /// By a reject of this reason.
    Reject(&'static str),
    /// By a note with these words.
    Note(&'static str),
    /// By the readings themselves, which must come through as they are.
    Readings,
}

/// A defect and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// What is wrong.
    pub defect: Defect,
    /// How it must show.
    pub shows_as: ShowsAs,
    /// Subject, as it is to be read.
    pub subject: String,
    /// Number of the session; 0 where it is not one session's.
    pub session: usize,
    /// The file or folder: the end of the path that readers name.
    pub file: String,
    /// The line, from 1, where it is one line's.
    pub line: Option<u64>,
}

impl Defect {
    /// How a reader must show it.
    pub fn shows_as(self) -> ShowsAs {
        match self {
            Self::MissingAccelerometer => ShowsAs::Reject(reasons::SENSOR_MISSING),
            Self::EmptyFile => ShowsAs::Reject(reasons::EMPTY_FILE),
            Self::TextCell => ShowsAs::Reject(reasons::NOT_A_NUMBER),
            Self::NotANumber => ShowsAs::Reject(reasons::NOT_FINITE),
            Self::MissingColumn => ShowsAs::Reject(reasons::MISSING_COLUMN),
            Self::EmptyLine => ShowsAs::Reject(reasons::EMPTY_LINE),
            Self::TruncatedLine => ShowsAs::Reject(reasons::TRUNCATED_LINE),
            Self::EmptyFolder => ShowsAs::Reject(reasons::FOLDER_WITHOUT_DATA),
            Self::LeavingPath => ShowsAs::Reject(reasons::PATH_LEAVES_ARCHIVE),
            Self::CorruptEntry => ShowsAs::Reject(reasons::CORRUPT_ENTRY),
            Self::MixedDigits => ShowsAs::Note("digits are mixed up"),
            Self::Junk => ShowsAs::Note("of a file manager passed over"),
            Self::UnlistedActivity => ShowsAs::Note("does not list"),
            Self::DuplicateStamps
            | Self::BackwardStamp
            | Self::Gap
            | Self::OneSession
            | Self::ShortSession => ShowsAs::Readings,
        }
    }

    /// Where the defects of a session's logs stand: the subject, counted from 0, and the session, from 1.
    pub(super) fn places(sessions: usize) -> [(Self, usize, usize); 13] {
        [
            (Self::Junk, 0, 1),
            (Self::MissingAccelerometer, 0, sessions),
            (Self::DuplicateStamps, 1, 1),
            (Self::BackwardStamp, 1, 2),
            (Self::Gap, 2, 1),
            (Self::EmptyFile, 2, 2),
            (Self::TextCell, 2, 3),
            (Self::NotANumber, 2, 3),
            (Self::MissingColumn, 2, 3),
            (Self::EmptyLine, 2, 3),
            (Self::TruncatedLine, 2, sessions),
            (Self::UnlistedActivity, 3, 1),
            (Self::ShortSession, 3, 2),
        ]
    }

    /// The log that has it; the folder of the session where that is not one log.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::DuplicateStamps
            | Self::BackwardStamp
            | Self::Gap
            | Self::TextCell
            | Self::MissingColumn
            | Self::EmptyLine
            | Self::TruncatedLine
            | Self::UnlistedActivity => "Accelerometer.csv",
            // Without an accelerometer, the reject names the log that is there.
            Self::MissingAccelerometer | Self::EmptyFile | Self::NotANumber | Self::CorruptEntry => {
                "Gyroscope.csv"
            }
            _ => "",
        }
    }
}
