//! Arrays of HDF5 files, MATLAB v7.3 files among them.

mod lzf;
mod matlab;

use std::path::{Path, PathBuf};

use hdf5_reader::{ByteOrder, Dataset, Datatype, H5Type, Hdf5File, OpenOptions};

use crate::files::unpacked_limit;
use crate::guarded::guarded;
use crate::{ReadError, signature};

/// Most bytes that one array may have, and no more than [`unpacked_limit`] of the file; beyond that, the file is refused, so
/// that a small malicious file cannot fill the memory.
pub const MAX_ARRAY_BYTES: usize = 2 << 30;

/// How deep groups are searched for names.
const MAX_DEPTH: usize = 8;

const FORMAT: &str = "HDF5";
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Numbers of an HDF5 file.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Size along each dimension, slowest first.
    pub dims: Vec<usize>,
    /// The numbers, row-major; 64-bit integers beyond 2^53 are rounded.
    pub values: Vec<f64>,
}

/// An open HDF5 file.
pub struct File {
    inner: Hdf5File,
    path: PathBuf,
    matlab: bool,
    /// Most bytes of one array, as stored and as `f64`.
    most: usize,
}

/// Whether `bytes` begin like an HDF5 file, with or without the 512 bytes that MATLAB puts in front.
pub fn is_hdf5(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE) || bytes.get(512..512 + SIGNATURE.len()) == Some(SIGNATURE)
}

impl File {
    /// Opens the HDF5 file `path`.
    ///
    /// # Errors
    /// When it cannot be read or is no HDF5 file.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let bytes = crate::files::read(path).map_err(|error| ReadError::io(path, error))?;
        Self::from_bytes(path, bytes)
    }

    /// The HDF5 file in `bytes`, which came from `path`.
    ///
    /// # Errors
    /// When it is no HDF5 file.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, ReadError> {
        if !is_hdf5(&bytes) {
            return Err(ReadError::unexpected(path, "an HDF5 file", signature::named(&bytes)));
        }
        let matlab = bytes.starts_with(b"MATLAB 7.3");
        let most = unpacked_limit(bytes.len() as u64).min(MAX_ARRAY_BYTES as u64) as usize;
        let options =
            OpenOptions::default().with_max_read_bytes(most).with_filter_registry(lzf::filters(most));
        let opened = guarded(|| Hdf5File::from_vec_with_options(bytes, options));
        let damaged = |detail: String| ReadError::malformed(path, FORMAT, detail);
        let inner = opened.map_err(damaged)?.map_err(|error| damaged(error.to_string()))?;
        Ok(Self { inner, path: path.to_owned(), matlab, most })
    }

    /// Whether MATLAB wrote it (v7.3), which stores an array's dimensions in reverse.
    pub fn is_matlab(&self) -> bool {
        self.matlab
    }

    /// Paths of all arrays, such as `preds` or `group/preds`, sorted.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn names(&self) -> Result<Vec<String>, ReadError> {
        guarded(|| self.find_names()).unwrap_or_else(|panic| Err(self.broken("/", &panic)))
    }

    fn find_names(&self) -> Result<Vec<String>, ReadError> {
        let mut names = Vec::new();
        let root = self.inner.root_group().map_err(|error| self.malformed("/", &error))?;
        let mut open = vec![(String::new(), root, 0)];
        while let Some((prefix, group, depth)) = open.pop() {
            let place = if prefix.is_empty() { "/" } else { prefix.as_str() };
            let (groups, arrays) = group.member_names().map_err(|error| self.malformed(place, &error))?;
            names.extend(arrays.into_iter().map(|name| format!("{prefix}{name}")));
            for name in groups {
                // MATLAB keeps its own bookkeeping in groups called `#refs#` and `#subsystem#`.
                if depth < MAX_DEPTH && !name.starts_with('#') {
                    let inner = group.group(&name).map_err(|error| self.malformed(&name, &error))?;
                    open.push((format!("{prefix}{name}/"), inner, depth + 1));
                }
            }
        }
        names.sort();
        Ok(names)
    }

    /// The array `name` of any integer or float type, as `f64`.
    ///
    /// # Errors
    /// When there is no such array (the message lists those that are there), or it holds no numbers.
    pub fn array(&self, name: &str) -> Result<Array, ReadError> {
        let dataset = self.dataset(name)?;
        let values = self.values(name, &dataset)?;
        Ok(Array { dims: dataset.shape().iter().map(|&size| size as usize).collect(), values })
    }

    /// The numbers of `dataset`, which is called `name`.
    fn values(&self, name: &str, dataset: &Dataset) -> Result<Vec<f64>, ReadError> {
        match *dataset.dtype() {
            Datatype::FloatingPoint { size: 8, .. } => self.numbers::<f64>(name, dataset, |v| v),
            Datatype::FloatingPoint { size: 2, .. } => self.numbers::<Half>(name, dataset, |half| half.0),
            Datatype::FloatingPoint { size: 4, .. } => self.numbers::<f32>(name, dataset, f64::from),
            Datatype::FixedPoint { size: 1, signed: true, .. } => {
                self.numbers::<i8>(name, dataset, f64::from)
            }
            Datatype::FixedPoint { size: 1, .. } => self.numbers::<u8>(name, dataset, f64::from),
            Datatype::FixedPoint { size: 2, signed: true, .. } => {
                self.numbers::<i16>(name, dataset, f64::from)
            }
            Datatype::FixedPoint { size: 2, .. } => self.numbers::<u16>(name, dataset, f64::from),
            Datatype::FixedPoint { size: 4, signed: true, .. } => {
                self.numbers::<i32>(name, dataset, f64::from)
            }
            Datatype::FixedPoint { size: 4, .. } => self.numbers::<u32>(name, dataset, f64::from),
            Datatype::FixedPoint { size: 8, signed: true, .. } => {
                self.numbers::<i64>(name, dataset, |v| v as f64)
            }
            Datatype::FixedPoint { size: 8, .. } => self.numbers::<u64>(name, dataset, |v| v as f64),
            ref other => {
                let rule = format!("the array `{name}` must hold numbers");
                let error = ReadError::unexpected(&self.path, rule, kind(other));
                Err(match other {
                    Datatype::VarLen { .. } | Datatype::Reference { .. } => error.advised(format!(
                        "write it again in Python: `numpy.save(\"{name}.npy\", numpy.stack(list(file[\"{name}\"])).astype(float))`"
                    )),
                    _ => error,
                })
            }
        }
    }

    /// The array `name` of strings, or of one row of character codes a string, as Torch writes them.
    ///
    /// # Errors
    /// When there is no such array, or it holds no strings.
    pub fn strings(&self, name: &str) -> Result<Vec<String>, ReadError> {
        let dataset = self.dataset(name)?;
        let numeric = matches!(dataset.dtype(), Datatype::FloatingPoint { .. } | Datatype::FixedPoint { .. });
        if !numeric {
            let read = guarded(|| dataset.read_strings()).map_err(|panic| self.broken(name, &panic))?;
            return read.map_err(|error| self.malformed(name, &error));
        }
        let codes = self.array(name)?;
        let [_, length] = codes.dims[..] else {
            let rule = format!("the array `{name}` must hold strings");
            return Err(ReadError::unexpected(&self.path, rule, format!("numbers {:?}", codes.dims)));
        };
        let text =
            |row: &[f64]| row.iter().filter(|&&code| code != 0.0).map(|&code| code as u8 as char).collect();
        Ok(codes.values.chunks(length.max(1)).map(text).collect())
    }

    fn numbers<T: H5Type + Copy>(
        &self,
        name: &str,
        dataset: &Dataset,
        to_f64: fn(T) -> f64,
    ) -> Result<Vec<f64>, ReadError> {
        // The file's own type may be an eighth of what its numbers take here.
        let sizes = dataset.shape();
        let bytes = sizes.iter().try_fold(size_of::<f64>() as u64, |bytes, size| bytes.checked_mul(*size));
        if bytes.is_none_or(|bytes| bytes > self.most as u64) {
            let detail =
                format!("`{name}`: {sizes:?} numbers take more than the {} bytes allowed", self.most);
            return Err(ReadError::malformed(&self.path, FORMAT, detail));
        }
        let read = guarded(|| dataset.read_array::<T>()).map_err(|panic| self.broken(name, &panic))?;
        let array = read.map_err(|error| self.malformed(name, &error))?;
        Ok(array.iter().map(|&value| to_f64(value)).collect())
    }

    fn dataset(&self, name: &str) -> Result<Dataset, ReadError> {
        let names = self.names()?;
        if !names.iter().any(|other| other == name) {
            let found: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let found = if found.is_empty() { "no arrays at all".to_owned() } else { found.join(", ") };
            return Err(ReadError::unexpected(&self.path, format!("an array called `{name}`"), found));
        }
        let opened = guarded(|| self.inner.dataset(name)).map_err(|panic| self.broken(name, &panic))?;
        opened.map_err(|error| self.malformed(name, &error))
    }

    /// The error of `name`, at which the decoder gave up with `panic`.
    fn broken(&self, name: &str, panic: &str) -> ReadError {
        ReadError::malformed(&self.path, FORMAT, format!("`{name}`: it cannot be decoded ({panic})"))
    }

    fn malformed(&self, name: &str, error: &hdf5_reader::error::Error) -> ReadError {
        let found = ReadError::malformed(&self.path, FORMAT, format!("`{name}`: {error}"));
        match error {
            hdf5_reader::error::Error::UnsupportedFilter(_) => found.advised(format!(
                "it is packed in a way that is not read; write it again in Python: `file[\"{name}\"] = file.pop(\"{name}\")[()]`"
            )),
            _ => found,
        }
    }
}

/// A type of values in words.
fn kind(datatype: &Datatype) -> String {
    match datatype {
        Datatype::FixedPoint { size, .. } => format!("integers of {size} bytes"),
        Datatype::FloatingPoint { size, .. } => format!("floats of {size} bytes"),
        Datatype::String { .. } => "strings".to_owned(),
        Datatype::Compound { fields, .. } => {
            let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            format!("records of {}", names.join(", "))
        }
        Datatype::VarLen { .. } => "lists or strings of their own lengths".to_owned(),
        Datatype::Reference { .. } => "references to other arrays".to_owned(),
        Datatype::Enum { .. } => "named values".to_owned(),
        _ => "values of another type".to_owned(),
    }
}

/// A float of two bytes.
#[derive(Clone, Copy)]
struct Half(f64);

impl H5Type for Half {
    fn hdf5_type() -> Datatype {
        Datatype::FloatingPoint { size: 2, byte_order: ByteOrder::LittleEndian }
    }

    fn from_bytes(bytes: &[u8], datatype: &Datatype) -> Result<Self, hdf5_reader::error::Error> {
        let raw: [u8; 2] = bytes.get(..2).and_then(|raw| raw.try_into().ok()).ok_or_else(|| {
            hdf5_reader::error::Error::InvalidData("a float of two bytes is cut off".to_owned())
        })?;
        let big = matches!(datatype, Datatype::FloatingPoint { byte_order: ByteOrder::BigEndian, .. });
        Ok(Self(f64::from(if big { half::f16::from_be_bytes(raw) } else { half::f16::from_le_bytes(raw) })))
    }

    fn element_size(_: &Datatype) -> usize {
        2
    }
}

#[cfg(test)]
mod matlab_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::real_data;
    use proptest::prelude::*;

    #[test]
    fn arrays_of_the_example_predictions_are_read() {
        let Some(path) = real_data("mpii/predictions/hg_preds_valid-example.h5") else { return };
        let file = File::open(&path).unwrap();
        assert_eq!(file.names().unwrap(), ["preds"]);
        let preds = file.array("preds").unwrap();
        assert_eq!(preds.dims, [2958, 16, 2]);
        assert_eq!(preds.values[..4], [781.0, 696.0, 818.0, 530.0]);
        let message = file.array("pred").unwrap_err().to_string();
        assert!(message.contains("an array called `pred`, found `preds`"), "{message}");
    }

    #[test]
    fn strings_and_numbers_stand_beside_each_other() {
        let Some(path) = real_data("mpii/valid.h5") else { return };
        let file = File::open(&path).unwrap();
        assert_eq!(file.strings("imgname").unwrap()[1], "052475643.jpg");
        assert!(file.array("imgname").unwrap_err().to_string().contains("must hold numbers"));
        assert!(!file.is_matlab());
    }

    fn testdata(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
    }

    #[test]
    fn every_type_of_number_is_read() {
        let file = File::open(&testdata("kinds.h5")).unwrap();
        let names = file.names().unwrap();
        let numbers: Vec<&String> = names.iter().filter(|name| name.starts_with("numbers/")).collect();
        assert_eq!(numbers.len(), 10);
        for name in numbers {
            let expected = Array { dims: vec![1, 3], values: vec![1.0, 2.0, 100.0] };
            assert_eq!(file.array(name).unwrap(), expected, "{name}");
        }
        assert_eq!(file.array("big_endian").unwrap().values, [1.5, -2.5]);
        assert_eq!(file.strings("names").unwrap(), ["a.jpg", "bb.jpg"]);
        assert_eq!(file.strings("codes").unwrap(), ["a.j", "b"]);
        assert!(file.strings("big_endian").unwrap_err().to_string().contains("must hold strings"));
    }

    #[test]
    fn numbers_are_counted_as_they_are_held() {
        let mut file = File::open(&testdata("kinds.h5")).unwrap();
        file.most = 23;
        // Three bytes, of which 24 are made.
        let error = file.array("numbers/u1").unwrap_err().to_string();
        assert!(error.contains("[1, 3] numbers take more than the 23 bytes allowed"), "{error}");
        file.most = 24;
        assert_eq!(file.array("numbers/u1").unwrap().values.len(), 3);
    }

    #[test]
    fn what_matlab_adds_is_passed_over() {
        let file = File::open(&testdata("matlab_v73.mat")).unwrap();
        assert!(file.is_matlab());
        assert_eq!(file.names().unwrap(), ["preds"]);
        assert_eq!(file.array("preds").unwrap().dims, [2, 11, 3]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn damage_never_panics(
            file in prop_oneof![Just("kinds.h5"), Just("matlab_v73.mat")],
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
            kept in 0.5..1.0_f64,
        ) {
            let path = testdata(file);
            let mut bytes = std::fs::read(&path).unwrap();
            for (place, byte) in damage {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            if kept < 0.75 {
                bytes.truncate((bytes.len() as f64 * kept) as usize);
            }
            let Ok(file) = File::from_bytes(&path, bytes) else { return Ok(()) };
            for name in file.names().unwrap_or_default() {
                if let Ok(array) = file.array(&name) {
                    prop_assert_eq!(array.values.len(), array.dims.iter().product::<usize>());
                }
                let _ = file.strings(&name);
            }
        }
    }

    #[test]
    fn other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        std::fs::write(&path, b"not HDF5").unwrap();
        assert!(matches!(File::open(&path), Err(ReadError::Unexpected { .. })));
        assert!(matches!(File::open(&folder.path().join("b.h5")), Err(ReadError::Io { .. })));
    }
}
