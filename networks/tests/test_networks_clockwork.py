"""The recurrent layers of Project Abacus: what they do in time, and how many weights that takes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="motionmill_networks needs PyTorch")

from torch import nn

from motionmill import ConfigError
from motionmill_networks import counts
from motionmill_networks.clockwork import (
    PERIODS,
    ClockworkRnn,
    DenseClockworkRnn,
    Lstm,
    PlainRnn,
    RecurrentLayer,
)

LAYERS = (PlainRnn, Lstm, ClockworkRnn, DenseClockworkRnn)
INVARIANT = (PlainRnn, Lstm, DenseClockworkRnn)
INPUTS, HIDDEN, STEPS = 5, 9, 20


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    yield
    torch.set_num_threads(threads)


def layer_of(kind: type[RecurrentLayer], seed: int = 1, biased: bool = True) -> RecurrentLayer:
    """Of double precision, so that only what is wrong shows; without biases, a layer rests while its input is 0."""
    torch.manual_seed(seed)
    layer = kind(INPUTS, HIDDEN).double()
    if not biased:
        nn.init.zeros_(layer.from_input.bias)
    return layer


def signal(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@torch.no_grad()
def shifted_by(kind: type[RecurrentLayer], shift: int, seed: int) -> bool:
    """Whether `shift` steps of silence before a signal give the same output `shift` steps later."""
    layer, x = layer_of(kind, seed, biased=False), signal(2, STEPS, INPUTS, seed=seed)
    late = torch.cat([torch.zeros(2, shift, INPUTS, dtype=x.dtype), x], 1)
    found = layer(late)[0]
    return not found[:, :shift].any() and torch.allclose(found[:, shift:], layer(x)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", INVARIANT)
def test_a_shifted_signal_gives_a_shifted_output(kind):
    for shift in range(1, 10):
        for seed in range(3):
            assert shifted_by(kind, shift, seed), (shift, seed)


def test_a_clockwork_knows_what_time_it_is():
    for shift in range(1, 10):
        for seed in range(3):
            assert shifted_by(ClockworkRnn, shift, seed) == (shift % 4 == 0), (shift, seed)


@pytest.mark.parametrize("kind", LAYERS)
@torch.no_grad()
def test_after_a_long_rest_a_signal_may_begin_at_any_time(kind):
    # With biases a rest is not silence: the layer needs a while to settle.
    layer, x, rest = layer_of(kind), signal(2, STEPS, INPUTS), torch.ones(2, 800, INPUTS, dtype=torch.float64)
    early = layer(torch.cat([rest, x], 1))[0][:, -STEPS:]
    for shift in range(1, 6):
        late = layer(torch.cat([rest, rest[:, :shift], x], 1))[0][:, -STEPS:]
        assert torch.allclose(early, late, rtol=0, atol=1e-6) == (kind is not ClockworkRnn or shift == 4)


def matrices(layer: ClockworkRnn | DenseClockworkRnn) -> torch.Tensor:
    """U as a whole, `[H, H]`, 0 where a band does not read another."""
    whole = torch.zeros(HIDDEN, HIDDEN, dtype=torch.float64)
    for index, weights in enumerate(layer.from_hidden):
        start = index * layer.band
        whole[start : start + layer.band, start:] = weights.weight
    return whole


@pytest.mark.parametrize("seed", range(3))
@torch.no_grad()
def test_dense_clockwork_is_a_history_times_a_matrix(seed):
    layer, x = layer_of(DenseClockworkRnn, seed), signal(STEPS, INPUTS, seed=seed)
    found = layer(x[None])[0][0]
    recurrent, driven = matrices(layer), x @ layer.from_input.weight.T + layer.from_input.bias
    past = {step: torch.zeros(HIDDEN, dtype=torch.float64) for step in range(-3, 1)}
    for step in range(1, STEPS + 1):
        product = recurrent @ torch.stack([past[step - period] for period in PERIODS], 1)
        own = torch.cat([product[3 * band : 3 * band + 3, band] for band in range(3)])
        past[step] = torch.tanh(own + driven[step - 1])
        assert torch.allclose(found[step - 1], past[step], rtol=0, atol=1e-12), step


@pytest.mark.parametrize("seed", range(3))
@torch.no_grad()
def test_clockwork_updates_a_band_when_its_time_has_come(seed):
    layer, x = layer_of(ClockworkRnn, seed), signal(STEPS, INPUTS, seed=seed)
    found = layer(x[None])[0][0]
    recurrent, driven = matrices(layer), x @ layer.from_input.weight.T + layer.from_input.bias
    hidden = torch.zeros(HIDDEN, dtype=torch.float64)
    for step in range(1, STEPS + 1):
        fresh = torch.tanh(recurrent @ hidden + driven[step - 1])
        hidden = torch.tensor([
            fresh[unit] if step % PERIODS[unit // 3] == 0 else hidden[unit] for unit in range(HIDDEN)
        ])
        assert torch.allclose(found[step - 1], hidden, rtol=0, atol=1e-12), step


@torch.no_grad()
def test_lstm_is_that_of_pytorch():
    layer, x = layer_of(Lstm), signal(2, STEPS, INPUTS)
    theirs = nn.LSTM(INPUTS, HIDDEN, batch_first=True).double()
    theirs.bias_hh_l0.zero_()
    # PyTorch's gates stand in the order input, forget, candidate, output.
    order = [0, 1, 3, 2]
    for mine, name in ((layer.from_input.weight, "weight_ih_l0"), (layer.from_hidden.weight, "weight_hh_l0")):
        mine.copy_(torch.cat([getattr(theirs, name).chunk(4)[gate] for gate in order]))
    layer.from_input.bias.copy_(torch.cat([theirs.bias_ih_l0.chunk(4)[gate] for gate in order]))
    expected, (hidden, cell) = theirs(x)
    found, state = layer(x)
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    assert torch.allclose(state, torch.cat([hidden[0], cell[0]], 1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", LAYERS)
@torch.no_grad()
def test_a_state_carries_on_from_any_step(kind):
    layer, x = layer_of(kind), signal(3, STEPS, INPUTS)
    whole, end = layer(x)
    for split in range(1, STEPS):
        first, state = layer(x[:, :split])
        assert state.shape == (3, layer.state_width)
        second, last = layer(x[:, split:], state)
        assert torch.allclose(torch.cat([first, second], 1), whole, rtol=0, atol=1e-12), split
        assert torch.allclose(last, end, rtol=0, atol=1e-12), split


@pytest.mark.parametrize("kind", [ClockworkRnn, DenseClockworkRnn])
@torch.no_grad()
def test_slow_bands_do_not_hear_fast_ones(kind):
    layer, x = layer_of(kind), signal(1, 8, INPUTS)
    expected = layer(x)[0]
    layer.from_input.weight[:3] += 1
    found = layer(x)[0]
    assert not torch.allclose(found[..., :3], expected[..., :3])
    assert torch.equal(found[..., 3:], expected[..., 3:])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (PlainRnn, INPUTS * HIDDEN + HIDDEN + HIDDEN**2),
        (Lstm, 4 * (INPUTS * HIDDEN + HIDDEN + HIDDEN**2)),
        (ClockworkRnn, INPUTS * HIDDEN + HIDDEN + 2 * HIDDEN**2 // 3),
        (DenseClockworkRnn, INPUTS * HIDDEN + HIDDEN + 2 * HIDDEN**2 // 3),
    ],
)
def test_weights_of_a_layer(kind, expected):
    assert counts.parameters(layer_of(kind)) == expected


@pytest.mark.parametrize("kind", [ClockworkRnn, DenseClockworkRnn])
def test_bands_must_be_equal_and_ascend(kind):
    with pytest.raises(ConfigError, match="multiple of the 3 bands, found 10"):
        kind(INPUTS, 10)
    with pytest.raises(ConfigError, match="ascend"):
        kind(INPUTS, HIDDEN, periods=(4, 2, 1))
