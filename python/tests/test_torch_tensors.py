"""Tensors lie where Arrow's columns lie."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="motionmill.torch needs PyTorch")

import numpy as np
import pyarrow as pa

from motionmill import DataError, SchemaError
from motionmill.torch import collate, to_tensors


def batch():
    """Two rows of each kind of column."""
    maps = pa.array(np.arange(2 * 3 * 4 * 5, dtype=np.float32))
    for length in (5, 4, 3):
        maps = pa.FixedSizeListArray.from_arrays(maps, length)
    affine = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(12, dtype=np.float64)), 6)
    pixels = pa.array([bytes(range(24)), bytes(range(24, 48))], pa.binary())
    image = pa.field("image", pa.binary(), metadata={"motionmill.shape": "2,4,3"})
    columns = {
        "sample_id": pa.array(["a", "b"]),
        "heatmaps": maps,
        "crop_from_image": affine,
        "copy": pa.array([3, 4], pa.int32()),
        "flipped": pa.array([True, False]),
        "scale": pa.array([1.5, None], pa.float64()),
        "person_index": pa.array([0, None], pa.int32()),
        "words": pa.array([["x"], []], pa.list_(pa.string())),
    }
    fields = [image] + [pa.field(name, column.type) for name, column in columns.items()]
    return pa.RecordBatch.from_arrays([pixels, *columns.values()], schema=pa.schema(fields))


def address(column):
    """Where the numbers of a column begin."""
    while pa.types.is_fixed_size_list(column.type):
        column = column.flatten()
    buffer = column.buffers()[-1].address
    width = 1 if pa.types.is_binary(column.type) else column.type.bit_width // 8
    return buffer + column.offset * width


def test_numbers_are_not_copied():
    rows = batch()
    tensors = to_tensors(rows, ["image", "heatmaps", "crop_from_image", "copy"])
    for name, tensor in tensors.items():
        assert tensor.data_ptr() == address(rows.column(name)), name
    assert tensors["image"].shape == (2, 2, 4, 3) and tensors["image"].dtype == torch.uint8
    assert tensors["heatmaps"].shape == (2, 3, 4, 5)
    assert tensors["crop_from_image"].tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]


def test_a_slice_is_its_own_rows():
    tensors = to_tensors(batch().slice(1, 1), ["sample_id", "image", "heatmaps", "copy", "flipped"])
    assert tensors["sample_id"] == ["b"]
    assert tensors["image"].flatten().tolist() == list(range(24, 48))
    assert tensors["heatmaps"].flatten().tolist() == list(range(60, 120))
    assert (tensors["copy"].tolist(), tensors["flipped"].tolist()) == ([4], [False])


def test_tensors_outlive_their_batch():
    tensors = to_tensors(batch(), ["heatmaps", "image"])
    assert tensors["heatmaps"].sum() == sum(range(120)) and tensors["image"].int().sum() == sum(range(48))


def test_null_is_nan_or_named():
    assert to_tensors(batch(), ["scale"])["scale"].isnan().tolist() == [False, True]
    with pytest.raises(DataError, match="column `person_index` has null in 1 of 2 rows"):
        to_tensors(batch(), ["person_index"])
    with pytest.raises(SchemaError, match="column `words` of type list<.*> cannot become a tensor"):
        to_tensors(batch(), ["words"])
    with pytest.raises(SchemaError, match="column `x` is missing; the columns are `image`, `sample_id`"):
        to_tensors(batch(), ["x"])


def test_collate_takes_other_samples_too():
    assert collate([{"a": 1}, {"a": 2}])["a"].tolist() == [1, 2]
