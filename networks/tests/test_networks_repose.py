"""RePose: the graph of the body, the order of updates, and the loss over annotated joints."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")

from motionmill import ConfigError, skeleton
from motionmill_networks import kinematics, repose


def test_joint_names_are_those_of_the_skeleton():
    assert skeleton("lsp14").joints == kinematics.LSP14
    assert sorted(kinematics.ORDER) == sorted(kinematics.LSP14)


def test_the_graph_follows_the_names():
    names = skeleton("cpm14").joints
    linked = kinematics.neighbours(names, kinematics.EDGES)
    assert {names[joint] for joint in linked[names.index("right_hip")]} == {"right_shoulder", "right_knee"}
    assert sum(map(len, linked)) == 2 * 13
    assert [names[joint] for joint in kinematics.update_order(names)] == list(kinematics.ORDER)
    with pytest.raises(ConfigError, match="found `pelvis`"):
        kinematics.update_order(skeleton("mpii16").joints)
    assert kinematics.update_order(("upper_neck", "right_hip")) == [1, 0]


def informed(updates: kinematics.KinematicUpdates, joint: str) -> set[str]:
    """The keypoints whose features before the updates inform those of `joint` after them."""
    names, features = kinematics.LSP14, updates.features
    x = torch.rand(2, len(names) * features, 3, 3, requires_grad=True)
    number = names.index(joint)
    updates(x)[:, number * features : (number + 1) * features].square().sum().backward()
    return {name for name, gradient in zip(names, x.grad.split(features, dim=1)) if gradient.any()}


def test_updates_run_in_order_and_in_place():
    updates = kinematics.KinematicUpdates(kinematics.LSP14, kinematics.EDGES, 8, 1)
    with torch.no_grad():
        for update in updates.passes[1]:
            update.strength.zero_()
    # Outwards: a hip reads its shoulder before that is updated, a wrist all that its arm knows by then.
    assert informed(updates, "right_hip") == {"right_hip", "right_shoulder", "right_knee"}
    assert "right_shoulder" in informed(updates, "right_ankle") and "neck" not in informed(updates, "right_ankle")
    with torch.no_grad():
        for update in updates.passes[1]:
            update.strength.fill_(1.0)
    # And back: a hip hears of head, wrist and ankle.
    assert {"head_top", "right_wrist", "right_ankle"} <= informed(updates, "right_hip")
    with torch.no_grad():
        for update in [*updates.passes[0], *updates.passes[1]]:
            update.strength.zero_()
    x = torch.rand(2, 14 * 8, 3, 3)
    assert torch.equal(updates(x), x)


def test_a_heatmap_before_the_update_is_its_own_keypoints():
    heads = repose.KeypointHeads(3, 4).eval()
    x = torch.rand(1, 12, 5, 5, requires_grad=True)
    heads(x)[1][:, 1].sum().backward()
    assert [bool(each.any()) for each in x.grad.split(4, dim=1)] == [False, True, False]


def test_repose_loss():
    maps = [torch.full((2, 2, 2, 2), value) for value in (1.0, 2.0)]
    labels = torch.zeros(2, 2, 2, 2)
    labels[0, 1] = 5.0
    # Sample 1 is annotated in joint 1 alone, sample 2 in both.
    weight = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert repose.loss(maps, {"heatmaps": labels, "heatmap_weight": weight}).item() == 1.0 + 4.0
    assert repose.loss(maps, {"heatmaps": labels}).item() == ((1 + 16) / 2 + 1) / 2 + ((4 + 9) / 2 + 4) / 2
    assert repose.loss(maps, {"heatmaps": labels, "heatmap_weight": torch.zeros(2, 2)}).item() == 0.0
