"""Rows that somebody brings along, pasted or in a file: those that can be used, and what is wrong with the rest.

Only the conversation of a row is kept. Not here: reading of large datasets (datasets.py), what a row must look like
(formats.py).
"""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path

from helpers.datasets import Problem, json_array, json_lines, scan
from helpers.formats import RowProblem, read_row

LONGEST = 20_000  # characters of a pasted text
MOST = 2000  # rows of a file


def pasted(text: str) -> tuple[list[dict], list[str]]:
    """Rows of a pasted text, JSONL or one JSON list, and what is wrong with the others."""
    if len(text) > LONGEST:
        return [], [f"{len(text):,} characters are too many for this box ({LONGEST:,}); name a file instead"]
    listed = text.lstrip().startswith("[")
    rows, problems = [], []
    for line, raw, row in json_array(io.StringIO(text), Path("box")) if listed else json_lines(io.StringIO(text)):
        try:
            if isinstance(row, RowProblem):
                raise row
            rows.append({"messages": read_row(row)["messages"]})
        except RowProblem as problem:
            problems.append(f"line {line}: {problem}, in: {raw.strip()[:80]}")
    return rows, problems


def from_file(name: str) -> tuple[list[dict], list[str]]:
    """The first MOST rows of a .jsonl or .json file, and what is wrong with the others."""
    rows, problems = [], []
    try:
        for row in islice(scan(Path(name.strip())), MOST):
            if isinstance(row, Problem):
                problems.append(str(row))
            else:
                rows.append({"messages": row["messages"]})
    except (ValueError, OSError) as problem:  # no such file, another suffix, a name that no system takes
        problems.append(str(problem))
    return rows, problems
