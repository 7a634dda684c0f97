"""Cards of families, for networks of their shapes that look at nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomllib

onnx = pytest.importorskip("onnx", reason="the networks are written with onnx")

#: By family: sides of the input, its order, its type, and the outputs with their shapes.
FAMILIES: dict[str, tuple[list[Any], int, dict[str, list[Any]]]] = {
    "rtmpose": (["n", 3, 256, 192], onnx.TensorProto.FLOAT, {"simcc_x": [1, 17, 384], "simcc_y": [1, 17, 512]}),
    "vitpose": (["n", 3, 256, 192], onnx.TensorProto.FLOAT, {"heatmaps": [1, 17, 64, 48]}),
    "hrnet": ([1, 3, 256, 192], onnx.TensorProto.FLOAT16, {"out": [1, 17, 64, 48]}),
    "regression": (["n", 3, 256, 192], onnx.TensorProto.FLOAT, {"output": [1, 17, 2]}),
    "movenet": ([1, 192, 192, 3], onnx.TensorProto.INT32, {"places": [1, 1, 17, 3]}),
    "movenet-multipose": ([1, "h", "w", 3], onnx.TensorProto.INT32, {"seen": [1, 6, 56]}),
    "blazepose": (["n", 256, 256, 3], onnx.TensorProto.FLOAT, {"marks": [1, 195], "there": [1, 1]}),
    "yolo-pose": ([1, 3, "h", "w"], onnx.TensorProto.FLOAT, {"output0": [1, 56, 8400]}),
    "yolo-pose-end-to-end": ([1, 3, 640, 640], onnx.TensorProto.FLOAT, {"output0": [1, 300, 57]}),
    "rtmo": (["n", 3, 640, 640], onnx.TensorProto.FLOAT, {"keypoints": [1, 10, 17, 3], "dets": [1, 10, 5]}),
}


def network(path: Path, family: str, outputs: dict[str, list[Any]] | None = None) -> Path:
    """A network whose outputs are zeros, one row for each of the input."""
    shape, element, usual = FAMILIES[family]
    outputs = usual if outputs is None else outputs
    helper = onnx.helper
    nodes = [
        helper.make_node("Cast", ["picture"], ["floats"], to=onnx.TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["means", "zero"], ["none"]),
    ]
    constants = [onnx.numpy_helper.from_array(np.zeros(1, np.float32), "zero")]
    ports = []
    for name, sizes in outputs.items():
        constants.append(onnx.numpy_helper.from_array(np.zeros(sizes, np.float32), f"{name}_zeros"))
        constants.append(onnx.numpy_helper.from_array(np.array([-1] + [1] * (len(sizes) - 1), np.int64), f"{name}_ones"))
        nodes.append(helper.make_node("Reshape", ["none", f"{name}_ones"], [f"{name}_row"]))
        kind = element if element == onnx.TensorProto.FLOAT16 else onnx.TensorProto.FLOAT
        nodes.append(helper.make_node("Add", [f"{name}_row", f"{name}_zeros"], [f"{name}_sum"]))
        nodes.append(helper.make_node("Cast", [f"{name}_sum"], [name], to=kind))
        ports.append(helper.make_tensor_value_info(name, kind, [shape[0], *sizes[1:]]))
    graph = helper.make_graph(nodes, family, [helper.make_tensor_value_info("picture", element, shape)], ports, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    return path


def card(model: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "motionmill", "card", str(model), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_card_is_filled_in_from_the_network(family: str, tmp_path: Path) -> None:
    model = network(tmp_path / "net.onnx", family)
    outcome = card(model, "--family", family)
    assert outcome.returncode == 0, outcome.stderr
    written = tomllib.loads((tmp_path / "net.toml").read_text())
    assert written["name"] == "net" and written["input"]["name"] == "picture"
    named = {value for output in written["outputs"] for value in output.values() if isinstance(value, str)}
    assert named & set(FAMILIES[family][2])
    # A card that is there is kept.
    again = card(model, "--family", family)
    assert again.returncode != 0 and "--force" in again.stderr
    assert card(model, "--family", family, "--force").returncode == 0


def test_strides_of_both_grids(tmp_path: Path) -> None:
    for family in ("vitpose", "hrnet"):
        card(network(tmp_path / f"{family}.onnx", family), "--family", family)
    of = {family: tomllib.loads((tmp_path / f"{family}.toml").read_text())["outputs"][0] for family in ("vitpose", "hrnet")}
    assert (of["vitpose"]["stride"], of["vitpose"]["stride_y"]) == (191 / 47, 255 / 63)
    assert of["hrnet"]["stride"] == 4.0 and "stride_y" not in of["hrnet"]


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    fewer = network(tmp_path / "few.onnx", "rtmpose", {"simcc_x": [1, 14, 384], "simcc_y": [1, 14, 512]})
    assert "the card expects float32 [?, 17, 384]" in card(fewer, "--family", "rtmpose").stderr
    other = network(tmp_path / "maps.onnx", "vitpose")
    outcome = card(other, "--family", "rtmpose")
    assert "not of the family `rtmpose`: it has no output like `simcc_x`" in outcome.stderr
    assert "there are `rtmpose`, `vitpose`" in card(other, "--family", "rtm").stderr
    listed = subprocess.run([sys.executable, "-m", "motionmill", "card"], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == list(FAMILIES)
