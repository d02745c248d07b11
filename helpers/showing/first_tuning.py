"""Tune a model in the cell itself and watch: the loss falls, the answers change, and the model comes back.

No buttons: the cell runs until it is done, and the square in the toolbar (interrupt the kernel) stops it early. Not
here: a training beside which the notebook stays in use (tuning_lab.py), the tuning itself (sft.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from IPython.display import HTML, display

from helpers.judging.vital_signs import reading_steps
from helpers.learning.language_model import LanguageModel
from helpers.learning.sft import fine_tune
from helpers.learning.training import Recipe
from helpers.showing.live_run import curve_svg
from helpers.showing.page import table, verbatim

RATE, WARMUP = 3e-4, 5
READINGS = 4  # how often the questions are asked
TOP = 4.0  # the loss at the top of the drawing


def page(losses: Sequence[float], steps: int, questions: Sequence[str], answers: dict[int, list[str]]) -> HTML:
    """The curve so far, and below it the answers, a column for each reading."""
    head = ("question", *(f"after step {step}" for step in answers))
    rows = [
        [verbatim(question), *(verbatim(column[number]) for column in answers.values())]
        for number, question in enumerate(questions)
    ]
    return HTML(curve_svg({"loss": losses}, steps, TOP) + table(head, rows, label="answers by step"))


def tune_and_watch(
    base: LanguageModel, rows: list[tuple[str, str]], questions: Sequence[str], *, steps: int = 30, seed: int = 0
) -> LanguageModel:
    """A copy of `base`, tuned on `rows` of (question, answer); `questions` are asked on the way, and not tuned on.

    Interrupted, it gives back the model as it was then.
    """
    turns = [
        [{"role": role, "content": text} for role, text in zip(("user", "assistant"), row, strict=True)] for row in rows
    ]
    losses: list[float] = []
    answers: dict[int, list[str]] = {}
    due = {*reading_steps(steps, READINGS - 1), steps}
    shown = display(page(losses, steps, questions, answers), display_id=True)
    state = {"model": base}

    def on_step(lm: LanguageModel, record: dict) -> None:
        state["model"] = lm
        losses.append(record["loss"])
        if len(losses) in due:
            answers[len(losses)] = lm.ask_all(list(questions))
        shown.update(page(losses, steps, questions, answers))

    try:
        recipe = Recipe(steps, RATE, warmup=min(WARMUP, steps), seed=seed)
        fine_tune(base, [{"messages": one} for one in turns], recipe, size=len(rows), on_step=on_step, progress=False)
    except KeyboardInterrupt:
        display(HTML(f"<i>Stopped by you after {len(losses)} of {steps} steps; this model is used.</i>"))
    return state["model"]
