"""`make notebooks`: what is stored says the same each time, and a failing notebook is not stored."""

import base64
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

TOOL = Path(__file__).resolve().parents[2] / "tools" / "store_notebooks.py"

WIDGETS = "import ipywidgets\nipywidgets.interact(lambda n: print(n), n=3)\nipywidgets.IntSlider()"


def store(folder: Path, *cells: str) -> tuple[int, Path]:
    path = folder / "trial.ipynb"
    if cells:
        nbformat.write(new_notebook(cells=[new_markdown_cell("# Trial"), *map(new_code_cell, cells)]), path)
    command = [sys.executable, TOOL, path]
    try:
        return subprocess.run(command, capture_output=True, timeout=300).returncode, path
    except subprocess.TimeoutExpired:  # a kernel that starts while others do may get a port that is taken, and wait
        return subprocess.run(command, capture_output=True, timeout=600).returncode, path


def test_stored_twice_is_stored_the_same(tmp_path):
    code, path = store(tmp_path, "import os; print(os.getcwd())", WIDGETS, "1 + 1")
    first = path.read_bytes()
    again, _ = store(tmp_path)
    assert (code, again) == (0, 0) and path.read_bytes() == first

    notebook = nbformat.read(path, as_version=4)
    _, where, widgets, total = notebook.cells
    assert [where.execution_count, widgets.execution_count, total.execution_count] == [1, 2, 3]
    assert where.outputs[0].text.strip() == str(tmp_path)
    assert total.outputs[0].data == {"text/plain": "2"}
    assert len(widgets.outputs) == 2 and all(set(output.data) == {"text/plain"} for output in widgets.outputs)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(not cell.metadata for cell in notebook.cells)


def test_a_failing_notebook_stays_as_it_was(tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    path = folder / "trial.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("print('before')"), new_code_cell("1 / 0")]), path)
    before = path.read_bytes()
    code, _ = store(folder)
    assert code != 0 and path.read_bytes() == before
    assert [file.name for file in folder.iterdir()] == [path.name]


def test_the_picture_is_the_figure_of_the_tagged_cell():
    sys.path.append(str(TOOL.parent))
    import store_notebooks

    def cell(content: bytes, *tags: str):
        image = new_output("display_data", {"image/png": base64.b64encode(content).decode()})
        return new_code_cell("draw()", outputs=[image], metadata={"tags": list(tags)})

    assert store_notebooks.picture(new_notebook(cells=[cell(b"one"), cell(b"two", "picture")])) == b"two"
    assert store_notebooks.picture(new_notebook(cells=[cell(b"one")])) is None
