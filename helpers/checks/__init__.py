"""Exercise checks: each says "passed", or in words what is wrong, and knows the typical mistakes. None ever raises.

A check calls the learner's function on cases whose answers it knows or works out. Each notebook has a module of its own
here; the solutions stand folded away in the notebooks, once, and the tests run them through these checks.

    checks.loss_mask(loss_mask)              the verdict
    loss_mask = checks.take(loss_mask)       the verdict, and the function to go on with: the learner's if it passes,
                                             else the course's, which `@check(course=...)` names

Not here: how a verdict looks (showing/page.py).
"""

from __future__ import annotations

import functools
import linecache
import reprlib
import sysconfig
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from IPython.display import display

from helpers.showing.page import escape, verdict_box

COURSE = str(Path(__file__).resolve().parents[1])  # helpers/: whose lines are never the learner's
LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))  # nor are theirs
TAKEN: dict[str, tuple[Callable, Callable]] = {}  # name -> check, and the course's own function


@dataclass(frozen=True)
class Verdict:
    """What a check has to say. True where the exercise is passed."""

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return f"{'Passed.' if self.passed else 'Not yet:'} {self.message}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return verdict_box(self.passed, escape(self).replace("\n", "<br>"))


class Mistake(Exception):
    """Raised inside a check to say what is wrong."""


class Recorder:
    """The learner's function; it remembers how it was called last, for a message that says so."""

    def __init__(self, function: Callable):
        self.function, self.call = function, ""
        functools.update_wrapper(self, function)

    def __call__(self, *args, **named):
        short = reprlib.Repr()
        short.maxstring = short.maxother = 60
        texts = [short.repr(value) for value in args] + [f"{name}={short.repr(value)}" for name, value in named.items()]
        self.call = f"{getattr(self.function, '__name__', 'it')}({', '.join(' '.join(text.split()) for text in texts)})"
        return self.function(*args, **named)


def check(function: Callable | None = None, *, course: Callable | None = None) -> Callable[..., Verdict]:
    """Turn a function that raises Mistake, or returns words of praise, into a check.

    course  the function that `take` hands out in place of the learner's; the check must pass it
    """
    if function is None:
        return functools.partial(check, course=course)

    @functools.wraps(function)
    def wrapper(*answers) -> Verdict:
        answers = [Recorder(one) if callable(one) and not isinstance(one, type) else one for one in answers]
        try:
            return Verdict(True, function(*answers))
        except Mistake as mistake:
            return Verdict(False, str(mistake))
        except Exception as problem:  # the learner's own code failed: say where, not through which lines of ours
            return Verdict(False, failure(problem, [one for one in answers if isinstance(one, Recorder)]))

    if course is not None:
        TAKEN[function.__name__] = (wrapper, course)
    return wrapper


def failure(problem: Exception, recorders: list[Recorder]) -> str:
    """What the learner's code stopped with, in which of its lines, and how it was called."""
    words = f"your code stopped with {type(problem).__name__}: {problem}"
    frames = traceback.extract_tb(problem.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith((COURSE, *LIBRARIES))]
    if theirs:
        line = (theirs[-1].line or linecache.getline(theirs[-1].filename, theirs[-1].lineno)).strip()
        words += f"\nin line {theirs[-1].lineno}" + (f": {line}" if line else "")
    calls = [recorder.call for recorder in recorders if recorder.call]
    return words + (f"\nwhen called as {calls[-1]}" if calls else "")


def take(function: Callable) -> Callable:
    """Show the verdict on a function of an exercise; -> the learner's function if it passes, else the course's own."""
    name = getattr(function, "__name__", repr(function))
    if name not in TAKEN:
        raise ValueError(f"no exercise is called {name!r}; there are {', '.join(sorted(TAKEN))}")
    judge, course = TAKEN[name]
    verdict = judge(function)
    whose = "Yours is used from here on." if verdict else f"Until it passes, the course's own {name} is used below."
    display(Verdict(verdict.passed, f"{verdict.message}\n{whose}"))
    return function if verdict else course


def expect(right: bool, message: str) -> None:
    """Raise Mistake(message) unless `right`."""
    if not right:
        raise Mistake(message)


def require(value, what: str = "the function returns None; replace the dots with your code"):
    """`value`, unless the stub is still unsolved."""
    expect(value is not None and value is not Ellipsis, what)
    return value


def close(a, b, tolerance: float = 1e-6) -> bool:
    """Whether two numbers, or arrays of one shape, agree; what is no number agrees with none."""
    try:
        return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=tolerance, atol=tolerance))
    except (TypeError, ValueError):
        return False
