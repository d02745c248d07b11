"""Drawings that explain: boxes, arrows and rows of tokens, written as SVG by code.

    drawing = Drawing(520, 160, "Tables become documents; the base model reads them; tuning adds rows")
    drawing.box(10, 40, 120, 50, "tables", "data/facts")
    drawing.arrow(130, 65, 190, 65, "written out")
    drawing.tokens(10, 120, ["The", " capital"], marks=[0, 1])
    drawing                        the last line of a cell shows it

Legible on a phone (at most WIDTH wide, letters of SIZE), in grey (nothing is told by colour alone) and on a dark page
(lines and letters take the page's colour). The label says in words what the drawing shows. Not here: measured figures
(plots.py and the modules of helpers/figures), a training's curve (live_run.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from helpers.showing.page import COLOURS, escape

WIDTH, SIZE = 560, 15  # at 360 pixels the letters are still 9.6 pixels high
LETTER = 0.58  # a letter's mean width, as a part of its height
FILLS = {"plain": "none", "first": COLOURS[0] + "33", "second": COLOURS[1] + "33"}  # see-through, for either theme


class Drawing:
    """A picture that grows part by part. Places are in pixels, from the upper left corner."""

    def __init__(self, width: int, height: int, label: str):
        if width > WIDTH:
            raise ValueError(f"a drawing {width} wide cannot be read on a phone; {WIDTH} is the most")
        self.width, self.height, self.label, self.parts = width, height, label, []

    def text(
        self, x: float, y: float, text: str, anchor: str = "middle", bold: bool = False, mono: bool = False
    ) -> None:
        """One line whose foot is at y. A line break makes a second one."""
        look = (' font-weight="bold"' if bold else "") + (
            ' font-family="monospace" xml:space="preserve"' if mono else ""
        )
        for number, line in enumerate(text.split("\n")):
            place = f'x="{x:.0f}" y="{y + number * (SIZE + 3):.0f}" text-anchor="{anchor}"'
            self.parts.append(f"<text {place}{look}>{escape(line)}</text>")

    def box(self, x: float, y: float, width: float, height: float, text: str = "", more: str = "",
            fill: str = "plain", dashed: bool = False) -> None:  # fmt: skip
        """A rounded box with a name in it, and smaller print below the name. Too long a text raises."""
        lines = text.split("\n") + (more.split("\n") if more else [])
        longest = max(map(len, lines))
        if longest * LETTER * SIZE > width:
            raise ValueError(f"{max(lines, key=len)!r} does not fit a box {width} wide; break the line or widen it")
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" '
            f'fill="{FILLS[fill]}" stroke="currentColor"{dash}/>'
        )
        top = y + (height - (SIZE + 3) * len(lines)) / 2 + SIZE - 1
        bold = len(text.split("\n")) if more else 0
        for number, line in enumerate(lines):
            self.text(x + width / 2, top + number * (SIZE + 3), line, bold=number < bold)

    def arrow(self, x1: float, y1: float, x2: float, y2: float, text: str = "", dashed: bool = False) -> None:
        """A straight arrow; its text stands above the middle."""
        length = max(1e-9, ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5)
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        left, right = (x2 - 9 * ux + 5 * uy, y2 - 9 * uy - 5 * ux), (x2 - 9 * ux - 5 * uy, y2 - 9 * uy + 5 * ux)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(
            f'<path d="M{x1:.1f},{y1:.1f} L{x2:.1f},{y2:.1f}" fill="none" '
            f'stroke="currentColor" stroke-width="1.5"{dash}/>'
        )
        head = " ".join(f"{x:.1f},{y:.1f}" for x, y in ((x2, y2), left, right))
        self.parts.append(f'<polygon points="{head}" fill="currentColor"/>')
        if text:
            self.text((x1 + x2) / 2, (y1 + y2) / 2 - 7, text)

    def tokens(self, x: float, y: float, texts: Sequence[str], marks: Sequence[object] = (), fill: str = "second",
               width: float | None = None) -> list[float]:  # fmt: skip
        """A row of cells, one a token, with a mark below each; a cell whose mark is true is filled.

        -> the middle of each cell, for arrows.
        """
        middles = []
        for number, text in enumerate(texts):
            wide = width or max(30, len(text) * LETTER * SIZE + 10)
            mark = marks[number] if marks else None
            shade = FILLS[fill] if mark else FILLS["plain"]
            self.parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="26" fill="{shade}" stroke="currentColor"/>'
            )
            self.text(x + wide / 2, y + 18, text, mono=True)
            if mark is not None:
                self.text(x + wide / 2, y + 44, str(mark), bold=bool(mark))
            middles.append(x + wide / 2)
            x += wide
        if x > self.width:
            raise ValueError(f"the tokens end at {x:.0f}, and the drawing is {self.width} wide; show fewer")
        return middles

    def __repr__(self) -> str:
        return f"(A drawing: {self.label})"

    def _repr_html_(self) -> str:
        return (
            f'<svg class="diagram" role="img" aria-label="{escape(self.label)}" '
            f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" style="max-width: 100%; height: auto" '
            f'font-family="sans-serif" font-size="{SIZE}" fill="currentColor">{"".join(self.parts)}</svg>'
        )
