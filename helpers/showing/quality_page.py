"""How rows, their marks and what they are worth look as HTML: the quality laboratory shows these pages.

    marks_html(judgement, harm)             what is wrong with a row, and what such rows were measured to cost
    rows_html(rows, judgements, harm)       rows as a table, each with its marks
    still(rows, judgements, harm)           the same as a picture, for a page without a kernel
    selection_html(judgements, line)        what a selection holds, and the estimate
    bars_svg(bars)                          shares as bars, each with its interval

`harm` is what each defect costs, with its interval (quality.py). Every text is escaped. Not here: what is ticked, typed
and trained (quality_lab.py), how to escape and draw (page.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from IPython.display import HTML

from helpers.experiments.estimate import Estimator, features, stored_errors
from helpers.judging.quality import MARK_OF, Judgement
from helpers.showing.page import COLOURS, GREY, escape, svg, svg_text, table, verbatim
from helpers.text.selections import DEFECTS
from helpers.text.templates import text_of

FIRST = 12  # rows of one's own that the table shows
COST = "<br><i>Points lost: how many fewer good answers of 100 there were when half of 500 rows were so (measured).</i>"
SIGNS = {True: "✔", False: "✘", None: "–"}


def question_and_answer(row: dict) -> tuple[str, str]:
    """The last question and answer of a row."""
    *_, question, answer = row["messages"]
    return text_of(question), answer["content"]


def cut(text: str, signs: int) -> str:
    """The beginning of a text that is too long, with a mark that it is cut."""
    return text if len(text) <= signs else f"{text[: signs - 2]} …"


def in_brief(row: dict) -> str:
    """A row on one line; what is cut off ends in "…"."""
    question, answer = (" ".join(text.split()) for text in question_and_answer(row))
    return f"{cut(question, 60)} → {cut(answer, 70)}"


def harm_text(harm: tuple[float, float, float]) -> str:
    """What a defect was measured to cost, with its 95% interval: "41 points lost (30 to 52)"."""
    return "{:.0f} points lost ({:.0f} to {:.0f})".format(*(100 * part for part in harm))


def marks_html(judgement: Judgement, harm: dict) -> str:
    """Each mark that is not good with its reason, and what it costs to be called so; the good ones in a line."""
    marks, reasons = judgement.marks, judgement.reasons
    cost = {MARK_OF[name]: f" · {name}: {harm_text(harm[name])}" for name in judgement.findings}
    poor = [name for name, mark in marks.items() if mark is not True]
    lines = [f"{SIGNS[marks[name]]} {name}: {reasons[name]}{cost.get(name, '')}" for name in poor]
    good = ", ".join(name for name, mark in marks.items() if mark)
    words = "<br>".join(map(escape, [*lines, f"✔ {good}"] if good else lines))
    return f'<span style="overflow-wrap: anywhere">{words}</span>'


def rows_html(rows: Sequence[dict], judgements: Sequence[Judgement], harm: dict) -> str:
    """The last rows of a selection as a table, so that what was just added is seen: question, answer, marks with what
    they cost. `judgements` are those of all rows, and may go on with rows that are not shown."""
    start = max(0, len(rows) - FIRST)
    lines = [
        [str(number + 1), *map(verbatim, question_and_answer(rows[number])), marks_html(judgements[number], harm)]
        for number in range(start, len(rows))
    ]
    more = f"<i>{start} more of your rows stand before these.</i>" if start else ""
    head = ("row", "question", "answer", "marks, and what such rows cost")
    return table(head, lines, label="rows and marks", numbers=(0,)) + more + COST


def still(rows: Sequence[dict], judgements: Sequence[Judgement], harm: dict) -> HTML:
    """The same table as a picture, for a page without a kernel."""
    return HTML(rows_html(rows, judgements, harm))


def bars_svg(bars: Sequence[tuple[str, float, float, float]]) -> str:
    """Shares (name, value, low, high) as bars from 0 to 100%, each with its interval."""
    width, left, step = 520, 90, 26
    parts, figures = [], []
    for number, (name, value, low, high) in enumerate(bars):
        y, colour = 4 + number * step, COLOURS[number % 2]
        x = [left + part * (width - left - 50) for part in (value, low, high)]
        figures.append(f"{name} {value:.0%}, interval {low:.0%} to {high:.0%}")
        parts += [
            svg_text(left - 6, y + 13, name, "end"),
            f'<rect x="{left}" y="{y}" width="{width - left - 50}" height="16" fill="none" stroke="{GREY}"/>',
            f'<rect x="{left}" y="{y}" width="{x[0] - left:.0f}" height="16" fill="{colour}" opacity="0.7"/>',
            f'<path d="M{x[1]:.0f},{y + 8} H{x[2]:.0f} M{x[1]:.0f},{y + 3} v10 M{x[2]:.0f},{y + 3} v10" '
            'stroke="currentColor" stroke-width="2"/>',
            svg_text(width - 44, y + 13, f"{value:.0%}"),
        ]
    return svg(width, step * len(bars) + 4, f"share of good answers: {'; '.join(figures)}", parts)


def selection_html(judgements: Sequence[Judgement], line: Estimator) -> str:
    """What a selection holds, as the scorer sees it, and the estimate."""
    counts = Counter(defect for one in judgements for defect in one.findings)
    defects = ", ".join(f"{counts[defect]} {defect}" for defect in DEFECTS if counts[defect]) or "no defect"
    sound, unknown, columns = sum(one.sound for one in judgements), counts["off-world"], features(judgements)
    [(value, low, high)], off = line(columns), 100 * stored_errors()["mean absolute"]
    more = f" Whether the {unknown} off-world rows are right nobody can say." if unknown else ""
    if unlike := "it has fewer than 20 rows" if len(judgements) < 20 else line.unlike(columns):
        more += f" <b>Mind:</b> {escape(unlike)}; the estimate is a guess here."
    return (
        f'<div role="status"><b>This selection:</b> {len(judgements)} rows, {sound} sound. Found: {defects}.{more}'
        f"<br><b>Estimate:</b> {value:.0%} good answers about facts that no row tells; 95% interval for one training: "
        f"{low:.0%} to {high:.0%}. On random selections of unseen base models such estimates were off by {off:.0f} "
        f"points on average.<br>{bars_svg([('estimate', value, low, high)])}</div>"
    )
