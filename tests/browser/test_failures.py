"""The failure laboratory of notebook 06: the readings come in, Stop stops it, and a verdict is there in the end."""

import pytest

from helpers.judging.vital_signs import READINGS
from tests.browser.lab import NOTEBOOKS, LiveWidget
from tests.browser.test_training import HOSTILE

CALL = "failure_lab.failure_lab("
with_a_laboratory = pytest.mark.parametrize(
    "name", [path.stem for path in NOTEBOOKS if CALL in path.read_text(encoding="utf8")])
THREADS = "[t.name for t in __import__('threading').enumerate() if t.name == 'failures']"


class Laboratory(LiveWidget):
    def __init__(self, notebook):
        super().__init__(notebook, CALL)
        self.steps, self.long, self.question = (self.named[name] for name in ("Steps", "Long answers", "Question"))
        self.start = self.named["Start training"]


@pytest.fixture
def laboratory(notebook):
    """Set to the shortest run of right answers."""
    laboratory = Laboratory(notebook)
    laboratory.steps.keys("Home")
    laboratory.long.keys("Home")
    laboratory.question.write("What is the capital of Peru?")
    notebook.settled(laboratory.cell)
    return laboratory


@with_a_laboratory
def test_a_run_goes_to_its_end_with_a_verdict_and_another_can_follow(laboratory):
    for key in ("Enter", "Space"):
        laboratory.start.keys(key)
        laboratory.notebook.answered()
        laboratory.wait_for("Done after 24 of 24 steps")
        laboratory.notebook.settled(laboratory.cell)
        assert laboratory.start.enabled and not laboratory.stop.enabled
        verdict = laboratory.part("[aria-label=verdict]")
        assert verdict.startswith("Verdict: healthy") and f"In the end, {READINGS + 1} readings" in verdict
        table = laboratory.notebook.cell(laboratory.cell).query_selector_all("[aria-label=readings] tr")
        assert len(table) == READINGS + 3
        assert laboratory.part("[role=log]").startswith("tuned for 24 steps")
        assert laboratory.part("[aria-label=truth]").startswith("What really became of it")


@with_a_laboratory
def test_stop_stops_and_leaves_a_model_and_a_verdict(laboratory):
    laboratory.steps.keys("End")
    laboratory.start.keys("Enter")
    laboratory.wait_for(r"step \d+ of 600")
    assert not laboratory.start.enabled and laboratory.stop.enabled
    assert laboratory.notebook.in_kernel(THREADS) == "['failures']"
    laboratory.stop.keys("Enter")
    done = int(laboratory.wait_for(r"Stopped by you after (\d+) of 600 steps")[1])
    assert done < 600
    still = laboratory.notebook.settled(laboratory.cell)
    assert laboratory.notebook.in_kernel(THREADS) == "[]", "the thread goes on"
    laboratory.notebook.page.wait_for_timeout(2000)
    assert laboratory.notebook.shown(laboratory.cell) == still
    last = laboratory.notebook.cell(laboratory.cell).query_selector_all("[aria-label=readings] tr")[-1]
    assert last.query_selector("td").text_content() == str(done)
    assert "When it was stopped" in laboratory.part("[aria-label=verdict]")
    assert laboratory.part("[aria-label=truth]").startswith("What really became of it")
    assert laboratory.part("[role=log]").startswith(f"tuned for {done} steps")


@with_a_laboratory
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_question_is_only_text(laboratory, text):
    before = laboratory.part("[role=log]")
    laboratory.question.write(text)
    laboratory.notebook.settled(laboratory.cell)
    assert laboratory.part("[role=log]") != before
    cell = laboratory.notebook.cell(laboratory.cell)
    assert not cell.query_selector_all("[role=log] img, [role=log] script")
    assert laboratory.notebook.page.evaluate("() => window.hacked") is None
