"""Efficient Object Localization (Tompson et al., CVPR 2015), section 4: from coarse places of joints to fine ones.

N samples, K joints, H x W px of the picture. Points are x, y in px of the picture, centres of px at whole numbers.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .efficient_localization import READOUT_SPREAD, CoarseNetwork, convolution, loss
from .system import Batch, readout

FINE_SIZE = 36
"""Side of a fine map, px of the picture as well: stated."""
FINE_CENTER = 18
"""Fine map px (j, i) is the picture's `round(point) + (j - FINE_CENTER, i - FINE_CENTER)`. Not stated; with it, a point
from `coarse_points` lies half a px from the window's middle, where there is none."""
FINE_SIGMA = 1.5
"""Standard deviation of a target in px of the fine map: stated for the coarse one, taken for both."""
FINE_SHARE = 0.1
"""Lambda of E3 = E1 + lambda E2: stated."""
FINE_BANKS = 2
"""Banks that are read. The figures give windows of 36, 18, 18 and 9 px, the two layers of two banks; the text says all
banks, but the second layer of a third would have windows of 4.5 px."""
FINE_SIZES = {"paper": {}, "small": {"hidden": 24, "features": 48}, "tiny": {"hidden": 8, "features": 8, "kernel": 3}}
"""Named sets of arguments of `FineNetwork`."""


def crop(features: Tensor, points: Tensor, stride: int) -> Tensor:
    """The window of each point: `[N, F, h, w]`, one px per `stride` px of the picture, at `[N, K, 2]`: `[N, K, F, S, S]`.

    S is `FINE_SIZE / stride`; the window begins at `floor((round(point) - FINE_CENTER) / stride)`, ties rounded to
    even. What lies outside the map reads 0.
    """
    count, width, (rows, columns) = features.shape[0], features.shape[1], features.shape[2:]
    side = FINE_SIZE // stride
    starts = torch.floor((torch.round(points) - FINE_CENTER) / stride).to(torch.int64)
    steps = torch.arange(side, device=points.device)
    column = (starts[:, :, 0:1] + steps)[:, :, None, :]
    row = (starts[:, :, 1:2] + steps)[:, :, :, None]
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    sample = torch.arange(count, device=points.device)[:, None, None, None]
    # One place of all samples together, for a single gather of whole feature vectors; the place behind the last holds
    # zeros.
    nowhere = count * rows * columns
    places = torch.where(inside, (sample * rows + row) * columns + column, nowhere)
    table = functional.pad(features.permute(0, 2, 3, 1).reshape(-1, width), (0, 0, 0, 1))
    window = table.index_select(0, places.reshape(-1))
    return window.reshape(count, points.shape[1], side, side, width).permute(0, 1, 4, 2, 3)


class FineNetwork(nn.Module):
    """Places of joints and their picture to fine maps; the first two layers are those of `coarse`, the same weights.

    A bank of two convolutions for each of the four windows, enlarged to 36 x 36, added and mixed by a 1 x 1
    convolution: these weights are shared by all joints. The last 1 x 1 convolution is each joint's own.
    """

    def __init__(
        self, coarse: CoarseNetwork, joints: int, hidden: int = 64, features: int = 128, kernel: int = 5
    ) -> None:
        super().__init__()
        self.pyramid, self.contrast = coarse.pyramid, coarse.contrast
        # Held apart from the bank's later layers, so that a fine network carries the weights it reads and no others.
        self.first = nn.ModuleList(bank.layers[0] for bank in coarse.banks[:FINE_BANKS])
        self.pools = nn.ModuleList(bank.pools[0] for bank in coarse.banks[:FINE_BANKS])
        self.second = nn.ModuleList(bank.layers[1] for bank in coarse.banks[:FINE_BANKS])
        self.windows = nn.ModuleList(
            nn.Sequential(convolution(coarse.features, hidden, kernel), convolution(hidden, features, kernel))
            for _ in range(2 * FINE_BANKS)
        )
        self.mix = convolution(features, features, 1)
        self.own = readout(nn.Conv2d(joints * features, joints, 1, groups=joints), READOUT_SPREAD)

    def forward(self, image: Tensor, points: Tensor) -> Tensor:
        """`image` `[N, 3, H, W]`, `points` `[N, K, 2]` px of it; gives maps `[N, K, 36, 36]`."""
        return self.refine(self.early(image), points)

    def early(self, image: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The shared layers; `CoarseNetwork.early` gives the same and may be passed to `refine` instead."""
        levels = [self.contrast(level) for level in self.pyramid(image)[:FINE_BANKS]]
        found = []
        for level, first, pool, second in zip(levels, self.first, self.pools, self.second, strict=True):
            layer = first(level)
            found.append((layer, second(pool(layer))))
        return found

    def refine(self, early: list[tuple[Tensor, Tensor]], points: Tensor) -> Tensor:
        """Maps `[N, K, 36, 36]` from the first two layers of the banks."""
        strides = [2 ** (bank + layer) for bank in range(FINE_BANKS) for layer in range(2)]
        layers = [layer for pair in early[:FINE_BANKS] for layer in pair]
        total = None
        for stride, layer, window in zip(strides, layers, self.windows, strict=True):
            found = window(crop(layer, points, stride).flatten(0, 1))
            if stride > 1:
                found = functional.interpolate(found, scale_factor=float(stride), mode="nearest")
            total = found if total is None else total + found
        mixed = self.mix(total)
        return self.own(mixed.reshape(-1, points.shape[1] * mixed.shape[1], FINE_SIZE, FINE_SIZE))


def fine_points(maps: Tensor, points: Tensor) -> Tensor:
    """The final places `[N, K, 2]`: the coarse `points` and the offset at which each fine map is highest."""
    highest = maps.flatten(2).argmax(2)
    cells = torch.stack([highest % FINE_SIZE, torch.div(highest, FINE_SIZE, rounding_mode="floor")], 2)
    return torch.round(points) + (cells - FINE_CENTER).to(points.dtype)


def fine_targets(points: Tensor, keypoints: Tensor) -> Tensor:
    """A Gaussian at each keypoint `[N, K, 2]` relative to `points`, `[N, K, 36, 36]`; 0 where that is outside."""
    at = keypoints - torch.round(points) + FINE_CENTER
    inside = ((at >= -0.5) & (at < FINE_SIZE - 0.5)).all(2)
    places = torch.arange(FINE_SIZE, device=at.device, dtype=at.dtype)
    along = torch.exp(-(places - torch.where(inside[:, :, None], at, 0.0)[..., None]).square() / (2 * FINE_SIGMA**2))
    return inside[:, :, None, None] * along[:, :, 1, :, None] * along[:, :, 0, None, :]


def fine_loss(maps: Tensor, points: Tensor, keypoints: Tensor, weight: Tensor) -> Tensor:
    """E2: the mean squared difference from `fine_targets`, times `weight` `[N, K]` (0: not annotated)."""
    known = weight > 0
    targets = fine_targets(points, torch.where(known[:, :, None], keypoints, 0.0))
    return (weight[:, :, None, None] * (maps - targets).square()).mean()


def joint_loss(maps: list[Tensor], fine_maps: Tensor, points: Tensor, batch: Batch) -> Tensor:
    """E3 = E1 + 0.1 E2, with `keypoints` and `visibility` of the batch."""
    weight = (batch["visibility"] > 0).to(fine_maps.dtype)
    return loss(maps, batch) + FINE_SHARE * fine_loss(fine_maps, points, batch["keypoints"], weight)


def cell_points(keypoints: Tensor, pooling: int) -> Tensor:
    """What `coarse_points` gives where a coarse map is highest in the px that holds the keypoint."""
    return (torch.floor((keypoints + 0.5) / pooling) + 0.5) * pooling - 0.5


def jitter(points: Tensor, pooling: int, cells: int = 1, generator: torch.Generator | None = None) -> Tensor:
    """Points moved by whole coarse px, up to `cells` along x and y, so that a fine network learns to correct such errors.

    **Inferred**: the paper trains on what the coarse network finds and does not mention jitter. Whole px of the coarse
    map keep points where a coarse network can put them.
    """
    moves = torch.randint(-cells, cells + 1, points.shape, generator=generator, device=points.device)
    return points + pooling * moves.to(points.dtype)
