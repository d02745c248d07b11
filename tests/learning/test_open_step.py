"""The step in the open does what the fast one does: its gradient number by number, its training step by step."""

import numpy as np
import pytest

from helpers import load
from helpers.learning.open_step import OpenModel, adamw_move, make_batch, masked_loss
from helpers.learning.sft import Batches, examples, fine_tune, start_tokens
from helpers.learning.training import Recipe
from helpers.text.instructions import instruction_rows


@pytest.fixture(scope="module")
def base():
    return load("base")


def test_its_gradient_is_the_transformers(base, world):
    batches = Batches(examples(instruction_rows(world)[:300:40], base.tokenizer, 128), 4, 0)
    inputs, targets, weights = make_batch([(one.ids, one.mask) for one in batches.of_step(0)])
    for mine, theirs in zip((inputs, targets, weights), batches(0), strict=True):
        assert np.array_equal(mine, theirs)
    passes, gradient = OpenModel(base.transformer), base.transformer.parameters.empty()
    loss, at_logits = masked_loss(passes.forward(inputs), targets, weights)
    slope = passes.backward(at_logits)
    whole = base.transformer.backward(inputs, targets, weights.astype(np.float32), gradient)
    assert loss == pytest.approx(whole / weights.sum(), rel=1e-5)
    assert np.allclose(slope, gradient.flat / weights.sum(), rtol=1e-3, atol=1e-6) and np.abs(slope).max() > 1e-3


def test_its_training_is_fine_tunes(base, world):
    rows, recipe = instruction_rows(world)[::60], Recipe(steps=4, rate=5e-4, warmup=2, seed=1)
    theirs, log = fine_tune(base, rows, recipe, progress=False)
    mine = base.copy()
    start_tokens(mine, "chatml", recipe.seed)
    passes, parameters = OpenModel(mine.transformer), mine.transformer.parameters
    batches = Batches(examples(rows, base.tokenizer, 128), 16, recipe.seed)
    state = {name: np.zeros_like(parameters.flat) for name in ("mean", "square")}
    for record in log:
        step = record["step"]
        batch = make_batch([(one.ids, one.mask) for one in batches.of_step(step)])
        loss, at_logits = masked_loss(passes.forward(batch[0]), *batch[1:])
        slope = passes.backward(at_logits)
        length = adamw_move(parameters.flat, slope, state, recipe.rate_at(step), step + 1, parameters.decays)
        assert (loss, length) == pytest.approx((record["loss"], record["norm"]), abs=1e-4)
    assert np.allclose(parameters.flat, theirs.transformer.parameters.flat, atol=2e-5)
