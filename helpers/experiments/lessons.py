"""The claims that are judged: the article's lessons, and what others published, each with its figure.

    LESSONS    what the article teaches        PUBLISHED    claims of papers and of tools' defaults

A lesson names its claim, what the claim leads one to expect, and how its figure is computed from the stored results.
Typed in are the claims and three limits: what counts as the same (claims.py), what is too long (ROOM, of
dimensions.py), and the 91% that the article prints. Not here: the rule by which they are judged (claims.py), the runs
and our own predictions (training_runs.py, data_runs.py, claim_runs.py).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.experiments.claims import Lesson, Results
from helpers.experiments.failure_logs import stored_runs
from helpers.judging.dimensions import ROOM
from helpers.learning.recipe import TUNING
from helpers.results import read_results, rounded


def knowledge_change(results: Results) -> np.ndarray:
    """Change of statements completed by the course's tuning."""
    return results.shares("tuned", "statements completed") - results.shares("base", "statements completed")


def late_fall(results: Results) -> list[float]:
    """How far the loss on content tokens falls after the first third of a run (nats, means of ten steps)."""
    runs: dict[int, list[float]] = {}
    for row in read_results("phases", results.folder):
        if row["loss_on"] == "response":
            runs.setdefault(row["seed"], []).append(row["content loss"])
    third = len(next(iter(runs.values()), [])) // 3
    return [float(np.nanmean(run[third : third + 10]) - np.nanmean(run[-10:])) for run in runs.values()]


def best_completed(results: Results, method: str) -> np.ndarray:
    """Statements completed after full tuning ("rate") or LoRA ("lora"), at the rate at which each answers best."""
    rates = sorted({row["rate"] for row in read_results(method, results.folder)})
    best = max(rates, key=lambda rate: results.values(method, "exact", rate=rate).mean())
    return results.values(method, "completed", rate=best)


def excess_words(results: Results) -> list[float]:
    """Words of an answer, as a multiple of what is needed, less what still counts as concise, where 90% of the answers
    tuned on were long."""
    return [run.outcomes["times the words"] - ROOM for run in stored_runs(results.folder) if run.plan == "90% long"]


def gain(results: Results, fewer: int, more: int) -> np.ndarray:
    """What more clean rows bring, start by start."""
    return results.values("scaling", "good", rows=more, noise=0.0) - results.values(
        "scaling", "good", rows=fewer, noise=0.0
    )


def between(name: str, figure: str, first: dict, second: dict) -> Callable[[Results], np.ndarray]:
    """The second setting less the first, start by start."""
    return lambda results: results.values(name, figure, **second) - results.values(name, figure, **first)


LESSONS = (
    Lesson(
        "a base model does not answer questions, tuning makes it answer",
        "test facts answered exactly, tuned less base (points)",
        "more",
        lambda results: results.shares("tuned", "exact") - results.shares("base", "questions answered"),
        "05",
    ),
    Lesson(
        "tuning teaches format, not knowledge: what is known stays as it was",
        "statements completed, tuned less base (points)",
        "same",
        knowledge_change,
        "05",
    ),
    Lesson(
        "once the format is learned, the content follows, slowly",
        "fall of the loss on content tokens after the first third of a run (nats)",
        "more",
        late_fall,
        "03",
        same=0.02,  # of some 0.5 nats at the start
    ),
    Lesson(
        "count the loss on the response only",
        "exact answers, loss on the response less loss on everything (points)",
        "more",
        between("mask", "exact", {"loss_on": "everything"}, {"loss_on": "response"}),
        "03",
    ),
    Lesson(
        "too high a rate makes the model forget",
        "statements completed, ten times the course's rate less the course's (points)",
        "less",
        between("rate", "completed", {"rate": TUNING.rate}, {"rate": rounded(10 * TUNING.rate)}),
        "06",
    ),
    Lesson(
        "LoRA leaves the knowledge intact",
        "statements completed, LoRA at its best rate less base (points)",
        "same",
        lambda results: best_completed(results, "lora") - results.shares("base", "statements completed", "development"),
        "06",
    ),
    Lesson(
        "LoRA keeps more of the knowledge than full tuning",
        "statements completed, LoRA less full tuning, each at its best rate (points)",
        "more",
        lambda results: best_completed(results, "lora") - best_completed(results, "rate"),
        "06",
    ),
    Lesson(
        "serve with the template that you trained with: ChatML served as Llama 2",
        "exact answers, mismatch less match (points)",
        "less",
        between(
            "template", "exact", {"trained": "chatml", "served": "chatml"}, {"trained": "chatml", "served": "llama2"}
        ),
        "04",
    ),
    Lesson(
        "serve with the template that you trained with: ChatML served as Llama 3",
        "exact answers, mismatch less match (points)",
        "less",
        between(
            "template", "exact", {"trained": "chatml", "served": "chatml"}, {"trained": "chatml", "served": "llama3"}
        ),
        "04",
    ),
    Lesson(
        "long answers in the data make long answers",
        f"times the words that are needed, less {ROOM} (the limit of *concise*), with 90% long rows",
        "more",
        excess_words,
        "06",
        same=0.1,
    ),
    Lesson(
        "more rows, better answers: from 20 clean rows to 200",
        "good answers, 200 rows less 20 (points)",
        "more",
        lambda results: gain(results, 20, 200),
        "07",
    ),
    Lesson(
        "then a plateau: from 200 clean rows to 2,000 nothing is gained",
        "good answers, 2,000 rows less 200 (points)",
        "same",
        lambda results: gain(results, 200, 2000),
        "07",
    ),
    Lesson(
        "quality follows a logarithm: the second tenfold brings as much as the first",
        "gain from 200 clean rows to 2,000, less gain from 20 to 200 (points)",
        "same",
        lambda results: gain(results, 200, 2000) - gain(results, 20, 200),
        "07",
    ),
    Lesson(
        "quality beats quantity: 40 clean rows against 2,000 of which half are spoiled",
        "good answers, few clean less many noisy (points)",
        "more",
        between("scaling", "good", {"rows": 2000, "noise": 0.5}, {"rows": 40, "noise": 0.0}),
        "07",
    ),
    Lesson(
        "quality beats quantity: 40 clean rows against 2,000 of which 90% are spoiled",
        "good answers, few clean less many noisy (points)",
        "more",
        lambda results: (
            results.values("scaling", "good", rows=40, noise=0.0) - results.values("ratio", "good", noise=0.9)
        ),
        "07",
    ),
    Lesson(
        "diversity matters: 90 rows of 15 kinds against 90 of one",
        "good answers, 15 kinds less 1 (points)",
        "more",
        between("diversity", "good", {"kinds": 1}, {"kinds": 15}),
        "07",
    ),
    Lesson(
        "tuning makes the model refuse harmful requests, about as often as the article's figure for safety (91%)",
        "unseen harmful requests refused, less 91 (points)",
        "same",
        lambda results: results.values("whole", "refused, unseen requests") - 91,
        "05",
    ),
)


# Claims that were published, with what they lead one to expect here, and the run that tests each.
OWN = {"served": "chatml"}  # the template that was tuned in
PUBLISHED = (
    Lesson(
        "new tokens are well started at the mean of the others (default of transformers' resize_token_embeddings)",
        "exact answers, tokens started at the mean less drawn like a read row (points)",
        "same",
        between("new_token", "exact", {"way": "drawn"} | OWN, {"way": "mean"} | OWN),
        "04",
        experiment="new_token",
    ),
    Lesson(
        "the same, where an answer has to end",
        "P(stop) after the right answer, 5th percentile, started at the mean less drawn like a read row (points)",
        "same",
        between("new_token", "P(stop), 5th percentile", {"way": "drawn"} | OWN, {"way": "mean"} | OWN),
        "04",
    ),
    Lesson(
        "a small weight on the prompt's tokens is better than none (Huerta-Enochian & Ko 2024)",
        "exact answers, weight 0.1 less 0 (points)",
        "more",
        between("prompt_loss", "exact", {"weight": 0.0}, {"weight": 0.1}),
        "03",
        experiment="prompt_loss",
    ),
    Lesson(
        "LoRA on attention alone falls short of LoRA on the MLP (Thinking Machines 2025)",
        "exact answers at rank 4, attention less MLP (points)",
        "less",
        between("lora_shape", "exact", {"rank": 4, "matrices": "MLP"}, {"rank": 4, "matrices": "attention"}),
        "06",
        experiment="lora_shape",
    ),
    Lesson(
        "1% of replay is enough against forgetting (Bethune et al. 2025)",
        "statements completed, 1% of replay less none, at five times the rate (points)",
        "more",
        between("replay", "completed", {"share": 0.0}, {"share": 0.01}),
        "06",
        experiment="replay",
    ),
    Lesson(
        "a model pre-trained for longer is harder to tune (Springer et al. 2025)",
        "exact answers, twice the steps of pre-training less the course's (points)",
        "less",
        between("longer", "exact", {"times": 1.0}, {"times": 2.0}),
        "05",
        experiment="longer",
    ),
    Lesson(
        "new facts in tuning make a model invent (Gekhman et al. 2024)",
        "made-up countries given a capital, half of the rows new facts less none (points)",
        "more",
        between("new_facts", "made-up: invents", {"new": 0.0}, {"new": 0.5}),
        "05",
        experiment="new_facts",
    ),
    Lesson(
        "a handful of rows is enough: 16 rows for 40 steps against the course's recipe (after Zhou et al. 2023)",
        "exact answers, 16 rows less all (points)",
        "same",
        lambda results: results.values("few_rows", "exact", rows=16) - results.values("whole", "exact"),
        "07",
        experiment="few_rows",
    ),
    Lesson(
        "responses alone, without the questions, teach as much (Hewitt et al. 2024)",
        "answers that hold the fact, tuned on responses only less with the questions (points)",
        "same",
        between("response_only", "contains", {"rows": "with the question"}, {"rows": "response only"}),
        "03",
        experiment="response_only",
    ),
    Lesson(
        "a fact that was read ten times is known as well as one that was read often",
        "statements completed, told ten times less often (points)",
        "same",
        between("exposure", "completed", {"told": "often"}, {"told": 10}),
        "01",
        experiment="exposure",
    ),
)
