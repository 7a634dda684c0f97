//! What a batch takes at least, known from the schemas before a row is read.

use arrow::datatypes::{DataType, Field};
use schemas::tables::samples::raw_image_size;
use stages::FanOut;

use super::{GraphError, Node, Work};
use crate::plan::RunnerConfig;

/// How many rows `node` makes of a batch, given those of the nodes before it, by their index.
///
/// What an aggregate makes is not known, and counts as one row. A stage whose number of rows varies counts as one that
/// keeps it.
///
/// # Errors
/// When the rows, counted by the columns of constant size alone, take more than `memory_mib`.
pub(super) fn check(node: &Node, runner: &RunnerConfig, batch_rows: &[u64]) -> Result<u64, GraphError> {
    let rows = match &node.work {
        Work::Source(_) | Work::Given(_) => u64::from(runner.batch_rows.get()),
        Work::Rows(stage) => {
            let before = node.inputs.iter().map(|input| batch_rows[*input]).max().unwrap_or(1);
            match stage.fan_out() {
                FanOut::Each(copies) => before.saturating_mul(copies as u64),
                FanOut::Varies | FanOut::ByRow => before,
            }
        }
        Work::Aggregate(_) | Work::Sink(_) => 1,
    };
    let sizes = node.schema.fields().iter().map(|field| field_bytes(field));
    let row_bytes = sizes.fold(0, u64::saturating_add);
    let memory_mib = runner.memory_mib.get();
    if rows.saturating_mul(row_bytes) > u64::from(memory_mib) << 20 {
        return Err(GraphError::Memory { node: node.name.clone(), rows, row_bytes, memory_mib });
    }
    Ok(rows)
}

/// Bytes of a value of `field`; 0 for what has no constant size.
fn field_bytes(field: &Field) -> u64 {
    match raw_image_size(field) {
        Some([width, height]) => u64::from(width).saturating_mul(u64::from(height)).saturating_mul(3),
        None => value_bytes(field.data_type(), &|_| 0),
    }
}

/// Bytes of a value of `data_type`; `other` says how many stand for what has no constant size, such as text.
pub(crate) fn value_bytes(data_type: &DataType, other: &dyn Fn(&DataType) -> u64) -> u64 {
    match data_type {
        DataType::FixedSizeList(item, length) => {
            u64::try_from(*length).unwrap_or(0).saturating_mul(value_bytes(item.data_type(), other))
        }
        DataType::Struct(members) => {
            members.iter().map(|member| value_bytes(member.data_type(), other)).fold(0, u64::saturating_add)
        }
        plain => plain.primitive_width().map_or_else(|| other(plain), |bytes| bytes as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::columns::fixed_list;
    use schemas::tables::samples::raw_image_field;

    #[test]
    fn columns_of_constant_size_are_counted() {
        let window = fixed_list(fixed_list(fixed_list(DataType::Float32, 6), 50), 20);
        let constant = |data_type: &DataType| value_bytes(data_type, &|_| 0);
        assert_eq!(constant(&window), 24_000);
        assert_eq!(field_bytes(&raw_image_field(400, 300)), 360_000);
        assert_eq!(field_bytes(&raw_image_field(u32::MAX, u32::MAX)), u64::MAX);
        assert_eq!(constant(&DataType::Utf8), 0);
        let huge = fixed_list(fixed_list(fixed_list(DataType::Float64, 1 << 30), 1 << 30), 1 << 30);
        assert_eq!(constant(&huge), u64::MAX);
    }
}
