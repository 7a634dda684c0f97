"""Samples and windows that ``motionmill run`` wrote, read back."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import torch.utils.data

from .. import _native
from .arguments import ToFloat, planes
from .loader import Loader
from .samples import AHEAD
from .tensors import Fetched, check_columns, default_columns, to_tensors

#: Rows among which a loader shuffles: three or four row groups of pictures with heatmaps.
BUFFER = 256
#: Row groups that stay in memory, 32 MiB each at most, unless more are shuffled together.
KEEP = 8


class _Table:
    """The arguments of a table, and the table once it was opened in this process."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        split: str | None,
        to_float: ToFloat,
        columns: Sequence[str] | None,
        keep: int,
    ) -> None:
        self._path = os.fspath(path)
        self._arguments: dict[str, Any] = {"split": split, "planes": planes(to_float), "keep": keep}
        self._shards: tuple[int, _native.NativeShards] | None = None
        schema = _native.NativeShards(self._path, split=split).schema
        self.available: list[str] = list(schema.names)
        self.columns = default_columns(schema) if columns is None else check_columns(schema, columns)
        # The id is read with a picture, so that one that cannot be decoded is named.
        read = set(self.columns) | ({"sample_id"} & set(schema.names))
        self._arguments["columns"] = sorted(read)

    def shards(self) -> _native.NativeShards:
        # Its row groups are kept behind a lock, which a forked process may have been born with closed.
        if self._shards is None or self._shards[0] != os.getpid():
            self._shards = (os.getpid(), _native.NativeShards(self._path, **self._arguments))
        return self._shards[1]

    def keep(self, groups: int) -> None:
        """Keep at least this many row groups."""
        if groups > self._arguments["keep"]:
            self._arguments["keep"] = groups
            self._shards = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_shards": None}


class ShardDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Rows of a table by number, for a ``DataLoader`` with a sampler of your own.

    A row group (up to 32 MiB) is read whole for each requested row, unless it is one of the last ``keep``. In order,
    this costs nothing; shuffled over the whole table it is slow, and `ShardLoader` is the better reader.

    :param path: the table folder: samples, with encoded images and heatmaps, or windows.
    :param split: only this split.
    :param to_float: as for `SampleDataset`.
    :param columns: what a row has; by default those of `SAMPLE_COLUMNS` or `WINDOW_COLUMNS` that the table has. Only
        these are read.
    :param keep: row groups that stay in memory.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        split: str | None = None,
        to_float: ToFloat = False,
        columns: Sequence[str] | None = None,
        keep: int = KEEP,
    ) -> None:
        self._table = _Table(path, split, to_float, columns, keep)

    @property
    def columns(self) -> list[str]:
        """What a row has."""
        return self._table.columns

    @property
    def schema(self) -> pa.Schema:
        """The columns that are read, with images decoded."""
        return self._table.shards().schema

    def __len__(self) -> int:
        return len(self._table.shards())

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """The rows ``indices``, in that order.

        :raises IndexError: there is no such row.
        :raises DataError: an image cannot be decoded, or has another size than the others; the message names the sample.
        """
        count = len(self)
        numbers = [index + count if index < 0 else int(index) for index in indices]
        for number, index in zip(numbers, indices):
            if not 0 <= number < count:
                raise IndexError(f"there is no row {index}: the table has {count}")
        rows = self._table.shards().rows(numbers)
        return Fetched(to_tensors(rows, self.columns), rows.num_rows)


class ShardLoader(Loader):
    """Batches of a table on disk, read and decoded on threads in Rust: ``for batch in loader``.

    Row groups come in an order keyed by (seed, epoch), the same for any number of ranks. Each rank takes an equal
    contiguous part of the rows in that order, so that it reads only its share of the files, and each worker process of
    a ``DataLoader`` a part of the rank's. Rows are then shuffled among as many neighbouring row groups as hold
    ``buffer`` rows.

    The arguments of `ShardDataset` and `SampleLoader` mean the same here. A table already contains its copies: the
    epoch only changes the order.

    :param seed: seed of the order.
    :param buffer: rows among which rows are shuffled, rounded up to whole row groups; they are all in memory.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        batch_size: int = 1,
        shuffle: bool = True,
        drop_last: bool = False,
        split: str | None = None,
        seed: int = 0,
        epoch: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
        threads: int | None = None,
        ahead: int = AHEAD,
        buffer: int = BUFFER,
        to_float: ToFloat = False,
        columns: Sequence[str] | None = None,
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
        self.buffer = buffer
        self._table = _Table(path, split, to_float, columns, KEEP)
        self._table.keep(self._groups_at_once())
        self.order()

    def _groups_at_once(self) -> int:
        """Row groups that batches in flight may need: those shuffled together, and those of the next stretch."""
        sizes = sorted(self._table.shards().group_rows)
        in_flight = self.buffer + self.batch_size * (self.threads + self.ahead)
        groups, rows = 1, 0
        for size in sizes:
            rows += size
            groups += 1
            if rows >= in_flight:
                break
        return 2 * groups

    @property
    def columns(self) -> list[str]:
        """What a batch has."""
        return self._table.columns

    @property
    def available(self) -> list[str]:
        """All columns that the table has, whether they are read or not."""
        return self._table.available

    @property
    def schema(self) -> pa.Schema:
        """The columns that are read, with images decoded."""
        return self._open().schema

    def _open(self) -> _native.NativeShards:
        return self._table.shards()

    def _columns(self) -> Sequence[str]:
        return self.columns

    def _keys(self) -> dict[str, Any]:
        return super()._keys() | {"buffer": self.buffer}
