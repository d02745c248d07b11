"""The playground without a browser: both models write token by token, bars follow the temperature, text stays text."""

import re

import pytest

from helpers import load
from helpers.judging.evaluation import next_tokens
from helpers.showing.playground import WAYS, bars_html, expected, playground

HOSTILE = ["", "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "<|endoftext|>", "\x00 \u202e \ud800",
           "a" * 900]


@pytest.fixture
def parts(lm):
    """The widget's parts: example, prompt, way, temperature, three buttons, status, the two columns."""
    example, prompt, way, temperature, buttons, status, columns = playground(
        lm, lm.copy(), ["The capital of", "Lima is\nthe"]).children
    return example, prompt, way, temperature, buttons.children, status, *columns.children


def new_text(column) -> str:
    return re.search("<b [^>]*>(.*?)</b>", column.value, re.S)[1]


def drawn(column) -> list[float]:
    """The bars' lengths."""
    return [float(width) for width in re.findall(r"width: ([\d.]+)%", column.value)]


def test_at_temperature_1_the_bars_are_the_model_s_own(lm):
    ids = lm.document_ids("The capital of")
    rows = expected(lm, ids, 1.0, 8)
    assert [(token, pytest.approx(chance)) for token, chance, _ in rows] == next_tokens(lm, ids)
    assert all(chance == pytest.approx(own) for _, chance, own in rows)


def test_the_bars_follow_the_temperature(lm):
    ids = lm.document_ids("The capital of")
    at = {temperature: expected(lm, ids, temperature) for temperature in (0.0, 0.1, 1.0, 1.5)}
    assert [chance for _, chance, _ in at[0.0]] == [1, 0, 0, 0, 0, 0], "the likeliest is always taken"
    firsts = [rows[0][1] for rows in at.values()]
    assert firsts == sorted(firsts, reverse=True) and len(set(firsts)) == 4, "the hotter, the flatter"
    assert len({tuple(own for _, _, own in rows) for rows in at.values()}) == 1, "the model's own stays"
    page = bars_html(at[1.0])
    assert [float(width) for width in re.findall(r"width: ([\d.]+)%", page)] == [
        round(100 * chance, 1) for _, chance, _ in at[1.0]]


def test_moving_the_temperature_redraws_both_columns(parts):
    temperature, base, tuned = parts[3], *parts[-2:]
    before = drawn(base), drawn(tuned)
    temperature.value = 1.2
    assert drawn(base) != before[0] and drawn(tuned) != before[1]
    assert new_text(base) == "", "nothing is written before a button is pressed"


def test_one_token_then_twenty_then_none(parts):
    _, _, _, temperature, (one, many, again), status, base, tuned = parts
    temperature.value = 1.0
    before = status.value
    assert 'role="status"' in before
    one.click()
    firsts = new_text(base), new_text(tuned)
    assert all(firsts) and status.value != before
    many.click()
    for column, first in zip((base, tuned), firsts, strict=True):
        assert new_text(column).startswith(first) and len(new_text(column)) > len(first)
    again.click()
    assert new_text(base) == new_text(tuned) == "" and status.value == before


def test_the_tuned_model_reads_in_either_way(parts):
    _, _, way, _, _, _, base, tuned = parts
    assert drawn(tuned) == drawn(base) or base.value != tuned.value
    chat = tuned.value
    way.value = WAYS[1]
    assert tuned.value != chat
    same = [re.sub("<div>.*?</div>|aria-label=\"[^\"]*\"", "", column.value, count=2) for column in (base, tuned)]
    assert same[0] == same[1], "the same model that reads the same document expects the same"


def test_the_two_shipped_models_answer_as_the_notebook_says():
    *_, buttons, _, columns = playground(load("base"), load("tuned"), ["What is the capital of Germany?"]).children
    buttons.children[1].click()
    base, tuned = columns.children
    assert "?" in new_text(base) and new_text(tuned) == "The capital of Germany is Berlin."


def test_the_example_replaces_the_prompt_and_forgets_what_was_written(parts):
    example, prompt, _, _, (one, _, _), _, base, tuned = parts
    one.click()
    example.index = 1
    assert prompt.value == "Lima is\nthe" and "Lima is\nthe" in base.value
    assert new_text(base) == new_text(tuned) == ""


@pytest.mark.parametrize("hostile", HOSTILE)
def test_any_text_may_be_typed_and_written(lm, monkeypatch, hostile):
    widget = playground(lm, lm.copy(), ["The capital of"])
    _, prompt, way, _, buttons, status, columns = widget.children
    monkeypatch.setattr(lm.tokenizer, "decode", lambda ids: hostile if len(ids) else "", raising=False)
    prompt.value = hostile
    for way.value in WAYS:
        buttons.children[0].click()
        page = "".join(column.value for column in columns.children) + status.value
        assert set(re.findall(r"<\s*/?\s*([A-Za-z]+)", page)) <= {
            "div", "span", "b", "i", "table", "thead", "tbody", "tr", "th", "td"}
        page.encode("utf-8")
        assert ("the model reads only the last" in status.value) == (len(hostile) == 900)
