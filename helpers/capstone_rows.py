"""Rows that a learner brings to be tuned on, as JSONL or as a table of facts: read line by line, nothing lost.

    line -> OwnRow, which knows its line and the question in other words, or -> Problem (file, line, field, remedy)

Not here: what a row must look like (formats.py), whether it fits a model and what it teaches (capstone.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from helpers.datasets import Problem, json_array, json_lines
from helpers.facts import Fact, World, placeholders
from helpers.files import FileProblem, read_bytes
from helpers.formats import RowProblem, read_row, text
from helpers.instructions import known, turn
from helpers.templates import joined

SUFFIXES = (".jsonl", ".json", ".csv")
COLUMNS = ("kind", "subject", "answer")
AGAIN = "again"  # a row's own key: its question in other words, which are asked and not tuned on


@dataclass(frozen=True)
class OwnRow:
    """What one line of yours teaches: conversations that end in an answer. `again` asks the last one in other words."""

    line: int
    talks: list[list[dict]]
    again: list[dict] | None = None
    answer: str | None = None  # the words that carry the fact, where the row is one


@dataclass
class OwnRows:
    """The lines of yours that can be used, and what is wrong with the others, each with its line as it stood."""

    name: str
    rows: list[OwnRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def set_aside(self, row: OwnRow, at: str, message: str) -> None:
        """Move a row that was read to the problems."""
        self.rows.remove(row)
        asked = joined(row.talks[-1][-2])
        self.problems.append(Problem(self.name, row.line, at, f"{at}: {message}", asked))


def rows_from(source: str | Path, world: World) -> OwnRows:
    """Own rows from a file (.jsonl, .json, .csv), or from a text that holds line breaks, "{" or "[". A line that cannot
    be used costs itself only; FileProblem if there is no such file, or no line of it can be used."""
    if isinstance(source, str) and ("\n" in source or source.lstrip()[:1] in ("{", "[")):
        name, content = "your rows", source
        table = source.lstrip()[:1] not in ("{", "[")
    else:
        path = Path(source)
        if path.suffix not in SUFFIXES:
            raise FileProblem(f"{path}: its name must end in {', '.join(SUFFIXES)}, so that one knows how to read it")
        if not path.is_file():
            raise FileProblem(f"{path}: there is no such file; see the folder that you are in, and the spelling")
        # Bytes that are not UTF-8 become surrogates, which `formats.text` finds: they cost their row only.
        name, content = path.name, read_bytes(path).decode("utf-8-sig", "surrogateescape")
        table = path.suffix == ".csv"
    own, seen = OwnRows(name), {}
    for line, raw, row in facts_in(content, name, world) if table else rows_in(content, name):
        try:
            if isinstance(row, RowProblem):
                raise row
            made = replace(row, line=line) if isinstance(row, OwnRow) else own_row(row, line)
            asked = repr(made.talks[-1][:-1])
            if asked in seen:
                raise RowProblem("", f"asks what line {seen[asked]} asks already; remove one of the two")
            seen[asked] = line
            own.rows.append(made)
        except RowProblem as problem:
            shown = raw[:10_000].encode(errors="replace").decode()
            own.problems.append(Problem(name, line, problem.field, str(problem), shown))
    if not own.rows:
        first = f"; the first problem: {own.problems[0]}" if own.problems else ""
        raise FileProblem(f"{name}: holds no usable row{first}")
    return own


def rows_in(content: str, name: str) -> Iterator[tuple[int, str, object]]:
    """(line, text, row or RowProblem) of JSONL, or of one JSON list."""
    if content.lstrip().startswith("["):
        return json_array(io.StringIO(content), Path(name))
    return json_lines(io.StringIO(content, newline="\n"))


def own_row(row, line: int) -> OwnRow:
    """A row of any format of formats.py; its key "again" may hold the question in other words."""
    made = read_row(row)
    talk, other = made["messages"], None
    if AGAIN in made:
        other = [*talk[:-2], turn("user", text(made, AGAIN))]
    answer = text(made, "answer") if "answer" in made else None
    return OwnRow(line, [talk], other, answer)


def facts_in(content: str, name: str, world: World) -> Iterator[tuple[int, str, object]]:
    """(line, text, row or RowProblem) of a table of facts of kinds that the world has wordings for."""
    content = content.lstrip("\r\n")
    reader, here = csv.reader(io.StringIO(content, newline=""), strict=True), 1
    header: list[str] = []
    try:
        for cells in reader:
            line, here, cells = here, reader.line_num + 1, [cell.strip() for cell in cells]
            if not header:
                header = cells
                missing = [column for column in COLUMNS if column not in header]
                if missing:
                    raise FileProblem(
                        f"{name}, line {line}: column {missing[0]!r} is missing; the first line of a table of facts "
                        f"must name {', '.join(COLUMNS)}"
                    )
            elif any(cells):
                try:
                    yield line, ",".join(cells), fact_row(cells, header, world)
                except RowProblem as problem:
                    yield line, ",".join(cells), problem
    except csv.Error:
        yield here, "", RowProblem("", "a quotation mark has no partner; what stands behind it could not be read")


def fact_row(cells: list[str], header: list[str], world: World) -> OwnRow:
    """A fact as the world would teach it: every wording of its question but the last, which asks for it again."""
    if len(cells) != len(header):
        what = f"{len(cells)} fields where the header has {len(header)}; put quotes around a text that holds a comma"
        raise RowProblem("", what)
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
    asked, said = fact.ways("question"), turn("assistant", fact.say("response"))
    taught = asked[:-1] or asked
    again = [turn("user", asked[-1])] if len(asked) > 1 else None
    return OwnRow(0, [[turn("user", question), said] for question in taught], again, known(fact)["answer"])
