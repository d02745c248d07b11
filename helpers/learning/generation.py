"""Writing text: one token after another, each drawn from the model's distribution for the next.

Keys and values of earlier positions are kept (the *KV cache*), so a new token costs one position, not all of them.
A prompt is read in one pass, with others of its length; then all rows go on together, a token a step. Tried, and no
faster: the norms' gains multiplied into the matrices beforehand, RoPE's pairs as complex numbers, BLAS's own threads.
Not here: beams, nucleus sampling, repetition penalties.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np

from helpers.learning.model import Transformer
from helpers.learning.products import cores, one_thread, product
from helpers.learning.scratch import Scratch

GROUP = 32  # prompts that are continued together, by one thread
LEAVE = 0.75  # when no more than this share of them is unfinished, the others leave: to part them costs a copy


class Cache:
    """Keys and values of the positions so far, for every layer: (B, H, width, K) each, with room for `width`.
    The model fills it (`extend`), and sets `length` when a pass is over."""

    def __init__(self, model: Transformer, rows: int, width: int):
        c = model.config
        self.store = np.zeros((c.layers, 2, rows, c.heads, width, c.dim // c.heads), model.dtype)
        self.length = 0

    def extend(self, layer: int, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Append new keys and values (B, H, T, K); -> all so far (B, H, length + T, K)."""
        keys, values = self.store[layer]
        end = self.length + k.shape[2]
        keys[:, :, self.length : end], values[:, :, self.length : end] = k, v
        return keys[:, :, :end], values[:, :, :end]

    def part(self, rows: slice, start: int) -> Cache:
        """Some rows from a column on, as a cache of their own that writes into this one."""
        part = object.__new__(Cache)
        part.store, part.length = self.store[:, :, rows, :, start:], 0
        return part

    def leave_only(self, rows: np.ndarray) -> None:
        """Forget all rows but some: a mask (B,)."""
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
) -> list[list[int]]:
    """Continue each prompt (token ids) by at most `max_new_tokens` ids, ending before the first id in `stop`.

    `temperature` 0 always takes the likeliest token (greedy); else tokens are drawn, from the `top_k` likeliest if
    given. What a prompt draws depends on `seed` and on its place in `prompts`. Of a prompt that leaves no room in the
    model's context, only the last tokens are read.
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
    prompts = [prompt[-(context - max_new_tokens) :] for prompt in prompts]
    order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))  # like lengths stand together
    groups = [order[start : start + GROUP] for start in range(0, len(order), GROUP)]
    new_ids: list[list[int]] = [[] for _ in prompts]

    def work(group: list[int]) -> None:
        luck = np.zeros((max_new_tokens, len(group)))  # a greedy choice needs none
        if temperature:
            luck = np.stack([np.random.default_rng([seed, number]).random(max_new_tokens) for number in group], axis=1)

        def pick(logits: np.ndarray, step: int, rows: np.ndarray) -> np.ndarray:
            return choose(logits, temperature, top_k, luck[step, rows])

        written = write(model, [prompts[number] for number in group], max_new_tokens, stop, pick)
        for number, ids in zip(group, written, strict=True):
            new_ids[number] = ids

    with one_thread():
        workers = min(len(groups), cores())
        if workers < 2:
            list(map(work, groups))
        else:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(work, groups))
    return new_ids


def write(model: Transformer, prompts: list[list[int]], count: int, stop: tuple, pick: Callable) -> list[list[int]]:
    """Up to `count` new ids after each prompt; the prompts, of rising length, go on together. `pick` takes logits
    (B, V), the number of the step and those of the rows, (B,), and gives a token for each (B,)."""
    longest, new_ids = len(prompts[-1]), [[] for _ in prompts]
    cache, logits = read_prompts(model, prompts, longest + count)
    pads = longest - np.array([len(prompt) for prompt in prompts])
    rows, going = np.arange(len(prompts)), np.ones(len(prompts), bool)  # those in the batch; is each unfinished?
    for step in range(count):
        tokens = pick(logits, step, rows)
        going &= ~np.isin(tokens, stop)
        for row, token in zip(rows[going], tokens[going].tolist(), strict=True):
            new_ids[row].append(token)
        if going.sum() <= LEAVE * len(rows):
            cache.leave_only(going)
            rows, pads, tokens, going = rows[going], pads[going], tokens[going], going[going]
        if not len(rows) or step + 1 == count:
            break
        logits = one_more(model, tokens, cache, pads)
    return new_ids


def read_prompts(model: Transformer, prompts: list[list[int]], width: int) -> tuple[Cache, np.ndarray]:
    """Read prompts of rising length, those of one length in one pass. They end in the same column of the cache, so the
    shorter ones leave columns empty before them. -> the cache, and the logits (B, V) of the token after each."""
    cache, scratch, last, first = Cache(model, len(prompts), width), Scratch(model.dtype), [], 0
    longest = len(prompts[-1])
    for length, group in groupby(prompts, len):
        ids = np.array(list(group))
        part = cache.part(slice(first, first + len(ids)), longest - length)
        last.append(model.forward(ids, cache=part, last_only=True, scratch=scratch).copy())
        first += len(ids)
    cache.length = longest
    return cache, product(np.concatenate(last), model.parameters.output.T)


def one_more(model: Transformer, tokens: np.ndarray, cache: Cache, pads: np.ndarray) -> np.ndarray:
    """The forward pass once more, for one new token (B,) in each row -> logits (B, V) of the token after it.

    With a single position nothing later has to be hidden, and most of `Transformer.forward`'s bookkeeping falls away.
    pads (B,): the empty columns of the cache before each row's prompt.
    """
    p, c, B = model.parameters, model.config, len(tokens)
    D, H, F = c.dim, c.heads, c.hidden
    now = cache.length
    cos, sin = (table[now - pads] for table in (model.rope.cos, model.rope.sin))
    empty = None
    if pads.any():
        empty = np.where(np.arange(now + 1) < pads[:, None], -np.inf, 0.0).astype(model.dtype)[:, None, :, None]
    x = p.embedding[tokens]  # (B, D)
    for layer, (keys, values) in zip(p.layers, cache.store, strict=True):
        qkv = product(norm(x, layer.norm_1, model.epsilon), layer.qkv.T)
        qk = qkv[:, : 2 * D].reshape(B, 2 * H, 2, -1)  # each head's two halves
        qk = (qk * cos + qk[:, :, ::-1] * sin).reshape(B, 2 * D)
        keys[:, :, now], values[:, :, now] = qk[:, D:].reshape(B, H, -1), qkv[:, 2 * D :].reshape(B, H, -1)
        scores = product(keys[:, :, : now + 1], qk[:, :D].reshape(B, H, -1, 1))  # (B, H, S, 1)
        if empty is not None:
            scores += empty
        scores -= scores.max(axis=2, keepdims=True)
        np.exp(scores, out=scores)
        heads = product(scores.swapaxes(2, 3), values[:, :, : now + 1])  # (B, H, 1, K)
        heads /= scores.sum(axis=2, keepdims=True)
        x += product(heads.reshape(B, D), layer.out.T)
        gate_up = product(norm(x, layer.norm_2, model.epsilon), layer.gate_up.T)
        gate, up = gate_up[:, :F], gate_up[:, F:]
        with np.errstate(over="ignore"):  # as in layers.sigmoid
            below = np.exp(-gate)
        below += 1.0
        gate *= up
        gate /= below
        x += product(gate, layer.down.T)
    cache.length += 1
    return product(norm(x, p.norm, model.epsilon), p.output.T)


def norm(x: np.ndarray, gain: np.ndarray, epsilon: float) -> np.ndarray:
    """RMSNorm, as in layers.py."""
    size = np.vecdot(x, x)[:, None]
    size /= x.shape[-1]
    size += x.dtype.type(epsilon)
    return x / np.sqrt(size, out=size) * gain


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
