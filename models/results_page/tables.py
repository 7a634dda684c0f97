"""What is kept of a run under `docs/results`: its `metrics` table, and the log of the training before it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet


@dataclass(frozen=True)
class Figure:
    """A number of a table, percent, with its 95 % interval and how many joints, sticks or trials it rests on."""

    value: float
    count: int
    low: float | None
    high: float | None

    @property
    def interval(self) -> str:
        return "–" if self.low is None or self.high is None else f"{self.low:.1f} to {self.high:.1f}"


class Metrics:
    """The rows of a `metrics` table."""

    def __init__(self, rows: Iterable[dict[str, Any]], name: str) -> None:
        self.rows, self.name = list(rows), name

    def figures(self, metric: str, joint: str | None = None, group: str | None = None, **where: Any) -> list[Figure]:
        """Those of `metric` of a joint, of a group, or of neither; `where` names further columns and what they hold."""
        found = [
            Figure(row["value"], row["count"], row["ci_low"], row["ci_high"])
            for row in self.rows
            if (row["metric"], row["joint"], row["group"]) == (metric, joint, group)
            and all(_same(row[column], value) for column, value in where.items())
        ]
        return found

    def figure(self, metric: str, joint: str | None = None, group: str | None = None, **where: Any) -> Figure:
        """The only one of `figures`.

        :raises ValueError: there is none, or more than one.
        """
        found = self.figures(metric, joint, group, **where)
        if len(found) != 1:
            asked = {"metric": metric, "joint": joint, "group": group, **where}
            raise ValueError(f"expected one row of {asked}, found {len(found)}: `{self.name}`")
        return found[0]

    def distinct(self, column: str) -> list[Any]:
        """What `column` holds, in order, without the nulls."""
        return sorted({row[column] for row in self.rows} - {None})

    def of(self, column: str, value: str) -> "Metrics":
        """The rows whose `column` holds `value`."""
        return Metrics([row for row in self.rows if row[column] == value], self.name)


@dataclass(frozen=True)
class Training:
    """The log of a training run."""

    run: dict[str, Any]
    """Its settings, as `motionmill_networks` writes them."""
    device: str
    epochs: list[dict[str, Any]]
    stopped: dict[str, Any] | None = None
    """Where the time was up inside an epoch, if it was."""

    @property
    def seconds(self) -> float:
        """Of whole epochs."""
        return sum(epoch["seconds"] for epoch in self.epochs)

    @property
    def samples(self) -> float:
        """Samples seen, nearly: the log rounds their number a second."""
        rest = self.stopped["rows"] if self.stopped else 0
        return rest + sum(epoch["seconds"] * epoch["samples_per_second"] for epoch in self.epochs)

    @property
    def length(self) -> str:
        """Epochs; of how many, where it was stopped before its end."""
        asked, done = self.run["epochs"], len(self.epochs)
        if self.stopped:
            return f"{done + self.stopped['batch'] / self.stopped['batches']:.2f}"
        return str(done) if asked in (None, done) else f"{done} of {asked}"


@dataclass(frozen=True)
class Kept:
    """A folder of `docs/results`."""

    metrics: Metrics
    training: Training | None


def read(folder: Path, protocol: str, trained: bool = True, table: str = "metrics.parquet") -> Kept | None:
    """What the `table` of `folder` holds of `protocol`; `None` where it was not run.

    :raises FileNotFoundError: there are metrics of a network that is `trained`, and no log of its training.
    :raises ValueError: the table holds nothing of `protocol`.
    """
    path = folder / table
    if not path.exists():
        return None
    metrics = Metrics(parquet.read_table(path).to_pylist(), path.as_posix()).of("protocol", protocol)
    if not metrics.rows:
        raise ValueError(f"expected rows of protocol `{protocol}`, found none: `{path}`")
    return Kept(metrics, read_log(folder / "training.jsonl") if trained else None)


def read_log(path: Path) -> Training:
    """A log; a run that went on from a checkpoint has several opening lines, which agree but for the machine.

    :raises ValueError: they do not agree, or nothing was trained.
    """
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    openings, epochs = [one for one in lines if "run" in one], [one for one in lines if "epoch" in one]
    stops = [one for one in lines if "stopped_in" in one and one["stopped_in"] > len(epochs)]
    if not openings or not (epochs or stops):
        raise ValueError(f"expected an opening line and an epoch: `{path}`")
    if any(one["run"] != openings[0]["run"] for one in openings):
        raise ValueError(f"expected one run, found several: `{path}`")
    devices = list(dict.fromkeys(one["device"] for one in openings))
    return Training(openings[0]["run"], " and ".join(devices), epochs, stops[-1] if stops else None)


def _same(found: Any, asked: Any) -> bool:
    if isinstance(asked, float) and found is not None:
        return abs(found - asked) < 1e-9
    return found == asked
