"""Comparison of rows bit by bit: arrow's own takes NaN, a joint that is not annotated, for unequal to itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def same(ours: Any, theirs: Any) -> bool:
    """Whether two batches or tables hold the same rows."""
    first, second = whole(ours), whole(theirs)
    return first.schema.equals(second.schema) and all(
        same_values(first.column(name), second.column(name)) for name in first.schema.names
    )


def whole(rows: Any) -> pa.RecordBatch:
    """Rows as one batch."""
    table = pa.table(rows) if not isinstance(rows, pa.RecordBatch) else pa.Table.from_batches([rows])
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def same_values(ours: pa.Array, theirs: pa.Array) -> bool:
    """Whether two arrays hold the same values."""
    if ours.type != theirs.type or len(ours) != len(theirs) or not ours.is_valid().equals(theirs.is_valid()):
        return False
    kind = ours.type
    if pa.types.is_floating(kind):
        return all(np.array_equal(*pair, equal_nan=True) for pair in [(numbers(ours), numbers(theirs))])
    if pa.types.is_fixed_size_list(kind):
        return same_values(ours.drop_null().flatten(), theirs.drop_null().flatten())
    if pa.types.is_list(kind):
        lengths = ours.value_lengths().equals(theirs.value_lengths())
        return lengths and same_values(ours.drop_null().flatten(), theirs.drop_null().flatten())
    return ours.equals(theirs)


def numbers(array: pa.Array) -> np.ndarray:
    return array.drop_null().to_numpy(zero_copy_only=False)
