"""The networks of the papers, to be trained on what motionmill writes.

A network is defined in the module of its system, with its paper's names; PyTorch is needed to train one, never to run it.
``python -m motionmill.networks`` trains them and writes them as ONNX; see docs/guides/networks.md.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

try:
    import torch
except ImportError as error:
    raise ImportError("motionmill.networks needs PyTorch: pip install 'motionmill[torch]'") from error

from ..errors import ConfigError
from .system import PoseSystem

#: Systems from a picture to heatmaps, and where each is defined.
POSE: dict[str, str] = {
    "cpm": "convolutional_pose_machine",
    "hourglass": "stacked_hourglass",
    "hourglass-paper": "paper_hourglass",
    "repose": "repose",
    "tompson": "efficient_localization",
}

#: Optimisers beside the papers' own, with their usual rates.
OPTIMISERS: dict[str, tuple[Any, float]] = {
    "adam": (torch.optim.Adam, 1e-3),
    "adamw": (torch.optim.AdamW, 1e-3),
    "rmsprop": (torch.optim.RMSprop, 2.5e-4),
}


def pose_system(name: str) -> PoseSystem:
    """The system `name` of `POSE`.

    :raises ConfigError: there is none.
    """
    if name not in POSE:
        raise ConfigError(f"expected one of {_names(POSE)}, found `{name}`")
    found = POSE[name]
    return found if isinstance(found, PoseSystem) else importlib.import_module(f".{found}", __name__).SYSTEM


def arguments_of(system: Any, size: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `system.build` for a named size, with `changes` in their places.

    :raises ConfigError: there is no such size or argument.
    """
    if size not in system.sizes:
        raise ConfigError(f"`{system.name}`: expected a size of {_names(system.sizes)}, found `{size}`")
    known = [name for name in list(inspect.signature(system.build).parameters)[1:] if name != "joint_names"]
    for key in changes:
        if key not in known:
            raise ConfigError(f"`{system.name}`: expected an argument of {_names(known)}, found `{key}`")
    return {**system.sizes[size], **changes}


def _names(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)


def listing() -> str:
    """All systems with their sizes, and the parameters of each for 14 joints."""
    lines = []
    for name in POSE:
        system = pose_system(name)
        lines.append(f"{name}: {system.paper}")
        for size, arguments in system.sizes.items():
            # Without memory: only the shapes of the weights are of interest.
            with torch.device("meta"):
                network = system.build(14, **arguments)
            lines.append(f"  {size:14s} {sum(parameter.numel() for parameter in network.parameters()):>12,}")
    return "\n".join(lines)
