"""What networks from a picture to coordinates have in common: their interface, their targets, their loss.

N samples, K joints, H x W px of the picture. Coordinates are those of the box that the picture shows: 0 at its middle,
-1/2 and 1/2 at its edges, x before y; joints outside the box lie beyond.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from motionmill.errors import SchemaError
from motionmill.skeletons import Skeleton

from .system import Batch, PoseInput

JOINT_INDEX = "joint_index"
"""Column of the joint that a crop was laid around by the stage `focus`; only this joint is learnt from the crop."""


@dataclass(frozen=True)
class CoordinateSystem:
    """A network from a picture to coordinates, and how its authors train it.

    `build(joints, **sizes)` gives a module whose `forward(image)`, `image` float32 `[N, 3, H, W]`, normalised, returns
    coordinates float32 `[N, K, 2]`.
    """

    name: str
    """As in recipes and files: `deeppose`."""
    paper: str
    """Title, venue and year."""
    build: Callable[..., nn.Module]
    sizes: Mapping[str, Mapping[str, Any]]
    """Named sets of keyword arguments of `build`: `paper`, others, and `tiny` for tests."""
    input: PoseInput
    optimiser: Callable[[nn.Module, float | None], Any] | None = None
    """From the network and a learning rate (`None`: the paper's) to the paper's optimiser."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What of this definition is not read in the paper, by topic."""

    joint_names: ClassVar[bool] = False
    """`build` is told how many joints there are, not which."""


def normalised(points: Tensor, size: Sequence[int]) -> Tensor:
    """Px of a crop `[.., 2]`, whose width and height are `size`, as coordinates of its box.

    The middle of a crop is its px (W / 2, H / 2), as the stages `crop` and `focus` lay it.
    """
    across = torch.as_tensor(size, dtype=points.dtype, device=points.device)
    return (points - across / 2) / across


def in_crop(coordinates: Tensor, size: Sequence[int]) -> Tensor:
    """Coordinates `[.., 2]` of the box as px of the crop."""
    across = torch.as_tensor(size, dtype=coordinates.dtype, device=coordinates.device)
    return coordinates * across + across / 2


def learnt(batch: Batch, skeleton: Skeleton) -> Tensor:
    """Which joints of each sample are learnt from, bool `[N, K]`: those annotated, of a crop around one joint that one.

    `joint_index` counts joints as the image has them; where the crop is mirrored, that joint's opposite stands there.

    :raises SchemaError: a crop around one joint does not say whether it is mirrored, or of a joint that is not there.
    """
    known = batch["visibility"] > 0
    if JOINT_INDEX not in batch:
        return known
    if "flipped" not in batch:
        raise SchemaError(f"expected a column `flipped` beside `{JOINT_INDEX}`, found none")
    index, flipped = batch[JOINT_INDEX].long(), batch["flipped"].bool()
    joints = len(skeleton.joints)
    if bool(((index < 0) | (index >= joints)).any()):
        raise SchemaError(f"expected `{JOINT_INDEX}` of `{skeleton.name}`, 0 to {joints - 1}, found others")
    opposite = torch.as_tensor(mirrored(skeleton), device=index.device)
    at = torch.where(flipped, opposite[index], index)
    return known & (torch.arange(joints, device=at.device) == at[:, None])


def mirrored(skeleton: Skeleton) -> list[int]:
    """For each joint the index of its mirror image, `[K]`."""
    found = list(range(len(skeleton.joints)))
    for left, right in skeleton.flip_pairs:
        found[left], found[right] = right, left
    return found


def squared_distance(found: Tensor, wanted: Tensor, counted: Tensor) -> Tensor:
    """The squared distances of the joints that are `counted` `[N, K]`, summed over joints, the mean over samples."""
    difference = found - torch.where(counted[:, :, None], wanted, found.detach())
    return difference.square().sum(dim=(1, 2)).mean()
