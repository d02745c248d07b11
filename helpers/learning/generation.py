"""Writing text: one token after another, each drawn from the model's distribution for the next.

Keys and values of earlier positions are kept (the *KV cache*), so a new token costs one position, not all of them.
Prompts of unlike length are padded on the left; RoPE only knows distances, so shifting a row changes nothing.
Not here: beams, nucleus sampling, repetition penalties.
"""

from __future__ import annotations

import numpy as np

from helpers.model import Transformer


class Cache:
    """Keys and values of the positions so far, for every layer: (B, H, width, K) each, with room for `width`."""

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


def generate(
    model: Transformer,
    prompts: list[list[int]],
    max_new_tokens: int,
    *,
    stop: tuple[int, ...] = (),
    temperature: float = 0.0,
    top_k: int | None = None,
    seed: int = 0,
) -> list[list[int]]:
    """Continue each prompt (token ids) by at most `max_new_tokens` ids, ending before the first id in `stop`.

    `temperature` 0 always takes the likeliest token (greedy); else tokens are drawn, from the `top_k` likeliest if
    given. Of a prompt that leaves no room in the model's context, only the last tokens are read.
    """
    context = model.config.context
    if not 0 < max_new_tokens < context:
        raise ValueError(
            f"max_new_tokens is {max_new_tokens}; it must be between 1 and {context - 1}, so that the "
            f"context of {context} tokens has room for some prompt"
        )
    if temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError(
            f"temperature {temperature} and top_k {top_k}: the first must be >= 0, the second >= 1 or None"
        )
    if any(not prompt for prompt in prompts):
        raise ValueError("a prompt holds no token; begin it with <|endoftext|>")
    if not prompts:
        return []
    prompts = [prompt[-(context - max_new_tokens) :] for prompt in prompts]
    rng = np.random.default_rng(seed)
    rows, width = len(prompts), max(map(len, prompts))
    ids = np.zeros((rows, width), np.int64)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = prompt
    hidden = padding_mask(model, width - np.array([len(prompt) for prompt in prompts]), width + max_new_tokens)
    cache, written = Cache(model, rows, width + max_new_tokens), [[] for _ in prompts]
    going = np.ones(rows, bool)
    block = ids
    for _ in range(max_new_tokens):
        mask = (
            None
            if hidden is None
            else hidden[:, :, cache.length : cache.length + block.shape[1], : cache.length + block.shape[1]]
        )
        final = model.forward(block, None, cache, mask).reshape(rows, block.shape[1], -1)[:, -1]  # (B, D)
        chosen = choose(final @ model.parameters.embedding.T, temperature, top_k, rng)
        going &= ~np.isin(chosen, stop)
        for row in np.flatnonzero(going):
            written[row].append(int(chosen[row]))
        if not going.any():
            break
        block = chosen[:, None]
    return written


def padding_mask(model: Transformer, pads: np.ndarray, width: int) -> np.ndarray | None:
    """Causal mask (B, 1, width, width) that also hides each row's first `pads[row]` positions; None if there are none.
    A padded position still sees itself: a softmax over nothing would be 0 / 0."""
    if not pads.any():
        return None
    hidden = np.repeat(model.causal[None, None, :width, :width], len(pads), axis=0)
    for row, count in enumerate(pads):
        hidden[row, 0, :, :count] = -np.inf
        hidden[row, 0, range(count), range(count)] = 0.0
    return hidden


def choose(logits: np.ndarray, temperature: float, top_k: int | None, rng) -> np.ndarray:
    """One token a row. logits (B, V) -> (B,) int."""
    if temperature == 0:
        return logits.argmax(axis=-1)
    if top_k is not None and top_k < logits.shape[-1]:
        least = np.partition(logits, -top_k, axis=-1)[:, -top_k, None]
        logits = np.where(logits < least, -np.inf, logits)
    # Adding Gumbel noise and taking the largest draws from softmax(logits / temperature).
    return (logits / temperature + rng.gumbel(size=logits.shape)).argmax(axis=-1)
