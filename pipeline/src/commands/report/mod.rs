//! `motionmill report`: one static page about a run.

mod against;
mod counted;
mod find;
mod poses;

use std::path::Path;

use ::report::page::{
    AgainstPoses, PoseInput, Report, ReportOptions, Source, TILE_PX, VerificationInput, page,
};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datasets::shards::{ShardError, TableReader};
use schemas::printable;
use schemas::tables::metrics::Metric;
use schemas::tables::rejects::Reject;
use schemas::tables::{keypoints, metrics, people, rejects, trials};
use stages::StageError;
use stages::evaluate::Protocol;
use stages::evaluate::verification::table::is_verification;
use stages::evaluate::verification::verify::{DEFAULT_SPLIT, DEFAULT_VALIDATION};
use stages::stage::Rows;

use self::find::Found;
use self::poses::{Poses, metrics_of, read_metrics};
use super::failure::Hint;
use super::output::{Kind, Output};
use super::terminal::tell;
use crate::cli::ReportArgs;

/// Rows of one table of rejects that are read, at most; all are counted by its manifest.
const REJECT_ROWS: usize = 200;

/// Writes the page.
pub(super) fn run(args: &ReportArgs) -> anyhow::Result<()> {
    let out = Output::at(&args.out, &[Kind::Page], args.force)?;
    let (mut tables, mut notes) = find::tables(&args.run)?;
    let all_of = |tables: &[Found], name: &str| {
        (0..tables.len()).filter(|&at| tables[at].is(name)).collect::<Vec<_>>()
    };
    let mut chosen = |paths: &[_], name: &str, flag: &str| -> anyhow::Result<Vec<usize>> {
        if paths.is_empty() { Ok(all_of(&tables, name)) } else { find::named(&mut tables, paths, name, flag) }
    };
    let predictions = chosen(&args.predictions, keypoints::NAME, "--predictions")?;
    let truths = chosen(&args.truth, people::NAME, "--truth")?;
    let scored = chosen(&args.trials, trials::NAME, "--trials")?;
    if predictions.is_empty() && scored.is_empty() && all_of(&tables, metrics::NAME).is_empty() {
        return Err(nothing(args, &tables));
    }
    let (other, other_notes) = match &args.against {
        Some(run) => find::tables(run)?,
        None => (Vec::new(), Vec::new()),
    };
    notes.extend(other_notes);
    let other_name = args.against.as_ref().map(|run| run.display().to_string());
    let poses = poses::poses(&mut tables, &predictions, &truths, args, &mut notes)?;
    let verifications = verifications(&mut tables, &scored, args, &other, other_name.as_deref(), &mut notes)?;
    let mut other_poses = Vec::new();
    for one in &poses {
        other_poses.push(match &other_name {
            Some(name) => against::poses(&other, name, one, &mut notes)?,
            None => None,
        });
    }
    let maps = poses.iter().map(|one| one.heatmaps.as_deref().map(Maps::open).transpose());
    let maps = maps.collect::<Result<Vec<_>, _>>()?;
    let inputs = poses.iter().zip(&maps).zip(&other_poses).map(|((one, maps), other)| PoseInput {
        name: one.name.clone(),
        truth: &one.truth,
        truth_skeleton: one.truth_skeleton,
        predictions: &one.predictions,
        prediction_skeleton: one.prediction_skeleton,
        protocols: one.protocols.clone(),
        metrics: one.metrics.clone(),
        seed: one.seed,
        heatmaps: maps.as_ref().map(|maps| maps as _),
        against: other.as_ref().map(|other| AgainstPoses {
            name: other.name.clone(),
            predictions: &other.predictions,
            skeleton: other.skeleton,
        }),
    });
    let inputs: Vec<PoseInput<'_>> = inputs.collect();
    let rejected = read_rejects(&mut tables)?;
    let further = further(&mut tables, &poses)?;
    let source = |found: &Found| Source {
        path: found.label.clone(),
        role: found.role.clone(),
        manifest: found.manifest.clone(),
    };
    let sources = tables.iter().map(source).collect();
    let report = Report { sources, poses: inputs, verifications, rejects: rejected, further, notes };
    let made = page(&report, &options(args))?;
    out.write_page(&made.html)?;
    for reject in &made.rejects {
        let id = reject.sample_id.as_deref().unwrap_or("a row");
        let [id, reason, detail] = [id, &reject.reason, &reject.detail].map(printable);
        tell(&format!("not shown: {id}: {reason}: {detail}"))?;
    }
    let (poses, trials) = (report.poses.len(), report.verifications.len());
    let megabytes = made.html.len() as f64 / 1e6;
    Ok(out.tell_written(&format!(": {poses} of poses, {trials} of trials, {megabytes:.1} MB"))?)
}

/// A table of heatmaps, read a few rows at a time: one takes a quarter of a megabyte.
struct Maps(TableReader);

/// Rows of heatmaps that are read at a time.
const MAP_ROWS: usize = 64;

impl Maps {
    fn open(folder: &Path) -> Result<Self, ShardError> {
        Ok(Self(TableReader::open(folder, None)?))
    }
}

impl Rows for Maps {
    fn schema(&self) -> SchemaRef {
        self.0.schema().clone()
    }

    fn scan(&self) -> Box<dyn Iterator<Item = Result<RecordBatch, StageError>> + Send + '_> {
        Box::new(self.0.batches(MAP_ROWS).map(|batch| Ok(batch?)))
    }
}

fn options(args: &ReportArgs) -> ReportOptions {
    let title = args.title.clone().unwrap_or_else(|| {
        let name = args
            .run
            .file_name()
            .map_or_else(|| args.run.display().to_string(), |n| n.to_string_lossy().into_owned());
        format!("Report of {name}")
    });
    ReportOptions {
        title,
        worst: args.worst,
        tile_px: TILE_PX,
        resamples: args.resamples,
        image_root: args.images.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn nothing(args: &ReportArgs, tables: &[Found]) -> anyhow::Error {
    let mut names: Vec<&str> = tables.iter().map(|table| table.manifest.table.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let names =
        if names.is_empty() { "no table at all".to_owned() } else { format!("tables {}", names.join(", ")) };
    Hint::error(
        format!("there is nothing to report in `{}`: it has {names}", args.run.display()),
        "name the folder of a run with `keypoints`, `trials` or `metrics`, or give `--predictions DIR` or `--trials DIR`",
    )
}

/// Every table of trials with its numbers.
fn verifications(
    tables: &mut [Found],
    scored: &[usize],
    args: &ReportArgs,
    other: &[Found],
    other_name: Option<&str>,
    notes: &mut Vec<String>,
) -> anyhow::Result<Vec<VerificationInput>> {
    let validation = match &args.validation {
        Some(path) => Some(against::read_trials(&Found::open(path, path.display().to_string())?)?),
        None => None,
    };
    let mut all = Vec::new();
    for &place in scored {
        let read = against::read_trials(&tables[place])?;
        if read.is_empty() {
            notes.push(format!("{} has no rows", tables[place].label));
            continue;
        }
        let (rows, seed) = metrics_of(tables, place)?;
        tables[place].serves("trials");
        let label = tables[place].label.clone();
        let against = match other_name {
            Some(run) => against::trials(other, run, &label, notes)?,
            None => None,
        };
        all.push(VerificationInput {
            name: label,
            trials: read,
            validation: validation.clone(),
            split: DEFAULT_SPLIT.to_owned(),
            validation_split: DEFAULT_VALIDATION.to_owned(),
            metrics: rows.into_iter().filter(|row| is_verification(&row.protocol)).collect(),
            seed,
            against,
        });
    }
    Ok(all)
}

/// The first rows of every table of rejects.
fn read_rejects(tables: &mut [Found]) -> anyhow::Result<Vec<Reject>> {
    let mut all = Vec::new();
    for table in tables.iter_mut().filter(|table| table.is(rejects::NAME)) {
        if table.manifest.rows > 0 {
            table.serves("rejects");
        }
        if let Some(batch) = TableReader::open(&table.path, None)?.batches(REJECT_ROWS).next() {
            all.extend(rejects::from_batch(&batch?)?);
        }
    }
    Ok(all)
}

/// Numbers that stand in no section: those of metric tables that belong to nothing shown, and of protocols that none
/// shows.
fn further(tables: &mut [Found], poses: &[Poses]) -> anyhow::Result<Vec<Metric>> {
    let mut all = Vec::new();
    for table in tables.iter_mut().filter(|table| table.is(metrics::NAME)) {
        let rows = read_metrics(table)?;
        let shown = |row: &Metric| {
            let by_pose = poses.iter().any(|one| {
                let model = one.predictions.first().is_some_and(|pose| pose.model == row.model);
                let is_shown = |(at, protocol): (usize, &Protocol)| {
                    let leads = at == 0 && protocol.is_of_pictures();
                    protocol.name() == row.protocol && (leads || protocol.rules().is_some())
                };
                model && one.protocols.iter().enumerate().any(is_shown)
            });
            !table.role.is_empty() && (by_pose || is_verification(&row.protocol))
        };
        all.extend(rows.iter().filter(|row| !shown(row)).cloned());
        if table.role.is_empty() && !rows.is_empty() {
            table.serves("further figures");
        }
    }
    Ok(all)
}
