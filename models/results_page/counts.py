"""How large the networks are, beside what is published."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from motionmill_networks import COORDINATES, MOTION, POSE, counts
from motionmill_networks.fine_localization import FineNetwork
from motionmill_networks.listing import CHANNELS, CLASSES, JOINTS

from .markdown import NONE, listed, table
from .published import RELEASED, TALK, Released

HEAD = """## Sizes

Counted on the definitions of `motionmill_networks`: weights, biases, scales and shifts of normalisations, no running
statistics; a multiply-add is 2 FLOP, as the papers count. Published are the counts of the authors' released definition,
else what a paper prints, rounded as it is there.
"""
ABACUS = """
Project Abacus, with 6 channels, 587 classes and windows of 20 blocks of 50 samples; printed are the counts of the talk:
"""
TOMPSON = """
Efficient Object Localization publishes no count. Its networks here, 14 joints in 256 px:
"""
INFERRED = """
What of these definitions is inferred, since no paper says it:
"""
#: How far a count may be from one that is printed rounded.
TOLERANCE = 0.02
#: Px of the picture of `TOMPSON`.
SIDE = 256
#: In the order of `counts.ROWS`.
TITLES = {
    "convolutional_pose_machine": "Convolutional Pose Machines",
    "stacked_hourglass": "Stacked Hourglass",
    "paper_hourglass": "Stacked Hourglass, first version",
    "repose": "RePose",
    "deeppose": "DeepPose",
}


@dataclass(frozen=True)
class Counted:
    """A row of `counts.ROWS`, measured."""

    row: counts.Row
    parameters: int
    products: int

    @property
    def name(self) -> str:
        return f"{TITLES[self.row.module]} `{self.row.size}`"

    @property
    def released(self) -> Released | None:
        """The released definition of this network, where there is one."""
        return RELEASED.get((self.row.module, self.row.size))

    @property
    def gflop(self) -> float:
        return 2 * self.products / 1e9

    def off(self) -> list[str]:
        """Counts that are further than `TOLERANCE` from what is printed."""
        pairs = [("parameters", self.parameters / 1e6, self.row.parameters), ("GFLOP", self.gflop, self.row.gflop)]
        shares = [(name, found / float(text.removesuffix("M")) - 1) for name, found, text in pairs if text != NONE]
        return [f"{name} {100 * share:+.1f} %" for name, share in shares if abs(share) > TOLERANCE]

    def cells(self) -> list[str]:
        parameters, gflop, where = self.row.parameters, self.row.gflop, self.row.where or NONE
        if self.released is not None:
            printed = f"; printed as {parameters} and {gflop} in {where}" if self.row.where else ""
            parameters, where = f"{self.released.parameters:,}", self.released.where + printed
            gflop = NONE if self.released.gmac is None else f"{2 * self.released.gmac:.1f}"
        sizes = [f"`{self.row.size}`", str(self.row.joints), str(self.row.side)]
        found = [f"{self.parameters:,}", parameters, f"{self.gflop:.1f}", gflop]
        return [TITLES[self.row.module], *sizes, *found, where]


def section() -> list[str]:
    """The lines of the section."""
    rows, motion = [Counted(row, *counts.measure(row)) for row in counts.ROWS], list(motion_counts())
    columns = ["network", "size", ">joints", ">input px", ">parameters", ">published", ">GFLOP", ">published", "where"]
    motion_columns = ["network", ">parameters", ">printed", ">difference", ">MFLOP a window"]
    return [
        *HEAD.splitlines(),
        "",
        *table(columns, [row.cells() for row in rows]),
        *pose_findings(rows),
        *ABACUS.splitlines(),
        "",
        *table(motion_columns, [motion_cells(*one) for one in motion]),
        *motion_findings({name: parameters for name, parameters, _ in motion}),
        *TOMPSON.splitlines(),
        "",
        *table(["network", ">parameters", ">GFLOP"], list(tompson_cells())),
        *INFERRED.strip().splitlines(),
        "",
        *inferred(),
        "",
    ]


def pose_findings(rows: list[Counted]) -> list[str]:
    """In words: where counts agree and where they do not."""
    released = [row for row in rows if row.released is not None]
    other = [row.name for row in released if row.parameters != row.released.parameters]
    printed = [row for row in rows if row.released is None and row.row.parameters != NONE]
    off = [f"{row.name} ({', '.join(row.off())})" for row in printed if row.off()]
    equal, near = f"{len(released) - len(other)} of {len(released)}", f"{len(printed) - len(off)} of {len(printed)}"
    return [
        f"- Equal to the released definition: {equal}. Not equal: {listed(other)}.",
        f"- Of the others, within {100 * TOLERANCE:.0f} % of what is printed: {near}. Further off: {listed(off)}.",
    ]


def motion_counts() -> Iterator[tuple[str, int, int]]:
    """Of each motion system: name, parameters, multiply-adds of one window."""
    for name, system in MOTION.items():
        with torch.device("meta"):
            network = system.build(CHANNELS, CLASSES, **system.sizes["paper"])
            window = torch.empty(1, system.window.blocks, system.window.block_samples, CHANNELS)
        yield name, counts.parameters(network), counts.multiply_adds(network, window)


def motion_cells(name: str, parameters: int, products: int) -> list[str]:
    printed = TALK[name].parameters
    difference = "none" if parameters == printed else f"{parameters - printed:+,}"
    return [TALK[name].model, f"{parameters:,}", f"{printed:,}", difference, f"{2 * products / 1e6:.1f}"]


def motion_findings(found: dict[str, int]) -> list[str]:
    """In words: which counts are the talk's."""
    equal = [TALK[name].model for name, count in found.items() if count == TALK[name].parameters]
    others = [TALK[name].model for name, count in found.items() if count != TALK[name].parameters]
    if not others:
        return [f"- Equal: all {len(equal)}."]
    return [
        f"- Equal: {listed(equal)}, which does not prove that the widths are the same.",
        f"- **The counts do not match** of {listed(others)}. No width is published, and no consistent reading",
        "  of the recurrent networks' counts was found; used is the nearest of the usual widths (`widths` below).",
        "  `python -m motionmill_networks.abacus_counts` repeats the search.",
    ]


def tompson_cells() -> Iterator[list[str]]:
    """The coarse network of each pooling, and the fine one, which reads the coarse one's first two layers."""
    system = POSE["tompson"]
    for name in ("tompson", "tompson-8", "tompson-16"):
        row = counts.Row("efficient_localization", "paper", JOINTS, SIDE)
        with torch.device("meta"):
            coarse = POSE[name].build(JOINTS, **POSE[name].sizes["paper"])
            image = torch.empty(1, 3, row.side, row.side)
        yield cells_of(f"coarse, pooling {POSE[name].stride}", coarse, image)
    with torch.device("meta"):
        fine = FineNetwork(system.build(JOINTS, **system.sizes["paper"]), JOINTS)
        points = torch.zeros(1, JOINTS, 2)
    yield cells_of("fine, with the layers it shares", fine, image, points)


def cells_of(name: str, network: nn.Module, *inputs: torch.Tensor) -> list[str]:
    products = counts.multiply_adds(network, *inputs)
    return [name, f"{counts.parameters(network):,}", f"{2 * products / 1e9:.1f}"]


def inferred() -> list[str]:
    """The notes of all systems, each once."""
    notes = {}
    for system in [*POSE.values(), *COORDINATES.values(), *MOTION.values()]:
        # Poolings of one system, networks of one talk: one set of notes.
        notes.setdefault(system.paper, system.notes)
    lines = []
    for paper, topics in notes.items():
        lines.append(f"- **{paper}**" + ("" if topics else ": nothing, the released definition says all."))
        lines += [f"  - {topic}: {text}" for topic, text in topics.items()]
    return lines
