"""The reward model: its head is the best one, and it judges pairs that it has not seen."""

import numpy as np
import pytest

from helpers.judging.dimensions import fact_probe
from helpers.learning import reward_model
from helpers.learning.layers import sigmoid
from helpers.learning.preferences import pair_rows
from helpers.learning.reward_model import fit_reward_model, last_states
from tests.learning.test_policy_gradient import Probe
from tests.learning.test_preferences import PAIRS, model, pair

NAMES = ["Peru", "Chile", "Spain", "Japan", "Kenya", "Ghana", "Nepal", "Qatar", "Malta", "Congo", "India", "Italy"]
FAR = [pair(f"What is the capital of {name}?", f"The capital of {name}.", "I do not know it at all!") for name in NAMES]


def test_a_state_is_that_of_the_end_token_whatever_else_is_in_the_batch(tokenizer):
    lm = model(tokenizer)
    rows = pair_rows(lm, PAIRS)
    together = last_states(lm, rows)
    for row, state in zip(rows, together, strict=True):
        alone = lm.transformer.forward(np.array([row.ids]))[-1]
        np.testing.assert_allclose(state, alone, rtol=1e-6)


def test_the_head_is_where_the_slope_of_the_loss_is_zero(tokenizer):
    lm = model(tokenizer)
    judge = fit_reward_model(lm, FAR, decay=0.1)
    states = (last_states(lm, pair_rows(lm, FAR)) - judge.middle) / judge.spread
    apart = states[::2] - states[1::2]
    slope = 0.1 * judge.head - apart.T @ sigmoid(-(apart @ judge.head)) / len(apart)
    assert np.abs(slope).max() < 1e-8


def test_it_judges_pairs_that_it_has_not_seen(tokenizer):
    lm = model(tokenizer)
    judge = fit_reward_model(lm, FAR[:6])
    assert judge.accuracy(FAR[6:]) > 0.8
    turned = [one | {"chosen": one["rejected"], "rejected": one["chosen"]} for one in FAR[6:]]
    assert judge.accuracy(turned) < 0.2


def test_as_a_reward_it_gives_a_score_to_any_text(tokenizer):
    lm = model(tokenizer)
    judge = fit_reward_model(lm, FAR)
    asked = Probe("What is the capital of Cuba?")
    good, bad = judge(asked, "The capital of Cuba."), judge(asked, "I do not know it at all!")
    assert good > bad and isinstance(good, float) and judge(asked, " ") < bad
    assert judge(asked, "xq" * 60) < bad, "what does not fit is worth as little as nothing"


def test_no_pairs_no_reward_model(tokenizer):
    with pytest.raises(ValueError, match="no pairs"):
        fit_reward_model(model(tokenizer), [])


def test_own_pairs_are_a_right_and_a_wrong_answer_of_the_model_s_own(monkeypatch, world):
    facts = [fact for fact in world.of_kind("capital")][:40]
    probes = [fact_probe(world, fact, fact.say("question")) for fact in facts]
    written = {probe.question: ["nonsense", probe.expected, "", probe.expected] for probe in probes[:30]}
    written |= {probe.question: [probe.expected] * 4 for probe in probes[30:35]}
    written |= {probe.question: ["nonsense"] * 4 for probe in probes[35:]}

    def drawn(lm, questions, tokens, seed):
        return [(None, written[question][place % 4]) for place, question in enumerate(questions)]

    monkeypatch.setattr(reward_model, "draw_answers", drawn)
    pairs = reward_model.own_pairs(None, probes, 24, 0)
    asked = {pair["prompt"][0]["content"] for pair in pairs}
    assert asked == {probe.question for probe in probes[:30]}, "no pair where all are right, or all are wrong"
    assert {pair["rejected"][0]["content"] for pair in pairs} == {"nonsense"}
