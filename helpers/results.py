"""Tables of results in data/results: read with errors that name the remedy, written whole.

    read_results("mask")  ->  [{"loss_on": "response", "seed": 0, "exact": 0.91, ..., "recipe": "x3f...", ...}, ...]

A row of an experiment has its settings, its seed, its figures, and last SOURCE, the columns that tell what made it. No
experiment is imported to read one. Not here: how they are made (experiments/grid.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from helpers.files import DATA, FileProblem, write_whole

RESULTS_FOLDER = DATA / "results"
SOURCE = ("recipe", "code", "numpy")
MEND = "restore it with `git checkout data`, or delete it and `make results` makes it anew"


def read_results(name: str, folder: Path = RESULTS_FOLDER, columns: Iterable[str] = ()) -> list[dict]:
    """The rows of a table, numbers as numbers. FileProblem where it is missing, damaged, or lacks one of `columns`."""
    path = Path(folder) / f"{name}.csv"
    if not path.exists():
        raise FileProblem(f"{path}: there is no such result; `make results` makes it")
    try:
        with path.open(newline="", encoding="utf8") as lines:
            reader = csv.DictReader(lines)
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise FileProblem(f"{path}: this is no table of results ({problem}); {MEND}") from None
    if not rows:
        raise FileProblem(f"{path}: it has no rows; {MEND}")
    if lacking := [column for column in columns if column not in reader.fieldnames]:
        raise FileProblem(f"{path}: it lacks the column {lacking[0]!r}; {MEND}")
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise FileProblem(
                f"{path}, line {line}: it has not {len(reader.fieldnames)} fields as the first line; {MEND}"
            )
    return [{key: number(text) for key, text in row.items()} for row in rows]


def runs(name: str, figure: str, **setting) -> list[float]:
    """A figure of a table, once a run, where its columns are as given."""
    return [float(row[figure]) for row in read_results(name) if setting.items() <= row.items()]


def number(text: str) -> float | int | str:
    """A field as the number that it is, or as it stands."""
    try:
        return float(text) if "." in text or "e-" in text or text == "nan" else int(text)
    except ValueError:
        return text


def rounded(value):
    """A figure to five digits; anything else as it is."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def write_results(name: str, rows: list[dict], folder: Path = RESULTS_FOLDER) -> None:
    """Rows as a table, whole or not at all. A row that lacks a column of the others has an empty field there."""
    columns = dict.fromkeys(key for row in rows for key in row)
    table = io.StringIO()
    writer = csv.DictWriter(table, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(Path(folder) / f"{name}.csv", table.getvalue().encode())
