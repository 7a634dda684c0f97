//! One log file, from its bytes to readings and rejects.

use std::io::{self, Read};

use schemas::tables::readings::Sensor;
use schemas::tables::rejects::Reject;

use super::chunks::{MOST_LINE_BYTES, Piece, each_piece};
use super::faults::{Fault, Faults, file_reject, lines};
use super::file_group::FileGroup;
use super::layout::Layout;
use super::reasons;
use super::rows::Grouped;
use super::scan::{Scan, Scanned};

/// The most bytes of a file for which room is made at once: the size may be a lie of an archive.
const MOST_BYTES_AT_ONCE: u64 = 256 * 1024 * 1024;

/// What a file is, as its reader must know.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogFile<'a> {
    pub(super) dataset: &'a str,
    /// The file, as rejects name it.
    pub(super) name: &'a str,
    pub(super) group: &'a FileGroup,
    /// The sensors of the group that it holds.
    pub(super) sensors: &'a [Sensor],
    /// Its length; an estimate will do.
    pub(super) bytes: u64,
    /// Whether the line of each reading is wanted.
    pub(super) numbered: bool,
    /// Whether other groups read the file too.
    pub(super) shared: bool,
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct FileRows {
    /// Readings by subject, device and session, each `None` where no column gives it.
    pub(super) groups: Grouped,
    /// The names that the parts' activities count.
    pub(super) activities: Vec<String>,
    /// All that could not be used.
    pub(super) rejects: Vec<Reject>,
}

impl LogFile<'_> {
    /// Reads the file from `reader`, in pieces of bounded size.
    ///
    /// # Errors
    /// When the reader fails.
    pub(super) fn read(&self, reader: &mut dyn Read) -> io::Result<FileRows> {
        let mut state = State::Start;
        each_piece(reader, |piece| {
            state = match std::mem::replace(&mut state, State::Start) {
                State::Start => self.start(&piece),
                State::Reading(mut scan) => {
                    scan.piece(&piece);
                    State::Reading(scan)
                }
                State::Refused(fault, lines) => State::Refused(fault, lines + count(&piece)),
            };
        })?;
        Ok(match state {
            State::Start => {
                FileRows { rejects: vec![self.whole(reasons::EMPTY_FILE, "no line")], ..FileRows::default() }
            }
            State::Refused(fault, read) => {
                let first = 1 + u64::from(self.group.header && read > 1);
                let mut reject = self.whole(fault.reason, fault.detail);
                reject.source_record = Some(lines(first, read));
                reject.rows = read - first + 1;
                FileRows { rejects: vec![reject], ..FileRows::default() }
            }
            State::Reading(scan) => {
                let Scanned { groups, activities, mut rejects, lines } = scan.finish();
                let empty = groups.iter().all(|(_, parts)| parts.is_empty());
                if empty && rejects.is_empty() {
                    let detail = if lines == 1 && self.group.header {
                        "1 line of header and nothing else".to_owned()
                    } else {
                        format!("{lines} lines of headers, comments and other sensors")
                    };
                    rejects.push(self.whole(reasons::FILE_WITHOUT_READINGS, detail));
                }
                FileRows { groups, activities, rejects }
            }
        })
    }

    fn start(&self, piece: &Piece<'_>) -> State {
        let Piece::Lines(bytes) = piece else {
            let detail = format!("the first line is longer than {MOST_LINE_BYTES} bytes");
            return State::Refused(Fault::new(reasons::LINE_TOO_LONG, detail), 1);
        };
        match Layout::new(self.group, self.sensors, bytes) {
            Err(fault) => State::Refused(fault, count(piece)),
            Ok((layout, start)) => {
                let faults = Faults::new(self.dataset, self.name);
                let mut layout = layout;
                layout.shared = self.shared;
                let mut scan = Scan::new(layout, faults, start.lines, self.numbered);
                scan.reserve(self.bytes.min(MOST_BYTES_AT_ONCE), &bytes[start.bytes..]);
                scan.piece(&Piece::Lines(&bytes[start.bytes..]));
                State::Reading(scan)
            }
        }
    }

    fn whole(&self, reason: &str, detail: impl Into<String>) -> Reject {
        file_reject(self.dataset, self.name, reason, detail)
    }
}

enum State {
    /// Nothing was read.
    Start,
    /// The columns are known.
    Reading(Scan),
    /// No line can be used; the lines are counted.
    Refused(Fault, u64),
}

/// The lines of a piece.
fn count(piece: &Piece<'_>) -> u64 {
    match piece {
        Piece::TooLong => 1,
        Piece::Lines(bytes) => {
            let ends = memchr::memchr_iter(b'\n', bytes).count() as u64;
            ends + u64::from(!bytes.is_empty() && bytes.last() != Some(&b'\n'))
        }
    }
}
