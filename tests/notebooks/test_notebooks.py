"""Every notebook as a file: stored executed, tidy, of the course's form; and it runs with other parameters too."""

import json
import re
import shutil
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from tests.browser.lab import BROWSERS, OTHER_PARAMETERS

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
import minutes  # noqa: E402

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SETUP = nbformat.read(NOTEBOOKS[0], as_version=4).cells[1].source


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def cells(path):
    return nbformat.read(path, as_version=4).cells


def code(cells):
    return [cell for cell in cells if cell.cell_type == "code"]


def test_stored_executed_without_errors(cells):
    counts = [cell.execution_count for cell in code(cells)]
    assert counts == list(range(1, len(counts) + 1))
    assert not [output for cell in code(cells) for output in cell.outputs if output.output_type == "error"]


def test_stored_small_and_without_state(path):
    content = path.read_text(encoding="utf8")
    notebook = json.loads(content)
    assert path.stat().st_size <= 500 * 1024
    assert "widgets" not in notebook["metadata"] and "papermill" not in notebook["metadata"]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    words = re.sub(r'"image/png": "[^"]*"', "", content)  # a picture's letters may spell anything
    assert not re.search(r"/home/|/root/|/tmp/|0x[0-9a-f]{8}", words), "a machine's path or address is stored"


def test_has_the_form_of_the_course(cells):
    first, last = cells[0].source, cells[-1].source
    assert first.startswith("# ") and "you will be able to" in first and "minutes" in first and "You need" in first
    assert cells[1].source == SETUP, "the setup cell is the same in every notebook"
    assert any("parameters" in cell.metadata.get("tags", []) for cell in cells[:4])
    assert "## What you can do now" in last and "**Take along:**" in last and ".ipynb)" in last
    assert any("Quiz" in cell.source for cell in cells)


def test_sections_are_numbered_without_a_gap(path, cells):
    number = path.stem.split("_")[0].lstrip("0") or "0"
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    sections = re.findall(rf"^## {number}\.(\d+) ", text, re.M)
    assert sections == [str(place) for place in range(1, len(sections) + 1)] != []


def test_a_cell_holds_one_thought(cells):
    lines = [cell.source.splitlines() for cell in code(cells)]
    assert max(map(len, lines)) <= 15
    assert max(len(line) for cell in lines for line in cell) <= 104, "wider than a page of JupyterLab"


def test_a_lesson_is_short(path, cells):
    """Words as tools/minutes.py counts them. D is a reference, A the longest way."""
    if not path.stem.startswith("D_"):
        notebook = nbformat.from_dict({"cells": cells})
        assert minutes.words(notebook) <= (5000 if path.stem.startswith("A_") else 3000)


def test_plotting_and_guards_stand_elsewhere(cells):
    """A lesson's cell shows what is to be learned: its figures are drawn in helpers/figures, its prose is guarded by
    tests."""
    for cell in code(cells):
        assert not re.search(r"^\s*assert\b", cell.source, re.M), cell.source
        assert "pyplot" not in cell.source and "plt." not in cell.source, cell.source


def test_each_figure_has_a_description_and_a_caption(cells):
    for number, cell in enumerate(cells):
        outputs = cell.get("outputs", [])
        figures = [output for output in outputs if "image/png" in output.get("data", {})]
        for figure in figures:
            alt = figure.metadata.get("image/png", {}).get("alt", "")
            assert len(alt.split()) >= 8, f"for those who cannot see it: {cell.source[:80]!r}"
        if figures:
            below = next((later.source for later in cells[number + 1 :] if later.cell_type == "markdown"), "")
            said = [output.data["text/markdown"] for output in outputs if "text/markdown" in output.get("data", {})]
            assert any(re.match(r"\*[^*\s]", text) for text in [below, *said]), f"no caption: {cell.source[:80]!r}"


def test_there_are_drawings(path, cells):
    drawings = sum("class=\"diagram\"" in output.get("data", {}).get("text/html", "")
                   for cell in code(cells) for output in cell.outputs)
    assert drawings >= (0 if path.stem.startswith("D_") else 2)


def test_guesses_come_before_their_figures(path, cells):
    source = "\n".join(cell.source for cell in code(cells))
    asked, revealed = (re.findall(rf"guess\.{verb}\(\s*\"([^\"]+)\"", source) for verb in ("ask", "reveal"))
    assert asked == revealed and len(set(asked)) == len(asked)
    assert all(key.startswith(path.stem.split("_")[0] + " ") for key in asked)
    if path.stem not in ("08_conclusion",) and not path.stem.startswith("D_"):
        assert asked, "nothing to predict"
    for key in asked:
        assert source.index(f'guess.ask("{key}"') < source.index(f'guess.reveal("{key}"')
        asks, shows = (next(i for i, cell in enumerate(cells) if f'guess.{verb}("{key}"' in cell.source)
                       for verb in ("ask", "reveal"))
        assert asks < shows, "in one cell nobody has time to guess"


def test_minutes_are_honest_and_the_same_everywhere(path, cells):
    notebook, told = nbformat.from_dict({"cells": cells}), minutes.read()[path.stem]
    now = minutes.row(path.stem, notebook, told["question"], int(told["seconds"]))
    assert {key: str(value) for key, value in now.items()} == told, "run tools/minutes.py"
    assert minutes.head(told) in cells[0].source
    assert int(told["minutes"]) <= (90 if path.stem.startswith("A_") else 45) or path.stem.startswith("D_")
    assert minutes.readme_table(minutes.read()) in (ROOT / "README.md").read_text("utf8")


def test_english_is_spoken(cells):
    """What a machine can hold of the style: no "one does", no "behind" in place of "after"."""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    verbs = "can|could|may|might|must|should|would|sees|knows|wants|needs|has to|does"
    assert not re.findall(rf"\b[Oo]ne (?:{verbs})\b", text)
    assert not re.findall(r"\b(?:right|directly|stands?|comes?) behind (?:an?|the|each|every)\b", text)


def test_no_price_becomes_a_formula(cells):
    """JupyterLab sets what stands between two dollar signs as a formula, even where they are escaped."""
    shown = [cell.source for cell in cells if cell.cell_type == "markdown"]
    shown += [output.data["text/markdown"] for cell in code(cells) for output in cell.outputs
              if "text/markdown" in output.get("data", {})]
    assert not [text for text in shown if "\\$" in text]


def test_links_lead_somewhere(path, cells):
    for cell in cells:
        for target in re.findall(r"\]\(([^)#]+\.ipynb)(?:#[\w.-]+)?\)", cell.source):
            assert (path.parent / target).exists(), target


@pytest.mark.skipif(any(map(shutil.which, BROWSERS)), reason="the browser runs each with these parameters")
def test_runs_with_other_parameters(path, tmp_path):
    papermill.execute_notebook(path, tmp_path / path.name, OTHER_PARAMETERS, cwd=path.parent,
                               kernel_name="python3", progress_bar=False, execution_timeout=600)
