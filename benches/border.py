"""What a call from Python costs over the same call from Rust: `python benches/border.py PROGRAM [--rounds 7]`.

PROGRAM is the example `stage_bench`; the Python package is used with the library that was built beside it, so that both sides
are of one build. Both sides read one table of synthetic people and carry batches of 64 through crop,
rotate, flip, warp and encode_heatmaps, in turns; and through flip alone, which does next to nothing, so that what is left is
the border itself.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motionmill import stages

ROOT = Path(__file__).resolve().parent.parent
BATCH = 64
#: Passes over all batches in one turn.
PASSES = 3


def use_package(library: Path, folder: Path) -> None:
    """Make `import motionmill` take the package with `library`."""
    shutil.copytree(ROOT / "python" / "motionmill", folder / "motionmill", ignore=shutil.ignore_patterns("_native*", "torch"))
    (folder / "motionmill" / "_native.abi3.so").symlink_to(library.resolve())
    sys.path.insert(0, str(folder))


def chain() -> list[stages.Stage]:
    """The stages, as in `stages/examples/stage_bench.rs`."""
    from motionmill import stages

    return [
        stages.Crop(size=[256, 256], frame={"person": {"height": 200}}),
        stages.Rotate(uniform={"max_degrees": 30}),
        stages.Flip(probability=0.5),
        stages.Warp(),
        stages.EncodeHeatmaps(stride=4, style={"gaussian": {"sigma": 7}}),
    ]


def write_people(folder: Path, images: int) -> Path:
    """A table of people all of whom have a crop."""
    import motionmill

    drawn = motionmill.synthetic.write_people("lspet", folder / "raw", images=images, size=(640, 480), seed=1)
    source = {"lspet": {"annotations": drawn.annotations, "images": drawn.images}}
    kept = {"inputs": ["all"], "run": {"filter": {"where": "scale > 0 AND annotated_joints > 0"}}}
    out = {"inputs": ["kept"], "write": {"parquet": {"path": folder / "people"}}}
    motionmill.run_plan({"sources": {"all": {"read": source}}, "stages": {"kept": kept}, "sinks": {"people": out}})
    return folder / "people"


def seconds_of(steps: list[stages.Stage], batches: list) -> float:
    started = time.perf_counter()
    for rows in batches:
        for step in steps:
            rows = step(rows)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=160)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        use_package(Path(arguments.program).parent.parent / "lib_native.so", Path(folder) / "package")
        import motionmill

        people = write_people(Path(folder), arguments.images)
        rows = motionmill.read_table(people).combine_chunks().to_batches()[0]
        batches = [rows.slice(at * BATCH, BATCH) for at in range(rows.num_rows // BATCH)]
        steps = chain()
        cropped = [steps[0](batch) for batch in batches]
        times: dict[str, dict[str, list[float]]] = {"chain": {"Rust": [], "Python": []}, "flip": {"Rust": [], "Python": []}}
        for _ in range(arguments.rounds):
            told = subprocess.run([arguments.program, people, str(PASSES)], check=True, stdout=subprocess.PIPE)
            rust = json.loads(told.stdout)
            assert rust["batches"] == len(batches)
            for name in times:
                times[name]["Rust"].append(statistics.median(rust[name]))
            whole, alone = [], []
            for _ in range(PASSES):
                whole.append(seconds_of(steps, batches))
                alone.append(seconds_of(steps[2:3], cropped))
            times["chain"]["Python"].append(statistics.median(whole))
            times["flip"]["Python"].append(statistics.median(alone))
    report(times, len(batches), len(steps), arguments.rounds)


def report(times: dict[str, dict[str, list[float]]], batches: int, steps: int, rounds: int) -> None:
    def per_call(name: str, side: str) -> float:
        return statistics.median(times[name][side]) / batches * 1e3

    print(f"Batches of {BATCH}, one thread, medians of {rounds} rounds.\n")
    print("| work on a batch | from Rust, ms | from Python, ms | over Rust |\n|---|---|---|---|")
    for name, words in (("chain", f"{steps} stages, pixels and maps"), ("flip", "`flip` alone")):
        rust, python = per_call(name, "Rust"), per_call(name, "Python")
        print(f"| {words} | {rust:.3f} | {python:.3f} | {100 * (python / rust - 1):+.1f} % |")
    extra = (per_call("flip", "Python") - per_call("flip", "Rust")) * 1e3
    print(f"\nThe border itself, 64 rows of some 25 columns in and out: {extra:.0f} us a call.")


if __name__ == "__main__":
    main()
