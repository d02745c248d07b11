"""The stored runs of notebook C: what pairs and rewards cost, whether they carry over, and what was claimed of them.

Everything is read from data/results (razor, unseen_kinds, baseline, collapse and proxy.csv) and is about test facts.
Not here: what they bring (preference_results.py), the claims (experiments/preference_claims.py).
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

from helpers.experiments.claims import judge_all, prediction
from helpers.experiments.preference_claims import PREFERENCES, best_rate, kl_foretells
from helpers.experiments.preference_runs import RAZOR_RATES
from helpers.figures.preference_results import RESULTS, curve, side, values
from helpers.judging.statistics import as_percent, mean_and_interval
from helpers.results import read_results
from helpers.showing import plots
from helpers.showing.page import markdown_table

MARKS = {"SFT": "o", "LoRA": "s", "DPO": "^", "rewards": "D"}


def razor() -> Markdown:
    """KL on the task against statements completed, every run a mark."""
    figure, axes = plt.subplots(figsize=(6.2, 3.2))
    for number, method in enumerate(RAZOR_RATES):
        rows = [row for row in read_results("razor") if row["method"] == method]
        kl = np.maximum(0.01, [row["forward kl"] for row in rows])
        axes.plot(
            kl, [100 * row["completed"] for row in rows], MARKS[method], color=f"C{number}", label=method, alpha=0.8
        )
    axes.set(xscale="log")
    ticks = (0.03, 0.1, 0.3, 1, 3, 10, 30)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="KL from the model before, on the task (nats an answer)", ylabel="completed (%)")
    axes.legend(loc="lower left")
    figure.tight_layout()
    mean, (low, high) = razor_correlation()
    plots.show(
        figure,
        f"A mark for each run: KL from the model before against statements completed; correlation {mean / 100:.2f}.",
    )
    return Markdown(
        f"*Four methods at three rates each, five starts. Within a start, the rank correlation of KL with statements "
        f"completed is {mean / 100:.2f} ({low / 100:.2f} to {high / 100:.2f}); −1 would be perfect order.*"
    )


def razor_correlation() -> tuple[float, tuple[float, float]]:
    """The rank correlation of KL with statements completed, in hundredths: mean and interval over starts."""
    mean, low, high = mean_and_interval(kl_foretells(RESULTS))
    return mean, (max(-100.0, low), min(100.0, high))


def rows_or_rewards() -> Markdown:
    """Sixty steps more of SFT, on rows with all answers written out, against sixty steps of rewards."""
    parts = []
    for name, label in (("drawn at 1", "drawn at temperature 1"), ("exact", "greedily")):
        rows, paid = (values("razor", name, method=one, rate=best_rate(RESULTS, one)) for one in ("SFT", "rewards"))
        word = side(paid - rows, "more than", "less than", "and cannot be told from")
        parts.append(f"{label} rewards give {as_percent(paid)}, {word} SFT's {as_percent(rows)}")
    return Markdown(
        f"**Measured.** From the same 40 rows on, sixty steps of rewards or of SFT on all rows, each "
        f"at the rate (of three) with the most exact answers, greedily, on these same facts: "
        f"{'; '.join(parts)}."
    )


def at_best() -> Markdown:
    """Each method at the rate at which it answers best."""
    lines = []
    for method, rates in RAZOR_RATES.items():
        best = best_rate(RESULTS, method)
        row = {
            key: values("razor", key, method=method, rate=best) for key in ("exact", "drawn at 1", "completed", "kl")
        }
        kl = "{:.1f} ({:.1f} to {:.1f})".format(*mean_and_interval(row["kl"] / 100))
        shares = [as_percent(row[key]) for key in ("exact", "drawn at 1", "completed")]
        lines.append((method, f"{rates[best]:g}", *shares, kl))
    head = ("method", "best rate", "exact, greedy", "drawn at 1", "completed", "KL as in Exercise 3 (nats)")
    return Markdown(markdown_table(head, lines))


def proxy() -> Markdown:
    """A learned reward and what it stands for, over KL: a mark for each reading, every 20 steps."""
    figure, panels = plt.subplots(1, 2, figsize=(7.4, 2.9))
    words = []
    for axes, pairs_seen in zip(panels, (50, 300), strict=True):
        _, reward = curve("proxy", "reward", pairs=pairs_seen)
        _, exact = curve("proxy", "exact", pairs=pairs_seen)
        far = curve("proxy", "kl", pairs=pairs_seen)[1] / 100
        rise = (reward - reward[0]) / 100
        axes.plot(far, exact, color="C1", lw=0.8, alpha=0.4)
        axes.plot(far.mean(axis=1), exact.mean(axis=1), "C1s-", ms=4, label="exact (%)")
        axes.set(title=f"{pairs_seen} pairs", xlabel="KL (nats an answer)", ylim=(0, 100), ylabel="exact answers (%)")
        other = axes.twinx()
        other.plot(far.mean(axis=1), rise.mean(axis=1), "C0o-", ms=4, label="learned reward")
        other.set_ylabel("learned reward, gained")
        lines = [*axes.get_lines()[-1:], *other.get_lines()]
        axes.legend(lines, [line.get_label() for line in lines], loc="center right", fontsize=8)
        agrees = as_percent(values("proxy", "agrees", pairs=pairs_seen, step=0))
        words.append(
            f"{pairs_seen} pairs: it agrees with {agrees} of unseen pairs; exact answers {as_percent(exact[0])} at "
            f"first, {as_percent(exact[-1])} in the end"
        )
    figure.tight_layout()
    plots.show(figure, f"Two panels over KL: the learned reward, and exact answers. {'; '.join(words)}.")
    return Markdown(f"*A mark every 20 steps, thin lines are starts. {'; '.join(words)}.*")


def collapse() -> Markdown:
    """The exact reward for long, at the course's rate and at three times that."""
    figure, axes = plt.subplots(figsize=(6, 2.7))
    words = []
    for number, rate in enumerate((3e-4, 1e-3)):
        steps, exact = curve("collapse", "exact", rate=rate)
        axes.plot(steps, exact, color=f"C{number}", lw=0.8, alpha=0.4)
        axes.plot(steps, exact.mean(axis=1), f"C{number}{'os'[number]}-", ms=4, label=f"rate {rate:g}")
        best = int(np.argmax(exact.mean(axis=1)))
        words.append(
            f"rate {rate:g}: {as_percent(exact[0])} at first, {as_percent(exact[best])} at its best (step "
            f"{steps[best]}), {as_percent(exact[-1])} in the end"
        )
    axes.set(xlabel="step", ylabel="exact, drawn (%)", ylim=(0, 100))
    axes.legend()
    figure.tight_layout()
    plots.show(figure, f"Exact answers over the steps at two rates. {'; '.join(words)}.")
    return Markdown(f"*The exact reward for 160 steps, five starts. {'; '.join(words)}.*")


def generalise() -> Markdown:
    """SFT and rewards on the same questions: wordings and kinds that were never trained on."""
    names = {"none": "40 rows", "SFT": "... and 100 steps of SFT", "rewards": "... and 100 steps of rewards"}
    columns = ("same kinds", "same kinds, unseen phrasing", "capital", "opposite")
    lines = [
        (name, *(as_percent(values("unseen_kinds", column, method=method)) for column in columns))
        for method, name in names.items()
    ]
    head = ("model", "same kinds", "in an unseen wording", "capitals (left out)", "opposites (left out)")
    return Markdown(markdown_table(head, lines))


def claims() -> Markdown:
    """What was claimed, what was measured, the verdict by the course's one rule, and our own predictions."""
    rows = []
    for one in judge_all(PREFERENCES):
        measured = "{:+.0f} ({:+.0f} to {:+.0f})".format(*one.interval) if one.interval else one.problem
        rows.append((f"{one.lesson.claim}: {one.lesson.figure}", measured, one.verdict))
    ours = [f"- *{one.experiment}*: {prediction(one.experiment)}" for one in PREFERENCES if one.experiment]
    summary = "<details><summary>What we had predicted, experiment by experiment</summary>"
    table = markdown_table(("claim", "measured", "verdict"), rows)
    return Markdown("\n".join([table, "", summary, "", *ours, "", "</details>"]))
