//! ONNX Runtime, found and loaded once per process.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::NetworkError;
use super::search::{Found, Places, version_in_name};

static LOADED: OnceLock<Runtime> = OnceLock::new();
static LOADING: Mutex<()> = Mutex::new(());

/// The loaded library.
#[derive(Debug)]
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
    version: String,
    found: Found,
}

impl Runtime {
    /// The runtime of this process, loaded on the first call.
    ///
    /// `asked` names the library's file; without it the places of [`Places::candidates`] are tried in turn. A
    /// process holds one ONNX Runtime: a later call that asks for another file is an error.
    ///
    /// # Errors
    /// When no library loads, with everything that was tried; or when another one is loaded already.
    pub fn load(asked: Option<&Path>) -> Result<&'static Self, NetworkError> {
        let _one_at_a_time = LOADING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = LOADED.get() {
            return loaded.unless_another(asked);
        }
        let runtime = Self::first_that_loads(&Places::of_process().candidates(asked))?;
        Ok(LOADED.get_or_init(|| runtime))
    }

    fn unless_another(&'static self, asked: Option<&Path>) -> Result<&'static Self, NetworkError> {
        match asked {
            Some(path) if self.found != Found::Variable && !same_file(path, &self.library) => {
                let loaded = self.library.clone();
                Err(NetworkError::OtherRuntime { asked: path.to_owned(), loaded })
            }
            _ => Ok(self),
        }
    }

    fn first_that_loads(candidates: &[(PathBuf, Found)]) -> Result<Self, NetworkError> {
        let mut tried = Vec::new();
        for (library, found) in candidates {
            match Self::open(library, found) {
                Ok(runtime) => return Ok(runtime),
                Err(reason) => tried.push(format!("`{}`: {reason}", library.display())),
            }
        }
        Err(NetworkError::NoRuntime { tried })
    }

    fn open(library: &Path, found: &Found) -> Result<Self, String> {
        if *found != Found::SystemLoader && !library.is_file() {
            return Err(format!("there is no such file ({found})"));
        }
        // The binding resolves a relative path against the executable; a person means the current folder.
        let library = match found {
            Found::SystemLoader => library.to_path_buf(),
            _ => std::path::absolute(library).map_err(|error| error.to_string())?,
        };
        let builder = ort::init_from(&library).map_err(|error| error.to_string())?;
        let environment = builder
            .with_name("motionmill")
            .with_telemetry(false)
            .build()
            .map_err(|error| error.to_string())?;
        environment.set_log_level(LogLevel::Error);
        let version = version_in_name(&library).unwrap_or_else(version_of_build);
        Ok(Self { environment, library, version, found: found.clone() })
    }

    /// The environment in which sessions are made.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The library's file; a bare name where the system's loader found it.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The library's version, such as `1.31.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Why this library was chosen.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Library, version and reason in one line, for printing.
    pub fn describe(&self) -> String {
        format!("ONNX Runtime {} (`{}`: {})", self.version, self.library.display(), self.found)
    }
}

/// The version that the library's build information names, as far as it does.
fn version_of_build() -> String {
    let branch = ort::info().split("git-branch=rel-").nth(1);
    let named = branch.and_then(|rest| rest.split([',', ' ']).next()).map(str::to_owned);
    named.unwrap_or_else(|| format!("1.{} or later", ort::MINOR_VERSION))
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::Hinted;

    #[test]
    fn the_runtime_of_the_tests_is_there() {
        let runtime = Runtime::load(None).unwrap();
        assert!(runtime.version().starts_with("1."), "{}", runtime.describe());
        assert!(std::ptr::eq(runtime, Runtime::load(None).unwrap()), "loaded once");
    }

    #[test]
    fn what_cannot_be_loaded_is_an_error_with_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        let garbage = folder.path().join("libonnxruntime.so.1.99.0");
        std::fs::write(&garbage, b"not a library").unwrap();
        for path in [garbage, folder.path().join("absent.so")] {
            // The runtime of the tests may be loaded already, so the search is tested below `load`.
            let outcome = Runtime::open(&path, &Found::Asked);
            if LOADED.get().is_none() || !path.exists() {
                assert!(outcome.is_err(), "{}", path.display());
            }
        }
        let error =
            Runtime::first_that_loads(&[(folder.path().join("absent.so"), Found::Variable)]).unwrap_err();
        assert!(error.to_string().contains("there is no such file (`ORT_DYLIB_PATH` names it)"), "{error}");
        assert!(error.hint().unwrap().contains("pip install onnxruntime=="));
    }

    #[test]
    fn a_process_holds_one_runtime() {
        let runtime = Runtime::load(None).unwrap();
        if *runtime.found() != Found::Variable {
            let error = Runtime::load(Some(Path::new("/nowhere/libonnxruntime.so"))).unwrap_err();
            assert!(error.to_string().contains("this process has loaded"), "{error}");
        }
        assert!(Runtime::load(Some(runtime.library())).is_ok());
    }
}
