//! Where the header of a log stands, and what its lines end with.

use schemas::tables::readings::Sensor;

use super::columns::ColumnRef;
use super::faults::Fault;
use super::fields::fields;
use super::file_group::{FileGroup, NameFrom, StampColumns};
use super::reasons;
use super::text::lenient;

/// Where the readings of a file begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Start {
    /// Bytes before them.
    pub(super) bytes: usize,
    /// Lines before them.
    pub(super) lines: u64,
    /// How many of these stand above the header.
    pub(super) above: u64,
}

/// Among how many lines the header is looked for.
const LOOKED_AT: usize = 100;
/// What separates fields in logs, in the order in which messages propose them.
pub(super) const SEPARATORS: [u8; 5] = [b',', b';', b'\t', b'|', b' '];

/// `line` without the carriage return of its end.
pub(super) fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// `line` without what only ends it: a carriage return, and semicolons or commas that do not separate fields.
#[inline]
pub(super) fn bare(line: &[u8], separator: u8) -> &[u8] {
    let line = trimmed(line);
    if !ends_by_punctuation(line, separator) {
        return line;
    }
    let kept = line.iter().rposition(|byte| !is_punctuation(*byte, separator) && !byte.is_ascii_whitespace());
    &line[..kept.map_or(0, |last| last + 1)]
}

/// Whether `text` ends with punctuation that belongs to no cell.
#[inline]
pub(super) fn ends_by_punctuation(text: &[u8], separator: u8) -> bool {
    text.trim_ascii_end().last().is_some_and(|last| is_punctuation(*last, separator))
}

fn is_punctuation(byte: u8, separator: u8) -> bool {
    (byte == b';' || byte == b',') && byte != separator
}

/// The columns of `group` that are used for a file of these sensors.
pub(super) fn wanted<'a>(group: &'a FileGroup, of_file: &[Sensor]) -> Vec<&'a ColumnRef> {
    let mut wanted: Vec<&ColumnRef> = Vec::new();
    match &group.stamp {
        Some(StampColumns::One(column)) => wanted.push(column),
        Some(StampColumns::DateAndTime(columns)) => wanted.extend(columns),
        None => {}
    }
    let sensors = [&group.sensors.accelerometer, &group.sensors.gyroscope];
    for (sensor, columns) in Sensor::ALL.iter().zip(sensors) {
        wanted.extend(columns.iter().flatten().filter(|_| of_file.contains(sensor)));
    }
    for name in [&group.subject, &group.device, &group.session, &group.activity] {
        if let Some(NameFrom::Column(column)) = name {
            wanted.push(column);
        }
    }
    wanted.extend(group.sensor.as_ref().map(|sensor| &sensor.column));
    wanted
}

/// The names of the columns of a file whose first lines are `bytes`, none where `group` says that there is no header, and
/// where its readings begin.
///
/// The header is the first line that has all of the `wanted` names or, where none has or only numbers are wanted, the
/// first one that is neither empty nor a comment.
///
/// # Errors
/// When that line has a broken quote.
pub(super) fn find(
    group: &FileGroup,
    wanted: &[&ColumnRef],
    bytes: &[u8],
) -> Result<(Vec<String>, Start), Fault> {
    let separator = group.separator.get();
    let mut start = Start::default();
    for _ in 0..group.skip_lines {
        if start.bytes == bytes.len() {
            break;
        }
        start.bytes += length(&bytes[start.bytes..]);
        start.lines += 1;
    }
    if !group.header {
        return Ok((Vec::new(), start));
    }
    let named: Vec<&str> = wanted
        .iter()
        .filter_map(|column| match column {
            ColumnRef::Name(name) => Some(name.as_str()),
            ColumnRef::Number(_) => None,
        })
        .collect();
    let comment = group.comment.trim().as_bytes();
    let (mut plain, mut at, mut lines) = (None, start.bytes, start.lines);
    for _ in 0..LOOKED_AT {
        if at == bytes.len() {
            break;
        }
        let whole = &bytes[at..];
        let whole = &whole[..length(whole)];
        let line = bare(whole.strip_suffix(b"\n").unwrap_or(whole), separator);
        at += whole.len();
        lines += 1;
        let begin = Start { bytes: at, lines, above: lines - 1 };
        let text = line.trim_ascii_start();
        let uncommented = text.strip_prefix(comment).filter(|_| !comment.is_empty());
        let found = fields(uncommented.unwrap_or(line), separator).map(|fields| names(&fields));
        if let Ok(found) = &found
            && !named.is_empty()
            && named.iter().all(|name| found.iter().any(|found| found == name))
        {
            return Ok((found.clone(), begin));
        }
        if plain.is_none() && uncommented.is_none() && !text.is_empty() {
            plain = Some((found, begin));
            if named.is_empty() {
                break;
            }
        }
    }
    let Some((found, begin)) = plain else {
        let detail = "no line that may be a header, comments and empty lines alone";
        return Err(Fault::new(reasons::COLUMNS_DO_NOT_FIT, detail));
    };
    Ok((found?, begin))
}

/// The length of the first line of `bytes`, with its end.
fn length(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1)
}

/// The fields of a header as names.
fn names(fields: &[std::borrow::Cow<'_, [u8]>]) -> Vec<String> {
    let mut names: Vec<String> = fields.iter().map(|name| lenient(name)).collect();
    // A separator at the end of the line makes no column.
    if names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    names
}

/// Which key may mend a header of a single name that holds separators.
pub(super) fn hint(names: &[String]) -> String {
    let [only] = names else { return String::new() };
    let most = SEPARATORS.iter().max_by_key(|separator| {
        // Of equals, the first.
        let count = only.bytes().filter(|byte| byte == *separator).count();
        (count, std::cmp::Reverse(SEPARATORS.iter().position(|other| other == *separator)))
    });
    most.filter(|most| only.as_bytes().contains(most)).map_or(String::new(), |most| {
        format!("; hint: set `separator = {:?}` in the layout", char::from(*most).to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_ends_a_line_is_no_part_of_it() {
        for (line, separator, expected) in [
            ("1,0.25;", b',', "1,0.25"),
            ("1,0.25;\r", b',', "1,0.25"),
            ("1,0.25 ; ", b',', "1,0.25"),
            ("1,0.25;;", b',', "1,0.25"),
            ("1,2,;", b',', "1,2,"),
            ("1;2;", b';', "1;2;"),
            ("1;2,", b';', "1;2"),
            ("1\t2;", b'\t', "1\t2"),
            ("1,2 ", b',', "1,2 "),
            (";", b',', ""),
            ("", b',', ""),
        ] {
            assert_eq!(bare(line.as_bytes(), separator), expected.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn hints_name_the_separator() {
        let hint = |name: &str| hint(&[name.to_owned()]);
        assert!(hint("t;x;y").contains("`separator = \";\"`"));
        assert!(hint("t\tx\ty").contains("`separator = \"\\t\"`"));
        assert_eq!(hint("t"), "");
    }
}
