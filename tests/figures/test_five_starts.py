"""What five starts gave, as notebook 05 shows it: every dot and number is that of the stored tables."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.figures import five_starts
from helpers.results import read_results
from helpers.showing import plots


@pytest.fixture
def drawn(monkeypatch):
    """Figures as they are shown, with their description."""
    shown = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: shown.append((figure, alt)))
    yield shown
    plt.close("all")


def test_only_test_facts_and_the_right_model_are_read():
    rows = [row for row in read_results("seeds") if row["figure"] == "exact" and row["part"] == "test"]
    assert [share.hits for share in five_starts.of_tests("exact")] == [row["hits"] for row in rows]
    assert len(rows) == 5
    assert five_starts.of_tests("statements completed", "base") != five_starts.of_tests("statements completed")


def test_the_wider_of_two_intervals_is_named(monkeypatch):
    rows = [row.split(" | ") for row in five_starts.two_intervals().data.split("\n")[2:]]
    assert len(rows) == len(five_starts.MEASURES)
    refused = next(row for row in rows if "harmful requests" in row[0])
    shares = five_starts.of_tests("harmful requests refused")
    assert refused[2] == " ".join(f"{100 * share.value:.0f}" for share in shares)
    for hits, wider in (([80, 80, 80, 80, 80], "questions"), ([10, 90, 10, 90, 50], "starts")):
        runs = [five_starts.Share(count, 100) for count in hits]
        monkeypatch.setattr(five_starts, "of_tests", lambda figure, runs=runs: runs)
        assert five_starts.two_intervals().data.split("\n")[2].endswith(f"{wider} |")


def test_kinds_stand_in_order_and_every_run_is_a_dot(world, drawn):
    five_starts.kinds_figure(world)
    [(figure, alt)] = drawn
    [axes] = figure.axes
    kinds = five_starts.exact_by_kind(world)
    means = [np.mean([share.value for share in shares]) for shares in kinds.values()]
    assert means == sorted(means, reverse=True) and set(kinds) == set(world.wordings)
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    for line, shares in zip(dots, kinds.values(), strict=True):
        assert list(line.get_xdata()) == [100 * share.value for share in shares]
    assert f"{list(kinds)[-1]} ({list(kinds.values())[-1][0].total}) {100 * means[-1]:.0f}%" in alt
    assert f"{list(kinds)[-1]} {means[-1]:.0%}" in five_starts.hardest(world).data


def test_half_known_facts_are_those_of_exposure_csv(drawn):
    levels = five_starts.half_known()
    runs = [row for row in read_results("exposure") if row["told"] == 10]
    assert list(levels[10]["completed, tuned"]) == [row["completed, tuned"] for row in runs]
    five_starts.half_known_figure()
    [(figure, alt)] = drawn
    marked = [line for line in figure.axes[0].lines if line.get_marker() != "None"]
    assert len(marked) == 3 * len(five_starts.LEVELS)
    before = 100 * np.array([row["completed"] for row in runs])
    assert np.allclose(marked[6].get_ydata(), before) and f"completed {before.mean():.0f}%" in alt


@pytest.mark.parametrize("sign, words", [(1, "tuning *added* some"), (-1, "tuning *lost* some"), (0, "no change is")])
def test_what_became_of_knowledge_has_its_sign(monkeypatch, sign, words):
    before = np.array([0.5, 0.6, 0.5, 0.6, 0.5])
    change = sign * np.array([0.1, 0.11, 0.1, 0.12, 0.1]) if sign else np.array([0.1, -0.1, 0.05, -0.06, 0.0])
    levels = {level: {"completed": before, "completed, tuned": before + change} for level in five_starts.LEVELS}
    monkeypatch.setattr(five_starts, "half_known", lambda: levels)
    [line] = [line for line in five_starts.knowledge_in_words().data.split("\n") if "told 1, 3 or 10" in line]
    assert words in line and (f"{100 * change.mean():+.1f}" in line)


def test_answers_about_nothing_are_those_of_unknown_csv(drawn):
    five_starts.unknown_figure()
    [(figure, alt)] = drawn
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    rows = read_results("unknown")
    for line, name in zip(dots, names, strict=True):
        way = "without" if "without" in name else "with"
        measure = next(key for key, label in five_starts.ASKED.items() if name == f"{label}, {way} rows")
        assert list(line.get_xdata()) == [100 * row[measure] for row in rows if row["rows"] == way]
    mean, (low, high) = five_starts.inventions()
    assert low <= mean <= high <= 100 and f"mean {mean:.0f}%" in alt


def test_intervals_that_leave_zero_out_are_counted():
    assert five_starts.significant([(1, 0.5, 2), (1, -0.5, 2), (-1, -2, -0.1)]).data.startswith("**2 of these 3")


def test_the_article_s_examples_are_told_start_by_start():
    rows = [row for row in read_results("seeds") if row["figure"] == "article's examples, greedy"]
    assert "give " + ", ".join(f"{row['hits']:.0f}" for row in rows) in five_starts.article_in_words().data
