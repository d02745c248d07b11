"""Worked examples in the prompt, for notebook 01: does the base model answer better after them?

The same questions with no example and with some, the examples drawn several times, each question compared with itself.
Not here: the prompt itself, which the learner writes; forms without examples (the_gap.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from IPython.display import HTML, Markdown

from helpers.judging import evaluation
from helpers.judging.statistics import paired_difference
from helpers.learning.language_model import LanguageModel
from helpers.showing.page import table
from helpers.text import matching
from helpers.text.facts import Fact, World

REPLY = 16  # tokens


def trial(
    lm: LanguageModel,
    world: World,
    facts: Sequence[Fact],
    build: Callable,
    counts: Sequence[int] = (0, 1, 3),
    draws: int = 3,
    seed: int = 0,
) -> dict[int, np.ndarray]:
    """Is each fact answered after so many worked examples? -> {examples: (draws, facts) of 0 and 1}; with none there
    is nothing to draw. Raises ValueError where no prompt fits the context with its reply."""
    outcomes = {}
    for count in counts:
        rows = []
        for draw in range(draws if count else 1):
            rng = np.random.default_rng([seed, count, draw])
            prompts = [fitting(lm, world, fact, build, count, rng) for fact in facts]
            replies = map(matching.first_line, lm.complete_all(prompts, REPLY))
            rows.append([evaluation.is_answer(reply, fact) for reply, fact in zip(replies, facts, strict=True)])
        outcomes[count] = np.array(rows, float)
    return outcomes


def fitting(lm: LanguageModel, world: World, fact: Fact, build: Callable, count: int, rng) -> str:
    """A prompt that leaves room for a reply: examples too long for it are drawn anew, ten times at most."""
    for _ in range(10):
        prompt = build(examples(world, fact, count, rng), fact.say("question"))
        if len(lm.document_ids(prompt)) + REPLY <= lm.transformer.config.context:
            return prompt
    raise ValueError(f"{count} examples of the kind {fact.kind!r} leave no room for a reply in the model's context")


def examples(world: World, fact: Fact, count: int, rng) -> list[tuple[str, str]]:
    """Question and answer of other facts of the same kind, none of which has this fact's answer."""
    others = [other for other in world.of_kind(fact.kind) if other.answer != fact.answer and other.told is None]
    drawn = rng.choice(len(others), count, replace=False)
    return [(others[i].say("question"), others[i].say("response")) for i in drawn]


def gain(outcomes: dict[int, np.ndarray], count: int) -> tuple[float, tuple[float, float]]:
    """Points that examples bring over none, fact by fact (its draws averaged), with the interval over facts."""
    mean, low, high = paired_difference(outcomes[0].mean(axis=0), outcomes[count].mean(axis=0))
    return 100 * mean, (100 * low, 100 * high)


def results(outcomes: dict[int, np.ndarray]) -> HTML:
    """Answered after each number of examples, draw by draw, and the paired difference to none."""
    rows = []
    for count, answers in outcomes.items():
        each = ", ".join(f"{100 * value:.0f}" for value in answers.mean(axis=1))
        points, (low, high) = gain(outcomes, count)
        change = f"{points:+.0f} points ({low:+.0f} to {high:+.0f})" if count else "–"
        rows.append((str(count), f"{100 * answers.mean():.0f}%", each, change))
    return HTML(table(("examples", "answered", "each draw (%)", "against none, same questions"), rows,
                      label="in-context learning of the base model", row_heads=True))  # fmt: skip


def verdict(outcomes: dict[int, np.ndarray], count: int = 3) -> Markdown:
    """What came out of the trial, in words that fit either sign."""
    points, (low, high) = gain(outcomes, count)
    words = ("the examples help" if low > 0 else "the examples do harm" if high < 0
               else "no effect of the examples shows")  # fmt: skip
    return Markdown(
        f"**Measured.** With {count} worked examples the model answers {100 * outcomes[count].mean():.0f}%, with none "
        f"{100 * outcomes[0].mean():.0f}%. The difference on the same {outcomes[0].shape[1]} questions is "
        f"{points:+.0f} points; its interval runs from {low:+.0f} to {high:+.0f}. So on this one base model {words}."
    )
