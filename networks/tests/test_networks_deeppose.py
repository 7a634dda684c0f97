"""DeepPose: its layers and sizes, its coordinates and loss, and its cascade from people to a score."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")
pytest.importorskip("onnx", reason="the export needs onnx")

import onnxruntime
from torch import nn

from motionmill import ConfigError, SchemaError, read_table, recipes, run_plan
from motionmill.skeletons import skeleton
from motionmill.torch import ShardLoader
from motionmill_networks import coordinate_system, counts, deeppose
from motionmill_networks.cards import coordinates_card, write_card
from motionmill_networks.coordinates import in_crop, learnt, mirrored, normalised, squared_distance
from motionmill_networks.export import TOLERANCE, export
from motionmill_networks.system import PoseInput
from motionmill_networks.train import read_checkpoint
from motionmill_networks.train_coordinates import network_of
from network_runs import as_before, lines_of, rows_of, train
from torch_people import write_people

LSP = skeleton("lsp14")
SIDE = deeppose.SYSTEM.sizes["tiny"]["input_size"]


@pytest.fixture(autouse=True)
def settings_of_torch():
    with as_before():
        yield


def sides(network: nn.Module, side: int) -> list[tuple[int, int]]:
    """Maps and px a side that each convolution and pooling leaves."""
    with torch.device("meta"):
        picture, found = torch.empty(1, 3, side, side), []
    for layer in network.features:
        picture = layer(picture)
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            assert picture.shape[2] == picture.shape[3]
            found.append((picture.shape[1], picture.shape[2]))
    return found


def test_layers_are_those_of_the_paper():
    with torch.device("meta"):
        network = deeppose.DeepPose(14)
    # C(55x55x96) P C(27x27x256) P C(13x13x384) C(13x13x384) C(13x13x256) P
    assert sides(network, 220) == [(96, 55), (96, 27), (256, 27), (256, 13), (384, 13), (384, 13), (256, 13), (256, 4)]
    assert sum(isinstance(layer, nn.LocalResponseNorm) for layer in network.features) == 2
    widths = [layer.out_features for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert widths == [4096, 4096, 28]
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.6, 0.6]


@pytest.mark.parametrize(
    ("joints", "size", "parameters"),
    [(14, "paper", 37_424_540), (11, "paper", 37_399_958), (14, "alexnet", 58_396_060)],
)
def test_sizes(joints: int, size: str, parameters: int):
    row = counts.Row("deeppose", size, joints, 220)
    found, products = counts.measure(row)
    assert found == parameters
    # By hand: convolutions at their sides, and the connected layers.
    last = {"paper": 4, "alexnet": 6}[size] ** 2 * 256
    kernels = [(3, 96, 11, 55), (96, 256, 5, 27), (256, 384, 3, 13), (384, 384, 3, 13), (384, 256, 3, 13)]
    connected = last * 4096 + 4096 * 4096 + 4096 * 2 * joints
    assert products == sum(a * b * k * k * s * s for a, b, k, s in kernels) + connected
    assert parameters == sum(a * b * k * k + b for a, b, k, _ in kernels) + connected + 2 * 4096 + 2 * joints


def test_the_first_convolution_sees_the_whole_picture():
    # 220 = 55 x 4 px need 7 px more: 3 on the left, 4 on the right.
    assert deeppose.padding(220, 11, 4) == (3, 4)
    assert deeppose.padding(27, 5, 1) == (2, 2)
    with pytest.raises(ConfigError, match="leave nothing"):
        deeppose.DeepPose(14, input_size=32)
    with pytest.raises(ConfigError, match="expected 5 numbers"):
        deeppose.DeepPose(14, features=(8, 8))


def test_local_response_normalisation_is_alexnets():
    layer = nn.LocalResponseNorm(**deeppose.LRN)
    levels = torch.rand(1, 9, 1, 1) * 20
    around = levels[0, 2:7, 0, 0]
    expected = levels[0, 4, 0, 0] / (2 + 1e-4 * around.square().sum()) ** 0.75
    assert layer(levels)[0, 4, 0, 0].item() == pytest.approx(expected.item(), rel=1e-6)


def test_coordinates_are_those_of_the_box():
    corners = torch.tensor([[0.0, 0.0], [32.0, 10.0], [64.0, 20.0], [96.0, -10.0]])
    expected = torch.tensor([[-0.5, -0.5], [0.0, 0.0], [0.5, 0.5], [1.0, -1.0]])
    assert torch.equal(normalised(corners, (64, 20)), expected)
    assert torch.equal(in_crop(expected, (64, 20)), corners)


def batch(**more: Any) -> dict[str, Any]:
    """Two people of LSP, of whom the second's neck is not annotated."""
    visibility = torch.full((2, 14), 2)
    visibility[1, LSP.joints.index("neck")] = 0
    return {"visibility": visibility, **more}


def test_a_crop_around_a_joint_teaches_that_joint():
    neck, left, right = (LSP.joints.index(name) for name in ("neck", "left_wrist", "right_wrist"))
    assert learnt(batch(), LSP).sum(1).tolist() == [14, 13]
    index = torch.tensor([left, left], dtype=torch.int32)
    counted = learnt(batch(joint_index=index, flipped=torch.tensor([False, True])), LSP)
    # In a mirrored crop the right wrist of the picture is what was the left one.
    assert counted.nonzero().tolist() == [[0, left], [1, right]]
    counted = learnt(batch(joint_index=torch.tensor([neck, neck]), flipped=torch.tensor([True, True])), LSP)
    assert counted.nonzero().tolist() == [[0, neck]]
    assert mirrored(LSP)[left] == right and mirrored(LSP)[neck] == neck
    with pytest.raises(SchemaError, match="`flipped`"):
        learnt(batch(joint_index=index), LSP)
    with pytest.raises(SchemaError, match="0 to 13"):
        learnt(batch(joint_index=torch.tensor([0, 14]), flipped=torch.tensor([False, False])), LSP)


def test_joints_without_a_label_cost_nothing():
    found = torch.zeros(2, 3, 2, requires_grad=True)
    wanted = torch.tensor([[[3.0, 4.0], [1.0, 0.0], [0.0, 0.0]], [[math.nan, math.nan], [0.0, 2.0], [0.0, 0.0]]])
    counted = torch.tensor([[True, True, True], [False, True, False]])
    loss = squared_distance(found, wanted, counted)
    assert loss.item() == pytest.approx((25 + 1 + 4) / 2)
    loss.backward()
    assert found.grad[0, 0].tolist() == [-3.0, -4.0] and found.grad[1, 0].tolist() == [0.0, 0.0]
    assert not found.grad.isnan().any()


def test_the_papers_optimiser():
    network = nn.Linear(2, 2)
    assert isinstance(deeppose.SYSTEM.optimiser(network, None), torch.optim.Adagrad)
    assert deeppose.SYSTEM.optimiser(network, None).param_groups[0]["lr"] == 5e-4
    assert deeppose.SYSTEM.optimiser(network, 0.1).param_groups[0]["lr"] == 0.1


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Path:
    """Synthetic people, the splits `train` and `validation`."""
    folder = tmp_path_factory.mktemp("people")
    source = {"read": {"table": {"path": write_people(folder, count=40)}}}
    condition = "CAST(SUBSTR(sample_id, 9, 5) AS INT) % 5 = 0"
    split = {"inputs": ["all"], "run": {"split": {"where": {"split": "validation", "condition": condition}}}}
    sink = {"inputs": ["split"], "write": {"parquet": {"path": folder / "split"}}}
    run_plan({"sources": {"all": source}, "stages": {"split": split}, "sinks": {"people": sink}})
    return folder / "split"


#: The recipes in small: the whole picture, or two diameters around a joint, in 64 px.
WHOLE = {"stages.crop.run.crop": {"size": [SIDE, SIDE], "frame": "whole_image"}, "stages.shift.run.shift.max": 6}
AROUND = {"size": [SIDE, SIDE], "side": 2}


def samples(people: Path, out: Path, split: str = "train", **more: Any) -> Path:
    changes = {"sources.people.read.table": {"path": people, "split": split}, "sinks.samples.write.parquet.path": out}
    run_plan("recipe:deeppose-lsp", changes | WHOLE | more, threads=2)
    return out


def later_samples(people: Path, out: Path, displacements: Path, copies: int) -> Path:
    changes = {
        "sources.people.read.table": {"path": people, "split": "train"},
        "stages.copies.run.repeat.copies": copies,
        "stages.joint.run.focus": {**AROUND, "joints": "one", "displacements": displacements},
        "sinks.samples.write.parquet.path": out,
    }
    run_plan("recipe:deeppose-lsp-later", changes, threads=2)
    return out


def predicted(people: Path, network: Path, out: Path, split: str) -> Path:
    """Keypoints of the first stage."""
    changes = {
        "sources.people.read.table": {"path": people, "split": split},
        "stages.crop.run.crop": WHOLE["stages.crop.run.crop"],
        "stages.network.run.infer.model": network,
        "stages.decode.run.decode": {},
        "stages.score.run.evaluate.protocols": ["lsp-pck"],
        "sinks.keypoints.write.parquet.path": out,
        "sinks.metrics.write.parquet.path": out.with_name(out.name + "-metrics"),
    }
    run_plan("recipe:predict", changes, threads=2)
    return out


def displaced(people: Path, keypoints: Path, out: Path) -> Path:
    changes = {
        "sources.people.read.table.path": people,
        "sources.keypoints.read.table.path": keypoints,
        "sinks.displacements.write.parquet.path": out,
    }
    run_plan("recipe:deeppose-displacements", changes, threads=2)
    return out


def test_a_tiny_network_learns_and_its_onnx_file_says_the_same(people, tmp_path):
    made, log, out = samples(people, tmp_path / "samples"), tmp_path / "log.jsonl", tmp_path / "first.onnx"
    held_out = samples(people, tmp_path / "held-out", "validation", **{"stages.warp.inputs": ["crop"]})
    schedule = ["--optimiser", "adam", "--schedule", "one-cycle", "--rate", 3e-3, "--epochs", 12, "--batch", 8]
    more = ["--held-out", held_out, "--log", log, "--checkpoint", tmp_path / "first.pt"]
    train("pose", "deeppose", made, "--size", "tiny", *schedule, *more, "--out", out)
    lines = lines_of(log)
    assert lines[0]["run"]["kind"] == "coordinates" and lines[0]["run"]["crops"] == "person"
    assert lines[-1]["loss"] < 0.7 * lines[1]["loss"] and 0 <= lines[-1]["pck"] <= 1
    card = out.with_suffix(".toml").read_text()
    assert 'kind = "coordinates"' in card and 'unit = "centred_parts"' in card and 'skeleton = "lsp14"' in card
    network = network_of(read_checkpoint(tmp_path / "first.pt"))
    picture = torch.randn(5, 3, SIDE, SIDE)
    (found,) = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"]).run(None, {"image": picture.numpy()})
    with torch.no_grad():
        assert torch.allclose(torch.from_numpy(found), network(picture), atol=1e-4)
    again = tmp_path / "again.onnx"
    train("export", tmp_path / "first.pt", "--out", again)
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize("normalise", [True, False])
def test_every_form_is_exported_within_the_tolerance(normalise, tmp_path):
    network = deeppose.DeepPose(11, **{**deeppose.SYSTEM.sizes["tiny"], "normalise": normalise})
    assert export(network, tmp_path / "n.onnx", [torch.randn(3, 3, SIDE, SIDE)], ["image"], ["coordinates"]) <= TOLERANCE


def test_what_does_not_fit_is_refused(people, tmp_path, capsys):
    made = samples(people, tmp_path / "samples")
    train("pose", "deeppose", made, "--out", tmp_path / "n.onnx", exit_code=1)
    assert "expects pictures of 220 x 220 px, found 64 x 64 px" in capsys.readouterr().err
    train("pose", "deeppose", made, "--size", "tiny", "--outputs", "all", "--out", tmp_path / "n.onnx", exit_code=1)
    assert "`--outputs` chooses stages" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="`deeppose`"):
        coordinate_system("deepcut")


class Constant(nn.Module):
    """The same coordinates `[K, 2]` whatever it sees."""

    def __init__(self, coordinates: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("coordinates", coordinates[None])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.coordinates + 0.0 * image[:, :1, :1, :1].flatten(1)[:, :, None]


def write_constant(coordinates: torch.Tensor, out: Path) -> Path:
    export(Constant(coordinates), out, [torch.rand(3, 3, SIDE, SIDE)], ["image"], ["coordinates"])
    write_card(coordinates_card({"name": out.stem}, PoseInput(), LSP, (SIDE, SIDE)), out)
    return out


def cascade(people: Path, networks: list[Path], out: Path, **more: Any) -> dict[str, list[dict[str, Any]]]:
    """Runs the test recipe; the rows of its tables."""
    changes: dict[str, Any] = {
        "sources.people.read.table": {"path": people, "split": "validation"},
        "stages.crop.run.crop": WHOLE["stages.crop.run.crop"],
    }
    for stage, network in enumerate(networks, start=1):
        changes[f"stages.network_{stage}.run.infer.model"] = network
        if stage > 1:
            changes[f"stages.focus_{stage}.run.focus"] = AROUND
    sinks = ("keypoints", "metrics_1", "metrics_2", "metrics")
    run_plan("recipe:deeppose-lsp-test", changes | {f"sinks.{sink}.write.parquet.path": out / sink for sink in sinks} | more)
    return {sink: rows_of(out / sink) for sink in sinks}


def test_each_stage_moves_each_joint_by_what_it_says_there(people, tmp_path):
    generator = torch.Generator().manual_seed(4)
    first, second, third = (torch.rand(14, 2, generator=generator) - 0.5 for _ in range(3))
    networks = [
        write_constant(coordinates, tmp_path / f"{name}.onnx")
        for name, coordinates in (("first", first), ("second", second / 2), ("third", third / 4))
    ]
    found = cascade(people, networks, tmp_path)["keypoints"]
    known = {row["sample_id"]: row for row in rows_of(people)}
    ends = [LSP.joints.index(name) for name in ("left_shoulder", "right_hip")]
    assert len(found) == 8 and {row["model"] for row in found} == {"third"}
    for row in found:
        width, height = known[row["sample_id"]]["image_size"] or (96, 96)
        places = torch.tensor([width, height], dtype=torch.float64) / 2 + max(width, height) * first.double()
        for coordinates in (second / 2, third / 4):
            diameter = (places[ends[0]] - places[ends[1]]).norm()
            places = places + 2 * diameter * coordinates.double()
        assert torch.allclose(torch.tensor(row["keypoints"], dtype=torch.float64), places, atol=1e-3)


def test_the_cascade_goes_from_people_to_its_scores(people, tmp_path):
    networks, keypoints = [], None
    for stage in (1, 2, 3):
        out = tmp_path / f"network-{stage}.onnx"
        if stage == 1:
            made = samples(people, tmp_path / "samples-1")
        else:
            errors = displaced(people, keypoints, tmp_path / f"displacements-{stage - 1}")
            fitted = {row["joint"]: row for row in read_table(errors).to_pylist()}
            assert list(fitted) == list(LSP.joints) and all(row["count"] > 20 for row in fitted.values())
            made = later_samples(people, tmp_path / f"samples-{stage}", errors, copies=3)
            columns = ["keypoints", "visibility", "coordinates", "joint_index", "flipped"]
            rows = next(iter(ShardLoader(made, batch_size=200, columns=columns)))
            known = rows["visibility"] > 0
            wanted = normalised(rows["keypoints"], (SIDE, SIDE))
            assert torch.allclose(rows["coordinates"][known], wanted[known], atol=1e-6), "the stage says what is learnt"
            # The crop lies about the joint, off by what the stage before is off: a few diameters at most.
            index = rows["joint_index"].long()
            at = torch.where(rows["flipped"], torch.tensor(mirrored(LSP))[index], index)
            here = normalised(rows["keypoints"][torch.arange(len(at)), at], (SIDE, SIDE))
            spread = max(max(row["deviation_x"], row["deviation_y"]) for row in fitted.values())
            assert here.std() < spread and (here.abs() < 4 * spread).all()
        train("pose", "deeppose", made, "--size", "tiny", "--epochs", 2, "--batch", 8, "--out", out)
        networks.append(out)
        if stage == 1:
            keypoints = predicted(people, out, tmp_path / "keypoints-1", "train")
        elif stage == 2:
            changes = {
                "sources.keypoints.read.table.path": keypoints,
                "stages.focus.run.focus": AROUND,
                "stages.network.run.infer.model": out,
                "sinks.keypoints.write.parquet.path": tmp_path / "keypoints-2",
            }
            run_plan("recipe:deeppose-next", changes)
            keypoints = tmp_path / "keypoints-2"
    found = cascade(people, networks, tmp_path / "test")
    for metrics in ("metrics_1", "metrics_2", "metrics"):
        assert {row["protocol"] for row in found[metrics]} == {"lsp-pcp-strict", "lsp-pcp-loose", "lsp-pck"}
    # What two epochs teach may fold a pose into a point: such a person has no diameter, and is told.
    rejected = {row["sample_id"] for row in rows_of(tmp_path / "test/keypoints-rejects") if row["reason"] == "no diameter"}
    assert len(found["keypoints"]) + len(rejected) == 8


def test_crops_of_joints_are_made_on_the_fly(people, tmp_path):
    network = write_constant(torch.linspace(-0.4, 0.4, 28).reshape(14, 2), tmp_path / "first.onnx")
    errors = displaced(people, predicted(people, network, tmp_path / "keypoints", "train"), tmp_path / "displacements")
    plan = tmp_path / "later.toml"
    text = recipes()["deeppose-lsp-later"].replace("size = [220, 220]", f"size = [{SIDE}, {SIDE}]")
    plan.write_text(text.replace('"displacements"', f'"{errors}"').replace('path = "people"', f'path = "{people}"'))
    made = later_samples(people, tmp_path / "made", errors, copies=1)
    log, more = tmp_path / "log.jsonl", ["--size", "tiny", "--epochs", 2, "--batch", 8]
    train("pose", "deeppose", plan, *more, "--log", log, "--out", tmp_path / "second.onnx")
    assert lines_of(log)[0]["run"]["crops"] == "joint"
    # Crops of whole people are another thing.
    whole = samples(people, tmp_path / "whole", "validation")
    train("pose", "deeppose", made, *more, "--held-out", whole, "--out", tmp_path / "n.onnx", exit_code=1)
