//! What made the outputs of a run: work may only be resumed if this is equal.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use datasets::shards::{InputHash, Provenance};
use datasets::source::OpenSource;

use super::RunError;
use crate::graph::{Graph, Work};

/// The provenance of everything that a run of `graph` writes, whose `sources` are open.
///
/// It holds the hash of the plan, the seed, the hash of every file and table that the plan names, and the engines
/// that are used. The image files that `image_path` names are not hashed.
///
/// # Errors
/// When an input cannot be read.
pub fn provenance(graph: &Graph, sources: &BTreeMap<usize, Arc<OpenSource>>) -> Result<Provenance, RunError> {
    let plan = &graph.plan;
    let read = plan.sources.values().flat_map(|source| source.read.files());
    let mut paths: Vec<PathBuf> = read.collect();
    for (name, stage) in &plan.stages {
        let failed = |source| RunError::Stage { stage: name.clone(), source };
        paths.extend(stage.run.files().map_err(failed)?);
    }
    let mut inputs = paths.iter().map(|path| InputHash::of(path)).collect::<Result<Vec<_>, _>>()?;
    for (&node, source) in sources.iter().filter(|(_, source)| !source.files().is_empty()) {
        let what = format!("the files of `{}`", graph.nodes[node].name);
        inputs.push(InputHash::of_all(&what, source.files())?);
    }
    let engines: BTreeMap<String, String> = graph
        .nodes
        .iter()
        .filter_map(|node| match &node.work {
            Work::Rows(stage) => Some(stage.engines()),
            _ => None,
        })
        .flatten()
        .collect();
    Ok(Provenance {
        motionmill: env!("CARGO_PKG_VERSION").to_owned(),
        made_by: "run".to_owned(),
        plan_hash: plan.hash(),
        seed: Some(plan.seed),
        inputs,
        engines,
    })
}
