"""What a selection is worth, estimated: a line is found again, intervals hold what they promise, stored runs agree."""

import numpy as np
import pytest

from helpers.experiments.data_runs import any_selection
from helpers.experiments.estimate import (
    FEATURES,
    Observations,
    by_the_mean,
    cross_validate,
    errors,
    features,
    fit,
    observations,
    stored_estimator,
)
from helpers.experiments.grid import source
from helpers.results import write_results
from helpers.text.selections import select
from tests.conftest import pair

PERU = "What is the capital of Peru?"


def on_a_line(count: int, noise: float, seed: int = 0) -> Observations:
    """Selections whose goodness really is a line on the log odds, and some luck."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(len(FEATURES)), count)[:, 1:]
    matrix = np.column_stack([rng.uniform(1, 3.3, count), shares])
    odds = 0.5 + matrix[:, 0] - 4 * matrix[:, 1] - 3 * matrix[:, 4] + noise * rng.normal(size=count)
    return Observations(matrix, 1 / (1 + np.exp(-odds)), np.arange(count) % 5)


def test_features_count_what_was_found(scorer):
    rows = [pair(PERU, "Lima."), pair(PERU, "Lima."), pair(PERU, "I like it."), pair("What is love?", "A feeling.")]
    figures = dict(zip(FEATURES, features(scorer.judge(rows)), strict=True))
    assert figures["log10 of sound rows"] == pytest.approx(np.log10(2)) and figures["irrelevant"] == 0.25
    assert figures["wrong"] == 0


def test_a_line_is_found_again_and_beats_the_mean():
    observed = on_a_line(400, 0.1)
    off, baseline = errors(cross_validate(observed), observed.good), errors(by_the_mean(observed), observed.good)
    assert off["mean absolute"] < 0.03 < 0.1 < baseline["mean absolute"]
    assert off["mean absolute"] <= off["root mean square"]
    fresh = on_a_line(300, 0.1, seed=1)
    assert errors(fit(observed)(fresh.features), fresh.good)["mean absolute"] < 0.03


def test_the_interval_holds_what_it_promises():
    observed = on_a_line(60, 0.5)
    assert 0.85 < errors(cross_validate(observed), observed.good)["in the interval"] <= 1
    estimated = fit(observed)(on_a_line(100, 0.5, seed=1).features)
    assert np.all(estimated[:, 1] < estimated[:, 0]) and np.all(estimated[:, 0] < estimated[:, 2])
    far = fit(observed)(np.array([[0.0, 1, 0, 0, 0, 0], observed.features.mean(axis=0)]))  # widths on the log odds
    widths = np.diff(np.log(far / (1 - far))[:, 1:], axis=1).ravel()
    assert widths[0] > widths[1], "far from what was seen the interval must be wider"


def test_a_defect_that_no_selection_has_counts_for_nothing():
    observed = on_a_line(50, 0.1)
    observed.features[:, 2] = 0
    assert fit(observed).slopes[3] == pytest.approx(0)


def test_a_selection_is_estimated_without_its_own_base_model():
    observed = on_a_line(50, 0.1)
    good = np.where(observed.seed == 2, 1 - observed.good, observed.good)
    other = Observations(observed.features, good, observed.seed)
    for seed, same in ((2, True), (1, False)):
        here = observed.seed == seed
        assert np.array_equal(cross_validate(observed)[here], cross_validate(other)[here]) is same


def test_errors_by_hand():
    estimated = np.array([[0.5, 0.4, 0.6], [0.8, 0.7, 0.9]])
    figures = errors(estimated, np.array([0.6, 0.4]))
    assert figures["mean absolute"] == pytest.approx(0.25) and figures["in the interval"] == 0.5
    assert figures["root mean square"] == pytest.approx(np.sqrt((0.01 + 0.16) / 2))


def test_stored_selections_are_made_again_and_judged(world, scorer, tmp_path):
    rows = [{"number": number, "seed": seed, "good": 0.1 * number} for number in (0, 2) for seed in range(2)]
    write_results("selections", [row | source() for row in rows], tmp_path)
    stored = observations(world, tmp_path)
    again = features(scorer.judge(select(world, any_selection(2, 1), 1)))
    assert np.array_equal(stored.features[3], again) and stored.good.tolist() == [0, 0, 0.2, 0.2]
    assert stored.seed.tolist() == [0, 1, 0, 1]


def test_the_stored_estimator_beats_the_mean_on_base_models_that_it_has_not_seen(world):
    observed = observations(world)
    off, baseline = errors(cross_validate(observed), observed.good), errors(by_the_mean(observed), observed.good)
    assert off["mean absolute"] < baseline["mean absolute"]
    assert off["root mean square"] < baseline["root mean square"]
    clean, noisy = (stored_estimator()(np.array([2.0, 0, share, 0, 0, 0]))[0] for share in (0.0, 0.9))
    assert noisy[0] < clean[0]


@pytest.mark.slow
def test_what_the_docstring_says_of_noise_of_five_sorts_is_so(world):
    elsewhere = observations(world, table="ratio")
    noisy = elsewhere.features[:, 1:].sum(axis=1) > 0.6
    off = stored_estimator()(elsewhere.features)[:, 0] - elsewhere.good
    assert noisy.sum() == 15 and off[noisy].mean() < -0.1, "too low where most rows are spoiled in five ways"
    assert np.abs(off[~noisy]).mean() < 0.1
