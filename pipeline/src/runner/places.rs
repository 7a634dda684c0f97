//! Where a run reads and writes: outputs must lie apart from each other and from what is read.

use std::collections::HashMap;
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
}

/// Two of `outputs` and `inputs` of which one is the other, or lies inside it; an output comes second, of two the later.
/// Places are looked up, not compared each with each: a plan may have thousands.
fn met<'a>(outputs: &'a [Place], inputs: &'a [Place]) -> Option<[&'a Place; 2]> {
    let mut written: HashMap<&Path, usize> = HashMap::new();
    for (number, output) in outputs.iter().enumerate() {
        if let Some(earlier) = written.insert(&output.real, number) {
            return Some([&outputs[earlier], output]);
        }
    }
    let read: HashMap<&Path, &Place> = inputs.iter().map(|input| (&*input.real, input)).collect();
    for (number, output) in outputs.iter().enumerate() {
        for above in output.real.ancestors() {
            if let Some(input) = read.get(above) {
                return Some([input, output]);
            }
            if let Some(other) = written.get(above).filter(|other| **other != number) {
                return Some([&outputs[number.min(*other)], &outputs[number.max(*other)]]);
            }
        }
        let name = output.real.file_name().unwrap_or_default().to_string_lossy();
        let mut formers = FORMER_ENDINGS.iter().filter_map(|ending| name.strip_suffix(ending));
        if let Some(other) = formers.find_map(|name| written.get(&*output.real.with_file_name(name))) {
            return Some([&outputs[*other], output]);
        }
    }
    inputs.iter().find_map(|input| {
        let other = input.real.ancestors().find_map(|above| written.get(above))?;
        Some([input, &outputs[*other]])
    })
}

/// Refuses outputs that are, contain or lie inside another output or something that is read, however their paths are
/// spelt. Nothing is written.
///
/// # Errors
/// [`RunError::Overlap`] with both names, or when a network cannot be read.
pub(super) fn check(graph: &Graph, rejects: &Path) -> Result<(), RunError> {
    let sinks = graph.nodes.iter().filter_map(|node| match &node.work {
        Work::Sink(sink) => Some(Place::new(&format!("the sink `{}`", node.name), sink.path())),
        _ => None,
    });
    let outputs: Vec<Place> = sinks.chain([Place::new("the rejects", rejects)]).collect();
    let read = graph.plan.sources.iter().flat_map(|(name, source)| {
        source.read.files().into_iter().map(move |path| Place::new(&format!("the source `{name}`"), &path))
    });
    let mut inputs: Vec<Place> = read.collect();
    for (name, stage) in &graph.plan.stages {
        let failed = |source| RunError::Stage { stage: name.clone(), source };
        let files = stage.run.files().map_err(failed)?.into_iter();
        inputs.extend(files.map(|path| Place::new(&format!("the stage `{name}`"), &path)));
    }
    match met(&outputs, &inputs) {
        None => Ok(()),
        Some([first, second]) => Err(RunError::Overlap {
            first: first.name.clone(),
            second: second.name.clone(),
            paths: [first.path.clone(), second.path.clone()],
        }),
    }
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
        let places = |paths: &[&str]| -> Vec<Place> {
            paths.iter().map(|path| Place::new(path, &root.join(path))).collect()
        };
        let names = |outputs: &[&str], inputs: &[&str]| {
            let (outputs, inputs) = (places(outputs), places(inputs));
            met(&outputs, &inputs).map(|both| both.map(|place| place.name.clone()).join(" "))
        };
        // Two outputs, and an output beside what is read, either inside the other.
        assert_eq!(names(&["x", "link/b", "a"], &[]).unwrap(), "link/b a");
        assert_eq!(names(&["a", "link/b/c"], &[]).unwrap(), "a link/b/c");
        assert_eq!(names(&["link/b"], &["x", "a"]).unwrap(), "a link/b");
        assert_eq!(names(&["x", "a"], &["link/b/c"]).unwrap(), "link/b/c a");
        assert_eq!(names(&["a/b", "link/./b"], &[]).unwrap(), "a/b link/./b");
        assert_eq!(names(&["s.partial", "s"], &[]).unwrap(), "s s.partial");
        assert_eq!(names(&["a/b", "a/bc"], &["a/bcd"]), None);
    }
}
