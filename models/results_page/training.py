"""How a network was trained, in words."""

from collections.abc import Mapping
from typing import Any

from motionmill_networks import COORDINATES, MOTION, POSE


def recipe(run: Mapping[str, Any]) -> str:
    """Optimiser, rate, schedule, size of a batch and precision."""
    rate = "its rate" if run["rate"] is None else f"rate {run['rate']:g}"
    return f"{optimiser(run)}, {rate}, {run['schedule']}, batches of {run['batch']}, {run['precision']}"


def optimiser(run: Mapping[str, Any]) -> str:
    """Its name; where a paper names none, `paper` is Adam."""
    if run["optimiser"] != "paper":
        return run["optimiser"]
    system = {**POSE, **COORDINATES, **MOTION}.get(run["system"])
    return "adam" if system is None or system.optimiser is None else "the definition's optimiser"
