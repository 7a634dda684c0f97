"""What can go wrong, one class per kind.

Every error of motionmill is a :class:`MotionmillError`, and also the built-in exception that a Python programmer
expects. The message names the key, column or file; ``hint`` says what to change.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "ConfigError",
    "DataError",
    "FileError",
    "InferenceError",
    "InternalError",
    "MotionmillError",
    "NoteWarning",
    "RejectedRowsWarning",
    "SchemaError",
]


class MotionmillError(Exception):
    """Any error of motionmill."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n\nhint: {self.hint}"


class ConfigError(MotionmillError, ValueError):
    """A key or value that a plan or stage does not take, or keys that contradict each other."""


class SchemaError(MotionmillError, TypeError):
    """Rows that lack a column, have it with another type, or lack their schema metadata."""


class DataError(MotionmillError, ValueError):
    """Rows that contradict each other or the request."""


class FileError(MotionmillError, OSError):
    """A file or folder that cannot be read or written, or is not of the kind that its name says."""


class InferenceError(MotionmillError, RuntimeError):
    """ONNX Runtime is missing, or it refused a network."""


class InternalError(MotionmillError, RuntimeError):
    """A bug in motionmill or a failing machine. Please report it."""


class RejectedRowsWarning(UserWarning):
    """Rows that a stage could not use and that the caller does not receive; see :meth:`motionmill.stages.Stage.run`."""


class NoteWarning(UserWarning):
    """What a reader of rows or numbers must know, such as rows that were left out of a fit."""


def tell(rejects: pa.RecordBatch, notes: list[str], who: str) -> None:
    """Warn about what the caller of a plain function does not get: rejects and notes. The user is two calls up."""
    for note in notes:
        warnings.warn(f"`{who}`: {note}", NoteWarning, stacklevel=3)
    if rejects.num_rows == 0:
        return
    first = rejects.slice(0, 1).to_pylist()[0]
    count = sum(rejects.column("rows").to_pylist())
    where = f" ({first['sample_id']})" if first["sample_id"] else ""
    plural = "row" if count == 1 else "rows"
    words = f"`{who}` rejected {count} {plural}, the first{where}: {first['reason']}: {first['detail']}"
    warnings.warn(words, RejectedRowsWarning, stacklevel=3)
