"""The tuning laboratory without a browser: a run tunes a copy of the base model, and what came of it answers."""

import re

import numpy as np
import pytest

from helpers import load
from helpers.judging.vital_signs import reading_steps
from helpers.showing import live_run
from helpers.showing.tuning_lab import READINGS, Judge, tuning_lab
from helpers.text.instructions import instruction_rows


@pytest.fixture(scope="module")
def base():
    return load("base")


class Lab:
    """The widget's parts by name, set to the shortest run."""

    def __init__(self, base, world):
        box = tuning_lab(base, instruction_rows(world), "What is the capital of Peru?")
        (self.steps, self.rate, self.amount, self.loss_on, self.plan, buttons, self.bar, self.status, self.curve,
         self.scores, self.prompt, self.answer, self.samples, self.runs, self.note) = box.children
        self.box = box
        self.start, self.stop = buttons.children
        self.steps.value = 10

    def run(self) -> None:
        self.start.click()
        live_run.current["thread"].join(120)


@pytest.fixture
def lab(base, world):
    return Lab(base, world)


def test_every_setting_shows_in_the_plan(lab):
    for setting in (lab.steps, lab.rate, lab.amount, lab.loss_on):
        for index in range(len(setting.options)):
            before, same = lab.plan.value, setting.index == index
            setting.index = index
            assert same or lab.plan.value != before, setting.description


def test_a_run_tunes_a_copy_and_its_model_answers(lab, base):
    before, answer = base.transformer.parameters.flat.copy(), lab.answer.value
    assert "the base model, not tuned yet" in answer
    lab.run()
    assert "Done after 10 of 10 steps" in lab.status.value and "10 steps: <b>" in lab.answer.value
    assert np.array_equal(base.transformer.parameters.flat, before)
    assert [len(points.split()) for points in re.findall('points="(.*?)"', lab.curve.value)] == [10, 10]
    steps = [int(step) for step in re.findall(r"<tr><td[^>]*>(\d+)</td>", lab.samples.value)]
    assert steps == sorted(reading_steps(10, READINGS), reverse=True)


def test_both_sides_are_measured_and_earlier_runs_stay_beside(lab, base, world):
    exact, read = Judge(world)(base)
    lab.run()
    first = re.search(r"(\d+)% of the facts answered, perplexity ([\d.]+)", lab.status.value)
    assert exact == 0 < int(first[1]) and float(first[2]) > read, "it learns to answer, and reads a little worse"
    assert "0 earlier runs" in lab.scores.value and lab.scores.value.count("<circle") == 2 * len(
        reading_steps(10, READINGS))
    lab.rate.value = 1e-5
    lab.run()
    assert lab.scores.value.count("1 earlier runs in grey") == 2 and lab.scores.value.count(">run 1</text>") == 2
    settings = re.findall(r"10 steps, rate ([\d.e-]+),", lab.runs.value)
    assert settings == ["1e-05", "0.0005"], "the newest stands first"
    assert f"{first[1]}%" in lab.runs.value and f">{first[2]}<" in lab.runs.value


def test_the_cell_run_again_shows_the_training_under_way(base, world):
    rows = instruction_rows(world)
    box = tuning_lab(base, rows, "x", steps=300)
    box.children[5].children[0].click()
    try:
        assert tuning_lab(base, rows, "x", steps=300) is box
        assert tuning_lab(base, list(rows), "x", steps=300) is not box, "other rows, another laboratory"
    finally:
        box.children[5].children[1].click()
        live_run.current["thread"].join(120)
    assert tuning_lab(base, rows, "x") is not box


@pytest.mark.parametrize("text", ["", "<img src=x onerror=alert(1)>", "word " * 300, "\ud800\u202e"])
def test_any_question_may_be_asked_before_a_run_and_in_it(lab, text):
    lab.prompt.value = text
    assert ("Ask more briefly" in lab.answer.value) == (len(text) > 300)
    lab.run()
    page = lab.answer.value + lab.samples.value
    assert set(re.findall(r"<\s*/?\s*([A-Za-z]+)", page)) <= {
        "div", "b", "i", "span", "table", "thead", "tbody", "tr", "th", "td"}
    page.encode("utf-8")
