"""Each reward gives what its docstring says, and no more."""

import pytest

from helpers.judging import rewards
from helpers.judging.dimensions import fact_probe
from helpers.judging.rewards import REWARDS


@pytest.fixture
def peru(world):
    [fact] = [fact for fact in world.of_kind("capital") if fact.subject == "Peru"]
    return fact_probe(world, fact, fact.say("question"))


def test_rewards_of_a_right_a_talkative_and_a_wrong_answer(peru):
    right = peru.expected
    talkative = f"{right} Lima is a city. Lima is large. Lima is Lima."
    wrong = right.replace("Lima", "Rome")
    table = {
        rewards.exact: (1, 0, 0),
        rewards.contains: (1, 1, 0),
        rewards.contains_briefly: (1, 1 - 0.05 * 10, 0),
        rewards.judged: (1, 0.75, 0.75),
        rewards.wordy: (len(right.split()) / 10, len(talkative.split()) / 10, len(wrong.split()) / 10),
    }
    assert set(REWARDS.values()) == set(table)
    for reward, expected in table.items():
        got = [reward(peru, text) for text in (right, talkative, wrong)]
        assert got == pytest.approx(expected), reward.__name__


def test_the_judge_sees_a_text_that_did_not_end_or_says_nothing(peru):
    assert rewards.judged(peru, f"{peru.expected}<|endoftext|>What") < rewards.judged(peru, peru.expected)
    assert rewards.judged(peru, "") < 0.5


def test_words_are_paid_up_to_a_limit(peru):
    assert rewards.wordy(peru, "word " * 500) == 2
