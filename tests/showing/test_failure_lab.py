"""The failure laboratory without a browser: the plan follows the sliders, runs leave a log and a verdict, text stays
text."""

import re
import time

import pytest

from helpers import load
from helpers.experiments.failure_logs import Run
from helpers.experiments.plans import HEALTHY, planned_examples
from helpers.judging.diagnostics import diagnose
from helpers.judging.vital_signs import reading_steps
from helpers.learning.recipe import TUNING_ROWS
from helpers.learning.training import TrainingDiverged
from helpers.showing import failure_lab as module
from helpers.showing import live_run
from helpers.showing.failure_lab import failure_lab, readings_html, still, truth_html, verdict_html

HOSTILE = ['<img src=x onerror=alert(1)>', '"><script>alert(1)</script>', "<|im_end|> &lt;b&gt;", "word " * 300, ""]
ENTRY = {"loss": 1.0, "words": 7.0, "perplexity": 1.7, "distinct trigrams": 0.7, "distinct at the start": 0.6}
REFERENCE = {"words": 6.8, "perplexity": 1.68, "distinct trigrams": 0.75, "distinct at the start": 0.6}


def entries(count: int, **other) -> list[dict]:
    return [ENTRY | {"step": 2 * number, "loss": ENTRY["loss"] / number} | other for number in range(1, count + 1)]


TWIN = "Then train its healthy twin"


class Bench:
    """The widget's parts by name."""

    def __init__(self, base, world, detector=None):
        self.box = failure_lab(base, world, detector=detector)
        *controls, self.plan, buttons, self.bar, self.status, self.curves, self.verdict, self.truth, self.table, \
            self.prompt, self.answer, _ = self.box.children
        self.settings = {control.description: control for control in controls}
        self.start, self.stop = buttons.children

    def readings(self) -> int:
        return self.table.value.count("<tr>") - 2

    def wait(self, until=lambda: False) -> None:
        """Until that is so, or the run is over."""
        end = time.monotonic() + 120
        while self.start.disabled and not until():
            assert time.monotonic() < end, self.status.value
            time.sleep(0.02)


@pytest.fixture(scope="module")
def base():
    return load("base")


@pytest.fixture
def bench(base, world):
    bench = Bench(base, world)
    bench.settings["Steps"].value = 24
    bench.settings[TWIN].value = False
    yield bench
    if "thread" in live_run.current:
        live_run.current["stop"].set()
        live_run.current["thread"].join(60)


# --- the widget ---


def test_every_setting_shows_in_the_plan(bench):
    assert list(bench.settings) == ["Peak rate", "Steps", "Long answers", "One opening", "Train", "Replay", TWIN]
    before = bench.plan.value
    bench.settings[TWIN].value = True
    assert bench.plan.value != before
    for name, setting in list(bench.settings.items())[:-1]:
        for index in range(len(setting.options)):
            before, same = bench.plan.value, setting.index == index
            setting.index = index
            assert same or bench.plan.value != before, name


def test_passes_are_steps_times_rows_of_a_step_by_all_rows(bench):
    totals = []
    for replay, steps in ((0.0, 150), (0.5, 600)):
        bench.settings["Replay"].value, bench.settings["Steps"].value = replay, steps
        passes, total = re.search(r"([\d.]+) times through (\d+) rows", bench.plan.value).groups()
        assert float(passes) == pytest.approx(steps * TUNING_ROWS / int(total), abs=0.05)
        totals.append(int(total))
    assert totals[1] == 2 * totals[0]


def test_the_plan_counts_the_rows_that_are_trained_on(bench, base, world):
    assert f"through {len(planned_examples(base, world, HEALTHY))} rows" in bench.plan.value


def test_a_run_gives_all_its_readings_and_a_verdict(bench):
    assert bench.readings() == 0 and "cannot tell" in bench.verdict.value
    before = bench.answer.value
    bench.start.click()
    assert bench.start.disabled and not bench.stop.disabled
    bench.wait()
    assert "Done after 24 of 24 steps" in bench.status.value
    count = len(reading_steps(24))
    assert bench.readings() == count and bench.curves.value.count("<circle") == 4 * count
    assert f"In the end, {count} readings" in bench.verdict.value and "Verdict: healthy" in bench.verdict.value
    assert bench.answer.value != before and "tuned for 24 steps" in bench.answer.value


def test_the_truth_is_measured_and_the_twin_drawn_beside_the_run(base, world):
    bench = Bench(base, world, lambda log, reference: {"forgetting <b>"} if log else set())
    bench.settings["Steps"].value, bench.settings["Peak rate"].index = 24, 5  # thirty times the healthy rate
    assert "measured when its run is over" in bench.truth.value and "squares" not in bench.curves.value
    bench.start.click()
    bench.wait()
    assert "Done after 24 of 24 steps" in bench.status.value and bench.curves.value.count("its healthy twin") == 4
    lost, other = map(float, re.findall(r"(-?[\d.]+) points", bench.truth.value))
    assert lost > 5 > other and "What really became of it: forgetting" in bench.truth.value
    assert "you fooled it" in bench.truth.value, "its own name for it is not the failure's"
    assert "Your detector says: <b>forgetting &lt;b&gt;</b>" in bench.verdict.value


def test_a_detector_that_raises_is_told():
    def detector(log, reference):
        raise KeyError("<words>")

    page = verdict_html(diagnose(entries(6), REFERENCE), "now", module.detector_says(detector, entries(6), REFERENCE))
    assert "stopped with KeyError" in page and "&lt;words&gt;" in page


def run_of(log, **figures) -> Run:
    calm = {"base completed": 0.98, "completed": 0.97, "exact": 0.9, "times the words": 1.0, "one opening": 0.1}
    return Run("x", 0, log, REFERENCE, calm | figures)


@pytest.mark.parametrize("figures, said, words", [
    ({}, set(), "no failure. The detector was right"),
    ({"completed": 0.8}, {"forgetting"}, "forgetting. The detector was right"),
    ({"completed": 0.8}, set(), "The detector missed forgetting: you fooled it"),
    ({"completed": 0.8}, {"verbosity"}, "The detector missed forgetting"),
    ({}, {"style collapse"}, "cried wolf about style collapse"),
    ({}, {"cannot tell"}, "The detector was right"),
])
def test_the_truth_says_whether_the_detector_knew(figures, said, words):
    page = truth_html(run_of(entries(5), **figures), run_of(entries(5)), said)
    assert words in page
    lost = 100 * (0.98 - figures.get("completed", 0.97))
    assert f"{lost:.1f} points" in page and page.count("points") == 2


def test_the_still_picture_has_the_run_its_twin_and_the_truth():
    page = still(run_of(entries(6), **{"times the words": 2.5}), run_of(entries(6)), lambda log, reference: set())
    assert page.count("<svg") == 4 and page.count("its healthy twin (squares)") == 4
    assert "What really became of it: verbosity. The detector missed verbosity" in page and "status" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_is_asked_and_answered_stays_text(bench, base, monkeypatch, text):
    bench.prompt.value = f"{text}?"  # the model's own answer, or why it has none
    before = bench.answer.value
    monkeypatch.setattr(type(base), "ask", lambda self, question, **_: question)  # a model that says what it hears
    bench.prompt.value = text
    assert bench.answer.value != before
    for page in (before, bench.answer.value):
        assert set(re.findall(r"<\s*/?\s*([A-Za-z]+)", page)) <= {"div", "b", "i"}


def test_stop_keeps_the_log_and_its_last_reading(bench):
    bench.settings["Steps"].value = 600
    bench.start.click()
    bench.wait(lambda: bench.bar.value >= 3)  # between the first reading and the second
    bench.stop.click()
    bench.wait()
    steps = int(re.search(r"Stopped by you after (\d+) of 600", bench.status.value)[1])
    assert 3 <= steps < 600
    assert re.findall(r"<tr><td[^>]*>(\d+)</td>", bench.table.value)[-1] == str(steps), "the last reading is missing"
    assert f"tuned for {steps} steps" in bench.answer.value
    if bench.readings() < 4:
        assert "cannot tell" in bench.verdict.value and "too few" in bench.verdict.value
    assert "When it was stopped" in bench.verdict.value and not bench.start.disabled


def test_a_run_that_diverges_is_told_and_its_log_is_judged(bench, monkeypatch):
    def diverging(*_, on_reading, **__):
        on_reading(entries(5, perplexity=9.0))
        raise TrainingDiverged("the loss became <nan>")

    monkeypatch.setattr(module, "run_plan", diverging)
    before = bench.answer.value
    bench.start.click()
    bench.wait()
    assert "failed" in bench.status.value and "&lt;nan&gt;" in bench.status.value
    assert "Before the loss was lost, 5 readings" in bench.verdict.value and "forgetting" in bench.verdict.value
    assert bench.readings() == 5 and bench.answer.value == before and not bench.start.disabled


# --- what it shows ---


def test_the_verdict_says_what_was_seen_how_sure_and_what_to_try():
    page = verdict_html(diagnose(entries(6, words=40.0), REFERENCE), "<so far>")
    assert all(part in page for part in ("failing", "verbosity", "sure, since step 2", "40", "shorter answers"))
    assert "&lt;so far&gt;" in page
    assert "too few: a verdict needs 4" in verdict_html(diagnose(entries(3), REFERENCE), "now")


def test_the_table_says_what_should_be_above_what_is():
    page = readings_html(entries(2), REFERENCE)
    assert page.count("<tr>") == 4 and page.index("should be") < page.index(">2</td>")
    assert "6.80" in page and "–" in page  # nothing is known of the loss
