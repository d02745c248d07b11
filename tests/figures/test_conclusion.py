"""Notebook 08's lessons, thesis and references: each figure holds what the tables hold, and each verdict its sign."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.checks.conclusion import course_verdict
from helpers.experiments import claims, lessons
from helpers.figures import conclusion as figures
from helpers.judging.statistics import p_value
from helpers.results import read_results
from helpers.showing import plots


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were shown, still open, each with its description."""
    shown = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: shown.append((figure, alt)))
    yield shown
    plt.close("all")


@pytest.fixture(scope="module")
def groups():
    return figures.judged(course_verdict)


def test_the_learner_s_rule_says_of_every_lesson_what_the_course_s_says(groups):
    judged = {one.lesson.claim: word for word, some in groups.items() for one in some}
    assert judged == {one.lesson.claim: one.verdict for one in claims.judge_all(lessons.LESSONS)}
    assert len(judged) == 17, "the notebook says seventeen"


def test_the_p_of_8_1_is_made_larger_as_the_notebook_says():
    """Four lessons have a smaller p, so it is multiplied by 13; 0.0030 becomes 0.04."""
    results = claims.Results()
    values = {lesson.claim: p_value(np.asarray(lesson.measure(results), float)) for lesson in lessons.LESSONS}
    first = values["count the loss on the response only"]
    assert f"{first:.4f}" == "0.0030" and sum(p < first for p in values.values()) == 4
    assert f"{13 * first:.2f}" == "0.04" and 13 * first < claims.ALPHA


def test_another_rule_gives_other_groups():
    assert list(map(len, figures.judged(lambda *_: "open").values())) == [0, 0, 17]


def test_one_lesson_draws_both_losses_start_by_start(drawn):
    values = figures.one_lesson()
    stored = {row["seed"]: 100 * row["exact"] for row in read_results("mask") if row["loss_on"] == "response"}
    assert list(values["response"]) == pytest.approx([stored[seed] for seed in range(5)])
    [(figure, alt)] = drawn
    lines = [line.get_ydata() for line in figure.axes[0].lines]
    assert len(lines) == 5 and lines[2] == pytest.approx([values["everything"][2], values["response"][2]])
    assert "5 of 5 rise" in alt


def test_all_lessons_draw_mean_and_interval_within_what_is_possible(drawn, groups):
    words = figures.all_lessons(groups).data
    [(figure, alt)] = drawn
    axes = figure.axes[0]
    bars = [line for line in axes.lines if line.get_marker() == "None" and len(line.get_xdata()) == 2][:-1]
    points = [one for word in figures.WORDS for one in groups[word] if one.points]
    assert len(bars) == len(points) == len(axes.get_yticklabels()) == 15
    assert all(-100 <= x <= 100 for bar in bars for x in bar.get_xdata())
    assert list(bars[1].get_xdata()) == pytest.approx([points[1].low, points[1].high])
    assert "count the loss on the response only: +5.2, holds" in alt
    assert "5 hold, 2 are contradicted, 10 are open" in words and "7 have a 95% interval" in words
    assert axes.get_xscale() == "symlog"


def test_the_table_has_every_lesson_once_beside_its_verdict(groups):
    lines = figures.lessons_table(groups).data.split("\n")[2:]
    assert len(lines) == 17
    assert [line for line in lines if "count the loss" in line][0].startswith("| **holds** |")
    assert "+0.0437" in [line for line in lines if "(nats)" in line][0]


def test_the_rule_says_its_four_cases_in_words():
    label = figures.rule_on_a_line().label
    assert all(word in label for word in ("a rise is shown", "a fall is shown", "no difference", "open"))


def test_form_and_knowledge_are_those_of_the_stored_runs(drawn):
    words = figures.form_and_knowledge().data
    [(figure, alt)] = drawn
    dots = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(dots["ten times the rate"].get_xdata()) == pytest.approx(list(
        100 * np.array([run.outcomes["completed"] for run in figures.failure_logs.stored_runs()
                        if run.plan == "rate 10 times"])))
    assert set(dots["base"].get_ydata()) == {0} and len(dots) == 5
    assert "base: 98% completed, 0% exact" in alt and "5% of the exact answers" in words


def test_the_thesis_is_judged_by_its_figures(monkeypatch):
    rows = figures.thesis().data
    assert "**capital, opposite: yes; list: no**" in rows and "**no, though little is lost**" in rows
    assert "2,000 do more" in rows and "**yes, both ways**" in rows
    monkeypatch.setattr(figures, "outcome", lambda plan, figure: np.array([90.0, 91, 92]))
    assert "| **no** |" in figures.thesis().data.split("\n")[-1]


def test_what_stands_beside_the_thesis_is_read_from_the_tables():
    told = figures.outside_the_thesis().data
    assert "completes 99%, told ten times 69%, told once 5%" in told and "93% (88 to 98)" in told
