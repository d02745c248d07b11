"""Every exercise: the stub is "not yet", each typical mistake gets its message, the folded solution passes."""

import importlib
import importlib.util
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

from helpers import load
from helpers.checks import TAKEN
from helpers.text.facts import load_world

ROOT = Path(__file__).resolve().parents[2]
SOLUTION = re.compile(r"<details><summary>Solution</summary>\s*```python\n(.*?)```\s*</details>", re.S)


def exercises():
    """(notebook, name, stub, check, solution) of every exercise in the course."""
    found = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        for number, cell in enumerate(cells):
            for tag in cell.metadata.get("tags", []):
                if tag.startswith("exercise-"):
                    solution = SOLUTION.search(cells[number + 2].source)
                    assert solution, f"{path.name}: no solution is folded away below exercise {tag}"
                    found.append(
                        (path.stem, tag.removeprefix("exercise-"), cell.source, cells[number + 1].source, solution[1])
                    )
    return found


def mistakes(notebook: str) -> dict:
    path = ROOT / "tests" / "exercises" / f"mistakes_{notebook}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MISTAKES


@pytest.fixture(scope="module")
def given():
    """What a check cell may use besides the learner's function."""
    return {"np": np, "world": load_world(), "base": load("base"), "tuned": load("tuned")}


def verdict(notebook: str, answer: str, check: str, given: dict):
    """Run an answer and then the check cell, as the notebook would. `name = checks.take(theirs)` shows a verdict and
    hands on a function; here only the verdict is wanted."""
    module = importlib.import_module(f"helpers.checks.{notebook.split('_', 1)[1]}")
    earlier = {name: course for name, (_, course) in TAKEN.items()}  # exercises grow on each other
    space = {**earlier, **given, "checks": module}
    exec(answer, space)
    if handed_on := re.fullmatch(r"\w+ = checks\.take\((\w+)\)", check.strip()):
        check = f"checks.{handed_on[1]}({handed_on[1]})"
    return eval(check, space)


EXERCISES = exercises()
WRONG = [
    (notebook, name, check, code, message)
    for notebook, name, _, check, _ in EXERCISES
    for code, message in mistakes(notebook)[name]
]


@pytest.mark.parametrize("notebook, name, stub, check, solution", EXERCISES, ids=[f"{e[0]}-{e[1]}" for e in EXERCISES])
def test_stub_is_not_yet_and_solution_passes(notebook, name, stub, check, solution, given):
    unsolved = verdict(notebook, stub, check, given)
    assert not unsolved.passed and "Not yet" in str(unsolved)
    solved = verdict(notebook, solution, check, given)
    assert solved.passed, solved


@pytest.mark.parametrize(
    "notebook, name, check, code, message", WRONG, ids=[f"{w[0]}-{w[1]}-{i}" for i, w in enumerate(WRONG)]
)
def test_a_typical_mistake_gets_its_message(notebook, name, check, code, message, given):
    told = verdict(notebook, code, check, given)
    assert not told.passed
    assert message in told.message, told.message


def test_each_notebook_has_three_to_six_exercises_with_at_least_two_known_mistakes():
    for path in (ROOT / "notebooks").glob("[!D]*.ipynb"):
        names = [name for notebook, name, *_ in EXERCISES if notebook == path.stem]
        assert 3 <= len(names) <= 6, f"{path.name} has {len(names)} exercises"
        assert all(len(mistakes(path.stem)[name]) >= 2 for name in names)
        assert set(mistakes(path.stem)) == set(names)


def test_a_verdict_is_escaped_where_it_is_shown_as_html():
    from helpers.checks import Verdict

    assert "<img" not in Verdict(False, "<img src=x onerror=alert(1)>")._repr_html_()
