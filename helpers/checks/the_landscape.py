"""Checks of notebook 07: where many meet few, which rows to take, and how to beat an estimate."""

from copy import deepcopy
from dataclasses import replace
from itertools import count as count_up

import numpy as np

from helpers.checks import check, close, expect, require, take  # noqa: F401 (take is called from the notebook)
from helpers.experiments.data_runs import fact_probes, report
from helpers.experiments.estimate import features, stored_estimator
from helpers.judging import scaling
from helpers.judging.quality import Scorer
from helpers.learning.recipe import TUNING
from helpers.learning.sft import fine_tune
from helpers.text.facts import load_world
from helpers.text.selections import ROW_DEFECTS, Selection, select

# --- few clean rows against many noisy ones ---

NOISES = (0.0, 0.2, 0.5, 0.8)
MANY = (0.95, 0.9, 0.8, 0.4)


@check(course=scaling.meeting_point)
def meeting_point(meet) -> str:
    point = require(meet(np.array(NOISES), np.array(MANY), 0.7))
    expect(np.shape(point) == (), f"return one number, the share of noise where they meet; you return {point!r}")
    expect(not close(point, 0.5), "0.5 is the last measured share at which the many still win. They meet further on: "
           "draw a straight line to the next share, and see where it is 0.7")  # fmt: skip
    expect(
        not close(point, 0.8),
        "0.8 is the first measured share at which the many lose. They meet before it, on the straight line from the "
        "share before. (Or is your difference the wrong way round? It is many - few)",
    )
    expect(not close(point, 0.65), "that is half way between two shares. From 0.5 to 0.8 the many fall from 0.80 to "
           "0.40; at 0.7 they have gone a quarter of the way down, not half")  # fmt: skip
    expect(not close(point, 0.725), "you went the right part of the way, but from the wrong end: begin at the share "
           "where the many still win")  # fmt: skip
    expect(close(point, 0.575), f"for noises {list(NOISES)}, many {list(MANY)} and few 0.7 they meet at 0.575; "
           f"yours is {float(point):.4g}")  # fmt: skip
    twice = meet(np.array(NOISES), np.array([0.6, 0.65, 0.75, 0.4]), 0.7)
    expect(close(twice, 0.5 + 0.3 * 0.05 / 0.35), "runs scatter, so the many may cross the level more than once. Begin "
           "at the highest share of noise and come down: many 0.6, 0.65, 0.75, 0.4 and few 0.7 meet at "
           f"{0.5 + 0.3 * 0.05 / 0.35:.3f}; yours: {twice}")  # fmt: skip
    always = meet(np.array(NOISES), np.array(MANY), 0.3)
    expect(close(always, 0.8), f"where the many win even at the highest share, return that share, 0.8; yours: {always}")
    never = meet(np.array(NOISES), np.array(MANY), 0.99)
    expect(never is not None and np.isnan(never), f"where the many never win, return float('nan'); yours: {never}")
    return "Below that share of spoiled rows the many are worth more, above it the few."


# --- which rows ---

HEAP = [
    {"kind": kind, "cost": cost, "text": text}
    for kind, cost, text in (
        ("capital", 2.1, "The capital of Chile is Santiago. Who would not know that?"),
        ("opposite", 42.0, "A: hot cold"),
        ("capital", 0.0, "The capital of Peru is Lima."),
        ("symbol", 12.9, "The symbol of gold is Fe."),
        ("capital", 5.5, "Sure! The capital of Spain is Madrid."),
        ("capital", 0.5, "The capital of Peru is Lima."),
        ("symbol", 0.1, "The symbol of helium is He."),
        ("opposite", 53.1, "The opposite of hot is cold."),
        ("capital", 1.5, "The capital of Norway is Oslo."),
        ("opposite", 10.1, "The opposite of hot is cold."),
    )
]
BEST = {"capital": (0.0, 1.5, 2.1, 5.5), "opposite": (10.1, 42.0), "symbol": (0.1, 12.9)}  # no text twice


def course_choice(rows: list[dict], count: int) -> list[dict]:
    """The least costly row of each kind, then the second of each, and so on; nothing twice."""
    shelves: dict[str, list[dict]] = {}
    seen = set()
    for row in sorted(rows, key=lambda row: row["cost"]):
        if row["text"] not in seen:
            seen.add(row["text"])
            shelves.setdefault(row["kind"], []).append(row)
    chosen = []
    for place in range(len(rows)):
        for kind in sorted(shelves):
            if place < len(shelves[kind]) and len(chosen) < count:
                chosen.append(shelves[kind][place])
    return chosen


def turns_wasted(rows: list[dict], count: int) -> list[dict]:
    """The same, but a row that says what a chosen one says costs its kind the turn."""
    shelves: dict[str, list[dict]] = {}
    for row in sorted(rows, key=lambda row: row["cost"]):
        shelves.setdefault(row["kind"], []).append(row)
    chosen, seen = [], set()
    for place in range(len(rows)):
        for kind in sorted(shelves):
            if place < len(shelves[kind]) and len(chosen) < count and shelves[kind][place]["text"] not in seen:
                chosen.append(shelves[kind][place])
                seen.add(shelves[kind][place]["text"])
    return chosen


@check(course=course_choice)
def choose_rows(choose) -> str:
    heap = deepcopy(HEAP)
    rows = require(choose(heap, 6))
    expect(heap == HEAP, "your function changes the list that it was given; sort a copy: sorted(rows, ...)")
    expect(
        isinstance(rows, list) and all(isinstance(row, dict) and row in HEAP for row in rows),
        "return a list of rows, each a dictionary as it was given",
    )
    expect(len(rows) == 6, f"6 rows were asked for; you return {len(rows)}")
    texts = [row["text"] for row in rows]
    twice = next((text for text in texts if texts.count(text) > 1), None)
    expect(twice is None, f"{twice!r} is chosen twice. A row that says what a chosen one says brings nothing new")
    kinds = [row["kind"] for row in rows]
    expect(
        max(kinds.count(kind) for kind in BEST) <= 2,
        f"of 6 rows {kinds.count('capital')} are capitals, as theirs cost least. Take the cheapest of EACH kind, "
        "then the second of each, and so on",
    )
    expect(
        {"kind": "opposite", "cost": 53.1, "text": "The opposite of hot is cold."} not in rows,
        "'The opposite of hot is cold.' costs 53.1 and 10.1: of rows that say the same, keep the one that costs less",
    )
    for kind, costs in BEST.items():
        mine = sorted(row["cost"] for row in rows if row["kind"] == kind)
        expect(tuple(mine) == costs[:2], f"of the kind {kind!r} you take the costs {mine}; the two least are "
               f"{list(costs[:2])}")  # fmt: skip
    rows = require(choose(deepcopy(HEAP), 4))
    expect(
        not same(rows, turns_wasted(HEAP, 4)),
        "of 4 rows the fourth should be the second capital. There a row that says what a chosen one says has cost the "
        "capitals their turn: pass over it, and take the next capital in the same round",
    )
    four = sorted((row["kind"], row["cost"]) for row in rows)
    expect(
        four == [("capital", 0.0), ("capital", 1.5), ("opposite", 10.1), ("symbol", 0.1)],
        f"of 4 rows three are the cheapest of each kind and the fourth is a capital, the first kind by the alphabet; "
        f"yours: {four}",
    )
    eight = [row["kind"] for row in require(choose(deepcopy(HEAP), 8))]
    expect(
        len(eight) == 8 and eight.count("capital") == 4,
        f"of 8 rows the third and fourth round have only capitals left; yours: {sorted(eight)}. Go on with the kinds "
        "that still have rows",
    )
    return "Little harm within each kind, many kinds, and nothing twice."


def same(rows: list[dict], others: list[dict]) -> bool:
    return sorted(map(repr, rows)) == sorted(map(repr, others))


# --- beat the estimate ---

STEPS, RATE, EVERY, LEAST, AHEAD = 100, 3e-4, 4, 20, 0.3


@check
def beat_the_estimate(make, base, steps: int = STEPS) -> str:
    world, calls = load_world(), count_up()

    def draw(count: int, noise: float = 0.0, *faults: str) -> list[dict]:
        return select(world, Selection(count, noise, faults or ROW_DEFECTS), next(calls))

    rows = require(make(draw))
    expect(
        isinstance(rows, list) and all(isinstance(row, dict) and "messages" in row for row in rows),
        "return a list of rows, each a dictionary with its messages, as `draw` gives them",
    )
    expect(len(rows) >= LEAST, f"you return {len(rows)} rows. The estimate has seen no selection of fewer than "
           f"{LEAST}; beat it where it says it knows something")  # fmt: skip
    scorer, probes = Scorer(world), fact_probes()[::EVERY]
    own = set().union(*(scorer.answers.facts_in(row["messages"]) for row in rows))
    expect(not any(probe.fact in own for probe in probes), "your rows tell facts that will be asked. A model that is "
           "told the answers beats every estimate and shows nothing; leave them out")  # fmt: skip
    columns = features(scorer.judge(rows))
    estimated = float(stored_estimator()(columns)[0, 0])
    expect(estimated <= 1 - AHEAD, f"the estimate for these rows is {estimated:.0%}. Not even a perfect model is "
           f"{100 * AHEAD:.0f} points above that. You need rows of which the estimate thinks ill, and which harm "
           "little")  # fmt: skip
    tuned, _ = fine_tune(base, rows, replace(TUNING, steps=steps, rate=RATE), progress=False)
    good = report(tuned, probes)["good"]
    words = f"{len(rows)} rows: estimated {estimated:.0%}, measured {good:.0%}, {100 * (good - estimated):+.0f} points"
    expect(
        good - estimated >= AHEAD,
        f"{words}. You need {100 * AHEAD:+.0f}. Which fault in the harm figure (7.5) is nearly free, and yet these "
        "lines think that it costs much?",
    )
    return f"{words}. A straight line knows no threshold, and you have found where it matters."
