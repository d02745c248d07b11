"""LoRA against full tuning over rates, LoRA's rank and place, and replay: figures of notebook 06.

From data/results/rate.csv, lora.csv, lora_shape.csv and replay.csv, five starts each. Not here: the other figures of
the notebook (when_it_goes_wrong.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display

from helpers.figures.failure_runs import Interval, stored, words_of
from helpers.judging.statistics import mean_and_interval
from helpers.results import read_results
from helpers.showing import plots
from helpers.showing.page import markdown_table

RATES = {"full tuning": "rate", "LoRA": "lora"}  # method -> its table


def known() -> dict[int, float]:
    """Statements that the base model of each start completes, in percent."""
    return {run.seed: 100 * run.outcomes["base completed"] for run in stored()["healthy"]}


@cache
def sweep(table: str, *settings: str) -> dict[tuple, dict[str, np.ndarray]]:
    """Setting -> "exact", "contains" and "forgotten" of its five starts, in percent and points."""
    groups: dict[tuple, list[dict]] = {}
    for row in read_results(table):
        groups.setdefault(tuple(row[name] for name in settings), []).append(row)
    figures = {}
    for setting, rows in groups.items():
        rows.sort(key=lambda row: row["seed"])
        figures[setting] = {name: np.array([100 * row[name] for row in rows]) for name in ("exact", "contains")}
        figures[setting]["forgotten"] = np.array([known()[row["seed"]] - 100 * row["completed"] for row in rows])
    return figures


def best_rates() -> dict[str, float]:
    """Method -> the rate, of those tried, with the most exact answers."""
    tables = {method: sweep(table, "rate") for method, table in RATES.items()}
    return {method: max(rates, key=lambda one, rates=rates: rates[one]["exact"].mean())[0]
            for method, rates in tables.items()}  # fmt: skip


def whiskers(axes, x: Sequence, intervals: Sequence[Interval], style: str, label: str) -> None:
    """Means with their 95% intervals, which stay within 0 and 100."""
    mean, low, high = np.clip(np.array(intervals), 0, 100).T
    axes.errorbar(x, mean, yerr=[mean - low, high - mean], fmt=style, capsize=3, label=label)


def frontier() -> None:
    """Every rate of both methods as a point: what was forgotten against what was learned."""
    figure, axes = plt.subplots(figsize=(6.4, 3.6))
    told = []
    for (method, table), style in zip(RATES.items(), ("C0o-", "C1s--"), strict=True):
        rates = dict(sorted(sweep(table, "rate").items()))
        x = [rates[one]["forgotten"].mean() for one in rates]
        whiskers(axes, x, [mean_and_interval(rates[one]["exact"]) for one in rates], style, method)
        for place, (rate,) in zip(x, rates, strict=True):
            figures = rates[(rate,)]
            told.append(
                f"{method} {rate:g}: {figures['forgotten'].mean():.1f} forgotten, {figures['exact'].mean():.1f}%"
            )
            axes.annotate(f"{rate:g}", (place, figures["exact"].mean()), color=style[:2], fontsize=9,
                          xytext=(5, 7 if method == "LoRA" else -14), textcoords="offset points")  # fmt: skip
    axes.set_xscale("symlog", linthresh=1)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="statements forgotten (points, stretched)", ylabel="questions, exact (%)", xlim=(-2.5, 140),
             xticks=[-1, 0, 1, 10, 100], ylim=(0, 104))  # fmt: skip
    axes.legend(loc="lower center")
    plots.show(figure, f"Statements forgotten against questions answered exactly, a point a rate. {'; '.join(told)}.")
    display(Markdown("*Each point is the mean of five starts at the rate beside it. Upper left is best: much learned, "
                     "little forgotten. LoRA's curve reaches that corner at larger rates.*"))  # fmt: skip


def at_their_best() -> Markdown:
    """LoRA against full tuning, at one rate and at the best of each, with a verdict by the interval."""
    best = best_rates()
    tables = {method: sweep(table, "rate") for method, table in RATES.items()}
    same = max(set(tables["LoRA"]) & set(tables["full tuning"]))[0]
    rows = []
    for name, rates in (("the same rate", dict.fromkeys(RATES, same)), ("the best rate of each", best)):
        for method, rate in rates.items():
            figures = tables[method][(rate,)]
            cells = (words_of(mean_and_interval(figures[one])) for one in ("exact", "forgotten"))
            rows.append((name, f"{method}, {rate:g}", *cells))
    full, low = (tables[method][(rate,)] for method, rate in best.items())
    said = []
    for name, unit in (("exact", "of exact answers"), ("forgotten", "forgotten")):
        mean, least, most = mean_and_interval(low[name] - full[name])
        verdict = "a difference" if least > 0 or most < 0 else "no difference shown"
        said.append(f"{mean:+.1f} points {unit} ({least:+.1f} to {most:+.1f}: {verdict})")
    ratio = best["LoRA"] / best["full tuning"]
    verdict = (
        f"**Measured.** Each at its best rate, LoRA minus full tuning, paired by start: {' and '.join(said)}. "
        f"Of the few rates tried, LoRA's best is {ratio:.0f} times that of full tuning."
    )
    head = ("compared at", "method, rate", "exact (%)", "forgotten (points)")
    return Markdown(f"{markdown_table(head, rows)}\n\n{verdict}")


def lora_shapes() -> None:
    """Rank, and which matrices are corrected."""
    figure, axes = plt.subplots(figsize=(6.2, 3.2))
    shapes, told = sweep("lora_shape", "rank", "matrices"), []
    for name, style, shift in (("attention", "C0o-", 0.96), ("MLP", "C1s--", 1.0), ("both", "C2^-.", 1.04)):
        ranks = sorted(rank for rank, where in shapes if where == name)
        intervals = [mean_and_interval(shapes[rank, name]["exact"]) for rank in ranks]
        whiskers(axes, [rank * shift for rank in ranks], intervals, style, name)
        told += [f"{name}, rank {rank}: {one[0]:.0f}%" for rank, one in zip(ranks, intervals, strict=True)]
    axes.set_xscale("log")
    axes.set_xticks(ranks, map(str, ranks))
    axes.minorticks_off()
    axes.set(xlabel="rank of the correction", ylabel="questions, exact (%)", ylim=(60, 100))
    axes.legend(title="corrected", loc="lower right")
    plots.show(
        figure, f"Questions answered exactly over the rank, a line for each choice of matrices. {'; '.join(told)}."
    )
    gaps = {
        rank: mean_and_interval(shapes[rank, "MLP"]["exact"] - shapes[rank, "attention"]["exact"]) for rank in ranks
    }
    said = "; ".join(
        f"rank {rank} {mean:+.1f} ({low:+.1f} to {high:+.1f}{'' if low > 0 or high < 0 else ', no difference shown'})"
        for rank, (mean, low, high) in gaps.items()
    )
    display(Markdown(f"*Exact answers by rank, with 95% intervals over five starts. MLP alone minus attention alone, "
                     f"in points: {said}.*"))  # fmt: skip


def replayed(share: float) -> tuple[float, tuple[float, float]]:
    """Statements forgotten with a share of replay, in points, and the 95% interval."""
    mean, low, high = mean_and_interval(sweep("replay", "share")[(share,)]["forgotten"])
    return mean, (low, high)


def replay_dots() -> None:
    """What each share of pre-training text saves."""
    shares = {f"{100 * share:g}%": figures["forgotten"] for (share,), figures in sweep("replay", "share").items()}
    figure, axes = plt.subplots(figsize=(6.2, 2.6))
    plots.run_dots(axes, shares, "statements forgotten (points)")
    axes.set(ylabel="replay", xlim=(0, None))
    means = {name: float(np.mean(values)) for name, values in shares.items()}
    told = "; ".join(f"{name} replay: {mean:.1f} points" for name, mean in means.items())
    plots.show(
        figure, f"Statements forgotten at five times the rate, a dot for each start, by share of replay. {told}."
    )
    none, *_, most = means.values()
    saved = 100 * (none - means["1%"]) / (none - most)
    display(Markdown(f"*Each dot is a start. Without replay the runs forget {none:.1f} points. One percent of replay "
                     f"saves {saved:.0f}% of what twenty percent saves.*"))  # fmt: skip
