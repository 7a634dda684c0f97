//! Where a run reads and writes: outputs must lie apart from each other and from what is read.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use super::RunError;
use crate::graph::{Graph, Work};

/// Endings that earlier versions gave to their own unfinished work, which they remove without asking.
const FORMER_ENDINGS: [&str; 2] = [".partial", ".work"];

/// A file or folder of the plan, by its one true path.
struct Place {
    name: String,
    path: PathBuf,
    real: PathBuf,
}

impl Place {
    fn new(name: &str, path: &Path) -> Self {
        Self { name: name.to_owned(), path: path.to_owned(), real: real(path) }
    }

    fn meets(&self, other: &Self) -> bool {
        self.real.starts_with(&other.real) || other.real.starts_with(&self.real)
    }
}

/// Whether some of `outputs` and `inputs` meet, found without comparing each with each: a plan may have thousands.
fn may_meet(outputs: &[Place], inputs: &[Place]) -> bool {
    let written: HashSet<&Path> = outputs.iter().map(|place| &*place.real).collect();
    let read: HashSet<&Path> = inputs.iter().map(|place| &*place.real).collect();
    let within = |place: &Place, places: &HashSet<&Path>, from: usize| {
        place.real.ancestors().skip(from).any(|above| places.contains(above))
    };
    let former = |place: &Place| {
        let name = place.real.file_name().unwrap_or_default().to_string_lossy();
        FORMER_ENDINGS
            .iter()
            .filter_map(|ending| name.strip_suffix(ending))
            .any(|name| written.contains(&*place.real.with_file_name(name)))
    };
    written.len() < outputs.len()
        || outputs.iter().any(|place| within(place, &written, 1) || within(place, &read, 0) || former(place))
        || inputs.iter().any(|place| within(place, &written, 0))
}

/// Refuses outputs that are, contain or lie inside another output or something that is read, however their paths are
/// spelt. Nothing is written.
///
/// # Errors
/// [`RunError::Overlap`] with both names.
pub(super) fn check(graph: &Graph, rejects: &Path) -> Result<(), RunError> {
    let sinks = graph.nodes.iter().filter_map(|node| match &node.work {
        Work::Sink(sink) => Some(Place::new(&format!("the sink `{}`", node.name), sink.path())),
        _ => None,
    });
    let outputs: Vec<Place> = sinks.chain([Place::new("the rejects", rejects)]).collect();
    let read = graph.plan.sources.iter().flat_map(|(name, source)| {
        source.read.files().into_iter().map(move |path| Place::new(&format!("the source `{name}`"), &path))
    });
    let used = graph.plan.stages.iter().flat_map(|(name, stage)| {
        stage.run.files().into_iter().map(move |path| Place::new(&format!("the stage `{name}`"), &path))
    });
    let inputs: Vec<Place> = read.chain(used).collect();
    if !may_meet(&outputs, &inputs) {
        return Ok(());
    }
    for (number, output) in outputs.iter().enumerate() {
        let others = outputs[..number].iter().chain(&inputs);
        let met = others.into_iter().find(|other| output.meets(other));
        let former = outputs.iter().find(|other| {
            FORMER_ENDINGS.iter().any(|ending| {
                let mut name = other.real.file_name().unwrap_or_default().to_owned();
                name.push(ending);
                output.real == other.real.with_file_name(name)
            })
        });
        if let Some(other) = met.or(former) {
            return Err(RunError::Overlap {
                first: other.name.clone(),
                second: output.name.clone(),
                paths: [other.path.clone(), output.path.clone()],
            });
        }
    }
    Ok(())
}

/// `path` from the root, without `.`, `..` and links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            part => {
                real.push(part);
                // A link leads elsewhere, and `..` after it goes up from there.
                if let Ok(followed) = real.canonicalize() {
                    real = followed;
                }
            }
        }
    }
    real
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::os::unix::fs::symlink(root.join("a"), root.join("link")).unwrap();
        for spelling in
            ["a/b/s", "a/./b//s", "a/b/../b/s", "link/b/s", "link/../a/b/s", "new/../a/b/s", "a/b/s/"]
        {
            assert_eq!(real(&root.join(spelling)), root.join("a/b/s"), "{spelling}");
        }
        let place = |path: &str| Place::new("x", &root.join(path));
        assert!(place("link/b").meets(&place("a")) && place("a").meets(&place("link/b/c")));
        assert!(!place("a/b").meets(&place("a/bc")));
    }
}
