//! What every export has in common: rows are encoded in order, and the target has a record of what made it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ExportError;
use super::atomic::{AtomicFile, AtomicFolder, resolved, work_beside};
use crate::shards::work_folder::{WorkFolder, mark_of, replace_by_way_of, sync_folder};
use crate::shards::{Access, Claiming, InputHash, Provenance, ShardError};
use crate::sink::{self as claimed, Exported, Sink, WholeTarget, Written};

/// The record of an export: in an exported folder the file of this name, beside an exported file `NAME` the file
/// `NAME.export.json`. A folder that holds anything else than the record lists is never replaced.
pub const EXPORT_FILE: &str = "export.json";

/// A file or folder of other programs; its configuration implements this. Each is a [`Sink`].
pub(super) trait Export: Clone + Send + 'static {
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

    fn complete(&self, provenance: &Provenance, deep: bool) -> Result<Option<Written>, ExportError> {
        let path = Export::path(self);
        let Some(record) = Record::read(path).filter(|record| record.provenance == *provenance) else {
            return Ok(None);
        };
        if deep {
            record.check(path)?;
        }
        Ok(Some(Written { rows: record.rows, shards: None }))
    }

    fn claim(
        &self,
        inputs: &[SchemaRef],
        provenance: Provenance,
        claiming: Claiming,
    ) -> Result<claimed::Target, ExportError> {
        let path = Export::path(self);
        allowed(path, &provenance, claiming)?;
        let mut work = WorkFolder::take(&work_beside(path), path, claiming.access)?;
        allowed(path, &provenance, claiming)?;
        if work.alone() {
            if let Some(mark) = work.mark().filter(|mark| mark.provenance != provenance) {
                claiming.may_give_up(&mark, path)?;
            }
            work.clear()?;
            work = work.marked(&claiming.mark(provenance.clone()))?;
        }
        Ok(claimed::Target::Whole(Box::new(Exporting {
            path: path.to_owned(),
            format: E::FORMAT,
            provenance,
            begin: Box::new({
                let (export, inputs) = (self.clone(), inputs.to_vec());
                move || Export::begin(&export, &inputs)
            }),
            work: share(work, claiming)?,
            encoder: None,
            target: None,
            exported: Exported::default(),
        })))
    }
}

/// The work folder, open to the other runs of an array where they share it.
fn share(mut work: WorkFolder, claiming: Claiming) -> Result<WorkFolder, ExportError> {
    if claiming.access == Access::Shared && work.alone() {
        work.share()?;
    }
    Ok(work)
}

/// Refuses a target that is not to be replaced.
fn allowed(path: &Path, provenance: &Provenance, claiming: Claiming) -> Result<(), ExportError> {
    let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if !path.exists() || empty {
        return Ok(());
    }
    let record = Record::read(path);
    if path.is_dir() && !record.as_ref().is_some_and(|record| record.knows_all(path)) {
        return Err(ExportError::NotOurs { path: path.to_owned() });
    }
    let same = record.is_some_and(|record| record.provenance == *provenance);
    // Work that was begun with `--force` goes on without it.
    let begun = || mark_of(&work_beside(path)).is_some_and(|mark| mark.provenance == *provenance);
    if same || claiming.force || begun() {
        Ok(())
    } else {
        Err(ExportError::Exists { path: path.to_owned() })
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
    /// The files of a folder by their paths in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    files: BTreeMap<String, Held>,
    #[serde(flatten)]
    more: Json,
}

/// A file of an exported folder.
#[derive(Debug, Serialize, Deserialize)]
struct Held {
    bytes: u64,
    /// Its BLAKE3; of a link, that of where it leads.
    blake3: String,
}

impl Held {
    fn of(path: &Path) -> Result<Self, ExportError> {
        if path.is_symlink() {
            let leads = fs::read_link(path).map_err(ExportError::io("open", path))?;
            let leads = leads.as_os_str().as_encoded_bytes();
            return Ok(Self { bytes: leads.len() as u64, blake3: blake3::hash(leads).to_hex().to_string() });
        }
        let bytes = path.metadata().map_err(ExportError::io("open", path))?.len();
        Ok(Self { bytes, blake3: InputHash::of(path)?.blake3 })
    }
}

impl Record {
    fn place(target: &Path) -> PathBuf {
        let target = resolved(target);
        if target.is_dir() {
            return target.join(EXPORT_FILE);
        }
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(EXPORT_FILE);
        target.with_file_name(name)
    }

    /// The record of `target`, if it is there.
    fn read(target: &Path) -> Option<Self> {
        if !target.exists() {
            return None;
        }
        serde_json::from_slice(&fs::read(Self::place(target)).ok()?).ok()
    }

    /// Whether the record accounts for everything in the folder `target`.
    fn knows_all(&self, target: &Path) -> bool {
        let listed = |name: &String| name == EXPORT_FILE || self.files.contains_key(name);
        files_below(target).is_ok_and(|files| files.iter().all(listed))
    }

    /// Checks that the target is the one that the record tells of.
    fn check(&self, target: &Path) -> Result<(), ExportError> {
        let stale = |detail: String, path: PathBuf| Err(ShardError::Stale { detail, path }.into());
        if let Some(blake3) = &self.blake3
            && InputHash::of(target)?.blake3 != *blake3
        {
            return stale("its bytes are not those that were written".to_owned(), target.to_owned());
        }
        self.files.par_iter().try_for_each(|(name, held)| {
            let path = target.join(name);
            let found = Held::of(&path)?;
            if found.bytes != held.bytes {
                return stale(format!("{} bytes long instead of {}", found.bytes, held.bytes), path);
            }
            if found.blake3 != held.blake3 {
                return stale("its bytes are not those that were written".to_owned(), path);
            }
            Ok(())
        })
    }

    /// Writes it to `path` by way of the work folder `work`.
    fn write(&self, work: &WorkFolder, path: &Path) -> Result<(), ExportError> {
        let text = serde_json::to_string_pretty(self).expect("a record is plain data") + "\n";
        Ok(replace_by_way_of(work.path(), path, text.as_bytes())?)
    }
}

/// The files and links below `folder`, by their paths in it.
fn files_below(folder: &Path) -> Result<BTreeSet<String>, ExportError> {
    let mut files = BTreeSet::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).map_err(ExportError::io("list", &next))? {
            let entry = entry.map_err(ExportError::io("list", &next))?;
            let path = entry.path();
            if entry.file_type().map_err(ExportError::io("list", &next))?.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
                files.insert(name);
            }
        }
    }
    Ok(files)
}

/// Checks that the exported file or folder `path` is the one that its record tells of, and gives its rows.
///
/// # Errors
/// When it has no record, or is another.
pub fn check_export(path: &Path) -> Result<u64, ExportError> {
    let record = Record::read(path).ok_or_else(|| ExportError::NoRecord { path: path.to_owned() })?;
    record.check(path)?;
    Ok(record.rows)
}

type Begin = Box<dyn FnMut() -> Result<Box<dyn Encode>, ExportError> + Send>;

struct Exporting {
    path: PathBuf,
    format: &'static str,
    provenance: Provenance,
    begin: Begin,
    work: WorkFolder,
    /// From the beginning until the target is closed.
    encoder: Option<Box<dyn Encode>>,
    /// From then on.
    target: Option<Target>,
    exported: Exported,
}

impl WholeTarget for Exporting {
    fn begin(&mut self) -> Result<(), ExportError> {
        self.encoder = Some((self.begin)()?);
        Ok(())
    }

    fn write(&mut self, input: usize, rows: &RecordBatch) -> Result<(), ExportError> {
        let encoder = self.encoder.as_mut().expect("a target takes rows between beginning and end");
        if rows.num_rows() > 0 {
            encoder.put(input, rows, &mut self.exported)?;
        }
        Ok(())
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

    fn complete(&mut self, rejects: &BTreeMap<String, u64>) -> Result<Written, ExportError> {
        let (format, rows, rejects) = (self.format.to_owned(), self.exported.written, rejects.clone());
        let (provenance, files) = (self.provenance.clone(), BTreeMap::new());
        let record = Record { format, rows, rejects, provenance, blake3: None, files, more: Json::Null };
        match self.target.take().expect("a target is completed when it is closed") {
            Target::File(file) => {
                let blake3 = Some(file.blake3());
                // The record goes first: with a file that it does not tell of, it means nothing.
                Record { blake3, ..record }.write(&self.work, &Record::place(&self.path))?;
                file.finish()?;
            }
            Target::Folder(folder, more) => {
                let held = |name: String| Held::of(&folder.path().join(&name)).map(|held| (name, held));
                let files: Vec<String> = files_below(folder.path())?.into_iter().collect();
                let files = files.into_par_iter().map(held).collect::<Result<_, _>>()?;
                let record = Record { files, more, ..record };
                record.write(&self.work, &folder.path().join(EXPORT_FILE))?;
                folder.finish()?;
            }
        }
        let place = resolved(&self.path);
        sync_folder(
            place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")),
        )?;
        Ok(Written { rows, shards: None })
    }

    fn release(self: Box<Self>) -> Result<(), ShardError> {
        let Self { work, encoder, target, .. } = *self;
        drop((encoder, target));
        work.remove()
    }
}
