"""`pose`: a system of the papers, trained on samples, as an ONNX file with its model card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motionmill.skeletons import skeleton as named_skeleton

from . import pose_system
from .cards import pose_card, write_card
from .checks import check_held_out, check_samples, probe
from .counts import parameters
from .export import export
from .job import Job, arguments_of, build, card_name, optimiser_of, origin
from .samples import CHECKING, TRAINING, Loader, Shape, Source, prepare, shape_of, source_of
from .score import locate, quick_pck
from .system import PoseSystem
from .train import Settings, begin, fit

#: Systems of which every stage is exported unless told otherwise: their papers score each.
STAGED = ("cpm", "hourglass", "hourglass-paper")


@dataclass(frozen=True, kw_only=True)
class PoseJob(Job):
    """A network of heatmaps."""

    #: For a plan, the table in the place of its source.
    people: str | None = None
    #: Another folder or plan, or a split of the same folder.
    held_out: str | None = None
    #: `all` stages or the `last`; all for `STAGED` systems if not given.
    outputs: str | None = None


def train_pose(job: PoseJob, settings: Settings, say: Callable[[str], None]) -> float:
    """Train, write `job.out` and its card; return the largest difference between ONNX Runtime and PyTorch."""
    device = begin(job.seed, job.threads, job.device)
    system = pose_system(job.system)
    arguments = arguments_of(system.name, system.build, system.sizes, job.size, job.changes)
    source = Source(job.samples, None if Source(job.samples).is_plan else job.split, job.people)
    loader = source.open(TRAINING, **job.loading())
    shape = shape_of(loader.schema)
    check_samples(system, arguments, shape)
    network = build(system, shape.skeleton, arguments)
    sigma = probe(system, network, loader, shape)
    network = network.to(device, memory_format=torch.channels_last)
    check = None
    if job.held_out is not None:
        apart = source_of(job.held_out, job.samples)
        held_out = apart.open(CHECKING, shuffle=False, **job.loading())
        check_held_out(source, apart, shape, shape_of(held_out.schema))
        check = quick_check(system, network, held_out, shape, device)
    more = {"kind": "pose", "arguments": arguments, "skeleton": shape.skeleton.reference, "input": list(shape.size)}
    if sigma is not None:
        more["center_sigma"] = sigma
        if sigma != system.input.center_sigma:
            say(f"centre maps of spread {sigma:g} px, where the paper has {system.input.center_sigma:g} px")
    what = f"{parameters(network):,} parameters, `{shape.skeleton.name}`"
    say(f"{job.system} {job.size}: {what}, {len(loader)} batches an epoch")
    record = fit(
        network,
        optimiser_of(system, network, job.rate, job.optimiser),
        loader,
        pose_step(system, network, device),
        job.describe(settings, **more),
        settings,
        device,
        check,
        system.decay,
    )
    return export_pose(record, job.out, say, outputs=job.outputs, **job.naming)


def pose_step(system: PoseSystem, network: nn.Module, device: torch.device) -> Callable[[Mapping[str, Any]], Any]:
    """One step: the system's loss of a batch, in single precision."""

    def step(batch: Mapping[str, Any]) -> tuple[Tensor, int]:
        inputs, moved = prepare(batch, system.input, device)
        maps = network(*inputs)
        with torch.autocast(device.type, enabled=False):
            return system.loss([stage.float() for stage in maps], moved), len(batch["image"])

    return step


def quick_check(
    system: PoseSystem, network: nn.Module, held_out: Loader, shape: Shape, device: torch.device
) -> Callable[[], dict[str, float]]:
    """PCK of each head on the crops of held-out people."""
    joints = len(shape.skeleton.joints)

    def predict(batch: Mapping[str, Any]) -> list[Tensor]:
        inputs, _ = prepare(batch, system.input, device)
        return [locate(maps[:, :joints], system.stride, system.origin) for maps in network(*inputs)]

    def check() -> dict[str, float]:
        held_out.set_epoch(0)
        shares = quick_pck(held_out, predict, shape.skeleton)
        return {f"pck_stage_{stage}": round(share, 4) for stage, share in enumerate(shares, start=1)}

    return check


class _Chosen(nn.Module):
    """A network with some of its outputs, as the tuple that a graph has."""

    def __init__(self, network: nn.Module, stages: list[int]) -> None:
        super().__init__()
        self.network, self.stages = network, stages

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        maps = self.network(*inputs)
        return tuple(maps[stage - 1] for stage in self.stages)


def network_of(record: Mapping[str, Any]) -> nn.Module:
    """The trained network of a run of `pose`, on the CPU, ready for use."""
    run = record["run"]
    network = build(pose_system(run["system"]), named_skeleton(run["skeleton"]), run["arguments"])
    network.load_state_dict(record["network"])
    return network.eval()


def export_pose(
    record: Mapping[str, Any],
    out: Path,
    say: Callable[[str], None],
    outputs: str | None = None,
    **said: str | None,
) -> float:
    """Write the network of a run or checkpoint as ONNX with its card; return its difference from PyTorch.

    :param said: `name`, `source` and `license` of the card.
    """
    run = record["run"]
    system, (width, height) = pose_system(run["system"]), run["input"]
    network = network_of(record)
    # Noise at the levels of pictures, from a generator of its own.
    noise = torch.Generator().manual_seed(1)
    levels = torch.randint(0, 256, (3, height, width, 3), dtype=torch.uint8, generator=noise)
    center_map = torch.rand((3, height, width), generator=noise)
    inputs, _ = prepare({"image": levels, "center_map": center_map}, system.input, torch.device("cpu"))
    with torch.no_grad():
        count = len(network(*(tensor[:1] for tensor in inputs)))
    every = run["system"] in STAGED if outputs is None else outputs == "all"
    stages = list(range(1, count + 1)) if every else [count]
    difference = export(
        _Chosen(network, stages), out, inputs, ["image", "center_map"][: len(inputs)], [f"stage_{n}" for n in stages]
    )
    card = pose_card(
        origin(system.paper, record, card_name(run), said),
        system,
        named_skeleton(run["skeleton"]),
        (width, height),
        stages,
        run.get("center_sigma"),
    )
    say(f"wrote {out} and {write_card(card, out).name}, within {difference:.1e} of PyTorch")
    return difference
