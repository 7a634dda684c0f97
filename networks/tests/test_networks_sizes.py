"""The sizes of the papers' pose networks: those of the released models exactly, those that are printed nearly."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")

from torch import nn

from motionmill_networks import convolutional_pose_machine as cpm
from motionmill_networks import counts, paper_hourglass, repose, stacked_hourglass

MODULES = (cpm, stacked_hourglass, paper_hourglass, repose)


def weightless(build, *arguments, **keywords) -> nn.Module:
    with torch.device("meta"):
        return build(*arguments, **keywords)


def gmac(network: nn.Module, side: int, planes: tuple[int, ...] = (3,)) -> float:
    return counts.multiply_adds(network, *(torch.empty(1, plane, side, side, device="meta") for plane in planes)) / 1e9


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (14, [4_386_095, 11_901_406, 16_731_021, 21_560_636, 26_390_251, 31_219_866]),
        (9, [4_383_530, 11_820_756, 16_572_286, 21_323_816, 26_075_346, 30_826_876]),
    ],
)
def test_pose_machine_parameters(parts: int, expected: list[int]):
    machines = [weightless(cpm.ConvolutionalPoseMachine, parts, stages) for stages in range(1, 7)]
    assert [counts.parameters(machine) for machine in machines] == expected


def test_pose_machine_multiply_adds():
    assert gmac(weightless(cpm.ConvolutionalPoseMachine, 14, 6), 368, (3, 1)) == pytest.approx(175.44, abs=0.005)


# The two-stack network lies on the line through the three others, at 8.335.
@pytest.mark.parametrize(
    ("joints", "stacks", "parameters", "products"),
    [
        (16, 1, 3_426_448, 5.15),
        (16, 2, 6_570_400, 8.335),
        (16, 4, 12_858_304, 14.70),
        (16, 8, 25_434_112, 27.44),
        (11, 1, 3_425_163, None),
        (11, 8, 25_414_872, None),
    ],
)
def test_stacked_hourglass_size(joints: int, stacks: int, parameters: int, products: float | None):
    network = weightless(stacked_hourglass.StackedHourglass, joints, stacks)
    assert counts.parameters(network) == parameters
    if products is not None:
        assert gmac(network, 256) == pytest.approx(products, abs=0.005)


@pytest.mark.parametrize(
    ("joints", "stacks", "parameters", "products"), [(16, 2, 26_370_848, 26.20), (11, 1, 13_127_435, 13.44)]
)
def test_paper_hourglass_size(joints: int, stacks: int, parameters: int, products: float):
    network = weightless(paper_hourglass.PaperHourglass, joints, stacks)
    assert counts.parameters(network) == parameters
    assert gmac(network, 256) == pytest.approx(products, abs=0.005)


@pytest.mark.parametrize(
    ("size", "millions", "gflop"),
    [
        ("paper", 4.0, 13.5),
        ("coarsest_8", 4.3, 12.4),
        ("coarsest_32", 3.8, 17.8),
        ("input_256", 4.3, 49.5),
        ("one_block", 3.3, 13.1),
        ("two_blocks", 3.5, 13.2),
        ("three_blocks", 3.8, 13.3),
        ("five_blocks", 4.3, 13.6),
        ("two_stages", 8.4, 29.4),
        ("four_stages", 17.3, 61.4),
        ("joint_head", 3.5, None),
    ],
)
def test_repose_size(size: str, millions: float, gflop: float | None):
    network = weightless(repose.RePose, **repose.SYSTEM.sizes[size])
    assert counts.parameters(network) / 1e6 == pytest.approx(millions, rel=0.02)
    if gflop is not None:
        assert 2 * gmac(network, 256 if size == "input_256" else 128) == pytest.approx(gflop, rel=0.02)


def test_the_table_of_counts_names_sizes_that_are_there(monkeypatch: pytest.MonkeyPatch):
    modules = {module.__name__.rpartition(".")[2]: module for module in MODULES}
    assert all(row.size in modules[row.module].SYSTEM.sizes for row in counts.ROWS if row.module in modules)
    monkeypatch.setattr(counts, "ROWS", counts.ROWS[:1])
    assert counts.table().splitlines()[2].startswith(
        "| convolutional_pose_machine | paper | 14 | 368 | 31,219,866 | 350.88 | 31M | 351 |"
    )


def test_what_counts_as_trained():
    network = nn.Sequential(nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3), nn.Linear(4, 5))
    network[2].weight.requires_grad_(False)
    assert counts.parameters(network) == 2 * 3 * 9 + 6 + 5
    network.train()
    assert counts.multiply_adds(network, torch.zeros(1, 2, 6, 6)) == 2 * 3 * 9 * 16 + 3 * 4 * 4 * 5
    assert network.training and network[1].num_batches_tracked == 0
