"""A Llama-architecture decoder in NumPy, forward and backward by hand.

    ids -> embedding -> [ RMSNorm -> attention with RoPE -> + , RMSNorm -> SwiGLU -> + ] x layers -> RMSNorm -> logits

No biases; the output matrix is the embedding matrix itself. The pieces that the two passes are made of stand in
layers.py, plainly, and in fused.py, as they are used here.

Not here: where the numbers lie (parameters.py), sampling (generation.py), learning (training.py); dropout,
grouped-query attention, biases, mixed precision.
Shapes in comments: B sequences, T positions, D = dim, H heads, K = D / H, F = hidden, V = vocabulary.
Source: Touvron et al. 2023 (LLaMA).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.learning import fused
from helpers.learning.layers import EPSILON, cross_entropy
from helpers.learning.parameters import Config, Parameters, parameter_shapes
from helpers.learning.products import product
from helpers.learning.scratch import Scratch

__all__ = ["Activations", "Config", "Parameters", "Transformer", "parameter_shapes"]


def fill_slope(slope, dy, x):
    """Put the slope of a matrix that makes y of x, dy^T x, into `slope`; what is no array makes its own of dy and x."""
    if isinstance(slope, np.ndarray):
        product(dy.T, x, slope)
    elif slope is not None:
        slope.fill_slope(dy, x)


@dataclass
class Activations:
    """What a layer's backward pass needs of its forward pass, by name. N = B * T rows."""

    normal_1: np.ndarray  # (N, D), the layer's input divided by its root mean square
    inverse_1: np.ndarray  # (N, 1), 1 / root mean square
    q: np.ndarray  # (B, H, T, K), turned by the position's angle, as k, and scaled
    k: np.ndarray  # (B, H, S, K)
    v: np.ndarray  # (B, H, S, K)
    heads: np.ndarray  # (B, H, T, K), what each head found
    exps: np.ndarray  # (B, H, T, S), the weights before each row is divided by its sum
    inverse: np.ndarray  # (B, H, T, 1), 1 / that sum
    normal_2: np.ndarray = None  # (N, D), as above, before the feed-forward half
    inverse_2: np.ndarray = None
    silu_up: np.ndarray = None  # (N, 2F), silu(gate) and up side by side
    sigmoid: np.ndarray = None  # (N, F), of the gate
    active: np.ndarray = None  # (N, F), silu(gate) * up

    @property
    def weights(self) -> np.ndarray:
        """(B, H, T, T): how much each position attends to each that it may see; the rows add up to 1."""
        return np.tril(self.exps) * self.inverse


class Transformer:
    """Sizes, parameters, and the two passes: each half of a layer, and beside it its backward.

    A pass writes into a `scratch` (scratch.py): with one that is used again it is faster, and what it returned before
    is gone; without one its arrays are its own.
    """

    epsilon = EPSILON  # inside RMSNorm's root

    def __init__(self, parameters: Parameters):
        self.parameters, self.config = parameters, parameters.config
        c, self.dtype = self.config, parameters.flat.dtype
        self.rope = fused.Rope(c.context, c.heads, c.dim // c.heads, self.dtype)
        self.causal = fused.later(c.context, self.dtype)  # no looking ahead

    def forward(self, ids, tape: list | None = None, cache=None, last_only=False, scratch=None):
        """ids (B, T) -> final states (B * T, D), normed, ready for `@ embedding.T`.

        `tape` gets what the backward pass needs: a layer's Activations each, then those of the last norm. With a
        `cache` (generation.py) the ids continue earlier ones, whose keys and values are not computed again.
        `attention_mask` replaces the causal one: 0 where position t may see s, -inf where not, (T, S) or (B, 1, T, S).
        """
        p, scratch, start = self.parameters, scratch or Scratch(self.dtype), cache.length if cache else 0
        end = start + ids.shape[1]
        if end > self.config.context:
            raise ValueError(f"{end} tokens do not fit the model's context of {self.config.context}")
        self.check(ids)
        x = np.take(p.embedding, ids.reshape(-1), axis=0, out=scratch("x", (ids.size, self.config.dim)), mode="clip")
        for i, layer in enumerate(p.layers):
            keep = scratch if tape is None else scratch.of(i)  # the backward pass wants each layer's own
            only = last_only and i == len(p.layers) - 1
            added, saved = self.attend(x, layer, ids.shape, keep, scratch, cache and (cache, i), only)
            if only:
                x = x[ids.shape[1] - 1 :: ids.shape[1]]
            x += added
            x += self.feed_forward(x, layer, saved, keep, scratch)
            if tape is not None:
                tape.append(saved)
        if cache:
            cache.length = end
        normal, final, inverse = fused.rms_norm(x, p.norm, scratch, scratch, "last", self.epsilon)
        if tape is not None:
            tape.append((normal, inverse))
        return final

    def backward(self, ids, targets, weights, gradients: Parameters, each=None, reached=None, scratch=None) -> float:
        """One forward and backward pass.

        ids, targets (B, T) int; weights (B, T): how much each position's loss counts, 0 for none. Fills `gradients`
        (Parameters, or LoraSlopes) with those of the weighted sum of losses and returns that sum. If given, `each`
        (B, T) gets its terms, and `reached` (B, T, D) the gradient that arrives at each position's embedding.
        """
        p, g, tape, scratch = self.parameters, gradients, [], scratch or Scratch(self.dtype)
        final = self.forward(ids, tape, scratch=scratch)
        counted, targets, weights, rows = self.select(final, targets, weights)
        dlogits = scratch("wide", (len(rows), len(p.embedding)))
        losses = fused.cross_entropy(counted, p.embedding, targets, weights, dlogits)
        if each is not None:
            each.reshape(-1)[rows] = losses
        fill_slope(g.embedding, dlogits, counted)
        dx = scratch("dx", final.shape)
        dx[:] = 0.0
        dx[rows] = product(dlogits, p.embedding, scratch("dcounted", counted.shape))
        normal, inverse = tape.pop()
        fused.rms_norm_backward(dx, normal, inverse, p.norm, g.norm, scratch)
        for layer, dlayer in zip(reversed(p.layers), reversed(g.layers), strict=True):
            saved = tape.pop()
            dx += self.feed_forward_backward(dx, layer, dlayer, saved, scratch)  # the gradient of x in x + f(x)
            dx += self.attend_backward(dx, layer, dlayer, saved, scratch)
        if g.embedding is not None:
            fused.add_rows(g.embedding, ids.reshape(-1), dx)
        if reached is not None:
            reached[:] = dx.reshape(reached.shape)
        return float(losses.sum())

    def attend(self, x, layer, shape, keep, scratch, place=None, last_only=False):
        """What attention adds to x (N, D), and the Activations so far. `shape` is (B, T); `place` is (cache, number of
        the layer) where earlier positions are kept."""
        (B, T), (N, D), H = shape, x.shape, self.config.heads
        normal, normed, inverse_1 = fused.rms_norm(x, layer.norm_1, keep, scratch, 1, self.epsilon)
        qkv = product(normed, layer.qkv.T, keep("qkv", (N, 3 * D)))
        self.rope.turn(qkv[:, : 2 * D], place[0].length if place else 0, T, scratch)
        q, k, v = qkv.reshape(B, T, 3, H, -1).transpose(2, 0, 3, 1, 4)  # each (B, H, T, K)
        if place:
            cache, number = place
            k, v = cache.extend(number, k, v)  # (B, H, S, K), S = start + T
        if last_only:
            q, N, T = q[:, :, -1:], B, 1
        joined = keep("joined", (N, D))  # the heads side by side
        heads = joined.reshape(B, T, H, -1).transpose(0, 2, 1, 3)
        exps, inverse = fused.attention(q, k, v, heads, keep)
        saved = Activations(normal, inverse_1, q, k, v, heads, exps, inverse)
        return product(joined, layer.out.T, scratch("added", (N, D))), saved

    def attend_backward(self, dy, layer, dlayer, saved: Activations, scratch):
        """Gradient of what `attend` added, dy (N, D) -> dx (N, D); the parameters' go to `dlayer`."""
        (N, D), (B, H, T, K) = dy.shape, saved.q.shape
        joined = saved.heads.transpose(0, 2, 1, 3).reshape(N, D)
        fill_slope(dlayer.out, dy, joined)
        dheads = product(dy, layer.out, scratch("dheads", (N, D))).reshape(B, T, H, K).transpose(0, 2, 1, 3)
        dqkv = scratch("wide", (N, 3 * D))
        dq, dk, dv = dqkv.reshape(B, T, 3, H, K).transpose(2, 0, 3, 1, 4)
        s = saved
        fused.attention_backward(dheads, s.heads, s.exps, s.inverse, s.q, s.k, s.v, dq, dk, dv, scratch)
        self.rope.turn(dqkv[:, : 2 * D], 0, T, scratch, back=True)
        normed = np.multiply(saved.normal_1, layer.norm_1, out=scratch("normed", (N, D)))
        fill_slope(dlayer.qkv, dqkv, normed)
        dx = product(dqkv, layer.qkv, scratch("dheads", (N, D)))
        return fused.rms_norm_backward(dx, saved.normal_1, saved.inverse_1, layer.norm_1, dlayer.norm_1, scratch)

    def feed_forward(self, x, layer, saved: Activations, keep, scratch):
        """What the feed-forward half adds to x (N, D); its activations go to `saved`."""
        saved.normal_2, normed, saved.inverse_2 = fused.rms_norm(x, layer.norm_2, keep, scratch, 2, self.epsilon)
        saved.silu_up = product(normed, layer.gate_up.T, keep("gate_up", (len(x), len(layer.gate_up))))
        saved.sigmoid, saved.active = fused.swiglu(saved.silu_up, keep)
        return product(saved.active, layer.down.T, scratch("added", x.shape))

    def feed_forward_backward(self, dy, layer, dlayer, saved: Activations, scratch):
        """Gradient of what `feed_forward` added, dy (N, D) -> dx (N, D); the parameters' go to `dlayer`."""
        fill_slope(dlayer.down, dy, saved.active)
        dactive = product(dy, layer.down, scratch("dactive", saved.active.shape))
        dgate_up = scratch("wide", saved.silu_up.shape)
        fused.swiglu_backward(dactive, saved.silu_up, saved.sigmoid, saved.active, dgate_up)
        normed = np.multiply(saved.normal_2, layer.norm_2, out=scratch("normed", dy.shape))
        fill_slope(dlayer.gate_up, dgate_up, normed)
        dx = product(dgate_up, layer.gate_up, scratch("dheads", dy.shape))
        return fused.rms_norm_backward(dx, saved.normal_2, saved.inverse_2, layer.norm_2, dlayer.norm_2, scratch)

    def logits(self, ids):
        """ids (B, T) int -> scores of every next token (B, T, V)."""
        return (self.forward(ids) @ self.parameters.output.T).reshape(*ids.shape, -1)

    def loss(self, ids, targets, weights) -> float:
        """Weighted sum of the next-token losses, forward only; arguments as in `backward`."""
        counted, targets, weights, _ = self.select(self.forward(ids), targets, weights)
        return float(cross_entropy(counted @ self.parameters.output.T, targets, weights)[0].sum())

    def select(self, final, targets, weights):
        """Keep the positions whose loss counts: no logits are computed for instruction or padding tokens.
        final (N, D) -> (M, D), targets (M,), weights (M,), and the M row numbers."""
        rows = np.flatnonzero(weights.reshape(-1))
        targets = targets.reshape(-1)[rows]
        self.check(targets)
        return final[rows], targets, weights.reshape(-1)[rows].astype(final.dtype), rows

    def check(self, ids) -> None:
        """ValueError for ids that the model has no rows for. (NumPy would take -1 for the last; and -100, by which some
        libraries leave a target out, is a weight of 0 here.)"""
        rows = len(self.parameters.embedding)
        if ids.size and not 0 <= ids.min() <= ids.max() < rows:
            wrong = ids[(ids < 0) | (ids >= rows)].flat[0]
            raise ValueError(f"token id {wrong} is outside the model's vocabulary, 0 to {rows - 1}")
