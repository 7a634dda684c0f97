"""The papers' own networks, at their full size and untrained: as ONNX, through the recipe of their test, to a score."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")
onnx = pytest.importorskip("onnx", reason="the export needs onnx")

from motionmill import run_plan
from motionmill_networks import POSE
from network_runs import as_before, rows_of, train
from torch_people import write_people

#: For each system the people of its test, its recipes, its parameters and how many answers it gives.
SYSTEMS = {
    "cpm": ("lsp", "cpm-lsp", 31_219_866, 6),
    "hourglass": ("mpii", "hourglass-mpii", 25_434_112, 8),
    "hourglass-paper": ("mpii", "hourglass-mpii", 26_370_848, 2),
    "repose": ("lsp", "repose-lsp", 4_047_202, 5),
}


@pytest.fixture(autouse=True)
def settings_of_torch():
    with as_before():
        yield


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Tables of a few people in the format of a data set, each drawn once."""
    tables: dict[str, Path] = {}

    def draw(name: str) -> Path:
        if name not in tables:
            tables[name] = write_people(tmp_path_factory.mktemp(name), count=2, side=160, form=name)
        return tables[name]

    return draw


def run_test_of(recipe: str, people: Path, folder: Path, **more: object) -> list[dict]:
    """Run the recipe of a test on those people that are not held back; the rows of its keypoints."""
    changes = {
        "sources.people.read.table": {"path": people, "split": "train"},
        "sinks.keypoints.write.parquet.path": folder / "keypoints",
        "sinks.metrics.write.parquet.path": folder / "metrics",
    }
    run_plan(f"recipe:{recipe}-test", changes | more, threads=1)
    assert {row["metric"] for row in rows_of(folder / "metrics")} & {"pck", "pckh"}
    return rows_of(folder / "keypoints")


def samples_of(recipe: str, people: Path, folder: Path) -> Path:
    """The samples of a recipe as it ships."""
    changes = {"sources.people.read.table.path": people, "sinks.samples.write.parquet.path": folder / "samples"}
    run_plan(f"recipe:{recipe}", changes, threads=1)
    return folder / "samples"


def numbers_in(path: Path) -> int:
    """How many floating-point numbers a graph holds."""
    weights = onnx.load(path).graph.initializer
    return sum(torch.Size(one.dims).numel() for one in weights if one.data_type == onnx.TensorProto.FLOAT)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_network_of_its_papers_size_passes_through_its_papers_test(system, drawn, tmp_path):
    name, recipe, parameters, stages = SYSTEMS[system]
    people, out = drawn(name), tmp_path / "network.onnx"
    samples = samples_of(recipe, people, tmp_path)
    train("pose", system, samples, "--size", "paper", "--epochs", 0, "--batch", 1, "--outputs", "all", "--out", out)
    # Normalisations are folded into convolutions, or bring their statistics along.
    assert numbers_in(out) == pytest.approx(parameters, rel=0.02)
    found = run_test_of(recipe, people, tmp_path, **{"stages.network.run.infer.model": out})
    assert len({row["sample_id"] for row in found}) * stages == len(found) > 0
    assert all(row["model"] == system for row in found)


def test_all_systems_are_tried():
    # The cascade has a test of its own; those of another pooling differ by it alone.
    assert {*SYSTEMS, "tompson", "tompson-8", "tompson-16"} == set(POSE)


def test_the_cascade_of_its_papers_size_passes_through_its_papers_test(drawn, tmp_path):
    people, coarse, fine = drawn("mpii"), tmp_path / "coarse.onnx", tmp_path / "fine.onnx"
    samples = samples_of("tompson-mpii", people, tmp_path)
    of_all = ["--size", "paper", "--epochs", 0, "--batch", 1]
    train("pose", "tompson", samples, *of_all, "--checkpoint", tmp_path / "coarse.pt", "--out", coarse)
    train("fine", samples, "--coarse", tmp_path / "coarse.pt", *of_all, "--out", fine)
    assert numbers_in(coarse) == pytest.approx(24_695_182, rel=0.02)
    more = {
        "sources.training.read.table.path": people,
        "stages.coarse.run.infer.model": coarse,
        "stages.joints.run.refine.model": fine,
        "sinks.agreed_metrics.write.parquet.path": tmp_path / "agreed",
        "sinks.coarse_metrics.write.parquet.path": tmp_path / "coarse",
    }
    found = run_test_of("tompson-mpii", people, tmp_path, **more)
    assert len({row["sample_id"] for row in found}) == len(found) > 0
