"""Rows that a learner writes in notebook 02, checked and kept for 03 and 05: all are usable, or the file stays.

    keep_rows([("What do bees make?", "Honey."), ...], world, tokenizer)     -> Kept: stored or not, and why not
    own_rows.my_rows(default)                                                -> the rows, and whose they are

Nothing that was ever kept is lost: what a new file leaves out goes to my_rows.before.jsonl. Not here: what makes a row
usable (own_rows.py, formats.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.files import FileProblem, write_whole
from helpers.text.datasets import Problem, json_line
from helpers.text.facts import World
from helpers.text.formats import write_row
from helpers.text.own_rows import AGAIN, MINE, MOST, OwnRows, read_rows, without_repeats
from helpers.text.templates import render, text_of
from helpers.text.tokenizer import Tokenizer

ENOUGH = 20  # rows; with fewer a training learns them by heart
NOTHING = "Nothing was kept, and what you kept before stands as it was."
ADD = "Add rows of your own, then run the cell again."


@dataclass
class Kept:
    """What became of a learner's rows: as the course reads them, none where one is broken; and what is wrong."""

    rows: list[dict]
    problems: list[str]
    stored: bool  # whether the file holds these rows
    words: str


def keep_rows(
    rows: Sequence | str | Path,
    world: World,
    tokenizer: Tokenizer,
    samples: Sequence = (),
    path: Path | None = None,
    context: int = 128,
) -> Kept:
    """Keep a learner's rows for `my_rows`, if every one can be used; else the file stays as it is.

    rows     each a row of any format, or a tuple: question, answer and, if there is one, the question in other words;
             or the name of a file of rows
    samples  rows that are nobody's own: if there are no others, nothing is kept

    What stood in the file before is added to my_rows.before.jsonl, so nothing that was ever kept is lost.
    """
    path = path or MINE
    try:
        own, problems = read(rows, world)
    except FileProblem as problem:
        return Kept([], [f"{problem}."], False, NOTHING)
    for row in own.rows:
        if (length := len(render(row.talks[0], "chatml", tokenizer)[0]) - 1) > context:
            problems.append(f"Row {row.line}: takes {length} tokens; the model reads {context}. Shorten it.")
    if problems:
        problems.sort(key=lambda words: int(re.search("[0-9]+", words)[0]))
        return Kept([], problems, False, NOTHING)
    course_rows = course_rows_of(own)
    if not course_rows:
        return Kept([], [], False, f"There is no row yet. {ADD}")
    taken = course_rows_of(read(samples, world)[0])
    if all(row in taken for row in course_rows):
        return Kept(course_rows, [], False, f"These are the course's sample rows. {ADD}")
    content = b"".join(json_line(as_short_as_can_be(row)) for row in course_rows)
    former = path.read_bytes() if path.exists() else b""
    try:
        if former and former != content:
            keep_former(path, former)
        write_whole(path, content)
    except OSError as problem:
        return Kept([], [f"{path.name} cannot be written: {problem.strerror}."], False, "Nothing was kept.")
    count = f"{len(course_rows)} row{' is' if len(course_rows) == 1 else 's are'} kept in {path.name}"
    few = f" That is few: a model learns such rows by heart. {ENOUGH} teach more." if len(course_rows) < ENOUGH else ""
    return Kept(course_rows, [], True, f"{count}: notebook 03 trains on them.{few}")


def read(rows: Sequence | str | Path, world: World) -> tuple[OwnRows, list[str]]:
    """The rows that can be used, and in words what is wrong with the others. FileProblem where there is no file."""
    problems, lines = [], []
    if isinstance(rows, (str, Path)):
        source = rows
    else:
        for number, row in enumerate(map(as_row, rows), 1):
            try:
                if not isinstance(row, dict):
                    what = f'is a {type(row).__name__}; write ("question", "answer"), with a comma between the two'
                    raise TypeError(what)
                lines.append(json_line(row).decode())
            except TypeError as problem:
                problems.append(f"Row {number}: {problem}.")
                lines.append("\n")  # so that the others keep their numbers
        source = "".join(lines) + "\n"
    own = without_repeats(read_rows(source, world, MOST))  # also where not one can be used: each says why
    return own, problems + [problem_of(problem) for problem in own.problems]


def as_row(row) -> object:
    """A question, its answer and perhaps the question in other words as an Alpaca row; anything else as it is."""
    if isinstance(row, (tuple, list)) and len(row) in (2, 3):
        return dict(zip(("instruction", "output", AGAIN), row, strict=False))
    return row


def problem_of(problem: Problem) -> str:
    """What is wrong with a learner's row, by its number."""
    return f"Row {problem.line}: {re.sub(r'line (?=[0-9])', 'row ', problem.message)}."


def course_rows_of(own: OwnRows) -> list[dict]:
    """The course's rows: one a line; of a fact, one for each wording."""
    rows = []
    for row in own.rows:
        again = {AGAIN: text_of(row.again[-1])} if row.again else {}
        rows += [{"messages": talk} | again for talk in row.talks]
    return rows


def as_short_as_can_be(row: dict) -> dict:
    """A course's row as Alpaca has it, or as messages where Alpaca would lose something."""
    alpaca, losses = write_row(row, "alpaca")
    return write_row(row, "messages")[0] if losses else alpaca


def keep_former(path: Path, former: bytes) -> None:
    """Add what a file holds to its .before file, whose lines that are new to it stay."""
    before = path.with_name(f"{path.stem}.before{path.suffix}")
    lines = former.splitlines()
    older = before.read_bytes().splitlines() if before.exists() else []
    write_whole(before, b"\n".join(lines + [line for line in older if line not in lines]) + b"\n")
