"""What the shared work of the papers' test protocols saves: `python benches/protocols.py --motionmill PATH [--rounds 5]`.

Seven scales in one run (`search_scales`, `merge_scales`) beside the chain of one scale run once a scale; the picture and the
mirrored picture in one run (`infer` with `flip_average`) beside a run of each; both at once beside a run for each scale and
side. Whole commands are timed, from start to written keypoints, on one thread, in turns in the same run.

The pictures are drawn people: MPII's of 1280x720 px, where decoding is most of the work, and small ones of LSPET. The networks
are that of the demo and, where torch can export it, the mean pose, which costs next to nothing, so that the shared work shows.
Prints a Markdown table of medians.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "models" / "demo-pose" / "demo_pose.onnx"
#: The pose machines' scales, as `search_scales` has them where a plan is silent.
FACTORS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
#: Of each data set, width and height of its pictures in px.
PICTURES = {"mpii": (1280, 720), "lspet": (300, 300)}
#: Rows of people that a crop can be laid around.
FRAMED = "person_index is not null and scale > 0"

HEAD = """seed = 1
[sources.people]
read.table = {{ path = "{people}" }}
[stages.persons]
inputs = ["people"]
run.filter = {{ where = "{where}" }}
[stages.crop]
inputs = ["persons"]
run.crop = {{ size = [128, 128], frame = {{ person = {{ height = 100 }} }} }}
"""
WARP = ("warp", "warp = { border = 128 }")

#: The packages are those of this tree, unless others are installed or on PYTHONPATH.
sys.path += [str(ROOT / "python"), str(ROOT / "networks")]


class Cost(NamedTuple):
    """Seconds of one command, or of several one after the other."""

    wall: float
    cpu: float


def total(costs: list[Cost]) -> Cost:
    return Cost(sum(cost.wall for cost in costs), sum(cost.cpu for cost in costs))


def median(rounds: list[Cost]) -> Cost:
    return Cost(statistics.median(cost.wall for cost in rounds), statistics.median(cost.cpu for cost in rounds))


class Plans:
    """Plans over one table of people and one network, and the command that runs them."""

    def __init__(self, command: Path, folder: Path, people: Path, network: Path) -> None:
        self.command, self.folder, self.people, self.network = command, folder, people, network

    def write(self, name: str, steps: list[tuple[str, str]], where: str = FRAMED) -> Path:
        """A plan of the stages `steps`, names and configurations, behind the crop; it writes the table `name`."""
        text, before = HEAD.format(people=self.people, where=where), "crop"
        for stage, run in steps:
            text += f'[stages.{stage}]\ninputs = ["{before}"]\nrun.{run}\n'
            before = stage
        text += f'[sinks.rows]\ninputs = ["{before}"]\nwrite.parquet = {{ path = "{self.folder / name}" }}\n'
        path = self.folder / f"{name}.toml"
        path.write_text(text)
        return path

    def infer(self, flip: bool) -> tuple[str, str]:
        return "network", f'infer = {{ model = "{self.network}", flip_average = {str(flip).lower()} }}'

    def together(self, name: str, *, scales: bool, flip: bool, where: str = FRAMED) -> Path:
        """A whole protocol in one run."""
        before = [("scales", "search_scales = {}")] if scales else []
        after = ("joints", "merge_scales = {}" if scales else "decode = {}")
        return self.write(name, [*before, WARP, self.infer(flip), after], where)

    def apart(self, name: str, factor: float, rule: str, *, mirrored: bool = False) -> Path:
        """The chain of one scale, on the pictures or on the mirrored ones."""
        before = [("scale", f"scale.uniform = {{ min = {factor}, max = {factor} }}")]
        before += [("flip", "flip = { probability = 1 }")] if mirrored else []
        return self.write(name, [*before, WARP, self.infer(False), ("joints", f'decode = {{ rule = "{rule}" }}')])

    def run(self, plan: Path) -> Cost:
        """Run a plan on one thread."""
        command = [str(self.command), "run", str(plan), "--threads", "1", "--force"]
        started = time.perf_counter()
        # A `.venv` of this tree has ONNX Runtime.
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as child:
            said = child.stderr.read()
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - started
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{said}")
        return Cost(wall, used.ru_utime + used.ru_stime)


def use_native(path: Path) -> None:
    """Take this build of the Rust side instead of the one beside the package."""
    spec = importlib.util.spec_from_file_location("motionmill._native", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["motionmill._native"] = module


def draw_people(command: Path, folder: Path, data: str, images: int) -> Path:
    """A table of drawn people."""
    from motionmill import synthetic

    drawn = synthetic.write_people(data, folder / f"raw-{data}", images=images, size=PICTURES[data], seed=3)
    people = folder / f"people-{data}"
    told = ["--annotations", drawn.annotations, "--images", drawn.images, "--out", people]
    subprocess.run([command, "ingest", data, *told], check=True, stderr=subprocess.DEVNULL)
    return people


def write_mean_pose(plans: Plans, data: str) -> Path:
    """The mean pose of the people, a network that looks at no pixel."""
    from motionmill_networks import mean_pose

    network = plans.folder / f"mean-pose-{data}.onnx"
    mean_pose.write_mean_pose(str(plans.write(f"samples-{data}", [WARP])), "train", network, "mean-pose", lambda _: None)
    return network


def measure(plans: Plans, rounds: int) -> dict[str, tuple[Cost, Cost, int]]:
    """Of each protocol one run, the runs apart in medians, and how many these are."""
    scales = plans.together("scales", scales=True, flip=False)
    flip = plans.together("flip", scales=False, flip=True)
    both = plans.together("both", scales=True, flip=True)
    plain = {factor: plans.apart(f"plain-{factor}", factor, "plain") for factor in FACTORS}
    cpm = [plans.apart(f"cpm-{factor}", factor, "cpm") for factor in FACTORS]
    mirrored = {factor: plans.apart(f"mirrored-{factor}", factor, "plain", mirrored=True) for factor in FACTORS}
    everything = [scales, flip, both, *plain.values(), *cpm, *mirrored.values()]
    times: dict[Path, list[Cost]] = {plan: [] for plan in everything}
    for _ in range(rounds):
        for plan in everything:
            times[plan].append(plans.run(plan))
    check_rows(everything)

    def runs(apart: list[Path]) -> Cost:
        return median([total([times[plan][at] for plan in apart]) for at in range(rounds)])

    protocols = {
        "7 scales, apart by `plain`": (scales, [*plain.values()]),
        "7 scales, apart by `cpm`": (scales, cpm),
        "flip": (flip, [plain[1.0], mirrored[1.0]]),
        "7 scales and flip": (both, [*plain.values(), *mirrored.values()]),
    }
    return {name: (median(times[one]), runs(apart), len(apart)) for name, (one, apart) in protocols.items()}


def check_rows(plans: list[Path]) -> None:
    """Every run made a prediction of the same people."""
    from motionmill import read_table

    rows = {read_table(plan.with_suffix("")).num_rows for plan in plans}
    assert len(rows) == 1, f"rows of the runs: {rows}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motionmill", type=Path, required=True, help="the command to measure")
    parser.add_argument("--native", type=Path, help="the library that draws the people; else that of the package")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--data", nargs="+", choices=PICTURES, default=list(PICTURES))
    given = parser.parse_args()
    if given.native:
        use_native(given.native)
    command = given.motionmill.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder, lines, starts = Path(name), [], []
        for data in given.data:
            people = draw_people(command, folder, data, given.images)
            networks = {"demo-pose": DEMO}
            if importlib.util.find_spec("torch") and importlib.util.find_spec("onnxscript"):
                networks["mean-pose"] = write_mean_pose(Plans(command, folder, people, DEMO), data)
            for network, file in networks.items():
                plans = Plans(command, folder, people, file)
                idle = plans.together("idle", scales=True, flip=False, where="scale < 0")
                starts += [plans.run(idle) for _ in range(given.rounds)]
                for protocol, (one, apart, runs) in measure(plans, given.rounds).items():
                    width, height = PICTURES[data]
                    lines.append(
                        f"| {data}, {width}x{height} | {network} | {protocol} | {one.cpu:.2f} | {apart.cpu:.2f} ({runs} runs) "
                        f"| {apart.cpu / one.cpu:.2f} | {apart.wall / one.wall:.2f} |"
                    )
    print("| pictures | network | protocol | one run, CPU s | apart, CPU s | times, CPU | times, wall |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(lines))
    start = median(starts)
    print(f"\nA run without people takes {start.cpu:.2f} CPU s; every run pays it once, and it is in all of the above.")


if __name__ == "__main__":
    main()
