"""`list`: which systems there are, in which sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from . import COORDINATES, MOTION, POSE
from .counts import parameters

#: For how many joints, or channels and subjects, parameters are counted.
JOINTS, CHANNELS, CLASSES = 14, 6, 587


def listing() -> str:
    """All systems with their sizes and the parameters of each."""
    pose = [f"pose, {JOINTS} joints", *_lines({**POSE, **COORDINATES}, JOINTS)]
    motion = [f"motion, {CHANNELS} channels, {CLASSES} subjects", *_lines(MOTION, CHANNELS, CLASSES)]
    return "\n".join([*pose, *motion])


def _lines(systems: Mapping[str, Any], *given: int) -> list[str]:
    lines = []
    for name, system in systems.items():
        lines.append(f"  {name}: {system.paper}")
        for size, arguments in system.sizes.items():
            # Without memory: only the shapes of the weights are of interest.
            with torch.device("meta"):
                network = system.build(*given, **arguments)
            lines.append(f"    {size:16s} {parameters(network):>12,} parameters")
    return lines
