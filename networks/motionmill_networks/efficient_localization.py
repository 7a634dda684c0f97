"""Efficient Object Localization Using Convolutional Networks (Tompson et al., CVPR 2015): the coarse network.

The fine one, which shares its first layers, is in `fine_localization`. N samples, K joints, H x W px of the picture, h
x w of a map, p px of the picture per map px.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from motionmill.errors import ConfigError

from .contrast import GaussianPyramid, LocalContrastNormalisation
from .system import Batch, PoseInput, PoseSystem, map_weight, readout

PAPER = "Efficient Object Localization Using Convolutional Networks, CVPR 2015"
BANKS = 3
"""Levels of the pyramid: stated (the figures show 2)."""
POOLINGS = (4, 8, 16)
"""Px of the picture per px of a coarse map: the paper's variants. Its results on MPII are those of 4."""
READOUT_SPREAD = 0.01
"""Standard deviation of the initial weights that maps are read with: not stated, chosen here."""


def convolution(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """A convolution that keeps the grid, and its rectifier.

    Initial weights preserve the spread of their input (He et al. 2015), as there is no normalisation to restore it.
    """
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.ReLU())


def poolings(pooling: int, convolutions: int) -> list[int]:
    """Px by which the grid shrinks after each convolution, 2 from the first on; the last takes what is left."""
    if pooling not in POOLINGS:
        raise ConfigError(f"`pooling`: expected one of {', '.join(map(str, POOLINGS))}, found {pooling}")
    if convolutions < 2:
        raise ConfigError(f"`convolutions`: expected 2 or more, found {convolutions}")
    factors = [1] * convolutions
    for halving in range(pooling.bit_length() - 1):
        factors[min(halving, convolutions - 1)] *= 2
    return factors


class Bank(nn.Module):
    """The convolutions on one level of the pyramid; banks share no weights.

    The first two layers are also returned, before they are pooled: the fine network reads them too.
    """

    def __init__(self, features: int, context: int, convolutions: int, kernel: int, context_kernel: int, pooling: int):
        super().__init__()
        inputs = [3] + [features] * (convolutions - 1)
        self.layers = nn.ModuleList(convolution(width, features, kernel) for width in inputs)
        # Windows may stick out: sides need not be multiples of the pooling.
        self.pools = nn.ModuleList(
            nn.MaxPool2d(factor, ceil_mode=True) if factor > 1 else nn.Identity()
            for factor in poolings(pooling, convolutions)
        )
        self.context = convolution(features, context, context_kernel)

    def early(self, level: Tensor) -> tuple[Tensor, Tensor]:
        """`[N, 3, H, W]` to layer 1 `[N, F, H, W]` and layer 2 `[N, F, H / 2, W / 2]`."""
        first = self.layers[0](level)
        return first, self.layers[1](self.pools[0](first))

    def late(self, second: Tensor) -> Tensor:
        """Layer 2 to what is added up over the banks, `[N, context, h, w]`."""
        found = self.pools[1](second)
        for layer, pool in zip(self.layers[2:], self.pools[2:], strict=True):
            found = pool(layer(found))
        return self.context(found)


class CoarseNetwork(nn.Module):
    """A picture to one map per joint: overlapping contexts from three resolutions, added up.

    `convolutions` per bank and one with `context_kernel`, added over the banks, SpatialDropout, then 1 x 1 convolutions
    of `classifier` widths and a last one: `convolutions + len(classifier) + 2` stages in the paper's count.
    """

    def __init__(
        self,
        joints: int,
        convolutions: int = 8,
        features: int = 128,
        kernel: int = 5,
        context: int = 512,
        context_kernel: int = 9,
        classifier: tuple[int, ...] = (256,),
        pooling: int = 4,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.pooling, self.features = pooling, features
        self.pyramid = GaussianPyramid(BANKS)
        self.contrast = LocalContrastNormalisation()
        self.banks = nn.ModuleList(
            Bank(features, context, convolutions, kernel, context_kernel, pooling) for _ in range(BANKS)
        )
        self.dropout = nn.Dropout2d(dropout)
        widths = [context, *classifier]
        self.classifier = nn.Sequential(
            *(convolution(width, following, 1) for width, following in zip(widths, widths[1:], strict=False)),
            readout(nn.Conv2d(widths[-1], joints, 1), READOUT_SPREAD),
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """One set of maps, `[N, K, H / p, W / p]` (rounded up), of `[N, 3, H, W]`."""
        return [self.late(self.early(image))]

    def early(self, image: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The first two layers of each bank, finest first."""
        levels = [self.contrast(level) for level in self.pyramid(image)]
        return [bank.early(level) for bank, level in zip(self.banks, levels, strict=True)]

    def late(self, early: list[tuple[Tensor, Tensor]]) -> Tensor:
        """From there to the maps."""
        total = self.banks[0].late(early[0][1])
        height, width = total.shape[2:]
        for level, (bank, (_, second)) in enumerate(zip(self.banks, early, strict=True)):
            if level > 0:
                enlarged = functional.interpolate(bank.late(second), scale_factor=2.0**level, mode="nearest")
                total = total + enlarged[:, :, :height, :width]
        return self.classifier(self.dropout(total))


def coarse_points(maps: Tensor, pooling: int) -> Tensor:
    """Where each map `[N, K, h, w]` is highest: x and y in px of the picture, `[N, K, 2]`, the centre of the map px.

    (argmax + 1/2) p - 1/2; the paper does not state its convention. The first of equal maxima, row by row.
    """
    width = maps.shape[3]
    highest = maps.flatten(2).argmax(2)
    cells = torch.stack([highest % width, torch.div(highest, width, rounding_mode="floor")], 2)
    return (cells.to(maps.dtype) + 0.5) * pooling - 0.5


def loss(maps: list[Tensor], batch: Batch) -> Tensor:
    """E1: the mean squared difference from `heatmaps` `[N, K, h, w]`; masked joints count 0."""
    (found,) = maps
    return (map_weight(batch, found.shape[1]) * (found - batch["heatmaps"]).square()).mean()


def system(pooling: int) -> PoseSystem:
    """The coarse network whose maps have one px per `pooling` px of the picture."""
    return PoseSystem(
        name="tompson",
        paper=PAPER,
        build=CoarseNetwork,
        sizes={
            "paper": {"pooling": pooling},
            "flic": {"convolutions": 3, "classifier": (512, 256), "pooling": pooling},
            "small": {"convolutions": 4, "features": 32, "context": 96, "classifier": (64,), "pooling": pooling},
            "tiny": {
                **{"convolutions": 2, "features": 8, "kernel": 3, "context": 16, "context_kernel": 5},
                **{"classifier": (16,), "pooling": pooling, "dropout": 0.0},
            },
        },
        input=PoseInput(),
        stride=pooling,
        origin=(pooling - 1) / 2,
        loss=loss,
        notes=NOTES,
    )


NOTES = {
    "stated": "three banks on a Gaussian pyramid; contrast normalised with one kernel in all banks; 11 stages (MPII) "
    "or 7 (FLIC), the last 3 or 4 acting as a fully connected network; 128 features in the first layers; "
    "SpatialDropout before the first 1 x 1; banks enlarged and added; poolings of 4, 8 and 16; mean squared error; "
    "Gaussians of 1.5 px",
    "widths": "inferred: the exact numbers of filters, the sizes of kernels (5 x 5, one 9 x 9) and where the poolings "
    "stand are not established from the paper",
    "contrast": "inferred: a 9 x 9 Gaussian of 2.25 px, subtractive then divisive, deviations held above their mean",
    "pyramid": "inferred: binomial 4 x 4 kernel; its px lie where those of a pooling lie, so banks are aligned",
    "rates": "the paper states neither initial weights (He's here, 0.01 for the last layer) nor optimiser, learning rate "
    "or share of dropout (1/2 here)",
}
"""What is stated and what is inferred."""

SYSTEM = system(4)
"""With pooling 4, that of the paper's results on MPII."""
