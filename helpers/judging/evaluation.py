"""What a model does, counted: statements completed, questions answered or continued, candidates ranked.

Every measure is a function of what the model wrote; the definitions are short enough to dispute. A share always comes
with its Wilson interval. Not here: the five dimensions of answers (a later notebook's), figures (plots.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from helpers.facts import Fact, World
from helpers.generation import Cache
from helpers.language_model import LanguageModel

# Beside a whole word stands no letter; but any may in scripts without spaces between words (Thai, Lao, Burmese, Khmer,
# Japanese, Chinese) or hang endings on a name (Korean).
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
LETTER = re.compile(rf"[^\W{UNSPACED}]")


@dataclass(frozen=True)
class Share:
    """`hits` of `total`, and the 95% Wilson interval for the probability behind them."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        return self.hits / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson 1927: unlike value +- 1.96 standard errors it stays within 0 and 1, and is not empty at 0 hits."""
        if not self.total:
            return (0.0, 1.0)
        z2 = 1.96**2
        middle = (self.hits + z2 / 2) / (self.total + z2)
        half = 1.96 / (self.total + z2) * math.sqrt(self.hits * (self.total - self.hits) / self.total + z2 / 4)
        return (max(0.0, middle - half), min(1.0, middle + half))

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.hits} of {self.total} = {100 * self.value:.1f}% (95% interval {100 * low:.1f} to {100 * high:.1f})"
        )


def share(outcomes: Iterable[bool]) -> Share:
    """Count outcomes."""
    outcomes = list(outcomes)
    return Share(sum(map(bool, outcomes)), len(outcomes))


def mean_and_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of results over seeds, and its 95% interval by Student's t for 3 to 10 of them: (mean, low, high)."""
    t = {3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}.get(len(values))
    if t is None:
        raise ValueError(f"an interval over seeds needs 3 to 10 results, not {len(values)}; has `make results` ended?")
    mean, half = float(np.mean(values)), t * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def begins_with(text: str, answer: str) -> bool:
    """Whether `text` begins with the whole of `answer`: "1" begins neither "12" nor "1.5"."""
    text = text.lstrip(" ")
    behind = text[len(answer) :]
    goes_on = LETTER.match(behind) or (answer[-1:].isdigit() and re.match(r"[.,]\d", behind))
    return text.startswith(answer) and not goes_on


def places(text: str, words: str) -> list[int]:
    """Where `words` stand in `text` whole: "He" stands nowhere in "Helium"."""
    found, at = [], text.find(words)
    while at >= 0:
        end = at + len(words)
        if not LETTER.match(text[max(0, at - 1) : at]) and not LETTER.match(text[end : end + 1]):
            found.append(at)
        at = text.find(words, at + 1)
    return found


def without(text: str, words: str) -> str:
    """The text with a space in place of `words` where they stand whole."""
    for at in reversed(places(text, words)):
        text = f"{text[:at]} {text[at + len(words) :]}"
    return text


def completes(lm: LanguageModel, facts: Sequence[Fact], wording: int = 0) -> list[bool]:
    """For each fact: is its statement, cut off before the answer, completed with the right answer?"""
    right = {}
    for kind in {fact.kind for fact in facts}:  # apart, as one kind's answers have 2 tokens and another's 40
        alike = [fact for fact in facts if fact.kind == kind]
        longest = max(len(lm.tokenizer.encode(f" {fact.answer}")) for fact in alike)
        written = lm.complete_all([fact.prompt(wording) for fact in alike], longest + 2)
        right |= {fact: begins_with(text, fact.answer) for text, fact in zip(written, alike, strict=True)}
    return [right[fact] for fact in facts]


def answers_exactly(lm: LanguageModel, facts: Sequence[Fact], wording: int = 0, **how) -> list[bool]:
    """For each fact: does the model, asked through its chat template, give the response of wordings.csv, letter for
    letter and nothing more?"""
    written = lm.ask_all([fact.say("question", wording) for fact in facts], **how)
    return [text.strip() == fact.say("response") for text, fact in zip(written, facts, strict=True)]


def first_line(text: str) -> str:
    """The first line that is not empty."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def is_answer(text: str, fact: Fact) -> bool:
    """Does a continuation open with an answer: the bare answer, or any sentence that states the fact?"""
    text = text.strip()
    return any(begins_with(text, way) for way in (fact.answer, *fact.ways("statement"), *fact.ways("mention")))


def is_question(line: str, world: World) -> bool:
    """Is a line a question, by its mark or because it is one of the world's requests ("Name the capital of Peru.")?"""
    return line.endswith("?") or line in world.questions


def words_before(text: str, answer: str) -> int | None:
    """How many words stand before the answer first appears in `text`; None if it never does."""
    found = re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text)
    return len(text[: found.start()].split()) if found else None


def log_probabilities(lm: LanguageModel, prompt: str, continuations: Sequence[str]) -> np.ndarray:
    """Natural log of the probability that the model continues `prompt` with each text (followed by anything).

    The probability of several tokens is the product of the tokens' own, so the logs are added.
    """
    model, start = lm.transformer, lm.document_ids(prompt)
    tails = [lm.tokenizer.encode(text) for text in continuations]
    longest = max(map(len, tails))
    ids = np.array([tail + [0] * (longest - len(tail)) for tail in tails])  # (candidates, longest)
    real = np.array([[i < len(tail) for i in range(longest)] for tail in tails])
    with threadpool_limits(1, user_api="blas"):
        read = Cache(model, 1, len(start))  # the prompt is read once,
        before = model.forward(np.array([start]), cache=read)[-1]  # (D,): predicts the first token of every tail
        cache = Cache(model, len(tails), len(start) + longest)
        cache.store[..., : len(start), :], cache.length = read.store, len(start)  # and shared by all candidates
        after = model.forward(ids, cache=cache).reshape(*ids.shape, -1)[:, :-1]  # (candidates, longest - 1, D)
        states = np.concatenate([np.broadcast_to(before, (len(tails), 1, len(before))), after], axis=1)[real]
        logits = (states @ model.parameters.embedding.T).astype(np.float64)  # (real tokens, V)
    logits -= logits.max(axis=-1, keepdims=True)
    logs = logits[np.arange(len(logits)), ids[real]] - np.log(np.exp(logits).sum(axis=-1))
    return np.bincount(np.nonzero(real)[0], weights=logs, minlength=len(tails))


def rank_of_answer(lm: LanguageModel, fact: Fact, candidates: Sequence[str]) -> tuple[int, float]:
    """Forced choice: the right answer's rank (1 = best) among `candidates`, and its share of their probability.

    Each candidate ends the fact's first statement. The full stop belongs to it: without, "H" would be credited with
    every sentence that goes on to "He" or "Hg".
    """
    gap = "" if fact.prompt().endswith("\n") else " "
    logs = log_probabilities(lm, fact.prompt(), [gap + candidate + fact.ending() for candidate in candidates])
    right = list(candidates).index(fact.answer)
    chance = np.exp(logs - logs.max())
    return int((logs > logs[right]).sum()) + 1, float(chance[right] / chance.sum())


def candidate_answers(world: World, kind: str) -> list[str]:
    """All different answers of one kind of fact: the candidates of a forced choice."""
    return list(dict.fromkeys(fact.answer for fact in world.of_kind(kind)))


def worked_examples(fact: Fact, examples: Sequence[Fact]) -> str:
    """A prompt that shows the protocol before it asks: question and answer of each example, then the question."""
    shown = [f"Q: {example.say('question')}\nA: {example.say('response')}\n" for example in examples]
    return "".join(shown) + f"Q: {fact.say('question')}\nA:"


def perplexity(lm: LanguageModel, documents: Sequence[str]) -> float:
    """exp of the mean loss per token over whole documents (each cut to the context): 1 would be perfect foresight."""
    total, count = 0.0, 0
    with threadpool_limits(1, user_api="blas"):  # on matrices this small more threads only wait for each other
        for text in documents:
            ids = np.array(lm.document_ids(text))[: lm.transformer.config.context + 1]
            total += lm.transformer.loss(ids[None, :-1], ids[None, 1:], np.ones((1, len(ids) - 1), np.float32))
            count += len(ids) - 1
    return math.exp(total / count)


def distinct_trigrams(texts: Sequence[str]) -> float:
    """Of all runs of three words in the texts, the share that are different from each other: low when every answer says
    the same. Compare only texts of like number and length, for it falls as there is more text. NaN without any."""
    words = [text.split() for text in texts]
    trigrams = [tuple(row[i : i + 3]) for row in words for i in range(len(row) - 2)]
    return len(set(trigrams)) / len(trigrams) if trigrams else math.nan


def vital_signs(lm: LanguageModel, facts: Sequence[Fact], documents: Sequence[str]) -> dict[str, float]:
    """What to watch while a model is tuned: its answers to questions about `facts` (share exact, mean words, distinct
    trigrams), and the perplexity of documents of the kind that it was pre-trained on."""
    written = lm.ask_all([fact.say("question") for fact in facts])
    return {
        "exact": float(np.mean([text == fact.say("response") for text, fact in zip(written, facts, strict=True)])),
        "words": float(np.mean([len(text.split()) for text in written])),
        "distinct trigrams": distinct_trigrams(written),
        "perplexity": perplexity(lm, documents),
    }
