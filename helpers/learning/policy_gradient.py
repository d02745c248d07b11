"""Learning from rewards: the model writes, a reward says how good it was, and what was good becomes likelier.

    questions -> several answers each, drawn at temperature 1 -> rewards -> advantages -> weights -> backward

The advantage of an answer is how much better it is than the others: above 0 its tokens are made likelier, below 0
less likely, and the weight of a token is just that advantage. GRPO compares with the answers to the same question,
REINFORCE with those of the whole step. Where a step's answers serve for several updates, a token that has moved by
more than the clip range is left alone; and a penalty may hold the model close to the one it was (KL).

Not here: rewards (judging/rewards.py), a learned one (reward_model.py), pairs (preferences.py).
Sources: Williams 1992 (REINFORCE); Schulman et al. 2017 (clipping); Shao et al. 2024 (GRPO); Schulman 2020 (the
estimate of KL); Yu et al. 2025 (a mean over all tokens of the step).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from helpers.learning.generation import generate
from helpers.learning.language_model import LanguageModel
from helpers.learning.lora import Lora, LoraShape
from helpers.learning.preferences import Continuation, arrays, described, finite, name_of, token_logps
from helpers.learning.training import Batch, Recipe, train
from helpers.text.templates import TEMPLATES, render

PATIENCE = 10  # steps without one question whose answers differ in reward, until a run gives up
SMALL = 1e-4  # added to a deviation before something is divided by it


class RewardProblem(ValueError):
    """A reward that raised an error, that is no finite number, or that never tells one answer from another."""


def group_advantage(rewards: np.ndarray) -> np.ndarray:
    """GRPO: how many standard deviations each answer lies above the mean of its question. rewards (questions, answers)
    -> the same shape; 0 for a question whose answers are all as good."""
    above = rewards - rewards.mean(axis=1, keepdims=True)
    above[rewards.max(axis=1) == rewards.min(axis=1)] = 0.0  # a mean of equal numbers may be rounded
    return above / (rewards.std(axis=1, keepdims=True, ddof=1) + SMALL)


def batch_advantage(rewards: np.ndarray) -> np.ndarray:
    """REINFORCE with a baseline: how far each answer lies above the mean of the step. (questions, answers) -> same."""
    return rewards - rewards.mean()


@dataclass(frozen=True)
class Rollout:
    """How a step gathers its evidence, and how far it may go: `questions` a step and `answers` to each; `updates` from
    the same answers, within `clip` of where they were drawn; `kl`: the price of leaving the first model; the most
    `tokens` of an answer."""

    questions: int = 16
    answers: int = 8
    updates: int = 1
    clip: float = 0.2
    kl: float = 0.0
    tokens: int = 32

    def __post_init__(self):
        counts = (self.questions, self.answers, self.updates, self.tokens)
        if min(counts) < 1 or self.answers < 2 or not all(isinstance(one, int) for one in counts):
            raise ValueError(
                f"{self}: a step needs a question, two answers to compare, one update and one token at least"
            )
        if not 0 < self.clip < 1 or not 0 <= self.kl < math.inf:
            raise ValueError(f"{self}: clip lies between 0 and 1 (0.2 is usual), kl is 0 or more")


@dataclass(frozen=True)
class Sample:
    """An answer that the model wrote to a probe, and what it got for it."""

    probe: object
    text: str
    reward: float
    advantage: float = 0.0


def draw_answers(
    lm: LanguageModel, questions: Sequence[str], tokens: int, seed: Sequence[int]
) -> list[tuple[Continuation, str]]:
    """An answer to each question, drawn at temperature 1: ids with the end token, if the model wrote one, and the text.
    No two places of two steps share their luck, if `seed` differs: it may be several numbers."""
    end = end_token(lm)
    prompts = [lm.prompt_ids([{"role": "user", "content": question}], max_new_tokens=tokens) for question in questions]
    luck = int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])
    answers = generate(lm.transformer, prompts, tokens, stop=(end,), temperature=1.0, seed=luck)
    drawn = []
    for prompt, ids in zip(prompts, answers, strict=True):
        written = ids if len(ids) == tokens else [*ids, end]
        mask = [0] * len(prompt) + [1] * len(written)
        drawn.append((Continuation([*prompt, *written], mask), lm.tokenizer.decode(ids).strip()))
    return drawn


def end_token(lm: LanguageModel) -> int:
    """The id by which an answer ends in the model's template."""
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "a"}]
    ids, mask = render(talk, lm.template, lm.tokenizer)
    return ids[max(place for place, trained in enumerate(mask) if trained)]


def reward_of(reward: Callable, probe, text: str) -> float:
    """What a reward gives an answer; RewardProblem, with question and answer, if that is no finite number."""
    try:
        value = float(reward(probe, text))
    except Exception as problem:
        raise RewardProblem(
            f"the reward raised {type(problem).__name__}: {problem}; asked was {probe.question!r}, answered {text!r}"
        ) from problem
    if not math.isfinite(value):
        raise RewardProblem(
            f"the reward of an answer must be a finite number, got {value}; asked was {probe.question!r}, answered "
            f"{text!r}"
        )
    return value


class RewardBatches:
    """Called with a step it lets the model write, asks for rewards, and gives the batch whose weights are advantages.
    `samples` are then the step's answers, and `figures` what can be said of them: the mean reward, the share of
    questions whose answers differ in reward ("contrast"), the mean tokens of an answer."""

    def __init__(
        self, lm: LanguageModel, first: LanguageModel, probes, reward, rollout: Rollout, advantage, seed, threads
    ):
        self.lm, self.first, self.probes, self.reward, self.rollout = lm, first, list(probes), reward, rollout
        self.advantage, self.seed, self.threads = advantage, seed, threads
        self.samples: list[Sample] = []
        self.figures: dict[str, float] = {}
        self.without_contrast = 0

    def of_step(self, step: int) -> list:
        """The probes of a step: every one once before any comes again."""
        count = min(self.rollout.questions, len(self.probes))
        epoch, number = divmod(step, -(-len(self.probes) // count))
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.probes))
        return [self.probes[i] for i in order[number * count : (number + 1) * count]]

    def write(self, step: int) -> None:
        """Let the model answer, and look at what it wrote."""
        probes, answers = self.of_step(step), self.rollout.answers
        asked = [probe for probe in probes for _ in range(answers)]
        drawn = draw_answers(self.lm, [probe.question for probe in asked], self.rollout.tokens, [self.seed, step])
        rewards = [reward_of(self.reward, probe, text) for probe, (_, text) in zip(asked, drawn, strict=True)]
        table = np.array(rewards).reshape(-1, answers)
        try:
            advantages = finite(self.advantage(table.copy()), table.shape, "advantages")
        except ValueError as problem:
            raise RewardProblem(str(problem)) from problem
        contrast = (table.max(axis=1) > table.min(axis=1)).mean()
        self.without_contrast = 0 if contrast else self.without_contrast + 1
        if self.without_contrast == PATIENCE:
            raise RewardProblem(
                f"in {PATIENCE} steps no question had answers of different reward (all got {table.min():g} to "
                f"{table.max():g}), so there is nothing to learn from. Take another reward, more answers to each, "
                "or a model that answers in more than one way"
            )
        self.rows = [row for row, _ in drawn]
        self.weights = advantages.reshape(-1)
        self.counted = sum(sum(row.mask) for row in self.rows)  # tokens of all answers
        self.samples = [
            Sample(probe, text, reward, float(weight))
            for probe, (_, text), reward, weight in zip(asked, drawn, rewards, self.weights, strict=True)
        ]
        self.figures = {
            "reward": float(table.mean()),
            "contrast": float(contrast),
            "tokens of an answer": self.counted / len(self.rows),
        }
        if not self.rollout.kl:  # an answer without advantage moves nothing
            some = np.flatnonzero(self.weights) if self.weights.any() else np.array([0])
            self.rows, self.weights = [self.rows[i] for i in some], self.weights[some]
        self.arrays = arrays(self.rows)
        self.drawn_logps = self.logps(self.lm) if self.rollout.updates > 1 else None
        self.first_logps = self.logps(self.first) if self.rollout.kl else None

    def logps(self, lm: LanguageModel) -> np.ndarray:
        return token_logps(lm.transformer, *self.arrays, self.threads)

    def __call__(self, step: int) -> Batch:
        if step % self.rollout.updates == 0:
            self.write(step // self.rollout.updates)
        ids, targets, mask = self.arrays
        weights, now = self.weights[:, None] * mask, None
        if step % self.rollout.updates or self.rollout.kl:
            now = self.logps(self.lm).astype(np.float64)
        if step % self.rollout.updates:
            weights = weights * ratio_weight(np.exp(now - self.drawn_logps), self.weights[:, None], self.rollout.clip)
        if self.rollout.kl:
            behind = self.first_logps - now
            self.figures["kl"] = float((mask * (np.expm1(behind) - behind)).sum() / mask.sum())
            weights = weights + mask * self.rollout.kl * np.expm1(behind)  # the estimate's own slope, uncorrected
        return ids, targets, weights.astype(np.float32), self.counted


def ratio_weight(ratio: np.ndarray, advantage: np.ndarray, clip: float) -> np.ndarray:
    """The slope of min(ratio * A, clipped ratio * A) in log p, divided by A: the ratio, or 0 where a token has moved as
    far as it may in the direction that the advantage wants."""
    outside = np.where(advantage > 0, ratio > 1 + clip, ratio < 1 - clip)
    return np.where(outside, 0.0, ratio)


def reward_tune(
    lm: LanguageModel,
    probes: Sequence,
    reward: Callable[[object, str], float],
    recipe: Recipe,
    rollout: Rollout = Rollout(),
    *,
    advantage: Callable[[np.ndarray], np.ndarray] = group_advantage,
    lora: LoraShape | None = None,
    on_step: Callable[[LanguageModel, dict], bool | None] | None = None,
    **how,
) -> tuple[LanguageModel, list[dict]]:
    """A copy of `lm` that learned to write what is rewarded, and the log; `lm` stays as it is.

    probes      what is asked: each has a `question`
    reward      (probe, text) -> a number; the text is what the model wrote, without the end token
    advantage   rewards (questions, answers) -> the weight of each answer's tokens: `group_advantage` is GRPO's,
                `batch_advantage` REINFORCE's; anybody's own in their place
    how         goes to `train` (checkpoint, threads, progress ...)

    The log has `train`'s record of each step, with RewardBatches' figures and, as "samples", what the model wrote;
    after an interruption those of the steps before it have step and loss only.
    RewardProblem where a reward is no number, or never tells two answers apart.
    """
    if not len(probes):
        raise ValueError("there are no questions to answer")
    if lm.template not in TEMPLATES:
        raise ValueError(f"the model's template {lm.template!r} is none of {', '.join(TEMPLATES)}")
    for probe in probes:
        lm.prompt_ids([{"role": "user", "content": probe.question}], max_new_tokens=rollout.tokens)  # TooLong now
    every = how.get("every", 200)
    if how.get("checkpoint") is not None and every % rollout.updates:
        raise ValueError(f"every {every}: save between two sets of answers, at a multiple of {rollout.updates} updates")
    tuned = lm.copy()
    adapters = Lora(tuned.transformer.parameters, lora, recipe.seed) if lora is not None else None
    batches = RewardBatches(tuned, lm, probes, reward, rollout, advantage, recipe.seed, how.get("threads"))
    tuned.recipe |= {"made by": "rewards", **asdict(recipe), **asdict(rollout)}

    def after(record: dict) -> bool | None:
        record |= batches.figures | {"samples": batches.samples}
        return on_step(tuned, record) if on_step is not None else None

    names = [described(one) for one in (reward, advantage)]
    about = (
        lm.transformer.parameters.flat.tobytes(),
        [probe.question for probe in probes],
        rollout,
        recipe,
        lora,
        names,
    )
    log = train(tuned.transformer, batches, recipe, on_step=after, lora=adapters, run=name_of(*about), **how)
    return tuned, log


def kl_divergence(
    lm: LanguageModel, first: LanguageModel, questions: Sequence[str], tokens: int = 32, seed: int = 0
) -> float:
    """How far `lm` has gone from `first` on some questions: nats an answer, KL(lm || first), estimated from one drawn
    answer each. Negative values are noise around 0."""
    if not len(questions):
        raise ValueError("there are no questions, so nothing can be compared")
    rows = [row for row, _ in draw_answers(lm, questions, tokens, [seed, 1])]
    here = arrays(rows)
    apart = token_logps(lm.transformer, *here) - token_logps(first.transformer, *here)
    return float(apart.sum(dtype=np.float64) / len(rows))
