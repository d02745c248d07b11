"""The training step in the open: the pieces that notebook 03 lets the learner write, plainly, and the model's two passes.

    rows -> make_batch -> forward -> logits -> masked_loss -> dlogits -> backward -> slope -> adamw_move

One thread, float32, every position's logits: it does what `fine_tune` does, a little slower, with nothing hidden. Not
here: the fast loop (training.py), which rows make a batch (sft.py).
"""

from __future__ import annotations

import numpy as np

from helpers.learning import fused
from helpers.learning.model import Transformer, fill_slope
from helpers.learning.products import one_thread, product
from helpers.learning.scratch import Scratch

BETA_1, BETA_2 = 0.9, 0.95  # how slowly AdamW's two means forget


def make_batch(rows: list[tuple[list[int], list[int]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of (ids, mask) -> inputs, targets, weights, each (B, T): padded with 0, targets one place ahead."""
    longest = max(len(ids) for ids, _ in rows)
    ids, mask = np.zeros((2, len(rows), longest), int)
    for number, (row_ids, row_mask) in enumerate(rows):
        ids[number, : len(row_ids)] = row_ids
        mask[number, : len(row_mask)] = row_mask
    return ids[:, :-1], ids[:, 1:], mask[:, 1:]


def masked_loss(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean loss of the counted tokens, and its gradient at each logit (B, T, V)."""
    if not weights.sum():
        raise ValueError("no token of this batch counts: look at its mask")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    right = targets[..., None]
    share = weights / weights.sum()
    loss = -(np.take_along_axis(logp, right, axis=-1)[..., 0] * share).sum()
    slope = np.exp(logp)
    np.put_along_axis(slope, right, np.take_along_axis(slope, right, axis=-1) - 1, axis=-1)
    return loss, slope * share[..., None]


def adamw_move(parameters, slope, state, rate, number, decays, decay=0.1, clip=1.0) -> float:
    """Shorten the slope to `clip`, update AdamW's two means, move the parameters in place; -> the slope's length."""
    length = np.sqrt((slope**2).sum())
    slope = slope * min(1, clip / length)
    state["mean"] += (1 - BETA_1) * (slope - state["mean"])
    state["square"] += (1 - BETA_2) * (slope**2 - state["square"])
    mean = state["mean"] / (1 - BETA_1**number)
    square = state["square"] / (1 - BETA_2**number)
    parameters -= rate * (mean / (np.sqrt(square) + 1e-8) + decay * decays * parameters)
    return length


class OpenModel:
    """A model's two passes as two calls, so that the loss between them can be anybody's."""

    def __init__(self, model: Transformer):
        self.model, self.scratch = model, Scratch(model.dtype)
        self.gradient = model.parameters.empty()

    def forward(self, ids: np.ndarray) -> np.ndarray:
        """ids (B, T) -> logits (B, T, V); what the backward pass needs is remembered."""
        self.ids, self.tape = ids, []
        with one_thread():
            self.final = self.model.forward(ids, self.tape, scratch=self.scratch)
            return product(self.final, self.model.parameters.embedding.T).reshape(*ids.shape, -1)

    def backward(self, dlogits: np.ndarray) -> np.ndarray:
        """The gradient at the logits (B, T, V) -> that of every parameter, one flat array; as Transformer.backward."""
        p, g, scratch = self.model.parameters, self.gradient, self.scratch
        dlogits = np.ascontiguousarray(dlogits.reshape(len(self.final), -1), self.model.dtype)
        with one_thread():
            fill_slope(g.embedding, dlogits, self.final)
            dx = product(dlogits, p.embedding)
            normal, inverse = self.tape.pop()
            fused.rms_norm_backward(dx, normal, inverse, p.norm, g.norm, scratch)
            for layer, dlayer in zip(reversed(p.layers), reversed(g.layers), strict=True):
                saved = self.tape.pop()
                dx += self.model.feed_forward_backward(dx, layer, dlayer, saved, scratch)
                dx += self.model.attend_backward(dx, layer, dlayer, saved, scratch)
            fused.add_rows(g.embedding, self.ids.reshape(-1), dx)
        return g.flat
