//! Predictions, each with the people they belong to.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use datasets::shards::TableReader;
use schemas::Skeleton;
use schemas::columns::{skeleton_of, strings};
use schemas::tables::keypoints::{self, PredictedPose};
use schemas::tables::metrics::Metric;
use schemas::tables::people::{self, Person};
use stages::evaluate::Protocol;

use super::super::failure::Hint;
use super::counted::{Pair, protocols};
use super::find::Found;
use crate::cli::ReportArgs;

/// Predictions of one model and the people they belong to.
pub(super) struct Poses {
    /// What the section is called.
    pub name: String,
    /// The people that count.
    pub truth: Vec<Person>,
    /// Their skeleton.
    pub truth_skeleton: &'static Skeleton,
    /// The predictions.
    pub predictions: Vec<PredictedPose>,
    /// Their skeleton.
    pub prediction_skeleton: &'static Skeleton,
    /// How to score.
    pub protocols: Vec<Protocol>,
    /// Rows of the run's own metric tables.
    pub metrics: Vec<Metric>,
    /// Seed of these.
    pub seed: u64,
    /// Where the heatmaps stand.
    pub heatmaps: Option<PathBuf>,
}

/// The predictions of every model of a table, with their skeleton.
pub(super) struct Predictions {
    /// By model.
    pub models: BTreeMap<String, Vec<PredictedPose>>,
    /// The splits of the rows.
    pub splits: BTreeSet<String>,
    /// Their skeleton.
    pub skeleton: &'static Skeleton,
}

/// Reads a table of keypoints.
pub(super) fn read(found: &Found) -> anyhow::Result<Predictions> {
    let table = TableReader::open(&found.path, None)?;
    let skeleton = skeleton_of(table.schema())?;
    let (mut models, mut splits) = (BTreeMap::new(), BTreeSet::new());
    for batch in table.batches(8192) {
        let batch = batch?;
        if batch.column_by_name("split").is_some() {
            splits.extend(strings(&batch, "split")?.iter().flatten().map(str::to_owned));
        }
        for pose in keypoints::from_batch(&batch)? {
            models.entry(pose.model.clone()).or_insert_with(Vec::new).push(pose);
        }
    }
    Ok(Predictions { models, splits, skeleton })
}

/// Every prediction of `places` with its people, by table and model.
pub(super) fn poses(
    tables: &mut [Found],
    places: &[usize],
    truths: &[usize],
    args: &ReportArgs,
    notes: &mut Vec<String>,
) -> anyhow::Result<Vec<Poses>> {
    let mut all = Vec::new();
    for &place in places {
        let Predictions { models, splits, skeleton } = read(&tables[place])?;
        if models.is_empty() {
            notes.push(format!("{} has no rows", tables[place].label));
            continue;
        }
        let ids: HashSet<&str> = models.values().flatten().map(|pose| pose.sample_id.as_str()).collect();
        let truth_place = truth_of(tables, place, truths, &ids)?;
        let (people, truth_skeleton) = read_people(&tables[truth_place], args.split.as_deref(), &splits)?;
        let label = tables[place].label.clone();
        tables[truth_place].serves(&format!("truth of {label}"));
        tables[place].serves("predictions");
        let heatmaps = heatmaps_of(tables, place, args, &label)?;
        let (metrics, seed) = metrics_of(tables, place)?;
        let several = models.len() > 1;
        for (model, predictions) in models {
            let protocols = protocols(args, &metrics, &model, &people, truth_skeleton);
            let name = if several { format!("{label}, {model}") } else { label.clone() };
            let pair = Pair { people: &people, truth_skeleton, predictions: &predictions, skeleton };
            let truth = match pair.only_predicted(&metrics, protocols[0])? {
                Some(truth) => {
                    let left = people.len() - truth.len();
                    notes.push(format!(
                        "{left} of {} people of {} have no prediction in {name}; they are left out, as in the run's metric table",
                        people.len(),
                        tables[truth_place].label
                    ));
                    truth
                }
                None => people.clone(),
            };
            all.push(Poses {
                name,
                truth,
                truth_skeleton,
                predictions,
                prediction_skeleton: skeleton,
                protocols,
                metrics: metrics.clone(),
                seed,
                heatmaps: heatmaps.clone(),
            });
        }
    }
    Ok(all)
}

/// The table of people that the predictions at `place` are of: the one they were made from, else the only one that has
/// their ids.
fn truth_of(tables: &[Found], place: usize, truths: &[usize], ids: &HashSet<&str>) -> anyhow::Result<usize> {
    let predictions = &tables[place];
    let names = |places: &[usize]| {
        let names: Vec<String> = places.iter().map(|&at| format!("`{}`", tables[at].label)).collect();
        names.join(", ")
    };
    let made_from: Vec<usize> =
        truths.iter().copied().filter(|&at| predictions.is_from(&tables[at])).collect();
    if let [only] = made_from[..] {
        return Ok(only);
    }
    let mut holding = Vec::new();
    for &at in if made_from.is_empty() { truths } else { &made_from } {
        if holds(&tables[at], ids)? {
            holding.push(at);
        }
    }
    match holding[..] {
        [only] => Ok(only),
        [] if truths.is_empty() => Err(Hint::error(
            format!("there is no table `people` that the predictions `{}` are of", predictions.label),
            "name it: `--truth DIR`",
        )),
        [] => Err(Hint::error(
            format!("the predictions `{}` are of nobody in {}", predictions.label, names(truths)),
            "name their people: `--truth DIR`",
        )),
        _ => Err(Hint::error(
            format!("the predictions `{}` may be of several tables: {}", predictions.label, names(&holding)),
            "say which one: `--truth DIR`",
        )),
    }
}

/// Whether the table has a person of `ids`.
fn holds(found: &Found, ids: &HashSet<&str>) -> anyhow::Result<bool> {
    for batch in TableReader::open(&found.path, None)?.batches(8192) {
        if strings(&batch?, "sample_id")?.iter().flatten().any(|id| ids.contains(id)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The people of `split`, or of the splits that the predictions are of.
fn read_people(
    found: &Found,
    split: Option<&str>,
    splits: &BTreeSet<String>,
) -> anyhow::Result<(Vec<Person>, &'static Skeleton)> {
    let table = TableReader::open(&found.path, split)?;
    let skeleton = skeleton_of(table.schema())?;
    let mut all = Vec::new();
    for batch in table.batches(1024) {
        all.extend(people::from_batch(&batch?)?);
    }
    let counts = |person: &Person| match split {
        Some(split) => person.split == split,
        None => splits.is_empty() || splits.contains(&person.split),
    };
    if all.iter().any(counts) {
        all.retain(counts);
    }
    Ok((all, skeleton))
}

/// Where the maps stand that the predictions at `place` were read off.
fn heatmaps_of(
    tables: &mut [Found],
    place: usize,
    args: &ReportArgs,
    label: &str,
) -> anyhow::Result<Option<PathBuf>> {
    if let Some(path) = &args.heatmaps {
        return Ok(Some(path.clone()));
    }
    let is_maps = |at: &usize| tables[*at].is(schemas::tables::heatmaps::NAME);
    let belongs = |at: &usize| tables[*at].belongs_to(&tables[place]) || tables[place].is_from(&tables[*at]);
    let found: Vec<usize> = (0..tables.len()).filter(is_maps).filter(belongs).collect();
    match found[..] {
        [] => Ok(None),
        [only] => {
            tables[only].serves(&format!("heatmaps of {label}"));
            Ok(Some(tables[only].path.clone()))
        }
        _ => Err(Hint::error(
            format!("several tables of heatmaps belong to the predictions `{label}`"),
            "say which one: `--heatmaps DIR`",
        )),
    }
}

/// Rows of the metric tables that belong to the table at `place`, and the seed of the run that made them.
pub(super) fn metrics_of(tables: &mut [Found], place: usize) -> anyhow::Result<(Vec<Metric>, u64)> {
    let (mut rows, mut seed) = (Vec::new(), tables[place].manifest.provenance.seed.unwrap_or_default());
    for at in 0..tables.len() {
        if !tables[at].is(schemas::tables::metrics::NAME) || !tables[at].belongs_to(&tables[place]) {
            continue;
        }
        rows.extend(read_metrics(&tables[at])?);
        seed = tables[at].manifest.provenance.seed.unwrap_or(seed);
        let label = tables[place].label.clone();
        tables[at].serves(&format!("numbers of {label}"));
    }
    Ok((rows, seed))
}

/// All rows of a metric table.
pub(super) fn read_metrics(found: &Found) -> anyhow::Result<Vec<Metric>> {
    let mut rows = Vec::new();
    for batch in TableReader::open(&found.path, None)?.batches(8192) {
        rows.extend(schemas::tables::metrics::from_batch(&batch?)?);
    }
    Ok(rows)
}
