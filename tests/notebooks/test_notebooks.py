"""Every notebook as a file: stored executed, tidy, of the course's form; and it runs with other parameters too."""

import json
import re
from pathlib import Path

import nbformat
import papermill
import pytest

ROOT = Path(__file__).resolve().parents[2]
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
    assert not re.search(r"/home/|/root/|/tmp/|0x[0-9a-f]{8}", content), "a machine's path or address is stored"


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


def test_a_cell_fits_a_screen(cells):
    lines = [cell.source.splitlines() for cell in code(cells)]
    assert max(map(len, lines)) <= 22
    assert max(len(line) for cell in lines for line in cell) <= 104, "wider than a page of JupyterLab"


def test_each_figure_is_described_in_words(cells):
    for number, cell in enumerate(cells):
        shows = cell.cell_type == "code" and any("image/png" in output.get("data", {}) for output in cell.outputs)
        if shows:
            below = next((later.source for later in cells[number + 1 :] if later.cell_type == "markdown"), "")
            assert re.search(r"\*The (figure|left|picture)", below), f"no description below: {cell.source[:80]!r}"


def test_no_price_becomes_a_formula(cells):
    """JupyterLab sets what stands between two dollar signs as a formula, even where they are escaped."""
    shown = [cell.source for cell in cells if cell.cell_type == "markdown"]
    shown += [output.data["text/markdown"] for cell in code(cells) for output in cell.outputs
              if "text/markdown" in output.get("data", {})]
    assert not [text for text in shown if "\\$" in text]


def test_links_lead_somewhere(path, cells):
    for cell in cells:
        for target in re.findall(r"\]\(([^)#]+\.ipynb)\)", cell.source):
            assert (path.parent / target).exists(), target


def test_runs_with_other_parameters(path, tmp_path):
    papermill.execute_notebook(path, tmp_path / path.name, {"quick": True, "seed": 3}, cwd=path.parent,
                               kernel_name="python3", progress_bar=False, execution_timeout=600)
