//! `manifest.json`: what a table folder holds, and what made it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow::datatypes::Schema;
use rayon::prelude::*;
use schemas::columns::{SKELETON_KEY, VERSION_KEY};
use schemas::tables::table_name;
use serde::{Deserialize, Serialize};

use super::ShardError;
use crate::files;

/// File name of the manifest in its folder.
pub const MANIFEST_FILE: &str = "manifest.json";

/// What a table folder holds, and what made it. It has no times and no thread counts: same work, same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the table.
    pub table: String,
    /// Version of the table.
    pub table_version: String,
    /// Skeleton of its keypoints, if it has any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub skeleton: Option<String>,
    /// Hash of the Arrow schema.
    pub schema_hash: String,
    /// What made the table.
    pub provenance: Provenance,
    /// Rows in all shards.
    pub rows: u64,
    /// Rows of each split.
    pub splits: BTreeMap<String, u64>,
    /// Rows that were rejected on the way here, by reason.
    pub rejects: BTreeMap<String, u64>,
    /// By reason: the first of these rows, in words.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub examples: BTreeMap<String, String>,
    /// What the run lost; a table of rejects has it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub verdict: Option<Verdict>,
    /// The shards, in the order in which a reader takes them.
    pub shards: Vec<ShardEntry>,
    /// BLAKE3 of all of the above, as compact JSON.
    #[serde(default)]
    pub blake3: String,
}

/// What a run rejected, as the manifests of its tables have it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rejected {
    /// Rows, by reason.
    pub rows: BTreeMap<String, u64>,
    /// By reason: the first of these rows, in words.
    pub examples: BTreeMap<String, String>,
    /// What the run lost, for the manifest of its table of rejects.
    pub verdict: Option<Verdict>,
}

/// What a run lost of what it read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Rows and records that its sources read.
    pub read: u64,
    /// Rows that were rejected, without those that a filter was told to leave out.
    pub rejected: u64,
    /// What was lost as a whole, in words: a source that gave nothing, or a step that nothing passed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lost: Option<String>,
}

/// What made a table. Two tables of equal provenance hold the same bytes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Version of motionmill.
    pub motionmill: String,
    /// The command, or the name of the plan's sink.
    pub made_by: String,
    /// Hash of the plan or of the command's arguments.
    pub plan_hash: String,
    /// Seed of the run, where it drew random numbers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seed: Option<u64>,
    /// What was read, with its hash.
    pub inputs: Vec<InputHash>,
    /// The engines that may change the bytes: decoder, runtime, provider.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub engines: BTreeMap<String, String>,
}

/// One input file or table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputHash {
    /// Its path as given.
    pub path: String,
    /// BLAKE3 of the file, or of the manifest of a table folder.
    pub blake3: String,
}

/// One shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardEntry {
    /// File name in the folder.
    pub file: String,
    /// The split whose rows it holds.
    pub split: String,
    /// How many rows.
    pub rows: u64,
    /// Length of the file.
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub blake3: String,
}

impl Manifest {
    /// Reads the manifest of `folder`.
    ///
    /// # Errors
    /// When there is none, or it is not one of ours.
    pub fn read(folder: &Path) -> Result<Self, ShardError> {
        let path = folder.join(MANIFEST_FILE);
        let text = match files::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(ShardError::NoManifest { path: folder.to_owned() });
            }
            Err(error) => return Err(ShardError::io("read the manifest", &path)(error)),
        };
        let bad = |detail: String| ShardError::BadManifest { detail, path: path.clone() };
        let manifest: Self = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        if manifest.blake3.is_empty() {
            return Err(bad("it has no hash of its own; make the table again".to_owned()));
        }
        if manifest.blake3 != manifest.hash() {
            return Err(bad("it was changed after it was written".to_owned()));
        }
        manifest.contradiction().map_or(Ok(manifest), |detail| Err(bad(detail)))
    }

    /// What cannot be so, although the hash is right: a shard that is no file of the folder, or rows that do not add up.
    fn contradiction(&self) -> Option<String> {
        let inside = |file: &str| Path::new(file).file_name().is_some_and(|name| name == file);
        if let Some(shard) = self.shards.iter().find(|shard| !inside(&shard.file)) {
            return Some(format!("a shard must be a file of the folder, found `{}`", shard.file));
        }
        let sum = |count: fn(&ShardEntry) -> u64| {
            self.shards.iter().try_fold(0_u64, |sum, shard| sum.checked_add(count(shard)))
        };
        match (sum(|shard| shard.rows), sum(|shard| shard.bytes)) {
            (Some(rows), Some(_)) if rows == self.rows => None,
            _ => Some(format!("its shards do not add up to {} rows", self.rows)),
        }
    }

    fn hash(&self) -> String {
        let bare = Self { blake3: String::new(), ..self.clone() };
        let text = serde_json::to_string(&bare).expect("a manifest is plain data");
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// The manifest of a table without shards yet.
    pub fn empty(schema: &Schema, provenance: Provenance) -> Self {
        Self {
            table: table_name(schema).unwrap_or("table").to_owned(),
            table_version: schema.metadata().get(VERSION_KEY).cloned().unwrap_or_default(),
            skeleton: schema.metadata().get(SKELETON_KEY).cloned(),
            schema_hash: schema_hash(schema),
            provenance,
            rows: 0,
            splits: BTreeMap::new(),
            rejects: BTreeMap::new(),
            examples: BTreeMap::new(),
            verdict: None,
            shards: Vec::new(),
            blake3: String::new(),
        }
    }

    /// The manifest as it is written, with its own hash.
    pub fn to_json(&self) -> String {
        let sealed = Self { blake3: self.hash(), ..self.clone() };
        serde_json::to_string_pretty(&sealed).expect("a manifest is plain data") + "\n"
    }
}

impl InputHash {
    /// Hashes the file at `path`, or the manifest of the table folder there.
    ///
    /// # Errors
    /// When it cannot be read, or is a folder without manifest.
    pub fn of(path: &Path) -> Result<Self, ShardError> {
        let target = if path.is_dir() { path.join(MANIFEST_FILE) } else { path.to_owned() };
        if path.is_dir() && !target.exists() {
            return Err(ShardError::NoManifest { path: path.to_owned() });
        }
        let mut hasher = blake3::Hasher::new();
        let file = files::open(&target).map_err(ShardError::io("open", &target))?;
        hasher.update_reader(file).map_err(ShardError::io("read", &target))?;
        Ok(Self { path: path.display().to_string(), blake3: hasher.finalize().to_hex().to_string() })
    }
}

impl InputHash {
    /// One hash of the paths and contents of all `files`, in their order, under the name `what`.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn of_all(what: &str, files: &[PathBuf]) -> Result<Self, ShardError> {
        let each: Vec<Self> = files.par_iter().map(|file| Self::of(file)).collect::<Result<_, _>>()?;
        let mut hasher = blake3::Hasher::new();
        for Self { path, blake3 } in &each {
            hasher.update(path.as_bytes()).update(b"\0").update(blake3.as_bytes());
        }
        let path = format!("{what}: {} files", each.len());
        Ok(Self { path, blake3: hasher.finalize().to_hex().to_string() })
    }
}

/// Hash of names, types, nullability and metadata, independent of the order of metadata keys.
fn schema_hash(schema: &Schema) -> String {
    let mut hasher = blake3::Hasher::new();
    for field in schema.fields() {
        hasher.update(format!("{}:{}:{};", field.name(), field.data_type(), field.is_nullable()).as_bytes());
    }
    let metadata: BTreeMap<_, _> = schema.metadata().iter().collect();
    hasher.update(format!("{metadata:?}").as_bytes());
    hasher.finalize().to_hex().to_string()
}
