"""A widget that pre-trains a new model while you look on: loss curve, samples, and a stop button that stops.

The training runs in a thread of its own, so the kernel stays free to hear the buttons; it is asked to stop between two
steps, never torn off. Nothing here plays back a recording: every point of the curve is a step just taken. Core
ipywidgets only (7 and 8), every text escaped before it is shown. Not here: tuning, saving what was trained.
"""

from __future__ import annotations

import contextvars
import html
import threading
import time
from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np

from helpers.language_model import LanguageModel
from helpers.model import Config, Parameters, Transformer
from helpers.tokenizer import Tokenizer
from helpers.training import Recipe, stream_batches, train

SAMPLES = 10  # how often in a run the prompts are completed
running: dict = {}  # the run under way, in whichever copy of the widget: its thread and the event that stops it


def curve_svg(losses: Sequence[float], steps: int, highest: float) -> str:
    """The losses so far as a drawing: axes for the whole run, at most 300 points, each the mean of its neighbours."""
    width, height, left, right, bottom = 560, 200, 46, 24, 36
    chunks = np.array_split(np.asarray(losses, float), min(len(losses), 300)) if len(losses) else []
    ends = np.cumsum([len(chunk) for chunk in chunks])
    points = " ".join(
        f"{left + end / steps * (width - left - right):.1f},"
        f"{8 + (1 - min(1.0, chunk.mean() / highest)) * (height - bottom - 8):.1f}"
        for end, chunk in zip(ends, chunks, strict=True)
    )
    ink = 'font-family="sans-serif" font-size="11" fill="currentColor"'
    marks = "".join(
        f'<text x="{left - 6}" y="{12 + (1 - value / highest) * (height - bottom - 8):.0f}" '
        f'text-anchor="end" {ink}>{value:.1f}</text>'
        for value in np.linspace(0, highest, 3)
    )
    marks += "".join(
        f'<text x="{left + part * (width - left - right):.0f}" y="{height - bottom + 15}" '
        f'text-anchor="middle" {ink}>{part * steps:.0f}</text>'
        for part in (0, 0.5, 1)
    )
    now = f"{losses[-1]:.2f}" if len(losses) else "not yet known"
    return (
        f'<svg role="img" aria-label="loss by step, now {now}" viewBox="0 0 {width} {height}" width="{width}" '
        f'style="max-width: 100%"><path d="M{left},8 V{height - bottom} H{width - right}" fill="none" '
        f'stroke="currentColor"/>{marks}'
        f'<text x="{(width + left) / 2}" y="{height - 4}" text-anchor="middle" {ink}>step</text><text x="12" '
        f'y="{(height - bottom) / 2}" text-anchor="middle" {ink} '
        f'transform="rotate(-90 12 {(height - bottom) / 2})">loss (nats per token)</text>'
        f'<polyline points="{points}" fill="none" stroke="#0072B2" stroke-width="2"/></svg>'
    )


def samples_html(samples: Sequence[tuple[int, list[tuple[str, str]]]]) -> str:
    """What the model wrote after each prompt, newest first."""
    lines = "".join(
        f'<tr><td style="text-align: right; vertical-align: top">{step}</td><td style="font-family: monospace; '
        f'text-align: left; white-space: pre-wrap; overflow-wrap: anywhere">{html.escape(prompt)}'
        f"<b>{html.escape(text)}</b></td></tr>"
        for step, texts in reversed(samples)
        for prompt, text in texts
    )
    return (
        '<table aria-label="samples"><tr><th>step</th><th style="text-align: left">prompt and what came</th></tr>'
        f"{lines}</table>"
    )


def pretraining_lab(
    tokenizer: Tokenizer,
    stream: np.ndarray,
    prompts: Sequence[str],
    *,
    config: Config | None = None,
    steps: int = 300,
    rows: int = 4,
    seed: int = 0,
) -> widgets.VBox:
    """Train a new model on `stream` (token ids, as `rebuild.tokenize` gives them), live, with start and stop buttons.

    `steps` is where the slider begins. Starting a run stops one that is still going, in this widget or another.
    """
    config = config or Config(tokenizer.vocab_size, layers=2)
    wide = widgets.Layout(width="95%")
    count = widgets.IntSlider(
        value=steps, min=20, max=max(2000, steps), step=20, description="Steps", continuous_update=False, layout=wide
    )
    rate = widgets.SelectionSlider(
        options=[(f"{value:g}", value) for value in (1e-4, 1e-3, 3e-3, 1e-2, 0.1, 1.0)],
        value=3e-3,
        description="Peak rate",
        continuous_update=False,
        layout=wide,
    )
    prompt = widgets.Text(value=prompts[0], description="Prompt", continuous_update=False, layout=wide)
    start = widgets.Button(description="Start training", tooltip="Train a new model from random parameters")
    stop = widgets.Button(description="Stop", tooltip="Stop after the step under way", disabled=True)
    bar = widgets.IntProgress(value=0, min=0, max=steps, description="Progress", layout=wide)
    status = widgets.HTML("<i>Nothing is trained yet: press Start training.</i>")
    curve, samples = widgets.HTML(), widgets.HTML()
    highest = float(np.log(config.vocab)) + 1
    own: dict[str, threading.Event] = {}

    def busy(now: bool) -> None:
        start.disabled = count.disabled = rate.disabled = now
        stop.disabled = not now

    def work(stopping: threading.Event, before: threading.Thread | None) -> None:
        losses: list[float] = []
        kept: list[tuple[int, list[tuple[str, str]]]] = []
        wanted, began, shown = count.value, time.perf_counter(), 0.0
        try:
            if before is not None:
                before.join()  # two trainings at once would take each other's cores
            model = Transformer(Parameters(config).initialise(seed))
            lm = LanguageModel(tokenizer, model, {"made by": "pre-training in a notebook"})

            def on_step(record: dict) -> bool:
                nonlocal shown
                losses.append(record["loss"])
                done, now = record["step"] + 1, time.perf_counter()
                if done == 1 or done == wanted or done % max(1, wanted // SAMPLES) == 0:
                    asked = list(dict.fromkeys([prompt.value, *prompts[1:]]))
                    kept.append((done, list(zip(asked, lm.complete_all(asked, 16), strict=True))))
                    samples.value = samples_html(kept)
                if now - shown > 0.5 or done == wanted:
                    shown, bar.value = now, done
                    curve.value = curve_svg(losses, wanted, highest)
                    status.value = (
                        f"<i>Training, live: step {done} of {wanted}, loss {losses[-1]:.2f}, {now - began:.0f} s.</i>"
                    )
                return stopping.is_set()

            train(
                model,
                stream_batches(stream, rows, config.context, seed),
                Recipe(wanted, rate.value, warmup=min(30, wanted), seed=seed),
                on_step=on_step,
                progress=False,
            )
            how = "Stopped by you" if stopping.is_set() and len(losses) < wanted else "Done"
            status.value = (
                f"<i>{how} after {len(losses)} of {wanted} steps: loss {losses[-1]:.2f}, "
                f"{time.perf_counter() - began:.0f} s. Start again begins from nothing.</i>"
            )
        except Exception as problem:  # a thread has nobody to raise to: say it where the learner looks
            why = html.escape(str(problem) or type(problem).__name__)
            status.value = f"<b>The training failed after {len(losses)} steps:</b> {why}"
        finally:
            if losses:
                bar.value, curve.value = len(losses), curve_svg(losses, wanted, highest)
            busy(False)

    def on_start(_) -> None:
        before = running.get("thread")
        if before is not None:
            running["stop"].set()
        own["stop"] = threading.Event()
        busy(True)
        bar.max, bar.value = count.value, 0
        curve.value, samples.value = curve_svg([], count.value, highest), ""
        status.value = "<i>Beginning.</i>"
        # The thread gets the button's context, by which ipykernel 7 knows to which cell its messages belong.
        target, how = contextvars.copy_context().run, (work, own["stop"], before)
        thread = threading.Thread(target=target, args=how, daemon=True, name="pre-training")
        running.update(thread=thread, stop=own["stop"])
        thread.start()

    def on_stop(_) -> None:
        own["stop"].set()
        status.value = "<i>Stopping after this step.</i>"

    start.on_click(on_start)
    stop.on_click(on_stop)
    curve.value = curve_svg([], steps, highest)
    return widgets.VBox([count, rate, prompt, widgets.HBox([start, stop]), bar, status, curve, samples])
