"""The figures of notebook 03 draw what the tables hold, and their words have the right sign."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import load, results
from helpers.figures import sft_training as figures
from helpers.learning.sft import LOSSES
from helpers.showing import plots


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were shown, still open, each with its description."""
    shown = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: shown.append((figure, alt)))
    yield shown
    plt.close("all")


@pytest.fixture
def table(monkeypatch):
    """Put a table of our own in the place of a stored one."""
    tables = {}
    monkeypatch.setattr(results, "read_results", lambda name: tables[name])
    return tables


def points(axes) -> list[float]:
    return sorted(float(x) for line in axes.lines if line.get_marker() == "o" for x in line.get_xdata())


def test_runs_are_those_of_the_setting_in_percent():
    rows = [row["exact"] for row in results.read_results("mask") if row["loss_on"] == "off by one"]
    assert list(figures.runs("mask", "exact", loss_on="off by one")) == pytest.approx([100 * value for value in rows])
    reads = [row["perplexity"] for row in results.read_results("mask") if row["loss_on"] == "response"]
    assert list(figures.runs("mask", "perplexity", loss_on="response")) == reads


@pytest.mark.parametrize(("one", "other", "said"), [
    ([90, 91, 92], [50, 52, 51], "+40.0 points"), ([50, 52, 51], [90, 91, 92], "-40.0 points"),
    ([50, 90, 10], [51, 60, 39], "no difference shows")])
def test_a_difference_has_its_sign_and_says_when_nothing_shows(one, other, said):
    words = figures.difference(np.array(one, float), np.array(other, float))
    assert said in words and ("sign is clear" in words) == (said != "no difference shows")


def test_off_by_one_draws_each_run_of_each_loss(drawn):
    words = figures.off_by_one().data
    [(figure, alt)] = drawn
    stored = [100 * row["exact"] for row in results.read_results("mask")]
    assert points(figure.axes[0]) == pytest.approx(sorted(stored))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == list(LOSSES)
    assert "+33.3 points" in words and "the sign is clear" in words and "off by one: 66%" in alt


def test_off_by_one_says_so_if_it_costs_nothing(drawn, table):
    table["mask"] = [{"loss_on": loss_on, "seed": seed, "exact": 0.5 + seed / 10 * (-1) ** number, "contains": 0.9}
                     for number, loss_on in enumerate(LOSSES) for seed in range(5)]
    assert "+0.0 points" in figures.off_by_one().data


def test_prompt_weights_stand_in_order_and_the_words_follow(drawn):
    words = figures.prompt_weights().data
    [(figure, _)] = drawn
    means = [line.get_ydata() for line in figure.axes[0].lines if line.get_linestyle() != "None"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["0", "0.01", "0.03", "0.1", "0.3", "1"]
    assert means[0][0] == pytest.approx(figures.runs("prompt_loss", "exact", weight=0.0).mean())
    assert means[1][-1] == pytest.approx(figures.runs("prompt_loss", "exact, drawn", weight=1.0).mean())
    assert "A weight of 0.01 changes the likeliest answers by -0.3" in words and "by -5.2 points" in words


def test_new_token_shows_what_greedy_hides(drawn):
    words = figures.new_token().data
    [(figure, alt)] = drawn
    stop = [100 * row["P(stop), 5th percentile"] for row in results.read_results("new_token")
            if row["served"] == "chatml" and row["way"] in figures.STARTS.values()]
    assert points(figure.axes[2]) == pytest.approx(sorted(stop)) and len(stop) == 15
    assert "likeliest answers +0.0 points" in words and "5th percentile, -23.6 points" in words
    assert "set to the mean of all tokens 62%" in alt


def test_rates_draw_both_sides_and_the_base_model_on_the_same_documents(drawn):
    words = figures.rates(load("base")).data
    [(figure, _)] = drawn
    left, right = figure.axes
    exact = [line.get_ydata() for line in left.lines if line.get_linestyle() != "None"][0]
    assert exact[1] == max(exact) == pytest.approx(figures.runs("rate", "exact", rate=0.0002).mean())
    dotted = [line.get_ydata()[0] for line in right.lines if line.get_linestyle() == ":"]
    lowest = figures.runs("rate", "perplexity", rate=2e-5).mean()
    assert dotted[0] == pytest.approx(lowest, rel=0.1), "other documents, another perplexity"
    assert "the best of the four rates is 0.0002" in words


# --- an answer's parts ---


def test_an_answers_parts_add_up_to_its_loss_and_each_token_is_in_one(world):
    base = load("base")
    [fact] = [fact for fact in world.facts if fact.kind == "capital" and fact.subject == "Italy"]
    parts = figures.parts_of(base, [fact])
    from helpers.learning.sft import Batches, examples

    talk = [{"role": "user", "content": fact.say("question")}, {"role": "assistant", "content": fact.say("response")}]
    whole = base.transformer.loss(*Batches(examples([{"messages": talk}], base.tokenizer, 128), 1, 0)(0))
    assert sum(parts.values()) == pytest.approx(whole, rel=1e-4)
    assert max(parts, key=parts.get) == "end mark" and parts["the fact"] < 0.2 < parts["subject, copied"]


def reading(end: float, fact: float) -> dict[str, float]:
    return {"end mark": end, "first token": end / 4, "subject, copied": 1.0, "the fact": fact, "other words": 1.0}


READINGS = {"often": {"0": reading(16, 0.1), "5": reading(10, 0.1), "10": reading(1, 0.1), "420": reading(0, 0)},
            "seldom": {"0": reading(16, 11), "5": reading(9, 10), "10": reading(1, 7), "420": reading(0, 0.3)}}


def test_the_stack_is_as_high_as_the_parts_together(drawn):
    figures.learned_when(READINGS)
    [(figure, alt)] = drawn
    tops = {}
    for bar in figure.axes[1].patches:
        tops[round(bar.get_x(), 2)] = max(tops.get(round(bar.get_x(), 2), 0), bar.get_y() + bar.get_height())
    assert list(tops.values()) == pytest.approx([sum(stage.values()) for stage in READINGS["seldom"].values()])
    assert "often: from 22 to 2.0 nats" in alt


def test_the_words_say_when_a_part_is_paid():
    words = figures.learned_words(READINGS).data
    assert "end mark 10" in words and "other words no reading" in words
    assert "11.0, 7.0 and 0.3 nats after steps 0, 10 and 420" in words


# --- how far it reaches ---


def test_kinds_are_of_the_tuned_models_test_facts_and_nothing_else():
    kinds = figures.kind_shares()
    assert len(kinds) == 15 and all(len(values) == 5 for values in kinds.values())
    assert {"capital", "howto"} <= set(kinds) and not {"unseen phrasing", "temperature 0.7"} & set(kinds)
    means = [values.mean() for values in kinds.values()]
    assert means == sorted(means, reverse=True)


def test_reach_shows_the_weakest_kinds_and_those_left_out(drawn):
    words = figures.reach().data
    [(figure, alt)] = drawn
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert [f"the kind {kind}" for kind in list(figures.kind_shares())[-2:]] == names[4:6]
    assert "list, no row of its kind 0%" in alt and "lists 0.0%" in words


def test_sentence_and_bare_keep_their_names(drawn):
    words = figures.sentence_or_bare().data
    assert "In a sentence: 97" in words and "Bare: 8" in words and "+89" in words
    assert "sentence: 98%" in drawn[0][1]


def test_bars_of_an_answer_are_described_with_the_worst_token(drawn):
    figures.answer_bars(["The", " end"], {"base": [1.0, 9.0], "tuned": [0.5, 0.1]})
    assert "base: highest 9.0 nats at 'end'" in drawn[0][1] and "tuned: highest 0.5 nats at 'The'" in drawn[0][1]
    assert [bar.get_height() for bar in drawn[0][0].axes[0].patches] == [1.0, 9.0, 0.5, 0.1]


def test_gradient_bars_tell_the_question_from_the_answer(drawn):
    figures.gradient_bars(np.array([1.0, 2.0, 5.0]), np.array([False, False, True]), ["a", "b", "c"])
    assert "is 1.0 to 2.0 long, at the answer's up to 5.0" in drawn[0][1]
