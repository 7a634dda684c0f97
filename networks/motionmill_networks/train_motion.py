"""`motion`: a network that learns to tell people apart by their windows, as an ONNX file with its model card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError, DataError, SchemaError
from motionmill.torch import ShardLoader

from . import motion_system
from .cards import motion_card, write_card
from .counts import parameters
from .export import export
from .job import Job, arguments_of, card_name, optimiser_of, origin
from .motion_system import MotionSystem, MotionWindow
from .sessions import KEYS, Session, count_windows, hold_back, most_probable, rows_of
from .train import Settings, begin, fit


@dataclass(frozen=True, kw_only=True)
class MotionJob(Job):
    """A network over windows; its classes are the subjects of `split`, in order of name."""

    #: What `validation_share` counts: `session` or `window`. Sessions stay whole.
    validate_by: str = "session"
    validation_share: float = 0.2


def train_motion(job: MotionJob, settings: Settings, say: Callable[[str], None]) -> float:
    """Train, write `job.out` and its card; return the largest difference between ONNX Runtime and PyTorch."""
    device = begin(job.seed, job.threads, job.device)
    system = motion_system(job.system)
    arguments = arguments_of(system.name, system.build, system.sizes, job.size, job.changes)
    loader = ShardLoader(job.samples, split=job.split, **job.loading())
    shape = shape_of(loader)
    counts = count_windows(job.samples, job.split)
    held = hold_back(counts, job.validate_by, job.validation_share, job.seed)
    classes = sorted({session[0] for session in counts})
    if len(classes) < 2:
        raise DataError(f"expected two subjects or more to tell apart, found {len(classes)}: `{job.samples}`")
    network = build(system, shape, classes, arguments)
    probe(system, network, shape)
    network = network.to(device)
    say(
        f"{job.system} {job.size}: {parameters(network):,} parameters, {len(classes)} subjects, {len(counts)} sessions "
        f"of which {len(held)} with {sum(counts[one] for one in held)} of {sum(counts.values())} windows validate"
    )
    check = None
    if held:
        again = ShardLoader(job.samples, split=job.split, shuffle=False, **job.loading())
        check = accuracy(system, network, again, classes, held, device)
    more = {"kind": "motion", "arguments": arguments, **shape, "classes": classes}
    more |= {"validate_by": job.validate_by, "validation_share": job.validation_share}
    record = fit(
        network,
        optimiser_of(system, network, job.rate, job.optimiser),
        loader,
        motion_step(system, network, classes, held, device),
        job.describe(settings, **more),
        settings,
        device,
        check,
    )
    return export_motion(record, job.out, say, **job.naming)


def shape_of(loader: ShardLoader) -> dict[str, Any]:
    """What the schema of windows says: `channels`, `rate_hz`, `blocks`, `block_samples`, `block_hop_samples`.

    :raises SchemaError: it is not a schema of windows.
    """
    metadata = loader.schema.metadata or {}
    if metadata.get(b"motionmill.table") != b"windows" or b"motionmill.channels" not in metadata:
        found = metadata.get(b"motionmill.table", b"something else").decode()
        raise SchemaError(f"expected a table of windows, found {found}", "the stage `window` makes one")
    kind = loader.schema.field("window").type
    return {
        "channels": metadata[b"motionmill.channels"].decode().split(","),
        "rate_hz": float(metadata[b"motionmill.rate_hz"]),
        "blocks": kind.list_size,
        "block_samples": kind.value_type.list_size,
        "block_hop_samples": int(metadata[b"motionmill.hop_samples"]),
    }


def build(
    system: MotionSystem, shape: Mapping[str, Any], classes: list[str], arguments: Mapping[str, Any]
) -> nn.Module:
    """The system's network for windows of `shape` and these subjects.

    :raises ConfigError: the arguments contradict each other or the windows.
    """
    window = MotionWindow(shape["rate_hz"], shape["blocks"], shape["block_samples"], shape["block_hop_samples"])
    try:
        return system.build(len(shape["channels"]), len(classes), window=window, **arguments)
    except (TypeError, ValueError) as error:
        cut = f"{window.blocks} blocks of {window.block_samples} samples, {window.block_hop_samples} apart"
        raise ConfigError(f"`{system.name}` cannot be built for windows of {cut}: {error}") from error


def probe(system: MotionSystem, network: nn.Module, shape: Mapping[str, Any]) -> None:
    """Run the network on an empty window, untrained.

    :raises SchemaError: it does not take windows of this shape.
    """
    blocks, samples, channels = shape["blocks"], shape["block_samples"], len(shape["channels"])
    network.eval()
    try:
        with torch.no_grad():
            network(torch.zeros(1, blocks, samples, channels))
    except RuntimeError as error:
        expected = f"{system.window.blocks} blocks of {system.window.block_samples} samples as in its paper"
        found = f"cannot take {blocks} of {samples}: {error}"
        raise SchemaError(f"`{system.name}` expects windows of {expected}, {found}") from error


def motion_step(
    system: MotionSystem, network: nn.Module, classes: list[str], held: set[Session], device: torch.device
) -> Callable[[Mapping[str, Any]], Any]:
    """One step: the system's loss over the training rows of a batch."""

    def step(batch: Mapping[str, Any]) -> tuple[Tensor, int]:
        rows = rows_of(list(zip(*(batch[key] for key in KEYS))), held, inside=False)
        if not rows:
            return torch.zeros((), device=device), 0
        labels = torch.tensor([classes.index(batch["subject"][row]) for row in rows], device=device)
        logits = network(batch["window"][rows].to(device))[1]
        with torch.autocast(device.type, enabled=False):
            return system.loss(logits.float(), labels), len(rows)

    return step


def accuracy(
    system: MotionSystem,
    network: nn.Module,
    loader: ShardLoader,
    classes: list[str],
    held: set[Session],
    device: torch.device,
) -> Callable[[], dict[str, float]]:
    """Shares of the held-out windows whose subject is the most probable, and among the 5 % most probable.

    Where a network scores each block, a window's log-probability is the mean over its blocks.
    """
    many = most_probable(len(classes))

    @torch.no_grad()
    def check() -> dict[str, float]:
        loader.set_epoch(0)
        first = among = count = 0
        for batch in loader:
            rows = rows_of(list(zip(*(batch[key] for key in KEYS))), held, inside=True)
            if not rows:
                continue
            labels = torch.tensor([classes.index(batch["subject"][row]) for row in rows])
            scores = network(batch["window"][rows].to(device))[1].float().log_softmax(-1).cpu()
            if system.frames == "each":
                scores = scores.mean(1)
            best = scores.topk(many, dim=1).indices == labels[:, None]
            first += int(best[:, 0].sum())
            among += int(best.any(1).sum())
            count += len(rows)
        return {"accuracy": round(first / count, 4), f"accuracy_within_{many}": round(among / count, 4)}

    return check


class _Graph(nn.Module):
    """A network as the tuple that a graph has."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.network(*inputs))


def export_motion(
    record: Mapping[str, Any],
    out: Path,
    say: Callable[[str], None],
    **said: str | None,
) -> float:
    """Write the network of a run or checkpoint as ONNX with its card; return its difference from PyTorch.

    :param said: `name`, `source` and `license` of the card.

    The state of a recurrent network is an input and an output, so that each window can continue where the one before ended.
    """
    run = record["run"]
    system = motion_system(run["system"])
    network = build(system, run, run["classes"], run["arguments"])
    network.load_state_dict(record["network"])
    noise = torch.Generator().manual_seed(1)
    shape = (3, run["blocks"], run["block_samples"], len(run["channels"]))
    inputs, names, outputs = [torch.randn(shape, generator=noise)], ["window"], ["features", "scores"]
    if system.recurrent:
        # A state that a window has left: not all numbers are possible ones.
        with torch.no_grad():
            inputs.append(network.eval()(inputs[0])[2])
        names.append("state_in")
        outputs.append("state_out")
    difference = export(_Graph(network), out, inputs, names, outputs)
    card = motion_card(
        origin(system.paper, record, card_name(run), said),
        run,
        frames=system.frames,
        features=network.feature_width,
        state=network.state_width if system.recurrent else None,
    )
    say(f"wrote {out} and {write_card(card, out).name}, within {difference:.1e} of PyTorch")
    return difference
