"""`docs/results.md` is what the kept tables give, and says of each number where it comes from."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from motionmill_networks import COORDINATES, MOTION, POSE
from motionmill_networks.__main__ import parser
from motionmill_networks.fine_localization import FINE_SIZES, FineNetwork
from motionmill_networks.job import arguments_of

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models"))

import prove
import results
from results_page import counts, motion, motion_rows, pose, tables
from results_page.training import optimiser

LOGS = sorted(results.RESULTS.glob("*/*/training.jsonl"))
MOTION_RUN = {"classes": list("abcdefgh"), "channels": list("abcdef"), "rate_hz": 50.0}
MOTION_RUN |= {"blocks": 12, "block_samples": 50, "block_hop_samples": 25}


def metric(name: str, value: float, **more: Any) -> dict[str, Any]:
    """A row of a `metrics` table, with an interval of a point to either side."""
    row = {"dataset": "d", "split": "s", "joint": None, "group": None, "threshold": None, "count": 10, "model": "m"}
    row |= {"metric": name, "value": value, "ci_low": value - 1, "ci_high": value + 1, "head": None, "run": "r"}
    return row | more


def keep(folder: Path, rows: list[dict[str, Any]], run: dict[str, Any] | None = None, **epoch: Any) -> None:
    """Lay a table and a log into a folder."""
    folder.mkdir(parents=True)
    parquet.write_table(pa.Table.from_pylist(rows), folder / "metrics.parquet")
    if run is not None:
        last = {"epoch": 1, "loss": 0.5, "seconds": 10.0, "samples_per_second": 220.0, **epoch}
        opening = {
            "run": {"epochs": 1, "batch": 16, "seed": 4, "rate": 0.1, "schedule": "cosine"} | run,
            "device": "cpu, 2 threads",
        }
        (folder / "training.jsonl").write_text(f"{json.dumps(opening)}\n{json.dumps(last)}\n")


def pose_rows(*stages: float) -> list[dict[str, Any]]:
    """PCK of the stages at 0.2, and a hundredth of it for each hundredth below."""
    rows = []
    for stage, value in enumerate(stages, start=1):
        more = {"protocol": "lsp-pck", "head": stage}
        for hundredth in range(21):
            at = more | {"threshold": hundredth / 100}
            rows += [metric("pck", value * hundredth / 20, group=group, count=130, **at) for group in pose.GROUPS]
            rows += [metric("pck", value, joint=joint, count=12, **at) for joint in ("left_shoulder", "right_hip")]
        rows.append(metric("auc", value / 2, group="total", **more))
    return rows


def pose_run(system: str, **arguments: Any) -> dict[str, Any]:
    run = {"system": system, "size": "tiny", "optimiser": "adam", "precision": "float32", "kind": "pose"}
    return run | {"arguments": {**POSE[system].sizes["tiny"], **arguments}, "skeleton": "lsp14", "input": [64, 48]}


def motion_scores(eer: float, hter: float, clients: str = "xyz") -> list[dict[str, Any]]:
    rows = [metric("genuine_trials", 6.0, count=6), metric("impostor_trials", 12.0, count=12)]
    rows += [metric("eer", eer, group=f"client:{client}") for client in clients]
    for ending in ("", "_per_client", "_per_session"):
        rows += [metric(f"eer{ending}", eer, group="linear"), metric(f"hter{ending}", hter)]
    return [row | {"protocol": "verification"} for row in rows]


def motion_run(system: str) -> dict[str, Any]:
    run = {"system": system, "size": "tiny", "optimiser": "paper", "precision": "float32", "kind": "motion"}
    return run | {"arguments": dict(MOTION[system].sizes["tiny"])} | MOTION_RUN


def line(lines: list[str], start: str) -> str:
    """The only line that begins so."""
    (found,) = [one for one in lines if one.startswith(start)]
    return found


@pytest.fixture(scope="module")
def sizes() -> list[str]:
    """The section of sizes, which takes some seconds."""
    return counts.section()


def test_committed_page_is_what_the_tables_give(sizes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "section", lambda: sizes)
    assert results.PAGE.read_text() == results.page(), "`python models/results.py` writes it anew"


def test_picture_is_there_where_the_page_shows_it() -> None:
    shown = f"]({results.RESULTS.name}/{results.PICTURE})" in results.PAGE.read_text()
    assert (results.RESULTS / results.PICTURE).exists() == shown


def test_page_names_no_machine_and_no_day() -> None:
    text = results.PAGE.read_text()
    assert str(ROOT) not in text and "/root" not in text and "/home" not in text


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.parent.name)
def test_kept_logs_are_of_the_settings_in_the_commands(path: Path) -> None:
    run, name = tables.read_log(path).run, path.parent.name
    if path.parts[-3] == "sp-sw-har":
        system = name.rpartition("-")[0]
        words, sets = (
            f"motion {system} samples --out x {prove.MOTION_TRAINING}",
            (MOTION[system].build, MOTION[system].sizes),
        )
    elif name == "tompson":
        words, sets = f"fine samples --coarse x --out x {prove.SHORT} {prove.FINE}", (FineNetwork, FINE_SIZES)
    elif name.startswith("deeppose"):
        system = COORDINATES["deeppose"]
        words, sets = f"pose deeppose samples --out x {prove.SHORT} {prove.DEEPPOSE}", (system.build, system.sizes)
    else:
        system = name.removesuffix("-coarse").removesuffix("-agreed")
        words, sets = (
            f"pose {system} samples --out x {prove.POSE[system]} {prove.SHORT}",
            (POSE[system].build, POSE[system].sizes),
        )
    given = vars(parser().parse_args(shlex.split(words)))
    arguments = arguments_of(name, *sets, given["size"], dict(given["changes"]))
    assert json.loads(json.dumps(arguments)) == run["arguments"]
    if given["schedule"] in ("paper", "constant"):
        # Such a run may go on for ever, and does not remember how long it was meant to be.
        given["epochs"] = None
    assert optimiser(run) == optimiser(run | {"optimiser": given["optimiser"]})
    same = ("size", "epochs", "rate", "batch", "precision", "schedule", "seed", "clip")
    assert {key: given[key] for key in same} == {key: run[key] for key in same}


def test_all_systems_are_not_run_where_there_is_no_table(tmp_path: Path) -> None:
    lines = pose.section(tmp_path, "picture.png") + motion.section(tmp_path)
    # Of pose: training, scores, groups, thresholds. Of motion: scores and deals, of networks training too.
    titled = [one for one in lines if one.startswith("|") and "not run" in one]
    assert len(titled) == 4 * len(pose.SYSTEMS) + 2 * (len(MOTION) + 1) + 3 + len(MOTION)
    assert not any("picture.png" in one for one in lines)
    assert results.draw(tmp_path) is None
    assert "- Raw and trained features have not been run on the same people: nothing to compare." in lines


def test_stages_are_compared_and_held_against_the_marks(tmp_path: Path) -> None:
    keep(tmp_path / "lspet/mean-pose", pose_rows(10.0))
    keep(tmp_path / "lspet/hourglass", pose_rows(40.0, 45.5), pose_run("hourglass"))
    keep(tmp_path / "lspet/repose", pose_rows(61.0), pose_run("repose"))
    keep(tmp_path / "lspet/tompson-coarse", pose_rows(11.0), pose_run("tompson"))
    fine = pose_run("tompson") | {"kind": "fine", "system": "tompson-fine", "coarse": pose_run("tompson")}
    keep(tmp_path / "lspet/tompson", pose_rows(10.5), fine | {"arguments": FINE_SIZES["tiny"]})
    for stage, value in ((1, 20.0), (2, 21.0), (3, 20.5)):
        given = {"size": "tiny", "kind": "coordinates", "input": [64, 64]}
        given |= {"arguments": dict(COORDINATES["deeppose"].sizes["tiny"])}
        keep(tmp_path / f"lspet/deeppose-{stage}", pose_rows(value), pose_run("hourglass") | {"system": "deeppose"} | given)
    lines = pose.section(tmp_path, "picture.png")
    cascade = "20.0 to 20.5, +0.5 points, intervals overlap; at 0.1 of the torso 10.0 to 10.2"
    assert line(lines, "  - DeepPose").endswith(f"stage 3 of 3: {cascade}")
    assert "| 23,228 | 37,424,540 | 64 x 64 |" in line(lines, "| DeepPose, stage 2 of 3 | `tiny`")
    assert "| Stacked Hourglass, stage 2 of 2 | 45.5 | 44.5 to 46.5 | 12 | 130 |" in lines
    assert "| Stacked Hourglass, stage 1 of 2 | 10.0 | 20.0 | 30.0 | 40.0 |" in lines
    assert "- A later output is better than the first in 2 of 3 systems:" in lines
    stacked = "40.0 to 45.5, +5.5 points, intervals apart; at 0.1 of the torso 20.0 to 22.8"
    assert f"  - Stacked Hourglass, stage 2 of 2: {stacked}" in lines
    cascade = "11.0 to 10.5, −0.5 points, intervals overlap; at 0.1 of the torso 5.5 to 5.2"
    assert line(lines, "  - Efficient").endswith(f"cascade: {cascade}")
    assert line(lines, "- Better than the mean pose").count("Efficient Object Localization") == 2
    assert line(lines, "- The mark for RePose").endswith("is reached by the slim network: 61.0 %.")
    row = next(one for one in lines if one.startswith("| Stacked Hourglass | `tiny`"))
    assert (
        "stacks 2, features 32, depth 2 | 67,916 | 25,426,416 | 64 x 48 | 1 | ≈ 2,200 | 10 | 4 | cpu, 2 threads |"
        in row
    )
    assert results.draw(tmp_path).read_bytes().startswith(b"\x89PNG")


def test_trained_features_are_compared_on_the_deals_of_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion, "SEEDS", (1, 2, 3))
    monkeypatch.setattr(motion_rows, "SEEDS", (1, 2, 3))
    for deal, eer in zip((1, 2, 3), (10.0, 20.0, 30.0), strict=True):
        keep(tmp_path / f"sp-sw-har/raw-{deal}", motion_scores(eer, 25.0))
        keep(
            tmp_path / f"sp-sw-har/conv-rnn-{deal}",
            motion_scores(eer - 6, 26.0),
            motion_run("conv-rnn"),
            accuracy_within_1=0.25,
        )
        before = tmp_path / f"sp-sw-har/conv-rnn-{deal}/untrained.parquet"
        parquet.write_table(pa.Table.from_pylist(motion_scores(eer + 1, 26.0)), before)
    keep(tmp_path / "sp-sw-har/conv-lstm-3", motion_scores(27.0, 10.0), motion_run("conv-lstm"), accuracy_within_1=0.5)
    lines = motion.section(tmp_path)
    row = line(lines, "| Conv-RNN | 64.57 ")
    assert row.endswith("| 14.0 (4.0 to 24.0) | 26.0 (26.0 to 26.0) | 30 % lower | 21.0 (11.0 to 31.0) |") and "| 25.0 |" in row
    # On the third deal alone raw features have 30 %.
    assert line(lines, "| Conv-LSTM | 68.92 ").endswith("| 10.0 (10.0 to 10.0; 1 of 3 deals) | 10 % lower | – |")
    words = line(lines, "- **Trained features beat raw ones here.**")
    assert "EER is lower in 2 of 2 models, the mean HTER in 1. The best, Conv-RNN, has a mean EER of 14.0 %" in words
    assert "- The mark, an EER lower by 25 %, is reached by Conv-RNN." in lines
    assert "lower in 4 of 4 cases; the intervals are apart in their favour in 4," in line(lines, "- Deal by deal")
    words = line(lines, "- **Untrained networks**")
    assert "in 0 of 1; the best, Conv-RNN, 21.0 %, 5 % higher. Training on the 8 people lowers the mean EER of 1 of 1." in words
    assert "- Deal 2: x, y and z, 6 genuine and 12 impostor trials" in lines


def test_models_scored_on_other_people_are_refused(tmp_path: Path) -> None:
    keep(tmp_path / "sp-sw-har/raw-1", motion_scores(10.0, 10.0))
    keep(
        tmp_path / "sp-sw-har/conv-rnn-1", motion_scores(10.0, 10.0, "xyw"), motion_run("conv-rnn"), accuracy_within_1=0.5
    )
    with pytest.raises(ValueError, match="expected the same people"):
        motion.section(tmp_path)


def test_scores_without_the_log_of_their_training_are_refused(tmp_path: Path) -> None:
    keep(tmp_path / "lspet/cpm", pose_rows(10.0))
    with pytest.raises(FileNotFoundError, match="training.jsonl"):
        pose.section(tmp_path, "picture.png")


def test_counts_that_differ_are_said_to(sizes: list[str]) -> None:
    assert "- Equal to the released definition: 9 of 9. Not equal: none." in sizes
    others = line(sizes, "- Of the others")
    assert "within 2 % of what is printed: 11 of 12. Further off: DeepPose `paper` (parameters -6.4 %)." in others
    assert "of Conv-RNN, Conv-CWRNN, Conv-LSTM and Conv-DCWRNN" in line(sizes, "- **The counts do not match**")
    assert counts.motion_findings({"conv-rnn": 1_960_295}) == ["- Equal: all 1."]
    wrong = counts.Counted(counts.counts.ROWS[0], 31_219_867, 175_440_000_000)
    assert counts.pose_findings([wrong])[0].endswith("0 of 1. Not equal: Convolutional Pose Machines `paper`.")
    (row,) = [row for row in counts.counts.ROWS if row.size == "two_stages" and row.where == "table 6"]
    smaller = counts.Counted(row, 8_137_604, 14_154_000_000)
    found = counts.pose_findings([smaller])[1]
    assert found.endswith("0 of 1. Further off: RePose `two_stages` (parameters -3.1 %, GFLOP -3.7 %).")
