"""Efficient Object Localization: the crops, maps and losses of the fine network, and both networks in ONNX Runtime."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")

import numpy as np

from motionmill_networks import efficient_localization as coarse_part
from motionmill_networks import fine_localization as fine_part
from motionmill_networks.export import export
from motionmill_networks.fine_localization import FINE_CENTER, FINE_SIZE, FineNetwork

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


def fine_network(coarse: coarse_part.CoarseNetwork | None = None) -> FineNetwork:
    return FineNetwork(coarse or coarse_network(), JOINTS, **fine_part.FINE_SIZES["tiny"])


def cut(features: np.ndarray, point: tuple[float, float], stride: int) -> np.ndarray:
    """The slow way: `[F, h, w]` around x, y of the picture."""
    side = FINE_SIZE // stride
    # Python rounds ties to even, too.
    left, top = ((round(place) - FINE_CENTER) // stride for place in point)
    found = np.zeros((len(features), side, side), features.dtype)
    for row in range(side):
        for column in range(side):
            y, x = top + row, left + column
            if 0 <= y < features.shape[1] and 0 <= x < features.shape[2]:
                found[:, row, column] = features[:, y, x]
    return found


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_crops_are_plain_windows_also_at_borders(stride):
    generator = torch.Generator().manual_seed(stride)
    features = torch.randn(2, 3, 48 // stride, 64 // stride, generator=generator)
    corners = [[0.0, 0.0], [63.0, 47.0], [0.0, 47.5], [-30.0, 10.0], [200.0, 200.0], [17.5, 18.5], [31.5, 23.5]]
    points = torch.rand(2, 12, 2, generator=generator) * torch.tensor([64.0, 48.0])
    points = torch.cat([points, torch.tensor(corners).expand(2, -1, -1)], 1)
    found = fine_part.crop(features, points, stride)
    assert found.shape == (2, 19, 3, FINE_SIZE // stride, FINE_SIZE // stride)
    for row in range(2):
        for joint in range(19):
            expected = cut(features[row].numpy(), tuple(points[row, joint].tolist()), stride)
            assert np.array_equal(found[row, joint].numpy(), expected), (row, points[row, joint])


def test_gradients_of_crops_add_up_where_they_were_taken():
    features = torch.zeros(1, 1, 40, 40, requires_grad=True)
    points = torch.tensor([[[20.0, 20.0], [22.0, 20.0], [0.0, 0.0]]])
    fine_part.crop(features, points, 1).sum().backward()
    expected = np.zeros((40, 40))
    for x, y in points[0].int().tolist():
        left, top = x - FINE_CENTER, y - FINE_CENTER
        expected[max(top, 0) : max(top + 36, 0), max(left, 0) : max(left + 36, 0)] += 1
    assert np.array_equal(features.grad[0, 0].numpy(), expected)


def test_coarse_and_fine_share_their_first_two_layers():
    coarse = coarse_network()
    fine = fine_network(coarse)
    image, points = torch.rand(2, 3, 64, 64), torch.rand(2, JOINTS, 2) * 64
    assert torch.equal(fine(image, points), fine.refine(coarse.early(image), points))
    shared = {id(weight) for weight in coarse.parameters()} & {id(weight) for weight in fine.parameters()}
    # A weight and a bias of two layers of two banks.
    assert len(shared) == 8
    fine(image, points).sum().backward()
    assert coarse.banks[0].layers[0][0].weight.grad.abs().sum() > 0
    assert coarse.banks[2].layers[0][0].weight.grad is None


@torch.no_grad()
def test_joints_share_all_weights_but_the_last():
    fine, image = fine_network(), torch.rand(1, 3, 64, 64)
    points = torch.tensor([[30.0, 34.0]]).expand(1, JOINTS, 2)
    maps = fine(image, points)
    assert not torch.allclose(maps[:, 0], maps[:, 1], atol=1e-4)
    own = fine.own.weight.view(JOINTS, -1)
    own[:] = own[0].clone()
    fine.own.bias[:] = fine.own.bias[0].clone()
    maps = fine(image, points)
    assert torch.allclose(maps, maps[:, :1].expand_as(maps), rtol=0, atol=1e-5)


@torch.no_grad()
def test_fine_maps_move_with_picture_and_point():
    fine = fine_network().eval()
    image = torch.rand(1, 3, 96, 96)
    # A rolled picture has the same contrast but for its borders, which lie outside the windows.
    rolled = image.roll((8, 4), (2, 3))
    points = torch.tensor([[[48.0, 46.0]]]).expand(1, JOINTS, 2)
    here, there = fine(image, points), fine(rolled, points + torch.tensor([4.0, 8.0]))
    assert (here - there).abs().max() < 0.02 * here.std()
    # A px of the picture is a px of the map, in the middle of what all windows see.
    assert (fine(image, points + 4)[..., 8:24, 8:24] - here[..., 12:28, 12:28]).abs().max() < 1e-5


@pytest.mark.parametrize("pooling", coarse_part.POOLINGS)
def test_coarse_place_and_offset_recover_a_planted_joint(pooling):
    generator = torch.Generator().manual_seed(pooling)
    keypoints = torch.randint(0, 128, (4, JOINTS, 2), generator=generator).float()
    maps = torch.zeros(4, JOINTS, 128 // pooling, 128 // pooling)
    for row in range(4):
        for joint in range(JOINTS):
            x, y = (keypoints[row, joint] // pooling).int().tolist()
            maps[row, joint, y, x] = 1.0
    points = coarse_part.coarse_points(maps, pooling)
    assert torch.equal(points, fine_part.cell_points(keypoints, pooling))
    assert (points - keypoints).abs().max() <= pooling / 2
    # A coarse px too far to one side is mended, too.
    moved = points if pooling == 16 else fine_part.jitter(points, pooling, generator=generator)
    for start in (points, moved):
        targets = fine_part.fine_targets(start, keypoints)
        assert torch.equal(fine_part.fine_points(targets, start), keypoints)
        assert targets.flatten(2).amax(2).eq(1).all()


def test_a_joint_outside_the_window_is_nowhere():
    points = torch.tensor([[[50.0, 50.0]] * 4])
    keypoints = torch.tensor([[[50.0, 50.0], [31.0, 50.0], [32.0, 67.0], [67.6, 50.0]]])
    targets = fine_part.fine_targets(points, keypoints)[0]
    assert targets[0, FINE_CENTER, FINE_CENTER] == 1 and targets[2, 35, 0] == 1
    assert targets[0, FINE_CENTER + 3, FINE_CENTER] == pytest.approx(np.exp(-9 / 4.5))
    assert targets[1].eq(0).all() and targets[3].eq(0).all()


def test_the_fine_loss_leaves_out_what_is_not_annotated():
    points = torch.full((1, 2, 2), 40.0)
    keypoints = torch.tensor([[[42.0, 39.0], [float("nan"), float("nan")]]])
    maps = torch.randn(1, 2, FINE_SIZE, FINE_SIZE, requires_grad=True)
    weight = torch.tensor([[1.0, 0.0]])
    found = fine_part.fine_loss(maps, points, keypoints, weight)
    target = fine_part.fine_targets(points, keypoints)[0, 0]
    assert torch.allclose(found, (maps[0, 0] - target).square().sum() / maps.numel())
    found.backward()
    assert maps.grad[0, 1].eq(0).all() and maps.grad[0, 0].abs().sum() > 0


def test_the_joint_loss_is_the_coarse_and_a_tenth_of_the_fine():
    maps, fine_maps = [torch.randn(1, 2, 8, 8)], torch.randn(1, 2, FINE_SIZE, FINE_SIZE)
    points, keypoints = torch.full((1, 2, 2), 16.0), torch.tensor([[[14.0, 18.0], [20.0, 3.0]]])
    batch = {"heatmaps": torch.randn(1, 2, 8, 8), "keypoints": keypoints, "visibility": torch.tensor([[2, 1]])}
    fine = fine_part.fine_loss(fine_maps, points, keypoints, torch.ones(1, 2))
    expected = coarse_part.loss(maps, batch) + 0.1 * fine
    assert torch.allclose(fine_part.joint_loss(maps, fine_maps, points, batch), expected)


def test_both_networks_learn_where_a_dot_is():
    generator = torch.Generator().manual_seed(3)
    keypoints = torch.randint(12, 52, (16, 1, 2), generator=generator).float()
    image = torch.full((16, 3, 64, 64), 0.5)
    for row, (x, y) in enumerate(keypoints[:, 0].int().tolist()):
        image[row, :, y - 1 : y + 2, x - 1 : x + 2] = 1.0
    grid = torch.arange(16) * 4 + 1.5
    along = torch.exp(-(grid - keypoints[..., None]).square() / (2 * 6.0**2))
    batch = {
        "heatmaps": along[:, :, 1, :, None] * along[:, :, 0, None, :],
        "keypoints": keypoints,
        "visibility": torch.full((16, 1), 2),
    }
    coarse = coarse_part.SYSTEM.build(1, **coarse_part.SYSTEM.sizes["tiny"])
    fine = FineNetwork(coarse, 1, **fine_part.FINE_SIZES["tiny"])
    weights = list({id(weight): weight for weight in [*coarse.parameters(), *fine.parameters()]}.values())
    optimiser = torch.optim.Adam(weights, 1e-2)
    for _ in range(40):
        early = coarse.early(image)
        maps = [coarse.late(early)]
        points = fine_part.cell_points(keypoints, 4)
        loss = fine_part.joint_loss(maps, fine.refine(early, points), points, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        points = coarse_part.coarse_points(coarse(image)[0], 4)
        final = fine_part.fine_points(fine(image, points), points)
    coarse_error, fine_error = ((found - keypoints).norm(dim=2).mean() for found in (points, final))
    # At best, a coarse place is off by up to 2 px along x and y, 1.4 px here on average.
    assert coarse_error < 2
    assert fine_error < 0.5


@pytest.mark.parametrize("pooling", coarse_part.POOLINGS)
@pytest.mark.parametrize("size", [(64, 64), (60, 80)])
@pytest.mark.filterwarnings("ignore")
@torch.no_grad()
def test_onnx_runtime_gives_the_same_maps(pooling, size, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    coarse = coarse_network(pooling).eval()
    fine, image = fine_network(coarse).eval(), torch.rand(3, 3, *size)
    # Some windows stick out; the graph is drawn from one row whose windows do not.
    points = torch.rand(3, JOINTS, 2, generator=torch.Generator().manual_seed(1)) * 90 - 10
    points[0] = torch.tensor([30.0, 30.0])
    for network, given, names in (
        (coarse, (image,), ["image"]),
        (fine, (image, points), ["image", "points"]),
    ):
        path = tmp_path / "network.onnx"
        export(network, path, given, names, ["maps"])
        expected = network(*given)
        expected = expected[0] if isinstance(expected, list) else expected
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        (found,) = session.run(["maps"], {name: each.numpy() for name, each in zip(names, given)})
        assert found.shape == tuple(expected.shape)
        # Maps begin nearly empty: nothing must pass for the little that they hold.
        assert expected.abs().max() > 0
        assert torch.allclose(torch.from_numpy(found), expected, rtol=0, atol=1e-4 * float(expected.abs().max()))
