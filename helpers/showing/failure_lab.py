"""A widget that ruins a copy of the base model, or saves it, while detectors read its log; then the truth is measured.

Four vital signs as growing curves, each against what it should be and against a healthy twin, which is trained after
the run with the same number of steps; a verdict after every reading; in the end what really became of the model. Not
here: what a plan changes (plans.py), what a log says (diagnostics.py), threads and buttons (live_run.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets

from helpers.experiments.failure_logs import ALIKE, KINDS, Run
from helpers.experiments.plans import HEALTHY, Plan, outcomes, planned_rows, run_plan, statements_completed
from helpers.judging.diagnostics import FORGOTTEN, TRY, Diagnosis, diagnose
from helpers.judging.dimensions import ROOM
from helpers.judging.vital_signs import READINGS, Watch
from helpers.learning.language_model import LanguageModel, TooLong
from helpers.learning.recipe import TUNING_ROWS
from helpers.learning.training import TrainingDiverged
from helpers.showing.live_run import LabBox, LiveRun, restart_note, under_way
from helpers.showing.page import answer_html, escape, sign_svg, table
from helpers.text.facts import World

SIGNS = {
    "loss": "nats per token",
    "perplexity": "of fresh documents",
    "words": "an answer",
    "distinct at the start": "share of trigrams",
}
QUESTION = "What is the capital of Portugal?"
FACTORS = (0.1, 0.3, 1, 3, 10, 30, 100)  # of the healthy rate
STEPS = (24, 40, 60, 100, 150, 300, 600)
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
Detector = Callable[[list[dict], dict], set]


def failure_lab(base: LanguageModel, world: World, *, seed: int = 0, detector: Detector | None = None) -> widgets.VBox:
    """Tune a copy of `base` by a plan of your own, live. Finished or stopped, the run leaves a model that answers the
    question, a verdict on its readings and the truth about it; if it diverges, the verdict is on those before, and the
    model that answered goes on answering. Starting a run stops one that is still going.

    detector   a function of log and reference that returns names of failures: its word stands beside the course's
    """
    inputs = (base, world, seed, detector)
    if (view := under_way("failures", inputs)) is not None:
        return view
    look = {"layout": widgets.Layout(width="95%"), "style": {"description_width": "initial"}}

    def menu(name: str, values: Sequence, value, form: str = "{:g}") -> widgets.Dropdown:
        return widgets.Dropdown(
            options=[(form.format(one), one) for one in values], value=value, description=name, **look
        )

    rate = menu("Peak rate", [HEALTHY.rate * factor for factor in FACTORS], HEALTHY.rate)
    steps = menu("Steps", STEPS, 60)
    long, opening = menu("Long answers", SHARES, 0.0, "{:.0%}"), menu("One opening", SHARES, 0.0, "{:.0%}")
    weights = widgets.Dropdown(options=[("all weights", False), ("LoRA", True)], description="Train", **look)
    replay = menu("Replay", [0.0, 0.01, 0.1, 0.25, 0.5, 0.75], 0.0, "{:.0%}")
    twin = widgets.Checkbox(value=True, description="Then train its healthy twin", indent=False, **look)
    prompt = widgets.Text(value=QUESTION, description="Question", continuous_update=False, layout=look["layout"])
    plan_line, curves, verdict, truth, readings, answer = (widgets.HTML() for _ in range(6))
    settings = [rate, steps, long, opening, weights, replay, twin]
    watch = Watch(base, world)
    rows = len(planned_rows(world, HEALTHY))
    model = {"lm": base, "name": "the base model, not tuned yet"}
    completed: list[float] = []  # by the base model; measured when first wanted
    twins: dict[int, Run] = {}  # steps -> the healthy run of that length

    def on_ask(_=None) -> None:
        try:
            text = model["lm"].ask(prompt.value)
        except TooLong as problem:
            text = f"({problem})"
        answer.value = answer_html(model["name"], text)

    def show(log: Sequence[dict], when: str, beside: Sequence[dict] = ()) -> None:
        curves.value = curves_html(log, steps.value, watch.reference, beside)
        readings.value = readings_html(log, watch.reference)
        said = (detector_says(detector, log, watch.reference),) if detector else ()
        verdict.value = verdict_html(diagnose(log, watch.reference), f"{when}, {len(log)} readings", *said)

    def tune(run: LiveRun, plan: Plan, what: str, on_reading: Callable[[list[dict]], None]) -> tuple:
        """Tune by a plan; -> the model, the steps that were done, and its log."""
        done = 0

        def on_step(_: LanguageModel, record: dict) -> bool:
            nonlocal done
            done = record["step"] + 1
            return run.progress(done, plan.steps, f"{what}loss {record['loss']:.2f}")

        how = {"watch": watch, "on_step": on_step, "on_reading": on_reading, "progress": False}
        tuned, log = run_plan(base, world, plan, seed, **how)
        return tuned, done, log

    def judged(plan: Plan, tuned: LanguageModel, log: list[dict]) -> Run:
        completed[:] = completed or [statements_completed(base, world)]
        figures = outcomes(tuned, world) | {"base completed": completed[0]}
        return Run(f"{plan}", seed, log, watch.reference, figures)

    def work(run: LiveRun) -> str:
        plan = Plan(rate.value, steps.value, weights.value, long=long.value, opening=opening.value, replay=replay.value)
        healthy = Plan(steps=plan.steps)
        beside = twins[plan.steps].log if twin.value and plan != healthy and plan.steps in twins else []
        log: list[dict] = []

        def on_reading(entries: list[dict]) -> None:
            log[:] = entries
            show(log, "So far", beside)

        try:
            tuned, step, _ = tune(run, plan, "", on_reading)
        except TrainingDiverged:  # the status line says so; the log ends before
            show(log, "Before the loss was lost", beside)
            raise
        stopped = run.stopped and step < plan.steps
        when = "When it was stopped" if stopped else "In the end"
        show(log, when, beside)
        model.update(lm=tuned, name=f"tuned for {step} steps at peak rate {plan.rate:g}")
        on_ask()
        run.progress(step, plan.steps, "now measuring what became of it")
        result, other = judged(plan, tuned, log), None
        if plan == healthy and not stopped:
            twins[plan.steps] = result
        elif twin.value and not run.stopped:
            if plan.steps not in twins:
                twin_log: list[dict] = []

                def on_twin(entries: list[dict]) -> None:
                    twin_log[:] = entries
                    curves.value = curves_html(log, plan.steps, watch.reference, twin_log)

                truth.value = truth_html(result, None, said_of(result))
                lm, reached, _ = tune(run, healthy, "the healthy twin, ", on_twin)
                if reached == plan.steps:
                    twins[plan.steps] = judged(healthy, lm, twin_log)
            other = twins.get(plan.steps)
            show(log, when, other.log if other else [])
        truth.value = truth_html(result, other, said_of(result))
        return (
            f"<i>{'Stopped by you' if stopped else 'Done'} after {step} of {plan.steps} steps, {run.seconds:.0f} s. "
            "The model of this run answers now; Start begins again from the base model.</i>"
        )

    def said_of(run: Run) -> set[str]:
        """What is held against the truth: the word of your detector, if there is one, else of the course's."""
        if detector is None:
            return diagnose(run.log, run.reference).failures
        return detector_says(detector, run.log, run.reference)

    def on_setting(_=None) -> None:
        total = rows + round(rows * replay.value / (1 - replay.value))
        after = "its healthy twin follows" if twin.value else "no twin follows"
        plan_line.value = (
            f"<i>The next run: {steps.value} steps of {TUNING_ROWS} rows, "
            f"{steps.value * TUNING_ROWS / total:.1f} times through {total} rows ({replay.value:.0%} of them pieces of "
            f"pre-training text), peak rate {rate.value:g}, {weights.label}; {long.value:.0%} of answers long, "
            f"{opening.value:.0%} with one opening. {READINGS + 1} readings of the vital signs; {after}.</i>"
        )

    def clear() -> None:
        run.bar.max = steps.value
        show([], "Before any step")
        truth.value = "<i>What really became of the model is measured when its run is over.</i>"

    run = LiveRun(settings, work, clear, name="failures", tooltip="Tune a copy of the base model by this plan")
    prompt.observe(on_ask, "value")
    for setting in settings:
        setting.observe(on_setting, "value")
    on_setting()
    clear()
    on_ask()
    parts = [run.buttons, run.bar, run.status, curves, verdict, truth, readings, prompt, answer, restart_note()]
    run.view, run.inputs = LabBox([*settings, plan_line, *parts]), inputs
    return run.view


def detector_says(detector: Detector, log: Sequence[dict], reference: dict[str, float]) -> set[str]:
    """What a learner's detector returns, as a set of names; what it raises, as one name."""
    try:
        return set(detector(list(log), reference))
    except Exception as problem:  # their code: the laboratory goes on, and says what happened
        return {f"stopped with {type(problem).__name__}: {problem}"}


def names_html(names: set[str], none: str = "healthy") -> str:
    return escape(", ".join(sorted(map(str, names))) or none)


def verdict_html(diagnosis: Diagnosis, when: str, yours: set[str] | None = None) -> str:
    """A diagnosis in words: what was seen, how sure that is, what to try; and what the learner's detector says."""
    lines = "".join(
        f"<li><b>{escape(one.failure)}</b> ({one.sure}, since step {one.since}): {escape(one.saw)}. "
        f"<i>Try</i> {escape(TRY[one.failure])}.</li>"
        for one in diagnosis.findings
    )
    lines += "".join(f"<li>Not judged: {escape(problem)}.</li>" for problem in diagnosis.problems)
    if yours is not None:
        lines += f"<li>Your detector says: <b>{names_html(yours)}</b>.</li>"
    note = "At first a model answers as before tuning, so an early alarm may pass."
    return (
        f'<div role="status" aria-label="verdict"><b>Verdict: {diagnosis.verdict}</b> ({escape(when)})'
        f"<ul>{lines}</ul><small>{note}</small></div>"
    )


def truth_html(run: Run, twin: Run | None, said: set[str]) -> str:
    """What really became of a model, its twin beside it, and whether the detector knew."""

    def cells(one: Run | None) -> list[str]:
        if one is None:
            return ["–"] * 4
        figures = one.outcomes
        lost = 100 * (figures["base completed"] - figures["completed"])
        return [
            f"{lost:.1f} points",
            f"{figures['times the words']:.2f} times",
            f"{100 * figures['one opening']:.0f}%",
            f"{100 * figures['exact']:.0f}%",
        ]

    names = ("statements forgotten", "words, times what is needed", "answers with one opening", "answered exactly")
    bars = (f"more than {100 * FORGOTTEN:g}", f"from {ROOM:g} on", f"from {ALIKE:.0%} on", "")
    rows = list(zip(names, cells(run), cells(twin), bars, strict=True))
    missed, cried = run.truth - said, (said & set(KINDS)) - run.truth
    words = f"What really became of it: {', '.join(sorted(run.truth)) or 'no failure'}. " + (
        f"The detector missed {', '.join(sorted(missed))}: you fooled it."
        if missed
        else f"The detector cried wolf about {', '.join(sorted(cried))}."
        if cried
        else "The detector was right."
    )
    head = ("measured on development facts", "this run", "its healthy twin", "counts as failing")
    return f'<div role="status" aria-label="truth"><b>{escape(words)}</b></div>' + table(
        head, rows, label="what became of it"
    )


def readings_html(log: Sequence[dict], reference: dict[str, float]) -> str:
    """The vital signs, a row a reading, newest last; the row above them says what they should be."""
    should = ["should be", *(f"{reference[name]:.2f}" if name in reference else "–" for name in SIGNS)]
    rows = [[str(entry["step"]), *(f"{entry[name]:.2f}" for name in SIGNS)] for entry in log]
    return table(("step", *SIGNS), [should, *rows], label="readings", numbers=range(len(SIGNS) + 1))


def curves_html(log: Sequence[dict], steps: int, reference: dict[str, float], twin: Sequence[dict] = ()) -> str:
    """A small drawing for each vital sign, side by side where there is room; a healthy twin's beside it."""
    curves = (sign_svg(log, name, f"{name} ({unit})", steps, reference.get(name), twin) for name, unit in SIGNS.items())
    return f'<div style="display: flex; flex-wrap: wrap">{"".join(curves)}</div>'


def still(run: Run, twin: Run, detector: Detector) -> str:
    """A stored run as the laboratory shows one when it is over."""
    log, reference = run.log, run.reference
    said = detector_says(detector, log, reference)
    return (
        curves_html(log, log[-1]["step"], reference, twin.log)
        + verdict_html(diagnose(log, reference), f"In the end, {len(log)} readings", said).replace(' role="status"', "")
        + truth_html(run, twin, said).replace(' role="status"', "")
    )
