//! The tight loop: from the bytes of a log's lines to readings.
//!
//! A line of numbers and known names is parsed where it lies, without a copy or an allocation: columns that are not
//! used are passed over by `memchr`, the others read at their place. Whatever is out of the ordinary sends the line to
//! [`super::careful`], which knows every exception and says what is wrong; both give the same for the same line.

use schemas::tables::rejects::Reject;

use super::careful;
use super::chunks::{MOST_LINE_BYTES, Piece};
use super::faults::{Fault, Faults};
use super::labels::Labels;
use super::layout::{Action, Layout, trimmed};
use super::number;
use super::reasons;
use super::rows::{Grouped, Groups};

/// The most label columns: subject, device, session, activity.
const MOST_LABELS: usize = 4;

/// What one line says.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Row {
    /// Nanoseconds of the log's clock.
    pub(super) stamp_nanos: i64,
    /// x, y and z of the first sensor, then of the second, in the log's units.
    pub(super) values: [f64; 6],
    /// The names of the label columns.
    pub(super) labels: [i32; MOST_LABELS],
    /// Which sensors have a reading.
    pub(super) present: [bool; 2],
}

/// One file on its way from bytes to readings.
#[derive(Debug)]
pub(super) struct Scan {
    layout: Layout,
    labels: Vec<Labels>,
    groups: Groups,
    faults: Faults,
    /// The line that was read last, from 1.
    line: u64,
}

impl Scan {
    /// Of a file of `layout` whose first `header_lines` lines are passed over, some `bytes` long; `numbered` keeps the
    /// line of every reading.
    pub(super) fn new(layout: Layout, faults: Faults, header_lines: u64, numbered: bool) -> Self {
        let groups = Groups::new(&layout, numbered);
        let labels = vec![Labels::default(); layout.labels];
        Self { layout, labels, groups, faults, line: header_lines }
    }

    /// Makes room for the readings of a file of `bytes`, whose first lines are `sample`.
    pub(super) fn reserve(&mut self, bytes: u64, sample: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', sample).count().max(1);
        let rows = bytes as f64 / sample.len().max(1) as f64 * lines as f64;
        self.groups.reserve((rows * 1.01) as usize + 16);
    }

    /// Reads the next piece of the file.
    pub(super) fn piece(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Lines(bytes) => self.lines(bytes),
            Piece::TooLong => {
                self.line += 1;
                let detail = format!("more than {MOST_LINE_BYTES} bytes without an end of line");
                self.faults.add(self.line, Fault::new(reasons::LINE_TOO_LONG, detail));
            }
        }
    }

    fn lines(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        // Most logs have no quote at all: one look at the piece spares one a line.
        let quotes = memchr::memchr(b'"', bytes).is_some();
        let mut row = Row { present: self.groups.all_present(), ..Row::default() };
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            self.line += 1;
            let line = trimmed(&rest[..end]);
            let quoted = quotes && memchr::memchr(b'"', line).is_some();
            if !quoted && fast(line, &self.layout, &mut self.labels, &mut row) {
                self.groups.keep(&row, self.line);
            } else {
                match careful::row(line, end == rest.len(), &self.layout, &mut self.labels) {
                    Ok(row) => self.groups.keep(&row, self.line),
                    Err(fault) => self.faults.add(self.line, fault),
                }
            }
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }

    /// All that was read.
    pub(super) fn finish(self) -> Scanned {
        let activities = self.layout.roles.activity.map(|label| self.labels[label].names().to_vec());
        Scanned {
            groups: self.groups.finish(&self.layout, &self.labels),
            activities: activities.unwrap_or_default(),
            rejects: self.faults.finish(),
            lines: self.line,
        }
    }
}

/// What a file held.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) groups: Grouped,
    /// The names that the parts' activities count.
    pub(super) activities: Vec<String>,
    pub(super) rejects: Vec<Reject>,
    /// How many lines there were.
    pub(super) lines: u64,
}

/// Reads `line` into `row` if it is an ordinary one; its `present` is left as it is.
#[inline]
fn fast(line: &[u8], layout: &Layout, labels: &mut [Labels], row: &mut Row) -> bool {
    let separator = layout.separator;
    let mut at = 0;
    // Whether a separator stands before `at`, so that a further field begins there.
    let mut open = true;
    for step in &layout.steps {
        for _ in 0..step.skip {
            match memchr::memchr(separator, &line[at..]) {
                Some(length) => at += length + 1,
                None => return false,
            }
        }
        if !open {
            return false;
        }
        while line.get(at) == Some(&layout.blank) {
            at += 1;
        }
        let field = &line[at..];
        at += match step.action {
            Action::Value(slot) => match number::decimal(field) {
                Some((value, used)) => {
                    row.values[slot] = value;
                    used
                }
                None => return false,
            },
            Action::Stamp => match number::stamp(field, layout.clock) {
                Some((nanos, used)) => {
                    row.stamp_nanos = nanos;
                    used
                }
                None => return false,
            },
            Action::Label(label) => match labels[label].field(field, separator) {
                Some((number, used)) => {
                    row.labels[label] = number;
                    used
                }
                None => return false,
            },
        };
        match line.get(at) {
            Some(byte) if *byte == separator => at += 1,
            Some(_) => return false,
            None => open = false,
        }
    }
    let behind = &line[at..];
    match layout.rest() {
        0 => behind.is_empty(),
        rest => {
            let separators = memchr::memchr_iter(separator, behind).count();
            open && (separators + 1 == rest || (separators == rest && behind.last() == Some(&separator)))
        }
    }
}
