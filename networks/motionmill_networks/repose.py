"""RePose (Isack et al., 2020): features of each keypoint that are updated along the body, then refined to full size.

No code was released, and the paper's figure of the network is incomplete: `SYSTEM.notes` says what is inferred.
Letters: N samples, n px of the picture's side, K keypoints, F features of a keypoint, W features of a level.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from motionmill.errors import ConfigError

from .kinematics import EDGES, LSP14, KinematicUpdates, block, blocks
from .system import Batch, PoseInput, PoseSystem, map_weight, readout

LEARNING_RATE = 1e-3
"""Adam's, with batches of 64, over 2 M steps."""
DECAY = ((1_300_000, 1e-3), (1_000_000, 0.5))
"""Behind so many steps, the share that is left of the rate: 5e-4, then 1e-6 (as printed; perhaps a slip)."""
READOUT_SPREAD = 0.001
"""Standard deviation of the initial weights that maps are read with: not stated, chosen here."""
BLOCKS = 4
"""Convolutional blocks in a row wherever the paper writes a power of four."""


class KeypointHeads(nn.Module):
    """A heatmap of each keypoint from its own features: (3, 1, F) four times, then (3, 1, 1) without normalisation."""

    def __init__(self, keypoints: int, features: int) -> None:
        super().__init__()
        # One group a keypoint: K separate heads, computed together.
        self.features = blocks(keypoints * features, keypoints * features, BLOCKS, groups=keypoints)
        layer = nn.Conv2d(keypoints * features, keypoints, 3, padding=1, groups=keypoints)
        self.heatmaps = readout(layer, READOUT_SPREAD)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`[N, K F, m, m]` to the features that the heatmaps are read from, as large, and those, `[N, K, m, m]`."""
        features = self.features(x)
        return features, self.heatmaps(features)


class JointHead(nn.Module):
    """All heatmaps at once from all features projected to W: the paper's ablation of the heads after the update."""

    def __init__(self, keypoints: int, features: int, width: int) -> None:
        super().__init__()
        self.features = block(keypoints * features, width, kernel=1)
        self.heatmaps = readout(nn.Conv2d(width, keypoints, 3, padding=1), READOUT_SPREAD)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`[N, K F, m, m]` to the projected features `[N, W, m, m]` and the heatmaps `[N, K, m, m]`."""
        features = self.features(x)
        return features, self.heatmaps(features)


class Refinement(nn.Module):
    """One level up: doubled, joined with what the encoder saw there, projected to W, and read out."""

    def __init__(self, inputs: int, keypoints: int, width: int, count: int) -> None:
        super().__init__()
        self.project = block(inputs + width, width, kernel=1)
        self.convolve = blocks(width, width, count)
        self.heatmaps = readout(nn.Conv2d(width, keypoints, 3, padding=1), READOUT_SPREAD)

    def forward(self, x: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        doubled = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        features = self.convolve(self.project(torch.cat([doubled, skip], dim=1)))
        return features, self.heatmaps(features)


class Stage(nn.Module):
    """Down to the coarsest level, along the body, and up again.

    `coarse` features of the coarsest level are read in addition to what comes down to it.
    """

    def __init__(
        self,
        inputs: int,
        coarse: int,
        names: Sequence[str],
        edges: Sequence[tuple[str, str]],
        levels: int,
        updates: int,
        width: int,
        features: int,
        joint_head: bool,
        literal: bool,
    ) -> None:
        super().__init__()
        keypoints = len(names)
        apart = keypoints * features
        finer, coarsest = [inputs] + [width] * (levels - 1), width + coarse
        self.levels = nn.ModuleList(blocks(before, width, BLOCKS) for before in [*finer, coarsest])
        self.reductions = nn.ModuleList(block(width, width, kernel=5, stride=2) for _ in range(levels))
        self.decouple = (
            block(width, apart, kernel=1)
            if literal
            else nn.Sequential(block(width, apart), blocks(apart, apart, BLOCKS, groups=keypoints))
        )
        self.before = KeypointHeads(keypoints, features)
        self.updates = KinematicUpdates(names, edges, features, updates)
        self.after = JointHead(keypoints, features, width) if joint_head else KeypointHeads(keypoints, features)
        self.fused = width if joint_head else apart
        self.refinements = nn.ModuleList(
            Refinement(before, keypoints, width, BLOCKS if literal or level == levels else 0)
            for level, before in enumerate([self.fused] + [width] * (levels - 1), start=1)
        )

    def forward(self, x: Tensor, *coarse: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """`[N, inputs, n, n]`, and `[N, coarse, m, m]` if there are any, to what a next stage may read and all heatmaps.

        That is the finest features `[N, W, n, n]`, and of the coarsest level those behind the update, `[N, fused, m, m]`;
        heatmaps `[N, K, ., .]` come coarsest first.
        """
        skips = []
        for convolve, reduce in zip(self.levels, self.reductions):
            skips.append(convolve(x))
            x = reduce(skips[-1])
        apart = self.decouple(self.levels[-1](torch.cat([x, *coarse], dim=1)))
        _, before = self.before(apart)
        fused, after = self.after(self.updates(apart))
        x, maps = fused, [before, after]
        for refine, skip in zip(self.refinements, reversed(skips)):
            x, heatmaps = refine(x, skip)
            maps.append(heatmaps)
        return x, fused, maps


class RePose(nn.Module):
    """`stages` networks in a row, each but the first reading what the one before made: its finest features and all its
    heatmaps in full size, and on the coarsest grid its updated features.

    `coarsest` px is the side of the grid on which keypoints are updated, for pictures of `input_size` px; `updates` the
    blocks of an update; `joint_head` and `literal` (the printed symbols taken literally: four blocks at every level on
    the way up, a single 1 x 1 block to separate keypoints) are alternative readings.
    """

    def __init__(
        self,
        joints: int = len(LSP14),
        joint_names: Sequence[str] = LSP14,
        edges: Sequence[tuple[str, str]] = EDGES,
        input_size: int = 128,
        coarsest: int = 16,
        stages: int = 1,
        updates: int = BLOCKS,
        width: int = 64,
        features: int = 32,
        joint_head: bool = False,
        literal: bool = False,
    ) -> None:
        super().__init__()
        if joints != len(joint_names):
            raise ConfigError(f"expected {joints} names in `joint_names`, found {len(joint_names)}")
        if stages < 1:
            raise ConfigError(f"expected 1 stage or more, found {stages}")
        levels = (input_size // coarsest).bit_length() - 1
        if levels < 1 or coarsest << levels != input_size:
            raise ConfigError(f"expected {input_size} px halved once or more, found a coarsest grid of {coarsest} px")
        body = (joint_names, edges, levels, updates, width, features, joint_head, literal)
        self.stages = nn.ModuleList([Stage(3, 0, *body)])
        for _ in range(1, stages):
            # A map of each keypoint before and after the update, and of every level on the way up.
            self.stages.append(Stage(width + (2 + levels) * joints, self.stages[0].fused, *body))

    def forward(self, image: Tensor) -> list[Tensor]:
        """All heatmaps, enlarged to `[N, K, n, n]`: of every stage those before and after the update, then by level.

        `image` `[N, 3, n, n]`; every `n` that halves as often as `input_size` goes.
        """
        inputs, answers = [image], []
        finest, coarsest, enlarged = image, image, []
        for stage in self.stages:
            if answers:
                inputs = [torch.cat([finest, *enlarged], dim=1), coarsest]
            finest, coarsest, maps = stage(*inputs)
            enlarged = [enlarge(heatmaps, image.shape[-1] // heatmaps.shape[-1]) for heatmaps in maps]
            answers.extend(enlarged)
        return answers


def enlarge(maps: Tensor, factor: int) -> Tensor:
    """Bilinear, `factor` times."""
    if factor == 1:
        return maps
    return functional.interpolate(maps, scale_factor=float(factor), mode="bilinear", align_corners=False)


def loss(maps: list[Tensor], batch: Batch) -> Tensor:
    """Sum over map sets of the mean over samples of the mean over annotated joints of the mean square over px.

    Joints whose `heatmap_weight` is 0 do not count; without the column all count as annotated.
    """
    labels = batch["heatmaps"]
    weight = map_weight(batch, maps[0].shape[1])[:, :, 0, 0]
    share = weight / weight.sum(dim=1, keepdim=True).clamp(min=1.0)
    losses = [(share * (heatmaps - labels).square().mean(dim=(2, 3))).sum(dim=1).mean() for heatmaps in maps]
    return torch.stack(losses).sum()


def optimiser(network: nn.Module, learning_rate: float | None = None) -> torch.optim.Optimizer:
    """Adam."""
    return torch.optim.Adam(network.parameters(), lr=LEARNING_RATE if learning_rate is None else learning_rate)


def decay(steps: int) -> float:
    """The factor of the learning rate."""
    return next((share for begin, share in DECAY if steps >= begin), 1.0)


SYSTEM = PoseSystem(
    name="repose",
    paper="RePose: Learning Deep Kinematic Priors for Fast Human Pose Estimation, 2020",
    build=RePose,
    sizes={
        "paper": {},
        "coarsest_8": {"coarsest": 8},
        "coarsest_32": {"coarsest": 32},
        "input_256": {"input_size": 256},
        "one_block": {"updates": 1},
        "two_blocks": {"updates": 2},
        "three_blocks": {"updates": 3},
        "five_blocks": {"updates": 5},
        "joint_head": {"joint_head": True},
        "two_stages": {"stages": 2},
        "four_stages": {"stages": 4},
        "literal": {"literal": True},
        "tiny": {"input_size": 64, "coarsest": 16, "updates": 1, "width": 16, "features": 8},
    },
    input=PoseInput(colour="rgb", mean=0.0, std=255.0),
    stride=1,
    origin=0.0,
    loss=loss,
    optimiser=optimiser,
    decay=decay,
    joint_names=True,
    notes={
        "wiring": "inferred: four blocks at every level on the way down, and on the way up only at the finest; of the "
        "readings tried the closest to all printed sizes (`literal`, the symbols at their word: 3.6 M, 14.6 GFLOP)",
        "decoupling": "inferred: a 3 x 3 block from 64 to 32 channels and four of 32 a keypoint, by the same fit",
        "edges": "inferred: the 13 edges of `kinematics.EDGES`; those of figure 3 could not be read, and an edge costs "
        "too little to be told by size",
        "keypoints": "inferred: 14, those of `lsp14`, from what one more block an update adds to the printed sizes",
        "heatmaps": "inferred: read out by a convolution alone; a rectifier, which the printed symbol may hold, would "
        "stop a map from learning once it is negative everywhere",
        "strength": "inferred: the trainable weight of an update begins at 1",
        "initial weights": "not stated: PyTorch's, and 0.001 where maps are read out",
        "stages": "inferred: stacked as hourglasses are, the paper says no more. A stage reads the finest features and all "
        "enlarged heatmaps of the one before, and on the coarsest grid its updated features; all is supervised. Other "
        "readings fit the printed sizes too; with the finest features and heatmaps alone they are 3 to 6 % smaller",
    },
)
