"""Networks of the papers, tiny: from shards to ONNX, and from there through the pipeline to a score."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")
onnx = pytest.importorskip("onnx", reason="the export needs onnx")

from environment import COMMAND
from motionmill import InferenceError, recipes, run_plan
from motionmill.torch import ShardLoader
from motionmill_networks import MOTION, POSE, convolutional_pose_machine, pose_system
from motionmill_networks.export import export
from motionmill_networks.train import factor, read_checkpoint
from network_runs import as_before, lines_of, rows_of, train
from torch_people import SMALL, write_people, write_shards

#: For each system the recipe of its samples, and changes of its tiny network.
SYSTEMS = {
    "cpm": ("cpm-lsp", []),
    "hourglass": ("hourglass-mpii", []),
    "hourglass-paper": ("hourglass-mpii", []),
    "repose": ("repose-lsp", ["--set", "input_size=32", "--set", "coarsest=8"]),
    "tompson": ("hourglass-mpii", []),
}
PEOPLE = 40
#: Every fifth person is held back.
HELD_OUT = "CAST(SUBSTR(sample_id, 9, 5) AS INT) % 5 = 0"


@pytest.fixture(autouse=True)
def settings_of_torch():
    with as_before():
        yield


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Path:
    """Synthetic people, the splits `train` and `validation`."""
    folder = tmp_path_factory.mktemp("people")
    source = {"read": {"table": {"path": write_people(folder, count=PEOPLE)}}}
    split = {"inputs": ["all"], "run": {"split": {"where": {"split": "validation", "condition": HELD_OUT}}}}
    sink = {"inputs": ["split"], "write": {"parquet": {"path": folder / "split"}}}
    run_plan({"sources": {"all": source}, "stages": {"split": split}, "sinks": {"people": sink}})
    return folder / "split"


@pytest.fixture(scope="module")
def shards(tmp_path_factory, people):
    """The samples of a recipe, made once: two of each person, or one as it is, not turned or scaled."""
    made: dict[tuple[str, str, bool], Path] = {}

    def make(recipe: str, split: str = "train", plain: bool = False) -> Path:
        if (recipe, split, plain) not in made:
            folder = tmp_path_factory.mktemp(recipe) / "samples"
            more = {"sources.people.read.table.split": split} | ({"stages.warp.inputs": ["crop"]} if plain else {})
            made[recipe, split, plain] = write_shards(recipe, people, folder, 1 if plain else 2, **more)
        return made[recipe, split, plain]

    return make


def score(
    people: Path, recipe: str, folder: Path, coarse: Path, fine: Path | None = None, refine: str = "quarter"
) -> list[dict]:
    """Predict and evaluate the people held back, as `motionmill run` does; the pooled PCK@0.2 of each output."""
    network = {"model": coarse} | ({} if fine is None else {"keep_image": True})
    decode = {"decode": {"refine": refine}} if fine is None else {"refine": {"model": fine}}
    stages = {
        "parts": {"inputs": ["people"], "run": {"map_skeleton": {"to": "cpm14" if recipe == "cpm-lsp" else "lsp14"}}},
        "crop": {"inputs": ["parts"], "run": {"crop": SMALL[recipe]["stages.crop.run.crop"]}},
        "warp": {"inputs": ["crop"], "run": {"warp": {"border": 128}}},
        "network": {"inputs": ["warp"], "run": {"infer": network}},
        "decode": {"inputs": ["network"], "run": decode},
        "score": {"inputs": ["parts", "decode"], "run": {"evaluate": {"protocols": ["lsp-pck"]}}},
    }
    plan = {
        "sources": {"people": {"read": {"table": {"path": people, "split": "validation"}}}},
        "stages": stages,
        "sinks": {"metrics": {"inputs": ["score"], "write": {"parquet": {"path": folder / "metrics"}}}},
    }
    run_plan(plan, threads=1)
    pooled = [row for row in rows_of(folder / "metrics") if row["metric"] == "pck" and row["group"] == "total"]
    return [row for row in pooled if row["threshold"] == pytest.approx(0.2)]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_goes_from_shards_to_its_score(system, shards, people, tmp_path):
    recipe, changes = SYSTEMS[system]
    out = tmp_path / "network.onnx"
    train("pose", system, shards(recipe), "--size", "tiny", *changes, "--epochs", 2, "--batch", 16, "--out", out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.onnx", "network.toml"], "one file, one card"
    model = onnx.load(out, load_external_data=False)
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node), "nothing of where it was made"
    scores = score(people, recipe, tmp_path, out)
    stages = {"cpm": [1, 2], "hourglass": [1, 2], "hourglass-paper": [1, 2]}.get(system)
    assert len(scores) == len(stages or [0])
    assert stages is None or [row["head"] for row in scores] == stages
    assert all(row["model"] == f"{system}-tiny" and row["count"] > 50 for row in scores)


def test_all_systems_are_tried():
    # Those of another pooling differ by it alone.
    assert set(SYSTEMS) == {name for name in POSE if name not in ("tompson-8", "tompson-16")}


def test_a_tiny_hourglass_learns(shards, people, tmp_path):
    samples, out, log = shards("hourglass-mpii", plain=True), tmp_path / "network.onnx", tmp_path / "log.jsonl"
    held_out = shards("hourglass-mpii", "validation", plain=True)
    more = ["--schedule", "one-cycle", "--rate", 1e-2, "--log", log, "--held-out", held_out]
    train("pose", "hourglass", samples, "--size", "tiny", "--epochs", 16, "--batch", 4, "--out", out, *more)
    labels = next(iter(ShardLoader(samples, batch_size=100)))["heatmaps"]
    last = lines_of(log)[-1]
    assert last["loss"] < 0.6 * 2 * labels.square().mean(), "far less than two stages of empty maps cost"
    for stage, row in enumerate(score(people, "hourglass-mpii", tmp_path, out, refine="none"), start=1):
        # Both take the px of the peak; the quick look measures on crops, so a few of 106 joints fall on the other side.
        assert row["value"] == pytest.approx(100 * last[f"pck_stage_{stage}"], abs=4)


def test_a_fine_network_goes_from_shards_to_its_score(shards, people, tmp_path):
    samples, coarse, checkpoint = shards("hourglass-mpii"), tmp_path / "coarse.onnx", tmp_path / "coarse.pt"
    of_all = ["--size", "tiny", "--batch", 16]
    train("pose", "tompson", samples, *of_all, "--epochs", 2, "--out", coarse, "--checkpoint", checkpoint)
    before = read_checkpoint(checkpoint)["network"]
    fine, log = tmp_path / "fine.onnx", tmp_path / "log.jsonl"
    more = ["--held-out", shards("hourglass-mpii", "validation", plain=True), "--points", "jitter", "--log", log]
    behind = ["fine", samples, "--coarse", checkpoint, *of_all]
    train(*behind, "--epochs", 3, "--out", fine, "--checkpoint", tmp_path / "fine.pt", *more)
    first, *_, last = lines_of(log)[1:]
    assert last["loss"] < first["loss"] and last["pck_coarse"] == first["pck_coarse"]
    after = read_checkpoint(tmp_path / "fine.pt")["network"]
    assert all(torch.equal(value, after[f"coarse.{name}"]) for name, value in before.items()), "the coarse one stays"

    together, again = tmp_path / "together.onnx", tmp_path / "again.onnx"
    train(*behind, "--joint", "--coarse-out", again, "--out", together, "--checkpoint", tmp_path / "joint.pt")
    after = read_checkpoint(tmp_path / "joint.pt")["network"]
    assert not any(torch.equal(value, after[f"coarse.{name}"]) for name, value in before.items())
    assert again.with_suffix(".toml").read_text().startswith('name = "tompson-tiny"')
    train(*behind, "--joint", "--out", together, exit_code=1)
    assert [row["count"] > 50 for row in score(people, "hourglass-mpii", tmp_path, coarse, fine)] == [True]


def weights_of(checkpoint: Path) -> dict:
    return read_checkpoint(checkpoint)["network"]


@pytest.mark.parametrize("schedule", ["constant", "one-cycle"])
def test_stopped_and_resumed_is_never_stopped(schedule, shards, tmp_path):
    of_all = ["pose", "cpm", shards("cpm-lsp"), "--size", "tiny", "--batch", 16, "--schedule", schedule]
    # Dropout draws random numbers, which a checkpoint has to remember too.
    of_all += ["--set", "dropout=0.5", "--out", tmp_path / "network.onnx"]
    straight, resumed = tmp_path / "straight.pt", tmp_path / "resumed.pt"
    train(*of_all, "--epochs", 2, "--checkpoint", straight)
    # A constant rate goes on behind an epoch; a schedule over two epochs is cut in the middle of the first.
    first = ["--epochs", 1] if schedule == "constant" else ["--epochs", 2, "--minutes", 0]
    train(*of_all, *first, "--checkpoint", resumed)
    half = weights_of(resumed)
    train(*of_all, "--epochs", 2, "--checkpoint", resumed, "--resume")
    one, other = weights_of(straight), weights_of(resumed)
    assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
    assert not all(torch.equal(half[name], other[name]) for name in half)
    again = tmp_path / "again.onnx"
    train("export", resumed, "--out", again)
    assert again.read_bytes() == (tmp_path / "network.onnx").read_bytes()


def test_rates_fall_where_the_papers_say():
    def rates(name, steps):
        return [pose_system(name).decay(step) for step in steps]

    assert rates("cpm", [0, 136_105, 136_106, 272_212]) == [1.0, 1.0, 0.333, pytest.approx(0.333**2)]
    assert rates("repose", [0, 999_999, 1_000_000, 1_299_999, 1_300_000]) == [1.0, 1.0, 0.5, 0.5, 1e-3]
    assert rates("hourglass", [0, 10**6]) == [1.0, 1.0]


def test_the_rate_of_a_run_falls_with_its_steps(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(convolutional_pose_machine, "DECAY_STEPS", 2)
    log = tmp_path / "log.jsonl"
    words = ["pose", "cpm", shards("cpm-lsp"), "--size", "tiny", "--batch", 16, "--optimiser", "adam", "--rate", 1e-3]
    train(*words, "--out", tmp_path / "network.onnx", "--log", log)
    last = lines_of(log)[-1]
    batches = len(ShardLoader(shards("cpm-lsp"), batch_size=16))
    assert batches > 2 and last["rate"] == pytest.approx(1e-3 * 0.333 ** ((batches - 1) // 2))


def test_schedules_rise_and_fall():
    assert {factor("constant", done) for done in (0.0, 0.5, 1.0)} == {1.0}
    assert factor("cosine", 0.0) == 1.0 and factor("cosine", 1.0) == pytest.approx(0.0)
    rates = [factor("one-cycle", done / 100) for done in range(101)]
    assert max(rates) == rates[15] == 1.0 and rates[0] == pytest.approx(0.04) and rates[100] == pytest.approx(0.0)


def test_on_the_fly_as_from_shards(people, tmp_path):
    plan = tmp_path / "plan.toml"
    recipe = recipes()["hourglass-mpii"]
    size = "run.crop = { size = [64, 64], frame"
    plan.write_text(recipe.replace("run.crop = { size = [256, 256], frame", size))
    assert size in plan.read_text()
    out = tmp_path / "network.onnx"
    more = ["--precision", "bfloat16"]
    train("pose", "hourglass", plan, "--people", people, "--size", "tiny", "--batch", 16, "--out", out, *more)
    assert out.exists()


#: What is wrong, and what the message has to say of what was expected and found.
REFUSALS = {
    "stride": (["hourglass", "repose-lsp"], ["stride 4 (8 x 8 px)", "stride 1 (32 x 32 px)"]),
    "channels": (["hourglass", "cpm-lsp"], ["14 maps (the joints of `cpm14`)", "found 30"]),
    "no center map": (["cpm", "hourglass-mpii"], ["expects a column `center_map`", "found none"]),
    "size": (["hourglass", "hourglass-mpii", "--size", "huge"], ["expected a size of `paper`", "found `huge`"]),
    "key": (["hourglass", "hourglass-mpii", "--set", "stakcs=2"], ["an argument of `stacks`", "found `stakcs`"]),
    "side": (["repose", "repose-lsp"], ["expects pictures of 64 x 64 px", "found 32 x 32 px"]),
    "picture": (["hourglass", "hourglass-mpii", "--set", "depth=5"], ["cannot take pictures of 64 x 64 px"]),
    "split": (["hourglass", "hourglass-mpii", "--split", "nobody"], ["`nobody`", "`train`"]),
    "device": (["hourglass", "hourglass-mpii", "--device", "cuda"], ["expected a CUDA device", "found none"]),
    "resume": (["hourglass", "hourglass-mpii", "--resume"], ["none is named"]),
}


@pytest.mark.parametrize("wrong", REFUSALS)
def test_a_refusal_says_what_was_expected_and_found(wrong, shards, tmp_path, capsys):
    if wrong == "device" and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    (system, recipe, *more), words = REFUSALS[wrong]
    sized = [] if "--size" in more else ["--size", "tiny"]
    train("pose", system, shards(recipe), *sized, *more, "--out", tmp_path / "network.onnx", exit_code=1)
    said = capsys.readouterr().err
    assert said.startswith("error: ") and all(word in said for word in words), said
    assert list(tmp_path.iterdir()) == []


def test_other_skeletons_checkpoints_and_people_are_refused(shards, people, tmp_path, capsys):
    samples, checkpoint, out = shards("hourglass-mpii"), tmp_path / "run.pt", tmp_path / "network.onnx"
    of_all = ["--size", "tiny", "--batch", 32, "--out", out]
    train("pose", "hourglass", samples, *of_all, "--checkpoint", checkpoint)
    again = ["--seed", 1, "--checkpoint", checkpoint, "--resume"]
    pose = ["pose", "hourglass", samples]
    cases = [
        ([*pose, *again], "expected `seed` 0, found 1"),
        ([*pose, "--held-out", "train"], "32 held-out samples are trained on too"),
        ([*pose, "--held-out", shards("cpm-lsp")], "expected skeleton `lsp14`, found `cpm14`"),
        ([*pose, "--held-out", shards("repose-lsp")], "expected pictures of 64 x 64 px, found 32 x 32 px"),
        (["fine", samples, "--coarse", checkpoint], "checkpoint of a coarse `tompson`, found one of `hourglass`"),
        (["pose", "hourglass", people], "expected samples with a skeleton and a column `image`"),
        (["motion", "conv-rnn", samples], "expected a table of windows, found samples"),
    ]
    for arguments, words in cases:
        capsys.readouterr()
        train(*arguments, *of_all, exit_code=1)
        assert words in capsys.readouterr().err


@pytest.mark.parametrize("size", [1e3, 1.0, 1e-4])
def test_a_graph_that_is_not_the_network_is_refused(size, tmp_path):
    class Liar(torch.nn.Module):
        def forward(self, image):
            return (image + 0.001 * size if torch.onnx.is_in_onnx_export() else image,)

    with pytest.raises(InferenceError, match="within 0.0001 of PyTorch, found"):
        export(Liar(), tmp_path / "liar.onnx", [size * torch.rand(3, 4)], ["image"], ["same"])
    assert list(tmp_path.iterdir()) == []


def test_the_list_names_every_system_and_size(capsys):
    train("list")
    said = capsys.readouterr().out
    assert all(f"  {name}: " in said for name in [*POSE, *MOTION])
    assert "paper              31,219,866 parameters" in said


def test_without_pytorch_the_extra_is_named():
    code = """
import sys, motionmill
assert "torch" not in sys.modules
sys.modules["torch"] = None
import motionmill_networks
"""
    ended = subprocess.run([COMMAND[0], "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1 and "pip install 'motionmill[torch]'" in ended.stderr
