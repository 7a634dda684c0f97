"""Checks before a network is trained: that samples and network fit each other."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from motionmill.errors import ConfigError, DataError, SchemaError

from .samples import Loader, Shape, Source, prepare
from .score import has_torso
from .system import PoseSystem

#: Px from the peak of a centre map at which its spread is read off.
_REACH = 4
#: Digits behind the point that a spread is read to, px.
_DIGITS = 2


def check_samples(system: PoseSystem, arguments: Mapping[str, Any], shape: Shape) -> None:
    """Check the samples' schema against the system and the arguments of its network.

    :raises SchemaError: the samples are not what the system learns from.
    """
    laid_out = inspect.signature(system.build).parameters.get("input_size")
    if laid_out is not None:
        side = arguments.get("input_size", laid_out.default)
        if shape.size != (side, side):
            found = f"{shape.size[0]} x {shape.size[1]} px"
            raise SchemaError(
                f"`{system.name}` expects pictures of {side} x {side} px, found {found}",
                "choose another `--size`, or change it by `--set input_size=`",
            )
    if shape.maps is None:
        raise SchemaError(f"`{system.name}` expects a column `heatmaps`, found none", "add the stage `encode_heatmaps`")
    sigma = system.input.center_sigma
    if sigma is not None and not shape.center_map:
        hint = f"encode samples with `center_map = {{ sigma = {sigma:g} }}`"
        raise SchemaError(f"`{system.name}` expects a column `center_map`, found none", hint)
    maps, width, height = shape.maps
    whole = len(shape.skeleton.joints) + system.background
    # Whoever is told whom to look at may learn of everybody first.
    both = sigma is not None
    if maps != whole and not (both and maps == 2 * whole):
        what = f"the joints of `{shape.skeleton.name}`" + (" and the background" if system.background else "")
        labels = "" if both else ', `labels = "primary"`'
        sets = " or two such sets" if both else ""
        raise SchemaError(
            f"`{system.name}` expects {whole} maps ({what}){sets}, found {maps}",
            f"encode samples with `background = {str(system.background).lower()}`{labels}",
        )
    across, down = (side / system.stride for side in shape.size)
    if (width, height) != (across, down):
        raise SchemaError(
            f"`{system.name}` expects maps of stride {system.stride} ({across:g} x {down:g} px), "
            f"found stride {shape.size[0] / width:g} ({width} x {height} px)",
            f"encode samples with `stride = {system.stride}`",
        )


def probe(system: PoseSystem, network: nn.Module, loader: Loader, shape: Shape) -> float | None:
    """Run the network on one sample, untrained; return the spread of its centre maps, px, if it reads any.

    :raises SchemaError: it does not take the picture, or gives other maps than the samples have.
    :raises DataError: no centre map of the first batch has its peak inside the picture.
    """
    batch = next(iter(loader))
    # The epoch begins anew.
    loader.set_epoch(loader.epoch)
    sigma = None if system.input.center_sigma is None else center_sigma(batch)
    inputs, _ = prepare({name: value[:1] for name, value in batch.items()}, system.input, torch.device("cpu"))
    size = " x ".join(str(side) for side in shape.size)
    network.eval()
    try:
        with torch.no_grad():
            maps = network(*inputs)
    except RuntimeError as error:
        raise SchemaError(f"`{system.name}` cannot take pictures of {size} px: {error}") from error
    wanted = [len(shape.skeleton.joints) + system.background, shape.maps[2], shape.maps[1]]
    for stage, found in enumerate(maps, start=1):
        if list(found.shape[1:]) != wanted:
            raise SchemaError(
                f"`{system.name}`, stage {stage}, pictures of {size} px: expected {wanted} (channels, height, width) "
                f"as the samples' maps have, found {list(found.shape[1:])}"
            )
    return sigma


def center_sigma(batch: Mapping[str, Any]) -> float:
    """The spread of the centre maps of a batch, px: what the network's card must state.

    Of a Gaussian g, 2 ln g(x) - ln g(x - r) - ln g(x + r) = (r / sigma)^2, wherever x is.

    :raises DataError: no map has its peak inside the picture.
    """
    for row in batch["center_map"]:
        y, x = divmod(int(row.argmax()), row.shape[1])
        if _REACH <= x < row.shape[1] - _REACH:
            before, peak, after = (row[y, x + step].double().log() for step in (-_REACH, 0, _REACH))
            return round(_REACH / max(float(2 * peak - before - after), 1e-12) ** 0.5, _DIGITS)
    raise DataError("no centre map of the first batch has its peak inside the picture")


def check_held_out(train: Source, held_out: Source, shape: Shape, found: Shape) -> None:
    """Check that held-out samples are of the same kind as the training samples, but different ones.

    :raises ConfigError: they are not, or their skeleton has no torso to measure with.
    :raises DataError: a sample is both trained on and held out.
    """
    if shape.skeleton != found.skeleton:
        raise ConfigError(f"held-out samples: expected skeleton `{shape.skeleton.name}`, found `{found.skeleton.name}`")
    if shape.size != found.size:
        expected, there = (f"{width} x {height} px" for width, height in (shape.size, found.size))
        raise ConfigError(f"held-out samples: expected pictures of {expected}, found {there}")
    if shape.center_map and not found.center_map:
        raise ConfigError("held-out samples: expected a column `center_map` as in those trained on, found none")
    if not has_torso(shape.skeleton):
        raise ConfigError(f"PCK is measured in torsos, and `{shape.skeleton.name}` has none", "leave out `--held-out`")
    shared = sorted(train.sample_ids() & held_out.sample_ids())
    if shared:
        raise DataError(
            f"{len(shared)} held-out samples are trained on too, the first is `{shared[0]}`",
            "set the held-out share apart before `repeat`, by the stage `split` or a filter",
        )
