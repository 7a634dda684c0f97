//! Lines that are out of the ordinary: quoted fields, blanks, empty cells, and every fault, with its words.

use std::borrow::Cow;

use super::faults::Fault;
use super::labels::Labels;
use super::layout::{Action, Layout};
use super::line::Row;
use super::number;
use super::reasons;

/// Characters of a cell that a message shows.
const SHOWN_CHARACTERS: usize = 40;

/// The fields of `line`, without blanks and quotes around them; a doubled quote inside quotes is one.
///
/// A quoted field must end on its line: no log has line breaks in names, and a stray quote must not swallow the file.
///
/// # Errors
/// When a quoted field does not end, or goes on behind its closing quote.
pub(super) fn fields(line: &[u8], separator: u8) -> Result<Vec<Cow<'_, [u8]>>, Fault> {
    let mut all = Vec::new();
    let mut rest = line;
    loop {
        let start =
            rest.iter().position(|b| *b == separator || !b.is_ascii_whitespace()).unwrap_or(rest.len());
        let field = if rest.get(start) == Some(&b'"') {
            let (field, length) = quoted(&rest[start + 1..])?;
            rest = &rest[start + 1 + length..];
            let end = memchr::memchr(separator, rest).unwrap_or(rest.len());
            if !rest[..end].trim_ascii().is_empty() {
                let detail = format!("`{}` behind a closing quote", shown(&rest[..end]));
                return Err(Fault::new(reasons::BROKEN_QUOTE, detail));
            }
            rest = &rest[end..];
            field
        } else {
            let end = memchr::memchr(separator, rest).unwrap_or(rest.len());
            let field = rest[..end].trim_ascii();
            rest = &rest[end..];
            Cow::Borrowed(field)
        };
        all.push(field);
        match rest.split_first() {
            Some((_, behind)) => rest = behind,
            None => return Ok(all),
        }
    }
}

/// The field before the closing quote, and its length with that quote.
fn quoted(text: &[u8]) -> Result<(Cow<'_, [u8]>, usize), Fault> {
    let mut field = Cow::Borrowed(&text[..0]);
    let mut at = 0;
    while let Some(length) = memchr::memchr(b'"', &text[at..]) {
        let part = &text[at..at + length];
        if field.is_empty() && at == 0 {
            field = Cow::Borrowed(part);
        } else {
            field.to_mut().extend_from_slice(part);
        }
        at += length + 1;
        if text.get(at) != Some(&b'"') {
            return Ok((field, at));
        }
        field.to_mut().push(b'"');
        at += 1;
    }
    Err(Fault::new(reasons::BROKEN_QUOTE, format!("the quote before `{}` does not end", shown(text))))
}

/// The row of `line`, by the same rules as the fast path and with all exceptions that it leaves out.
///
/// All three cells of a sensor may be empty where the other sensor's are not: that line is a reading of one sensor.
/// `cut` says that the line is the last one and lacks its end.
///
/// # Errors
/// When the line cannot be used.
pub(super) fn row(line: &[u8], cut: bool, layout: &Layout, labels: &mut [Labels]) -> Result<Row, Fault> {
    row_of(line, layout, labels)
        .map_err(|fault| if cut { Fault::new(reasons::TRUNCATED_LINE, fault.detail) } else { fault })
}

fn row_of(line: &[u8], layout: &Layout, labels: &mut [Labels]) -> Result<Row, Fault> {
    if line.trim_ascii().is_empty() {
        return Err(Fault::new(reasons::EMPTY_LINE, "nothing on the line"));
    }
    let cells = fields(line, layout.separator)?;
    let behind =
        usize::from(cells.len() == layout.columns + 1 && cells.last().is_some_and(|last| last.is_empty()));
    let (found, expected) = (cells.len() - behind, layout.columns);
    if found != expected {
        let reason = if found < expected { reasons::MISSING_COLUMN } else { reasons::EXTRA_COLUMN };
        return Err(Fault::new(reason, format!("{found} columns, expected {expected}")));
    }
    let mut row = Row::default();
    let mut filled = [0; 2];
    for step in &layout.steps {
        if let Action::Value(slot) = step.action {
            filled[slot / 3] += usize::from(!cells[step.column].is_empty());
        }
    }
    row.present = filled.map(|cells| cells > 0);
    if row.present == [false; 2] {
        row.present[0] = true;
    }
    for step in &layout.steps {
        let cell = cells[step.column].as_ref();
        let at = || layout.describe(step.column);
        match step.action {
            Action::Value(slot) if !row.present[slot / 3] => {}
            Action::Value(slot) => row.values[slot] = value(cell, at)?,
            Action::Stamp => row.stamp_nanos = stamp(cell, layout, at)?,
            Action::Label(label) => {
                let name = str::from_utf8(cell).map_err(|_| {
                    Fault::new(reasons::NOT_UTF8, format!("column {} holds `{}`", at(), shown(cell)))
                })?;
                if name.is_empty() && layout.roles.subject == Some(label) {
                    return Err(Fault::new(
                        reasons::EMPTY_CELL,
                        format!("column {}, the subject, is empty", at()),
                    ));
                }
                row.labels[label] = labels[label].number(name);
            }
        }
    }
    Ok(row)
}

fn value(cell: &[u8], at: impl Fn() -> String) -> Result<f64, Fault> {
    if let Some((value, used)) = number::decimal(cell)
        && used == cell.len()
    {
        return Ok(value);
    }
    let reason = match str::from_utf8(cell).ok().and_then(|text| text.parse::<f64>().ok()) {
        _ if cell.is_empty() => {
            return Err(Fault::new(reasons::EMPTY_CELL, format!("column {} is empty", at())));
        }
        Some(_) => reasons::NOT_FINITE,
        None => reasons::NOT_A_NUMBER,
    };
    Err(Fault::new(reason, format!("column {} holds `{}`", at(), shown(cell))))
}

fn stamp(cell: &[u8], layout: &Layout, at: impl Fn() -> String) -> Result<i64, Fault> {
    if let Some((nanos, used)) = number::stamp(cell, layout.clock)
        && used == cell.len()
    {
        return Ok(nanos);
    }
    // A stamp that is a sound number is out of range; all else is told as for readings.
    value(cell, &at)?;
    let detail = format!("column {} holds `{}`, beyond 64 bits of nanoseconds", at(), shown(cell));
    Err(Fault::new(reasons::STAMP_OUT_OF_RANGE, detail))
}

/// The start of a cell, fit for a message.
pub(super) fn shown(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(&cell[..cell.len().min(4 * SHOWN_CHARACTERS)]);
    let mut short: String = text.chars().take(SHOWN_CHARACTERS).flat_map(char::escape_debug).collect();
    if cell.len() > short.len() && text.chars().count() > SHOWN_CHARACTERS {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        let cells = fields(line.as_bytes(), b',').unwrap();
        cells.iter().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect()
    }

    #[test]
    fn fields_lose_blanks_and_quotes() {
        assert_eq!(split("1, 2 ,\"a,b\" ,\"say \"\"hi\"\"\",\"\","), ["1", "2", "a,b", "say \"hi\"", "", ""]);
        assert_eq!(split("\"\"\"\""), ["\""]);
        assert_eq!(split("a\"b"), ["a\"b"]);
        assert_eq!(split(""), [""]);
    }

    #[test]
    fn broken_quotes_are_told() {
        for line in ["1,\"abc", "\"a\"b,1", "\"a\"\",1"] {
            assert_eq!(fields(line.as_bytes(), b',').unwrap_err().reason, reasons::BROKEN_QUOTE, "{line}");
        }
    }
}
