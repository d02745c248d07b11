"""How a claim is judged by the stored runs: one rule for all.

    lesson -> one number a random start (five of them) -> mean and 95% interval -> holds, contradicted, or open

One rule for all, written down before the results of this edition were there. A difference is *shown* if its p by t
over the starts, made larger for the number of claims (Holm), is below 0.05; there is *no difference* if its 90%
interval lies within 2 points of zero (nats and times the words have bands of their own). A claim of a difference holds
if it is shown in its direction, and is contradicted if it is shown in the other or there is none; a claim of no
difference holds if there is none, and is contradicted if one of more than the band is shown. All else is open. Not
here: the claims themselves (lessons.py), how the results were made (grid.py), what others found (notebook 08).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.experiments.grid import EXPERIMENTS
from helpers.files import FileProblem
from helpers.judging.statistics import holm, mean_and_interval, p_value
from helpers.results import RESULTS_FOLDER, read_results

SAME = 2.0  # points within which a share counts as unchanged: the course's bar for what tuning may cost in knowledge
ALPHA = 0.05  # how often any of all claims may be decided by luck
EXPECTED = ("more", "less", "same")


@dataclass(frozen=True)
class Results:
    """The stored results of one folder, by random start."""

    folder: Path = RESULTS_FOLDER

    def values(self, name: str, figure: str, **setting) -> np.ndarray:
        """A figure of an experiment at one setting, in points (hundred times the share), one a random start in order.
        FileProblem where there are fewer than three, or one is no number."""
        rows = [row for row in read_results(name, self.folder) if setting.items() <= row.items()]
        by_start = {row["seed"]: row.get(figure) for row in rows}
        wrong = [
            seed for seed, value in by_start.items() if not isinstance(value, (int, float)) or not np.isfinite(value)
        ]
        if len(by_start) < 3 or wrong or len(rows) != len(by_start):
            where = ", ".join(f"{key} {value}" for key, value in setting.items()) or "its only setting"
            what = (
                f"{figure!r} is no number at start {wrong[0]}"
                if wrong
                else f"{len(rows)} runs of {len(by_start)} starts"
            )
            raise FileProblem(
                f"{name}.csv, {where}: {what}; `python -m helpers.experiments {name}` makes what is missing"
            )
        return 100 * np.array([by_start[seed] for seed in sorted(by_start)], float)

    def shares(self, model: str, figure: str, part: str = "test") -> np.ndarray:
        """The same of seeds.csv, which holds hits and totals."""
        wanted = {"model": model, "figure": figure, "part": part}
        rows = [row for row in read_results("seeds", self.folder) if wanted.items() <= row.items()]
        if len(rows) < 3 or not all(isinstance(row.get("total"), int) and row["total"] > 0 for row in rows):
            raise FileProblem(f"seeds.csv: {figure!r} of the {model} model is not there for three random starts")
        return 100 * np.array([row["hits"] / row["total"] for row in sorted(rows, key=lambda row: row["seed"])])


@dataclass(frozen=True)
class Lesson:
    """A claim, the figure that it is judged by, in words and as a function of the results, and what it would lead one
    to expect of that figure: above zero ("more"), below ("less"), or within `same` of it (SAME, if it is in points).
    `experiment` names the one whose docstring holds our own prediction, written before its first run."""

    claim: str
    figure: str
    expects: str
    measure: Callable[[Results], Sequence[float]]
    notebook: str
    same: float = SAME
    experiment: str = ""


@dataclass(frozen=True)
class Judgement:
    """What became of a lesson: the verdict, the interval, and why there is none where there is none."""

    lesson: Lesson
    verdict: str
    interval: tuple[float, float, float] | None = None
    problem: str = ""


def verdict(values: Sequence[float], p: float, expects: str, same: float = SAME) -> str:
    """What differences over starts allow to say of a claim about them; `p` is the p of "zero", made larger for the
    number of claims."""
    if expects not in EXPECTED:
        raise ValueError(f"a claim expects {', '.join(EXPECTED)}; not {expects!r}")
    mean, low, high = mean_and_interval(values, level=90)
    shown, none = p < ALPHA, -same <= low and high <= same
    if expects == "same":
        return "holds" if none else "contradicted" if shown and not -same < mean < same else "open"
    if shown and not none:
        return "holds" if (mean > 0) == (expects == "more") else "contradicted"
    return "contradicted" if none else "open"


def judge_all(lessons: Sequence[Lesson], results: Results = Results()) -> list[Judgement]:
    """Measure lessons, and judge them together. A damaged or missing file costs one lesson its verdict, no other."""
    values, problems = {}, {}
    for lesson in lessons:
        try:
            differences = np.asarray(lesson.measure(results), float)
            if not np.isfinite(differences).all():
                raise ValueError("its measure is no number; restore data/results with `git checkout data`")
            mean_and_interval(differences)
            values[lesson] = differences
        except (FileProblem, KeyError, TypeError, ValueError) as problem:
            problems[lesson] = str(problem)
    adjusted = dict(zip(values, holm([p_value(one) for one in values.values()]), strict=True))
    return [
        Judgement(lesson, "cannot be judged", None, problems[lesson])
        if lesson in problems
        else Judgement(
            lesson,
            verdict(values[lesson], adjusted[lesson], lesson.expects, lesson.same),
            mean_and_interval(values[lesson]),
        )
        for lesson in lessons
    ]


def prediction(experiment: str) -> str:
    """What its docstring says after "Prediction", in one line."""
    words = " ".join(str(EXPERIMENTS[experiment].run.__doc__).partition("Prediction")[2].split())
    if not words:
        raise ValueError(f"the docstring of {experiment} holds no prediction")
    return words.lstrip(": ")


def report(lessons: Sequence[Lesson], results: Results = Results()) -> str:
    """The verdicts as text: claim, figure, measured mean with its 95% interval over starts, our own prediction if we
    wrote one."""
    lines = []
    for judgement in judge_all(lessons, results):
        interval = judgement.interval
        measured = "{:+.1f} ({:+.1f} to {:+.1f})".format(*interval) if interval else judgement.problem
        lines += [
            f"{judgement.verdict.upper()}: {judgement.lesson.claim}",
            f"    {judgement.lesson.figure}, expected {judgement.lesson.expects}: {measured}",
        ]
        if judgement.lesson.experiment:
            lines.append(f"    we had predicted: {prediction(judgement.lesson.experiment)}")
    return "\n".join(lines)
