"""Every notebook in a real JupyterLab: it opens, runs, and each of its widgets can be used with the keyboard alone."""

import ast
import re

import pytest

from tests.browser.lab import NOTEBOOKS, ROOT, WIDGET

# The functions of helpers/ that make a widget, by what they say they return; what they call of each other is a part.
HELPERS = [ast.parse(path.read_text("utf8")) for path in (ROOT / "helpers").rglob("*.py")]
CALLED = {getattr(node.func, "id", "") for file in HELPERS for node in ast.walk(file) if isinstance(node, ast.Call)}
MAKERS = [node.name for file in HELPERS for node in file.body if isinstance(node, ast.FunctionDef) and node.returns
          and ast.unparse(node.returns).startswith("widgets.") and node.name not in CALLED]
MAKES_A_WIDGET = re.compile(rf"\b(?:{'|'.join(MAKERS)}|guess\.ask|interact|interactive|i?py?widgets\.[A-Z]\w+)\(")

every_notebook = pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])


def cells_with_widgets(notebook) -> list[int]:
    """By what came out; and by what the code calls, in case nothing came out."""
    return [number for number, cell in enumerate(notebook.cells()) if cell["cell_type"] == "code" and (
        any(WIDGET in output.get("data", {}) for output in cell["outputs"])
        or MAKES_A_WIDGET.search("".join(cell["source"])))]


def test_there_are_notebooks_and_each_widget_is_in_one():
    sources = [path.read_text(encoding="utf8") for path in NOTEBOOKS]
    assert MAKERS
    for maker in MAKERS:
        assert any(f"{maker}(" in source for source in sources), f"no notebook shows {maker}"


@every_notebook
def test_opens_without_a_question(notebook):
    assert notebook.dialogs == []


@every_notebook
def test_runs_to_the_end_without_an_error(notebook):
    assert notebook.complaints() == []
    for number, cell in enumerate(notebook.cells()):
        if cell["cell_type"] == "code":
            assert cell["execution_count"], f"cell {number} was not run"
            assert not [output for output in cell["outputs"] if output["output_type"] == "error"], f"cell {number}"


@every_notebook
def test_controls_have_names_and_are_reached_with_tab(notebook):
    for cell in cells_with_widgets(notebook):
        controls = [control for control in notebook.controls(cell) if control.enabled]
        assert controls, f"cell {cell} shows no control"
        assert all(control.name for control in notebook.controls(cell)), notebook.controls(cell)
        controls[0].element.focus()
        for control in controls[1:]:
            for _ in range(3):  # a slider has a second stop: its number, which can be typed over
                notebook.page.keyboard.press("Tab")
                if control.has_focus:
                    break
            assert control.has_focus, f"Tab does not lead to {control}"


@every_notebook
def test_every_control_changes_what_is_shown(notebook):
    for cell in cells_with_widgets(notebook):
        controls = notebook.controls(cell)
        assert controls, f"cell {cell} shows no control"
        boxes = [control for control in controls if control.kind == "checkbox"]  # a list of them is made by one loop
        controls = [control for control in controls if control not in boxes[1:-1]]
        for button in (control for control in controls if control.is_button):
            assert button_acts(notebook, button), f"no effect: {button}"
        act_with_buttons(notebook, cell, [
            control for control in controls if not control.is_button and not acts_at_once(notebook, control)])


def press(notebook, button) -> str:
    button.keys("Enter")
    return notebook.settled(button.cell)


def button_acts(notebook, button) -> bool:
    """At once; or after other buttons were pressed, as there may be nothing to stop or to clear before."""
    others = [other for other in notebook.controls(button.cell) if other.is_button and other.name != button.name]
    if not (button.name.startswith("Stop") and button.enabled):  # there is something to stop: do not wait for its end
        notebook.settled(button.cell)
    for attempt in range(2):
        for other in others:
            if other.enabled and not (button.enabled and attempt == 0):
                other.keys("Enter")
                notebook.answered()
        if button.enabled:
            before = notebook.shown(button.cell)
            button.keys("Enter")
            notebook.answered()
            if notebook.changes(button.cell, before, seconds=5):
                return True
    return False


def acts_at_once(notebook, setting) -> bool:
    setting.put(far=False)
    near = notebook.settled(setting.cell)
    setting.put(far=True)
    return notebook.settled(setting.cell) != near


def act_with_buttons(notebook, cell, settings) -> None:
    """Each setting shows in what all the buttons do, one after the other. They are pressed with one setting far, and
    with all near before and after it: if the two that should agree do not, nothing is proved."""
    def round_of_buttons() -> list[str]:
        notebook.settled(cell)
        return [press(notebook, button) for button in notebook.controls(cell) if button.is_button and button.enabled]

    for setting in settings:
        setting.put(far=False)
    if settings:
        round_of_buttons()  # so that each of the others begins with what the last button leaves
        near = round_of_buttons()
    for setting in settings:
        setting.put(far=True)
        far = round_of_buttons()
        setting.put(far=False)
        assert round_of_buttons() == near, f"what the buttons do differs from time to time: {setting} cannot be judged"
        assert far != near, f"no effect: {setting}"
