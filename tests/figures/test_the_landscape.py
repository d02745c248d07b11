"""Notebook 07's figures show what the tables hold, its verdicts have the right sign, its drawings keep their labels."""

import re
from itertools import combinations
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.experiments import estimate
from helpers.figures import the_landscape as figures
from helpers.figures import the_selection as choice
from helpers.figures import the_works as works
from helpers.judging.quality import DEFECT_OF, Scorer, harms
from helpers.judging.scaling import meeting_point
from helpers.judging.statistics import share
from helpers.results import read_results
from helpers.text.selections import DEFECTS, Selection, select


@pytest.fixture
def shown(monkeypatch):
    """What a figure drew, and what it says to those who cannot see it."""
    figures_shown = []
    monkeypatch.setattr("helpers.showing.plots.show", lambda figure, alt: figures_shown.append((figure.axes[0], alt)))
    yield figures_shown
    plt.close("all")


def stored(table: str, figure: str = "good", **setting) -> list[float]:
    return [row[figure] for row in read_results(table) if setting.items() <= row.items()]


# --- number and noise ---


def test_the_curve_of_rows_is_the_tables(shown):
    figures.rows_figure()
    (axes, alt), = shown
    clean, noisy = (container.lines[0].get_ydata() for container in axes.containers)
    assert clean[0] == pytest.approx(100 * np.mean(stored("scaling", rows=20, noise=0.0)))
    assert noisy[-1] == pytest.approx(100 * np.mean(stored("scaling", rows=2000, noise=0.5)))
    assert f"clean rows from {clean[0]:.0f} to {clean[-1]:.0f}" in alt and axes.get_ylim()[0] == 0


def test_the_guess_is_held_against_the_mean_within_0_and_100():
    mean, (low, high) = figures.in_percent(figures.after_rows(2000))
    assert mean == pytest.approx(100 * np.mean(stored("scaling", rows=2000, noise=0.0))) and low < mean < high
    assert figures.in_percent([1.0, 1.0, 0.9, 1.0, 1.0])[1][1] == 100


def test_the_learners_function_is_what_the_noise_figure_draws(shown):
    figures.noise_figure(meeting_point)
    figures.noise_figure(lambda noises, many, few: 0.25)
    for (axes, _), place in zip(shown, (63, 25), strict=True):
        assert any(round(line.get_xdata()[0]) == place and len(set(line.get_xdata())) == 1 for line in axes.lines)
        assert f"they meet at {place}%" in [text.get_text() for text in axes.texts]
    figures.noise_figure(lambda *_: float("nan"))
    assert not shown[-1][0].texts, "where they never meet no line is drawn"


def test_who_wins_has_the_right_sign():
    many = [0.9, 0.91, 0.89, 0.9, 0.9]
    assert figures.side(np.array(many) - 0.5, "many", "few") == "many"
    assert figures.side(0.5 - np.array(many), "many", "few") == "few"
    assert figures.side([0.1, -0.1, 0.2, -0.2, 0], "many", "few") == "five runs do not tell"
    lines = figures.noise_words(meeting_point).data.splitlines()
    assert "0% | 95%" in lines[2] and "the many are better" in lines[2]
    assert "90% | 74%" in lines[5] and "the few are better" in lines[5]
    assert re.search(r"Counting good answers: \d+%(, \d+%){4}\. Counting accuracy alone: \d+%", lines[-1])


def test_words_about_rows_are_the_tables():
    words = figures.rows_words().data
    assert f"20 clean rows: {100 * np.mean(stored('scaling', rows=20, noise=0.0)):.0f}%" in words
    assert re.search(r"Spoiling half of the rows: -\d.* at 20 rows, -\d.* at 2,000", words), "both lose"


# --- faults and kinds ---


def test_harm_is_the_twin_less_the_fault_worst_first(shown):
    figures.harm_figure()
    axes, alt = shown[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    lost = {name: 100 * (np.mean(stored("defects", defect="none")) - np.mean(stored("defects", defect=name)))
            for name in DEFECTS}
    assert names == sorted(DEFECTS, key=lambda name: -lost[name]) and names[0] == "malformed"
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [line.get_xdata().mean() for line in dots] == pytest.approx([lost[name] for name in names])
    assert f"malformed {lost['malformed']:.0f}" in alt and f"bare {lost['bare']:.0f}" in alt
    words = figures.harm_words().data
    assert "*malformed* rows do most harm" in words and "For wordy and duplicate the interval holds 0" in words
    assert "| malformed | +42.0 points" in words and "| format (45) |" in words


def test_what_the_nine_faults_make_of_a_row(world):
    page = figures.nine_ways(world, 0).data
    assert all(f"<b>{name}</b>" in page for name in ("clean", *DEFECTS)) and page.count("<tr>") == 11


def test_kinds_are_dots_and_the_verdict_is_paired(shown, world):
    figures.kinds_figure()
    axes, alt = shown[0]
    assert sorted(axes.lines[0].get_xdata()) == pytest.approx(sorted(100 * np.array(stored("diversity", kinds=1))))
    assert axes.get_xlim() == (0, 100) and "1 kind: 12" in alt
    words = figures.kinds_words(world).data
    assert "many kinds are better" in words and "| haiku | 10% |" in words


def test_what_wrong_rows_told_is_read_from_both_columns():
    told, was = (100 * np.mean(stored("defects", name, defect="wrong")) for name in ("as told", "as it was"))
    words = figures.as_told().data
    assert f"error in {told:.0f}%" in words and f"In {was:.0f}%" in words and told < was


# --- works ---


@pytest.mark.parametrize("drawing, words", [
    (works.one_point, ["rows", "tuning", "facts no row tells", "good answer = all four pass"]),
    (works.timeline, ["LIMA", "Tülu 3", "939,344", "2021-09", "no such number"]),
    (choice.scorer_drawing, ["in a sentence?", "else bare", "else off-world", "points lost"]),
])
def test_drawings_keep_their_labels_and_stay_inside(drawing, words):
    root = ElementTree.fromstring(drawing()._repr_html_().replace("xml:space", "space"))
    texts = [text.text for text in root.iter("text")]
    assert all(word in texts for word in words)
    width, height = map(float, root.get("viewBox").split()[2:])
    for text in root.iter("text"):
        assert 0 <= float(text.get("x")) <= width and 0 < float(text.get("y")) <= height
    for box in root.iter("rect"):
        assert float(box.get("x")) + float(box.get("width")) <= width
        assert float(box.get("y")) + float(box.get("height")) <= height


def test_words_do_not_touch_their_box():
    """Letters such as m and w are wider than the mean; nine pixels a letter leave room for them."""
    root = ElementTree.fromstring(works.one_point()._repr_html_())
    texts = {text.text: text for text in root.iter("text")}
    rows = next(root.iter("rect"))
    assert 9 * len("how many, how good") <= float(rows.get("width")) - 10
    middle = float(rows.get("x")) + float(rows.get("width")) / 2
    assert float(texts["how many, how good"].get("x")) == middle
    boxes = [[float(box.get(name)) for name in ("x", "y", "width", "height")] for box in root.iter("rect")]
    for (x, y, width, height), (left, top, _, _) in combinations(sorted(boxes), 2):
        assert left > x + width or top > y + height or top < y, "no box touches another"


def test_a_bar_is_as_long_as_the_logarithm_of_its_rows():
    root = ElementTree.fromstring(works.timeline()._repr_html_())
    widths = [float(box.get("width")) for box in root.iter("rect")]
    counts = [int(work["examples"]) for work in works.works() if work["examples"]]
    assert np.corrcoef(np.log10(counts), widths)[0, 1] > 0.999


def test_the_short_table_names_each_work_with_its_mark_and_link():
    page = works.short_table().data
    assert page.count("<tr>") == 1 + len(works.SHORT_LIST)
    listed = [work for work in works.works() if work["name"] in works.SHORT_LIST]
    assert len(listed) == len(works.SHORT_LIST)
    assert all(f'href="{work["link"]}"' in page and f'({", ".join(work["mark"].split())})' in page for work in listed)


# --- choosing and the estimate ---


def test_marks_with_reasons_and_harm_for_every_fault(world):
    rows, harm = select(world, Selection(600, 0.6, DEFECTS), 1), harms()
    page = choice.marks_table(rows, Scorer(world).judge(rows), harm).data
    assert page.count("<tr>") == 2 + len(DEFECTS), "a clean row and one with each"
    for fault in ("bare", "off-world"):
        assert f"<b>{fault}</b>" in page and f"{100 * harm[fault][0]:.0f}\u00a0(" in page
    assert page.count(" …</td>") == 2, "the two answers that are too long end in a mark"
    assert set(DEFECT_OF.values()) == set(DEFECTS)


def test_outcomes_and_counts_say_what_was_chosen():
    page = choice.outcomes_table({"<mine>": (np.array([0.6, 0.24, 0.871]), share([True] * 9 + [False]))}).data
    assert "&lt;mine&gt;" in page and "60% (24 to 87)" in page and "9 of 10 = 90.0%" in page
    rows = [{"kind": "a", "cost": 0.0}, {"kind": "b", "cost": 5.0}, {"kind": "b", "cost": 1.0}]
    assert all(f">{cell}</td>" in choice.fault_counts({"x": rows}).data for cell in ("1 of 3", "2", "2.0"))


def test_the_estimate_is_drawn_and_told_as_cross_validated(shown):
    choice.estimate_figure()
    axes, alt = shown[0]
    known = estimate.stored_observations()
    dots = axes.containers[0].lines[0]
    assert dots.get_xdata() == pytest.approx(100 * estimate.cross_validate(known)[:, 0])
    assert dots.get_ydata() == pytest.approx(100 * known.good) and "30 random selections" in alt
    words = choice.estimate_words().data
    assert f"off by {100 * estimate.stored_errors()['mean absolute']:.1f} points" in words and "better than" in words


def test_an_estimate_that_does_not_beat_the_mean_is_not_praised(monkeypatch):
    monkeypatch.setattr(estimate, "stored_errors", lambda: {"mean absolute": 0.9, "in the interval": 0.1})
    assert "no better than always saying the mean" in choice.estimate_words().data


def test_better_than_foretold_is_measured_less_estimated(world):
    line = next(line for line in choice.foretold_harm(world).data.splitlines() if line.startswith("| wordy"))
    told, measured, gap = re.match(r"\| wordy \| (\d+)% \| (\d+)% \| \+([\d.]+) points", line).groups()
    assert float(gap) == pytest.approx(int(measured) - int(told), abs=1)


def test_curves_and_phrasings_say_where_five_runs_do_not_tell():
    words = choice.curves_table().data
    assert words.count("| clean |") == words.count("| half spoiled |") == 3
    assert "clean, 2,000 rows: five runs do not tell" in words
    words = choice.phrasings_table().data.splitlines()
    assert [line.rsplit("|", 2)[1].strip() for line in words[2:]] == [
        "five runs do not tell", "five runs do not tell", "better", "worse"]
