"""The fast layers give what the plain ones give: forward, backward, whatever their memory held before."""

import numpy as np
import pytest

from helpers.learning import fused, layers, products
from helpers.learning.model import Config, Parameters
from helpers.learning.scratch import Scratch
from tests.conftest import lively

RNG = np.random.default_rng(0)


@pytest.fixture
def scratch():
    """Memory that holds nothing but NaN: whatever is read before it is written shows."""

    class Dirty(Scratch):
        def __call__(self, name, shape):
            array = super().__call__(name, shape)
            array.fill(np.nan)
            return array

    return Dirty(np.float64)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(0.0, 1.5, shape)


def close(found, right) -> None:
    np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rows", [1, 7, 130])
def test_rms_norm_and_its_backward(scratch, rows):
    x, gain, dy, dgain = normal(rows, 8), normal(8), normal(rows, 8), np.full(8, np.nan)
    plain, inverse = layers.rms_norm(x, gain)
    unit, normed, fast_inverse = fused.rms_norm(x, gain, scratch, scratch, "x")
    close(normed, plain)
    close(unit, x * inverse)
    close(fast_inverse, inverse)
    plain_dx, plain_dgain = layers.rms_norm_backward(dy, x, inverse, gain)
    close(fused.rms_norm_backward(dy.copy(), unit, inverse, gain, dgain, scratch), plain_dx)
    close(dgain, plain_dgain)


@pytest.mark.parametrize("start", [0, 5])
def test_rope_turns_queries_and_keys_and_scales_the_queries(scratch, start):
    B, T, H, K = 2, 6, 3, 4
    rope, qkv = fused.Rope(12, H, K, np.float64), normal(B * T, 3 * H * K)
    plain = qkv.reshape(B, T, 3, H, K).copy()
    cos, sin = layers.rope_tables(12, K, np.float64)
    layers.rotate(plain[:, :, :2], cos[start : start + T], sin[start : start + T])
    plain[:, :, 0] *= K**-0.5
    rope.turn(qkv[:, : 2 * H * K], start, T, scratch)
    close(qkv, plain.reshape(B * T, -1))


def test_rope_turns_back(scratch):
    """The backward of a linear map: <turn(x), dy> = <x, turn back(dy)>."""
    rope, x, dy = fused.Rope(6, 3, 4, np.float64), normal(12, 24), normal(12, 24)
    turned, back = x.copy(), dy.copy()
    rope.turn(turned, 0, 6, scratch)
    rope.turn(back, 0, 6, scratch, back=True)
    assert (x * back).sum() == pytest.approx((turned * dy).sum())


@pytest.mark.parametrize("T, S", [(1, 1), (1, 9), (5, 5), (64, 64), (65, 65), (130, 130), (7, 80)])
def test_attention_sees_what_came_before(scratch, T, S):
    q, k, v = normal(3, 2, T, 4), normal(3, 2, S, 4), normal(3, 2, S, 4)
    mask = np.triu(np.full((S, S), -np.inf), 1)[S - T :]
    heads, weights = layers.attention(q, k, v, mask)
    fast = np.empty_like(q)
    exps, inverse = fused.attention(q * 4**-0.5, k, v, fast, scratch)
    close(fast, heads)
    if T == S:
        close(np.tril(exps) * inverse, weights)


@pytest.mark.parametrize("T", [1, 5, 64, 65, 130])
def test_attention_backward(scratch, T):
    q, k, v, dout = (normal(2, 3, T, 4) for _ in range(4))
    mask = np.triu(np.full((T, T), -np.inf), 1)
    heads, weights = layers.attention(q, k, v, mask)
    plain = layers.attention_backward(dout, heads, weights, q, k, v)
    fast_heads, scaled = np.empty_like(q), q * 4**-0.5
    exps, inverse = fused.attention(scaled, k, v, fast_heads, Scratch(np.float64))
    dq, dk, dv = (np.full_like(q, np.nan) for _ in range(3))
    fused.attention_backward(dout.copy(), fast_heads, exps, inverse, scaled, k, v, dq, dk, dv, scratch)
    for fast, right in zip((dq * 4**-0.5, dk, dv), plain, strict=True):
        close(fast, right)


@pytest.mark.parametrize("rows", [1, 64, 65, 200])
def test_swiglu_and_its_backward(scratch, rows):
    gate_up, dy = normal(rows, 10), normal(rows, 5)
    gate_up[0, 0] = -800.0  # exp overflows, and nothing is said of it
    silu_up = gate_up.copy()
    sigmoid, active = fused.swiglu(silu_up, scratch)
    close(active, layers.swiglu(gate_up))
    close(sigmoid, layers.sigmoid(gate_up[:, :5]))
    dgate_up = fused.swiglu_backward(dy, silu_up, sigmoid, active, scratch("d", gate_up.shape))
    close(dgate_up, layers.swiglu_backward(dy, gate_up))


@pytest.mark.parametrize("rows", [1, 64, 65, 200])
def test_cross_entropy(scratch, rows):
    states, embedding = normal(rows, 6), normal(9, 6)
    targets, weights = RNG.integers(0, 9, rows), RNG.random(rows)
    dlogits = scratch("dlogits", (rows, 9))
    losses = fused.cross_entropy(states, embedding, targets, weights, dlogits)
    right, slopes = layers.cross_entropy(states @ embedding.T, targets, weights)
    close(losses, right)
    close(dlogits, slopes)


def test_rows_are_added_however_often_they_are_named():
    into, numbers, rows = normal(7, 3), np.array([4, 0, 4, 4, 6, 0]), normal(6, 3)
    right = into.copy()
    np.add.at(right, numbers, rows)
    fused.add_rows(into, numbers, rows)
    close(into, right)


def test_a_scratch_that_was_used_for_other_shapes_changes_nothing():
    model = lively(Config(vocab=11, dim=8, layers=2, heads=2, hidden=6, context=90), np.float32)
    scratch = Scratch()
    for shape in ((3, 90), (1, 5), (2, 70), (4, 90)):
        ids, targets = RNG.integers(0, 11, (2, *shape))
        weights = (RNG.random(shape) < 0.7).astype(np.float32)
        again, fresh = Parameters(model.config), Parameters(model.config)
        loss = model.backward(ids, targets, weights, again, scratch=scratch)
        assert loss == model.backward(ids, targets, weights, fresh)
        np.testing.assert_array_equal(again.flat, fresh.flat)


def test_without_a_scratch_what_was_returned_stays():
    model = lively(Config(vocab=11, dim=8, layers=1, heads=2, hidden=6, context=9), np.float32)
    first = model.forward(np.array([[1, 2, 3]]))
    before = first.copy()
    model.forward(np.array([[4, 5, 6]]))
    np.testing.assert_array_equal(first, before)


def test_a_pass_that_is_made_again_asks_for_no_new_memory():
    model = lively(Config(vocab=11, dim=8, layers=2, heads=2, hidden=6, context=20), np.float32)
    scratch, ids, weights = Scratch(), RNG.integers(0, 11, (3, 20)), np.ones((3, 20), np.float32)
    model.backward(ids, ids, weights, Parameters(model.config), scratch=scratch)
    places = {name: memory.ctypes.data for name, memory in scratch.memory.items()}
    model.backward(ids, ids, weights, Parameters(model.config), scratch=scratch)
    assert {name: memory.ctypes.data for name, memory in scratch.memory.items()} == places and len(places) > 20


def test_every_large_product_goes_through_one_function(monkeypatch):
    """A platform may bring its own; and the model uses it for all."""
    model = lively(Config(vocab=11, dim=8, layers=2, heads=2, hidden=6, context=20), np.float64)
    ids, weights, calls = RNG.integers(0, 11, (3, 20)), np.ones((3, 20)), []
    right, found = Parameters(model.config, dtype=np.float64), Parameters(model.config, dtype=np.float64)
    loss = model.backward(ids, ids, weights, right)

    def slow(a, b, out=None):
        calls.append(a.shape)
        result = np.einsum("...ij,...jk->...ik", a, b)
        if out is None:
            return result
        out[...] = result
        return out

    monkeypatch.setattr(products, "multiply", slow)
    assert model.backward(ids, ids, weights, found) == pytest.approx(loss)
    np.testing.assert_allclose(found.flat, right.flat, atol=1e-9)
    assert len(calls) == 3 + 2 * (6 + 12)  # the logits; in each layer, forward and backward
