"""The dataset browser: hostile text is escaped, a broken row gets its message, every kind and format shows."""

import json
import re

import ipywidgets as widgets
import pytest

from helpers import load
from helpers.showing.dataset_browser import (
    EVERY,
    LONGEST_PASTE,
    MASK,
    MOST_LISTED,
    dataset_browser,
    format_table,
    in_format,
    mask_html,
    own_row_html,
    row_from_text,
    row_html,
)
from helpers.text.facts import load_world
from helpers.text.formats import FORMATS, RowProblem, read_row
from helpers.text.instructions import whole_dataset
from helpers.text.templates import render

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>&\"'"


@pytest.fixture(scope="module")
def rows():
    return whole_dataset(load_world())


@pytest.fixture(scope="module")
def tokenizer():
    return load("base").tokenizer


def alpaca(**fields) -> dict:
    return {"instruction": "Name a colour.", "output": "Red.", **fields}


# --- hostile text ---


def tags(view: str) -> set[str]:
    return set(re.findall(r"</?([a-z]+)", view))


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("field", ["instruction", "input", "output", "kind", HOSTILE])
def test_hostile_text_is_escaped_wherever_it_stands(field, target, tokenizer):
    row = alpaca(**{field: HOSTILE})
    for view in (row_html(read_row(row), target, tokenizer), own_row_html(json.dumps(row), target, tokenizer)):
        assert tags(view) <= {"pre", "div", "b"}


@pytest.mark.parametrize("text", [HOSTILE, json.dumps({HOSTILE: 1}), json.dumps(alpaca(output=[HOSTILE])),
                                  json.dumps({"messages": [{"role": HOSTILE, "content": "a"}]})])
def test_a_message_about_hostile_text_is_escaped(text, tokenizer):
    view = own_row_html(text, "alpaca", tokenizer)
    assert "cannot be used" in view and tags(view) <= {"pre", "div"}


def test_a_hostile_kind_is_escaped_in_the_widget(tokenizer):
    browser = dataset_browser([read_row(alpaca(kind=HOSTILE))], tokenizer)
    view = [part.value for part in browser.children if isinstance(part, widgets.HTML)]
    assert len(view) == 3 and all(tags(text) <= {"pre", "div", "b", "i"} for text in view)


@pytest.mark.parametrize("field", ["output", "kind"])
def test_half_a_sign_can_be_sent(field, tokenizer):
    own_row_html(json.dumps(alpaca(**{field: "\ud800"})), "messages", tokenizer).encode("utf-8")
    own_row_html('{"instruction": "\ud800"', "messages", tokenizer).encode("utf-8")


# --- a pasted row ---


@pytest.mark.parametrize("text, message", [
    ("", "the box is empty"),
    ("   \n", "the box is empty"),
    ('{"instruction": "a", "output": "b"', "not JSON"),
    ("Capital of Peru", "not JSON"),
    ("[" * 5_000, "not JSON|too deep"),
    ("1" * 5_000, "too long a number"),
    ("[1]", "must be an object"),
    ("NaN", "must be an object"),
    ('{"question": "a"}', "fits no format"),
    (json.dumps(alpaca(messages=[])), "at once"),
    (json.dumps(alpaca(output="")), "output: is empty"),
    (json.dumps(alpaca(input=3)), "input: must be a text"),
    ('{"messages": [{"role": "cook", "content": "a"}]}', "no role of this format"),
    (json.dumps(alpaca()) * 2, "there are 2 rows; paste one"),
    ("[]", "no row in this list"),
    ('{"messages": [{"role": "user", "content": "a"}]}', "nothing answers it"),
    ("x" * (LONGEST_PASTE + 1), "too many"),
])
def test_a_broken_row_gets_its_message(text, message, tokenizer):
    view = own_row_html(text, "messages", tokenizer)
    assert "cannot be used" in view and re.search(message, view)
    with pytest.raises(RowProblem, match=message):
        row_from_text(text)


def test_a_good_row_is_recognised_in_every_format(rows, tokenizer):
    for target in FORMATS:
        text = json.dumps(in_format(rows[0], target, tokenizer)["row"])
        assert f"A row of format {target} with 2 turns" in own_row_html(text, "alpaca", tokenizer)


def test_different_texts_show_differently(tokenizer):
    """As two texts with the same mistake get the same words, the text itself is shown too."""
    assert own_row_html("A bee", "alpaca", tokenizer) != own_row_html("Capital of Peru", "alpaca", tokenizer)


def test_a_row_that_does_not_fit_is_said_to_first_and_what_is_dropped_is_named(tokenizer):
    view = own_row_html(json.dumps(alpaca(output="word " * 500)), "alpaca", tokenizer)
    assert re.search(r"It takes \d+ tokens with its template; the course's model reads 128. Shorten it.*A row", view)
    turns = [{"role": "user", "content": "a", "name": HOSTILE}, {"role": "assistant", "content": "b", HOSTILE: 1}]
    view = own_row_html(json.dumps({"messages": turns}), "alpaca", tokenizer)
    assert "Dropped: &#x27;name&#x27; of a turn; &#x27;&lt;img" in view and tags(view) <= {"pre", "div", "b"}


# --- counts ---


def test_counts_are_of_what_the_format_keeps(tokenizer):
    row = read_row({"messages": [{"role": role, "content": text} for role, text in (
        ("system", "Be brief."), ("user", "one two three"), ("assistant", "four"), ("user", "five six"),
        ("assistant", "seven"))]})
    assert in_format(row, "messages", tokenizer)["words"] == (7, 2)
    assert in_format(row, "messages", tokenizer)["lost"] == []
    view = in_format(row, "alpaca", tokenizer)
    assert view["words"] == (2, 1) and view["lost"] == ["the system prompt", "the earlier turns"]
    assert view["tokens"] == (len(tokenizer.encode("five six")), len(tokenizer.encode("seven")))


def test_the_table_has_a_line_a_format_and_says_what_is_lost(tokenizer):
    lines = format_table(read_row(alpaca(input="blue", kind="colour")), tokenizer).splitlines()[2:]
    assert [line.split("|")[1].strip() for line in lines] == list(FORMATS)
    assert ["nothing" in line for line in lines] == [True, False, False, False]
    assert "`instruction`, `input`, `output`" in lines[0] and "kind" not in lines[0]


# --- the mask ---


def test_the_mask_is_that_of_render_to_the_token(rows, tokenizer):
    for row in rows[::700]:
        ids, mask = render(row["messages"], "chatml", tokenizer)
        view = mask_html(row, tokenizer)
        assert re.findall(r"<sub>(\d)</sub>", view) == [str(one) for one in mask]
        assert view.count("<u>") == sum(mask) and f"{sum(mask)} of {len(ids)} tokens are trained" in view
        assert row_html(row, MASK, tokenizer) == view


def test_an_answer_with_weight_0_is_not_trained(tokenizer):
    talk = [{"role": role, "content": text} for role, text in (
        ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))]
    whole = mask_html({"messages": talk}, tokenizer)
    talk[1]["weight"] = 0
    view = mask_html({"messages": talk}, tokenizer)
    assert view.count("<u>") == whole.count("<u>") / 2 and "not to be trained on: 1" in view and "not to" not in whole


def test_hostile_text_is_escaped_among_the_tokens(tokenizer):
    assert tags(mask_html(read_row(alpaca(output=HOSTILE)), tokenizer)) <= {"div", "span", "sub", "u"}


# --- the widget ---


def parts(browser):
    kind, words, number, target, buttons, status, view, own, verdict = browser.children
    return kind, words, number, target, buttons.children, status, view, own, verdict


def last(number) -> int:
    return number.options[-1][1]


def test_every_kind_and_view_shows(rows, tokenizer):
    kind, _, number, target, _, status, view, *_ = parts(dataset_browser(rows, tokenizer))
    kinds = {row["kind"] for row in rows}
    assert {value for _, value in kind.options} == kinds | {EVERY}
    assert [*target.options] == [*FORMATS, MASK]
    for name in kinds:
        kind.value = name
        views = set()
        for form in target.options:
            target.value = form
            assert f"of kind {name}, as {form}" in view.value
            views.add(view.value)
        assert len(views) == len(FORMATS) + 1
        count = sum(row["kind"] == name for row in rows)
        assert f"{count:,} rows in {name}" in status.value and len(number.options) == min(count, MOST_LISTED)
        assert ("search for fewer" in status.value) == (count > MOST_LISTED)
        number.value = last(number)
        assert f"Row {len(number.options)} of {len(number.options)}, " in view.value


def test_a_search_finds_words_of_any_turn_and_says_when_there_are_none(rows, tokenizer):
    kind, words, number, _, _, status, view, *_ = parts(dataset_browser(rows, tokenizer))
    some = [row for row in rows if "senegal" in json.dumps(row["messages"]).lower()]
    assert 0 < len(some) < MOST_LISTED
    words.value = " SENEGAL"
    assert f"{len(some)} rows with “SENEGAL” in all kinds" in status.value and len(number.options) == len(some)
    for _, place in number.options:
        number.value = place
        assert "senegal" in view.value.lower()
    kind.value = "sum"
    assert "0 rows with “SENEGAL” in sum. So all of them are listed" in status.value and len(number.options) > 100
    words.value = "<b>x"
    assert "&lt;b&gt;x" in status.value and 'role="status"' in status.value


def test_the_buttons_go_round_and_copy(rows, tokenizer):
    _, _, number, target, (back, on, copy), _, view, own, verdict = parts(dataset_browser(rows, tokenizer))
    first = view.value
    back.click()
    assert number.value == last(number) and view.value != first
    on.click()
    assert number.value == 0 and view.value == first
    assert "output: is empty" in verdict.value and 'role="status"' in verdict.value
    for form in (*FORMATS, MASK):
        target.value = form
        copy.click()
        assert f"A row of format {'messages' if form == MASK else form}" in verdict.value
        copy.click()  # again: nothing changes, nothing breaks
    own.value = "A bee"
    assert "not JSON" in verdict.value and "A bee" in verdict.value


def test_half_a_sign_in_a_question_or_a_kind_can_be_sent(tokenizer):
    browser = dataset_browser([{**read_row(alpaca()), "kind": "\ud800"}], tokenizer)
    for label in [label for part in browser.children[:3:2] for label, _ in part.options]:
        label.encode("utf-8")
