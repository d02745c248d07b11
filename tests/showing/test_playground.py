"""The playground without a browser: tokens are written one by one, and what is typed or written stays text."""

import re

import pytest

from helpers.judging.evaluation import next_tokens
from helpers.showing.playground import bars_html, playground

HOSTILE = ["", "<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "<|endoftext|>", "\x00 \u202e \ud800",
           "a" * 900]


@pytest.fixture
def parts(lm):
    """The widget's parts: example, prompt, temperature, three buttons, text, status, bars."""
    example, prompt, temperature, buttons, *views = playground(lm, ["The capital of", "Lima is\nthe"]).children
    return example, prompt, temperature, buttons.children, *views


def new_text(text) -> str:
    return re.search("<b [^>]*>(.*)</b>", text.value, re.S)[1]


def test_the_bars_are_the_likeliest_next_tokens(lm):
    rows = next_tokens(lm, lm.document_ids("The capital of"))
    page = bars_html(rows)
    assert page.count("<tr>") == len(rows) + 1 and page.index(f">{100 * rows[0][1]:.1f}%<") > 0
    assert re.findall(r"width: ([\d.]+)%", page) == [f"{100 * chance:.1f}" for _, chance in rows]


def test_one_token_then_twenty_then_none(parts):
    _, _, temperature, (one, many, again), text, status, _ = parts
    temperature.value = 1.0
    before = status.value
    one.click()
    first = new_text(text)
    assert status.value != before
    many.click()
    assert new_text(text).startswith(first) and len(new_text(text)) > len(first)
    again.click()
    assert new_text(text) == "" and status.value == before


def test_the_example_replaces_the_prompt_and_forgets_what_was_written(parts):
    example, prompt, _, (one, _, _), text, _, _ = parts
    one.click()
    example.index = 1
    assert prompt.value == "Lima is\nthe" and "Lima is\nthe" in text.value and new_text(text) == ""


@pytest.mark.parametrize("hostile", HOSTILE)
def test_any_text_may_be_typed_and_written(parts, lm, monkeypatch, hostile):
    _, prompt, _, (one, _, _), text, status, bars = parts
    monkeypatch.setattr(lm.tokenizer, "decode", lambda ids: hostile if len(ids) else "", raising=False)
    prompt.value = hostile
    one.click()
    page = text.value + bars.value + status.value
    assert set(re.findall(r"<\s*/?\s*([A-Za-z]+)", page)) <= {
        "div", "span", "b", "i", "table", "thead", "tbody", "tr", "th", "td"}
    page.encode("utf-8")
    assert ("the model reads only the last" in status.value) == (len(hostile) == 900)
