"""`pose`: a system of the papers, trained on samples, as an ONNX file with its model card."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import ConfigError, SchemaError
from ..skeletons import Skeleton
from ..skeletons import skeleton as named_skeleton
from . import OPTIMISERS, arguments_of, pose_system
from .cards import pose_card, write_card
from .export import export
from .samples import CHECKING, TRAINING, Loader, Shape, check_apart, check_center_map, open_samples, prepare, shape_of
from .score import has_torso, locate, quick_pck
from .system import PoseSystem
from .train import Settings, begin, fit


@dataclass(frozen=True)
class PoseJob:
    """Which network, on what, and where it goes."""

    system: str
    samples: str
    out: Path
    size: str = "paper"
    #: Arguments of the system's `build`, in the place of the size's.
    changes: Mapping[str, Any] = field(default_factory=dict)
    batch: int = 16
    #: The paper's if not given.
    rate: float | None = None
    #: `paper`, or one of `OPTIMISERS`.
    optimiser: str = "paper"
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"
    #: The split of a folder that is trained on.
    split: str = "train"
    people: str | None = None
    #: Another folder or plan, or a split of the same folder.
    held_out: str | None = None
    #: `all` stages or the `last`; all for systems whose stages are scored by themselves.
    outputs: str | None = None
    name: str | None = None
    source: str | None = None


def train_pose(job: PoseJob, settings: Settings, say: Callable[[str], None]) -> float:
    """Train, write `job.out` and its card; give the largest difference between ONNX Runtime and PyTorch."""
    device = begin(job.seed, job.threads, job.device)
    system = pose_system(job.system)
    arguments = arguments_of(system, job.size, job.changes)
    loader = open_samples(
        job.samples,
        TRAINING,
        split=job.split,
        people=job.people,
        batch_size=job.batch,
        seed=job.seed,
        threads=job.threads,
    )
    shape = shape_of(loader.schema)
    check_samples(system, shape)
    network = build(system, shape.skeleton, arguments)
    probe(system, network, loader, shape)
    network = network.to(device, memory_format=torch.channels_last)
    held_out = open_held_out(job, shape, loader)
    run = {
        "kind": "pose",
        "system": job.system,
        "size": job.size,
        "arguments": arguments,
        "skeleton": shape.skeleton.name,
        "input": list(shape.size),
        "batch": job.batch,
        "seed": job.seed,
        "rate": job.rate,
        "optimiser": job.optimiser,
        "schedule": settings.schedule,
        "precision": settings.precision,
        # A schedule that falls to nothing is laid out over all epochs.
        "epochs": None if settings.schedule == "constant" else settings.epochs,
    }
    say(f"{job.system} {job.size}: {parameters(network):,} parameters, {shape.skeleton.name}, {len(loader)} batches an epoch")
    record = fit(
        network,
        optimiser_of(system, network, job.rate, job.optimiser),
        loader,
        pose_step(system, network, device),
        run,
        settings,
        device,
        None if held_out is None else quick_check(system, network, held_out, shape, device),
    )
    return export_pose(record, network, job, say)


def build(system: PoseSystem, skeleton: Skeleton, arguments: Mapping[str, Any]) -> nn.Module:
    """The system's network for the joints of `skeleton`.

    :raises ConfigError: the arguments contradict each other.
    """
    names = {"joint_names": skeleton.joints} if system.joint_names else {}
    try:
        return system.build(len(skeleton.joints), **names, **arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"`{system.name}` cannot be built for `{skeleton.name}`: {error}") from error


def check_samples(system: PoseSystem, shape: Shape) -> None:
    """Check what can be checked before the network is there.

    :raises SchemaError: the samples are not those of the system; the message says what was expected and found.
    """
    if shape.maps is None:
        raise SchemaError(f"{system.name} expects a column `heatmaps`, found none", "add the stage `encode_heatmaps`")
    if system.input.center_sigma is not None and not shape.center_map:
        raise SchemaError(
            f"{system.name} expects a column `center_map`, found none",
            f"encode samples with `center_map = {{ sigma = {system.input.center_sigma:g} }}`",
        )
    maps, width, height = shape.maps
    joints = len(shape.skeleton.joints)
    whole = joints + system.background
    if maps not in (whole, 2 * whole):
        what = f"{joints} joints of `{shape.skeleton.name}`" + (" and the background" if system.background else "")
        raise SchemaError(
            f"{system.name} expects {whole} maps, the {what}, or two such sets; found {maps}",
            f"encode samples with `background = {str(system.background).lower()}`",
        )
    expected = tuple(side / system.stride for side in shape.size)
    if (width, height) != expected:
        found = shape.size[0] / width
        raise SchemaError(
            f"{system.name} expects maps of stride {system.stride}, "
            f"{expected[0]:g} x {expected[1]:g} px for pictures of {shape.size[0]} x {shape.size[1]} px; "
            f"found stride {found:g}, {width} x {height} px",
            f"encode samples with `stride = {system.stride}`",
        )


def probe(system: PoseSystem, network: nn.Module, loader: Loader, shape: Shape) -> None:
    """Run the network once, on one batch, before it is trained.

    :raises SchemaError: its maps are not those of the samples.
    """
    batch = next(iter(loader))
    # The epoch begins anew, and what dropout drew is put back.
    loader.set_epoch(loader.epoch)
    if system.input.center_sigma is not None:
        check_center_map(batch, system.input.center_sigma)
    inputs, _ = prepare({name: value[:1] for name, value in batch.items()}, system.input, torch.device("cpu"))
    network.eval()
    with torch.no_grad():
        maps = network(*inputs)
    wanted = (1, len(shape.skeleton.joints) + system.background, shape.maps[2], shape.maps[1])
    for stage, found in enumerate(maps, start=1):
        if tuple(found.shape) != wanted:
            raise SchemaError(
                f"{system.name}, stage {stage}: the samples ask for {list(wanted[1:])} (maps, height, width), "
                f"the network gives {list(found.shape[1:])}"
            )


def pose_step(system: PoseSystem, network: nn.Module, device: torch.device) -> Callable[[Mapping[str, Any]], Any]:
    """One step: the system's loss of a batch, in single precision."""

    def step(batch: Mapping[str, Any]) -> tuple[Tensor, int]:
        inputs, moved = prepare(batch, system.input, device)
        maps = network(*inputs)
        with torch.autocast(device.type, enabled=False):
            return system.loss([stage.float() for stage in maps], moved), len(batch["image"])

    return step


def optimiser_of(system: PoseSystem, network: nn.Module, rate: float | None, name: str) -> torch.optim.Optimizer:
    """The paper's, or one of `OPTIMISERS`."""
    if name == "paper" and system.optimiser is not None:
        return system.optimiser(network, rate)
    make, usual = OPTIMISERS["adam" if name == "paper" else name]
    return make(network.parameters(), lr=usual if rate is None else rate)


def open_held_out(job: PoseJob, shape: Shape, train: Loader) -> Loader | None:
    """The people that are held back, checked to be of the same kind and apart from those trained on."""
    if job.held_out is None:
        return None
    other = os.path.isdir(job.held_out) or job.held_out.endswith(".toml")
    source, split = (job.held_out, None) if other else (job.samples, job.held_out)
    loader = open_samples(
        source, CHECKING, split=split, batch_size=job.batch, seed=job.seed, threads=job.threads, shuffle=False
    )
    found = shape_of(loader.schema)
    for what, wanted, there in (
        ("skeleton", shape.skeleton.name, found.skeleton.name),
        ("picture", shape.size, found.size),
    ):
        if wanted != there:
            raise ConfigError(f"held-out samples: expected {what} {wanted}, found {there}")
    if not has_torso(shape.skeleton):
        raise ConfigError(f"PCK is measured in torsos, and `{shape.skeleton.name}` has none", "leave out `--held-out`")
    check_apart(train, loader)
    return loader


def quick_check(
    system: PoseSystem, network: nn.Module, held_out: Loader, shape: Shape, device: torch.device
) -> Callable[[], dict[str, float]]:
    """PCK of each stage on the crops of people held back."""

    def predict(batch: Mapping[str, Any]) -> list[Tensor]:
        inputs, _ = prepare(batch, system.input, device)
        kept = len(shape.skeleton.joints)
        return [locate(maps[:, :kept], system.stride, system.origin) for maps in network(*inputs)]

    def check() -> dict[str, float]:
        held_out.set_epoch(0)
        shares = quick_pck(held_out, predict, shape.skeleton)
        return {f"pck_stage_{stage}": round(share, 4) for stage, share in enumerate(shares, start=1)}

    return check


def parameters(network: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(parameter.numel() for parameter in network.parameters())


class _Chosen(nn.Module):
    """A network with some of its outputs, as the tuple that a graph has."""

    def __init__(self, network: nn.Module, stages: list[int]) -> None:
        super().__init__()
        self.network, self.stages = network, stages

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        maps = self.network(*inputs)
        return tuple(maps[stage - 1] for stage in self.stages)


def export_pose(record: Mapping[str, Any], network: nn.Module, job: PoseJob, say: Callable[[str], None]) -> float:
    """Write the network of a run as ONNX with its card."""
    run = record["run"]
    system, skeleton, (width, height) = pose_system(run["system"]), named_skeleton(run["skeleton"]), run["input"]
    network.eval()
    # Noise as it comes from pictures: levels 0 to 255, from a generator of its own.
    noise = torch.Generator().manual_seed(1)
    levels = torch.randint(0, 256, (3, height, width, 3), dtype=torch.uint8, generator=noise)
    batch = {"image": levels, "center_map": torch.rand((3, height, width), generator=noise)}
    network = network.cpu()
    inputs, _ = prepare(batch, system.input, torch.device("cpu"))
    with torch.no_grad():
        count = len(network(*(tensor[:1] for tensor in inputs)))
    every = job.outputs == "all" or (job.outputs is None and run["system"] in STAGED)
    stages = list(range(1, count + 1)) if every else [count]
    names = ["image", "center_map"][: len(inputs)]
    difference = export(_Chosen(network, stages), job.out, inputs, names, [f"stage_{stage}" for stage in stages])
    source = job.source or _source(system, record)
    name = job.name or run["system"] + ("" if run["size"] == "paper" else f"-{run['size']}")
    card = write_card(pose_card(name, source, system, skeleton, (width, height), stages), job.out)
    say(f"wrote {job.out} and {card.name}, within {difference:.1e} of PyTorch")
    return difference


#: Systems of which every stage is exported unless told otherwise: their papers score each.
STAGED = ("cpm", "hourglass", "hourglass-paper")


def _source(system: PoseSystem, record: Mapping[str, Any]) -> str:
    run, state = record["run"], record["state"]
    return (
        f"{system.paper}; size {run['size']}, trained on samples {record['loader']['content'][:12]} for "
        f"{state['epoch']} epochs of batches of {run['batch']}, seed {run['seed']}"
    )
