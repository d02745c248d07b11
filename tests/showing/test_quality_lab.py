"""The quality laboratory: it shows what the scorer found, its training is a real one, and any text stays text."""

import json
import re
from dataclasses import replace
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pytest

from helpers import load
from helpers.experiments.data_runs import fact_probes, report
from helpers.experiments.estimate import FEATURES, Observations, features, fit
from helpers.judging.quality import Scorer
from helpers.judging.statistics import Share
from helpers.learning import recipe
from helpers.showing import live_run, quality_page
from helpers.showing import quality_lab as module
from helpers.showing.quality_lab import (
    CLEAN,
    LONGEST,
    MOST,
    measure,
    quality_lab,
    rows_to_tick,
    usable_rows,
)
from helpers.text import selections
from helpers.text.selections import DEFECTS
from tests.showing.test_quality_page import ELEMENTS, HARM, HOSTILE, ROW, elements


def a_line():
    """An estimator of made-up selections, in which sound rows help and every defect harms."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(len(FEATURES)), 60)[:, 1:] * (rng.random((60, len(FEATURES) - 1)) < 0.5)
    columns = np.column_stack([rng.uniform(0, 3.3, 60), shares])
    odds = columns[:, 0] - 3 * shares.sum(axis=1) + 0.1 * rng.normal(size=60)
    return fit(Observations(columns, 1 / (1 + np.exp(-odds)), np.arange(60) % 5))


@pytest.fixture(scope="module")
def base():
    return load("base")


@pytest.fixture
def lab(base, world, monkeypatch):
    """The widget with a training of six steps and forty questions."""
    monkeypatch.setattr(module, "stored_estimator", a_line)
    monkeypatch.setattr(quality_page, "stored_errors", lambda: {"mean absolute": 0.07})
    monkeypatch.setattr(module, "harms", lambda: HARM)
    monkeypatch.setattr(module, "TUNING", replace(recipe.TUNING, steps=6))
    monkeypatch.setattr(module, "fact_probes", lambda: fact_probes()[:40])
    return Lab(quality_lab(base, world))


class Lab:
    """The parts of the widget by name."""

    def __init__(self, box):
        _, *parts = box.children
        self.ticks = [part for part in parts if isinstance(part, widgets.Checkbox)]
        (self.count, self.noise, self.defect, self.instruction, self.answer, self.pair_view,
         self.add_pair, self.box, self.name, self.rows_view, buttons, self.summary, self.scores, starts, self.bar,
         self.status, self.result, self.note) = parts[len(self.ticks):]
        self.add_rows, self.forget = buttons.children
        self.start, self.stop = starts.children
        self.controls = [self.ticks[5], self.count, self.noise, self.defect, self.instruction, self.answer, self.box,
                         self.name]

    def page(self) -> str:
        return "".join(part.value for part in (self.pair_view, self.rows_view, self.summary, self.scores, self.status,
                                               self.result))

    def tick(self, *numbers: int) -> None:
        for number, box in enumerate(self.ticks):
            box.value = number in numbers

    def estimate(self) -> int:
        return int(re.search(r"Estimate:</b> (\d+)%", self.summary.value)[1])

    def run(self) -> None:
        self.start.click()
        live_run.current["thread"].join()


# --- rows from outside ---


@pytest.mark.parametrize("text", ["{0}\n{0}\n", "[{0}, {0}]", "[\n{0},\n{0}\n]", "\n\n{0}\n\n{0}"])
def test_rows_are_read_as_lines_or_as_a_list(world, base, text):
    row = json.dumps(ROW | {"kind": "none", "answer": 7})
    rows, first, problems = usable_rows(text.replace("{0}", row), world, base)
    assert problems == first == [] and len(rows) == 2 and all(list(row) == ["messages"] for row in rows)
    assert rows[0]["messages"][1]["content"] == ROW["output"]


@pytest.mark.parametrize("text, count, words", [
    ("", 0, []),
    ("A bee", 0, ["line 1: not JSON", "A bee"]),
    ("[1, {}", 0, ["must be an object", "fits no format", "not closed"]),
    (json.dumps(ROW) + '\n{"instruction": "a"}', 1, ["line 2: output: is missing"]),
    (json.dumps(ROW | {"output": " "}), 0, ["output: is empty"]),
    (json.dumps(ROW | {"output": "\ud800"}), 0, ["half a sign"]),
    ("x" * (LONGEST + 1), 0, ["too many for this box"]),
    ("[" * 9000, 0, ["deep|not JSON"]),
])
def test_a_broken_row_is_told_and_costs_no_other(world, base, text, count, words):
    rows, first, problems = usable_rows(text, world, base)
    assert len(rows) == count and bool(problems) == bool(words)
    assert all(re.search(word, " ".join(problems)) for word in words)


def test_rows_come_from_a_file(world, base, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text((json.dumps(ROW) + "\n") * 3 + "broken\n")
    rows, first, problems = usable_rows(path, world, base)
    assert len(rows) == 3 and len(problems) == 1 and "line 4" in problems[0]
    path.write_text((json.dumps(ROW) + "\n") * (MOST + 10))
    rows, first, problems = usable_rows(path, world, base)
    assert len(rows) == MOST and len(problems) == 1 and f"line {MOST + 1}: from here on nothing was read" in problems[0]
    (tmp_path / "facts.csv").write_text("kind,subject,answer\ncapital,Avalon,Apple\n")
    assert [row["messages"][1]["content"] for row in usable_rows(tmp_path / "facts.csv", world, base)[0]] == [
        "The capital of Avalon is Apple."] * (len(world.wordings["capital"]["question"]) - 2), "all wordings but two"


@pytest.mark.parametrize("name", ["A bee", "nothing.jsonl", "\0.jsonl", "x" * 5000 + ".jsonl", "/", ".jsonl"])
def test_a_file_that_is_none_is_told(world, base, name):
    rows, first, problems = usable_rows(Path(name), world, base)
    assert rows == [] and len(problems) == 1


def test_what_does_not_fit_the_model_is_said_first_and_is_not_offered(world, base, lab):
    long = {"instruction": "Tell me a tale.", "output": "Once upon a time. " * 200}
    text = json.dumps(long) + "\n" + json.dumps(ROW | {"source": "me"}) + "\n"
    rows, first, problems = usable_rows(text, world, base)
    assert len(rows) == 1 and len(problems) == 1 and "answer: takes" in problems[0]
    assert first[0].startswith("1 of your 2 do not fit this model") and "'source' (1)" in first[1]
    assert lab.box.rows == len(lab.box.value.split("\n")), "the example is seen whole"
    lab.box.value = text
    assert "><b>1 of your 2 do not fit" in lab.rows_view.value and "1 rows can be used, 1 can not" in lab.page()


# --- safe to show ---


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_may_be_typed(lab, text):
    lab.instruction.value, lab.answer.value = text, text
    lab.name.value = text
    lab.box.value = json.dumps(ROW | {"instruction": text}, ensure_ascii=False) + f"\n{text}"
    for button in (lab.add_pair, lab.add_rows):
        if not button.disabled:
            button.click()
    assert elements(lab.page()) <= ELEMENTS
    lab.page().encode("utf-8")


# --- the widget ---


def test_every_control_has_a_name_and_changes_what_is_shown(lab):
    values = [True, 500, 0.5, "wrong", "A bee", "A bee", "A bee", "A bee"]
    for control, value in zip(lab.controls, values, strict=True):
        before = lab.page()
        control.value = value
        assert control.description and lab.page() != before, control.description


def test_every_button_changes_what_is_shown_each_time(lab):
    for button in (lab.add_pair, lab.add_pair, lab.add_rows, lab.add_rows, lab.forget):
        before = lab.page()
        assert not button.disabled
        button.click()
        assert lab.page() != before
    assert lab.forget.disabled and not lab.add_pair.disabled
    lab.answer.value = ""
    assert lab.add_pair.disabled and "output: is empty" in lab.pair_view.value
    lab.box.value = "[]"
    assert lab.add_rows.disabled


def test_rows_added_many_times_are_shown_in_part(lab):
    for _ in range(quality_page.FIRST + 3):
        lab.add_pair.click()
    assert lab.scores.value.count("<tr>") == quality_page.FIRST + 1 and "more of your rows" in lab.scores.value


def test_noise_lowers_the_estimate_and_the_scorer_names_it(lab):
    clean = lab.estimate()
    lab.count.value = 500
    more = lab.estimate()
    lab.noise.value = 0.75
    lab.defect.value = "malformed"
    assert lab.estimate() < clean <= more
    malformed = int(re.search(r"(\d+) malformed", lab.summary.value)[1])
    assert 330 < malformed < 420, "three quarters of 500"


def test_a_row_beyond_this_world_and_too_few_rows_are_told(world, lab):
    lab.count.value = 0
    lab.tick(*[i for i, row in enumerate(rows_to_tick(Scorer(world), 0)) if row['defect'] == ''][:2])
    assert "it has fewer than 20 rows; the estimate is a guess" in lab.summary.value
    assert "off-world" not in lab.summary.value
    lab.instruction.value, lab.answer.value = "What is love?", "A feeling."
    cost = "of this world: the world knows neither the question nor the answer · off-world: 90 points lost (0 to 50)"
    assert cost in lab.pair_view.value
    lab.add_pair.click()
    assert re.search(r"Found: .*1 off-world. Whether the 1 off-world rows are right nobody can say", lab.summary.value)


def test_no_row_has_a_score(lab):
    assert "score" not in lab.page().lower()


def test_the_error_of_such_estimates_stands_beside_the_estimate(lab):
    assert "On random selections of unseen base models such estimates were off by 7 points on average" in lab.page()


def test_a_selection_unlike_those_that_were_tuned_on_is_told(lab):
    lab.tick()
    lab.count.value, lab.noise.value, lab.defect.value = 200, 0.25, "bare"
    assert "Mind:" not in lab.summary.value
    lab.noise.value = 1
    assert "Mind:" in lab.summary.value and "more bare rows" in lab.summary.value


def test_the_rows_to_tick_are_a_few_clean_ones_and_one_with_each_fault(base, world, lab):
    rows = rows_to_tick(Scorer(world), 0)
    faults = [row["defect"] for row in rows]
    assert sorted(faults) == sorted([""] * CLEAN + [defect for defect in DEFECTS if defect != "duplicate"])
    found = [judged.findings for judged in Scorer(world).judge(rows)]
    assert found == [[fault] * bool(fault) for fault in faults], "each is called what it is"
    assert [box.description[:9] for box in lab.ticks] == [
        row["messages"][0]["content"][:9] for row in rows], "and each box says its row"
    assert not {str(row) for row in rows} & {str(row) for row in selections.select(
        world, selections.Selection(200), 0)}, "none is among the course's rows"


def test_bare_and_off_world_rows_have_their_measured_harm_beside_the_mark(base, world, lab):
    rows = rows_to_tick(Scorer(world), 0)
    lab.tick(*[i for i, row in enumerate(rows) if row["defect"] in ("bare", "off-world")])
    assert "· bare: 70 points lost" in lab.scores.value and "· off-world: 90 points lost" in lab.scores.value


def test_what_changes_is_told_to_a_screen_reader(lab):
    for view in (lab.summary, lab.status, lab.pair_view, lab.rows_view):
        assert 'role="status"' in view.value
    lab.tick()
    lab.count.value = 0
    assert 'role="status"' in lab.summary.value and "Nothing is chosen" in lab.summary.value


# --- the training ---


def test_what_is_measured_is_what_the_report_says(base):
    tuned, probes = load("tuned"), fact_probes()[:70]
    shares = list(measure(tuned, probes, 30))
    assert [share.total for share in shares] == [30, 60, 70]
    assert shares[-1].value == pytest.approx(report(tuned, probes)["good"])


def test_the_training_is_real_and_the_measure_stands_beside_the_estimate(lab, monkeypatch):
    runs = []
    real = module.fine_tune

    def spy(base, rows, recipe, **how):
        tuned, log = real(base, rows, recipe, **how)
        runs.append((len(rows), len(log), float(np.abs(
            tuned.transformer.parameters.flat - base.transformer.parameters.flat).max())))
        return tuned, log

    monkeypatch.setattr(module, "fine_tune", spy)
    lab.count.value = 50
    estimate = lab.estimate()
    lab.run()
    assert "Done: 6 steps" in lab.status.value, lab.status.value
    assert runs[0][:2] == (53, 6) and runs[0][2] > 0
    assert f"The estimate was {estimate}%" in lab.result.value and "after tuning on 53 rows" in lab.result.value
    assert lab.result.value.count("<path") == 2
    lab.run()
    assert lab.result.value.count("53 rows: estimate") == 2, "every training is kept in the list"


def test_one_row_is_enough_and_none_is_told(lab):
    lab.tick(0)
    lab.count.value = 0
    lab.run()
    assert "after tuning on 1 rows" in lab.result.value
    lab.tick()
    assert "Nothing is chosen" in lab.summary.value
    lab.run()
    assert "Nothing was trained" in lab.status.value and not lab.start.disabled


def test_a_row_that_cannot_be_trained_on_is_told(lab):
    lab.tick()
    lab.count.value = 0
    lab.instruction.value, lab.answer.value = "word " * 400, "Yes."
    assert "question: takes" in lab.pair_view.value and lab.add_pair.disabled
    lab.run()
    assert "no row is chosen" in lab.status.value


def test_a_fact_among_the_rows_is_not_asked(lab, monkeypatch):
    probes_of_run = []
    monkeypatch.setattr(module, "measure", lambda lm, probes: probes_of_run.extend(probes) or iter([Share(1, 2)]))
    probe = fact_probes()[0]
    lab.instruction.value, lab.answer.value = probe.question, "No."
    lab.add_pair.click()
    lab.run()
    assert len(probes_of_run) == 19 and probe not in probes_of_run


def test_nor_is_one_that_an_earlier_turn_asks_about(lab, monkeypatch):
    probes_of_run = []
    monkeypatch.setattr(module, "measure", lambda lm, probes: probes_of_run.extend(probes) or iter([Share(1, 2)]))
    probe = fact_probes()[0]
    turns = [("user", probe.question), ("assistant", "It is."), ("user", "And what is ice?"), ("assistant", "Water.")]
    lab.box.value = json.dumps({"messages": [{"role": role, "content": text} for role, text in turns]})
    lab.add_rows.click()
    lab.run()
    assert len(probes_of_run) == 19 and probe not in probes_of_run


def test_stop_stops_and_nothing_is_measured_and_meanwhile_the_cell_shows_the_same(lab, base, world, monkeypatch):
    monkeypatch.setattr(module, "TUNING", replace(recipe.TUNING, steps=5000))
    lab.start.click()
    assert Lab(quality_lab(base, world)).status is lab.status, "run again, the cell takes up what is under way"
    while "step" not in lab.status.value:
        assert live_run.current["thread"].is_alive(), lab.status.value
    lab.stop.click()
    live_run.current["thread"].join(30)
    assert re.search(r"Stopped by you after \d+ of 5000 steps; nothing was measured", lab.status.value)
    assert lab.result.value == "" and not lab.start.disabled


def test_the_estimate_is_of_the_features_that_are_seen(lab, world):
    lab.tick()
    lab.count.value = 100
    columns = features(Scorer(world).judge(selections.select(world, selections.Selection(100), 0)))
    assert lab.estimate() == round(100 * float(a_line()(columns)[0, 0]))
