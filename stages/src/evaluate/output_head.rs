//! Which network or file says something, and at which of its output heads.

use std::fmt;

/// An output head: the network or prediction file, and the number of the head from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputHead<'a> {
    /// The network or prediction file.
    pub model: &'a str,
    /// Its number, from 1.
    pub number: i32,
}

impl fmt::Display for OutputHead<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "model `{}`, head {}", self.model, self.number)
    }
}
