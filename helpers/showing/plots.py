"""The course's figures: one style, labelled axes, intervals drawn, and a description for those who cannot see them.

Not here: the figures of one notebook (helpers/figures), what grows while a training runs (live_run.py), drawings in a
page (page.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display

from helpers.judging.statistics import Share


def use_style() -> None:
    """Okabe-Ito colours, readable sizes (course.mplstyle)."""
    plt.style.use(Path(__file__).with_name("course.mplstyle"))


def show(figure, alt: str) -> None:
    """Show a figure once, with a description in words in the output's metadata, where nbconvert's pages read it."""
    display(figure, metadata={"image/png": {"alt": " ".join(alt.split())}})
    plt.close(figure)


def run_dots(axes, rows: dict[str, Sequence[float]], label: str, *, mean: bool = True) -> None:
    """A row for each name: every run as a dot, and the mean as a bar across. Where runs fall into two heaps, a mean
    with an interval would show a value that no run has; the dots show the heaps."""
    for number, values in enumerate(rows.values()):
        axes.plot(values, [number] * len(values), "o", color="C0", alpha=0.6)
        if mean:
            axes.plot([np.mean(values)] * 2, [number - 0.3, number + 0.3], color="black", lw=2)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set(xlabel=label)
    axes.grid(axis="y", visible=False)


def share_bars(shares: dict[str, Share], title: str = "", label: str = "share of prompts (%)"):
    """A horizontal bar a share, with its 95% interval and its counts."""
    figure, axes = plt.subplots(figsize=(7, 0.9 + 0.5 * len(shares)))
    for row, share in enumerate(shares.values()):
        low, high = (100 * end for end in share.interval)
        value = 100 * share.value
        axes.barh(row, value, height=0.6, color="C0", alpha=0.85)
        axes.errorbar(value, row, xerr=[[max(0, value - low)], [max(0, high - value)]], color="black", lw=1.5)
        axes.annotate(
            f"{share.hits} of {share.total}",
            (min(high, 100), row),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )
    axes.set(xlim=(0, 118), xlabel=label, title=title)
    axes.set_xticks(range(0, 101, 20))
    axes.set_yticks(range(len(shares)), shares)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    return figure


def next_token_bars(tokens: Sequence[str], probabilities: Sequence[float], title: str = ""):
    """The likeliest next tokens, as bars."""
    figure, axes = plt.subplots(figsize=(7, 0.9 + 0.32 * len(tokens)))
    axes.barh(range(len(tokens)), 100 * np.asarray(probabilities), height=0.7)
    axes.set_yticks(range(len(tokens)), [repr(token) for token in tokens], family="monospace")
    axes.set(xlabel="probability of the next token (%)", xlim=(0, 100), title=title)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    return figure


def loss_curve(records: Sequence[dict], title: str = "", axes=None):
    """Training loss by step: each step as a thin line, the mean of the last 20 as a thick one."""
    if axes is None:
        _, axes = plt.subplots()
    steps = np.array([record["step"] + 1 for record in records])
    losses = np.array([record["loss"] for record in records])
    smooth = [losses[max(0, i - 19) : i + 1].mean() for i in range(len(losses))]
    axes.plot(steps, losses, lw=0.7, alpha=0.5, label="each step")
    axes.plot(steps, smooth, color="C1", label="mean of the last 20")
    axes.set(xlabel="step", ylabel="loss (nats per token)", title=title)
    axes.legend()
    return axes.figure
