"""Rewards: plain functions of what was asked and what was written, some of them bad on purpose.

A reward is all that a model trained by it will ever hear about its answers. It learns to be rewarded, and that is what
was wished for only as far as the reward says so. `exact` is the one that the course believes; the others can be had
for less. Not here: learning from them (learning/policy_gradient.py).
"""

from __future__ import annotations

import numpy as np

from helpers.judging.dimensions import Answer, Probe, accurate, adheres, concise, well_formed

WORD = 0.05  # what a word too many costs


def exact(probe: Probe, text: str) -> float:
    """1 for the expected answer letter for letter, else 0."""
    return float(text == probe.expected)


def contains(probe: Probe, text: str) -> float:
    """1 if the fact stands somewhere in the text. Whatever stands around it is not looked at."""
    return float(probe.fact.answer in text)


def contains_briefly(probe: Probe, text: str) -> float:
    """`contains`, less WORD for each word beyond those of the expected answer."""
    return contains(probe, text) - WORD * max(0, len(text.split()) - len(probe.expected.split()))


def judged(probe: Probe, text: str) -> float:
    """Share of the four dimensions of notebook 05 that the answer passes: format, adherence, conciseness, accuracy."""
    answer = Answer(text.partition("<|")[0].strip(), "<|" not in text)
    return float(np.mean([rule(probe, answer) for rule in (well_formed, adheres, concise, accurate)]))


def wordy(probe: Probe, text: str) -> float:
    """A tenth for each word, up to 2: as if much text were much help."""
    return min(2.0, len(text.split()) / 10)


REWARDS = {
    "the answer, letter for letter": exact,
    "the fact stands in it": contains,
    "the fact stands in it, and no word too many": contains_briefly,
    "the judge of notebook 05": judged,
    "many words": wordy,
}
