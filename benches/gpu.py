"""Inference on a GPU beside the bare session: `python benches/gpu.py --runtime FOLDER [--minutes 8]`.

FOLDER holds ONNX Runtime's CUDA build: `libonnxruntime.so.*` and the two `libonnxruntime_providers_*.so` of the wheel
`onnxruntime-gpu`, which `--fetch` downloads there; the CUDA and cuDNN libraries of an installed PyTorch are found by
themselves. The networks are a mobile pose machine, where `--mobile` names it, and the hourglass and the convolutional pose
machine of the papers' sizes, not trained, exported here. Each runs

- bare: one session on tensors that are filled beforehand,
- as the stage `infer` on rows in memory,
- as a whole plan from JPEG files to written keypoints,

on the same GPU, 16 rows a call where the network allows. The table goes to standard output; what the time does not allow is left out and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROWS_A_CALL = 16
#: Pictures of the plan from JPEG, and people in each.
PICTURES = 1500
#: A condition that a sixth of the pictures meet.
SIXTH = "ends_with(image_path, '5.jpg') and not ends_with(image_path, '25.jpg')"
NEEDED = ("libonnxruntime.so", "libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so")


def fetch(folder: Path) -> None:
    """Download the wheel and keep its libraries."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), "onnxruntime-gpu"]
    subprocess.run(command, check=True)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if "/capi/libonnxruntime" in name:
                    (folder / Path(name).name).write_bytes(archive.read(name))
        wheel.unlink()


def environment(folder: Path, provider: str) -> dict[str, str]:
    """Where the libraries are found."""
    for needed in NEEDED[: 1 if provider == "cpu" else None]:
        if not list(folder.glob(f"{needed}*")):
            sys.exit(f"`{folder}` has no {needed}: fetch it with --fetch")
    try:
        import torch

        beside = Path(torch.__file__).parent.parent / "nvidia"
    except ImportError:
        beside = Path("/nonexistent")
    libraries = [str(folder), *(str(path) for path in sorted(beside.glob("*/lib"))), os.environ.get("LD_LIBRARY_PATH", "")]
    runtime = max(folder.glob("libonnxruntime.so*"))
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(filter(None, libraries)), "ORT_DYLIB_PATH": str(runtime)}


def exported(folder: Path) -> list[tuple[str, Path, Path, int]]:
    """The papers' networks in the papers' sizes, as they are before training: name, network, card, rows a call."""
    import torch

    from motionmill_networks import POSE
    from motionmill_networks.train_pose import export_pose

    made = []
    for name, side in (("hourglass", 256), ("cpm", 368)):
        system, arguments = POSE[name], dict(POSE[name].sizes["paper"])
        torch.manual_seed(1)
        network = system.build(16, **arguments)
        run = {"system": name, "skeleton": "mpii16", "arguments": arguments, "input": [side, side]}
        if system.input.center_sigma is not None:
            run["center_sigma"] = system.input.center_sigma
        model = folder / f"{name}.onnx"
        export_pose({"run": run, "network": network.state_dict()}, model, print, name=name)
        made.append((name, model, model.with_suffix(".toml"), ROWS_A_CALL))
    return made


def bare_and_stage(
    program: Path, model: Path, card: Path, rows: int, provider: str, given: dict[str, str]
) -> tuple[float, float]:
    """Pictures a second of the bare session and of the stage."""
    command = [str(program), str(model), str(card), "5", provider, str(rows)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=True, env=given)
    numbers = [cell.strip() for cell in outcome.stdout.strip().splitlines()[-1].split("|")]
    return float(numbers[2]), float(numbers[3])


def pictures(folder: Path, count: int) -> Path:
    """People of synthetic JPEG pictures of 640 x 480 px, in MPII's format, as a table."""
    import motionmill
    from motionmill import synthetic

    written = synthetic.write_people("mpii", folder / "raw", images=count, size=(640, 480), seed=1)
    source = {"mpii": {"annotations": written.annotations, "images": written.images}}
    out = folder / "people"
    sink = {"inputs": ["a"], "write": {"parquet": {"path": out}}}
    motionmill.run_plan({"sources": {"a": {"read": source}}, "sinks": {"b": sink}})
    return out


def from_files(
    command: str, people: Path, model: Path, card: Path, rows: int, provider: str, given: dict[str, str]
) -> float:
    """People a second from JPEG to keypoints: what the last five sixths of them take beyond the first sixth, so that the start
    of the program and of the GPU do not count."""
    lines = dict(line.split(" = ") for line in card.read_text().splitlines() if line.count(" = ") == 1)
    width, height = int(lines["width"]), int(lines["height"])
    seconds, made = [], []
    for part in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "keypoints"
            sets = {
                "sources.people.read.table.path": people,
                "stages.crop.run.crop": {"size": [width, height], "frame": {"person": {"height": 0.8 * height}}},
                "stages.network.run.infer.model": model,
                "stages.network.run.infer.card": card,
                "stages.network.run.infer.engine": {"provider": provider, "batch": rows},
                "sinks.keypoints.write.parquet.path": out,
            }
            chosen = f" and {SIXTH}" if part else ""
            sets["stages.persons.run.filter.where"] = f"person_index is not null and scale > 0{chosen}"
            arguments = [part for key, value in sets.items() for part in ("--set", f"{key}={toml(value)}")]
            begun = time.perf_counter()
            subprocess.run([command, "run", "recipe:predict-by-card", *arguments], check=True, env=given, capture_output=True)
            seconds.append(time.perf_counter() - begun)
            made.append(int(json.loads((out / "manifest.json").read_text())["rows"]))
    return (made[1] - made[0]) / (seconds[1] - seconds[0])


def toml(value: Any) -> str:
    """`value` as TOML in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + " }"
    return json.dumps(value if isinstance(value, (int, float, list)) else str(value))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runtime", type=Path, required=True, help="the folder of ONNX Runtime's CUDA build")
    parser.add_argument("--fetch", action="store_true", help="download it there first")
    parser.add_argument("--provider", default="cuda", choices=["cpu", "cuda", "tensorrt"])
    parser.add_argument("--program", type=Path, default=ROOT / "target/release/examples/infer_bench")
    parser.add_argument("--command", default=str(ROOT / "target/release/motionmill"))
    parser.add_argument("--mobile", type=Path, nargs=2, metavar=("NETWORK", "CARD"), help="a mobile pose machine")
    parser.add_argument("--mobile-only", action="store_true", help="leave the papers' networks out")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="of the plan from JPEG (%(default)s)")
    parser.add_argument("--minutes", type=float, default=8.0)
    args = parser.parse_args()
    begun = time.monotonic()
    if args.fetch:
        fetch(args.runtime)
    given = environment(args.runtime, args.provider)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        # The mobile network takes one row a call.
        networks = [("mobile pose machine", *args.mobile, 1)] if args.mobile else []
        networks += [] if args.mobile_only else exported(folder)
        people = pictures(folder, args.pictures)
        print("| network | bare session, a second | stage | from JPEG to keypoints | of the bare session |")
        print("|---|---|---|---|---|")
        for name, model, card, rows in networks:
            if time.monotonic() - begun > 60 * args.minutes:
                print(f"| {name} | the time was up | | | |")
                continue
            bare, staged = bare_and_stage(args.program, model, card, rows, args.provider, given)
            whole = from_files(args.command, people, model, card, rows, args.provider, given)
            print(f"| {name} | {bare:.0f} | {staged:.0f} | {whole:.0f} | {100 * whole / bare:.1f} % |", flush=True)


if __name__ == "__main__":
    main()
