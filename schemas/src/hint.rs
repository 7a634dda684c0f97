//! Errors that know where they come from and what to change.

use std::error::Error;

/// Where an error comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// A key or value of a plan, or keys that contradict each other.
    Config,
    /// A table that lacks a column, or has one of another type.
    Schema,
    /// Rows that contradict the plan or each other.
    #[default]
    Data,
    /// A file or folder that cannot be read or written.
    File,
    /// The inference runtime.
    Inference,
}

/// An error of motionmill. Its message states the rule and the value that broke it; the separate hint names the key,
/// flag or command to change.
pub trait Hinted: Error {
    /// What to change, where that is known.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Where the error comes from.
    fn fault(&self) -> Fault {
        Fault::default()
    }
}
