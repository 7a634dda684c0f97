"""Makes the tiny networks that the tests of inference run: `python make_models.py`, with onnx 1.23 installed.

Each file is under 20 kB. A 1x1 or strided average convolution stands for a network, so that every output
can be computed by hand:

| file | input | outputs |
|---|---|---|
| `identity.onnx` | `x` float32 [1] | `y` = x |
| `nchw.onnx` | `image` float32 [N, 3, 8, 12] | `stage_1`, `stage_2` [N, 10, 4, 6]: mean of 2x2 px, channel 0 * (c + 1), and twice that |
| `nhwc_fixed.onnx` | `image` float32 [1, 8, 12, 3] | `maps` [1, 4, 6, 9], channel 2 * (c + 1) |
| `uint8.onnx` | `image` uint8 [N, 8, 12, 3] | `maps` [N, 9, 4, 6] of the levels / 255, channel 0 * (c + 1) |
| `center.onnx` | `image` float32 [N, 3, 8, 12], `center` float32 [N, 1, 8, 12] | `maps` [N, 9, 8, 12] = center, nine times |
| `sequence.onnx` | `window` float32 [N, 3, 4, 2] | `features` [N, 3, 2]: mean of each block; `scores` [N, 2]: mean of all blocks |
| `sequence_flat.onnx` | `window` float32 [2, 3, 8] | `features` [2, 3, 1]: running sum of the blocks' sums |
| `sequence_states.onnx` | `window` float32 [N, 3, 4, 2], `sum_in` [N, 2], `count_in` [N, 1] | `features` [N, 3, 2]: running sum of the blocks' sums, from `sum_in` on, and `sum_out` [N, 2], its last; `steps` = `count_out` [N, 1]: `count_in` + 3 |
| `block_moments.onnx` | `window` float32 [N, 20, 50, 6] | `features` [N, 20, 12]: mean and root mean square of each block's channels |
| `fine.onnx` | `image` float32 [N, 3, 8, 12], `points` float32 [N, 9, 2] | `offsets` [N, 9, 5, 5]: minus the squared distance of px (j - 2, i - 2) about joint k's point from (red, green) of the picture's first px + (k, 0) |
| `dense.onnx` | `image` float32 [N, 3, 8, 12] | `maps` [N, 9, 4, 6] by a full matrix product, whose kernels depend on N |
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

FOLDER = Path(__file__).parent / "models"
FLOAT, BYTE = TensorProto.FLOAT, TensorProto.UINT8


def port(name, shape, element=FLOAT):
    return helper.make_tensor_value_info(name, element, shape)


def weights(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def averages(channels, source):
    """Weights [channels, 3, 2, 2] that give (c + 1) times the 2x2 mean of channel `source`."""
    kernel = np.zeros((channels, 3, 2, 2), np.float32)
    kernel[:, source] = (np.arange(channels, dtype=np.float32) + 1)[:, None, None] / 4
    return kernel


def conv(image, output, kernel="kernel"):
    return helper.make_node("Conv", [image, kernel], [output], strides=[2, 2])


def write(name, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.producer_name = "motionmill tests"
    checker.check_model(model, full_check=True)
    save(model, FOLDER / f"{name}.onnx")


def main():
    FOLDER.mkdir(exist_ok=True)
    write("identity", [helper.make_node("Identity", ["x"], ["y"])], [port("x", [1])], [port("y", [1])])
    write(
        "nchw",
        [conv("image", "stage_1"), helper.make_node("Add", ["stage_1", "stage_1"], ["stage_2"])],
        [port("image", ["N", 3, 8, 12])],
        [port("stage_1", ["N", 10, 4, 6]), port("stage_2", ["N", 10, 4, 6])],
        [weights("kernel", averages(10, 0))],
    )
    to_nchw = helper.make_node("Transpose", ["image"], ["planes"], perm=[0, 3, 1, 2])
    write(
        "nhwc_fixed",
        [
            to_nchw,
            conv("planes", "maps_planes"),
            helper.make_node("Transpose", ["maps_planes"], ["maps"], perm=[0, 2, 3, 1]),
        ],
        [port("image", [1, 8, 12, 3])],
        [port("maps", [1, 4, 6, 9])],
        [weights("kernel", averages(9, 2))],
    )
    write(
        "uint8",
        [
            helper.make_node("Cast", ["image"], ["levels"], to=FLOAT),
            helper.make_node("Div", ["levels", "white"], ["values"]),
            helper.make_node("Transpose", ["values"], ["planes"], perm=[0, 3, 1, 2]),
            conv("planes", "maps"),
        ],
        [port("image", ["N", 8, 12, 3], BYTE)],
        [port("maps", ["N", 9, 4, 6])],
        [weights("kernel", averages(9, 0)), weights("white", np.float32(255))],
    )
    write(
        "center",
        [
            helper.make_node("ReduceSum", ["image", "axes"], ["sum"], keepdims=1),
            helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
            helper.make_node("Add", ["center", "nothing"], ["one"]),
            helper.make_node("Concat", ["one"] * 9, ["maps"], axis=1),
        ],
        [port("image", ["N", 3, 8, 12]), port("center", ["N", 1, 8, 12])],
        [port("maps", ["N", 9, 8, 12])],
        [weights("axes", np.array([1], np.int64)), weights("zero", np.float32(0))],
    )
    write(
        "sequence",
        [
            helper.make_node("ReduceMean", ["window"], ["features"], axes=[2], keepdims=0),
            helper.make_node("ReduceMean", ["features"], ["scores"], axes=[1], keepdims=0),
        ],
        [port("window", ["N", 3, 4, 2])],
        [port("features", ["N", 3, 2]), port("scores", ["N", 2])],
    )
    write(
        "sequence_flat",
        [
            helper.make_node("ReduceSum", ["window", "last"], ["sums"], keepdims=1),
            helper.make_node("CumSum", ["sums", "time"], ["features"]),
        ],
        [port("window", [2, 3, 8])],
        [port("features", [2, 3, 1])],
        [weights("last", np.array([2], np.int64)), weights("time", np.int64(1))],
    )
    write(
        "sequence_states",
        [
            helper.make_node("ReduceSum", ["window", "samples"], ["sums"], keepdims=0),
            helper.make_node("CumSum", ["sums", "time"], ["running"]),
            helper.make_node("Unsqueeze", ["sum_in", "axis"], ["before"]),
            helper.make_node("Add", ["running", "before"], ["features"]),
            helper.make_node("Gather", ["features", "last"], ["sum_out"], axis=1),
            helper.make_node("Add", ["count_in", "blocks"], ["count_out"]),
            helper.make_node("Identity", ["count_out"], ["steps"]),
        ],
        [port("window", ["N", 3, 4, 2]), port("sum_in", ["N", 2]), port("count_in", ["N", 1])],
        [
            port("features", ["N", 3, 2]),
            port("sum_out", ["N", 2]),
            port("count_out", ["N", 1]),
            port("steps", ["N", 1]),
        ],
        [
            weights("samples", np.array([2], np.int64)),
            weights("time", np.int64(1)),
            weights("axis", np.array([1], np.int64)),
            weights("last", np.int64(2)),
            weights("blocks", np.array([3], np.float32)),
        ],
    )
    write(
        "block_moments",
        [
            helper.make_node("ReduceMean", ["window"], ["means"], axes=[2], keepdims=0),
            helper.make_node("Mul", ["window", "window"], ["squares"]),
            helper.make_node("ReduceMean", ["squares"], ["powers"], axes=[2], keepdims=0),
            helper.make_node("Sqrt", ["powers"], ["roots"]),
            helper.make_node("Concat", ["means", "roots"], ["features"], axis=2),
        ],
        [port("window", ["N", 20, 50, 6])],
        [port("features", ["N", 20, 12])],
    )
    write(
        "fine",
        [
            helper.make_node("Slice", ["image", "none", "two_levels", "channel_row_column"], ["first"]),
            helper.make_node("Reshape", ["first", "as_point"], ["shown"]),
            helper.make_node("Add", ["shown", "steps"], ["targets"]),
            helper.make_node("Sub", ["points", "targets"], ["off"]),
            helper.make_node("Reshape", ["off", "as_maps"], ["away"]),
            helper.make_node("Add", ["away", "window"], ["difference"]),
            helper.make_node("Mul", ["difference", "difference"], ["squares"]),
            helper.make_node("ReduceSum", ["squares", "axis"], ["distance"], keepdims=0),
            helper.make_node("Neg", ["distance"], ["offsets"]),
        ],
        [port("image", ["N", 3, 8, 12]), port("points", ["N", 9, 2])],
        [port("offsets", ["N", 9, 5, 5])],
        [
            weights("none", np.array([0, 0, 0], np.int64)),
            weights("two_levels", np.array([2, 1, 1], np.int64)),
            weights("channel_row_column", np.array([1, 2, 3], np.int64)),
            weights("as_point", np.array([-1, 1, 2], np.int64)),
            weights("steps", np.array([[[k, 0] for k in range(9)]], np.float32)),
            weights("as_maps", np.array([-1, 9, 2, 1, 1], np.int64)),
            weights("window", np.array([[[j - 2, i - 2] for j in range(5)] for i in range(5)], np.float32).transpose(2, 0, 1)[None, None]),
            weights("axis", np.array([2], np.int64)),
        ],
    )
    draws = np.random.RandomState(7)  # RandomState: its stream is frozen across numpy versions
    write(
        "dense",
        [
            helper.make_node("AveragePool", ["image"], ["coarse"], kernel_shape=[4, 4], strides=[4, 4]),
            helper.make_node("Flatten", ["coarse"], ["flat"]),
            helper.make_node("MatMul", ["flat", "matrix"], ["product"]),
            helper.make_node("Reshape", ["product", "shape"], ["maps"]),
        ],
        [port("image", ["N", 3, 8, 12])],
        [port("maps", ["N", 9, 4, 6])],
        [
            weights("matrix", draws.standard_normal((18, 216)).astype(np.float32)),
            weights("shape", np.array([-1, 9, 4, 6], np.int64)),
        ],
    )


if __name__ == "__main__":
    main()
