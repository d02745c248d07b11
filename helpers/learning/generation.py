"""Writing text: one token after another, each drawn from the model's distribution for the next.

Keys and values of earlier positions are kept (the *KV cache*), so a new token costs one position, not all of them.
Prompts of unlike length are padded on the left; RoPE only knows distances, so shifting a row changes nothing.
Not here: beams, nucleus sampling, repetition penalties.
"""

from __future__ import annotations

import math

import numpy as np

from helpers.learning.model import Transformer
from helpers.learning.products import product
from helpers.learning.scratch import Scratch


class Cache:
    """Keys and values of the positions so far, for every layer: (B, H, width, K) each, with room for `width`.
    The model fills it (`extend`), and sets `length` when a pass is over."""

    def __init__(self, model: Transformer, rows: int, width: int):
        c = model.config
        shape = (c.layers, 2, rows, c.heads, width, c.dim // c.heads)
        self.store = np.zeros(shape, model.parameters.flat.dtype)
        self.length = 0

    def extend(self, layer: int, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Append new keys and values (B, H, T, K); -> all so far (B, H, length + T, K)."""
        end = self.length + k.shape[2]
        self.store[layer, 0, :, :, self.length : end] = k
        self.store[layer, 1, :, :, self.length : end] = v
        return self.store[layer, 0, :, :, :end], self.store[layer, 1, :, :, :end]

    def leave_only(self, rows: np.ndarray) -> None:
        """Forget all rows but some: a mask (B,) or their numbers."""
        self.store = self.store[:, :, rows]

    def prefill(self, other: Cache) -> None:
        """Begin with what another cache has read, in every row: a text that all rows share is read once."""
        self.store[..., : other.length, :] = other.store[..., : other.length, :]
        self.length = other.length


def generate(
    model: Transformer,
    prompts: list[list[int]],
    max_new_tokens: int,
    *,
    stop: tuple[int, ...] = (),
    temperature: float = 0.0,
    top_k: int | None = None,
    seed: int = 0,
    places: list[int] | None = None,
) -> list[list[int]]:
    """Continue each prompt (token ids) by at most `max_new_tokens` ids, ending before the first id in `stop`.

    `temperature` 0 always takes the likeliest token (greedy); else tokens are drawn, from the `top_k` likeliest if
    given. What a prompt draws depends on `seed` and on its place, which is its number in `prompts` unless `places`
    says otherwise: who asks in several batches gives the places in the whole, or every batch draws alike.
    Of a prompt that leaves no room in the model's context, only the last tokens are read.
    """
    context = model.config.context
    if not 0 < max_new_tokens < context:
        raise ValueError(
            f"max_new_tokens is {max_new_tokens}; it must be between 1 and {context - 1}, so that the "
            f"context of {context} tokens has room for some prompt"
        )
    if not 0 <= temperature < math.inf or (top_k is not None and top_k < 1):
        raise ValueError(
            f"temperature {temperature} and top_k {top_k}: the first must be 0 or more, the second >= 1 or None"
        )
    if any(not prompt for prompt in prompts):
        raise ValueError("a prompt holds no token; begin it with <|endoftext|>")
    if not prompts:
        return []
    prompts = [prompt[-(context - max_new_tokens) :] for prompt in prompts]
    rows, width = len(prompts), max(map(len, prompts))
    places = range(rows) if places is None else places
    luck = np.stack([np.random.default_rng([seed, place]).random(max_new_tokens) for place in places], axis=1)
    ids = np.zeros((rows, width), np.int64)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = prompt
    pads = width - np.array([len(prompt) for prompt in prompts])
    mask = padding_mask(model, pads, width + max_new_tokens)
    cache, new_ids, scratch = Cache(model, rows, width + max_new_tokens), [[] for _ in prompts], Scratch(model.dtype)
    here = np.arange(rows)  # the prompts still being continued, by number
    block = ids
    for step in range(max_new_tokens):
        read, end = cache.length, cache.length + block.shape[1]
        attention_mask = None if mask is None else mask[:, :, read:end, :end]
        final = model.forward(block, cache=cache, attention_mask=attention_mask, scratch=scratch)
        last = final.reshape(*block.shape, -1)[:, -1]  # (B, D)
        token = choose(product(last, model.parameters.embedding.T), temperature, top_k, luck[step, here])
        going = ~np.isin(token, stop)
        for row, number in zip(here[going], token[going].tolist(), strict=True):
            new_ids[row].append(number)
        if not going.all():  # finished rows leave
            here, token, mask = here[going], token[going], None if mask is None else mask[going]
            cache.leave_only(going)
        if not len(here):
            break
        block = token[:, None]
    return new_ids


def padding_mask(model: Transformer, pads: np.ndarray, width: int) -> np.ndarray | None:
    """Causal mask (B, 1, width, width) that also hides each row's first `pads[row]` positions; None if there are none.
    A padded position still sees itself: a softmax over nothing would be 0 / 0."""
    if not pads.any():
        return None
    mask = np.repeat(model.causal[None, None, :width, :width], len(pads), axis=0)
    for row, count in enumerate(pads):
        mask[row, 0, :, :count] = -np.inf
        mask[row, 0, range(count), range(count)] = 0.0
    return mask


def choose(logits: np.ndarray, temperature: float, top_k: int | None, luck: np.ndarray) -> np.ndarray:
    """One token a row. logits (B, V); luck (B,), a number from 0 up to 1 each -> (B,) int.

    The tokens' probabilities, laid end to end, fill the way from 0 to 1: the token is drawn on which the luck falls.
    """
    if temperature == 0:
        return logits.argmax(axis=-1)
    if top_k is not None and top_k < logits.shape[-1]:
        least = np.partition(logits, -top_k, axis=-1)[:, -top_k, None]
        logits = np.where(logits < least, -np.inf, logits)
    scores = logits.astype(np.float64) / temperature
    ends = np.exp(scores - scores.max(axis=-1, keepdims=True)).cumsum(axis=-1)  # (B, V), where each token's part ends
    token = (ends <= luck[:, None] * ends[:, -1:]).sum(axis=-1)
    return np.minimum(token, logits.shape[-1] - 1)  # rounding might lead one past the last
