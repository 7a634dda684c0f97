"""`mean-pose`: the baseline for any network, the mean pose of the training samples, as an ONNX file with its card.

It ignores the pixels, but runs through the same plan as a network and is scored in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from motionmill.errors import DataError

from .cards import heatmaps_output, image_input, write_card
from .export import export
from .samples import CHECKING, Source, shape_of
from .system import PoseInput

#: Input px per map px.
STRIDE = 4
#: Spread of the maps' Gaussians, map px: wide enough that the decoder finds the peak between px.
SIGMA = 2.0
#: Rows that the export is tried on.
_ROWS = 3


class MeanPose(nn.Module):
    """Maps `[N, K, H / 4, W / 4]` of Gaussians at constant places, whatever the picture `[N, 3, H, W]` shows."""

    def __init__(self, points: Tensor, width: int, height: int) -> None:
        """`points` `[K, 2]` px of the crop."""
        super().__init__()
        centers = (points - (STRIDE - 1) / 2) / STRIDE
        across = torch.arange(width // STRIDE) - centers[:, :1]
        down = torch.arange(height // STRIDE) - centers[:, 1:]
        squared = down[:, :, None] ** 2 + across[:, None, :] ** 2
        self.register_buffer("maps", torch.exp(-squared / (2 * SIGMA**2)).float()[None])

    def forward(self, image: Tensor) -> tuple[Tensor]:
        # Nothing of the picture but its rows: the graph must have it as its input.
        return (self.maps + 0.0 * image[:, :1, :1, :1],)


def mean_points(source: Source) -> Tensor:
    """The mean place of each joint over the samples in which it is annotated, `[K, 2]` px of the crop.

    :raises DataError: a joint is annotated nowhere.
    """
    total, count = torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    for batch in source.open(("keypoints", "visibility"), batch_size=256, shuffle=False):
        known = (batch["visibility"] > 0)[:, :, None]
        total = total + torch.where(known, batch["keypoints"].double(), 0.0).sum(0)
        count = count + known.double().sum(0)
    if not bool((count > 0).all()):
        raise DataError("a joint is annotated in no sample: it has no mean place")
    return total / count


def write_mean_pose(samples: str, split: str, out: Path, name: str, say: Callable[[str], None]) -> float:
    """Write the mean pose of `samples` to `out` and its card beside it; return the difference from PyTorch."""
    source = Source(samples, None if Source(samples).is_plan else split)
    shape = shape_of(source.open(CHECKING, batch_size=1).schema)
    width, height = shape.size
    network = MeanPose(mean_points(source), width, height)
    difference = export(network, out, [torch.rand(_ROWS, 3, height, width)], ["image"], ["stage_1"])
    card = {
        "name": name,
        "source": "the mean pose of the samples it was made from",
        "skeleton": shape.skeleton.reference,
        "input": image_input(PoseInput(), shape.size),
        "outputs": [heatmaps_output(1, len(shape.skeleton.joints), STRIDE, (STRIDE - 1) / 2, background=False)],
    }
    say(f"wrote {out} and {write_card(card, out).name}, within {difference:.1e} of PyTorch")
    return difference
