//! Writing a table that a command has whole in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use datasets::shards::{InputHash, Manifest, Provenance, Started, TableWriter, WriterOptions};

/// What made a table that a command writes: its name, its arguments that change the result, its input files.
pub fn provenance(command: &str, arguments: &[String], inputs: &[PathBuf]) -> anyhow::Result<Provenance> {
    let inputs = inputs.iter().map(|path| InputHash::of(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(Provenance {
        motionmill: env!("CARGO_PKG_VERSION").to_owned(),
        made_by: command.to_owned(),
        plan_hash: blake3::hash(arguments.join("\0").as_bytes()).to_hex().to_string(),
        seed: None,
        inputs,
        engines: BTreeMap::new(),
    })
}

/// Writes `batch` as the table `folder` and says so on stderr.
pub fn write(
    folder: &Path,
    batch: &RecordBatch,
    provenance: Provenance,
    rejects: BTreeMap<String, u64>,
    force: bool,
) -> anyhow::Result<Manifest> {
    let options = WriterOptions { force, ..WriterOptions::default() };
    match TableWriter::start(folder, batch.schema_ref(), provenance, options)? {
        Started::Complete(manifest) => {
            eprintln!("up to date {}: {} rows", folder.display(), manifest.rows);
            Ok(manifest)
        }
        Started::From { mut writer, .. } => {
            writer.write(0, batch)?;
            let manifest = writer.finish(rejects)?;
            eprintln!("wrote {}: {} rows", folder.display(), manifest.rows);
            Ok(manifest)
        }
    }
}
