"""Checks of notebook 06: LoRA in three small functions, held against the fast one of helpers/learning."""

import numpy as np

from helpers.checks import check, close, expect, require
from helpers.learning.lora import Lora, LoraShape
from helpers.learning.model import Config, Parameters, Transformer

# --- LoRA by hand: the course's own ---


def course_start_pair(W, rank, rng):
    outputs, inputs = W.shape
    return rng.normal(0, inputs**-0.5, (rank, inputs)), np.zeros((outputs, rank))


def course_corrected(W, A, B, scale):
    return W + scale * B @ A


def course_lora_gradients(dW, A, B, scale):
    return scale * B.T @ dW, scale * dW @ A.T


def pair_of(answer, what: str):
    """Two arrays, or words of what is missing."""
    answer = require(answer)
    pair = isinstance(answer, (tuple, list)) and len(answer) == 2
    expect(pair, f"return {what}: two arrays, with a comma between them")
    return np.asarray(answer[0], float), np.asarray(answer[1], float)


@check(course=course_start_pair)
def start_pair(start) -> str:
    W = np.zeros((6, 400))
    A, B = pair_of(start(W, 3, np.random.default_rng(0)), "A and B")
    expect(
        (A.shape, B.shape) != ((6, 3), (3, 400)),
        "these are the right two shapes in the wrong order: A reads the input, so it comes first and is (rank, inputs)",
    )
    expect(
        A.shape == (3, 400) and B.shape == (6, 3),
        f"W has 6 outputs and 400 inputs. With rank 3, A should be (3, 400) and B (6, 3), so that B @ A has the shape "
        f"of W; yours are {A.shape} and {B.shape}. Does W.shape give outputs first?",
    )
    expect(
        A.any() or B.any(),
        "A and B are both zero. Then each one's gradient, which is the other one times something, is zero too, and "
        "nothing is ever learned: let A be random",
    )
    expect(not B.any(), "B should be all zeros, so that B @ A is zero and the model starts exactly as it was")
    expect(
        0.035 < A.std() < 0.065 and abs(A.mean()) < 0.02,
        f"the numbers of A spread by {A.std():.3g}; with 400 inputs it should be 400 ** -0.5 = 0.05 around 0",
    )
    again = pair_of(start(W, 3, np.random.default_rng(0)), "A and B")[0]
    expect(
        close(A, again) and not close(A, pair_of(start(W, 3, np.random.default_rng(1)), "A and B")[0]),
        "draw A from the `rng` that you are given: then the same seed gives the same run, and another one another",
    )
    same = close(again, np.random.default_rng(0).normal(0, 400**-0.5, (3, 400)))
    expect(same, "draw A with one call, rng.normal(0, spread, shape), so that it can be compared with the course's")
    return "B @ A is zero at first, so the model starts as it was; and A is not, so B can begin to move."


@check(course=course_corrected)
def corrected(correct) -> str:
    rng = np.random.default_rng(1)
    W, A, B = rng.normal(size=(4, 5)), rng.normal(size=(2, 5)), rng.normal(size=(4, 2))
    kept = W.copy()
    new = np.asarray(require(correct(W, A, B, 3.0)), float)
    expect(close(W, kept), "you changed W itself; make a new matrix, or the original is lost after one step")
    expect(new.shape == W.shape, f"the result should have the shape of W, {W.shape}; yours is {new.shape}")
    expect(not close(new, 3 * B @ A), "that is the correction alone; add it to W")
    expect(not close(new, W + B @ A), "the scale is missing: it multiplies the correction")
    expect(not close(new, 3 * (W + B @ A)), "the scale multiplies the correction B @ A only, not W")
    expect(close(new, W + 3 * B @ A), "that is not W + scale * B @ A; `@` multiplies matrices, `*` number by number")
    return "W stays as it is, and the correction is laid on top."


@check(course=course_lora_gradients)
def lora_gradients(gradients) -> str:
    rng = np.random.default_rng(2)
    dW, A, B = rng.normal(size=(4, 5)), rng.normal(size=(2, 5)), rng.normal(size=(4, 2))
    dA, dB = pair_of(gradients(dW, A, B, 3.0), "dA and dB")
    rightA, rightB = course_lora_gradients(dW, A, B, 3.0)
    expect(
        (dA.shape, dB.shape) != (B.shape, A.shape),
        "these have the shapes of B and A: return dA first, then dB",
    )
    expect(
        dA.shape == A.shape and dB.shape == B.shape,
        f"a gradient has the shape of what it belongs to: dA {A.shape}, dB {B.shape}; yours are {dA.shape} and "
        f"{dB.shape}. Which of the two factors must be turned over (.T)?",
    )
    expect(not close(dA, rightA / 3) and not close(dB, rightB / 3), "the scale is missing: it stands in both")
    expect(not close(dA, -rightA), "right but for its sign: a gradient points uphill; the optimizer turns it round")
    expect(close(dA, rightA), "dA is not scale * B.T @ dW")
    expect(close(dB, rightB), "dB is not scale * dW @ A.T")
    for name, mine, fast in against_the_fast_one(gradients):
        expect(close(mine, fast, 1e-4), f"on a real model's {name} it differs from the course's fast LoRA")
    return (
        "On every matrix of a small Transformer it equals the course's fast LoRA (helpers/learning/lora.py), which "
        "never makes dW."
    )


def against_the_fast_one(gradients):
    """(name, the learner's gradients from the full dW, those of the fast backward) for each matrix of a small model."""
    rng = np.random.default_rng(3)
    model = Transformer(Parameters(Config(30, 16, 2, 2, 24, 12), dtype=np.float64).initialise(3))
    lora = Lora(model.parameters, LoraShape(2, 6.0))
    lora.flat[:] = rng.normal(size=lora.flat.size)
    ids, targets, weights = rng.integers(0, 30, (2, 7)), rng.integers(0, 30, (2, 7)), np.ones((2, 7))
    full, slopes = model.parameters.empty(), lora.slopes()
    model.backward(ids, targets, weights, full)
    model.backward(ids, targets, weights, slopes)
    start = 0
    for name, a in lora.a.items():
        b = lora.b[name]
        fast = slopes.flat[start : start + a.size + b.size]
        mine = gradients(full.named[name], a, b, lora.scale)
        yield name, np.concatenate([np.asarray(part).reshape(-1) for part in mine]), fast
        start += a.size + b.size
