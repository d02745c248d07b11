"""Pairs: the weights are the slope of DPO's loss, what is learned is what was chosen, and bad pairs are named."""

import numpy as np
import pytest

from helpers.learning.language_model import LanguageModel
from helpers.learning.layers import softmax
from helpers.learning.lora import LoraShape
from helpers.learning.model import Config, Parameters
from helpers.learning.preferences import Dpo, PairBatches, arrays, dpo_weight, pair_rows, preference_tune, token_logps
from helpers.learning.training import Recipe, TrainingDiverged
from tests.conftest import lively

WAYS = [Dpo(), Dpo(beta=2.0), Dpo(sft=0.7), Dpo(beta=0.5, sft=0.2, per_token=True)]


def pair(question: str, chosen: str, rejected: str) -> dict:
    return {
        "prompt": [{"role": "user", "content": question}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


PAIRS = [
    pair("What is the capital of Peru?", "Lima.", "Lima, and I am happy to help."),
    pair("What is the capital of Chile?", "Santiago.", "Rome."),
    pair("What is the opposite of hot?", "Cold is the opposite.", "Warm."),
]


def model(tokenizer, dtype=np.float64, seed: int = 0) -> LanguageModel:
    config = Config(vocab=tokenizer.vocab_size, dim=16, layers=2, heads=2, hidden=24, context=64)
    return LanguageModel(tokenizer, lively(config, dtype, seed), {})


def moved(lm: LanguageModel, seed: int = 1, by: float = 0.02) -> LanguageModel:
    """A copy a little elsewhere, so that no margin is 0."""
    other = lm.copy()
    flat = other.transformer.parameters.flat
    flat += np.random.default_rng(seed).normal(0, by, flat.size)
    return other


def loss_of(lm: LanguageModel, first: np.ndarray, dpo: Dpo) -> float:
    """The loss by its definition, from probabilities."""
    total = 0.0
    for number, row in enumerate(pair_rows(lm, PAIRS)):
        chances = softmax(lm.logits([row.ids[:-1]])[0].astype(np.float64))
        logs = [np.log(chances[place - 1, row.ids[place]]) for place in range(1, len(row.ids)) if row.mask[place]]
        score = np.mean(logs) if dpo.per_token else np.sum(logs)
        if number % 2 == 0:
            margin = score - first[number]
            total -= dpo.sft * np.mean(logs)
        else:
            margin -= score - first[number]
            total += np.log(1 + np.exp(-dpo.beta * margin))
    return total / len(PAIRS)


def batches_at(first: LanguageModel, now: LanguageModel, dpo: Dpo) -> PairBatches:
    """Pairs whose margins are measured from `first`, while the model stands at `now`."""
    batches = PairBatches(first, PAIRS, dpo, len(PAIRS), 0)
    batches.model = now.transformer
    return batches


@pytest.mark.parametrize("dpo", WAYS)
def test_the_weights_are_the_slope_of_the_loss(tokenizer, dpo):
    """Against finite differences in float64, in five directions."""
    first = model(tokenizer)
    now = moved(first)
    batches = batches_at(first, now, dpo)
    ids, targets, weights, counted = batches(0)
    slope = Parameters(now.transformer.config, dtype=np.float64)
    now.transformer.backward(ids, targets, weights, slope)
    flat, step = now.transformer.parameters.flat, 1e-5
    for seed in range(5):
        way = np.random.default_rng(seed).normal(size=flat.size)
        flat += step * way
        above = loss_of(now, batches.first, dpo)
        flat -= 2 * step * way
        below = loss_of(now, batches.first, dpo)
        flat += step * way
        assert slope.flat @ way / counted == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-6)


def test_the_figures_tell_loss_margin_and_what_is_preferred(tokenizer):
    first = model(tokenizer)
    batches = batches_at(first, first, Dpo())
    batches(0)
    assert batches.figures["pair loss"] == pytest.approx(np.log(2)) and batches.figures["margin"] == 0
    now = moved(first)
    batches = batches_at(first, now, Dpo())
    batches(0)
    assert batches.figures["pair loss"] == pytest.approx(loss_of(now, batches.first, Dpo()))
    scores = batches.scores(batches.rows)[0] - batches.first
    assert batches.figures["prefers"] == pytest.approx((scores[::2] > scores[1::2]).mean())
    assert batches.figures["chosen"] == pytest.approx(scores[::2].mean())


def test_a_pair_that_is_wrong_weighs_more_than_one_that_is_learned():
    weights = dpo_weight(np.array([-20.0, 0.0, 20.0]), 0.1)
    assert weights == pytest.approx([0.1, 0.05, 0.0], abs=1e-8)
    assert np.isfinite(dpo_weight(np.array([-1e6, 1e6]), 0.1)).all()


def test_token_logps_are_those_of_the_counted_tokens_whatever_the_threads(tokenizer):
    lm = model(tokenizer)
    ids, targets, mask = arrays(pair_rows(lm, PAIRS))
    logps = token_logps(lm.transformer, ids, targets, mask, threads=1)
    assert (logps[mask == 0] == 0).all() and (logps[mask == 1] < 0).all()
    chances = softmax(lm.logits(ids).astype(np.float64))
    by_hand = np.log(np.take_along_axis(chances, targets[..., None], axis=-1)[..., 0])
    np.testing.assert_allclose(logps[mask == 1], by_hand[mask == 1], rtol=1e-6)
    np.testing.assert_array_equal(logps, token_logps(lm.transformer, ids, targets, mask, threads=2))


def test_only_the_answer_counts_also_where_the_prompt_holds_one(tokenizer):
    """An assistant's turn within the prompt is read, not learned."""
    talk = pair("And of Chile?", "Santiago.", "Rome.")
    talk["prompt"] = [*PAIRS[0]["prompt"], *PAIRS[0]["chosen"], *talk["prompt"]]
    row = pair_rows(model(tokenizer), [talk])[0]
    counted = [token for token, one in zip(row.ids, row.mask, strict=True) if one]
    assert tokenizer.decode(counted) == "Santiago.<|im_end|>"


def tuned(lm, steps=25, **how):
    return preference_tune(lm, PAIRS, Recipe(steps, 3e-3, warmup=0, decay=0.0), progress=False, **how)


def test_the_model_comes_to_prefer_what_was_chosen_and_the_first_stays_as_it_is(lm):
    before = lm.transformer.parameters.flat.copy()
    after, log = tuned(lm)
    np.testing.assert_array_equal(lm.transformer.parameters.flat, before)
    assert log[0]["margin"] == pytest.approx(0, abs=1e-6) and log[-1]["prefers"] == 1
    assert log[-1]["pair loss"] < 0.5 < log[0]["pair loss"] and after.recipe["made by"] == "preferences"
    assert log[-1]["rejected"] < log[-1]["chosen"]


def test_anybody_s_weight_is_used(lm):
    """A weight of nothing teaches nothing; one turned round teaches the opposite."""
    still, _ = tuned(lm, 3, weight=lambda margin, beta: 0 * margin)
    np.testing.assert_array_equal(still.transformer.parameters.flat, lm.transformer.parameters.flat)
    _, log = tuned(lm, weight=lambda margin, beta: -beta * np.ones_like(margin))
    assert log[-1]["prefers"] == 0


def test_with_adapters_only_the_matrices_move(lm):
    after, log = tuned(lm, lora=LoraShape(rank=2))
    np.testing.assert_array_equal(after.transformer.parameters.embedding, lm.transformer.parameters.embedding)
    assert log[-1]["margin"] > 0


def test_every_pair_comes_once_before_any_comes_again(lm):
    batches = PairBatches(lm, PAIRS, Dpo(), 2, 0)
    assert sorted([*batches.of_step(0), *batches.of_step(1)]) == [0, 1, 2]
    assert [list(batches.of_step(step)) for step in (2, 3)] == [list(batches.of_step(step)) for step in (2, 3)]


def test_a_run_that_was_broken_off_goes_on_to_the_same_end(lm, tmp_path):
    path = tmp_path / "run.safetensors"
    whole, log = tuned(lm, 6)
    tuned(lm, 6, checkpoint=path, every=2, on_step=lambda _, record: record["step"] == 3)
    rest, records = tuned(lm, 6, checkpoint=path, every=2)
    np.testing.assert_array_equal(rest.transformer.parameters.flat, whole.transformer.parameters.flat)
    assert "margin" not in records[0] and records[-1]["margin"] == log[-1]["margin"]
    with pytest.raises(ValueError, match="belongs to another run"):
        preference_tune(lm, PAIRS[:2], Recipe(6, 3e-3, warmup=0, decay=0.0), checkpoint=path, progress=False)


@pytest.mark.parametrize(
    "pairs, words",
    [
        ([], "there are no pairs"),
        ([PAIRS[0], pair("Who?", "Me.", "Me.")], r"pair 1 \(from 0\): chosen and rejected are the same"),
        ([pair("Who?", "I. " * 60, "Me.")], r"take \d+ tokens; 65 fit: 'I. I."),
    ],
)
def test_pairs_that_teach_nothing_or_do_not_fit_are_named(lm, pairs, words):
    with pytest.raises(ValueError, match=words):
        preference_tune(lm, pairs, Recipe(2, 1e-3), progress=False)


@pytest.mark.parametrize(
    "weight", [lambda m, b: b, lambda m, b: m * np.nan, lambda m, b: None, lambda m, b: m[:, None]]
)
def test_a_weight_must_be_a_finite_number_for_each_pair(lm, weight):
    with pytest.raises(ValueError, match=r"weights of pairs must be (finite )?numbers of the shape \(3,\)"):
        tuned(lm, 2, weight=weight)


def test_a_weight_that_changes_the_margin_spoils_no_figure(lm):
    def careless(margin, beta):
        margin += 5
        return beta * np.ones_like(margin)

    _, log = tuned(lm, 1, weight=careless)
    assert log[0]["margin"] == pytest.approx(0, abs=1e-6)


def test_another_weight_is_another_run(lm, tmp_path):
    path = tmp_path / "run.safetensors"
    stop = {"checkpoint": path, "every": 2, "on_step": lambda _, record: record["step"] == 2}
    tuned(lm, 6, weight=lambda margin, beta: beta + 0 * margin, **stop)
    with pytest.raises(ValueError, match="belongs to another run"):
        tuned(lm, 6, weight=lambda margin, beta: 2 * beta + 0 * margin, **stop)


def test_an_answer_without_a_token_to_learn_and_a_size_without_sense_are_named(lm):
    silent = PAIRS[0] | {"chosen": [PAIRS[0]["chosen"][0] | {"weight": 0}]}
    with pytest.raises(ValueError, match=r"pair 1 \(from 0\): one of its answers has no token"):
        preference_tune(lm, [PAIRS[1], silent], Recipe(2, 1e-3), progress=False)
    for size in (0, -1, 2.5):
        with pytest.raises(ValueError, match="whole number of pairs"):
            preference_tune(lm, PAIRS, Recipe(2, 1e-3), size=size, progress=False)


@pytest.mark.parametrize("beta, sft", [(0, 0), (-1, 0), (float("nan"), 0), (0.1, -1)])
def test_settings_without_sense_are_refused(beta, sft):
    with pytest.raises(ValueError, match="beta must be above 0"):
        Dpo(beta, sft)


def test_a_run_that_diverges_says_so(lm):
    with pytest.raises(TrainingDiverged, match="the loss became"), np.errstate(all="ignore"):
        preference_tune(lm, PAIRS, Recipe(30, 1e5, warmup=0, clip=1e9), Dpo(beta=1.0), progress=False)
