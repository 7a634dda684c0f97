"""The two wide stacks of the stacked hourglass paper's first version, as in the authors' demonstration network.

Residuals normalise after each convolution, an hourglass widens to 512 features before it grows, each branch has three
residuals, and the second hourglass reads the first one's features in addition to the pooled stem. Letters as in
`stacked_hourglass`.
"""

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError

from .stacked_hourglass import loss, optimiser
from .system import PoseInput, PoseSystem


def normalised(inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> list[nn.Module]:
    """A convolution and its normalisation."""
    return [nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2), nn.BatchNorm2d(outputs)]


class Residual(nn.Module):
    """A bottleneck that normalises last, without a rectifier after the addition."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.branch = nn.Sequential(
            *(*normalised(inputs, half), nn.ReLU()),
            *(*normalised(half, half, 3), nn.ReLU()),
            *normalised(half, outputs),
        )
        self.skip = nn.Identity() if inputs == outputs else nn.Sequential(*normalised(inputs, outputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.skip(x)


class Hourglass(nn.Module):
    """Down `depth` times and up again, `[N, inputs, h, w]` to `[N, 2 F, h, w]`, F features inside."""

    def __init__(self, depth: int, inputs: int, features: int) -> None:
        super().__init__()
        outputs = 2 * features
        self.upper = nn.Sequential(
            *(Residual(inputs, features), Residual(features, features), Residual(features, outputs)),
        )
        inner = Hourglass(depth - 1, features, features) if depth > 1 else Residual(features, outputs)
        self.lower = nn.Sequential(
            nn.MaxPool2d(2),
            *(Residual(inputs, features), Residual(features, features), Residual(features, features)),
            *(inner, Residual(outputs, outputs)),
            nn.Upsample(scale_factor=2),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.upper(x) + self.lower(x)


class PaperHourglass(nn.Module):
    """One hourglass (the paper's FLIC network) or two."""

    def __init__(self, joints: int, stacks: int = 2, features: int = 256, depth: int = 4) -> None:
        super().__init__()
        if stacks not in (1, 2):
            raise ConfigError(f"expected 1 or 2 stacks, found {stacks}")
        wide, pooled = 2 * features, features // 2
        self.pooled = nn.Sequential(
            *(*normalised(3, features // 4, 7, stride=2), nn.ReLU()),
            *(Residual(features // 4, pooled), nn.MaxPool2d(2)),
        )
        self.stem = nn.Sequential(Residual(pooled, pooled), Residual(pooled, pooled), Residual(pooled, features))
        between = features + pooled
        inputs = (features, between)[:stacks]
        self.hourglasses = nn.ModuleList(Hourglass(depth, count, features) for count in inputs)
        # The features from which a stack is read out: the second keeps all of its hourglass's.
        widths = (features, wide)[:stacks]
        self.readouts = nn.ModuleList(
            nn.Sequential(*normalised(wide, wide), nn.ReLU(), *normalised(wide, width), nn.ReLU()) for width in widths
        )
        self.heatmaps = nn.ModuleList(nn.Conv2d(width, joints, 1) for width in widths)
        if stacks == 2:
            self.from_features = nn.Conv2d(between, between, 1)
            self.from_heatmaps = nn.Conv2d(joints, between, 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """The maps of each stack, `[N, K, h, w]`, of `image` `[N, 3, H, W]`; H and W are multiples of 4 x 2^depth."""
        pooled = self.pooled(image)
        features = self.readouts[0](self.hourglasses[0](self.stem(pooled)))
        maps = [self.heatmaps[0](features)]
        if len(self.hourglasses) == 2:
            x = self.from_features(torch.cat([features, pooled], dim=1)) + self.from_heatmaps(maps[0])
            maps.append(self.heatmaps[1](self.readouts[1](self.hourglasses[1](x))))
        return maps


SYSTEM = PoseSystem(
    name="hourglass-paper",
    paper="Stacked Hourglass Networks for Human Pose Estimation, first version (arXiv 1603.06937v1), 2016",
    build=PaperHourglass,
    sizes={
        "paper": {"stacks": 2},
        "flic": {"stacks": 1},
        "tiny": {"stacks": 2, "features": 16, "depth": 2},
    },
    input=PoseInput(colour="rgb", mean=0.0, std=255.0),
    stride=4,
    origin=1.5,
    loss=loss,
    optimiser=optimiser,
)
