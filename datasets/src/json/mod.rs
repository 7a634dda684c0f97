//! JSON as people write it: a value is read by its meaning, not by its spelling, and refused where that would be a guess.
//!
//! [`read`] gives the text of a file, whatever packing or mark it has; [`parse`] reads all of it, [`record`] one entry, so
//! that an error names the field; [`values`] are the fields.

mod values;

use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::files::unpacked_limit;
use crate::{ReadError, files, signature};

pub(crate) use values::{
    Key, flag, flags, maybe_number, maybe_numbers, maybe_size, maybe_text, maybe_whole, number, numbers,
    points, text, texts, whole,
};

/// The name of the format in messages.
const FORMAT: &str = "JSON";
/// First bytes of a gzip file.
const GZIP: &[u8] = b"\x1f\x8b";
/// Byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of the JSON file `path` as UTF-8, without a byte order mark: gzip is told by its bytes, whatever the name, and
/// UTF-16 by its mark.
///
/// # Errors
/// When the file cannot be read, is damaged, unpacks to too much, or is of another format, which the message names.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    plain(path, files::read(path).map_err(|error| ReadError::io(path, error))?)
}

/// As [`read`], of the bytes of `path` that are in memory already.
///
/// # Errors
/// As [`read`].
pub(crate) fn plain(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, ReadError> {
    let mut bytes = if bytes.starts_with(GZIP) { unpacked(path, &bytes)? } else { bytes };
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    } else if let Some(swapped) = [b"\xff\xfe", b"\xfe\xff"].iter().position(|mark| bytes.starts_with(*mark))
    {
        let unit = |pair: &[u8]| {
            u16::from_le_bytes(if swapped == 0 { [pair[0], pair[1]] } else { [pair[1], pair[0]] })
        };
        let units = bytes[2..].chunks_exact(2).map(unit);
        let text: Result<String, _> = char::decode_utf16(units).collect();
        bytes = text.map_err(|error| ReadError::malformed(path, FORMAT, error.to_string()))?.into_bytes();
    }
    match bytes.trim_ascii_start().first() {
        Some(b'{' | b'[') => Ok(bytes),
        _ => {
            Err(ReadError::unexpected(path, "a JSON file with an object or a list", signature::named(&bytes)))
        }
    }
}

/// Whether `bytes` are JSON with an object or a list, packed or not.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    wide || bytes.starts_with(GZIP) || matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Whether the name of `path` is that of a JSON file, packed or not.
pub(crate) fn is_named_so(path: &Path) -> bool {
    let plain = if files::ends_with(path, "gz") { path.with_extension("") } else { path.to_owned() };
    files::ends_with(&plain, "json")
}

fn unpacked(path: &Path, packed: &[u8]) -> Result<Vec<u8>, ReadError> {
    let most = unpacked_limit(packed.len() as u64);
    let mut bytes = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(packed).take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| ReadError::malformed(path, "gzip", error.to_string()))?;
    if bytes.len() as u64 > most {
        let detail = format!("it unpacks to more than {most} bytes, which is refused");
        return Err(ReadError::malformed(path, "gzip", detail));
    }
    Ok(bytes)
}

/// What the text `bytes` of `path` says, which must follow `rule`. `NaN` and `Infinity`, which Python writes and JSON does not
/// have, are null.
///
/// # Errors
/// When it is no JSON, or says something else.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, rule: &str, bytes: &[u8]) -> Result<T, ReadError> {
    let first = match serde_json::from_slice(bytes) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let again =
        (first.classify() == serde_json::error::Category::Syntax).then(|| without_nan(bytes)).flatten();
    match again {
        Some(text) => serde_json::from_slice(&text).map_err(|error| ReadError::json(path, rule, &error)),
        None => Err(ReadError::json(path, rule, &first)),
    }
}

/// `bytes` with the words `NaN`, `Infinity` and `-Infinity` outside of strings made `null`; `None` where there is none.
fn without_nan(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(bytes.len());
    let (mut at, mut found) = (0, false);
    while at < bytes.len() {
        if bytes[at] == b'"' {
            let start = at;
            at += 1;
            while at < bytes.len() && bytes[at] != b'"' {
                at += if bytes[at] == b'\\' { 2 } else { 1 };
            }
            at = (at + 1).min(bytes.len());
            text.extend(&bytes[start..at]);
            continue;
        }
        let word =
            [&b"NaN"[..], b"Infinity", b"-Infinity"].into_iter().find(|word| bytes[at..].starts_with(word));
        if let Some(word) = word {
            text.extend(b"null");
            at += word.len();
            found = true;
        } else {
            text.push(bytes[at]);
            at += 1;
        }
    }
    found.then_some(text)
}

/// The entry `value` as a `T`.
///
/// # Errors
/// What is wrong with it, led by the field: `keypoints[2]: ...`.
pub(crate) fn record<T: DeserializeOwned>(value: &Json) -> Result<T, String> {
    // Most entries are sound; only for the others is the way to the field kept.
    T::deserialize(value).or_else(|_| {
        serde_path_to_error::deserialize(value).map_err(|error| {
            let place = error.path().to_string();
            if place == "." { error.inner().to_string() } else { format!("`{place}`: {}", error.inner()) }
        })
    })
}

#[cfg(test)]
mod tests;
