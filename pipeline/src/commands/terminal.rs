//! How commands speak: data on stdout, everything else on stderr, and no panic where nobody listens.
//!
//! `println!` and `eprintln!` panic where the reader has gone or the disk behind a redirection is full; clippy refuses
//! them here. What was meant for a reader who has gone is not missed: `motionmill inspect people | head -1` ends well.

use std::fmt::Write as _;
use std::io::{self, Write};

use schemas::{printable, printable_lines};
use serde::Serialize;

/// Words that could not be said.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to {stream}")]
pub(super) struct TerminalError {
    stream: &'static str,
    source: io::Error,
}

/// Prints the lines of `text`, which were asked for, on stdout.
///
/// # Errors
/// When they cannot be written, for another reason than that their reader has gone.
pub(super) fn print(text: &str) -> Result<(), TerminalError> {
    put("stdout", io::stdout().lock(), &printable_lines(text))
}

/// Prints `value` on stdout as JSON, in ASCII where a letter could steer the terminal.
///
/// # Errors
/// As [`print`], or when `value` is not JSON.
pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(put("stdout", io::stdout().lock(), &json(value)?)?)
}

/// Says the lines of `text` on stderr.
///
/// # Errors
/// As [`print`].
pub(super) fn tell(text: &str) -> Result<(), TerminalError> {
    put("stderr", io::stderr().lock(), &printable_lines(text))
}

/// Puts `text` on `out` at once, with a line break at its end.
fn put(stream: &'static str, mut out: impl Write, text: &str) -> Result<(), TerminalError> {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    match out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
        .and_then(|()| out.flush())
    {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(TerminalError { stream, source }),
        _ => Ok(()),
    }
}

/// `value` as JSON; letters that [`printable`] spells out are spelt as JSON does.
fn json(value: &impl Serialize) -> serde_json::Result<String> {
    let raw = serde_json::to_string_pretty(value)?;
    let mut text = String::with_capacity(raw.len());
    for letter in raw.chars() {
        // Outside of strings there are only ASCII letters, and line breaks among them.
        if letter == '\n' || printable(letter.encode_utf8(&mut [0; 4])) == *letter.encode_utf8(&mut [0; 4]) {
            text.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_has_gone_is_no_failure_and_a_full_disk_is_one() {
        put("stdout", Broken(io::ErrorKind::BrokenPipe), "x").unwrap();
        let error = put("stdout", Broken(io::ErrorKind::StorageFull), "x").unwrap_err();
        assert_eq!(error.to_string(), "cannot write to stdout");
        let mut out = Vec::new();
        put("stdout", &mut out, "one\ntwo").unwrap();
        put("stdout", &mut out, "three\n").unwrap();
        assert_eq!(out, b"one\ntwo\nthree\n");
    }

    #[test]
    fn json_reads_back_and_steers_nothing() {
        let nasty = ["\u{1b}[2J", "\u{9b}2J\u{7f}", "\u{202e}gpj", "\u{e0041}", "line\nbreak", "é"];
        let text = json(&nasty).unwrap();
        assert_eq!(printable_lines(&text), text);
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), nasty);
    }
}
