//! The fields of a line, with quotes and blanks around them.

use std::borrow::Cow;

use super::faults::Fault;
use super::reasons;

/// Characters of a cell that a message shows.
const SHOWN_CHARACTERS: usize = 40;

/// The fields of `line`, without blanks and quotes around them; a doubled quote inside quotes is one.
///
/// A quoted field must end on its line: no log has line breaks in names, and a stray quote must not swallow the file.
/// Where a space separates, runs of spaces and tabs do, and those at either end of the line do not.
///
/// # Errors
/// When a quoted field does not end, or continues after its closing quote.
pub(super) fn fields(line: &[u8], separator: u8) -> Result<Vec<Cow<'_, [u8]>>, Fault> {
    let mut all = Vec::new();
    let runs = separator == b' ';
    let mut rest = if runs { line.trim_ascii() } else { line };
    let next = |text: &[u8]| {
        let found = if runs { memchr::memchr2(b' ', b'\t', text) } else { memchr::memchr(separator, text) };
        found.unwrap_or(text.len())
    };
    loop {
        let start =
            rest.iter().position(|b| *b == separator || !b.is_ascii_whitespace()).unwrap_or(rest.len());
        let field = if rest.get(start) == Some(&b'"') {
            let (field, length) = quoted(&rest[start + 1..])?;
            rest = &rest[start + 1 + length..];
            let end = next(rest);
            if !rest[..end].trim_ascii().is_empty() {
                let detail = format!("`{}` behind a closing quote", shown(&rest[..end]));
                return Err(Fault::new(reasons::BROKEN_QUOTE, detail));
            }
            rest = &rest[end..];
            field
        } else {
            let end = next(rest);
            let field = rest[..end].trim_ascii();
            rest = &rest[end..];
            Cow::Borrowed(field)
        };
        all.push(field);
        match rest.split_first() {
            Some((_, behind)) if runs => rest = behind.trim_ascii_start(),
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
    fn runs_of_blanks_separate_as_one() {
        for line in ["1 2 3", "  1   2\t3 ", "1\t \t2 3", "\"1\"  2 3"] {
            let cells = fields(line.as_bytes(), b' ').unwrap();
            assert_eq!(cells.concat(), b"123", "{line:?}");
            assert_eq!(cells.len(), 3);
        }
        assert_eq!(fields(b"\"a b\"  c", b' ').unwrap().concat(), b"a bc");
    }

    #[test]
    fn broken_quotes_are_told() {
        for line in ["1,\"abc", "\"a\"b,1", "\"a\"\",1"] {
            assert_eq!(fields(line.as_bytes(), b',').unwrap_err().reason, reasons::BROKEN_QUOTE, "{line}");
        }
    }
}
