"""A learner's rows on their way from notebook 02 to 03: checked, handed on as they were written, never lost."""

import pytest

from helpers import load
from helpers.text.my_rows import keep_rows
from helpers.text.own_rows import my_rows

SAMPLES = [("What do bees make?", "Bees make honey.")]
DEFAULT = [{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}]


@pytest.fixture(scope="module")
def tokenizer():
    return load("base").tokenizer


@pytest.fixture
def keep(world, tokenizer, tmp_path):
    def keep_in_folder(rows, samples=SAMPLES):
        return keep_rows(rows, world, tokenizer, samples, tmp_path / "my_rows.jsonl")

    return keep_in_folder


def texts(rows):
    return [[turn["content"] for turn in row["messages"]] for row in rows]


def test_without_a_file_the_course_s_rows_are_taken(tmp_path):
    rows, whose = my_rows(DEFAULT, tmp_path / "my_rows.jsonl")
    assert rows is DEFAULT and whose == "the course's"


def test_what_is_kept_in_02_is_what_03_gets(keep, tmp_path):
    talk = [("system", "Be brief."), ("user", "Who?"), ("assistant", "We."), ("user", "Why?"), ("assistant", "So.")]
    talk = {"messages": [{"role": role, "content": content} for role, content in talk]}
    rows = [("Where?", "Here.", "At what place?"), talk,
            {"instruction": "Turn it round.", "input": "ab", "output": "ba"}]
    kept = keep(SAMPLES + rows)
    assert kept.stored and "4 rows are kept" in kept.words and "That is few" in kept.words and not kept.problems
    mine, whose = my_rows(DEFAULT, tmp_path / "my_rows.jsonl")
    assert whose == "yours" and mine == kept.rows and mine[1]["again"] == "At what place?" and mine[2] == talk
    assert texts(mine)[:2] == [["What do bees make?", "Bees make honey."], ["Where?", "Here."]]
    assert mine[3]["messages"][0] == {"role": "user", "content": "Turn it round.", "input": "ab"}


@pytest.mark.parametrize("rows, messages", [
    ([("Where?", " ")], ["Row 1: output: is empty"]),
    (["Where? Here."], ["Row 1: is a str; write"]),
    ([("a", "b"), ("Where?",), ("a", "c"), {"output": "d"}], ["Row 2: is a tuple", "Row 3: asks what row 1 asks",
                                                               "Row 4"]),
    ([("a", "b"), {1, 2}, {"instruction": "e", "output": {"f"}}], ["Row 2: is a set", "Row 3: Object of type set"]),
    ([("a", "word " * 200)], ["Row 1: takes 2"]),
    ([("a", 3), ("\ud800", "b")], ["Row 1: output: must be a text", "Row 2: instruction: holds half a sign"]),
])
def test_one_broken_row_keeps_the_file_as_it_was_and_each_is_named(keep, tmp_path, rows, messages):
    keep([("Who?", "We.")])
    before = (tmp_path / "my_rows.jsonl").read_bytes()
    kept = keep(rows)
    assert not kept.stored and len(kept.problems) == len(messages)
    assert all(one.startswith(start) for one, start in zip(kept.problems, messages, strict=True))
    assert [path.name for path in tmp_path.iterdir()] == ["my_rows.jsonl"]
    assert (tmp_path / "my_rows.jsonl").read_bytes() == before


@pytest.mark.parametrize("rows", [SAMPLES, []])
def test_sample_rows_alone_never_take_the_place_of_somebody_s_own(keep, tmp_path, rows):
    keep([("Who?", "We.")])
    kept = keep(rows)
    assert not kept.stored and len(kept.rows) == len(rows) and "your own" in kept.words
    assert texts(my_rows(DEFAULT, tmp_path / "my_rows.jsonl")[0]) == [["Who?", "We."]]


def test_rows_in_a_file_are_kept_too_and_a_missing_file_is_named(keep, tmp_path):
    (tmp_path / "mine.csv").write_text("question,answer\nWho?,We.\nWhere?,Here.\n")
    assert keep(str(tmp_path / "mine.csv")).stored
    assert texts(my_rows(DEFAULT, tmp_path / "my_rows.jsonl")[0]) == [["Who?", "We."], ["Where?", "Here."]]
    kept = keep("rows.jsonl")
    assert not kept.stored and "no such file" in kept.problems[0]
    (tmp_path / "broken.jsonl").write_text('{"instruction": "Who?"}\n')
    assert keep(tmp_path / "broken.jsonl").problems[0].startswith("Row 1: output: is missing")


def test_nothing_that_was_ever_kept_is_lost(keep, tmp_path):
    for rows in ([("1", "a"), ("2", "b")], [("1", "a")], [("1", "a")], [("3", "c")]):
        assert keep(rows).stored
    before, _ = my_rows([], tmp_path / "my_rows.before.jsonl")
    assert texts(before) == [["1", "a"], ["2", "b"]]
    assert texts(my_rows([], tmp_path / "my_rows.jsonl")[0]) == [["3", "c"]]


def test_a_row_mended_by_hand_or_spoiled_by_hand_is_kept_too(keep, tmp_path):
    (tmp_path / "my_rows.jsonl").write_text('{"instruction": "half a r\n')
    assert keep([("Who?", "We.")]).stored
    assert (tmp_path / "my_rows.before.jsonl").read_text() == '{"instruction": "half a r\n'


def test_what_cannot_be_used_of_the_file_is_told(tmp_path):
    path = tmp_path / "my_rows.jsonl"
    path.write_text('{"instruction": "Who?", "output": "We."}\n{"instruction": "Where?"}\n')
    with pytest.warns(UserWarning, match="1 of your rows are not used; the first: my_rows.jsonl, line 2: output"):
        rows, whose = my_rows(DEFAULT, path)
    assert texts(rows) == [["Who?", "We."]] and whose == "yours"
    path.write_text("nothing")
    with pytest.warns(UserWarning, match="your rows are not used: .*line 1: not JSON"):
        assert my_rows(DEFAULT, path) == (DEFAULT, "the course's")


def test_a_lone_row_whose_other_words_are_its_own_question_is_not_kept(world, tokenizer, tmp_path):
    kept = keep_rows([("Who is it?", "Me, Tom.", "Who is it?")], world, tokenizer, path=tmp_path / "my_rows.jsonl")
    assert not kept.stored and "teaches this question" in kept.problems[0] and not (tmp_path / "my_rows.jsonl").exists()
