"""Which widths agree with the counts printed for Project Abacus: `python -m motionmill_networks.abacus_counts`.

The evidence for what `abacus.NOTES` says about widths; it takes half a minute. For a recurrent network with a front end
of F weights that gives D features per block, H hidden units, and K = 587 devices, the talk prints

    F + D H + u(H) + b H + (H + 1) K            of the RNN, u = H^2, and of the clockwork, u = 2/3 H^2 (three bands)
    F + 4 (D H + H^2) + b' H + (H + 1) K        of the LSTM

with b and b' parameters per unit besides the weights. Each has its own H, all share F and D: F cancels, so nothing
needs to be known about the front end. With a further layer of G units before the classifier, (H + 1) K becomes (H + 1)
G + (G + 1) K.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from .abacus import DEVICES

RNN, CLOCKWORK, LSTM = 1_960_295, 1_964_254, 1_965_403
"""Printed counts of the recurrent networks."""
CONVNET = 6_102_137
"""Printed count of both convnets."""
MOST_FEATURES, MOST_HIDDEN = 6_000, 1_800
"""Limits of the search: D, and H of the clockwork."""
EXTRAS = {
    "one bias": (1, 4),
    "one bias, peepholes": (1, 7),
    "two biases": (2, 8),
    "one bias, trained first h and cell": (2, 6),
    "one bias, peepholes, trained first h and cell": (2, 9),
}
"""b and b'. Without biases, everything fits as with one and a D larger by 1."""
LAYERS = (100, 128, 200, 250, 256, 300, 400, 500, 512, 600, 750, 800, 1000, 1024)
"""G, usual widths."""


class Fit(NamedTuple):
    """Widths that agree with all three counts."""

    layer: int | None
    extras: str
    features: int
    rnn: int
    clockwork: int
    lstm: int
    front_end: int


def fits(layer: int | None) -> Iterator[Fit]:
    """All widths that agree, `layer` being G, or `None` where the classifier follows directly."""
    following = DEVICES if layer is None else layer
    behind = DEVICES if layer is None else layer + (layer + 1) * DEVICES
    features = torch.arange(1, MOST_FEATURES + 1)
    for extras, (bias, gates) in EXTRAS.items():
        for clockwork in range(3, MOST_HIDDEN + 1, 3):
            linear = features + bias + following
            # F and all that follows the hidden units.
            rest = CLOCKWORK - clockwork * linear - 2 * clockwork**2 // 3
            rnn, agrees = whole_root(1, linear, rest - RNN)
            lstm, too = whole_root(4, 4 * features + gates + following, rest - LSTM)
            for index in torch.nonzero(agrees & too & (rest > behind)).flatten().tolist():
                widths = features[index].item(), rnn[index].item(), clockwork, lstm[index].item()
                yield Fit(layer, extras, *widths, rest[index].item() - behind)


def whole_root(square: int, linear: Tensor, constant: Tensor) -> tuple[Tensor, Tensor]:
    """The larger root of `square` x^2 + `linear` x + `constant`, rounded, and whether it is whole and positive."""
    under = (linear.square() - 4 * square * constant).clamp(min=0).double()
    root = ((under.sqrt() - linear) / (2 * square)).round().long()
    return root, (root > 0) & (square * root.square() + linear * root + constant == 0)


def convnet_pairs(front_end: int, features: int) -> list[tuple[int, int]]:
    """Widths of two fully connected layers that give the convnets' count behind a front end."""
    pairs = []
    for second in range(50, 4_000):
        # F + (D + 1) x + (x + 1) y + (y + 1) K for x and y units.
        left = CONVNET - front_end - second - (second + 1) * DEVICES
        first, remainder = divmod(left, features + 1 + second)
        if remainder == 0 and first >= 100:
            pairs.append((first, second))
    return pairs


if __name__ == "__main__":
    for width in (None, *LAYERS):
        found = list(fits(width))
        print("classifier at once" if width is None else f"{width} units between", "->", *(found or ["nothing fits"]))
    print("convnets:", convnet_pairs(431_328, 320))
