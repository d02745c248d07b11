"""Instruction datasets as files: read row by row, checked, set aside where unusable, written whole; and counted.

One bad row of ten thousand costs that row and no other. A file is never held in memory as a whole unless `read_dataset`
is asked to. Not here: what a row must look like (formats.py).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.files import FileProblem, write_whole
from helpers.text.formats import RowProblem, detect, read_row, write_row
from helpers.text.templates import joined
from helpers.text.tokenizer import Tokenizer

CHUNK = 1 << 16  # characters read at a time
LARGEST_ROW = 1 << 22  # a row with more characters than that is taken for a damaged one
SUFFIXES = (".json", ".jsonl")


@dataclass(frozen=True)
class Problem:
    """A row that could not be used: where it stands, what is wrong and how to mend it, and the row itself."""

    file: str
    line: int
    field: str
    message: str
    raw: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.message}"


def scan(path: Path, source: str | None = None) -> Iterator[dict | Problem]:
    """Each row of a .jsonl or .json file in turn, as the course's row or as a Problem; memory for one row at a time."""
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise FileProblem(f"{path}: its name must end in {' or '.join(SUFFIXES)}, so that one knows how to read it")
    if not path.is_file():
        raise FileProblem(f"{path}: there is no such file")
    # Bytes that are not UTF-8 become surrogates, which `formats.text` finds: they cost their row only.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        for line, raw, row in json_lines(file) if path.suffix == ".jsonl" else json_array(file, path):
            try:
                if isinstance(row, RowProblem):
                    raise row
                yield read_row(row, source)
            except RowProblem as problem:
                yield Problem(
                    path.name, line, problem.field, str(problem), raw[:10_000].encode(errors="replace").decode()
                )


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
    for found in re.finditer(r"[,\n]\s*(?=\{)", buffer):
        try:
            detect(decoder.raw_decode(buffer, found.end())[0])
            return found.end()
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
        write_whole(path, b"".join(line(vars(problem)) for problem in self.problems))


def read_dataset(path: Path, source: str | None = None) -> Dataset:
    """All rows of a file. Only a file without any usable row is an error."""
    dataset = Dataset([], [])
    for row in scan(path, source):
        (dataset.problems if isinstance(row, Problem) else dataset.rows).append(row)
    if not dataset.rows:
        first = f"; the first problem: {dataset.problems[0]}" if dataset.problems else ""
        raise FileProblem(f"{path}: holds no usable row{first}")
    return dataset


def line(row: dict) -> bytes:
    """A row as a line of JSON; half a sign, for which UTF-8 has no place, as JSON's own escape."""
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def write_dataset(path: Path, rows: Iterable[dict], target: str = "messages") -> Counter:
    """Write rows in a format as .jsonl or .json, whole or not at all; -> what was lost, and in how many rows."""
    path, lost, written = Path(path), Counter(), []
    if path.suffix not in SUFFIXES:
        raise FileProblem(f"{path}: its name must end in {' or '.join(SUFFIXES)}")
    for row in rows:
        converted, losses = write_row(row, target)
        lost.update(losses)
        written.append(line(converted))
    as_list = b"[\n" + b",\n".join(text.rstrip(b"\n") for text in written) + b"\n]\n"
    write_whole(path, b"".join(written) if path.suffix == ".jsonl" else as_list)
    return lost


def lengths(row: dict, tokenizer: Tokenizer | None = None) -> tuple[int, int]:
    """Words (or tokens) of a row's questions, system prompt included, and of its answers."""
    count = (lambda text: len(tokenizer.encode(text))) if tokenizer else (lambda text: len(text.split()))
    asked = sum(count(joined(turn)) for turn in row["messages"] if turn["role"] != "assistant")
    return asked, sum(count(turn["content"]) for turn in row["messages"] if turn["role"] == "assistant")
