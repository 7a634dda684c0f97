"""A quick check of a network while it trains: PCK on the crops of held-out people, for each of its outputs.

The actual score comes from the pipeline (`infer`, `decode`, `evaluate`), in px of the image, by a named protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from motionmill.skeletons import Skeleton

#: Share of the torso within which a joint counts as found, as for LSP.
THRESHOLD = 0.2
#: The torso, as for LSP.
TORSO = ("left_shoulder", "right_hip")


def locate(maps: Tensor, stride: float, origin: float) -> Tensor:
    """Peaks of `maps` `[N, K, h, w]` in px of the crop, `[N, K, 2]`, x before y, without a sub-pixel step."""
    best = maps.flatten(2).argmax(2)
    width = maps.shape[3]
    return torch.stack([best % width, best // width], 2) * stride + origin


def has_torso(skeleton: Skeleton) -> bool:
    """Whether PCK can be measured with it."""
    return all(joint in skeleton.joints for joint in TORSO)


@torch.no_grad()
def quick_pck(
    batches: Iterable[Mapping[str, Any]],
    predict: Callable[[Mapping[str, Any]], list[Tensor]],
    skeleton: Skeleton,
    counted: Callable[[Mapping[str, Any]], Tensor] = lambda batch: batch["visibility"] > 0,
) -> list[float]:
    """Share of annotated joints within 0.2 torsos, for each of the places `[N, K, 2]` that `predict` gives.

    :param counted: which joints of a batch count, bool `[N, K]`; by default those annotated.
    """
    a, b = (skeleton.joints.index(joint) for joint in TORSO)
    hits: list[int] = []
    joints = 0
    for batch in batches:
        points, visibility = batch["keypoints"], batch["visibility"]
        torso = (points[:, a] - points[:, b]).norm(dim=1)
        known = (visibility[:, a] > 0) & (visibility[:, b] > 0)
        scored = counted(batch) & known[:, None]
        joints += int(scored.sum())
        places = predict(batch)
        hits = hits or [0] * len(places)
        for number, found in enumerate(places):
            near = (found.cpu() - points).norm(dim=2) <= THRESHOLD * torso[:, None]
            hits[number] += int((near & scored).sum())
    return [count / joints if joints else float("nan") for count in hits]
