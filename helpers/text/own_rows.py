"""Rows that somebody brings along, pasted or in a file: JSON, a table of rows or of facts; nothing is lost.

    line -> OwnRow, which knows its line and the question in other words, or -> Problem (file, line, field, remedy)

`read_rows` is for looking at rows, whatever they are worth; `rows_from` for tuning on them and asking again;
`my_rows` hands what a learner wrote in notebook 02 to 03 and 05. Not here: how it was kept (my_rows.py), how a file or
a row is read (datasets.py, formats.py), whether it fits a model (judging/card.py).
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TextIO

from helpers.files import DATA, FileProblem
from helpers.text.datasets import (
    LONGEST,
    TABLES,
    Problem,
    no_usable_row,
    open_rows,
    read,
    read_dataset,
    table_rows,
    warn_of,
)
from helpers.text.facts import Fact, World, placeholders
from helpers.text.formats import RowProblem, detect, text
from helpers.text.instructions import tuning_wordings, turn
from helpers.text.json_rows import json_rows
from helpers.text.shapes import ANSWERS, QUESTIONS
from helpers.text.tables import records, strip_cells, wrong_header, wrong_length
from helpers.text.templates import text_of

PATH = re.compile(r"[^\n{\[,]+\.\w+\s*")  # a line like "my_rows.txt": somebody means a file
MOST = 5_000  # rows to be tuned on: the course's recipe takes 4,800, and each is asked twice
COLUMNS = ("kind", "subject", "answer")
LIKE_JSON = re.compile(r"^[ \t]*[{\[]", re.M)
MINE = DATA.parent / "notebooks" / "my_rows.jsonl"  # what a learner writes in notebook 02; not for git
NONE_KEPT = f"{MINE.name}: no rows of yours are kept yet; write some in notebook 02, section 2.8, which keeps them"
AGAIN = "again"  # a row's own key: its question in other words, which are asked and not tuned on


@dataclass(frozen=True)
class OwnRow:
    """What one line of yours teaches: conversations that end in an answer. `again` asks the last one in other words."""

    talks: list[list[dict]]
    again: list[dict] | None = None
    answer: str | None = None  # the words that carry the fact, where the row is one
    line: int = 0
    raw: str = ""  # the line as it stood


@dataclass
class OwnRows:
    """The lines of yours that can be used, and what is wrong with the others, each with its line as it stood."""

    name: str
    rows: list[OwnRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    too_long: list[Problem] = field(default_factory=list)  # those of them that do not fit a model
    notes: Counter = field(default_factory=Counter)  # what of the rows was not used, and in how many

    def refuse(self, line: int, raw: str, problem: RowProblem) -> None:
        """Note what is wrong with a line."""
        self.problems.append(Problem.at(self.name, line, raw, problem))


def rows_from(source: str | Path, world: World) -> OwnRows:
    """Rows to be tuned on: `read_rows`, MOST at most, without repeats. FileProblem if none is left."""
    own = without_repeats(read_rows(source, world, MOST))
    if not own.rows:
        raise no_usable_row(own.name, own.problems)
    warn_of(own.name, own.notes)
    return own


def without_repeats(own: OwnRows) -> OwnRows:
    """The same, in place: a row becomes a problem that asks what another teaches already, or keeps for asking again."""
    usable: list[OwnRow] = []
    tuned_on, asked_again = {}, {}  # question -> the line that teaches it, or keeps it for asking again
    for row in own.rows:
        question, again, problem = comparable(row.talks[-1][:-1]), comparable(row.again or []), None
        if question in tuned_on:
            problem = "", f"asks what line {tuned_on[question]} asks already; remove one of the two"
        elif question in asked_again:
            problem = "", f"teaches what line {asked_again[question]} keeps for asking again; remove one of the two"
        elif again == question or again in tuned_on:
            problem = AGAIN, f"line {tuned_on.get(again, row.line)} teaches this question; put it in other words"
        if problem:
            own.refuse(row.line, row.raw, RowProblem(*problem))
        else:
            tuned_on[question], asked_again[again] = row.line, row.line
            usable.append(row)
    own.rows = usable
    own.problems.sort(key=lambda problem: problem.line)
    return own


def comparable(talk: list[dict]) -> tuple[tuple[str, str], ...]:
    """A conversation as it is compared with others."""
    return tuple((turn["role"], text_of(turn).strip()) for turn in talk)


def read_rows(source: str | Path, world: World, most: int | None = None) -> OwnRows:
    """All rows, or the first `most`, of a file (JSON, or a table) or of a text. A line that cannot be used costs itself
    only; FileProblem if there is no such file, or its first line says that it is something else."""
    if isinstance(source, str) and not PATH.fullmatch(source) and not os.path.isdir(source.strip()):
        content = source.removeprefix("\ufeff")
        first = content.strip().partition("\n")[0].lower()
        columns = {cell.strip(' "') for cell in re.split(r"[,;\t]", first)}
        table = len(columns) > 1 and columns & {*COLUMNS, *QUESTIONS, *ANSWERS} and not LIKE_JSON.search(content)
        file = io.StringIO(content, newline=None if table else "\n")
        return collect("your rows", file, bool(table), world, most)
    path = Path(source.strip() if isinstance(source, str) else source)
    if not path.exists() and path.resolve() == MINE.resolve():
        raise FileProblem(NONE_KEPT)
    with open_rows(path) as file:
        return collect(path.name, file, path.suffix.lower() in TABLES, world, most)


def collect(name: str, file: TextIO, table: bool, world: World, most: int | None) -> OwnRows:
    """The rows of an open file or text, a line at a time."""
    own = OwnRows(name)
    if table and holds_facts(file):
        lines = facts_in(file, name, world)
    else:
        lines = read(name, table_rows(name, file) if table else json_rows(file), own.notes)
    for line, raw, row in islice(lines, most):
        try:
            if isinstance(row, Problem):
                own.problems.append(row)
            else:
                usable = row if isinstance(row, OwnRow) else own_row(row)
                own.rows.append(replace(usable, line=line, raw=raw[:LONGEST]))
        except RowProblem as problem:
            own.refuse(line, raw, problem)
    if more := next(lines, None):
        own.refuse(*more[:2], RowProblem("", f"from here on nothing was read: {most:,} rows are the most"))
    return own


def own_row(row: dict) -> OwnRow:
    """A course's row. Its key "again" may hold the question in other words, "answer" the words of its answer that carry
    a fact."""
    talk, answer = row["messages"], row.get("answer")
    again = [*talk[:-2], turn("user", text(row, AGAIN))] if AGAIN in row else None
    carries = isinstance(answer, str) and answer.strip() and answer in talk[-1]["content"]
    return OwnRow([talk], again, answer if carries else None)


def holds_facts(file: TextIO) -> bool:
    """Whether the first line of a table names columns of facts, and none of questions and answers."""
    header = next((strip_cells(cells) for _, _, cells in records(file) if not isinstance(cells, str)), [])
    file.seek(0)
    try:
        detect(dict.fromkeys(header))
        return False
    except RowProblem:
        return any(column in header for column in COLUMNS) or not header


def facts_in(file: TextIO, name: str, world: World) -> Iterator[tuple[int, str, OwnRow | Problem]]:
    """(line, text, row or Problem) of a table of facts of kinds that the world has wordings for."""
    header: list[str] = []
    for line, raw, cells in records(file):
        try:
            if isinstance(cells, str):
                raise RowProblem("", cells)
            if header:
                yield line, raw, fact_row(strip_cells(cells), header, world)
            elif problem := wrong_header(strip_cells(cells), COLUMNS):
                what = f"the first line of a table of facts must name {', '.join(COLUMNS)}"
                raise FileProblem(f"{name}, line {line}: {problem}; {what}")
            header = header or strip_cells(cells)
        except RowProblem as problem:
            yield line, raw, Problem.at(name, line, raw, problem)


def fact_row(cells: list[str], header: list[str], world: World) -> OwnRow:
    """A fact as the world would teach it, in all wordings that may be tuned on; the last one asks for it again."""
    if len(cells) != len(header):
        raise RowProblem("", wrong_length(cells, header))
    row = dict(zip(header, cells, strict=True))
    for column in COLUMNS:
        text(row, column)
    if row["kind"] not in world.wordings:
        raise RowProblem("kind", f"{row['kind']!r} is no kind of this world; known are {', '.join(world.wordings)}")
    fact = Fact(row["kind"], row["subject"], row["answer"], row, world.wordings[row["kind"]])
    needed = set().union(*(placeholders(way) for way in fact.wordings["question"] + fact.wordings["response"]))
    if absent := sorted(needed - set(fact.values)):
        what = f"facts of kind {fact.kind!r} are worded with {{{absent[0]}}} too; add a column of that name"
        raise RowProblem("kind", what)
    for name in sorted(needed):
        text(fact.values, name)
    questions, answer = fact.ways("question"), turn("assistant", fact.say("response"))
    again = [turn("user", questions[-1])] if len(questions) > 1 else None
    return OwnRow([[turn("user", question), answer] for question in tuning_wordings(questions)], again, fact.answer)


def my_rows(default: list[dict], path: Path | None = None) -> tuple[list[dict], str]:
    """The rows that the learner kept in notebook 02, and "yours"; `default` and "the course's" where there are none.
    What cannot be used of the file is a warning."""
    path = path or MINE
    if not path.exists():
        return default, "the course's"
    try:
        dataset = read_dataset(path)
    except (FileProblem, OSError) as problem:
        warnings.warn(f"your rows are not used: {problem}", stacklevel=2)
        return default, "the course's"
    if dataset.problems:
        first = f"{len(dataset.problems)} of your rows are not used; the first: {dataset.problems[0]}"
        warnings.warn(first, stacklevel=2)
    return dataset.rows, "yours"
