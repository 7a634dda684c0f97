//! Skeletons that a configuration names: one that is built in, or a file of one's own.

use std::path::{Path, PathBuf};

use schemas::{SchemaError, Skeleton};

use crate::{ReadError, files};

/// How the name of a skeleton's file ends.
const ENDING: &str = "toml";

/// The skeleton called `named`, or that of the file `named` if it ends in `.toml`.
///
/// # Errors
/// When there is none of that name, or the file cannot be read or is no sound [`Definition`](schemas::skeleton::Definition).
pub fn skeleton_called(named: &str) -> Result<&'static Skeleton, ReadError> {
    let Some(path) = skeleton_file(named) else {
        return Skeleton::named(named).map_err(|error| ReadError::Schema(SchemaError::from(error)));
    };
    let text = files::read_to_string(&path).map_err(|error| ReadError::io(&path, error))?;
    Skeleton::of_file(&text).map_err(|error| ReadError::Skeleton { path, error })
}

/// The file that `named` means, if it means one.
pub fn skeleton_file(named: &str) -> Option<PathBuf> {
    let path = Path::new(named);
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(ENDING)).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::skeleton::COCO17;

    #[test]
    fn a_name_is_built_in_and_a_path_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("robot.toml");
        std::fs::write(&file, "name = 'robot'\njoints = ['base', 'tool']\nlimbs = [[0, 1]]").unwrap();
        let robot = skeleton_called(file.to_str().unwrap()).unwrap();
        assert_eq!((robot.name, robot.len()), ("robot", 2));
        assert_eq!(skeleton_called("coco17").unwrap(), &*COCO17);
        assert_eq!((skeleton_file("coco17"), skeleton_file("a.TOML")), (None, Some("a.TOML".into())));
        // The file itself makes no name known.
        assert!(skeleton_called("robot").unwrap_err().to_string().contains("no skeleton is called `robot`"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("robot.toml");
        let message = || skeleton_called(file.to_str().unwrap()).unwrap_err().to_string();
        assert!(message().contains("robot.toml`"), "{}", message());
        std::fs::write(&file, "name = 'robot'\njoints = ['base', 'base']").unwrap();
        let found = message();
        assert!(found.starts_with("`joints` must differ, found `base` at 0 and `base` at 1: `"), "{found}");
    }
}
