"""Intervals are those of the books, and hold what they promise."""

import math

import numpy as np
import pytest

from helpers.judging.statistics import (
    Share,
    as_percent,
    bootstrap,
    holm,
    mean_and_interval,
    p_value,
    paired_difference,
    percent_interval,
    share,
)

# --- shares ---


@pytest.mark.parametrize(("hits", "total", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
])  # fmt: skip
def test_wilson_intervals_are_those_of_newcombe_1998(hits, total, low, high):
    """Statistics in Medicine 17, table I, method 3."""
    assert Share(hits, total).interval == pytest.approx((low, high), abs=5e-5)
    mirrored = Share(total - hits, total).interval
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_an_interval_holds_its_share_and_shrinks_with_the_count():
    for total in (1, 10, 1000):
        for hits in (0, total // 2, total):
            low, high = Share(hits, total).interval
            assert 0 <= low <= hits / total <= high <= 1 and low < high
    assert np.ptp(Share(500, 1000).interval) < 0.25 * np.ptp(Share(5, 10).interval)


def test_nothing_counted_is_no_number_and_could_be_anything():
    assert math.isnan(Share(0, 0).value) and Share(0, 0).interval == (0.0, 1.0)


def test_a_share_is_counted_and_told():
    three = share(outcome for outcome in [True, False, True, np.True_])
    assert three == Share(3, 4) and three.value == 0.75
    assert str(Share(0, 20)) == "0 of 20 = 0.0% (95% interval 0.0 to 16.1)"


# --- means over random starts ---


@pytest.mark.parametrize("level", [95, 90])
@pytest.mark.parametrize("count", range(3, 11))
def test_student_intervals_hold_what_their_level_says(count, level):
    """The area of Student's density (by its formula, and a sum) within the interval is 0.95, or 0.9."""
    values = np.arange(count, dtype=float)
    mean, low, high = mean_and_interval(values.tolist(), level)
    assert level == 90 or (mean, low, high) == mean_and_interval(values.tolist())
    assert mean == pytest.approx(values.mean()) and mean - low == pytest.approx(high - mean)
    t = (high - mean) / (values.std(ddof=1) / math.sqrt(count))
    freedom = count - 1
    scale = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2) / math.sqrt(freedom * math.pi)
    x = np.linspace(-t, t, 20_001)
    area = scale * ((1 + x * x / freedom) ** (-(freedom + 1) / 2)).sum() * (x[1] - x[0])
    assert area == pytest.approx(level / 100, abs=1e-3)
    assert p_value(values, middle=high) == pytest.approx(1 - level / 100, abs=1e-3), "the same t, from the other side"


@pytest.mark.parametrize("count", [0, 1, 2, 11])
def test_an_interval_over_too_few_or_many_seeds_is_refused_in_words(count):
    with pytest.raises(ValueError, match=f"3 to 10 results, not {count}"):
        mean_and_interval([0.5] * count)


def values_of(t: float, count: int) -> np.ndarray:
    """Some values whose mean lies `t` standard errors above zero."""
    values = np.arange(count) - (count - 1) / 2
    return values + t * values.std(ddof=1) / math.sqrt(count)


@pytest.mark.parametrize(("freedom", "t", "p"), [
    (4, 2.776, 0.05), (4, 4.604, 0.01), (4, 2.132, 0.1), (4, 8.610, 0.001), (1, 12.706, 0.05), (2, 4.303, 0.05),
    (9, 2.262, 0.05), (9, 3.250, 0.01), (30, 2.042, 0.05), (4, 0.741, 0.5), (4, 0.0, 1.0),
])  # fmt: skip
def test_p_is_that_of_the_tables_of_student(freedom, t, p):
    """Two-sided, whatever side the mean is on, and wherever the middle."""
    values = values_of(t, freedom + 1)
    assert p_value(values) == pytest.approx(p, rel=5e-3)
    assert p_value(-values) == pytest.approx(p_value(values))
    assert p_value(7 * values + 3, middle=3) == pytest.approx(p_value(values))


def test_values_without_any_spread_are_zero_or_they_are_not():
    assert p_value([0.0] * 5) == 1.0 and p_value([0.5] * 5) == 0.0 and p_value([0.5] * 5, middle=0.5) == 1.0


@pytest.mark.parametrize(("p_values", "adjusted"), [
    ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # 0.005 * 4, 0.01 * 3, 0.03 * 2, then 0.04 is no less
    ([0.02], [0.02]), ([0.5, 0.9], [1.0, 1.0]), ([0.02, 0.02], [0.04, 0.04]), ([], []),
])  # fmt: skip
def test_holm_by_hand(p_values, adjusted):
    assert holm(p_values) == pytest.approx(adjusted)


# --- means over questions ---


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    holds = [low <= 0.7 <= high for _, low, high in (bootstrap((rng.random(80) < 0.7).astype(float), i, 400)
                                                    for i in range(200))]
    assert 0.89 <= np.mean(holds) <= 0.99


def test_outcomes_that_do_not_apply_are_left_out():
    assert bootstrap(np.array([1.0, np.nan, 1.0])) == (1.0, 1.0, 1.0)
    assert np.isnan(bootstrap(np.array([np.nan]))).all()


def test_a_paired_difference_is_sharper_than_two_intervals():
    """The same probes: what is hard for both does not blur the difference."""
    rng = np.random.default_rng(1)
    before = (rng.random(200) < 0.5).astype(float)
    after = before.copy()
    after[np.flatnonzero(before == 0)[:20]] = 1.0
    mean, low, high = paired_difference(before, after)
    assert mean == pytest.approx(0.1) and 0 < low < 0.1 < high
    assert bootstrap(after)[1] < bootstrap(before)[2], "the two intervals overlap"
    with pytest.raises(ValueError, match="pair the same probes"):
        paired_difference(before, after[:-1])


def test_an_interval_of_percentages_stays_within_0_and_100():
    values = [99.0, 100.0, 100.0, 100.0, 92.0]
    mean, (low, high) = percent_interval(values)
    assert mean == pytest.approx(98.2) and low == pytest.approx(mean_and_interval(values)[1]) and high == 100
    assert percent_interval([0.0, 0.0, 1.0])[1][0] == 0
    assert as_percent([79.0, 76.0, 83.0], 1) == "79.3% (70.6 to 88.1)" and as_percent(values) == "98% (94 to 100)"
