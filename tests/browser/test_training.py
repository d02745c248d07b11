"""The training laboratory of notebook A: one sees it train, and Stop stops it."""

import pytest

from helpers.showing.page import visible
from tests.browser.lab import NOTEBOOKS, LiveWidget

CALL = "pretraining_lab("
with_a_laboratory = pytest.mark.parametrize(
    "name", [path.stem for path in NOTEBOOKS if CALL in path.read_text(encoding="utf8")])
HOSTILE = {"nothing": "", "5,000 letters": "a" * 5000,  # each costs a run, so what can stand together does
           "mixed": '<img src=x onerror="window.hacked=1"> <|im_end|> &lt;b&gt; \\ \' e\u0301 👩‍👩‍👧 \u202eעברית'}
THREADS = "[t.name for t in __import__('threading').enumerate() if t.name == 'pre-training']"


class Laboratory(LiveWidget):
    def __init__(self, notebook):
        super().__init__(notebook, CALL)
        self.steps, self.rate, self.prompt = (self.named[name] for name in ("Steps", "Peak rate", "Prompt"))
        self.start = self.named["Start training"]

    def curve(self) -> list[str]:
        """The points of the loss curve that are drawn."""
        return self.notebook.cell(self.cell).query_selector("polyline").get_attribute("points").split()

    def run(self, key: str) -> None:
        """The shortest run, to its end."""
        self.start.keys(key)
        self.notebook.answered()  # what is shown now is not of an earlier run
        self.wait_for("Done after 20 of 20 steps")
        self.notebook.settled(self.cell)


@pytest.fixture
def laboratory(notebook):
    """Set to the shortest run."""
    laboratory = Laboratory(notebook)
    laboratory.steps.write("20")
    laboratory.prompt.write("The capital of")
    return laboratory


@with_a_laboratory
def test_progress_is_seen_and_stop_stops(laboratory):
    laboratory.steps.write("2000")
    steps = int(laboratory.steps.value)
    assert steps >= 1000, "too short a run to be stopped"
    laboratory.start.keys("Enter")
    first = int(laboratory.wait_for(rf"step (\d+) of {steps}")[1])
    drawn = len(laboratory.curve())
    assert not laboratory.start.enabled and laboratory.stop.enabled
    assert laboratory.notebook.in_kernel(THREADS) == "['pre-training']"
    laboratory.wait_for(rf"step (?!{first} )\d+ of {steps}")
    # The curve comes a moment before the step that it shows, so what was drawn may be ahead of `first` already.
    laboratory.wait_until(lambda: len(laboratory.curve()) > drawn, lambda: f"the curve stays at {drawn} points")
    laboratory.wait_for(r"The capital of")  # a sample

    laboratory.stop.keys("Enter")
    done = int(laboratory.wait_for(rf"Stopped by you after (\d+) of {steps} steps")[1])
    assert first < done < steps
    still = laboratory.notebook.settled(laboratory.cell)
    assert laboratory.start.enabled and not laboratory.stop.enabled
    assert laboratory.notebook.in_kernel(THREADS) == "[]", "the thread goes on"
    laboratory.notebook.page.wait_for_timeout(2000)
    assert laboratory.notebook.shown(laboratory.cell) == still


@with_a_laboratory
def test_an_entry_between_the_ends_of_a_list_is_chosen_by_keyboard(laboratory):
    """As the text above it says: JupyterLab keeps the arrows, but not while the list is open."""
    laboratory.rate.keys("Home")
    values = [laboratory.rate.value]
    for key in ("Space", "ArrowDown", "Enter"):
        laboratory.notebook.page.keyboard.press(key)
        laboratory.notebook.page.wait_for_timeout(400)
    values.append(laboratory.rate.value)
    laboratory.rate.keys("End")
    assert len({*values, laboratory.rate.value}) == 3, values


@with_a_laboratory
def test_a_run_goes_to_its_end_and_another_can_follow(laboratory):
    for _ in range(2):
        laboratory.run("Space")
        assert laboratory.start.enabled and not laboratory.stop.enabled


@with_a_laboratory
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_prompt_is_only_text(laboratory, text):
    laboratory.prompt.write(text)
    laboratory.run("Enter")
    cell = laboratory.notebook.cell(laboratory.cell)
    assert visible(text) in laboratory.sampled()
    assert not cell.query_selector_all("[aria-label=samples] img")
    assert laboratory.notebook.page.evaluate("() => window.hacked") is None
