"""`pose` of a system of coordinates: trained on samples, written as an ONNX file with its model card.

Samples of whole people train the first stage of a cascade; samples of the stage `focus`, which have a `joint_index`, a
later one, in which each crop teaches the one joint that it was laid around.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError, SchemaError
from motionmill.skeletons import skeleton as named_skeleton

from . import coordinate_system
from .cards import coordinates_card, write_card
from .checks import check_held_out, check_side
from .coordinates import JOINT_INDEX, CoordinateSystem, in_crop, learnt, normalised, squared_distance
from .counts import parameters
from .export import export
from .job import Job, arguments_of, build, card_name, optimiser_of, origin
from .samples import Loader, Shape, Source, prepare, shape_of, source_of
from .score import quick_pck
from .train import Settings, begin, fit

#: Columns of a sample that are read, as far as they are there.
COLUMNS = ("image", "keypoints", "visibility", JOINT_INDEX, "flipped")


@dataclass(frozen=True, kw_only=True)
class CoordinatesJob(Job):
    """A network of coordinates."""

    #: For a plan, the table in the place of its source.
    people: str | None = None
    #: Another folder or plan, or a split of the same folder.
    held_out: str | None = None
    #: Only of networks of heatmaps.
    outputs: str | None = None

    def __post_init__(self) -> None:
        if self.outputs is not None:
            raise ConfigError(f"`--outputs` chooses stages of a network, and `{self.system}` has one output", "leave it out")


def train_coordinates(job: CoordinatesJob, settings: Settings, say: Callable[[str], None]) -> float:
    """Train, write `job.out` and its card; return the largest difference between ONNX Runtime and PyTorch."""
    device = begin(job.seed, job.threads, job.device)
    system = coordinate_system(job.system)
    arguments = arguments_of(system.name, system.build, system.sizes, job.size, job.changes)
    source = Source(job.samples, None if Source(job.samples).is_plan else job.split, job.people)
    loader = source.open(COLUMNS, **job.loading())
    shape, focused = shape_of(loader.schema), JOINT_INDEX in loader.schema.names
    check_samples(system, arguments, shape, loader)
    network = build(system, shape.skeleton, arguments).to(device, memory_format=torch.channels_last)
    check = None
    if job.held_out is not None:
        apart = source_of(job.held_out, job.samples)
        held_out = apart.open(COLUMNS, shuffle=False, **job.loading())
        check_held_out(source, apart, shape, shape_of(held_out.schema))
        if (JOINT_INDEX in held_out.schema.names) != focused:
            raise ConfigError("held-out samples must be crops around single joints where those trained on are, and only there")
        check = quick_check(system, network, held_out, shape, device)
    more = {"kind": "coordinates", "arguments": arguments, "skeleton": shape.skeleton.reference}
    more |= {"input": list(shape.size), "crops": "joint" if focused else "person"}
    what = f"{parameters(network):,} parameters, `{shape.skeleton.name}`, crops of a {more['crops']}"
    say(f"{job.system} {job.size}: {what}, {len(loader)} batches an epoch")
    record = fit(
        network,
        optimiser_of(system, network, job.rate, job.optimiser),
        loader,
        coordinates_step(system, network, shape, device),
        job.describe(settings, **more),
        settings,
        device,
        check,
    )
    return export_coordinates(record, job.out, say, **job.naming)


def check_samples(system: CoordinateSystem, arguments: Mapping[str, Any], shape: Shape, loader: Loader) -> None:
    """Check the samples' schema against the system and the arguments of its network.

    :raises SchemaError: the samples are not what the system learns from.
    """
    check_side(system.name, system.build, arguments, shape)
    missing = [name for name in ("keypoints", "visibility") if name not in loader.schema.names]
    if missing:
        raise SchemaError(f"`{system.name}` expects columns `keypoints` and `visibility`, found no `{missing[0]}`")


def coordinates_step(
    system: CoordinateSystem, network: nn.Module, shape: Shape, device: torch.device
) -> Callable[[Mapping[str, Any]], Any]:
    """One step: squared distances in parts of the box, in single precision."""

    def step(batch: Mapping[str, Any]) -> tuple[Tensor, int]:
        inputs, moved = prepare(batch, system.input, device)
        found = network(*inputs)
        with torch.autocast(device.type, enabled=False):
            wanted = normalised(moved["keypoints"].float(), shape.size)
            return squared_distance(found.float(), wanted, learnt(moved, shape.skeleton)), len(batch["image"])

    return step


def quick_check(
    system: CoordinateSystem, network: nn.Module, held_out: Loader, shape: Shape, device: torch.device
) -> Callable[[], dict[str, float]]:
    """PCK on the crops of held-out people, of the joints that would be learnt from them."""

    def predict(batch: Mapping[str, Any]) -> list[Tensor]:
        inputs, _ = prepare(batch, system.input, device)
        return [in_crop(network(*inputs).float(), shape.size)]

    def check() -> dict[str, float]:
        held_out.set_epoch(0)
        (share,) = quick_pck(held_out, predict, shape.skeleton, lambda batch: learnt(batch, shape.skeleton)) or [float("nan")]
        return {"pck": round(share, 4)}

    return check


def network_of(record: Mapping[str, Any]) -> nn.Module:
    """The trained network of a run, on the CPU, ready for use."""
    run = record["run"]
    network = build(coordinate_system(run["system"]), named_skeleton(run["skeleton"]), run["arguments"])
    network.load_state_dict(record["network"])
    return network.eval()


def export_coordinates(record: Mapping[str, Any], out: Path, say: Callable[[str], None], **said: str | None) -> float:
    """Write the network of a run or checkpoint as ONNX with its card; return its difference from PyTorch.

    :param said: `name`, `source` and `license` of the card.
    """
    run = record["run"]
    system, (width, height) = coordinate_system(run["system"]), run["input"]
    # Noise at the levels of pictures, from a generator of its own.
    noise = torch.Generator().manual_seed(1)
    levels = torch.randint(0, 256, (3, height, width, 3), dtype=torch.uint8, generator=noise)
    inputs, _ = prepare({"image": levels}, system.input, torch.device("cpu"))
    difference = export(network_of(record), out, inputs, ["image"], ["coordinates"])
    said_of_it = origin(system.paper, record, card_name(run), said)
    card = coordinates_card(said_of_it, system.input, named_skeleton(run["skeleton"]), (width, height))
    say(f"wrote {out} and {write_card(card, out).name}, within {difference:.1e} of PyTorch")
    return difference
