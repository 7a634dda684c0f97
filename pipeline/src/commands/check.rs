//! `motionmill check`: what annotations have wrong.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use ::report::findings::{MOST_SHOWN, Shown, clearest, findings_sheet};
use ::report::page::{ReportOptions, TILE_PX, findings_page};
use anyhow::Context;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datasets::shards::TableReader;
use schemas::columns::skeleton_of;
use schemas::tables::people::Person;
use schemas::tables::{findings, people};
use stages::check::{Check, CheckConfig, Checked, format_summary};
use stages::stage::{Aggregate, Rows};
use stages::{BuildContext, StageError};

use super::failure::Hint;
use super::{progress, table};
use crate::cli::{CheckArgs, FailOn, Format};
use crate::plan::{self, Override};
use schemas::units::grouped;

/// Rows read at a time.
const BATCH_ROWS: usize = 4096;

/// Checks the tables, prints the summary, and writes what was asked for.
pub fn run(args: &CheckArgs) -> anyhow::Result<()> {
    if args.show > MOST_SHOWN {
        let message = format!("a gallery cannot show {} findings of each rule", args.show);
        return Err(Hint::error(message, format!("ask for at most {MOST_SHOWN} with `--show`")));
    }
    let config = config(args)?;
    let arguments = [serde_json::to_string(&config)?, args.split.clone().unwrap_or_default()];
    let context = BuildContext {
        name: "check".to_owned(),
        seed: 0,
        threads: progress::available_threads(),
        folder: PathBuf::new(),
    };
    let check = config.build(&context)?;
    let rows = Tables::open(&args.people, args.split.as_deref(), &check)?;
    let checked = check.examine(&rows)?;
    for note in &checked.notes {
        eprintln!("note: {note}");
    }
    match args.format {
        Format::Text => print!("{}", format_summary(&checked.summary)),
        Format::Json => println!("{}", serde_json::to_string_pretty(&checked.summary)?),
    }
    if let Some(out) = &args.out {
        let provenance = table::provenance("check", &arguments, &args.people)?;
        table::write(out, &findings::to_batch(&checked.findings), provenance, [].into(), args.force)?;
    }
    if let Some(path) = &args.gallery {
        draw(path, &rows, &checked, args)?;
    }
    fail(&args.fail_on, &checked)
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

/// Several tables, one after the other, each narrowed to the columns that the check needs.
struct Tables {
    readers: Vec<(TableReader, Vec<usize>)>,
    schema: SchemaRef,
}

impl Tables {
    fn open(paths: &[PathBuf], split: Option<&str>, check: &Check) -> anyhow::Result<Self> {
        let mut readers = Vec::new();
        for path in paths {
            let reader = TableReader::open(path, split)?;
            let columns = check
                .needed_columns(0, reader.schema())
                .with_context(|| format!("`{}` is no table of people", path.display()))?;
            readers.push((reader, columns));
        }
        let (first, columns) = &readers[0];
        let schema = SchemaRef::new(first.schema().project(columns)?);
        Ok(Self { readers, schema })
    }
}

impl Rows for Tables {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn scan(&self) -> Box<dyn Iterator<Item = Result<RecordBatch, StageError>> + Send + '_> {
        let of_table = |(reader, columns): &'_ (TableReader, Vec<usize>)| {
            let columns = columns.clone();
            reader.batches(BATCH_ROWS).map(move |batch| Ok(batch?.project(&columns)?))
        };
        Box::new(self.readers.iter().flat_map(of_table))
    }
}

/// Draws the clearest findings, as a page or as a sheet, by the ending of `path`.
fn draw(path: &Path, rows: &Tables, checked: &Checked, args: &CheckArgs) -> anyhow::Result<()> {
    let chosen = clearest(&checked.findings, args.show);
    let ids = chosen.iter().flat_map(|finding| [&finding.sample_id, &finding.other_sample_id]).flatten();
    let people = people_called(rows, &ids.map(String::as_str).collect())?;
    let called = |id: &Option<String>| id.as_ref().and_then(|id| people.get(id));
    let shown: Vec<Shown<'_>> = chosen
        .into_iter()
        .filter_map(|finding| {
            let person = called(&finding.sample_id)?;
            Some(Shown { finding, person, other: called(&finding.other_sample_id) })
        })
        .collect();
    let skeleton = skeleton_of(&rows.schema)?;
    let write = || format!("cannot write the gallery `{}`", path.display());
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("html") => {
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
            std::fs::write(path, &page).with_context(write)?;
            eprintln!("wrote {}: {} findings drawn", path.display(), shown.len());
        }
        Some("png") => {
            let sheet = findings_sheet(skeleton, &shown, args.images.as_deref(), TILE_PX)?;
            for reject in &sheet.rejects {
                eprintln!("not drawn: {}: {}", reject.sample_id.as_deref().unwrap_or("a row"), reject.detail);
            }
            sheet.picture.save(path).with_context(write)?;
            eprintln!("wrote {}: {} findings drawn", path.display(), sheet.drawn);
        }
        _ => {
            let message = format!("a gallery is a page or a picture, found `{}`", path.display());
            return Err(Hint::error(message, "name a file that ends in `.html` or `.png`"));
        }
    }
    Ok(())
}

/// The rows of `rows` with these ids; of several with one id, the first.
fn people_called(rows: &Tables, ids: &HashSet<&str>) -> anyhow::Result<HashMap<String, Person>> {
    let mut found = HashMap::new();
    for batch in rows.scan() {
        for person in people::from_batch(&batch?)? {
            if ids.contains(person.sample_id.as_str()) {
                found.entry(person.sample_id.clone()).or_insert(person);
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
        "look at them with `--out` or `--gallery`; without `--fail-on` they are no failure",
    ))
}
