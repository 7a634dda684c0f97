//! The plans that ship with motionmill, one for each published protocol.

/// A plan that ships with motionmill.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Its name: `motionmill run recipe:NAME`.
    pub name: &'static str,
    /// The plan.
    pub text: &'static str,
}

/// Every recipe, in the order in which messages list them.
pub const ALL: &[Recipe] = &[];

/// The recipe called `name`.
pub fn named(name: &str) -> Option<Recipe> {
    ALL.iter().copied().find(|recipe| recipe.name == name)
}
