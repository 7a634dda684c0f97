"""Training samples made on the fly into torch tensors: ours beside a torch DataLoader with OpenCV, in turns in one run.

    python benches/torch_loader.py [--native target/release/lib_native.so] [--rounds 5] [--images FOLDER]

The work is that of `samples.py`: read and decode a 1280x720 JPEG, flip, rotate, scale and crop to 256x256, normalise to
planar float32, make 16 heatmaps 64x64 of sigma 2; then stack batches. Wall time of an epoch, on two cores: two threads here,
two worker processes there, both started before the clock is. Prints a Markdown table of medians.

The DataLoader side is there twice: `as loaders do it` takes the steps one by one as HRNet and its heirs do, `at its best` as an
expert would write it (see `samples.py`).
"""

import argparse
import importlib.util
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import torch
from samples import DEVIATION, JOINTS, MEAN, loader_sample, make_images, sample

THREADS = 2

PLAN = """
seed = 7
[sources.people]
read.table = { path = "people" }
[stages.crop]
inputs = ["people"]
run.crop = { size = [256, 256], frame = { person = { height = 204.8 } } }
[stages.scale]
inputs = ["crop"]
run.scale.clipped_normal = { sigma = 0.25, min = 0.75, max = 1.25 }
[stages.rotate]
inputs = ["scale"]
run.rotate.normal = {}
[stages.flip]
inputs = ["rotate"]
run.flip = {}
[stages.warp]
inputs = ["flip"]
run.warp = {}
[stages.targets]
inputs = ["warp"]
run.encode_heatmaps = { stride = 4, missing = "mask", style = { patch = { sigma = 2 } } }
[sinks.samples]
inputs = ["targets"]
write.parquet = { path = "samples" }
"""


#: The package is that of this tree, unless another is installed or on PYTHONPATH.
sys.path.append(str(Path(__file__).resolve().parent.parent / "python"))


def use_native(path: Path) -> None:
    """Take this build of the Rust side instead of the one beside the package."""
    spec = importlib.util.spec_from_file_location("motionmill._native", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["motionmill._native"] = module


def people(paths: list[str], count: int) -> pa.Table:
    """One person 300 px high in the middle of each image, all joints annotated: the columns that the plan needs."""
    from motionmill import skeleton

    definition = skeleton("mpii16")
    assert len(definition.joints) == len(JOINTS)
    points = pa.FixedSizeListArray.from_arrays(pa.array(np.tile(JOINTS, (count, 1)).ravel()), 2)
    columns = {
        "sample_id": pa.array([f"bench-{at}" for at in range(count)]),
        "image_path": pa.array([paths[at % len(paths)] for at in range(count)]),
        "person_index": pa.array(np.zeros(count, np.int32)),
        "center": pa.FixedSizeListArray.from_arrays(pa.array(np.tile([640.0, 360.0], count)), 2),
        "scale": pa.array(np.full(count, 1.5)),
        "keypoints": pa.FixedSizeListArray.from_arrays(points, len(JOINTS)),
        "visibility": pa.FixedSizeListArray.from_arrays(pa.array(np.full(count * 16, 2, np.uint8)), 16),
    }
    metadata = {"motionmill.table": "people", "motionmill.skeleton": "mpii16"}
    return pa.table(columns).replace_schema_metadata(metadata)


class OpenCv(torch.utils.data.Dataset):
    """The rival: one sample at a time in a worker process."""

    def __init__(self, make, paths: list[str], count: int) -> None:
        self.make, self.paths, self.count = make, paths, count
        self.rng = None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int):
        self.rng = self.rng or np.random.default_rng(index)
        planes, maps = self.make(self.paths[index % len(self.paths)], self.rng)
        return torch.from_numpy(planes), torch.from_numpy(maps), torch.ones(len(JOINTS))


def seconds_of(batches, count: int) -> float:
    before = time.perf_counter()
    made = sum(len(batch["image"] if isinstance(batch, dict) else batch[0]) for batch in batches)
    elapsed = time.perf_counter() - before
    assert made == count, f"{made} samples of {count}"
    return elapsed


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--native", type=Path, help="the library to measure; else that of the package")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--count", type=int, default=256)
    arguments.add_argument("--batch", type=int, default=32)
    arguments.add_argument("--images", type=Path)
    given = arguments.parse_args()
    if given.native:
        use_native(given.native)
    from motionmill.torch import SampleLoader

    # Before the first picture: a pool of threads that is started here would be missing in the workers.
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as made:
        folder = given.images or Path(made)
        if not given.images:
            make_images(folder)
        paths = [str(path) for path in sorted(folder.glob("*.jpg"))]
        ours = SampleLoader(
            PLAN,
            people(paths, given.count),
            batch_size=given.batch,
            threads=THREADS,
            to_float=(MEAN.tolist(), DEVIATION.tolist()),
            columns=["image", "heatmaps", "heatmap_weight"],
        )

        def rival(make):
            return torch.utils.data.DataLoader(
                OpenCv(make, paths, given.count),
                batch_size=given.batch,
                shuffle=True,
                num_workers=THREADS,
                persistent_workers=True,
            )

        contenders = {
            "motionmill `SampleLoader`, 2 threads": ours,
            "DataLoader with OpenCV as loaders do it, 2 workers": rival(loader_sample),
            "DataLoader with OpenCV at its best, 2 workers": rival(sample),
        }
        for batches in contenders.values():
            seconds_of(batches, given.count)
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(given.rounds):
            for name, batches in contenders.items():
                rates[name].append(given.count / seconds_of(batches, given.count))

    print(f"| work (two cores, medians of {given.rounds} rounds) | samples a second | spread |\n|---|---|---|")
    for name, values in rates.items():
        print(f"| {name} | {statistics.median(values):,.0f} | {min(values):,.0f} to {max(values):,.0f} |")
    first, *others = (statistics.median(values) for values in rates.values())
    print(f"\nOn the fly: {first / others[0]:.2f} x a DataLoader as loaders do it, {first / others[1]:.2f} x one at its best.")


if __name__ == "__main__":
    main()
