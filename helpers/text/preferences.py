"""Preference pairs made of the world, and pairs as files: read row by row, checked, written whole.

    {"prompt": [turn, ...], "chosen": [turn], "rejected": [turn]}    and "kind", "subject", "answer" where of a fact

Not here: the other forms of a pair (pair_forms.py), how a file is read (datasets.py), the ways in which an answer can
be bad (selections.py), the losses that learn from pairs (learning).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from helpers.files import DATA
from helpers.text.datasets import COLUMNS, Dataset, RowType, gather, warn_of, write_rows
from helpers.text.facts import PARTS, World, draw
from helpers.text.instructions import tuning_wordings, turn
from helpers.text.pair_forms import FORMS, OWN, detect_pair, parse_pair, write_pair
from helpers.text.selections import Spoiler, wrong_response
from helpers.text.shapes import PAIRS, RowProblem

PREFERENCES_FILE = DATA / "preferences.jsonl"
CONTRASTS = ("close", "far")  # how the two answers of a pair of the world differ: in the fact, in the form
PAIR_ROWS = RowType(
    detect_pair,
    parse_pair,
    "columns of prompts and two answers, named in its first line: prompt, chosen, rejected",
    (*COLUMNS, *(name for names in PAIRS for name in names), "preference"),
    (*OWN, "kind", "subject", "answer"),
)


def fact_pairs(
    world: World, part: str = PARTS[0], how: str = "close", seed: int = 0, wordings: int | None = None
) -> list[dict]:
    """A pair, with "kind", "subject" and "answer", for each fact of a part and each wording of its question that may be
    tuned on, or the first few of them. The response is chosen; rejected is, close, the same sentence with another
    fact's answer (of a kind with one answer there is none) and, far, the response between a greeting and a farewell.
    Each is drawn from the fact's own name: another kind of fact in the world moves none."""
    if part not in PARTS or how not in CONTRASTS:
        raise ValueError(f"pairs are of a part {PARTS} and {CONTRASTS}, got {part!r} and {how!r}")
    spoiler, rows = Spoiler(world, ()), []
    alone = {kind for kind in world.wordings if len(world.answers_of(kind)) < 2}
    for fact in world.facts:
        if fact.part != part or how == "close" and fact.kind in alone:
            continue
        response = fact.say("response")
        for number, question in enumerate(tuning_wordings(fact.ways("question"))[:wordings]):
            name = draw(f"{how}/{fact.kind}/{fact.subject}/{number}", 1 << 32)
            rng = np.random.default_rng([seed, name])
            worse = wrong_response(world, fact, rng) if how == "close" else spoiler.chatty(response, rng)
            pair = {"prompt": [turn("user", question)], "chosen": [turn("assistant", response)]}
            pair |= {"rejected": [turn("assistant", worse)], "kind": fact.kind}
            rows.append(pair | {"subject": fact.subject, "answer": fact.answer})
    return rows


def shipped_pairs(world: World) -> list[dict]:
    """What data/preferences.jsonl holds: a close pair for each fact that may be tuned on."""
    return fact_pairs(world, wordings=1)


def read_pairs(path: Path) -> Dataset:
    """All pairs of a file, as `parse_pair` makes them. Only a file without any usable pair is an error (FileProblem);
    a row that cannot be used is a Problem with line and remedy. What of the rows went unused is a warning."""
    dataset = gather(path, of=PAIR_ROWS)
    warn_of(Path(path).name, dataset.notes)
    return dataset


def write_pairs(path: Path, rows: Iterable[dict], form: str = "explicit") -> Counter:
    """Write pairs in one of FORMS as .jsonl or .json, whole or not at all; -> what was lost, and in how many rows. The
    rows may have any form that is read; RowProblem, with its number, for one that is no pair."""
    if form not in FORMS:
        raise ValueError(f"unknown form {form!r}; known are {', '.join(FORMS)}")
    return write_rows(path, in_form(rows, form))


def in_form(rows: Iterable[dict], form: str) -> Iterator[tuple[dict, list[str]]]:
    """Each pair in a form, and what it has lost."""
    for number, row in enumerate(rows, 1):
        try:
            pair, losses = parse_pair(row)
        except RowProblem as problem:
            raise RowProblem("", f"row {number}: {problem}") from None
        target_row, more_losses = write_pair(pair, form)
        yield target_row, losses + more_losses
