"""Predict, then run: a box to guess a figure before it is measured, and guess and figure side by side after it.

    guess.ask("03 off by one", "Trained with the off-by-one mask: which share of test facts is right?")
    guess.reveal("03 off by one", 55.2, (41.0, 69.4))
    guess.calibration()              all guesses of the course: how many ranges hold the measured value

A guess is a range of which the learner is 80% sure, so that it can be judged: of ten such ranges eight should hold.
The first guess counts; once its figure was shown it cannot be changed. Guesses are kept on this machine
(helpers/progress.py), and nothing needs them.
"""

from __future__ import annotations

import ipywidgets as widgets
from IPython.display import HTML, display

from helpers import progress
from helpers.files import FileProblem
from helpers.showing.page import COLOURS, escape, svg, svg_text, table

SURE = 0.8  # how often a range should hold the measured value


def ask(key: str, question: str, unit: str = "%", low: float = 0, high: float = 100) -> None:
    """Show the question, two fields and a button.

    key        the notebook's number and a few words, as "03 off by one"; the same for `reveal`
    low, high  the range of values that make sense
    """
    how = f"<i>Give a range, in {escape(unit)}, of which you are 80% sure.</i>"
    display(HTML(f"<p><b>Your guess first.</b> {escape(question)} {how}</p>"))  # stays readable without a kernel
    display(box(key, question, unit, low, high))


def box(key: str, question: str, unit: str, low: float, high: float) -> widgets.VBox:
    """The two fields, the button and what became of the guess."""
    before = progress.section("guesses").get(key)
    layout, style = widgets.Layout(width="170px"), {"description_width": "60px"}
    fields = [
        widgets.BoundedFloatText(value=value, min=low, max=high, description=name, layout=layout, style=style)
        for name, value in (
            ("at least", before["low"] if before else low),
            ("at most", before["high"] if before else high),
        )
    ]
    button = widgets.Button(description="Keep my guess", tooltip="Stored on this machine only")
    status = widgets.HTML(said("Kept before", before, unit) if before else said("No guess yet", None, unit))

    def on_keep(_) -> None:
        guess = {"question": question, "unit": unit, "low": fields[0].value, "high": fields[1].value}
        if guess["low"] > guess["high"]:
            status.value = said(f"Not kept: {guess['low']:g} is more than {guess['high']:g}", None, unit)
            return
        earlier = progress.section("guesses").get(key)
        if earlier and "measured" in earlier:
            status.value = said("The measured figure was shown already, so your first guess stays", earlier, unit)
            return
        try:
            progress.keep("guesses", key, guess)
            status.value = said("Kept", guess, unit)
        except FileProblem as problem:
            status.value = said(f"Not kept: {problem}", None, unit)

    button.on_click(on_keep)
    return widgets.VBox([widgets.HBox([*fields, button], layout=widgets.Layout(flex_flow="row wrap")), status])


def said(what: str, guess: dict | None, unit: str) -> str:
    """A line that a screen reader tells when it changes."""
    span = f": {guess['low']:g} to {guess['high']:g} {unit}" if guess else ""
    return f'<div role="status"><i>{escape(what + span)}.</i></div>'


def reveal(key: str, measured: float, interval: tuple[float, float] | None = None) -> HTML:
    """The measured figure (with its 95% interval) beside the guess, if there is one; -> HTML to show.

    It is stored with the guess, for `calibration`.
    """
    guess = progress.section("guesses").get(key)
    if not guess:
        return HTML(f"<p>Measured: {measured:.3g}{between(interval)}. <i>(You kept no guess here.)</i></p>")
    if "measured" not in guess:
        guess["measured"] = float(measured)
        try:
            progress.keep("guesses", key, guess)
        except FileProblem:
            pass  # it is shown all the same
    verdict = "Your range holds it." if holds(guess) else "It lies outside your range."
    words = (
        f"You guessed {guess['low']:g} to {guess['high']:g} {guess['unit']}; "
        f"measured {measured:.3g}{between(interval)}. {verdict}"
    )
    return HTML(f"<p>{escape(words)}</p>{line_svg(guess, measured, interval, words)}")


def between(interval: tuple[float, float] | None) -> str:
    return f" ({interval[0]:.3g} to {interval[1]:.3g})" if interval else ""


def holds(guess: dict) -> bool:
    return guess["low"] <= guess["measured"] <= guess["high"]


def line_svg(guess: dict, measured: float, interval: tuple[float, float] | None, label: str) -> str:
    """The guess as a bar on a line, the measured figure as a diamond with its interval."""
    values = [guess["low"], guess["high"], measured, *(interval or ())]
    low, high = min(0, *values), max(100 if guess["unit"] == "%" else 0, *values) or 1
    width = 420

    def x(value: float) -> float:
        return 30 + (value - low) / (high - low) * (width - 60)

    left, right, here = x(guess["low"]), x(guess["high"]), x(measured)
    parts = [
        f'<path d="M{x(low):.0f},40 H{x(high):.0f}" stroke="currentColor"/>',
        f'<rect x="{left:.1f}" y="22" width="{max(2, right - left):.1f}" height="10" fill="{COLOURS[0]}"/>',
        svg_text((left + right) / 2, 16, "your guess", "middle"),
        f'<path d="M{here:.1f},41 l6,8 l-6,8 l-6,-8 z" fill="{COLOURS[1]}"/>',
        svg_text(here, 72, "measured", "middle"),
    ]
    if interval:
        parts.append(
            f'<path d="M{x(interval[0]):.1f},49 H{x(interval[1]):.1f}" stroke="{COLOURS[1]}" stroke-width="3"/>'
        )
    return svg(width, 78, label, parts)


def calibration() -> HTML:
    """Every guess whose figure was shown, and how many of the ranges hold it."""
    guesses = {key: guess for key, guess in progress.section("guesses").items() if "measured" in guess}
    if not guesses:
        return HTML("<i>You have kept no guesses yet, so there is nothing to judge. Any notebook has some to make.</i>")
    hits = sum(map(holds, guesses.values()))
    rows = [
        (escape(key), f"{guess['low']:g} to {guess['high']:g}", f"{guess['measured']:.3g}", escape(guess["unit"]),
         "✔ held" if holds(guess) else "✘ missed")
        for key, guess in sorted(guesses.items())
    ]  # fmt: skip
    share, due = hits / len(guesses), SURE * len(guesses)
    verdict = (
        "Your ranges are too narrow: you were surer than you should have been." if hits < due - 1.5
        else "Your ranges are wider than they need be." if share == 1 and len(guesses) >= 8
        else "That is about as sure as you may be."
    )  # fmt: skip
    words = (
        f"{hits} of your {len(guesses)} ranges hold the measured figure; "
        f"if you are 80% sure, about {due:.0f} should. {verdict}"
    )
    head = ("guess", "your range", "measured", "unit", "")
    return HTML(f"<p><b>{escape(words)}</b></p>" + table(head, rows, label="your guesses"))
