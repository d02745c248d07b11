"""The drawings of notebook 03: columns that belong together, segments that count, a verdict that can be no."""

import re

import numpy as np

from helpers import load
from helpers.figures import sft_step
from helpers.learning.open_step import make_batch
from helpers.text.templates import render

TALK = [{"role": "user", "content": "What is the capital of Italy?"},
        {"role": "assistant", "content": "The capital of Italy is Rome."}]


def texts(page: str) -> list[str]:
    return re.findall(r"<text [^>]*>([^<]*)</text>", page)


def test_each_input_stands_above_the_token_after_it():
    tokenizer = load("base").tokenizer
    ids, mask = render(TALK, "chatml", tokenizer)
    page = sft_step.shift_and_mask(tokenizer, ids, mask)._repr_html_()
    names = sft_step.short(tokenizer, ids)[-8:]
    shown = texts(page)
    start = shown.index(names[0])
    assert shown[start : start + 7] == names[:-1]
    below = shown[start + 7 : start + 21]
    assert below[::2] == names[1:] and below[1::2] == [str(one) for one in mask[-7:]]
    assert f"{sum(mask[-7:])} of these count" in page


def test_the_batch_is_drawn_row_by_row():
    inputs, targets, weights = make_batch([([5, 6, 7, 8], [0, 0, 1, 1]), ([5, 6], [0, 1])])
    page = sft_step.batch_picture(inputs, targets, weights)._repr_html_()
    assert "3 count in the loss, 2 are padding" in page
    assert page.count("stroke-dasharray") == 1 and page.count('fill="#D55E0033"') == 2
    filled = re.search(r'<rect x="([\d.]+)" y="5" width="([\d.]+)"[^>]*fill="#D55E0033"', page)
    assert float(filled[2]) > 1.9 * float(filled[1]) > 0, "two of three places"


def test_the_circle_names_what_the_learner_writes():
    page = sft_step.step_circle()._repr_html_()
    shown = texts(page)
    tasks = [name for name, more in zip(shown, shown[1:], strict=False) if more == "you write it"]
    assert sorted(tasks) == ["adamw_move", "make_batch", "masked_loss"], "nothing is theirs before they have written it"
    assert "yours" not in page and all(name in sft_step.step_circle().label for name in tasks)
    assert page.count("<polygon") == 8, "an arrow for each move, back to the first"


def test_the_right_token_is_pushed_up():
    tokenizer = load("base").tokenizer
    slope = np.full(len(load("base").transformer.parameters.embedding), 1e-4)
    slope[300], slope[301] = -0.5, 0.2
    rows = re.findall(r"<tr><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td>", sft_step.pushes(tokenizer, slope).data)
    assert [way for _, way in rows] == ["up", "down", "down", "down"]
    assert rows[1][0].strip("&#x27;").replace("&#x27;", "") == tokenizer.decode([301])


def log(*losses: float) -> list[dict]:
    return [{"loss": loss, "norm": 1.0} for loss in losses]


def test_two_logs_are_compared_at_every_step_and_the_verdict_can_be_no():
    same = sft_step.two_logs(log(2, 1, 0.5, 0.4, 0.3, 0.2), log(2, 1, 0.5, 0.4, 0.3, 0.2)).data
    assert "They are the same training" in same
    late = sft_step.two_logs(log(2, 1, 0.5, 0.4, 0.3, 0.2), log(2, 1, 0.5, 0.9, 0.3, 0.2)).data
    assert "NOT the same" in late and "5.0e-01" in late, "a step that the table does not show counts too"


def test_answers_are_text():
    class Rude:
        def ask(self, question):
            return "<b>x</b>"

    page = sft_step.answers(["<i>?</i>"], {"rude": Rude()}).data
    assert "<b>x" not in page and "&lt;b&gt;x" in page and "<i>?" not in page
