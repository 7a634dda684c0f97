//! Running the command as a user does.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a command did.
pub(crate) struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// The three parts as one text for a snapshot.
    pub(crate) fn text(&self) -> String {
        format!(
            "exit code: {}\n----- stdout -----\n{}\n----- stderr -----\n{}",
            self.code, self.stdout, self.stderr
        )
    }

    /// Itself, after making sure that the command succeeded.
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.text());
        self
    }
}

/// Runs `motionmill` with `arguments` in `folder`.
pub(crate) fn motionmill(folder: &Path, arguments: &[&str]) -> Done {
    let output = Command::new(env!("CARGO_BIN_EXE_motionmill"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("VIRTUAL_ENV", workspace().join(".venv"))
        .output()
        .expect("the command starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the command prints UTF-8");
    Done {
        code: output.status.code().unwrap_or(-1),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace").to_owned()
}

/// All files below `folder` with their bytes, by relative path.
pub(crate) fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = std::collections::BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below the folder").display().to_string();
                files.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

/// Compares `text` with the committed file `tests/snapshots/{name}.txt`, or writes that file where
/// `MOTIONMILL_WRITE_REFERENCE` is set.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    assert_committed(&format!("tests/snapshots/{name}.txt"), text);
}

/// Compares `text` with the committed file `path` of the workspace, or writes it, as [`assert_snapshot`].
pub(crate) fn assert_committed(path: &str, text: &str) {
    let file = workspace().join(path);
    if std::env::var_os("MOTIONMILL_WRITE_REFERENCE").is_some() {
        std::fs::create_dir_all(file.parent().expect("a file in a folder")).expect("the folder can be made");
        std::fs::write(&file, text).expect("the file can be written");
        return;
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "`{path}` is not what the command prints now; `make reference` writes it anew\n--- committed\n{committed}\n--- now\n{text}"
    );
}
