"""What one run of each experiment with preferences or rewards does (notebook C): from a few rows to something better.

Every run tunes a copy of a base model on few rows first (`start`), so that there is room above it, and goes on from
there by pairs or by rewards. Pairs and rewards are of facts that may be tuned on, with an answer of one line; measured
is what becomes of test facts, of every kind. Rates, steps and prices were chosen on development facts of one start
(data/results/README.md). Not here: storing (grid.py), the methods (learning).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from helpers.experiments.grid import PART, experiment
from helpers.experiments.training_runs import QUIET, Figures, kept_back, unharmed, world_of_course
from helpers.judging import rewards
from helpers.judging.dimensions import Probe, fact_probe
from helpers.judging.evaluation import answers_exactly, completes
from helpers.learning.language_model import LanguageModel
from helpers.learning.lora import LoraShape
from helpers.learning.policy_gradient import (
    RewardProblem,
    Rollout,
    batch_advantage,
    draw_answers,
    kl_divergence,
    reward_tune,
)
from helpers.learning.preferences import Dpo, PairBatches, preference_tune
from helpers.learning.recipe import TUNING
from helpers.learning.reward_model import fit_reward_model, own_pairs
from helpers.learning.sft import fine_tune
from helpers.learning.training import Recipe
from helpers.text.facts import Fact, World
from helpers.text.instructions import KEPT_BACK, fact_rows, tuning_wordings
from helpers.text.preferences import fact_pairs

ROWS, STEPS, SIZE = 40, 60, 8  # of the tuning that all begin with
REWARDED, RATE = 100, 3e-4  # steps and peak rate of a run with rewards
ROLLOUT = Rollout(questions=8, answers=8, tokens=24)
LEFT_OUT = ("capital", "opposite")  # kinds that `unseen_kinds` neither tunes on nor rewards
EVERY = 20  # steps between two readings of a run that is watched


def start(base: LanguageModel, seed: int, rows: int = ROWS, without: tuple[str, ...] = ()) -> LanguageModel:
    """The base model tuned for STEPS steps on so many rows drawn at random, none of some kinds."""
    some = [row for row in fact_rows(world_of_course()) if row["kind"] not in without]
    some = [some[i] for i in np.random.default_rng([seed, 16]).permutation(len(some))[:rows]]
    return fine_tune(base, some, Recipe(STEPS, TUNING.rate, warmup=5, seed=seed), size=SIZE, **QUIET)[0]


def probes_to_train(world: World, without: tuple[str, ...] = ()) -> list[Probe]:
    """Every question that may be tuned on, about facts with an answer of one line."""
    facts = [fact for fact in world.facts if fact.part == "tuned on" and "\n" not in fact.answer]
    return [
        fact_probe(world, fact, question)
        for fact in facts
        if fact.kind not in without
        for question in tuning_wordings(fact.ways("question"))
    ]


@cache
def trained_probes(without: tuple[str, ...] = ()) -> list[Probe]:
    """Those of the course's world."""
    return probes_to_train(world_of_course(), without)


def one_line_rows() -> list[dict]:
    """The same questions with their answers, to be tuned on."""
    return [row for row in fact_rows(world_of_course()) if "\n" not in row["answer"]]


def trained_pairs(how: str) -> list[dict]:
    """The course's pairs, of the same facts."""
    return [pair for pair in fact_pairs(world_of_course(), how=how) if "\n" not in pair["answer"]]


def rewarded(
    lm: LanguageModel, seed: int, reward: Callable = rewards.exact, *, steps=REWARDED, rate=RATE, probes=None, **how
) -> tuple[LanguageModel, list[dict]]:
    """The course's run with rewards, or changed in one thing; -> the model and the log."""
    how = {"rollout": ROLLOUT} | how
    recipe = Recipe(steps, rate, warmup=5, decay=0.0, seed=seed)
    return reward_tune(lm, probes or trained_probes(), reward, recipe, **QUIET, **how)


def right(lm: LanguageModel, facts: list[Fact], wording: int = 0, **sampling) -> float:
    """Share of answers that are the response letter for letter."""
    return float(np.mean(answers_exactly(lm, facts, wording, **sampling)))


def standing(lm: LanguageModel, seed: int, first: LanguageModel | None = None) -> Figures:
    """How good the answers are, greedily, in an unseen wording, drawn, and what the model still knows; with a `first`
    model, also how far it has gone from that (nats an answer)."""
    facts = kept_back()
    figures = {
        "exact": right(lm, facts),
        "unseen phrasing": right(lm, facts, KEPT_BACK[PART.get()]),
        "drawn at 0.7": right(lm, facts, temperature=0.7, seed=seed),
        "drawn at 1": right(lm, facts, temperature=1.0, seed=seed),
        "completed": float(np.mean(completes(lm, facts))),
    }
    if first is not None:
        figures["kl"] = kl_divergence(lm, first, [fact.say("question") for fact in facts], seed=seed)
    return figures


def samples_of(lm: LanguageModel, first: LanguageModel, seed: int, reward: Callable) -> Figures:
    """Answers drawn at temperature 1 to one question about each fact kept back with an answer of one line: their
    reward, the share that is exact, that holds the fact, their words, and KL from the first model."""
    world, facts = world_of_course(), [fact for fact in kept_back() if "\n" not in fact.answer]
    probes = [fact_probe(world, fact, fact.say("question")) for fact in facts]
    texts = [text for _, text in draw_answers(lm, [probe.question for probe in probes], ROLLOUT.tokens, [seed, 17])]
    pairs = list(zip(probes, texts, strict=True))
    return {
        "reward": float(np.mean([reward(probe, text) for probe, text in pairs])),
        "exact": float(np.mean([rewards.exact(probe, text) for probe, text in pairs])),
        "contains": float(np.mean([rewards.contains(probe, text) for probe, text in pairs])),
        "words": float(np.mean([len(text.split()) for text in texts])),
        "kl": kl_divergence(lm, first, [probe.question for probe in probes], ROLLOUT.tokens, seed),
    }


def watched(lm: LanguageModel, seed: int, reward: Callable, steps: int = REWARDED, **how) -> list[Figures]:
    """A run with rewards, looked at every EVERY steps: `samples_of` at each reading, with its step. One that ends early
    (all its answers to a question are alike) stays as it is for the readings that are left."""
    readings, now = [{"step": 0} | samples_of(lm, lm, seed, reward)], lm

    def look(model: LanguageModel, record: dict) -> None:
        nonlocal now
        now = model
        if (record["step"] + 1) % EVERY == 0:
            readings.append({"step": record["step"] + 1} | samples_of(model, lm, seed, reward))

    try:
        rewarded(lm, seed, reward, steps=steps, on_step=look, **how)
    except RewardProblem:
        last = samples_of(now, lm, seed, reward)
        readings += [{"step": step} | last for step in range(EVERY * len(readings), steps + 1, EVERY)]
    return readings


# --- the runs: (base model, seed, setting) -> figures ---


@experiment("rewarded", part="test", in_notebooks=False, rows=(8, 40, 200))
def better(base: LanguageModel, seed: int, rows: int) -> Iterator[Figures]:
    """A few rows, then the exact reward: how the model stands before and after.

    Prediction: drawn answers gain 10 points at temperature 1, greedy ones 3; from 200 rows less than from 8; 40 rows
    with rewards come to what all rows give without."""
    before = start(base, seed, rows)
    yield {"when": "before"} | standing(before, seed) | {"kl": 0.0, "seconds": 0.0}
    after, log = rewarded(before, seed)
    seconds = float(sum(record["seconds"] for record in log))
    yield {"when": "after"} | standing(after, seed, before) | {"seconds": seconds}


@experiment("hacking", part="test", in_notebooks=False, remedy=("none", "KL", "brevity", "exact reward"))
def hack(base: LanguageModel, seed: int, remedy: str) -> list[Figures]:
    """A reward for any text in which the fact stands, from eight rows on; and what may be done about it. Stopping early
    is read from the run without a remedy.

    Prediction: reward above 0.9, exact answers fall by half; all three remedies hold exact where it was, the exact
    reward lifts it."""
    reward = {"brevity": rewards.contains_briefly, "exact reward": rewards.exact}.get(remedy, rewards.contains)
    rollout = Rollout(8, 8, kl=0.3 if remedy == "KL" else 0.0, tokens=ROLLOUT.tokens)
    return watched(start(base, seed, 8), seed, reward, rollout=rollout)


PAIR_WAYS = {  # how pairs are learned -> which pairs, and DPO's settings
    "close": ("close", Dpo()),
    "far": ("far", Dpo()),
    "close, SFT term": ("close", Dpo(sft=1.0)),
    "close, beta 0.5": ("close", Dpo(beta=0.5)),
    "close, per token": ("close", Dpo(beta=2.0, per_token=True)),
}


@experiment("pairs", part="test", in_notebooks=False, way=tuple(PAIR_WAYS))
def learn_pairs(base: LanguageModel, seed: int, way: str) -> Iterator[Figures]:
    """Sixty steps of DPO from 40 rows on: does the model prefer the better answer of unseen pairs, how likely is that
    answer (nats, from the first model's), and what becomes of the answers it writes?

    Prediction: log p of the chosen answers falls by a nat with close pairs and by half a nat with far ones, and 7
    points of exact answers with it; the SFT term mends both, the other two little."""
    (how, dpo), before = PAIR_WAYS[way], start(base, seed)
    unseen = [pair for pair in fact_pairs(world_of_course(), PART.get(), how, wordings=1) if "\n" not in pair["answer"]]
    after, log = preference_tune(
        before, trained_pairs(how), Recipe(60, 1e-4, warmup=5, decay=0.0, seed=seed), dpo, **QUIET
    )
    yield (
        {"when": "before"} | standing(before, seed) | pair_figures(before, before, unseen) | {"kl": 0.0, "seconds": 0.0}
    )
    seconds = float(sum(record["seconds"] for record in log))
    yield {"when": "after"} | standing(after, seed, before) | pair_figures(after, before, unseen) | {"seconds": seconds}


def pair_figures(lm: LanguageModel, first: LanguageModel, pairs: list[dict]) -> Figures:
    """On pairs: the share in which the chosen answer is likelier than the other, and log p of both from `first`'s."""
    now, then = (PairBatches(one, pairs, Dpo(), len(pairs), 0, 1).first for one in (lm, first))
    moved = now - then
    return {
        "likelier": float((now[::2] > now[1::2]).mean()),
        "preferred": float((moved[::2] > moved[1::2]).mean()) if lm is not first else 0.5,
        "chosen": float(moved[::2].mean()),
        "rejected": float(moved[1::2].mean()),
    }


RAZOR_RATES = {
    "SFT": (1e-4, 3e-4, 1e-3),
    "LoRA": (1e-3, 3e-3, 1e-2),
    "DPO": (5e-5, 1e-4, 3e-4),
    "rewards": (1e-4, 3e-4, 1e-3),
}


@experiment("razor", part="test", in_notebooks=False, method=tuple(RAZOR_RATES), rate=(0, 1, 2))
def forget(base: LanguageModel, seed: int, method: str, rate: int) -> Figures:
    """One task, learned in four ways at three rates (the lowest, the middle, the highest of its method) for 60 steps:
    how well it is done, how far the answers are from the first model's, and what is forgotten. "forward kl" is KL of
    the first model from this one, estimated on the first's answers, as Shenfeld et al. measure it; "kl" is the other.

    Prediction: forgetting follows KL, whatever the method; at its best rate each method forgets less than 3 points."""
    before, rate = start(base, seed), RAZOR_RATES[method][rate]
    recipe = Recipe(60, rate, warmup=5, decay=0.0, seed=seed)
    if method == "DPO":
        after, _ = preference_tune(before, trained_pairs("close"), recipe, **QUIET)
    elif method == "rewards":
        after, _ = rewarded(before, seed, steps=60, rate=rate)
    else:
        after, _ = fine_tune(before, one_line_rows(), recipe, lora=LoraShape() if method == "LoRA" else None, **QUIET)
    questions = [fact.say("question") for fact in kept_back()]
    figures = {"peak rate": rate, "forward kl": kl_divergence(before, after, questions, seed=seed)}
    return figures | standing(after, seed, before) | {"perplexity": unharmed(after)["perplexity"]}


@experiment("unseen_kinds", part="test", in_notebooks=False, method=("none", "SFT", "rewards"))
def generalise(base: LanguageModel, seed: int, method: str) -> Figures:
    """SFT or rewards on the same questions, with two kinds left out: what is answered in a wording that was trained on,
    in one that was not, and of the kinds that were not.

    Prediction: in unseen wordings both gain alike; kinds left out gain 5 points by rewards, which teach how to end, and
    lose 5 by SFT."""
    lm = start(base, seed, without=LEFT_OUT)
    if method == "SFT":
        rows = [
            row for row in fact_rows(world_of_course()) if row["kind"] not in LEFT_OUT and "\n" not in row["answer"]
        ]
        lm, _ = fine_tune(lm, rows, Recipe(REWARDED, TUNING.rate, warmup=5, seed=seed), **QUIET)
    elif method == "rewards":
        lm, _ = rewarded(lm, seed, probes=trained_probes(LEFT_OUT))
    seen = [fact for fact in kept_back() if fact.kind not in LEFT_OUT and "\n" not in fact.answer]
    figures = {"same kinds": right(lm, seen), "same kinds, unseen phrasing": right(lm, seen, KEPT_BACK[PART.get()])}
    for kind in LEFT_OUT:
        facts = [fact for fact in kept_back() if fact.kind == kind]
        figures |= {kind: right(lm, facts), f"{kind}, drawn": right(lm, facts, temperature=1.0, seed=seed)}
    return figures


@experiment("baseline", part="test", in_notebooks=False, advantage=("batch", "none"))
def compare_advantages(base: LanguageModel, seed: int, advantage: str) -> Figures:
    """`better` from 40 rows on, with the reward of an answer compared with all of its step, or with nothing.

    Prediction: the mean of the step does as well as that of the question; without any, half of the gain."""
    ways = {"batch": batch_advantage, "none": lambda table: table}
    before = start(base, seed)
    after, _ = rewarded(before, seed, advantage=ways[advantage])
    return standing(after, seed, before)


@experiment("collapse", part="test", in_notebooks=False, rate=(3e-4, 1e-3))
def collapse(base: LanguageModel, seed: int, rate: float) -> list[Figures]:
    """The exact reward for long and at high rates: does a peak come, and a fall after it?

    Prediction: at three times the rate exact answers are gone after 160 steps; at the course's there is no fall."""
    return watched(start(base, seed), seed, rewards.exact, steps=160, rate=rate)


@experiment("proxy", part="test", in_notebooks=False, pairs=(50, 300))
def proxy(base: LanguageModel, seed: int, pairs: int) -> list[Figures]:
    """A reward model fitted to so many pairs of the model's own answers to facts that may be tuned on, and the model
    trained by it: reward, and what it was meant to stand for. "agrees": its accuracy on pairs of facts kept back.

    Prediction: the reward model agrees with 65% of unseen pairs; its reward rises all the way, exact answers fall by 20
    points, with 50 pairs by more."""
    lm, world = start(base, seed), world_of_course()
    judge = fit_reward_model(lm, own_pairs(lm, trained_probes(), ROLLOUT.tokens, seed)[:pairs])
    facts = [fact for fact in kept_back() if "\n" not in fact.answer]
    probes = [fact_probe(world, fact, fact.say("question")) for fact in facts]
    unseen = own_pairs(lm, probes, ROLLOUT.tokens, seed + 100)
    agrees = judge.accuracy(unseen)
    return [row | {"agrees": agrees} for row in watched(lm, seed, judge)]
