"""LoRA: it starts as nothing, learns only low-rank corrections, its slopes are right, and it can be taken off again."""

import numpy as np
import pytest

from helpers.learning.lora import ATTENTION, MLP, Lora, LoraShape
from helpers.learning.model import Config, Parameters
from helpers.learning.sft import fine_tune
from helpers.learning.training import Recipe
from tests.conftest import lively

SHAPE = LoraShape(rank=2, alpha=6.0)
IDS, TARGETS = np.array([[1, 4, 2, 7]]), np.array([[4, 2, 7, 3]])
WEIGHTS = np.array([[0.0, 1.0, 1.0, 0.5]])
ROWS = [{"messages": [{"role": "user", "content": f"Question {i}?"}, {"role": "assistant", "content": f"Answer {i}."}]}
        for i in range(8)]


def moved(lora: Lora, seed: int = 0) -> Lora:
    """Adapters whose B is not zero."""
    lora.flat[:] = np.random.default_rng(seed).normal(0.0, 0.5, lora.flat.size)
    lora.merge()
    return lora


def test_at_first_nothing_is_changed(small):
    before = small.parameters.flat.copy()
    Lora(small.parameters, SHAPE).merge()
    np.testing.assert_array_equal(small.parameters.flat, before)


def test_a_begins_as_wide_as_its_inputs_ask_and_b_at_zero():
    """Deviation 1 / sqrt(inputs), as in the paper and PEFT up to a constant: what A puts out is then as large as what
    it takes in, whatever the width."""
    model = lively(Config(vocab=11, dim=64, layers=1, heads=2, hidden=256, context=6))
    lora = Lora(model.parameters, LoraShape(rank=32))
    for name, a in lora.a.items():
        inputs = a.shape[1]
        assert inputs in (64, 256) and not lora.b[name].any()
        assert a.std() * inputs**0.5 == pytest.approx(1.0, abs=0.06) and abs(a.mean()) * inputs**0.5 < 0.1


def test_the_correction_has_the_rank_and_the_scale(small):
    originals = {name: view.copy() for name, view in small.parameters.named.items()}
    lora = moved(Lora(small.parameters, SHAPE))
    for name, original in originals.items():
        change = small.parameters.named[name] - original
        if name in lora.a:
            np.testing.assert_allclose(change, 3.0 * lora.b[name] @ lora.a[name], atol=1e-12)
            assert np.linalg.matrix_rank(change, tol=1e-9) == 2
        else:
            assert not change.any()
    assert {name.split(".")[-2] for name in lora.a} == {*ATTENTION, *MLP}


def test_unmerged_the_model_is_what_it_was_bit_for_bit(small):
    before = small.parameters.flat.copy()
    lora = moved(Lora(small.parameters, SHAPE))
    assert not np.array_equal(small.parameters.flat, before)
    lora.unmerge()
    np.testing.assert_array_equal(small.parameters.flat, before)


def test_every_slope_is_the_slope_of_the_loss(small):
    """All adapters against finite differences of fourth order, in float64."""
    lora = moved(Lora(small.parameters, SHAPE))
    gradients = Parameters(small.config, dtype=np.float64)
    small.backward(IDS, TARGETS, WEIGHTS, gradients)
    found = lora.gradient(gradients)

    def loss_at(place: int, step: float) -> float:
        before = lora.flat[place]
        lora.flat[place] = before + step
        lora.merge()
        loss = small.loss(IDS, TARGETS, WEIGHTS)
        lora.flat[place] = before
        return loss

    h = 1e-3
    for place in range(lora.flat.size):
        slope = (8 * (loss_at(place, h) - loss_at(place, -h)) - loss_at(place, 2 * h) + loss_at(place, -2 * h)) / 12 / h
        assert slope == pytest.approx(found[place], rel=1e-6, abs=1e-7)
    assert np.abs(found).max() > 1e-2, "this test is looking at nothing"


def test_the_count_of_what_is_learned():
    model = lively(Config(vocab=11, dim=8, layers=3, heads=2, hidden=6, context=6))
    lora = Lora(model.parameters, LoraShape(rank=4, matrices=("q_proj", "down_proj")))
    assert lora.flat.size == 3 * (4 * (8 + 8) + 4 * (6 + 8)) and lora.decays.all()


@pytest.mark.parametrize("wrong, message", [
    ({"matrices": ("query",)}, "corrects some of q_proj"), ({"matrices": ()}, "corrects some of"),
    ({"rank": 0}, "rank 0"), ({"rank": 1.5}, "rank 1.5: .* a whole number"), ({"alpha": 0}, "alpha 0"),
    ({"matrices": "q_proj"}, r"got 'q_proj'. One alone is \('q_proj',\)"),
])
def test_a_shape_without_sense_is_refused_in_words(wrong, message):
    with pytest.raises(ValueError, match=message):
        LoraShape(**wrong)


# --- tuning with it ---


def test_tuning_learns_and_moves_only_what_it_corrects(lm):
    shape = LoraShape(rank=2, matrices=("v_proj", "up_proj"))
    tuned, log = fine_tune(lm, ROWS, Recipe(12, 3e-2, warmup=2), lora=shape, progress=False)
    assert log[-1]["loss"] < log[0]["loss"] - 0.01
    for name, view in tuned.transformer.parameters.named.items():
        change = view - lm.transformer.parameters.named[name]
        chosen = name.split(".")[-2] in shape.matrices
        assert change.any() == chosen, name
        if chosen:
            assert np.linalg.matrix_rank(change, tol=1e-4 * np.abs(change).max()) <= 2
    assert tuned.recipe["lora"]["rank"] == 2


def test_an_interrupted_run_goes_on_to_the_same_model(lm, tmp_path):
    recipe, path = Recipe(6, 1e-2, warmup=1), tmp_path / "run.safetensors"
    how = {"lora": LoraShape(rank=2), "size": 2, "progress": False}

    def interrupt(model, record):
        if record["step"] == 3:
            raise KeyboardInterrupt

    whole, _ = fine_tune(lm, ROWS, recipe, **how)
    with pytest.raises(KeyboardInterrupt):
        fine_tune(lm, ROWS, recipe, checkpoint=path, every=2, on_step=interrupt, **how)
    again, log = fine_tune(lm, ROWS, recipe, checkpoint=path, every=2, **how)
    assert [record["step"] for record in log] == list(range(6))
    assert [record["step"] for record in log if "seconds" in record] == [4, 5], "the first four are not made again"
    np.testing.assert_array_equal(again.transformer.parameters.flat, whole.transformer.parameters.flat)


def test_a_run_without_adapters_does_not_go_on_from_one_with_them(lm, tmp_path):
    recipe, path = Recipe(2, 1e-2, warmup=1), tmp_path / "run.safetensors"
    fine_tune(lm, ROWS, recipe, lora=LoraShape(rank=2), checkpoint=path, progress=False)
    with pytest.raises(ValueError, match="belongs to another run"):
        fine_tune(lm, ROWS, recipe, checkpoint=path, progress=False)


@pytest.mark.parametrize("matrices", [(*ATTENTION, *MLP), ("v_proj", "up_proj"), ("o_proj",)])
def test_the_slopes_without_the_full_matrix_are_those_by_the_chain_rule(small, matrices):
    lora = moved(Lora(small.parameters, LoraShape(rank=2, alpha=6.0, matrices=matrices)))
    full, thin = Parameters(small.config, dtype=np.float64), lora.slopes()
    small.backward(IDS, TARGETS, WEIGHTS, full)
    loss = small.backward(IDS, TARGETS, WEIGHTS, thin)
    assert loss == small.loss(IDS, TARGETS, WEIGHTS)
    np.testing.assert_allclose(thin.flat, lora.gradient(full), rtol=1e-9, atol=1e-12)
    small.backward(IDS, TARGETS, WEIGHTS, thin)  # whatever was there before
    np.testing.assert_allclose(thin.flat, lora.gradient(full), rtol=1e-9, atol=1e-12)
