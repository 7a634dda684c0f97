//! An input or output of a network.

use std::fmt;

use ort::value::{Outlet, TensorElementType, ValueType};

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
    pub(super) fn of(outlet: &Outlet) -> Self {
        let (element, dimensions) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, .. } => (element_name(*ty), shape.to_vec()),
            other => (other.to_string(), Vec::new()),
        };
        Self { name: outlet.name().to_owned(), element, dimensions }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.element, dimensions_text(&self.dimensions))
    }
}

fn element_name(element: TensorElementType) -> String {
    match element {
        TensorElementType::Float32 => "float32".to_owned(),
        TensorElementType::Float16 => "float16".to_owned(),
        TensorElementType::Uint8 => "uint8".to_owned(),
        TensorElementType::Int32 => "int32".to_owned(),
        other => other.to_string(),
    }
}

/// Dimensions as text, `?` where a run decides.
pub(super) fn dimensions_text(dimensions: &[i64]) -> String {
    let text = |size: &i64| if *size < 0 { "?".to_owned() } else { size.to_string() };
    format!("[{}]", dimensions.iter().map(text).collect::<Vec<_>>().join(", "))
}

/// `names` in one line, each between backticks.
pub(super) fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
