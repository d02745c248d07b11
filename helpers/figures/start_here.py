"""Notebook 00: the whole course as two drawings, and its tables of notebooks, facts and words."""

from __future__ import annotations

import csv
import os
import platform

import ipywidgets
import matplotlib
import numpy as np
from IPython.display import Markdown

from helpers.files import DATA
from helpers.judging.statistics import as_percent
from helpers.results import read_results
from helpers.showing.diagrams import Drawing
from helpers.showing.page import markdown_table
from helpers.text.facts import PARTS, World

COURSE, GLOSSARY = DATA / "course.csv", DATA / "glossary.csv"
TITLES = {
    "00": "Start here",
    "01": "The gap",
    "02": "Instruction data",
    "03": "SFT training",
    "04": "Prompt templates",
    "05": "Before and after",
    "06": "When it goes wrong",
    "07": "The landscape",
    "08": "Conclusion",
    "A": "The base model",
    "B": "Real models",
    "C": "Better, not just right",
    "D": "The article",
}
BUILDS = {  # what the learner writes there, and where it is used
    "00": "eight rows → your first model",
    "01": "the greedy loop, a probe",
    "02": "20 to 40 rows of your own",
    "03": "the training step, on your rows",
    "04": "a chat template for your model",
    "05": "a judge that scores its answers",
    "06": "LoRA, and a detector",
    "07": "a selection of rows",
    "08": "a model of your own world",
    "A": "a backward pass",
    "C": "a reward, and DPO's weight",
}


def from_tables_to_answers() -> Drawing:
    """Where the two models come from."""
    drawing = Drawing(
        540,
        250,
        "Tables of facts become documents. Reading them makes the base model, which continues text. Rows of questions "
        "with answers, about half of the facts, make the tuned model out of it, which answers.",
    )
    drawing.box(10, 20, 140, 62, "tables", "1,056 facts")
    drawing.arrow(150, 51, 200, 51)
    drawing.box(200, 20, 150, 62, "documents", "24,660 texts")
    drawing.arrow(350, 51, 400, 51)
    drawing.box(400, 20, 130, 62, "base model", "continues", fill="first")
    drawing.text(375, 100, "reading: next token by next token", anchor="middle")
    drawing.arrow(80, 82, 80, 160)
    drawing.box(10, 160, 150, 62, "rows", "question → answer")
    drawing.arrow(465, 108, 465, 160)
    drawing.arrow(160, 191, 400, 191, "tuning: minutes")
    drawing.box(400, 160, 130, 62, "tuned model", "answers", fill="second")
    drawing.text(280, 216, "about half of the facts")
    return drawing


def course_map() -> Drawing:
    """The notebooks in order, and what the learner builds in each."""
    names = list(notebooks())
    main, appendices = [n for n in names if n.isdigit()], [n for n in names if not n.isdigit()]
    drawing = Drawing(
        540,
        56 * (len(main) + len(appendices)) + 30,
        "The way through the course, from top to bottom: "
        + "; ".join(
            f"{number}, {TITLES[number]}" + (f": {BUILDS[number]}" if number in BUILDS else "") for number in names
        ),
    )
    for row, number in enumerate(main):
        y = 8 + 56 * row
        drawing.box(10, y, 230, 42, f"{int(number)} · {TITLES[number]}", fill="first" if row == 0 else "plain")
        drawing.text(256, y + 26, BUILDS[number], anchor="start")
        if row:
            drawing.arrow(125, y - 14, 125, y)
    for row, number in enumerate(appendices, len(main)):
        y = 26 + 56 * row
        drawing.box(10, y, 230, 42, f"{number} · {TITLES[number]}", dashed=True)
        drawing.text(256, y + 26, BUILDS.get(number, "to look things up"), anchor="start")
    return drawing


def notebooks() -> dict[str, dict]:
    """Each notebook's row of data/course.csv by its number, such as "03" or "A"."""
    with COURSE.open(newline="", encoding="utf8") as lines:
        return {row["notebook"].split("_")[0]: row for row in csv.DictReader(lines)}


def course_table() -> Markdown:
    """Notebook, question, minutes."""
    lines = []
    for number, row in notebooks().items():
        title = f"{int(number) if number.isdigit() else number} · {TITLES[number]}"
        lines.append((f"[{title}]({row['notebook']}.ipynb)", row["question"], row["minutes"]))
    return Markdown(markdown_table(("notebook", "what it answers", "minutes"), lines))


def word_orders() -> Markdown:
    """Eight capitals told in either order, over five starts, test capitals asked (word_order.csv)."""
    rows = read_results("word_order", columns=("order", "right", "right, drawn"))
    lines = []
    for order in dict.fromkeys(row["order"] for row in rows):
        cells = [
            as_percent([100 * row[figure] for row in rows if row["order"] == order])
            for figure in ("right", "right, drawn")
        ]
        lines.append((order, *cells))
    head = ("eight rows, thirty steps, five starts", "capitals right", "right if drawn at temperature 0.7")
    return Markdown(markdown_table(head, lines))


def facts_table(world: World) -> Markdown:
    """Of each kind: how many facts, in which parts, and one of them."""
    lines = []
    for kind in world.wordings:
        facts = world.of_kind(kind)
        example = facts[0].say("response").replace("\n", " / ")
        lines.append((kind, len(facts), *(sum(fact.part == part for fact in facts) for part in PARTS), example))
    counts = (sum(fact.part == part for fact in world.facts) for part in PARTS)
    lines.append(("**all**", len(world.facts), *counts, ""))
    return Markdown(markdown_table(("kind of fact", "how many", "tuned on", "development", "test", "example"), lines))


def versions() -> Markdown:
    """What this machine runs the course with."""
    here = {
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "matplotlib": matplotlib.__version__,
        "ipywidgets": ipywidgets.__version__,
        "processor cores": os.cpu_count(),
    }
    return Markdown(markdown_table(("", "here"), here.items()))


def glossary() -> Markdown:
    """The course's words, each in a sentence (data/glossary.csv)."""
    with GLOSSARY.open(newline="", encoding="utf8") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["term"].lower())
    words = ((f"**{row['term']}**", row["meaning"]) for row in rows)
    return Markdown(markdown_table(("word", "what it means here"), words))
