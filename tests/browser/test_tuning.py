"""The tuning laboratory of notebook 03: one sees it learn, Stop stops it, and what came of it answers."""

import re

import pytest

from helpers.showing.page import visible
from tests.browser.lab import NOTEBOOKS, LiveWidget
from tests.browser.test_training import HOSTILE

with_a_laboratory = pytest.mark.parametrize(
    "name", [path.stem for path in NOTEBOOKS if "tuning_lab(base" in path.read_text(encoding="utf8")])
THREADS = "[t.name for t in __import__('threading').enumerate() if t.name == 'tuning']"


class Laboratory(LiveWidget):
    def __init__(self, notebook):
        super().__init__(notebook, "tuning_lab(")
        self.steps, self.question = self.named["Steps"], self.named["Question"]
        self.start = self.named["Start training"]

    def answer(self) -> str:
        return self.part("[role=log]")


@pytest.fixture
def laboratory(notebook):
    """Set to the shortest run."""
    laboratory = Laboratory(notebook)
    laboratory.steps.keys("Home")
    laboratory.question.write("What is the capital of Peru?")
    notebook.settled(laboratory.cell)
    return laboratory


@with_a_laboratory
def test_stop_stops_and_leaves_a_model_that_answers(laboratory):
    laboratory.steps.keys("End")
    laboratory.start.keys("Enter")
    first = int(laboratory.wait_for(r"step (\d+) of 300")[1])
    assert not laboratory.start.enabled and laboratory.stop.enabled and laboratory.stop.has_focus
    assert laboratory.notebook.in_kernel(THREADS) == "['tuning']"
    laboratory.wait_for(rf"step (?!{first} )\d+ of 300")
    curves = laboratory.notebook.cell(laboratory.cell).query_selector_all("polyline")
    assert len(curves) == 2 and all(curve.get_attribute("points") for curve in curves)

    laboratory.stop.keys("Enter")
    done = int(laboratory.wait_for(r"Stopped by you after (\d+) of 300 steps")[1])
    assert first < done < 300
    still = laboratory.notebook.settled(laboratory.cell)
    assert laboratory.start.has_focus, "the keyboard's place is lost"
    assert laboratory.notebook.in_kernel(THREADS) == "[]", "the thread goes on"
    laboratory.notebook.page.wait_for_timeout(2000)
    assert laboratory.notebook.shown(laboratory.cell) == still
    assert laboratory.answer().startswith("tuned on ") and f"{done} steps" in laboratory.answer()
    before = laboratory.answer()
    laboratory.question.write("What is the symbol of gold?")
    laboratory.notebook.settled(laboratory.cell)
    assert laboratory.answer() != before


RUN_CELL = """async number => {
    jupyterapp.shell.currentWidget.content.activeCellIndex = number;
    await jupyterapp.commands.execute('notebook:run-cell'); }"""


@with_a_laboratory
def test_the_cell_run_again_shows_the_training_under_way(laboratory):
    laboratory.steps.keys("End")
    laboratory.start.keys("Enter")
    first = int(laboratory.wait_for(r"step (\d+) of 300")[1])
    laboratory.notebook.page.evaluate(RUN_CELL, laboratory.cell)
    laboratory.notebook.page.wait_for_timeout(1000)
    again = Laboratory.__new__(Laboratory)
    again.notebook, again.cell = laboratory.notebook, laboratory.cell
    later = int(again.wait_for(rf"step (?!{first} )(\d+) of 300")[1])
    assert later > first, "a new laboratory, and the training is out of sight"
    [stop] = [control for control in again.notebook.controls(again.cell) if control.name == "Stop"]
    stop.keys("Enter")
    again.wait_for(r"Stopped by you after \d+ of 300 steps")
    again.notebook.settled(again.cell)


@with_a_laboratory
def test_both_sides_and_earlier_runs_are_seen(laboratory):
    for _ in range(2):
        laboratory.start.keys("Enter")
        laboratory.notebook.answered()
        laboratory.wait_for("Done after 10 of 10 steps")
        laboratory.notebook.settled(laboratory.cell)
    cell = laboratory.notebook.cell(laboratory.cell)
    labels = [one.get_attribute("aria-label") for one in cell.query_selector_all("svg[aria-label]")]
    assert [label.split(" by step")[0] for label in labels[1:]] == [
        "gained: facts answered exactly (%)", "lost: perplexity of documents"]
    assert all(re.search(r"[1-9]\d* earlier runs? in grey", label) for label in labels[1:]), labels
    assert len(cell.query_selector_all("[aria-label=runs] tbody tr")) >= 2


@with_a_laboratory
def test_a_run_goes_to_its_end_and_another_can_follow(laboratory):
    for key in ("Enter", "Space"):
        laboratory.start.keys(key)
        laboratory.notebook.answered()
        laboratory.wait_for("Done after 10 of 10 steps")
        laboratory.notebook.settled(laboratory.cell)
        assert laboratory.start.enabled and not laboratory.stop.enabled
        assert "10 steps" in laboratory.answer()


@with_a_laboratory
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_question_is_only_text(laboratory, text):
    laboratory.question.write(text)
    laboratory.notebook.settled(laboratory.cell)
    laboratory.start.keys("Enter")
    laboratory.notebook.answered()
    laboratory.wait_for("Done after 10 of 10 steps")
    laboratory.notebook.settled(laboratory.cell)
    cell = laboratory.notebook.cell(laboratory.cell)
    assert f"{visible(text)} → " in laboratory.sampled()
    assert not cell.query_selector_all("[aria-label=samples] img, [role=log] img")
    assert laboratory.notebook.page.evaluate("() => window.hacked") is None
