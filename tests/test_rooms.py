"""The house stands: no room of helpers/ knows a higher one, there is no circle, and each file has one idea.

Rooms are folders; their order is that of the docstring of helpers/__init__.py.
"""

import ast
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import helpers

FOLDER = Path(helpers.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))
ROOMS = re.findall(r"^    (\w+)  +\S", helpers.__doc__.partition("stand below")[0], re.M)  # from the lowest up
LIBRARIES = {"numpy", "joblib", "tqdm", "threadpoolctl"}  # for all rooms but the highest
SHOWING_TOO = {"matplotlib", "ipywidgets", "IPython"}


def module(path: Path) -> str:
    """helpers/text/facts.py is helpers.text.facts, helpers/text/__init__.py is helpers.text."""
    parts = path.relative_to(FOLDER.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str) -> int:
    """0 for what stands below all rooms (files, results), then 1 for the lowest room. The package itself offers `load`,
    which is of the room learning."""
    parts = name.split(".")
    if parts == ["helpers"]:
        return ROOMS.index("learning") + 1
    return ROOMS.index(parts[1]) + 1 if parts[1] in ROOMS else 0


def imports(source: str, modules: set[str]) -> set[str]:
    """Every module that a file imports, at its top or within a function; of `from a import b`, a.b if that is one of
    `modules`, else a."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room is meant"
            full = {f"{node.module}.{name.name}" for name in node.names}
            names |= {name if name in modules else node.module for name in full}
    return names


MODULES = {module(path): path for path in FILES}
IMPORTS = {name: imports(path.read_text("utf-8"), set(MODULES)) for name, path in MODULES.items()}


def outside(here: int, names: set[str]) -> list[str]:
    """Of imported modules, those that a room may not know."""
    known = sys.stdlib_module_names | LIBRARIES | (SHOWING_TOO if here > ROOMS.index("experiments") + 1 else set())
    ours = {name for name in names if name.split(".")[0] == "helpers"}
    strange = {name for name in names - ours if name.split(".")[0] not in known}
    checks = {name for name in ours if room(name) == len(ROOMS) > here}  # stands beside: nobody imports it
    return sorted(strange | checks | {name for name in ours if room(name) > here})


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, or none. (The package itself is left out: it imports learning, for
    `load`, and whoever imports a module of it imports it too.)"""
    try:
        TopologicalSorter({name: targets & set(arrows) for name, targets in arrows.items()}).prepare()
    except CycleError as problem:
        return problem.args[1]
    return []


def test_the_docstring_names_the_rooms_that_there_are():
    assert ROOMS == ["text", "learning", "judging", "experiments", "showing", "figures", "bridge", "checks"]
    assert {path.parent.name for path in FILES} == {*ROOMS, "helpers"}
    assert {path.name for path in FOLDER.glob("*.py")} == {"__init__.py", "files.py", "progress.py", "results.py"}


@pytest.mark.parametrize("name", MODULES)
def test_a_file_knows_only_its_room_and_lower_ones(name):
    assert outside(room(name), IMPORTS[name]) == []


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("helpers.bridge")])
def test_the_bridge_stands_on_text_and_learning_alone(name):
    rooms = {other.split(".")[1] for other in IMPORTS[name] if other.startswith("helpers.")}
    assert rooms <= {"files", "text", "learning", "bridge"}
    assert not IMPORTS[name] & SHOWING_TOO


def test_there_is_no_circle():
    assert circle({name: names for name, names in IMPORTS.items() if name != "helpers"}) == []


def test_results_are_read_without_any_experiment():
    seen, todo = set(), {"helpers.results"}
    while todo:
        name = todo.pop()
        seen.add(name)
        todo |= (IMPORTS[name] & set(MODULES)) - seen
    assert seen == {"helpers.results", "helpers.files"}


@pytest.mark.parametrize("name", MODULES)
def test_a_file_holds_one_idea_and_says_which(name):
    text = MODULES[name].read_text("utf-8")
    assert len(text.splitlines()) <= 300
    first = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    assert first.count(" ") > 2, "begins with a docstring whose first line says the idea"


@pytest.mark.parametrize("name", MODULES)
def test_the_files_that_a_docstring_names_are_there(name):
    """Such as "Not here: tokens (tokenizer.py)"."""
    there = {path.name for path in FILES} | {path.name for path in Path(__file__).parent.rglob("*.py")}
    there.add("train.py")  # Stanford Alpaca's, in templates.py
    assert set(re.findall(r"\b\w+\.py\b", MODULES[name].read_text("utf-8"))) <= there


def test_tests_mirror_the_rooms():
    """Whoever looks for the tests of helpers/text/facts.py finds them in tests/text/test_facts.py; where they fill more
    than a file, another word is added (test_tables_facts.py)."""
    tests = Path(__file__).parent
    for path in tests.glob("*/test_*.py"):
        if path.parent.name in ROOMS:
            words = path.stem.removeprefix("test_").split("_")
            names = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
            assert any((FOLDER / path.parent.name / f"{name}.py").exists() for name in names), path.name


def test_this_test_sees_what_is_wrong():
    source = "def f():\n    import torch.nn\n    from helpers.learning.model import Config\n"
    names = imports(source + "from helpers.showing import plots\n", set(MODULES))
    assert outside(1, names) == ["helpers.learning.model", "helpers.showing.plots", "torch.nn"]
    assert outside(5, names) == ["torch.nn"]
    assert outside(1, {"helpers"}) == ["helpers"] and outside(2, {"helpers"}) == []
    assert outside(6, {"helpers.checks.the_gap"}) == ["helpers.checks.the_gap"] and outside(8, {"helpers.checks"}) == []
    assert outside(1, {"os.path", "numpy", "matplotlib.pyplot", "helpers.files"}) == ["matplotlib.pyplot"]
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set()})
    assert not circle({"a": {"b", "c"}, "b": {"c"}, "c": set()})
