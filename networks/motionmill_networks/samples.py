"""What a network is trained on: samples of shards or of a plan, and how a batch of them becomes its input."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from motionmill.errors import ConfigError, SchemaError
from motionmill.skeletons import Skeleton, skeleton_of
from motionmill.torch import SampleLoader, ShardLoader

from .system import PoseInput

Loader = ShardLoader | SampleLoader

#: Columns of a sample that training reads, as far as they are there.
TRAINING = ("image", "heatmaps", "heatmap_weight", "center_map", "keypoints", "visibility")
#: Columns that a check on held-out people reads.
CHECKING = ("image", "center_map", "keypoints", "visibility")


@dataclass(frozen=True)
class Source:
    """A folder of shards, or a plan (a `.toml` file or `recipe:NAME`) whose samples are made on the fly."""

    path: str
    #: Of a folder, only this split.
    split: str | None = None
    #: For a plan, the table in the place of its source.
    people: str | None = None

    @property
    def is_plan(self) -> bool:
        """Whether it is a plan."""
        return self.path.endswith(".toml") or self.path.startswith("recipe:")

    def open(self, columns: Sequence[str] | None, **arguments: Any) -> Loader:
        """A loader of those of `columns` that exist; `arguments` are those that both loaders take."""
        if self.is_plan:
            arguments |= {"people": self.people}
        elif self.people is not None:
            raise ConfigError("`--people` goes with a plan", f"`{self.path}` is a folder of shards")
        else:
            arguments |= {"split": self.split}
        make = SampleLoader if self.is_plan else ShardLoader
        loader = make(self.path, **arguments)
        if columns is None:
            return loader
        there = loader.available if isinstance(loader, ShardLoader) else loader.schema.names
        return make(self.path, columns=[name for name in columns if name in there], **arguments)

    def sample_ids(self) -> set[str]:
        """The ids of all samples."""
        if self.is_plan:
            people = SampleLoader(self.path, people=self.people).people
            return set(people.column(people.schema.get_field_index("sample_id")).to_pylist())
        rows = ShardLoader(self.path, split=self.split, columns=["sample_id"], shuffle=False, batch_size=4096)
        return {name for batch in rows for name in batch["sample_id"]}


@dataclass(frozen=True)
class Shape:
    """What the schema says about each sample."""

    skeleton: Skeleton
    #: Width and height of the picture, px.
    size: tuple[int, int]
    #: Maps of a sample, w and h px of each; `None` where there are none.
    maps: tuple[int, int, int] | None
    center_map: bool


def shape_of(schema: pa.Schema) -> Shape:
    """What `schema` says about its samples.

    :raises SchemaError: it is not a schema of samples with pictures.
    """
    if b"motionmill.skeleton" not in (schema.metadata or {}) or "image" not in schema.names:
        found = ", ".join(schema.names)
        raise SchemaError(f"expected samples with a skeleton and a column `image`, found columns {found}")
    pixels = (schema.field("image").metadata or {}).get(b"motionmill.shape")
    if pixels is None:
        raise SchemaError("expected pictures of one size, found none in the schema of `image`")
    height, width, _ = (int(side) for side in pixels.decode().split(","))
    maps = None
    if "heatmaps" in schema.names:
        kind = schema.field("heatmaps").type
        maps = (kind.list_size, kind.value_type.value_type.list_size, kind.value_type.list_size)
    return Shape(skeleton_of(schema), (width, height), maps, "center_map" in schema.names)


def prepare(batch: Mapping[str, Any], given: PoseInput, device: torch.device) -> tuple[list[Tensor], dict[str, Any]]:
    """The inputs of a network, and the batch with its tensors, on `device`.

    Pictures are moved as bytes and normalised on `device`; `[N, 3, H, W]` then lies in memory as `[N, H, W, 3]`, the
    order in which convolutions are fastest.
    """
    moved = {
        name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
        for name, value in batch.items()
    }
    image = moved["image"].permute(0, 3, 1, 2).to(torch.float32)
    if given.colour == "bgr":
        image = image.flip(1)
    inputs = [(image - given.mean) / given.std]
    if given.center_sigma is not None:
        inputs.append(moved["center_map"][:, None])
    return inputs, moved


def source_of(path: str, samples: str) -> Source:
    """Held-out samples: another folder or plan, or else a split of the folder `samples`."""
    other = Source(path)
    if other.is_plan or os.path.isdir(path):
        return other
    return Source(samples, split=path)
