"""What is claimed of preferences and rewards, by papers and by us, and the figure that each claim is judged by.

Our own predictions stand in the docstrings of the runs (preference_runs.py). They were written before the runs, but not
in the dark: methods and rates had been tried on development facts of one start. Not here: how claims are judged
(claims.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.experiments.claims import Lesson, Results
from helpers.experiments.preference_runs import RAZOR_RATES, REWARDED
from helpers.results import read_results

NATS = 10.0  # hundredths of a nat within which a log probability counts as unchanged


def gained(name: str, figure: str, **setting) -> Callable[[Results], np.ndarray]:
    """A figure after a run less the same before it, start by start."""
    return lambda results: (
        results.values(name, figure, when="after", **setting) - results.values(name, figure, when="before", **setting)
    )


def moved(name: str, figure: str, end: int = REWARDED, **setting) -> Callable[[Results], np.ndarray]:
    """A figure at the end of a watched run less the same at its beginning, start by start."""
    return lambda results: (
        results.values(name, figure, step=end, **setting) - results.values(name, figure, step=0, **setting)
    )


def less(one: Callable, other: Callable) -> Callable[[Results], np.ndarray]:
    """The second measure taken from the first."""
    return lambda results: np.asarray(one(results)) - np.asarray(other(results))


def at(name: str, figure: str, **setting) -> Callable[[Results], np.ndarray]:
    return lambda results: results.values(name, figure, **setting)


def best_rate(results: Results, method: str) -> int:
    """The number of the rate of `razor` at which a method answers best, over all starts."""
    rates = range(len(RAZOR_RATES[method]))
    return max(rates, key=lambda rate: results.values("razor", "exact", method=method, rate=rate).mean())


def at_best_rate(method: str, figure: str) -> Callable[[Results], np.ndarray]:
    """A figure of one method at that rate."""
    return lambda results: results.values("razor", figure, method=method, rate=best_rate(results, method))


def kl_foretells(results: Results) -> list[float]:
    """Rank correlation, in hundredths, of KL (of the first model from the tuned one) with statements completed, over
    all methods and rates of a start."""
    starts: dict[int, list[tuple[float, float]]] = {}
    for row in read_results("razor", results.folder):
        starts.setdefault(row["seed"], []).append((row["forward kl"], row["completed"]))
    ranks = [np.argsort(np.argsort(np.array(runs), axis=0), axis=0) for _, runs in sorted(starts.items())]
    return [100 * float(np.corrcoef(rank.T)[0, 1]) for rank in ranks]


PREFERENCES = (
    Lesson(
        "rewards mend drawn answers (the course's first trial)",
        "exact at temperature 1, 40 rows, after rewards less before (points)",
        "more",
        gained("rewarded", "drawn at 1", rows=40),
        "C",
        experiment="rewarded",
    ),
    Lesson(
        "rewards on facts that may be tuned on carry over to others, greedily",
        "exact on test facts, 40 rows, after rewards less before (points)",
        "more",
        gained("rewarded", "exact", rows=40),
        "C",
    ),
    Lesson(
        "what is known stays as it was under rewards",
        "statements completed, 40 rows, after less before (points)",
        "same",
        gained("rewarded", "completed", rows=40),
        "C",
    ),
    Lesson(
        "a reward that can be had for less is had for less (reward hacking)",
        "exact, drawn, at the end of a run rewarded for any text with the fact in it, less at its beginning (points)",
        "less",
        moved("hacking", "exact", remedy="none"),
        "C",
        experiment="hacking",
    ),
    Lesson(
        "... while the reward rises",
        "the reward itself, end less beginning (points)",
        "more",
        moved("hacking", "reward", remedy="none"),
        "C",
    ),
    Lesson(
        "a price on KL cures it (Ziegler et al. 2019)",
        "exact, drawn, at the end: KL 0.3 less none (points)",
        "more",
        less(moved("hacking", "exact", remedy="KL"), moved("hacking", "exact", remedy="none")),
        "C",
    ),
    Lesson(
        "a price on length cures it",
        "exact, drawn, at the end: a price a word less none (points)",
        "more",
        less(moved("hacking", "exact", remedy="brevity"), moved("hacking", "exact", remedy="none")),
        "C",
    ),
    Lesson(
        "DPO makes the chosen answer itself less likely (Razin et al. 2024)",
        "log p of the chosen answers of unseen close pairs, after less before (hundredths of a nat)",
        "less",
        gained("pairs", "chosen", way="close"),
        "C",
        NATS,
        experiment="pairs",
    ),
    Lesson(
        "... the more so, the more alike the two answers are (Razin et al. 2024)",
        "the same, close pairs less far ones (hundredths of a nat)",
        "less",
        less(at("pairs", "chosen", way="close", when="after"), at("pairs", "chosen", way="far", when="after")),
        "C",
        NATS,
    ),
    Lesson(
        "a likelihood term beside the pair keeps the chosen answer likely (Pang et al. 2024)",
        "log p of the chosen answers, with the term less without (hundredths of a nat)",
        "more",
        less(
            at("pairs", "chosen", way="close, SFT term", when="after"), at("pairs", "chosen", way="close", when="after")
        ),
        "C",
        NATS,
    ),
    Lesson(
        "how much is forgotten can be foretold from KL on the task alone (Shenfeld et al. 2025)",
        "rank correlation of KL with statements completed, over four methods and three rates each (hundredths)",
        "less",
        kl_foretells,
        "C",
        experiment="razor",
    ),
    Lesson(
        "rewards forget less than SFT (Shenfeld et al. 2025)",
        "statements completed at each method's best rate, rewards less SFT (points)",
        "more",
        less(at_best_rate("rewards", "completed"), at_best_rate("SFT", "completed")),
        "C",
    ),
    Lesson(
        "SFT memorises, rewards generalise: wordings (Chu et al. 2025)",
        "exact in a wording never trained on, rewards less SFT (points)",
        "more",
        less(*(at("unseen_kinds", "same kinds, unseen phrasing", method=one) for one in ("rewards", "SFT"))),
        "C",
        experiment="unseen_kinds",
    ),
    Lesson(
        "SFT memorises, rewards generalise: kinds (Chu et al. 2025)",
        "exact on capitals, a kind never trained on, rewards less SFT (points)",
        "more",
        less(*(at("unseen_kinds", "capital", method=one) for one in ("rewards", "SFT"))),
        "C",
    ),
    Lesson(
        "comparing answers to one question (GRPO) beats comparing with the whole step (REINFORCE)",
        "exact at temperature 1, group less step (points)",
        "more",
        less(at("rewarded", "drawn at 1", rows=40, when="after"), at("baseline", "drawn at 1", advantage="batch")),
        "C",
        experiment="baseline",
    ),
    Lesson(
        "without anything to compare with, rewards teach less",
        "exact at temperature 1, no baseline less the step's mean (points)",
        "less",
        less(at("baseline", "drawn at 1", advantage="none"), at("baseline", "drawn at 1", advantage="batch")),
        "C",
    ),
    Lesson(
        "GRPO collapses when it runs for long (a public course's run)",
        "exact, drawn, after 160 steps at three times the rate, less at the beginning (points)",
        "less",
        moved("collapse", "exact", end=160, rate=0.001),
        "C",
        experiment="collapse",
    ),
    Lesson(
        "a learned reward is overdone: it rises while what it stands for falls (Gao et al. 2022)",
        "exact, drawn, at the end of a run by a reward model of 300 pairs, less at its beginning (points)",
        "less",
        moved("proxy", "exact", pairs=300),
        "C",
        experiment="proxy",
    ),
)
