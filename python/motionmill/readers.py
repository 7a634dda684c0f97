"""Annotations, logs and tables as Arrow.

The keyword arguments are the plan's keys: ``read_people("lsp", annotations=..., images=...)`` is the same as a plan's
``read.lsp = { annotations = ..., images = ... }``. Files are read by Rust threads, without the interpreter lock.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from . import _native
from .errors import ConfigError, tell

__all__ = ["Batches", "Source", "read_people", "read_predictions", "read_readings", "read_table"]

#: Sources whose rows are readings of sensors.
_LOGS = ("hmog", "logs")


class Batches(Iterator[pa.RecordBatch]):
    """The record batches of a source, one after the other; safe to share between threads."""

    def __init__(self, native: _native.NativeBatches) -> None:
        self._native = native

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> pa.RecordBatch:
        return next(self._native)

    @property
    def rejects(self) -> pa.RecordBatch:
        """The rejects so far: a batch of the table ``rejects``."""
        return self._native.rejects

    @property
    def notes(self) -> list[str]:
        """The notes on the rows so far."""
        return self._native.notes


class Source:
    """An open source of a plan: ``Source("mpii", annotations=..., images=...)``.

    Annotation files are read when it is opened; logs are only listed then, and read as their rows are needed.
    ``inputs`` are the tables that the source joins its file to, such as the people that predictions belong to.
    """

    def __init__(self, kind: str, /, *inputs: Any, **keys: Any) -> None:
        self.kind = kind
        self._native = _native.NativeSource(kind, keys, list(inputs))

    @property
    def schema(self) -> pa.Schema:
        """The schema of its rows."""
        return self._native.schema

    def read(self) -> tuple[pa.Table, pa.RecordBatch, list[str]]:
        """All rows, in order, then the rejects (a batch of ``rejects``), then notes."""
        return self._native.all()

    def batches(self, rows: int = 1024) -> Batches:
        """The rows in batches of at most ``rows``; readings come in whole sessions, however long."""
        return Batches(self._native.batches(rows))


def read_source(kind: str, /, *inputs: Any, **keys: Any) -> pa.Table:
    """Read the source ``kind``, which joins its file to ``inputs``; :mod:`motionmill.read` lists them one by one."""
    table, rejects, notes = Source(kind, *inputs, **keys).read()
    tell(rejects, notes, kind)
    return table


def write_sink(kind: str, inputs: Sequence[Any], /, *, force: bool = False, **keys: Any) -> int:
    """Write ``inputs`` to the sink ``kind``, return the rows written; :mod:`motionmill.write` lists them one by one."""
    rows, rejects, notes = _native.write(kind, keys, list(inputs), force)
    tell(rejects, notes, kind)
    return rows


def read_people(format: str, /, **keys: Any) -> pa.Table:
    """Read annotations: ``mpii``, ``lsp``, ``lspet``, ``flic``, ``coco`` or ``yolo``, with the plan's keys of that source.

    Returns the table ``people``: one row per person, ``keypoints`` ``[K, 2]`` float64 in 0-based px of the image,
    ``visibility`` ``[K]``, ``center``, ``scale`` (height / 200 px), boxes. The skeleton is in the schema metadata.
    Image files may be missing.

    Records that could not be read are a :class:`~motionmill.errors.RejectedRowsWarning`; ``Source(format, ...).read()``
    returns them.
    """
    if format in _LOGS:
        raise ConfigError(f"`{format}` holds readings of sensors", "read it with `read_readings`")
    return read_source(format, **keys)


def read_readings(format: str, /, **keys: Any) -> pa.Table:
    """Read logs of sensors: ``hmog`` or ``logs``, with the plan's keys of that source.

    Returns the table ``readings``: one row per reading of one sensor, ``stamp_nanos`` int64, ``x`` ``y`` ``z`` float64
    in m/s^2 or rad/s; sessions are whole, one after the other.
    """
    if format not in _LOGS:
        raise ConfigError(f"`{format}` holds no readings of sensors; `hmog` and `logs` do", "read it with `read_people`")
    return read_source(format, **keys)


def read_table(path: str | os.PathLike[str], split: str | None = None) -> pa.Table:
    """Read a table folder that motionmill wrote, or one Parquet file, with its schema metadata; one ``split`` or all.

    For tables with many rows, ``Source("table", path=...).batches()`` reads batch by batch.
    """
    return read_source("table", path=path, split=split)


def read_predictions(
    file: str | os.PathLike[str],
    *,
    people: Any,
    first_pixel: float,
    array: str | None = None,
    axes: str = "njc",
    skeleton: str = "mpii16",
    model: str | None = None,
) -> pa.Table:
    """Read a published prediction array (``.npy``, ``.npz``, ``.mat``, HDF5 or JSON) as the table ``keypoints``, row by row
    of ``people``, or MPII's submission.

    :param people: the people that the rows belong to, in order: a table ``people`` or a part of one.
    :param first_pixel: number of the first pixel: 1 for MATLAB's coordinates, else 0.
    :param array: name of the array in the file, where there are several.
    :param axes: the array's axes: n people, j joints, c coordinates (x, y and maybe a score).
    :param skeleton: the skeleton whose order the joints have.
    :param model: what made the predictions; the file's name if not given.
    """
    keys = {"file": file, "array": array, "axes": axes, "skeleton": skeleton, "first_pixel": first_pixel, "model": model}
    return read_source("predictions", people, **keys)
