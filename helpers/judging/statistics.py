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


def mean_and_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of results over seeds, and its 95% interval by Student's t for 3 to 10 of them: (mean, low, high)."""
    t = {3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}.get(len(values))
    if t is None:
        raise ValueError(f"an interval over seeds needs 3 to 10 results, not {len(values)}; has `make results` ended?")
    mean, half = float(np.mean(values)), t * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return mean, mean - half, mean + half


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
