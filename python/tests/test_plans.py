"""Whole plans from Python."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

import motionmill
from motionmill import ConfigError, FileError, InferenceError


def plan_text(people: Path, out: Path) -> str:
    return f"""
seed = 7
[sources.people]
read.table = {{ path = "{people}" }}
[stages.crop]
inputs = ["people"]
run.crop = {{ size = [64, 64], frame = {{ person = {{ height = 50 }} }} }}
[sinks.out]
inputs = ["crop"]
write.parquet = {{ path = "{out}" }}
"""


def test_a_plan_is_text_a_file_or_a_dictionary(people_folder: Path, tmp_path: Path) -> None:
    text = plan_text(people_folder, tmp_path / "out")
    file = tmp_path / "plan.toml"
    file.write_text(text)
    graph = motionmill.check_plan(text)
    assert "crop_from_image" in graph and graph == motionmill.check_plan(file) == motionmill.check_plan(str(file))
    summary = motionmill.run_plan(file, threads=2)
    assert str(summary) == summary.text and "crop (crop)" in summary.text
    crop = next(node for node in summary.nodes if node.name == "crop")
    assert crop.rows_in == crop.rows_out + crop.rejected > 0 and sum(summary.rejected.values()) == crop.rejected
    assert summary.tables[0].folder == tmp_path / "out" and not summary.tables[0].already
    assert motionmill.run_plan(text).tables[0].already
    with pytest.raises(FileError, match="the output folder exists") as refused:
        motionmill.run_plan(text, {"seed": 8})
    assert refused.value.hint is not None
    again = motionmill.run_plan(text, {"seed": 8, "stages.crop.run.crop.size": [32, 32]}, force=True)
    assert not again.tables[0].already
    assert motionmill.read_table(tmp_path / "out").column("crop_size").to_pylist()[0] == [32, 32]


def test_a_bad_plan_is_refused_where_it_is_bad(people_folder: Path, tmp_path: Path) -> None:
    text = plan_text(people_folder, tmp_path / "out")
    with pytest.raises(ConfigError, match=r"(?s)line 7, column .*unknown field `siz`"):
        motionmill.check_plan(text.replace("size =", "siz ="))
    with pytest.raises(ConfigError, match="takes its rows from `person`"):
        motionmill.check_plan(text, {"stages.crop.inputs": ["person"]})
    with pytest.raises(ConfigError, match="cannot set `seed.x`"):
        motionmill.check_plan(text, {"seed.x": 1})
    with pytest.raises(FileError, match=r"no/such\.toml"):
        motionmill.run_plan("no/such.toml")
    with pytest.raises(ConfigError, match="a plan is a path"):
        motionmill.run_plan(3)
    narrow = {
        "stages.narrow": {"inputs": ["people"], "run": {"select": {"drop": ["center"]}}},
        "stages.crop.inputs": ["narrow"],
    }
    with pytest.raises(motionmill.SchemaError, match="on the edge `narrow` -> `crop`: column `center` is missing"):
        motionmill.check_plan(text, narrow)


def test_every_recipe_is_there() -> None:
    recipes = motionmill.recipes()
    assert "hourglass-mpii" in recipes and "[sources." in recipes["hourglass-mpii"]


def test_an_interrupted_run_ends_and_goes_on_later(people_folder: Path, tmp_path: Path) -> None:
    changes = {
        "runner.batch_rows": 1,
        "stages.many": {"inputs": ["people"], "run": {"repeat": {"copies": 400}}},
        "stages.crop.inputs": ["many"],
        "stages.warp": {"inputs": ["crop"], "run": {"warp": {}}},
        "sinks.out.inputs": ["warp"],
    }
    text = plan_text(people_folder, tmp_path / "out")
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        motionmill.run_plan(text, changes, threads=1)
    assert time.perf_counter() - started < 20
    assert not (tmp_path / "out").exists()


def test_a_missing_network_is_no_abort(tmp_path: Path) -> None:
    model = tmp_path / "broken.onnx"
    model.write_bytes(b"no network")
    model.with_suffix(".toml").write_text("")
    with pytest.raises((ConfigError, InferenceError, FileError), match="broken"):
        motionmill.stages.Infer(model=model)
