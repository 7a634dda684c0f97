//! The plans that ship with motionmill: each paper's training samples and its test.

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
    Recipe { name: "cpm-flic", text: include_str!("../recipes/cpm-flic.toml") },
    Recipe { name: "hourglass-mpii", text: include_str!("../recipes/hourglass-mpii.toml") },
    Recipe { name: "hourglass-flic", text: include_str!("../recipes/hourglass-flic.toml") },
    Recipe { name: "repose-lsp", text: include_str!("../recipes/repose-lsp.toml") },
    Recipe { name: "repose-mpii", text: include_str!("../recipes/repose-mpii.toml") },
    Recipe { name: "tompson-flic", text: include_str!("../recipes/tompson-flic.toml") },
    Recipe { name: "tompson-mpii", text: include_str!("../recipes/tompson-mpii.toml") },
    Recipe { name: "predict", text: include_str!("../recipes/predict.toml") },
    Recipe { name: "predict-by-card", text: include_str!("../recipes/predict-by-card.toml") },
    Recipe { name: "detect", text: include_str!("../recipes/detect.toml") },
    Recipe { name: "detect-and-predict", text: include_str!("../recipes/detect-and-predict.toml") },
    Recipe { name: "cpm-mpii-test", text: include_str!("../recipes/cpm-mpii-test.toml") },
    Recipe { name: "cpm-lsp-test", text: include_str!("../recipes/cpm-lsp-test.toml") },
    Recipe { name: "cpm-flic-test", text: include_str!("../recipes/cpm-flic-test.toml") },
    Recipe { name: "hourglass-mpii-test", text: include_str!("../recipes/hourglass-mpii-test.toml") },
    Recipe { name: "hourglass-flic-test", text: include_str!("../recipes/hourglass-flic-test.toml") },
    Recipe { name: "repose-lsp-test", text: include_str!("../recipes/repose-lsp-test.toml") },
    Recipe { name: "tompson-flic-test", text: include_str!("../recipes/tompson-flic-test.toml") },
    Recipe { name: "tompson-mpii-test", text: include_str!("../recipes/tompson-mpii-test.toml") },
    Recipe { name: "hmog", text: include_str!("../recipes/hmog.toml") },
    Recipe { name: "abacus-dcwrnn", text: include_str!("../recipes/abacus-dcwrnn.toml") },
    Recipe { name: "raw-features", text: include_str!("../recipes/raw-features.toml") },
];

/// The recipe called `name`.
pub fn named(name: &str) -> Option<Recipe> {
    ALL.iter().copied().find(|recipe| recipe.name == name)
}
