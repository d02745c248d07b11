"""Exercise checks: each says "passed", or in words what is wrong, and knows the typical mistakes. None ever raises.

A check calls the learner's function on cases whose answers it knows or works out. Each notebook has a module of its own
here; the solutions stand folded away in the notebooks, once, and the tests run them through these checks. Not here: how
a verdict looks (showing/page.py).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.showing.page import escape, verdict_box


@dataclass(frozen=True)
class Verdict:
    """What a check found."""

    passed: bool
    message: str

    def __str__(self) -> str:
        return f"{'Passed.' if self.passed else 'Not yet:'} {self.message}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return verdict_box(self.passed, escape(self))


class Mistake(Exception):
    """Raised inside a check to say what is wrong."""


def check(function: Callable) -> Callable[..., Verdict]:
    """Turn a function that raises Mistake, or returns words of praise, into a check."""

    @functools.wraps(function)
    def wrapper(*answers) -> Verdict:
        try:
            return Verdict(True, function(*answers))
        except Mistake as mistake:
            return Verdict(False, str(mistake))
        except Exception as problem:  # the learner's own code failed: say so instead of a traceback through ours
            return Verdict(False, f"your code stopped with {type(problem).__name__}: {problem}")

    return wrapper


def expect(right: bool, message: str) -> None:
    """Raise Mistake(message) unless `right`."""
    if not right:
        raise Mistake(message)


def require(value, what: str = "the function returns None; replace the dots with your code"):
    """`value`, unless the stub is still unsolved."""
    expect(value is not None and value is not Ellipsis, what)
    return value


def close(a, b, tolerance: float = 1e-6) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))
