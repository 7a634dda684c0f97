"""Python arguments as the Rust side takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ConfigError

#: Levels 0 to 255 to 0 to 1.
UNIT = ((0.0, 0.0, 0.0), (255.0, 255.0, 255.0))

ToFloat = bool | tuple[Sequence[float] | float, Sequence[float] | float]


def planes(to_float: ToFloat) -> tuple[list[float], list[float]] | None:
    """Mean and deviation of red, green, blue, or ``None`` where images stay levels."""
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
    """What is read instead of a plan's sources, by name; ``None`` means the only one."""
    if people is None:
        return None
    return dict(people) if isinstance(people, Mapping) else {None: people}
