//! A plan by its name: a file, or a recipe that ships with motionmill.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use datasets::files;

use super::{Override, Plan, PlanError, paths};
use crate::recipes;

/// The prefix that names a recipe instead of a file.
const RECIPE: &str = "recipe:";

/// Most bytes of a plan: 16 MiB, more than 100,000 stages.
const MOST_BYTES: u64 = 16 << 20;

/// What a shell names where a plan comes from another program.
const PIPES: [&str; 2] = ["/dev/stdin", "/dev/fd/"];

/// The text of the plan `path`: a file, or what another program gives.
fn text_of(path: &str) -> io::Result<String> {
    let file = if is_pipe(path) { File::open(path)? } else { files::open(Path::new(path))? };
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        let message = format!("it has more than {MOST_BYTES} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

fn is_pipe(path: &str) -> bool {
    PIPES.iter().any(|pipe| path.starts_with(pipe))
}

/// Whether the plan `origin` has no folder of its own.
fn is_no_file(origin: &str) -> bool {
    is_pipe(origin) || origin.starts_with(RECIPE)
}

impl Plan {
    /// Reads the plan `origin`, a file or `recipe:NAME`, after `overrides`. Relative paths in a file start from its folder,
    /// those of recipes and of `overrides` from the current one.
    ///
    /// # Errors
    /// When there is no such file or recipe, or it is not a plan.
    pub fn read(origin: &str, overrides: &[Override]) -> Result<Self, PlanError> {
        let text = match origin.strip_prefix(RECIPE) {
            Some(name) => recipes::named(name).map(|recipe| recipe.text.to_owned()).ok_or_else(|| {
                let names: Vec<String> =
                    recipes::ALL.iter().map(|recipe| format!("`{}`", recipe.name)).collect();
                PlanError::UnknownRecipe { name: name.to_owned(), recipes: names.join(", ") }
            })?,
            None => {
                text_of(origin).map_err(|source| PlanError::Io { path: PathBuf::from(origin), source })?
            }
        };
        let plan = Self::parse(&text, origin, overrides)?;
        let folder = Path::new(origin).parent().filter(|folder| !folder.as_os_str().is_empty());
        match folder.filter(|_| !is_no_file(origin)) {
            None => Ok(plan),
            // It is sound; now its paths lead from where it stands.
            Some(folder) => {
                let invalid = |error: &dyn std::fmt::Display| PlanError::Invalid {
                    origin: origin.to_owned(),
                    message: error.to_string(),
                };
                let mut table: toml::Table = toml::from_str(&text).map_err(|error| invalid(&error))?;
                paths::start_from(&mut table, folder);
                let text = toml::to_string(&table).map_err(|error| invalid(&error))?;
                Self::parse(&text, origin, overrides)
            }
        }
    }
}
