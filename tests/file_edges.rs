//! Files of a crate use each other in one direction: circles between them are refused, as edges between crates are.
//!
//! What counts is what `use` says outside of tests. A file that uses its own `mod.rs` (or the file that declares it) is
//! within one module; a name that a `mod.rs` hands on is that of the file which has it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module: its path within the crate, `["imu", "config"]`.
type Module = Vec<String>;

/// The files of one crate and what they use.
#[derive(Default)]
struct Files {
    /// By module: the paths that its file uses, as they stand there.
    uses: BTreeMap<Module, Vec<Vec<String>>>,
}

impl Files {
    /// Reads all files below `folder`, the `src` of a crate; tests are left out.
    fn read(folder: &Path) -> Self {
        let mut files = Self::default();
        let mut waiting = vec![(folder.to_owned(), Module::new())];
        while let Some((folder, module)) = waiting.pop() {
            for path in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path())
            {
                let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
                let mut module = module.clone();
                if path.is_dir() {
                    module.push(stem);
                    waiting.push((path, module));
                    continue;
                }
                let is_root = ["mod", "lib", "main"].contains(&stem.as_str());
                if path.extension().is_none_or(|ending| ending != "rs") || is_test(&stem) {
                    continue;
                }
                if !is_root {
                    module.push(stem);
                }
                let text = fs::read_to_string(&path).expect("a file");
                files.uses.entry(module).or_default().extend(used(&text));
            }
        }
        files
    }

    /// By file: the other files that it uses.
    fn edges(&self) -> BTreeMap<&Module, BTreeSet<&Module>> {
        let of = |module| {
            let targets = self.uses[module].iter().filter_map(|path| self.target(module, path, 0));
            targets.filter(|target| !module.starts_with(target)).collect()
        };
        self.uses.keys().map(|module| (module, of(module))).collect()
    }

    /// The file that has what `module` calls `path`.
    fn target(&self, module: &Module, path: &[String], depth: usize) -> Option<&Module> {
        let mut place = match path.first()?.as_str() {
            "crate" => Module::new(),
            "self" | "super" => module.clone(),
            child => {
                let mut place = module.clone();
                place.push(child.to_owned());
                self.uses.contains_key(&place).then_some(place)?
            }
        };
        let mut rest = &path[1..];
        if path[0] == "super" {
            place.pop();
            while let Some(("super", more)) = rest.split_first().map(|(first, more)| (first.as_str(), more)) {
                place.pop();
                rest = more;
            }
        }
        while let Some((name, more)) = rest.split_first() {
            place.push(name.clone());
            if !self.uses.contains_key(&place) {
                place.pop();
                // The file may hand the name on from another one.
                let handed =
                    self.uses.get(&place)?.iter().find(|path| path.len() > 1 && path.last() == Some(name));
                let further = handed.filter(|_| depth < 8 && place != *module);
                if let Some(found) = further.and_then(|path| self.target(&place, path, depth + 1)) {
                    return Some(found);
                }
                break;
            }
            rest = more;
        }
        self.uses.get_key_value(&place).map(|(module, _)| module)
    }

    /// Circles: files each of which leads back to itself, in groups that lead to each other.
    fn circles(&self) -> BTreeSet<Vec<String>> {
        let edges = self.edges();
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            edges.keys().map(|module| (*module, reached(&edges, module))).collect();
        let circle = |module: &&Module| -> Option<Vec<String>> {
            let back = |other: &&&Module| reached[**other].contains(*module);
            let files: Vec<String> =
                reached[*module].iter().filter(back).map(|file| file.join("/")).collect();
            (!files.is_empty()).then_some(files)
        };
        edges.keys().filter_map(circle).collect()
    }
}

/// All files that `from` leads to.
fn reached<'a>(edges: &BTreeMap<&'a Module, BTreeSet<&'a Module>>, from: &'a Module) -> BTreeSet<&'a Module> {
    let (mut reached, mut waiting) = (BTreeSet::new(), vec![from]);
    while let Some(next) = waiting.pop() {
        for &target in &edges[next] {
            if reached.insert(target) {
                waiting.push(target);
            }
        }
    }
    reached
}

/// Whether a file of this name holds tests or what only tests use.
fn is_test(stem: &str) -> bool {
    ["tests", "testing", "fixtures", "laws"].contains(&stem) || stem.ends_with("_tests")
}

/// The paths that the `use` items of `text` name, up to its tests.
fn used(text: &str) -> Vec<Vec<String>> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.flat_map(|line| [line, " "]).collect();
    let mut paths = Vec::new();
    for item in code.split("use ").skip(1).filter_map(|rest| rest.split(';').next()) {
        if item.contains(['=', '(', '"']) {
            continue;
        }
        expand(&[], item.trim(), &mut paths);
    }
    paths
}

/// Adds the paths of `item`, such as `a::{b, c::d}`, behind `before`.
fn expand(before: &[String], item: &str, paths: &mut Vec<Vec<String>>) {
    if let Some((head, inner)) = item.split_once('{') {
        let mut prefix = before.to_vec();
        prefix.extend(head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
        let (mut depth, mut start) = (0, 0);
        let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
        for (at, sign) in inner.char_indices() {
            match sign {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&prefix, inner[start..at].trim(), paths);
                    start = at + 1;
                }
                _ => {}
            }
        }
        expand(&prefix, inner[start..].trim(), paths);
        return;
    }
    let name = item.split(" as ").next().unwrap_or_default();
    let mut path = before.to_vec();
    path.extend(
        name.split("::").map(str::trim).filter(|part| !part.is_empty() && *part != "self").map(str::to_owned),
    );
    if !item.is_empty() && !path.is_empty() {
        paths.push(path);
    }
}

#[test]
fn no_circles_between_files() {
    let mut found = Vec::new();
    for name in ["schemas", "datasets", "stages", "report", "pipeline", "python", "fuzz"] {
        let folder: PathBuf = crate::support::workspace().join(name).join("src");
        found.extend(
            Files::read(&folder).circles().into_iter().map(|files| format!("{name}: {}", files.join(", "))),
        );
    }
    assert_eq!(found, Vec::<String>::new(), "files use each other in a circle");
}

#[test]
fn circles_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lib.rs", "pub mod a;\npub mod b;\npub mod c;\n");
    write("a.rs", "use crate::b::{self, Deep};\n// use crate::c::No;\n");
    write("b/mod.rs", "mod deep;\nmod other;\npub use deep::Deep;\nuse other::Other;\n");
    write("b/deep.rs", "use super::other::Other;\nuse super::Constant;\n");
    write(
        "b/other.rs",
        "pub struct Other;\n#[cfg(test)]\nmod tests {\n    use super::super::deep::Deep;\n}\n",
    );
    write("c.rs", "use crate::a::A;\n");
    let none = BTreeSet::<Vec<String>>::new();
    assert_eq!(Files::read(folder.path()).circles(), none);
    write("b/other.rs", "use crate::c::C;\n");
    let circle = ["a", "b/deep", "b/other", "c"].map(str::to_owned).to_vec();
    assert!(
        Files::read(folder.path())
            .circles()
            .iter()
            .any(|found| circle.iter().all(|file| found.contains(file)))
    );
}
