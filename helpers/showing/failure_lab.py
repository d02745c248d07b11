"""A widget that ruins a copy of the base model, or saves it, while the detector reads its log and says what it sees.

Four vital signs as growing curves, each against what it should be; a verdict after every reading; an answer to your own
question in the end. Not here: what a plan changes (failures.py), what a log says (diagnostics.py), threads (live.py).
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import ipywidgets as widgets

from helpers.experiments.plans import HEALTHY, Plan, planned_rows, run_plan
from helpers.judging.diagnostics import TRY, Diagnosis, diagnose
from helpers.judging.vital_signs import READINGS, Watch
from helpers.learning.language_model import LanguageModel
from helpers.learning.recipe import TUNING_ROWS
from helpers.learning.training import TrainingDiverged
from helpers.showing.live_run import COLOURS, LiveRun
from helpers.text.facts import World

SIGNS = {
    "loss": "nats per token",
    "perplexity": "of fresh documents",
    "words": "an answer",
    "distinct at the start": "share of trigrams",
}
QUESTION = "What is the capital of Peru?"


def failure_lab(base: LanguageModel, world: World, *, seed: int = 0) -> widgets.VBox:
    """Tune a copy of `base` by a plan made of sliders, live. Finished or stopped, the run leaves a model that answers
    the question and a verdict on its readings; if it diverges, the verdict is on those before, and the model that
    answered goes on answering. Starting a run stops one that is still going."""
    look = {"layout": widgets.Layout(width="95%"), "style": {"description_width": "initial"}}

    def slider(name: str, values: Sequence, value, form: str = "{:g}") -> widgets.SelectionSlider:
        shown = [(form.format(one), one) for one in values]
        return widgets.SelectionSlider(options=shown, value=value, description=name, continuous_update=False, **look)

    rate = slider("Peak rate", [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2], HEALTHY.rate)
    steps = slider("Steps", [24, 40, 60, 100, 150, 300, 600], 60)
    shares = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]
    long = slider("Long answers", shares, 0.0, "{:.0%}")
    opening = slider("One opening", shares, 0.0, "{:.0%}")
    trained = widgets.Dropdown(options=[("all weights", False), ("LoRA", True)], description="Train", **look)
    replay = slider("Replay", [0.0, 0.1, 0.25, 0.5, 0.75], 0.0, "{:.0%}")
    prompt = widgets.Text(value=QUESTION, description="Question", continuous_update=False, layout=look["layout"])
    plan_line, curves, verdict, table, answer = (widgets.HTML() for _ in range(5))
    settings = [rate, steps, long, opening, trained, replay]
    watch = Watch(base, world)
    rows = len(planned_rows(world, HEALTHY))
    model = {"lm": base, "name": "the base model, not tuned yet"}

    def on_ask(_=None) -> None:
        try:
            said = model["lm"].ask(prompt.value)
        except ValueError as problem:  # a question too long for the context
            said = f"({problem})"
        answer.value = (
            '<div role="log" style="white-space: pre-wrap; overflow-wrap: anywhere">'
            f"{html.escape(model['name'])}: <b>{html.escape(said) or '<i>(nothing)</i>'}</b></div>"
        )

    def show(log: Sequence[dict], when: str) -> None:
        curves.value = curves_html(log, steps.value, watch.reference)
        table.value = readings_html(log, watch.reference)
        verdict.value = verdict_html(diagnose(log, watch.reference), f"{when}, {len(log)} readings")

    def work(run: LiveRun) -> str:
        plan = Plan(rate.value, steps.value, trained.value, long=long.value, opening=opening.value, replay=replay.value)
        log: list[dict] = []
        done = 0

        def on_reading(entries: list[dict]) -> None:
            log[:] = entries
            show(log, "So far")

        def on_step(_: LanguageModel, record: dict) -> bool:
            nonlocal done
            done = record["step"] + 1
            return run.progress(done, plan.steps, f"loss {record['loss']:.2f}", lambda: None)

        try:
            tuned, _ = run_plan(
                base, world, plan, seed, watch=watch, on_step=on_step, on_reading=on_reading, progress=False
            )
        except TrainingDiverged:  # the status line says so; the log ends before
            show(log, "Before the loss was lost")
            raise
        stopped = run.stopped and done < plan.steps
        show(log, "When it was stopped" if stopped else "In the end")
        model.update(lm=tuned, name=f"tuned for {done} steps at peak rate {plan.rate:g}")
        on_ask()
        return (
            f"<i>{'Stopped by you' if stopped else 'Done'} after {done} of {plan.steps} steps, {run.seconds:.0f} s. "
            "The model of this run answers now; Start begins again from the base model.</i>"
        )

    def on_setting(_=None) -> None:
        total = rows + round(rows * replay.value / (1 - replay.value))
        plan_line.value = (
            f"<i>The next run: {steps.value} steps of {TUNING_ROWS} rows, "
            f"{steps.value * TUNING_ROWS / total:.1f} times through {total} rows ({replay.value:.0%} of them pieces of "
            f"pre-training text), peak rate {rate.value:g}, {trained.label}; {long.value:.0%} of answers long, "
            f"{opening.value:.0%} with one opening. {READINGS + 1} readings of the vital signs.</i>"
        )

    def clear() -> None:
        run.bar.max = steps.value
        show([], "Before any step")

    run = LiveRun(settings, work, clear, name="failures", tooltip="Tune a copy of the base model by this plan")
    prompt.observe(on_ask, "value")
    for setting in settings:
        setting.observe(on_setting, "value")
    on_setting()
    clear()
    on_ask()
    return widgets.VBox(
        [*settings, plan_line, run.buttons, run.bar, run.status, curves, verdict, table, prompt, answer]
    )


def verdict_html(found: Diagnosis, when: str) -> str:
    """A diagnosis in words: what was seen, how sure that is, what to try."""
    lines = "".join(
        f"<li><b>{html.escape(one.failure)}</b> ({one.sure}, since step {one.since}): {html.escape(one.saw)}. "
        f"<i>Try</i> {html.escape(TRY[one.failure])}.</li>"
        for one in found.findings
    )
    lines += "".join(f"<li>Not judged: {html.escape(problem)}.</li>" for problem in found.problems)
    note = "At first a model answers as before tuning, so an early alarm may pass."
    return (
        f'<div role="status" aria-label="verdict"><b>Verdict: {found.verdict}</b> ({html.escape(when)})'
        f"<ul>{lines}</ul><small>{note}</small></div>"
    )


def readings_html(log: Sequence[dict], reference: dict[str, float]) -> str:
    """The vital signs, a row a reading, newest last; the row above them says what they should be."""
    head = "".join(f"<th>{name}</th>" for name in ("step", *SIGNS))
    should = "".join(f"<td>{reference[name]:.2f}</td>" if name in reference else "<td>–</td>" for name in SIGNS)
    body = "".join(
        f"<tr><td>{entry['step']}</td>{''.join(f'<td>{entry[name]:.2f}</td>' for name in SIGNS)}</tr>" for entry in log
    )
    return f'<table aria-label="readings"><tr>{head}</tr><tr><td>should be</td>{should}</tr>{body}</table>'


def curves_html(log: Sequence[dict], steps: int, reference: dict[str, float]) -> str:
    """A small drawing for each vital sign, side by side where there is room."""
    drawn = "".join(sign_svg(log, name, unit, steps, reference.get(name)) for name, unit in SIGNS.items())
    return f'<div style="display: flex; flex-wrap: wrap">{drawn}</div>'


def sign_svg(log: Sequence[dict], name: str, unit: str, steps: int, should: float | None) -> str:
    """One sign over the steps of the whole run, from 0 to a little above the highest so far; dashed, what it should be.
    Readings that are no number are left out."""
    width, height, left, bottom = 270, 150, 44, 34
    known = [(entry["step"], entry[name]) for entry in log if math.isfinite(entry[name])]
    top = 1.15 * max([value for _, value in known] + [should or 0.0]) or 1.0
    ink = 'font-family="sans-serif" font-size="11" fill="currentColor"'

    def y(value: float) -> float:
        return 20 + (1 - value / top) * (height - bottom - 20)

    spots = [(left + step / steps * (width - left - 16), y(value)) for step, value in known]
    marks = "".join(
        f'<text x="{left - 4}" y="{y(part * top) + 4:.0f}" text-anchor="end" {ink}>{part * top:.3g}</text>'
        for part in (0, 1)
    )
    if should is not None:
        marks += f'<path d="M{left},{y(should):.1f} H{width - 16}" stroke="{COLOURS[1]}" stroke-dasharray="6 3"/>'
    line = " ".join(f"{x:.1f},{at:.1f}" for x, at in spots)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{at:.1f}" r="2.5" fill="{COLOURS[0]}"/>' for x, at in spots)
    now = f"now {known[-1][1]:.2f}" if known else "not yet known"
    told = f"{name} by step, {now}" + (f", should be {should:.2f}" if should is not None else "")
    return (
        f'<svg role="img" aria-label="{html.escape(told)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'style="max-width: 100%"><text x="{left}" y="12" {ink}>{name} ({unit})</text>'
        f'<path d="M{left},20 V{height - bottom} H{width - 16}" fill="none" stroke="currentColor"/>{marks}'
        f'<polyline points="{line}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/>{dots}'
        f'<text x="{left}" y="{height - bottom + 14}" text-anchor="middle" {ink}>0</text>'
        f'<text x="{width - 16}" y="{height - bottom + 14}" text-anchor="middle" {ink}>{steps}</text>'
        f'<text x="{(width + left) / 2}" y="{height - 6}" text-anchor="middle" {ink}>step</text></svg>'
    )
