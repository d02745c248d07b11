"""The stored runs that notebook 06 draws, by plan, and what to read off each.

Not here: how they are drawn (when_it_goes_wrong.py and its neighbours), how they were made (experiments/plans.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from helpers.experiments import failure_logs, plans
from helpers.experiments.failure_logs import Run
from helpers.judging.statistics import mean_and_interval

Interval = tuple[float, float, float]


@cache
def stored() -> dict[str, list[Run]]:
    """The stored runs by plan."""
    runs = failure_logs.stored_runs()
    return {plan: [run for run in runs if run.plan == plan] for plan in plans.PLANS}


def forgotten(run: Run) -> float:
    """Statements that the base model completes and the tuned one does not, in points."""
    return 100 * (run.outcomes["base completed"] - run.outcomes["completed"])


def outcome(name: str, scale: float = 100) -> Callable[[Run], float]:
    return lambda run: scale * run.outcomes[name]


def over_starts(plan: str, figure: Callable[[Run], float]) -> Interval:
    """Mean of a plan's five runs, and its 95% interval."""
    return mean_and_interval([figure(run) for run in stored()[plan]])


def words_of(interval: Interval, digits: int = 1) -> str:
    mean, low, high = (f"{value:.{digits}f}" for value in interval)
    return f"{mean} ({low} to {high})"


def interval(plan: str, name: str = "", scale: float = 100) -> tuple[float, tuple[float, float]]:
    """Mean and 95% interval of an outcome over a plan's starts, as `guess.reveal` takes them; forgotten by default."""
    mean, low, high = over_starts(plan, outcome(name, scale) if name else forgotten)
    return mean, (low, high)
