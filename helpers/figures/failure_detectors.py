"""Detectors of notebook 06 put to the test on stored logs; what perplexity misses; a cure tried.

Not here: the detectors themselves (the learner's, and judging/diagnostics.py), other figures (when_it_goes_wrong.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import fields, replace

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown, display

from helpers.experiments import plans
from helpers.experiments.failure_logs import KINDS, Run, score, stored_runs
from helpers.figures.failure_runs import forgotten
from helpers.judging.diagnostics import FORGOTTEN, diagnose
from helpers.judging.evaluation import answers_exactly
from helpers.judging.vital_signs import one_liners
from helpers.learning.language_model import LanguageModel
from helpers.showing import plots
from helpers.showing.page import markdown_table
from helpers.text.facts import World

Detector = Callable[[list[dict], dict], set]
TRIED = (1.05, 1.1, 1.15, 1.25, 1.5, 2.0)  # bars for perplexity
TARGET = (5.0, 80.0)  # points forgotten at most, exact answers in percent at least
SHAPES = {"full tuning": "C0o", "LoRA": "C1s", "replay": "C2^"}


def scores(detect: Detector) -> Markdown:
    """A detector, and the course's larger one, on the stored logs: plans caught, missed, falsely alarmed about."""
    runs = stored_runs()
    counts = {"yours": score(runs, lambda run: detect(run.log, run.reference)),
              "diagnostics.py": score(runs, lambda run: diagnose(run.log, run.reference).failures)}  # fmt: skip
    rows = [(kind, name, *table[kind].values()) for kind in KINDS for name, table in counts.items()]
    return Markdown(markdown_table(("failure", "detector", "caught", "missed", "false alarms", "passed"), rows))


def bars_tried(detect: Detector) -> str:
    """What other bars for perplexity would do about forgetting."""
    lines = ["bar    caught  missed  false alarms"]
    for bar in TRIED:
        table = score(stored_runs(), lambda run, bar=bar: detect(run.log, run.reference, bar))["forgetting"]
        lines.append(f"{bar:4.2f} {table['caught']:8} {table['missed']:7} {table['false alarms']:13}")
    return "\n".join(lines)


def rise(run: Run) -> float:
    """Perplexity in the end, as a multiple of that before tuning."""
    return run.log[-1]["perplexity"] / run.reference["perplexity"]


def misled() -> tuple[float, int]:
    """Of pairs of runs that lie more than 5 points apart, ten times the rate in full tuning left out: the percentage in
    which the one that forgot more has the lower perplexity; and how many pairs these are."""
    runs = [run for run in stored_runs() if run.plan != "rate 10 times"]
    apart = [
        pair for pair in itertools.permutations(runs, 2) if forgotten(pair[0]) - forgotten(pair[1]) > 100 * FORGOTTEN
    ]
    return 100 * float(np.mean([rise(more) < rise(less) for more, less in apart])), len(apart)


def perplexity_points() -> None:
    """Every stored run: perplexity in the end against statements forgotten."""
    figure, axes = plt.subplots(figsize=(6.2, 3.6))
    for name, style in SHAPES.items():
        points = [(rise(run), forgotten(run)) for run in stored_runs() if way(run) == name]
        axes.plot(*np.array(points).T, style, alpha=0.6, label=name)
    axes.axhline(100 * FORGOTTEN, color="black", ls=":", lw=1)
    axes.axvline(1.5, color="black", ls="--", lw=1)
    axes.set(
        xscale="log", xlabel="perplexity, times that before tuning (stretched)", ylabel="statements forgotten (points)"
    )
    axes.set_yscale("symlog", linthresh=2)
    for axis, ticks in ((axes.yaxis, [0, 2, 5, 10, 20, 40, 80]), (axes.xaxis, [1, 1.5, 2, 3, 5, 10, 20])):
        axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set(xlim=(0.95, 35), ylim=(-1, 120))
    axes.minorticks_off()
    axes.legend(loc="lower right")
    low = [forgotten(run) for run in stored_runs() if rise(run) <= 1.5]
    told = f"The {len(low)} runs left of the dashed bar at 1.5 forgot from {min(low):.0f} to {max(low):.0f} points"
    plots.show(figure, f"Perplexity at the end against statements forgotten, a point for each stored run. {told}.")
    share, pairs = misled()
    display(Markdown(f"*Each point is a run. {told}. Without ten times the rate in full tuning, {pairs} pairs of "
                     f"runs lie more than 5 points apart; in {share:.0f}% of them the run that forgot more has the "
                     "lower perplexity. A coin would be wrong in 50%.*"))  # fmt: skip


def way(run: Run) -> str:
    return next((word for word in ("LoRA", "replay") if word in run.plan), "full tuning")


def hits(lost: float, exact: float) -> bool:
    return lost < TARGET[0] and exact >= TARGET[1]


def treat(base: LanguageModel, world: World, sick: plans.Plan, cure: Callable, seed: int, steps: int) -> Markdown:
    """Run a plan and its cure, and say whether the target is met."""
    before, facts, rows = plans.statements_completed(base, world), one_liners(world), []
    for name, plan in (("sick", sick), ("treated", cure(sick))):
        changes = [f"{one.name} {getattr(plan, one.name):g}" for one in fields(plan)
                   if getattr(plan, one.name) != getattr(sick, one.name)]  # fmt: skip
        short = replace(plan, steps=min(plan.steps, steps))
        model, _ = plans.run_plan(base, world, short, seed, watch=lambda lm: {}, progress=False)
        lost = 100 * (before - plans.statements_completed(model, world))
        exact = 100 * float(np.mean(answers_exactly(model, facts)))
        met = "✔ met" if hits(lost, exact) else "✘ missed"
        rows.append((name, ", ".join(changes) or "–", f"{lost:.1f}", f"{exact:.1f}", met))
    return Markdown(markdown_table(("run", "changed", "forgotten (points)", "exact (%)", "target"), rows))
