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
    let port = find(ports, what, name)?;
    let fits = |(found, expected): (&i64, &i64)| *found < 0 || *expected < 0 || found == expected;
    let same_rank = port.dimensions.len() == dimensions.len();
    if port.element != element || !same_rank || !port.dimensions.iter().zip(dimensions).all(fits) {
        let (port, dimensions) = (port.clone(), dimensions.to_vec());
        return Err(NetworkError::OtherPort { what, port, element, dimensions });
    }
    Ok(port)
}

/// The port called `name`, which is an `input` or `output` as `what` says.
///
/// # Errors
/// When there is none.
pub fn find<'a>(ports: &'a [Port], what: &'static str, name: &str) -> Result<&'a Port, NetworkError> {
    ports.iter().find(|port| port.name == name).ok_or_else(|| {
        let known = ports.iter().map(|port| port.name.clone()).collect();
        NetworkError::NoPort { what, name: name.to_owned(), known }
    })
}

/// The output called `name`, of 32-bit or 16-bit floats, held against dimensions, -1 for any.
///
/// # Errors
/// When there is none, or it is another one; the message says what was expected and found.
pub fn expect_output<'a>(
    ports: &'a [Port],
    name: &str,
    dimensions: &[i64],
) -> Result<&'a Port, NetworkError> {
    let element = float_element(find(ports, "output", name)?);
    expect(ports, "output", name, element, dimensions)
}

/// The output called `name`, of 32-bit or 16-bit floats, of any shape.
///
/// # Errors
/// When there is none, or it is of other numbers.
pub fn expect_floats<'a>(ports: &'a [Port], name: &str) -> Result<&'a Port, NetworkError> {
    let port = find(ports, "output", name)?;
    expect(ports, "output", name, float_element(port), &port.dimensions)
}

fn float_element(port: &Port) -> &'static str {
    if port.element == "float16" { "float16" } else { "float32" }
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
