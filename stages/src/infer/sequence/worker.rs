//! A session that reads windows, its tensors bound once.

use ort::memory::{Allocator, MemoryInfo};
use ort::session::{IoBinding, Session};
use ort::value::{Shape, Tensor};

use super::card::{SequenceCard, SequenceOutput, State};
use crate::network::NetworkError;

/// A session for calls of a fixed number of windows.
///
/// Every call has as many rows, the last ones blank where fewer are given, so that a row's numbers do not depend on
/// its neighbours.
pub(super) struct SequenceWorker {
    session: Session,
    binding: IoBinding,
    window: Tensor<f32>,
    name: String,
    output: String,
    states: Vec<Held>,
    carry: bool,
    rows: usize,
}

/// A state of the network as the next call will read it, `[rows, ..]`.
struct Held {
    state: State,
    tensor: Tensor<f32>,
}

fn new_tensor(dimensions: Vec<i64>) -> Result<Tensor<f32>, NetworkError> {
    Tensor::new(&Allocator::default(), Shape::new(dimensions))
        .map_err(NetworkError::runtime("cannot allocate a tensor"))
}

impl SequenceWorker {
    /// Binds `session` for calls of `rows` windows, of which `output` is kept; `carry` says whether a call begins with
    /// the states that the one before left.
    ///
    /// # Errors
    /// When the network does not run.
    pub(super) fn new(
        session: Session,
        card: &SequenceCard,
        output: &SequenceOutput,
        rows: usize,
        carry: bool,
    ) -> Result<Self, NetworkError> {
        let of_rows = |behind: Vec<i64>| [vec![rows as i64], behind].concat();
        let window = new_tensor(of_rows(card.input.axes.dimensions(card.window_shape())))?;
        let cannot = NetworkError::runtime("cannot bind the network");
        let mut binding = session.create_binding().map_err(cannot)?;
        binding.bind_output_to_device(&output.name, &MemoryInfo::default()).map_err(cannot)?;
        let mut states = Vec::new();
        for state in &card.states {
            let mut tensor = new_tensor(of_rows(state.dimensions()))?;
            tensor.extract_tensor_mut().1.fill(0.0);
            if carry {
                binding.bind_output_to_device(&state.output, &MemoryInfo::default()).map_err(cannot)?;
            } else {
                binding.bind_input(&state.input, &tensor).map_err(cannot)?;
            }
            states.push(Held { state: state.clone(), tensor });
        }
        let (name, output) = (card.input.name.clone(), output.name.clone());
        Ok(Self { session, binding, window, name, output, states, carry, rows })
    }

    /// Runs the network; `fill` writes the windows into the input, in the network's order, and `take` gets the
    /// output's dimensions and numbers. Row r begins from zeros where `fresh[r]`, else, if states are carried, where
    /// row r of the call before ended.
    ///
    /// # Errors
    /// When the network fails, or gives something else than float32 of the shapes of its card.
    pub(super) fn run(
        &mut self,
        fresh: &[bool],
        fill: impl FnOnce(&mut [f32]),
        take: impl FnOnce(&[i64], &[f32]),
    ) -> Result<(), NetworkError> {
        assert_eq!(fresh.len(), self.rows, "a call has all its rows");
        fill(self.window.extract_tensor_mut().1);
        let cannot = NetworkError::runtime("cannot bind the network's input");
        self.binding.bind_input(&self.name, &self.window).map_err(cannot)?;
        if self.carry {
            for Held { state, tensor } in &mut self.states {
                let numbers = tensor.extract_tensor_mut().1;
                let rows = numbers.chunks_exact_mut(state.length()).zip(fresh);
                rows.filter(|(_, fresh)| **fresh).for_each(|(row, _)| row.fill(0.0));
                self.binding.bind_input(&state.input, tensor).map_err(cannot)?;
            }
        }
        let outputs = self.session.run_binding(&self.binding);
        let outputs = outputs.map_err(NetworkError::runtime("the network failed"))?;
        let read = |name: &str| {
            let tensor = outputs[name].try_extract_tensor::<f32>();
            tensor.map_err(NetworkError::runtime("cannot read the output"))
        };
        let (shape, numbers) = read(&self.output)?;
        take(shape, numbers);
        if self.carry {
            for Held { state, tensor } in &mut self.states {
                let (shape, left) = read(&state.output)?;
                let next = tensor.extract_tensor_mut().1;
                if left.len() != next.len() {
                    return Err(NetworkError::OtherShape {
                        output: state.output.clone(),
                        rows: self.rows,
                        expected: format!("{:?}", state.shape),
                        found: shape.to_vec(),
                        keys: "`shape`",
                    });
                }
                next.copy_from_slice(left);
            }
        }
        Ok(())
    }
}
