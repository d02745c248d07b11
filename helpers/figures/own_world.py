"""The mission of notebook 08: its way as a drawing, the steps as they go, what each try gave, and how to read guesses.

Not here: how a try is made and judged (judging/card.py), the page with all of it (showing/report_card.py).
"""

from __future__ import annotations

import html
import json
import textwrap
from collections.abc import Callable, Sequence

from IPython.display import HTML, Markdown, display

from helpers.judging.card import FEWEST_RIGHT, FEWEST_TOLD, Card
from helpers.judging.statistics import Share
from helpers.showing import guess
from helpers.showing.diagrams import Drawing
from helpers.showing.page import markdown_table
from helpers.showing.report_card import BY_VALIDATOR
from helpers.text.formats import RowProblem
from helpers.text.own_rows import OwnRows

EVERY = 10  # steps between two signs of life


def mission_path() -> Drawing:
    """From your facts to a win: two questions have to be answered yes."""
    told, right = f"≥ {FEWEST_TOLD:.0%}", f"≥ {FEWEST_RIGHT:.0%}"
    drawing = Drawing(
        540,
        356,
        "Your facts become rows. The validator sets faulty lines aside. The rows are tuned on among the "
        f"course's rows, or alone, or repeated with replay. The new model is asked two things: "
        f"your facts in other words, {told} told, and the world's facts, {right} right. Both have to be so for a win.",
    )
    drawing.box(10, 20, 130, 62, "your facts", "five or more")
    drawing.arrow(140, 51, 200, 51)
    drawing.box(200, 20, 140, 62, "rows", "checked by you", fill="first")
    drawing.arrow(340, 51, 400, 51)
    drawing.box(400, 20, 130, 62, "a try", "150 steps", fill="first")
    drawing.arrow(465, 82, 465, 130)
    drawing.box(300, 130, 230, 44, "your model")
    drawing.arrow(350, 174, 200, 214)
    drawing.arrow(450, 174, 440, 214)
    drawing.box(10, 214, 250, 62, f"your facts {told}", "in words not tuned on", fill="second")
    drawing.box(290, 214, 240, 62, f"the world {right}", "facts never tuned on", fill="second")
    drawing.box(200, 312, 140, 36, "both: you win")
    drawing.arrow(135, 276, 225, 311)
    drawing.arrow(410, 276, 315, 311)
    return drawing


def bad_lines(text: str, bad: list[int]) -> None:
    """The lines that a validator set aside, as they stand."""
    lines = text.split("\n")
    for number in bad:
        print(f"line {number} cannot be used: {textwrap.shorten(lines[number - 1], 80)}")


def in_place(text: str, rows: Sequence[dict], bad: Sequence[int]) -> str:
    """The rows that a validator let pass, each on its own line of `text`; the others are empty, so numbers stay."""
    lines = text.split("\n")
    good = (number for number, line in enumerate(lines) if line.strip() and number + 1 not in bad)
    kept = dict(zip(good, map(json.dumps, rows), strict=False))
    return "\n".join(kept.get(number, "") for number in range(len(lines)))


def set_aside(own: OwnRows, text: str, bad: Sequence[int]) -> None:
    """Put what a validator set aside among the problems of `own`, for the report card."""
    lines = text.split("\n")
    for number in bad:
        own.refuse(number, lines[number - 1], RowProblem("", BY_VALIDATOR))
    own.problems.sort(key=lambda problem: problem.line)


def what_fits(own: OwnRows, misfits: str) -> None:
    """How many rows can be used, which cannot, and how they are asked afterwards."""
    print(
        f"{len(own.rows)} rows can be used; {sum(row.again is not None for row in own.rows)} are asked in other words"
    )
    print(misfits or "every row fits the model's context and the length of an answer")
    for problem in own.problems:
        print("   ", problem)


def counter(steps: int) -> Callable:
    """For `on_step`: a line that says how far the try is; the square in the toolbar stops it."""
    shown = display(HTML("<i>starting</i>"), display_id=True)

    def on_step(_, record: dict) -> None:
        step = record["step"] + 1
        if step % EVERY == 0 or step == steps:
            shown.update(HTML(f"<i>step {step} of {steps}, loss {record['loss']:.2f}</i>"))

    return on_step


def known(names: list[str], tries: dict[str, dict]) -> list[str]:
    """The names, if there is a try of each; asked before any of them is trained."""
    for name in names:
        if name not in tries:
            raise ValueError(f"no try is called {name!r}; there are {', '.join(map(repr, tries))}")
    return names


def counts(share: Share) -> str:
    return f"{share.hits} of {share.total}" if share.total else "not asked"


def tries_table(cards: dict[str, Card], names: list[str]) -> Markdown:
    """What each try gave here; those that were not run say so."""
    rows = []
    for name in names:
        if name not in cards:
            rows.append((name, "*not run yet*", "", "", "", ""))
            continue
        card = cards[name]
        figures = [counts(card.own_share(True, exact=False)), counts(card.own_share(False, exact=False))]
        figures += [f"{card.world_share.value:.0%}", card.diagnosis.verdict, "**win**" if card.success else "no win"]
        rows.append((name, *figures))
    head = ("try", "your rows as taught", "in other words", "the world's facts", "the log alone", "the card")
    return Markdown(markdown_table(head, rows))


def short(text: str) -> str:
    return textwrap.shorten(html.escape(text).replace("|", "&#124;"), 70) or "(nothing)"


def answers_table(card: Card) -> Markdown:
    """Questions in other words, and whatever failed as it was taught: what was wanted, and what came."""
    asked = [one for one in card.own if not one.taught or not one.holds]
    rows = []
    for answer in asked or card.own:
        way = "" if answer.taught else " *(other words)*"
        question, mark = short(answer.question) + way, "✔" if answer.holds else "✘"
        rows.append((question, short(answer.expected), short(answer.reply), mark))
    return Markdown(markdown_table(("asked", "wanted", "got", ""), rows))


def reading_ranges() -> Drawing:
    """Ten made-up ranges: eight hold their value, as they should at 80%."""
    ranges = [(20, 80, 55), (60, 95, 88), (5, 30, 12), (40, 70, 66), (85, 100, 91),
              (10, 60, 22), (50, 90, 74), (0, 20, 37), (30, 75, 49), (65, 80, 52)]  # fmt: skip
    held = sum(low <= value <= high for low, high, value in ranges)
    drawing = Drawing(
        540,
        290,
        f"Ten made-up ranges as bars with their measured values as ticks; {held} of the ten hold their value. "
        f"If you are {guess.SURE:.0%} sure of each, that is as it should be.",
    )
    for row, (low, high, value) in enumerate(ranges):
        y, holds = 14 + 24 * row, low <= value <= high
        drawing.box(20 + 3.6 * low, y, 3.6 * (high - low), 12, fill="first")
        x = 20 + 3.6 * value
        drawing.parts.append(f'<path d="M{x:.0f},{y - 4} v20" stroke="currentColor" stroke-width="3"/>')
        drawing.text(400, y + 12, "held" if holds else "missed", anchor="start", bold=not holds)
    drawing.text(20, 276, "0%", anchor="middle")
    drawing.text(380, 276, "100%", anchor="middle")
    return drawing
