"""What a network is trained on: samples of shards or of a plan, and how a batch of them becomes its input."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from ..errors import ConfigError, DataError, SchemaError
from ..skeletons import Skeleton, skeleton
from ..torch import SampleLoader, ShardLoader
from .system import PoseInput

Loader = ShardLoader | SampleLoader

#: Columns of a sample that training reads, as far as they are there.
TRAINING = ("image", "heatmaps", "heatmap_weight", "center_map", "keypoints", "visibility")
#: Columns that a check on held-out people reads.
CHECKING = ("image", "center_map", "keypoints", "visibility")
#: Steps in px from the peak of a centre map at which its spread is read off.
_REACH = 4


@dataclass(frozen=True)
class Shape:
    """What the schema of samples says of each of them."""

    skeleton: Skeleton
    #: Width and height of the picture, px.
    size: tuple[int, int]
    #: Maps of a sample, w and h px of each; `None` where there are none.
    maps: tuple[int, int, int] | None
    center_map: bool


def open_samples(
    source: str | os.PathLike[str],
    columns: Sequence[str],
    *,
    split: str | None = None,
    people: str | os.PathLike[str] | None = None,
    **arguments: Any,
) -> Loader:
    """A loader over `source`: a folder of shards, or a plan (a `.toml` file or `recipe:NAME`) whose samples are made on the fly.

    :param columns: those of them that are there are read.
    :param split: of a folder, only this split.
    :param people: for a plan, what is read in the place of its source.
    :param arguments: of either loader: `batch_size`, `seed`, `threads`, `shuffle`.
    """
    make: Callable[..., Loader]
    if Path(source).is_dir():
        if people is not None:
            raise ConfigError("`--people` goes with a plan", f"`{os.fspath(source)}` is a folder of shards")
        make, arguments = ShardLoader, arguments | {"split": split}
    else:
        make, arguments = SampleLoader, arguments | {"people": people}
    # Opened once to see what is there, and once more to read only that.
    there = make(source, **arguments).schema.names
    return make(source, columns=[name for name in columns if name in there], **arguments)


def shape_of(schema: pa.Schema) -> Shape:
    """What `schema` says of its samples.

    :raises SchemaError: it is none of samples with pictures.
    """
    metadata = schema.metadata or {}
    name = metadata.get(b"motionmill.skeleton")
    if name is None or "image" not in schema.names:
        raise SchemaError("expected samples with a column `image` and a skeleton, found columns " + ", ".join(schema.names))
    field = schema.field("image")
    pixels = (field.metadata or {}).get(b"motionmill.shape")
    if pixels is None:
        raise SchemaError("the column `image` does not say its size", "crops need a size: see the stages `crop` and `warp`")
    height, width, _ = (int(side) for side in pixels.decode().split(","))
    maps = None
    if "heatmaps" in schema.names:
        kind = schema.field("heatmaps").type
        maps = (kind.list_size, kind.value_type.value_type.list_size, kind.value_type.list_size)
    return Shape(skeleton(name.decode()), (width, height), maps, "center_map" in schema.names)


def prepare(batch: Mapping[str, Any], given: PoseInput, device: torch.device) -> tuple[list[Tensor], dict[str, Any]]:
    """The inputs of a network, and the batch with its tensors, on `device`.

    Pictures travel as bytes and are normalised where they arrive; `[N, 3, H, W]` then lies in memory as `[N, H, W, 3]`, the order
    in which convolutions are fastest.
    """
    moved = {
        name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value for name, value in batch.items()
    }
    image = moved["image"].permute(0, 3, 1, 2).to(torch.float32)
    if given.colour == "bgr":
        image = image.flip(1)
    inputs = [(image - given.mean) / given.std]
    if given.center_sigma is not None:
        inputs.append(moved["center_map"][:, None])
    return inputs, moved


def check_center_map(batch: Mapping[str, Any], expected: float) -> None:
    """Check that centre maps have the spread that the network's card will promise.

    Of a Gaussian g, 2 ln g(x) - ln g(x - r) - ln g(x + r) = (r / sigma)^2, wherever x is.

    :raises DataError: they have another.
    """
    rows = batch["center_map"]
    for row in rows:
        y, x = divmod(int(row.argmax()), row.shape[1])
        if not _REACH <= x < row.shape[1] - _REACH:
            continue
        before, peak, after = (row[y, x + step].double().log() for step in (-_REACH, 0, _REACH))
        curve = float(2 * peak - before - after)
        found = _REACH / max(curve, 1e-12) ** 0.5
        if abs(found - expected) > 0.02 * expected:
            raise DataError(
                f"the network expects a centre map of spread {expected:g} px, found {found:.3g} px",
                f"encode samples with `center_map = {{ sigma = {expected:g} }}`",
            )
        return


def check_apart(train: Loader, held_out: Loader) -> None:
    """Check that no sample is both trained on and held out.

    :raises DataError: one is; the message names it and counts them.
    """
    shared = sorted(_names(train) & _names(held_out))
    if shared:
        raise DataError(
            f"{len(shared)} held-out samples are trained on too, the first is `{shared[0]}`",
            "a held-out share is set apart before `repeat`, by the stage `split` or a filter",
        )


def _names(loader: Loader) -> set[str]:
    if isinstance(loader, SampleLoader):
        return set(loader.people.column(loader.people.schema.get_field_index("sample_id")).to_pylist())
    table = loader._table
    again = ShardLoader(table._path, split=table._arguments["split"], columns=["sample_id"], shuffle=False, batch_size=4096)
    return {name for batch in again for name in batch["sample_id"]}
