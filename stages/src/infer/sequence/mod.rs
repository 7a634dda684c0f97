//! Networks that read windows of a signal: `axes` and `card` say how, `worker` runs one, `config` and `stage` are the
//! stage `embed`, `carry` finds the windows that a state passes through.

mod axes;
mod card;
mod carry;
mod config;
mod stage;
mod worker;

pub use axes::Axes;
pub use card::{Frames, SequenceCard, SequenceOutput, State, WindowInput};
pub use config::EmbedConfig;
pub use stage::Embed;

#[cfg(test)]
mod carry_tests;
#[cfg(test)]
mod tests;
