"""The capstone: own rows and own worlds, good and bad, and the page that tells what became of them."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from helpers import capstone, load, report_card
from helpers.capstone import base_of, documents_of, judge
from helpers.capstone_rows import rows_from
from helpers.facts import FactsError, load_world
from helpers.files import FileProblem
from helpers.training import Recipe

NEW_WORLD = Path(__file__).parent / "new_world"
HOSTILE = '</td><script>alert(1)</script><img src="https://example.org/x" onerror=alert(2)>\x00\u202e'
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


@pytest.fixture(scope="module")
def base():
    return load("base")


@pytest.fixture(scope="module")
def hostile_card(base, world):
    """A run of two steps with text in it that would like to be more than text."""
    row = {"instruction": HOSTILE[:40], "output": "Fine <b>it is</b>."}
    rows = rows_from(f"{json.dumps(row)}\nnot json {HOSTILE}\n", world)
    _, card = judge(base, world, rows, recipe=Recipe(steps=2, rate=1e-4), every=40, title=HOSTILE, progress=False)
    return card


# --- reading ---


def test_a_bad_dataset_costs_its_bad_lines_only_and_each_is_named(world):
    own = rows_from(BAD, world)
    assert [row.line for row in own.rows] == [1]
    assert [(problem.line, problem.field) for problem in own.problems] == [
        (2, "output"), (3, "completion"), (4, "messages[0].role"), (5, "output"), (6, ""), (8, ""), (9, "again"),
    ]  # fmt: skip
    assert len(own.rows) + len(own.problems) == sum(bool(line.strip()) for line in BAD.splitlines())
    assert "what line 1 asks already" in own.problems[4].message and own.problems[5].raw.startswith("not json")


def test_a_row_keeps_its_second_wording(world):
    row = rows_from(BAD, world).rows[0]
    assert row.again == [{"role": "user", "content": "By whom was it written?"}]


def test_facts_are_taught_in_all_wordings_but_the_last(world):
    own = rows_from(FACTS, world)
    (row,) = own.rows
    wordings = world.wordings["capital"]["question"]
    assert [talk[0]["content"] for talk in row.talks] == [w.format(subject="Atlantis") for w in wordings[:-1]]
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


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("rows.txt", b"{}", "must end in"),
        ("rows.jsonl", b"", "holds no usable row"),
        ("rows.jsonl", b"{", "line 1: not JSON"),
        ("rows.jsonl", b'{"instruction": "\xff", "output": "x"}', "UTF-8"),
        ("rows.json", b'{\n"instruction": "a",\n"output": "b"}', "line 1: not JSON"),
        ("rows.csv", b"kind,subject\ncapital,Atlantis\n", "column 'answer' is missing"),
        ("rows.csv", b'kind,subject,answer\ncapital,"Atl,x\n', "quotation mark"),
        ("rows.csv", b"kind,subject,answer\ncapital,Atl\xff,x\n", "UTF-8"),
    ],
)
def test_a_useless_file_is_an_error_that_says_why(world, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileProblem, match=re.escape(message)):
        rows_from(tmp_path / name, world)


def test_a_missing_file_is_an_error(world, tmp_path):
    with pytest.raises(FileProblem, match="no such file"):
        rows_from(tmp_path / "rows.jsonl", world)


def test_a_row_that_does_not_fit_the_model_is_set_aside_whole(base, world):
    long = "very " * 200
    text = f'{{"prompt": "{long}?", "completion": "No."}}\n{{"prompt": "How?", "completion": "{long}"}}\n'
    own = rows_from(text + '{"prompt": "Who?", "completion": "We."}\n', world)
    capstone.set_aside_too_long(own, base)
    assert [row.line for row in own.rows] == [3]
    assert [(p.line, p.field) for p in own.problems] == [(1, "question"), (2, "answer")]
    with pytest.raises(FileProblem, match="no row that fits"):
        capstone.set_aside_too_long(rows_from(text, world), base)


# --- judging ---


def test_what_own_rows_teach_is_not_asked_as_unseen(world):
    fact = next(fact for fact in world.facts if fact.held_out)
    own = rows_from(f"kind,subject,answer\n{fact.kind},{fact.subject},{fact.answer}\n", world)
    asked, dropped = capstone.unseen_probes(world, own, 1)
    assert dropped == 1 and fact not in [probe.fact for probe in asked]
    assert capstone.unseen_probes(world, None, 1)[1] == 0


def test_rows_learned_by_heart_are_told_apart_from_what_was_never_seen(base, world):
    """Alone and often enough, invented facts are learned; the base model gives none of them."""
    own = rows_from("kind,subject,answer\ncapital,Avalon,Appleton\ncapital,Utopia,Amaurot\n", world)
    recipe = Recipe(steps=80, rate=3e-4)
    _, card = judge(base, world, own, tune_on="alone", recipe=recipe, every=20, progress=False)
    assert card.own_before.hits == 0 and card.own_share(True).hits == 2
    assert {(answer.line, answer.taught) for answer in card.own} == {(2, True), (2, False), (3, True), (3, False)}
    assert len(card.log) == capstone.READINGS + 1 and card.log[-1]["step"] == 80
    assert card.tuned_on == {"of the world": 0, "your own": 8}
    assert all(a != b for a, b in zip(card.log, card.log[1:], strict=False))


def test_a_log_entry_holds_the_mean_loss_since_the_last_one(base):
    made = capstone.examples(
        [{"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "We."}]}],
        base.tokenizer,
        base.transformer.config.context,
    )

    def watch(lm):
        return {"words": 1.0}

    watch.reference = {"words": 1.0}
    losses = []
    recipe = Recipe(steps=2 * capstone.READINGS, rate=1e-3)
    _, log = capstone.tune_watched(
        base, made, recipe, watch, lambda lm, record: losses.append(record["loss"]), progress=False
    )
    assert [entry["step"] for entry in log] == [1, *range(2, recipe.steps + 1, 2)]
    assert log[0]["loss"] == losses[0] and log[1]["loss"] == losses[1]
    assert [entry["loss"] for entry in log[2:]] == pytest.approx(np.reshape(losses[2:], (-1, 2)).mean(axis=1))


def test_judge_refuses_what_makes_no_sense(base, world):
    with pytest.raises(ValueError, match="tune_on"):
        judge(base, world, None, tune_on="alone")


# --- the page ---


class Tags(HTMLParser):
    """Every tag and attribute of a page, and whether the tags are closed in order."""

    VOID = {"meta", "br", "img"}

    def __init__(self, text: str):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):  # <rect/>
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"


def test_the_page_stands_alone_and_what_was_typed_is_text_only(hostile_card):
    page = report_card.page(hostile_card)
    tags = Tags(page)
    assert not tags.open
    assert not {tag for tag, _ in tags.seen} & {"script", "img", "link", "iframe", "object", "a", "b"}
    for tag, attributes in tags.seen:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "href")], (tag, attributes)
    assert "url(" not in page and "@import" not in page and "\x00" not in page and "\u202e" not in page
    assert page.count("&lt;script&gt;") >= 3  # title, heading, the line that was set aside


def test_the_page_holds_every_own_row_dimension_and_problem(hostile_card):
    page = report_card.page(hostile_card)
    for name in (*report_card.DIMENSIONS[:4], "safety: harmful refused", "safety: harmless not refused"):
        assert name in page
    assert "Fine &lt;b&gt;it is&lt;/b&gt;." in page and "1 lines that were set aside" in page
    assert hostile_card.diagnosis.verdict in page


def test_a_card_is_written_whole_or_not_at_all(hostile_card, tmp_path, monkeypatch):
    path = tmp_path / "card.html"
    path.write_text("the old card")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        report_card.write_card(hostile_card, path)
    assert path.read_text() == "the old card" and [p.name for p in tmp_path.iterdir()] == ["card.html"]
    with pytest.raises(FileProblem, match=r"\.html"):
        report_card.write_card(hostile_card, tmp_path / "card.txt")


# --- another world ---


@pytest.fixture
def quickly(monkeypatch):
    """Pre-training and tuning of a few steps: whether all goes through, not whether it learns."""
    monkeypatch.setattr(capstone, "DOCUMENTS", 400)
    monkeypatch.setattr(capstone, "PRETRAINING", Recipe(steps=6, rate=2e-3))
    monkeypatch.setattr(capstone.judge, "__kwdefaults__", capstone.judge.__kwdefaults__ | {"recipe": Recipe(3, 1e-4)})


def test_a_world_without_code_or_refusals_has_documents(world):
    new = load_world(NEW_WORLD)
    assert len(new.facts) >= 60 and len(new.wordings) >= 3
    for some in (new, replace(new, refusals=[])):
        documents = documents_of(some, 300)
        assert len(documents) == 300 and all(documents) and not any("def " in text for text in documents)
    assert documents_of(world, 50) == capstone.write_documents(world, 50, capstone.CORPUS_SEED)


def test_one_command_from_a_folder_of_tables_to_the_card(quickly, tmp_path, capsys):
    card = tmp_path / "card.html"
    assert report_card.main(["--world", str(NEW_WORLD), "-o", str(card)]) == 0
    assert "the world in new_world" in card.read_text() and "72 facts of 3 kinds" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["card.html"], "the checkpoint should be gone"


def test_an_interrupted_pretraining_goes_on_and_not_with_another_world(quickly, tmp_path, monkeypatch):
    new = load_world(NEW_WORLD)
    monkeypatch.setattr(capstone, "pretrain", lambda *_, checkpoint: checkpoint.write_bytes(b""))
    _, first = base_of(new, tmp_path / "card.html")
    _, again = base_of(new, tmp_path / "card.html")
    _, other = base_of(replace(new, facts=new.facts[:-1]), tmp_path / "card.html")
    assert first == again != other and first.parent == tmp_path


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--world", "no_such_folder", "-o", "card.html"], "there is no such table"),
        (["no_such.jsonl", "-o", "card.html"], "no such file"),
        (["no_such.jsonl", "-o", "card.txt"], "must end in .html"),
    ],
)
def test_the_command_says_what_is_wrong_and_writes_nothing(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert report_card.main(arguments) == 1
    assert message in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_world_in_which_nothing_is_held_out_is_an_error(base):
    new = load_world(NEW_WORLD)
    with pytest.raises(FactsError, match="judged"):
        capstone.WorldWatch(base, replace(new, facts=[fact for fact in new.facts if not fact.held_out]))
