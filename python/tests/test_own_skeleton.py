"""A skeleton of one's own, from pictures to a trained network and its average precision."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="motionmill.torch needs PyTorch")

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageDraw

import motionmill
from motionmill import torch as mt

SKELETON = """
name = "kite"
joints = ["tip", "left_wing", "right_wing", "tail"]
limbs = [["tip", "left_wing"], ["tip", "right_wing"], ["tip", "tail"]]
sigmas = [0.05, 0.06, 0.06, 0.08]
"""
COLOURS = [(230, 40, 40), (40, 220, 60), (50, 70, 230), (230, 220, 50)]
#: The joints of a kite about its middle, in parts of its size.
SHAPE = np.array([[0.0, -0.45], [-0.35, 0.0], [0.35, 0.0], [0.0, 0.45]])
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def draw(folder: Path, count: int, seed: int) -> Path:
    """Pictures of one or two kites, annotated as another program would."""
    random = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(count):
        picture = Image.fromarray(random.integers(90, 150, (96, 160, 3), dtype=np.uint8))
        brush = ImageDraw.Draw(picture)
        for kite in range(1 + number % 2):
            size, turn = random.uniform(44, 60), random.uniform(-0.5, 0.5)
            rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
            middle = np.array([40.0 + 80 * kite, 48.0]) + random.uniform(-5, 5, 2)
            joints = middle + size * SHAPE @ rotation.T
            for (x, y), colour in zip(joints, COLOURS, strict=True):
                brush.ellipse((x - 4, y - 4, x + 4, y + 4), fill=colour)
            low, high = joints.min(0) - 4, joints.max(0) + 4
            annotations.append(
                {
                    "id": len(annotations),
                    "image_id": number,
                    "category_id": 3,
                    "bbox": [*low, *(high - low)],
                    "area": float(np.prod(high - low)),
                    "iscrowd": 0,
                    "keypoints": [value for point in joints for value in (*point, 2)],
                    "num_keypoints": 4,
                }
            )
        picture.save(folder / f"images/{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": 160, "height": 96})
    category = {"id": 3, "name": "kite", "keypoints": ["tip", "left wing", "right wing", "tail"], "skeleton": []}
    file = folder / "kites.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [category]}))
    return file


def people(folder: Path, file: Path, skeleton: Path) -> Path:
    source = {"coco": {"annotations": file, "images": file.parent / "images", "split": "test", "skeleton": skeleton}}
    out = folder / "people"
    sink = {"inputs": ["a"], "write": {"parquet": {"path": out}}}
    run(folder, {"sources": {"a": {"read": source}}, "sinks": {"b": sink}})
    return out


def run(folder: Path, plan: Mapping[str, Any]) -> None:
    motionmill.run_plan({"seed": 3, "rejects": folder / "rejects", **plan}, force=True)


def table_of(folder: Path) -> pa.Table:
    return pa.concat_tables(pq.read_table(shard) for shard in sorted(folder.glob("*.parquet")))


def shards(folder: Path, table: Path) -> Path:
    """Augmented samples with their targets."""
    steps: list[tuple[str, dict[str, Any]]] = [
        ("repeat", {"copies": 6}),
        ("crop", {"size": [64, 64], "frame": {"box": {"margin": 1.25}}}),
        ("scale", {"uniform": {"min": 0.85, "max": 1.15}}),
        ("rotate", {"uniform": {"max_degrees": 20}}),
        ("warp", {}),
        ("encode_heatmaps", {"stride": 4, "style": {"patch": {"sigma": 1.5}}, "missing": "mask"}),
        ("encode_image", "png"),
    ]
    stages, before = {}, "people"
    for name, keys in steps:
        stages[name] = {"inputs": [before], "run": {name: keys}}
        before = name
    out = folder / "samples"
    sources = {"people": {"read": {"table": {"path": table}}}}
    sink = {"inputs": [before], "write": {"parquet": {"path": out}}}
    run(folder, {"sources": sources, "stages": stages, "sinks": {"out": sink}})
    return out


def network() -> Any:
    layers = torch.nn
    return layers.Sequential(
        layers.Conv2d(3, 16, 5, stride=2, padding=2),
        layers.ReLU(),
        layers.Conv2d(16, 32, 5, stride=2, padding=2),
        layers.ReLU(),
        layers.Conv2d(32, 32, 3, padding=1),
        layers.ReLU(),
        layers.Conv2d(32, 4, 1),
    )


def trained(table: Path) -> Any:
    """A small network, trained for some seconds."""
    torch.manual_seed(1)
    net = network()
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    mean, std = torch.tensor(MEAN), torch.tensor(STD)
    loader = mt.ShardLoader(table, batch_size=32, seed=2)
    for _ in range(12):
        for batch in loader:
            image = ((batch["image"].float() - mean) / std).permute(0, 3, 1, 2)
            loss = ((net(image) - batch["heatmaps"]) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return net.eval()


def test_a_skeleton_of_ones_own_goes_from_pictures_to_average_precision(tmp_path: Path) -> None:
    skeleton = tmp_path / "kite.toml"
    skeleton.write_text(SKELETON)
    table = people(tmp_path, draw(tmp_path / "train", 60, seed=4), skeleton)
    samples = shards(tmp_path, table)
    assert mt.ShardDataset(samples)[0]["heatmaps"].shape == (4, 16, 16)

    model = tmp_path / "kites.onnx"
    example = torch.zeros(1, 3, 64, 64)
    names: dict[str, Any] = {"input_names": ["image"], "output_names": ["maps"]}
    free = {"image": {0: "n"}, "maps": {0: "n"}}
    torch.onnx.export(trained(samples), (example,), str(model), **names, dynamic_axes=free, dynamo=False)
    command = [sys.executable, "-m", "motionmill", "card", model, "--family", "hrnet", "--skeleton", skeleton]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    card = model.with_suffix(".toml")

    held = tmp_path / "held"
    held.mkdir()
    truth = people(held, draw(held / "raw", 24, seed=5), skeleton)
    overrides = {
        "sources.people.read.table.path": truth,
        "stages.crop.run.crop.card": card,
        "stages.network.run.infer.model": model,
        "sinks.keypoints.write.parquet.path": held / "keypoints",
    }
    motionmill.run_plan("recipe:predict-by-card", overrides)
    read = {name: table_of(held / name) for name in ("people", "keypoints")}
    scores = motionmill.evaluate_pose(read["people"], read["keypoints"], protocol="coco-oks", resamples=0).to_pylist()
    of_all = [row for row in scores if row["group"] == "total" and row["joint"] is None]
    precision = {(row["metric"], row["threshold"]): row["value"] for row in of_all}
    assert precision["ap", None] > 80, precision

    # What is written as COCO results scores the same when it is read again.
    results = held / "results.json"
    sources = {name: {"read": {"table": {"path": held / name}}} for name in ("people", "keypoints")}
    sink = {"inputs": ["keypoints", "people"], "write": {"coco_results": {"path": results}}}
    run(held, {"sources": sources, "sinks": {"results": sink}})
    again = motionmill.read.coco_results(read["people"], file=results)
    rescored = motionmill.evaluate_pose(read["people"], again, protocol="coco-oks", resamples=0).to_pylist()
    def of(rows: list[dict[str, Any]], metric: str) -> list[float]:
        return [row["value"] for row in rows if row["metric"] == metric and row["joint"] is None]

    assert np.allclose(of(scores, "ap"), of(rescored, "ap"), atol=0.5)
