"""Start, stop, progress and status for a training that runs while the notebook stays in use.

The training runs in a thread of its own, so the kernel stays free to hear the buttons; it is asked to stop between two
steps, never torn off. Only one runs at a time, in whichever widget: two would take each other's cores. Core ipywidgets
only (7 and 8). Also here: the curve that grows, and the table of samples. Not here: what is trained (tuning_lab.py and
the other laboratories), how a curve is drawn (page.py).
"""

from __future__ import annotations

import contextvars
import math
import threading
import time
from collections.abc import Callable, Sequence
from statistics import fmean

import ipywidgets as widgets

from helpers.showing.page import Axes, escape, stroke, svg, svg_text, table, verbatim

MOST_POINTS = 300  # of a curve; more cannot be told apart
current: dict = {}  # the run under way: its thread, the event that stops it, its name and the widget it is shown in
AFTER_RESTART = (
    "After a restart of the kernel, or when you open the notebook again, run this cell again: "
    "the buttons of an earlier kernel do nothing."
)


class LabBox(widgets.VBox):
    """A laboratory. Where it is only text, as on a page without a kernel, it says how to get it back."""

    def __repr__(self) -> str:
        return "(Here is a laboratory: run this cell again to use it.)"


def said(text: str, loud: bool = True) -> str:
    """A status line (HTML) that a screen reader tells when it changes; not `loud`: only when it is asked for."""
    return f'<div role="status" aria-live="{"polite" if loud else "off"}">{text}</div>'


def restart_note() -> widgets.HTML:
    """The line to stand below a laboratory: what to do when its buttons are dead."""
    return widgets.HTML(f"<small><i>{AFTER_RESTART}</i></small>")


def under_way(name: str, inputs: tuple = ()) -> widgets.Widget | None:
    """The widget whose training of that name, on the very same inputs, goes on right now: show it again, it is live."""
    thread, known = current.get("thread"), current.get("inputs", ())
    same = len(known) == len(inputs) and all(one is other for one, other in zip(known, inputs, strict=True))
    going = thread is not None and thread.is_alive() and current.get("name") == name and same
    return current.get("view") if going else None


def focus(control: widgets.Widget) -> None:
    """Put the keyboard's focus on a control, where ipywidgets can (8; in 7 it stays where it is)."""
    if hasattr(control, "focus"):
        control.focus()


class LiveRun:
    """The two buttons, the bar and the status line. `work(run)` is the training: it calls `run.progress` after every
    step, ends early when that returns True, and returns what the status shall say in the end. `settings` cannot be
    changed while it runs; `clear` empties what an earlier run has shown.

    view, inputs  set these to the whole widget and to what it was made of, and `under_way` hands the widget out again
                  while a run goes on
    """

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
        self.status = widgets.HTML(said("<i>Nothing is trained yet: press Start training.</i>"))
        self.view: widgets.Widget | None = None
        self.inputs: tuple = ()
        self.stop_event, self.start_time, self.last_update, self.step = threading.Event(), 0.0, 0.0, 0
        self.quarter, self.stop_pressed = 0, False
        self.start.on_click(self.on_start)
        self.stop.on_click(self.on_stop)

    @property
    def buttons(self) -> widgets.HBox:
        return widgets.HBox([self.start, self.stop])

    @property
    def stopped(self) -> bool:
        return self.stop_event.is_set()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start_time

    def progress(self, step: int, total: int, text: str, draw: Callable[[], None] = lambda: None) -> bool:
        """Show a step, twice a second at most, and call `draw`; -> whether to stop."""
        now, self.step = time.perf_counter(), step
        if now - self.last_update > 0.5 or step == total:
            self.last_update, self.bar.value = now, step
            draw()
            quarter = 4 * step // total  # told aloud four times a run, not twice a second
            loud, self.quarter = quarter != self.quarter, quarter
            line = f"<i>Training, live: step {step} of {total}, {text}, {self.seconds:.0f} s.</i>"
            self.status.value = said(line, loud)
        return self.stopped

    def busy(self, now: bool) -> None:
        for control in (self.start, *self.settings):
            control.disabled = now
        self.stop.disabled = not now

    def run(self, previous: threading.Thread | None) -> None:
        """In the thread: wait for the run before, do the work, say how it ended."""
        try:
            if previous is not None:
                previous.join()
            self.start_time = time.perf_counter()
            self.status.value = said(self.work(self))
        except Exception as problem:  # a thread has nobody to raise to: say it where the learner looks
            why = escape(str(problem) or type(problem).__name__)
            self.status.value = said(f"<b>The training failed after {self.step} steps:</b> {why}")
        finally:
            self.bar.value = self.step
            self.busy(False)
            if self.stopped and self.stop_pressed:  # Stop cannot hold the focus any more
                focus(self.start)

    def on_start(self, _) -> None:
        if self.start.disabled:  # a second click that waited while the kernel was busy with the first
            return
        previous = current.get("thread")
        if previous is not None:
            current["stop"].set()
        self.stop_event, self.step, self.bar.value = threading.Event(), 0, 0
        self.quarter, self.stop_pressed = 0, False
        self.busy(True)
        focus(self.stop)  # Start cannot hold it now, and this is what one may want to press next
        self.clear()
        self.status.value = said("<i>Beginning.</i>")
        # The thread gets the button's context, by which ipykernel 7 knows to which cell its messages belong.
        target = contextvars.copy_context().run
        thread = threading.Thread(target=target, args=(self.run, previous), daemon=True, name=self.name)
        current.update(thread=thread, stop=self.stop_event, name=self.name, view=self.view, inputs=self.inputs)
        thread.start()

    def on_stop(self, _) -> None:
        if self.stop.disabled:  # it has ended meanwhile, and the status says how
            return
        self.status.value = said("<i>Stopping after this step.</i>")  # before it ends, which writes another
        self.stop_pressed = True
        self.stop_event.set()


def curve_svg(curves: dict[str, Sequence[float]], steps: int, highest: float) -> str:
    """Losses so far as a drawing: axes for the whole run, a line a curve. With several curves a legend names each by
    colour and dash. NaN steps are left out."""
    axes = Axes(steps, highest)
    parts, latest = axes.parts("loss (nats per token)"), []
    for number, (name, losses) in enumerate(curves.items()):
        points = [(step, loss) for step, loss in enumerate(losses, 1) if math.isfinite(loss)]
        parts.append(axes.line(bin_means(points), number))
        latest.append(f"{name} {points[-1][1]:.2f}" if points else f"{name} not yet known")
        if len(curves) > 1:
            x, y = axes.width - 190, 14 + 16 * number
            parts += [f'<path d="M{x},{y - 4} h26" {stroke(number)}/>', svg_text(x + 32, y, name)]
    return svg(axes.width, axes.height, f"loss by step, now {', '.join(latest)}", parts)


def bin_means(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most MOST_POINTS points: the last step and the mean value of each few neighbours."""
    count = min(len(points), MOST_POINTS)
    ends = [round(part * len(points) / count) for part in range(count + 1)] if count else []
    bins = [points[start:end] for start, end in zip(ends, ends[1:], strict=False)]
    return [(few[-1][0], fmean(value for _, value in few)) for few in bins]


def samples_html(samples: Sequence[tuple[int, list[tuple[str, str]]]]) -> str:
    """What the model wrote after each prompt, newest first; what was asked stands before it, and it is bold."""
    rows = [
        (str(step), verbatim(prompt) + verbatim(text, "b"))
        for step, texts in reversed(samples)
        for prompt, text in texts
    ]
    return table(("step", "prompt and what came"), rows, label="samples", numbers=(0,))
