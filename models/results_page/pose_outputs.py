"""What was scored of the pose systems: each output of each network, from the tables under `docs/results/lspet`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .tables import Figure, Kept, Metrics, read

#: Folders of `docs/results/lspet` and what they are called; the first is the baseline.
SYSTEMS = {
    "mean-pose": "mean pose",
    "deeppose-1": "DeepPose, stage 1 of 3",
    "deeppose-2": "DeepPose, stage 2 of 3",
    "deeppose-3": "DeepPose, stage 3 of 3",
    "cpm": "Convolutional Pose Machines",
    "hourglass": "Stacked Hourglass",
    "repose": "RePose",
    "tompson-coarse": "Efficient Object Localization, coarse",
    "tompson-agreed": "Efficient Object Localization, coarse and spatial model",
    "tompson": "Efficient Object Localization, cascade",
}
BASELINE = "mean-pose"
#: Systems in several folders: what looks first, and what looks last.
CASCADES = (("deeppose-1", "deeppose-3"), ("tompson-coarse", "tompson"))
#: The coarse network behind which the spatial model stands.
AGREED = "tompson-agreed"
PROTOCOL = "lsp-pck"
THRESHOLD = 0.2
THRESHOLDS = (0.05, 0.1, 0.15, 0.2)
GROUPS = ("head", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "upper_body", "total")
#: Ends of the torso that errors are divided by: without both labels a person cannot be scored.
TORSO = ("left_shoulder", "right_hip")


@dataclass(frozen=True)
class Output:
    """An output head of a system."""

    system: str
    number: int
    heads: int
    metrics: Metrics

    @property
    def title(self) -> str:
        return SYSTEMS[self.system] + (f", stage {self.number} of {self.heads}" if self.heads > 1 else "")

    def pck(self, threshold: float = THRESHOLD, group: str = "total") -> Figure:
        return self.metrics.figure("pck", group=group, threshold=threshold, head=self.number)

    @property
    def people(self) -> int:
        """How many count: those with a torso."""
        counts = {self.metrics.figure("pck", joint, threshold=THRESHOLD, head=self.number).count for joint in TORSO}
        if len(counts) != 1:
            raise ValueError(f"expected as many of `{TORSO[0]}` as of `{TORSO[1]}`: `{self.metrics.name}`")
        return counts.pop()


def read_all(results: Path) -> dict[str, Kept | None]:
    """What there is of each of `SYSTEMS`."""
    return {name: read(results / "lspet" / name, PROTOCOL, trained=name != BASELINE) for name in SYSTEMS}


def outputs(kept: Mapping[str, Kept | None]) -> dict[str, list[Output]]:
    """The heads of each system that was run, in order."""
    found = {}
    for system, one in kept.items():
        if one is not None:
            heads = one.metrics.distinct("head")
            found[system] = [Output(system, head, len(heads), one.metrics) for head in heads]
    return found
