"""Notebook 02: what a model learns from rows of one kind, and from as many of several; live, and over five starts.

Not here: how rows are chosen (the learner's work; text/selections.py), the experiment itself (experiments/data_runs.py,
stored as diversity.csv).
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display

from helpers.judging.dimensions import Report, ask, probes
from helpers.judging.statistics import mean_and_interval, percent_interval
from helpers.learning.language_model import LanguageModel
from helpers.results import read_results
from helpers.showing import plots
from helpers.text.facts import World, load_world
from helpers.text.instructions import fact_rows
from helpers.text.selections import kinds_from


def good_by_kind(models: dict[str, LanguageModel], world: World, every: int = 1) -> dict[str, dict[str, float]]:
    """For each kind of fact kept back for development, the share of good answers (%) of each model, worst kinds of the
    last model first; "all" is the share of all questions."""
    questions = [one for one in probes(world) if one.fact is not None and one.fact.told is None][::every]
    kinds, shares = [one.fact.kind for one in questions], {}
    for name, lm in models.items():
        good = Report(questions, ask(lm, questions)).outcomes[:, :4].all(axis=1)
        for kind in dict.fromkeys(kinds):
            shares.setdefault(kind, {})[name] = 100 * good[[one == kind for one in kinds]].mean()
        shares.setdefault("all", {})[name] = 100 * good.mean()
    return dict(sorted(shares.items(), key=lambda item: (item[0] == "all", item[1][name], item[0])))


def kind_by_kind(models: dict[str, LanguageModel], world: World, every: int = 1) -> None:
    """Both models' shares of good answers in each kind, with a line between them."""
    shares = good_by_kind(models, world, every)
    figure, axes = plt.subplots(figsize=(7, 5))
    for place, values in enumerate(shares.values()):
        axes.plot(list(values.values()), [place] * len(values), color="0.6", lw=1, zorder=1)
    for (name, mark), colour in zip(zip(models, "so", strict=True), ("C1", "C0"), strict=True):
        axes.scatter(
            [values[name] for values in shares.values()], range(len(shares)), marker=mark, color=colour, label=name
        )
    axes.set_yticks(range(len(shares)), list(shares))
    axes.set(xlabel="questions about facts kept back with a good answer (%)", xlim=(-3, 103))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    whole = {name: f"{share:.0f}%" for name, share in shares.pop("all").items()}
    told = "; ".join(
        f"{kind}: {' and '.join(f'{share:.0f}' for share in values.values())}" for kind, values in shares.items()
    )
    plots.show(
        figure, f"Two marks for each kind of fact, percent of good answers after {' and after '.join(models)}. {told}."
    )
    first, second = models
    display(Markdown(
        f"*In this run, {whole[first]} of all questions get a good answer after {first} and {whole[second]} after "
        f"{second}. {second} do better in {better(shares)} of {len(shares)} kinds.*"
    ))  # fmt: skip


def better(shares: dict[str, dict[str, float]]) -> int:
    """In how many kinds the last model has more good answers than the first."""
    return sum([*values.values()][-1] > [*values.values()][0] for values in shares.values())


def diversity() -> dict[int, list[float]]:
    """Share of test questions with a good answer (%), five starts each, after 90 rows of 1, 4 or 15 kinds."""
    results = read_results("diversity", columns=("kinds", "seed", "good"))
    kinds = sorted({row["kinds"] for row in results})
    return {number: [100 * row["good"] for row in results if row["kinds"] == number] for number in kinds}


def good_share(kinds: int) -> tuple[float, tuple[float, float]]:
    """The mean of the five starts, and its interval."""
    return percent_interval(diversity()[kinds])


def first_kinds() -> list[str]:
    """The one kind that the rows of each start are about."""
    rows = fact_rows(load_world())
    seeds = [row["seed"] for row in read_results("diversity") if row["kinds"] == 1]
    return [kinds_from(rows, seed)[0] for seed in seeds]


def diversity_figure() -> None:
    """Every start as a dot; those of one kind with the kind's name."""
    shares, names = diversity(), first_kinds()
    rows = {f"{number} kind{'s' * (number > 1)}": values for number, values in shares.items()}
    figure, axes = plt.subplots(figsize=(7, 3))
    plots.run_dots(axes, rows, "test questions with a good answer (%)")
    order = np.argsort(shares[1])
    for place, start in enumerate(order):
        at = (shares[1][start], 0)
        axes.annotate(
            names[start], at, (0, 9 if place % 2 else -19), textcoords="offset points", ha="center", fontsize=9
        )
    axes.set_xlim(0, 100)
    told = "; ".join(
        f"{name}: {', '.join(f'{value:.0f}' for value in sorted(values))}" for name, values in rows.items()
    )
    plots.show(
        figure, f"Five dots in each row, one for each start, and a bar at their mean. Percent of good answers, {told}."
    )


def carried_over(few: int = 1, more: int = 4) -> tuple[float, float, float]:
    """On kinds that were not tuned on: by how many points `more` kinds are better than `few`, and the interval."""
    results = read_results("diversity", columns=("other kinds",))
    one, other = ([100 * row["other kinds"] for row in results if row["kinds"] == number] for number in (few, more))
    return mean_and_interval([after - before for before, after in zip(one, other, strict=True)])


def verdict(low: float, high: float) -> str:
    """Of an interval of a difference: which way it points, if it does."""
    return "more" if low > 0 else "fewer" if high < 0 else "neither clearly more nor clearly fewer"


def diversity_words() -> Markdown:
    """What the five starts say, in words that follow the figures."""
    shares = diversity()
    one, four, many = (shares[kinds] for kinds in sorted(shares))
    mean, low, high = mean_and_interval([after - before for before, after in zip(one, many, strict=True)])
    unseen = carried_over()
    spans = [f"between {min(part):.0f} and {max(part):.0f}%" for part in (one, four, many)]
    return Markdown(
        f"*These are five starts, asked about test facts. With {max(shares)} kinds the model answers "
        f"**{verdict(low, high)}** questions well than with one: {mean:+.0f} points (95% interval {low:.0f} to "
        f"{high:.0f}). With one kind the starts lie {spans[0]}, with four {spans[1]}, with {max(shares)} {spans[2]}. "
        f"Counting only the kinds that a start was not tuned on, four kinds give **{verdict(*unseen[1:])}** good "
        f"answers than one: {unseen[0]:+.0f} points "
        f"({unseen[1]:.0f} to {unseen[2]:.0f}).*"
    )
