"""Average precision by object keypoint similarity: the numbers of pycocotools, to the last bit."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import motionmill
from coco_files import JOINTS, TEN, CocoFiles, category, random_files, stats_of, written
from motionmill import read

#: How many random files are compared.
FILES = 1000
#: `crowdposetools`, `cocoeval.py`, over 10, by the part of the body.
CROWDPOSE_SIGMAS = {
    "shoulder": 0.79, "elbow": 0.72, "wrist": 0.62, "hip": 1.07, "knee": 0.87, "ankle": 0.89, "head_top": 0.79, "neck": 0.79,
}  # fmt: skip
#: CrowdPose's fourteen joints, in the order of `lsp14`.
CROWDPOSE_JOINTS = [
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist", "right_elbow",
    "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top",
]  # fmt: skip


def tables(files: CocoFiles, **keys: Any) -> tuple[pa.Table, pa.Table]:
    """People and detections, of nobody too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        people = read.coco(annotations=files.annotations, images=files.annotations.parent, **keys)
        return people, read.coco_results(people, file=files.results, unmatched="keep")


def rows_of(people: pa.Table, found: pa.Table, protocol: str, **keys: Any) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of an evaluation by metric, group and threshold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = motionmill.evaluate_pose(people, found, protocol=protocol, **{"resamples": 0, **keys}).to_pylist()
    return {(row["metric"], row["group"], row["threshold"]): row for row in rows if row["joint"] is None}


def ten(rows: dict[tuple[Any, ...], dict[str, Any]]) -> list[float | None]:
    return [rows[key]["value"] if key in rows else None for key in TEN.values()]


def expected(files: CocoFiles, sigmas: Sequence[float] | None = None) -> list[float | None]:
    """The ten numbers of pycocotools in percent, `None` for its -1."""
    stats = stats_of(COCO, COCOeval, files, sigmas)
    return [None if number == -1 else 100.0 * number for number in stats]


def test_random_files_score_as_in_pycocotools_to_the_last_bit(tmp_path: Path) -> None:
    absent = precise = 0
    for seed in range(FILES):
        files = random_files(tmp_path / str(seed), seed)
        ours, theirs = ten(rows_of(*tables(files), "coco-oks")), expected(files)
        assert ours == theirs, f"file {seed}"
        absent += theirs.count(None)
        precise += sum(number is not None and 0 < number < 100 for number in theirs)
    # The files are worth comparing.
    assert absent > FILES / 10 and precise > 3 * FILES


def test_hotcoco_gives_the_same_numbers(tmp_path: Path) -> None:
    import hotcoco

    differing = 0
    for seed in range(100):
        files = random_files(tmp_path / str(seed), seed)
        stats = stats_of(hotcoco.COCO, hotcoco.COCOeval, files)
        theirs = [None if number == -1 else 100.0 * number for number in stats]
        ours = ten(rows_of(*tables(files), "coco-oks"))
        same = [(a is None) == (b is None) and (a is None or abs(a - b) < 1e-9) for a, b in zip(ours, theirs, strict=True)]
        differing += not all(same)
    assert differing == 0


def test_other_joints_and_sigmas_score_as_in_pycocotools(tmp_path: Path) -> None:
    sigmas = dict(zip(JOINTS, np.linspace(0.02, 0.15, len(JOINTS)).tolist(), strict=True))
    for seed in range(50):
        files = random_files(tmp_path / str(seed), seed)
        people, found = tables(files)
        own = ten(rows_of(people, found, "coco-oks", sigmas=sigmas))
        assert own == expected(files, list(sigmas.values())), f"file {seed}"


def crowdpose_expected(files: CocoFiles, truth: dict[str, Any], folder: Path) -> dict[str, float | None]:
    """The numbers of CrowdPose's fork, which differs from pycocotools in areas, sigmas and which pictures it sums over."""
    for one in truth["annotations"]:
        one["area"] = one["bbox"][2] * one["bbox"][3] * 0.53
    files = CocoFiles(folder / "fork.json", files.results)
    files.annotations.write_text(json.dumps(truth))
    part = [joint.removeprefix("left_").removeprefix("right_") for joint in CROWDPOSE_JOINTS]
    sigmas = np.array([CROWDPOSE_SIGMAS[name] for name in part]) / 10.0

    def of(images: list[int] | None) -> list[float | None]:
        stats = stats_of(COCO, COCOeval, files, sigmas, images)
        return [None if number == -1 else 100.0 * number for number in stats]

    numbers = dict(zip(TEN, of(None), strict=True))
    of_all = {name: numbers[name] for name in ["AP", "AP50", "AP75", "AR", "AR50", "AR75"]}
    for name, low, high in [("easy", -1.0, 0.2), ("medium", 0.2, 0.8), ("hard", 0.8, 2.0)]:
        images = [image["id"] for image in truth["images"] if low <= image["crowdIndex"] < high]
        of_all[name] = of(images)[0] if images else None
    return of_all


def test_crowdpose_scores_as_its_fork(tmp_path: Path) -> None:
    for seed in range(100):
        folder = tmp_path / str(seed)
        files = random_files(folder, seed, CROWDPOSE_JOINTS, crowd_index=True)
        theirs = crowdpose_expected(files, json.loads(files.annotations.read_text()), folder)
        rows = rows_of(*tables(files), "crowdpose")
        keys = {name: TEN[name] for name in theirs if name in TEN}
        keys |= {name: ("ap", name, None) for name in ["easy", "medium", "hard"]}
        ours = {name: rows[key]["value"] if key in rows else None for name, key in keys.items()}
        assert ours == theirs, f"file {seed}"


def one_person(**changes: Any) -> dict[str, Any]:
    points = [[10.0 * joint, 20.0, 2] for joint in range(1, 18)]
    person = {
        "id": 1,
        "image_id": 1,
        "category_id": 1,
        "bbox": [0.0, 0.0, 200.0, 100.0],
        "area": 9000.0,
        "iscrowd": 0,
        "num_keypoints": 17,
        "keypoints": [number for point in points for number in point],
    }
    return person | changes


def picture(number: int = 1) -> dict[str, Any]:
    return {"id": number, "file_name": f"{number}.jpg", "width": 640, "height": 480}


def found_once(score: Any = 0.9, image: int = 1, shift: float = 0.0) -> dict[str, Any]:
    points = [[10.0 * joint + shift, 20.0, 1.0] for joint in range(1, 18)]
    flat = [number for point in points for number in point]
    return {"image_id": image, "category_id": 1, "keypoints": flat, "score": score}


def small(folder: Path, people: list[dict[str, Any]], results: list[dict[str, Any]], images: int = 1) -> CocoFiles:
    pictures = [picture(number + 1) for number in range(images)]
    return written(folder, {"images": pictures, "annotations": people, "categories": [category(JOINTS)]}, results)


def test_an_annotation_of_number_0_is_never_found_as_in_pycocotools(tmp_path: Path) -> None:
    files = small(tmp_path, [one_person(id=0)], [found_once()])
    people, found = tables(files)
    with pytest.warns(UserWarning, match="annotations have the number 0"):
        motionmill.evaluate_pose(people, found, protocol="coco-oks", resamples=0)
    assert ten(rows_of(people, found, "coco-oks")) == expected(files)


def test_false_people_and_pictures_without_people_count(tmp_path: Path) -> None:
    results = [found_once(0.5), found_once(0.9, image=2), found_once(0.7, shift=300)]
    files = small(tmp_path, [one_person()], results, images=2)
    rows = rows_of(*tables(files), "coco-oks")
    assert ten(rows) == expected(files)
    assert rows["ap", "total", 0.5]["value"] == pytest.approx(100 / 3)
    counts = [rows[f"people_{what}", "total", 0.5]["value"] for what in ["found", "missed", "false"]]
    assert counts == [1, 0, 2]


def test_bad_scores_and_bad_truth_are_refused_with_what_was_found(tmp_path: Path) -> None:
    files = small(tmp_path / "a", [one_person()], [found_once()])
    people, found = tables(files)
    at = found.schema.get_field_index("detection_score")
    wrong = found.set_column(at, found.schema.field(at), pa.array([float("nan")], pa.float64()))
    with pytest.raises(motionmill.MotionmillError, match="has the `detection_score` NaN; scores must be finite"):
        motionmill.evaluate_pose(people, wrong, protocol="coco-oks")
    with pytest.raises(motionmill.MotionmillError, match="no prediction rows to score"):
        motionmill.evaluate_pose(people, found.slice(0, 0), protocol="coco-oks")
    with pytest.raises(motionmill.MotionmillError, match="names the joint `tail`, which the truth's skeleton `coco17` lacks"):
        motionmill.evaluate_pose(people, found, protocol="coco-oks", sigmas={"tail": 0.1})
    twice = small(tmp_path / "b", [one_person(), one_person()], [found_once()])
    with pytest.raises(motionmill.MotionmillError, match="holds annotation 1 of `annotations.json` twice"):
        rows_of(*tables(twice), "coco-oks")


def test_intervals_hold_their_numbers_and_rows_may_come_in_any_order_of_pictures(tmp_path: Path) -> None:
    files = random_files(tmp_path, 11)
    people, found = tables(files)
    rows = rows_of(people, found, "coco-oks", resamples=100)
    for key, row in rows.items():
        if row["ci_low"] is not None:
            assert row["ci_low"] <= row["value"] <= row["ci_high"], key
    assert rows["ap", "total", None]["ci_low"] is not None
    turned = people.take(list(reversed(range(people.num_rows))))
    assert rows_of(turned, found, "coco-oks", resamples=100) == rows


def test_what_is_not_comparable_is_said(tmp_path: Path) -> None:
    files = small(tmp_path, [one_person()], [found_once()])
    people, found = tables(files)
    with pytest.warns(UserWarning, match=r"not comparable with published numbers on COCO val2017: 1 pictures are scored"):
        rows = motionmill.evaluate_pose(people, found, protocol="coco-oks", resamples=0).to_pylist()
    [comparable] = [row for row in rows if row["metric"] == "comparable"]
    assert (comparable["value"], comparable["count"]) == (0.0, 10)
