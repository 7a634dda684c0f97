//! Where ONNX Runtime may be on this machine.
//!
//! Only the file system is looked at: no interpreter is started, so a search costs microseconds and has no side
//! effect. The order is that of [`Found`].

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The environment variable that names the library's file and takes precedence over everything else.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// The wheel that holds the library for the CPU, at the version that the project is tested with.
pub const CPU_WHEEL: &str = "onnxruntime==1.31.1";
/// The wheel that holds the library with CUDA and `TensorRT`.
pub const GPU_WHEEL: &str = "onnxruntime-gpu==1.31.1";

/// The name under which the system's loader is asked, when nothing was found.
pub const SYSTEM_NAME: &str = if cfg!(windows) {
    "onnxruntime.dll"
} else if cfg!(target_os = "macos") {
    "libonnxruntime.dylib"
} else {
    "libonnxruntime.so"
};

static PACKAGE: OnceLock<PathBuf> = OnceLock::new();

/// Sets where the `onnxruntime` package of this process's interpreter is. Only the first call counts.
pub fn use_package(folder: PathBuf) {
    // A second interpreter of one process has the same packages.
    let _ = PACKAGE.set(folder);
}

/// Why a library was chosen, in the order in which places are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// `ORT_DYLIB_PATH` names it.
    Variable,
    /// The plan or the command line names it.
    Asked,
    /// It belongs to the interpreter that runs this process.
    ThisInterpreter,
    /// It belongs to the active virtual environment, `VIRTUAL_ENV`.
    ActiveEnvironment,
    /// It belongs to a folder `.venv` in or above the current folder.
    BesideCurrentFolder,
    /// It belongs to a folder `.venv` beside or above the executable.
    BesideExecutable,
    /// It belongs to the `python3` on the `PATH`, or to the user's packages of it.
    PythonOnPath,
    /// The system's loader found it.
    SystemLoader,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Variable => "`ORT_DYLIB_PATH` names it",
            Self::Asked => "its path was given",
            Self::ThisInterpreter => "it belongs to the Python that runs this",
            Self::ActiveEnvironment => "it is in the active virtual environment",
            Self::BesideCurrentFolder => "it is in a `.venv` beside or above the current folder",
            Self::BesideExecutable => "it is in a `.venv` beside or above the executable",
            Self::PythonOnPath => "it belongs to the `python3` on the PATH",
            Self::SystemLoader => "the system's loader found it",
        })
    }
}

/// What a search looks at; taken from the process by [`Places::of_process`], made by hand in tests.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Value of `ORT_DYLIB_PATH`.
    pub variable: Option<PathBuf>,
    /// The `onnxruntime` package of the interpreter that runs this process.
    pub package: Option<PathBuf>,
    /// Value of `VIRTUAL_ENV`.
    pub active_environment: Option<PathBuf>,
    /// The current folder.
    pub current_folder: Option<PathBuf>,
    /// The running executable.
    pub executable: Option<PathBuf>,
    /// The folders of `PATH`.
    pub path: Vec<PathBuf>,
    /// The user's home folder.
    pub home: Option<PathBuf>,
}

impl Places {
    /// The places that this process knows of.
    pub fn of_process() -> Self {
        let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            variable: folder(LIBRARY_VARIABLE),
            package: PACKAGE.get().cloned(),
            active_environment: folder("VIRTUAL_ENV"),
            current_folder: env::current_dir().ok(),
            executable: env::current_exe().ok(),
            path: env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default(),
            home: folder("HOME"),
        }
    }

    /// The libraries to try, best first, each once. `asked` is a path that a person named.
    ///
    /// A path named by a person or by `ORT_DYLIB_PATH` is the only candidate: if it does not load, that is an
    /// error, never a reason to use another library silently.
    pub fn candidates(&self, asked: Option<&Path>) -> Vec<(PathBuf, Found)> {
        if let Some(path) = &self.variable {
            return vec![(path.clone(), Found::Variable)];
        }
        if let Some(path) = asked {
            return vec![(path.to_path_buf(), Found::Asked)];
        }
        let mut candidates: Vec<(PathBuf, Found)> = Vec::new();
        let mut add_all = |libraries: Vec<PathBuf>, found: &Found| {
            for library in libraries {
                if candidates.iter().all(|(path, _)| *path != library) {
                    candidates.push((library, found.clone()));
                }
            }
        };
        if let Some(package) = &self.package {
            add_all(libraries_of(std::slice::from_ref(package)), &Found::ThisInterpreter);
        }
        let mut add = |prefix: &Path, found: &Found| add_all(libraries_below(prefix), found);
        if let Some(environment) = &self.active_environment {
            add(environment, &Found::ActiveEnvironment);
        }
        for folder in self.current_folder.iter().flat_map(|folder| folder.ancestors()) {
            add(&folder.join(".venv"), &Found::BesideCurrentFolder);
        }
        for folder in self.executable.iter().flat_map(|file| file.ancestors().skip(1)) {
            add(&folder.join(".venv"), &Found::BesideExecutable);
        }
        if let Some(bin) = self.path.iter().find(|folder| folder.join("python3").is_file()) {
            if let Some(prefix) = bin.parent() {
                add(prefix, &Found::PythonOnPath);
                add(&prefix.join("local"), &Found::PythonOnPath);
            }
            if let Some(home) = &self.home {
                add(&home.join(".local"), &Found::PythonOnPath);
            }
        }
        candidates.push((PathBuf::from(SYSTEM_NAME), Found::SystemLoader));
        candidates
    }
}

/// The libraries of the ONNX Runtime wheels installed under the Python prefix `prefix`, newest first.
fn libraries_below(prefix: &Path) -> Vec<PathBuf> {
    let pythons = children(&prefix.join("lib"), |name| name.starts_with("python3"));
    let packages = pythons
        .iter()
        .flat_map(|python| [python.join("site-packages"), python.join("dist-packages")])
        .chain([prefix.join("Lib").join("site-packages")]);
    libraries_of(&packages.map(|folder| folder.join("onnxruntime")).collect::<Vec<_>>())
}

/// The libraries in the `onnxruntime` packages `folders`, newest first.
fn libraries_of(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut libraries: Vec<PathBuf> =
        folders.iter().flat_map(|folder| children(&folder.join("capi"), is_library)).collect();
    libraries.sort_by_key(|library| std::cmp::Reverse(version_numbers(library)));
    libraries
}

fn is_library(name: &str) -> bool {
    name == "onnxruntime.dll"
        || name.starts_with("libonnxruntime.so")
        || (name.starts_with("libonnxruntime.")
            && Path::new(name).extension().is_some_and(|suffix| suffix == "dylib"))
}

/// The entries of `folder` whose name passes, sorted; none where the folder cannot be read.
fn children(folder: &Path, passes: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(&passes))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

fn version_numbers(library: &Path) -> Vec<u32> {
    let name = library.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split('.').filter_map(|part| part.parse().ok()).collect()
}

/// The version in a library's file name, such as `1.31.1` in `libonnxruntime.so.1.31.1`.
///
/// ```
/// use stages::network::search::version_in_name;
/// assert_eq!(version_in_name("capi/libonnxruntime.so.1.31.1".as_ref()).as_deref(), Some("1.31.1"));
/// assert_eq!(version_in_name("libonnxruntime.so".as_ref()), None);
/// ```
pub fn version_in_name(library: &Path) -> Option<String> {
    let numbers: Vec<String> = version_numbers(library).iter().map(u32::to_string).collect();
    (numbers.len() >= 2).then(|| numbers.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wheel(prefix: &Path, name: &str) -> PathBuf {
        let folder = prefix.join("lib/python3.11/site-packages/onnxruntime/capi");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), b"").unwrap();
        fs::write(folder.join("libonnxruntime_providers_shared.so"), b"").unwrap();
        folder.join(name)
    }

    #[test]
    fn the_order_is_interpreter_then_environment_then_current_folder_then_executable_then_python_then_system()
    {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        let expected = [
            wheel(&at("active"), "libonnxruntime.so.1.30.0"),
            wheel(&at("project/.venv"), "libonnxruntime.so.1.31.1"),
            wheel(&at("install/.venv"), "libonnxruntime.so.1.31.1"),
            wheel(&at("usr"), "libonnxruntime.so.1.31.1"),
        ];
        fs::create_dir_all(at("usr/bin")).unwrap();
        fs::write(at("usr/bin/python3"), b"").unwrap();
        let own = wheel(&at("own"), "libonnxruntime.so.1.20.0");
        let places = Places {
            package: Some(own.ancestors().nth(2).unwrap().to_path_buf()),
            active_environment: Some(at("active")),
            current_folder: Some(at("project/deep/below")),
            executable: Some(at("install/target/debug/motionmill")),
            path: vec![at("empty"), at("usr/bin")],
            ..Places::default()
        };
        let candidates = places.candidates(None);
        let paths: Vec<&PathBuf> = candidates.iter().map(|(path, _)| path).collect();
        assert_eq!(candidates[0], (own.clone(), Found::ThisInterpreter));
        assert_eq!(paths[1..5], expected.iter().collect::<Vec<_>>()[..]);
        assert_eq!(candidates[5], (PathBuf::from(SYSTEM_NAME), Found::SystemLoader));
        assert_eq!(candidates[2].1, Found::BesideCurrentFolder);
    }

    #[test]
    fn the_newest_of_one_folder_goes_first_by_number() {
        let root = tempfile::tempdir().unwrap();
        wheel(root.path(), "libonnxruntime.so.1.9.0");
        let newest = wheel(root.path(), "libonnxruntime.so.1.31.1");
        assert_eq!(libraries_below(root.path())[0], newest);
        assert_eq!(libraries_below(root.path()).len(), 2);
    }

    #[test]
    fn a_named_path_is_the_only_candidate() {
        let mut places = Places { current_folder: Some("/".into()), ..Places::default() };
        let asked = Path::new("/nowhere/libonnxruntime.so");
        assert_eq!(places.candidates(Some(asked)), [(asked.to_path_buf(), Found::Asked)]);
        places.variable = Some("/variable/libonnxruntime.so".into());
        assert_eq!(places.candidates(Some(asked))[0].1, Found::Variable);
        assert_eq!(places.candidates(Some(asked)).len(), 1);
    }
}
