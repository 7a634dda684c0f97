//! One line at a time: a line of numbers and known names, parsed where it lies, without a copy or an allocation.
//!
//! Columns that are not used are passed over by `memchr`, the others read at their place.

use super::labels::Labels;
use super::layout::{Action, Layout};
use super::number;

/// The most label columns: subject, device, session, activity, sensor.
pub(super) const MOST_LABELS: usize = 5;

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

/// Reads `line` into `row` if it is an ordinary one; its `present` is left as it is.
#[inline]
pub(super) fn read(line: &[u8], layout: &Layout, labels: &mut [Labels], row: &mut Row) -> bool {
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
            // A layout with such a column is not plain.
            Action::Time => return false,
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
