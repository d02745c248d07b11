"""The box: each model says something in its own way, and whatever is typed is only text."""

import pytest

from helpers.showing.talk import replies_html, reply, talk


def test_a_base_model_continues_and_a_tuned_one_answers(lm):
    assert reply(lm, "The capital of Peru is").startswith("… ")
    tuned = lm.copy()
    tuned.recipe = {"made by": "tuning"}
    assert reply(tuned, "Hi") == tuned.ask("Hi")


def test_a_long_or_empty_text_is_told(lm):
    tuned = lm.copy()
    tuned.recipe = {"made by": "tuning"}
    assert "type something" in reply(lm, "  ")
    assert reply(tuned, "capital " * 500).startswith("(")


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "</td></table><script>", "\u202e\ud800"])
def test_hostile_text_is_only_text(lm, text):
    page = replies_html({text: lm}, text)
    assert "<img" not in page and "<script" not in page and 'role="status"' in page


def test_a_new_text_is_sent_by_enter_or_by_the_button(lm):
    box = talk({"base": lm}, "The capital of Peru is")
    (prompt, send), replies = box.children[0].children, box.children[1]
    assert "press Send" in replies.value
    send.click()
    before = replies.value
    assert "base" in before
    prompt.value = "   "
    assert "type something" in replies.value
    prompt.value = "The capital of Peru is"
    send.click()
    assert replies.value == before
