"""Notebook D: the table of claims is whole, its figures are those of the stored results, its programs compute what was
found when the article's own were run."""

import re
from pathlib import Path

import numpy as np
import pytest

from helpers.figures import the_article, the_article_code
from helpers.results import read_results


def test_every_claim_has_a_verdict_a_mark_a_notebook_and_known_works():
    rows, names = the_article.claims(), the_article.works()
    assert [row["number"] for row in rows] == [str(number) for number in range(1, 37)]
    for row in rows:
        assert row["claim"] and row["verdict"] and row["right"] and re.fullmatch(r"0[1-8]", row["notebook"])
        assert set(row["mark"].split()) <= set(the_article.MARKS)
        assert set(row["links"].split()) <= set(names), row["number"]
        assert row["measure"] in {"", *the_article.MEASURES}
    assert {row["measure"] for row in rows} - {""} == set(the_article.MEASURES), "a measure that no claim names"


@pytest.mark.parametrize("name", the_article.MEASURES)
def test_every_measure_is_a_figure_with_an_interval(name):
    assert re.search(r"[-+]?\d+\.\d%? ?(?:points )?\([-+]?\d+\.\d to [-+]?\d+\.\d\)", the_article.MEASURES[name]())


def test_a_measure_is_the_stored_mean():
    rows = read_results("response_only")
    of = {way: np.array([100 * row["contains"] for row in rows if row["rows"] == way])
          for way in ("with the question", "response only")}
    mean = (of["response only"] - of["with the question"]).mean()
    assert f": {mean:+.1f} points (" in the_article.MEASURES["responses"]()
    assert "(0.0 to 0.0)" in the_article.points([0.0, 0.0, 0.0]) and "to 100.0)" in the_article.points([99, 100, 100.0])


def test_the_tables_show_every_claim_once():
    text = "\n".join(the_article.claims_table(about).data for about in the_article.subjects())
    for row in the_article.claims():
        assert text.count(f"\n| {row['number']} | {the_article.cell(row['claim'])} |") == 1
    assert "| **all** | 36 |" in the_article.verdict_counts().data
    with pytest.raises(ValueError, match="subjects are the base model"):
        the_article.claims_table("nothing")


def test_code_in_a_claim_is_shown_as_it_is():
    """Markdown shows an entity between backticks letter by letter; within <code> it is the sign that it stands for."""
    shown = the_article.cell("`<|im_start|>` costs $5")
    assert shown == "<code>&lt;&#124;im_start&#124;&gt;</code> costs &#36;5" and the_article.cell("") == "–"
    assert "`" not in the_article.claims_table("the training").data


def test_the_toy_losses_are_those_of_its_code():
    text = the_article_code.toy_losses().data
    assert "| 4.9886 | 19 |" in text and "| 4.7704 | 9 |" in text and "| 4.8282 | 10 |" in text


def test_the_cap_is_where_the_loss_stops():
    assert "| 23.03 |" in the_article_code.loss_cap().data and "| 60.00 |" in the_article_code.loss_cap().data
    assert the_article_code.loss_cap(5.0).data.count("| 5.01 |") == 2, "where nothing is hopeless both agree"


def test_the_words_are_counted():
    text = the_article_code.word_statistics().data
    assert "| 7.0 | 7.8 |" in text and "| 11.2 | 14.8 |" in text and "| 1.6 | 1.9 |" in text


def test_the_evaluator_falls_in_one_pair_of_six():
    changes = the_article_code.drawn_scores(5000, 1)
    assert set(changes) == set(the_article_code.TYPED_SCORES)
    assert changes["accuracy"].mean() == pytest.approx(2, abs=0.2)
    assert (changes["accuracy"] < 0).mean() == pytest.approx(1 / 6, abs=0.02)
    assert changes["format"].min() > 60


def test_the_scores_of_its_own_seeds_are_those_that_the_text_names():
    text = (Path(__file__).resolve().parents[2] / "notebooks" / "D_the_article.ipynb").read_text(encoding="utf8")
    assert "seeds 42 and 99 gives 63.6 and 64.9 for accuracy" in text
    for seed, part, printed in ((42, slice(0, 2), 63.6), (99, slice(2, 4), 64.9)):
        draws = np.random.RandomState(seed)  # what np.random.seed(seed) draws
        means = {name: np.clip(draws.normal(*typed[part], the_article_code.DRAWS), 0, 1).mean()
                 for name, typed in the_article_code.TYPED_SCORES.items()}  # fmt: skip
        assert round(100 * means["accuracy"], 1) == printed


def test_its_rules_pass_what_is_amiss_and_ours_do_not():
    rows = [line.strip("| ").split(" | ") for line in the_article_code.detectors().data.splitlines()[2:]]
    assert [row[1] for row in rows[:7]] == ["healthy"] * 7
    assert all(row[2] != "healthy" for row in rows[:7])
    assert all(row[1] != "healthy" and row[2] == "healthy" for row in rows[7:9])
    assert rows[9][1] == "forgetting, style collapse" and rows[10][1:] == ["healthy", "healthy"]


def test_the_typed_curve_is_no_logarithm(monkeypatch):
    shown = []
    monkeypatch.setattr(the_article_code, "show", lambda figure, alt: shown.append((figure, alt)))
    the_article_code.typed_curve()
    labels = [text.get_text() for text in shown[0][0].axes[0].get_legend().get_texts()]
    assert "best logarithm, R² 0.79" in labels and "best saturating curve, R² 0.98" in labels
    steps = re.findall(r"\| (\d+\.\d) \|", the_article_code.gains().data)
    assert steps == ["32.9", "46.5", "7.2", "6.6", "1.4"]
