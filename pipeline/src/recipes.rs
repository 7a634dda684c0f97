//! The plans that ship with motionmill: what each paper trains on, and what it scores.

/// A plan that ships with motionmill.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Its name: `motionmill run recipe:NAME`.
    pub name: &'static str,
    /// The plan.
    pub text: &'static str,
}

/// Every recipe, in the order in which messages list them.
pub const ALL: &[Recipe] = &[
    Recipe { name: "cpm-mpii", text: include_str!("../recipes/cpm-mpii.toml") },
    Recipe { name: "cpm-lsp", text: include_str!("../recipes/cpm-lsp.toml") },
    Recipe { name: "hourglass-mpii", text: include_str!("../recipes/hourglass-mpii.toml") },
    Recipe { name: "repose-lsp", text: include_str!("../recipes/repose-lsp.toml") },
    Recipe { name: "predict", text: include_str!("../recipes/predict.toml") },
    Recipe { name: "hmog", text: include_str!("../recipes/hmog.toml") },
    Recipe { name: "abacus-dcwrnn", text: include_str!("../recipes/abacus-dcwrnn.toml") },
    Recipe { name: "raw-features", text: include_str!("../recipes/raw-features.toml") },
];

/// The recipe called `name`.
pub fn named(name: &str) -> Option<Recipe> {
    ALL.iter().copied().find(|recipe| recipe.name == name)
}
