"""Checks of notebook 03."""

import numpy as np

from helpers.checks import Mistake, check, close, expect, require


@check
def response_loss(loss) -> str:
    rng = np.random.default_rng(0)
    logp = np.log(rng.dirichlet(np.ones(7), 6))  # (positions, vocabulary)
    ids = rng.integers(0, 7, 6)

    def right(start: int) -> float:
        return float(-np.mean([logp[i - 1][ids[i]] for i in range(start, 6)]))

    one = require(loss(logp, ids, 5))
    expect(
        one != 0,
        "a response of one token, at the end, has loss 0 whatever the model says: the response's first token is "
        "nobody's target. Which position predicts the token at `start`?",
    )
    expect(
        not close(one, -logp[5][ids[5]]),
        "you score token i with the prediction made AT position i. What is given there belongs to the token that "
        "comes next; token i is predicted at i - 1",
    )
    many = loss(logp, ids, 2)
    expect(
        not close(many, -np.mean([logp[i - 1][ids[i]] for i in range(1, 6)])),
        "you count one token too many: the last one of the instruction is scored as well",
    )
    expect(
        not close(many, right(2) * 4),
        "that is the sum over the response; the mean was asked for",
    )
    expect(
        not close(many, -right(2)),
        "right but for its sign: a loss is MINUS the mean log-probability",
    )
    for start in (1, 2, 5):
        value = loss(logp, ids, start)
        expect(
            close(value, right(start)),
            f"for a response from position {start} to 5 the loss should be {right(start):.4f}, yours is {value:.4f}",
        )
    return "Every token of the response is predicted once, by the position before it."


@check
def loss_mask(mask) -> str:
    talk = [("system", [1, 2]), ("end", [0]), ("user", [3, 4, 5]), ("end", [0]), ("assistant", [6, 7]), ("end", [0])]
    longer = [*talk, ("user", [8]), ("end", [0]), ("assistant", [9]), ("end", [0])]
    ones = list(require(mask(talk)))
    total = sum(len(ids) for _, ids in talk)
    expect(
        len(ones) == total,
        f"the mask has {len(ones)} entries for {total} tokens; it needs one a token, not one a segment",
    )
    expect(not all(ones), "the mask is 1 everywhere: then the model is trained on the user's words too")
    expect(
        ones != [0, 0, 0, 0, 0, 0, 0, 1, 1, 0],
        "the end token behind the answer is 0, so nothing teaches the model to stop",
    )
    expect(
        ones != [0, 0, 1, 0, 0, 0, 1, 1, 1, 1],
        "end tokens behind the system prompt and the user's turn count as well; only the one right behind an answer "
        "is the assistant's",
    )
    expect(ones != [1, 1, 1, 1, 1, 1, 1, 0, 0, 0], "your mask is upside down: 1 is for what the model should learn")
    expect(ones == [0] * 7 + [1] * 3, f"expected {[0] * 7 + [1] * 3} for one question and answer, got {ones}")
    ones = list(mask(longer))
    expect(
        ones == [0] * 7 + [1] * 3 + [0, 0, 1, 1],
        f"right for one turn; for two turns expected {[0] * 7 + [1] * 3 + [0, 0, 1, 1]}, got {ones}. Does something "
        "of the first answer stay switched on, or does only the last answer count?",
    )
    expect(list(mask([])) == [], "for a conversation without segments the mask should be empty")
    return "Answers and their end tokens, in every turn, and nothing else."


@check
def batch_loss(loss) -> str:
    losses = np.array([[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0], [5.0, 6.0, 7.0, 8.0]])
    mask = np.array([[0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
    with np.errstate(invalid="ignore", divide="ignore"):
        value = require(loss(losses, mask))
        expect(
            not np.isnan(value),
            "the result is nan: the third row has no counted token, and a mean over nothing is 0 / 0. Sum over the "
            "whole batch first, and divide once",
        )
        expect(
            not close(value, (3.0 + 40.0) / 2) and not close(value, (3.0 + 40.0 + 0.0) / 3),
            "that is a mean of row means: each token of the short answer weighs three times as much as one of the "
            "long answer. Per counted token was asked for",
        )
        expect(not close(value, 49.0 / 12), "you divide by all positions; only the counted ones should be counted")
        expect(not close(value, losses.mean()), "the mask is not used: that is the mean over all positions")
        expect(close(value, 49.0 / 4), f"expected {49 / 4}, got {value}")
        try:
            nothing = loss(losses, np.zeros_like(mask))
        except ValueError:
            return "Summed once, divided once, and an empty batch is told and not hidden."
        except ZeroDivisionError:
            raise Mistake("when nothing counts, raise a ValueError that says so, not a ZeroDivisionError") from None
    raise Mistake(f"when nothing counts in the whole batch you return {nothing}; raise a ValueError that says so")
