"""The networks of the papers, to be trained on what motionmill writes.

A network is defined in the module of its system, with its paper's names; PyTorch is needed to train one, never to run it.
``python -m motionmill.networks`` trains them and writes them as ONNX; see docs/guides/networks.md.
"""

from __future__ import annotations

import importlib
from typing import Any

try:
    import torch as _torch
except ImportError as error:
    raise ImportError("motionmill.networks needs PyTorch: pip install 'motionmill[torch]'") from error

from ..errors import ConfigError
from .system import PoseSystem

#: Systems from a picture to heatmaps, and the module that defines each.
POSE: dict[str, Any] = {
    "cpm": "convolutional_pose_machine",
    "hourglass": "stacked_hourglass",
    "hourglass-paper": "paper_hourglass",
    "repose": "repose",
    "tompson": "efficient_localization",
}

#: Systems over windows of motion.
MOTION: dict[str, Any] = {
    "st-convnet": "abacus:ST_CONVNET",
    "lt-convnet": "abacus:LT_CONVNET",
    "conv-rnn": "abacus:CONV_RNN",
    "conv-cwrnn": "abacus:CONV_CWRNN",
    "conv-lstm": "abacus:CONV_LSTM",
    "conv-dcwrnn": "abacus:CONV_DCWRNN",
}


def pose_system(name: str) -> PoseSystem:
    """The system `name` of `POSE`.

    :raises ConfigError: there is none.
    """
    if name not in POSE:
        raise ConfigError("expected a system of " + ", ".join(f"`{known}`" for known in POSE) + f"; found `{name}`")
    found = POSE[name]
    return importlib.import_module(f".{found}", __name__).SYSTEM if isinstance(found, str) else found


del _torch
