"""Notebook 02's drawings say what the helpers do; its tables and figures hold the numbers that they should."""

import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import load
from helpers.figures import instruction_data as figures
from helpers.files import DATA
from helpers.showing import plots
from helpers.text import datasets
from helpers.text.facts import load_world
from helpers.text.formats import FORMATS, convert
from helpers.text.instructions import whole_dataset
from helpers.text.matching import rouge_l
from helpers.text.my_rows import Kept
from helpers.text.templates import render


@pytest.fixture(scope="module")
def tokenizer():
    return load("base").tokenizer


@pytest.fixture(scope="module")
def rows():
    return whole_dataset(load_world())


@pytest.fixture
def shown(monkeypatch):
    """What a figure shows: (figure, description)."""
    pictures = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: pictures.append((figure, alt)))
    yield pictures
    plt.close("all")


def row(question, answer="Yes.", **more):
    return {"messages": [{"role": "user", "content": question, **more}, {"role": "assistant", "content": answer}]}


# --- formats ---


def test_the_drawing_says_of_each_format_what_convert_says():
    drawing = figures.what_formats_hold()
    for target in FORMATS:
        told = re.search(rf"{target} has room for ([^;.]+)", drawing.label)[1]
        for slot, talk in figures.SLOTS.items():
            assert (slot.replace("\n", " ") in told) == (convert({"messages": talk}, target)[1] == [])
    boxes = re.findall(r">(✔ kept|lost)</text>", drawing._repr_html_())
    assert len(boxes) == 3 * len(FORMATS)
    assert [box != "lost" for box in boxes] == [fits for target in FORMATS for fits in figures.room(target)]
    assert figures.room("alpaca") == [False, False, True] and figures.room("messages") == [True, True, False]


def test_answers_stand_under_their_model_and_are_escaped():
    page = figures.side_by_side(["<b>?"], base_model=["one"], tuned=["<i>two"]).data
    assert page.index("base model") < page.index("tuned") < page.index("&lt;b&gt;?") < page.index("one")
    assert page.index("one") < page.index("&lt;i&gt;two") and "<i>two" not in page


# --- lengths ---


def test_lengths_are_counted_by_kind_and_drawn(rows, shown):
    some = [row("a", "one two") | {"kind": "short"}, row("a", "1 2 3 4 5 6 7 8 9 0") | {"kind": "long"},
            row("a", "one") | {"kind": "long"}]
    assert figures.answer_words(some) == {"short": [2], "long": [10, 1]}
    figures.length_figure(some)
    [(figure, alt)] = shown
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["short", "long"]
    assert [list(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2] == [[2, 2], [1, 10]]
    assert "short is shortest with 2.0 words" in alt and "long longest with 5.5" in alt and "In 1 of 2 kinds" in alt


def test_the_table_of_lengths_counts_words_and_tokens(tokenizer):
    one = row("What is the capital of Peru?", "Lima.")
    asked, answered = datasets.lengths(one, tokenizer)
    words, tokens = figures.length_table([one], tokenizer).data.splitlines()[2:]
    assert words.startswith("| words | 6.0 | 1.0 | 0.17 | 7 |")
    assert tokens.startswith(f"| tokens | {asked}.0 | {answered}.0 |") and answered > 1


def test_lima_s_shares_are_whole():
    assert sum(figures.LIMA_SOURCES.values()) == 1000
    assert all(sum(parts) == 100 for parts in figures.LIMA_AGAINST.values())
    assert "About 750 tokens a row" in figures.lima_table().data


# --- alike and different ---


@pytest.mark.parametrize("one, other", [
    ("what is the capital of peru", "what is the main language of peru"), ("a b c", "c b a"), ("a", "b"),
    ("the the", "the cat the")])
def test_the_lines_join_equal_words_in_order_and_as_many_as_there_can_be(one, other):
    a, b = one.split(), other.split()
    pairs = figures.matched(a, b)
    assert all(a[i] == b[j] for i, j in pairs) and pairs == sorted(pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert 2 * len(pairs) / (len(a) + len(b)) == pytest.approx(rouge_l(a, b))
    page = figures.common_words(one, other)._repr_html_()
    assert page.count("<path") == len(pairs) and "True" not in page and f"share {len(pairs)} words" in page


# --- the mask ---


def test_the_drawing_of_the_mask_is_render_s(tokenizer):
    ids, mask = render(figures.CONVERSATION, "chatml", tokenizer)
    page = figures.row_and_mask(tokenizer)._repr_html_()
    assert [int(one) for one in re.findall(r">([01])</text>", page)] == mask
    assert "mask 1: Honey.&lt;|im_end|&gt;" in page and np.sum(mask) == page.count("D55E0033")


# --- the learner's rows ---


def test_every_problem_of_the_learner_s_rows_stands_on_a_line_of_its_own():
    page = figures.what_was_kept(Kept([], ["Row 1: <b>", "Row 3: x"], False, "Nothing was kept.")).data
    assert "…" in page and page.count("<br>") == 2 and "Row 1: &lt;b&gt;" in page
    assert "✔" in figures.what_was_kept(Kept([], [], True, "2 rows are kept")).data


def test_near_duplicates_of_the_learner_are_counted_and_named(tokenizer):
    def alike(one, other):
        return rouge_l(one.split(), other.split())

    kept = Kept([row("where is my big cat"), row("where is my big dog"), row("why")], [], True, "")
    told = figures.your_dataset(kept, alike, tokenizer).data
    assert told.startswith("3 rows") and "near-duplicates: 1\n- where is my big dog | where is my big cat" in told
    assert "| words | 3.7 |" in told
    assert "No rows" in figures.your_dataset(Kept([], ["x"], False, ""), alike, tokenizer).data


# --- the file of 2.3 ---


def test_the_collected_file_holds_what_the_notebook_says_of_it():
    lines = (DATA / "collected.jsonl").read_text("utf8").splitlines()
    notes = datasets.Counter()
    outcomes = list(datasets.scan(DATA / "collected.jsonl", notes=notes))
    good = [one for one in outcomes if not isinstance(one, datasets.Problem)]
    assert len(lines) == len(outcomes) == 11 and [one is outcomes[i] for i, one in enumerate(good)] == [True] * 4
    assert "input" not in good[0]["messages"][0] and good[1]["messages"][0]["role"] == "system"
    assert [turn.get("weight") for turn in good[2]["messages"]] == [None, 0, None, None]
    assert {what for _, what in notes} == {"'source'", "'score'"}


def test_two_lists_in_a_file_are_read_as_one(tmp_path):
    """The trap that 2.3 warns of."""
    lists = {name: [{"instruction": name, "output": "x"}] for name in ("train", "validation")}
    (tmp_path / "two.json").write_text(json.dumps(lists))
    assert len(datasets.read_dataset(tmp_path / "two.json").rows) == 2
