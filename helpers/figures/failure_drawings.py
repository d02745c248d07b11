"""Drawings of notebook 06: twins that differ in one thing, what LoRA adds to a matrix, and how a detector reads a log.

Not here: measured figures (when_it_goes_wrong.py), how a drawing is made (showing/diagrams.py).
"""

from __future__ import annotations

from helpers.showing.diagrams import Drawing


def twins_drawing() -> Drawing:
    """A healthy run, its failing twin, and a cure: one change at each arrow."""
    drawing = Drawing(
        560, 214, "A healthy plan, rate 0.0002 and clean rows. One change, ten times the rate, makes its failing twin. "
        "One more change, LoRA, makes a cure. All three have the same base model, seed, rows and steps."
    )  # fmt: skip
    for x, name, more, fill in (
        (5, "healthy", "rate 2e-4", "plain"), (211, "failing twin", "rate 2e-3", "second"),
        (417, "cure", "rate 2e-3\nwith LoRA", "first"),
    ):  # fmt: skip
        drawing.box(x, 70, 138, 76, name, more, fill)
        drawing.arrow(x + 69, 178, x + 69, 150)
    drawing.arrow(145, 108, 208, 108)
    drawing.arrow(351, 108, 414, 108)
    drawing.text(176, 30, "one change:\n10 times the rate")
    drawing.text(384, 30, "one change:\nLoRA")
    drawing.box(5, 180, 550, 30, "the same base model, seed, rows and number of steps", dashed=True)
    return drawing


def lora_drawing(outputs: int = 128, inputs: int = 128, rank: int = 8) -> Drawing:
    """W stays; B, tall and thin, times A, low and wide, is laid on top."""
    full, thin = outputs * inputs, rank * (outputs + inputs)
    drawing = Drawing(
        560, 240, f"The frozen matrix W, {outputs} by {inputs}, plus s times B, {outputs} by {rank}, times A, {rank} "
        f"by {inputs}. Only B and A are learned: {thin:,} numbers in place of {full:,}. B starts at zero, A at random."
    )  # fmt: skip
    drawing.box(10, 30, 150, 150, "W", f"{outputs} × {inputs}\nfrozen")
    drawing.text(190, 112, "+  s ·", bold=True)
    drawing.box(232, 30, 34, 150, "B", fill="first")
    drawing.text(286, 112, "·", bold=True)
    drawing.box(306, 88, 150, 34, "A", fill="first")
    drawing.text(249, 202, f"{outputs} × {rank}\nstarts at zero")
    drawing.text(381, 148, f"{rank} × {inputs}\nstarts at random")
    drawing.text(85, 202, f"{full:,} numbers\nnot touched")
    drawing.text(470, 202, f"learned: {thin:,}\nnumbers")
    return drawing


def detector_drawing() -> Drawing:
    """From the log to a verdict: can it be read, is anything learned, then each sign against what it should be."""
    drawing = Drawing(
        560, 262, "A log goes through three questions. Can it be read? If not: cannot tell. Has the loss fallen? If "
        "not: nothing is learned. Is each sign, the median of its last three readings, near its reference? If not, the "
        "failure has a name: forgetting, verbosity or style collapse. Otherwise it is healthy."
    )  # fmt: skip
    questions = (
        (14, "4 readings,\nall of them numbers?", "cannot tell"),
        (100, "has the loss fallen?", "nothing is learned"),
        (186, "median of the last 3\nnear the reference?", "forgetting, verbosity,\nstyle collapse"),
    )
    for y, question, verdict in questions:
        drawing.box(120, y, 190, 50, question)
        drawing.arrow(312, y + 25, 358, y + 25, "no")
        drawing.box(360, y, 196, 50, verdict, fill="second")
    drawing.box(4, 14, 62, 50, "log", fill="first")
    drawing.arrow(68, 39, 118, 39)
    drawing.arrow(215, 66, 215, 98)
    drawing.arrow(215, 152, 215, 184)
    drawing.text(236, 88, "yes", "start")
    drawing.text(236, 174, "yes", "start")
    drawing.arrow(118, 211, 72, 211, "yes")
    drawing.text(36, 216, "healthy", bold=True)
    return drawing
