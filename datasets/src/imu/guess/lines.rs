//! What the lines of a file look like: separator, decimal mark, comments, header, and cells of the first lines.

use super::super::fields::fields;
use super::super::header::{SEPARATORS, bare};
use super::super::moment::{self, Not, Rules};
use super::super::number;
use super::super::text::{Encoding, lenient};

/// How many lines are looked at.
const MOST_LINES: usize = 400;
/// The fewest columns of a log: three axes.
const LEAST_COLUMNS: usize = 3;
/// How comments may begin.
const COMMENTS: [&str; 4] = ["#", "%", "//", ";"];

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Number(f64),
    /// A date and time; whether it names its time zone, and its order.
    Moment {
        zoned: bool,
        ordered: bool,
    },
    /// A date, or a time of day, alone.
    Date,
    Time,
    Nothing,
    Text,
}

/// What the lines of a file look like.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lines {
    pub(super) encoding: Option<Encoding>,
    pub(super) separator: u8,
    pub(super) decimal_comma: bool,
    /// How comments begin, where there are some that the default does not know.
    pub(super) comment: Option<&'static str>,
    /// Names of the columns; none without a header.
    pub(super) names: Vec<String>,
    /// Lines above the first one with readings, where there is no header.
    pub(super) skipped: usize,
    pub(super) columns: usize,
    /// The cells of lines of that many columns, as text and as what they are.
    pub(super) rows: Vec<Vec<(String, Cell)>>,
}

/// The encoding of a file that begins with `bytes`, where it must be said: UTF-16 without a byte order mark, or bytes that are no
/// UTF-8.
pub(super) fn encoding(bytes: &[u8]) -> Option<Encoding> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return None;
    }
    let (pairs, _) = bytes.as_chunks::<2>();
    let zeros = |at: usize| pairs.iter().filter(|pair| pair[at] == 0).count();
    let most = pairs.len() / 2;
    if most > 0 && zeros(1) > most && zeros(0) == 0 {
        return Some(Encoding::Utf16Le);
    }
    if most > 0 && zeros(0) > most && zeros(1) == 0 {
        return Some(Encoding::Utf16Be);
    }
    // The last letter may be cut.
    match str::from_utf8(bytes) {
        Err(error) if error.error_len().is_some() => Some(Encoding::Latin1),
        _ => None,
    }
}

impl Lines {
    /// What the lines in `bytes` look like; `None` where no separator gives columns of numbers.
    pub(super) fn of(bytes: &[u8], encoding: Option<Encoding>) -> Option<Self> {
        // A last line may be cut.
        let whole = memchr::memrchr(b'\n', bytes).map_or(bytes, |end| &bytes[..=end]);
        let all: Vec<&[u8]> = whole.split(|byte| *byte == b'\n').take(MOST_LINES).collect();
        let comment = COMMENTS
            .into_iter()
            .find(|mark| all.iter().any(|line| line.trim_ascii_start().starts_with(mark.as_bytes())));
        let is_comment =
            |line: &[u8]| comment.is_some_and(|mark| line.trim_ascii_start().starts_with(mark.as_bytes()));
        let choices = SEPARATORS.into_iter().flat_map(|separator| [(separator, false), (separator, true)]);
        let best = choices
            .filter_map(|(separator, decimal_comma)| {
                let lines: Vec<Vec<Cell>> = all
                    .iter()
                    .filter(|line| !is_comment(line))
                    .filter_map(|line| fields(bare(line, separator), separator).ok())
                    .map(|line| line.iter().map(|cell| of_cell(cell, decimal_comma)).collect())
                    .collect();
                let columns =
                    most_common(lines.iter().map(Vec::len).filter(|count| *count >= LEAST_COLUMNS))?;
                let fitting = lines.iter().filter(|line| line.len() == columns);
                let numbers: usize =
                    fitting.map(|line| line.iter().filter(|cell| is_number(cell)).count()).sum();
                // Of equals the first choice: fewer separators, points before commas.
                (numbers > 0).then_some((numbers, separator, decimal_comma))
            })
            .reduce(|best, other| if other.0 > best.0 { other } else { best });
        let (_, separator, decimal_comma) = best?;
        let split = |line: &[u8]| -> Option<Vec<(String, Cell)>> {
            let cells = fields(bare(line, separator), separator).ok()?;
            Some(cells.iter().map(|cell| (lenient(cell), of_cell(cell, decimal_comma))).collect())
        };
        let lines: Vec<Option<Vec<(String, Cell)>>> =
            all.iter().map(|line| if is_comment(line) { None } else { split(line) }).collect();
        let counts = lines.iter().flatten().filter(|line| line.iter().any(|(_, cell)| is_number(cell)));
        let columns = most_common(counts.map(Vec::len))?;
        let is_row = |line: &Vec<(String, Cell)>| {
            line.len() == columns && line.iter().any(|(_, cell)| is_number(cell))
        };
        let first = lines.iter().position(|line| line.as_ref().is_some_and(is_row))?;
        // The header is the last line above that has as many words, comments included; one of units may stand between.
        let header = (0..first).find_map(|at| {
            let line = bare(all[at], separator);
            let line = comment.map_or(line, |mark| {
                let text = line.trim_ascii_start();
                text.strip_prefix(mark.as_bytes()).unwrap_or(line)
            });
            let cells = split(line)?;
            let named = cells.iter().filter(|(text, _)| !text.is_empty()).count() + 1 >= columns;
            let words = cells.iter().all(|(_, cell)| matches!(cell, Cell::Text | Cell::Nothing));
            (cells.len() == columns && named && words)
                .then(|| cells.into_iter().map(|(text, _)| text).collect())
        });
        let names: Vec<String> = header.unwrap_or_default();
        let rows = lines.into_iter().flatten().filter(is_row).collect();
        let skipped = if names.is_empty() { skipped(&all[..first], is_comment) } else { 0 };
        let comment = comment.filter(|mark| *mark != super::super::COMMENT && *mark != ";");
        Some(Self { encoding, separator, decimal_comma, comment, names, skipped, columns, rows })
    }

    /// Whether another file may be read by the same keys.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (
            self.encoding,
            self.separator,
            self.decimal_comma,
            self.comment,
            &self.names,
            self.columns,
            self.skipped,
        ) == (
            other.encoding,
            other.separator,
            other.decimal_comma,
            other.comment,
            &other.names,
            other.columns,
            other.skipped,
        )
    }

    /// The cells of column `at`.
    pub(super) fn column(&self, at: usize) -> impl Iterator<Item = &(String, Cell)> {
        self.rows.iter().map(move |row| &row[at])
    }

    /// The numbers of column `at`.
    pub(super) fn numbers(&self, at: usize) -> Vec<f64> {
        let number = |(_, cell): &(String, Cell)| match cell {
            Cell::Number(value) => Some(*value),
            _ => None,
        };
        self.column(at).filter_map(number).collect()
    }
}

/// Lines above the first reading that are neither empty nor comments make the lines to be skipped.
fn skipped(above: &[&[u8]], is_comment: impl Fn(&[u8]) -> bool) -> usize {
    let told = above.iter().rposition(|line| !line.trim_ascii().is_empty() && !is_comment(line));
    told.map_or(0, |last| last + 1)
}

fn is_number(cell: &Cell) -> bool {
    matches!(cell, Cell::Number(_) | Cell::Moment { .. } | Cell::Date | Cell::Time)
}

fn of_cell(cell: &[u8], decimal_comma: bool) -> Cell {
    let nothing = [&b"nan"[..], b"null", b"none", b"na", b"n/a", b"-nan"];
    if cell.is_empty() || nothing.iter().any(|word| cell.eq_ignore_ascii_case(word)) {
        return Cell::Nothing;
    }
    let pointed: Vec<u8> = if decimal_comma {
        cell.iter().map(|byte| if *byte == b',' { b'.' } else { *byte }).collect()
    } else {
        cell.to_vec()
    };
    let mixed = decimal_comma && cell.contains(&b'.');
    if let Some((value, used)) = number::decimal(&pointed)
        && used == pointed.len()
        && !mixed
    {
        return Cell::Number(value);
    }
    match moment::moment(cell, Rules::default()) {
        Ok(_) | Err(Not::InRange) => return Cell::Moment { zoned: true, ordered: true },
        Err(Not::Zoned) => return Cell::Moment { zoned: false, ordered: true },
        Err(Not::Ordered) => return Cell::Moment { zoned: false, ordered: false },
        Err(Not::Moment) => {}
    }
    if !matches!(moment::split(cell, b"00:00:00Z", Rules::default()), Err(Not::Moment)) {
        return Cell::Date;
    }
    if !matches!(moment::split(b"2000-01-01", cell, Rules::default()), Err(Not::Moment)) {
        return Cell::Time;
    }
    Cell::Text
}

/// What comes most often; of equals, the largest.
fn most_common(counts: impl Iterator<Item = usize>) -> Option<usize> {
    let mut votes = std::collections::BTreeMap::new();
    counts.for_each(|count| *votes.entry(count).or_insert(0_usize) += 1);
    votes.into_iter().max_by_key(|(count, votes)| (*votes, *count)).map(|(count, _)| count)
}
