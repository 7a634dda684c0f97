//! Which tables are below a folder, and which of them belong together.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use datasets::shards::{InputHash, MANIFEST_FILE, Manifest};

use super::super::failure::Hint;

/// How deep folders are searched: a run has its tables one or two below its own.
const DEPTH: usize = 6;

/// How the names of folders end in which a run keeps what is not complete.
const UNFINISHED: [&str; 2] = [".partial", ".work"];

/// A table folder.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The folder.
    pub path: PathBuf,
    /// Its path below the folder that was searched.
    pub label: String,
    /// Its manifest.
    pub manifest: Manifest,
    /// BLAKE3 of its manifest, as other tables name it among their inputs.
    pub blake3: String,
    /// What it serves for in the report.
    pub role: String,
}

impl Found {
    /// The table folder at `path`, called `label`.
    pub(super) fn open(path: &Path, label: String) -> anyhow::Result<Self> {
        let manifest = Manifest::read(path)?;
        let blake3 = InputHash::of(path)?.blake3;
        Ok(Self { path: path.to_owned(), label, manifest, blake3, role: String::new() })
    }

    /// Notes that it serves as `what` in the report.
    pub(super) fn serves(&mut self, what: &str) {
        if !self.role.is_empty() {
            self.role.push_str("; ");
        }
        self.role.push_str(what);
    }

    /// Whether it is a table `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.manifest.table == name
    }

    /// Whether it was made from `other`.
    pub(super) fn is_from(&self, other: &Self) -> bool {
        self.manifest.provenance.inputs.iter().any(|input| input.blake3 == other.blake3)
    }

    /// Whether one plan made both, or this one was made from `other`.
    pub(super) fn belongs_to(&self, other: &Self) -> bool {
        self.is_from(other) || self.manifest.provenance.plan_hash == other.manifest.provenance.plan_hash
    }
}

/// Every table at or below `run`, by path; and the manifests that are not ours.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn tables(run: &Path) -> anyhow::Result<(Vec<Found>, Vec<String>)> {
    if !run.is_dir() {
        return Err(Hint::error(
            format!("no such folder: `{}`", run.display()),
            "name the folder that a run wrote its tables to",
        ));
    }
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    walk(run, run, DEPTH, &mut found, &mut notes)?;
    Ok((found, notes))
}

fn walk(
    root: &Path,
    folder: &Path,
    depth: usize,
    found: &mut Vec<Found>,
    notes: &mut Vec<String>,
) -> anyhow::Result<()> {
    if folder.join(MANIFEST_FILE).is_file() {
        let label = folder.strip_prefix(root).unwrap_or(folder).display().to_string();
        // The folder itself is a table: it is called as it was named.
        let label = if label.is_empty() { folder.display().to_string() } else { label };
        match Found::open(folder, label.clone()) {
            Ok(table) => found.push(table),
            Err(error) => notes.push(format!("{label} is not read: {error}")),
        }
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    let listed =
        fs::read_dir(folder).with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    let mut below: Vec<PathBuf> = Vec::new();
    for entry in listed {
        let entry = entry.with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_work = name.starts_with('.') || UNFINISHED.iter().any(|end| name.ends_with(end));
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_work {
            below.push(entry.path());
        }
    }
    below.sort();
    below.iter().try_for_each(|next| walk(root, next, depth - 1, found, notes))
}

/// Adds the tables that flags name to those that were found, in their order; returns their positions.
pub(super) fn named(
    tables: &mut Vec<Found>,
    paths: &[PathBuf],
    table: &str,
    flag: &str,
) -> anyhow::Result<Vec<usize>> {
    let mut places = Vec::new();
    for path in paths {
        let opened = Found::open(path, path.display().to_string())?;
        if !opened.is(table) {
            return Err(Hint::error(
                format!("`{}` is a table `{}`, not `{table}`", path.display(), opened.manifest.table),
                format!("name a table `{table}` with `{flag}`"),
            ));
        }
        let known = tables.iter().position(|known| known.blake3 == opened.blake3 && known.is(table));
        places.push(known.unwrap_or_else(|| {
            tables.push(opened);
            tables.len() - 1
        }));
    }
    Ok(places)
}
