"""JSON as people store rows in it, read piece by piece: a row a line, one list, or what else is meant by it.

    {...}\n{...}\n          a row a line                    [{...}, {...}]           one list, in one line or many
    {\n "a": ...\n}\n{...}   rows over several lines         [{...}]\n[{...}]         lists after one another
    {"data": [{...}]}       a list within an object

However large the file, a row at a time is held. What is damaged is a RowProblem at the line of the damage, and the
reading goes on after it. Not here: what a row must look like (formats.py), files (datasets.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TextIO

from helpers.text.formats import RowProblem, detect

CHUNK = 1 << 16  # characters read at a time, at least
LARGEST_ROW = 1 << 22  # a row with more characters than that is taken for a damaged one
MARGIN = 20  # an error so near to the end of what was read may be one of a token whose end is not read yet
BETWEEN = re.compile(r"[\s,]*")  # what may stand between two rows
FIELD = r'"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[-+.\w]+)\s*'  # a field that holds no list and no object
LIST = rf'(?:{FIELD},\s*)*"(?:data|rows|examples|items|train|validation|test)"\s*:\s*\[\s*(?=\{{)'
WRAPPER, NEXT_LIST = re.compile(rf"\s*\{{\s*{LIST}"), re.compile(LIST)  # an object that holds the list of rows, or two
WRAPPER_END = re.compile(rf"(?:{FIELD},\s*)*(?:{FIELD})?\}}")
NEXT_ROW = re.compile(r"[,\n]\s*(?=\{)")
BLANKS = re.compile(r"[ \t\r]*")
Entry = tuple[int, str, object]  # line, text as it stands, the row or a RowProblem


class DoubledKey(Exception):
    """An object that holds a key twice, of which Python's reader would keep the last without a word."""


def unique(pairs: list[tuple[str, object]]) -> dict:
    """An object of JSON. DoubledKey where a key stands in it twice."""
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        raise DoubledKey(next(key for key in keys if keys.count(key) > 1))
    return row


STRICT, LENIENT = json.JSONDecoder(object_pairs_hook=unique), json.JSONDecoder()


class Text:
    """What was read of a file and not used yet: `buffer` from `at` on, which stands in line `line`."""

    def __init__(self, file: TextIO, detect: Callable = detect):
        self.file, self.buffer, self.at, self.line, self.ended = file, "", 0, 1, False
        self.detect = detect  # raises RowProblem for what is no row
        self.gone = 0  # characters of the line in which `buffer` begins that stood before it

    def fill(self) -> bool:
        """Read on: as much again as there is, so that a long row is looked at a few times only."""
        more = self.file.read(max(CHUNK, len(self.buffer) - self.at))
        self.buffer, self.ended = self.buffer + more, not more
        return bool(more)

    def go_to(self, end: int) -> str:
        """Use all before `end`; -> it."""
        raw = self.buffer[self.at : end]
        self.line, self.at = self.line + raw.count("\n"), end
        return raw

    def forget(self) -> None:
        """Drop what was used."""
        self.gone, self.buffer, self.at = self.column(self.at) - 1, self.buffer[self.at :], 0

    def column(self, position: int) -> int:
        """In which column a place in `buffer` stands, counted from 1."""
        newline = self.buffer.rfind("\n", 0, position)
        return position - newline + (self.gone if newline < 0 else 0)

    def next_sign(self) -> str:
        """Go on to where the next row or list begins or ends; -> its first sign, "" at the end of the file."""
        while True:
            if self.at > CHUNK:
                self.forget()
            self.go_to(BETWEEN.match(self.buffer, self.at).end())
            if self.at < len(self.buffer) or not self.fill():
                return self.buffer[self.at : self.at + 1]

    def end_of_line(self) -> int:
        """Behind the line break that comes next, or LARGEST_ROW characters on."""
        while (end := self.buffer.find("\n", self.at)) < 0 and len(self.buffer) - self.at < LARGEST_ROW and self.fill():
            pass
        return end + 1 if end >= 0 else len(self.buffer)

    def unfinished(self, problem: Exception, margin: int = 1) -> bool:
        """Whether it may be only the end that is missing."""
        if not isinstance(problem, json.JSONDecodeError):
            return False
        cut = problem.msg.startswith(("Unterminated string", "Invalid \\u"))
        return cut or problem.pos > len(self.buffer.rstrip()) - margin

    def decode(self) -> tuple[object, int]:
        """The value that begins here, and where it ends. Raises what the reader of JSON raises; a doubled key makes a
        RowProblem of the value."""
        decoder, twofold = STRICT, None
        while True:
            try:
                value, end = decoder.raw_decode(self.buffer, self.at)
                if end < len(self.buffer) or not self.fill():  # at the end of what was read, a number may go on
                    return twofold or value, end
            except DoubledKey as problem:
                twofold = RowProblem(str(problem), "stands twice, and one of the two would be lost; remove one")
                decoder = LENIENT
            except ValueError as problem:
                small = len(self.buffer) - self.at < LARGEST_ROW
                if not (small and self.unfinished(problem, MARGIN) and self.fill()):
                    raise

    def see_alone(self, end: int) -> None:
        """JSONDecodeError where something else than a row or a list follows in the same line."""
        while (after := BLANKS.match(self.buffer, end).end()) == len(self.buffer) and self.fill():
            pass
        if self.buffer[after : after + 1] not in ("", "\n", ",", "{", "["):
            raise json.JSONDecodeError("Extra data", self.buffer, after)


def json_rows(file: TextIO, detect: Callable = detect) -> Iterator[Entry]:
    """(line, text, row) of each row of a text; what is no JSON stands there as a RowProblem. After damage in a list the
    next object that `detect` knows as a row is the next row."""
    text = Text(file, detect)
    while len(text.buffer) < CHUNK and text.fill():  # enough to see whether the list is one within an object
        pass
    wrapper = WRAPPER.match(text.buffer)
    text.go_to(wrapper.end() if wrapper else 0)
    listed, broken = bool(wrapper), False  # in a list; after damage in a list, which may have been its end
    while sign := text.next_sign():
        if sign == "]" and (listed or broken):
            text.go_to(text.at + 1)
            listed, broken = bool(wrapper) and after_list(text), False
        elif sign == "[" and not listed:
            text.go_to(text.at + 1)
            listed = True
        else:
            line = text.line
            try:
                row, end = text.decode()
                if not (listed or broken):
                    text.see_alone(end)
                yield line, text.go_to(end), row
            except (ValueError, RecursionError) as problem:
                line, raw, row = damaged_row(text, problem, listed)
                broken = listed or broken
                listed = listed and raw.rstrip().endswith(",")
                yield line, raw, row
    if listed and not broken:
        yield text.line, "", RowProblem("", "the list is not closed: the file may have been cut off; add ]")


def after_list(text: Text) -> bool:
    """Go on to the end of the object that holds a list, or to its next list; -> whether there is one."""
    text.next_sign()
    match = NEXT_LIST.match(text.buffer, text.at) or WRAPPER_END.match(text.buffer, text.at)
    text.go_to(match.end() if match else text.at)
    return bool(match) and match.re is NEXT_LIST


def damaged_row(text: Text, problem: Exception, listed: bool) -> Entry:
    """What is wrong where the reading stands, and the text that it costs: the line; or, in a list or in a row that goes
    over several lines, all before the next row."""
    end = text.end_of_line()
    place = problem.pos if isinstance(problem, json.JSONDecodeError) else text.at
    begins = text.buffer[place : place + 1] in ("{", "[") and not text.buffer[end:place].strip()
    if place >= end and begins:  # the next row begins, so this one broke off in its line
        place = end - 1
    over = text.unfinished(problem)
    if over and not text.ended:
        what = f"has more than {LARGEST_ROW:,} characters, as no row has; look for a missing quote or bracket"
    elif over:
        what = "not JSON: the text ends within this row, which was cut off or is still being written. Complete it"
    elif isinstance(problem, json.JSONDecodeError):
        column = text.column(place)
        what = f"not JSON: {problem.msg} at column {column}. Look for a missing quote, comma or bracket"
    elif isinstance(problem, RecursionError):
        what = "is nested too deeply to be a row"
    else:
        what = "not JSON that can be read: it holds too long a number"
    line = text.line + text.buffer.count("\n", text.at, place)
    if listed or place >= end:
        end = following_row(text)
    raw = text.go_to(end)
    while over and not text.ended and not raw.endswith("\n"):
        text.forget()
        raw = text.go_to(text.end_of_line())
    return line, raw, RowProblem("", what)


def following_row(text: Text) -> int:
    """Where the next row begins after a damaged one: a comma or line break, then an object that has a row's keys."""
    while True:
        for match in NEXT_ROW.finditer(text.buffer, text.at):
            try:
                text.detect(LENIENT.raw_decode(text.buffer, match.end())[0])
                return match.end()
            except (ValueError, RecursionError):
                continue
        if len(text.buffer) - text.at >= LARGEST_ROW or not text.fill():
            return len(text.buffer)
