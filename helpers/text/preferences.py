"""Preference pairs: two answers to one question, of which one is better.

    {"prompt": [turn, ...], "chosen": [turn], "rejected": [turn]}       and "kind", "subject", "answer", where of a fact

A pair of the world is close where the rejected answer is the right sentence with a wrong fact in it, and far where it
is the right answer in another form. Close pairs move what a model knows, far ones how it speaks. Not here: the losses
that learn from pairs (learning), how a row can be bad (selections.py).
"""

from __future__ import annotations

import numpy as np

from helpers.text.facts import PARTS, World, draw
from helpers.text.instructions import tuning_wordings, turn
from helpers.text.selections import Spoiler, wrong_response

PAIRS = ("close", "far")


def fact_pairs(
    world: World, part: str = PARTS[0], how: str = "close", seed: int = 0, wordings: int | None = None
) -> list[dict]:
    """A pair for each fact of a part and each wording of its question that may be tuned on, or the first few of them.
    The rejected answer is drawn from the names of fact and wording, so one more fact moves no other's. No close pair
    is there of a kind that has one answer only."""
    if part not in PARTS or how not in PAIRS:
        raise ValueError(f"pairs are of a part {PARTS} and {PAIRS}, got {part!r} and {how!r}")
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
