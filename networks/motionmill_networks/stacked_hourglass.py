"""Stacked hourglass networks (Newell et al., ECCV 2016), as in the training code that the authors released.

Stacks of 256 features; the two wide stacks of the paper's first version are in `paper_hourglass`.
Letters: N samples, H x W px of the picture, h x w of a map (H / 4 x W / 4), K joints.
"""

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError

from .system import Batch, PoseInput, PoseSystem, map_weight

LEARNING_RATE = 2.5e-4
"""Of the released solver, with batches of 6."""
SMOOTHING = 0.99
"""Share of the past in the running mean square of a gradient (RMSprop's alpha)."""
EPSILON = 1e-8


class Residual(nn.Module):
    """A bottleneck that normalises first: 1 x 1, 3 x 3, 1 x 1 through half the outputs, added to the input.

    The input passes unchanged, or through a plain 1 x 1 convolution where the number of channels changes.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.branch = nn.Sequential(
            *(nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, half, 1)),
            *(nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, half, 3, padding=1)),
            *(nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, outputs, 1)),
        )
        self.skip = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.skip(x)


class Hourglass(nn.Module):
    """Down `depth` times and up again, `[N, F, h, w]` to the same; h and w are multiples of 2^depth."""

    def __init__(self, depth: int, features: int) -> None:
        super().__init__()
        self.upper = Residual(features, features)
        inner = Hourglass(depth - 1, features) if depth > 1 else Residual(features, features)
        self.lower = nn.Sequential(
            *(nn.MaxPool2d(2), Residual(features, features)),
            inner,
            *(Residual(features, features), nn.Upsample(scale_factor=2)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.upper(x) + self.lower(x)


class StackedHourglass(nn.Module):
    """Hourglasses in a row: maps are read out after each, and fed back into the next."""

    def __init__(self, joints: int, stacks: int = 8, features: int = 256, depth: int = 4) -> None:
        super().__init__()
        if stacks < 1:
            raise ConfigError(f"expected 1 stack or more, found {stacks}")
        self.stem = nn.Sequential(
            *(nn.Conv2d(3, features // 4, 7, stride=2, padding=3), nn.BatchNorm2d(features // 4), nn.ReLU()),
            *(Residual(features // 4, features // 2), nn.MaxPool2d(2)),
            *(Residual(features // 2, features // 2), Residual(features // 2, features)),
        )
        self.hourglasses = nn.ModuleList(
            nn.Sequential(
                *(Hourglass(depth, features), Residual(features, features)),
                *(nn.Conv2d(features, features, 1), nn.BatchNorm2d(features), nn.ReLU()),
            )
            for _ in range(stacks)
        )
        self.heatmaps = nn.ModuleList(nn.Conv2d(features, joints, 1) for _ in range(stacks))
        self.from_features = nn.ModuleList(nn.Conv2d(features, features, 1) for _ in range(stacks - 1))
        self.from_heatmaps = nn.ModuleList(nn.Conv2d(joints, features, 1) for _ in range(stacks - 1))

    def forward(self, image: Tensor) -> list[Tensor]:
        """The maps of each stack, `[N, K, h, w]`, of `image` `[N, 3, H, W]`; H and W are multiples of 4 x 2^depth."""
        x, maps = self.stem(image), []
        for stack, (hourglass, heatmaps) in enumerate(zip(self.hourglasses, self.heatmaps)):
            features = hourglass(x)
            maps.append(heatmaps(features))
            if stack < len(self.from_features):
                x = x + self.from_features[stack](features) + self.from_heatmaps[stack](maps[-1])
        return maps


def loss(maps: list[Tensor], batch: Batch) -> Tensor:
    """Sum over stacks of the mean square over all elements. A joint that is not annotated has an empty target map."""
    labels, weight = batch["heatmaps"], map_weight(batch, maps[0].shape[1])
    return torch.stack([(weight * (heatmaps - labels).square()).mean() for heatmaps in maps]).sum()


def optimiser(network: nn.Module, learning_rate: float | None = None) -> torch.optim.Optimizer:
    """RMSprop without momentum or decay."""
    rate = LEARNING_RATE if learning_rate is None else learning_rate
    return torch.optim.RMSprop(network.parameters(), lr=rate, alpha=SMOOTHING, eps=EPSILON)


SYSTEM = PoseSystem(
    name="hourglass",
    paper="Stacked Hourglass Networks for Human Pose Estimation, ECCV 2016",
    build=StackedHourglass,
    sizes={
        "paper": {"stacks": 8},
        "one_stack": {"stacks": 1},
        "two_stacks": {"stacks": 2},
        "four_stacks": {"stacks": 4},
        "tiny": {"stacks": 2, "features": 32, "depth": 2},
    },
    input=PoseInput(colour="rgb", mean=0.0, std=255.0),
    stride=4,
    origin=1.5,
    loss=loss,
    optimiser=optimiser,
)
