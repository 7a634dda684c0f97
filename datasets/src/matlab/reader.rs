//! Reads MAT v5 files.

use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::cursor::Cursor;
use super::element::{FLAG_COMPLEX, FLAG_LOGICAL, HEADER_BYTES, VERSION, VERSION_HDF5, class, kind};
use super::value::{Numbers, Structs, Value};
use crate::files::unpacked_limit;
use crate::{ReadError, hdf5, signature};

/// Most bytes that the compressed variables of one file may hold together: the format's own limit of one variable, and no
/// more than [`unpacked_limit`] of the file. Beyond that, the file is refused, so that a small malicious file cannot fill
/// the memory.
pub const MAX_DECOMPRESSED_BYTES: u64 = 2 << 30;

/// How deep cells and structs may nest; MPII needs 6.
pub const MAX_DEPTH: usize = 64;

/// Most structs of one array that have no field, and so no byte in the file that they could be held against.
const MAX_BARE_STRUCTS: usize = 1 << 16;

/// Most dimensions of an array; MATLAB writes few, and sizes are checked against the data anyway.
const MAX_DIMENSIONS: usize = 32;

const FORMAT: &str = "MATLAB v5";

/// The variables of the MATLAB file `path`: of v5 in the file's order, of either byte order, compressed or plain; of v7.3,
/// which is HDF5, by name: see [`hdf5::File::variables`].
///
/// Not supported: sparse and complex arrays, objects (strings and tables among them) and function handles; a file
/// with one of them is an error that names it.
///
/// # Errors
/// When the file cannot be opened, ends early, contradicts itself or holds what is not supported.
pub fn read(path: &Path) -> Result<Vec<(String, Value)>, ReadError> {
    read_from(path, &crate::files::read(path).map_err(|error| ReadError::io(path, error))?)
}

/// As [`read`], of the bytes of `path` that are in memory already.
///
/// # Errors
/// As [`read`].
pub fn read_from(path: &Path, bytes: &[u8]) -> Result<Vec<(String, Value)>, ReadError> {
    if is_v73(bytes) {
        return hdf5::File::from_bytes(path, bytes.to_vec())?.variables();
    }
    if !is_v5(bytes) && !bytes.starts_with(b"MATLAB") {
        let rule = "a MATLAB v5 file";
        return Err(ReadError::unexpected(path, rule, signature::named(bytes)));
    }
    from_bytes(bytes).map_err(|detail| ReadError::malformed(path, FORMAT, detail))
}

/// Whether `bytes` have the byte order mark of a MATLAB v5 file.
pub fn is_v5(bytes: &[u8]) -> bool {
    matches!(bytes.get(HEADER_BYTES - 2..HEADER_BYTES), Some(b"IM" | b"MI"))
}

/// Whether `bytes` are a MATLAB v7.3 file, which is HDF5.
pub fn is_v73(bytes: &[u8]) -> bool {
    bytes.starts_with(b"MATLAB 7.3") && hdf5::is_hdf5(bytes)
}

/// The variables in `bytes`, or what is wrong with them.
///
/// # Errors
/// As [`read`].
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<(String, Value)>, String> {
    let header = bytes.get(..HEADER_BYTES).ok_or("the file is shorter than the header of 128 bytes")?;
    let big_endian = match &header[126..128] {
        b"IM" => false,
        b"MI" => true,
        _ => return Err("the header does not end with the byte order mark `MI` or `IM`".into()),
    };
    let version = Cursor { bytes: &header[124..126], position: 0, big_endian }.half()?;
    if version == VERSION_HDF5 {
        return Err("the header is that of MATLAB v7.3, yet no HDF5 follows".into());
    }
    if version != VERSION {
        return Err(format!("the header's version is {version:#06x} instead of {VERSION:#06x}"));
    }

    let mut cursor = Cursor { bytes, position: HEADER_BYTES, big_endian };
    let most = unpacked_limit(bytes.len() as u64).min(MAX_DECOMPRESSED_BYTES);
    let mut budget = most;
    let mut variables = Vec::new();
    while cursor.remaining() > 0 {
        let start = cursor.position;
        let number = variables.len() + 1;
        let within = |detail: String| format!("variable {number} at byte {start}: {detail}");
        let tag = cursor.tag().map_err(within)?;
        let read = match tag.kind {
            kind::MATRIX => {
                let body = cursor.body(&tag).map_err(within)?;
                Cursor { bytes: body, position: 0, big_endian }.array(0)
            }
            kind::COMPRESSED => {
                let packed = cursor.take(tag.bytes).map_err(within)?;
                let inflated = inflate(packed, big_endian, &mut budget, most).map_err(within)?;
                Cursor { bytes: &inflated, position: 0, big_endian }.array(0)
            }
            other => Err(format!("an element of type {other} where an array is expected")),
        };
        let (name, value) = read.map_err(within)?;
        // MATLAB keeps what it needs for function handles and objects in an array without a name.
        if !name.is_empty() {
            variables.push((name, value));
        }
    }
    Ok(variables)
}

/// The body of the one array in the zlib stream `packed`; `budget` is what is left of `most` bytes for all streams.
fn inflate(packed: &[u8], big_endian: bool, budget: &mut u64, most: u64) -> Result<Vec<u8>, String> {
    /// Bytes to the next multiple of eight.
    const MAX_PADDING: u64 = 7;
    let mut decoder = ZlibDecoder::new(packed);
    let mut tag = [0; 8];
    decoder.read_exact(&mut tag).map_err(|error| format!("the compressed data are damaged: {error}"))?;
    let tag = Cursor { bytes: &tag, position: 0, big_endian }.tag()?;
    if tag.kind != kind::MATRIX || tag.small.is_some() {
        return Err(format!("compressed data of type {} where an array is expected", tag.kind));
    }
    let bytes = tag.bytes as u64;
    *budget = budget
        .checked_sub(bytes)
        .ok_or_else(|| format!("the compressed variables hold more than {most} bytes, which is refused"))?;
    let damaged = |error: std::io::Error| format!("the compressed data are damaged: {error}");
    let mut body = Vec::new();
    decoder.by_ref().take(bytes).read_to_end(&mut body).map_err(damaged)?;
    if body.len() as u64 != bytes {
        return Err(format!("the compressed data end after {} of {bytes} bytes", body.len()));
    }
    // Reading on to the stream's end checks its checksum; some padding may come before.
    let mut rest = Vec::new();
    decoder.take(MAX_PADDING + 1).read_to_end(&mut rest).map_err(damaged)?;
    if rest.len() as u64 > MAX_PADDING {
        return Err(format!("the compressed data go on after {bytes} bytes"));
    }
    Ok(body)
}

impl Cursor<'_> {
    /// Name and value of the array whose tag is already read and whose body is all that the cursor has.
    fn array(&mut self, depth: usize) -> Result<(String, Value), String> {
        if depth > MAX_DEPTH {
            return Err(format!("cells and structs nest deeper than {MAX_DEPTH}"));
        }
        if self.remaining() == 0 {
            return Ok((String::new(), Value::empty()));
        }
        let (_, flags) = self.data("array flags")?;
        let flags = Cursor { bytes: flags.bytes(), position: 0, big_endian: self.big_endian }.word()?;
        let class = (flags & 0xff) as u8;
        if class == class::OPAQUE {
            return Err("an object (string, table, class instance), which is not supported".into());
        }
        let dims = self.dims()?;
        let name = text_of(self.data("array name")?.1.bytes());
        let value = self.value(class, flags, dims, depth);
        let value =
            value.map_err(|detail| if name.is_empty() { detail } else { format!("`{name}`: {detail}") })?;
        Ok((name, value))
    }

    fn dims(&mut self) -> Result<Vec<usize>, String> {
        let (kind, data) = self.data("array sizes")?;
        if kind != kind::INT32 && kind != kind::UINT32 {
            return Err(format!("array sizes of type {kind} instead of 32-bit integers"));
        }
        let Numbers::Int32(sizes) = self.numbers(class::INT32, kind, data.bytes())? else {
            return Err("array sizes are not integers".into());
        };
        if sizes.len() < 2 || sizes.len() > MAX_DIMENSIONS {
            return Err(format!(
                "an array of {} dimensions; there must be 2 to {MAX_DIMENSIONS}",
                sizes.len()
            ));
        }
        let sizes: Option<Vec<usize>> = sizes.iter().map(|&size| usize::try_from(size).ok()).collect();
        sizes.ok_or_else(|| "a negative array size".into())
    }

    fn value(&mut self, class: u8, flags: u32, dims: Vec<usize>, depth: usize) -> Result<Value, String> {
        let product = dims.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
        let count = product.ok_or_else(|| format!("sizes {dims:?} overflow"))?;
        if flags & FLAG_COMPLEX != 0 {
            return Err("a complex array, which is not supported".into());
        }
        match class {
            class::CELL => {
                self.room_for(count)?;
                let values = (0..count)
                    .map(|index| self.member(depth).map_err(|detail| format!("{{{}}}: {detail}", index + 1)));
                Ok(Value::Cell { dims, values: values.collect::<Result<_, _>>()? })
            }
            class::STRUCT => self.structs(dims, count, depth),
            class::CHAR => self.characters(dims, count),
            class::DOUBLE..=class::UINT64 => {
                let (kind, data) = self.data("numbers")?;
                let numbers = self.numbers(class, kind, data.bytes())?;
                if numbers.len() != count {
                    return Err(format!("{} numbers where sizes {dims:?} ask for {count}", numbers.len()));
                }
                if flags & FLAG_LOGICAL == 0 {
                    return Ok(Value::Numeric { dims, numbers });
                }
                let values = numbers.to_f64s().into_iter().map(|number| number != 0.0).collect();
                Ok(Value::Logical { dims, values })
            }
            class::SPARSE => Err("a sparse array, which is not supported".into()),
            class::OBJECT => Err("an object, which is not supported".into()),
            class::FUNCTION => Err("a function handle, which is not supported".into()),
            other => Err(format!("an array of the unknown class {other}")),
        }
    }

    /// Refuses a count of members that the bytes left cannot hold: each has a tag of 8 bytes at least.
    fn room_for(&self, count: usize) -> Result<(), String> {
        if count > self.remaining() / 8 {
            return Err(format!("{count} members cannot stand in {} bytes", self.remaining()));
        }
        Ok(())
    }

    fn member(&mut self, depth: usize) -> Result<Value, String> {
        let tag = self.tag()?;
        if tag.kind != kind::MATRIX || (tag.small.is_some() && tag.bytes != 0) {
            return Err(format!("an element of type {} where an array is expected", tag.kind));
        }
        let body = if tag.small.is_some() { &[][..] } else { self.body(&tag)? };
        let mut inner = Cursor { bytes: body, position: 0, big_endian: self.big_endian };
        Ok(inner.array(depth + 1)?.1)
    }

    fn structs(&mut self, dims: Vec<usize>, count: usize, depth: usize) -> Result<Value, String> {
        let (_, data) = self.data("length of field names")?;
        let mut length = Cursor { bytes: data.bytes(), position: 0, big_endian: self.big_endian };
        let length = length.word()? as usize;
        let (_, data) = self.data("field names")?;
        let names = data.bytes();
        if (length == 0 && !names.is_empty()) || (length > 0 && !names.len().is_multiple_of(length)) {
            return Err(format!("{} bytes of field names are not a multiple of {length}", names.len()));
        }
        let fields: Vec<String> = names.chunks_exact(length.max(1)).map(text_of).collect();
        if fields.is_empty() && count > MAX_BARE_STRUCTS {
            return Err(format!("{count} structs without fields; at most {MAX_BARE_STRUCTS} are read"));
        }
        let members = count.checked_mul(fields.len()).ok_or("sizes overflow")?;
        self.room_for(members)?;
        let mut values = Vec::with_capacity(members);
        for index in 0..members {
            let value = self.member(depth).map_err(|detail| {
                let (row, field) = (index / fields.len() + 1, &fields[index % fields.len()]);
                format!("({row}).{field}: {detail}")
            })?;
            values.push(value);
        }
        Ok(Value::Struct(Structs { dims, fields, values }))
    }

    fn characters(&mut self, mut dims: Vec<usize>, count: usize) -> Result<Value, String> {
        let (kind, data) = self.data("characters")?;
        let bytes = data.bytes();
        let units = match kind {
            kind::UTF8 => {
                let text = std::str::from_utf8(bytes).map_err(|error| format!("characters: {error}"))?;
                text.encode_utf16().collect()
            }
            kind::UTF32 => {
                let Numbers::UInt32(codes) = self.numbers(class::UINT32, kind::UINT32, bytes)? else {
                    return Err("characters are not integers".into());
                };
                let characters = codes.iter().map(|&code| char::from_u32(code).ok_or(code));
                let text = characters.collect::<Result<String, _>>();
                let text = text.map_err(|code| format!("{code:#x} is not a character"))?;
                text.encode_utf16().collect::<Vec<u16>>()
            }
            kind::UTF16 => self.code_units(kind::UINT16, bytes)?,
            other => self.code_units(other, bytes)?,
        };
        if units.len() != count {
            // Some writers count characters, MATLAB counts code units.
            let characters = char::decode_utf16(units.iter().copied()).count();
            if dims.len() == 2 && dims[0] == 1 && characters == count {
                dims[1] = units.len();
            } else {
                return Err(format!("{} characters where sizes {dims:?} ask for {count}", units.len()));
            }
        }
        Ok(Value::Char { dims, units })
    }

    fn code_units(&self, kind: u32, bytes: &[u8]) -> Result<Vec<u16>, String> {
        match self.numbers(class::UINT16, kind, bytes)? {
            Numbers::UInt16(units) => Ok(units),
            _ => Err("characters are not integers".into()),
        }
    }
}

/// A name up to its first zero byte.
fn text_of(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
