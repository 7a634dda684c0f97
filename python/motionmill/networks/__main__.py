"""`python -m motionmill.networks`: trains the papers' networks and writes them as ONNX with their model cards."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import MotionmillError
from . import POSE
from .job import OPTIMISERS
from .listing import listing
from .train import Settings, read_checkpoint
from .train_pose import PoseJob, export_pose, train_pose


def parser() -> argparse.ArgumentParser:
    """The words of the command."""
    whole = argparse.ArgumentParser(prog="python -m motionmill.networks", description=__doc__.splitlines()[0])
    commands = whole.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the systems, their sizes and how many parameters each has")
    pose = commands.add_parser("pose", help="train a network of heatmaps on samples")
    pose.add_argument("system", choices=POSE, metavar="SYSTEM", help=", ".join(POSE))
    pose.add_argument("samples", metavar="SAMPLES", help="a folder of shards, a plan (.toml) or recipe:NAME")
    _network(pose)
    _training(pose)
    pose.add_argument("--split", default="train", help="of the folder, what is trained on (default %(default)s)")
    pose.add_argument("--people", help="with a plan: the people table in the place of its source")
    pose.add_argument("--held-out", help="another folder or plan, or a split of the same folder: PCK after each epoch")
    pose.add_argument("--outputs", choices=["all", "last"], help="stages to export (all of cpm and hourglass, else the last)")
    again = commands.add_parser("export", help="write the network of a checkpoint")
    again.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    _naming(again)
    again.add_argument("--outputs", choices=["all", "last"], help="as for `pose`")
    return whole


def _network(command: argparse.ArgumentParser) -> None:
    _naming(command)
    group = command.add_argument_group("network")
    group.add_argument("--size", default="paper", help="a named size, see `list` (default %(default)s)")
    group.add_argument("--set", dest="changes", action="append", default=[], type=_assignment, metavar="KEY=VALUE")


def _naming(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("what is written")
    group.add_argument("--out", type=Path, required=True, help="the ONNX file; its card is written beside it")
    group.add_argument("--name", help="what the card calls it (SYSTEM-SIZE)")
    group.add_argument("--source", help="what the card says of its origin")


def _training(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("training")
    group.add_argument("--epochs", type=int, default=1)
    group.add_argument("--minutes", type=float, help="stop at the first batch after so many minutes")
    group.add_argument("--batch", type=int, default=16)
    group.add_argument("--rate", type=float, help="learning rate, the highest of a schedule (the paper's)")
    group.add_argument("--schedule", choices=["constant", "cosine", "one-cycle"], default="constant")
    group.add_argument("--optimiser", choices=["paper", *OPTIMISERS], default="paper")
    group.add_argument("--precision", choices=["float32", "bfloat16"], default="float32", help="of products (%(default)s)")
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--threads", type=int, help="of PyTorch and of the loader (all)")
    group.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    group.add_argument("--checkpoint", type=Path, help="written after each epoch and when time is up")
    group.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    group.add_argument("--log", type=Path, help="a line of JSON an epoch")


def _assignment(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, found `{text}`")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give its exit code."""
    given = vars(parser().parse_args(arguments))
    command = given.pop("command")
    try:
        if command == "list":
            print(listing())
        elif command == "export":
            export_checkpoint(given)
        else:
            settings = Settings(**{field.name: given.pop(field.name) for field in fields(Settings)})
            given["changes"] = dict(given["changes"])
            train_pose(PoseJob(**given), settings, _say)
    except MotionmillError as error:
        _say(f"error: {error}")
        return 1
    return 0


def export_checkpoint(given: dict[str, Any]) -> None:
    """Write the network of a checkpoint."""
    record = read_checkpoint(given.pop("checkpoint"))
    export_pose(record, given.pop("out"), _say, **given)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
