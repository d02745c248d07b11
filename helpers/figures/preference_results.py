"""The stored runs of notebook C: what rewards and pairs brought over five starts, and how rewards were cheated.

Everything is read from data/results (rewarded, hacking and pairs.csv) and is about test facts. Not here: what it costs,
and what was claimed of it (preference_costs.py), what runs in the notebook itself (better_not_just_right.py), the runs
(experiments/preference_runs.py).
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

from helpers.experiments.claims import Results
from helpers.experiments.preference_runs import PAIR_WAYS
from helpers.judging.statistics import as_percent, mean_and_interval, percent_interval
from helpers.results import read_results
from helpers.showing import plots
from helpers.showing.page import markdown_table

RESULTS = Results()
MEASURES = ("exact", "unseen phrasing", "drawn at 0.7", "drawn at 1", "completed")
REMEDIES = {"none": "no remedy", "KL": "a price on KL", "brevity": "a price per word", "exact reward": "exact reward"}


def values(name: str, figure: str, **setting) -> np.ndarray:
    """(starts,) A figure in percent (nats and KL in hundredths), one a start."""
    return RESULTS.values(name, figure, **setting)


def difference(one: np.ndarray, other: np.ndarray) -> str:
    """The second less the first, start by start: "+15 (+12 to +19)"."""
    return "{:+.0f} ({:+.0f} to {:+.0f})".format(*mean_and_interval(np.asarray(other) - np.asarray(one)))


def side(changes: np.ndarray, more: str, less: str, open_words: str) -> str:
    """One of three texts, by whether the interval of changes lies above zero, below it or holds it."""
    _, low, high = mean_and_interval(changes)
    return more if low > 0 else less if high < 0 else open_words


# --- rewards ---


def gain(figure: str, rows: int = 40) -> tuple[float, tuple[float, float]]:
    """Points that the exact reward brought, with the interval over starts, for a guess."""
    changes = values("rewarded", figure, rows=rows, when="after") - values("rewarded", figure, rows=rows, when="before")
    mean, low, high = mean_and_interval(changes)
    return mean, (low, high)


def rewarded() -> Markdown:
    """Before and after rewards, from 8, 40 and 200 rows; every start a dot."""
    wanted = ("exact", "drawn at 0.7", "drawn at 1")
    figure, panels = plt.subplots(1, 3, figsize=(7.6, 2.7), sharey=True)
    for axes, name in zip(panels, wanted, strict=True):
        for place, rows in enumerate((8, 40, 200)):
            two = [values("rewarded", name, rows=rows, when=when) for when in ("before", "after")]
            for before, after in zip(*two, strict=True):
                axes.plot([place - 0.17, place + 0.17], [before, after], color="0.6", lw=1, zorder=1)
            axes.plot([place - 0.17] * len(two[0]), two[0], "oC0", label="before" if not place else None)
            axes.plot([place + 0.17] * len(two[1]), two[1], "sC1", label="after" if not place else None)
        axes.set(xticks=range(3), xticklabels=["8", "40", "200"], title="greedy" if name == "exact" else name)
        axes.set(xlabel="rows tuned on first", ylim=(0, 100))
    panels[0].set_ylabel("exact answers (%)")
    panels[0].legend(loc="lower right")
    figure.tight_layout()
    words = [
        f"from {rows} rows {as_percent(values('rewarded', name, rows=rows, when='before'))} before and "
        f"{as_percent(values('rewarded', name, rows=rows, when='after'))} after"
        for name in wanted[-1:]
        for rows in (8, 40, 200)
    ]
    plots.show(
        figure, f"Three panels, greedy and drawn answers before and after rewards. Drawn at 1: {'; '.join(words)}."
    )
    return Markdown(f"*Test facts, five starts, each a line. Drawn at temperature 1: {'; '.join(words)}.*")


def rewarded_table() -> Markdown:
    """Every measure before and after, for each number of rows, with the change start by start."""
    lines = []
    for rows in (8, 40, 200):
        for name in MEASURES:
            before, after = (values("rewarded", name, rows=rows, when=when) for when in ("before", "after"))
            label = {"exact": "exact, greedy", "completed": "statements completed"}.get(name, name)
            lines.append((rows, label, as_percent(before), as_percent(after), difference(before, after)))
    return Markdown(markdown_table(("rows", "measured", "before", "after", "change (points)"), lines))


def beside_all_rows() -> Markdown:
    """40 rows and rewards against tuning on all rows, as the shipped model was."""
    parts = []
    for name, stored in (("drawn at 1", "exact, temperature 1"), ("exact", "exact")):
        ours, theirs = values("rewarded", name, rows=40, when="after"), RESULTS.shares("tuned", stored)
        word = side(ours - theirs, "more than", "less than", "as far as five starts can tell as much as")
        label = "Drawn at temperature 1" if name == "drawn at 1" else "Greedily"
        parts.append(
            f"{label}, 40 rows and rewards give {as_percent(ours)}: {word} all rows without, {as_percent(theirs)}."
        )
    seconds = values("rewarded", "seconds", rows=40, when="after") / 100
    return Markdown(f"**Measured.** {' '.join(parts)} The rewards took {np.median(seconds):.0f} seconds on one core.")


# --- hacking ---


def curve(name: str, figure: str, **setting) -> tuple[list[int], np.ndarray]:
    """The steps at which runs were looked at, and (steps, starts) of a figure."""
    rows = [row for row in read_results(name) if setting.items() <= row.items()]
    steps = sorted({row["step"] for row in rows})
    return steps, np.array([values(name, figure, step=step, **setting) for step in steps])


def at_end(figure: str, remedy: str = "none") -> tuple[float, tuple[float, float]]:
    """A figure of `hacking` at the end, for a guess."""
    steps, table = curve("hacking", figure, remedy=remedy)
    return percent_interval(table[-1])


def hacking() -> Markdown:
    """Reward and exact answers over the steps, without and with each remedy."""
    figure, panels = plt.subplots(1, len(REMEDIES), figsize=(7.8, 2.7), sharey=True)
    words = []
    for axes, (remedy, name) in zip(panels, REMEDIES.items(), strict=True):
        for number, (key, label) in enumerate((("contains", "the fact stands in it"), ("exact", "exact"))):
            steps, table = curve("hacking", key, remedy=remedy)
            axes.plot(steps, table, color=f"C{number}", lw=0.8, alpha=0.4)
            axes.plot(steps, table.mean(axis=1), f"C{number}{'os'[number]}-", ms=4, label=label)
        axes.set(title=name, xlabel="step", ylim=(0, 100))
        words.append(f"{name}: {as_percent(table[0])} at first, {as_percent(table[-1])} in the end")
    panels[0].set_ylabel("drawn answers (%)")
    panels[1].legend(loc="lower center", fontsize=8)
    figure.tight_layout()
    plots.show(
        figure, f"Four panels over the steps: the share with the fact in it, and exact answers. {'; '.join(words)}."
    )
    return Markdown(f"*Thin lines are starts, thick ones their means. Exact answers, {'; '.join(words)}.*")


def hacking_words() -> Markdown:
    """How long the answers became, how far from the first model, and when one should have stopped."""
    lines = []
    for remedy, name in REMEDIES.items():
        last = {key: curve("hacking", key, remedy=remedy)[1][-1] for key in ("contains", "exact", "words", "kl")}
        words, kl = ("{:.1f} ({:.1f} to {:.1f})".format(*mean_and_interval(last[key] / 100)) for key in ("words", "kl"))
        lines.append((name, as_percent(last["contains"]), as_percent(last["exact"]), words, kl))
    steps, exact = curve("hacking", "exact", remedy="none")
    best = int(np.argmax(exact.mean(axis=1)))
    stop = (
        f"Stopping after {steps[best]} steps, where exact answers stand at {as_percent(exact[best])}, is a cure too"
        if best
        else "Stopping early is no cure here: at no later reading are exact answers more frequent than at first"
    )
    head = ("remedy", "the fact stands in it", "exact", "words", "KL (nats an answer)")
    return Markdown(f"{markdown_table(head, lines)}\n\n{stop}. (A look every {steps[1]} steps, no remedy.)")


# --- pairs ---


def moved(way: str = "close", figure: str = "chosen") -> tuple[float, tuple[float, float]]:
    """Nats by which log p of an answer moved, for a guess."""
    mean, low, high = mean_and_interval(values("pairs", figure, way=way, when="after") / 100)
    return mean, (low, high)


def pairs() -> Markdown:
    """For each way to learn pairs: what became of the chosen answers' log p, and of the answers that are written."""
    figure, panels = plt.subplots(1, 2, figsize=(7.6, 2.9), sharey=True)
    chosen = {way: values("pairs", "chosen", way=way, when="after") / 100 for way in PAIR_WAYS}
    exact = {
        way: values("pairs", "exact", way=way, when="after") - values("pairs", "exact", way=way, when="before")
        for way in PAIR_WAYS
    }
    plots.run_dots(panels[0], chosen, "log p of the chosen answer (nats)")
    plots.run_dots(panels[1], exact, "exact answers, change (points)")
    for axes in panels:
        axes.axvline(0, color="black", ls=":", lw=1)
    figure.tight_layout()
    words = "; ".join(
        f"{way}: {np.mean(chosen[way]):+.2f} nats, {np.mean(exact[way]):+.0f} points" for way in PAIR_WAYS
    )
    plots.show(figure, f"Two panels of five dots a row, the change by pairs. Means: {words}.")
    return Markdown(f"*Each dot is a start, after 60 steps. Means: {words}.*")


def pairs_table() -> Markdown:
    """Does the model prefer the better answer, and what does it cost?"""
    lines = []
    for way in PAIR_WAYS:
        after = {
            key: values("pairs", key, way=way, when="after")
            for key in ("preferred", "chosen", "rejected", "exact", "completed", "seconds")
        }
        nats = [
            "{:+.2f} ({:+.2f} to {:+.2f})".format(*mean_and_interval(after[key] / 100))
            for key in ("chosen", "rejected")
        ]
        shares = [as_percent(after[key]) for key in ("preferred", "exact", "completed")]
        lines.append((way, shares[0], *nats, *shares[1:], f"{np.median(after['seconds'] / 100):.0f}"))
    before = [as_percent(values("pairs", key, way="close", when="before")) for key in ("exact", "completed")]
    head = ("pairs", "preferred now", "log p chosen", "log p rejected", "exact, greedy", "completed", "seconds")
    return Markdown(f"{markdown_table(head, lines)}\n\nBefore: {before[0]} exact, {before[1]} completed.")
