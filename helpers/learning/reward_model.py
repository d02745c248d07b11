"""A learned reward: a straight line through the model's own last state, fitted to pairs.

    score(question, answer) = head . state of the answer's last token

Bradley and Terry: the chosen answer of a pair wins with the chance sigmoid(score(chosen) - score(rejected)). The head
is fitted so that the pairs are likely; the model below it stays as it is, so what the head sees is what the model
already tells apart. With a little weight on short heads the best one is the only one: Newton's method finds it.

Sources: Bradley & Terry 1952; Christiano et al. 2017; Ouyang et al. 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from helpers.learning.language_model import LanguageModel
from helpers.learning.layers import sigmoid
from helpers.learning.policy_gradient import draw_answers
from helpers.learning.preferences import Continuation, continuation, pair_rows
from helpers.learning.products import cores, one_thread
from helpers.learning.sft import padded
from helpers.text.instructions import turn

PIECE = 32  # rows that are read together


@dataclass
class RewardModel:
    """`lm` reads, `head` (D,) judges; states are compared after `middle` and `spread` (D,) are taken out."""

    lm: LanguageModel
    head: np.ndarray
    middle: np.ndarray
    spread: np.ndarray

    def score(self, rows: Sequence[Continuation]) -> np.ndarray:
        """(rows,) How good each answer is; only differences mean something."""
        return ((last_states(self.lm, rows) - self.middle) / self.spread) @ self.head

    def __call__(self, probe, text: str) -> float:
        """As a reward: the score of a text as the answer to `probe.question`. An empty one scores as bad as can be, and
        so does one that does not fit."""
        talk = [{"role": "user", "content": probe.question}], [{"role": "assistant", "content": text}]
        try:
            row = continuation(self.lm, *talk) if text.strip() else None
        except ValueError:  # what was drawn within the context may take more tokens when it is read again
            row = None
        return float(-np.abs(self.head).sum()) if row is None else float(self.score([row])[0])

    def accuracy(self, pairs: Sequence[dict]) -> float:
        """Share of pairs whose chosen answer scores higher."""
        scores = self.score(pair_rows(self.lm, pairs))
        return float((scores[::2] > scores[1::2]).mean())


def last_states(lm: LanguageModel, rows: Sequence[Continuation], threads: int | None = None) -> np.ndarray:
    """(rows, D) float64: the final state at each answer's last token."""
    states = np.zeros((len(rows), lm.transformer.config.dim))

    def work(places: np.ndarray) -> None:
        texts = [rows[place].ids[: lm.transformer.config.context] for place in places]
        ids = padded(texts)
        final = lm.transformer.forward(ids).reshape(*ids.shape, -1)
        states[places] = final[np.arange(len(places)), [len(text) - 1 for text in texts]]

    order = np.argsort([len(row.ids) for row in rows], kind="stable")
    pieces = [order[start : start + PIECE] for start in range(0, len(order), PIECE)]
    with one_thread(), ThreadPoolExecutor(threads or cores()) as pool:
        list(pool.map(work, pieces))
    return states


def fit_reward_model(lm: LanguageModel, pairs: Sequence[dict], decay: float = 0.1, rounds: int = 25) -> RewardModel:
    """A reward model whose head makes the pairs likely. `decay` is the weight on short heads, in mean loss a pair."""
    states = last_states(lm, pair_rows(lm, pairs))
    middle, spread = states.mean(axis=0), states.std(axis=0) + 1e-6
    states = (states - middle) / spread
    apart, head = states[::2] - states[1::2], np.zeros(states.shape[1])  # (pairs, D)
    for _ in range(rounds):
        wrong = sigmoid(-(apart @ head))  # the chance that each pair is lost
        slope = decay * head - apart.T @ wrong / len(apart)
        bend = apart.T @ (apart * (wrong * (1 - wrong))[:, None]) / len(apart) + decay * np.eye(len(head))
        head -= np.linalg.solve(bend, slope)
    return RewardModel(lm, head, middle, spread)


def own_pairs(lm: LanguageModel, probes: Sequence, tokens: int, seed: int, questions: int = 600) -> list[dict]:
    """Of four answers that the model draws to each of some questions: a right one and a wrong one, where there are
    both. probes: each has a `question` and the answer `expected`; `tokens`: the most of an answer."""
    order = np.random.default_rng([seed, 18]).permutation(len(probes))
    asked = [probes[i] for i in order[:questions] for _ in range(4)]
    drawn = draw_answers(lm, [probe.question for probe in asked], tokens, [seed, 19])
    pairs = []
    for place in range(0, len(asked), 4):
        probe, texts = asked[place], [text for _, text in drawn[place : place + 4]]
        wrong = [text for text in texts if text and text != probe.expected]
        if wrong and len(wrong) < len(texts):
            chosen, rejected = ([turn("assistant", text)] for text in (probe.expected, wrong[0]))
            pairs.append({"prompt": [turn("user", probe.question)], "chosen": chosen, "rejected": rejected})
    return pairs
