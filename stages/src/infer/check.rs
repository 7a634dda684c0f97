//! A model card held against the network itself, before a row flows.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use super::model_card::{Element, HeatmapOutput, ImageInput, Layout, ModelCard};
use crate::StageError;

/// An input or output as the network declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Type of its numbers, `float32` and so on.
    pub element: String,
    /// Its dimensions; -1 where a run decides.
    pub dimensions: Vec<i64>,
}

impl Port {
    fn of(outlet: &Outlet) -> Self {
        let (element, dimensions) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, .. } => (element_name(*ty), shape.to_vec()),
            other => (other.to_string(), Vec::new()),
        };
        Self { name: outlet.name().to_owned(), element, dimensions }
    }

    fn describe(&self) -> String {
        format!("{} {}", self.element, dimensions_text(&self.dimensions))
    }
}

fn element_name(element: TensorElementType) -> String {
    match element {
        TensorElementType::Float32 => "float32".to_owned(),
        TensorElementType::Uint8 => "uint8".to_owned(),
        other => other.to_string(),
    }
}

/// Dimensions as text, `?` where a run decides.
pub fn dimensions_text(dimensions: &[i64]) -> String {
    let text = |size: &i64| if *size < 0 { "?".to_owned() } else { size.to_string() };
    format!("[{}]", dimensions.iter().map(text).collect::<Vec<_>>().join(", "))
}

/// The inputs of a session's network.
pub fn inputs_of(session: &Session) -> Vec<Port> {
    session.inputs().iter().map(Port::of).collect()
}

/// The outputs of a session's network.
pub fn outputs_of(session: &Session) -> Vec<Port> {
    session.outputs().iter().map(Port::of).collect()
}

/// Checks that the network has what the card names, and no input besides.
///
/// Gives the number of rows that the network wants in a call, or `None` where it takes any.
///
/// # Errors
/// When a name is absent, or a type or a dimension is another one; the message says what was expected and found.
pub fn check_ports(card: &ModelCard, inputs: &[Port], outputs: &[Port]) -> Result<Option<usize>, StageError> {
    let image = port(inputs, &card.input.name, "input")?;
    let mut rows = expect(image, "input", card.input.element_name(), &card.input.dimensions())?;
    if let Some(map) = &card.center_map {
        let (height, width) = (i64::from(card.input.height), i64::from(card.input.width));
        let dimensions = match map.layout {
            Layout::Nchw => [-1, 1, height, width],
            Layout::Nhwc => [-1, height, width, 1],
        };
        rows = rows.or(expect(port(inputs, &map.name, "input")?, "input", "float32", &dimensions)?);
    }
    let named = [Some(&card.input.name), card.center_map.as_ref().map(|center| &center.name)];
    no_others(
        inputs,
        &named.into_iter().flatten().map(String::as_str).collect::<Vec<_>>(),
        "an image and a centre map",
    )?;
    for output in &card.outputs {
        let channels = output.channels as i64;
        let dimensions = match output.layout {
            Layout::Nchw => [-1, channels, -1, -1],
            Layout::Nhwc => [-1, -1, -1, channels],
        };
        expect(port(outputs, &output.name, "output")?, "output", "float32", &dimensions)?;
    }
    Ok(rows)
}

/// Checks that every input is one of `named`; `fed` says in words what those are.
///
/// # Errors
/// When the network has another.
pub fn no_others(inputs: &[Port], named: &[&str], fed: &str) -> Result<(), StageError> {
    match inputs.iter().find(|port| !named.contains(&port.name.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(StageError::config(
            format!(
                "the network has an input `{}` ({}) that the card does not name",
                unknown.name,
                unknown.describe()
            ),
            format!("only {fed} can be fed; export the network without other inputs"),
        )),
    }
}

/// The port called `name`, which is an `input` or `output` as `what` says.
///
/// # Errors
/// When there is none; the message lists those there are.
pub fn port<'a>(ports: &'a [Port], name: &str, what: &str) -> Result<&'a Port, StageError> {
    ports.iter().find(|port| port.name == name).ok_or_else(|| {
        let names: Vec<String> = ports.iter().map(|port| format!("`{}`", port.name)).collect();
        StageError::config(
            format!("the card names {what} `{name}`, but the network has {}", names.join(", ")),
            "correct the name in the model card",
        )
    })
}

/// Holds a port against an element type and dimensions, -1 for any; gives the first dimension where it is fixed.
///
/// # Errors
/// When they are others; the message says what was expected and found.
pub fn expect(
    port: &Port,
    what: &str,
    element: &str,
    dimensions: &[i64],
) -> Result<Option<usize>, StageError> {
    let fits = |(found, expected): (&i64, &i64)| *found < 0 || *expected < 0 || found == expected;
    let same_rank = port.dimensions.len() == dimensions.len();
    if port.element != element || !same_rank || !port.dimensions.iter().zip(dimensions).all(fits) {
        return Err(StageError::config(
            format!(
                "{what} `{}`: the card expects {element} {}, the network has {}",
                port.name,
                dimensions_text(dimensions),
                port.describe()
            ),
            "correct the size, layout, element or channels in the model card",
        ));
    }
    Ok(usize::try_from(port.dimensions[0]).ok())
}

impl ImageInput {
    /// The element type's name.
    pub fn element_name(&self) -> &'static str {
        match self.element {
            Element::Float32 => "float32",
            Element::Uint8 => "uint8",
        }
    }

    /// The dimensions, -1 for the rows.
    pub fn dimensions(&self) -> [i64; 4] {
        let (height, width) = (i64::from(self.height), i64::from(self.width));
        match self.layout {
            Layout::Nchw => [-1, 3, height, width],
            Layout::Nhwc => [-1, height, width, 3],
        }
    }
}

/// Height and width of an output's maps, from the dimensions that a run gave.
///
/// # Errors
/// When the run gave other rows or channels than it should, or maps that cover another area than the stride says.
pub fn map_size(
    output: &HeatmapOutput,
    input: &ImageInput,
    rows: usize,
    dimensions: &[i64],
) -> Result<[usize; 2], StageError> {
    let (channels, height, width) = match (output.layout, dimensions) {
        (Layout::Nchw, [_, channels, height, width]) | (Layout::Nhwc, [_, height, width, channels]) => {
            (*channels, *height, *width)
        }
        _ => (-1, -1, -1),
    };
    let name = &output.name;
    if dimensions.first() != Some(&(rows as i64))
        || channels != output.channels as i64
        || height < 1
        || width < 1
    {
        return Err(StageError::config(
            format!(
                "output `{name}`: {rows} rows of {} maps are expected, a run gave {}",
                output.channels,
                dimensions_text(dimensions)
            ),
            "correct `layout` or `channels` in the model card",
        ));
    }
    for (axis, size, whole) in [("height", height, input.height), ("width", width, input.width)] {
        let cells = f64::from(whole) / output.stride;
        if (size as f64 - cells).abs() > 1.0 {
            return Err(StageError::config(
                format!(
                    "output `{name}`: stride {} on an input of {axis} {whole} px makes about {cells:.1} map px, a run \
                     gave {size}",
                    output.stride
                ),
                "correct `stride` in the model card",
            ));
        }
    }
    Ok([height as usize, width as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> ModelCard {
        toml::from_str(include_str!("../../testdata/models/nchw.toml")).unwrap()
    }

    fn declared(name: &str, element: &str, dimensions: &[i64]) -> Port {
        Port { name: name.to_owned(), element: element.to_owned(), dimensions: dimensions.to_vec() }
    }

    fn outputs() -> Vec<Port> {
        vec![
            declared("stage_1", "float32", &[-1, 10, 4, 6]),
            declared("stage_2", "float32", &[-1, 10, -1, -1]),
        ]
    }

    #[test]
    fn rows_are_fixed_or_free() {
        let free = [declared("image", "float32", &[-1, 3, 8, 12])];
        assert_eq!(check_ports(&card(), &free, &outputs()).unwrap(), None);
        let fixed = [declared("image", "float32", &[4, 3, -1, -1])];
        assert_eq!(check_ports(&card(), &fixed, &outputs()).unwrap(), Some(4));
    }

    #[test]
    fn a_mismatch_says_what_was_expected_and_found() {
        let message = |inputs: &[Port], outputs: &[Port]| {
            check_ports(&card(), inputs, outputs).unwrap_err().to_string()
        };
        let image = declared("image", "float32", &[-1, 3, 8, 12]);
        let nhwc = message(&[declared("image", "float32", &[-1, 8, 12, 3])], &outputs());
        assert_eq!(
            nhwc,
            "input `image`: the card expects float32 [?, 3, 8, 12], the network has float32 [?, 8, 12, 3]"
        );
        let bytes = message(&[declared("image", "uint8", &[-1, 3, 8, 12])], &outputs());
        assert!(bytes.contains("the network has uint8"), "{bytes}");
        let renamed = message(&[declared("x", "float32", &[-1, 3, 8, 12])], &outputs());
        assert_eq!(renamed, "the card names input `image`, but the network has `x`");
        let extra = message(&[image.clone(), declared("y", "float32", &[1])], &outputs());
        assert!(extra.contains("an input `y` (float32 [1])"), "{extra}");
        let few = message(&[image], &[declared("stage_1", "float32", &[-1, 9, 4, 6])]);
        assert!(few.contains("expects float32 [?, 10, ?, ?], the network has float32 [?, 9, 4, 6]"), "{few}");
    }

    #[test]
    fn maps_must_cover_the_input() {
        let (card, size) =
            (card(), |dimensions: &[i64]| map_size(&card().outputs[0], &card().input, 2, dimensions));
        assert_eq!(card.outputs[0].stride, 2.0);
        assert_eq!(size(&[2, 10, 4, 6]).unwrap(), [4, 6]);
        assert!(size(&[1, 10, 4, 6]).unwrap_err().to_string().contains("2 rows of 10 maps"));
        assert!(
            size(&[2, 10, 8, 12]).unwrap_err().to_string().contains("makes about 4.0 map px, a run gave 8")
        );
        assert!(size(&[2, 10]).is_err());
    }
}
