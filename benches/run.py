"""Every benchmark in one run, written to docs/benchmarks.md.

    python benches/run.py --network NETWORK.onnx --card CARD.toml [--rounds 7] [--mmpose FOLDER] [--profile release] [--only ...]

`--only samples loaders` measures those anew and leaves the other sections as they are; each section says how it was measured.

Builds the command, the example programs and the Python package, then times ours and the rivals in turns. Needs numpy, opencv-python-headless,
pandas, pyarrow, scipy and scikit-learn; with torch the loaders are timed too, with pycocotools and hotcoco average precision.
"""

import argparse
import importlib.util
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

HEAD = """# Benchmarks

Written by `benches/run.py`; both sides of each table were measured in turns in the same run. Compare the columns, not the
numbers with those of another machine.

Machine: {machine}.
"""

SAMPLES = """
## Training samples, one core

A 1280x720 JPEG is read, decoded, flipped, turned, scaled and cut to 256x256 in one warp, normalised to planar float32, and
16 heatmaps of 64x64 are made.

"""

INFERENCE = """
## Inference, one thread

The stage `infer` (rows of a table in, heatmaps as a column out) against a bare ONNX Runtime session that runs one tensor,
filled beforehand, in a loop.

"""

PROTOCOLS = """
## Test protocols of several scales and of the mirrored picture, one thread

Whole commands, from start to written keypoints: a protocol in one run, where pictures are read and decoded once for all scales
and both sides, beside the chain of one scale run once for each. Networks read 128x128 px; the mean pose looks at no pixel,
so that its rows show the work around a network alone.

"""

LOADERS = """
## Training samples on the fly into torch tensors, two cores

The same work, wall time of whole epochs: a loader with two threads beside a `DataLoader` with two worker processes.

"""

WINDOWS = """
## CSV logs to windows, two cores

Files of stamp, accelerometer and gyroscope at 100 Hz are read, resampled to 50 Hz and cut into windows of 10 s, half
overlapped, in memory.

"""

MIXTURES = """
## Mixtures of Gaussians, two cores

EM with diagonal covariance from one start on the same frames, beside scikit-learn's `GaussianMixture`.

"""

OKS = """
## Average precision by object keypoint similarity

COCO's ten numbers of drawn people and detections, beside the evaluators that compute the same: from JSON files, and from what
each reader has made of them.

"""

BORDER = """
## Stages from Python, one thread

The same stages on the same batches, called from Rust and from Python with `pyarrow` batches in and out.

"""


MEASURED = "(Profile `{profile}`, medians of {rounds} rounds.)\n\n"


def sections(text: str) -> dict[str, str]:
    """The sections of a document, by the line that heads each."""
    parts = text.split("\n## ")[1:]
    return {"## " + part.split("\n", 1)[0]: "\n## " + part.rstrip("\n") + "\n" for part in parts}


def output_of(command: list[str]) -> str:
    print("$", " ".join(command), file=sys.stderr)
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="models/demo-pose/demo_pose.onnx")
    parser.add_argument("--card", default="models/demo-pose/demo_pose.toml")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mmpose", help="folder of an installed mmpose, to time its own encoder")
    parser.add_argument("--profile", default="release")
    parser.add_argument("--only", nargs="+", help="of samples, loaders, inference, protocols, windows, mixtures, oks, border")
    arguments = parser.parse_args()

    build = ["cargo", "build", "--locked", "--workspace", "--lib", "--bins", "--examples", "--profile", arguments.profile]
    subprocess.run(build, cwd=ROOT, check=True)
    built = ROOT / "target" / ("debug" if arguments.profile == "dev" else arguments.profile) / "examples"
    samples = [sys.executable, "benches/samples.py", str(built / "sample_bench"), "--rounds", str(arguments.rounds)]
    if arguments.mmpose:
        samples += ["--mmpose", arguments.mmpose]
    infer = [str(built / "infer_bench"), arguments.network, arguments.card, str(arguments.rounds)]
    machine = f"{platform.machine()}, {platform.processor() or platform.system()}"
    level = os.environ.get("CARGO_PROFILE_DEV_OPT_LEVEL")
    profile = f"{arguments.profile}`, own crates at `opt-level = {level}" if level else arguments.profile
    motion = [sys.executable, "benches/motion.py", str(built / "window_bench"), "--rounds", str(arguments.rounds)]
    mixture = [sys.executable, "benches/mixture.py", str(built / "mixture_bench"), "--rounds", str(arguments.rounds)]
    native = built.parent / ("lib_native.dylib" if sys.platform == "darwin" else "lib_native.so")
    loaders = [sys.executable, "benches/torch_loader.py", "--native", str(native), "--rounds", str(arguments.rounds)]
    border = [sys.executable, "benches/border.py", str(built / "stage_bench"), "--rounds", str(arguments.rounds)]
    protocols = [sys.executable, "benches/protocols.py", "--motionmill", str(built.parent / "motionmill")]
    protocols += ["--native", str(native), "--rounds", str(arguments.rounds)]
    oks = [sys.executable, "benches/oks.py", "--native", str(native), "--rounds", str(arguments.rounds)]
    programs = {
        "samples": (SAMPLES, samples),
        "loaders": (LOADERS, loaders),
        "inference": (INFERENCE, infer),
        "protocols": (PROTOCOLS, protocols),
        "windows": (WINDOWS, motion),
        "mixtures": (MIXTURES, mixture),
        "oks": (OKS, oks),
        "border": (BORDER, border),
    }
    if not importlib.util.find_spec("hotcoco"):
        del programs["oks"]
    if not importlib.util.find_spec("torch"):
        del programs["loaders"]
    unknown = set(arguments.only or []) - set(programs)
    if unknown:
        parser.error(f"--only: {', '.join(sorted(unknown))} cannot be measured; {', '.join(programs)} can")
    page = ROOT / "docs" / "benchmarks.md"
    kept = sections(page.read_text()) if arguments.only else {}
    text = HEAD.format(machine=machine)
    measured = MEASURED.format(profile=profile, rounds=arguments.rounds)
    for name, (words, command) in programs.items():
        if name in (arguments.only or programs):
            text += words + measured + output_of(command).strip() + "\n"
        else:
            text += kept.get(words.strip().split("\n", 1)[0], "")
    page.write_text(text)


if __name__ == "__main__":
    main()
