"""Notebook 00's tables and drawings hold what the files hold."""

import csv
import re
from pathlib import Path

import nbformat

from helpers.figures import start_here
from helpers.learning.recipe import CORPUS_SEED, DOCUMENTS
from helpers.results import read_results
from helpers.text.corpus import write_documents

ROOT = Path(__file__).resolve().parents[2]


def test_both_drawings_say_in_words_what_they_show():
    assert "Reading them makes the base model" in start_here.from_tables_to_answers().label
    drawing = start_here.course_map()
    for number in start_here.notebooks():
        assert f"{number}, {start_here.TITLES[number]}" in drawing.label
        name = f"{int(number) if number.isdigit() else number} · {start_here.TITLES[number]}"
        assert any(name in part for part in drawing.parts)


def test_the_figures_in_the_drawing_are_those_of_the_world(world):
    parts = "".join(start_here.from_tables_to_answers().parts)
    assert f"{len(world.facts):,} facts" in parts
    count = len(write_documents(world, DOCUMENTS, CORPUS_SEED, seldom=True))
    assert f"{count:,} texts" in parts


def test_every_notebook_has_its_row_with_a_link():
    text = start_here.course_table().data
    for row in start_here.notebooks().values():
        assert f"]({row['notebook']}.ipynb) | {row['question']} | {row['minutes']} |" in text


def test_the_table_of_facts_adds_up(world):
    lines = start_here.facts_table(world).data.splitlines()[2:]
    counts = [[int(cell) for cell in line.split(" | ")[1:5]] for line in lines[:-1]]
    assert all(row[0] == sum(row[1:]) for row in counts)
    total = [sum(column) for column in zip(*counts, strict=True)]
    assert lines[-1].startswith("| **all** | " + " | ".join(map(str, total)))


def test_word_orders_are_the_stored_means():
    rows = [row for row in read_results("word_order") if row["order"] == "answer first"]
    mean = 100 * sum(row["right"] for row in rows) / len(rows)
    text = start_here.word_orders().data
    drawn = 100 * sum(row["right, drawn"] for row in rows) / len(rows)
    assert f"| answer first | {mean:.0f}% (" in text and f" | {drawn:.0f}% (" in text and "| subject first | " in text
    assert len(rows) == 5


def test_the_glossary_is_whole_and_in_order():
    with start_here.GLOSSARY.open(newline="", encoding="utf8") as lines:
        rows = list(csv.DictReader(lines))
    assert len({row["term"].lower() for row in rows}) == len(rows) >= 30
    assert all(row["meaning"].endswith(".") and len(row["meaning"].split()) <= 45 for row in rows)
    shown = start_here.glossary().data
    places = [shown.index(f"| **{row['term']}** |") for row in sorted(rows, key=lambda row: row["term"].lower())]
    assert places == sorted(places)
    assert r"<\|im_start\|>" in shown, "a bare bar ends the cell, and the rest of the meaning is lost"


def test_every_word_that_a_notebook_looks_up_stands_in_the_glossary():
    other_forms = {
        "greedily": "greedy decoding", "chat template": "template", "pre-trained": "pre-training", "tokens": "token",
        "development": "development facts", "transformers": "transformer",
        "cohen's kappa": "kappa", "backpropagation": "backward pass",
    }  # fmt: skip
    terms = {line.split("** | ")[0].strip("| *").lower() for line in start_here.glossary().data.splitlines()[2:]}
    looked_up = set()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
        looked_up |= set(re.findall(r"\[([^][]+)\]\((?:00_start_here\.ipynb)?#Glossary\)", text))
    assert len(looked_up) > 10 and {other_forms.get(word.lower(), word.lower()) for word in looked_up} <= terms
