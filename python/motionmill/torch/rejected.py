"""Samples that could not be made."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ..errors import DataError

#: Names of samples in a message; the others are counted.
_NAMED = 3


class RejectedError(DataError):
    """Samples that a stage could not make: a missing image, a crop without a person.

    The message names them; ``rejects`` has them all, a list of dictionaries with the columns of the table ``rejects``
    (it is empty where the exception came from another process as text).
    """

    def __init__(self, message: str, hint: str | None = None, rejects: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message, hint)
        self.rejects = rejects or []

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.hint, self.rejects)


def check(rejects: pa.RecordBatch) -> None:
    """Raise if there is a reject."""
    if rejects.num_rows == 0:
        return
    rows = rejects.to_pylist()
    named = "; ".join(f"sample `{row['sample_id']}`: {row['reason']} ({row['detail']})" for row in rows[:_NAMED])
    more = f"; and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    hint = "put the pictures in their place, or leave such samples out with `on_reject='skip'` of a loader"
    raise RejectedError(f"the stage `{rows[0]['stage']}` cannot make {named}{more}", hint, rows)
