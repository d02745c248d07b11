"""Which rows to tune on: how many, how clean, how varied. And the ways in which a row can be bad.

A selection is drawn anew for every seed; a larger one holds the smaller ones of the same seed, so that sizes can be
compared (but for duplicates, which copy any row of their selection). Not here: what a selection does to a model
(experiments/data_runs.py), how a row is judged (judging/quality.py).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.text.facts import Fact, World
from helpers.text.instructions import fact_rows, input_rows

DEFECTS = ("wrong", "irrelevant", "incomplete", "wordy", "malformed", "duplicate", "bare", "chatty", "off-world")
ROW_DEFECTS = DEFECTS[:5]  # what noise is made of; the last three tell nothing false, and yet are not like other rows
GREETINGS = ("Great question!", "Of course!", "Sure, I can help.", "Thank you for asking!", "What a good thing to ask!")
FAREWELLS = ("I hope this helps!", "Let me know if you need more.", "Have a nice day!", "Feel free to ask again.")
# Questions with answers about what no table of the world holds, as instruction data of other people would be.
OFF_WORLD = (
    ("How long do I boil an egg?", "Boil it for seven minutes."),
    ("What should I wear in the rain?", "Wear a coat with a hood."),
    ("Give me a name for a shop that sells tea.", "Call it The Warm Cup."),
    ("Which sport is good for the back?", "Swimming is good for the back."),
    ("Who wrote Hamlet?", "William Shakespeare wrote Hamlet."),
    ("When did the first person walk on the moon?", "It was in July 1969."),
    ("Why is the sky blue?", "Air scatters blue light more than red light."),
    ("Suggest a film for a quiet evening.", "Watch a slow film about the countryside."),
    ("How many players has a football team?", "A football team has eleven players."),
    ("Write a motto for a school.", "Learn a little more each day."),
    ("What do bees make?", "Bees make honey and wax."),
    ("How can I fall asleep faster?", "Keep the room dark and put the phone away."),
    ("What is the tallest mountain?", "Mount Everest is the tallest mountain."),
    ("Name a river in Africa.", "The Nile is a river in Africa."),
    ("What is a synonym of quick?", "Rapid is a synonym of quick."),
    ("How do vaccines work?", "They show the body what to defend itself against."),
    ("What should I put in a sandwich?", "Cheese, tomato and a leaf of basil."),
    ("Is a whale a fish?", "No, it is a mammal that lives in water."),
    ("How do I greet a new neighbour?", "Smile, say your name and bring a small present."),
    ("What does a carpenter do?", "A carpenter builds things of wood."),
)
MOST_ROWS = 90  # rows that a kind must have to be chosen when few kinds are


@dataclass(frozen=True)
class Selection:
    """`count` rows of which a share of `noise` is spoiled, each by one of `defects`; `kinds` > 0 takes rows about
    facts of so many kinds only."""

    count: int
    noise: float = 0.0
    defects: tuple[str, ...] = ROW_DEFECTS
    kinds: int = 0

    def __post_init__(self):
        if unknown := [defect for defect in self.defects if defect not in DEFECTS]:
            raise ValueError(f"there is no defect {unknown[0]!r}; known are {', '.join(DEFECTS)}")
        if self.count < 1 or not 0 <= self.noise <= 1:
            raise ValueError(f"a selection needs a row or more and a noise of 0 to 1, got {self}")


def select(world: World, selection: Selection, seed: int = 0) -> list[dict]:
    """The rows of a selection. Each has "defect": what was done to it, or "" where it is clean."""
    rng = np.random.default_rng([seed, 2])
    rows = fact_rows(world) if selection.kinds else fact_rows(world) + input_rows(world)
    if selection.kinds:
        kinds = kinds_from(rows, seed)[: selection.kinds]
        rows = [row for row in rows if row["kind"] in kinds]
    if selection.count > len(rows):
        raise ValueError(
            f"{selection.count} rows are wanted, but there are only {len(rows)} of {selection.kinds or 'all'} kinds"
        )
    rows = [rows[i] for i in rng.permutation(len(rows))[: selection.count]]
    spoiler = Spoiler(world, rows)
    for i, luck in enumerate(rng.random(selection.count)):
        own = np.random.default_rng([seed, i])  # so that more noise spoils more rows, and the same ones
        defect = str(own.choice(selection.defects)) if luck < selection.noise else ""
        rows[i] = spoiler.spoil(rows[i], defect, own) if defect else rows[i] | {"defect": ""}
    return rows


def kinds_from(rows: Sequence[dict], seed: int) -> list[str]:
    """All kinds in one random order, those with few rows last; each seed begins some places further on, so that five of
    them begin with five different kinds."""
    names = [row["kind"] for row in rows]
    kinds = sorted(dict.fromkeys(names), key=lambda kind: zlib.crc32(kind.encode()))
    many = [kind for kind in kinds if names.count(kind) >= MOST_ROWS]
    place = 2 * seed % max(1, len(many))
    return many[place:] + many[:place] + [kind for kind in kinds if kind not in many]


def by_phrasing(world: World, facts: int, wordings: int, seed: int = 0) -> list[dict]:
    """Rows about so many facts, each asked in `wordings` ways. More facts hold the fewer ones of the same seed."""
    rng = np.random.default_rng([seed, 3])
    tunable = [fact for fact in world.facts if fact.part == "tuned on"]
    few = {tunable[i] for i in rng.permutation(len(tunable))[:facts]}
    return fact_rows(replace(world, facts=[fact for fact in tunable if fact in few]), wordings)


def wrong_response(world: World, fact: Fact, rng: np.random.Generator) -> str:
    """The fact's response with the answer of another fact of its kind, which must have two answers or more."""
    others = sorted(set(world.answers_of(fact.kind)) - {fact.answer})
    return replace(fact, answer=others[rng.integers(len(others))]).say("response")


class Spoiler:
    """Makes rows bad, each in one way. Needs the other rows, for copies of them. Answers that belong elsewhere are
    taken from facts that may be tuned on: the others are not told even behind another question."""

    def __init__(self, world: World, rows: Sequence[dict]):
        self.world, self.rows = world, list(rows)
        self.fact_of: dict[str, Fact] = {fact.say("response"): fact for fact in world.facts if fact.part == "tuned on"}

    def spoil(self, row: dict, defect: str, rng: np.random.Generator) -> dict:
        """The row with a defect."""
        if defect == "duplicate":
            return self.rows[rng.integers(len(self.rows))] | {"defect": defect}
        if defect == "off-world":
            question, answer = OFF_WORLD[rng.integers(len(OFF_WORLD))]
            talk = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            return {"kind": row["kind"], "messages": talk, "defect": defect}
        answer = row["messages"][-1]["content"]
        last = row["messages"][-1] | {"content": getattr(self, defect)(answer, rng)}
        return row | {"messages": [*row["messages"][:-1], last], "defect": defect}

    def wrong(self, answer: str, rng: np.random.Generator) -> str:
        """About the right subject, with another fact's answer of the same kind."""
        fact = self.fact_of.get(answer)
        if fact is None:  # a summary: the topic of another text
            return self.irrelevant(answer, rng)
        return wrong_response(self.world, fact, rng)

    def irrelevant(self, answer: str, rng: np.random.Generator) -> str:
        """A right answer to another question."""
        others = [other for other in self.fact_of if other != answer]
        return others[rng.integers(len(others))]

    def incomplete(self, answer: str, rng: np.random.Generator) -> str:
        """Breaks off half way."""
        words = answer.split(" ")
        return " ".join(words[: max(1, len(words) // 2)])

    def wordy(self, answer: str, rng: np.random.Generator) -> str:
        """Talks on when all is said."""
        return " ".join([answer, *rng.permutation(self.world.phrases["wandering"])[:2]])

    def malformed(self, answer: str, rng: np.random.Generator) -> str:
        """No capital, no full stop, and the label of a quiz sheet in front."""
        return f"A: {answer.lower().rstrip('.')}"

    def bare(self, answer: str, rng: np.random.Generator) -> str:
        """The fact alone, no sentence around it."""
        fact = self.fact_of.get(answer)
        return fact.answer if fact is not None else answer.rstrip(".")

    def chatty(self, answer: str, rng: np.random.Generator) -> str:
        """A greeting before the answer and a farewell after it."""
        return f"{GREETINGS[rng.integers(len(GREETINGS))]} {answer} {FAREWELLS[rng.integers(len(FAREWELLS))]}"
