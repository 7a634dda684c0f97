//! The tight loop: from the bytes of a log's lines to readings.
//!
//! Lines are parsed where they lie, without a copy or an allocation: those with as many fields as they should have
//! column by column, in [`super::block`], others one by one in [`super::plain_line`]. Whatever is out of the ordinary sends the line
//! to [`super::any_line`], which knows every exception and says what is wrong; all give the same for the same line.

use schemas::tables::rejects::Reject;

use super::any_line::{self, Said};
use super::block::Block;
use super::chunks::{MOST_LINE_BYTES, Piece};
use super::faults::{Fault, Faults};
use super::header::bare;
use super::labels::Labels;
use super::lanes::{Lanes, MOST_LINES, Marks};
use super::layout::{Layout, Stamps};
use super::plain_line::{self, Row};
use super::reasons;
use super::rows::{Grouped, Groups};

/// One file on its way from bytes to readings.
#[derive(Debug)]
pub(super) struct Scan {
    layout: Layout,
    labels: Vec<Labels>,
    groups: Groups,
    faults: Faults,
    /// The line that was read last, from 1.
    line: u64,
    /// The lines above the first one that may be a reading.
    above: u64,
    lanes: Lanes,
    marks: Marks,
    block: Box<Block>,
}

impl Scan {
    /// Of a file of `layout` whose first `header_lines` lines are passed over, some `bytes` long; `numbered` keeps the
    /// line of every reading.
    pub(super) fn new(layout: Layout, faults: Faults, header_lines: u64, numbered: bool) -> Self {
        let groups = Groups::new(&layout, numbered);
        let labels = vec![Labels::default(); layout.labels];
        let (lanes, marks, block) = (Lanes::best(), Marks::default(), Block::new());
        Self { layout, labels, groups, faults, line: header_lines, above: header_lines, lanes, marks, block }
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
        // Most logs have no quote at all: one look at the piece spares one a line.
        let plain = self.layout.plain && !(self.layout.separator == b' ' && has_runs_of_blanks(bytes));
        if plain && memchr::memchr(b'"', bytes).is_none() {
            return self.blocks(bytes);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            self.one(&rest[..end], end == rest.len(), plain);
            rest = rest.get(end + 1..).unwrap_or_default();
        }
    }

    /// As [`Self::lines`], of lines without a quote.
    fn blocks(&mut self, bytes: &[u8]) {
        self.lanes.marks(bytes, self.layout.separator, &mut self.marks);
        let columns = self.layout.columns;
        // The mark before the next line, how many ends of lines were passed, and how many lines are tried at once.
        let (mut mark, mut passed, mut trust) = (0, 0, 1);
        while passed < self.marks.ends().len() {
            let (places, ends) = (self.marks.places(), self.marks.ends());
            let tried = ends[passed..].iter().take(trust).zip(1..);
            let regular =
                tried.take_while(|(end, line)| places.get(mark + line * columns) == Some(end)).count();
            if regular > 0 {
                let (block, labels) = (&mut self.block, &mut self.labels);
                block.read(self.lanes, bytes, self.marks.from(mark), regular, &self.layout, labels);
                if let Stamps::Lines(period_nanos) = self.layout.stamps {
                    let first = self.line + 1 - self.above;
                    let stamps = block.stamp_nanos[..block.lines].iter_mut();
                    (first..).zip(stamps).for_each(|(line, stamp)| *stamp = nanos_at(line, period_nanos));
                }
                self.groups.keep_block(block, self.line + 1);
                self.line += block.lines as u64;
                passed += block.lines;
                mark += block.lines * columns;
                if block.lines == trust || passed == self.marks.ends().len() {
                    trust = (2 * trust).min(MOST_LINES);
                    continue;
                }
            }
            // Where one line is odd, the next ones may be.
            trust = 1;
            let (places, end) = (&self.marks.places()[mark..], self.marks.ends()[passed]);
            let begin = places[0].wrapping_add(1);
            let fields = places[1..].iter().take_while(|place| **place != end).count();
            self.one(&bytes[begin as usize..end as usize], false, true);
            mark += 1 + fields;
            passed += 1;
        }
        let rest = &bytes[self.marks.places()[mark].wrapping_add(1) as usize..];
        if !rest.is_empty() {
            self.one(rest, true, true);
        }
    }

    /// Reads one line; `cut` says that it is the last one and lacks its end, `plain` that it may be an ordinary one.
    fn one(&mut self, line: &[u8], cut: bool, plain: bool) {
        self.line += 1;
        let line = bare(line, self.layout.separator);
        let mut row = Row { present: self.groups.all_present(), ..Row::default() };
        let plain = plain && memchr::memchr(b'"', line).is_none();
        if plain && plain_line::read(line, &self.layout, &mut self.labels, &mut row) {
            return self.keep(row);
        }
        match any_line::read(line, cut, &self.layout, &mut self.labels) {
            Ok(Said::Row(row, fault)) => {
                self.keep(row);
                if let Some(fault) = fault {
                    self.faults.add(self.line, fault);
                }
            }
            Ok(Said::Other) => {}
            Err(_) if self.layout.is_comment(line) => {}
            Err(fault) => {
                let below = self.line == self.above + 1 && any_line::is_line_of_units(line, &self.layout);
                let reason = if below { reasons::LINE_OF_UNITS } else { fault.reason };
                self.faults.add(self.line, Fault { reason, ..fault });
            }
        }
    }

    fn keep(&mut self, mut row: Row) {
        if let Stamps::Lines(period_nanos) = self.layout.stamps {
            row.stamp_nanos = nanos_at(self.line - self.above, period_nanos);
        }
        self.groups.keep(&row, self.line);
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

/// The stamp of line `line` of the readings, counted from 1, where lines are `period_nanos` apart.
fn nanos_at(line: u64, period_nanos: f64) -> i64 {
    (line.saturating_sub(1) as f64 * period_nanos).round() as i64
}

/// Whether more than one blank stands between two fields of `bytes`, or one at either end of a line, or a tab.
fn has_runs_of_blanks(bytes: &[u8]) -> bool {
    let has = |text: &str| memchr::memmem::find(bytes, text.as_bytes()).is_some();
    bytes.starts_with(b" ")
        || memchr::memchr(b'\t', bytes).is_some()
        || ["  ", "\n ", " \n", " \r"].into_iter().any(has)
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use schemas::tables::readings::Sensor;

    use super::*;
    use crate::imu::CsvLogs;

    /// A cell of a log: mostly a number, at times anything.
    fn cell() -> impl Strategy<Value = String> {
        prop_oneof![
            20 => any::<f32>().prop_map(|value| value.to_string()),
            20 => "-?[0-9]{1,2}\\.[0-9]{1,10}",
            1 => Just(String::new()),
            1 => "[ \t]?[-+0-9.eE]{0,20} ?",
            1 => "nan|inf|,|;|x|\n|\r|0\\.25;",
        ]
    }

    fn scan(bytes: &[u8]) -> Scan {
        let config: CsvLogs = toml::from_str(
            r#"
            path = ""
            dataset = "d"
            [[files]]
            pattern = "*"
            header = false
            clock = "ms"
            stamp = 1
            sensors = { accelerometer = [2, 3, 4], gyroscope = [7, 6, 5] }
            subject = { column = 9 }
            activity = { column = 10 }
            columns = 11
        "#,
        )
        .unwrap();
        assert_eq!(config.path, Path::new(""));
        let (layout, header) = Layout::new(&config.files[0], &Sensor::ALL, bytes).unwrap();
        Scan::new(layout, Faults::new("d", "f"), header.lines, true)
    }

    proptest! {
        #[test]
        fn blocks_of_lines_say_what_each_line_says(
            lines in proptest::collection::vec(
                (proptest::collection::vec(cell(), 8), 0i64..4_000_000_000_000, "[ab]", "[wr]|walk| run|", 0..60u8),
                1..400,
            ),
            crlf: bool,
            cut: bool,
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let mut text = String::new();
            for (cells, stamp, who, what, odd) in &lines {
                let cells = cells.join(",");
                let line = match odd {
                    0 => format!("{stamp},{cells},{who}"),
                    1 => format!("{stamp},{cells},{who},{what},,"),
                    2 => String::new(),
                    3 => format!("{stamp},{cells},{who},{what}, , "),
                    4 => format!("{stamp},{cells},{who},{what},0;"),
                    _ => format!("{stamp},{cells},{who},{what},0"),
                };
                text.extend([&line, end]);
            }
            if cut {
                text.truncate(text.len() - end.len());
            }
            let (mut many, mut single) = (scan(text.as_bytes()), scan(text.as_bytes()));
            many.piece(&Piece::Lines(text.as_bytes()));
            for line in text.split_inclusive('\n') {
                let whole = line.strip_suffix('\n');
                single.one(whole.unwrap_or(line).as_bytes(), whole.is_none(), true);
            }
            let (many, single) = (many.finish(), single.finish());
            prop_assert_eq!(many.lines, single.lines);
            prop_assert_eq!(many.rejects, single.rejects);
            prop_assert_eq!(named(&many.groups, &many.activities), named(&single.groups, &single.activities));
        }
    }

    /// All that the groups say, number by number, with the names of activities.
    fn named(groups: &Grouped, activities: &[String]) -> Vec<String> {
        let parts = groups.iter().flat_map(|(key, parts)| parts.iter().map(move |part| (key, part)));
        let said = parts.flat_map(|(key, part)| {
            let track = &part.track;
            let rows =
                track.stamp_nanos.iter().zip(&track.x).zip(&track.y).zip(&track.z).zip(&track.activity);
            let rows = rows.zip(part.lines.as_ref().unwrap().iter());
            rows.map(move |(((((stamp, x), y), z), activity), line)| {
                let bits = [x, y, z].map(|value| value.to_bits());
                let activity = &activities[*activity as usize];
                format!("{key:?} {:?} {stamp} {bits:?} {activity} {line}", part.sensor)
            })
        });
        said.collect()
    }
}
