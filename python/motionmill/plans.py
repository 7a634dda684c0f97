"""Whole plans: checked, run and summarised, as by ``motionmill plan`` and ``motionmill run``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from . import _native

__all__ = ["NodeSummary", "Summary", "TableSummary", "check_plan", "recipes", "run_plan"]

#: A path, ``recipe:NAME``, TOML text of several lines, or the plan as a dictionary.
Plan = Union[str, "os.PathLike[str]", Mapping[str, Any]]


@dataclass(frozen=True)
class NodeSummary:
    """What went through one source, stage or sink."""

    name: str
    kind: str
    rows_in: int
    rows_out: int
    rejected: int
    #: Summed over threads.
    seconds: float


@dataclass(frozen=True)
class TableSummary:
    """One table, or export, that was written."""

    #: Its folder, or the file of an export that is one.
    folder: Path
    rows: int
    #: ``None`` for what is not cut into shards.
    shards: int | None
    #: Whether it was there already, by the same work.
    already: bool


@dataclass(frozen=True)
class Summary:
    """The summary of a run; as text it is what the command prints."""

    #: In dataflow order.
    nodes: tuple[NodeSummary, ...]
    #: The rejects table is the last.
    tables: tuple[TableSummary, ...]
    #: Rows that were rejected, by reason.
    rejected: dict[str, int]
    notes: tuple[str, ...]
    #: Wall time.
    seconds: float
    text: str

    def __str__(self) -> str:
        return self.text


def recipes() -> dict[str, str]:
    """The plans that ship with motionmill: TOML text by name. ``run_plan("recipe:NAME")`` runs one."""
    return dict(_native.recipes())


def check_plan(plan: Plan, overrides: Mapping[str, Any] | None = None) -> str:
    """Check ``plan`` without reading a row; return its graph as text, with the schema on each edge."""
    return _native.check_plan(_given(plan), dict(overrides or {}))


def run_plan(
    plan: Plan,
    overrides: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    force: bool = False,
    fail_on_rejects: int | str | None = None,
) -> Summary:
    """Check ``plan``, then run it. A run that keeps nothing of what it reads is an error, its tables are complete.

    :param plan: a path, ``recipe:NAME``, TOML text of several lines, or a dictionary.
    :param overrides: values of the plan by dotted key: ``{"sources.people.read.table.path": "people"}``.
    :param threads: by default as many as the machine has; the output does not depend on them.
    :param force: replace outputs that other work has written there.
    :param fail_on_rejects: an error where more rows are rejected than this number, or this share of those read
        (``"5%"``); what a filter leaves out does not count. The tables are written all the same.
    """
    threads = threads or os.cpu_count() or 1
    most = None if fail_on_rejects is None else str(fail_on_rejects)
    told = json.loads(_native.run_plan(_given(plan), dict(overrides or {}), threads, force, most))
    return Summary(
        nodes=tuple(NodeSummary(**node) for node in told["nodes"]),
        tables=tuple(TableSummary(**{**table, "folder": Path(table["folder"])}) for table in told["tables"]),
        rejected=told["rejected"],
        notes=tuple(told["notes"]),
        seconds=told["seconds"],
        text=told["text"],
    )


def _given(plan: Plan) -> Any:
    return dict(plan) if isinstance(plan, Mapping) else plan
