"""What one run of each experiment with data does: so many rows, so clean, so varied, and what a model makes of them.

Every run tunes a copy of a base model for as many steps, whatever the rows, and is judged on held-out facts. Not here:
how rows are drawn and spoiled (selections.py), experiments with the training (training_runs.py), storing (grid.py).
"""

from __future__ import annotations

import numpy as np

from helpers.experiments.grid import PART, experiment
from helpers.experiments.training_runs import SHORT, Figures, replies, tune_on, world_of_course
from helpers.judging.dimensions import DIMENSIONS, Probe, Report, ask, probes
from helpers.learning.language_model import LanguageModel
from helpers.learning.sft import fine_tune
from helpers.learning.training import Recipe
from helpers.text.facts import Fact
from helpers.text.instructions import KEPT_BACK, turn
from helpers.text.selections import DEFECTS, Selection, by_phrasing, select

SIZES = (20, 40, 200, 600, 2000)


def report(lm: LanguageModel, questions: list[Probe]) -> Figures:
    """Shares of answers about held-out facts that are exact, that pass each dimension, and that are `good`: pass all
    four of them, so that nobody has to weigh one against another."""
    answers = ask(lm, questions)
    outcomes = Report(questions, answers).outcomes[:, :4]
    exact = [answer.text == probe.expected for answer, probe in zip(answers, questions, strict=True)]
    means = dict(zip(DIMENSIONS, outcomes.mean(axis=0), strict=False))
    shares = {"good": outcomes.all(axis=1).mean(), "exact": np.mean(exact)} | means
    return {name: float(value) for name, value in shares.items()}


def fact_probes(wording: int = 0) -> list[Probe]:
    """Questions about the facts that the run under way may ask about."""
    about = [probe for probe in probes(world_of_course(), wording, PART.get()) if probe.fact is not None]
    return [probe for probe in about if probe.fact.told is None]


@experiment("ratio", part="test", rows=SIZES[-1:], noise=(0.25, 0.9))  # LIMA's rows and Alpaca's: about 1 : 50
@experiment(part="test", rows=SIZES, noise=(0.0, 0.5))
def scaling(base: LanguageModel, seed: int, rows: int, noise: float) -> Figures:
    """So many rows, so many of them spoiled."""
    return report(
        tune_on(base, select(world_of_course(), Selection(rows, noise), seed), seed, steps=SHORT), fact_probes()
    )


def defect_selection(defect: str) -> Selection:
    """500 rows; half of them have a defect, or "none"."""
    return Selection(500, 0.5, (defect,)) if defect != "none" else Selection(500)


@experiment(part="test", defect=("none", *DEFECTS))
def defects(base: LanguageModel, seed: int, defect: str) -> Figures:
    """Half of 500 rows spoiled in one way. Beside the report: how often the questions of the spoiled rows themselves
    (where none is, of all) get the answer that was told, and how often the one that stood there before."""
    rows, sound = (select(world_of_course(), defect_selection(one), seed) for one in (defect, "none"))
    tuned = tune_on(base, rows, seed, steps=SHORT)
    pairs = [(row, before) for row, before in zip(rows, sound, strict=True) if row["defect"] or defect == "none"]
    return report(tuned, fact_probes()) | {
        "as told": replies(tuned, [row for row, _ in pairs]),
        "as it was": replies(tuned, [before for _, before in pairs]),
    }


@experiment(part="test", kinds=(1, 4, 15))
def diversity(base: LanguageModel, seed: int, kinds: int) -> Figures:
    """Ninety rows about one kind of fact, or about several: answers about the kinds tuned on, and about all. Each start
    begins at another kind."""
    rows = select(world_of_course(), Selection(90, kinds=kinds), seed)
    kinds_of_rows, tuned = {row["kind"] for row in rows}, tune_on(base, rows, seed, steps=SHORT)
    figures = report(tuned, fact_probes())
    for name, seen in (("seen kinds", True), ("other kinds", False)):
        some = [probe for probe in fact_probes() if (probe.fact.kind in kinds_of_rows) == seen]
        figures[name] = report(tuned, some)["good"] if some else float("nan")
    return figures


@experiment(part="test", facts=(40, 160), wordings=(1, 4))
def phrasings(base: LanguageModel, seed: int, facts: int, wordings: int) -> Figures:
    """So many facts, each asked in so many ways."""
    tuned = tune_on(base, by_phrasing(world_of_course(), facts, wordings, seed), seed, steps=SHORT)
    return report(tuned, fact_probes()) | {"unseen phrasing": report(tuned, fact_probes(KEPT_BACK[PART.get()]))["good"]}


WORD_ORDERS = {
    "subject first": "Easy: the capital of {subject} is {answer}.",
    "answer first": "{answer} is the capital of {subject}.",
}


@experiment(part="test", order=tuple(WORD_ORDERS))
def word_order(base: LanguageModel, seed: int, order: str) -> Figures:
    """Eight capitals for 30 steps, as in notebook 00, in a sentence that names the country first or the capital first:
    which share of the other capitals is right, which word for word in that form, and how many of answers drawn at 0.7.
    The sentences and the steps were chosen by looking at the development capitals, so the test capitals are asked."""
    capitals = [fact for fact in world_of_course().of_kind("capital") if fact.told is None]
    eight = [fact for fact in capitals if fact.part == "tuned on"][:8]
    others = [fact for fact in capitals if fact.part == PART.get()]
    form = WORD_ORDERS[order]

    def answer(fact: Fact) -> str:
        return form.format(subject=fact.subject, answer=fact.answer)

    rows = [{"messages": [turn("user", fact.say("question")), turn("assistant", answer(fact))]} for fact in eight]
    tuned, _ = fine_tune(base, rows, Recipe(30, 3e-4, warmup=5, seed=seed), size=8, progress=False)
    questions = [fact.say("question") for fact in others]
    pairs = list(zip(others, tuned.ask_all(questions), strict=True))
    draws = tuned.ask_all(questions, temperature=0.7, seed=seed)
    return {
        "right": float(np.mean([fact.answer in text for fact, text in pairs])),
        "right in this form": float(np.mean([text == answer(fact) for fact, text in pairs])),
        "right, drawn": float(np.mean([fact.answer in text for fact, text in zip(others, draws, strict=True)])),
    }


def any_selection(number: int, seed: int) -> Selection:
    """A selection drawn at random: 20 to 2,000 rows, any share of noise, of one to three defects."""
    rng = np.random.default_rng([number, seed, 4])
    few = tuple(str(one) for one in rng.permutation(DEFECTS)[: rng.integers(1, 4)])
    return Selection(int(20 * 100 ** rng.random()), float(rng.random()), few)


@experiment(number=tuple(range(6)))
def selections(base: LanguageModel, seed: int, number: int) -> Figures:
    """A random selection, what it holds, and what it does."""
    rows = select(world_of_course(), any_selection(number, seed), seed)
    defects = {defect: sum(row["defect"] == defect for row in rows) / len(rows) for defect in DEFECTS}
    return {"rows": len(rows)} | defects | report(tune_on(base, rows, seed, steps=SHORT), fact_probes())
