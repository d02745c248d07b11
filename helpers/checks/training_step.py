"""Checks of notebook 03: the three pieces of a training step: a batch, its masked loss, a move of AdamW."""

import numpy as np

from helpers.checks import Mistake, check, close, expect, require
from helpers.learning import open_step

ROWS = [([7, 3, 9, 4, 2], [0, 0, 1, 1, 1]), ([7, 5, 2], [0, 1, 1]), ([7, 8, 6, 2], [0, 0, 1, 1])]


@check(course=open_step.make_batch)
def make_batch(make) -> str:
    triple = require(make([(list(ids), list(mask)) for ids, mask in ROWS]))
    expect(isinstance(triple, (tuple, list)) and len(triple) == 3, "return three arrays: inputs, targets, weights")
    inputs, targets, weights = (np.asarray(part) for part in triple)
    expect(
        inputs.shape != (3, 5),
        "each array is 5 wide, as wide as the longest row. But its last token predicts nothing and its first is "
        "predicted by nothing: inputs lose the last column, targets and weights the first",
    )
    expect(
        inputs.shape == (3, 4), f"for three rows, the longest of 5 tokens, inputs should be (3, 4), not {inputs.shape}"
    )
    for name, part in (("targets", targets), ("weights", weights)):
        expect(part.shape == (3, 4), f"{name} should have the shape of inputs, (3, 4), not {part.shape}")
    right = open_step.make_batch(ROWS)
    expect(
        not (inputs[1, 0] == 0 and inputs[1, -1] != 0),
        "you pad short rows on the left; put the zeros after their tokens, so that every row begins at position 0",
    )
    expect((inputs == right[0]).all(), f"inputs should be\n{right[0]}\nyours are\n{inputs}")
    expect(
        not (targets == inputs).all(),
        "targets equal inputs: each position would have to predict the token that it sees. The target is the NEXT one",
    )
    expect((targets == right[1]).all(), f"targets should be\n{right[1]}\nyours are\n{targets}")
    unshifted = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [0, 0, 1, 1]])
    expect(
        not (weights == unshifted).all(),
        "the mask has not moved with the targets: a weight belongs to the token that is predicted, not to the one that "
        "predicts it",
    )
    expect(
        inputs.dtype.kind in "iu" and targets.dtype.kind in "iu",
        f"the numbers are right, but stand as {inputs.dtype.name}: a token's id picks a row of a table, so it must be "
        "an integer. Begin with np.zeros(shape, int)",
    )
    expect(not weights.all(), "every position counts; the mask says which tokens should")
    padding = np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]])
    expect(
        not weights[padding == 1].any(), "padding counts: the model would be trained to write zeros after short rows"
    )
    expect((weights == right[2]).all(), f"weights should be\n{right[2]}\nyours are\n{weights}")
    one = make([([1, 2], [0, 1])])
    expect(np.shape(one[0]) == (1, 1), "a batch of a single row of two tokens should give arrays of shape (1, 1)")
    return "Every token stands below the one that predicts it, and padding counts nothing."


def loss_case(low: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    weights = np.array([[0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]], float)
    return rng.normal(low, 1, (3, 4, 5)), rng.integers(0, 5, (3, 4)), weights


@check(course=open_step.masked_loss)
def masked_loss(loss) -> str:
    logits, targets, weights = loss_case()
    before = logits.copy()
    with np.errstate(all="ignore"):
        pair = require(loss(logits, targets, weights))
        expect(
            isinstance(pair, (tuple, list)) and len(pair) == 2,
            "return two things: the loss, and the gradient at the logits",
        )
        expect(np.array_equal(logits, before), "the logits were changed on the way: work on a copy")
        value, slope = pair
        logp = before - np.log(np.exp(before).sum(-1, keepdims=True))
        each = -np.take_along_axis(logp, targets[..., None], -1)[..., 0]
        expect(np.ndim(value) == 0, f"the loss is a single number, not an array of shape {np.shape(value)}")
        expect(
            not np.isnan(value) and not close(value, ((each * weights).sum(1)[:2] / weights.sum(1)[:2]).mean()),
            "that is a mean of row means (and 0 / 0 where a row counts nothing): a token of a short answer would weigh "
            "more than one of a long answer. Sum over the whole batch, and divide once",
        )
        expect(not close(value, each.mean()), "the weights are not used: that is the mean over all positions")
        expect(not close(value, (each * weights).mean()), "you divide by all positions; divide by those that count")
        expect(
            not close(value, (each * weights).sum()), "that is the sum; divide it by the number of tokens that count"
        )
        expect(not close(value, -(each * weights).sum() / weights.sum()), "right but for its sign: minus the log")
        right = open_step.masked_loss(before, targets, weights)
        expect(close(value, right[0]), f"the loss should be {right[0]:.4f}, yours is {value:.4f}")
        judge_slope(np.asarray(slope), right[1], weights)
        far = loss(before + 1000, targets, weights)
        expect(
            close(far[0], right[0]) and close(far[1], right[1]),
            "logits around 1000 overflow. Subtract each position's largest logit first: no probability changes",
        )
        tenth = np.where(weights > 0, 1.0, 0.1)
        partly, should = loss(before, targets, tenth), open_step.masked_loss(before, targets, tenth)
        expect(
            close(partly[0], should[0]) and close(partly[1], should[1]),
            "right while weights are 0 or 1. With weights of 0.1 it is not: multiply by them, do not pick by them",
        )
        try:
            nothing = loss(before, targets, np.zeros_like(weights))
        except ValueError:
            return "Summed once, divided once; and the gradient pushes the right token up and the others down."
    raise Mistake(f"when no token counts you return {nothing[0]}; raise a ValueError, so that nobody trains on nothing")


def judge_slope(slope: np.ndarray, right: np.ndarray, weights: np.ndarray) -> None:
    """What a wrong gradient at the logits looks like."""
    shapes = f"{right.shape}, not {slope.shape}"
    expect(slope.shape == right.shape, f"the loss is right. Its gradient has a slope for each logit: {shapes}")
    expect(not close(slope, -right), "the loss is right; its gradient has the wrong sign: p minus 1, not 1 minus p")
    expect(
        not close(slope, right * weights.sum()),
        "the loss is right; its gradient lacks the division by the number of tokens that count",
    )
    expect(
        not slope[weights == 0].any(),
        "the loss is right; but its gradient is not 0 where the weight is 0, so these positions would be trained too",
    )
    sums = slope[weights > 0].sum(-1)
    expect(
        not close(sums, 1 / weights.sum() + 0 * sums),
        "the loss is right; in its gradient the 1 is not yet taken off at the right token: it is p there minus 1",
    )
    expect(close(slope, right, 1e-5), "the loss is right; its gradient is not (p - 1 at the right token, p elsewhere; "
           "times weight / sum of weights)")  # fmt: skip


def adamw_case(scale: float):
    rng = np.random.default_rng(1)
    return rng.normal(0, 1, 6), scale * rng.normal(0, 1, (3, 6)), np.array([1.0, 1, 1, 1, 0, 0])


def after_steps(move, scale: float, steps: int, decays=None) -> tuple[np.ndarray, dict, object]:
    parameters, slopes, both = adamw_case(scale)
    state = {"mean": np.zeros(6), "square": np.zeros(6)}
    length = None
    for number in range(1, steps + 1):
        slope = slopes[number - 1].copy()
        length = move(parameters, slope, state, 0.01, number, both if decays is None else decays)
    return parameters, state, length


@check(course=open_step.adamw_move)
def adamw_move(move) -> str:
    start, slopes, _ = adamw_case(0.1)
    none = np.zeros(6)
    parameters, state, length = after_steps(move, 0.1, 1, none)
    if length is None and np.array_equal(parameters, start) and not state["mean"].any():
        require(None)
    expect(
        not np.array_equal(parameters, start),
        "the parameters did not move. Change the array itself: `parameters -= ...`; `parameters = parameters - ...` "
        "makes a new one that nobody sees",
    )
    expect(
        state["mean"].any() and state["square"].any(),
        'the two means are still 0 after a step: change state["mean"] and state["square"], or every step begins anew',
    )
    right = after_steps(open_step.adamw_move, 0.1, 1, none)
    expect(
        not close(parameters, 2 * start - right[0]),
        "the parameters move WITH the slope; a loss falls against it",
    )
    everywhere = after_steps(open_step.adamw_move, 0.1, 1, np.ones(6))
    expect(
        not close(parameters, everywhere[0]),
        "weight decay moves parameters whose entry in `decays` is 0: the norms' gains are not to shrink",
    )
    factor = (parameters - start) / (right[0] - start)
    expect(
        not close(factor, np.full(6, 0.1 / np.sqrt(0.05)), 1e-4),
        "the first step is too short: both means begin at 0, so divide them by 1 - beta ** number",
    )
    expect(
        close(parameters, right[0], 1e-5),
        f"after one step without decay a short slope should move the parameters by {right[0] - start}, yours moves "
        f"them by {parameters - start}",
    )
    expect(length is not None, "it moves rightly; now return the slope's length, for the table")
    expect(
        close(length, np.linalg.norm(slopes[0]), 1e-5),
        f"the slope's length, before it is clipped, is {np.linalg.norm(slopes[0]):.4f}; you return {length}",
    )
    mean, by_rule = state["mean"], right[1]["mean"]
    expect(
        not close(mean, by_rule / 0.1, 1e-5),
        'step 3 has changed state["mean"] itself, so the next step begins from the wrong means. Divide copies: '
        'mean = state["mean"] / (1 - 0.9**number), and the same with the square',
    )
    expect(
        not close(mean, by_rule / np.linalg.norm(slopes[0]), 1e-5),
        "a slope shorter than 1 was stretched to length 1; only a longer one is to be changed",
    )
    expect(
        close(after_steps(move, 0.1, 3, none)[0], after_steps(open_step.adamw_move, 0.1, 3, none)[0], 1e-5),
        "the first step is right and the third is not: how much do the means keep of what they were?",
    )
    parameters, state, length = after_steps(move, 10, 1, none)
    expect(
        np.linalg.norm(state["mean"]) < 0.1 + 1e-6,
        "a slope longer than 1 must be shortened to length 1 before it enters the means",
    )
    expect(close(length, np.linalg.norm(10 * adamw_case(1)[1][0]), 1e-5), "return the length BEFORE clipping")
    all_of_it, by_rule = after_steps(move, 0.1, 1), after_steps(open_step.adamw_move, 0.1, 1)
    expect(
        not close(all_of_it[0], right[0], 1e-7),
        "right without weight decay; with it, each parameter moves by rate * decay * decays * itself towards 0 as well",
    )
    expect(close(all_of_it[0], by_rule[0], 1e-6), "right without weight decay; the decay's share is not")
    expect(
        close(after_steps(move, 3, 3)[0], after_steps(open_step.adamw_move, 3, 3)[0], 1e-5),
        "short slopes are right; after three long ones the parameters are not where they should be",
    )
    return "Clipped, averaged, corrected, moved, decayed: AdamW as the real training runs it."
