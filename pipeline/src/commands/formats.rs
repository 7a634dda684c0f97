//! `motionmill ingest` and `motionmill export`: a plan of one source and one sink, made from the command line.

use std::path::Path;

use datasets::shards::{ParquetSink, TableReader, TableSource};
use schemas::units::Count;

use crate::cli::{Export, Ingest};
use crate::plan::{Plan, RunnerConfig, SinkConfig, SourceConfig};

use super::failure::Hint;
use super::terminal::{print, tell};
use super::work;

/// Rows of a batch of annotations, which are small.
const INGEST_ROWS: Count = Count::constant(1024);
/// Rows of a batch that is exported: samples with pictures and maps may be among them.
const EXPORT_ROWS: Count = Count::constant(64);

/// Reads what `args` name into a table.
pub(super) fn ingest(args: &Ingest) -> anyhow::Result<()> {
    let Some(out) = &args.out else { return guess(&args.read) };
    let (name, names) = (args.read.kind(), args.read.inputs());
    let mut plan = in_batches_of(INGEST_ROWS);
    for (input, path) in names.iter().zip(&args.inputs) {
        if matches!(args.read, SourceConfig::Predictions(_)) {
            one_split(path, args.split.as_deref())?;
        }
        plan = plan.with_source(input, &[], table(path, args.split.clone()));
    }
    let write = SinkConfig::Parquet(ParquetSink::at(&out.out));
    let plan = plan.with_source(name, names, args.read.clone()).with_sink(name, &[name], write);
    unicode(&plan)?;
    work::run(plan, out.force, out.rejects.fail_on_rejects)
}

/// Prints the layout that the logs of `read` look like, and says what is unsure.
fn guess(read: &SourceConfig) -> anyhow::Result<()> {
    let SourceConfig::Logs(logs) = read else { anyhow::bail!("only logs can be guessed at") };
    let found = datasets::imu::guess::guess(&logs.path)?;
    print(&found.to_text())?;
    let unsure = found.unsure.iter().map(|doubt| format!("unsure: {doubt}\n"));
    Ok(tell(&unsure.collect::<String>())?)
}

/// Writes the tables that `args` name as a file or folder of another program.
pub(super) fn export(args: &Export) -> anyhow::Result<()> {
    let split = args.args.split.as_deref();
    let names = args.write.inputs();
    let mut plan = in_batches_of(EXPORT_ROWS);
    for (number, (input, path)) in names.iter().zip(&args.inputs).enumerate() {
        // Predictions, the first of two tables, may have lost their splits on the way; then ids tell whose they are.
        let may_lack_it = number == 0 && names.len() > 1;
        let split = split.filter(|split| !may_lack_it || has_split(path, split));
        plan = plan.with_source(input, &[], table(path, split.map(str::to_owned)));
    }
    if matches!(args.write, SinkConfig::Preds(_)) {
        one_split(&args.inputs[1], split)?;
    }
    let plan = plan.with_sink(args.write.kind(), names, args.write.clone());
    unicode(&plan)?;
    work::run(plan, args.args.force, args.args.rejects.fail_on_rejects)
}

/// Refuses paths that are no text: tables name pictures and files, and hold text.
fn unicode(plan: &Plan) -> anyhow::Result<()> {
    let Err(error) = serde_json::to_value(plan) else { return Ok(()) };
    let message = format!("a path is not UTF-8, which tables and plans hold: {error}");
    Err(Hint::error(message, "make a link to it under a name of letters, and give that: `ln -s`"))
}

/// The source of the table `path`.
pub(super) fn table(path: &Path, split: Option<String>) -> SourceConfig {
    SourceConfig::Table(TableSource { path: path.to_owned(), split, like: None })
}

fn in_batches_of(batch_rows: Count) -> Plan {
    Plan { runner: RunnerConfig { batch_rows, ..RunnerConfig::default() }, ..Plan::default() }
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
        format!("the people have several splits ({}), whose rows are not consecutive", names.join(", ")),
        format!("name the split of the array: `--split {}`", splits[0]),
    ))
}
