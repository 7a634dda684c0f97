"""How large the networks are, compared with what is published: `python -m motionmill_networks.counts` prints the table."""

import importlib
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(module: nn.Module) -> int:
    """How many numbers are trained: weights, biases, scales and shifts of normalisations, no running statistics."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def multiply_adds(module: nn.Module, *inputs: Tensor) -> int:
    """Multiplications with an addition of one `forward` at test time; the papers count each as 2 FLOP.

    Convolutions, products of matrices and attention count; biases, normalisation, pooling, enlarging and activations do
    not. Modules and inputs on the device `meta` cost no memory and hardly any time.
    """
    training = module.training
    module.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    module.train(training)
    return counter.get_total_flops() // 2


@dataclass(frozen=True)
class Row:
    """A network of the table and what its paper says about it."""

    module: str
    size: str
    joints: int
    side: int
    """Of the picture, px."""
    parameters: str = "–"
    gflop: str = "–"
    where: str = ""


CPM, HOURGLASS, WIDE, REPOSE = "convolutional_pose_machine", "stacked_hourglass", "paper_hourglass", "repose"
DEEPPOSE = "deeppose"

ROWS = (
    Row(CPM, "paper", 14, 368, "31M", "351", "RePose, table 2"),
    Row(CPM, "three_stages", 14, 368),
    Row(CPM, "flic", 9, 368),
    Row(HOURGLASS, "paper", 16, 256, "26M", "55", "RePose, table 2"),
    Row(HOURGLASS, "four_stacks", 16, 256),
    Row(HOURGLASS, "two_stacks", 16, 256),
    Row(HOURGLASS, "one_stack", 16, 256),
    Row(WIDE, "paper", 16, 256),
    Row(WIDE, "flic", 11, 256),
    Row(REPOSE, "paper", 14, 128, "4.0M", "13.5", "tables 1 to 7"),
    Row(REPOSE, "coarsest_8", 14, 128, "4.3M", "12.4", "table 3"),
    Row(REPOSE, "coarsest_32", 14, 128, "3.8M", "17.8", "table 3"),
    Row(REPOSE, "one_block", 14, 128, "3.3M", "13.1", "table 4"),
    Row(REPOSE, "two_blocks", 14, 128, "3.5M", "13.2", "table 4"),
    Row(REPOSE, "three_blocks", 14, 128, "3.8M", "13.3", "table 4"),
    Row(REPOSE, "five_blocks", 14, 128, "4.3M", "13.6", "table 4"),
    Row(REPOSE, "two_stages", 14, 128, "8.4M", "29.4", "table 6"),
    Row(REPOSE, "four_stages", 14, 128, "17.3M", "61.4", "table 6"),
    Row(REPOSE, "input_256", 14, 256, "4.3M", "49.5", "table 7"),
    Row(REPOSE, "joint_head", 14, 128, "3.5M", "–", "section 4.1"),
    Row(DEEPPOSE, "paper", 14, 220, "40M", "–", "section 3.1, \"about\", recalled"),
    Row(DEEPPOSE, "alexnet", 14, 220),
    Row(DEEPPOSE, "paper", 11, 220),
)
"""In the order of the table."""


def measure(row: Row) -> tuple[int, int]:
    """Parameters and multiply-adds of a row."""
    system = importlib.import_module(f"{__package__}.{row.module}").SYSTEM
    with torch.device("meta"):
        network = system.build(row.joints, **system.sizes[row.size])
        planes = (3, 1) if system.input.center_sigma is not None else (3,)
        inputs = [torch.empty(1, count, row.side, row.side) for count in planes]
    return parameters(network), multiply_adds(network, *inputs)


def table() -> str:
    """All rows as markdown."""
    lines = [
        "| system | size | joints | input | parameters | GFLOP | published parameters | published GFLOP | where |",
        "|---|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for row in ROWS:
        count, products = measure(row)
        cells = [row.module, row.size, row.joints, row.side, f"{count:,}", f"{2 * products / 1e9:.2f}"]
        lines.append("| " + " | ".join(map(str, [*cells, row.parameters, row.gflop, row.where])) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
