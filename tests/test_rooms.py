"""The house stands: a lower room of helpers/ knows nothing of a higher one, and no file holds two ideas.

The rooms are those that the docstring of helpers/__init__.py names, from the lowest to the highest.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

import helpers

FOLDER = Path(helpers.__file__).parent
ROOMS = ["text", "learning", "judging", "showing"]
LIBRARIES = {"numpy", "joblib", "tqdm", "threadpoolctl"}  # for all rooms but showing
SHOWING_TOO = {"matplotlib", "ipywidgets", "IPython"}


def rooms() -> dict[str, int]:
    """Module -> number of its room, read from the docstring: a word in a room's line is a module, but what follows a
    colon within brackets explains."""
    found = {}
    for line in helpers.__doc__.splitlines():
        room, _, rest = line.partition(" ")
        if room in ROOMS:
            modules = re.findall(r"\w+", re.sub(r":[^)]*", "", rest))
            assert not set(modules) & set(found), f"{line!r} names what another room has"
            found |= dict.fromkeys(modules, ROOMS.index(room))
    return found


FILES = sorted(path for path in FOLDER.rglob("*.py") if path != FOLDER / "__init__.py")


def module(path: Path) -> str:
    """helpers/checks/the_gap.py belongs to "checks"."""
    return path.relative_to(FOLDER).parts[0].removesuffix(".py")


def imported(source: str) -> set[str]:
    """Every module that a file imports, at its top or within a function, in full."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room is meant"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def outside(room: int, names: set[str]) -> list[str]:
    """Of imported modules, those that a room may not know."""
    where, wrong = rooms(), []
    for name in sorted(names):
        first, *rest = name.split(".")
        if first == "helpers":
            offered = where["language_model"]  # helpers itself offers `load` and `LanguageModel`
            if where.get(rest[0] if rest else "", offered) > room:
                wrong.append(name)
        elif first not in sys.stdlib_module_names | LIBRARIES | (SHOWING_TOO if room == 3 else set()):
            wrong.append(name)
    return wrong


def test_the_docstring_names_all_four_rooms():
    assert set(rooms().values()) == {0, 1, 2, 3}
    assert rooms()["facts"] == 0 and rooms()["model"] == 1 and rooms()["evaluation"] == 2 and rooms()["plots"] == 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_file_knows_only_its_room_and_lower_ones(path):
    assert module(path) in rooms(), f"say in helpers/__init__.py in which room {module(path)} is"
    assert outside(rooms()[module(path)], imported(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", [*FILES, FOLDER / "__init__.py"], ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_file_holds_one_idea_and_says_which(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text)), "begins with a docstring"


def test_this_test_sees_what_is_wrong():
    source = "def f():\n    import torch.nn\n    from helpers.model import Config\nfrom helpers import plots, facts\n"
    names = imported(source)
    assert outside(0, names) == ["helpers.model.Config", "helpers.plots", "torch.nn"]
    assert outside(3, names) == ["torch.nn"]
    assert outside(0, {"helpers", "helpers.load"}) == ["helpers", "helpers.load"]
    assert outside(0, {"os.path", "numpy", "matplotlib.pyplot", "helpers.facts.Fact"}) == ["matplotlib.pyplot"]
