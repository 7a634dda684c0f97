"""`python -m motionmill_networks`: trains the papers' networks and writes them as ONNX with their model cards."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from motionmill.errors import MotionmillError

from . import COORDINATES, MOTION, POSE
from .job import OPTIMISERS
from .listing import listing
from .mean_pose import write_mean_pose
from .train import PRECISIONS, SCHEDULES, Settings, read_checkpoint
from .train_coordinates import CoordinatesJob, export_coordinates, train_coordinates
from .train_fine import FineJob, export_fine, train_fine
from .train_motion import MotionJob, export_motion, train_motion
from .train_pose import PoseJob, export_pose, train_pose

#: For each kind of network what it is asked, how it is trained, and how its checkpoint is exported.
KINDS = {
    "pose": (PoseJob, train_pose, export_pose),
    "coordinates": (CoordinatesJob, train_coordinates, export_coordinates),
    "fine": (FineJob, train_fine, export_fine),
    "motion": (MotionJob, train_motion, export_motion),
}


def parser() -> argparse.ArgumentParser:
    """The arguments of the command."""
    whole = argparse.ArgumentParser(prog="python -m motionmill_networks", description=__doc__.splitlines()[0])
    commands = whole.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the systems, their sizes and how many parameters each has")

    pose = commands.add_parser("pose", help="train a network of heatmaps or coordinates on samples")
    _system(pose, {**POSE, **COORDINATES})
    _samples(pose)
    pose.add_argument("--outputs", choices=["all", "last"], help="stages to export (all of cpm, hourglass)")

    fine = commands.add_parser("fine", help="train the fine network of tompson behind a coarse one")
    _samples(fine)
    fine.add_argument("--coarse", type=Path, required=True, help="checkpoint of the coarse network, of `pose tompson`")
    fine.add_argument("--joint", action="store_true", help="train the coarse network too, which is then written anew")
    fine.add_argument("--coarse-out", type=Path, help="with --joint: the ONNX file of the coarse network")
    words = "where to look: what the coarse network finds, or the true cell moved by up to one (%(default)s)"
    fine.add_argument("--points", choices=["coarse", "jitter"], default="coarse", help=words)

    motion = commands.add_parser("motion", help="train a network to tell people apart by windows of their motion")
    _system(motion, MOTION)
    motion.add_argument("samples", metavar="WINDOWS", help="a folder of shards")
    words = "what the share counts, in whole sessions of each subject (%(default)s)"
    motion.add_argument("--validate-by", choices=["session", "window"], default="session", help=words)
    motion.add_argument("--validation-share", type=float, default=0.2, help="held back to validate on (%(default)s)")

    for command in (pose, fine, motion):
        command.add_argument("--split", default="train", help="of the folder, what is trained on (%(default)s)")
        _writing(command)
        _training(command)

    mean = commands.add_parser("mean-pose", help="write the mean pose of samples, which any network has to beat")
    mean.add_argument("samples", metavar="SAMPLES", help="a folder of shards, a plan (.toml) or recipe:NAME")
    mean.add_argument("--split", default="train", help="of the folder (%(default)s)")
    mean.add_argument("--out", type=Path, required=True, help="the ONNX file; its card is written beside it")
    mean.add_argument("--name", default="mean-pose", help="what the card calls it (%(default)s)")

    again = commands.add_parser("export", help="write the network of a checkpoint")
    again.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    again.add_argument("--outputs", choices=["all", "last"], help="as for `pose`")
    _writing(again)
    return whole


def _system(command: argparse.ArgumentParser, systems: Mapping[str, Any]) -> None:
    command.add_argument("system", choices=systems, metavar="SYSTEM", help=", ".join(systems))


def _samples(command: argparse.ArgumentParser) -> None:
    command.add_argument("samples", metavar="SAMPLES", help="a folder of shards, a plan (.toml) or recipe:NAME")
    command.add_argument("--people", help="with a plan: the people table in the place of its source")
    words = "another folder or plan, or a split of the same folder: PCK after each epoch"
    command.add_argument("--held-out", help=words)


def _writing(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("what is written")
    group.add_argument("--out", type=Path, required=True, help="the ONNX file; its card is written beside it")
    group.add_argument("--name", help="what the card calls it (SYSTEM-SIZE)")
    group.add_argument("--source", help="what the card says of its origin")
    group.add_argument("--license", help="what the card says of its terms")


def _training(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("network and training")
    group.add_argument("--size", default="paper", help="a named size, see `list` (%(default)s)")
    words = "an argument of the network in the place of the size's; may be given several times"
    group.add_argument(
        "--set", dest="changes", action="append", default=[], type=_pair, metavar="KEY=VALUE", help=words
    )
    group.add_argument("--epochs", type=int, default=1, help="(%(default)s)")
    group.add_argument("--minutes", type=float, help="stop at the first batch after so many minutes")
    group.add_argument("--batch", type=int, default=16, help="(%(default)s)")
    group.add_argument("--rate", type=float, help="learning rate, the highest of a schedule (the system's)")
    group.add_argument("--schedule", choices=SCHEDULES, default="paper", help="(%(default)s)")
    group.add_argument("--optimiser", choices=["paper", *OPTIMISERS], default="paper", help="(%(default)s)")
    group.add_argument("--precision", choices=PRECISIONS, default="float32", help="of products (%(default)s)")
    group.add_argument("--clip", type=float, help="longest gradient (any)")
    group.add_argument("--seed", type=int, default=0, help="(%(default)s)")
    group.add_argument("--threads", type=int, help="of PyTorch and of the loader (all)")
    group.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="(%(default)s)")
    group.add_argument("--checkpoint", type=Path, help="written after each epoch and when time is up")
    group.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    group.add_argument("--log", type=Path, help="a line of JSON an epoch")


def _pair(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, found `{text}`")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    given = vars(parser().parse_args(arguments))
    command = given.pop("command")
    try:
        if command == "list":
            print(listing())
        elif command == "export":
            export_checkpoint(given)
        elif command == "mean-pose":
            write_mean_pose(**given, say=_say)
        else:
            settings = Settings(**{field.name: given.pop(field.name) for field in fields(Settings)})
            job, train, _ = KINDS[kind_of(command, given)]
            train(job(**given | {"changes": dict(given["changes"])}), settings, _say)
    except MotionmillError as error:
        _say(f"error: {error}")
        return 1
    return 0


def kind_of(command: str, given: Mapping[str, Any]) -> str:
    """The kind of network that a command trains: a system of `pose` gives heatmaps or coordinates."""
    return "coordinates" if command == "pose" and given["system"] in COORDINATES else command


def export_checkpoint(given: dict[str, Any]) -> None:
    """Write the network of a checkpoint."""
    record = read_checkpoint(given.pop("checkpoint"))
    kind, outputs = record["run"]["kind"], given.pop("outputs")
    if kind == "pose":
        given["outputs"] = outputs
    KINDS[kind][2](record, given.pop("out"), _say, **given)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
