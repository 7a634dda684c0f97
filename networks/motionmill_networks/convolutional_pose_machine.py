"""Convolutional pose machines (Wei et al., CVPR 2016), as in the model that the authors released.

Letters: N samples, H x W px of the picture, h x w of a map (H / 8 x W / 8), P parts, S stages.
"""

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError, SchemaError

from .system import Batch, PoseInput, PoseSystem, map_weight

LEARNING_RATE = 8e-5
"""Of the released solver, for a loss that sums over px."""
DECAY, DECAY_STEPS = 0.333, 136_106
"""The rate is multiplied by so much every so many steps of 16 samples; the released solver stops after 600,000."""
FIRST_STAGE_RATE = 5.0
"""How many times faster the convolutions of stage 1 learn."""
BIAS_RATE = 2.0
"""How many times faster a bias learns than its weights."""
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
"""On weights, never on biases."""
INITIAL_SPREAD = 0.01
"""Standard deviation of the initial weights; biases begin at 0."""


def convolution(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    """A convolution that keeps the grid, and its rectifier."""
    return [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2), nn.ReLU()]


def pool(kernel: int) -> nn.Module:
    """Half the grid: windows begin at px 0 and the last may stick out (Caffe's ceil mode), so H / 2 cells remain."""
    return nn.MaxPool2d(kernel, stride=2, ceil_mode=True)


class ImageFeatures(nn.Sequential):
    """The picture `[N, 3, H, W]` to features `[N, features, h, w]`: three 9 x 9 convolutions, each pooled."""

    def __init__(self, features: int, pooling: int) -> None:
        super().__init__(
            *(*convolution(3, features, 9), pool(pooling)),
            *(*convolution(features, features, 9), pool(pooling)),
            *(*convolution(features, features, 9), pool(pooling)),
        )


class FirstStage(nn.Module):
    """Beliefs `[N, P + 1, h, w]` from the picture alone."""

    def __init__(
        self, parts: int, features: int, bottleneck: int, classifier: int, pooling: int, dropout: float
    ) -> None:
        super().__init__()
        self.features = ImageFeatures(features, pooling)
        self.beliefs = nn.Sequential(
            *convolution(features, bottleneck, 5),
            *convolution(bottleneck, classifier, 9),
            nn.Dropout(dropout),
            *convolution(classifier, classifier, 1),
            nn.Dropout(dropout),
            nn.Conv2d(classifier, parts + 1, 1),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.beliefs(self.features(image))


class LaterStage(nn.Module):
    """Beliefs `[N, P + 1, h, w]` from image features, the beliefs of the stage before, and the person's centre."""

    def __init__(self, parts: int, features: int, bottleneck: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*convolution(features, bottleneck, 5))
        self.beliefs = nn.Sequential(
            *convolution(bottleneck + parts + 1 + 1, features, 11),
            *convolution(features, features, 11),
            *convolution(features, features, 11),
            *convolution(features, features, 1),
            nn.Conv2d(features, parts + 1, 1),
        )

    def forward(self, features: Tensor, beliefs: Tensor, center: Tensor) -> Tensor:
        return self.beliefs(torch.cat([self.features(features), beliefs, center], dim=1))


class ConvolutionalPoseMachine(nn.Module):
    """S stages; all later ones share one set of image features (x' in the paper) with weights apart from stage 1's.

    `pooling` is the window of the three poolings: 3 in the released model; 2 gives the receptive fields that the paper
    states, 160 px of stage 1 and 400 px of stage 2, where the released model has 167 px and 407 px.
    `spread` of the initial weights: with `None` each layer that a rectifier follows has its own, sqrt(2 / inputs), so
    that far narrower networks learn as well (He et al., 2015).
    """

    def __init__(
        self,
        parts: int,
        stages: int = 6,
        features: int = 128,
        bottleneck: int = 32,
        classifier: int = 512,
        pooling: int = 3,
        dropout: float = 0.5,
        spread: float | None = INITIAL_SPREAD,
    ) -> None:
        super().__init__()
        if stages < 1:
            raise ConfigError(f"expected 1 stage or more, found {stages}")
        self.first = FirstStage(parts, features, bottleneck, classifier, pooling, dropout)
        self.features = ImageFeatures(features, pooling) if stages > 1 else None
        self.later = nn.ModuleList(LaterStage(parts, features, bottleneck) for _ in range(stages - 1))
        # A window that sticks out is the mean of what lies inside, as in Caffe; so is ONNX's where no padding counts.
        self.pool_center = nn.AvgPool2d(9, stride=8, ceil_mode=True, count_include_pad=False)
        initialise(self, spread)

    def forward(self, image: Tensor, center_map: Tensor) -> list[Tensor]:
        """The beliefs of each stage, `[N, P + 1, h, w]`, the background last.

        `image` `[N, 3, H, W]` with H and W multiples of 8, `center_map` `[N, 1, H, W]`.
        """
        beliefs = [self.first(image)]
        if self.features is not None:
            features, center = self.features(image), self.pool_center(center_map)
            for stage in self.later:
                beliefs.append(stage(features, beliefs[-1], center))
        return beliefs


def initialise(machine: ConvolutionalPoseMachine, spread: float | None) -> None:
    """Normal weights of `spread`, or of sqrt(2 / inputs) where a rectifier follows; biases 0."""
    readouts = [stage.beliefs[-1] for stage in [machine.first, *machine.later]]
    for layer in machine.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.bias)
            if spread is None and layer not in readouts:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            else:
                nn.init.normal_(layer.weight, std=INITIAL_SPREAD if spread is None else spread)


def loss(maps: list[Tensor], batch: Batch) -> Tensor:
    """Sum over stages of the summed squares / 2N (Caffe's Euclidean loss).

    `batch["heatmaps"]` has the P + 1 labels of the person alone, or those and then P + 1 of everybody in the picture
    (`labels = "both"` in a plan). Stage 1 learns the maps of everybody, since it is not told which person to look at.
    """
    labels, channels = batch["heatmaps"], maps[0].shape[1]
    if labels.shape[1] not in (channels, 2 * channels):
        raise SchemaError(
            f"{channels} beliefs expect `heatmaps` of {channels} or {2 * channels} channels, found {labels.shape[1]}",
            "encode samples with `background = true`",
        )
    alone, everybody = labels[:, :channels], labels[:, -channels:]
    weight = map_weight(batch, channels)
    total = maps[0].new_zeros(())
    for stage, beliefs in enumerate(maps):
        difference = beliefs - (everybody if stage == 0 else alone)
        total = total + (weight * difference.square()).sum() / (2 * len(beliefs))
    return total


def optimiser(network: nn.Module, learning_rate: float | None = None) -> torch.optim.Optimizer:
    """Stochastic gradient descent with the released rates: x 5 for stage 1, x 2 for biases, which do not decay."""
    rate = LEARNING_RATE if learning_rate is None else learning_rate
    groups = []
    for first in (True, False):
        stage = FIRST_STAGE_RATE if first else 1.0
        named = [item for item in network.named_parameters() if item[0].startswith("first.") == first]
        weights = [value for name, value in named if not name.endswith(".bias")]
        biases = [value for name, value in named if name.endswith(".bias")]
        groups.append({"params": weights, "lr": rate * stage, "weight_decay": WEIGHT_DECAY})
        groups.append({"params": biases, "lr": rate * stage * BIAS_RATE, "weight_decay": 0.0})
    return torch.optim.SGD([group for group in groups if group["params"]], lr=rate, momentum=MOMENTUM)


def decay(steps: int) -> float:
    """The factor of the learning rate."""
    return DECAY ** (steps // DECAY_STEPS)


SYSTEM = PoseSystem(
    name="cpm",
    paper="Convolutional Pose Machines, CVPR 2016",
    build=ConvolutionalPoseMachine,
    sizes={
        "paper": {"stages": 6},
        "three_stages": {"stages": 3},
        "flic": {"stages": 4},
        "tiny": {"stages": 2, "features": 16, "bottleneck": 8, "classifier": 32, "dropout": 0.0, "spread": None},
    },
    input=PoseInput(colour="bgr", mean=128.0, std=256.0, center_sigma=21.0),
    stride=8,
    origin=3.5,
    loss=loss,
    background=True,
    optimiser=optimiser,
    decay=decay,
)
