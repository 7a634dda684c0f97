"""Average precision by object keypoint similarity: ours beside pycocotools and hotcoco, in turns in one run.

    python benches/oks.py [--native target/release/lib_native.so] [--rounds 5] [--images 5000]

Drawn pictures: two people each and ten detections, near the people or anywhere. Two things are timed, wall time on whatever
cores there are: files, from JSON on disk to the ten numbers, and scores, from what a reader has made of the files. The
numbers of all have to be the same. Prints a Markdown table of medians.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hotcoco
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

ROOT = Path(__file__).resolve().parent.parent
#: The package is that of this tree, unless another is installed or on PYTHONPATH.
sys.path += [str(ROOT / "python"), str(ROOT / "python" / "tests")]

from coco_files import JOINTS, TEN, CocoFiles, category, written

PEOPLE, DETECTIONS = 2, 10


def use_native(path: Path) -> None:
    """Take this build of the Rust side instead of the one beside the package."""
    spec = importlib.util.spec_from_file_location("motionmill._native", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["motionmill._native"] = module


def draw(folder: Path, images: int) -> CocoFiles:
    """The files: people of 30 to 300 px, detections by a normal error of one of three sizes."""
    random = np.random.default_rng(5)
    pictures, annotations, results = [], [], []
    for number in range(1, images + 1):
        pictures.append({"id": number, "file_name": f"{number:012}.jpg", "width": 640, "height": 480})
        boxes = np.column_stack([random.uniform(0, 400, (PEOPLE, 2)), random.uniform(30, 300, (PEOPLE, 2))]).round(2)
        seen = random.choice([0, 1, 2], (PEOPLE, len(JOINTS)), p=[0.3, 0.1, 0.6])
        places = (boxes[:, None, :2] + random.uniform(0, 1, (PEOPLE, len(JOINTS), 2)) * boxes[:, None, 2:]).round()
        places[seen == 0] = 0
        for box, joints, visible in zip(boxes, places, seen, strict=True):
            annotations.append({
                "id": len(annotations) + 1, "image_id": number, "category_id": 1, "iscrowd": 0,
                "bbox": box.tolist(), "area": float(box[2] * box[3] * 0.6), "num_keypoints": int((visible > 0).sum()),
                "keypoints": np.column_stack([joints, visible]).ravel().tolist(),
            })  # fmt: skip
        for _ in range(DETECTIONS):
            near = places[random.integers(PEOPLE)] + random.normal(0, random.choice([2, 8, 30]), (len(JOINTS), 2))
            points = np.column_stack([near.round(2), np.ones(len(JOINTS))])
            flat = points.ravel().tolist()
            score = round(float(random.random()), 6)
            results.append({"image_id": number, "category_id": 1, "keypoints": flat, "score": score})
    return written(folder, {"images": pictures, "annotations": annotations, "categories": [category(JOINTS)]}, results)


class Rival:
    """An evaluator with the interface of pycocotools."""

    def __init__(self, coco: Any, evaluator: Any, files: CocoFiles) -> None:
        self.coco, self.evaluator, self.files = coco, evaluator, files

    def read(self) -> tuple[Any, Any]:
        truth = self.coco(str(self.files.annotations))
        return truth, truth.loadRes(str(self.files.results))

    def score(self, made: tuple[Any, Any]) -> list[float]:
        evaluation = self.evaluator(*made, "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        return [100.0 * float(number) for number in evaluation.stats]


class Ours:
    """The package; `resamples` for the intervals too."""

    def __init__(self, files: CocoFiles, resamples: int = 0) -> None:
        self.files, self.resamples = files, resamples

    def read(self) -> tuple[Any, Any]:
        from motionmill import read

        people = read.coco(annotations=self.files.annotations, images=self.files.annotations.parent)
        return people, read.coco_results(people, file=self.files.results, unmatched="keep")

    def score(self, made: tuple[Any, Any]) -> list[float]:
        from motionmill import evaluate_pose

        rows = evaluate_pose(*made, protocol="coco-oks", resamples=self.resamples).to_pylist()
        values = {(row["metric"], row["group"], row["threshold"]): row["value"] for row in rows}
        return [values[key] for key in TEN.values()]


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = time.perf_counter()
        made = work()
        return time.perf_counter() - started, made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--native", type=Path, help="the library to measure; else that of the package")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=5_000)
    given = parser.parse_args()
    if given.native:
        use_native(given.native)
    with tempfile.TemporaryDirectory() as name:
        files = draw(Path(name), given.images)
        contenders = {
            "motionmill": Ours(files),
            "pycocotools": Rival(COCO, COCOeval, files),
            "hotcoco": Rival(hotcoco.COCO, hotcoco.COCOeval, files),
            "motionmill with 1,000 resamples": Ours(files, 1_000),
        }
        reading: dict[str, list[float]] = {name: [] for name in contenders}
        scoring: dict[str, list[float]] = {name: [] for name in contenders}
        numbers = {}
        for _ in range(given.rounds):
            for name, one in contenders.items():
                spent, made = seconds(one.read)
                reading[name].append(spent)
                spent, numbers[name] = seconds(lambda: one.score(made))
                scoring[name].append(spent)
    assert numbers["motionmill"] == numbers["pycocotools"], numbers
    assert np.allclose(numbers["motionmill"], numbers["hotcoco"], rtol=0, atol=1e-9), numbers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    images, people, found = (f"{given.images * each:,}" for each in (1, PEOPLE, DETECTIONS))
    print(f"| {images} pictures, {people} people, {found} detections; {cores} cores | files, s | scores, s | spread of scores |")
    print("|---|---|---|---|")
    whole = {name: [a + b for a, b in zip(reading[name], scoring[name], strict=True)] for name in contenders}
    for name, values in scoring.items():
        ends = f"{min(values):.2f} to {max(values):.2f}"
        print(f"| {name} | {statistics.median(whole[name]):.2f} | {statistics.median(values):.2f} | {ends} |")

    def times(side: dict[str, list[float]], rival: str) -> str:
        return f"{statistics.median(side[rival]) / statistics.median(side['motionmill']):.1f} x"

    print(
        f"\nScores: {times(scoring, 'pycocotools')} the speed of pycocotools, {times(scoring, 'hotcoco')} that of hotcoco; from "
        f"files {times(whole, 'pycocotools')} and {times(whole, 'hotcoco')}. The ten numbers of all are the same."
    )


if __name__ == "__main__":
    main()
