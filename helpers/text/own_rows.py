"""Rows that somebody brings along, pasted or in a file: JSONL, one JSON list, or a table of facts; nothing is lost.

    line -> OwnRow, which knows its line and the question in other words, or -> Problem (file, line, field, remedy)

`read_rows` is for looking at rows, whatever they are worth; `rows_from` for tuning on them and asking again. Not here:
large datasets (datasets.py), what a row must look like (formats.py), whether it fits a model (judging/card.py).
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TextIO

from helpers.files import FileProblem
from helpers.text.datasets import LONGEST, Problem, json_array, json_lines, no_usable_row, open_rows
from helpers.text.facts import Fact, World, placeholders
from helpers.text.formats import RowProblem, read_row, text
from helpers.text.instructions import tuning_wordings, turn
from helpers.text.tables import records, wrong_header, wrong_length
from helpers.text.templates import text_of

SUFFIXES = (".jsonl", ".json", ".csv")
PATH = re.compile(r"[^\n{\[,]+\.\w+\s*")  # a line like "my_rows.txt": somebody means a file
MOST = 5_000  # rows to be tuned on: the course's recipe takes 4,800, and each is asked twice
COLUMNS = ("kind", "subject", "answer")
LIKE_JSON = re.compile(r"^[ \t]*[{\[]", re.M)
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

    def refuse(self, line: int, raw: str, problem: RowProblem) -> None:
        """Note what is wrong with a line."""
        self.problems.append(Problem.at(self.name, line, raw, problem))


def rows_from(source: str | Path, world: World) -> OwnRows:
    """Rows to be tuned on: `read_rows`, MOST at most, without those that ask what another teaches already, or keeps for
    asking again. FileProblem if none is left."""
    own, usable = read_rows(source, world, MOST), []
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
    if not own.rows:
        raise no_usable_row(own.name, own.problems)
    return own


def comparable(talk: list[dict]) -> tuple[tuple[str, str], ...]:
    """A conversation as it is compared with others."""
    return tuple((turn["role"], text_of(turn).strip()) for turn in talk)


def read_rows(source: str | Path, world: World, most: int | None = None) -> OwnRows:
    """All rows, or the first `most`, of a file (.jsonl, .json, .csv) or of a text. A line that cannot be used costs
    itself only; FileProblem if there is no such file, or its first line says that it is something else."""
    if isinstance(source, str) and not PATH.fullmatch(source) and not os.path.isdir(source.strip()):
        content = source.removeprefix("\ufeff")
        first = content.strip().partition("\n")[0].lower()
        table = not LIKE_JSON.search(content) and any(column in first for column in COLUMNS)
        return collect("your rows", io.StringIO(content, newline="\n"), table, world, most)
    path = Path(source.strip() if isinstance(source, str) else source)
    with open_rows(path, SUFFIXES) as file:
        return collect(path.name, file, path.suffix.lower() == ".csv", world, most)


def collect(name: str, file: TextIO, table: bool, world: World, most: int | None) -> OwnRows:
    """The rows of an open file or text, a line at a time."""
    own, one_list = OwnRows(name), file.read(1 << 12).lstrip().startswith("[")
    file.seek(0)
    lines = facts_in(file, name, world) if table else json_array(file, Path(name)) if one_list else json_lines(file)
    for line, raw, row in islice(lines, most):
        try:
            if isinstance(row, RowProblem):
                raise row
            usable = row if isinstance(row, OwnRow) else own_row(row)
            own.rows.append(replace(usable, line=line, raw=raw[:LONGEST]))
        except RowProblem as problem:
            own.refuse(line, raw, problem)
    if more := next(lines, None):
        own.refuse(*more[:2], RowProblem("", f"from here on nothing was read: {most:,} rows are the most"))
    return own


def own_row(row) -> OwnRow:
    """A row of any format of formats.py. Its key "again" may hold the question in other words, "answer" the words of
    its answer that carry a fact."""
    row = read_row(row)
    talk, answer = row["messages"], row.get("answer")
    again = [*talk[:-2], turn("user", text(row, AGAIN))] if AGAIN in row else None
    carries = isinstance(answer, str) and answer.strip() and answer in talk[-1]["content"]
    return OwnRow([talk], again, answer if carries else None)


def facts_in(file: TextIO, name: str, world: World) -> Iterator[tuple[int, str, OwnRow | RowProblem]]:
    """(line, text, row or RowProblem) of a table of facts of kinds that the world has wordings for."""
    header: list[str] = []
    for line, raw, cells in records(file.read()):
        try:
            if isinstance(cells, str):
                raise RowProblem("", cells)
            if header:
                yield line, raw, fact_row(cells, header, world)
            elif problem := wrong_header(cells, COLUMNS):
                what = f"the first line of a table of facts must name {', '.join(COLUMNS)}"
                raise FileProblem(f"{name}, line {line}: {problem}; {what}")
            header = header or cells
        except RowProblem as problem:
            yield line, raw, problem


def fact_row(cells: list[str], header: list[str], world: World) -> OwnRow:
    """A fact as the world would teach it: every wording of its question but the last, which asks for it again."""
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
