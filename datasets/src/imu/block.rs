//! Many lines at once: neighbouring lines of as many fields as they should have are read column by column.
//!
//! A column of numbers costs least where one loop does nothing but read it. What such a loop leaves out is read field
//! by field by the same rules as in [`super::plain_line`]; the first line with a field that these do not know ends the block.

use super::header::ends_by_punctuation;
use super::labels::Labels;
use super::lanes::{Fields, Lanes, MOST_LINES};
use super::layout::{Action, Layout};
use super::number;
use super::plain_line::MOST_LABELS;

/// What neighbouring lines say, column by column.
#[derive(Debug)]
pub(super) struct Block {
    /// Lines that are held.
    pub(super) lines: usize,
    /// Nanoseconds of the log's clock.
    pub(super) stamp_nanos: [i64; MOST_LINES],
    /// x, y and z of the first sensor, then of the second, in the log's units.
    pub(super) values: [[f64; MOST_LINES]; 6],
    /// The names of the label columns.
    pub(super) labels: [[i32; MOST_LINES]; MOST_LABELS],
}

impl Block {
    /// Room for the lines of a block.
    pub(super) fn new() -> Box<Self> {
        Box::new(Self {
            lines: 0,
            stamp_nanos: [0; MOST_LINES],
            values: [[0.0; MOST_LINES]; 6],
            labels: [[0; MOST_LINES]; MOST_LABELS],
        })
    }

    /// Reads `lines` lines of `bytes`, up to the first one that is out of the ordinary. Each has as many fields as
    /// `layout` has columns; `marks` begin with the mark before the first of them.
    pub(super) fn read(
        &mut self,
        lanes: Lanes,
        bytes: &[u8],
        marks: &[u32],
        lines: usize,
        layout: &Layout,
        labels: &mut [Labels],
    ) {
        self.lines = lines.min(MOST_LINES);
        for step in &layout.steps {
            let fields = Fields {
                bytes,
                marks: &marks[step.column..],
                columns: layout.columns,
                last: step.column + 1 == layout.columns,
                blank: layout.blank,
            };
            let lines = self.lines;
            self.lines = match step.action {
                Action::Value(slot) => {
                    let values = &mut self.values[slot][..lines];
                    let odd = lanes.values(fields, values);
                    others(odd, fields, values, number::decimal)
                }
                Action::Stamp => {
                    let stamps = &mut self.stamp_nanos[..lines];
                    let odd = lanes.stamps(fields, layout.clock.decimals(), stamps);
                    others(odd, fields, stamps, |field| number::stamp(field, layout.clock))
                }
                Action::Label(label) => {
                    let numbers = &mut self.labels[label][..lines];
                    others(u64::MAX, fields, numbers, |field| {
                        let ends = fields.last && ends_by_punctuation(field, layout.separator);
                        if ends { None } else { labels[label].field(field, layout.separator) }
                    })
                }
                // Layouts with such a column are read line by line.
                Action::Time => 0,
            };
        }
    }
}

/// Reads the fields with a bit in `odd` by `read`, which says how many bytes it took. Gives the lines before the first
/// one whose field it does not take as a whole.
fn others<T>(
    odd: u64,
    fields: Fields<'_>,
    found: &mut [T],
    mut read: impl FnMut(&[u8]) -> Option<(T, usize)>,
) -> usize {
    let mut odd = odd;
    while odd != 0 {
        let line = odd.trailing_zeros() as usize;
        let Some(place) = found.get_mut(line) else { break };
        let (begin, end) = fields.bounds(line);
        let field = &fields.bytes[begin..end];
        let blanks = field.iter().take_while(|byte| **byte == fields.blank).count();
        match read(&field[blanks..]) {
            Some((value, used)) if blanks + used == field.len() => *place = value,
            _ => return line,
        }
        odd &= odd - 1;
    }
    found.len()
}
