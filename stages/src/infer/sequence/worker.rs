//! A session that reads windows, its tensors bound once.

use ort::memory::MemoryInfo;
use ort::session::{IoBinding, Session};
use ort::value::{Shape, Tensor};

use super::card::{Frames, SequenceCard, SequenceOutput};
use crate::StageError;
use crate::infer::check::{Port, dimensions_text, inputs_of, outputs_of};

/// A session for calls of a fixed number of windows.
///
/// Every call has as many rows, the last ones blank where fewer are given, so that a row's numbers do not depend on
/// its neighbours.
pub struct SequenceWorker {
    session: Session,
    binding: IoBinding,
    window: Tensor<f32>,
    name: String,
}

fn failure(what: &str, error: &ort::Error) -> StageError {
    StageError::Inference { message: format!("{what}: {error}"), hint: None }
}

impl SequenceWorker {
    /// Binds `session` for calls of `rows` windows, of which `output` is kept.
    ///
    /// # Errors
    /// When the network does not run.
    pub fn new(
        session: Session,
        card: &SequenceCard,
        output: &SequenceOutput,
        rows: usize,
    ) -> Result<Self, StageError> {
        let mut dimensions = vec![rows as i64];
        dimensions.extend(card.input.axes.dimensions(card.window_shape()));
        let window = Tensor::new(&ort::memory::Allocator::default(), Shape::new(dimensions))
            .map_err(|error| failure("cannot allocate a tensor", &error))?;
        let cannot = |error| failure("cannot bind the network", &error);
        let mut binding = session.create_binding().map_err(cannot)?;
        binding.bind_output_to_device(&output.name, &MemoryInfo::default()).map_err(cannot)?;
        Ok(Self { session, binding, window, name: card.input.name.clone() })
    }

    /// Runs the network; `fill` writes the windows into the input, in the network's order, and `take` gets the
    /// output's dimensions and numbers.
    ///
    /// # Errors
    /// When the network fails, or gives something else than float32.
    pub fn run(
        &mut self,
        fill: impl FnOnce(&mut [f32]),
        take: impl FnOnce(&[i64], &[f32]),
    ) -> Result<(), StageError> {
        fill(self.window.extract_tensor_mut().1);
        let cannot = |error| failure("cannot bind the network's input", &error);
        self.binding.bind_input(&self.name, &self.window).map_err(cannot)?;
        let outputs = self.session.run_binding(&self.binding);
        let outputs = outputs.map_err(|error| failure("the network failed", &error))?;
        let tensor = outputs[0].try_extract_tensor::<f32>();
        let (shape, numbers) = tensor.map_err(|error| failure("cannot read the output", &error))?;
        take(shape, numbers);
        Ok(())
    }
}

/// Checks that the network has the card's input, no other, and the output; gives the number of rows that it fixes.
///
/// # Errors
/// When a name is absent, or a type or dimension is another one; the message says what was expected and found.
pub fn check_sequence_ports(
    card: &SequenceCard,
    output: &SequenceOutput,
    session: &Session,
) -> Result<Option<usize>, StageError> {
    let (inputs, outputs) = (inputs_of(session), outputs_of(session));
    let find = |ports: &[Port], name: &str, what: &str| {
        let names: Vec<String> = ports.iter().map(|port| format!("`{}`", port.name)).collect();
        ports.iter().find(|port| port.name == name).cloned().ok_or_else(|| {
            StageError::config(
                format!("the card names {what} `{name}`, but the network has {}", names.join(", ")),
                "correct the name in the model card",
            )
        })
    };
    let window = find(&inputs, &card.input.name, "input")?;
    if let Some(other) = inputs.iter().find(|port| port.name != card.input.name) {
        return Err(StageError::config(
            format!("the network has an input `{}` that the card does not name", other.name),
            "only a window can be fed; export the network without other inputs",
        ));
    }
    let mut expected = vec![-1];
    expected.extend(card.input.axes.dimensions(card.window_shape()));
    expect(&window, "input", &expected)?;
    let steps = card.input.blocks as i64;
    let expected = match output.frames {
        Frames::Each | Frames::Last => vec![-1, steps, output.size as i64],
        Frames::One => vec![-1, output.size as i64],
    };
    expect(&find(&outputs, &output.name, "output")?, "output", &expected)?;
    Ok(usize::try_from(window.dimensions[0]).ok())
}

fn expect(port: &Port, what: &str, expected: &[i64]) -> Result<(), StageError> {
    let fits = |(found, expected): (&i64, &i64)| *found < 0 || *expected < 0 || found == expected;
    let same_rank = port.dimensions.len() == expected.len();
    if port.element == "float32" && same_rank && port.dimensions.iter().zip(expected).all(fits) {
        return Ok(());
    }
    Err(StageError::config(
        format!(
            "{what} `{}`: the card expects float32 {}, the network has {} {}",
            port.name,
            dimensions_text(expected),
            port.element,
            dimensions_text(&port.dimensions)
        ),
        "correct `axes`, `blocks`, `block_samples`, `channels`, `frames` or `size` in the model card",
    ))
}
