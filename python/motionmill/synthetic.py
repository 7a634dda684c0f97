"""Synthetic people and logs in the original formats, for trying things out; made by Rust threads, reproducible by seed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from . import _native

__all__ = ["WrittenPeople", "write_logs", "write_people"]


class WrittenPeople(NamedTuple):
    """Where synthetic people were written; ``read_people`` takes the first two."""

    annotations: Path
    images: Path
    #: How many people are in the pictures.
    people: int


def write_people(
    format: str,
    folder: str | os.PathLike[str],
    *,
    images: int,
    size: tuple[int, int] = (300, 300),
    seed: int = 0,
) -> WrittenPeople:
    """Draw people in the format of ``mpii``, ``lsp``, ``lspet`` or ``flic``: images of at most ``size`` px, width and
    height."""
    annotations, pictures, people = _native.write_people(format, folder, images, size, seed)
    return WrittenPeople(Path(annotations), Path(pictures), people)


def write_logs(
    folder: str | os.PathLike[str],
    *,
    subjects: int = 16,
    sessions: int = 6,
    seconds: float = 20.0,
    seed: int = 0,
) -> Path:
    """Write logs of an accelerometer and a gyroscope at 100 Hz in HMOG's format, for ``read_readings("hmog", path=...)``."""
    return Path(_native.write_logs(folder, subjects, sessions, seconds, seed))
