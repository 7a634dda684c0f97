"""Peak memory of every recipe on 1, 2 and 8 threads: `python benches/memory.py --people TABLE --readings TABLE`.

Each recipe runs as it is, but for its tables, its splits, and networks of the size of the demo's. The resident memory of the
process at its largest is read from the system when it ends. Prints a Markdown table of MiB. What is above `--memory-mib`, the
budget that the runner keeps to, is what the process needs beside it: code, one picture a thread, the runtime of networks.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ROOT / "pipeline" / "recipes"
NETWORK = ROOT / "models" / "demo-pose" / "demo_pose.onnx"
#: Where a recipe's network reads other crops than the demo's.
SMALL_CROP = "stages.crop.run={crop={size=[128,128],frame={person={height=100}}}}"


def settings(recipe: str, people: Path, readings: Path) -> list[str] | None:
    """What is set to run `recipe` on these tables; `None` for those whose networks only their papers' training makes."""
    text = (RECIPES / f"{recipe}.toml").read_text()
    if "[sources.readings]" in text:
        return None if "run.embed" in text else [f'sources.readings.read.table={{path="{readings}"}}']
    if "run.refine" in text or "[sources.people]" not in text:
        return None
    found = [f'sources.people.read.table={{path="{people}"}}']
    if "run.infer" in text:
        found.append(f'stages.network.run.infer.model="{NETWORK}"')
    if "-test" in recipe:
        found.append(SMALL_CROP)
        found.append('stages.score.run.evaluate.protocols=["lsp-pck"]')
    if recipe == "predict":
        found.append('stages.score.run.evaluate.protocols=["lsp-pck"]')
    return found


def peak_mib(command: list[str], folder: str) -> tuple[int, float, str]:
    """Its peak in MiB, its seconds, and its last words if it failed."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        words = said.read()
    return used.ru_maxrss >> 10, time.monotonic() - began, words if process.returncode else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, required=True, help="a table of `people` with their pictures")
    parser.add_argument("--readings", type=Path, required=True, help="a table of `readings`")
    parser.add_argument("--motionmill", type=Path, default=ROOT / "target" / "debug" / "motionmill")
    parser.add_argument("--memory-mib", type=int, default=512, help="the budget of each run")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 8])
    parser.add_argument("--unit-batches", type=int, default=8, help="batches of a unit, few enough that several are open")
    parser.add_argument("--only", nargs="+", help="recipes")
    arguments = parser.parse_args()
    people, readings = arguments.people.resolve(), arguments.readings.resolve()
    print(f"| recipe | {' | '.join(f'{n} threads' if n > 1 else '1 thread' for n in arguments.threads)} |")
    print("|---|" + "---:|" * len(arguments.threads))
    for recipe in arguments.only or sorted(path.stem for path in RECIPES.glob("*.toml")):
        sets = settings(recipe, people, readings)
        if sets is None:
            continue
        cells = []
        for threads in arguments.threads:
            with tempfile.TemporaryDirectory() as folder:
                command = [str(arguments.motionmill.resolve()), "run", f"recipe:{recipe}", "--threads", str(threads)]
                for setting in [
                    *sets,
                    f"runner.memory_mib={arguments.memory_mib}",
                    f"runner.unit_batches={arguments.unit_batches}",
                ]:
                    command += ["--set", setting]
                peak, seconds, failed = peak_mib(command, folder)
            if failed:
                print(f"{recipe}: {failed}", file=sys.stderr)
            cells.append("refused" if failed else str(peak))
            print(f"{recipe}, {threads} threads: {peak} MiB in {seconds:.1f} s", file=sys.stderr)
        print(f"| `{recipe}` | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
