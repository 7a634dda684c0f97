"""What loaders share: an epoch as batches, the part of this process, the position in the epoch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import torch.utils.data

from ..errors import ConfigError
from . import rejected
from .sharing import rank_and_world_size, worker_and_workers
from .tensors import to_tensors

_STATE_VERSION = 1


class Loader(torch.utils.data.IterableDataset[dict[str, Any]]):
    """One epoch as batches of tensors, made in advance on threads in Rust.

    ``for batch in loader`` gives the loader's current epoch and then moves on to the next one. In the worker processes
    of a ``DataLoader`` (which it does not need) it cannot know when all are done: call `set_epoch` there.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        shuffle: bool,
        drop_last: bool,
        seed: int | None,
        epoch: int,
        rank: int | None,
        world_size: int | None,
        threads: int | None,
        ahead: int,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.threads = threads or _processors()
        self.ahead = ahead
        self._epoch = epoch
        self._position = 0
        self._start = 0
        rank_and_world_size(rank, world_size)

    # What each kind of loader has of its own.

    def _open(self) -> Any:
        raise NotImplementedError

    def _columns(self) -> Sequence[str]:
        raise NotImplementedError

    def _rows(self) -> int:
        raise NotImplementedError

    def _take_rejects(self, rejects: Any) -> None:
        rejected.check(rejects)

    # The epoch.

    @property
    def epoch(self) -> int:
        """The epoch of the next ``for`` loop, from 0."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Go to the start of ``epoch``: another order, and on the fly other copies."""
        self._epoch = epoch
        self._start = 0
        self._position = 0

    def _share(self) -> dict[str, int]:
        rank, world_size = rank_and_world_size(self.rank, self.world_size)
        worker, workers = worker_and_workers()
        return {"rank": rank, "world_size": world_size, "worker": worker, "workers": workers}

    def _keys(self) -> dict[str, Any]:
        shuffle = self._seed() if self.shuffle else None
        keys = {"shuffle": shuffle, "epoch": self._epoch, "batch_size": self.batch_size, "drop_last": self.drop_last}
        return keys | self._share()

    def _seed(self) -> int:
        return self.seed or 0

    def order(self) -> list[list[int]]:
        """The numbers of the rows of each batch of this epoch that this process reads."""
        order: list[list[int]] = self._open().order(**self._keys())
        return order

    def __len__(self) -> int:
        """Batches of an epoch that this process reads."""
        return len(self.order())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        epoch, start = self._epoch, self._start
        self._position, self._start = start, 0
        stream = self._open().epoch(**self._keys(), start=start, threads=self.threads, ahead=self.ahead)
        columns = self._columns()
        try:
            while (made := stream.next()) is not None:
                number, rows, rejects = made
                self._position = number + 1
                self._take_rejects(rejects)
                if rows.num_rows > 0:
                    yield to_tensors(rows, columns)
        finally:
            stream.stop()
        if self._epoch == epoch and torch.utils.data.get_worker_info() is None:
            self.set_epoch(epoch + 1)

    # Where it stands.

    def _identity(self) -> dict[str, Any]:
        keys = self._keys()
        del keys["epoch"]
        return keys | {"content": self._open().content_hash}

    def state_dict(self) -> dict[str, Any]:
        """The position in the epoch: plain numbers and text, to be saved with the network.

        The batches that a ``for`` loop has received count as done. A loader that is built from the same arguments and
        loads this state continues with the very next batch, bit for bit.
        """
        return {
            "version": _STATE_VERSION,
            "epoch": self._epoch,
            "batch": self._position or self._start,
            **self._identity(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where ``state`` was taken.

        :raises ConfigError: the state is of other data or settings; the message names the first that differs.
        """
        expected = {"version": _STATE_VERSION, **self._identity()}
        for key, value in expected.items():
            if key not in state:
                raise ConfigError(f"the state has no `{key}`")
            if state[key] != value:
                raise ConfigError(f"the state belongs to another loader: `{key}` is {state[key]!r} there and {value!r} here")
        self.set_epoch(int(state["epoch"]))
        self._start = int(state["batch"])


def _processors() -> int:
    """Processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
