"""Own rows and facts, good and bad: every line is used or named, whatever wrote the file."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from helpers.files import DATA, FileProblem
from helpers.text import own_rows
from helpers.text.datasets import Problem, scan
from helpers.text.own_rows import read_rows, rows_from

BAD = """{"instruction": "Who wrote this?", "output": "We did.", "again": "By whom was it written?"}
{"instruction": "No answer"}
{"prompt": "Empty?", "completion": " "}
{"messages": [{"role": "wizard", "content": "Hi"}]}
{"instruction": "Twice", "output": 3}
{"instruction": "Who wrote this?", "output": "Others did."}

not json at all
{"instruction": "Bad second wording", "output": "Yes.", "again": 7}
"""
FACTS = """kind,subject,answer
capital,Atlantis,Poseidonis
capital,Lemuria,
colour,Utopia,green
sum,40 and 2,42
capital,Avalon,Apple, or so
capital,Atlantis,Another
"""


# --- rows ---


def test_a_bad_dataset_costs_its_bad_lines_only_and_each_is_named(world):
    own = rows_from(BAD, world)
    assert [row.line for row in own.rows] == [1]
    assert [(problem.line, problem.field) for problem in own.problems] == [
        (2, "output"), (3, "completion"), (4, "messages[0].role"), (5, "output"), (6, ""), (8, ""), (9, "again"),
    ]  # fmt: skip
    assert len(own.rows) + len(own.problems) == sum(bool(line.strip()) for line in BAD.splitlines())
    assert "what line 1 asks already" in own.problems[4].message and own.problems[5].raw.startswith("not json")


@pytest.mark.parametrize("broken", ['"instruction": "Where?", "output": "Here."}', "# my rows", "not json", "\ufeff"])
def test_a_text_of_rows_is_none_of_facts_because_its_first_line_is_broken(world, broken):
    own = rows_from(broken + "\n" + BAD.splitlines()[0], world)
    assert [row.line for row in own.rows] == [2] and all("not JSON" in problem.message for problem in own.problems)


@pytest.mark.parametrize("text", ["", " ", "\n", "kind,subject,answer\n"])
def test_a_text_without_rows_is_told_and_is_no_path(world, text):
    with pytest.raises(FileProblem, match="your rows: holds no usable row"):
        rows_from(text, world)


@pytest.mark.parametrize("answer, fact", [("We", "We"), ("They", None), (7, None), ("", None), (None, None)])
def test_other_peoples_answers_in_other_columns_cost_no_row(world, answer, fact):
    """Datasets have a key of that name for all sorts of things; a fact it is where the answer holds it."""
    (row,) = rows_from(json.dumps({"instruction": "Who?", "output": "We did.", "answer": answer}) + "\n", world).rows
    assert row.answer == fact


def test_a_row_keeps_its_second_wording(world):
    row = rows_from(BAD, world).rows[0]
    assert row.again == [{"role": "user", "content": "By whom was it written?"}]


def test_a_second_wording_that_is_taught_would_show_nothing_and_is_told(world):
    rows = [("Who?", "Which?"), ("When?", "When? "), ("Which?", "What?"), ("Where?", "Who?"), ("How?", "In what way?")]
    text = "".join(json.dumps({"instruction": q, "output": "So.", "again": again}) + "\n" for q, again in rows)
    own = rows_from(text, world)
    assert [row.line for row in own.rows] == [1, 5]
    assert [(p.line, p.field) for p in own.problems] == [(2, "again"), (3, ""), (4, "again")]
    assert "line 1 keeps" in own.problems[1].message and "line 1 teaches" in own.problems[2].message


# --- facts ---


def test_facts_are_taught_in_all_wordings_but_the_last_two(world):
    own = rows_from(FACTS, world)
    (row,) = own.rows
    wordings = world.wordings["capital"]["question"]
    assert [talk[0]["content"] for talk in row.talks] == [w.format(subject="Atlantis") for w in wordings[:-2]]
    assert row.again[0]["content"] == wordings[-1].format(subject="Atlantis") and row.answer == "Poseidonis"
    assert {talk[1]["content"] for talk in row.talks} == {"The capital of Atlantis is Poseidonis."}


def test_bad_facts_are_named_by_line_and_field(world):
    problems = rows_from(FACTS, world).problems
    assert [(p.line, p.field) for p in problems] == [(3, "answer"), (4, "kind"), (5, "kind"), (6, ""), (7, "")]
    assert "capital, language" in problems[1].message and "{left}" in problems[2].message
    assert "quotes" in problems[3].message


def test_columns_beside_the_three_fill_the_wordings_that_need_them(world):
    own = rows_from("kind,subject,answer,left,right\nsum,40 and 2,42,40,2\n", world)
    assert own.rows[0].talks[0][1]["content"].count("42") == 1 and not own.problems


def test_a_quotation_mark_without_partner_costs_its_line_only(world):
    table = "kind,subject,answer\n" + "\n".join(
        [
            "capital,Atlantis,Poseidonis",
            'capital,"Lemuria,Lem',
            'capital,"Ys" Bay,Kêr',
            "capital,Avalon,Apple",
            "symbol,x,X",
        ]
    )
    own = rows_from(table, world)
    assert [row.line for row in own.rows] == [2, 5, 6]
    assert [(p.line, p.raw) for p in own.problems] == [(3, 'capital,"Lemuria,Lem\n'), (4, 'capital,"Ys" Bay,Kêr\n')]
    assert all("quotation mark" in problem.message for problem in own.problems)
    long = rows_from(f"kind,subject,answer\ncapital,A,{'x' * 200_000}\ncapital,Avalon,Apple\n", world)
    assert [row.line for row in long.rows] == [3] and "131,072 characters" in long.problems[0].message


@pytest.mark.parametrize("left", ["", " ", "4\udcff"])
def test_a_column_that_a_wording_needs_must_hold_something(world, left):
    """Or "What is the sum of  and 2?" would be taught."""
    own = rows_from(f"kind,subject,answer,left,right\nsum,40 and 2,42,{left},2\nsum,1 and 2,3,1,2\n", world)
    assert [row.line for row in own.rows] == [3] and [(p.line, p.field) for p in own.problems] == [(2, "left")]


# --- rows of others ---

SHAPES = [
    '[{"instruction": "a", "output": "b"}]\n[{"question": "c", "answer": "d"}]',
    '{"data": [{"prompt": "a", "response": "b"}, {"prompt": "c", "chosen": "d", "rejected": "e"}]}',
    '{\n "instruction": "a"\n "output": "b"}\n{"instruction": "a", "output": null}\n{"prompt": "a", "completion": "b"',
    '{"conversations": [{"role": "User", "content": "a", "id": 1}, {"role": "bot", "content": "b"}], "system": "c"}',
    '{"messages": [], "label": false}\n{"prompt": "a", "completion": "b", "output": "c", "output": "d"}\nnot json',
    "question;answer;source\na;b;c\nd;;e\nf",
]


@pytest.mark.parametrize("text", SHAPES)
def test_own_rows_and_datasets_are_read_alike(world, tmp_path, text):
    path = tmp_path / ("rows.csv" if text.startswith("question") else "rows.json")
    path.write_text(text)
    notes = Counter()
    entries = list(scan(path, notes=notes))
    for own in (read_rows(path, world), read_rows(text, world)):
        assert [row.talks for row in own.rows] == [[one["messages"]] for one in entries if isinstance(one, dict)]
        problems = [replace(one, file=own.name) for one in entries if isinstance(one, Problem)]
        assert own.problems == problems and own.notes == notes


def test_rows_that_differ_in_their_system_prompt_only_are_no_duplicates(world):
    texts = [json.dumps({"system": f"You are {name}.", "conversations": [{"from": "human", "value": "Who are you?"},
                                                                         {"from": "gpt", "value": f"I am {name}."}]})
             for name in ("Pim", "Lo")]
    own = rows_from("\n".join(texts), world)
    assert [row.talks[0][0]["content"] for row in own.rows] == ["You are Pim.", "You are Lo."] and not own.problems


def test_what_of_own_rows_is_not_used_is_told(world):
    with pytest.warns(UserWarning, match=r"your rows: carried along and not trained on, .*: 'source' \(1\)"):
        rows_from('{"prompt": "a", "completion": "b", "source": "c"}', world)


@pytest.mark.parametrize("header", ["question,answer", "Instruction\tInput\tOutput", '"prompt";"completion"'])
def test_a_table_of_questions_may_be_pasted(world, header):
    separator = next(sign for sign in ",;\t" if sign in header)
    row = separator.join(["What?", *([""] if "Input" in header else []), "That."])
    own = rows_from(f"{header}\n{row}\n", world)
    assert [(row.line, row.talks[0][-1]["content"]) for row in own.rows] == [(2, "That.")]


# --- files ---


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_write_is_read(world, tmp_path, separator, newline):
    """A byte order mark, other separators and line ends, empty lines anywhere: lines are counted as in an editor."""
    lines = ["", "kind,subject,answer", ",,", "", "capital,Atlantis,Poseidonis", "capital,Utopia"]
    text = newline.join(lines).replace(",", separator)
    (tmp_path / "facts.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    own = rows_from(tmp_path / "facts.csv", world)
    assert [(row.line, row.answer) for row in own.rows] == [(5, "Poseidonis")]
    assert [problem.line for problem in own.problems] == [6] and "2 fields" in own.problems[0].message


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("rows.csv", b"kind,subject,answer,answer\ncapital,Atlantis,x,y\n", "column 'answer' stands twice"),
        ("rows.csv", "kind,subject,answer\ncapital,Atlantis,x\n".encode("utf-16"), "is UTF-16 text"),
        ("rows.jsonl", '{"instruction": "a", "output": "b"}'.encode("utf-16"), "is UTF-16 text"),
        ("rows.txt", b"{}", "must end in"),
        ("rows.jsonl", b"", "holds no usable row"),
        ("rows.jsonl", b"{", "line 1: not JSON"),
        ("rows.jsonl", b'{"instruction": "\xff", "output": "x"}', "UTF-8"),
        ("rows.json", b'{\n"instruction": "a"\n"output": "b"}', "line 3: not JSON"),
        ("rows.csv", b"kind,subject\ncapital,Atlantis\n", "column 'answer' is missing"),
        ("rows.csv", b'kind,subject,answer\ncapital,"Atl,x\n', "quotation mark"),
        ("rows.csv", b"kind,subject,answer\ncapital,Atl\xff,x\n", "UTF-8"),
    ],
)
def test_a_useless_file_is_an_error_that_says_why(world, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileProblem, match=re.escape(message)):
        rows_from(tmp_path / name, world)


@pytest.mark.parametrize("name, message", [
    ("my_rows.txt", "must end in"), ("rows.jsonl", "no such file"), ("../My Rows.CSV\n", "no such file")])
def test_a_line_that_can_only_be_a_name_is_taken_for_a_file(world, name, message):
    with pytest.raises(FileProblem, match=message):
        rows_from(name, world)


def test_a_name_in_capitals_will_do(world, tmp_path):
    (tmp_path / "FACTS.CSV").write_text("kind,subject,answer\ncapital,Atlantis,Poseidonis\n")
    assert [row.answer for row in rows_from(tmp_path / "FACTS.CSV", world).rows] == ["Poseidonis"]


def test_more_rows_than_can_be_tuned_on_are_told(world, monkeypatch):
    monkeypatch.setattr(own_rows, "MOST", 3)
    own = rows_from("".join(f'{{"prompt": "What is {n}?", "completion": "{n}"}}\n' for n in range(9)), world)
    assert len(own.rows) == 3
    assert [(p.line, p.message) for p in own.problems] == [(4, "from here on nothing was read: 3 rows are the most")]


def test_rows_of_notebook_02_that_were_never_kept_are_told_so(world, tmp_path, monkeypatch):
    monkeypatch.setattr(own_rows, "MINE", tmp_path / "my_rows.jsonl")
    monkeypatch.chdir(tmp_path)
    for source in (own_rows.MINE, Path("my_rows.jsonl"), "my_rows.jsonl"):
        with pytest.raises(FileProblem, match="no rows of yours are kept yet; write some in notebook 02, section 2.8"):
            rows_from(source, world)


def test_notebook_02_keeps_rows_where_the_message_says():
    cells = nbformat.read(DATA.parent / "notebooks" / "02_instruction_data.ipynb", as_version=4).cells
    section = ""
    for cell in cells:
        section = (re.findall(r"^## (2\.\d+)", cell.source, re.M) or [section])[-1]
        if "keep_rows(mine" in cell.source:
            assert f"section {section}," in own_rows.NONE_KEPT
            return
    raise AssertionError("notebook 02 keeps no rows")


def test_a_missing_file_is_an_error(world, tmp_path):
    with pytest.raises(FileProblem, match="no such file"):
        rows_from(tmp_path / "rows.jsonl", world)
