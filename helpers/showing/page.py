"""All that is shown as HTML: one way to escape, one table, one drawing.

    escape(text)                            any text as HTML that shows it and does nothing else
    table(head, rows, label="...")          a table; its cells are HTML already
    markdown_table(head, rows)              a table in Markdown, for display(Markdown(...))
    svg(width, height, label, parts)        a drawing; its parts are SVG already
    Axes(steps, top)                        where a step and a value stand in it

Colour is never the only mark: lines have dashes of their own, verdicts have signs. Standard library only. Not here:
buttons and sliders (the demos), matplotlib's figures (plots.py), the report card as a whole (report_card.py).
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

COLOURS = ("#0072B2", "#D55E00", "#009E73")  # all at least 3 : 1 against white and against a dark page
DASHES = ("", "6 3", "2 3")
GREY = "#888"
GOOD, BAD = "#009E73", "#D55E00"
# Halves of signs, which cannot be sent; control signs; signs that turn round the direction of what follows.
HOSTILE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
CELL = "vertical-align: top; padding: 2px 10px; text-align: "
VERBATIM = "font-family: monospace; white-space: pre-wrap; overflow-wrap: anywhere"


# --- text ---


def visible(text: object) -> str:
    """A text with a mark for each sign that no page may hold or that turns round what follows: it is seen and does
    nothing. Signs that a script needs (joiners, spaces of its own) stay."""
    return HOSTILE.sub("\N{REPLACEMENT CHARACTER}", str(text))


def escape(text: object) -> str:
    """A visible text as HTML that shows it and does nothing else."""
    return html.escape(visible(text))


def verbatim(text: object, tag: str = "span", style: str = "") -> str:
    """What somebody typed or a model wrote: in letters of one width, with its spaces and line breaks."""
    return f'<{tag} style="{VERBATIM}{style and "; " + style}">{escape(text)}</{tag}>'


def answer_html(name: str, answer: str) -> str:
    """Who answers, and what; a screen reader tells each change."""
    style = "white-space: pre-wrap; overflow-wrap: anywhere"
    return f'<div role="log" style="{style}">{escape(name)}: <b>{escape(answer) or "<i>(nothing)</i>"}</b></div>'


def verdict_box(passed: bool, content: str) -> str:
    """HTML with a sign before it and a coloured line beside it."""
    colour, sign = (GOOD, "✔") if passed else (BAD, "…")
    return f'<div style="border-left: 4px solid {colour}; padding: 2px 10px">{sign} {content}</div>'


# --- tables ---


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    label: str = "",
    caption: str = "",
    numbers: Sequence[int] = (),
    row_heads: bool = False,
) -> str:
    """A table with a name: a `label` that is only heard, or a `caption`.

    head       names of the columns, as text
    rows       cells, HTML already
    numbers    the columns, from 0, that stand at the right
    row_heads  the first cell of each row is its heading
    """

    def cell(tag: str, column: int, content: str) -> str:
        return f'<{tag} style="{CELL}{"right" if column in numbers else "left"}">{content}</{tag.split()[0]}>'

    def line(tags: Sequence[str], cells: Sequence[str]) -> str:
        return f"<tr>{''.join(cell(tag, i, one) for i, (tag, one) in enumerate(zip(tags, cells, strict=True)))}</tr>\n"

    first = 'th scope="row"' if row_heads else "td"
    heads = line(['th scope="col"'] * len(head), [escape(name) for name in head])
    body = "".join(line([first, *["td"] * (len(head) - 1)], row) for row in rows)
    name = f' aria-label="{escape(label)}"' if label else ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table{name}>{title}<thead>{heads}</thead><tbody>\n{body}</tbody></table>"


def markdown_table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown. Its cells are Markdown; what would end a cell or a row is made harmless."""

    def line(cells: Sequence[object]) -> str:
        texts = (" ".join(str(cell).replace("|", r"\|").split("\n")) for cell in cells)
        return "|" + "".join(f" {text} |" if text else " |" for text in texts)

    lines = [line(head), "|" + "---|" * len(head)]
    for row in rows:
        if len(row) != len(head):  # Markdown would drop or add cells without a word
            raise ValueError(f"{len(row)} cells stand below {len(head)} headings: {row}")
        lines.append(line(row))
    return "\n".join(lines)


def wide_table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """A table that scrolls in a box of its own where the window is narrow."""
    return f'<div class="scroll">{table(head, rows, caption=caption)}</div>'


# --- drawings ---


def svg(width: float, height: float, label: str, parts: Sequence[str]) -> str:
    """A drawing that a screen reader tells as its label; its text has the colour of the text around it."""
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'style="max-width: 100%" font-family="sans-serif" font-size="11" fill="currentColor">{"".join(parts)}</svg>'
    )


def svg_text(x: float, y: float, text: object, anchor: str = "start") -> str:
    """A text that starts at x, or has its "middle" or "end" there; y is its foot."""
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'


def stroke(number: int) -> str:
    """How the first and the second line of a drawing differ."""
    dash = DASHES[number] and f' stroke-dasharray="{DASHES[number]}"'
    return f'fill="none" stroke="{COLOURS[number]}" stroke-width="2"{dash}'


@dataclass(frozen=True)
class Axes:
    """Where steps (from 0 to `steps`) and values (from `foot` to `top`) stand in a drawing; a value above the top is
    drawn at the top."""

    steps: int
    top: float
    foot: float = 0.0
    width: int = 560
    height: int = 200

    def x(self, step: float) -> float:
        return 46 + step / self.steps * (self.width - 70)

    def y(self, value: float) -> float:
        part = (min(value, self.top) - self.foot) / (self.top - self.foot)
        return 26 + (1 - part) * (self.height - 62)

    def parts(self, title: str) -> list[str]:
        """Both axes, each with three figures, and what is drawn."""
        left, right, low = self.x(0), self.x(self.steps), self.y(self.foot)
        texts = [svg_text(6, 12, title), svg_text((left + right) / 2, self.height - 4, "step", "middle")]
        for part in (0, 0.5, 1):
            value, step = self.foot + part * (self.top - self.foot), part * self.steps
            texts.append(svg_text(left - 6, self.y(value) + 4, f"{value:.3g}", "end"))
            texts.append(svg_text(self.x(step), low + 15, f"{step:.0f}", "middle"))
        lines = f'<path d="M{left:.0f},26 V{low:.0f} H{right:.0f}" fill="none" stroke="currentColor"/>'
        return [*texts, lines]

    def line(self, points: Sequence[tuple[float, float]], number: int = 0) -> str:
        """A line through (step, value)s."""
        places = " ".join(f"{self.x(step):.1f},{self.y(value):.1f}" for step, value in points)
        return f'<polyline points="{places}" {stroke(number)}/>'


def sign_svg(
    log: Sequence[dict], name: str, title: str, steps: int, should: float | None = None, twin: Sequence[dict] = ()
) -> str:
    """One vital sign at each reading of a log, up to a little above the highest so far; dashed, what it should be. A
    `twin`, the log of another run, is drawn beside it, dotted and with squares. Readings that are no number are left
    out."""
    points, others = ([(one["step"], one[name]) for one in run if math.isfinite(one[name])] for run in (log, twin))
    foot = 1.0 if name == "perplexity" else 0.0  # the least that there can be
    highest = max([foot, should or 0.0, *(value for _, value in points + others)])
    axes = Axes(steps, foot + (1.15 * (highest - foot) or 1.0), foot, 300, 150)
    parts = [*axes.parts(title), axes.line(points)]
    parts += [f'<circle cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="2.5" fill="{COLOURS[0]}"/>' for x, y in points]
    label = f"{title}: first {points[0][1]:.3g}, last {points[-1][1]:.3g}" if points else f"{title}: not yet known"
    if should is not None:
        parts.append(f'<path d="M{axes.x(0):.0f},{axes.y(should):.1f} H{axes.x(steps):.0f}" {stroke(1)}/>')
        label += f", should be {should:.3g} (dashed)"
    if others:
        parts.append(axes.line(others, 2))
        parts += [
            f'<rect x="{axes.x(x) - 2.5:.1f}" y="{axes.y(y) - 2.5:.1f}" width="5" height="5" fill="{COLOURS[2]}"/>'
            for x, y in others
        ]
        label += f"; its healthy twin (squares): last {others[-1][1]:.3g}"
    return svg(axes.width, axes.height, label, parts)
