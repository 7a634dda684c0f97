"""`list`: which systems there are, in which sizes."""

from __future__ import annotations

import torch

from . import POSE, pose_system
from .job import parameters


def listing() -> str:
    """All systems with their sizes, and the parameters of each for 14 joints."""
    lines = ["pose, for 14 joints"]
    for name in POSE:
        system = pose_system(name)
        lines.append(f"  {name}: {system.paper}")
        for size, arguments in system.sizes.items():
            # Without memory: only the shapes of the weights are of interest.
            with torch.device("meta"):
                network = system.build(14, **arguments)
            lines.append(f"    {size:16s} {parameters(network):>12,} parameters")
    return "\n".join(lines)
