//! A table folder that this process may write: claimed, filled unit by unit, completed by its manifest.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use schemas::units::Count;

use super::ShardError;
use super::lock::Access;
use super::manifest::{MANIFEST_FILE, Manifest, Provenance, Rejected, ShardEntry};
use super::properties::{flowing_schema, stored_schema};
use super::reader::TableReader;
use super::unique;
use super::unit::{Layout, UnitWriter, bears_its_hash};
use super::work_folder::{
    Mark, WORK_FOLDER, WorkFolder, mark_of, replace_by_way_of, replace_file, sync_folder,
};

/// Bytes in memory after which a shard is closed: 512 MiB, about what trainers like to fetch at once.
pub const SHARD_BYTES: u64 = 512 << 20;

/// [`SHARD_BYTES`] in MiB, as plans and commands state it.
pub(crate) fn shard_mib() -> Count {
    Count::constant((SHARD_BYTES >> 20) as u32)
}

/// Bytes in memory after which the row groups of all open shards of a unit are closed: 16 MiB. Several units hold
/// theirs in memory at once.
pub const ROW_GROUP_BYTES: u64 = 16 << 20;

/// The files that a new manifest has replaced, until they are removed.
const REPLACED: &str = "replaced.json";

/// How a table is claimed and cut.
#[derive(Debug, Clone)]
pub struct TableOptions {
    /// Bytes in memory after which a unit begins its next shard.
    pub shard_bytes: u64,
    /// Bytes in memory after which a unit closes its row groups.
    pub row_group_bytes: u64,
    /// Whether others may fill the table at the same time, and whether a table of other work is replaced.
    pub claim: Claiming,
}

/// How targets are claimed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Claiming {
    /// Whether the other runs of an array may work there too.
    pub access: Access,
    /// Replace what other work made.
    pub force: bool,
    /// The work of all runs of an array is completed: what others have begun there is not given up for it.
    pub merge: bool,
}

impl Claiming {
    /// The mark of work that is begun with this claim.
    pub(crate) fn mark(self, provenance: Provenance) -> Mark {
        Mark { provenance, shared: self.access == Access::Shared }
    }

    /// Refuses to give up what was begun at `path` under `mark`, of other work: the work of an array may be that of many
    /// machines, and a part of one does not stand for its whole.
    pub(crate) fn may_give_up(self, mark: &Mark, path: &Path) -> Result<(), ShardError> {
        let part = self.access == Access::Shared || self.merge;
        if self.force || !(mark.shared || part) {
            return Ok(());
        }
        let holds = "what runs of another plan have begun".to_owned();
        Err(ShardError::Exists { holds, path: path.to_owned() })
    }
}

impl Default for TableOptions {
    fn default() -> Self {
        Self { shard_bytes: SHARD_BYTES, row_group_bytes: ROW_GROUP_BYTES, claim: Claiming::default() }
    }
}

/// A table folder that this process may write.
#[derive(Debug)]
pub struct TableFolder {
    layout: Arc<Layout>,
    work: WorkFolder,
    provenance: Provenance,
    continued: bool,
}

impl TableFolder {
    /// Claims the folder `path` for a table of `schema`. A link is followed. What is there stays as it is until
    /// the table is complete.
    ///
    /// # Errors
    /// When the folder holds something else, another run works there, or the system refuses.
    pub fn claim(
        path: &Path,
        schema: &SchemaRef,
        provenance: Provenance,
        options: &TableOptions,
    ) -> Result<Self, ShardError> {
        let folder = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let force = options.claim.force;
        allowed(&folder, path, &provenance, force)?;
        let stood = folder.is_dir();
        Self::take(&folder, path, schema, provenance, options).inspect_err(|_| {
            if !stood {
                // Ours, if nothing else is in it; the refusal is the error to report.
                let _ = fs::remove_dir(&folder);
            }
        })
    }

    fn take(
        folder: &Path,
        path: &Path,
        schema: &SchemaRef,
        provenance: Provenance,
        options: &TableOptions,
    ) -> Result<Self, ShardError> {
        let mut work = WorkFolder::take(&folder.join(WORK_FOLDER), path, options.claim.access)?;
        // Another run may have ended in between.
        let manifest = allowed(folder, path, &provenance, options.claim.force)?;
        let mark = work.mark();
        let continued = mark.as_ref().is_some_and(|mark| mark.provenance == provenance);
        if !continued && !work.alone() {
            let holder = "a run of another plan".to_owned();
            return Err(ShardError::Locked { holder, path: path.to_owned() });
        }
        if !continued {
            if let Some(mark) = mark {
                options.claim.may_give_up(&mark, path)?;
                remove_begun(folder, manifest.as_ref())?;
            }
            finish_replacing(folder, &work, manifest.as_ref())?;
            work.clear()?;
            work = work.marked(&options.claim.mark(provenance.clone()))?;
        }
        if options.claim.access == Access::Shared && work.alone() {
            work.share()?;
        }
        let layout = Layout {
            folder: folder.to_owned(),
            work: work.path().to_owned(),
            schema: stored_schema(schema),
            by_split: true,
            shard_bytes: options.shard_bytes,
            row_group_bytes: options.row_group_bytes,
        };
        Ok(Self { layout: Arc::new(layout), work, provenance, continued })
    }

    /// The complete table in `path` that the work of `provenance` made, if it is there.
    pub fn complete_of(path: &Path, provenance: &Provenance) -> Option<Manifest> {
        let manifest = Manifest::read(path).ok()?;
        (manifest.provenance == *provenance).then_some(manifest)
    }

    /// Whether the work of `provenance` on the table in `path` is begun and not complete.
    pub fn is_begun(path: &Path, provenance: &Provenance) -> bool {
        mark_of(&path.join(WORK_FOLDER)).is_some_and(|mark| mark.provenance == *provenance)
    }

    /// Whether an earlier run of the same work has begun the table.
    pub fn continued(&self) -> bool {
        self.continued
    }

    /// Its folder, links followed.
    pub fn path(&self) -> &Path {
        &self.layout.folder
    }

    /// The hidden folder for what belongs to the work on it; it disappears when the table is complete.
    pub fn work_path(&self) -> &Path {
        self.work.path()
    }

    /// Begins the shards of unit `number`.
    pub fn unit(&self, number: u64) -> UnitWriter {
        UnitWriter::new(Arc::clone(&self.layout), number)
    }

    /// A place for rows of `schema` that wait until all have come.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn shelf(&self, name: &str, schema: &SchemaRef) -> Result<Shelf, ShardError> {
        let folder = self.work.path().join("inputs").join(name);
        fs::create_dir_all(&folder).map_err(ShardError::io("create the folder", &folder))?;
        let Layout { shard_bytes, row_group_bytes, .. } = &*self.layout;
        Ok(Shelf(Arc::new(Layout {
            work: folder.clone(),
            folder,
            schema: stored_schema(schema),
            by_split: false,
            shard_bytes: *shard_bytes,
            row_group_bytes: *row_group_bytes,
        })))
    }

    /// Removes shards of this work that are not among `done`: those of units that were not completed.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove_all_but<'a>(&self, done: impl Iterator<Item = &'a ShardEntry>) -> Result<(), ShardError> {
        let kept: BTreeSet<&str> = done.map(|shard| shard.file.as_str()).collect();
        let manifest = Manifest::read(&self.layout.folder).ok();
        let listed = listed(manifest.as_ref());
        remove_shards(&self.layout.folder, |name| kept.contains(name) || listed.contains(name))
    }

    /// Completes the table of `shards`, in the order of their units: its manifest takes the place of the former one,
    /// whose shards are removed. The work folder stays until [`release`](Self::release).
    ///
    /// # Errors
    /// When the system refuses, or two people have one id.
    pub fn complete(&self, mut shards: Vec<ShardEntry>, rejected: Rejected) -> Result<Manifest, ShardError> {
        if shards.is_empty() {
            // A table without rows keeps its schema in one empty shard.
            shards = UnitWriter::new(Arc::clone(&self.layout), 0).finish_empty()?;
        }
        unique::check(&self.layout.folder, &flowing_schema(&self.layout.schema), &shards)?;
        // The order of units is kept within a split.
        shards.sort_by(|a, b| a.split.cmp(&b.split));
        let Layout { folder, schema, .. } = &*self.layout;
        let mut manifest = Manifest::empty(&flowing_schema(schema), self.provenance.clone());
        (manifest.rejects, manifest.examples) = (rejected.rows, rejected.examples);
        manifest.verdict = rejected.verdict;
        for shard in &shards {
            manifest.rows += shard.rows;
            *manifest.splits.entry(shard.split.clone()).or_default() += shard.rows;
        }
        manifest.shards = shards;
        // The manifest of this very work is there already after a kill; the list is that of the one before it.
        if let Ok(former) = Manifest::read(folder)
            && former.to_json() != manifest.to_json()
        {
            let files: Vec<&str> = former.shards.iter().map(|shard| shard.file.as_str()).collect();
            let text = serde_json::to_string(&files).expect("names are plain data");
            replace_file(&self.work.path().join(REPLACED), text.as_bytes())?;
        }
        sync_folder(self.work.path())?;
        replace_by_way_of(self.work.path(), &folder.join(MANIFEST_FILE), manifest.to_json().as_bytes())?;
        sync_folder(folder)?;
        finish_replacing(folder, &self.work, Some(&manifest))?;
        Ok(manifest)
    }

    /// Gives the folder back: after [`complete`](Self::complete), or where nothing is worth keeping.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn release(self) -> Result<(), ShardError> {
        let folder = &self.layout.folder;
        let manifest = Manifest::read(folder).ok();
        remove_begun(folder, manifest.as_ref())?;
        self.work.remove()?;
        if manifest.is_none() {
            // Ours if it is empty; whatever else is in it stays, and it with that.
            let _ = fs::remove_dir(folder);
        }
        sync_folder(folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }
}

/// Rows that wait on disk until all have come, in the order of their units.
#[derive(Debug, Clone)]
pub struct Shelf(Arc<Layout>);

impl Shelf {
    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0.folder
    }

    /// Begins the shards of unit `number`.
    pub fn unit(&self, number: u64) -> UnitWriter {
        UnitWriter::new(Arc::clone(&self.0), number)
    }

    /// The rows of `shards`, which are those of all units in order.
    pub fn reader(&self, shards: &[ShardEntry]) -> TableReader {
        TableReader::of_shards(&self.0.folder, flowing_schema(&self.0.schema), shards)
    }

    /// As [`TableFolder::remove_all_but`].
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove_all_but<'a>(&self, done: impl Iterator<Item = &'a ShardEntry>) -> Result<(), ShardError> {
        let kept: BTreeSet<&str> = done.map(|shard| shard.file.as_str()).collect();
        remove_shards(&self.0.folder, |name| kept.contains(name))
    }
}

/// The manifest in `folder`, if the work of `provenance` may write there.
fn allowed(
    folder: &Path,
    path: &Path,
    provenance: &Provenance,
    force: bool,
) -> Result<Option<Manifest>, ShardError> {
    let exists = |holds: &str| ShardError::Exists { holds: holds.to_owned(), path: path.to_owned() };
    let foreign = |what| ShardError::Foreign { what, path: path.to_owned() };
    if !folder.is_dir() {
        return if folder.symlink_metadata().is_ok() { Err(foreign("it is not a folder")) } else { Ok(None) };
    }
    let work = folder.join(WORK_FOLDER);
    match Manifest::read(folder) {
        Ok(manifest) if manifest.provenance == *provenance || force => Ok(Some(manifest)),
        Ok(manifest) => {
            let begun = mark_of(&work).is_some_and(|mark| mark.provenance == *provenance);
            // Work that was begun with `--force` goes on without it.
            if begun {
                Ok(Some(manifest))
            } else {
                Err(exists(&format!("a `{}` table of other work", manifest.table)))
            }
        }
        Err(ShardError::NoManifest { .. }) => {
            let entries = fs::read_dir(folder).map_err(ShardError::io("list", folder))?;
            let others =
                entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name() != WORK_FOLDER));
            if others.count() > 0 && mark_of(&work).is_none() {
                return Err(foreign("it holds files that motionmill did not write"));
            }
            Ok(None)
        }
        Err(unreadable) => Err(unreadable),
    }
}

/// The files that `manifest` lists.
fn listed(manifest: Option<&Manifest>) -> BTreeSet<&str> {
    manifest.into_iter().flat_map(|manifest| &manifest.shards).map(|shard| shard.file.as_str()).collect()
}

/// Removes the shards of begun work that `manifest` does not list.
fn remove_begun(folder: &Path, manifest: Option<&Manifest>) -> Result<(), ShardError> {
    let listed = listed(manifest);
    remove_shards(folder, |name| listed.contains(name))
}

/// Removes all shards in `folder` but those `kept`. A shard is what bears the hash of its bytes in its name: whatever
/// else is there is not ours.
fn remove_shards(folder: &Path, kept: impl Fn(&str) -> bool) -> Result<(), ShardError> {
    for entry in fs::read_dir(folder).map_err(ShardError::io("list", folder))? {
        let path = entry.map_err(ShardError::io("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !kept(name) && bears_its_hash(&path)? {
            fs::remove_file(&path).map_err(ShardError::io("remove", &path))?;
        }
    }
    Ok(())
}

/// Removes the files that `manifest` has replaced.
fn finish_replacing(folder: &Path, work: &WorkFolder, manifest: Option<&Manifest>) -> Result<(), ShardError> {
    let list = work.path().join(REPLACED);
    let (Some(manifest), Ok(text)) = (manifest, fs::read(&list)) else { return Ok(()) };
    let listed: BTreeSet<&str> = manifest.shards.iter().map(|shard| shard.file.as_str()).collect();
    let replaced: Vec<PathBuf> = serde_json::from_slice(&text).unwrap_or_default();
    // Only names of files in this very folder: the list is a file that anybody can edit.
    let names = replaced.iter().filter_map(|path| path.file_name()?.to_str());
    for name in names.filter(|name| name.ends_with(".parquet") && !listed.contains(name)) {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ShardError::io("remove", &folder.join(name))(error));
            }
            _ => {}
        }
    }
    fs::remove_file(&list).map_err(ShardError::io("remove", &list))
}
