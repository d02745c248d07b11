"""A widget that pre-trains a new model while you look on: loss curve, samples, and a stop button that stops.

Nothing here plays back a recording: every point of the curve is a step just taken. Not here: tuning (tuning_lab.py),
saving what was trained, threads and buttons (live_run.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np

from helpers.judging.vital_signs import reading_steps
from helpers.learning.language_model import LanguageModel
from helpers.learning.model import Config, Parameters, Transformer
from helpers.learning.recipe import OPTIMIZER
from helpers.learning.training import AdamW, Muon, Recipe, stream_batches, train
from helpers.showing.live_run import LabBox, LiveRun, curve_svg, restart_note, samples_html, under_way
from helpers.text.tokenizer import Tokenizer

SAMPLES = 10  # how often in a run the prompts are completed, the first time (after one step) apart
ROWS = 4  # a step


def pretraining_lab(
    tokenizer: Tokenizer,
    stream: np.ndarray,
    prompts: Sequence[str],
    *,
    steps: int = 300,
    seed: int = 0,
) -> widgets.VBox:
    """Train a new model on `stream` (token ids, as `recipe.tokenize` gives them), live, with start and stop buttons.

    `steps` is how many the field proposes. Starting a run stops one that is still going, in this widget or another;
    called again on the same text while its run goes on, it gives the same widget, live.
    """
    if (running := under_way("pre-training", (tokenizer, stream))) is not None:
        return running
    config = Config(tokenizer.vocab_size, layers=2)
    wide = widgets.Layout(width="95%")
    count = widgets.BoundedIntText(value=steps, min=20, max=max(2000, steps), step=20, description="Steps", layout=wide)
    rates = [(f"{value:g}", value) for value in (1e-4, 1e-3, 3e-3, 1e-2, 0.1, 1.0)]
    rate = widgets.Dropdown(options=rates, value=3e-3, description="Peak rate", layout=wide)
    kinds = {kind.__name__: kind for kind in (Muon, AdamW)}
    optimizer = widgets.Dropdown(options=list(kinds), value=OPTIMIZER.__name__, description="Optimizer", layout=wide)
    prompt = widgets.Text(value=prompts[0], description="Prompt", continuous_update=False, layout=wide)
    curve, samples = widgets.HTML(), widgets.HTML()
    highest = float(np.log(config.vocab)) + 1

    def work(run: LiveRun) -> str:
        losses: list[float] = []
        texts: list[tuple[int, list[tuple[str, str]]]] = []
        total, due = count.value, reading_steps(count.value, SAMPLES)
        model = Transformer(Parameters(config).initialise(seed))
        lm = LanguageModel(tokenizer, model, {"made by": "pre-training in a notebook"})

        def draw() -> None:
            curve.value = curve_svg({"loss": losses}, total, highest)

        def on_step(record: dict) -> bool:
            losses.append(record["loss"])
            step = record["step"] + 1
            if step in due:
                mine = list(dict.fromkeys([prompt.value, *prompts[1:]]))
                texts.append((step, list(zip(mine, lm.complete_all(mine, 16), strict=True))))
                samples.value = samples_html(texts)
            return run.progress(step, total, f"loss {losses[-1]:.2f}", draw)

        recipe = Recipe(total, rate.value, warmup=min(30, total), seed=seed)
        batches = stream_batches(stream, ROWS, config.context, seed)
        train(model, batches, recipe, on_step=on_step, progress=False, optimizer=kinds[optimizer.value])
        draw()
        how = "Stopped by you" if run.stopped and len(losses) < total else "Done"
        return (
            f"<i>{how} after {len(losses)} of {total} steps of {optimizer.value} at {rate.value:g}: "
            f"loss {losses[-1]:.2f}, {run.seconds:.0f} s. "
            "Start again begins from nothing.</i>"
        )

    def clear() -> None:
        run.bar.max, samples.value = count.value, ""
        curve.value = curve_svg({"loss": []}, count.value, highest)

    run = LiveRun(
        [count, rate, optimizer], work, clear, name="pre-training", tooltip="Train a new model from random parameters"
    )
    clear()
    run.inputs = (tokenizer, stream)
    settings = [count, rate, optimizer, prompt]
    run.view = LabBox([*settings, run.buttons, run.bar, run.status, curve, samples, restart_note()])
    return run.view
