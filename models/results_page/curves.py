"""The picture of the page: PCK of each pose network over the threshold."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot

from .pose_outputs import AGREED, BASELINE, SYSTEMS, THRESHOLDS, Output

STYLE = Path(__file__).resolve().parents[2] / "notebooks" / "motionmill.mplstyle"
#: Px an inch: sharp on a fine screen at half the size.
DPI = 120


def draw(heads: Mapping[str, list[Output]], path: Path) -> None:
    """Draw the curves of all outputs, by system, to a PNG; a system's last one is thick and named."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pyplot.style.context(STYLE):
        figure, axes = pyplot.subplots(figsize=(7.2, 4.0))
        for system, outputs in sorted(heads.items(), key=lambda item: -item[1][-1].pck().value):
            look = {"color": "#8a8a8a", "linestyle": "--"} if system == BASELINE else {"color": COLOURS[system]}
            if system == AGREED:
                look["linestyle"] = ":"
            for output in outputs[:-1]:
                axes.plot(*curve(output), linewidth=0.8, **look)
            last = outputs[-1]
            axes.plot(*curve(last), label=f"{SYSTEMS[system]}, {last.pck().value:.1f} %", **look)
        axes.set(xlabel="threshold, parts of the torso", ylabel="joints found, %", xlim=(0, 0.2), ylim=(0, None))
        axes.set_xticks([0, *THRESHOLDS])
        axes.set_title("PCK of all joints on people of LSPET that were held back (thin: earlier stages)")
        axes.legend(loc="upper left")
        figure.savefig(path, dpi=DPI, metadata={"Software": None})
        pyplot.close(figure)


def curve(output: Output) -> tuple[list[float], list[float]]:
    """Thresholds of the table, and the PCK of all joints at each, percent."""
    rows = [row for row in output.metrics.rows if row["metric"] == "pck" and row["group"] == "total"]
    points = sorted((row["threshold"], row["value"]) for row in rows if row["head"] == output.number)
    return [x for x, _ in points], [y for _, y in points]


#: Colours of the style and one more; its third is the grey of the baseline. Stages of a cascade, and what the spatial model makes
#: of coarse maps, share theirs.
DEEPPOSE = "#6a6fc9"
COLOURS = dict(
    zip((name for name in SYSTEMS if name != BASELINE), [*[DEEPPOSE] * 3, "C0", "C1", "C3", "C4", "C4", "C5"], strict=True)
)
