"""Model cards: a network's inputs and outputs, as TOML beside its ONNX file.

The keys are those that the stages `infer`, `refine` and `embed` read (`motionmill reference`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from motionmill.skeletons import Skeleton

from .fine_localization import FINE_CENTER
from .system import PoseInput, PoseSystem


def write_card(card: Mapping[str, Any], network: Path) -> Path:
    """Write `card` beside the network, under the same stem; return its path.

    A skeleton that is not built in is written beside it, in a file that the card names.
    """
    path = network.with_suffix(".toml")
    if isinstance(card.get("skeleton"), Mapping):
        beside = network.with_suffix(".skeleton.toml")
        beside.write_text(to_toml(card["skeleton"]), encoding="utf-8")
        card = {**card, "skeleton": beside.name}
    path.write_text(to_toml(card), encoding="utf-8")
    return path


def pose_card(
    origin: Mapping[str, str],
    system: PoseSystem,
    skeleton: Skeleton,
    size: Sequence[int],
    stages: Sequence[int],
    center_sigma: float | None,
) -> dict[str, Any]:
    """The card of a network of heatmaps; its outputs are `stage_1` and so on.

    :param origin: `name`, `source`, `license`.
    :param size: width and height of the picture, px.
    :param stages: numbers of the outputs, from 1.
    :param center_sigma: spread of the centre maps that it was trained on, px, if it reads any.
    """
    card = {**origin, "skeleton": skeleton.reference, "input": image_input(system.input, size)}
    if center_sigma is not None:
        card["center_map"] = {"name": "center_map", "sigma": float(center_sigma), "layout": "nchw"}
    joints = len(skeleton.joints)
    card["outputs"] = [heatmaps_output(stage, joints, system.stride, system.origin, system.background) for stage in stages]
    return card


def heatmaps_output(head: int, joints: int, stride: float, origin: float, background: bool) -> dict[str, Any]:
    """The output `stage_{head}`: one map per joint, followed by one of the background if there is one."""
    output = {
        "name": f"stage_{head}",
        "kind": "heatmaps",
        "layout": "nchw",
        "head": head,
        "stride": float(stride),
        "origin": float(origin),
        "channels": joints + background,
    }
    return output | ({"background": joints} if background else {})


def image_input(given: PoseInput, size: Sequence[int]) -> dict[str, Any]:
    """The input `image` of float32 `[N, 3, H, W]`; `size` is width and height, px."""
    return {
        "name": "image",
        "layout": "nchw",
        "colour": given.colour,
        "element": "float32",
        "width": size[0],
        "height": size[1],
        "mean": [float(given.mean)] * 3,
        "std": [float(given.std)] * 3,
    }


def fine_card(origin: Mapping[str, str], system: PoseSystem, skeleton: Skeleton, size: Sequence[int]) -> dict[str, Any]:
    """The card of the fine network that follows the coarse network of `system`."""
    offsets = {"name": "offsets", "kind": "offsets", "layout": "nchw", "head": 1, "stride": 1.0}
    return {
        **origin,
        "skeleton": skeleton.reference,
        "input": image_input(system.input, size),
        "points": {"name": "points"},
        "outputs": [{**offsets, "center": FINE_CENTER, "channels": len(skeleton.joints)}],
    }


def motion_card(
    origin: Mapping[str, str], run: Mapping[str, Any], *, frames: str, features: int, state: int | None
) -> dict[str, Any]:
    """The card of a network over windows: outputs `features` and `scores`, and the state of a recurrent one.

    :param run: `channels`, `rate_hz`, `blocks`, `block_samples`, `classes`.
    :param frames: `each` or `one`.
    :param features: numbers of an embedding.
    :param state: numbers of the state, of which all are 0 where a session begins.
    """
    card = {
        **origin,
        "channels": list(run["channels"]),
        "rate_hz": run["rate_hz"],
        "input": {"name": "window", "axes": "n t b c", "blocks": run["blocks"], "block_samples": run["block_samples"]},
        "outputs": [
            {"name": "features", "frames": frames, "size": features},
            {"name": "scores", "frames": frames, "size": len(run["classes"]), "classes": list(run["classes"])},
        ],
    }
    if state is not None:
        card["states"] = [{"input": "state_in", "output": "state_out", "shape": [state]}]
    return card


def to_toml(document: Mapping[str, Any]) -> str:
    """A document of plain values, tables and lists of tables, one level deep."""
    plain, tables = [], []
    for key, value in document.items():
        if isinstance(value, Mapping):
            tables.append(f"\n[{key}]\n" + _lines(value))
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            tables.extend(f"\n[[{key}]]\n" + _lines(table) for table in value)
        else:
            plain.append(_lines({key: value}))
    return "".join(plain + tables)


def _lines(table: Mapping[str, Any]) -> str:
    # Text, numbers, booleans and lists of them are written in JSON as in TOML.
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())
