"""`take`: the learner's function where it passes, else the course's; and errors that show the learner's own line."""

import pytest

from helpers import checks


@checks.check(course=lambda x: 2 * x)
def double_it(function) -> str:
    checks.expect(checks.require(function(3)) == 6, "twice three is six")
    return "Right."


def written(source: str):
    space = {}
    exec(compile(source, "<learner>", "exec"), space)
    return space["double_it"]


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    verdicts = []
    monkeypatch.setattr(checks, "display", verdicts.append)
    yield verdicts
    checks.TAKEN.pop("no_such", None)


def test_the_right_one_is_used(shown):
    theirs = written("def double_it(x):\n    return x + x")
    assert checks.take(theirs) is theirs
    assert shown[0] and "Yours is used" in str(shown[0])


@pytest.mark.parametrize("body", ["...", "return 3 * x", "raise KeyError(x)", "return x.no", "return undefined"])
def test_the_course_s_own_takes_its_place(body, shown):
    assert checks.take(written(f"def double_it(x):\n    {body}"))(5) == 10
    assert not shown[0] and "the course's own double_it is used" in str(shown[0])


def test_a_name_that_no_exercise_has_is_told():
    with pytest.raises(ValueError, match="no exercise is called 'other'"):
        checks.take(written("def double_it(x): ...\ndouble_it.__name__ = 'other'"))


def test_an_error_shows_line_and_call():
    verdict = double_it(written("def double_it(x):\n    y = 1\n    return x / (y - 1)"))
    assert not verdict
    assert "ZeroDivisionError" in verdict.message and "in line 3" in verdict.message
    assert "when called as double_it(3)" in verdict.message


def test_every_course_function_passes_its_own_check():
    import importlib
    from pathlib import Path

    for path in Path(checks.__file__).parent.glob("*.py"):
        importlib.import_module(f"helpers.checks.{path.stem}".removesuffix(".__init__"))
    for name, (judge, course) in checks.TAKEN.items():
        assert judge(course), f"{name}: {judge(course)}"
