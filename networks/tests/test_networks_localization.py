"""Efficient Object Localization: contrast, pyramid, and the maps of the coarse network."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")

import numpy as np
from torch import nn

from motionmill import ConfigError
from motionmill_networks import contrast, counts
from motionmill_networks import efficient_localization as coarse_part

JOINTS = 5


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    yield
    torch.set_num_threads(threads)


def coarse_network(pooling: int = 4, **changes) -> coarse_part.CoarseNetwork:
    system = coarse_part.system(pooling)
    return system.build(JOINTS, **{**system.sizes["tiny"], **changes})


# What the banks read


def contrast_of(picture: np.ndarray) -> np.ndarray:
    """The slow way, `[C, H, W]`, double precision."""
    half = contrast.KERNEL_SIZE // 2
    line = np.exp(-(np.arange(-half, half + 1) ** 2) / (2 * (0.25 * contrast.KERNEL_SIZE) ** 2))
    kernel = np.outer(line, line)
    _, height, width = picture.shape

    def around(plane: np.ndarray) -> np.ndarray:
        found = np.empty((height, width))
        for y in range(height):
            for x in range(width):
                top, bottom = max(0, y - half), min(height, y + half + 1)
                left, right = max(0, x - half), min(width, x + half + 1)
                weights = kernel[top - y + half : bottom - y + half, left - x + half : right - x + half]
                found[y, x] = (weights * plane[top:bottom, left:right]).sum() / weights.sum()
        return found

    centred = picture - around(picture.mean(0))
    deviation = np.sqrt(around((centred**2).mean(0)))
    return centred / np.maximum(deviation, max(deviation.mean(), contrast.LEAST_DEVIATION))


@pytest.mark.parametrize("shape", [(3, 24, 17), (3, 6, 30), (1, 12, 12)])
def test_local_contrast_is_that_of_a_plain_loop(shape):
    picture = torch.rand(2, *shape)
    found = contrast.LocalContrastNormalisation()(picture)
    for row in range(2):
        expected = contrast_of(picture[row].double().numpy())
        assert np.allclose(found[row].numpy(), expected, rtol=0, atol=2e-5)


def test_local_contrast_forgets_light_and_gain():
    normalise, picture = contrast.LocalContrastNormalisation(), torch.rand(1, 3, 32, 32)
    assert torch.allclose(normalise(0.3 * picture + 0.5), normalise(picture), rtol=0, atol=1e-4)
    flat = normalise(torch.full((1, 3, 32, 32), 0.7))
    assert flat.abs().max() < 1e-2


@pytest.mark.parametrize("size", [(32, 48), (30, 45)])
def test_a_pyramid_keeps_places(size):
    height, width = size
    ramp = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))[None].float()
    levels = contrast.GaussianPyramid(3, channels=2)(ramp)
    for level, found in enumerate(levels):
        step = 2**level
        assert found.shape[2:] == (-(-height // step), -(-width // step))
        rows, columns = (torch.arange(count) * step + (step - 1) / 2 for count in found.shape[2:])
        # Away from borders, where px outside repeat those inside.
        assert torch.allclose(found[0, 0, 2:-2, 0], rows[2:-2], atol=1e-4)
        assert torch.allclose(found[0, 1, 0, 2:-2], columns[2:-2], atol=1e-4)


# The coarse network


def test_sizes_and_stages():
    # Widths are inferred; what is stated is the number of stages and of features.
    for size, stages in (("paper", 11), ("flic", 7)):
        with torch.device("meta"):
            network = coarse_part.SYSTEM.build(14, **coarse_part.SYSTEM.sizes[size])
        convolutions = [layer for layer in network.banks[0].modules() if isinstance(layer, nn.Conv2d)]
        convolutions += [layer for layer in network.classifier.modules() if isinstance(layer, nn.Conv2d)]
        assert len(convolutions) == stages
        assert convolutions[0].out_channels == convolutions[1].out_channels == 128
    assert counts.parameters(coarse_network()) < 20_000


@pytest.mark.parametrize("pooling", coarse_part.POOLINGS)
@pytest.mark.parametrize("size", [(64, 64), (64, 96), (60, 80)])
def test_one_set_of_maps(pooling, size):
    system, network = coarse_part.system(pooling), coarse_network(pooling)
    maps = network(torch.rand(2, 3, *size))
    assert [found.shape for found in maps] == [(2, JOINTS, *(-(-side // pooling) for side in size))]
    assert (system.stride, system.origin) == (pooling, (pooling - 1) / 2)


# Targets are 1 at their highest and 0 almost everywhere.
def test_maps_begin_nearly_empty():
    (maps,) = coarse_network().train()(torch.rand(2, 3, 64, 64))
    assert 0.0 < maps.square().mean().sqrt() < 0.1


def test_poolings_stand_behind_the_first_layers():
    assert coarse_part.poolings(4, 8) == [2, 2, 1, 1, 1, 1, 1, 1]
    assert coarse_part.poolings(16, 3) == [2, 2, 4]
    with pytest.raises(ConfigError, match="expected one of 4, 8, 16, found 5"):
        coarse_part.poolings(5, 8)
    with pytest.raises(ConfigError, match="`convolutions`: expected 2 or more, found 1"):
        coarse_network(convolutions=1)


@pytest.mark.parametrize("pooling", coarse_part.POOLINGS)
@torch.no_grad()
def test_maps_move_with_the_picture(pooling):
    network = coarse_network(pooling).eval()
    # A dot on grey, by px of the coarsest bank: borders are too far to be seen from the middle.
    step, side = 4 * pooling, 48 * pooling
    here, there = torch.full((2, 1, 3, side, side), 0.5)
    at = side // 2 - 2
    here[..., at : at + 3, at : at + 3] = 1.0
    there[..., at : at + 3, at + step : at + step + 3] = 1.0
    first, second = network(here)[0], network(there)[0]
    here, there = first[..., 18:28, 18:28], second[..., 18:28, 22:32]
    assert torch.allclose(there, here, rtol=0, atol=1e-5)
    assert (here.amax((2, 3)) - here.amin((2, 3))).max() > 0.1


def test_whole_maps_are_dropped_and_only_while_training():
    network = coarse_network(dropout=0.5, classifier=())
    seen = []
    network.classifier.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(torch.rand(4, 3, 64, 64))
    features = seen[0]
    dropped = (features == 0).flatten(2).all(2)
    kept = (features != 0).flatten(2).any(2)
    assert (dropped ^ kept).all() and 0.2 < dropped.float().mean() < 0.95
    network.eval()
    assert torch.equal(network(torch.ones(1, 3, 64, 64))[0], network(torch.ones(1, 3, 64, 64))[0])


@pytest.mark.parametrize("pooling", coarse_part.POOLINGS)
def test_a_coarse_place_is_the_middle_of_its_px(pooling):
    maps = torch.zeros(1, 2, 6, 9)
    maps[0, 0, 4, 7] = 1.0
    maps[0, 1, 0, 2] = maps[0, 1, 3, 1] = 0.5
    found = coarse_part.coarse_points(maps, pooling)
    origin = coarse_part.system(pooling).origin
    expected = torch.tensor([[[7.0, 4.0], [2.0, 0.0]]]) * pooling + origin
    assert torch.equal(found, expected)


def test_loss_of_masked_joints():
    maps, batch = [torch.randn(2, 3, 4, 4)], {"heatmaps": torch.randn(2, 3, 4, 4)}
    squares = (maps[0] - batch["heatmaps"]).square()
    assert torch.allclose(coarse_part.loss(maps, batch), squares.mean())
    batch["heatmap_weight"] = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert torch.allclose(coarse_part.loss(maps, batch), (squares[0, 0] + squares[0, 2]).sum() / squares.numel())
