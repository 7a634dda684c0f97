//! What every export has in common: rows are encoded in order, and the target has a record of what made it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ExportError;
use super::atomic::{AtomicFile, AtomicFolder};
use crate::shards::{InputHash, Provenance};
use crate::sink::{Exported, Sink, SinkWriter, Start, Written};

/// The record of an export: in an exported folder the file of this name, beside an exported file `NAME` the file
/// `NAME.export.json`. A folder without it is never replaced.
pub const EXPORT_FILE: &str = "export.json";

/// A file or folder of other programs; its configuration implements this. Each is a [`Sink`].
pub(super) trait Export {
    /// Its name in records and rejects.
    const FORMAT: &'static str;
    /// See [`Sink::INPUTS`].
    const INPUTS: &'static [&'static str] = &["rows"];

    /// See [`Sink::path`].
    fn path(&self) -> &Path;

    /// See [`Sink::check`].
    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError>;

    /// Begins the target, for inputs of the schemas `inputs`.
    ///
    /// # Errors
    /// When the system refuses.
    fn begin(&self, inputs: &[SchemaRef]) -> Result<Box<dyn Encode>, ExportError>;
}

impl<E: Export> Sink for E {
    const INPUTS: &'static [&'static str] = E::INPUTS;

    fn path(&self) -> &Path {
        Export::path(self)
    }

    fn check(&self, inputs: &[SchemaRef]) -> Result<(), ExportError> {
        Export::check(self, inputs)
    }

    fn start(&self, inputs: &[SchemaRef], provenance: Provenance, force: bool) -> Result<Start, ExportError> {
        let path = Export::path(self);
        let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
        if path.exists() && !empty {
            match Record::of(path) {
                Some(record) if record.provenance == provenance && !force => {
                    return Ok(Start::Complete(Written { rows: record.rows, shards: None }));
                }
                _ if path.is_dir() && !path.join(EXPORT_FILE).is_file() => {
                    return Err(ExportError::NotOurs { path: path.to_owned() });
                }
                _ if !force => return Err(ExportError::Exists { path: path.to_owned() }),
                _ => {}
            }
        }
        Ok(Start::Begun(Box::new(Exporting {
            path: path.to_owned(),
            format: E::FORMAT,
            provenance,
            encoder: Some(self.begin(inputs)?),
            target: None,
            exported: Exported::default(),
        })))
    }
}

/// What a format makes of rows.
pub(super) trait Encode: Send {
    /// Takes the next rows of input number `input`.
    ///
    /// # Errors
    /// When they are not what the format needs, or the system refuses.
    fn put(&mut self, input: usize, batch: &RecordBatch, exported: &mut Exported) -> Result<(), ExportError>;

    /// Ends the writing when all rows have come.
    ///
    /// # Errors
    /// When the rows do not make a whole, or the system refuses.
    fn end(self: Box<Self>, exported: &mut Exported) -> Result<Target, ExportError>;
}

/// A target that is whole but not in its place yet; of a folder, what its record says besides.
pub(super) enum Target {
    File(AtomicFile),
    Folder(AtomicFolder, Json),
}

/// What a target is and what made it.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    format: String,
    rows: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    rejects: BTreeMap<String, u64>,
    provenance: Provenance,
    /// BLAKE3 of the file, where the target is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
    #[serde(flatten)]
    more: Json,
}

impl Record {
    fn place(target: &Path) -> PathBuf {
        if target.is_dir() {
            return target.join(EXPORT_FILE);
        }
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(EXPORT_FILE);
        target.with_file_name(name)
    }

    /// The record of `target`, if it is there and the file is the one that it tells of.
    fn of(target: &Path) -> Option<Self> {
        let record: Self = serde_json::from_slice(&fs::read(Self::place(target)).ok()?).ok()?;
        let as_told = match &record.blake3 {
            Some(blake3) => InputHash::of(target).is_ok_and(|hash| hash.blake3 == *blake3),
            None => target.is_dir(),
        };
        as_told.then_some(record)
    }

    fn write(&self, path: &Path) -> Result<(), ExportError> {
        let text = serde_json::to_string_pretty(self).expect("a record is plain data") + "\n";
        fs::write(path, text).map_err(ExportError::io("write", path))
    }
}

struct Exporting {
    path: PathBuf,
    format: &'static str,
    provenance: Provenance,
    /// Until the target is closed.
    encoder: Option<Box<dyn Encode>>,
    /// From then on.
    target: Option<Target>,
    exported: Exported,
}

impl SinkWriter for Exporting {
    fn write(&mut self, _number: u64, input: usize, rows: &RecordBatch) -> Result<bool, ExportError> {
        let encoder = self.encoder.as_mut().expect("a closed target takes no rows");
        if rows.num_rows() > 0 {
            encoder.put(input, rows, &mut self.exported)?;
        }
        Ok(false)
    }

    fn close(&mut self) -> Result<Exported, ExportError> {
        let encoder = self.encoder.take().expect("a target is closed once");
        let mut target = encoder.end(&mut self.exported)?;
        if let Target::File(file) = &mut target {
            file.close()?;
        }
        self.target = Some(target);
        let written = self.exported.written;
        Ok(std::mem::replace(&mut self.exported, Exported { written, ..Exported::default() }))
    }

    fn complete(self: Box<Self>, rejects: &BTreeMap<String, u64>) -> Result<Written, ExportError> {
        let Self { path, format, provenance, target, exported, .. } = *self;
        let (format, rows, rejects) = (format.to_owned(), exported.written, rejects.clone());
        let record = Record { format, rows, rejects, provenance, blake3: None, more: Json::Null };
        match target.expect("a target is completed when it is closed") {
            Target::File(file) => {
                let blake3 = Some(file.blake3());
                // The record goes first: with a file that it does not tell of, it means nothing.
                Record { blake3, ..record }.write(&Record::place(&path))?;
                file.finish()?;
            }
            Target::Folder(folder, more) => {
                Record { more, ..record }.write(&folder.path().join(EXPORT_FILE))?;
                folder.finish()?;
            }
        }
        Ok(Written { rows, shards: None })
    }
}
