"""Every stage of a plan as a class.

The keyword arguments are the plan's keys. Where a plan has a word instead of keys, as in ``run.encode_image = "png"``, it
is the one positional argument::

    Crop(size=[256, 256], frame={"person": {"height": 200}})     # run.crop = { size = [256, 256], frame = ... }
    Rotate(uniform={"max_degrees": 40})                          # run.rotate.uniform = { max_degrees = 40 }
    EncodeImage("png")                                           # run.encode_image = "png"

The rules of a plan hold: a key that is ``None`` is not given, a path is taken from the current folder, and an unknown key
or a value out of range is a :class:`~motionmill.errors.ConfigError` in the plan's words.

Two keywords are not keys but what a plan says around the stage: ``name``, the stage's name in the plan, and ``seed``. Both
are part of the key of every random draw, together with the sample's id and copy. So the same name and seed give the same
bytes as ``motionmill run``, in whatever order and from whatever thread.
"""

from __future__ import annotations

import json
import os
import warnings
from typing import Any, NamedTuple

import pyarrow as pa

from . import _native
from .errors import RejectedRowsWarning

__all__ = ["Outcome", "Stage"]


class Outcome(NamedTuple):
    """What came of rows: rows in = rows taken + rows rejected, always."""

    #: The rows that go on: a record batch for a record batch, else a table.
    rows: Any
    #: The rows that do not, a record batch of the table ``rejects``: stage, reason, sample, source, detail.
    rejects: pa.RecordBatch
    #: What a reader of the rows must know; only aggregates have any.
    notes: list[str]


class Stage:
    """A step from rows to rows: immutable, without state, safe to call from many threads at once.

    Columns are taken where they lie and handed back where they are made: no copy is taken at the border. The interpreter
    lock is released while a stage works.
    """

    #: The stage's name in a plan.
    kind: str = ""

    def __init__(self, value: Any = None, /, *, name: str | None = None, seed: int = 0, **keys: Any) -> None:
        if value is not None and keys:
            given = ", ".join(f"`{key}`" for key in keys)
            raise TypeError(f"{type(self).__name__} takes one value or keys, found a value and {given}")
        self._build(keys if value is None else value, name or self.kind, seed)

    def _build(self, value: Any, name: str, seed: int) -> None:
        self.name = name
        self.seed = seed
        self._native = _native.NativeStage(self.kind, value, name, seed, os.cpu_count() or 1)

    @property
    def config(self) -> Any:
        """All keys with their values: what a plan has to the right of ``run.KIND =``."""
        return json.loads(self._native.config, parse_float=_number)

    @property
    def inputs(self) -> list[str] | None:
        """What an aggregate takes, in order; ``None`` for a stage that takes rows batch by batch."""
        return self._native.inputs

    @property
    def engines(self) -> dict[str, str]:
        """What takes part and may change the bytes: decoder, runtime, provider, with versions."""
        return dict(self._native.engines)

    def output_schema(self, *schemas: Any) -> pa.Schema:
        """The schema of the rows that it gives for rows of ``schemas`` (or for tables, of which the schema is taken).

        :raises SchemaError: if it cannot work on such rows; the message names the column.
        """
        return self._native.output_schema(*schemas)

    def run(self, *inputs: Any) -> Outcome:
        """Work on rows; give those that go on and those that do not.

        A stage takes one input: a ``pyarrow.RecordBatch``, a ``pyarrow.Table``, or another object of the Arrow
        PyCapsule interface, such as a polars frame. A batch gives a batch; a table gives a table, worked on by all
        cores. An aggregate takes its :attr:`inputs` and gives a table.
        """
        return Outcome(*self._native.run(*inputs))

    def __call__(self, *inputs: Any) -> Any:
        """As :meth:`run`, but give the rows alone.

        Rejected rows are not dropped in silence: a :class:`~motionmill.errors.RejectedRowsWarning` says how many there
        are, and why. Use :meth:`run` to have them.
        """
        rows, rejects, _ = self.run(*inputs)
        if rejects.num_rows:
            self._warn(rejects)
        return rows

    def _warn(self, rejects: pa.RecordBatch) -> None:
        first = rejects.slice(0, 1).to_pylist()[0]
        count = sum(rejects.column("rows").to_pylist())
        where = f" ({first['sample_id']})" if first["sample_id"] else ""
        words = f"`{self.name}` rejected {count} rows, the first{where}: {first['reason']}: {first['detail']}"
        warnings.warn(words, RejectedRowsWarning, stacklevel=3)

    def __repr__(self) -> str:
        config = self.config
        keys = [f"{key}={value!r}" for key, value in config.items()] if isinstance(config, dict) else [repr(config)]
        return f"{type(self).__name__}({', '.join([*keys, f'name={self.name!r}', f'seed={self.seed}'])})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return (self.config, self.name, self.seed) == (other.config, other.name, other.seed)

    def __hash__(self) -> int:
        return hash((self.kind, self._native.config, self.name, self.seed))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.kind, self.config, self.name, self.seed)


def _number(text: str) -> float | int:
    """A number as a plan would have it: without a decimal point where it is whole."""
    number = float(text)
    return int(number) if number.is_integer() else number


def _restore(kind: str, config: Any, name: str, seed: int) -> Stage:
    stage = object.__new__(_CLASSES[kind])
    stage._build(config, name, seed)
    return stage


def _class_name(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("_"))


def _make(kind: str) -> type[Stage]:
    return type(_class_name(kind), (Stage,), {"kind": kind, "__module__": __name__, "__doc__": f"The stage ``{kind}``."})


_CLASSES: dict[str, type[Stage]] = {kind: _make(kind) for kind in _native.stage_kinds()}
globals().update({made.__name__: made for made in _CLASSES.values()})
__all__ += [made.__name__ for made in _CLASSES.values()]
