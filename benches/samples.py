"""Samples per CPU second, ours beside OpenCV and numpy, taken in turns in one run.

    python benches/samples.py path/to/sample_bench [--rounds 7] [--images FOLDER]

The work: read and decode a 1280x720 JPEG, flip, rotate, scale and crop to 256x256 in one bilinear warp, normalise to
planar float32, make 16 heatmaps 64x64 of sigma 2. One thread. Prints a Markdown table of medians.

The OpenCV side is there twice. `OpenCV samples` is written as an expert would: flip, rotation, scale and crop are one
matrix, the patch of a heatmap is made once. `loader-style samples` takes the steps one by one as the field's loaders do. `mmpose` is its own encoder, loaded from where it is installed (`--mmpose FOLDER`), else left out.
"""

import argparse
import importlib.util
import json
import math
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

MEAN = np.array([123.675, 116.28, 103.53], np.float32)
DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
ROWS = 32


def make_images(folder: Path, count: int = 8) -> None:
    """Pictures with the detail of photographs: sums of smooth noise, about 300 KB each at quality 90."""
    rng = np.random.default_rng(7)
    for at in range(count):
        picture = np.zeros((720, 1280, 3), np.float32)
        for step, weight in [(64, 60), (16, 30), (4, 18), (2, 10)]:
            noise = rng.normal(0, 1, (720 // step + 2, 1280 // step + 2, 3)).astype(np.float32)
            picture += weight * cv2.resize(noise, (1280, 720), interpolation=cv2.INTER_CUBIC)
        path = folder / f"{at}.jpg"
        cv2.imwrite(str(path), np.clip(picture + 128, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 90])


def matrix(rng: np.random.Generator) -> np.ndarray:
    """Crop from image: person 300 px high at (640, 360) to 204.8 px, scaled, turned in two of five, flipped in half."""
    factor = 204.8 / 300 / float(np.clip(1 + 0.25 * rng.normal(), 0.75, 1.25))
    angle = float(np.clip(30 * rng.normal(), -60, 60)) if rng.random() < 0.4 else 0.0
    cos, sin = factor * math.cos(math.radians(angle)), factor * math.sin(math.radians(angle))
    turned = np.array([[cos, -sin, 128 - cos * 640 + sin * 360], [sin, cos, 128 - sin * 640 - cos * 360]])
    if rng.random() < 0.5:
        turned[0] *= -1
        turned[0, 2] += 255
    return turned


AXIS = np.arange(-6, 7)
PATCH = np.exp(-(AXIS[:, None] ** 2 + AXIS**2) / 8).astype(np.float32)


def heatmaps(points: np.ndarray) -> np.ndarray:
    """[K, 2] px of the crop to [K, 64, 64], one pasted patch a joint (HRNet's rule)."""
    maps = np.zeros((len(points), 64, 64), np.float32)
    for target, (x, y) in zip(maps, (points / 4 + 0.5).astype(int)):
        left, top = max(0, x - 6), max(0, y - 6)
        right, bottom = min(64, x + 7), min(64, y + 7)
        if left < right and top < bottom:
            target[top:bottom, left:right] = PATCH[top - y + 6 : bottom - y + 6, left - x + 6 : right - x + 6]
    return maps


JOINTS = np.array([[560 + 50 * (k % 4), 240 + 70 * (k // 4)] for k in range(16)], np.float64)


def sample(path: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    image = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
    crop_from_image = matrix(rng)
    crop = cv2.warpAffine(image, crop_from_image, (256, 256), flags=cv2.INTER_LINEAR)
    planes = np.ascontiguousarray(crop.transpose(2, 0, 1), dtype=np.float32)
    planes -= MEAN[:, None, None]
    planes /= DEVIATION[:, None, None]
    points = JOINTS @ crop_from_image[:, :2].T + crop_from_image[:, 2]
    return planes, heatmaps(points)


def loader_sample(path: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The same sample in the order in which the field's loaders (HRNet and its many heirs) make it: channels and flip on
    the whole picture, then the warp, then to floats from 0 to 1, then mean and deviation, a Gaussian anew each joint."""
    image = cv2.cvtColor(cv2.imread(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    crop_from_image = matrix(rng)
    if np.linalg.det(crop_from_image[:, :2]) < 0:
        image = image[:, ::-1, :]
        crop_from_image = crop_from_image @ np.array([[-1, 0, image.shape[1] - 1], [0, 1, 0], [0, 0, 1]])
    crop = cv2.warpAffine(image, crop_from_image, (256, 256), flags=cv2.INTER_LINEAR)
    planes = np.ascontiguousarray(crop.transpose(2, 0, 1)).astype(np.float32) / 255
    planes = (planes - MEAN[:, None, None] / 255) / (DEVIATION[:, None, None] / 255)
    points = JOINTS @ crop_from_image[:, :2].T + crop_from_image[:, 2]
    maps = np.zeros((len(points), 64, 64), np.float32)
    for target, (x, y) in zip(maps, (points / 4 + 0.5).astype(int)):
        left, top, right, bottom = x - 6, y - 6, x + 7, y + 7
        if left >= 64 or top >= 64 or right < 0 or bottom < 0:
            continue
        axis = np.arange(0, 13, 1, np.float32)
        patch = np.exp(-((axis - 6) ** 2 + (axis[:, None] - 6) ** 2) / 8)
        x1, x2, y1, y2 = max(0, left), min(right, 64), max(0, top), min(bottom, 64)
        target[y1:y2, x1:x2] = patch[y1 - top : y2 - top, x1 - left : x2 - left]
    return planes, maps


def per_second(work, count: int) -> float:
    before = time.process_time()
    for at in range(count):
        work(at)
    return count / (time.process_time() - before)


def mmpose_encoder(folder: Path):
    path = folder / "mmpose/codecs/utils/gaussian_heatmap.py"
    if not path.exists():
        return None
    spec = importlib.util.spec_from_file_location("gaussian_heatmap", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate_gaussian_heatmaps


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--images", type=Path)
    arguments.add_argument("--mmpose", type=Path, default=Path("."))
    given = arguments.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as made:
        folder = given.images or Path(made)
        if not given.images:
            make_images(folder)
        paths = [str(path) for path in sorted(folder.glob("*.jpg"))]
        encode = mmpose_encoder(given.mmpose)
        places = np.random.default_rng(3).uniform(5, 59, (ROWS * 8, 1, 16, 2)).astype(np.float32)
        visible = np.ones((1, 16), np.float32)
        results: dict[str, list[float]] = {}

        def note(name: str, value: float) -> None:
            results.setdefault(name, []).append(value)

        rng = np.random.default_rng(7)
        for _ in range(given.rounds):
            ours = json.loads(subprocess.check_output([given.binary, str(folder), "3"]))
            for name, value in ours.items():
                note(f"motionmill {name}", value)
            note("OpenCV samples", per_second(lambda at: sample(paths[at % len(paths)], rng), ROWS))
            note("loader-style samples", per_second(lambda at: loader_sample(paths[at % len(paths)], rng), ROWS))
            note("OpenCV decode", per_second(lambda at: cv2.imread(paths[at % len(paths)]), ROWS))
            note("numpy heatmaps", per_second(lambda at: heatmaps(places[at, 0] * 4), ROWS * 8))
            if encode:
                note("mmpose heatmaps", per_second(lambda at: encode((64, 64), places[at], visible, 2.0), ROWS * 8))

    print(f"| work (one core, medians of {given.rounds} rounds) | per CPU second | spread |\n|---|---|---|")
    for name, values in sorted(results.items(), key=lambda item: item[0].split()[1]):
        print(f"| {name} | {statistics.median(values):,.0f} | {min(values):,.0f} to {max(values):,.0f} |")
    median = {name: statistics.median(values) for name, values in results.items()}
    ours = median["motionmill samples"]
    print(f"\nSamples: {ours / median['loader-style samples']:.2f} x OpenCV as loaders use it, ", end="")
    print(f"{ours / median['OpenCV samples']:.2f} x OpenCV at its best; ", end="")
    print(f"{median['motionmill decode'] / median['motionmill samples']:.2f} x the time of decoding alone.")


if __name__ == "__main__":
    main()
