"""What was scored of the motion systems: each model over the deals of people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from motionmill_networks import motion_system
from motionmill_networks.counts import parameters
from motionmill_networks.train_motion import build
from prove import MOTION, SEEDS

from .markdown import NONE, listed, percent
from .tables import Figure, Kept, Training, read

RAW = "raw"
PROTOCOL = "verification"
EER, HTER = "eer", "hter"
#: The group of the EER's row: how it is read off the curve.
LINEAR = "linear"


@dataclass(frozen=True)
class Row:
    """A model over the deals."""

    model: str
    deals: dict[int, Kept]
    """Those that were run."""
    untrained: dict[int, Kept] = field(default_factory=dict)
    """The same with the network as it was before its training."""

    def figures(self, metric: str) -> dict[int, Figure]:
        """Of each deal."""
        group = LINEAR if metric.startswith(EER) else None
        return {deal: kept.metrics.figure(metric, group=group) for deal, kept in self.deals.items()}

    def mean(self, metric: str, deals: Sequence[int] | None = None) -> float:
        """Over some deals, or all that were run."""
        figures = self.figures(metric)
        values = [figures[deal].value for deal in (deals or figures)]
        return sum(values) / len(values)

    def spread(self, metric: str) -> str:
        """The mean and the range; where a deal is missing, of how many."""
        values = [figure.value for figure in self.figures(metric).values()]
        some = "" if len(values) == len(SEEDS) else f"; {len(values)} of {len(SEEDS)} deals"
        return f"{percent(self.mean(metric))} ({percent(min(values))} to {percent(max(values))}{some})"

    @property
    def before(self) -> "Row":
        """The model before its training."""
        return Row(self.model, self.untrained)

    @property
    def trainings(self) -> list[Training]:
        return [kept.training for kept in self.deals.values() if kept.training is not None]

    @property
    def accuracy(self) -> str:
        """Mean over the deals, percent: within the most probable classes, behind the last epoch."""
        shares = [_within(training) for training in self.trainings]
        return percent(100 * sum(shares) / len(shares)) if shares else NONE

    @property
    def size(self) -> str:
        """Parameters, for the classes of a deal."""
        return listed(
            [f"{count:,}" for count in sorted({_parameters(training) for training in self.trainings})] or [NONE]
        )


def read_all(results: Path) -> dict[str, Row]:
    """All models, the raw features first; what was not run has no deals."""
    rows = {}
    for model in (RAW, *MOTION):
        folders = {deal: results / "sp-sw-har" / f"{model}-{deal}" for deal in SEEDS}
        found = {deal: read(folder, PROTOCOL, model != RAW) for deal, folder in folders.items()}
        before = {deal: read(folder, PROTOCOL, False, "untrained.parquet") for deal, folder in folders.items()}
        rows[model] = Row(model, _run(found), _run(before))
    return rows


def _run(deals: Mapping[int, Kept | None]) -> dict[int, Kept]:
    """Those deals that were run."""
    return {deal: kept for deal, kept in deals.items() if kept is not None}


def common(row: Row, raw: Row) -> list[int]:
    """The deals that both were run on."""
    return sorted(row.deals.keys() & raw.deals.keys())


def _within(training: Training) -> float:
    (key,) = [key for key in training.epochs[-1] if key.startswith("accuracy_within_")]
    return training.epochs[-1][key]


def _parameters(training: Training) -> int:
    run = training.run
    with torch.device("meta"):
        return parameters(build(motion_system(run["system"]), run, run["classes"], run["arguments"]))
