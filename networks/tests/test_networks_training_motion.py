"""Networks of motion, tiny: from windows to ONNX, and from there through `embed`; which sessions validate."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")
pytest.importorskip("onnx", reason="the export needs onnx")

from motionmill import run_plan, synthetic
from motionmill_networks import MOTION
from motionmill_networks.sessions import hold_back, most_probable
from network_runs import as_before, lines_of, rows_of, train


@pytest.fixture(autouse=True)
def settings_of_torch():
    with as_before():
        yield


@pytest.fixture(scope="module")
def windows(tmp_path_factory) -> Path:
    """Windows of five synthetic people, three of whom are trained on."""
    folder = tmp_path_factory.mktemp("windows")
    logs = synthetic.write_logs(folder / "logs", subjects=5, sessions=3, seconds=6.0, seed=5)
    changes = {
        "sources.logs.read.hmog.path": logs,
        "stages.people.run.split_subjects": {"counts": {"train": 3, "validation": 1, "test": 1}},
        "stages.windows.run.window": {"blocks": 4, "block_samples": 25, "block_hop_samples": 12},
    }
    sinks = {f"sinks.{name}.write.parquet.path": folder / name for name in ("quality", "normaliser", "windows")}
    run_plan("recipe:hmog", changes | sinks, threads=1)
    return folder / "windows"


@pytest.mark.parametrize("system", MOTION)
def test_motion_goes_from_windows_to_embeddings(system, windows, tmp_path):
    out, log = tmp_path / "network.onnx", tmp_path / "log.jsonl"
    more = ["--set", "pools=[2, 2, 2]", "--clip", 1, "--log", log]
    train("motion", system, windows, "--size", "tiny", "--epochs", 4, "--out", out, *more)
    first, *_, last = lines_of(log)[1:]
    assert last["loss"] < first["loss"] and 0 <= last["accuracy"] <= last["accuracy_within_1"] <= 1
    plan = {
        "sources": {"windows": {"read": {"table": {"path": windows}}}},
        "stages": {"features": {"inputs": ["windows"], "run": {"embed": {"model": out}}}},
        "sinks": {"features": {"inputs": ["features"], "write": {"parquet": {"path": tmp_path / "features"}}}},
    }
    run_plan(plan, threads=1)
    rows, count = rows_of(tmp_path / "features"), len(rows_of(windows))
    assert len(rows) == count * (1 if system == "lt-convnet" else 4)
    assert {len(row["embedding"]) for row in rows} == {12}


def test_motion_is_learned(windows, tmp_path):
    log = tmp_path / "log.jsonl"
    more = ["--set", "pools=[2, 2, 2]", "--epochs", 8, "--clip", 1, "--log", log]
    train("motion", "conv-dcwrnn", windows, "--size", "tiny", "--out", tmp_path / "network.onnx", *more)
    assert lines_of(log)[-1]["accuracy"] > 0.6, "three people, in sessions that it has not seen"


def test_whole_sessions_are_held_back():
    counts = {(subject, "phone", f"{n:02}"): n + 1 for subject in "abc" for n in range(10)} | {("d", "phone", "1"): 9}
    held = hold_back(counts, "session", 0.2, seed=1)
    assert sorted(session[0] for session in held) == ["a", "a", "b", "b", "c", "c"], "the only session of d stays"
    assert held == hold_back(dict(reversed(counts.items())), "session", 0.2, seed=1)
    assert held != hold_back(counts, "session", 0.2, seed=2)
    by_window = hold_back(counts, "window", 0.2, seed=1)
    for subject in "abc":
        share = sum(counts[session] for session in by_window if session[0] == subject) / 55
        assert 0 < share < 0.4
    assert hold_back(counts, "session", 0.0, seed=1) == set()
    assert len(hold_back(counts, "session", 1.0, seed=1)) == 27, "never all of somebody's"


def test_five_percent_of_the_classes():
    assert [most_probable(classes) for classes in (2, 29, 30, 49, 50, 587)] == [1, 1, 2, 2, 3, 29]
