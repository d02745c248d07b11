"""Shares and means with the interval that belongs to them: over questions (Wilson, bootstrap) or over starts (t).

    share([True, False, True])  ->  2 of 3 = 66.7% (95% interval 20.8 to 93.9)

Not here: what is counted (evaluation.py, dimensions.py), which claims the figures bear out (experiments/claims.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Share:
    """`hits` of `total`, and the 95% Wilson interval for the probability behind them."""

    hits: int
    total: int

    @property
    def value(self) -> float:
        """0 to 1, NaN of nothing."""
        return self.hits / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson 1927: unlike value +- 1.96 standard errors it stays within 0 and 1, and is not empty at 0 hits."""
        if not self.total:
            return (0.0, 1.0)
        z2 = 1.96**2
        middle = (self.hits + z2 / 2) / (self.total + z2)
        half = 1.96 / (self.total + z2) * math.sqrt(self.hits * (self.total - self.hits) / self.total + z2 / 4)
        return (max(0.0, middle - half), min(1.0, middle + half))

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.hits} of {self.total} = {100 * self.value:.1f}% (95% interval {100 * low:.1f} to {100 * high:.1f})"
        )


def share(outcomes: Iterable[bool]) -> Share:
    """Count outcomes."""
    outcomes = list(outcomes)
    return Share(sum(map(bool, outcomes)), len(outcomes))


T = {  # Student's t, by level (%) and number of values
    95: {3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262},
    90: {3: 2.920, 4: 2.353, 5: 2.132, 6: 2.015, 7: 1.943, 8: 1.895, 9: 1.860, 10: 1.833},
}


def mean_and_interval(values: Sequence[float], level: int = 95) -> tuple[float, float, float]:
    """Mean of results over seeds, and its interval by Student's t for 3 to 10 of them: (mean, low, high)."""
    if (t := T[level].get(len(values))) is None:
        raise ValueError(f"an interval over seeds needs 3 to 10 results, not {len(values)}; has `make results` ended?")
    mean, half = float(np.mean(values)), t * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def percent_interval(values: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Mean of percentages over seeds, and its 95% interval kept within 0 and 100: (mean, (low, high))."""
    mean, low, high = mean_and_interval(values)
    return mean, (max(0.0, low), min(100.0, high))


def as_percent(values: Sequence[float], digits: int = 0) -> str:
    """The same as a text: "79% (76 to 83)"."""
    mean, (low, high) = percent_interval(values)
    return f"{mean:.{digits}f}% ({low:.{digits}f} to {high:.{digits}f})"


def p_value(values: Sequence[float], middle: float = 0.0) -> float:
    """Two-sided p by Student's t: how often a mean as far from `middle` as that of `values` would come of nothing. With
    an angle in place of t its density is a power of the cosine, which is added up here."""
    free, spread = len(values) - 1, float(np.std(values, ddof=1))
    if spread == 0:
        return float(np.mean(values) == middle)
    t = abs(float(np.mean(values)) - middle) / (spread / math.sqrt(len(values)))
    angles = np.linspace(0, math.pi / 2, 20_001)
    density = np.cos(angles) ** (free - 1)
    return float(density[angles > math.atan(t / math.sqrt(free))].sum() / density.sum())


def holm(p_values: Sequence[float]) -> list[float]:
    """The same p, each made as large as needed for the chance of *any* false alarm among them to stay as small as it
    says. Source: Holm 1979."""
    order, adjusted, worst = np.argsort(p_values), [1.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = worst
    return adjusted


def bootstrap(outcomes: np.ndarray, seed: int = 0, draws: int = 2000) -> tuple[float, float, float]:
    """Mean of outcomes (NaN left out) and its 95% interval, by drawing as many anew from them `draws` times:
    (mean, low, high), NaN without any. Source: Efron 1979."""
    outcomes = outcomes[~np.isnan(outcomes)]
    if not outcomes.size:
        return (math.nan,) * 3
    means = np.random.default_rng(seed).choice(outcomes, (draws, outcomes.size)).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(outcomes.mean()), float(low), float(high)


def paired_difference(before: np.ndarray, after: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """Mean of after - before, probe by probe, with its bootstrap interval: the same probes were put to both."""
    if before.shape != after.shape:
        raise ValueError(f"{before.size} outcomes before and {after.size} after: pair the same probes")
    return bootstrap(after - before, seed)
