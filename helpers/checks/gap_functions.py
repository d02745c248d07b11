"""The course's own functions of notebook 01: what its cells go on with where the learner's do not pass yet.

Each has the name of its exercise. Not here: how a learner's is judged (the_gap.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.learning.language_model import LanguageModel
from helpers.text.matching import first_line


def greedy(lm: LanguageModel, text: str, count: int) -> str:
    """What the model adds to a text, the likeliest token each time."""
    ids = lm.document_ids(text)
    start = len(ids)
    for _ in range(count):
        token = int(lm.logits([ids])[0, -1].argmax())
        if token == lm.tokenizer.special["<|endoftext|>"]:
            break
        ids.append(token)
    return lm.tokenizer.decode(ids[start:])


def ending_logprob(lm: LanguageModel, prompt: str, ending: str) -> float:
    """Log of the probability that the model continues `prompt` with `ending`."""
    start, tail = lm.document_ids(prompt), lm.tokenizer.encode(ending)
    scores = lm.logits([start + tail])[0].astype(float)[len(start) - 1 : -1]
    scores -= scores.max(axis=1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return float(sum(logs[i, token] for i, token in enumerate(tail)))


def forced_choice(logs: Sequence[float], right: int) -> tuple[int, float]:
    """Rank of the right candidate, and its share of the candidates' probability."""
    logs = np.asarray(logs, float)
    shares = np.exp(logs - logs.max())
    return int((logs > logs[right]).sum()) + 1, float(shares[right] / shares.sum())


def opens_with_question(text: str) -> bool:
    return first_line(text).endswith("?")


def few_shot_prompt(examples: Sequence[tuple[str, str]], question: str) -> str:
    return "".join(f"Q: {asked}\nA: {answer}\n" for asked, answer in examples) + f"Q: {question}\nA:"


def coax(country: str) -> str:
    return f"{country}\nCapital:"
