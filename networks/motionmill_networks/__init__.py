"""The papers' networks, to be trained on the tables that motionmill writes.

A network is defined in the module of its system, with its paper's names. PyTorch is needed to train one, never to run
one.
``python -m motionmill_networks`` trains them and writes them as ONNX; see docs/guides/networks.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

try:
    import torch as _torch
except ImportError as error:
    raise ImportError("motionmill_networks needs PyTorch: pip install 'motionmill[torch]'") from error

from motionmill.errors import ConfigError

from . import (
    abacus,
    convolutional_pose_machine,
    deeppose,
    efficient_localization,
    paper_hourglass,
    repose,
    stacked_hourglass,
)
from .coordinates import CoordinateSystem
from .motion_system import MotionSystem
from .system import PoseSystem

__all__ = [
    "COORDINATES",
    "MOTION",
    "POSE",
    "CoordinateSystem",
    "MotionSystem",
    "PoseSystem",
    "coordinate_system",
    "motion_system",
    "pose_system",
]

#: Systems from a picture to heatmaps.
POSE: dict[str, PoseSystem] = {
    "cpm": convolutional_pose_machine.SYSTEM,
    "hourglass": stacked_hourglass.SYSTEM,
    "hourglass-paper": paper_hourglass.SYSTEM,
    "repose": repose.SYSTEM,
    "tompson": efficient_localization.SYSTEM,
    "tompson-8": efficient_localization.system(8),
    "tompson-16": efficient_localization.system(16),
}

#: Systems from a picture to coordinates.
COORDINATES: dict[str, CoordinateSystem] = {"deeppose": deeppose.SYSTEM}

#: Systems from a window of motion to features of whoever made it.
MOTION: dict[str, MotionSystem] = {
    "st-convnet": abacus.ST_CONVNET,
    "lt-convnet": abacus.LT_CONVNET,
    "conv-rnn": abacus.CONV_RNN,
    "conv-cwrnn": abacus.CONV_CWRNN,
    "conv-lstm": abacus.CONV_LSTM,
    "conv-dcwrnn": abacus.CONV_DCWRNN,
}

_System = TypeVar("_System", PoseSystem, CoordinateSystem, MotionSystem)


def pose_system(name: str) -> PoseSystem:
    """The system `name` of `POSE`.

    :raises ConfigError: there is none.
    """
    return _named(POSE, name)


def coordinate_system(name: str) -> CoordinateSystem:
    """The system `name` of `COORDINATES`.

    :raises ConfigError: there is none.
    """
    return _named(COORDINATES, name)


def motion_system(name: str) -> MotionSystem:
    """The system `name` of `MOTION`.

    :raises ConfigError: there is none.
    """
    return _named(MOTION, name)


def _named(systems: Mapping[str, _System], name: str) -> _System:
    if name not in systems:
        known = ", ".join(f"`{one}`" for one in systems)
        raise ConfigError(f"expected a system of {known}; found `{name}`")
    return systems[name]


del _torch
