"""Samples of a plan, made on the fly from people and images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pyarrow as pa
import torch
import torch.utils.data

from .. import _native
from ..errors import ConfigError
from ..plans import Plan
from . import rejected
from .arguments import ToFloat, planes, sources
from .loader import Loader
from .tensors import Fetched, check_columns, default_columns, to_tensors

#: Batches that may be ready beside those at work.
AHEAD = 2


class _Plan:
    """The arguments of a chain, and the chain once it was opened in this process or one that this was forked from."""

    def __init__(
        self,
        plan: Plan,
        overrides: Mapping[str, Any] | None,
        people: Any,
        split: str | None,
        sink: str | None,
        seed: int | None,
        to_float: ToFloat,
    ) -> None:
        self._plan = dict(plan) if isinstance(plan, Mapping) else plan
        self._overrides = dict(overrides or {})
        self._keys: dict[str, Any] = {
            "people": sources(people),
            "split": split,
            "sink": sink,
            "seed": seed,
            "planes": planes(to_float),
        }
        self._chain: _native.NativeChain | None = None

    def chain(self) -> _native.NativeChain:
        # A chain has no threads, so a forked process goes on with the one that it was born with.
        if self._chain is None:
            self._chain = _native.NativeChain(self._plan, self._overrides, **self._keys)
        return self._chain

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_chain": None}


class SampleDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Samples of a plan by number: ``dataset[i]`` is made on request.

    For a ``DataLoader`` with a sampler of your own; `SampleLoader` is faster and needs no worker processes. With
    ``collate_fn=motionmill.torch.collate`` a batch is passed on as it was made.

    :param plan: a path, ``recipe:NAME``, TOML text of several lines, or a dictionary. The part that leads to ``sink`` is used:
        the stages that select rows run once, when it is opened, the others for each sample. ``repeat`` is left out: the
        copy is the epoch. Images are returned as pixels, whether or not the plan encodes them.
    :param people: what is read instead of the plan's source: a table folder or an Arrow table, of which only the split
        that the source names is used; a dictionary by the name of the source if there are several.
    :param split: the split of the table folder ``people``; by default that of the plan's source.
    :param sink: which of the plan's sinks, if it has several.
    :param seed: seed instead of the plan's.
    :param overrides: values of the plan by dotted key: ``{"stages.crop.run.crop.size": [128, 128]}``.
    :param epoch: the epoch to begin with; see `set_epoch`.
    :param to_float: images as ``float32 [3, H, W]``, ``(level - mean) / std`` of levels 0 to 255: ``(mean, std)``, each
        a number or one for red, green and blue, or True for 0 to 1. Else they are ``uint8 [H, W, 3]``.
    :param columns: what a sample has; by default those of `SAMPLE_COLUMNS` that the plan makes.
    """

    def __init__(
        self,
        plan: Plan,
        people: Any = None,
        *,
        split: str | None = None,
        sink: str | None = None,
        seed: int | None = None,
        overrides: Mapping[str, Any] | None = None,
        epoch: int = 0,
        to_float: ToFloat = False,
        columns: Sequence[str] | None = None,
    ) -> None:
        self._plan = _Plan(plan, overrides, people, split, sink, seed, to_float)
        schema = self.schema
        self.columns = default_columns(schema) if columns is None else check_columns(schema, columns)
        # In shared memory, so that workers that live on see which epoch it is.
        self._epoch = torch.tensor(epoch, dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    @property
    def schema(self) -> pa.Schema:
        """All columns that the plan makes."""
        return self._plan.chain().schema

    @property
    def people(self) -> pa.RecordBatch:
        """The rows that the plan selected, in the order of their numbers."""
        return self._plan.chain().people

    @property
    def rejects(self) -> pa.RecordBatch:
        """The rows that it did not select, with the reason."""
        return self._plan.chain().rejects

    @property
    def epoch(self) -> int:
        """Which copy of each sample is made."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Make other copies from now on, in worker processes too. Call it before each pass over the data."""
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self._plan.chain())

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """The samples of ``indices``, in that order.

        :raises IndexError: there is no such sample.
        :raises RejectedError: a sample cannot be made; the message names it and says why.
        """
        count = len(self)
        numbers = [index + count if index < 0 else int(index) for index in indices]
        for number, index in zip(numbers, indices):
            if not 0 <= number < count:
                raise IndexError(f"there is no sample {index}: the data set has {count}")
        rows, rejects = self._plan.chain().samples(numbers, self.epoch)
        rejected.check(rejects)
        return Fetched(to_tensors(rows, self.columns), rows.num_rows)


class SampleLoader(Loader):
    """Batches of samples made on the fly, on threads in Rust: ``for batch in loader``.

    A batch is a dictionary of tensors, see `to_tensors`. The order is a shuffle keyed by (seed, epoch), the same for any
    number of ranks; rank r takes every ``world_size``-th sample from r on. Batches do not depend on ``threads``, and in
    the worker processes of a ``DataLoader(loader, batch_size=None)`` each makes its share of the same batches.

    The arguments of `SampleDataset` mean the same here; ``seed`` also determines the order.

    :param batch_size: samples of a batch.
    :param shuffle: whether the order changes with the epoch; else it is that of the people.
    :param drop_last: whether a last, smaller batch is left out. With several ranks all then give the same number of batches.
    :param epoch: the epoch to begin with.
    :param rank: which training process this is, and ``world_size`` how many there are; by default as
        ``torch.distributed`` says.
    :param threads: threads that make samples; by default as many as this process may run on.
    :param ahead: batches that may be ready in addition to those that the ``threads`` are making.
    :param on_reject: ``"raise"`` a `RejectedError` that names the sample, or ``"skip"`` it: then the batch is smaller, and the
        reject is added to `skipped`.
    """

    def __init__(
        self,
        plan: Plan,
        people: Any = None,
        *,
        batch_size: int = 1,
        shuffle: bool = True,
        drop_last: bool = False,
        split: str | None = None,
        sink: str | None = None,
        seed: int | None = None,
        overrides: Mapping[str, Any] | None = None,
        epoch: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
        threads: int | None = None,
        ahead: int = AHEAD,
        to_float: ToFloat = False,
        columns: Sequence[str] | None = None,
        on_reject: Literal["raise", "skip"] = "raise",
    ) -> None:
        super().__init__(
            batch_size=batch_size,
            shuffle=shuffle,
            drop_last=drop_last,
            seed=seed,
            epoch=epoch,
            rank=rank,
            world_size=world_size,
            threads=threads,
            ahead=ahead,
        )
        if on_reject not in ("raise", "skip"):
            raise ConfigError(f"`on_reject` must be 'raise' or 'skip', found {on_reject!r}")
        self.on_reject = on_reject
        #: Rejects of the samples that were skipped, as dictionaries, since the loader was made.
        self.skipped: list[dict[str, Any]] = []
        self._plan = _Plan(plan, overrides, people, split, sink, seed, to_float)
        schema = self.schema
        self.columns = default_columns(schema) if columns is None else check_columns(schema, columns)
        self.order()

    @property
    def schema(self) -> pa.Schema:
        """All columns that the plan makes."""
        return self._open().schema

    @property
    def people(self) -> pa.RecordBatch:
        """The rows that the plan selected."""
        return self._open().people

    @property
    def rejects(self) -> pa.RecordBatch:
        """The rows that it did not select, with the reason."""
        return self._open().rejects

    def _open(self) -> _native.NativeChain:
        return self._plan.chain()

    def _columns(self) -> Sequence[str]:
        return self.columns

    def _seed(self) -> int:
        return self._open().seed

    def _take_rejects(self, rejects: pa.RecordBatch) -> None:
        if self.on_reject == "raise":
            rejected.check(rejects)
        else:
            self.skipped.extend(rejects.to_pylist())
