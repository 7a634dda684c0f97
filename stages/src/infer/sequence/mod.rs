//! Networks that read windows of a signal: `axes` and `card` say how, `worker` runs them, `stage` is the step `embed`.

mod axes;
mod card;
mod stage;
mod worker;

pub use axes::Axes;
pub use card::{Frames, SequenceCard, SequenceOutput, WindowInput};
pub use stage::{Embed, EmbedConfig};

#[cfg(test)]
mod tests;
