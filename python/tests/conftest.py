"""What the tests share: small synthetic people and logs, made once."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

import motionmill
from environment import COMMAND
from motionmill import stages, synthetic


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> synthetic.WrittenPeople:
    """MPII's format, 24 small pictures."""
    return synthetic.write_people("mpii", tmp_path_factory.mktemp("mpii"), images=24, size=(320, 240), seed=3)


@pytest.fixture(scope="session")
def people(drawn: synthetic.WrittenPeople) -> pa.Table:
    """The training people of `drawn`, in one chunk."""
    read = motionmill.read_people("mpii", annotations=drawn.annotations, images=drawn.images)
    chosen = stages.Filter(where="split = 'train' AND annotated_joints >= 8 AND scale > 0")
    return chosen.run(read).rows.combine_chunks()


@pytest.fixture(scope="session")
def batch(people: pa.Table) -> pa.RecordBatch:
    """The same as one record batch."""
    return people.to_batches()[0]


@pytest.fixture(scope="session")
def people_folder(drawn: synthetic.WrittenPeople, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`drawn` as the command ingests it."""
    out = tmp_path_factory.mktemp("tables") / "people"
    source = {"mpii": {"annotations": drawn.annotations, "images": drawn.images}}
    plan = {"sources": {"a": {"read": source}}, "sinks": {"b": {"inputs": ["a"], "write": {"parquet": {"path": out}}}}}
    motionmill.run_plan(plan)
    return out


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HMOG's format, three people."""
    return synthetic.write_logs(tmp_path_factory.mktemp("hmog"), subjects=3, sessions=2, seconds=6.0, seed=5)


@pytest.fixture(scope="session")
def command() -> list[str]:
    """How the command is called."""
    return COMMAND
