"""What is published of the networks: counts of parameters and products, and the table of the talk.

`RELEASED` was counted on the definitions that the authors released. What a paper prints of the pose networks stands in
`motionmill_networks.counts.ROWS`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Released:
    """A released network, at the joints and the picture of its row in `counts.ROWS`."""

    parameters: int
    gmac: float | None
    """10^9 multiply-adds, where they were counted."""
    where: str


POSE_MACHINE = "released definition"
HOURGLASS = "released definition, `pose-hg-train`"
FIRST_HOURGLASS = "released definition of the first version, `pose-hg-demo`"

RELEASED = {
    ("convolutional_pose_machine", "paper"): Released(31_219_866, 175.44, POSE_MACHINE),
    ("convolutional_pose_machine", "three_stages"): Released(16_731_021, None, POSE_MACHINE),
    ("convolutional_pose_machine", "flic"): Released(21_323_816, None, POSE_MACHINE),
    ("stacked_hourglass", "paper"): Released(25_434_112, 27.44, HOURGLASS),
    ("stacked_hourglass", "four_stacks"): Released(12_858_304, 14.70, HOURGLASS),
    ("stacked_hourglass", "two_stacks"): Released(6_570_400, 8.34, HOURGLASS),
    ("stacked_hourglass", "one_stack"): Released(3_426_448, 5.15, HOURGLASS),
    ("paper_hourglass", "paper"): Released(26_370_848, 26.20, FIRST_HOURGLASS),
    ("paper_hourglass", "flic"): Released(13_127_435, 13.44, FIRST_HOURGLASS),
}
"""By module and size."""


@dataclass(frozen=True)
class Talk:
    """A row of the talk on Project Abacus: percent, and a number of parameters."""

    model: str
    eer: float
    hter: float
    accuracy: float | None = None
    parameters: int | None = None


TALK = {
    "raw": Talk("raw features", 36.21, 42.17),
    "st-convnet": Talk("ST convnet", 32.44, 34.89, 37.13, 6_102_137),
    "lt-convnet": Talk("LT convnet", 28.15, 29.01, 56.46, 6_102_137),
    "conv-rnn": Talk("Conv-RNN", 22.32, 22.49, 64.57, 1_960_295),
    "conv-cwrnn": Talk("Conv-CWRNN", 21.52, 21.92, 68.83, 1_964_254),
    "conv-lstm": Talk("Conv-LSTM", 21.13, 21.41, 68.92, 1_965_403),
    "conv-dcwrnn": Talk("Conv-DCWRNN", 20.01, 20.52, 69.41, 1_964_254),
}
"""By the names of `motionmill_networks.MOTION`."""
SECOND_ROW = Talk("Conv-DCWRNN, second row (its label is lost; zt-normalisation is inferred)", 18.17, 19.29)
PER_CLIENT = Talk("Conv-DCWRNN, a threshold for each device", 15.84, 16.13)
PER_SESSION = Talk("Conv-DCWRNN, a threshold for each session", 8.82, 9.37)
