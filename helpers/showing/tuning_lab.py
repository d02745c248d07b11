"""A widget that instruction-tunes a copy of the base model while you look on, and lets you ask what came of it.

While it trains: the loss on format and on content tokens; how many development facts are answered (what is gained); the
perplexity of documents like those of pre-training (what is lost); an answer to your own question. Earlier runs stay
beside it. Stop leaves a usable model. Not here: threads and buttons (live_run.py), the tuning itself (sft.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import ipywidgets as widgets
import numpy as np

from helpers.judging.evaluation import perplexity
from helpers.judging.vital_signs import one_liners, reading_steps
from helpers.learning.language_model import LanguageModel, TooLong
from helpers.learning.recipe import CORPUS_SEED, TUNING_ROWS
from helpers.learning.sft import LOSSES, fine_tune
from helpers.learning.training import Recipe
from helpers.showing.live_run import LabBox, LiveRun, curve_svg, restart_note, samples_html, under_way
from helpers.showing.page import GREY, Axes, answer_html, escape, stroke, svg, svg_text, table
from helpers.text.corpus import write_documents
from helpers.text.facts import World, load_world

READINGS = 6  # how often in a run it is asked and read, the first time (after one step) apart
FACTS, DOCUMENTS = 36, 12  # development facts that are asked, fresh documents that are read, at each reading
HIGHEST = 6.0  # the loss at the top of the drawing
RUNS = 5  # earlier runs that are kept beside
STEPS = (10, 20, 40, 60, 100, 150, 300)
RATES = (1e-5, 3e-5, 1e-4, 2e-4, 5e-4, 1e-3, 3e-3, 1e-2)


@dataclass
class Run:
    """A run's settings in words, and its readings: step, share of facts answered exactly (%), perplexity."""

    name: str
    settings: str
    readings: list[tuple[int, float, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


class Judge:
    """Both sides of tuning: development facts answered exactly, in percent, and the perplexity of fresh documents."""

    def __init__(self, world: World):
        facts = one_liners(world)
        self.facts = facts[:: math.ceil(len(facts) / FACTS)]
        self.documents = write_documents(world, DOCUMENTS, CORPUS_SEED + 99)

    def __call__(self, lm: LanguageModel) -> tuple[float, float]:
        answers = lm.ask_all([fact.say("question") for fact in self.facts])
        right = [answer == fact.say("response") for answer, fact in zip(answers, self.facts, strict=True)]
        return 100 * float(np.mean(right)), perplexity(lm, self.documents)


def score_svg(run: Run | None, earlier: list[Run], place: int, title: str, foot: float, top: float) -> str:
    """One side of tuning by step: this run thick, with dots; earlier ones thin and grey, each with its number."""
    runs = [*earlier, *([run] if run else [])]
    steps = max([10, *(one.readings[-1][0] for one in runs if one.readings)])
    axes = Axes(steps, max([top, *(reading[place] for one in runs for reading in one.readings)]), foot, 300, 170)
    parts = axes.parts(title)
    for one in runs:
        points = [(reading[0], reading[place]) for reading in one.readings]
        line = " ".join(f"{axes.x(x):.1f},{axes.y(y):.1f}" for x, y in points)
        look = stroke(0) if one is run else f'fill="none" stroke="{GREY}" stroke-width="1.5"'
        parts.append(f'<path d="M{line}" {look}/>' if points else "")
        if points and one is not run:
            parts.append(svg_text(axes.x(points[-1][0]), axes.y(points[-1][1]) - 4, f"run {one.name}", "end"))
    points = [(reading[0], reading[place]) for reading in run.readings] if run else []
    parts += [f'<circle cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="3" fill="currentColor"/>' for x, y in points]
    now = f"now {points[-1][1]:.3g}" if points else "not yet known"
    return svg(axes.width, axes.height, f"{title} by step, {now}; {len(earlier)} earlier runs in grey", parts)


def runs_html(runs: list[Run]) -> str:
    """Every run so far in a line: its settings and what it came to."""
    rows = []
    for run in reversed(runs):
        step, exact, read = run.readings[-1] if run.readings else (0, math.nan, math.nan)
        loss = f"{np.mean(run.losses[-10:]):.2f}" if run.losses else "–"
        rows.append(
            (escape(run.name), escape(run.settings), str(len(run.losses)), loss, f"{exact:.0f}%", f"{read:.2f}")
        )
    head = ("run", "settings", "steps", "loss, last 10", "facts answered", "perplexity")
    return table(head, rows, label="runs", numbers=(2, 3, 4, 5)) if rows else ""


def tuning_lab(
    base: LanguageModel, rows: list[dict], question: str, *, steps: int = 60, seed: int = 0, world: World | None = None
) -> widgets.VBox:
    """Tune a copy of `base` on some of `rows`, live. The model of the last run, finished or stopped, answers the
    question; before any run the base model does. Starting a run stops one that is still going; called again while its
    run goes on, it gives the same widget, live."""
    if (running := under_way("tuning", (base, rows))) is not None:
        return running
    wide, longer = widgets.Layout(width="95%"), {"description_width": "initial"}

    def choice(name: str, values, value, text=lambda one: f"{one:g}") -> widgets.Dropdown:
        options = [(text(one), one) for one in values]
        return widgets.Dropdown(options=options, value=value, description=name, layout=wide, style=longer)

    count = choice("Steps", STEPS, steps)
    rate = choice("Peak rate", RATES, 5e-4)
    sizes = sorted({size for size in (8, 32, 128, 512) if size < len(rows)} | {len(rows)})
    amount = choice("Rows of data", sizes, len(rows))
    loss_on = choice("Loss on", LOSSES, "response", str)
    prompt = widgets.Text(value=question, description="Question", continuous_update=False, layout=wide)
    plan, curve, scores, table_of_runs, samples, answer = (widgets.HTML() for _ in range(6))
    model = {"lm": base, "name": "the base model, not tuned yet"}
    order = np.random.default_rng(seed).permutation(len(rows))
    judge = Judge(world or load_world())
    runs: list[Run] = []

    def reply(lm: LanguageModel) -> str:
        try:
            return lm.ask(prompt.value)
        except TooLong as problem:
            return f"({problem})"

    def on_ask(_=None) -> None:
        answer.value = answer_html(model["name"], reply(model["lm"]))

    def draw_scores(run: Run | None, earlier: list[Run]) -> None:
        gained = score_svg(run, earlier, 1, "gained: facts answered exactly (%)", 0.0, 100.0)
        lost = score_svg(run, earlier, 2, "lost: perplexity of documents", 1.0, 3.0)
        scores.value = f'<div style="display: flex; flex-wrap: wrap">{gained}{lost}</div>'

    def work(run: LiveRun) -> str:
        total, due = count.value, reading_steps(count.value, READINGS)
        curves: dict[str, list[float]] = {"format tokens": [], "content tokens": []}
        texts: list[tuple[int, list[tuple[str, str]]]] = []
        words = f"{total} steps, rate {rate.value:g}, {amount.value} rows, loss on {loss_on.value}"
        number = 1 + int(runs[-1].name) if runs else 1
        this, earlier = Run(str(number), words), runs[-RUNS:]

        def draw() -> None:
            curve.value = curve_svg(curves, total, HIGHEST)

        def look(lm: LanguageModel, step: int) -> None:
            this.readings.append((step, *judge(lm)))
            texts.append((step, [(f"{prompt.value} → ", reply(lm))]))
            samples.value = samples_html(texts)
            draw_scores(this, earlier)

        def on_step(lm: LanguageModel, record: dict) -> bool:
            curves["format tokens"].append(record["format loss"])
            curves["content tokens"].append(record["content loss"])
            this.losses.append(record["loss"])
            if record["step"] + 1 in due:
                look(lm, record["step"] + 1)
            return run.progress(record["step"] + 1, total, f"loss {record['loss']:.2f}", draw)

        some = [rows[i] for i in order[: amount.value]]
        recipe = Recipe(total, rate.value, warmup=min(20, total), seed=seed)
        tuned, log = fine_tune(base, some, recipe, loss_on=loss_on.value, on_step=on_step, progress=False)
        draw()
        if this.readings[-1][0] < len(log):  # stopped between two readings
            look(tuned, len(log))
        runs.append(this)
        table_of_runs.value = runs_html(runs)
        how = "Stopped by you" if run.stopped and len(log) < total else "Done"
        model.update(lm=tuned, name=f"tuned on {len(some)} rows, {len(log)} steps")
        on_ask()
        return (
            f"<i>{how} after {len(log)} of {total} steps: loss {log[-1]['loss']:.2f}, "
            f"{this.readings[-1][1]:.0f}% of the facts answered, perplexity {this.readings[-1][2]:.2f}, "
            f"{run.seconds:.0f} s. The model of this run answers now; Start begins again from the base model.</i>"
        )

    def on_setting(_=None) -> None:
        passes = count.value * min(TUNING_ROWS, amount.value) / amount.value
        plan.value = (
            f"<i>The next run: {count.value} steps of up to {TUNING_ROWS} rows, {passes:.1f} times through "
            f"{amount.value} rows, peak rate {rate.value:g}, loss on {loss_on.value}.</i>"
        )

    def clear() -> None:
        run.bar.max, samples.value = count.value, ""
        curve.value = curve_svg({"format tokens": [], "content tokens": []}, count.value, HIGHEST)
        draw_scores(None, runs[-RUNS:])

    run = LiveRun([count, rate, amount, loss_on], work, clear, name="tuning", tooltip="Tune a copy of the base model")
    prompt.observe(on_ask, "value")
    for setting in (count, rate, amount, loss_on):
        setting.observe(on_setting, "value")
    on_setting()
    clear()
    on_ask()
    settings = [count, rate, amount, loss_on, plan, run.buttons, run.bar, run.status, curve, scores]
    run.inputs = (base, rows)
    run.view = LabBox([*settings, prompt, answer, samples, table_of_runs, restart_note()])
    return run.view
