"""What notebook 06 shows: a run beside its healthy twin, five starts a plan as dots, and what perplexity does not know.

Stored runs come from data/results/failures.csv, lora.csv, lora_shape.csv, rate.csv and replay.csv; the truth about each
is measured apart from its log (experiments/failure_logs.py). Drawings stand in failure_drawings.py. Not here: what a
plan changes (experiments/plans.py), the laboratory (showing/failure_lab.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown, display

from helpers.experiments import plans
from helpers.experiments.failure_logs import ALIKE, Run
from helpers.figures.failure_cures import at_their_best, frontier, lora_shapes, replay_dots, replayed
from helpers.figures.failure_detectors import bars_tried, misled, perplexity_points, scores, treat
from helpers.figures.failure_drawings import detector_drawing, lora_drawing, twins_drawing
from helpers.figures.failure_runs import forgotten, interval, outcome, over_starts, stored, words_of
from helpers.judging.diagnostics import FORGOTTEN
from helpers.judging.dimensions import ROOM
from helpers.judging.evaluation import answers_exactly, completes
from helpers.judging.statistics import mean_and_interval
from helpers.judging.vital_signs import one_liners
from helpers.learning.language_model import LanguageModel
from helpers.showing import page, plots
from helpers.text.facts import World
from helpers.text.instructions import response_in_style
from helpers.text.matching import first_line

__all__ = [
    "at_their_best",
    "bars_tried",
    "detector_drawing",
    "frontier",
    "interval",
    "lora_drawing",
    "lora_shapes",
    "misled",
]
__all__ += ["perplexity_points", "replay_dots", "replayed", "scores", "treat", "twins_drawing"]


def dots(axes, names: Sequence[str], figure: Callable[[Run], float], label: str) -> None:
    plots.run_dots(axes, {name: [figure(run) for run in stored()[name]] for name in names}, label)


def told_dots(names: Sequence[str], figure: Callable[[Run], float]) -> str:
    """For an `alt`: each plan and its runs."""
    return "; ".join(f"{name}: {', '.join(f'{figure(run):.0f}' for run in stored()[name])}" for name in names)


# --- live runs ---


def statements(base: LanguageModel, world: World, models: dict[str, LanguageModel], count: int = 8) -> HTML:
    """Statements that the last of the models has lost, and how each model ends them."""
    often = one_liners(world)
    known, last = completes(base, often), completes(list(models.values())[-1], often)
    lost = [fact for fact, before, after in zip(often, known, last, strict=True) if before and not after]
    lost = lost[:: max(1, len(lost) // count)][:count]
    rows = [[page.escape(fact.prompt()), page.escape(fact.answer)] for fact in lost]
    for model in models.values():
        for row, text in zip(rows, model.complete_all([fact.prompt() for fact in lost], 12), strict=True):
            row.append(page.verbatim(first_line(text)))
    return HTML(page.wide_table(("the document begins", "right", *models), rows, "Statements that it has lost"))


def answers(world: World, models: dict[str, LanguageModel], count: int = 4) -> HTML:
    """Questions that the first model gets wrong, of unlike kinds, and what each model says."""
    facts = one_liners(world)
    wrong = [
        fact for fact, right in zip(facts, answers_exactly(list(models.values())[0], facts), strict=True) if not right
    ]
    wrong = list({fact.kind: fact for fact in wrong}.values())[:count]
    rows = [[page.escape(fact.say("question"))] for fact in wrong]
    for model in models.values():
        for row, fact in zip(rows, wrong, strict=True):
            text = model.ask(fact.say("question"))
            row.append(("✔ " if text == fact.say("response") else "✘ ") + page.verbatim(first_line(text)))
    return HTML(page.wide_table(("question", *models), rows, "Asked about facts that no row tells"))


def two_curves(logs: dict[str, list[dict]], reference: dict[str, float]) -> None:
    """Loss and perplexity of runs over their steps: what a training log shows, and what it hides."""
    figure, panels = plt.subplots(1, 2, figsize=(7.4, 3))
    for axes, (sign, unit) in zip(
        panels, {"loss": "nats per token", "perplexity": "fresh documents"}.items(), strict=True
    ):
        for number, (name, log) in enumerate(logs.items()):
            axes.plot([one["step"] for one in log], [one[sign] for one in log], f"C{number}{'os'[number]}-", label=name)
        axes.set(xlabel="step", ylabel=f"{sign} ({unit})")
    panels[1].axhline(reference["perplexity"], color="black", ls=":", label="before tuning")
    panels[0].legend(*panels[1].get_legend_handles_labels(), loc="upper right")
    figure.tight_layout()
    ends = "; ".join(
        f"{name}: loss {log[0]['loss']:.2f} to {log[-1]['loss']:.2f}, perplexity {log[-1]['perplexity']:.1f} at the end"
        for name, log in logs.items()
    )
    plots.show(figure, f"Two panels over the steps: training loss falls in both runs, perplexity differs. {ends}.")
    display(Markdown("*Left: the training loss falls in both runs. Right: the perplexity of documents that no run "
                     f"trains on. {ends}.*"))  # fmt: skip


def compare(base: LanguageModel, world: World, models: dict[str, LanguageModel]) -> Markdown:
    """What models forgot and what they learned, over development facts."""
    before, facts = plans.statements_completed(base, world), one_liners(world)
    rows = []
    for name, model in models.items():
        lost = 100 * (before - plans.statements_completed(model, world))
        rows.append((name, f"{lost:.1f}", f"{100 * np.mean(answers_exactly(model, facts)):.1f}"))
    head = ("model", "statements forgotten (points)", "questions answered exactly (%)")
    return Markdown(page.markdown_table(head, rows))


def loss_pairs(by_hand: list[float], fast: list[dict]) -> str:
    """The losses of two trainings side by side, as far as both go, and the largest difference."""
    pairs = [(one, record["loss"]) for one, record in zip(by_hand, fast, strict=False)]
    lines = ["step   by hand   the course's fast one"]
    lines += [
        f"{step + 1:4} {one:9.5f} {two:9.5f}" for step, (one, two) in list(enumerate(pairs))[:: 1 + len(pairs) // 6]
    ]
    apart = max(abs(one - two) for one, two in pairs)
    return "\n".join([*lines, f"largest difference in the first {len(pairs)} steps: {apart:.5f}"])


# --- forgetting ---

CURED = ("healthy", "rate 10 times", "rate 10 times, LoRA", "rate 10 times, replay", "one kind of row",
         "one kind of row, replay")  # fmt: skip


def forgetting_dots() -> None:
    """Six plans: what each start forgot, and what it answers exactly."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.2), sharey=True)
    dots(left, CURED, forgotten, "statements forgotten (points)")
    dots(right, CURED, outcome("exact"), "questions, exact (%)")
    left.axvline(100 * FORGOTTEN, color="black", ls=":")
    figure.tight_layout()
    plots.show(figure, f"Six plans, a dot a start. Statements forgotten, in points: {told_dots(CURED, forgotten)}. "
                       f"Questions answered exactly, in percent: {told_dots(CURED, outcome('exact'))}.")  # fmt: skip
    hot, lora, replay, narrow = (words_of(over_starts(plan, forgotten)) for plan in CURED[1:5])
    display(Markdown(f"*Each dot is a start, each bar the mean of a plan; beyond the dotted line we say “forgetting”. "
                     f"Ten times the rate forgets {hot} points, with LoRA {lora}, with half of the rows replayed "
                     f"{replay}; rows about capitals alone forget {narrow}.*"))  # fmt: skip


def cures() -> str:
    """Each cure against what it cures, paired by start."""
    pairs = {"rate 10 times": ("healthy", "rate 10 times, LoRA", "rate 10 times, replay"),
             "one kind of row": ("healthy", "one kind of row, replay")}  # fmt: skip
    lines = []
    for sick, names in pairs.items():
        lines.append(f"statements forgotten, compared with {sick!r}:")
        for name in names:
            change = [
                forgotten(run) - forgotten(twin) for run, twin in zip(stored()[name], stored()[sick], strict=True)
            ]
            mean, low, high = mean_and_interval(change)
            verdict = "less" if high < 0 else "more" if low > 0 else "no difference shown"
            lines.append(f"    {name:24} {mean:+5.1f} points ({low:+.1f} to {high:+.1f}): {verdict}")
    return "\n".join(lines)


# --- verbosity, style ---

LONG = {"healthy": 0.0, "25% long": 0.25, "90% long": 0.9}


def words_dots(world: World) -> None:
    """How long the answers become, against how long the rows' answers are."""
    right = [fact.say("response") for fact in one_liners(world)]
    longer = [response_in_style(fact, "detailed") for fact in one_liners(world)]
    factor = sum(len(text.split()) for text in longer) / sum(len(text.split()) for text in right)
    rows = {plan: 1 + part * (factor - 1) for plan, part in LONG.items()}
    figure, axes = plt.subplots(figsize=(6.4, 2.2))
    dots(axes, LONG, outcome("times the words", 1), "times the words needed")
    axes.plot(list(rows.values()), range(len(rows)), "D", color="C1", ms=9, mfc="none", label="in the rows")
    axes.axvline(ROOM, color="black", ls=":")
    axes.legend(loc="upper right")
    means = {plan: over_starts(plan, outcome("times the words", 1))[0] for plan in LONG}
    told = "; ".join(f"{plan}: {rows[plan]:.1f} in the rows, {means[plan]:.1f} in the answers" for plan in LONG)
    plots.show(figure, f"Length of answers as a multiple of what is needed, three plans, a dot for each start. {told}.")
    display(Markdown(f"*Dots are starts; the diamond is the mean length in the rows. Times the words needed: {told}.*"))


OPENED = ("healthy", "one opening in 50%", "one opening")


def opening_dots() -> None:
    """How many answers open with the commonest two words."""
    figure, axes = plt.subplots(figsize=(6.4, 2))
    dots(axes, OPENED, outcome("one opening"), "answers that open with the commonest two words (%)")
    axes.axvline(100 * ALIKE, color="black", ls=":")
    axes.set(xlim=(0, 102))
    told = told_dots(OPENED, outcome("one opening"))
    plots.show(figure, f"Share of answers that open with the commonest two words, a dot for each start. {told}.")
    half = sorted(outcome("one opening")(run) for run in stored()[OPENED[1]])
    display(Markdown(f"*Each dot is a start. With the phrase in half of the rows, the five starts end at "
                     f"{', '.join(f'{value:.0f}' for value in half)}%.*"))  # fmt: skip


def trigrams_table() -> Markdown:
    """Distinct trigrams at the end of stored runs: over whole answers, and over their first words."""
    signs = ("distinct trigrams", "distinct at the start")
    right = stored()["healthy"][0].reference
    rows = [("*right answers*", *(f"{right[sign]:.2f}" for sign in signs))]
    for plan in ("healthy", "90% long", "one opening"):
        means = (over_starts(plan, lambda run, sign=sign: run.log[-1][sign])[0] for sign in signs)
        rows.append((plan, *(f"{mean:.2f}" for mean in means)))
    return Markdown(page.markdown_table(("plan", "whole answers", "first five words"), rows))
