//! The graph as text, with the schema on each edge.

use std::fmt::Write;

use arrow::datatypes::{DataType, Schema};
use schemas::columns::SKELETON_KEY;
use schemas::tables::table_name;

use super::{Graph, Work};

/// The nodes in dataflow order, each with the columns that leave it; a column that its inputs have too is not
/// repeated.
pub fn print_graph(graph: &Graph) -> String {
    let mut text = String::new();
    for node in &graph.nodes {
        let from: Vec<&str> = node.inputs.iter().map(|&input| graph.nodes[input].name.as_str()).collect();
        let arrow = if from.is_empty() { String::new() } else { format!("{} -> ", from.join(" + ")) };
        let role = match &node.work {
            Work::Source(_) | Work::Given(_) => "source",
            Work::Aggregate(_) if graph.plan.sources.contains_key(&node.name) => "source",
            Work::Rows(_) => "stage",
            Work::Aggregate(_) => "stage over all rows",
            Work::Sink(_) => "sink",
        };
        let _ = writeln!(text, "{arrow}{}  ({role} `{}`)", node.name, node.kind);
        if matches!(node.work, Work::Sink(_)) {
            continue;
        }
        let table = table_name(&node.schema).unwrap_or("table");
        let skeleton = node.schema.metadata().get(SKELETON_KEY).map(|name| format!(", skeleton {name}"));
        let _ = writeln!(text, "    table {table}{}", skeleton.unwrap_or_default());
        let before = node.inputs.first().map(|&input| &graph.nodes[input].schema);
        for field in node.schema.fields() {
            let same =
                |schema: &Schema| schema.field_with_name(field.name()).is_ok_and(|f| f == field.as_ref());
            if before.is_some_and(|schema| same(schema)) {
                continue;
            }
            let _ = writeln!(text, "    + {}: {}", field.name(), type_name(field.data_type()));
        }
        for gone in before.iter().flat_map(|schema| schema.fields()) {
            if node.schema.field_with_name(gone.name()).is_err() {
                let _ = writeln!(text, "    - {}", gone.name());
            }
        }
    }
    text
}

/// A type in compact form: `[16, 2] Float64`.
pub fn type_name(data_type: &DataType) -> String {
    let mut shape = Vec::new();
    let mut inner = data_type;
    while let DataType::FixedSizeList(item, length) = inner {
        shape.push(length.to_string());
        inner = item.data_type();
    }
    let name = match inner {
        DataType::List(item) => format!("list of {}", type_name(item.data_type())),
        DataType::Struct(members) => {
            let names: Vec<&str> = members.iter().map(|member| member.name().as_str()).collect();
            format!("struct {{{}}}", names.join(", "))
        }
        other => other.to_string(),
    };
    if shape.is_empty() { name } else { format!("[{}] {name}", shape.join(", ")) }
}
