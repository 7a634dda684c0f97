"""What the systems that read motion have in common: a definition, sizes, a window, a loss.

The counterpart of `system` for windows of a signal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class MotionWindow:
    """How a signal is cut: T `blocks` of B `block_samples`, each beginning `block_hop_samples` after the one before."""

    rate_hz: float
    blocks: int
    block_samples: int
    block_hop_samples: int

    @property
    def samples(self) -> int:
        """Samples from the first of the first block to the last of the last."""
        return self.block_samples + (self.blocks - 1) * self.block_hop_samples


@dataclass(frozen=True)
class MotionSystem:
    """A network from a window of a signal to features of the person who made it, and how its authors train it.

    `build(channels, classes, window, **sizes)`, `window` being a `MotionWindow` (by default the paper's), gives a
    module whose `forward(window)` takes float32 `[N, T, B, C]`, normalised, and returns `(features, logits)`: float32
    `[N, T, D]` and `[N, T, classes]` where `frames` is `each`, `[N, D]` and `[N, classes]` where it is `one`. The
    module's `feature_width` is D.

    Where `recurrent`, it is `forward(window, state)` and returns `(features, logits, next_state)`: `state` is float32
    `[N, S]`, S the module's `state_width`, all zero where a sequence begins (and where it is left out); `next_state` is
    the state for the window that follows directly.
    """

    name: str
    """As in commands: `st-convnet`, `lt-convnet`, `conv-rnn`, `conv-cwrnn`, `conv-lstm` or `conv-dcwrnn`."""
    paper: str
    """Title, venue and year."""
    build: Callable[..., nn.Module]
    sizes: Mapping[str, Mapping[str, Any]]
    """Named sets of keyword arguments of `build`: `paper`, smaller ones, and `tiny` for tests."""
    window: MotionWindow
    """What the paper's windows are like."""
    frames: str
    """Embeddings a window gives, as in model cards: `each` block one, or `one`."""
    recurrent: bool
    loss: Callable[[Tensor, Tensor], Tensor]
    """From logits and labels (int64 `[N]`, the class of each window) to a scalar."""
    optimiser: Callable[[nn.Module, float | None], torch.optim.Optimizer]
    """From the network and a learning rate (`None`: this definition's) to the paper's optimiser."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What of this definition is inferred or not established, by topic."""
