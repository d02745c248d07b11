"""Notebook 01's figures: they draw what the tables hold, drawings say what they show, verdicts know both signs."""

import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from helpers import load
from helpers.checks import gap_functions as course
from helpers.figures import gap_examples, the_gap
from helpers.judging import statistics
from helpers.results import read_results
from helpers.showing import plots
from helpers.text.facts import load_world

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))


@pytest.fixture(scope="module")
def world():
    return load_world()


@pytest.fixture(scope="module")
def lm():
    return load("base")


@pytest.fixture
def shown(monkeypatch):
    """The figures that were shown, with what is said to those who cannot see them."""
    figures = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: figures.append((figure, alt)))
    yield figures
    plt.close("all")


def dots(figure) -> list[list[float]]:
    """The values of each row of dots."""
    return [list(line.get_xdata()) for line in figure.axes[0].lines if line.get_marker() == "o"]


def test_over_starts_is_the_mean_of_the_five_starts():
    rows = [row for row in read_results("seeds")
            if (row["model"], row["part"], row["figure"]) == ("base", "test", "statements completed")]
    mean, (low, high) = the_gap.over_starts("statements completed")
    assert len(rows) == 5 and mean == pytest.approx(np.mean([100 * row["hits"] / row["total"] for row in rows]))
    assert 0 <= low < mean < high <= 100
    assert f"{mean:.1f}%" in the_gap.knows_verdict().data


@pytest.mark.parametrize("hits, words", [([0, 0, 0], "answered 0."), ([1, 0, 4], "answered 0 to 4.")])
def test_the_answered_questions_are_those_of_the_table(monkeypatch, hits, words):
    about = {"model": "base", "part": "test", "figure": "questions answered", "total": 9}
    monkeypatch.setattr(the_gap, "read_results", lambda name: [{**about, "hits": count} for count in hits])
    text = the_gap.answered_verdict().data
    assert words in text and "3 base models all 9 test questions" in text


def test_an_interval_never_leaves_0_to_100(monkeypatch):
    monkeypatch.setattr(statistics, "mean_and_interval", lambda values, level=95: (50.0, -20.0, 130.0))
    assert the_gap.over_starts("statements completed")[1] == (0, 100)
    assert the_gap.exposure_mean(1)[1] == the_gap.form_mean("X and Y")[1] == (0, 100)


@pytest.mark.parametrize("low, words", [
    (97.0, "the models do not merely recite"), (3.0, "the models may merely recite")])
def test_what_is_known_has_two_verdicts(monkeypatch, low, words):
    monkeypatch.setattr(the_gap, "over_starts", lambda figure: (98.0, (low, 99.0)))
    assert words in the_gap.knows_verdict().data


def test_exposure_draws_the_table(shown):
    caption = the_gap.exposure().data
    [(figure, alt)] = shown
    rows = read_results("exposure")
    for told, drawn in zip((1, 3, 10, "often"), dots(figure), strict=True):
        assert drawn == [100 * row["ranked first"] for row in rows if row["told"] == told] and len(drawn) == 5
        assert f"{np.mean(drawn):.0f}%" in caption and f"{np.mean(drawn):.0f}%" in alt
    assert caption.startswith("*") and "the better it is known" in caption


def test_exposure_does_not_claim_a_rise_that_is_none(shown, monkeypatch):
    monkeypatch.setattr(the_gap, "exposure_values", lambda name: {told: [50.0] * 5 for told in the_gap.TOLD})
    assert "No steady rise" in the_gap.exposure().data


def test_forms_draws_the_table(shown):
    caption = the_gap.forms().data
    [(figure, alt)] = shown
    rows = read_results("prompt_form")
    for name, drawn in zip(the_gap.FORMS, dots(figure), strict=True):
        assert drawn == [100 * row["answered"] for row in rows if row["form"] == name]
        label = f"{name}: {np.mean(drawn):.0f}%"
        assert label in alt and any(label in text.get_text() for text in figure.axes[0].get_yticklabels())
        replies = [100 * row["answered, drawn"] for row in rows if row["form"] == name]
        assert f"{name} {np.mean(replies):.0f}%" in caption


def test_the_gap_draws_the_counts(shown):
    caption = the_gap.gap((30, 40), {"asked": (1, 20), "called": (0, 8)}).data
    [(figure, alt)] = shown
    assert [bar.get_width() for bar in figure.axes[0].patches] == [75, 5, 0]
    assert "knows the fact: 30 of 40" in alt and "asked: 1 of 20" in alt
    assert "30 of 40" in caption and "at most 5%" in caption
    assert "never" in the_gap.gap((30, 40), {"asked": (0, 20)}).data


def test_the_drawings_say_what_they_show(world):
    assert "likeliest token" in the_gap.loop()._repr_html_() and "append" in the_gap.loop()._repr_html_()
    for fact in [fact for fact in world.of_kind("capital") if fact.part == "test"]:
        drawing = the_gap.kept_sentence(fact)
        read = drawing.label.split("never read")[0]
        assert fact.say("response") not in read, "the sentence that was kept back is shown as read"
        assert fact.say("response") in drawing.label and fact.say("response") not in "".join(drawing.parts)


def test_a_document_is_of_its_kind(world):
    assert all(line.startswith("# ") for line in lines(the_gap.document_of(world, "comments")))
    assert any(line.startswith("User: ") for line in lines(the_gap.document_of(world, "transcript")))
    assert all(line in world.questions for line in lines(the_gap.document_of(world, "quiz")))


def lines(html) -> list[str]:
    return re.search(r"<div [^>]*>(.*)</div>", html.data, re.S)[1].splitlines()


def test_next_tokens_names_the_likeliest(shown, lm):
    caption = the_gap.next_tokens(lm, "The capital of").data
    [(figure, alt)] = shown
    bars = [bar.get_width() for bar in figure.axes[0].patches]
    assert bars == sorted(bars, reverse=True) and f"{bars[0]:.1f}%" in caption and f"{bars[0]:.1f}%" in alt


def test_side_by_side_asks_each_in_its_own_way(shown, lm):
    caption = the_gap.side_by_side(lm, lm, "What is it?").data
    [(figure, _)] = shown
    base, tuned = ([bar.get_width() for bar in axes.patches] for axes in figure.axes)
    assert base != tuned and f"{base[0]:.0f}%" in caption and f"{tuned[0]:.0f}%" in caption


@pytest.mark.parametrize("hits, ranks, words, known", [
    ({0.0: 0, 0.3: 9}, {0.0: 8, 0.3: 7}, "decides", "the same knowledge"),
    ({0.0: 4, 0.3: 4}, {0.0: 8, 0.3: 3}, "no difference", "differs")])
def test_reading_on_has_two_verdicts(hits, ranks, words, known):
    text = the_gap.read_on_verdict(hits, 10, ranks, 8).data
    assert words in text and known in text and f"{hits[0.3]} of 10" in text and f"{ranks[0.3]} of 8" in text


@pytest.mark.parametrize("change, words", [(1, "the examples help"), (-1, "the examples do harm"), (0, "no effect")])
def test_worked_examples_have_three_verdicts(change, words):
    with_none = np.tile([0.0, 1.0], 50)[None]
    outcomes = {0: with_none, 3: np.clip(with_none + change, 0, 1).repeat(3, axis=0)}
    text, page = gap_examples.verdict(outcomes).data, gap_examples.results(outcomes).data
    assert words in text and f"{50 * change:+.0f} points" in text and f"{50 * change:+.0f} points" in page


def test_worked_examples_are_of_the_kind_and_never_the_answer(world):
    fact = world.of_kind("language")[0]
    pairs = gap_examples.examples(world, fact, 3, np.random.default_rng(0))
    answers = {other.say("question"): other for other in world.of_kind("language")}
    assert len(pairs) == 3 and all(answers[question].answer != fact.answer for question, _ in pairs)


def test_a_prompt_that_does_not_fit_is_an_error(world, lm):
    fact = world.of_kind("capital")[0]
    with pytest.raises(ValueError, match="no room for a reply"):
        gap_examples.trial(lm, world, [fact], lambda examples, question: question * 60)


def test_every_prompt_of_the_trial_fits(world, lm):
    fact = next(fact for fact in world.of_kind("number") if fact.part == "test")
    for seed in range(20):
        prompt = gap_examples.fitting(lm, world, fact, course.few_shot_prompt, 3, np.random.default_rng(seed))
        assert len(lm.document_ids(prompt)) + gap_examples.REPLY <= lm.transformer.config.context
        assert prompt.count("A:") == 4


def test_what_the_notebook_says_of_the_base_model_is_so(world, lm):
    """Its prose names these; should another base model be shipped, the prose must change."""
    assert lm.complete("The capital of France is", 14).startswith(" Paris")
    assert "?" in lm.complete("What is the capital of France?", 14)
    [peru] = [fact for fact in world.of_kind("capital") if fact.subject == "Peru"]
    assert peru.told == 3 and not lm.complete(peru.prompt(), 8).startswith(f" {peru.answer}")
    assert the_gap.over_starts("questions answered")[1][1] < 1 < 20 < min(the_gap.form_values()["Q and A"])


def test_the_readme_s_picture_is_the_stored_figure():
    import store_notebooks

    notebook = nbformat.read(ROOT / "notebooks" / "01_the_gap.ipynb", as_version=4)
    assert store_notebooks.picture(notebook) == (ROOT / "picture.png").read_bytes(), "run `make notebooks`"
    [cell] = [cell for cell in notebook.cells if "picture" in cell.metadata.get("tags", [])]
    assert "figures.gap(" in cell.source
