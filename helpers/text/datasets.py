"""Instruction datasets as files: read row by row, checked, set aside where unusable, written whole; and counted.

One bad row of ten thousand costs that row and no other. A file is never held in memory as a whole unless `read_dataset`
is asked to. The same reading serves own rows (own_rows.py), so what one names the other names. Not here: how JSON is
read (json_rows.py) and CSV (tables.py), what a row must look like (formats.py), what a file is (files.py).
"""

from __future__ import annotations

import json
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader, FileIO, TextIOWrapper
from pathlib import Path
from typing import TextIO

from tqdm.auto import tqdm

from helpers.files import FileProblem, see_text, write_whole
from helpers.text.formats import RowProblem, detect, parse, write_row
from helpers.text.json_rows import Entry, json_rows
from helpers.text.matching import words_of
from helpers.text.shapes import ANSWERS, BEFORE, QUESTIONS, WEIGHTS
from helpers.text.tables import records, strip_cells, wrong_header, wrong_length
from helpers.text.templates import text_of
from helpers.text.tokenizer import Tokenizer

SUFFIXES = (".json", ".jsonl")
TABLES = (".csv", ".tsv")
LONGEST = 10_000  # signs of a row that are kept to be shown
LARGE = 10_000_000  # bytes from which on a bar shows how far the reading is
COLUMNS = (*QUESTIONS, *ANSWERS, "input", "context", *BEFORE, "label", *WEIGHTS, "kind", "subject")
CARRIED = "carried along and not trained on"
KEYS_IN_USE = ("messages", "kind", "answer", "again", "leaves out", "label", *WEIGHTS)  # those that the course reads


@dataclass(frozen=True)
class RowType:
    """What the rows of a file are. `detect` and `parse` raise RowProblem for a row of another type; `parse` returns the
    course's row and what is lost. `needs` says what a table of such rows must have, `columns` the names that are known
    in any capitals, and `keys` those of a course's row that are in use."""

    detect: Callable[[dict], object]
    parse: Callable[..., tuple[dict, list[str]]]
    needs: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]


A_TABLE = "a column of questions and one of answers, named in its first line, such as instruction and output"
INSTRUCTIONS = RowType(detect, parse, A_TABLE, COLUMNS, KEYS_IN_USE)


@dataclass(frozen=True)
class Problem:
    """A row that could not be used: where it stands, what is wrong and how to mend it, and the row itself."""

    file: str
    line: int
    field: str
    message: str
    raw: str

    @classmethod
    def at(cls, file: str, line: int, raw: str, problem: RowProblem) -> Problem:
        """What is wrong with a row, and where: at most LONGEST signs of the row, with "?" for halves of signs."""
        return cls(file, line, problem.field, str(problem), raw[:LONGEST].encode(errors="replace").decode())

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.message}"


def scan(
    path: Path, source: str | None = None, notes: Counter | None = None, of: RowType = INSTRUCTIONS
) -> Iterator[dict | Problem]:
    """Each row of a file in turn, as the course's row or as a Problem; memory for one row at a time. What was dropped
    of the rows, or is carried along without being used, is counted in `notes`."""
    path, notes = Path(path), Counter() if notes is None else notes
    with open_rows(path) as file:
        table = path.suffix.lower() in TABLES
        entries = table_rows(path.name, file, of) if table else json_rows(file, of.detect)
        for _, _, row in read(path.name, entries, notes, source, of):
            yield row


def read(
    name: str, entries: Iterable[Entry], notes: Counter, source: str | None = None, of: RowType = INSTRUCTIONS
) -> Iterator[tuple[int, str, dict | Problem]]:
    """(line, text, the course's row or a Problem) of each entry of a file or a text of that name."""
    for line, raw, row in entries:
        try:
            if isinstance(row, RowProblem):
                raise row
            course_row, losses = of.parse(row, source) if source else of.parse(row)
        except RowProblem as problem:
            yield line, raw, Problem.at(name, line, raw, problem)
        else:
            notes.update(("dropped", loss) for loss in losses)
            notes.update((CARRIED, repr(key)) for key in course_row if key not in of.keys)
            yield line, raw, course_row


def in_words(notes: Counter) -> list[str]:
    """What was counted, in a sentence on what was dropped and one on what is carried along."""
    counts: dict[str, list[str]] = {}
    for (how, what), count in notes.items():
        counts.setdefault(how, []).append(f"{what} ({count:,})")
    return [f"{how}, in so many rows: {', '.join(parts)}" for how, parts in counts.items()]


def warn_of(name: str, notes: Counter) -> None:
    """Say once what of a file's rows was not used."""
    if notes:
        warnings.warn(f"{name}: {'; '.join(in_words(notes))}", stacklevel=3)


class WatchedFile(FileIO):
    """A file that tells a bar how many of its bytes were read."""

    def __init__(self, path: Path, bar: tqdm):
        super().__init__(path)
        self.bar = bar

    def readinto(self, buffer) -> int:
        count = super().readinto(buffer)
        self.bar.update(count)
        return count


@contextmanager
def open_rows(path: Path) -> Iterator[TextIO]:
    """A file of rows, open to be read as UTF-8; a large one with a bar. FileProblem where it is a folder, is not there,
    is something else than text, or has another suffix. Bytes that are not UTF-8 become surrogates, which `shapes.text`
    finds: they cost their row only."""
    if path.is_dir():
        raise FileProblem(f"{path}: is a folder; name a file in it")
    if path.is_file():
        see_text(path)
    if path.suffix.lower() not in SUFFIXES + TABLES:
        one_of = f"{', '.join(SUFFIXES + TABLES[:-1])} or {TABLES[-1]}"
        raise FileProblem(f"{path}: its name must end in {one_of}, so that one knows how to read it")
    if not path.is_file():
        raise FileProblem(f"{path}: there is no such file; see the folder that you are in, and the spelling")
    size, newline = os.path.getsize(path), None if path.suffix.lower() in TABLES else "\n"
    with tqdm(total=size, desc=path.name, unit="B", unit_scale=True, disable=size < LARGE, mininterval=0.5) as bar:
        bytes_of = BufferedReader(WatchedFile(path, bar), 1 << 16)
        with TextIOWrapper(bytes_of, encoding="utf-8-sig", errors="surrogateescape", newline=newline) as file:
            yield file


def table_rows(name: str, file: TextIO, of: RowType = INSTRUCTIONS) -> Iterator[Entry]:
    """(line, text, row or RowProblem) of a table that has the columns of such rows, as one of questions and one of
    answers. FileProblem for any other table."""
    header: list[str] = []
    for line, raw, cells in records(file):
        if isinstance(cells, str):
            yield line, raw, RowProblem("", cells)
        elif not header:
            header = column_names(cells, of.columns)
            try:
                if problem := wrong_header(header, ()):
                    raise RowProblem("", problem)
                of.detect(dict.fromkeys(header))
            except RowProblem as problem:
                what = f"a table of rows needs {of.needs}"
                more = "; facts (kind, subject, answer) are read by own_rows.rows_from" if "subject" in header else ""
                raise FileProblem(f"{name}, line {line}: {problem}; {what}{more}") from None
        elif len(cells) != len(header):
            yield line, raw, RowProblem("", wrong_length(cells, header))
        else:
            yield line, raw, {key: cell for key, cell in zip(header, cells, strict=True) if key or cell}


def column_names(cells: list[str], columns: tuple[str, ...] = COLUMNS) -> list[str]:
    """The names in a table's first line; those that a row of JSON has too, without their capitals."""
    return [cell.lower() if cell.lower() in columns else cell for cell in strip_cells(cells)]


@dataclass
class Dataset:
    """The rows of a file that can be used, the problems of those that can not, and how often what was not used."""

    rows: list[dict]
    problems: list[Problem]
    notes: Counter = field(default_factory=Counter)

    def set_aside(self, path: Path) -> None:
        """Write the unusable rows with their problems as JSONL, to be mended."""
        write_whole(path, b"".join(json_line(vars(problem)) for problem in self.problems))


def read_dataset(path: Path, source: str | None = None) -> Dataset:
    """All rows of a file. Only a file without any usable row is an error. What of the rows went unused is a warning."""
    dataset = gather(path, source)
    warn_of(Path(path).name, dataset.notes)
    return dataset


def gather(path: Path, source: str | None = None, of: RowType = INSTRUCTIONS) -> Dataset:
    """All rows of a file, without the warning."""
    dataset = Dataset([], [])
    for row in scan(path, source, dataset.notes, of):
        (dataset.problems if isinstance(row, Problem) else dataset.rows).append(row)
    if not dataset.rows:
        raise no_usable_row(path, dataset.problems)
    return dataset


def no_usable_row(name: str | Path, problems: Sequence[Problem]) -> FileProblem:
    """The problem of a file or a text of which no row is left, with the first of its rows' own."""
    first = f"; the first problem: {problems[0]}" if problems else ""
    return FileProblem(f"{name}: holds no usable row{first}")


def json_line(row: dict) -> bytes:
    """A row as a line of JSON; half a sign, for which UTF-8 has no place, as JSON's own escape."""
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def write_dataset(path: Path, rows: Iterable[dict], target: str = "messages") -> Counter:
    """Write rows in a format as .jsonl or .json, whole or not at all; -> what was lost, and in how many rows."""
    return write_rows(path, (write_row(row, target) for row in rows))


def write_rows(path: Path, rows: Iterable[tuple[dict, list[str]]]) -> Counter:
    """Write rows as they are, each given with what it has lost; -> what was lost, and in how many rows."""
    path, losses, lines = Path(path), Counter(), []
    if path.suffix not in SUFFIXES:
        raise FileProblem(f"{path}: its name must end in {' or '.join(SUFFIXES)}")
    for row, row_losses in rows:
        losses.update(row_losses)
        lines.append(json_line(row))
    as_list = b"[\n" + b",\n".join(text.rstrip(b"\n") for text in lines) + b"\n]\n"
    write_whole(path, b"".join(lines) if path.suffix == ".jsonl" else as_list)
    return losses


def lengths(row: dict, tokenizer: Tokenizer | None = None) -> tuple[int, int]:
    """Words (or tokens) of a row's questions, system prompt included, and of its answers."""
    count = (lambda text: len(tokenizer.encode(text))) if tokenizer else (lambda text: len(words_of(text)))
    questions = sum(count(text_of(turn)) for turn in row["messages"] if turn["role"] != "assistant")
    return questions, sum(count(turn["content"]) for turn in row["messages"] if turn["role"] == "assistant")
