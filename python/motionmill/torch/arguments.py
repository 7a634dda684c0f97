"""Arguments of Python as what the Rust side takes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ConfigError

#: Levels 0 to 255 to 0 to 1.
UNIT = ((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))

ToFloat = bool | tuple[Sequence[float] | float, Sequence[float] | float]


def planes(to_float: ToFloat) -> tuple[list[float], list[float]] | None:
    """Mean and deviation of red, green, blue, or ``None`` where pictures stay levels."""
    if to_float is False or to_float is None:
        return None
    if to_float is True:
        to_float = UNIT
    try:
        mean, deviation = to_float
        return _three(mean), _three(deviation)
    except (TypeError, ValueError) as error:
        message = f"`to_float` must be True, False or (mean, std) of levels 0 to 255, found {to_float!r}"
        raise ConfigError(message) from error


def _three(value: Sequence[float] | float) -> list[float]:
    if isinstance(value, (int, float)):
        return [float(value)] * 3
    red, green, blue = value
    return [float(red), float(green), float(blue)]


def sources(people: Any) -> dict[str | None, Any] | None:
    """What is read in the place of a plan's sources, by name; ``None`` stands for the only one."""
    if people is None:
        return None
    return dict(people) if isinstance(people, Mapping) else {None: people}


def overrides(changes: Mapping[str, Any] | None) -> list[str]:
    """``{"stages.crop.run.crop.size": [128, 128]}`` as the command line's ``--set`` takes it."""
    return [f"{key}={_toml(value)}" for key, value in (changes or {}).items()]


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"a plan has no value {value!r}") from error


def plan_text(plan: Any) -> tuple[str, str | None]:
    """Name of a plan and its text, where it was given as text: with a line break, which no name has."""
    if isinstance(plan, str) and "\n" in plan:
        return "the given plan", plan
    return os.fspath(plan), None
