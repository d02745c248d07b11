"""Learning from pairs: two answers to one question, of which one is better (DPO).

No new backward pass is needed. `Transformer.backward` takes a weight for each token, and a weight below 0 makes a token
less likely. For a pair with the margin m = how much further the model prefers the chosen answer than it did at first,

    m = beta * ((log p(chosen) - log p0(chosen)) - (log p(rejected) - log p0(rejected)))

DPO's loss is -log sigmoid(m). Its slope weighs each token of the chosen answer with +beta * sigmoid(-m) and each token
of the rejected one with -beta * sigmoid(-m): pairs that the model gets wrong count most, those it has learned no more.

Not here: where pairs come from and how files of them are read (text/preferences.py), rewards (policy_gradient.py).
Source: Rafailov et al. 2023.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np

from helpers.learning.language_model import LanguageModel
from helpers.learning.layers import cross_entropy, sigmoid
from helpers.learning.lora import Lora, LoraShape
from helpers.learning.model import Transformer
from helpers.learning.products import cores, one_thread
from helpers.learning.sft import padded
from helpers.learning.training import SHARDS, Batch, Recipe, train
from helpers.text.templates import render

PAIRS_A_STEP = 16


@dataclass(frozen=True)
class Continuation:
    """A prompt and what follows it, as ids; `mask` is 1 where a token is the answer's."""

    ids: list[int]
    mask: list[int]


def continuation(lm: LanguageModel, prompt: list[dict], answer: list[dict]) -> Continuation:
    """The turns of a prompt and of an answer to it in the model's template. ValueError if they do not fit."""
    before = len(render(prompt, lm.template, lm.tokenizer, generate=True)[0])
    ids, mask = render([*prompt, *answer], lm.template, lm.tokenizer)
    if len(ids) > lm.transformer.config.context + 1:
        raise ValueError(
            f"question and answer take {len(ids)} tokens; {lm.transformer.config.context + 1} fit: "
            f"{answer[-1]['content'][:60]!r} ..."
        )
    return Continuation(ids, [0] * before + mask[before:])


def arrays(rows: Sequence[Continuation]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ids, targets (B, T) int and the mask of the answers' tokens (B, T) float32, padded."""
    ids, mask = padded([row.ids for row in rows]), padded([row.mask for row in rows]).astype(np.float32)
    return ids[:, :-1], ids[:, 1:], mask[:, 1:]


def token_logps(model: Transformer, ids, targets, mask, threads: int | None = None) -> np.ndarray:
    """(B, T) natural log of the probability of each token that the mask counts, 0 elsewhere. ids, targets, mask (B, T);
    `threads` work at once: one a core, unless told otherwise."""
    logps = np.zeros(mask.shape, model.dtype)

    def work(rows: np.ndarray) -> None:
        states, right, ones, places = model.select(model.forward(ids[rows]), targets[rows], mask[rows] != 0)
        losses = cross_entropy(states @ model.parameters.output.T, right, ones)[0]
        part = np.zeros(mask[rows].size, model.dtype)
        part[places] = -losses
        logps[rows] = part.reshape(mask[rows].shape)

    pieces = [rows for rows in np.array_split(np.arange(len(ids)), SHARDS) if len(rows) and mask[rows].any()]
    with one_thread(), ThreadPoolExecutor(min(SHARDS, threads or cores())) as pool:
        list(pool.map(work, pieces))
    return logps


def dpo_weight(margin: np.ndarray, beta: float) -> np.ndarray:
    """What a token of the chosen answer counts, and one of the rejected answer with a minus: (pairs,) from `margin`,
    (pairs,). It is minus the slope of -log sigmoid(margin) in log p(chosen)."""
    return beta * sigmoid(-margin)


@dataclass(frozen=True)
class Dpo:
    """How pairs are learned. `beta`: how dear each step away from the first model is; `sft`: what the likelihood of the
    chosen answer counts beside the pair (a mean over its tokens; 0 is DPO as published); `per_token`: compare means
    over tokens in place of sums, so that a long answer weighs no more than a short one."""

    beta: float = 0.1
    sft: float = 0.0
    per_token: bool = False

    def __post_init__(self):
        if not 0 < self.beta < math.inf or not 0 <= self.sft < math.inf:
            raise ValueError(f"beta {self.beta}, sft {self.sft}: beta must be above 0 (0.1 is usual), sft 0 or more")


class PairBatches:
    """`size` pairs a step, every one once before any comes again. Called with a step it gives a batch whose weights
    come from how likely the model finds the pairs now; `figures` then tells how it stands with them:

        pair loss       DPO's, a mean over pairs
        prefers         share of pairs whose margin is above 0
        margin          the mean of m
        chosen, rejected    mean log p of the answers, minus that of the first model
    """

    def __init__(self, lm: LanguageModel, pairs: Sequence[dict], dpo: Dpo, size: int, seed: int, threads=None):
        if size < 1 or size != int(size):
            raise ValueError(f"size {size}: a step needs a whole number of pairs, at least 1")
        self.rows = pair_rows(lm, pairs)  # chosen and rejected in turn
        self.model, self.dpo, self.size, self.seed, self.threads = lm.transformer, dpo, size, seed, threads
        self.per_epoch = -(-len(pairs) // size)
        self.weight: Callable = dpo_weight
        self.figures: dict[str, float] = {}
        self.first = np.concatenate([self.scores(self.rows[i : i + 64])[0] for i in range(0, len(self.rows), 64)])

    def scores(self, rows: Sequence[Continuation]) -> tuple[np.ndarray, tuple]:
        """Log p of each answer (its mean token's, if so wished), (rows,), and the arrays."""
        ids, targets, mask = arrays(rows)
        sums = token_logps(self.model, ids, targets, mask, self.threads).sum(axis=1, dtype=np.float64)
        return sums / (mask.sum(axis=1) if self.dpo.per_token else 1), (ids, targets, mask)

    def of_step(self, step: int) -> np.ndarray:
        """The numbers of a step's pairs."""
        epoch, number = divmod(step, self.per_epoch)
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.rows) // 2)
        return order[number * self.size : (number + 1) * self.size]

    def __call__(self, step: int) -> Batch:
        pairs, beta = self.of_step(step), self.dpo.beta
        places = np.concatenate([2 * pairs, 2 * pairs + 1])  # all chosen, then all rejected
        scores, (ids, targets, mask) = self.scores([self.rows[place] for place in places])
        chosen, rejected = np.split(scores - self.first[places], 2)
        margin = beta * (chosen - rejected)
        pull = finite(self.weight(margin.copy(), beta), margin.shape, "weights of pairs")
        lengths = mask.sum(axis=1)
        each = np.concatenate([pull, -pull]) / (lengths if self.dpo.per_token else 1)
        each[: len(pairs)] += self.dpo.sft / lengths[: len(pairs)]
        self.figures = {
            "pair loss": float(np.logaddexp(0, -margin).mean()),
            "prefers": float((margin > 0).mean()),
            "margin": float(margin.mean()),
            "chosen": float(chosen.mean()),
            "rejected": float(rejected.mean()),
        }
        return ids, targets, mask * each[:, None].astype(np.float32), len(pairs)


def pair_rows(lm: LanguageModel, pairs: Sequence[dict]) -> list[Continuation]:
    """Chosen and rejected continuation of each pair in turn. ValueError for none, and for a pair of equal answers."""
    if not len(pairs):
        raise ValueError("there are no pairs to learn from")
    rows = []
    for number, pair in enumerate(pairs):
        two = [continuation(lm, pair["prompt"], pair[side]) for side in ("chosen", "rejected")]
        if not all(any(one.mask) for one in two):
            raise ValueError(f"pair {number} (from 0): one of its answers has no token to learn from; give both a text")
        if two[0].ids == two[1].ids:
            raise ValueError(f"pair {number} (from 0): chosen and rejected are the same, so neither is better; drop it")
        rows += two
    return rows


def preference_tune(
    lm: LanguageModel,
    pairs: Sequence[dict],
    recipe: Recipe,
    dpo: Dpo = Dpo(),
    *,
    size: int = PAIRS_A_STEP,
    weight: Callable[[np.ndarray, float], np.ndarray] = dpo_weight,
    lora: LoraShape | None = None,
    on_step: Callable[[LanguageModel, dict], bool | None] | None = None,
    **how,
) -> tuple[LanguageModel, list[dict]]:
    """A copy of `lm` that learned to prefer the chosen answers, and the log; `lm` stays as it is, the first model that
    margins are measured from.

    pairs     {"prompt": [turns], "chosen": [turns], "rejected": [turns]}, as text/preferences.py reads and makes them
    weight    (margin, beta) -> what a token of the chosen answer counts; anybody's own in place of `dpo_weight`
    how       goes to `train` (checkpoint, threads, progress ...)

    The log has `train`'s record of each step, with PairBatches' figures of the model before the step.
    """
    tuned = lm.copy()
    adapters = Lora(tuned.transformer.parameters, lora, recipe.seed) if lora is not None else None
    batches = PairBatches(tuned, pairs, dpo, size, recipe.seed, how.get("threads"))
    batches.weight = weight
    tuned.recipe |= {"made by": "preferences", **asdict(recipe), **asdict(dpo), "pairs": len(pairs), "rows": size}

    def after(record: dict) -> bool | None:
        record |= batches.figures
        return on_step(tuned, record) if on_step is not None else None

    about = (lm.transformer.parameters.flat.tobytes(), batches.rows, dpo, size, recipe, lora, described(weight))
    log = train(tuned.transformer, batches, recipe, on_step=after, lora=adapters, run=name_of(*about), **how)
    return tuned, log


def finite(values, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Somebody's numbers as an array; ValueError, with what came, if they have another shape or are not finite."""
    try:
        array = np.asarray(values, float)
    except (TypeError, ValueError):
        raise ValueError(f"{what} must be numbers of the shape {shape}, got {values!r}") from None
    if array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"{what} must be finite numbers of the shape {shape}, got shape {array.shape}: {array!r:.200}")
    return array


def described(function: Callable) -> str:
    """What a function is, for the name of a run: where it stands, what it does, and what it was made with."""
    code = getattr(function, "__code__", None)
    if code is None:
        return type(function).__qualname__
    inner = [*code.co_consts, *(cell.cell_contents for cell in function.__closure__ or ())]
    plain = [one for one in inner if isinstance(one, (str, int, float, tuple, type(None)))]
    return repr((function.__module__, function.__qualname__, code.co_code, code.co_names, plain))


def name_of(*about) -> str:
    """A short name of what a run starts from and learns from."""
    return hashlib.sha256(
        b"\0".join(one if isinstance(one, bytes) else repr(one).encode() for one in about)
    ).hexdigest()
