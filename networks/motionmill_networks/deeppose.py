"""DeepPose: Human Pose Estimation via Deep Neural Networks (Toshev and Szegedy, CVPR 2014).

One network maps the whole person to the places of all joints; in each later stage of a cascade a network of the same
layers, with weights of its own, looks at a crop around one joint and says where that joint lies in it. The cascade
itself is stages of a plan: `focus`, `warp`, `infer`, `merge_joints`.

N samples, K joints, S px the side of the picture. Every fact is tagged in `NOTES` as what it rests on.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError

from .coordinates import CoordinateSystem
from .system import PoseInput

PAPER = "DeepPose: Human Pose Estimation via Deep Neural Networks, CVPR 2014"
SIDE = 220
"""Side of the picture, px."""
FEATURES = (96, 256, 384, 384, 256)
"""Maps of the five convolutions, which give 55, 27, 13, 13 and 13 px a side."""
KERNELS = (11, 5, 3, 3, 3)
"""Their kernels; the first moves by 4 px."""
HIDDEN = 4096
"""Numbers of each of the two fully connected layers."""
DROPOUT = 0.6
"""Share of these numbers that is set to 0 while training."""
LEARNING_RATE = 5e-4
"""Of AdaGrad, for batches of 128."""
LRN = {"size": 5, "alpha": 5e-4, "beta": 0.75, "k": 2.0}
"""Local response normalisation with AlexNet's constants: its alpha of 1e-4 is a term's, PyTorch's that of the mean of 5."""
READOUT_SPREAD = 0.01
"""Standard deviation of the initial weights of the last layer, so that joints begin near the middle of the box."""


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """A convolution that gives ceil(S / stride) px a side, and its rectifier.

    What is missing of a whole number of steps is filled up on both sides, one px more on the right and below where it is
    odd: 220 px at 4 px a step become 55, as the paper prints, with 3 px on the left and 4 on the right.
    """
    layer = nn.Conv2d(inputs, outputs, kernel, stride)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return [layer, nn.ReLU(inplace=True)]


def padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Px before and behind, of `side` px that become ceil(`side` / `stride`)."""
    missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return missing // 2, missing - missing // 2


class DeepPose(nn.Module):
    """Five convolutions, three of them pooled, two fully connected layers, and the coordinates of the joints.

    `input_size`: S. `first_stride`: px by which the first convolution moves; `last_stride`: by which the last pooling of 3 x
    3 px moves: 3 leaves 4 px a side, 2, as in AlexNet, 6. `normalise`: whether there is local response normalisation, on
    which a slim network spends two thirds of its time on a processor.
    """

    def __init__(
        self,
        joints: int,
        input_size: int = SIDE,
        features: Sequence[int] = FEATURES,
        hidden: int = HIDDEN,
        first_stride: int = 4,
        last_stride: int = 3,
        normalise: bool = True,
        dropout: float = DROPOUT,
    ) -> None:
        super().__init__()
        if len(features) != len(FEATURES):
            raise ConfigError(f"`features`: expected {len(FEATURES)} numbers, found {len(features)}")
        layers: list[nn.Module] = []
        side, inputs = input_size, 3
        for number, (outputs, kernel) in enumerate(zip(features, KERNELS, strict=True)):
            stride = first_stride if number == 0 else 1
            before, behind = padding(side, kernel, stride)
            layers += [nn.ZeroPad2d((before, behind, before, behind)), *convolution(inputs, outputs, kernel, stride)]
            side, inputs = -(-side // stride), outputs
            if number in (0, 1) and normalise:
                layers.append(nn.LocalResponseNorm(**LRN))
            if number in (0, 1, 4):
                step = last_stride if number == 4 else 2
                layers.append(nn.MaxPool2d(3, step))
                side = (side - 3) // step + 1
        if side < 1:
            raise ConfigError(f"`input_size`: {input_size} px leave nothing after three poolings", "take more px")
        self.features = nn.Sequential(*layers)
        widths = [side * side * inputs, hidden, hidden]
        self.regression = nn.Sequential(nn.Flatten())
        for before, behind in zip(widths, widths[1:]):
            layer = nn.Linear(before, behind)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
            self.regression.extend([layer, nn.ReLU(inplace=True), nn.Dropout(dropout)])
        self.coordinates = nn.Linear(hidden, 2 * joints)
        nn.init.normal_(self.coordinates.weight, std=READOUT_SPREAD)
        nn.init.zeros_(self.coordinates.bias)

    def forward(self, image: Tensor) -> Tensor:
        """Coordinates `[N, K, 2]` of the box, x before y, of pictures `[N, 3, S, S]`."""
        return self.coordinates(self.regression(self.features(image))).unflatten(1, (-1, 2))


def optimiser(network: nn.Module, learning_rate: float | None = None) -> torch.optim.Optimizer:
    """AdaGrad."""
    return torch.optim.Adagrad(network.parameters(), lr=LEARNING_RATE if learning_rate is None else learning_rate)


NOTES = {
    "sources": "the paper's text could be read only in quotations of it in public code, which give the input of 220 x "
    "220 px, the stride of 4 and the list of layers; whatever else is called recalled is from memory and was not read "
    "again",
    "layers": "quoted: C(55 x 55 x 96) LRN P C(27 x 27 x 256) LRN P C(13 x 13 x 384) C(13 x 13 x 384) C(13 x 13 x 256) P "
    "F(4096) F(4096); recalled: kernels of 11, 5 and three times 3 px, one linear layer of 2 K numbers behind, squared "
    "distances, joints without a label left out, dropout of 0.6 on F",
    "parameters": "recalled: about 40 M. Inferred: the poolings are AlexNet's 3 x 3 every 2 px, but for the last one, every "
    "3 px, which leaves 4 x 4 px and 37.4 M parameters; every 2 px (size `alexnet`) leaves 6 x 6 px and 58.4 M",
    "padding": "inferred: px that are missing of 55 x 4 are filled up with 0 on both sides",
    "normalisation": "inferred: AlexNet's constants of the local response normalisation, as in public implementations",
    "input": "inferred: levels minus 128, divided by 128; no source says",
    "rates": "recalled, and so used by a public implementation (mitmul/deeppose): AdaGrad at 0.0005, batches of 128; "
    "inferred: He's initial weights, 0.01 for the last layer",
    "box": "recalled: the whole picture on LSP, on FLIC a detected face enlarged by a fixed factor; FLIC's file has no faces, "
    "so the recipes enlarge its torso box. Inferred: the box is made square, so that people keep their proportions",
    "cascade": "recalled: 3 stages, crops of side sigma x diameter, left shoulder to right hip, sigma 1 on FLIC and 2 on LSP; "
    "the networks of later stages learn from 40 crops of each joint, laid by normal displacements with the mean and "
    "deviation of the previous stage's errors; of the outputs only the joint's own counts. Inferred: errors are in "
    "diameters of the person",
}
"""What this definition rests on: quoted, recalled (from memory, not checked), code of others, or inferred."""

SYSTEM = CoordinateSystem(
    name="deeppose",
    paper=PAPER,
    build=DeepPose,
    sizes={
        "paper": {},
        "alexnet": {"last_stride": 2},
        "small": {
            **{"input_size": 64, "features": (16, 32, 48, 48, 64), "hidden": 256, "first_stride": 2, "dropout": 0.0},
            "normalise": False,
        },
        "tiny": {
            **{"input_size": 64, "features": (8, 16, 16, 16, 16), "hidden": 64, "first_stride": 2, "dropout": 0.0},
        },
    },
    input=PoseInput(mean=128.0, std=128.0),
    optimiser=optimiser,
    notes=NOTES,
)
