"""The layers once more, for speed: the same formulas, written into memory that is used again.

Read layers.py first; each function here does what its namesake there does, and tests/learning/test_fused.py proves the
two equal. What is different, and why:

    scratch     results go where the last pass put its own: no fresh pages for the system to find and clear
    in place    RoPE turns queries and keys where they lie; gradients are written, not added to zeros
    one exp     SwiGLU keeps the sigmoid of the forward pass, and its backward takes five passes, not twelve
    half        attention skips the blocks above the diagonal, where nothing is seen
    sums later  a softmax's sum divides the heads, T x K numbers, and not the weights, T x S
    products    sums over rows are products with ones
    kept less   a norm's output is computed again in the backward pass: less memory, and hardly slower

Tried, and slower with two threads: the same passes in pieces that stay in the processor's cache, or one sequence after
the other. Each small operation has to wait for Python's lock. Tried, and no faster: RoPE's exchange of halves as a
product; blocks of 32 positions.

Shapes as in layers.py. `keep(name, shape)` gives memory that lasts until the backward pass, `scratch` until the next
call.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from helpers.learning import layers
from helpers.learning.layers import EPSILON, rope_tables
from helpers.learning.products import product

BLOCK = 64  # positions of a block of the attention square


def rms_norm(x, gain, keep, scratch, name, epsilon=EPSILON):
    """x (N, D) -> x / rms (N, D), which is kept; the same times `gain` (N, D); 1 / rms (N, 1)."""
    inverse = np.einsum("nd,nd->n", x, x)[:, None]
    inverse /= x.shape[-1]
    inverse += x.dtype.type(epsilon)
    np.reciprocal(np.sqrt(inverse, out=inverse), out=inverse)
    normal = np.multiply(x, inverse, out=keep(f"normal {name}", x.shape))
    return normal, np.multiply(normal, gain, out=scratch("normed", x.shape)), inverse


def rms_norm_backward(dy, normal, inverse, gain, dgain, scratch):
    """dy (N, D) becomes dx; the gain's gradient goes to `dgain` (D,)."""
    moved = np.multiply(dy, normal, out=scratch("moved", dy.shape))
    np.matmul(np.ones(len(dy), dy.dtype), moved, out=dgain)
    shared = (moved @ gain)[:, None]
    shared /= dy.shape[-1]
    dy *= gain
    dy -= np.multiply(normal, shared, out=moved)
    dy *= inverse
    return dy


class Rope:
    """RoPE for queries and keys side by side: x cos + swapped x sin, where each head's two halves change places. `cos`
    and `sin` (context, 2H, 2, K / 2): those of the queries times 1 / sqrt(K), by which attention would scale its
    scores; `sin` is negative for each first half."""

    def __init__(self, context: int, heads: int, width: int, dtype, tables=rope_tables):
        cos, sin = (np.stack([table, table], axis=1) for table in tables(context, width, np.float64))
        sin[:, 0] *= -1
        scales = np.repeat([width**-0.5, 1.0], heads)[:, None, None]
        self.cos, self.sin = ((table[:, None] * scales).astype(dtype) for table in (cos, sin))

    def turn(self, qk, start, T, scratch, back=False):
        """Turn qk (N, 2D) by their positions, from `start` on, in place. Its backward is the turn back."""
        cos, sin = self.cos[start : start + T], self.sin[start : start + T]
        qk = qk.reshape(len(qk) // T, *cos.shape)  # (B, T, 2H, 2, K / 2)
        moved = np.multiply(qk[..., ::-1, :], sin, out=scratch("moved", qk.shape))
        qk *= cos
        (np.subtract if back else np.add)(qk, moved, out=qk)


def blocks(T: int) -> list[tuple[int, int]]:
    """The rows of an attention square in blocks: of each, only the columns up to its last row are seen."""
    return [(start, min(start + BLOCK, T)) for start in range(0, T, BLOCK)]


def attention(q, k, v, heads, keep):
    """q (B, H, T, K), scaled already; k, v (B, H, S, K) -> heads (B, H, T, K), in `heads`; the weights (B, H, T, S)
    before they are divided by their sums, and 1 / those (B, H, T, 1). With `attention_mask` None position t sees all up
    to itself, the last of the T being the last of the S; above the diagonal the weights are then not written at all."""
    (B, H, T, _), S = q.shape, k.shape[2]
    exps, inverse = keep("exps", (B, H, T, S)), keep("inverse", (B, H, T, 1))
    for first, end in blocks(T):
        seen = S - T + end
        scores = product(q[:, :, first:end], k[:, :, :seen].swapaxes(-1, -2), exps[:, :, first:end, :seen])
        if end - first > 1:
            scores[..., S - T + first :] += later(end - first, q.dtype)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        np.add.reduce(scores, axis=-1, keepdims=True, out=inverse[:, :, first:end])
        product(scores, v[:, :, :seen], heads[:, :, first:end])
    np.reciprocal(inverse, out=inverse)
    heads *= inverse
    return exps, inverse


@cache
def later(size: int, dtype) -> np.ndarray:
    """-inf where a column is later than its row."""
    return np.triu(np.full((size, size), -np.inf, dtype), 1)


def attention_backward(dheads, heads, exps, inverse, q, k, v, dq, dk, dv, scratch):
    """dheads (B, H, T, K), which is used up, of a causal pass with T = S; dq, dk, dv are filled."""
    B, H, T, _ = q.shape
    dheads *= inverse
    shared = np.einsum("bhtk,bhtk->bht", dheads, heads)[..., None]
    for first, end in reversed(blocks(T)):
        weights, dout, queries = exps[:, :, first:end, :end], dheads[:, :, first:end], q[:, :, first:end]
        dscores = product(dout, v[:, :, :end].swapaxes(-1, -2), scratch("dscores", weights.shape))
        dscores -= shared[:, :, first:end]
        dscores *= weights
        product(dscores, k[:, :, :end], dq[:, :, first:end])
        if end == T:  # the last block comes first, and fills all
            product(weights.swapaxes(-1, -2), dout, dv)
            product(dscores.swapaxes(-1, -2), queries, dk)
        else:
            part = scratch("part", (*weights.shape[:2], end, q.shape[-1]))
            dv[:, :, :end] += product(weights.swapaxes(-1, -2), dout, part)
            dk[:, :, :end] += product(dscores.swapaxes(-1, -2), queries, part)


def swiglu(gate_up, keep):
    """gate_up (N, 2F), whose first half becomes silu(gate) -> the sigmoid of the gate (N, F), and silu(gate) * up."""
    F = gate_up.shape[1] // 2
    gate, up = gate_up[:, :F], gate_up[:, F:]
    sigmoid = np.negative(gate, out=keep("sigmoid", gate.shape))
    with np.errstate(over="ignore"):  # exp overflows to inf below -88, and 1 / inf is the right answer
        np.exp(sigmoid, out=sigmoid)
    sigmoid += 1.0
    np.reciprocal(sigmoid, out=sigmoid)
    gate *= sigmoid
    return sigmoid, np.multiply(gate, up, out=keep("active", gate.shape))


def swiglu_backward(dy, silu_up, sigmoid, active, dgate_up):
    """dy (N, F), and what the forward pass left -> dgate_up (N, 2F), which is filled."""
    F = dy.shape[1]
    silu, up, dgate, dup = silu_up[:, :F], silu_up[:, F:], dgate_up[:, :F], dgate_up[:, F:]
    np.multiply(dy, silu, out=dup)
    np.subtract(up, active, out=dgate)  # silu' up = sigmoid (up - active) + active, where active = silu(gate) up
    dgate *= sigmoid
    dgate += active
    dgate *= dy
    return dgate_up


def cross_entropy(states, embedding, targets, weights, dlogits):
    """Weighted -log p(target) of each row (M,); `dlogits` (M, V) is filled. states (M, D), embedding (V, D)."""
    return layers.cross_entropy(product(states, embedding.T, dlogits), targets, weights)[0]


def add_rows(into, numbers, rows):
    """Add rows (N, D) to those of `into` (V, D) that `numbers` (N,) name, some more than once."""
    order = np.argsort(numbers, kind="stable")
    names = numbers[order]
    starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]])
    into[names[starts]] += np.add.reduceat(rows[order], starts, axis=0)
