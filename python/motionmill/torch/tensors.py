"""Arrow columns as tensors, over the same memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import torch

from ..errors import DataError, SchemaError

#: What a batch of samples has unless told otherwise, as far as the plan makes it.
SAMPLE_COLUMNS = (
    "sample_id",
    "copy",
    "image",
    "heatmaps",
    "heatmap_weight",
    "simcc_x",
    "simcc_y",
    "simcc_weight",
    "coordinates",
    "coordinate_weight",
    "center_map",
    "keypoints",
    "visibility",
    "crop_from_image",
)
#: What a batch of windows has unless told otherwise.
WINDOW_COLUMNS = ("subject", "device", "session", "sequence", "start_nanos", "window")

#: Columns of flat lists that are matrices.
_MATRICES = {"crop_from_image": (2, 3), "colour_matrix": (3, 4)}
_SHAPE = b"motionmill.shape"


def default_columns(schema: pa.Schema) -> list[str]:
    """The default columns of a batch: those of `SAMPLE_COLUMNS` or `WINDOW_COLUMNS` that it has."""
    known = WINDOW_COLUMNS if "window" in schema.names else SAMPLE_COLUMNS
    return [name for name in known if name in schema.names]


def check_columns(schema: pa.Schema, columns: Iterable[str]) -> list[str]:
    """The names as a list, all of which must exist."""
    names = list(columns)
    for name in names:
        if name not in schema.names:
            present = ", ".join(f"`{other}`" for other in schema.names)
            raise SchemaError(f"column `{name}` is missing; the columns are {present}")
    return names


def to_tensors(rows: pa.RecordBatch, columns: Sequence[str] | None = None) -> dict[str, Any]:
    """Each column of ``rows`` as a tensor ``[N, ...]`` over the same memory; text as a list of ``str``.

    Numbers and lists of numbers of one length are not copied: changing a tensor in place changes the batch, which
    nobody else uses. ``image`` is ``uint8 [N, H, W, 3]`` as the plan makes it, or ``float32 [N, 3, H, W]`` with
    ``to_float``; ``heatmaps`` ``float32 [N, C, h, w]``; ``simcc_x`` ``float32 [N, K, W * ratio]``,
    ``simcc_y`` ``float32 [N, K, H * ratio]``; ``coordinates`` ``float32 [N, K, 2]``;
    ``keypoints`` ``float32 [N, K, 2]`` px of the crop; ``visibility`` ``uint8 [N, K]``;
    ``crop_from_image`` ``float64 [N, 2, 3]``; ``window`` ``float32 [N, T, B, D]``.
    Booleans are unpacked, and floats with null are copied, null as NaN.

    :raises SchemaError: a column is missing or cannot become a tensor.
    :raises DataError: a column of integers has null.
    """
    names = rows.schema.names if columns is None else check_columns(rows.schema, columns)
    return {name: _tensor(rows.column(name), rows.schema.field(name)) for name in names}


def _tensor(column: pa.Array, field: pa.Field) -> Any:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.to_pylist()
    if pa.types.is_binary(kind) and _SHAPE in (field.metadata or {}):
        return _pixels(column, field.metadata[_SHAPE].decode())
    shape = [len(column)]
    while pa.types.is_fixed_size_list(column.type):
        _no_nulls(column, field.name)
        shape.append(column.type.list_size)
        column = column.flatten()
    flat = _flat(column, field)
    if len(shape) == 2 and field.name in _MATRICES:
        shape[1:] = _MATRICES[field.name]
    return flat.view(shape)


def _pixels(column: pa.Array, shape: str) -> torch.Tensor:
    """Raw pixels, which lie one row behind the other without a gap."""
    height, width, channels = (int(side) for side in shape.split(","))
    length = height * width * channels
    _, _, data = column.buffers()
    start = column.offset * length
    flat = pa.Array.from_buffers(pa.uint8(), len(column) * length, [None, data], offset=start)
    return torch.utils.dlpack.from_dlpack(flat).view(len(column), height, width, channels)


def _flat(column: pa.Array, field: pa.Field) -> torch.Tensor:
    kind = column.type
    if pa.types.is_boolean(kind):
        _no_nulls(column, field.name)
        return torch.from_numpy(column.to_numpy(zero_copy_only=False))
    if pa.types.is_floating(kind) and column.null_count:
        return torch.from_numpy(column.to_numpy(zero_copy_only=False).copy())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        _no_nulls(column, field.name)
        return torch.utils.dlpack.from_dlpack(column)
    raise SchemaError(f"column `{field.name}` of type {field.type} cannot become a tensor")


def _no_nulls(column: pa.Array, name: str) -> None:
    if column.null_count:
        raise DataError(f"column `{name}` has null in {column.null_count} of {len(column)} rows")


class Fetched(list[dict[str, Any]]):
    """Samples of one fetch, one dictionary each, with the batch that they are views of."""

    def __init__(self, batch: dict[str, Any], count: int) -> None:
        super().__init__({name: values[at] for name, values in batch.items()} for at in range(count))
        self.batch = batch


def collate(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """``collate_fn`` for a ``DataLoader`` over our map-style data sets: the batch as it was made, without a copy.

    Other samples go through ``torch.utils.data.default_collate``.
    """
    if isinstance(samples, Fetched):
        return samples.batch
    made: dict[str, Any] = torch.utils.data.default_collate(list(samples))
    return made
