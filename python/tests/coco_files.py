"""COCO keypoint files drawn from a seed, with all that an evaluation can stumble over."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

JOINTS = [
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
]  # fmt: skip
#: Areas at and beside the borders of COCO's sizes.
BORDERS = [0.0, 1023.9999999999999, 1024.0, 1024.0000000000002, 9215.99, 9216.0, 9216.000000000002, 1e10]
#: As papers call the ten numbers, in the order of `COCOeval.stats`; of each its row: metric, group, threshold.
TEN = {
    "AP": ("ap", "total", None),
    "AP50": ("ap", "total", 0.5),
    "AP75": ("ap", "total", 0.75),
    "AP-M": ("ap", "medium", None),
    "AP-L": ("ap", "large", None),
    "AR": ("ar", "total", None),
    "AR50": ("ar", "total", 0.5),
    "AR75": ("ar", "total", 0.75),
    "AR-M": ("ar", "medium", None),
    "AR-L": ("ar", "large", None),
}


class CocoFiles(NamedTuple):
    """An annotation file and a file of results for it."""

    annotations: Path
    results: Path


def category(joints: Sequence[str]) -> dict[str, Any]:
    return {"id": 1, "name": "person", "supercategory": "person", "keypoints": list(joints), "skeleton": []}


def person(random: np.random.Generator, joints: int) -> dict[str, Any]:
    """A person, a crowd, or one without joints."""
    width, height = random.uniform(5, 200, 2).round(2)
    box = [*random.uniform(0, 400, 2).round(2), width, height]
    seen = random.choice([0, 1, 2], joints, p=[0.3, 0.2, 0.5])
    points = box[:2] + random.uniform(0, 1, (joints, 2)) * box[2:]
    if random.random() < 0.5:
        points = points.round()
    kind = random.random()
    if kind < 0.25:
        seen[:] = 0
    points[seen == 0] = 0
    area = float(random.choice(BORDERS)) if random.random() < 0.15 else width * height * random.uniform(0.3, 0.9)
    return {
        "category_id": 1,
        "bbox": [float(value) for value in box],
        "area": float(area),
        "iscrowd": int(kind < 0.12 or (kind > 0.98)),
        "num_keypoints": int((seen > 0).sum()),
        "keypoints": np.column_stack([points, seen]).ravel().tolist(),
    }


def detection(
    random: np.random.Generator, people: list[dict[str, Any]], joints: int, scores: Sequence[float]
) -> dict[str, Any]:
    """A detection near one of the people, exactly on one, or anywhere."""
    points = random.uniform(0, 500, (joints, 2))
    if people and random.random() < 0.8:
        one = people[random.integers(len(people))]
        box = np.array(one["bbox"])
        truth = np.array(one["keypoints"]).reshape(-1, 3)
        inside = box[:2] + random.uniform(0, 1, (joints, 2)) * box[2:]
        near = np.where(truth[:, 2:] > 0, truth[:, :2], inside)
        spread = float(random.choice([0.0, 1.0, 4.0, 12.0]))
        points = near + random.normal(0, 1, near.shape) * spread
        if random.random() < 0.2:
            points = points.round()
    score = random.random(joints)
    lost = random.random(joints) < 0.05
    points[lost], score[lost] = 0, 0
    return {
        "category_id": 1,
        "keypoints": np.column_stack([points, score]).ravel().tolist(),
        "score": float(random.choice(scores)) if random.random() < 0.6 else float(random.random()),
    }


def random_files(folder: Path, seed: int, joints: Sequence[str] = JOINTS, crowd_index: bool = False) -> CocoFiles:
    """Files of a few pictures: some without people, some without detections, some with more than count."""
    random = np.random.default_rng(seed)
    scores = [float(score) for score in random.random(3)]
    images, annotations, results = [], [], []
    numbers = random.choice(1000, random.integers(1, 9), replace=False) + 1
    for number in numbers:
        image = {"id": int(number), "file_name": f"{number:012}.jpg", "width": 640, "height": 480}
        if crowd_index:
            image["crowdIndex"] = float(random.choice([0.0, 0.1, 0.2, 0.5, 0.8, 1.0]))
        images.append(image)
        people = [person(random, len(joints)) for _ in range(random.choice([0, 1, 2, 5]))]
        for one in people:
            annotations.append({"id": len(annotations) + 1, "image_id": int(number), **one})
        for _ in range(random.choice([0, 1, 3, 8, 30], p=[0.2, 0.3, 0.3, 0.15, 0.05])):
            results.append({"image_id": int(number), **detection(random, people, len(joints), scores)})
    if not results:
        results.append({"image_id": int(numbers[0]), **detection(random, [], len(joints), scores)})
    # Neither file has to be in the order of pictures.
    annotations = [annotations[at] for at in random.permutation(len(annotations))]
    results = [results[at] for at in random.permutation(len(results))]
    return written(folder, {"images": images, "annotations": annotations, "categories": [category(joints)]}, results)


def written(folder: Path, truth: dict[str, Any], results: list[dict[str, Any]]) -> CocoFiles:
    folder.mkdir(parents=True, exist_ok=True)
    files = CocoFiles(folder / "annotations.json", folder / "results.json")
    files.annotations.write_text(json.dumps(truth))
    files.results.write_text(json.dumps(results))
    return files


def stats_of(
    coco: Any,
    evaluator: Any,
    files: CocoFiles,
    sigmas: Sequence[float] | None = None,
    images: Sequence[int] | None = None,
) -> list[float]:
    """The numbers of an evaluator with the interface of pycocotools; -1 where nobody counts."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco(str(files.annotations))
        evaluation = evaluator(truth, truth.loadRes(str(files.results)), "keypoints")
        if sigmas is not None:
            evaluation.params.kpt_oks_sigmas = np.array(sigmas)
        if images is not None:
            evaluation.params.imgIds = list(images)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(number) for number in evaluation.stats]
