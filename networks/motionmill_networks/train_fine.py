"""`fine`: the second network of Efficient Object Localization, trained after a coarse one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError
from motionmill.skeletons import skeleton as named_skeleton

from . import pose_system
from .cards import fine_card, write_card
from .checks import check_held_out, check_samples
from .counts import parameters
from .efficient_localization import coarse_points
from .export import export
from .fine_localization import FINE_SIZES, FineNetwork, cell_points, fine_loss, fine_points, jitter, joint_loss
from .job import Job, arguments_of, card_name, optimiser_of, origin
from .samples import CHECKING, TRAINING, Loader, Shape, Source, prepare, shape_of, source_of
from .score import quick_pck
from .system import PoseSystem
from .train import Settings, begin, fit, read_checkpoint
from .train_pose import export_pose, network_of


@dataclass(frozen=True, kw_only=True)
class FineJob(Job):
    """A fine network; `system` is stated in the checkpoint of the coarse one."""

    system: str = "tompson-fine"
    #: Checkpoint of the coarse network.
    coarse: Path
    #: Whether the coarse network goes on learning too (the paper's last step); else it stays as it is.
    joint: bool = False
    #: Where the coarse network is then written anew.
    coarse_out: Path | None = None
    #: Places to look at: `coarse`, what the coarse network finds, or `jitter`, the true cell moved by up to one.
    points: str = "coarse"
    #: For a plan, the table in the place of its source.
    people: str | None = None
    #: Another folder or plan, or a split of the same folder.
    held_out: str | None = None


class Cascade(nn.Module):
    """A coarse network and the fine one that reads its first layers."""

    def __init__(self, coarse: nn.Module, fine: FineNetwork, joint: bool) -> None:
        super().__init__()
        self.coarse, self.fine, self.joint = coarse, fine, joint
        if not joint:
            coarse.requires_grad_(False)

    def train(self, mode: bool = True) -> Cascade:
        """As usual, but a coarse network that is not trained does not use dropout either."""
        super().train(mode)
        if not self.joint:
            self.coarse.eval()
        return self

    def forward(self, image: Tensor, points: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Coarse maps, the places looked at (found by them unless given), fine maps."""
        early = self.coarse.early(image)
        maps = self.coarse.late(early)
        if points is None:
            points = coarse_points(maps.detach(), self.coarse.pooling)
        return maps, points, self.fine.refine(early, points)


def train_fine(job: FineJob, settings: Settings, say: Callable[[str], None]) -> float:
    """Train, write `job.out` and its card; return the largest difference between ONNX Runtime and PyTorch."""
    if job.joint and job.coarse_out is None:
        raise ConfigError("`--joint` changes the coarse network too: expected `--coarse-out`, found none")
    device = begin(job.seed, job.threads, job.device)
    before = read_checkpoint(job.coarse)
    run = before["run"]
    if not str(run["system"]).startswith("tompson") or run["kind"] != "pose":
        found = f"found one of `{run['system']}`: `{job.coarse}`"
        raise ConfigError(f"expected the checkpoint of a coarse `tompson`, {found}")
    system = pose_system(run["system"])
    source = Source(job.samples, None if Source(job.samples).is_plan else job.split, job.people)
    loader = source.open(TRAINING, **job.loading())
    shape = shape_of(loader.schema)
    check_samples(system, run["arguments"], shape)
    expected = (run["skeleton"], tuple(run["input"]))
    for what, wanted, found in zip(("skeleton", "pictures"), expected, (shape.skeleton.reference, shape.size)):
        if wanted != found:
            raise ConfigError(f"expected {what} {wanted} of the coarse network, found {found}")
    arguments = arguments_of("tompson-fine", FineNetwork, FINE_SIZES, job.size, job.changes)
    cascade = cascade_of(before, arguments, job.joint).to(device, memory_format=torch.channels_last)
    check = None
    if job.held_out is not None:
        apart = source_of(job.held_out, job.samples)
        held_out = apart.open(CHECKING, shuffle=False, **job.loading())
        check_held_out(source, apart, shape, shape_of(held_out.schema))
        check = quick_check(system, cascade, held_out, shape, device)
    say(f"tompson-fine {job.size}: {parameters(cascade.fine):,} parameters, {len(loader)} batches an epoch")
    more = {"kind": "fine", "coarse": run, "arguments": arguments, "joint": job.joint, "points": job.points}
    record = fit(
        cascade,
        optimiser_of(None, cascade, job.rate, job.optimiser),
        loader,
        fine_step(system, cascade, job.points, device),
        job.describe(settings, **more),
        settings,
        device,
        check,
    )
    difference = export_fine(record, job.out, say, **job.naming)
    if job.joint:
        export_pose({**record, "run": run, "network": cascade.coarse.state_dict()}, job.coarse_out, say)
    return difference


def cascade_of(before: Mapping[str, Any], arguments: Mapping[str, Any], joint: bool) -> Cascade:
    """The coarse network of a checkpoint with a new fine one."""
    coarse = network_of(before)
    joints = len(named_skeleton(before["run"]["skeleton"]).joints)
    try:
        return Cascade(coarse, FineNetwork(coarse, joints, **arguments), joint)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"`tompson-fine` cannot be built: {error}") from error


def fine_step(
    system: PoseSystem, cascade: Cascade, places: str, device: torch.device
) -> Callable[[Mapping[str, Any]], Any]:
    """One step: the fine network's loss, and the coarse one's where both learn."""

    def step(batch: Mapping[str, Any]) -> tuple[Tensor, int]:
        (image,), moved = prepare(batch, system.input, device)
        known = moved["visibility"] > 0
        moved["keypoints"] = torch.where(known[:, :, None], moved["keypoints"], 0.0)
        points = None
        if places == "jitter":
            # Drawn on the CPU, so that a seed gives the same places on every device.
            true = cell_points(moved["keypoints"].cpu(), system.stride)
            points = jitter(true, system.stride).to(device)
        maps, points, fine = cascade(image, points)
        with torch.autocast(device.type, enabled=False):
            maps, fine = maps.float(), fine.float()
            if cascade.joint:
                return joint_loss([maps], fine, points, moved), len(image)
            return fine_loss(fine, points, moved["keypoints"], known.float()), len(image)

    return step


def quick_check(
    system: PoseSystem, cascade: Cascade, held_out: Loader, shape: Shape, device: torch.device
) -> Callable[[], dict[str, float]]:
    """PCK of the coarse and of the final places on the crops of held-out people."""

    def predict(batch: Mapping[str, Any]) -> list[Tensor]:
        (image,), _ = prepare(batch, system.input, device)
        _, points, fine = cascade(image)
        return [points, fine_points(fine, points)]

    def check() -> dict[str, float]:
        held_out.set_epoch(0)
        coarse, fine = quick_pck(held_out, predict, shape.skeleton)
        return {"pck_coarse": round(coarse, 4), "pck_fine": round(fine, 4)}

    return check


def export_fine(
    record: Mapping[str, Any],
    out: Path,
    say: Callable[[str], None],
    **said: str | None,
) -> float:
    """Write the fine network of a run or checkpoint as ONNX with its card; return its difference from PyTorch.

    :param said: `name`, `source` and `license` of the card.
    """
    run, coarse = record["run"], record["run"]["coarse"]
    system, skeleton = pose_system(coarse["system"]), named_skeleton(coarse["skeleton"])
    width, height = coarse["input"]
    before = {"run": coarse, "network": _part(record["network"], "coarse.")}
    cascade = cascade_of(before, run["arguments"], run["joint"])
    cascade.load_state_dict(record["network"])
    noise = torch.Generator().manual_seed(1)
    levels = torch.randint(0, 256, (3, height, width, 3), dtype=torch.uint8, generator=noise)
    (image,), _ = prepare({"image": levels}, system.input, torch.device("cpu"))
    # Whole px, some of them at a border.
    share = torch.rand((3, len(skeleton.joints), 2), generator=noise)
    points = torch.floor(share * torch.tensor([width, height]))
    difference = export(cascade.fine, out, [image, points], ["image", "points"], ["offsets"])
    name = card_name({"system": f"{coarse['system']}-fine", "size": run["size"]})
    card = fine_card(origin(system.paper, record, name, said), system, skeleton, (width, height))
    say(f"wrote {out} and {write_card(card, out).name}, within {difference:.1e} of PyTorch")
    return difference


def _part(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
