"""AdamW and Muon move the parameters as their papers say, computed here another way."""

import math

import numpy as np
import pytest

from helpers.learning.lora import Lora, LoraShape
from helpers.learning.model import Config, Parameters
from helpers.learning.optimizers import AdamW, Muon, orthogonal

CONFIG = Config(vocab=7, dim=16, layers=2, heads=2, hidden=24, context=12)


def test_adamw_is_what_its_paper_says():
    """Against Loshchilov & Hutter's algorithm 2, one number at a time in Python's own floats."""
    parameters = Parameters(CONFIG, dtype=np.float64).initialise(3)
    optimizer = AdamW(parameters, beta_1=0.9, beta_2=0.95)
    decays = np.concatenate([np.full(view.size, view.ndim == 2) for view in parameters.named.values()])
    slow = [[float(x), 0.0, 0.0] for x in parameters.flat]  # parameter, mean, mean of squares
    rng = np.random.default_rng(0)
    for number in range(1, 6):
        gradient = rng.normal(0.0, 0.1, parameters.flat.size)
        rate, decay = 0.01 * number, 0.125  # exact in float32, in which the optimizer multiplies it
        for state, g, decayed in zip(slow, gradient.tolist(), decays, strict=True):
            state[1] = 0.9 * state[1] + 0.1 * g
            state[2] = 0.95 * state[2] + 0.05 * g * g
            mean, square = state[1] / (1 - 0.9**number), state[2] / (1 - 0.95**number)
            state[0] -= rate * (mean / (math.sqrt(square) + 1e-8) + (decay * state[0] if decayed else 0.0))
        optimizer.step(gradient, rate, decay, number)
        np.testing.assert_allclose(parameters.flat, [state[0] for state in slow], rtol=1e-9, atol=1e-12)
    assert 0 < decays.sum() < decays.size


def plain_muon(matrix: np.ndarray, momentum: np.ndarray, gradient: np.ndarray, rate: float, decay: float):
    """One step of Muon on one matrix; the five rounds are done on the singular values, by a decomposition."""
    momentum = 0.95 * momentum + 0.05 * gradient
    left, values, right = np.linalg.svd(0.05 * gradient + 0.95 * momentum, full_matrices=False)
    values = values / (np.sqrt((values**2).sum()) + 1e-7)
    for _ in range(5):
        values = 3.4445 * values - 4.775 * values**3 + 2.0315 * values**5
    stretch = max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5
    return matrix - rate * (stretch * (left * values) @ right + decay * matrix), momentum


def test_muon_is_what_a_decomposition_gives():
    """Matrices inside the layers by Muon, embedding and gains by AdamW."""
    parameters, other = (Parameters(CONFIG, dtype=np.float64).initialise(3) for _ in range(2))
    optimizer, adam = Muon(parameters, ratio=5.0), AdamW(other)
    inner = [name for name in parameters.named if "_proj" in name]
    plain = {name: (parameters.named[name].copy(), 0.0) for name in inner}
    rng = np.random.default_rng(0)
    for number in range(1, 4):
        gradient, rate = rng.normal(0.0, 0.1, parameters.flat.size), 0.01 * number
        slopes = Parameters(CONFIG, gradient.copy())
        plain = {name: plain_muon(*plain[name], slopes.named[name], 5.0 * rate, 0.125) for name in inner}
        optimizer.step(gradient.copy(), rate, 0.125, number)
        adam.step(gradient, rate, 0.125, number)
    assert len(inner) == 14
    for name, view in parameters.named.items():
        right = plain[name][0] if name in inner else other.named[name]
        np.testing.assert_allclose(view, right, rtol=1e-7, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("shape", [(6, 20), (20, 6), (9, 9)])
def test_all_singular_values_come_near_to_one(shape):
    matrices = np.random.default_rng(0).normal(size=(3, *shape)) * np.geomspace(1, 20, shape[1])
    found = np.linalg.svd(orthogonal(matrices, Muon.CURVE, Muon.ROUNDS), compute_uv=False)
    before = np.linalg.svd(matrices, compute_uv=False)
    assert found.min() > 0.6 and found.max() < 1.25
    assert before.min() < 0.2 * before.max(), "they were near to each other before"


def test_muon_is_not_for_adapters():
    with pytest.raises(ValueError, match="LoRA's adapters with AdamW"):
        Muon(Lora(Parameters(CONFIG).initialise(0), LoraShape(rank=2)))
