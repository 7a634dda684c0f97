//! The fixed phrases under which readers of motion logs reject lines, files and folders.

/// A line of nothing, or of blanks.
pub const EMPTY_LINE: &str = "empty line";
/// A line of fewer columns than the log has.
pub const MISSING_COLUMN: &str = "missing column";
/// A line of more columns than the log has.
pub const EXTRA_COLUMN: &str = "extra column";
/// The last line, without its end, that cannot be used.
pub const TRUNCATED_LINE: &str = "truncated line";
/// A cell that must hold something is empty.
pub const EMPTY_CELL: &str = "empty cell";
/// A cell holds text where a number must be.
pub const NOT_A_NUMBER: &str = "not a number";
/// A reading is `NaN` or infinite.
pub const NOT_FINITE: &str = "not finite";
/// A line below the header that holds no number where numbers must be, such as the units of the columns.
pub const LINE_OF_UNITS: &str = "line of units";
/// A stamp is no date and time, or leaves open which.
pub const NOT_A_MOMENT: &str = "not a date and time";
/// A stamp does not fit into 64 bits of nanoseconds.
pub const STAMP_OUT_OF_RANGE: &str = "stamp out of range";
/// A quoted field does not end on its line, or continues after its closing quote.
pub const BROKEN_QUOTE: &str = "broken quote";
/// A name is not UTF-8.
pub const NOT_UTF8: &str = "not UTF-8";
/// A line is longer than a line of a log can be.
pub const LINE_TOO_LONG: &str = "line too long";
/// The header lacks a column that the plan names, or the plan uses one twice.
pub const COLUMNS_DO_NOT_FIT: &str = "columns do not fit";
/// A file without a single line.
pub const EMPTY_FILE: &str = "empty file";
/// A file of a header alone.
pub const FILE_WITHOUT_READINGS: &str = "file without readings";
/// A session lacks a sensor that the data set has.
pub const SENSOR_MISSING: &str = "sensor missing";
/// A log of a sensor of a session beside another one of the same time.
pub const SECOND_LOG: &str = "second log of a sensor";
/// A folder in which no log was found.
pub const FOLDER_WITHOUT_DATA: &str = "folder without data";
/// A second folder of the same subject and session.
pub const DUPLICATE_SESSION: &str = "duplicate session";
/// Readings outside all spans that the events give.
pub const OUTSIDE_ANY_SESSION: &str = "outside any session";
/// An event that starts a span that is already open, or ends one that is not.
pub const EVENT_OUT_OF_PLACE: &str = "event out of place";
/// An entry of an archive that would be written outside it.
pub const PATH_LEAVES_ARCHIVE: &str = "path leaves the archive";
/// A file that is no readable archive.
pub const NOT_AN_ARCHIVE: &str = "not an archive";
/// An entry of an archive that cannot be unpacked, or whose checksum is wrong.
pub const CORRUPT_ENTRY: &str = "corrupt entry";
/// An entry of an archive that is longer than a log can be.
pub const ENTRY_TOO_LONG: &str = "entry too long";
/// An activity whose task the data set's description does not list.
pub const UNKNOWN_TASK: &str = "unknown task";
