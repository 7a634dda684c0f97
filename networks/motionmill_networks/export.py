"""A trained network as one ONNX file, compared with PyTorch before it is put in place."""

from __future__ import annotations

import copy
import os
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from motionmill.errors import InferenceError

#: ONNX operator set: any runtime of the last three years knows it.
OPSET = 17
#: How far ONNX Runtime may be from PyTorch, as a share of the largest number of an output: maps may be nearly empty.
TOLERANCE = 1e-4
#: What the largest number counts as at least, so that an output of nothing but zeros can be compared.
SMALLEST = 1e-6
#: Rows of the check; another number than the one that the graph is drawn from, so that a fixed batch shows.
_ROWS = 3


def export(
    network: nn.Module, path: Path, inputs: Sequence[Tensor], names: Sequence[str], outputs: Sequence[str]
) -> float:
    """Write `network` to `path`; return the largest difference from PyTorch that was found, as a share.

    :param network: from `inputs` to a tensor or a tuple of as many as there are `outputs`, rows first everywhere.
    :param inputs: `_ROWS` or more rows that the network is tried on.
    :param names: what the inputs are called.
    :raises InferenceError: ONNX Runtime gives other numbers than PyTorch; no file is written then.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise InferenceError("the export needs onnx and onnxruntime", "pip install 'motionmill[torch]'") from error

    # Of a copy, in the plain layout, so that training may go on with the network as it is.
    network = copy.deepcopy(network).cpu().float().to(memory_format=torch.contiguous_format).eval()
    inputs = [tensor.detach().cpu().contiguous() for tensor in inputs]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        drawn = os.path.join(folder, "network.onnx")
        with warnings.catch_warnings(), torch.no_grad():
            # The newer exporter needs thirty times as long for a small network and writes source paths into it.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                tuple(tensor[:1] for tensor in inputs),
                drawn,
                input_names=list(names),
                output_names=list(outputs),
                dynamic_axes={name: {0: "batch"} for name in [*names, *outputs]},
                opset_version=OPSET,
                dynamo=False,
            )
        model = onnx.load(drawn)
        _strip(model)
        onnx.checker.check_model(model)
        whole = os.path.join(folder, "whole.onnx")
        onnx.save(model, whole)
        difference = _compare(onnxruntime, network, whole, inputs, names, outputs)
        os.replace(whole, path)
    return difference


def _strip(model: Any) -> None:
    """Remove the metadata that says from which source the graph was made."""
    model.doc_string = ""
    del model.metadata_props[:]
    model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]


def _compare(
    onnxruntime: ModuleType,
    network: nn.Module,
    path: str,
    inputs: Sequence[Tensor],
    names: Sequence[str],
    outputs: Sequence[str],
) -> float:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = {name: tensor.numpy() for name, tensor in zip(names, inputs)}
    found = session.run(list(outputs), given)
    with torch.no_grad():
        wanted = network(*inputs)
    wanted = (wanted,) if isinstance(wanted, Tensor) else wanted
    worst = 0.0
    for name, theirs, ours in zip(outputs, found, wanted):
        if tuple(theirs.shape) != tuple(ours.shape):
            expected = tuple(ours.shape)
            raise InferenceError(f"output `{name}`: expected {expected} from ONNX Runtime, found {theirs.shape}")
        difference = float((torch.from_numpy(theirs) - ours).abs().max() / max(SMALLEST, float(ours.abs().max())))
        if not difference <= TOLERANCE:
            raise InferenceError(
                f"output `{name}`: expected ONNX Runtime within {TOLERANCE:g} of PyTorch, found {difference:.2g}"
            )
        worst = max(worst, difference)
    return worst
