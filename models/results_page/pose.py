"""The pose systems on LSPET: what was trained, how it was scored, and what came out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from motionmill.skeletons import skeleton
from motionmill_networks import COORDINATES, pose_system
from motionmill_networks.counts import parameters
from motionmill_networks.fine_localization import FineNetwork
from motionmill_networks.job import build

from .markdown import NONE, NOT_RUN, about, percent, table
from .pose_findings import findings
from .pose_outputs import GROUPS, SYSTEMS, THRESHOLD, THRESHOLDS, Output, outputs, read_all
from .tables import Kept
from .training import recipe

#: People held back, by the rule of `models/lspet/people.toml`.
HELD_BACK = 500

HEAD = f"""## Pose: LSPET

The first 6,000 people of LSPET, one a picture. {HELD_BACK} are held back by a rule on ids, blocks of 50 neighbours, one
in each 600 (550-599, 1150-1199, ..., 5950-5999), since neighbours are often shots of one scene:
[people.toml](../models/lspet/people.toml). The other 5,500 are trained on, in as many augmented
copies as the [plans](../models/lspet) of their samples say, four or more.

- **Crops are laid by the annotated centre and scale**, in training and in the test. The papers' LSP tests know neither.
- **Labels of LSPET are noisy**, and its poses are extreme.
- A person without a label of left shoulder or right hip has no torso to divide errors by and does not count.
"""


def section(results: Path, picture: str) -> list[str]:
    """The lines of the section; `picture` is the path of the curves from the page."""
    kept = read_all(results)
    heads = outputs(kept)
    last = {system: found[-1] for system, found in heads.items()}
    trained = [
        "network",
        "size",
        ">parameters",
        ">full",
        ">input px",
        ">epochs",
        ">samples",
        ">seconds",
        ">seed",
        "on",
        "by",
    ]
    scored = ["output", f">PCK@{THRESHOLD}, %", ">95 % interval", ">people", ">joints"]
    lines = [
        *HEAD.splitlines(),
        *limits(kept),
        "",
        *table(trained, [training_cells(name, one) for name, one in kept.items()]),
    ]
    lines += [
        "`full`: parameters of the paper's network. Seconds: wall time, with pauses for other work on the machine.",
        "",
    ]
    lines += table(scored, [cells for name in SYSTEMS for cells in score_cells(name, heads)])
    lines += [
        *findings(heads),
        "",
        "By joints, of the last output, PCK@0.2 in percent and the area under the curve up to there:",
        "",
    ]
    groups = [f">{group.replace('_', ' ')}" for group in GROUPS]
    lines += table(["network", *groups, ">area"], [group_cells(name, last.get(name)) for name in SYSTEMS])
    lines += ["PCK of all joints by threshold, in parts of the torso, percent:", ""]
    columns = ["output", *(f">{threshold}" for threshold in THRESHOLDS)]
    lines += table(columns, [cells for name in SYSTEMS for cells in threshold_cells(name, heads)])
    if last:
        lines += [f"![PCK of each output over the threshold, from 0 to {THRESHOLD} torsos]({picture})", ""]
    return lines


def limits(kept: Mapping[str, Kept | None]) -> list[str]:
    """What the figures cannot say, and where the networks were trained."""
    devices = [one.training.device for one in kept.values() if one is not None and one.training is not None]
    alike = all(one.startswith("cpu") for one in devices)
    processor = ", all of it on a processor without a GPU" if alike else ""
    return [
        f"- **Networks are slim, pictures small, training short**{processor}: the figures say nothing of what the",
        "  papers' full networks reach.",
    ]


def training_cells(system: str, kept: Kept | None) -> list[str]:
    """Of one system: what was trained, and how."""
    if kept is None:
        return [SYSTEMS[system], NOT_RUN, *[NONE] * 9]
    if kept.training is None:
        return [SYSTEMS[system], "mean of the training people", *[NONE] * 9]
    run = kept.training.run
    arguments = ", ".join(f"{key} {_plain(value)}" for key, value in run["arguments"].items())
    width, height = run.get("coarse", run)["input"]
    slim, full = (f"{parameters(network):,}" for network in networks(run))
    size = f"`{run['size']}`" + (f": {arguments}" if arguments else "")
    log = kept.training
    ran = [log.length, f"≈ {about(log.samples)}", f"{log.seconds:,.0f}" if log.epochs else "–", str(run["seed"]), log.device]
    return [SYSTEMS[system], size, slim, full, f"{width} x {height}", *ran, recipe(run)]


def networks(run: Mapping[str, Any]) -> tuple[nn.Module, nn.Module]:
    """The network of a run, and the paper's for its joints, without memory; of a fine one, its own layers count."""
    coarse = run.get("coarse", run)
    name, joints = coarse["system"], skeleton(coarse["skeleton"])
    system = COORDINATES[name] if name in COORDINATES else pose_system(name)
    with torch.device("meta"):
        found = build(system, joints, coarse["arguments"]), build(system, joints, system.sizes["paper"])
        if "coarse" not in run:
            return found
        for network in found:
            network.requires_grad_(False)
        count = len(joints.joints)
        return FineNetwork(found[0], count, **run["arguments"]), FineNetwork(found[1], count)


def score_cells(system: str, heads: Mapping[str, list[Output]]) -> list[list[str]]:
    """A row for each output."""
    if system not in heads:
        return [[SYSTEMS[system], NOT_RUN, NONE, NONE, NONE]]
    rows = []
    for head in heads[system]:
        total = head.pck()
        rows.append([head.title, percent(total.value), total.interval, f"{head.people:,}", f"{total.count:,}"])
    return rows


def group_cells(system: str, head: Output | None) -> list[str]:
    if head is None:
        return [SYSTEMS[system], NOT_RUN, *[NONE] * len(GROUPS)]
    area = head.metrics.figure("auc", group="total", head=head.number)
    return [SYSTEMS[system], *(percent(head.pck(group=group).value) for group in GROUPS), percent(area.value)]


def threshold_cells(system: str, heads: Mapping[str, list[Output]]) -> list[list[str]]:
    """A row for each output."""
    if system not in heads:
        return [[SYSTEMS[system], NOT_RUN, *[NONE] * (len(THRESHOLDS) - 1)]]
    return [[head.title, *(percent(head.pck(one).value) for one in THRESHOLDS)] for head in heads[system]]


def _plain(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
