"""The one training loop: epochs, learning rate, clock, checkpoints, log.

A run depends only on its settings and its seed: stopped anywhere and resumed from its checkpoint, it ends with the
weights of a run that was never stopped, bit for bit on a CPU with as many threads.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError, DataError, FileError

#: Version of the layout of a checkpoint.
VERSION = 1
#: How the learning rate may change, and in what products may be computed.
SCHEDULES, PRECISIONS = ("paper", "constant", "cosine", "one-cycle"), ("float32", "bfloat16")
#: Share of all steps in which `one-cycle` rises, and the share of the rate that it begins with.
RISE, START = 0.15, 0.04

Step = Callable[[Mapping[str, Any]], tuple[Tensor, int]]
"""From a batch to its mean loss and how many rows it trains on; a batch of no rows is passed over."""


@dataclass(frozen=True)
class Settings:
    """How long, how fast, and what is kept."""

    epochs: int = 1
    #: Stop at the first batch after so many minutes of this process.
    minutes: float | None = None
    #: One of `SCHEDULES`.
    schedule: str = "paper"
    #: `float32`, or `bfloat16` for the products of matrices and convolutions.
    precision: str = "float32"
    #: The longest that the gradient of all parameters together may be; longer ones are cut to it.
    clip: float | None = None
    checkpoint: Path | None = None
    resume: bool = False
    log: Path | None = None

    def __post_init__(self) -> None:
        if self.resume and self.checkpoint is None:
            raise ConfigError("`--resume` goes on from a checkpoint, and none is named", "add `--checkpoint FILE`")


def begin(seed: int, threads: int | None, device: str) -> torch.device:
    """Set seed, threads and deterministic arithmetic; return the device.

    :raises ConfigError: there is no such device.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("`--device cuda`: expected a CUDA device, found none", "leave it out to train on the CPU")
    # Read when CUDA begins.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if threads:
        torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.manual_seed(seed)
    return torch.device(device)


def factor(schedule: str, done: float) -> float:
    """The factor of the learning rate after the share `done` of all steps."""
    if schedule == "constant":
        return 1.0
    if schedule == "one-cycle":
        if done < RISE:
            return START + (1 - START) * done / RISE
        done = (done - RISE) / (1 - RISE)
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def fit(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    loader: Any,
    step: Step,
    run: Mapping[str, Any],
    settings: Settings,
    device: torch.device,
    check: Callable[[], Mapping[str, float]] | None = None,
    decay: Callable[[int], float] = lambda _: 1.0,
) -> dict[str, Any]:
    """Train `network`; return the record of the run, which is what a checkpoint holds.

    :param run: what identifies the run, plain values; a checkpoint of another run is refused.
    :param check: called after each epoch, in evaluation mode; its numbers are printed and logged.
    :param decay: the paper's schedule: from steps taken to a factor of the rate.
    :raises DataError: there is nothing to train on, or the loss is no longer a number.
    """
    if len(loader) == 0:
        raise DataError("expected rows to train on, found none")
    rates = [group["lr"] for group in optimiser.param_groups]
    state: dict[str, Any] = {"epoch": 0, "trained": 0.0, "sum": 0.0, "rows": 0, "seconds": 0.0}
    if settings.resume:
        state = _resume(network, optimiser, loader, run, settings)
    opening = {"run": dict(run), "torch": torch.__version__, "device": _device_name(device)}
    _log(settings, opening, new=not settings.resume)
    begun = time.monotonic()
    earlier, deadline = state["seconds"], math.inf if settings.minutes is None else begun + 60 * settings.minutes
    batches, stopped = len(loader), False
    while state["epoch"] < settings.epochs and not stopped:
        epoch, since, rows = state["epoch"], time.monotonic(), state["rows"]
        network.train()
        total = torch.tensor(state["sum"], dtype=torch.float64, device=device)
        # Where an epoch was left, the loader goes on behind that batch.
        behind = loader.state_dict()["batch"]
        for number, batch in enumerate(loader, start=behind + 1):
            steps = epoch * batches + number - 1
            share = steps / (settings.epochs * batches)
            now = decay(steps) if settings.schedule == "paper" else factor(settings.schedule, share)
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * now
            with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
                loss, count = step(batch)
            if count:
                _update(network, optimiser, loss, settings.clip)
                # Summed where it lies: asking for the number would make a GPU wait.
                total += loss.detach().double() * count
                state["rows"] += count
            if time.monotonic() > deadline and number < batches:
                stopped = True
                break
        state |= {"sum": total.item(), "seconds": earlier + time.monotonic() - begun}
        if not math.isfinite(state["sum"]):
            raise DataError(f"the loss of epoch {epoch + 1} is {state['sum']}", "lower `--rate`, or set `--clip`")
        loss, state["trained"] = state["sum"] / max(state["rows"], 1), epoch + number / batches
        if stopped:
            where = f"in epoch {epoch + 1} behind batch {number} of {batches}, loss {loss:.5g}"
            _say(f"stopped after {settings.minutes:g} minutes, {where}")
            _log(settings, {"stopped_in": epoch + 1, "batch": number, "batches": batches, "rows": state["rows"], "loss": loss})
        else:
            seconds = time.monotonic() - since
            found = {"loss": loss, "seconds": round(seconds, 3)}
            found["samples_per_second"] = round((state["rows"] - rows) / seconds, 1)
            if check is not None:
                network.eval()
                found |= check()
            _say(f"epoch {epoch + 1:3d} of {settings.epochs}  " + "  ".join(_words(found)))
            _log(settings, {"epoch": epoch + 1, "rate": optimiser.param_groups[0]["lr"], **found})
            state |= {"epoch": epoch + 1, "sum": 0.0, "rows": 0, "loss": loss}
            if time.monotonic() > deadline and state["epoch"] < settings.epochs:
                _say(f"stopped after {settings.minutes:g} minutes, behind epoch {epoch + 1}")
                stopped = True
        if settings.checkpoint is not None:
            _save(_record(network, optimiser, loader, run, state), settings.checkpoint)
    network.eval()
    record = _record(network, optimiser, loader, run, state)
    if settings.checkpoint is not None and settings.epochs == 0:
        # Its weights are as they were drawn; who asks for a checkpoint gets one.
        _save(record, settings.checkpoint)
    return record


def _update(network: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor, clip: float | None) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if clip is not None:
        nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimiser.step()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint at `path`; only tensors and plain values are read.

    :raises FileError: it cannot be read, or was not written by this package.
    """
    try:
        record = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise FileError(f"cannot read the checkpoint: {error}: `{path}`") from error
    if not isinstance(record, dict) or record.get("version") != VERSION:
        raise FileError(f"expected a checkpoint of version {VERSION}, found something else: `{path}`")
    return record


def _resume(
    network: nn.Module, optimiser: torch.optim.Optimizer, loader: Any, run: Mapping[str, Any], settings: Settings
) -> dict[str, Any]:
    record = read_checkpoint(settings.checkpoint)
    for key in sorted(set(run) | set(record["run"])):
        expected, found = record["run"].get(key), run.get(key)
        if expected != found:
            raise ConfigError(f"the checkpoint is of another run: expected `{key}` {expected!r}, found {found!r}")
    network.load_state_dict(record["network"])
    optimiser.load_state_dict(record["optimiser"])
    loader.load_state_dict(record["loader"])
    torch.set_rng_state(record["random"])
    if record["cuda_random"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(record["cuda_random"])
    return dict(record["state"])


def _record(
    network: nn.Module, optimiser: torch.optim.Optimizer, loader: Any, run: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "version": VERSION,
        "run": dict(run),
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "loader": loader.state_dict(),
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None,
        "state": dict(state),
    }


def _save(record: Mapping[str, Any], path: Path) -> None:
    # Whoever is killed here leaves the checkpoint before this one.
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".part")
    torch.save(dict(record), beside)
    os.replace(beside, path)


def _log(settings: Settings, line: Mapping[str, Any], new: bool = False) -> None:
    if settings.log is not None:
        settings.log.parent.mkdir(parents=True, exist_ok=True)
        with settings.log.open("w" if new else "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _words(found: Mapping[str, float]) -> list[str]:
    return [f"{key} {value:.5g}" for key, value in found.items()]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.get_num_threads()} threads"
