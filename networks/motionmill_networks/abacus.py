"""Learning human identity from motion (Project Abacus): six networks that read accelerometer and gyroscope data.

Sources: the talk "Learning Multi-scale Temporal Dynamics" (NIPS workshop on dynamics, 2015) and the abstract of arXiv
1511.03908. N windows, T blocks of B samples of C channels, D features, `classes` devices.

For each network the talk states the kinds of layers and the number of parameters, but no widths. All widths here are
**inferred**; `NOTES` says how they were found and how close they come.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from motionmill.errors import ConfigError

from .clockwork import ClockworkRnn, DenseClockworkRnn, Lstm, PlainRnn, RecurrentLayer
from .motion_system import MotionSystem, MotionWindow

PAPER = "Learning Human Identity from Motion Patterns (Project Abacus), arXiv 1511.03908 and NIPS workshop talk 2015"
DEVICES = 587
"""Devices told apart while features are learned: stated."""
WINDOW = MotionWindow(rate_hz=50.0, blocks=20, block_samples=50, block_hop_samples=25)
"""Stated."""
RECURRENCES: dict[str, type[RecurrentLayer]] = {
    "rnn": PlainRnn,
    "cwrnn": ClockworkRnn,
    "lstm": Lstm,
    "dcwrnn": DenseClockworkRnn,
}
"""The recurrent layers by their names in the talk."""
LEARNING_RATE = 0.02
"""Not stated, chosen here."""
MOMENTUM = 0.9
"""Not stated, chosen here: the talk says stochastic gradient descent."""


def rectified(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """The layer with initial weights for a rectifier after it (He et al. 2015): the spread of its input is preserved."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


class SignalConvolutions(nn.Module):
    """A stretch of signal `[N, L, C]` to `[N, width]`: three convolutions along time, each rectified and pooled.

    The first two see one channel at a time, with the same weights for all; the third spans all channels.
    """

    def __init__(
        self, channels: int, samples: int, maps: tuple[int, ...], kernels: tuple[int, ...], pools: tuple[int, ...]
    ) -> None:
        super().__init__()
        if not len(maps) == len(kernels) == len(pools) or any(kernel % 2 == 0 for kernel in kernels):
            raise ConfigError(f"expected as many odd kernels and poolings as maps, {maps}; found {kernels} and {pools}")
        spans = [1] * (len(maps) - 1) + [channels]
        layers: list[nn.Module] = []
        length = samples
        for inputs, outputs, kernel, span, pool in zip((1, *maps), maps, kernels, spans, pools, strict=False):
            convolution = nn.Conv2d(inputs, outputs, (kernel, span), padding=(kernel // 2, 0))
            layers += [rectified(convolution), nn.ReLU(), nn.MaxPool2d((pool, 1))]
            length //= pool
        if length == 0:
            raise ConfigError(f"{samples} samples are too few for poolings of {pools}")
        self.layers = nn.Sequential(*layers)
        self.width = maps[-1] * length

    def forward(self, signal: Tensor) -> Tensor:
        return self.layers(signal[:, None]).flatten(1)


class Convnet(nn.Module):
    """Convolutions and two fully connected layers, of which the second gives the features.

    `whole` reads a window as the one signal that it was cut from (long-term), else each block separately (short-term).
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        window: MotionWindow = WINDOW,
        whole: bool = False,
        maps: tuple[int, ...] = (96, 128, 160),
        kernels: tuple[int, ...] = (9, 5, 3),
        pools: tuple[int, ...] = (4, 3, 2),
        hidden: int = 2649,
        features: int = 1489,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if whole and window.block_hop_samples > window.block_samples:
            raise ConfigError(f"blocks of {window.block_samples} samples, {window.block_hop_samples} apart, leave gaps")
        samples = window.samples if whole else window.block_samples
        self.hop = window.block_hop_samples if whole else None
        self.feature_width, self.state_width = features, 0
        self.convolutions = SignalConvolutions(channels, samples, maps, kernels, pools)
        self.hidden = rectified(nn.Linear(self.convolutions.width, hidden))
        self.features = rectified(nn.Linear(hidden, features))
        self.classifier = nn.Linear(features, classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, window: Tensor) -> tuple[Tensor, Tensor]:
        """`[N, T, B, C]` to features and logits, `[N, .]` of the `whole`, else `[N, T, .]`."""
        signal = window.flatten(0, 1) if self.hop is None else joined(window, self.hop)
        hidden = self.dropout(torch.relu(self.hidden(self.convolutions(signal))))
        features = torch.relu(self.features(hidden))
        logits = self.classifier(self.dropout(features))
        if self.hop is None:
            blocks = window.shape[1]
            return features.unflatten(0, (-1, blocks)), logits.unflatten(0, (-1, blocks))
        return features, logits


class ConvRecurrent(nn.Module):
    """Convolutions on each block, a recurrent layer over the blocks, which gives the features, and a classifier.

    It reads any number of blocks: of `window`, only the samples per block matter.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        window: MotionWindow = WINDOW,
        recurrence: str = "rnn",
        maps: tuple[int, ...] = (96, 128, 160),
        kernels: tuple[int, ...] = (9, 5, 3),
        pools: tuple[int, ...] = (4, 3, 2),
        hidden: int = 863,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if recurrence not in RECURRENCES:
            raise ConfigError(f"`recurrence`: expected one of {', '.join(RECURRENCES)}, found `{recurrence}`")
        self.convolutions = SignalConvolutions(channels, window.block_samples, maps, kernels, pools)
        self.recurrent = RECURRENCES[recurrence](self.convolutions.width, hidden)
        self.classifier = nn.Linear(hidden, classes)
        self.dropout = nn.Dropout(dropout)
        self.feature_width, self.state_width = hidden, self.recurrent.state_width

    def forward(self, window: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """`[N, T, B, C]` and a state to features `[N, T, D]`, logits `[N, T, classes]`, and the next state."""
        blocks = self.convolutions(window.flatten(0, 1)).unflatten(0, (-1, window.shape[1]))
        features, state = self.recurrent(blocks, state)
        return features, self.classifier(self.dropout(features)), state


def joined(window: Tensor, hop: int) -> Tensor:
    """Blocks `[N, T, B, C]` that begin `hop` samples apart, as the signal that they are cut from, `[N, L, C]`."""
    return torch.cat([window[:, :-1, :hop].flatten(1, 2), window[:, -1]], 1)


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean negative log-likelihood of `labels` `[N]`; where there are logits of each block, every block answers."""
    if logits.dim() == 3:
        labels = labels[:, None].expand(-1, logits.shape[1]).reshape(-1)
        logits = logits.flatten(0, 1)
    return functional.cross_entropy(logits, labels)


def optimiser(network: nn.Module, learning_rate: float | None = None) -> torch.optim.Optimizer:
    """Stochastic gradient descent, as stated; rate and momentum are chosen here."""
    rate = LEARNING_RATE if learning_rate is None else learning_rate
    return torch.optim.SGD(network.parameters(), lr=rate, momentum=MOMENTUM)


NOTES = {
    "widths": "inferred: no width is published. No consistent reading was found of the recurrent networks' counts, "
    "1,960,295 (RNN), 1,964,254 (CWRNN, DCWRNN) and 1,965,403 (LSTM): with one front end for all, its D features "
    "handed to the recurrent layer and that to the classifier, no D up to 6,000 and no hidden sizes fit all three, "
    "whatever the front end, with 0, 1 or 2 biases a unit, with or without peepholes and trained first states. With a "
    "fully connected layer of one of 14 usual widths before the classifier one set fits (600 units, 574 features, "
    "hidden 367, 396 and 161, peepholes, trained first states), as many as chance lets expect. `abacus_counts` is "
    "that search. Used is the nearest of the front ends of three convolutions with usual widths (8 to 512 maps, "
    "kernels of 3 to 9): 1,960,288 (7 fewer), 1,964,237 (17 fewer), 1,965,439 (36 more)",
    "convnets": "inferred: with the front end of the recurrent networks, two fully connected layers of 2,649 and 1,489 "
    "give exactly the printed 6,102,137; so do 14 other pairs, and pairs on other front ends. That the short- and the "
    "long-term network have one count is read as: they differ in their poolings alone",
    "channels": "6, linear acceleration and angular velocity: stated as sensors; a 14-channel input is recalled, not "
    "verified",
    "layers": "stated: convolutions first, three feature maps, dropout on fully connected layers, negative "
    "log-likelihood. Not established: rectifiers, kernels, poolings, and that every block of a sequence answers for "
    "its device",
    "rates": "stochastic gradient descent is stated; its rate and momentum are chosen here",
    "clockwork": "three bands of periods 1, 2, 4: stated. That faster bands read slower ones, and tanh: inferred",
    "dense": "inferred: every band updates at each step and looks back by its own period",
}
"""What is stated, inferred, or not established."""

SMALL = {"maps": (16, 24, 32), "dropout": 0.2}
TINY = {"maps": (4, 6, 8), "kernels": (5, 3, 3), "dropout": 0.0}


def convnet(name: str, whole: bool, pools: tuple[int, ...]) -> MotionSystem:
    """A convnet of the talk."""
    of_all: dict[str, Any] = {"whole": whole, "pools": pools}
    return MotionSystem(
        name=name,
        paper=PAPER,
        build=Convnet,
        sizes={
            "paper": of_all,
            "small": {**of_all, **SMALL, "hidden": 128, "features": 64},
            "tiny": {**of_all, **TINY, "hidden": 16, "features": 12},
        },
        window=WINDOW,
        frames="one" if whole else "each",
        recurrent=False,
        loss=loss,
        optimiser=optimiser,
        notes=NOTES,
    )


def recurrent(recurrence: str, hidden: int) -> MotionSystem:
    """A recurrent network of the talk; `hidden` is that of its size `paper`."""
    return MotionSystem(
        name=f"conv-{recurrence}",
        paper=PAPER,
        build=ConvRecurrent,
        sizes={
            "paper": {"recurrence": recurrence, "hidden": hidden},
            "small": {"recurrence": recurrence, **SMALL, "hidden": 66},
            "tiny": {"recurrence": recurrence, **TINY, "hidden": 12},
        },
        window=WINDOW,
        frames="each",
        recurrent=True,
        loss=loss,
        optimiser=optimiser,
        notes=NOTES,
    )


ST_CONVNET = convnet("st-convnet", whole=False, pools=(4, 3, 2))
LT_CONVNET = convnet("lt-convnet", whole=True, pools=(16, 8, 2))
CONV_RNN = recurrent("rnn", 863)
CONV_CWRNN = recurrent("cwrnn", 981)
CONV_LSTM = recurrent("lstm", 428)
CONV_DCWRNN = recurrent("dcwrnn", 981)
SYSTEMS = {
    system.name: system for system in (ST_CONVNET, LT_CONVNET, CONV_RNN, CONV_CWRNN, CONV_LSTM, CONV_DCWRNN)
}
"""By name, in the order of the talk."""
