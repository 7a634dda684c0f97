"""What the papers' systems have in common: a definition, sizes, an input, a loss.

One module per system defines the network with its paper's names; this module only defines their interface.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from motionmill.errors import SchemaError

Batch = Mapping[str, Any]
"""A batch of `motionmill.torch.ShardLoader` or `SampleLoader`: tensors under the names of their columns."""


@dataclass(frozen=True)
class PoseInput:
    """How a picture enters a network: value = (level - mean) / std, levels 0 to 255, channels in the order `colour`."""

    colour: str = "rgb"
    """`rgb` or `bgr`."""
    mean: float = 0.0
    std: float = 255.0
    center_sigma: float | None = None
    """Spread in px of the Gaussian at the person's centre, where the network needs the person's centre."""


@dataclass(frozen=True)
class PoseSystem:
    """A network from a picture to heatmaps, and how its authors train it.

    `build(joints, **sizes)` gives a module whose `forward(image)`, or `forward(image, center_map)` where the input has a
    `center_sigma`, returns a list of maps, one tensor per supervised output, the last being the network's answer:
    `image` float32 `[N, 3, H, W]`, normalised; `center_map` float32 `[N, 1, H, W]`; maps float32 `[N, C, h, w]`, where
    C is the number of joints, and one more where there is a `background` (the last channel). All maps of a network have
    one size.
    """

    name: str
    """As in recipes and files: `cpm`, `hourglass`, `repose`, `tompson`."""
    paper: str
    """Title, venue and year."""
    build: Callable[..., nn.Module]
    sizes: Mapping[str, Mapping[str, Any]]
    """Named sets of keyword arguments of `build`: `paper`, others that were published, and `tiny` for tests."""
    input: PoseInput
    stride: int
    """Px of the input per px of a map."""
    origin: float
    """Px of the input at the centre of map px 0."""
    loss: Callable[[list[Tensor], Batch], Tensor]
    """From the maps of a batch and the batch itself (`heatmaps` `[N, C', h, w]`, `heatmap_weight`) to a scalar."""
    background: bool = False
    optimiser: Callable[[nn.Module, float | None], Any] | None = None
    """From the network and a learning rate (`None`: the paper's) to the paper's optimiser."""
    decay: Callable[[int], float] = lambda _: 1.0
    """From steps taken to what the paper multiplies its learning rate with from there on; 1 where it keeps its rate."""
    joint_names: bool = False
    """Whether `build` takes `joint_names`, K names in map order, since the network is laid out by which joint is which."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What of this definition is inferred, by topic; empty where all of it is published."""


def readout(layer: nn.Conv2d, spread: float) -> nn.Conv2d:
    """The layer that reads out the maps, its weights drawn with a `spread` so small that maps begin nearly empty.

    Target maps are nearly empty too. Maps that begin far larger are emptied first, which cost RePose its first epoch on
    LSPET and delayed the coarse network of Efficient Object Localization even longer.
    """
    nn.init.normal_(layer.weight, std=spread)
    nn.init.zeros_(layer.bias)
    return layer


def map_weight(batch: Batch, channels: int) -> Tensor:
    """How much each map counts in a loss, `[N, C, 1, 1]`: `heatmap_weight` `[N, K]`, or 1 where the plan masks no joint.

    A background beyond the K joints always counts.

    :raises SchemaError: the weights are for another number of joints.
    """
    labels = batch["heatmaps"]
    weight = labels.new_ones(len(labels), channels)
    if "heatmap_weight" in batch:
        known = batch["heatmap_weight"]
        if known.shape[1] not in (channels - 1, channels):
            raise SchemaError(f"expected `heatmap_weight` of {channels} maps or one less, found {known.shape[1]}")
        weight[:, : known.shape[1]] = known
    return weight[:, :, None, None]
