//! The card of a network that reads windows.
//!
//! A TOML file beside the network, of the same stem:
//!
//! ```
//! let card: stages::infer::SequenceCard = toml::from_str(r#"
//!     name = "abacus-dcwrnn"
//!     source = "where the network comes from"
//!     channels = ["accelerometer_x", "accelerometer_y", "accelerometer_z",
//!                 "gyroscope_x", "gyroscope_y", "gyroscope_z"]
//!     rate_hz = 50
//!
//!     [input]
//!     name = "window"               # the network's own name for it
//!     axes = "n t b c"              # T blocks of B samples of C channels; `n t (b c)` for a vector a block
//!     blocks = 20                   # T
//!     block_samples = 50            # B
//!
//!     [[outputs]]
//!     name = "features"             # [N, T, D]: one embedding a block
//!     frames = "each"               # or "last": the last of T; or "one" where the output is [N, D]
//!     size = 128                    # D
//!
//!     [[outputs]]
//!     name = "scores"
//!     frames = "last"
//!     size = 2
//!     classes = ["s01", "s02"]      # the subjects, where the output scores them
//! "#)?;
//! card.validate()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::Path;

use schemas::units::Hertz;
use serde::{Deserialize, Serialize};

use super::axes::Axes;
use crate::StageError;
use crate::network::NetworkError;
use crate::network::card::{check_outputs, read_card};
use crate::network::ports::{Port, expect, fixed_rows, no_others};

/// Most numbers of one input a row: 2^28, 1 GiB of float32. The largest real window has some thousands.
const MOST_NUMBERS: usize = 1 << 28;

/// What a network is, reads and gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceCard {
    /// Short name; it is written to the metadata of every embedding.
    pub name: String,
    /// Where the network comes from.
    #[serde(default)]
    pub source: String,
    /// Under which terms it may be used.
    #[serde(default)]
    pub license: String,
    /// The channels that it was trained on, in order.
    pub channels: Vec<String>,
    /// The sampling rate that it was trained on, Hz.
    pub rate_hz: Hertz,
    /// The window input.
    pub input: WindowInput,
    /// What it gives; a plan picks one.
    pub outputs: Vec<SequenceOutput>,
    /// What it hands from window to window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<State>,
}

/// The window input of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowInput {
    /// The network's name for it.
    pub name: String,
    /// The order of its axes.
    pub axes: Axes,
    /// T, the blocks of a window.
    pub blocks: usize,
    /// B, the samples of a block.
    pub block_samples: usize,
}

/// One output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceOutput {
    /// The network's name for it.
    pub name: String,
    /// How many embeddings it gives for a window.
    pub frames: Frames,
    /// D, the numbers of an embedding.
    pub size: usize,
    /// The subjects whose scores the D numbers are, in order, if they are class scores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
}

/// What a recurrent network passes from one window to the next: an output of one call is an input of the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The network's name for the input, float32 `[N, shape]`; zeros are the start of a session.
    pub input: String,
    /// The network's name for the output, of the same size: the state after the last block of the window.
    pub output: String,
    /// The sizes behind the rows.
    pub shape: Vec<usize>,
}

impl State {
    /// The sizes behind the rows, as the network declares them.
    pub fn dimensions(&self) -> Vec<i64> {
        self.shape.iter().map(|size| *size as i64).collect()
    }

    /// Numbers a row.
    pub fn length(&self) -> usize {
        self.shape.iter().product()
    }
}

/// How many numbers an input of `shape` has a row, where no more than [`MOST_NUMBERS`].
fn product(shape: &[usize]) -> Option<usize> {
    let product = shape.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    product.filter(|numbers| *numbers <= MOST_NUMBERS)
}

/// How many embeddings an output gives for a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frames {
    /// `[N, T, D]`, each block's is kept.
    Each,
    /// `[N, T, D]`, the last block's is kept.
    Last,
    /// `[N, D]`.
    One,
}

impl SequenceCard {
    /// Reads and checks the card at `path`.
    ///
    /// # Errors
    /// When it cannot be read, is not a card, or contradicts itself.
    pub fn read(path: &Path) -> Result<Self, StageError> {
        read_card(path, Self::validate)
    }

    /// Checks that the card does not contradict itself.
    ///
    /// # Errors
    /// When it does.
    pub fn validate(&self) -> Result<(), NetworkError> {
        if self.channels.is_empty() || self.input.blocks == 0 || self.input.block_samples == 0 {
            return Err(NetworkError::NoWindow);
        }
        if product(&self.window_shape()).is_none() {
            return Err(NetworkError::LargeShape {
                name: self.input.name.clone(),
                shape: self.window_shape().to_vec(),
            });
        }
        check_outputs(self.outputs.iter().map(|output| output.name.as_str()))?;
        for SequenceOutput { name, size, classes, .. } in &self.outputs {
            if *size == 0 || (!classes.is_empty() && classes.len() != *size) {
                let (output, size, classes) = (name.clone(), *size, classes.len());
                return Err(NetworkError::Classes { output, size, classes });
            }
        }
        let mut inputs = vec![&self.input.name];
        let mut outputs: Vec<&String> = self.outputs.iter().map(|output| &output.name).collect();
        for State { input, output, shape } in &self.states {
            if inputs.contains(&input) || outputs.contains(&output) {
                return Err(NetworkError::StateTwice { input: input.clone(), output: output.clone() });
            }
            if shape.is_empty() || shape.contains(&0) {
                return Err(NetworkError::StateShape { input: input.clone(), shape: shape.clone() });
            }
            if product(shape).is_none() {
                return Err(NetworkError::LargeShape { name: input.clone(), shape: shape.clone() });
            }
            inputs.push(input);
            outputs.push(output);
        }
        Ok(())
    }

    /// The output called `name`; the first one if none is asked for.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn output(&self, name: Option<&str>) -> Result<&SequenceOutput, NetworkError> {
        let Some(name) = name else { return Ok(&self.outputs[0]) };
        self.outputs.iter().find(|output| output.name == name).ok_or_else(|| {
            let known = self.outputs.iter().map(|output| output.name.clone()).collect();
            NetworkError::UnknownOutput { name: name.to_owned(), known }
        })
    }

    /// Checks that the network has the card's input and states, no other input, and `output`; gives the rows of a call
    /// that it fixes, or `None` where it takes any.
    ///
    /// # Errors
    /// When a name is absent, or a type or dimension is another one; the message says what was expected and found.
    pub fn check_ports(
        &self,
        output: &SequenceOutput,
        inputs: &[Port],
        outputs: &[Port],
    ) -> Result<Option<usize>, NetworkError> {
        let of_rows = |behind: &[i64]| [&[-1], behind].concat();
        let window = of_rows(&self.input.axes.dimensions(self.window_shape()));
        let vectors = match output.frames {
            Frames::Each | Frames::Last => vec![-1, self.input.blocks as i64, output.size as i64],
            Frames::One => vec![-1, output.size as i64],
        };
        let mut ports = vec![
            expect(inputs, "input", &self.input.name, "float32", &window)?,
            expect(outputs, "output", &output.name, "float32", &vectors)?,
        ];
        for state in &self.states {
            let dimensions = of_rows(&state.dimensions());
            ports.push(expect(inputs, "input", &state.input, "float32", &dimensions)?);
            ports.push(expect(outputs, "output", &state.output, "float32", &dimensions)?);
        }
        let states = self.states.iter().map(|state| state.input.as_str());
        let named: Vec<&str> = std::iter::once(self.input.name.as_str()).chain(states).collect();
        no_others(inputs, &named, "a window and the states that `[[states]]` names")?;
        fixed_rows(&ports)
    }

    /// `[T, B, C]` of the windows that it reads.
    pub fn window_shape(&self) -> [usize; 3] {
        [self.input.blocks, self.input.block_samples, self.channels.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = r#"
        name = "n"
        channels = ["x", "y"]
        rate_hz = 50
        input = { name = "window", axes = "n t (b c)", blocks = 20, block_samples = 50 }
        outputs = [{ name = "features", frames = "each", size = 8 }]
        states = [{ input = "h", output = "h_next", shape = [2, 64] }]
    "#;

    fn check(from: &str, to: &str) -> Result<(), NetworkError> {
        toml::from_str::<SequenceCard>(&CARD.replace(from, to)).unwrap().validate()
    }

    #[test]
    fn shapes_whose_size_overflows_are_refused() {
        check("", "").unwrap();
        let large = i64::MAX.to_string();
        for (from, input) in [("blocks = 20", "window"), ("samples = 50", "window"), ("shape = [2, 64", "h")]
        {
            let to = from.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned() + &large;
            match check(from, &to) {
                Err(NetworkError::LargeShape { name, .. }) => assert_eq!(name, input),
                other => panic!("{from}: {other:?}"),
            }
        }
    }
}
