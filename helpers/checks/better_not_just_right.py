"""Checks of notebook C: the advantage of a group, DPO's weight, KL from samples, and a reward of the learner's own."""

import numpy as np

from helpers.checks import check, close, expect, require, take  # noqa: F401 - take is for the notebook
from helpers.learning.policy_gradient import group_advantage as course_group_advantage
from helpers.learning.preferences import dpo_weight as course_dpo_weight


@check(course=course_group_advantage)
def group_advantage(advantage) -> str:
    rewards = np.array([[1.0, 0.0, 0.0, 1.0], [4.0, 4.0, 5.0, 3.0]])
    before = rewards.copy()
    value = np.asarray(require(advantage(rewards)), float)
    expect(
        value.shape == rewards.shape,
        f"two questions with four answers each have rewards of shape (2, 4), and an advantage each; yours has shape "
        f"{value.shape}",
    )
    expect(close(rewards, before), "leave `rewards` as they are: others still read them; make a new array")
    above = rewards - rewards.mean(axis=1, keepdims=True)
    expect(
        not close(value, rewards - rewards.mean(), 1e-2)
        and not close(value, (rewards - rewards.mean()) / (rewards.std() + 1e-4), 1e-2),
        "you take the mean over all answers of the step. Then a hard question is bad news whatever was answered: "
        "compare with the answers to the same question, mean(axis=1, keepdims=True)",
    )
    expect(
        not close(value, above),
        "these are the distances from the question's own mean; divide them by the question's standard deviation as "
        "well, so that every question has the same say",
    )
    expect(
        not close(value, -above / (above.std(axis=1, keepdims=True) + 1e-4), 1e-2),
        "the sign is turned round: what is above its mean should count more than 0",
    )
    expect(
        not close(value, above / (rewards.var(axis=1, keepdims=True) + 1e-4), 1e-2),
        "you divide by the variance; the standard deviation, std(axis=1, keepdims=True), is its root",
    )
    expect(
        not close(value, (rewards - rewards.mean(axis=0)) / (rewards.std(axis=0) + 1e-4), 1e-2)
        and not close(value, rewards - rewards.mean(axis=0)),
        "axis=0 compares answers to different questions. The answers to one question stand in a row: axis=1",
    )
    ways = [above / (rewards.std(axis=1, keepdims=True, ddof=ddof) + 1e-4) for ddof in (0, 1)]
    expect(
        any(close(value, way, 2e-2) for way in ways),
        f"for the rewards {rewards[0]} of one question I expect about {ways[0][0].round(2)}: each less their mean, "
        f"divided by their standard deviation; yours are {value[0].round(2)}",
    )
    with np.errstate(all="ignore"):
        alike = np.asarray(advantage(np.ones((1, 4))), float)
    expect(
        np.isfinite(alike).all() and close(alike, np.zeros((1, 4))),
        f"four answers that are all as good get {alike[0]}. The deviation is 0 there: add a small number such as 1e-4 "
        "to it before you divide, and they get 0",
    )
    return "answers are compared with the other answers to their own question."


@check(course=course_dpo_weight)
def dpo_weight(weight) -> str:
    margins, beta = np.array([-3.0, 0.0, 3.0]), 0.5
    value = np.asarray(require(weight(margins, beta)), float)
    expect(value.shape == margins.shape, f"one number a pair is wanted, shape (3,); yours has shape {value.shape}")
    right = course_dpo_weight(margins, beta)
    expect(
        not close(value, right / beta),
        "that is the sigmoid alone: the margin has beta in it, so the slope has beta before it",
    )
    expect(
        not close(value, 1 - right / beta),
        "that is the sigmoid of the margin: it grows where it should fall. Take the sigmoid of minus the margin, and "
        "beta times that, as the margin has beta in it",
    )
    expect(
        not close(value, beta - right),
        "it grows where it should fall: a pair that the model gets right (a large margin) has little left to teach. "
        "Take the sigmoid of minus the margin",
    )
    expect(
        not close(value, -right) and not close(value, -right / beta),
        "the sign: this is what a token of the chosen answer counts, so it is above 0",
    )
    expect(
        not close(value, np.logaddexp(0, -margins)) and not close(value, beta * np.logaddexp(0, -margins)),
        "that is the loss itself; wanted is how fast it falls as log p of the chosen answer rises",
    )
    expect(
        close(value, right),
        f"for margins {margins} and beta 0.5 I expect {right.round(3)}: beta times the sigmoid of minus the margin; "
        f"you return {value.round(3)}",
    )
    with np.errstate(over="raise"):
        try:
            far = np.asarray(weight(np.array([-800.0, 800.0]), beta), float)
        except FloatingPointError:
            far = np.array([np.nan])
    expect(
        np.isfinite(far).all(),
        "with a margin of 800 np.exp overflows. The sigmoid can be had without: 0.5 * (1 + np.tanh(x / 2))",
    )
    return "pairs that the model gets wrong pull most."


def course_kl_estimate(now, first, mask):
    return (mask * (now - first)).sum() / len(now)


@check(course=course_kl_estimate)
def kl_estimate(estimate) -> str:
    rng = np.random.default_rng(0)
    now, first = -rng.random((3, 5)), -2 * rng.random((3, 5))
    mask = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1.0]])
    with np.errstate(all="ignore"):
        value = require(estimate(now, first, mask))
    expect(np.ndim(value) == 0, f"return one number for all answers together; yours has shape {np.shape(value)}")
    expect(
        np.isfinite(value) and not close(value, course_kl_estimate(np.log(-now), np.log(-first), mask)),
        "`now` and `first` are logarithms already, so that all are below 0: take one from the other, without np.log",
    )
    right = course_kl_estimate(now, first, mask)
    expect(not close(value, -right), "the sign: log p of the model now, less log p of the first one")
    expect(
        not close(value, (now - first).sum() / 3),
        "tokens of the question and of padding count too: multiply by the mask",
    )
    expect(
        not close(abs(value), right * 3 / mask.sum()),
        "that is nats per token; wanted is nats per answer, so divide by the number of answers",
    )
    expect(
        not close(value, right * 3 / mask.size),
        "that is a mean over all places, the question's and the padding's too: take the sum, and divide it by the "
        "number of answers",
    )
    expect(
        not close(value, (mask * (now - first) / mask.sum(axis=1, keepdims=True)).sum() / 3),
        "each answer's mean over its tokens is nats per token; wanted is the sum over its tokens",
    )
    expect(not close(value, right * 3), "that is the sum over all answers; divide by their number")
    expect(
        not close(value, (mask * np.exp(now) * (now - first)).sum() / 3),
        "the answers were drawn from the model now, so likely ones are there more often already: do not weigh them by "
        "their probability once more",
    )
    expect(
        close(value, right),
        f"I expect {right:.3f}: the masked sum of now - first, divided by three answers; yours is {value:.3f}",
    )
    return "so many nats lie between the two models, on what the newer one writes."


def course_my_reward(fact, text):
    one_sentence = text.endswith(".") and text.count(".") == 1
    return float(fact in text) * (1.0 if one_sentence else 0.2) - 0.1 * max(0, len(text.split()) - 9)


@check(course=course_my_reward)
def my_reward(reward) -> str:
    fact, right = "Lima", "The capital of Peru is Lima."
    cases = {
        "a wrong answer": "The capital of Peru is Rome.",
        "the fact, and much more": "The capital of Peru is Lima. Lima is Lima. Lima is a city. The capital of Lima is",
        "the fact, and a wrong one after it": "The capital of Peru is Lima. The capital of Peru is Rome.",
        "nothing": "",
    }
    value = require(reward(fact, right))
    for name, text in cases.items():
        other = reward(fact, text)
        expect(
            isinstance(other, (int, float, np.floating, np.bool_)) and np.isfinite(other),
            f"for {name} ({text[:40]!r}) your reward is {other!r}; it should be a finite number, whatever the text",
        )
        expect(
            value > other,
            f"{right!r} gets {float(value):g}, and {name}, {text[:60]!r}, gets {float(other):g}: a model would find "
            "that out. Make the first worth more",
        )
    expect(
        reward("Wellington", "The capital of New Zealand is Wellington.") > reward("Wellington", right),
        "your reward does not look at the fact: the same words earn as much after any other question",
    )
    return "a short right answer is worth more than a wrong one, a long one or none. Now see what a model makes of it."
