"""The papers' pose networks: shapes, what informs what, losses, and what ONNX Runtime makes of them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")

from torch import nn

from motionmill import ConfigError, SchemaError
from motionmill_networks import convolutional_pose_machine as cpm
from motionmill_networks import paper_hourglass, repose, stacked_hourglass
from motionmill_networks.export import export

MODULES = (cpm, stacked_hourglass, paper_hourglass, repose)
SYSTEMS = {module.SYSTEM.name: module.SYSTEM for module in MODULES}
JOINTS, SIDE = 14, 64


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    yield
    torch.set_num_threads(threads)


def tiny(name: str, **changes) -> nn.Module:
    system = SYSTEMS[name]
    return system.build(JOINTS, **{**system.sizes["tiny"], **changes})


def inputs(name: str, count: int = 2, side: int = SIDE) -> list[torch.Tensor]:
    planes = (3, 1) if SYSTEMS[name].input.center_sigma is not None else (3,)
    return [torch.rand(count, plane, side, side) for plane in planes]


# Shapes


@pytest.mark.parametrize("name", SYSTEMS)
def test_all_maps_have_the_size_that_the_system_states(name: str):
    system = SYSTEMS[name]
    network = tiny(name).eval()
    for side in (SIDE, 2 * SIDE):
        maps = network(*inputs(name, side=side))
        assert len(maps) >= 2
        expected = (2, JOINTS + system.background, side // system.stride, side // system.stride)
        assert {tuple(each.shape) for each in maps} == {expected}


# Targets are 1 at their highest and 0 almost everywhere.
def test_maps_of_repose_begin_nearly_empty():
    for maps in tiny("repose").train()(*inputs("repose")):
        assert 0.0 < maps.square().mean().sqrt() < 0.1


def test_repose_answers_before_and_after_the_update_and_at_each_level():
    assert len(tiny("repose")(*inputs("repose"))) == 2 + 2
    assert len(tiny("repose", coarsest=8, stages=2)(*inputs("repose"))) == 2 * (2 + 3)


def test_sizes_that_cannot_be():
    with pytest.raises(ConfigError, match="expected 13 names in `joint_names`, found 14"):
        repose.RePose(13)
    with pytest.raises(ConfigError, match="expected 128 px halved once or more, found a coarsest grid of 24 px"):
        repose.RePose(coarsest=24)
    with pytest.raises(ConfigError, match="expected 1 stage or more, found 0"):
        repose.RePose(stages=0)
    with pytest.raises(ConfigError, match="expected 1 or 2 stacks, found 3"):
        paper_hourglass.PaperHourglass(16, stacks=3)
    with pytest.raises(ConfigError, match="expected 1 stage or more, found 0"):
        cpm.ConvolutionalPoseMachine(14, stages=0)
    with pytest.raises(ConfigError, match="expected 1 stack or more, found 0"):
        stacked_hourglass.StackedHourglass(16, stacks=0)


# Which weights an output teaches


def taught(network: nn.Module, name: str, number: int) -> set[str]:
    """The parts of a network, two names deep, that the output `number` has a gradient for."""
    network.zero_grad()
    network(*inputs(name))[number].square().sum().backward()
    gradients = {name: value.grad for name, value in network.named_parameters()}
    return {
        ".".join(name.split(".")[:2]) for name, gradient in gradients.items() if gradient is not None and gradient.any()
    }


def test_each_stage_of_a_pose_machine_has_its_own_path():
    network = tiny("cpm", stages=3)
    first = {"first.features", "first.beliefs"}
    shared = {f"features.{layer}" for layer in (0, 3, 6)}
    assert taught(network, "cpm", 0) == first
    assert taught(network, "cpm", 1) == first | shared | {"later.0"}
    assert taught(network, "cpm", 2) == first | shared | {"later.0", "later.1"}


def test_shared_features_are_made_once():
    network, calls = tiny("cpm", stages=4), []
    network.features.register_forward_hook(lambda *_: calls.append(1))
    network(*inputs("cpm"))
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["hourglass", "hourglass-paper"])
def test_each_stack_has_its_own_path(name: str):
    network = tiny(name)
    everything = {".".join(each.split(".")[:2]) for each, _ in network.named_parameters()}
    first = taught(network, name, 0)
    assert {"hourglasses.0", "heatmaps.0"} <= first
    assert not {"hourglasses.1", "heatmaps.1"} & first and not any(part.startswith("from_") for part in first)
    second = taught(network, name, 1)
    assert second == everything


def test_each_answer_of_repose_has_its_own_path():
    network = tiny("repose")
    stage = network.stages[0]
    parts = {name: list(getattr(stage, name).parameters()) for name in ("before", "updates", "after", "refinements")}
    for number, expected in enumerate([{"before"}, {"updates", "after"}] + [{"updates", "after", "refinements"}] * 2):
        network.zero_grad(set_to_none=True)
        network(*inputs("repose"))[number].square().sum().backward()
        found = {name for name, values in parts.items() if any(value.grad is not None for value in values)}
        assert found == expected, number


def test_a_later_stage_of_repose_reads_all_that_the_one_before_made():
    network = tiny("repose", stages=2).eval()
    first, second = network.stages
    (image,) = inputs("repose")
    seen = []
    second.register_forward_pre_hook(lambda _, arguments: seen.extend(arguments))
    answers = network(image)
    finest, coarsest, _ = first(image)
    own = len(answers) // 2
    assert torch.equal(seen[0], torch.cat([finest, *answers[:own]], dim=1))
    assert torch.equal(seen[1], coarsest)
    network.zero_grad(set_to_none=True)
    answers[-1].square().sum().backward()
    assert all(value.grad is not None for value in second.levels.parameters())


# Convolutional pose machines


def reach(network: nn.Module, stage: int, width: int) -> int:
    """How many px along x inform the belief in the middle of the map of `stage`."""
    network = network.double()
    for weight in network.parameters():
        nn.init.constant_(weight, 1.0 / weight[0].numel() if weight.dim() > 1 else 0.0)
    # A maximum passes its gradient to one px; a mean of the same window shows them all.
    for holder in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for number, layer in enumerate(holder):
            if isinstance(layer, nn.MaxPool2d):
                holder[number] = nn.AvgPool2d(layer.kernel_size, layer.stride, ceil_mode=layer.ceil_mode)
    image = torch.ones(1, 3, 16, width, dtype=torch.float64, requires_grad=True)
    beliefs = network(image, torch.ones(1, 1, 16, width, dtype=torch.float64))[stage]
    beliefs[0, 0, 0, beliefs.shape[-1] // 2].backward()
    return int(image.grad[0, 0].any(dim=0).sum())


@pytest.mark.parametrize(("pooling", "first", "second"), [(2, 160, 400), (3, 167, 407)])
def test_receptive_fields(pooling: int, first: int, second: int):
    """Those that the paper states belong to poolings of 2 px; the released windows of 3 px see 7 px more."""
    network = cpm.ConvolutionalPoseMachine(1, 2, features=1, bottleneck=1, classifier=1, pooling=pooling, dropout=0.0)
    assert [reach(network, stage, 440) for stage in (0, 1)] == [first, second]


def test_the_pooled_centre_is_the_mean_of_what_a_window_holds():
    pooled = tiny("cpm").pool_center
    center = torch.rand(1, 1, 368, 368)
    found = pooled(center)
    assert found.shape == (1, 1, 46, 46)
    assert found[0, 0, 3, 5] == pytest.approx(center[0, 0, 24:33, 40:49].mean().item(), abs=1e-6)
    # Caffe's last window sticks out by a px.
    assert found[0, 0, 45, 45] == pytest.approx(center[0, 0, 360:, 360:].mean().item(), abs=1e-6)


def test_weights_begin_as_released():
    network = cpm.ConvolutionalPoseMachine(14, 2)
    weights = torch.cat([value.flatten() for name, value in network.named_parameters() if name.endswith("weight")])
    assert weights.std().item() == pytest.approx(0.01, rel=0.01) and abs(weights.mean().item()) < 1e-4
    assert not any(value.any() for name, value in network.named_parameters() if name.endswith("bias"))


def test_narrow_machines_begin_with_signals_of_one_size():
    network, spreads = tiny("cpm", features=64), []
    for layer in [network.first.beliefs[-2], network.later[0].beliefs[-2]]:
        layer.register_forward_hook(lambda *told: spreads.append(told[2].square().mean().sqrt().item()))
    maps = network(*inputs("cpm"))
    assert all(0.1 < spread < 10 for spread in spreads), spreads
    assert all(each.abs().max() < 1 for each in maps)


def test_pose_machine_loss():
    maps = [torch.full((2, 3, 1, 2), value) for value in (1.0, 2.0)]
    alone, everybody = torch.zeros(2, 3, 1, 2), torch.full((2, 3, 1, 2), 3.0)
    # 12 numbers / (2 x 2 samples): stage 1 against everybody, stage 2 against the person alone.
    both = {"heatmaps": torch.cat([alone, everybody], dim=1)}
    assert cpm.loss(maps, both).item() == 3 * (1.0 - 3.0) ** 2 + 3 * 2.0**2
    assert cpm.loss(maps, {"heatmaps": alone}).item() == 3 * 1.0 + 3 * 4.0
    # One of two joints of the first sample is masked: 10 of 12 numbers count, the background among them.
    masked = {"heatmaps": alone, "heatmap_weight": torch.tensor([[1.0, 0.0], [1.0, 1.0]])}
    assert cpm.loss(maps, masked).item() == pytest.approx(10 / 4 * (1.0 + 4.0))
    with pytest.raises(SchemaError, match="3 beliefs expect `heatmaps` of 3 or 6 channels, found 2"):
        cpm.loss(maps, {"heatmaps": alone[:, :2]})


def test_pose_machine_rates():
    network = tiny("cpm")
    optimiser = cpm.optimiser(network)
    groups = {id(value): group for group in optimiser.param_groups for value in group["params"]}
    assert len(groups) == len(list(network.parameters()))
    for name, value in network.named_parameters():
        rate, decay = groups[id(value)]["lr"], groups[id(value)]["weight_decay"]
        bias = name.endswith("bias")
        multiple = (5 if name.startswith("first.") else 1) * (2 if bias else 1)
        assert rate == pytest.approx(8e-5 * multiple) and decay == (0.0 if bias else 5e-4), name
    assert all(group["momentum"] == 0.9 for group in optimiser.param_groups)
    assert cpm.optimiser(network, 1.0).param_groups[0]["lr"] == 5.0


# Hourglasses


def test_hourglass_loss():
    maps = [torch.full((2, 2, 2, 2), value) for value in (1.0, 2.0)]
    labels = torch.zeros(2, 2, 2, 2)
    assert stacked_hourglass.loss(maps, {"heatmaps": labels}).item() == 1.0 + 4.0
    weight = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert stacked_hourglass.loss(maps, {"heatmaps": labels, "heatmap_weight": weight}).item() == 0.75 * 5.0
    with pytest.raises(SchemaError, match="expected `heatmap_weight` of 2 maps or one less, found 3"):
        stacked_hourglass.loss(maps, {"heatmaps": labels, "heatmap_weight": torch.ones(2, 3)})


@pytest.mark.parametrize("name", SYSTEMS)
def test_papers_rates(name: str):
    expected = {"cpm": 4e-4, "hourglass": 2.5e-4, "hourglass-paper": 2.5e-4, "repose": 1e-3}
    optimiser = SYSTEMS[name].optimiser(tiny(name), None)
    assert optimiser.param_groups[0]["lr"] == pytest.approx(expected[name])
    if name.startswith("hourglass"):
        assert isinstance(optimiser, torch.optim.RMSprop) and optimiser.defaults["alpha"] == 0.99
        assert optimiser.defaults["momentum"] == 0 and optimiser.defaults["weight_decay"] == 0


# Training and export


@pytest.mark.parametrize(
    ("name", "side", "rate"),
    [("cpm", 64, 1e-3), ("hourglass", 64, 3e-3), ("hourglass-paper", 64, 3e-3), ("repose", 32, 3e-3)],
)
def test_one_batch_is_learnt_by_heart(name: str, side: int, rate: float):
    system, network = SYSTEMS[name], tiny(name)
    given = inputs(name, side=side)
    cells = side // system.stride
    grid = torch.arange(cells, dtype=torch.float32)
    places = torch.rand(2, JOINTS, 2, 1) * cells
    across, down = torch.exp(-((grid - places) ** 2) / (2 * (cells / 8) ** 2)).unbind(dim=2)
    labels = down[..., :, None] * across[..., None, :]
    if system.background:
        labels = torch.cat([labels, 1 - labels.amax(dim=1, keepdim=True)], dim=1)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    losses = []
    for _ in range(40):
        value = system.loss(network(*given), {"heatmaps": labels})
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.item())
    assert losses[-1] < 0.5 * losses[0], losses[::10]


@pytest.mark.parametrize(
    ("name", "side"), [("cpm", 40), ("cpm", 64), ("hourglass", 64), ("hourglass-paper", 64), ("repose", 64)]
)
@pytest.mark.filterwarnings("ignore")
def test_onnx_runtime_gives_the_same_maps(name: str, side: int, tmp_path):
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    network = tiny(name)
    # Running statistics and weights away from where they begin, so that a lost normalisation shows.
    for _ in range(3):
        network(*inputs(name, side=side))
    network.eval()
    given = inputs(name, count=3, side=side)
    with torch.no_grad():
        expected = network(*given)
    names = ["image", "center_map"][: len(given)]
    outputs = [f"stage_{number}" for number in range(1, len(expected) + 1)]
    path = tmp_path / "network.onnx"
    export(network, path, given, names, outputs)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(outputs, {name: each.numpy() for name, each in zip(names, given)})
    for theirs, ours in zip(found, expected):
        assert theirs.shape == tuple(ours.shape)
        # Maps begin nearly empty: nothing must pass for the little that they hold.
        assert ours.abs().max() > 0
        assert torch.allclose(torch.from_numpy(theirs), ours, rtol=0, atol=1e-4 * float(ours.abs().max()))
