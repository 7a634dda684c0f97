#!/usr/bin/env python3
"""Trains the demo network on sample shards and exports it as ONNX.

Reads nothing but a `samples` table that motionmill wrote: Parquet shards `train-*.parquet` and, to be scored on,
`validation-*.parquet` or `test-*.parquet`, with the columns

    image       struct<bytes, path>   the crop, an encoded picture of SIZE x SIZE px
    heatmaps    [K, h, w] f32         one Gaussian a joint with a peak of 1; a background map after them is ignored
    keypoints   [K, 2] f32            px of the crop
    visibility  [K] u8                0 not annotated, 1 hidden, 2 seen

and writes `--out`: input `image` [N, 128, 128, 3], RGB, 0 to 255, float32; outputs `stage_1` and `stage_2`
[N, K, 32, 32]. Normalisation is part of the graph. The same shards, seed and thread count give the same network on
the same machine.
"""

import argparse
import glob
import io
import json
import math
import os
import time

import numpy as np
import pyarrow.parquet as parquet
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

SIZE = 128
"""Side of the input, px."""
STRIDE = 4
"""Input px per map px."""
OPSET = 17
"""ONNX operator set: old enough for any runtime of the last three years."""
MEAN, SPREAD = 110.0, 60.0
"""Grey level and spread that the input is normalised with."""
TORSO = ("left_shoulder", "right_hip")
"""The torso that PCK is measured in, as for LSP."""
THRESHOLD = 0.2
"""Share of the torso within which a joint counts as found."""
TOLERANCE = 1e-4
"""How far ONNX Runtime may be from PyTorch."""
SKELETON_KEY = b"motionmill.skeleton_definition"


class Samples:
    """All samples of one split, in memory: images [N, SIZE, SIZE, 3] u8, maps [N, K, h, w] f16."""

    def __init__(self, folder, splits):
        files = [file for split in splits for file in sorted(glob.glob(os.path.join(folder, f"{split}-*.parquet")))]
        if not files:
            raise SystemExit(f"no shard {' or '.join(f'`{split}-*.parquet`' for split in splits)} in `{folder}`")
        tables = [parquet.read_table(file, columns=["image", "heatmaps", "keypoints", "visibility"]) for file in files]
        definition = (tables[0].schema.metadata or {}).get(SKELETON_KEY)
        if definition is None:
            raise SystemExit(f"`{files[0]}` does not say which skeleton its keypoints follow")
        self.skeleton = json.loads(definition)
        joints = len(self.skeleton["joints"])
        self.images = np.concatenate([decode(table["image"]) for table in tables])
        self.maps = np.concatenate([fixed(table["heatmaps"])[:, :joints].astype(np.float16) for table in tables])
        self.keypoints = np.concatenate([fixed(table["keypoints"]) for table in tables])
        self.visibility = np.concatenate([fixed(table["visibility"]) for table in tables])
        side = SIZE // STRIDE
        if self.maps.shape[1:] != (joints, side, side):
            raise SystemExit(f"maps must be {joints} x {side} x {side}, found {self.maps.shape[1:]}")

    def __len__(self):
        return len(self.images)


def decode(column):
    """The pictures of an image column, [N, SIZE, SIZE, 3] u8."""
    pictures = []
    for value in column.to_pylist():
        picture = np.asarray(Image.open(io.BytesIO(value["bytes"])).convert("RGB"))
        if picture.shape != (SIZE, SIZE, 3):
            raise SystemExit(f"crops must be {SIZE} x {SIZE} px, found {picture.shape[1]} x {picture.shape[0]}")
        pictures.append(picture)
    return np.stack(pictures)


def fixed(column):
    """A column of nested fixed-size lists as an array, one leading axis for rows."""
    array = column.combine_chunks()
    shape = [len(array)]
    while hasattr(array.type, "list_size"):
        shape.append(array.type.list_size)
        array = array.flatten()
    return array.to_numpy(zero_copy_only=False).reshape(shape)


class Block(nn.Module):
    """Depthwise 3x3, pointwise, with a shortcut where the shape stays."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.body(x)
        return functional.relu(x + y if self.shortcut else y)


class Hourglass(nn.Module):
    """From 32 down to 4 px and back, with a shortcut at every size."""

    def __init__(self, widths):
        super().__init__()
        pairs = list(zip(widths[:-1], widths[1:]))
        self.down = nn.ModuleList([nn.Sequential(Block(a, b, 2), Block(b, b)) for a, b in pairs])
        self.across = nn.ModuleList([Block(a, a) for a in widths[:-1]])
        self.up = nn.ModuleList([Block(b, a) for a, b in pairs])

    def forward(self, x):
        kept = []
        for down, across in zip(self.down, self.across):
            kept.append(across(x))
            x = down(x)
        for up, shortcut in zip(reversed(self.up), reversed(kept)):
            x = functional.interpolate(up(x), scale_factor=2.0, mode="nearest") + shortcut
        return x


class DemoPose(nn.Module):
    """Two small hourglasses, the second of which sees what the first found."""

    WIDTHS = (48, 64, 96, 128)

    def __init__(self, joints):
        super().__init__()
        width = self.WIDTHS[0]
        self.stem = nn.Sequential(
            nn.Conv2d(3, 24, 3, 2, 1, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            Block(24, width, 2),
            Block(width, width),
        )
        self.first, self.second = Hourglass(self.WIDTHS), Hourglass(self.WIDTHS)
        self.head_1, self.head_2 = nn.Conv2d(width, joints, 1), nn.Conv2d(width, joints, 1)
        for head in [self.head_1, self.head_2]:
            # Maps are almost zero almost everywhere: begin there.
            nn.init.normal_(head.weight, std=1e-3)
            nn.init.zeros_(head.bias)
        self.join = nn.Sequential(nn.Conv2d(2 * width + joints, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())

    def forward(self, image):
        x = (image.permute(0, 3, 1, 2) - MEAN) / SPREAD
        x = self.stem(x)
        first = self.first(x)
        stage_1 = self.head_1(first)
        stage_2 = self.head_2(self.second(self.join(torch.cat([x, first, stage_1], 1))))
        return stage_1, stage_2


def locate(maps, quarter=True):
    """Peaks of maps [N, K, h, w] in px of the crop, [N, K, 2], moved a quarter px towards the higher neighbour."""
    count, joints, height, width = maps.shape
    best = maps.reshape(count, joints, -1).argmax(-1)
    rows, columns = best // width, best % width
    points = np.stack([columns, rows], -1).astype(np.float64)
    if quarter:
        n, k = np.ogrid[:count, :joints]
        for axis, (dr, dc) in enumerate([(0, 1), (1, 0)]):
            after = maps[n, k, np.minimum(rows + dr, height - 1), np.minimum(columns + dc, width - 1)]
            before = maps[n, k, np.maximum(rows - dr, 0), np.maximum(columns - dc, 0)]
            points[..., axis] += 0.25 * np.sign(after - before)
    return points * STRIDE + (STRIDE - 1) / 2


def pck(points, samples):
    """Share of the annotated joints within THRESHOLD torsos, over all and by joint."""
    a, b = (samples.skeleton["joints"].index(joint) for joint in TORSO)
    torso = np.linalg.norm(samples.keypoints[:, a] - samples.keypoints[:, b], axis=-1)
    scored = (samples.visibility > 0) & np.isfinite(torso)[:, None]
    near = np.linalg.norm(points - samples.keypoints, axis=-1) <= THRESHOLD * torso[:, None]
    return near[scored].mean(), [near[:, k][scored[:, k]].mean() for k in range(near.shape[1])]


def mean_pose(train, held_out):
    """PCK of always saying the mean pose of the training set."""
    known = np.where(train.visibility[..., None] > 0, train.keypoints, np.nan)
    return pck(np.broadcast_to(np.nanmean(known, 0), held_out.keypoints.shape), held_out)[0]


def infer(network, images, batch=64):
    """The last stage's maps of all images."""
    network.eval()
    with torch.no_grad():
        parts = [network(torch.from_numpy(images[at : at + batch]).float())[1] for at in range(0, len(images), batch)]
    return torch.cat(parts).numpy()


def train(network, samples, held_out, arguments):
    """Adam under one cycle of the learning rate; mean squared error of both stages, by annotated joint."""
    generator = np.random.default_rng(arguments.seed)
    steps = math.ceil(len(samples) / arguments.batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=arguments.rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, arguments.rate, epochs=arguments.epochs, steps_per_epoch=steps, pct_start=0.15
    )
    started = time.monotonic()
    for epoch in range(1, arguments.epochs + 1):
        network.train()
        order, total = generator.permutation(len(samples)), 0.0
        for at in range(0, len(samples), arguments.batch):
            rows = order[at : at + arguments.batch]
            images = torch.from_numpy(samples.images[rows]).float()
            images = images * torch.from_numpy(generator.uniform(0.8, 1.2, (len(rows), 1, 1, 1)).astype(np.float32))
            targets = torch.from_numpy(samples.maps[rows].astype(np.float32))
            known = torch.from_numpy((samples.visibility[rows] > 0).astype(np.float32))[..., None, None]
            loss = sum(((stage - targets) ** 2 * known).sum((2, 3)).mean() for stage in network(images))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(rows)
        seconds = time.monotonic() - started
        line = f"epoch {epoch:3d}  loss {total / len(samples):.4f}  {seconds:6.1f} s"
        if epoch % arguments.report == 0 or epoch == arguments.epochs:
            line += f"  PCK@{THRESHOLD} {pck(locate(infer(network, held_out.images)), held_out)[0]:.3f}"
        print(line, flush=True)
        if arguments.minutes and seconds > 60 * arguments.minutes:
            print(f"stopped after {arguments.minutes} minutes", flush=True)
            break


def export(network, path, joints):
    """Writes the ONNX file and holds it against PyTorch; gives the largest difference."""
    import onnx
    import onnxruntime

    network.eval()
    example = torch.randint(0, 256, (3, SIZE, SIZE, 3)).float()
    torch.onnx.export(
        network,
        (example[:1],),
        path,
        input_names=["image"],
        output_names=["stage_1", "stage_2"],
        dynamic_axes={name: {0: "batch"} for name in ["image", "stage_1", "stage_2"]},
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(path)
    for key, value in {
        "motionmill.skeleton": joints["name"],
        "motionmill.stride": str(STRIDE),
        "motionmill.channels": "RGB",
    }.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(["stage_1", "stage_2"], {"image": example.numpy()})
    with torch.no_grad():
        wanted = [stage.numpy() for stage in network(example)]
    difference = max(float(np.abs(a - b).max()) for a, b in zip(found, wanted))
    if difference > TOLERANCE:
        raise SystemExit(f"ONNX Runtime differs from PyTorch by {difference:.2e}, more than {TOLERANCE}")
    return difference


def milliseconds(path, repeats=30):
    """Median time for one image on one thread of ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    image, times = np.zeros((1, SIZE, SIZE, 3), np.float32), []
    for _ in range(repeats):
        started = time.perf_counter()
        session.run(None, {"image": image})
        times.append(time.perf_counter() - started)
    return 1e3 * float(np.median(times))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("samples", help="folder of the sample shards")
    parser.add_argument("--held-out", help="folder of the shards to score on; the same folder unless given")
    parser.add_argument("--out", default="demo-pose.onnx", help="the ONNX file to write")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=0, help="stop after the epoch that passes this; 0: never")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=6e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--report", type=int, default=4, help="score every so many epochs")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    started = time.monotonic()
    samples = Samples(arguments.samples, ["train"])
    held_out = Samples(arguments.held_out or arguments.samples, ["validation", "test"])
    skeleton = samples.skeleton
    network = DemoPose(len(skeleton["joints"]))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    print(f"{len(samples)} samples to train on, {len(held_out)} held out, skeleton {skeleton['name']}")
    print(f"{parameters} parameters; mean pose: PCK@{THRESHOLD} {mean_pose(samples, held_out):.3f}", flush=True)
    train(network, samples, held_out, arguments)
    overall, by_joint = pck(locate(infer(network, held_out.images)), held_out)
    difference = export(network, arguments.out, skeleton)
    for joint, share in zip(skeleton["joints"], by_joint):
        print(f"  {joint:16s} {share:.3f}")
    print(f"PCK@{THRESHOLD} {overall:.3f} on {len(held_out)} held-out people")
    print(f"ONNX: {os.path.getsize(arguments.out) / 1e6:.2f} MB, {milliseconds(arguments.out):.1f} ms an image on one")
    print(f"thread, within {difference:.1e} of PyTorch; {time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    main()
