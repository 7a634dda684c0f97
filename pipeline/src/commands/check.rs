//! `motionmill check`: a plan of tables of people, the stage `check` and a table of findings.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::report::findings::{MOST_SHOWN, Shown, clearest, findings_sheet};
use ::report::page::{ReportOptions, TILE_PX, findings_page};
use arrow::datatypes::SchemaRef;
use datasets::shards::{ParquetSink, TableReader};
use schemas::columns::skeleton_of;
use schemas::printable;
use schemas::tables::people::{self, Person};
use schemas::units::grouped;
use stages::check::{Check, CheckConfig, Checked, format_summary};
use stages::registry::StageConfig;
use stages::stage::{AllRows, Gathered, Give, Rows};
use stages::{BuildContext, StageError};

use super::failure::Hint;
use super::output::{Kind, Output};
use super::terminal::{print, print_json, tell};
use super::{formats, progress, work};
use crate::cli::{CheckArgs, FailOn, Format};
use crate::graph::{Graph, Work};
use crate::plan::{self, Override, Plan, SinkConfig};
use crate::runner::Part;

/// Checks the tables, prints the summary, and writes what was asked for.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    if args.show > MOST_SHOWN {
        let message = format!("a gallery cannot show {} findings of each rule", args.show);
        return Err(Hint::error(message, format!("ask for at most {MOST_SHOWN} with `--show`")));
    }
    let both = [Kind::Page, Kind::Picture];
    let gallery = args.gallery.as_deref().map(|path| Output::at(path, &both, args.force)).transpose()?;
    let config = config(args)?;
    let checked = match &args.out {
        Some(out) => check(args, &config, out, true)?,
        None => None,
    };
    // Where there is no place for the findings, or they are there already, the check runs for its summary alone.
    let checked = if let Some(checked) = checked {
        checked
    } else {
        let passing = tempfile::tempdir()?;
        check(args, &config, &passing.path().join("findings"), false)?.expect("nothing is there yet")
    };
    for note in &checked.notes {
        tell(&format!("note: {}", printable(note)))?;
    }
    match args.format {
        Format::Text => print(&format_summary(&checked.summary))?,
        Format::Json => print_json(&checked.summary)?,
    }
    if let Some(gallery) = &gallery {
        draw(gallery, &checked, args)?;
    }
    fail(&args.fail_on, &checked)
}

/// Runs the plan of the check, which writes its findings to `out`; `None` where they are there already.
fn check(
    args: &CheckArgs,
    config: &CheckConfig,
    out: &Path,
    is_kept: bool,
) -> anyhow::Result<Option<Checked>> {
    let names: Vec<String> = args.people.iter().map(|path| path.display().to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut plan = Plan::default().with_stage("check", &names, StageConfig::Check(config.clone())).with_sink(
        "findings",
        &["check"],
        SinkConfig::Parquet(ParquetSink::at(out)),
    );
    for (name, path) in names.iter().zip(&args.people) {
        plan = plan.with_source(name, &[], formats::table(path, args.split.clone()));
    }
    let threads = progress::available_threads();
    let mut graph = Graph::build(plan, threads)?;
    let seen = Arc::default();
    for node in &mut graph.nodes {
        if node.name == "check" {
            let context = BuildContext { name: node.name.clone(), seed: 0, threads, folder: PathBuf::new() };
            node.work = Work::Aggregate(Box::new(Watched {
                check: config.build(&context)?,
                seen: Arc::clone(&seen),
            }));
        }
    }
    let summary = work::carry_out(&graph, threads, args.force, Part::All)?;
    if is_kept {
        tell(&summary.written())?;
    }
    summary.check(None)?;
    let checked = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(checked)
}

/// The check, which keeps what the summary and the gallery need besides the findings.
struct Watched {
    check: Check,
    seen: Arc<Mutex<Option<Checked>>>,
}

impl AllRows for Watched {
    type Count = <Check as AllRows>::Count;

    const INPUTS: &'static [&'static str; 1] = <Check as AllRows>::INPUTS;

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        AllRows::needed_columns(&self.check, input, schema)
    }

    fn output_schema(&self, inputs: [&SchemaRef; 1]) -> Result<SchemaRef, StageError> {
        AllRows::output_schema(&self.check, inputs)
    }

    fn run(&self, [rows]: [&dyn Rows; 1], _: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let checked = self.check.examine(rows)?;
        checked.give(give)?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(checked);
        // The command says the notes itself.
        Ok(Gathered::default())
    }
}

/// The thresholds as `--rule`, `--set` and `--images` have them.
fn config(args: &CheckArgs) -> anyhow::Result<CheckConfig> {
    let text = plan::apply("", "--set", &args.set as &[Override])?;
    let mut config: CheckConfig = toml::from_str(&text).map_err(|error| {
        Hint::error(
            format!("`--set` does not fit the stage `check`: {}", error.message()),
            "docs/guides/check.md lists its keys",
        )
    })?;
    if !args.rule.is_empty() {
        config.rules.clone_from(&args.rule);
    }
    if args.images.is_some() {
        config.images.clone_from(&args.images);
    }
    Ok(config)
}

/// Draws the clearest findings, as a page or as a sheet, by what `gallery` is to hold.
fn draw(gallery: &Output, checked: &Checked, args: &CheckArgs) -> anyhow::Result<()> {
    let chosen = clearest(&checked.findings, args.show);
    let ids = chosen.iter().flat_map(|finding| [&finding.sample_id, &finding.other_sample_id]).flatten();
    let people = people_called(args, &ids.map(String::as_str).collect())?;
    let called = |id: &Option<String>| id.as_ref().and_then(|id| people.get(id));
    let shown: Vec<Shown<'_>> = chosen
        .into_iter()
        .filter_map(|finding| {
            let person = called(&finding.sample_id)?;
            Some(Shown { finding, person, other: called(&finding.other_sample_id) })
        })
        .collect();
    let skeleton = skeleton_of(TableReader::open(&args.people[0], None)?.schema())?;
    match gallery.kind() {
        Kind::Page => {
            let names: Vec<String> = args.people.iter().map(|path| path.display().to_string()).collect();
            let options = ReportOptions {
                title: format!("Check of {}", names.join(", ")),
                worst: args.show,
                tile_px: TILE_PX,
                resamples: 0,
                image_root: args.images.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            };
            let page = findings_page(checked, skeleton, &shown, &options)?;
            gallery.write_page(&page)?;
            gallery.tell_written(&format!(": {} findings drawn", shown.len()))?;
        }
        Kind::Picture => {
            let sheet = findings_sheet(skeleton, &shown, args.images.as_deref(), TILE_PX)?;
            gallery.write_sheet(&sheet)?;
            gallery.tell_written(&format!(": {} findings drawn", sheet.drawn))?;
        }
    }
    Ok(())
}

/// The rows of the tables with these ids; of several with one id, the first.
fn people_called(args: &CheckArgs, ids: &HashSet<&str>) -> anyhow::Result<HashMap<String, Person>> {
    let mut found = HashMap::new();
    for path in &args.people {
        for batch in TableReader::open(path, args.split.as_deref())?.batches(4096) {
            for person in people::from_batch(&batch?)? {
                if ids.contains(person.sample_id.as_str()) {
                    found.entry(person.sample_id.clone()).or_insert(person);
                }
            }
        }
    }
    Ok(found)
}

/// An error where a rule that must find nothing has found something.
fn fail(fail_on: &[FailOn], checked: &Checked) -> anyhow::Result<()> {
    let failed = checked
        .summary
        .iter()
        .filter(|row| row.findings > 0 && fail_on.iter().any(|fail_on| fail_on.covers(row.rule)));
    let failed: Vec<String> = failed.map(|row| format!("`{}` {}", row.rule, grouped(row.findings))).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Hint::error(
        format!("there are findings: {}", failed.join(", ")),
        "look at them with `--out` or `--gallery`; without `--fail-on` they do not fail the command",
    ))
}
