"""Rows that somebody brings along, pasted or in a file: JSONL, one JSON list, or a table of facts; nothing is lost.

    line -> OwnRow, which knows its line and the question in other words, or -> Problem (file, line, field, remedy)

`read_rows` is for looking at rows, whatever they are worth; `rows_from` for tuning on them and asking again. Not here:
large datasets (datasets.py), what a row must look like (formats.py), whether it fits a model (capstone.py).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TextIO

from helpers.files import FileProblem
from helpers.text.datasets import Problem, json_array, json_lines
from helpers.text.facts import Fact, World
from helpers.text.formats import RowProblem, read_row, text
from helpers.text.instructions import taught, turn
from helpers.text.tables import placeholders, records, wrong_header, wrong_length
from helpers.text.templates import joined

SUFFIXES = (".jsonl", ".json", ".csv")
PATH = re.compile(r"[^\n{\[,]+\.\w+\s*")  # a line like "my_rows.txt": somebody means a file
LONGEST = 10_000  # signs of a line that are kept to be shown
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
        shown = raw[:LONGEST].encode(errors="replace").decode()
        self.problems.append(Problem(self.name, line, problem.field, str(problem), shown))


def rows_from(source: str | Path, world: World) -> OwnRows:
    """Rows to be tuned on: `read_rows`, MOST at most, without those that ask what another teaches already, or keeps for
    asking again. FileProblem if none is left."""
    own, seen, kept, usable = read_rows(source, world, MOST), {}, {}, []
    for row in own.rows:
        asked, again, problem = said(row.talks[-1][:-1]), said(row.again or []), None
        if asked in seen:
            problem = "", f"asks what line {seen[asked]} asks already; remove one of the two"
        elif asked in kept:
            problem = "", f"teaches what line {kept[asked]} keeps for asking again; remove one of the two"
        elif again == asked or again in seen:
            problem = AGAIN, f"line {seen.get(again, row.line)} teaches this question; put it in other words"
        if problem:
            own.refuse(row.line, row.raw, RowProblem(*problem))
        else:
            seen[asked], kept[again] = row.line, row.line
            usable.append(row)
    own.rows = usable
    own.problems.sort(key=lambda problem: problem.line)
    if not own.rows:
        first = f"; the first problem: {own.problems[0]}" if own.problems else ""
        raise FileProblem(f"{own.name}: holds no usable row{first}")
    return own


def said(talk: list[dict]) -> tuple[tuple[str, str], ...]:
    """A conversation as it is compared with others."""
    return tuple((turn["role"], joined(turn).strip()) for turn in talk)


def read_rows(source: str | Path, world: World, most: int | None = None) -> OwnRows:
    """All rows, or the first `most`, of a file (.jsonl, .json, .csv) or of a text. A line that cannot be used costs
    itself only; FileProblem if there is no such file, or its first line says that it is something else."""
    if isinstance(source, str) and not PATH.fullmatch(source):
        content = source.removeprefix("\ufeff")
        first = content.strip().partition("\n")[0].lower()
        table = not LIKE_JSON.search(content) and any(column in first for column in COLUMNS)
        return collect("your rows", io.StringIO(content, newline="\n"), table, world, most)
    path = Path(source.strip() if isinstance(source, str) else source)
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise FileProblem(f"{path}: its name must end in {', '.join(SUFFIXES)}, so that one knows how to read it")
    if not path.is_file():
        raise FileProblem(f"{path}: there is no such file; see the folder that you are in, and the spelling")
    with path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            raise FileProblem(f"{path}: is UTF-16 text; save the file with the encoding UTF-8")
    # Bytes that are not UTF-8 become surrogates, which `formats.text` finds: they cost their row only.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        return collect(path.name, file, kind == ".csv", world, most)


def collect(name: str, file: TextIO, table: bool, world: World, most: int | None) -> OwnRows:
    """The rows of an open file or text, a line at a time."""
    own, listed = OwnRows(name), file.read(1 << 12).lstrip().startswith("[")
    file.seek(0)
    lines = facts_in(file, name, world) if table else json_array(file, Path(name)) if listed else json_lines(file)
    for line, raw, row in islice(lines, most):
        try:
            if isinstance(row, RowProblem):
                raise row
            made = row if isinstance(row, OwnRow) else own_row(row)
            own.rows.append(replace(made, line=line, raw=raw[:LONGEST]))
        except RowProblem as problem:
            own.refuse(line, raw, problem)
    if more := next(lines, None):
        own.refuse(*more[:2], RowProblem("", f"from here on nothing was read: {most:,} rows are the most"))
    return own


def own_row(row) -> OwnRow:
    """A row of any format of formats.py. Its key "again" may hold the question in other words, "answer" the words of
    its answer that carry a fact."""
    made = read_row(row)
    talk, answer = made["messages"], made.get("answer")
    again = [*talk[:-2], turn("user", text(made, AGAIN))] if AGAIN in made else None
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
    lacking = sorted(needed - set(fact.values))
    if lacking:
        what = f"facts of kind {fact.kind!r} are worded with {{{lacking[0]}}} too; add a column of that name"
        raise RowProblem("kind", what)
    for name in sorted(needed):
        text(fact.values, name)
    asked, answer = fact.ways("question"), turn("assistant", fact.say("response"))
    again = [turn("user", asked[-1])] if len(asked) > 1 else None
    return OwnRow([[turn("user", question), answer] for question in taught(asked)], again, fact.answer)
