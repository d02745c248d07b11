"""Figures of notebook 05: they draw what the reports hold, a verdict is that of the dimensions, and signs are right."""

import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.checks.before_and_after import interval_of_the_course, kappa_of_the_course
from helpers.figures import before_and_after as figures
from helpers.judging.dimensions import Answer, Report, fact_probe, probes
from helpers.judging.statistics import share
from helpers.showing import plots
from helpers.text import own_rows


@pytest.fixture(scope="module")
def some(world):
    """Development questions about facts, and harmful requests."""
    everything = probes(world)
    return everything[::9] + [probe for probe in everything if probe.harmful or probe.lookalike]


def said(some, answer) -> Report:
    return Report(some, [Answer(answer(number, probe), True) for number, probe in enumerate(some)])


@pytest.fixture(scope="module")
def reports(some):
    half = said(some, lambda number, probe: probe.expected if number % 2 else "No.")
    return {"base": said(some, lambda number, probe: ""), "base, as a document": half,
            "fifteen rows": half, "tuned": said(some, lambda number, probe: probe.expected)}


@pytest.fixture
def drawn(monkeypatch):
    """Figures as they are shown, with their description."""
    shown = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: shown.append((figure, alt)))
    yield shown
    plt.close("all")


def cells(page) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", page.data, re.S)
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)] for row in rows]


def lines(table) -> list[list[str]]:
    rows = [row for row in table.data.split("\n") if row.startswith("|") and not row.startswith("|---")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_questions_are_often_told_or_harmful_and_quick_takes_a_third(world):
    everything = figures.questions(world, "test")
    assert all(probe.harmful or (probe.fact.part == "test" and probe.fact.told is None) for probe in everything)
    assert figures.questions(world, "test", quick=True) == everything[::3]


def test_there_is_one_row_of_each_kind(world):
    rows = figures.one_row_a_kind(world)
    assert sorted(row["kind"] for row in rows) == sorted(world.wordings)


def test_the_talker_tells_every_answer_and_so_the_right_one(world, some):
    report = figures.talker(world, some)
    for probe, answer in figures.about_facts(report):
        assert probe.fact.answer in answer.text
    assert not figures.course_verdicts({"talker": report})["talker"].any()


def test_own_rows_are_used_only_where_there_are_any(world, tmp_path, monkeypatch):
    monkeypatch.setattr(own_rows, "MINE", tmp_path / "my_rows.jsonl")
    assert figures.my_model(None, world) is None
    own_rows.MINE.write_text("no rows at all\n")
    with pytest.warns(UserWarning, match="not used"):
        assert figures.my_model(None, world) is None
    own_rows.MINE.write_text('{"prompt": "What is Zed?", "completion": "A letter."}\n')
    monkeypatch.setattr(figures, "fine_tune", lambda base, rows, recipe, progress: (rows, None))
    [row] = figures.my_model(None, world)
    assert [turn["content"] for turn in row["messages"]] == ["What is Zed?", "A letter."]


def test_the_five_judges_say_what_the_dimensions_say(world):
    fact = next(fact for fact in world.of_kind("capital") if fact.subject == "Peru")
    probe = fact_probe(world, fact, fact.say("question"))
    for answer, verdicts in (("The capital of Peru is Quito.", "✔ yes ✔ yes ✔ yes ✘ no – not asked"),
                             ("Lima", "✘ no ✘ no ✔ yes ✔ yes – not asked")):
        drawing = figures.five_judges(probe, answer)
        texts = [text.text for text in ElementTree.fromstring(drawing._repr_html_()).iter("text")]
        assert " ".join(text for text in texts if text[0] in "✔✘–") == verdicts
        assert answer in drawing.label and answer in texts


def test_the_drawing_of_samples_names_both():
    page = figures.two_samples()._repr_html_()
    assert "other questions" in page and "another model" in page and "start 4" in page


def test_verdicts_and_judges_side_by_side(world):
    fact = next(fact for fact in world.of_kind("capital") if fact.subject == "Peru")
    probe = fact_probe(world, fact, fact.say("question"))
    texts = ["The capital of Peru is Lima.", "<b>Lima</b>", "The capital of Chile is Lima."]
    _, right, hostile, chile = cells(figures.verdicts(probe, texts))
    assert right[1:] == ["✔ yes"] * 4 and hostile[0] == "&lt;b&gt;Lima&lt;/b&gt;"
    assert chile[2] == "✘ it says nothing of Peru"
    beside = cells(figures.side_by_side(lambda question, text, answer, rivals: answer in text, probe, texts))
    assert [row[3] for row in beside[1:]] == ["", "◀ they differ", "◀ they differ"]


def test_agreement_and_the_answers_on_which_judges_differ(reports, some):
    course = figures.course_verdicts(reports)
    lazy = {name: np.zeros_like(values) for name, values in course.items()}
    table = lines(figures.agreement({"same": course, "lazy": lazy}, course, kappa_of_the_course))
    assert table[0] == ["judge", *(f"on {name}" for name in reports)]
    half = share(course["fifteen rows"]).value
    assert table[1][3] == "100% (1.00)" and table[2][3] == f"{1 - half:.0%} (0.00)"
    assert table[1][4] == "100% (–)" and table[2][1] == "100% (–)"  # nothing is left beyond chance
    differ = cells(figures.disagreements(reports, {"lazy": lazy}, course, most=2))
    names = [row[1] for row in differ[1:]]
    assert names == ["base, as a document"] * 2 + ["fifteen rows"] * 2 + ["tuned"] * 2
    assert all(row[4] == "✘" and row[5] == "✔ yes" for row in differ[1:])


def test_the_winner_is_the_one_with_the_highest_share():
    says = {"a": np.array([1, 0, 0]), "b": np.array([1, 1, 0])}
    table = lines(figures.scoreboard({"judge": says, "other": {"a": says["b"], "b": says["a"]}}, {"a": 3.2, "b": 7}))
    assert table[1] == ["judge", "33%", "67%", "**b**"] and table[2][-1] == "**a**"
    assert table[3][1:3] == ["*3*", "*7*"]


def test_the_figure_draws_shares_with_intervals_that_stay_within_0_and_100(reports, drawn):
    figures.dimensions_figure(reports)
    [(figure, alt)] = drawn
    [axes] = figure.axes
    places = {handle.get_label(): handle.lines[0].get_xdata() for handle in axes.containers}
    assert list(places) == ["base", "fifteen rows", "tuned"]
    accuracy = share(figures.course_verdicts(reports)["fifteen rows"])
    assert places["fifteen rows"][3] == pytest.approx(100 * accuracy.value)
    assert (places["base"] == places["fifteen rows"]).sum() >= 4, "the better of the base's two ways counts"
    assert places["tuned"][:4] == pytest.approx([100] * 4)
    for handle in axes.containers:
        ends = np.concatenate([segment[:, 0] for segment in handle.lines[2][0].get_segments()])
        assert ends.min() >= -1e-6 and ends.max() <= 100 + 1e-6
        assert np.ptp(ends) > 0 and f"fifteen rows {accuracy.value:.0%}" in alt


def test_a_paired_difference_has_the_sign_of_after_minus_before(reports):
    table = lines(figures.paired_table(reports, [("fifteen rows", "tuned"), ("tuned", "fifteen rows")],
                                       interval_of_the_course, draws=200))[1:]
    assert (table[3][4], table[7][4]) == ("higher", "lower")
    assert table[3][2].startswith("+") and table[7][2].startswith("-") and table[3][2][1:] == table[7][2][1:]
    assert figures.says(-1, 1) == "no difference shown"


def test_refusals_are_counted_on_both_kinds(reports, some):
    table = lines(figures.refusals({"tuned": reports["tuned"]}))
    harmful, lookalike = (sum(getattr(probe, kind) for probe in some) for kind in ("harmful", "lookalike"))
    assert table[1] == ["tuned", f"{harmful} of {harmful}", f"0 of {lookalike}"]
