"""What a model knows and does: statements completed, questions answered, candidates ranked, texts foreseen.

Every measure is a function of what the model writes or of how likely it finds a text; the definitions are short enough
to dispute. Not here: how a share gets its interval (statistics.py), the five dimensions of an answer (dimensions.py),
what is watched while a model is tuned (vital_signs.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from helpers.learning.generation import Cache
from helpers.learning.language_model import LanguageModel
from helpers.learning.layers import cross_entropy, softmax
from helpers.learning.products import one_thread
from helpers.text.facts import Fact, World
from helpers.text.matching import QUESTION_MARKS, begins_with
from helpers.text.templates import render

# --- what it writes ---


def completes(lm: LanguageModel, facts: Sequence[Fact], wording: int = 0) -> list[bool]:
    """For each fact: is its statement, cut off before the answer, completed with the right answer?"""
    right = {}
    for kind in {fact.kind for fact in facts}:  # apart, as one kind's answers have 2 tokens and another's 40
        alike = [fact for fact in facts if fact.kind == kind]
        longest = max(len(lm.tokenizer.encode(f" {fact.answer}")) for fact in alike)
        texts = lm.complete_all([fact.prompt(wording) for fact in alike], longest + 2)
        right |= {fact: begins_with(text, fact.answer) for text, fact in zip(texts, alike, strict=True)}
    return [right[fact] for fact in facts]


def answers_exactly(lm: LanguageModel, facts: Sequence[Fact], wording: int = 0, **how) -> list[bool]:
    """For each fact: does the model, asked through its chat template, give the response of wordings.csv, letter for
    letter and nothing more? `how` goes to `ask_all`."""
    answers = lm.ask_all([fact.say("question", wording) for fact in facts], **how)
    return [answer.strip() == fact.say("response") for answer, fact in zip(answers, facts, strict=True)]


def stop_probabilities(lm: LanguageModel, facts: Sequence[Fact]) -> np.ndarray:
    """(facts,): how likely the model finds it that its turn ends after the right answer to each fact's question."""
    chances = []
    with one_thread():
        for fact in facts:
            question, answer = fact.say("question"), fact.say("response")
            talk = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            ids, mask = render(talk, lm.template, lm.tokenizer)
            end = max(i for i, trained in enumerate(mask) if trained)  # the end token is the last that is trained on
            chances.append(softmax(lm.logits([ids[:end]])[0, -1].astype(np.float64))[ids[end]])
    return np.array(chances)


def worked_examples(fact: Fact, examples: Sequence[Fact]) -> str:
    """A prompt that shows the protocol before it asks: question and answer of each example, then the question."""
    pairs = [f"Q: {example.say('question')}\nA: {example.say('response')}\n" for example in examples]
    return "".join(pairs) + f"Q: {fact.say('question')}\nA:"


def is_answer(text: str, fact: Fact) -> bool:
    """Does a continuation open with an answer: the bare answer, or any sentence that states the fact?"""
    text = text.strip()
    return any(begins_with(text, way) for way in (fact.answer, *fact.ways("statement"), *fact.ways("mention")))


def is_question(line: str, world: World) -> bool:
    """Is a line a question, by its mark or because it is one of the world's requests ("Name the capital of Peru.")?"""
    return line.endswith(tuple(QUESTION_MARKS)) or line in world.questions


# --- what it finds likely ---


def next_tokens(lm: LanguageModel, ids: list[int], count: int = 8) -> list[tuple[str, float]]:
    """The `count` likeliest next tokens after `ids` (the last that fit the context) and their probabilities."""
    scores = lm.logits([ids[-lm.transformer.config.context :]])[0, -1].astype(np.float64)
    chances = softmax(scores)
    best = np.argsort(-chances, kind="stable")[:count]
    return [(lm.tokenizer.decode([token]), float(chances[token])) for token in best]


def log_probabilities(lm: LanguageModel, prompt: str, continuations: Sequence[str]) -> np.ndarray:
    """Natural log of the probability that the model continues `prompt` with each text (followed by anything):
    (continuations,) float64.

    The probability of several tokens is the product of the tokens' own, so the logs are added.
    """
    model, start = lm.transformer, lm.document_ids(prompt)
    tails = [lm.tokenizer.encode(text) for text in continuations]
    longest = max(map(len, tails))
    ids = np.array([tail + [0] * (longest - len(tail)) for tail in tails])  # (C, longest), padded
    real = np.array([[i < len(tail) for i in range(longest)] for tail in tails])
    with one_thread():
        shared = Cache(model, 1, len(start))  # the prompt is read once,
        before = model.forward(np.array([start]), cache=shared)[-1]  # (D,): predicts the first token of every tail
        cache = Cache(model, len(tails), len(start) + longest)
        cache.prefill(shared)  # and every candidate goes on from it
        after = model.forward(ids, cache=cache).reshape(*ids.shape, -1)[:, :-1]  # (C, longest - 1, D)
        states = np.concatenate([np.broadcast_to(before, (len(tails), 1, len(before))), after], axis=1)[real]
        logits = (states @ model.parameters.output.T).astype(np.float64)  # (real tokens, V)
    losses, _ = cross_entropy(logits, ids[real], np.ones(len(logits)))
    return np.bincount(np.nonzero(real)[0], weights=-losses, minlength=len(tails))


def rank_of_answer(lm: LanguageModel, fact: Fact, candidates: Sequence[str]) -> tuple[int, float]:
    """Forced choice: the right answer's rank (1 = best) among `candidates`, and its share of their probability.

    Each candidate ends the fact's first statement. The full stop belongs to it: without, "H" would be credited with
    every sentence that goes on to "He" or "Hg".
    """
    gap = "" if fact.prompt().endswith("\n") else " "
    logs = log_probabilities(lm, fact.prompt(), [gap + candidate + fact.ending() for candidate in candidates])
    right = list(candidates).index(fact.answer)
    rank = int((logs > logs[right]).sum()) + 1
    return rank, float(softmax(logs)[right])


def perplexity(lm: LanguageModel, documents: Sequence[str]) -> float:
    """exp of the mean loss per token over whole documents (each cut to the context): 1 would be perfect foresight."""
    total, count = 0.0, 0
    with one_thread():
        for text in documents:
            ids = np.array(lm.document_ids(text))[: lm.transformer.config.context + 1]
            total += lm.transformer.loss(ids[None, :-1], ids[None, 1:], np.ones((1, len(ids) - 1), np.float32))
            count += len(ids) - 1
    return math.exp(total / count)
