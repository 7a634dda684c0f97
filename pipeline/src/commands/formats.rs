//! `motionmill ingest` and `motionmill export`: a plan of a source and a sink, written by the command line.

use std::collections::BTreeMap;
use std::path::Path;

use datasets::shards::{ParquetSink, TableReader, TableSource};
use schemas::units::Count;

use crate::cli::{Export, Ingest};
use crate::plan::{Plan, RunnerConfig, SinkConfig, SinkNode, SourceConfig, SourceNode};

use super::failure::Hint;
use super::work;

/// Rows of a batch of annotations, which are small.
const INGEST_ROWS: Count = Count::constant(1024);
/// Rows of a batch that is exported: samples with pictures and maps may be among them.
const EXPORT_ROWS: Count = Count::constant(64);

/// Reads what `args` name into a table.
pub fn ingest(args: &Ingest) -> anyhow::Result<()> {
    let mut sources = BTreeMap::new();
    let names = args.read.inputs();
    for (name, path) in names.iter().zip(&args.inputs) {
        if matches!(args.read, SourceConfig::Predictions(_)) {
            one_split(path, args.split.as_deref())?;
        }
        sources.insert((*name).to_owned(), table(path, args.split.clone()));
    }
    let inputs = names.iter().map(|name| (*name).to_owned()).collect();
    let name = args.read.kind().to_owned();
    sources.insert(name.clone(), SourceNode { inputs, read: args.read.clone() });
    let write = SinkConfig::Parquet(ParquetSink::at(&args.out.out));
    work::run(
        plan(sources, name.clone(), SinkNode { inputs: vec![name], write }, INGEST_ROWS),
        args.out.force,
    )
}

/// Writes the tables that `args` name as a file or folder of another program.
pub fn export(args: &Export) -> anyhow::Result<()> {
    let split = args.args.split.as_deref();
    let mut sources = BTreeMap::new();
    let names = args.write.inputs();
    for (name, path) in names.iter().zip(&args.inputs) {
        // Predictions may have lost their splits on the way; then ids alone tell whose they are.
        let split = split.filter(|split| names.len() == 1 || has_split(path, split));
        sources.insert((*name).to_owned(), table(path, split.map(str::to_owned)));
    }
    if matches!(args.write, SinkConfig::Preds(_)) {
        one_split(&args.inputs[1], split)?;
    }
    let inputs = names.iter().map(|name| (*name).to_owned()).collect();
    let sink = SinkNode { inputs, write: args.write.clone() };
    work::run(plan(sources, args.write.kind().to_owned(), sink, EXPORT_ROWS), args.args.force)
}

/// The source of the table `path`.
pub(super) fn table(path: &Path, split: Option<String>) -> SourceNode {
    let read = SourceConfig::Table(TableSource { path: path.to_owned(), split });
    SourceNode { inputs: Vec::new(), read }
}

fn plan(sources: BTreeMap<String, SourceNode>, name: String, sink: SinkNode, batch_rows: Count) -> Plan {
    Plan {
        seed: 0,
        runner: RunnerConfig { batch_rows, ..RunnerConfig::default() },
        rejects: None,
        sources,
        stages: BTreeMap::new(),
        sinks: BTreeMap::from([(name, sink)]),
    }
}

/// The splits of the table `path`, where it is a folder.
fn splits(path: &Path) -> anyhow::Result<Vec<String>> {
    let table = TableReader::open(path, None)?;
    Ok(table.manifest().map(|manifest| manifest.splits.keys().cloned().collect()).unwrap_or_default())
}

fn has_split(path: &Path, split: &str) -> bool {
    splits(path).is_ok_and(|splits| splits.iter().any(|name| name == split))
}

/// Refuses people of several splits: rows of an array are known by their order alone, and those of splits stand apart.
fn one_split(path: &Path, split: Option<&str>) -> anyhow::Result<()> {
    let splits = splits(path)?;
    if split.is_some() || splits.len() < 2 {
        return Ok(());
    }
    let names: Vec<String> = splits.iter().map(|split| format!("`{split}`")).collect();
    Err(Hint::error(
        format!("the people have several splits ({}), whose rows stand apart", names.join(", ")),
        format!("say which one the array is of: `--split {}`", splits[0]),
    ))
}
