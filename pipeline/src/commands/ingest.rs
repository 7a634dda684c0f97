//! `motionmill ingest`: a plan of one source and one sink, written by the command line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use datasets::imu::{Clock, CsvLogs, HmogLogs, Preset};
use datasets::shards::SHARD_BYTES;
use schemas::units::Count;

use crate::cli::{AnnotationArgs, Ingest, OutArgs};
use crate::graph::{Graph, Work};
use crate::plan::{Plan, RunnerConfig, SinkConfig, SinkNode, SourceConfig, SourceNode};
use crate::runner::{self, RunOptions, grouped};

use super::progress;

/// People a batch: rows of annotations are small.
const BATCH_ROWS: Count = Count::constant(1024);

/// Reads what `format` names into a table of people or readings.
pub fn run(format: &Ingest) -> anyhow::Result<()> {
    let (read, out) = source(format)?;
    let plan = plan_of(read, &out.out);
    let threads = progress::available_threads();
    let graph = Graph::build(plan, threads)?;
    let options = RunOptions { progress: progress::bar(), ..RunOptions::quiet(threads, out.force) };
    let summary = runner::run(&graph, &options)?;
    for node in &graph.nodes {
        if let Work::Source(source) = &node.work {
            say_counts(source);
        }
    }
    eprint!("{}", summary.to_text());
    Ok(())
}

fn source(format: &Ingest) -> anyhow::Result<(SourceConfig, &OutArgs)> {
    let paths = |files: &AnnotationArgs| (files.annotations.clone(), files.images.clone());
    Ok(match format {
        Ingest::Mpii { files, subset } => {
            let (annotations, images) = paths(files);
            (SourceConfig::Mpii { annotations, images, subset: subset.clone() }, &files.out)
        }
        Ingest::Lsp { files } => {
            let (annotations, images) = paths(files);
            (SourceConfig::Lsp { annotations, images }, &files.out)
        }
        Ingest::Lspet { files } => {
            let (annotations, images) = paths(files);
            (SourceConfig::Lspet { annotations, images }, &files.out)
        }
        Ingest::Flic { files, labels, plus } => {
            let (annotations, images) = paths(files);
            let read = SourceConfig::Flic { annotations, images, labels: *labels, plus: plus.clone() };
            (read, &files.out)
        }
        Ingest::Coco(args) => {
            let (annotations, images) = paths(&args.files);
            let (category, dataset, split) =
                (args.category.clone(), args.dataset.clone(), args.split.clone());
            (SourceConfig::Coco { annotations, images, category, dataset, split }, &args.files.out)
        }
        Ingest::Logs { path, layout, preset, out } => {
            (SourceConfig::Logs(declared_logs(path, layout.as_deref(), *preset)?), out)
        }
        Ingest::Hmog { path, clock, out } => (
            SourceConfig::Hmog(HmogLogs {
                path: path.clone(),
                clock: *clock,
                event_unit: Clock::Nanoseconds,
            }),
            out,
        ),
        Ingest::Predictions(_) | Ingest::CocoResults(_) => {
            unreachable!("predictions are read by a command of their own")
        }
    })
}

/// The logs at `path`, as a preset or the file `layout` declares them.
fn declared_logs(path: &Path, layout: Option<&Path>, preset: Option<Preset>) -> anyhow::Result<CsvLogs> {
    let Some(layout) = layout else {
        let (files, dataset, sessions) = (Vec::new(), None, None);
        return Ok(CsvLogs { path: path.to_owned(), dataset, preset, files, sessions });
    };
    let text = fs::read_to_string(layout).with_context(|| format!("cannot read `{}`", layout.display()))?;
    // The layout says how files look, the command line where they are.
    let place = toml::Value::String(path.display().to_string());
    let text = format!("path = {place}\n{text}");
    toml::from_str(&text).with_context(|| format!("the layout is not valid: `{}`", layout.display()))
}

fn plan_of(read: SourceConfig, out: &Path) -> Plan {
    let shard_mib = Count::constant((SHARD_BYTES >> 20) as u32);
    let write = SinkConfig::Parquet { path: out.to_owned(), shard_mib };
    let (source, table) = match read {
        SourceConfig::Logs(_) | SourceConfig::Hmog(_) => ("logs", "readings"),
        _ => ("annotations", "people"),
    };
    Plan {
        seed: 0,
        runner: RunnerConfig { batch_rows: BATCH_ROWS, ..RunnerConfig::default() },
        rejects: None,
        sources: BTreeMap::from([(source.to_owned(), SourceNode { read })]),
        stages: BTreeMap::new(),
        sinks: BTreeMap::from([(table.to_owned(), SinkNode { inputs: vec![source.to_owned()], write })]),
    }
}

/// Says how many images, people and joints there are, and how many pictures are not.
fn say_counts(source: &crate::graph::Source) {
    let (Some(images), Some(people)) = (source.images(), source.people()) else { return };
    let labelled = people.iter().filter(|person| person.pose.annotated() > 0).count();
    let joints: usize = people.iter().map(|person| person.pose.annotated()).sum();
    let persons = people.iter().filter(|person| person.person_index.is_some()).count();
    let mut pictures: Vec<&str> = people.iter().map(|person| person.image_path.as_str()).collect();
    pictures.sort_unstable();
    pictures.dedup();
    let absent = pictures.iter().filter(|path| !PathBuf::from(path).exists()).count();
    let count = |value: usize| grouped(value as u64);
    eprintln!(
        "{} images, {} people, {} of them labelled, {} annotated joints",
        count(images),
        count(persons),
        count(labelled),
        count(joints)
    );
    if absent > 0 {
        eprintln!("{} of {} pictures are not there", count(absent), count(pictures.len()));
    }
}
