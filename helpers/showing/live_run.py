"""Start, stop, progress and status for a training that runs while the notebook stays in use.

The training runs in a thread of its own, so the kernel stays free to hear the buttons; it is asked to stop between two
steps, never torn off. Only one runs at a time, in whichever widget: two would take each other's cores. Core ipywidgets
only (7 and 8). Also here: the curve that grows.
"""

from __future__ import annotations

import contextvars
import html
import threading
import time
from collections.abc import Callable, Sequence

import ipywidgets as widgets
import numpy as np

running: dict = {}  # the run under way: its thread and the event that stops it
COLOURS = ("#0072B2", "#D55E00")
DASHES = ("none", "6 3")


class LiveRun:
    """The two buttons, the bar and the status line. `work(run)` is the training: it calls `run.progress` after every
    step, ends early when that returns True, and returns what the status shall say in the end. `settings` cannot be
    changed while it runs; `clear` empties what an earlier run has shown."""

    def __init__(
        self,
        settings: Sequence[widgets.Widget],
        work: Callable[[LiveRun], str],
        clear: Callable[[], None],
        *,
        name: str = "training",
        tooltip: str = "Train a new model",
    ):
        self.settings, self.work, self.clear, self.name = settings, work, clear, name
        self.start = widgets.Button(description="Start training", tooltip=tooltip)
        self.stop = widgets.Button(description="Stop", tooltip="Stop after the step under way", disabled=True)
        self.bar = widgets.IntProgress(
            value=0, min=0, max=1, description="Progress", layout=widgets.Layout(width="95%")
        )
        self.status = widgets.HTML("<i>Nothing is trained yet: press Start training.</i>")
        self.stopping, self.began, self.shown, self.done = threading.Event(), 0.0, 0.0, 0
        self.start.on_click(self.on_start)
        self.stop.on_click(self.on_stop)

    @property
    def buttons(self) -> widgets.HBox:
        return widgets.HBox([self.start, self.stop])

    @property
    def stopped(self) -> bool:
        return self.stopping.is_set()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def progress(self, done: int, total: int, text: str, draw: Callable[[], None]) -> bool:
        """Show a step, twice a second at most, and call `draw`; -> whether to stop."""
        now, self.done = time.perf_counter(), done
        if now - self.shown > 0.5 or done == total:
            self.shown, self.bar.value = now, done
            draw()
            self.status.value = f"<i>Training, live: step {done} of {total}, {text}, {self.seconds:.0f} s.</i>"
        return self.stopped

    def busy(self, now: bool) -> None:
        for control in (self.start, *self.settings):
            control.disabled = now
        self.stop.disabled = not now

    def run(self, before: threading.Thread | None) -> None:
        """In the thread: wait for the run before, do the work, say how it ended."""
        try:
            if before is not None:
                before.join()
            self.began = time.perf_counter()
            self.status.value = self.work(self)
        except Exception as problem:  # a thread has nobody to raise to: say it where the learner looks
            why = html.escape(str(problem) or type(problem).__name__)
            self.status.value = f"<b>The training failed after {self.done} steps:</b> {why}"
        finally:
            self.bar.value = self.done
            self.busy(False)

    def on_start(self, _) -> None:
        if self.start.disabled:  # a second click that waited while the kernel was busy with the first
            return
        before = running.get("thread")
        if before is not None:
            running["stop"].set()
        self.stopping, self.done, self.bar.value = threading.Event(), 0, 0
        self.busy(True)
        self.clear()
        self.status.value = "<i>Beginning.</i>"
        # The thread gets the button's context, by which ipykernel 7 knows to which cell its messages belong.
        target = contextvars.copy_context().run
        thread = threading.Thread(target=target, args=(self.run, before), daemon=True, name=self.name)
        running.update(thread=thread, stop=self.stopping)
        thread.start()

    def on_stop(self, _) -> None:
        if self.stop.disabled:  # it has ended meanwhile, and the status says how
            return
        self.status.value = "<i>Stopping after this step.</i>"  # before it ends, which writes another
        self.stopping.set()


def curve_svg(curves: dict[str, Sequence[float]], steps: int, highest: float) -> str:
    """Losses so far as a drawing: axes for the whole run, a line a curve, at most 300 points each (means of their
    neighbours). With several curves a legend names each by colour and dash. NaN steps are left out."""
    width, height, left, right, bottom = 560, 200, 46, 24, 36
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
    lines, told = "", []
    for number, (name, losses) in enumerate(curves.items()):
        known = [(step, loss) for step, loss in enumerate(losses, 1) if np.isfinite(loss)]
        chunks = np.array_split(np.array(known), min(len(known), 300)) if known else []
        points = " ".join(
            f"{left + chunk[-1, 0] / steps * (width - left - right):.1f},"
            f"{8 + (1 - min(1.0, chunk[:, 1].mean() / highest)) * (height - bottom - 8):.1f}"
            for chunk in chunks
        )
        style = f'stroke="{COLOURS[number]}" stroke-width="2" stroke-dasharray="{DASHES[number]}"'
        lines += f'<polyline points="{points}" fill="none" {style}/>'
        told.append(f"{name} {known[-1][1]:.2f}" if known else f"{name} not yet known")
        if len(curves) > 1:
            x, y = width - 190, 16 + 16 * number
            lines += f'<path d="M{x},{y - 4} h26" {style}/><text x="{x + 32}" y="{y}" {ink}>{html.escape(name)}</text>'
    return (
        f'<svg role="img" aria-label="loss by step, now {html.escape(", ".join(told))}" '
        f'viewBox="0 0 {width} {height}" width="{width}" '
        f'style="max-width: 100%"><path d="M{left},8 V{height - bottom} H{width - right}" fill="none" '
        f'stroke="currentColor"/>{marks}'
        f'<text x="{(width + left) / 2}" y="{height - 4}" text-anchor="middle" {ink}>step</text><text x="12" '
        f'y="{(height - bottom) / 2}" text-anchor="middle" {ink} '
        f'transform="rotate(-90 12 {(height - bottom) / 2})">loss (nats per token)</text>{lines}</svg>'
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
