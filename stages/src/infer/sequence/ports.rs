//! The card of a network that reads windows, held against the network itself.

use ort::session::Session;

use super::card::{Frames, SequenceCard, SequenceOutput};
use crate::StageError;
use crate::infer::check::{Port, dimensions_text, inputs_of, outputs_of};

/// Checks that the network has the card's input and states, no other input, and the outputs; gives the number of rows
/// that it fixes.
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
    let named = |name: &str| name == card.input.name || card.states.iter().any(|state| state.input == name);
    if let Some(other) = inputs.iter().find(|port| !named(&port.name)) {
        return Err(StageError::config(
            format!("the network has an input `{}` that the card does not name", other.name),
            "only a window and states can be fed; name a state in `[[states]]`, or export the network without",
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
    let given = find(&outputs, &output.name, "output")?;
    expect(&given, "output", &expected)?;
    let mut ports = vec![window, given];
    for state in &card.states {
        let expected = [vec![-1], state.dimensions()].concat();
        for (what, all, name) in [("input", &inputs, &state.input), ("output", &outputs, &state.output)] {
            let port = find(all, name, what)?;
            expect(&port, what, &expected)?;
            ports.push(port);
        }
    }
    fixed_rows(&ports)
}

/// The number of rows that `ports` fix, all the same.
fn fixed_rows(ports: &[Port]) -> Result<Option<usize>, StageError> {
    let Some(first) = ports.iter().find(|port| port.dimensions[0] >= 0) else { return Ok(None) };
    let rows = first.dimensions[0];
    match ports.iter().find(|port| port.dimensions[0] >= 0 && port.dimensions[0] != rows) {
        None => Ok(usize::try_from(rows).ok()),
        Some(other) => Err(StageError::config(
            format!(
                "the network takes {rows} rows of `{}` a call, but {} of `{}`",
                first.name, other.dimensions[0], other.name
            ),
            "export the network with one number of rows, best a free one",
        )),
    }
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
        "correct `axes`, `blocks`, `block_samples`, `channels`, `frames`, `size` or a state's `shape` in the model card",
    ))
}
