//! The same of another run.

use std::collections::HashSet;

use datasets::shards::TableReader;
use schemas::Skeleton;
use schemas::tables::keypoints;
use schemas::tables::keypoints::PredictedPose;
use schemas::tables::trials::{self, Trial};

use super::super::failure::Hint;
use super::find::Found;
use super::poses::{Poses, Predictions, read};

/// Predictions of another run.
pub(super) struct Against {
    /// Where they stand.
    pub name: String,
    /// The predictions of one model.
    pub predictions: Vec<PredictedPose>,
    /// Their skeleton.
    pub skeleton: &'static Skeleton,
}

/// The predictions among `tables` for the same people as `poses`: by the model of the same name, or the only one.
/// `None`, with a note, where there are none.
pub(super) fn poses(
    tables: &[Found],
    run: &str,
    poses: &Poses,
    notes: &mut Vec<String>,
) -> anyhow::Result<Option<Against>> {
    let ids: HashSet<&str> = poses.predictions.iter().map(|pose| pose.sample_id.as_str()).collect();
    let mut all = Vec::new();
    for table in tables.iter().filter(|table| table.is(keypoints::NAME)) {
        let Predictions { models, skeleton, .. } = read(table)?;
        for (model, predictions) in models {
            if predictions.iter().any(|pose| ids.contains(pose.sample_id.as_str())) {
                all.push((format!("{run}: {}", table.label), model, predictions, skeleton));
            }
        }
    }
    let model = poses.predictions.first().map(|pose| pose.model.as_str()).unwrap_or_default();
    if all.len() > 1 && all.iter().filter(|(_, other, ..)| other == model).count() == 1 {
        all.retain(|(_, other, ..)| other == model);
    }
    if all.len() > 1 {
        let names: Vec<String> = all.iter().map(|(name, other, ..)| format!("`{name}` ({other})")).collect();
        return Err(Hint::error(
            format!(
                "several predictions of the other run are of the people of `{}`: {}",
                poses.name,
                names.join(", ")
            ),
            "name the folder of one table: `--against OTHER_RUN/KEYPOINTS`",
        ));
    }
    let Some((name, _, predictions, skeleton)) = all.pop() else {
        notes.push(format!("{run} has no predictions of the people of {}; not compared", poses.name));
        return Ok(None);
    };
    Ok(Some(Against { name, predictions, skeleton }))
}

/// The trials among `tables` at the same place as `label`, or the only ones. `None`, with a note, where there are none.
pub(super) fn trials(
    tables: &[Found],
    run: &str,
    label: &str,
    notes: &mut Vec<String>,
) -> anyhow::Result<Option<(String, Vec<Trial>)>> {
    let all: Vec<&Found> = tables.iter().filter(|table| table.is(trials::NAME)).collect();
    let same = all.iter().find(|table| table.label == label);
    let chosen = match (same, &all[..]) {
        (Some(same), _) => same,
        (None, [only]) => only,
        (None, []) => {
            notes.push(format!("{run} has no trials; {label} is not compared"));
            return Ok(None);
        }
        (None, _) => {
            let names: Vec<String> = all.iter().map(|table| format!("`{}`", table.label)).collect();
            return Err(Hint::error(
                format!(
                    "several tables of trials of the other run may be compared with `{label}`: {}",
                    names.join(", ")
                ),
                "name the folder of one table: `--against OTHER_RUN/TRIALS`",
            ));
        }
    };
    Ok(Some((format!("{run}: {}", chosen.label), read_trials(chosen)?)))
}

/// All trials of a table.
pub(super) fn read_trials(found: &Found) -> anyhow::Result<Vec<Trial>> {
    let mut all = Vec::new();
    for batch in TableReader::open(&found.path, None)?.batches(8192) {
        all.extend(trials::from_batch(&batch?)?);
    }
    Ok(all)
}
