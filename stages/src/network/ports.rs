//! The inputs and outputs of a network, against which a card is checked before any row flows.

use ort::session::Session;

use super::NetworkError;
pub use super::port::Port;

/// The inputs of a session's network.
pub fn inputs_of(session: &Session) -> Vec<Port> {
    session.inputs().iter().map(Port::of).collect()
}

/// The outputs of a session's network.
pub fn outputs_of(session: &Session) -> Vec<Port> {
    session.outputs().iter().map(Port::of).collect()
}

/// Checks that every input is one of `named`; `fed` says in words what those are.
///
/// # Errors
/// When the network has another.
pub fn no_others(inputs: &[Port], named: &[&str], fed: &'static str) -> Result<(), NetworkError> {
    match inputs.iter().find(|port| !named.contains(&port.name.as_str())) {
        None => Ok(()),
        Some(unnamed) => Err(NetworkError::UnnamedInput { port: unnamed.clone(), fed }),
    }
}

/// The port called `name`, which is an `input` or `output` as `what` says, held against an element type and dimensions,
/// -1 for any.
///
/// # Errors
/// When there is none, or it is another one; the message says what was expected and found.
pub fn expect<'a>(
    ports: &'a [Port],
    what: &'static str,
    name: &str,
    element: &'static str,
    dimensions: &[i64],
) -> Result<&'a Port, NetworkError> {
    let Some(port) = ports.iter().find(|port| port.name == name) else {
        let known = ports.iter().map(|port| port.name.clone()).collect();
        return Err(NetworkError::NoPort { what, name: name.to_owned(), known });
    };
    let fits = |(found, expected): (&i64, &i64)| *found < 0 || *expected < 0 || found == expected;
    let same_rank = port.dimensions.len() == dimensions.len();
    if port.element != element || !same_rank || !port.dimensions.iter().zip(dimensions).all(fits) {
        let (port, dimensions) = (port.clone(), dimensions.to_vec());
        return Err(NetworkError::OtherPort { what, port, element, dimensions });
    }
    Ok(port)
}

/// The rows of a call that `ports` fix, all the same; `None` where the network takes any number.
///
/// # Errors
/// When two ports fix different numbers.
pub fn fixed_rows(ports: &[&Port]) -> Result<Option<usize>, NetworkError> {
    let mut fixed = ports.iter().map(|port| (port.dimensions[0], &port.name)).filter(|(rows, _)| *rows >= 0);
    let Some((rows, port)) = fixed.next() else { return Ok(None) };
    match fixed.find(|(other, _)| *other != rows) {
        None => Ok(usize::try_from(rows).ok()),
        Some((other_rows, other)) => {
            let (port, other) = (port.clone(), other.clone());
            Err(NetworkError::UnequalRows { rows, port, other_rows, other })
        }
    }
}
