"""Recurrent layers: plain, long short-term memory, clockwork, dense clockwork.

Each is called as `layer(x, state)` with x float32 `[N, T, D]` and state `[N, S]`, S its `state_width`, and returns
`(y, next_state)`, y `[N, T, H]`. A state of zeros, or `None`, begins a sequence; `next_state` lets the next T steps
continue where these end. Steps are counted from 1.

Sources: the clockwork recurrence is that of Koutnik et al., ICML 2014, as in the talk on Project Abacus (NIPS workshop
2015), whose slide misprints "h(t) otherwise" for h(t-1). The dense one is **inferred**: the talk gives its name, its
invariance to shifts and its count of parameters, which equals the clockwork's.
"""

import torch
from torch import Tensor, nn

from motionmill.errors import ConfigError

PERIODS = (1, 2, 4)
"""Steps between updates of the bands, fastest first: 3 bands, exponential, base 2 (the talk)."""


class RecurrentLayer(nn.Module):
    """What the layers share: W x + b for all steps at once, then one step after another.

    There is one bias per unit, on the input.
    """

    def __init__(self, inputs: int, hidden: int, gates: int, state_width: int):
        super().__init__()
        self.hidden = hidden
        self.state_width = state_width
        self.from_input = nn.Linear(inputs, gates * hidden)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """`x` `[N, T, D]`, `state` `[N, S]`; gives `[N, T, H]` and the next state."""
        if state is None:
            state = x.new_zeros(x.shape[0], self.state_width)
        outputs = []
        for driven in self.from_input(x).unbind(1):
            output, state = self.step(driven, state)
            outputs.append(output)
        return torch.stack(outputs, 1), state

    def step(self, driven: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One step: `driven` is W x(t) + b; gives h(t) and the next state."""
        raise NotImplementedError


class PlainRnn(RecurrentLayer):
    """h(t) = tanh(U h(t-1) + W x(t) + b). S = H."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__(inputs, hidden, gates=1, state_width=hidden)
        self.from_hidden = nn.Linear(hidden, hidden, bias=False)

    def step(self, driven: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        hidden = torch.tanh(driven + self.from_hidden(state))
        return hidden, hidden


class Lstm(RecurrentLayer):
    """Hochreiter and Schmidhuber's cell with a forget gate, without peepholes. S = 2H: h, then the cell."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__(inputs, hidden, gates=4, state_width=2 * hidden)
        self.from_hidden = nn.Linear(hidden, 4 * hidden, bias=False)

    def step(self, driven: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        hidden, cell = state.chunk(2, 1)
        admit, forget, emit, candidate = (driven + self.from_hidden(hidden)).chunk(4, 1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(admit) * torch.tanh(candidate)
        hidden = torch.sigmoid(emit) * torch.tanh(cell)
        return hidden, torch.cat([hidden, cell], 1)


class BandedLayer(RecurrentLayer):
    """Hidden units in bands of equal size, one per period, fastest first; a band reads itself and all slower ones.

    U is block-triangular and only the blocks that exist are stored: (1 + 1/K) / 2 of H x H weights for K bands.
    """

    def __init__(self, inputs: int, hidden: int, periods: tuple[int, ...], state_width: int):
        super().__init__(inputs, hidden, gates=1, state_width=state_width)
        if hidden % len(periods):
            raise ConfigError(f"`hidden` must be a multiple of the {len(periods)} bands, found {hidden}")
        if list(periods) != sorted(periods):
            raise ConfigError(f"`periods` must ascend, found {periods}")
        self.periods = periods
        self.band = hidden // len(periods)
        starts = range(0, hidden, self.band)
        self.from_hidden = nn.ModuleList([nn.Linear(hidden - start, self.band, bias=False) for start in starts])

    def recur(self, histories: list[Tensor]) -> Tensor:
        """U h, band k of it from `histories[k]`, each `[N, H]`; gives `[N, H]`."""
        read = [
            weights(history[:, index * self.band :])
            for index, (weights, history) in enumerate(zip(self.from_hidden, histories, strict=True))
        ]
        return torch.cat(read, 1)


class ClockworkRnn(BandedLayer):
    """Band k: h(t) = tanh(sum over j >= k of U(k, j) h_j(t-1) + W x(t) + b) where t mod n_k = 0, else h_k(t-1).

    S = H + 1: h, then the clock, steps since the beginning modulo the longest period, so that it can continue after any T.
    """

    def __init__(self, inputs: int, hidden: int, periods: tuple[int, ...] = PERIODS):
        super().__init__(inputs, hidden, periods, state_width=hidden + 1)
        if any(periods[-1] % period for period in periods):
            raise ConfigError(f"the longest of `periods` must be a multiple of the others, found {periods}")
        of_units = torch.tensor(periods).repeat_interleave(self.band)
        self.register_buffer("period_of_unit", of_units, persistent=False)

    def step(self, driven: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        held, clock = state[:, :-1], state[:, -1:].to(torch.int64) + 1
        fresh = torch.tanh(driven + self.recur([held] * len(self.periods)))
        hidden = torch.where(clock % self.period_of_unit == 0, fresh, held)
        return hidden, torch.cat([hidden, (clock % self.periods[-1]).to(hidden.dtype)], 1)


class DenseClockworkRnn(BandedLayer):
    """Band k: h(t) = tanh(sum over j >= k of U(k, j) h_j(t-n_k) + W x(t) + b) at every t, h = 0 before the beginning.

    No unit knows what time it is, so a shifted input gives a shifted output. S = H times the longest period: h(t),
    h(t-1) and so on, latest first.
    """

    def __init__(self, inputs: int, hidden: int, periods: tuple[int, ...] = PERIODS):
        super().__init__(inputs, hidden, periods, state_width=hidden * max(periods))

    def step(self, driven: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        past = state.split(self.hidden, 1)
        hidden = torch.tanh(driven + self.recur([past[period - 1] for period in self.periods]))
        return hidden, torch.cat([hidden, state[:, : -self.hidden]], 1)
