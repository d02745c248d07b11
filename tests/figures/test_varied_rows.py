"""Notebook 02's experiment: the figures draw the table's numbers, and the words follow them, whatever their sign."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest

from helpers.figures import varied_rows
from helpers.judging.dimensions import Answer
from helpers.results import read_results
from helpers.showing import plots
from helpers.text.facts import load_world
from helpers.text.instructions import fact_rows
from helpers.text.selections import Selection, select


@pytest.fixture
def shown(monkeypatch):
    pictures = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: pictures.append((figure, alt)))
    yield pictures
    plt.close("all")


def table(one, many, other=(10, 20, 30)):
    return [{"kinds": kinds, "seed": seed, "good": share / 100, "other kinds": share / 100}
            for kinds, shares in ((1, one), (4, other), (15, many)) for seed, share in enumerate(shares)]


def test_the_dots_are_the_table_s_and_carry_the_kind_that_was_tuned_on(shown):
    varied_rows.diversity_figure()
    [(figure, alt)] = shown
    axes = figure.axes[0]
    table = read_results("diversity")
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    for line, kinds in zip(dots, (1, 4, 15), strict=True):
        assert list(line.get_xdata()) == [100 * row["good"] for row in table if row["kinds"] == kinds]
    names = {text.get_text(): text.xy[0] for text in axes.texts}
    for row in table:
        if row["kinds"] == 1:
            [kind] = {one["kind"] for one in select(load_world(), Selection(90, kinds=1), row["seed"])}
            assert names[kind] == pytest.approx(100 * row["good"])
    assert f"1 kind: {min(names.values()):.0f}" in alt


@pytest.mark.parametrize("one, many, words", [
    ((10, 20, 30), (60, 71, 80), "answers **more** questions"),
    ((60, 71, 80), (10, 20, 30), "answers **fewer** questions"),
    ((10, 50, 30), (30, 20, 42), "answers **neither clearly more nor clearly fewer**"),
])
def test_the_words_follow_the_sign(monkeypatch, one, many, words):
    monkeypatch.setattr(varied_rows, "read_results", lambda *_, **__: table(one, many, other=one[::-1]))
    told = varied_rows.diversity_words().data
    assert words in told and f"With one kind the starts lie between {min(one)} and {max(one)}%" in told
    assert "four kinds give **neither clearly" in told and "+0 points" in told


def test_the_interval_stays_within_0_and_100(monkeypatch):
    monkeypatch.setattr(varied_rows, "read_results", lambda *_, **__: table((0, 0, 90), (100, 100, 99)))
    assert varied_rows.good_share(1)[1] == (0, 100) and varied_rows.good_share(15)[1][1] == 100
    assert varied_rows.good_share(1)[0] == pytest.approx(30)


def test_shares_by_kind_are_those_of_the_answers(monkeypatch, shown):
    world = load_world()
    right = SimpleNamespace(name="right")

    def ask(lm, probes):
        return [Answer(one.expected if lm is right or one.fact.kind == "capital" else "No.", True) for one in probes]

    monkeypatch.setattr(varied_rows, "ask", ask)
    shares = varied_rows.good_by_kind({"first": SimpleNamespace(), "second": right}, world)
    assert {row["kind"] for row in fact_rows(world)} == set(shares) - {"all"}
    assert shares["capital"] == {"first": 100, "second": 100} and shares["haiku"] == {"first": 0, "second": 100}
    assert 0 < shares["all"]["first"] < 20 and shares["all"]["second"] == 100
    del shares["all"]
    assert varied_rows.better(shares) == len(shares) - 1
    monkeypatch.setattr(varied_rows, "display", shown.append)
    varied_rows.kind_by_kind({"first": SimpleNamespace(), "second": right}, world)
    (figure, alt), words = shown
    places = figure.axes[0].collections
    assert sorted(places[1].get_offsets()[:, 0]) == [100] * 16
    assert "capital: 100 and 100" in alt and "do better in 14 of 15 kinds" in words.data


def test_what_section_2_6_says_of_the_five_starts_holds():
    shares = dict(zip(varied_rows.first_kinds(), varied_rows.diversity()[1], strict=True))
    lines = {kind: share for kind, share in shares.items() if kind in ("haiku", "list")}
    assert len(lines) == 2 and max(lines.values()) < min(share for kind, share in shares.items() if kind not in lines)
    assert varied_rows.carried_over()[1] > 0
