"""Who tuned on how many rows, as a time line and a short table; and what one point of a curve is made of.

The works stand in data/landscape.csv, each with its source and how it was read. Not here: our own runs
(the_landscape.py).
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

from IPython.display import HTML

from helpers.showing.diagrams import Drawing
from helpers.showing.page import escape, table

WORKS = Path(__file__).resolve().parents[2] / "data" / "landscape.csv"
SHORT_LIST = ("FLAN", "InstructGPT", "Self-Instruct", "Alpaca", "LIMA", "AlpaGasus", "The 1,000 longest", "Tülu 3")


def works() -> list[dict]:
    """The table of works, in the order in which they appeared."""
    with WORKS.open(newline="", encoding="utf8") as lines:
        return list(csv.DictReader(lines))


def one_point() -> Drawing:
    """From rows to one point of a curve."""
    drawing = Drawing(
        550,
        206,
        "From rows to one point of a curve: rows and the base model go into tuning; the tuned model is asked about "
        "facts that no row tells; an answer is good if format, adherence, conciseness and accuracy all pass; the share "
        "of good answers is one point",
    )
    drawing.box(6, 6, 180, 56, "rows", "how many, how good", fill="first")
    drawing.box(6, 76, 180, 56, "base model", "always the same")
    drawing.box(214, 46, 130, 56, "tuning", "always as long")
    drawing.box(372, 46, 172, 56, "questions", "facts no row tells")
    drawing.box(186, 144, 358, 56, "good answer = all four pass", "format, adherence, conciseness, accuracy", "second")
    drawing.arrow(186, 34, 214, 64)
    drawing.arrow(186, 104, 214, 86)
    drawing.arrow(344, 74, 372, 74)
    drawing.arrow(458, 102, 458, 144)
    return drawing


def timeline() -> Drawing:
    """A line for each work: when, its name, and a bar as long as the logarithm of the rows that it tuned on."""
    listed, step, left = works(), 25, 262
    counted = [work for work in listed if work["examples"]]
    label = "Works from 2021 to 2024 and how many rows each tuned on: " + "; ".join(
        f"{work['name']} {int(work['examples']):,}" for work in counted
    )
    drawing = Drawing(556, 36 + step * len(listed), label)
    for number, work in enumerate(listed):
        y = 18 + step * number
        name = "Superficial alignment" if work["name"].startswith("Superficial") else work["name"]
        drawing.text(6, y, f"{work['year']}-{int(work['month']):02}", "start")
        drawing.text(76, y, name, "start", bold=work["name"] in SHORT_LIST)
        if work["examples"]:
            count = int(work["examples"])
            width = round(36 * (math.log10(count) - 2))
            drawing.box(left, y - 13, width, 16, fill="first")
            drawing.text(left + width + 8, y, f"{count:,}", "start")
        else:
            drawing.text(left, y, "no such number", "start")
    drawing.text(550, 26 + step * len(listed), "rows tuned on; each tenfold adds the same length", "end")
    return drawing


def short_table() -> HTML:
    """The works to remember, with source and mark."""
    lines = []
    for work in (work for work in works() if work["name"] in SHORT_LIST):
        link = f'<a href="{escape(work["link"])}">{escape(work["source"])}</a> ({", ".join(work["mark"].split())})'
        when = f"{work['year']}\N{NON-BREAKING HYPHEN}{int(work['month']):02}"
        lines.append([when, f"<b>{escape(work['name'])}</b>", escape(work["showed"]), link])
    return HTML(table(("when", "work", "what it showed", "source"), lines, label="works to remember"))
