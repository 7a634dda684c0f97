"""How the tests of networks train them: the command in this process, on one thread."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch

from motionmill_networks.__main__ import main


def train(*arguments: object, exit_code: int = 0) -> None:
    """Run ``python -m motionmill_networks``."""
    alone = [] if arguments[0] in ("list", "export") else ["--threads", "1"]
    assert main([str(argument) for argument in [*arguments, *alone]]) == exit_code


@contextmanager
def as_before() -> Iterator[None]:
    """What training sets for the whole process is put back."""
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


def lines_of(log: Path) -> list[dict[str, Any]]:
    """The lines of a log."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def rows_of(table: Path) -> list[dict[str, Any]]:
    """The rows of a table folder."""
    return [row for shard in sorted(table.glob("*.parquet")) for row in pq.read_table(shard).to_pylist()]
