//! Writes MAT v5 files.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::element::{FLAG_LOGICAL, HEADER_BYTES, VERSION, class, kind};
use super::reader::MAX_DEPTH;
use super::value::{Numbers, Structs, Value};

/// Longest name of a variable or field, in bytes; MATLAB's `namelengthmax`.
pub const MAX_NAME_BYTES: usize = 63;

const HEADER_TEXT: &[u8] = b"MATLAB 5.0 MAT-file, written by motionmill";

/// Whether the variables of a file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// Each variable is one zlib stream, as MATLAB does since version 7.
    #[default]
    Zlib,
    /// Plain bytes.
    Plain,
}

/// Why a file could not be written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum WriteError {
    /// The system refused.
    #[error("{source}: `{}`", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// A name that MATLAB would not take.
    #[error(
        "a name must be a letter and then letters, digits and `_`, {MAX_NAME_BYTES} at most, found `{0}`"
    )]
    Name(String),
    /// Sizes and values of an array do not agree.
    #[error("a {shape} array must hold as many values as its sizes say, found {found}")]
    Shape { shape: String, found: usize },
    /// An array of more bytes than the format can say, or nested too deep.
    #[error("an array must stay below 4 GiB and {MAX_DEPTH} levels of nesting")]
    TooLarge,
}

/// Writes `variables` to the MAT v5 file `path`, compressed. The same variables give the same bytes: the header has
/// no date. Text beyond ASCII is UTF-16 with sizes in code units, as in MATLAB; scipy counts characters and so cannot
/// read text beyond the basic plane.
///
/// # Errors
/// When a name or an array is not what MATLAB allows, or the file cannot be written.
pub fn write(path: &Path, variables: &[(&str, &Value)]) -> Result<(), WriteError> {
    let bytes = to_bytes(variables, Packing::default())?;
    std::fs::write(path, bytes).map_err(|source| WriteError::Io { path: path.to_owned(), source })
}

/// The bytes of a MAT v5 file of `variables`, little endian.
///
/// # Errors
/// When a name or an array is not what MATLAB allows.
pub fn to_bytes(variables: &[(&str, &Value)], packing: Packing) -> Result<Vec<u8>, WriteError> {
    let mut file = HEADER_TEXT.to_vec();
    file.resize(HEADER_BYTES - 12, b' ');
    file.resize(HEADER_BYTES - 4, 0);
    file.extend(VERSION.to_le_bytes());
    file.extend(b"IM");
    for (name, value) in variables {
        check_name(name)?;
        let mut element = Vec::new();
        put_array(&mut element, name, value, 0)?;
        if packing == Packing::Plain {
            file.extend(element);
            continue;
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(&element).and_then(|()| encoder.finish());
        let packed = packed.map_err(|source| WriteError::Io { path: PathBuf::new(), source })?;
        put_words(&mut file, &[kind::COMPRESSED, length(packed.len())?]);
        file.extend(packed);
    }
    Ok(file)
}

fn check_name(name: &str) -> Result<(), WriteError> {
    let sound = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= MAX_NAME_BYTES;
    if sound { Ok(()) } else { Err(WriteError::Name(name.to_owned())) }
}

fn length(bytes: usize) -> Result<u32, WriteError> {
    u32::try_from(bytes).map_err(|_| WriteError::TooLarge)
}

fn put_words(out: &mut Vec<u8>, words: &[u32]) {
    out.extend(words.iter().flat_map(|word| word.to_le_bytes()));
}

/// One element, in the short form where the data fit it.
fn put(out: &mut Vec<u8>, kind: u32, data: &[u8]) -> Result<(), WriteError> {
    if !data.is_empty() && data.len() <= 4 {
        put_words(out, &[(data.len() as u32) << 16 | kind]);
        out.extend(data);
        out.resize(out.len() + 4 - data.len(), 0);
    } else {
        put_words(out, &[kind, length(data.len())?]);
        out.extend(data);
        out.resize(out.len() + data.len().wrapping_neg() % 8, 0);
    }
    Ok(())
}

fn put_array(out: &mut Vec<u8>, name: &str, value: &Value, depth: usize) -> Result<(), WriteError> {
    if depth > MAX_DEPTH {
        return Err(WriteError::TooLarge);
    }
    let start = out.len();
    put_words(out, &[kind::MATRIX, 0]);
    let (class, flag) = class_of(value);
    put_words(out, &[kind::UINT32, 8, u32::from(class) | flag, 0]);
    let mut sizes = Vec::new();
    for &size in value.dims() {
        sizes.extend(i32::try_from(size).map_err(|_| WriteError::TooLarge)?.to_le_bytes());
    }
    put(out, kind::INT32, &sizes)?;
    put(out, kind::INT8, name.as_bytes())?;
    put_values(out, value, depth)?;
    let bytes = length(out.len() - start - 8)?;
    out[start + 4..start + 8].copy_from_slice(&bytes.to_le_bytes());
    Ok(())
}

fn class_of(value: &Value) -> (u8, u32) {
    match value {
        Value::Numeric { numbers, .. } => (numeric_class(numbers).0, 0),
        Value::Logical { .. } => (class::UINT8, FLAG_LOGICAL),
        Value::Char { .. } => (class::CHAR, 0),
        Value::Cell { .. } => (class::CELL, 0),
        Value::Struct(_) => (class::STRUCT, 0),
    }
}

fn numeric_class(numbers: &Numbers) -> (u8, u32) {
    match numbers {
        Numbers::Double(_) => (class::DOUBLE, kind::DOUBLE),
        Numbers::Single(_) => (class::SINGLE, kind::SINGLE),
        Numbers::Int8(_) => (class::INT8, kind::INT8),
        Numbers::UInt8(_) => (class::UINT8, kind::UINT8),
        Numbers::Int16(_) => (class::INT16, kind::INT16),
        Numbers::UInt16(_) => (class::UINT16, kind::UINT16),
        Numbers::Int32(_) => (class::INT32, kind::INT32),
        Numbers::UInt32(_) => (class::UINT32, kind::UINT32),
        Numbers::Int64(_) => (class::INT64, kind::INT64),
        Numbers::UInt64(_) => (class::UINT64, kind::UINT64),
    }
}

fn put_values(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), WriteError> {
    let count = |per_element: usize, found: usize| {
        let dims = value.dims();
        let product = dims.iter().try_fold(per_element, |count, &size| count.checked_mul(size));
        let sound = product == Some(found) && dims.len() >= 2;
        if sound { Ok(()) } else { Err(WriteError::Shape { shape: value.shape(), found }) }
    };
    match value {
        Value::Numeric { numbers, .. } => {
            count(1, numbers.len())?;
            put(out, numeric_class(numbers).1, &little_endian(numbers))
        }
        Value::Logical { values, .. } => {
            count(1, values.len())?;
            put(out, kind::UINT8, &values.iter().map(|&value| u8::from(value)).collect::<Vec<_>>())
        }
        Value::Char { units, .. } => {
            count(1, units.len())?;
            let ascii: Option<Vec<u8>> =
                units.iter().map(|&unit| u8::try_from(unit).ok().filter(u8::is_ascii)).collect();
            match ascii {
                Some(text) => put(out, kind::UTF8, &text),
                None => put(
                    out,
                    kind::UTF16,
                    &units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>(),
                ),
            }
        }
        Value::Cell { values, .. } => {
            count(1, values.len())?;
            values.iter().try_for_each(|value| put_array(out, "", value, depth + 1))
        }
        Value::Struct(Structs { fields, values, .. }) => {
            count(fields.len(), values.len())?;
            let width = fields.iter().map(|field| field.len() + 1).max().unwrap_or(1);
            put(out, kind::INT32, &length(width)?.to_le_bytes())?;
            let mut names = Vec::with_capacity(width * fields.len());
            for (index, field) in fields.iter().enumerate() {
                check_name(field)?;
                names.extend(field.as_bytes());
                names.resize((index + 1) * width, 0);
            }
            put(out, kind::INT8, &names)?;
            values.iter().try_for_each(|value| put_array(out, "", value, depth + 1))
        }
    }
}

fn little_endian(numbers: &Numbers) -> Vec<u8> {
    macro_rules! bytes {
        ($values:expr) => {
            $values.iter().flat_map(|value| value.to_le_bytes()).collect()
        };
    }
    match numbers {
        Numbers::Double(values) => bytes!(values),
        Numbers::Single(values) => bytes!(values),
        Numbers::Int8(values) => bytes!(values),
        Numbers::UInt8(values) => bytes!(values),
        Numbers::Int16(values) => bytes!(values),
        Numbers::UInt16(values) => bytes!(values),
        Numbers::Int32(values) => bytes!(values),
        Numbers::UInt32(values) => bytes!(values),
        Numbers::Int64(values) => bytes!(values),
        Numbers::UInt64(values) => bytes!(values),
    }
}
