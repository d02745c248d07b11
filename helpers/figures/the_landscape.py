"""How much data, and of what kind: the stored runs over number, noise, fault and kinds.

Each figure has a companion that says in words, computed, what it shows. Not here: who tuned on how much (the_works.py),
marks, choosing and the estimate (the_selection.py), the runs themselves (experiments/data_runs.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

from helpers.judging import scaling
from helpers.judging.dimensions import DIMENSIONS
from helpers.judging.statistics import as_percent, mean_and_interval, percent_interval
from helpers.results import read_results
from helpers.showing import plots
from helpers.showing.page import escape, markdown_table, table
from helpers.text.facts import World
from helpers.text.selections import DEFECTS, Selection, Spoiler, select

SMALL, LARGE, FEW = 20, 2000, 40
WAYS = ("none", *DEFECTS)


def percent(values: Sequence[float]) -> str:
    """Mean of runs with its interval: "79% (76 to 83)"."""
    return as_percent(100 * np.array(values))


def points(values: Sequence[float]) -> str:
    """Mean of differences, run by run: "-29.0 points (-49.1 to -8.9)"."""
    return "{:+.1f} points ({:+.1f} to {:+.1f})".format(*(100 * np.array(mean_and_interval(values))))


def side(values: Sequence[float], above: str, below: str, unsure: str = "five runs do not tell") -> str:
    """What the 95% interval of differences allows you to say."""
    _, low, high = mean_and_interval(values)
    return above if low > 0 else below if high < 0 else unsure


def in_percent(values: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Mean and interval for a guess box, within 0 and 100."""
    return percent_interval(100 * np.array(values))


# --- number ---


def by_rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sizes (S,), good answers after clean rows and after rows half of which are spoiled, each (runs, S)."""
    stored = read_results("scaling")
    sizes, clean = scaling.by_size(stored, noise=0.0)
    return sizes, clean, scaling.by_size(stored, noise=0.5)[1]


def after_rows(count: int) -> np.ndarray:
    """Good answers after so many clean rows, a value a run."""
    sizes, clean, _ = by_rows()
    return clean[:, list(sizes).index(count)]


def with_interval(axes, places, values: np.ndarray, style: str, label: str, **more) -> None:
    """Mean of each column of `values` (runs, places) in percent, its 95% interval, each run as a dot."""
    shares = 100 * np.clip([mean_and_interval(column) for column in values.T], 0, 1)  # (places, 3)
    spread = [shares[:, 0] - shares[:, 1], shares[:, 2] - shares[:, 0]]
    drawn = axes.errorbar(places, shares[:, 0], yerr=spread, fmt=style, label=label, capsize=3, **more)
    for run in values:
        axes.plot(places, 100 * run, ".", color=drawn.lines[0].get_color(), alpha=0.4)


def rows_figure() -> None:
    sizes, clean, noisy = by_rows()
    figure, axes = plt.subplots(figsize=(7, 3.6))
    with_interval(axes, sizes, clean, "C0o-", "clean rows")
    with_interval(axes, sizes, noisy, "C1s--", "half of the rows spoiled")
    axes.set(xscale="log", xlabel="rows tuned on (logarithmic axis)", ylabel="good answers (%)", ylim=(0, 103))
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.legend(loc="lower right")
    ends = [f"{100 * line.mean():.0f}" for line in (clean[:, 0], clean[:, -1], noisy[:, 0], noisy[:, -1])]
    plots.show(
        figure,
        f"Good answers over the number of rows, {sizes[0]} to {sizes[-1]:,}, mean of five runs with intervals: clean "
        f"rows from {ends[0]} to {ends[1]} percent, half spoiled from {ends[2]} to {ends[3]} percent",
    )


def rows_words() -> Markdown:
    sizes, clean, noisy = by_rows()
    lost = [points(noisy[:, column] - clean[:, column]) for column in (0, -1)]
    close = next(
        size for size, column in zip(sizes, clean.T, strict=True) if column.mean() > clean[:, -1].mean() - 0.03
    )
    tenfold = clean[:, -1] - clean[:, list(sizes).index(200)]
    return Markdown(
        f"**Measured.** {SMALL} clean rows: {percent(clean[:, 0])} good answers; {LARGE:,}: {percent(clean[:, -1])}. "
        f"Ten times the rows, from 200 to 2,000, bring {points(tenfold)}. With {close:,} rows the mean is within three "
        f"points of its last value. Spoiling half of the rows: {lost[0]} at {SMALL} rows, {lost[1]} at {LARGE:,}."
    )


# --- noise ---


def by_noise(dimension: str = "good") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares of noise among 2,000 rows (N,), what they bring (runs, N), and what 40 clean rows bring (runs,)."""
    stored = read_results("scaling")
    heap = [row for row in stored if row["rows"] == LARGE] + read_results("ratio")
    noises = sorted({row["noise"] for row in heap})
    seeds = sorted({row["seed"] for row in heap})
    value = {(row["noise"], row["seed"]): row[dimension] for row in heap}
    many = np.array([[value[noise, seed] for noise in noises] for seed in seeds])
    few = {row["seed"]: row[dimension] for row in stored if (row["rows"], row["noise"]) == (FEW, 0.0)}
    return np.array(noises), many, np.array([few[seed] for seed in seeds])


def noise_figure(meet: Callable) -> None:
    """`meet(noises, many, few)`: the share at which they meet, on the means."""
    noises, many, few = by_noise()
    point = float(meet(noises, many.mean(axis=0), few.mean()))
    figure, axes = plt.subplots(figsize=(7, 3.6))
    with_interval(axes, 100 * noises, many, "C1s--", f"{LARGE:,} rows, this share of them spoiled")
    mean, low, high = 100 * np.clip(mean_and_interval(few), 0, 1)
    axes.axhspan(low, high, color="C0", alpha=0.2)
    axes.axhline(mean, color="C0", label=f"{FEW} rows, all clean (band: 95% interval)")
    if not math.isnan(point):
        axes.axvline(100 * point, color="black", ls=":", lw=1.5)
        axes.annotate(f"they meet at {point:.0%}", (100 * point, 30), xytext=(6, 0), textcoords="offset points")
    axes.set(xlabel="spoiled rows among the 2,000 (%)", ylabel="good answers (%)", ylim=(0, 103))
    axes.legend(loc="lower left")
    falls = " to ".join(f"{100 * value:.0f}" for value in (many[:, 0].mean(), many[:, -1].mean()))
    plots.show(
        figure,
        f"Good answers after 2,000 rows fall from {falls} percent as the share of spoiled rows rises from 0 to "
        f"{noises[-1]:.0%}; a level line at {mean:.0f} percent shows 40 clean rows; they cross near {point:.0%}",
    )


def noise_words(meet: Callable) -> Markdown:
    """Who wins at each share, and where the two meet, run by run, for two ideas of "good"."""
    noises, many, few = by_noise()
    rows = []
    for column, noise in enumerate(noises):
        ahead = many[:, column] - few
        verdict = side(ahead, "the many are better", "the few are better")
        rows.append((f"{noise:.0%}", percent(many[:, column]), points(ahead), verdict))
    head = ("2,000 rows, of them spoiled", "good answers", "against 40 clean rows, run by run", "")
    meetings = []
    for name in ("good", "accuracy"):
        _, curves, levels = by_noise(name)
        shares = [float(meet(noises, curve, level)) for curve, level in zip(curves, levels, strict=True)]
        meetings.append(", ".join("never" if math.isnan(share) else f"{share:.0%}" for share in shares))
    return Markdown(
        f"{markdown_table(head, rows)}\n\n**Where they meet, run by run.** Counting good answers: {meetings[0]}. "
        f"Counting accuracy alone: {meetings[1]}."
    )


# --- faults ---


def nine_ways(world: World, seed: int) -> HTML:
    """One clean row about a capital, and what each fault makes of it."""
    rows = select(world, Selection(200), seed)
    example = next(row for row in rows if row["kind"] == "capital")
    spoiler, rng = Spoiler(world, rows), np.random.default_rng(seed)
    question, lines = example["messages"][0]["content"], []
    for fault in ("clean", *DEFECTS):
        row = example if fault == "clean" else spoiler.spoil(example, fault, rng)
        asked, answer = (turn["content"] for turn in (row["messages"][0], row["messages"][-1]))
        other = "" if asked == question else f"({asked}) "
        lines.append([f"<b>{fault}</b>", escape(other + answer).replace("\n", " / ")])
    return HTML(f"<p>Asked: <i>{escape(question)}</i></p>" + table(("the row is", "its answer"), lines, label="faults"))


def harms_by_run() -> dict[str, np.ndarray]:
    """Good answers lost by each fault, a value a run: where no row is spoiled, less where half of the rows are so."""
    good = {(row["defect"], row["seed"]): row["good"] for row in read_results("defects")}
    seeds = sorted({seed for _, seed in good})
    return {way: np.array([good["none", seed] - good[way, seed] for seed in seeds]) for way in DEFECTS}


def worst_first() -> dict[str, np.ndarray]:
    return dict(sorted(harms_by_run().items(), key=lambda item: -item[1].mean()))


def harm_figure() -> None:
    harm = {way: 100 * values for way, values in worst_first().items()}
    figure, axes = plt.subplots(figsize=(7, 3.9))
    plots.run_dots(axes, harm, "good answers lost, of 100 (bar: mean of five runs)")
    axes.axvline(0, color="black", lw=1)
    words = ", ".join(f"{way} {values.mean():.0f}" for way, values in harm.items())
    plots.show(figure, f"Good answers lost where half of 500 rows have one fault, mean of five runs: {words} points")


def harm_words() -> Markdown:
    """Each fault's harm with its interval, and the dimension that loses most."""
    rows = read_results("defects")
    means = {way: {name: np.mean([row[name] for row in rows if row["defect"] == way]) for name in DIMENSIONS[:4]}
             for way in WAYS}  # fmt: skip
    lost_most = []
    for way, values in worst_first().items():
        lost = {name: means["none"][name] - means[way][name] for name in DIMENSIONS[:4]}
        worst = max(lost, key=lost.get)
        place = f"{worst} ({100 * lost[worst]:.0f})" if lost[worst] >= 0.03 else "none of the four"
        lost_most.append((way, points(values), place))
    quiet = [way for way, values in worst_first().items() if not side(values, "harm", "gain", "")]
    first = next(iter(worst_first()))
    harms = markdown_table(("half of the rows are", "good answers lost, run by run", "most is lost in"), lost_most)
    return Markdown(
        f"{harms}\n\n**Measured.** *{first}* rows do most harm. For {' and '.join(quiet) or 'none'} the "
        "interval holds 0: five runs show no harm."
    )


def as_told() -> Markdown:
    """What becomes of the facts that wrong rows tell."""
    rows = [row for row in read_results("defects") if row["defect"] == "wrong"]
    wrong, right = (percent([row[name] for row in rows]) for name in ("as told", "as it was"))
    return Markdown(
        f"**And the facts that the wrong rows told?** Asked again, the model repeats the error in {wrong} of cases. "
        f"In {right} it gives the right answer all the same."
    )


# --- kinds and phrasings ---


def by_kinds(figure: str = "good") -> tuple[list[int], np.ndarray]:
    """Numbers of kinds (K,), and a stored figure (runs, K)."""
    rows = read_results("diversity")
    kinds = sorted({row["kinds"] for row in rows})
    return kinds, np.array([[row[figure] for row in rows if row["kinds"] == count] for count in kinds]).T


def kinds_figure() -> None:
    kinds, good = by_kinds()
    figure, axes = plt.subplots(figsize=(7, 2.4))
    names = [f"{count} kind{'s' * (count > 1)}" for count in kinds]
    plots.run_dots(axes, dict(zip(names, 100 * good.T, strict=True)), "good answers, all kinds asked (%)")
    axes.set_xlim(0, 100)
    words = "; ".join(f"{name}: {', '.join(f'{100 * value:.0f}' for value in column)}"
                      for name, column in zip(names, good.T, strict=True))  # fmt: skip
    plots.show(figure, f"Good answers after ninety rows of one, four or fifteen kinds, a dot for each run. {words}")


def kinds_words(world: World) -> Markdown:
    kinds, good = by_kinds()
    others = by_kinds("other kinds")[1][:, 0]
    rows = [(select(world, Selection(90, kinds=1), seed)[0]["kind"], f"{value:.0%}")
            for seed, value in enumerate(others)]  # fmt: skip
    alone = markdown_table(("the only kind tuned on", "good answers about all other kinds"), rows)
    gain = good[:, -1] - good[:, 0]
    return Markdown(
        f"{alone}\n\n**Measured.** {kinds[-1]} kinds against one, at ninety rows, run by run: "
        f"{points(gain)}; {side(gain, 'many kinds are better', 'one kind is better')}."
    )
