"""Instruction datasets as files: read row by row, checked, set aside where unusable, written whole; and counted.

One bad row of ten thousand costs that row and no other. A file is never held in memory as a whole unless `read_dataset`
is asked to. Not here: what a row must look like (formats.py).
"""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from helpers.files import FileProblem, write_whole
from helpers.text.formats import RowProblem, detect, read_row, write_row
from helpers.text.templates import text_of
from helpers.text.tokenizer import Tokenizer

CHUNK = 1 << 16  # characters read at a time
LARGEST_ROW = 1 << 22  # a row with more characters than that is taken for a damaged one
SUFFIXES = (".json", ".jsonl")
LONGEST = 10_000  # signs of a line that are kept to be shown


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


def scan(path: Path, source: str | None = None) -> Iterator[dict | Problem]:
    """Each row of a .jsonl or .json file in turn, as the course's row or as a Problem; memory for one row at a time."""
    path = Path(path)
    with open_rows(path) as file:
        for line, raw, row in json_lines(file) if path.suffix.lower() == ".jsonl" else json_array(file, path):
            try:
                if isinstance(row, RowProblem):
                    raise row
                yield read_row(row, source)
            except RowProblem as problem:
                yield Problem.at(path.name, line, raw, problem)


def open_rows(path: Path, suffixes: Sequence[str] = SUFFIXES) -> TextIO:
    """A file of rows, opened to be read as UTF-8. FileProblem where it is a folder, is not there, has another suffix or
    is UTF-16. Bytes that are not UTF-8 become surrogates, which `formats.text` finds: they cost their row only."""
    if path.is_dir():
        raise FileProblem(f"{path}: is a folder; name a file in it")
    if path.suffix.lower() not in suffixes:
        raise FileProblem(f"{path}: its name must end in {' or '.join(suffixes)}, so that one knows how to read it")
    if not path.is_file():
        raise FileProblem(f"{path}: there is no such file; see the folder that you are in, and the spelling")
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise FileProblem(f"{path}: is UTF-16 text; save the file with the encoding UTF-8")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n")


def json_lines(file) -> Iterator[tuple[int, str, object]]:
    """(line, text, row) of each line that is not empty; the row is a RowProblem where the line is not JSON."""
    for number, raw in enumerate(file, 1):
        if raw.strip():
            try:
                yield number, raw, json.loads(raw.rstrip("\r\n"))
            except (ValueError, RecursionError) as problem:
                yield number, raw, not_json(problem)


def not_json(problem: Exception) -> RowProblem:
    """What the reader of JSON stumbled over, in words. (A number of thousands of digits is a plain ValueError.)"""
    if isinstance(problem, json.JSONDecodeError):
        what = f"not JSON: {problem.msg} at column {problem.colno}. Look for a missing quote, comma or bracket"
        return RowProblem("", what)
    if isinstance(problem, RecursionError):
        return RowProblem("", "is nested too deeply to be a row")
    return RowProblem("", f"not JSON that can be read: {problem}")


def json_array(file, path: Path) -> Iterator[tuple[int, str, object]]:
    """(line, text, row) of each element of one large list, read piece by piece. After a damaged element the reading
    goes on with the next thing that looks like a row."""
    decoder, buffer, line, ended = json.JSONDecoder(), "", 1, False

    def fill() -> bool:
        nonlocal buffer, ended
        more = file.read(CHUNK)
        buffer, ended = buffer + more, not more
        return bool(more)

    def drop(count: int) -> None:
        nonlocal buffer, line
        line, buffer = line + buffer.count("\n", 0, count), buffer[count:]

    while not buffer.strip() and fill():
        pass
    drop(len(buffer) - len(buffer.lstrip()))
    if not buffer.startswith("["):
        raise FileProblem(
            f"{path}: a .json dataset must be one list of rows, [ ... ]; name it .jsonl if it has a row a line"
        )
    drop(1)
    while True:
        drop(len(buffer) - len(buffer.lstrip(" \t\r\n,")))
        if not buffer and fill():
            continue
        if not buffer or buffer[0] == "]":
            if not buffer:
                yield line, "", RowProblem("", "the list is not closed: the file may have been cut off; add ]")
            return
        try:
            row, end = decoder.raw_decode(buffer)
        except (ValueError, RecursionError) as problem:
            if isinstance(problem, json.JSONDecodeError) and len(buffer) < LARGEST_ROW and not ended:
                fill()  # perhaps only its end is missing yet
                continue
            row, end = not_json(problem), next_row(buffer, decoder)
        if end == len(buffer) and not ended and fill():  # a number may go on
            continue
        yield line, buffer[:end], row
        drop(end)


def next_row(buffer: str, decoder: json.JSONDecoder) -> int:
    """Where the next row begins behind a damaged one: a comma or line break, then an object that has a row's keys."""
    for match in re.finditer(r"[,\n]\s*(?=\{)", buffer):
        try:
            detect(decoder.raw_decode(buffer, match.end())[0])
            return match.end()
        except (ValueError, RecursionError):
            continue
    return len(buffer)


@dataclass
class Dataset:
    """The rows of a file that can be used, and the problems of those that can not."""

    rows: list[dict]
    problems: list[Problem]

    def set_aside(self, path: Path) -> None:
        """Write the unusable rows with their problems as JSONL, to be mended."""
        write_whole(path, b"".join(json_line(vars(problem)) for problem in self.problems))


def read_dataset(path: Path, source: str | None = None) -> Dataset:
    """All rows of a file. Only a file without any usable row is an error."""
    dataset = Dataset([], [])
    for row in scan(path, source):
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
    path, losses, lines = Path(path), Counter(), []
    if path.suffix not in SUFFIXES:
        raise FileProblem(f"{path}: its name must end in {' or '.join(SUFFIXES)}")
    for row in rows:
        target_row, row_losses = write_row(row, target)
        losses.update(row_losses)
        lines.append(json_line(target_row))
    as_list = b"[\n" + b",\n".join(text.rstrip(b"\n") for text in lines) + b"\n]\n"
    write_whole(path, b"".join(lines) if path.suffix == ".jsonl" else as_list)
    return losses


def lengths(row: dict, tokenizer: Tokenizer | None = None) -> tuple[int, int]:
    """Words (or tokens) of a row's questions, system prompt included, and of its answers."""
    count = (lambda text: len(tokenizer.encode(text))) if tokenizer else (lambda text: len(text.split()))
    questions = sum(count(text_of(turn)) for turn in row["messages"] if turn["role"] != "assistant")
    return questions, sum(count(turn["content"]) for turn in row["messages"] if turn["role"] == "assistant")
