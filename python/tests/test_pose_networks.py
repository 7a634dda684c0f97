"""Real networks of every kind against their references, by the cards that ``motionmill card`` writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import motionmill

DATA = Path(os.environ.get("MOTIONMILL_REAL_DATA", Path(__file__).parents[3] / "shared/data"))
MODELS = DATA / "models"
IMAGES = DATA / "mpii/images"

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason="the real networks are not here")

Floats = npt.NDArray[np.float64]


def reference(network: str) -> dict[str, Any]:
    """What the network gave for the people, by the program that it comes from."""
    return dict(json.loads((MODELS / f"{network}.reference.json").read_text()))


def people_table(folder: Path, people: list[Mapping[str, Any]]) -> Path:
    """People of known centre and scale as a table; a COCO file states them by their boxes."""
    joints = motionmill.skeleton("coco17").joints
    names = sorted({str(person["image"]) for person in people})
    images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
    annotations = []
    for number, person in enumerate(people):
        (x, y), half = person["center"], 100 * person["scale"]
        annotations.append(
            {
                "id": number,
                "image_id": names.index(person["image"]),
                "category_id": 1,
                "bbox": [x - half, y - half, 2 * half, 2 * half],
                "area": 4 * half * half,
                "iscrowd": 0,
                "num_keypoints": 1,
                "keypoints": [x, y, 2] + [0, 0, 0] * 16,
            }
        )
    file = folder / "people.json"
    category = {"id": 1, "name": "person", "keypoints": list(joints)}
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [category]}))
    source = {"coco": {"annotations": file, "images": IMAGES, "split": "test"}}
    out = folder / "people"
    plan = {"sources": {"a": {"read": source}}, "sinks": {"b": {"inputs": ["a"], "write": {"parquet": {"path": out}}}}}
    motionmill.run_plan(plan, force=True)
    return out


def card(network: Path, family: str, out: Path, *more: str, change: Callable[[str], str] = str) -> Path:
    """The card of ``network``, changed by ``change``."""
    command = [sys.executable, "-m", "motionmill", "card", str(network), "--family", family, "--out", str(out), *more]
    subprocess.run(command, check=True, capture_output=True, text=True)
    out.write_text(change(out.read_text()))
    return out


def predicted(folder: Path, recipe: str, people: Path, overrides: Mapping[str, Any]) -> pa.Table:
    """The keypoints that ``recipe`` gives."""
    out = folder / "keypoints"
    given = {"sources.people.read.table.path": people, "sinks.keypoints.write.parquet.path": out}
    motionmill.run_plan(f"recipe:{recipe}", {**given, **overrides}, force=True)
    return pa.concat_tables(pq.read_table(shard) for shard in sorted(out.glob("*.parquet")))


def by_card(folder: Path, people: Path, network: Path, card_file: Path, **infer: Any) -> pa.Table:
    """The keypoints of one crop a person."""
    given = {
        "stages.crop.run.crop.card": card_file,
        "stages.network.run.infer.model": network,
        "stages.network.run.infer.card": card_file,
    }
    more = {f"stages.network.run.infer.{key}": value for key, value in infer.items()}
    return predicted(folder, "predict-by-card", people, {**given, **more})


def points(table: pa.Table, row: int) -> Floats:
    """``[K, 2]`` px of the image."""
    return np.array(table["keypoints"][row].as_py(), float)


def close(away: list[float]) -> None:
    """The bar for one way of sampling against another."""
    found = f"median {np.median(away):.3f} px, 95 % {np.quantile(away, 0.95):.3f} px"
    assert np.median(away) <= 1 and np.quantile(away, 0.95) <= 5, found
    print(found)


@pytest.mark.parametrize(("network", "family"), [("movenet_lightning", "movenet"), ("blazepose_lite", "blazepose")])
def test_networks_of_coordinates_give_their_reference(network: str, family: str, tmp_path: Path) -> None:
    expected = reference(network)["people"]
    people = people_table(tmp_path, expected)
    model = MODELS / f"{network}.onnx"
    table = by_card(tmp_path, people, model, card(model, family, tmp_path / "card.toml"))
    chosen = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28] if family == "blazepose" else range(17)
    away, scores_away = [], []
    by_image = {Path(path).name: row for row, path in enumerate(table["image_path"].to_pylist())}
    for person in expected:
        row = by_image[person["image"]]
        places = np.array(person["keypoints"])[list(chosen)]
        scores = np.array(person["scores"])[list(chosen)]
        sure = scores >= 0.5
        scale = person["crop_from_image"][0]
        away += list(scale * np.linalg.norm(points(table, row) - places, axis=1)[sure])
        scores_away += list(np.abs(np.array(table["score"][row].as_py()) - scores))
    close(away)
    assert np.median(scores_away) < 0.02
    if family == "blazepose":
        assert min(table["detection_score"].to_pylist()) > 0.99


def whole_pictures(table: pa.Table, expected: list[Mapping[str, Any]]) -> None:
    """People of whole pictures against the reference: as many, and each close to one."""
    away = []
    found: dict[str, list[int]] = {}
    for row, path in enumerate(table["image_path"].to_pylist()):
        found.setdefault(Path(path).name, []).append(row)
    for picture in expected:
        scale = picture["crop_from_image"][0]
        # One of 0.218 may fall out where pixels differ.
        sure = [one for one in picture["detections"] if one["score"] >= 0.22]
        rows = found.get(picture["image"], [])
        assert len(sure) <= len(rows) <= len(picture["detections"]), picture["image"]
        for one in sure:
            places, scores = np.array(one["keypoints"]), np.array(one["scores"])
            of_rows = [scale * np.linalg.norm(points(table, row) - places, axis=1)[scores >= 0.5] for row in rows]
            best = min(of_rows, key=lambda each: float(np.median(each)) if len(each) else 0.0)
            away += list(best)
    close(away)


def whole(picture: Mapping[str, Any]) -> dict[str, Any]:
    """A picture as a person, so that it is in the table."""
    return {"image": picture["image"], "center": [100.0, 100.0], "scale": 0.5}


def test_a_network_of_detections_gives_its_reference(tmp_path: Path) -> None:
    expected = reference("movenet_multipose")["whole_images"]
    people = people_table(tmp_path, [whole(picture) for picture in expected])
    model = MODELS / "movenet_multipose.onnx"
    made = card(model, "movenet-multipose", tmp_path / "card.toml")
    given = {
        "stages.crop.run.crop.card": made,
        "stages.network.run.infer.model": model,
        "stages.network.run.infer.card": made,
    }
    table = predicted(tmp_path, "detect", people, given)
    whole_pictures(table, expected)
    scores = table["detection_score"].to_pylist()
    assert min(scores) >= 0.2 and set(table["head"].to_pylist()) == {1}


def made_network(folder: Path, script: str, *arguments: str) -> None:
    """Runs a script that writes a network."""
    subprocess.run([sys.executable, MODELS / script, *arguments], check=True, cwd=folder, capture_output=True)


def plain(text: str) -> str:
    """The card of a made network: px centres at integers, the plain letterbox of black."""
    return text.replace('origin = "edge"\n', "").replace('grid = "edges"\n', "").replace("border = 114\n", "")


@pytest.mark.parametrize(
    ("form", "family"), [("yolo", "yolo-pose"), ("end-to-end", "yolo-pose-end-to-end"), ("dets", "rtmo")]
)
def test_every_form_of_detections_gives_the_people_of_its_source(form: str, family: str, tmp_path: Path) -> None:
    expected = reference("movenet_multipose")["whole_images"]
    people = people_table(tmp_path, [whole(picture) for picture in expected])
    made_network(tmp_path, "make_detections.py", form, str(MODELS / "movenet_multipose.onnx"), "made.onnx")

    def as_made(text: str) -> str:
        text = plain(text).replace("whole_image_top_left", "whole_image").replace('colour = "bgr"', 'colour = "rgb"')
        for limit in ("0.25", "0.3"):
            text = text.replace(f"minimum_score = {limit}", "minimum_score = 0.2")
        return text if "std" in text else text.replace("height = 256\n", "height = 256\nstd = [255.0, 255.0, 255.0]\n")

    def run(model: Path, made: Path) -> pa.Table:
        given = {
            "stages.crop.run.crop.card": made,
            "stages.network.run.infer.model": model,
            "stages.network.run.infer.card": made,
        }
        return predicted(tmp_path, "detect", people, given).sort_by("sample_id")

    source = MODELS / "movenet_multipose.onnx"
    of_source = run(source, card(source, "movenet-multipose", tmp_path / "source.toml"))
    model = tmp_path / "made.onnx"
    table = run(model, card(model, family, tmp_path / "card.toml", change=as_made))
    assert table["sample_id"].to_pylist() == of_source["sample_id"].to_pylist()
    for row in range(table.num_rows):
        assert np.abs(points(table, row) - points(of_source, row)).max() <= 0.01
        boxes = [np.array(each["box"][row].as_py()) for each in (table, of_source)]
        assert np.abs(boxes[0] - boxes[1]).max() <= 0.01
    whole_pictures(table, expected)


def test_bins_give_the_places_of_the_maps_that_they_are_made_of(tmp_path: Path) -> None:
    people = people_table(tmp_path, reference("movenet_lightning")["people"])
    source = MODELS / "cpm_mobile.onnx"
    made_network(tmp_path, "make_simcc.py", str(source), "made.onnx")
    text = (Path(motionmill.__file__).parents[2] / "models/cpm-mobile/cpm_mobile.toml").read_text()
    text = text.replace("origin = -0.5", "origin = 0.5")
    text = text.replace("[[outputs]]", "[crop]\nframe = { person = { height = 174.5 } }\n\n[[outputs]]")
    of_maps, of_bins = tmp_path / "maps.toml", tmp_path / "bins.toml"
    of_maps.write_text(text)
    head = text.index("[[outputs]]")
    of_bins.write_text(
        text[:head] + '[[outputs]]\nkind = "simcc"\nx = "simcc_x"\ny = "simcc_y"\nhead = 6\nsplit_ratio = 2.0\n'
    )
    given = {
        "stages.crop.run.crop.card": of_maps,
        "stages.network.run.infer.model": source,
        "stages.network.run.infer.card": of_maps,
        "stages.decode.run.decode.refine": "none",
    }
    maps = predicted(tmp_path, "predict-by-card", people, given).sort_by("sample_id")
    bins = by_card(tmp_path, people, tmp_path / "made.onnx", of_bins).sort_by("sample_id")
    away = [np.abs(points(maps, row) - points(bins, row)).max() for row in range(maps.num_rows)]
    assert maps.num_rows == 5 and max(away) <= 0.01
    of_scores = [np.array(maps["score"][row].as_py()) - bins["score"][row].as_py() for row in range(5)]
    assert np.abs(of_scores).max() < 1e-6 and bins["heatmap_mean"].null_count == 5


def test_a_detector_goes_before_a_network_for_one_person(tmp_path: Path) -> None:
    expected = reference("movenet_multipose")["whole_images"]
    people = people_table(tmp_path, [whole(picture) for picture in expected])
    detector, network = MODELS / "movenet_multipose.onnx", MODELS / "movenet_lightning.onnx"
    of_detector = card(detector, "movenet-multipose", tmp_path / "detector.toml")
    of_network = card(network, "movenet", tmp_path / "network.toml")
    given = {
        "stages.whole.run.crop.card": of_detector,
        "stages.detector.run.infer.model": detector,
        "stages.detector.run.infer.card": of_detector,
        "stages.crop.run.crop.card": of_network,
        "stages.network.run.infer.model": network,
        "stages.network.run.infer.card": of_network,
    }
    table = predicted(tmp_path, "detect-and-predict", people, given).sort_by("sample_id")
    alone = predicted(
        tmp_path,
        "detect",
        people,
        {
            "stages.crop.run.crop.card": of_detector,
            "stages.network.run.infer.model": detector,
            "stages.network.run.infer.card": of_detector,
        },
    ).sort_by("sample_id")
    for column in ("sample_id", "box", "detection_score", "person_index"):
        assert table[column].to_pylist() == alone[column].to_pylist()
    # Two networks see the same joints, within a part of the person's box.
    apart = []
    for row in range(table.num_rows):
        left, top, right, bottom = alone["box"][row].as_py()
        sure = np.array(alone["score"][row].as_py()) >= 0.5
        away = np.linalg.norm(points(table, row) - points(alone, row), axis=1)[sure]
        apart += list(away / max(right - left, bottom - top))
    assert table.num_rows >= 12 and np.median(apart) < 0.05


def test_the_mirrored_picture_is_averaged(tmp_path: Path) -> None:
    people = people_table(tmp_path, reference("blazepose_lite")["people"])
    model = MODELS / "blazepose_lite.onnx"
    made = card(model, "blazepose", tmp_path / "card.toml")
    plain_run = by_card(tmp_path, people, model, made).sort_by("sample_id")
    averaged = by_card(tmp_path, people, model, made, flip_average=True).sort_by("sample_id")
    moved = [np.linalg.norm(points(averaged, row) - points(plain_run, row), axis=1) for row in range(plain_run.num_rows)]
    # Left and right stay what they are: joints move by a few px, not to the other side.
    assert 0 < np.median(moved) < 15


def test_a_card_of_another_family_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "motionmill", "card", str(MODELS / "blazepose_lite.onnx"), "--family", "rtmpose"]
    outcome = subprocess.run([*command, "--out", str(tmp_path / "card.toml")], capture_output=True, text=True, check=False)
    assert outcome.returncode != 0 and not (tmp_path / "card.toml").exists()
    assert "not of the family `rtmpose`" in outcome.stderr or "the card expects" in outcome.stderr, outcome.stderr
