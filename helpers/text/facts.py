"""The tiny world: short tables of real facts, and the sentences in which each can be told or asked.

A *table* (`data/facts/countries.csv`) holds one thing a row. `kinds.csv` says which facts a table holds ("capital:
the subject is {country}, the answer is {capital}"), and `wordings.csv` says how a kind of fact is worded. A teacher
may edit all of them. Nothing here writes documents (corpus.py) or knows of a model.
"""

from __future__ import annotations

import csv
import io
import string
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

FACTS_FOLDER = Path(__file__).resolve().parent.parent / "data" / "facts"
ROLES = ("statement", "mention", "heading", "question", "response", "task", "followup")


class FactsError(ValueError):
    """A table of the world cannot be used; the message names file, line and remedy."""


@dataclass(frozen=True)
class Fact:
    """One fact: its `kind` ("capital"), `subject` ("France"), `answer` ("Paris") and the table row it came from."""

    kind: str
    subject: str
    answer: str
    row: dict = field(repr=False, compare=False)
    wordings: dict = field(repr=False, compare=False)

    @property
    def held_out(self) -> bool:
        """Half of all facts are kept out of tuning. The half is drawn from the fact's own name, so that adding a
        row to a table moves no other fact from one half to the other."""
        return zlib.crc32(f"{self.kind}/{self.subject}".encode()) % 2 == 1

    def say(self, role: str, number: int = 0) -> str:
        """Wording `number` of the fact in a `role`: "statement", "mention", "heading", "question" or "response"."""
        return fill(self.wordings[role][number], self.values)

    def ways(self, role: str) -> list[str]:
        """Every wording of the fact in a role."""
        return [fill(text, self.values) for text in self.wordings[role]]

    @cached_property
    def values(self) -> dict:
        """What a wording's placeholders stand for: the row's columns, {subject}, {answer}; capital = capitalised."""
        values = {**self.row, "subject": self.subject, "answer": self.answer}
        return values | {name.capitalize(): text[:1].upper() + text[1:] for name, text in values.items()}

    def about(self, subject: str) -> Fact:
        """The same kind of question about something else, to which there is no answer: "the capital of helium"."""
        return replace(self, subject=subject, answer="")

    def prompt(self, number: int = 0) -> str:
        """Statement `number` up to where the answer begins: "The capital of France is" (for base completions)."""
        before, _, _ = self.wordings["statement"][number].rpartition("{answer}")
        return fill(before, self.values).rstrip(" ")

    def ending(self, number: int = 0) -> str:
        """What follows the answer in statement `number`: most often a full stop."""
        return fill(self.wordings["statement"][number].rpartition("{answer}")[2], self.values)


@dataclass(frozen=True)
class World:
    """All facts, the wordings of each kind by role, and pairs of harmful request and harmless look-alike."""

    facts: list[Fact]
    wordings: dict[str, dict[str, list[str]]]
    refusals: list[dict]

    @cached_property
    def questions(self) -> frozenset[str]:
        """Every question about every fact, in every wording."""
        return frozenset(way for fact in self.facts for way in fact.ways("question"))

    def of_kind(self, kind: str) -> list[Fact]:
        """The facts of one kind; an unknown kind is an error that lists the known ones."""
        if kind not in self.wordings:
            raise FactsError(f"no kind of fact is called {kind!r}; this world has {', '.join(self.wordings)}")
        return [fact for fact in self.facts if fact.kind == kind]


def load_world(folder: Path = FACTS_FOLDER) -> World:
    """Read a world from a folder of CSV tables. Raises FactsError with file, line and remedy when one is malformed."""
    folder = Path(folder)
    wordings: dict[str, dict[str, list[str]]] = {}
    kinds = read_table(folder / "kinds.csv", ("kind", "table", "subject", "answer"), key=("kind",))
    for _, row in kinds:
        wordings[row["kind"]] = {role: [] for role in ROLES}
    worded = read_table(folder / "wordings.csv", ("kind", "role", "text"), key=("kind", "role", "text"))
    for line, row in worded:
        where = f"{folder / 'wordings.csv'}, line {line}"
        if row["kind"] not in wordings:
            raise FactsError(f"{where}: kind {row['kind']!r} is not in kinds.csv; known are {', '.join(wordings)}")
        if row["role"] not in ROLES:
            raise FactsError(f"{where}: role {row['role']!r} is unknown; use one of {', '.join(ROLES)}")
        if row["role"] == "statement" and "{answer}" not in row["text"]:
            raise FactsError(f"{where}: a statement must hold {{answer}}; for a sentence without it use role 'mention'")
        wordings[row["kind"]][row["role"]].append(row["text"])
    facts = [fact for line, row in kinds for fact in facts_of_kind(folder, line, row, wordings[row["kind"]])]
    offers = {fact.kind: fact.values for fact in facts}
    for line, row in worded:
        where, known = f"{folder / 'wordings.csv'}, line {line}", offers[row["kind"]]
        unknown = placeholders(row["text"], where) - set(known)
        if unknown:
            raise FactsError(
                f"{where}: {row['text']!r} uses {{{min(unknown)}}}, which kind {row['kind']!r} does not "
                f"have; its table offers {', '.join(known)}"
            )
    path, refusals = folder / "refusals.csv", []
    if path.exists():  # or nothing is to be refused in this world
        refusals = [row for _, row in read_table(path, ("harmful", "lookalike"), key=("harmful",))]
    return World(facts, wordings, refusals)


def facts_of_kind(folder: Path, line: int, kind: dict, wordings: dict) -> list[Fact]:
    """Every fact that one row of kinds.csv describes."""
    where = f"{folder / 'kinds.csv'}, line {line}"
    missing = [role for role in ("statement", "heading", "question", "response") if not wordings[role]]
    if missing:
        raise FactsError(f"{where}: kind {kind['kind']!r} has no {missing[0]} in wordings.csv; add at least one")
    columns = placeholders(kind["subject"], where) | placeholders(kind["answer"], where)
    facts, seen = [], {}
    for row_line, row in read_table(folder / f"{kind['table']}.csv", tuple(sorted(columns)), key=()):
        fact = Fact(kind["kind"], fill(kind["subject"], row), fill(kind["answer"], row), row, wordings)
        if fact.subject in seen:
            raise FactsError(
                f"{folder / kind['table']}.csv, line {row_line}: {fact.subject!r} stands already in line "
                f"{seen[fact.subject]}; remove one of the two"
            )
        seen[fact.subject] = row_line
        facts.append(fact)
    return facts


def read_table(path: Path, columns: tuple[str, ...], key: tuple[str, ...]) -> list[tuple[int, dict]]:
    """Rows of a CSV table as (line number, {column: text}) pairs, checked.

    Raises FactsError when the file is missing, is not UTF-8, lacks one of `columns`, has an empty field, a row of
    another length, or two rows with the same `key` columns.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise FactsError(f"{path}: there is no such table; create it with the columns {', '.join(columns)}") from None
    except UnicodeDecodeError as problem:
        line = path.read_bytes()[: problem.start].count(b"\n") + 1
        raise FactsError(f"{path}, line {line}: not UTF-8 text; save the file with the encoding UTF-8") from None
    lines = list(records(text))
    for here, _, cells in lines:
        if isinstance(cells, str):
            raise FactsError(f"{path}, line {here}: {cells}")
    first, _, header = lines[0] if lines else (1, "", [])
    if problem := wrong_header(header, columns):
        raise FactsError(f"{path}, line {first}: {problem}; the header must hold {', '.join(columns)}")
    rows, seen = [], {}
    for here, _, cells in lines[1:]:
        if len(cells) != len(header):
            raise FactsError(f"{path}, line {here}: {wrong_length(cells, header)}")
        row = dict(zip(header, cells, strict=True))
        empty = [name for name, cell in row.items() if not cell]
        if empty:
            raise FactsError(f"{path}, line {here}: field {empty[0]!r} is empty; fill it in or remove the line")
        identity = tuple(row[name] for name in key)
        if key and identity in seen:
            raise FactsError(
                f"{path}, line {here}: {' / '.join(identity)!r} stands already in line {seen[identity]}; "
                "remove one of the two"
            )
        seen[identity] = here
        rows.append((here, row))
    if not rows:
        raise FactsError(f"{path}: the table has no rows below its header; add at least one")
    return rows


def records(text: str) -> Iterator[tuple[int, str, list[str] | str]]:
    """(line, text, fields) of each record of a CSV table that is not empty; in place of its fields a message, where it
    cannot be read. Fields are parted by what the first line has most of: commas, or what some spreadsheets write. A
    quotation mark without a partner costs its line only, as the reading goes on with the next. Windows' line ends count
    as others do, inside a quoted field too: git may have written them."""
    lines, at = list(io.StringIO(text.replace("\r\n", "\n"), newline="")), 0
    first = next((line for line in lines if line.strip()), "")
    separator = max(",;\t", key=first.count)
    while at < len(lines):
        reader, begun, start = csv.reader(lines[at:], delimiter=separator, strict=True), at, at
        try:
            for cells in reader:
                start, at = at, begun + reader.line_num
                if any(cell.strip() for cell in cells):
                    yield start + 1, "".join(lines[start:at]), [cell.strip() for cell in cells]
        except csv.Error as problem:
            why = "add the closing quote, or write it twice if it belongs to the text"
            if "limit" in str(problem):
                why = f"or a field is longer than {csv.field_size_limit():,} characters; {why}"
            yield at + 1, lines[at], f"a quotation mark has no partner; {why}"
            at += 1


def wrong_header(header: list[str], columns: Sequence[str]) -> str:
    """What is wrong with a table's first line, or nothing."""
    missing = [name for name in columns if name not in header]
    twice = [name for name in header if name and header.count(name) > 1]
    return f"column {missing[0]!r} is missing" if missing else f"column {twice[0]!r} stands twice" if twice else ""


def wrong_length(cells: list[str], header: list[str]) -> str:
    what = f"{len(cells)} fields where the header has {len(header)}"
    return f"{what}; put quotes around a text that holds a comma, or what else parts the fields"


def placeholders(text: str, where: str = "") -> set[str]:
    """Names in braces: "{country} is" -> {"country"}. Braces without a name that a column can have are a FactsError at
    `where`: what Python's `format` understands besides ({a.b}, {a[0]}, {a!r}, {a:>9}) is none."""
    try:
        fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError:  # a brace without its partner
        fields = [("", "", "", None)]
    for _, name, form, turned in fields:
        if not name:
            raise FactsError(
                f"{where}: {text!r} has braces without a name; put a column between braces, as in {{subject}}"
            )
        if form or turned or not {".", "["}.isdisjoint(name):
            raise FactsError(
                f"{where}: {text!r} has more than a plain name between braces, which can hold no . [ ! or :; "
                "give the column another name"
            )
    return {name for _, name, _, _ in fields}


def fill(text: str, values: dict) -> str:
    """Put values for the names in braces; the values themselves may hold braces (they are code, sometimes)."""
    return text.format_map(values)
