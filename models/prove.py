#!/usr/bin/env python3
"""Closes the loop on real data: prepare, train, export, infer and score, for every system of the papers.

    python models/prove.py lspet --data FOLDER --work FOLDER [--only cpm repose] [--motionmill COMMAND]
    python models/prove.py sp-sw-har --data FOLDER --work FOLDER [--only conv-rnn]

`--data` holds LSPET's `joints.mat` and `images/`, or the folders `s01` to `s15` of sp-sw-har. What `--work` holds already is
not made again. Scores and training logs go to `docs/results/`, from which `models/results.py` writes `docs/results.md`.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
RESULTS = ROOT / "docs" / "results"

#: The slim networks that a processor trains in an hour or so, and how. Adam and one cycle of the learning rate in the place of
#: the papers' optimisers, which are made for some hundred times as many steps.
SHORT = "--batch 16 --precision bfloat16 --optimiser adam --schedule one-cycle --seed 1 --threads 1"
POSE = {
    "cpm": "--size three_stages --set features=32 --set classifier=256 --set dropout=0 --set spread=null --epochs 8 --rate 1e-3",
    "hourglass": "--size two_stacks --set features=128 --set depth=3 --epochs 6 --rate 1e-3",
    "repose": "--size one_block --set input_size=64 --set width=32 --set features=16 --epochs 2 --rate 2e-3",
    "tompson": "--size small --set dropout=0 --epochs 7 --rate 1e-3",
}
#: At true places moved by up to a coarse px: those that a slim coarse network finds are mostly too far off to learn from.
FINE = "--size small --points jitter --epochs 1 --minutes 11 --rate 1e-3 --schedule constant"

#: Each of DeepPose's three networks, which look at a person or a joint in 64 px; ten minutes are a cap for a busy machine.
DEEPPOSE = "--size small --batch 32 --epochs 4 --minutes 10 --rate 1e-3"
#: Px of its crops, how its first one is laid on LSPET, and the side of the later ones in diameters of the pose.
DEEPPOSE_CROP = "crop={size=[64,64],frame={person={height=45}}}"
DEEPPOSE_FOCUS = "focus={size=[64,64],side=2}"

#: The test of each system by its own recipe, on the people held back, and what differs on LSPET: the size of the crop, and the
#: annotated centre and scale in the place of the image's.
TESTS = {
    "cpm": ("cpm-lsp-test", "crop={size=[128,128],frame={person={height=81.491}}}"),
    "hourglass": ("hourglass-mpii-test", "crop={size=[128,128],frame={person={height=102.4}}}"),
    "repose": ("repose-lsp-test", "crop={size=[64,64],frame={person={height=40.75}}}"),
    "tompson": ("tompson-mpii-test", "crop={size=[128,128],frame={person={height=90}}}"),
}

SEEDS = (1, 2, 3, 4, 5, 6)
MOTION = ("st-convnet", "lt-convnet", "conv-rnn", "conv-cwrnn", "conv-lstm", "conv-dcwrnn")
#: Chosen by the EER of Conv-DCWRNN on the deals 11 to 16, which are scored nowhere else.
MOTION_TRAINING = "--size small --set dropout=0.5 --epochs 1 --rate 0.001 --schedule cosine --seed 1 --threads 1"


class Steps:
    """Runs commands in `work`, each once."""

    def __init__(self, work: Path, motionmill: str) -> None:
        self.work, self.motionmill = work, motionmill

    def mill(self, words: str, made: str) -> None:
        """Run `motionmill` unless the folder `made` is there; WORK stands for the working folder, as plans have their own."""
        self.run([*self.motionmill.split(), *words.replace("WORK", str(self.work)).split()], made)

    def networks(self, words: str, made: str) -> None:
        """Run `python -m motionmill_networks` unless the file `made` is there."""
        self.run([sys.executable, "-m", "motionmill_networks", *words.split()], made)

    def run(self, command: list[str], made: str) -> None:
        """Run `command` unless `made` is there."""
        if (self.work / made).exists():
            return
        print("$", " ".join(command), file=sys.stderr, flush=True)
        subprocess.run(command, cwd=self.work, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})

    def keep(self, name: str, files: dict[str, str]) -> None:
        """Copy tables (folders) and logs of `work` to `docs/results/name`, under new names."""
        (RESULTS / name).mkdir(parents=True, exist_ok=True)
        for target, source in files.items():
            found = self.work / source
            if found.is_dir():
                (found,) = sorted(found.glob("*.parquet"))
            shutil.copyfile(found, RESULTS / name / target)


def prove_lspet(steps: Steps, data: Path, only: list[str] | None) -> None:
    """The pose systems, on LSPET."""
    steps.mill(f"ingest lspet --annotations {data}/joints.mat --images {data}/images --out lspet", "lspet")
    steps.mill(plan("lspet/people", lspet="lspet", people="people"), "people")
    # The mean pose of the people as they stand, neither turned nor scaled.
    still = " --set stages.copies.run.repeat.copies=1 --set stages.warp.inputs=[\"crop\"]"
    steps.mill(plan("lspet/tompson", people="people", samples="samples-still") + still, "samples-still")
    steps.networks("mean-pose samples-still --out mean-pose.onnx", "mean-pose.onnx")
    test_pose(steps, "mean-pose", "hourglass-mpii-test", TESTS["tompson"][1], "stages.network.run.infer.flip_average=false")
    for system in [name for name in only or POSE if name in POSE]:
        steps.mill(plan(f"lspet/{system}", people="people", samples=f"samples-{system}"), f"samples-{system}")
        words = f"pose {system} samples-{system} --out {system}.onnx --name {system}-lspet {POSE[system]} {SHORT}"
        steps.networks(f"{words} --checkpoint {system}.pt --log {system}.jsonl", f"{system}.onnx")
        recipe, crop = TESTS[system]
        if system == "tompson":
            words = f"fine samples-tompson --coarse tompson.pt --out fine.onnx --name tompson-fine-lspet {SHORT} {FINE}"
            steps.networks(f"{words} --log fine.jsonl", "fine.onnx")
            test_cascade(steps, recipe, crop)
        else:
            test_pose(steps, system, recipe, crop)


    if only is None or "deeppose" in only:
        prove_deeppose(steps)


def prove_deeppose(steps: Steps) -> None:
    """DeepPose: three networks one after the other, each trained where the one before errs, and the cascade of all."""
    for stage in (1, 2, 3):
        samples, name = f"samples-deeppose-{stage}", f"deeppose-{stage}"
        if stage == 1:
            steps.mill(plan("lspet/deeppose", people="people", samples=samples), samples)
        else:
            found, errors = f"deeppose-{stage - 1}-train", f"displacements-{stage - 1}"
            steps.mill(found_by_deeppose(stage - 1, found), found)
            words = f"run recipe:deeppose-displacements --set sources.people.read.table.path=WORK/people --set sources.keypoints.read.table.path=WORK/{found}"
            steps.mill(f"{words} --set sinks.displacements.write.parquet.path=WORK/{errors}", errors)
            more = f" --set stages.joint.run.focus.displacements=WORK/{errors}"
            steps.mill(plan("lspet/deeppose-later", people="people", samples=samples) + more, samples)
        words = f"pose deeppose {samples} --out {name}.onnx --name {name}-lspet {SHORT} {DEEPPOSE}"
        steps.networks(f"{words} --checkpoint {name}.pt --log {name}.jsonl", f"{name}.onnx")
    changes = tuple(
        [f"stages.network_{stage}.run.infer.model=WORK/deeppose-{stage}.onnx" for stage in (1, 2, 3)]
        + [f"stages.focus_{stage}.run.{DEEPPOSE_FOCUS}" for stage in (2, 3)]
        + [f'stages.score_{stage}.run.evaluate.protocols=["lsp-pck"]' for stage in (1, 2)]
        + [f"sinks.metrics_{stage}.write.parquet.path=WORK/deeppose-{stage}-metrics" for stage in (1, 2)]
    )
    words = tested("deeppose-lsp-test", DEEPPOSE_CROP, "deeppose-keypoints", "deeppose-3-metrics", changes)
    steps.mill(words, "deeppose-3-metrics")
    for stage in (1, 2, 3):
        kept = {"metrics.parquet": f"deeppose-{stage}-metrics", "training.jsonl": f"deeppose-{stage}.jsonl"}
        steps.keep(f"lspet/deeppose-{stage}", kept)


def found_by_deeppose(stage: int, keypoints: str) -> str:
    """The words that predict the training people by a stage, from the pictures or from the predictions before it."""
    if stage == 1:
        settings = (
            "recipe:predict",
            "sources.people.read.table.path=WORK/people",
            "sources.people.read.table.split=train",
            f"stages.crop.run.{DEEPPOSE_CROP}",
            "stages.network.run.infer.model=WORK/deeppose-1.onnx",
            "stages.decode.run={decode={}}",
            'stages.score.run.evaluate.protocols=["lsp-pck"]',
            f"sinks.metrics.write.parquet.path=WORK/{keypoints}-metrics",
        )
    else:
        settings = (
            "recipe:deeppose-next",
            f"sources.keypoints.read.table.path=WORK/deeppose-{stage - 1}-train",
            f"stages.focus.run.{DEEPPOSE_FOCUS}",
            f"stages.network.run.infer.model=WORK/deeppose-{stage}.onnx",
        )
    recipe, *changes = (*settings, f"sinks.keypoints.write.parquet.path=WORK/{keypoints}")
    return f"run {recipe} " + " ".join(f"--set {change}" for change in changes)


def test_pose(steps: Steps, system: str, recipe: str, crop: str, *changes: str) -> None:
    """Score a network of heatmaps by its recipe."""
    changes = (f"stages.network.run.infer.model=WORK/{system}.onnx", *changes)
    steps.mill(tested(recipe, crop, f"{system}-keypoints", f"{system}-metrics", changes), f"{system}-metrics")
    log = {} if system == "mean-pose" else {"training.jsonl": f"{system}.jsonl"}
    steps.keep(f"lspet/{system}", {"metrics.parquet": f"{system}-metrics", **log})


def test_cascade(steps: Steps, recipe: str, crop: str) -> None:
    """Score the coarse network, what the spatial model makes of it, and the cascade behind both."""
    changes = (
        "sources.training.read.table.path=WORK/people",
        "stages.warp.run.warp.border=128",
        f"stages.training_crop.run.{crop}",
        # The torso's four joints are not annotated for every sixth person.
        'stages.displacements.run.fit_spatial_model.torso="center"',
        'stages.agreed_score.run.evaluate.protocols=["lsp-pck"]',
        "sinks.agreed_metrics.write.parquet.path=WORK/tompson-agreed-metrics",
        "stages.coarse.run.infer.model=WORK/tompson.onnx",
        "stages.joints.run.refine.model=WORK/fine.onnx",
        'stages.coarse_score.run.evaluate.protocols=["lsp-pck"]',
        "sinks.coarse_metrics.write.parquet.path=WORK/tompson-coarse-metrics",
    )
    steps.mill(tested(recipe, crop, "tompson-keypoints", "tompson-metrics", changes), "tompson-metrics")
    steps.keep("lspet/tompson", {"metrics.parquet": "tompson-metrics", "training.jsonl": "fine.jsonl"})
    steps.keep("lspet/tompson-agreed", {"metrics.parquet": "tompson-agreed-metrics", "training.jsonl": "tompson.jsonl"})
    steps.keep("lspet/tompson-coarse", {"metrics.parquet": "tompson-coarse-metrics", "training.jsonl": "tompson.jsonl"})


def tested(recipe: str, crop: str, keypoints: str, metrics: str, changes: tuple[str, ...]) -> str:
    """The words that run a test recipe on the people held back, by PCK as on LSP."""
    settings = (
        "sources.people.read.table.path=WORK/people",
        "sources.people.read.table.split=validation",
        f"stages.crop.run.{crop}",
        'stages.score.run.evaluate.protocols=["lsp-pck"]',
        f"sinks.keypoints.write.parquet.path=WORK/{keypoints}",
        f"sinks.metrics.write.parquet.path=WORK/{metrics}",
        *changes,
    )
    return f"run recipe:{recipe} " + " ".join(f"--set {setting}" for setting in settings)


def prove_motion(steps: Steps, data: Path, only: list[str] | None) -> None:
    """The systems of Project Abacus, on sp-sw-har; each seed deals the people out anew."""
    steps.mill(f"ingest logs {data} --preset sp-sw-har --out readings", "readings")
    for seed in SEEDS:
        changes = f" --set seed={seed}"
        steps.mill(plan("sp-sw-har/windows", readings="readings", windows=f"windows-{seed}") + changes, f"windows-{seed}")
        name = f"raw-{seed}"
        steps.mill(plan("sp-sw-har/raw", readings="readings", trials=f"{name}-trials", metrics=f"{name}-metrics") + changes, f"{name}-metrics")
        steps.keep(f"sp-sw-har/{name}", {"metrics.parquet": f"{name}-metrics"})
        for system in only or MOTION:
            kept = {}
            # What training gives is seen beside the network as it was before.
            for table, name, more in (
                ("metrics.parquet", f"{system}-{seed}", f"--log {system}-{seed}.jsonl"),
                ("untrained.parquet", f"{system}-untrained-{seed}", "--epochs 0"),
            ):
                words = f"motion {system} windows-{seed} --out {name}.onnx {MOTION_TRAINING} {more}"
                steps.networks(words, f"{name}.onnx")
                words = plan("sp-sw-har/network", readings="readings", trials=f"{name}-trials", metrics=f"{name}-metrics")
                words += f"{changes} --set stages.features.run.embed.model=WORK/{name}.onnx"
                steps.mill(words, f"{name}-metrics")
                kept[table] = f"{name}-metrics"
            steps.keep(f"sp-sw-har/{system}-{seed}", {**kept, "training.jsonl": f"{system}-{seed}.jsonl"})


def plan(name: str, **tables: str) -> str:
    """The words that run a plan of this folder on tables of the working folder; the first table is its source."""
    source, *sinks = tables.items()
    words = f"run {MODELS / name}.toml --set sources.{source[0]}.read.table.path=WORK/{source[1]}"
    return words + "".join(f" --set sinks.{sink}.write.parquet.path=WORK/{path}" for sink, path in sinks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_set", choices=["lspet", "sp-sw-har"])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--only", nargs="+", help="these systems")
    parser.add_argument("--motionmill", default="motionmill", help="the command")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    steps = Steps(given.work.resolve(), given.motionmill)
    prove = prove_lspet if given.data_set == "lspet" else prove_motion
    prove(steps, given.data.resolve(), given.only)


if __name__ == "__main__":
    main()
