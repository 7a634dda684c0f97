"""The body as a graph, and features of keypoints updated along it (RePose, section 3.2).

Letters: N samples, K keypoints, F features of a keypoint, m x m the coarsest grid.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError

LSP14 = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
    *("neck", "head_top"),
)
"""The joints of the skeleton `lsp14`, in its order."""

ORDER = (
    *("right_hip", "left_hip", "right_shoulder", "left_shoulder", "right_knee", "left_knee"),
    *("right_elbow", "left_elbow", "right_ankle", "left_ankle", "right_wrist", "left_wrist"),
    *("neck", "head_top"),
)
"""In which order keypoints are updated: stated below figure 3."""

EDGES = (
    ("head_top", "neck"),
    *(("neck", f"{side}_shoulder") for side in ("right", "left")),
    *((f"{side}_shoulder", f"{side}_elbow") for side in ("right", "left")),
    *((f"{side}_elbow", f"{side}_wrist") for side in ("right", "left")),
    *((f"{side}_shoulder", f"{side}_hip") for side in ("right", "left")),
    *((f"{side}_hip", f"{side}_knee") for side in ("right", "left")),
    *((f"{side}_knee", f"{side}_ankle") for side in ("right", "left")),
)
"""Which keypoints inform each other. INFERRED: figure 3 could not be read; the text says they need be no tree."""


def block(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """The paper's convolutional block: convolution, rectifier, normalisation, in this order."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups)
    return nn.Sequential(convolution, nn.ReLU(), nn.BatchNorm2d(outputs))


def blocks(inputs: int, outputs: int, count: int, groups: int = 1) -> nn.Sequential:
    """`count` blocks of 3 x 3 in a row."""
    sizes = [inputs] + [outputs] * count
    return nn.Sequential(*(block(before, after, groups=groups) for before, after in zip(sizes, sizes[1:])))


def update_order(names: Sequence[str]) -> list[int]:
    """The numbers of the joints `names` in the order of their updates.

    :raises ConfigError: the order has no place for one of them, or has it twice.
    """
    known = ["neck" if name == "upper_neck" else name for name in names]
    for number, name in enumerate(known):
        if name not in ORDER or name in known[:number]:
            expected = ", ".join(f"`{joint}`" for joint in ORDER)
            raise ConfigError(f"kinematic updates expect each at most once of {expected}; found `{names[number]}`")
    return sorted(range(len(known)), key=lambda joint: ORDER.index(known[joint]))


def neighbours(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> list[list[int]]:
    """For each joint the numbers of those it shares an edge with, in the order of `edges`.

    An edge to a joint that `names` lacks is ignored.
    """
    number = {"neck" if name == "upper_neck" else name: joint for joint, name in enumerate(names)}
    linked: list[list[int]] = [[] for _ in names]
    for one, other in edges:
        if one in number and other in number:
            linked[number[one]].append(number[other])
            linked[number[other]].append(number[one])
    return linked


class Update(nn.Module):
    """f + lambda g(h(c)): what the features c of a keypoint and its neighbours add to its own f."""

    def __init__(self, sources: int, features: int, count: int) -> None:
        super().__init__()
        self.project = block(sources * features, features, kernel=1)
        self.convolve = blocks(features, features, count)
        # At 1 the update begins as a plain residual connection.
        self.strength = nn.Parameter(torch.ones(()))

    def forward(self, own: Tensor, others: list[Tensor]) -> Tensor:
        return own + self.strength * self.convolve(self.project(torch.cat([own, *others], dim=1)))


class KinematicUpdates(nn.Module):
    """Two passes over the keypoints, one at a time and in place; the second in reverse, with its own weights."""

    def __init__(self, names: Sequence[str], edges: Sequence[tuple[str, str]], features: int, count: int) -> None:
        super().__init__()
        self.features = features
        order, self.neighbours = update_order(names), neighbours(names, edges)
        self.orders = [order, order[::-1]]
        self.passes = nn.ModuleList(
            nn.ModuleList(Update(1 + len(linked), features, count) for linked in self.neighbours) for _ in self.orders
        )

    def forward(self, x: Tensor) -> Tensor:
        """`[N, K F, m, m]`, the features of keypoint k at k F, to the same."""
        keypoints = list(x.split(self.features, dim=1))
        for order, updates in zip(self.orders, self.passes):
            for joint in order:
                others = [keypoints[other] for other in self.neighbours[joint]]
                keypoints[joint] = updates[joint](keypoints[joint], others)
        return torch.cat(keypoints, dim=1)
