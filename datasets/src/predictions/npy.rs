//! Arrays of numpy: `.npy`, and `.npz`, which is a zip archive of them.
//!
//! Source: numpy, `numpy.lib.format`, versions 1 to 3.

use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::path::Path;

use half::f16;
use zip::ZipArchive;

use super::stored::Stored;
use crate::ReadError;
use crate::files::unpacked_limit;

/// First bytes of a `.npy`.
const MAGIC: &[u8] = b"\x93NUMPY";
/// Name of the format in messages.
const FORMAT: &str = "numpy";
/// What an array must be.
const RULE: &str = "a prediction array must hold numbers";

/// The array in the bytes of the `.npy` file `path`.
///
/// # Errors
/// When it holds no real numbers, or ends early.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Stored, ReadError> {
    let damaged = |detail: &str| ReadError::malformed(path, FORMAT, detail);
    let (major, rest) = match bytes.strip_prefix(MAGIC) {
        Some([major, _, rest @ ..]) => (*major, rest),
        _ => return Err(damaged("it does not begin like one")),
    };
    let width = if major == 1 { 2 } else { 4 };
    let length = rest.get(..width).ok_or_else(|| damaged("the header is cut off"))?;
    let length = length.iter().rev().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    let header =
        rest.get(width..width.saturating_add(length)).ok_or_else(|| damaged("the header is cut off"))?;
    let header = Header::parse(&String::from_utf8_lossy(header))
        .ok_or_else(|| damaged("its header is another one"))?;
    let data = &rest[width + length..];
    let values = values(&header.kind, data, header.count().ok_or_else(|| damaged("its sizes overflow"))?);
    let values = values.map_err(|fault| match fault {
        Fault::Short => damaged("it ends before its last number"),
        Fault::Objects => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let stack = format!("numpy.stack(list(numpy.load(\"{name}\", allow_pickle=True))).astype(float)");
            let found = "an array of Python objects (dtype object)";
            ReadError::unexpected(path, RULE, found)
                .advised(format!("write it again in Python: `numpy.save(\"preds.npy\", {stack})`"))
        }
        Fault::Kind => ReadError::unexpected(path, RULE, format!("the type {}", header.kind))
            .advised("write it again in Python with `.astype(float)`"),
    })?;
    Ok(Stored { dims: header.shape, values, column_major: header.fortran, drops_ones: false })
}

/// The array `name` of the `.npz` file `path`, or its only one.
///
/// # Errors
/// When there is no such array, there are several and `name` is empty, or it holds no numbers.
pub(super) fn read_archive(path: &Path, bytes: &[u8], name: &str) -> Result<Stored, ReadError> {
    let damaged = |error: String| ReadError::malformed(path, "zip", error);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(error.to_string()))?;
    let entries: Vec<String> = archive.file_names().flatten().map(Cow::into_owned).collect();
    if entries.iter().any(|entry| entry.ends_with("/data.pkl") || entry == "data.pkl") {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        return Err(ReadError::unexpected(path, RULE, "a file of PyTorch").advised(format!(
            "write it again in Python: `numpy.save(\"preds.npy\", torch.load(\"{file}\", map_location=\"cpu\").numpy())`"
        )));
    }
    let arrays: Vec<&str> = entries.iter().filter_map(|entry| entry.strip_suffix(".npy")).collect();
    let chosen = super::choose(path, name, &arrays)?;
    let entry = archive.by_name(&format!("{chosen}.npy")).map_err(|error| damaged(error.to_string()))?;
    let most = unpacked_limit(bytes.len() as u64);
    let mut array = Vec::new();
    entry.take(most + 1).read_to_end(&mut array).map_err(|error| damaged(error.to_string()))?;
    if array.len() as u64 > most {
        return Err(damaged(format!("`{chosen}` unpacks to more than {most} bytes, which is refused")));
    }
    read(path, &array)
}

/// What the header says.
struct Header {
    /// As in `<f8`: byte order, kind and bytes.
    kind: String,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Parses `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 16, 2), }`.
    fn parse(text: &str) -> Option<Self> {
        let after = |key: &str| text.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
        let descr = after("descr")?;
        let kind = match descr.strip_prefix('\'') {
            Some(rest) => rest.split_once('\'')?.0.to_owned(),
            // Fields: a list of names and types.
            None => descr.split_once(']').map_or_else(|| "?".to_owned(), |(list, _)| format!("{list}]")),
        };
        let fortran = after("fortran_order")?.starts_with("True");
        let shape = after("shape")?.strip_prefix('(')?.split_once(')')?.0;
        let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
        let shape =
            sizes.map(|size| size.trim_end_matches('L').parse().ok()).collect::<Option<Vec<usize>>>()?;
        Some(Self { kind, fortran, shape })
    }

    fn count(&self) -> Option<usize> {
        self.shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))
    }
}

/// Why numbers cannot be read.
enum Fault {
    Short,
    Objects,
    Kind,
}

fn values(kind: &str, data: &[u8], count: usize) -> Result<Vec<f64>, Fault> {
    let (big_endian, kind) = match kind.split_at_checked(1) {
        Some((">", kind)) => (true, kind),
        Some(("<" | "|" | "=", kind)) => (false, kind),
        _ => (false, kind),
    };
    macro_rules! stored {
        ($type:ty, $to:expr) => {{
            const SIZE: usize = size_of::<$type>();
            let bytes = count.checked_mul(SIZE).and_then(|length| data.get(..length)).ok_or(Fault::Short)?;
            let raw = bytes.chunks_exact(SIZE).map(|raw| <[u8; SIZE]>::try_from(raw).expect("exact chunks"));
            let of = |raw| if big_endian { <$type>::from_be_bytes(raw) } else { <$type>::from_le_bytes(raw) };
            raw.map(of).map($to).collect()
        }};
    }
    Ok(match kind {
        "f8" => stored!(f64, |value| value),
        "f4" => stored!(f32, f64::from),
        "f2" => stored!(f16, f64::from),
        "i8" => stored!(i64, |value| value as f64),
        "u8" => stored!(u64, |value| value as f64),
        "i4" => stored!(i32, f64::from),
        "u4" => stored!(u32, f64::from),
        "i2" => stored!(i16, f64::from),
        "u2" => stored!(u16, f64::from),
        "i1" => stored!(i8, f64::from),
        "u1" => stored!(u8, f64::from),
        "O" | "O8" | "O4" => return Err(Fault::Objects),
        _ => return Err(Fault::Kind),
    })
}
