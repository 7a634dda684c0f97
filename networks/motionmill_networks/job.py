"""What is trained, on what, and where it goes: the arguments that all kinds of networks share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from motionmill.errors import ConfigError
from motionmill.skeletons import Skeleton

from .system import PoseSystem
from .train import Settings

#: Optimisers beside the papers' own, with their usual rates.
OPTIMISERS: dict[str, tuple[Any, float]] = {
    # All parameters in one call: small networks have hundreds, each step of each a handful of calls.
    "adam": (partial(torch.optim.Adam, fused=True), 1e-3),
    "adamw": (partial(torch.optim.AdamW, fused=True), 1e-3),
    "rmsprop": (torch.optim.RMSprop, 2.5e-4),
}

#: Arguments of a `build` that the samples or windows decide.
FROM_DATA = frozenset({"parts", "joints", "joint_names", "channels", "classes", "window", "coarse"})


@dataclass(frozen=True, kw_only=True)
class Job:
    """Which network, on what, and where it goes."""

    system: str
    #: A folder of shards; where it says so, a plan.
    samples: str
    #: The ONNX file; its card lies beside it.
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
    name: str | None = None
    source: str | None = None
    license: str | None = None

    @property
    def naming(self) -> dict[str, str | None]:
        """The given entries of the card."""
        return {"name": self.name, "source": self.source, "license": self.license}

    def loading(self) -> dict[str, Any]:
        """The arguments of every loader of the run."""
        return {"batch_size": self.batch, "seed": self.seed, "threads": self.threads}

    def describe(self, settings: Settings, **more: Any) -> dict[str, Any]:
        """How a checkpoint identifies the run."""
        return {
            "system": self.system,
            "size": self.size,
            "batch": self.batch,
            "seed": self.seed,
            "rate": self.rate,
            "optimiser": self.optimiser,
            "schedule": settings.schedule,
            "precision": settings.precision,
            "clip": settings.clip,
            # A schedule that falls to nothing is laid out over all epochs; the others may go on for ever.
            "epochs": None if settings.schedule in ("paper", "constant") else settings.epochs,
            **more,
        }


def arguments_of(
    name: str,
    build: Callable[..., nn.Module],
    sizes: Mapping[str, Mapping[str, Any]],
    size: str,
    changes: Mapping[str, Any],
) -> dict[str, Any]:
    """The keyword arguments of `build` for a named size, with `changes` applied.

    :raises ConfigError: there is no such size or argument.
    """
    if size not in sizes:
        raise ConfigError(f"`{name}`: expected a size of {_names(sizes)}, found `{size}`")
    known = [key for key in inspect.signature(build).parameters if key not in FROM_DATA]
    for key in changes:
        if key not in known:
            raise ConfigError(f"`{name}`: expected an argument of {_names(known)}, found `{key}`")
    return {**sizes[size], **changes}


def build(system: PoseSystem, skeleton: Skeleton, arguments: Mapping[str, Any]) -> nn.Module:
    """The system's network for the joints of `skeleton`.

    :raises ConfigError: the arguments contradict each other or the skeleton.
    """
    named = {"joint_names": skeleton.joints} if system.joint_names else {}
    try:
        return system.build(len(skeleton.joints), **named, **arguments)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"`{system.name}` cannot be built for `{skeleton.name}`: {error}") from error


def optimiser_of(system: Any, network: nn.Module, rate: float | None, name: str) -> torch.optim.Optimizer:
    """The system's, or one of `OPTIMISERS`; Adam where a paper names none."""
    if name == "paper" and system is not None and system.optimiser is not None:
        return system.optimiser(network, rate)
    make, usual = OPTIMISERS["adam" if name == "paper" else name]
    return make(network.parameters(), lr=usual if rate is None else rate)


def origin(paper: str, record: Mapping[str, Any], name: str, said: Mapping[str, str | None]) -> dict[str, str]:
    """The first lines of a card: `name`, `source` and `license` as given, else as the run says."""
    found = {"name": said.get("name") or name, "source": said.get("source") or _provenance(paper, record)}
    return found | ({"license": said["license"]} if said.get("license") else {})


def _provenance(paper: str, record: Mapping[str, Any]) -> str:
    run, state = record["run"], record["state"]
    return (
        f"{paper}; size {run['size']}, trained on the table {record['loader']['content'][:12]} for "
        f"{state['trained']:.4g} epochs in batches of {run['batch']}, seed {run['seed']}"
    )


def card_name(run: Mapping[str, Any]) -> str:
    """The default name of a network on its card."""
    return run["system"] if run["size"] == "paper" else f"{run['system']}-{run['size']}"


def _names(known: Any) -> str:
    """A list of names, for a message."""
    return ", ".join(f"`{name}`" for name in known)
