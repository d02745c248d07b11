"""Notebook 04's figures: each run where the table has it, words that follow the sign, drawings with their labels."""

import re

import numpy as np
import pytest
from matplotlib import pyplot as plt

from helpers.figures import prompt_templates as figures
from helpers.judging.statistics import share
from helpers.results import read_results
from helpers.showing import plots
from helpers.text.templates import TEMPLATES


@pytest.fixture
def shown(monkeypatch):
    """What is shown: (figure, alt), and the captions."""
    pictures, captions = [], []
    monkeypatch.setattr(plots, "show", lambda figure, alt: pictures.append((figure, alt)))
    monkeypatch.setattr(figures, "caption", captions.append)
    yield pictures, captions
    plt.close("all")


def dots(axes, names=()) -> dict[str, list[float]]:
    """The dots of a panel by the name of their row."""
    lines = [line for line in axes.lines if line.get_marker() == "o"]
    names = names or [label.get_text() for label in axes.get_yticklabels()]
    return {names[int(line.get_ydata()[0])]: list(line.get_xdata()) for line in lines}


def column(name: str, figure: str, **settings) -> list[float]:
    return [row[figure] for row in read_results(name) if all(row[key] == value for key, value in settings.items())]


def test_each_run_of_the_boundary_is_a_dot(shown):
    figures.boundary_runs()
    [(figure, alt)], [caption] = shown
    for name, way in (("encoded apart", "apart"), ("glued", "together")):
        runs = [100 * value for value in column("boundary", "exact", encoded=way)]
        assert dots(figure.axes[0])[name] == pytest.approx(runs)
    assert "Gluing does harm" in caption and f"glued, {np.mean(runs):.0f}%" in alt


def test_each_run_of_each_pair_of_forms_is_a_dot_and_the_shade_is_where_they_agree(shown):
    figures.template_runs()
    [(figure, _)], _ = shown
    for trained, axes in zip(TEMPLATES, figure.axes, strict=True):
        assert axes.get_title() == f"tuned in {trained}"
        for served in TEMPLATES:
            expected = [100 * value for value in column("template", "exact", trained=trained, served=served)]
            assert dots(axes, list(TEMPLATES))[served] == pytest.approx(expected)
        [shade] = axes.patches
        assert shade.get_y() < list(TEMPLATES).index(trained) < shade.get_y() + shade.get_height()


def test_wrong_pairs_leave_the_right_ones_out():
    means = figures.wrong_pairs()
    rows = [row for row in read_results("template") if row["trained"] != row["served"]]
    assert np.mean(means) == pytest.approx(np.mean([row["exact"] for row in rows])) and len(means) == 5
    assert "12 wrong pairs" in figures.template_words().data


def test_follow_ups_and_wishes_are_those_of_their_tables(shown):
    figures.followup_runs()
    figures.system_runs()
    (follow, _), (system, alt) = shown[0]
    expected = [100 * value for value in column("followup", "And of Spain?", rows="multi-turn")]
    assert dots(follow.axes[0])['"And of Spain?", with conversations'] == pytest.approx(expected)
    words = dots(system.axes[0])
    assert words["Tell me all details. (never tuned on)"] == column("system", "words", prompt="Tell me all details.")
    assert words["no system prompt"] == column("system", "words", style="none")
    assert "Twelve rows" in alt and len(words) == 12


@pytest.mark.parametrize("long, told", [
    ([9.0, 9.5, 9.2], "words that were read work better"),
    ([3.0, 3.5, 3.2], "words that were never read work better"),
    ([1.0, 9.0, 5.5], "no difference that shows"),
])
def test_the_words_on_wishes_follow_the_sign(shown, long, told):
    figures.wish_dots({"long": long, "lengthy": [5.0, 5.1, 5.0], "wordy": [5.0, 5.2, 5.0]}, 1, 6.6)
    [(figure, alt)], [caption] = shown
    assert told in caption and "6.6" in caption
    assert dots(figure.axes[0]) == {"long (read)": long, "lengthy (never read)": [5.0, 5.1, 5.0],
                                    "wordy (never read)": [5.0, 5.2, 5.0]}


def test_the_wishes_words_are_read_or_never_read(corpus_text):
    """As the notebook says of them."""
    for word in ("long", "detailed"):
        assert re.search(rf"\b{word}\b", corpus_text)
    for word in ("lengthy", "verbose", "wordy", "thorough", "elaborate", "exhaustive"):
        assert not re.search(rf"\b{word}\b", corpus_text), word


@pytest.fixture(scope="module")
def corpus_text():
    from helpers.text.corpus import write_documents
    from helpers.text.facts import load_world

    return " ".join(write_documents(load_world(), 4000, seed=0)).lower()


def test_verdicts_and_percents():
    words = ("more", "less", "none")
    assert [figures.verdict(low, high, *words) for low, high in ((1, 2), (-2, -1), (-1, 1))] == list(words)
    assert figures.percent([1.0, 1.0, 0.9, 1.0, 1.0])[1][1] == 100  # no interval beyond what a share can be
    assert figures.difference([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])[0] == pytest.approx(30)


def test_counts_stand_in_the_caption_and_in_the_description(shown):
    figures.shares({"naive": share([True, True, False])}, "A bar.", "Done:")
    [(_, alt)], [caption] = shown
    assert alt == "A bar. naive 2 of 3." and caption == "Done: naive 2 of 3."


@pytest.mark.parametrize("drawing, parts", [
    (figures.conversation_drawing, ["chat template", "the generation prompt", "[end]", "assistant"]),
    (figures.boundary_drawing, ["glued", "apart", ">·7<", ">7<"]),
    (figures.injection_drawing, ["safe", "naive", "a turn nobody sent", "&lt;|im_end|&gt;"]),
])
def test_drawings_keep_their_labels(drawing, parts):
    page = drawing()._repr_html_()
    assert all(part in page for part in parts) and 'class="diagram"' in page
