"""What all stages have in common; :mod:`motionmill.stages` lists them one by one."""

from __future__ import annotations

import inspect
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pyarrow as pa

from . import _keys, _native
from .errors import ConfigError, tell

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Outcome", "Stage"]

S = TypeVar("S", bound="Stage")


class Outcome(NamedTuple):
    """The outcome of a stage: rows in = rows taken + rows rejected, always."""

    #: The rows that go on: a record batch for a record batch, else a table.
    rows: Any
    #: The rows that do not, a record batch of the table ``rejects``: stage, reason, sample, source, detail.
    rejects: pa.RecordBatch
    #: What a reader of the rows must know; only aggregates have any.
    notes: list[str]


class Stage:
    """A step from rows to rows: immutable, without state, safe to call from many threads at once.

    Columns are shared with Rust in both directions, without a copy. The interpreter lock is released while a stage works.
    """

    #: The stage's name in a plan.
    kind: str = ""

    def __new__(cls, *values: Any, name: str | None = None, seed: int = 0, **keys: Any) -> Self:
        try:
            inspect.signature(cls.__init__).bind(cls, *values, name=name, seed=seed, **keys)
        except TypeError:
            if not values:
                # What is unknown or missing is refused in the plan's words, before Python does it in its own.
                given = {key: value for key, value in keys.items() if value is not None}
                _native.NativeStage(cls.kind, given, name or cls.kind, seed, 1)
        return object.__new__(cls)

    def __init__(self, value: Any = None, /, *, name: str | None = None, seed: int = 0, **keys: Any) -> None:
        keys = {key: given for key, given in keys.items() if given is not None}
        if value is not None and keys:
            found = ", ".join(f"`{key}`" for key in keys)
            raise TypeError(f"{type(self).__name__} takes one value or keys, found a value and {found}")
        self._build(keys if value is None else value, name or self.kind, seed)

    def _build(self, value: Any, name: str, seed: int) -> None:
        self.name = name
        self.seed = seed
        config = _keys.stages()[self.kind]
        if config.choice and not value:
            forms = ", ".join(f"`{form}`" for form in [*(word for word, _ in config.words), *(key.name for key in config.keys)])
            raise ConfigError(f"`{self.kind}`: nothing is given", f"give one of {forms}")
        self._native = _native.NativeStage(self.kind, value, name, seed, os.cpu_count() or 1)

    @classmethod
    def of(cls, config: Any, *, name: str | None = None, seed: int = 0) -> Self:
        """The stage of ``config``, what a plan has to the right of ``run.KIND =``."""
        return _restore(cls, config, name or cls.kind, seed)

    @property
    def config(self) -> Any:
        """All keys with their values: what a plan has to the right of ``run.KIND =``."""
        return _keys.whole(json.loads(self._native.config))

    @property
    def inputs(self) -> list[str] | None:
        """The inputs of an aggregate, in order; ``None`` for a stage that takes rows batch by batch."""
        return self._native.inputs

    @property
    def engines(self) -> dict[str, str]:
        """The engines that may change the bytes: decoder, runtime, provider, with versions."""
        return dict(self._native.engines)

    def output_schema(self, *schemas: Any) -> pa.Schema:
        """The schema of its output for rows of ``schemas`` (or for tables, whose schemas are used).

        :raises SchemaError: if it cannot work on such rows; the message names the column.
        """
        return self._native.output_schema(*schemas)

    def run(self, *inputs: Any) -> Outcome:
        """Process rows; return the output rows and the rejects.

        A stage takes one input: a ``pyarrow.RecordBatch``, a ``pyarrow.Table``, or another object of the Arrow
        PyCapsule interface, such as a polars frame. A batch gives a batch; a table gives a table and is processed on
        all cores. An aggregate takes its :attr:`inputs` and returns a table.
        """
        return Outcome(*self._native.run(*inputs))

    def __call__(self, *inputs: Any) -> Any:
        """As :meth:`run`, but return only the rows.

        Rejected rows are not dropped silently: a :class:`~motionmill.errors.RejectedRowsWarning` says how many there
        are, and why; what an aggregate notes is a :class:`~motionmill.errors.NoteWarning`. Use :meth:`run` to get both.
        """
        outcome = self.run(*inputs)
        tell(outcome.rejects, outcome.notes, self.name)
        return outcome.rows

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
        return _restore, (type(self), self.config, self.name, self.seed)


def _restore(kind: type[S], config: Any, name: str, seed: int) -> S:
    stage = object.__new__(kind)
    stage._build(config, name, seed)
    return stage
