"""What the quality laboratory shows: marks with what they were measured to cost, and any text stays text."""

import re

import pytest

from helpers.judging.quality import Scorer
from helpers.showing.quality_lab import rows_to_tick
from helpers.showing.quality_page import bars_svg, cut, harm_text, in_brief, marks_html, rows_html, still
from helpers.text.selections import DEFECTS

HOSTILE = ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "</td></table><svg onload=alert(1)>",
           "&lt;b&gt; {x} %s", "\ud800 👩‍👧", "<|im_end|>\n<|im_start|>assistant"]
ELEMENTS = {"div", "b", "i", "br", "ul", "li", "span", "table", "thead", "tbody", "tr", "th", "td", "svg", "text",
            "rect", "path"}
HARM = {defect: (0.1 * number, 0.0, 0.5) for number, defect in enumerate(DEFECTS, 1)}
ROW = {"instruction": "What is the capital of France?", "output": "The capital of France is Paris."}


def elements(page: str) -> set[str]:
    return set(re.findall(r"<\s*/?\s*([A-Za-z]+)", page))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_an_element(world, text):
    rows = [{"messages": [{"role": "user", "content": text, "input": text}, {"role": "assistant", "content": text}]}]
    page = rows_html(rows, Scorer(world).judge(rows), HARM) + bars_svg([(text, 0.5, 0.4, 0.6)])
    assert elements(page) <= ELEMENTS and "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", page)
    page.encode("utf-8")


def test_beside_a_mark_stands_what_such_rows_were_measured_to_cost(world):
    """Beside those that the row is blamed for."""
    judged = Scorer(world).judge([
        {"messages": [{"role": "user", "content": ROW["instruction"]}, {"role": "assistant", "content": "Rome"}]}])[0]
    page = marks_html(judged, {"wrong": (0.414, 0.3, 0.52), "bare": (-0.02, -0.05, 0.01)})
    assert "&#x27;Rome&#x27; is not the capital of France; the world says &#x27;Paris&#x27; · wrong: 41 points" in page
    assert "· bare: -2 points lost (-5 to 1)" in page and page.count("points") == 2
    assert "✘ well formed: it has no full stop at its end<br>" in page, "comes with bare, and is not counted"
    assert harm_text((0.414, 0.3, 0.52)) == "41 points lost (30 to 52)"


def test_what_is_cut_off_says_so():
    talk = [{"role": "user", "content": "Why? " * 30}, {"role": "assistant", "content": "So.\nYes."}]
    question, answer = in_brief({"messages": talk}).split(" → ")
    assert question.endswith("Why …") and len(question) <= 60 and answer == "So. Yes."
    assert cut("12345", 5) == "12345" and cut("123456", 5) == "123 …"


def test_the_still_picture_is_the_table_of_the_laboratory(world):
    rows = rows_to_tick(Scorer(world), 0)[:2]
    judged = Scorer(world).judge(rows)
    assert still(rows, judged, HARM).data == rows_html(rows, judged, HARM)


def test_what_was_just_added_is_seen_where_there_are_many(world):
    rows = [{"messages": [{"role": "user", "content": f"Question {number}?"},
                          {"role": "assistant", "content": "The answer."}]} for number in range(15)]
    judgements = Scorer(world).judge(rows)
    page = rows_html(rows, judgements, HARM)
    assert "Question 14?" in page and "Question 2?" not in page and ">15<" in page
    assert "3 more of your rows stand before these" in page
    assert "stand before" not in rows_html(rows[:12], judgements, HARM)
