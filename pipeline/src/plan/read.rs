//! A plan by its name: a file, or a recipe that ships with motionmill.

use std::fs;
use std::path::PathBuf;

use super::{Override, Plan, PlanError};
use crate::recipes;

/// The prefix that names a recipe instead of a file.
const RECIPE: &str = "recipe:";

impl Plan {
    /// Reads the plan `origin`, a file or `recipe:NAME`, after `overrides`.
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
            None => fs::read_to_string(origin)
                .map_err(|source| PlanError::Io { path: PathBuf::from(origin), source })?,
        };
        Self::parse(&text, origin, overrides)
    }
}
