"""Rewards: advantages as defined, weights that are the slope of GRPO's loss, learning that shows, errors in words."""

from dataclasses import dataclass

import numpy as np
import pytest

from helpers.learning.language_model import TooLong
from helpers.learning.model import Parameters
from helpers.learning.policy_gradient import (
    PATIENCE,
    RewardBatches,
    RewardProblem,
    Rollout,
    batch_advantage,
    draw_answers,
    end_token,
    group_advantage,
    kl_divergence,
    ratio_weight,
    reward_tune,
)
from helpers.learning.preferences import token_logps
from helpers.learning.training import Recipe
from tests.learning.test_preferences import model, moved


@dataclass(frozen=True)
class Probe:
    question: str


PROBES = [Probe(f"What is the capital of {name}?") for name in ("Peru", "Chile", "Spain", "Japan", "Kenya")]
SMALL = Rollout(questions=3, answers=4, tokens=6)
LARGER = Rollout(questions=5, answers=8, tokens=6)
RECIPE = Recipe(20, 3e-3, warmup=0, decay=0.0)


def letters(probe, text: str) -> float:
    """Many letters e."""
    return text.count("e")


def run(lm, reward=letters, recipe=RECIPE, rollout=SMALL, probes=PROBES, **how):
    return reward_tune(lm, probes, reward, recipe, rollout, progress=False, **how)


# --- advantages ---


def test_an_answer_is_compared_with_the_answers_to_its_own_question():
    rewards = np.array([[1.0, 0.0, 0.0, 1.0], [5.0, 5.0, 5.0, 5.0], [0.0, 0.0, 0.0, 8.0]])
    by_hand = np.array([[1, -1, -1, 1], [0, 0, 0, 0], [-1, -1, -1, 3]]) * np.array([[0.5], [0], [2]])
    deviation = np.array([[np.sqrt(1 / 3)], [1.0], [4.0]])
    np.testing.assert_allclose(group_advantage(rewards), by_hand / deviation, rtol=1e-3)


def test_or_with_all_of_the_step():
    np.testing.assert_allclose(batch_advantage(np.array([[1.0, 0.0], [3.0, 0.0]])), [[0, -1], [2, -1]])


def test_a_token_that_went_far_enough_is_left_alone():
    """Beyond the clip range in the direction of the advantage; in the other it is called back."""
    weights = ratio_weight(np.array([[1.5, 1.1, 0.9, 0.5]] * 2), np.array([[1.0], [-1.0]]), 0.2)
    np.testing.assert_allclose(weights, [[0, 1.1, 0.9, 0.5], [1.5, 1.1, 0.9, 0]])


# --- the slope ---


@pytest.mark.parametrize("kl", [0.0, 0.5])
@pytest.mark.parametrize("updates", [1, 2])
def test_the_weights_are_the_slope_of_the_loss(tokenizer, updates, kl):
    """-min(ratio A, clipped ratio A) + kl (e^b - b - 1), a mean over tokens; finite differences in float64."""
    first = model(tokenizer)
    now = moved(first, by=0.05)
    rollout = Rollout(3, 4, updates=updates, kl=kl, tokens=6)
    batches = RewardBatches(now, first, PROBES, letters, rollout, group_advantage, 0, None)
    batch = batches(0)
    drawn_at = token_logps(now.transformer, *batches.arrays)
    if updates == 2:
        now.transformer.parameters.flat[:] = moved(now, seed=2, by=0.02).transformer.parameters.flat
        batch = batches(1)
    ids, targets, weights, counted = batch
    mask, advantage = batches.arrays[2], batches.weights[:, None]
    slope = Parameters(now.transformer.config, dtype=np.float64)
    now.transformer.backward(ids, targets, weights, slope)

    def loss() -> float:
        logps = token_logps(now.transformer, ids, targets, mask)
        ratio = np.exp(logps - drawn_at)
        gain = np.minimum(ratio * advantage, np.clip(ratio, 0.8, 1.2) * advantage)
        behind = token_logps(first.transformer, ids, targets, mask) - logps
        return float((mask * (kl * (np.exp(behind) - behind - 1) - gain)).sum() / counted)

    flat, step = now.transformer.parameters.flat, 1e-6
    for seed in range(5):
        way = np.random.default_rng(seed).normal(size=flat.size)
        flat += step * way
        above = loss()
        flat -= 2 * step * way
        below = loss()
        flat += step * way
        assert slope.flat @ way / counted == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-5)
    ratio = np.exp(token_logps(now.transformer, ids, targets, mask) - drawn_at)[mask == 1]
    clipped = float((abs(ratio - 1) > 0.2).mean())
    assert 0.1 < clipped < 0.9 if updates == 2 else clipped == 0


def test_what_is_divided_by_is_the_number_of_tokens_not_the_sum_of_weights(tokenizer):
    lm = model(tokenizer)
    batches = RewardBatches(lm, lm, PROBES, letters, SMALL, group_advantage, 0, None)
    _, _, weights, counted = batches(0)
    asked = [probe.question for probe in batches.of_step(0) for _ in range(4)]
    written = [sum(row.mask) for row, _ in draw_answers(lm, asked, 6, [0, 0])]
    assert counted == sum(written) and abs(weights.sum()) < counted


# --- drawing ---


def test_the_trained_tokens_are_the_written_ones_with_their_end_token(lm, tokenizer):
    end = end_token(lm)
    assert tokenizer.decode([end]) == "<|im_end|>"
    lengths = set()
    for row, text in draw_answers(lm, [PROBES[0].question] * 400, 6, [0]):
        ids = [token for token, one in zip(row.ids, row.mask, strict=True) if one]
        prompt = [token for token, one in zip(row.ids, row.mask, strict=True) if not one]
        assert prompt == lm.prompt_ids([{"role": "user", "content": PROBES[0].question}], max_new_tokens=6)
        ended = ids[-1] == end
        assert ended or len(ids) == 6
        assert text == tokenizer.decode(ids[:-1] if ended else ids).strip()
        lengths.add(len(ids))
    assert len(lengths) > 1, "some end, some are cut"


def test_no_luck_is_drawn_twice(tokenizer):
    """Neither two answers to a question nor two steps share theirs; the same seed draws the same."""
    lm = model(tokenizer)
    question = [PROBES[0].question] * 30
    texts = [text for _, text in draw_answers(lm, question, 6, [0, 0])]
    assert len(set(texts)) > 20
    assert texts == [text for _, text in draw_answers(lm, question, 6, [0, 0])]
    for other in ([0, 1], [1, 0], [0, 0, 1]):
        assert texts != [text for _, text in draw_answers(lm, question, 6, other)]


def test_kl_is_nothing_from_itself_and_grows_with_the_distance(tokenizer):
    lm = model(tokenizer)
    questions = [probe.question for probe in PROBES] * 20
    near, far = (kl_divergence(moved(lm, by=by), lm, questions, 6) for by in (0.05, 0.2))
    assert kl_divergence(lm, lm, questions, 6) == 0
    assert 0 < near < far


# --- learning ---


def test_what_is_rewarded_is_written_more_often_and_the_first_model_stays_as_it_is(lm):
    before = lm.transformer.parameters.flat.copy()
    after, log = run(lm, recipe=Recipe(60, 3e-2, warmup=0, decay=0.0), rollout=LARGER)
    np.testing.assert_array_equal(lm.transformer.parameters.flat, before)
    rewards = [record["reward"] for record in log]
    assert np.mean(rewards[-5:]) > 2 * np.mean(rewards[:5])
    assert after.recipe["made by"] == "rewards"
    sample = log[-1]["samples"][0]
    assert len(log[-1]["samples"]) == 40 and sample.reward == letters(None, sample.text) and sample.probe in PROBES


@pytest.mark.parametrize("rollout", [Rollout(3, 4, kl=0.2, tokens=6), Rollout(3, 4, updates=2, tokens=6)])
def test_a_run_that_was_broken_off_goes_on_to_the_same_end(lm, tmp_path, rollout):
    path, recipe = tmp_path / "run.safetensors", Recipe(8, 3e-3, warmup=0, decay=0.0)
    whole, log = run(lm, recipe=recipe, rollout=rollout)
    run(lm, recipe=recipe, rollout=rollout, checkpoint=path, every=2, on_step=lambda _, record: record["step"] == 4)
    rest, records = run(lm, recipe=recipe, rollout=rollout, checkpoint=path, every=2)
    np.testing.assert_array_equal(rest.transformer.parameters.flat, whole.transformer.parameters.flat)
    assert [record.get("reward") for record in records[4:]] == [record["reward"] for record in log[4:]]
    with pytest.raises(ValueError, match="belongs to another run"):
        run(lm, recipe=recipe, rollout=rollout, checkpoint=path, every=2, reward=lambda probe, text: len(text))


def test_a_checkpoint_between_two_updates_would_lose_the_answers(lm, tmp_path):
    with pytest.raises(ValueError, match="every 3: save between two sets of answers, at a multiple of 2"):
        run(lm, rollout=Rollout(3, 4, updates=2, tokens=6), checkpoint=tmp_path / "x.safetensors", every=3)


def test_a_high_price_on_kl_holds_the_model_where_it_was(lm):
    recipe = Recipe(40, 3e-2, warmup=0, decay=0.0)
    free, held = (run(lm, recipe=recipe, rollout=Rollout(5, 8, kl=kl, tokens=6))[0] for kl in (0.0, 5.0))
    questions = [probe.question for probe in PROBES] * 10
    assert kl_divergence(held, lm, questions, 6) < 0.5 * kl_divergence(free, lm, questions, 6)


# --- what may go wrong ---


def test_a_reward_that_raises_is_named_with_question_and_answer(lm):
    def broken(probe, text):
        return 1 / 0

    with pytest.raises(RewardProblem, match="raised ZeroDivisionError: .*asked was 'What is the capital.*answered '"):
        run(lm, broken)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, "much"])
def test_a_reward_must_be_a_finite_number(lm, value):
    with pytest.raises(RewardProblem, match="finite number, got|raised (Type|Value)Error"):
        run(lm, lambda probe, text: value)


def test_a_reward_that_never_tells_answers_apart_ends_the_run_with_advice(lm):
    steps = []
    with pytest.raises(RewardProblem, match=f"in {PATIENCE} steps no question .*all got 1 to 1.*Take another reward"):
        run(lm, lambda probe, text: 1.0, on_step=lambda _, record: steps.append(record["step"]))
    assert len(steps) == PATIENCE - 1


def test_a_step_without_contrast_moves_nothing(lm):
    after, log = run(lm, lambda probe, text: 1.0, recipe=Recipe(3, 1e-2, warmup=0, decay=0.0))
    np.testing.assert_array_equal(after.transformer.parameters.flat, lm.transformer.parameters.flat)
    assert [record["contrast"] for record in log] == [0, 0, 0]


def test_an_advantage_may_work_in_place(lm):
    def careless(table):
        table -= table.mean()
        return table

    _, log = run(lm, advantage=careless, recipe=Recipe(2, 1e-3))
    assert log[0]["reward"] > 0
    assert log[0]["reward"] == pytest.approx(np.mean([one.reward for one in log[0]["samples"]]))


def test_another_reward_is_another_run_and_the_same_object_anew_is_not(lm, tmp_path):
    class Judge:
        def __call__(self, probe, text):
            return text.count("e")

    recipe = Recipe(6, 3e-3, warmup=0)
    stop = {"checkpoint": tmp_path / "a.safetensors", "every": 2, "on_step": lambda _, record: record["step"] == 2}
    run(lm, Judge(), recipe=recipe, **stop)
    run(lm, Judge(), recipe=recipe, **stop)
    run(lm, lambda probe, text: text.count("a"), recipe=recipe, **stop | {"checkpoint": tmp_path / "b.safetensors"})
    with pytest.raises(ValueError, match="belongs to another run"):
        run(lm, lambda probe, text: text.count("o"), recipe=recipe, **stop | {"checkpoint": tmp_path / "b.safetensors"})


def test_equal_rewards_leave_no_advantage_at_all():
    """0.7 eight times has a mean that is not 0.7."""
    assert not group_advantage(np.full((2, 6), 0.1)).any() and not group_advantage(np.full((1, 8), 0.7)).any()


def test_a_question_that_does_not_fit_is_named_before_the_first_step(lm):
    steps = []
    with pytest.raises(TooLong, match="the question takes"):
        run(lm, probes=[*PROBES, Probe("Why? " * 60)], on_step=lambda _, record: steps.append(record))
    assert not steps


def test_every_question_comes_once_before_any_comes_again(lm):
    batches = RewardBatches(lm, lm, PROBES, letters, Rollout(2, 2, tokens=6), group_advantage, 0, None)
    asked = [probe for step in range(3) for probe in batches.of_step(step)]
    assert sorted(probe.question for probe in asked) == sorted(probe.question for probe in PROBES)


@pytest.mark.parametrize("wrong", [lambda table: table[0], lambda table: table * np.nan, lambda table: 0.0])
def test_advantages_must_have_the_form_of_the_rewards(lm, wrong):
    with pytest.raises(RewardProblem, match=r"finite numbers of the shape \(3, 4\)"):
        run(lm, advantage=wrong)


@pytest.mark.parametrize(
    "how",
    [{"answers": 1}, {"questions": 2.5}, {"questions": 0}, {"clip": 0}, {"clip": 1.5}, {"kl": -1}, {"updates": 0}],
)
def test_settings_without_sense_are_refused(how):
    with pytest.raises(ValueError, match="a step needs a question|clip lies between"):
        Rollout(**how)


def test_no_question_and_fewer_questions_than_a_step_asks(lm):
    with pytest.raises(ValueError, match="no questions"):
        run(lm, probes=[])
    _, log = run(lm, recipe=Recipe(2, 1e-3), probes=PROBES[:1])
    assert len(log[0]["samples"]) == 4
