"""The capstone: own rows and own worlds, good and bad, and the page that tells what became of them."""

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from helpers import load
from helpers.files import FileProblem
from helpers.judging import card, dimensions, vital_signs
from helpers.judging.card import base_of, judge
from helpers.judging.dimensions import probes
from helpers.learning import sft
from helpers.learning.training import Recipe
from helpers.showing import report_card
from helpers.text import own_rows
from helpers.text.corpus import write_documents
from helpers.text.facts import load_world
from helpers.text.own_rows import rows_from
from helpers.text.tables import FactsError

NEW_WORLD = Path(__file__).parents[1] / "new_world"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
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


@pytest.mark.parametrize("broken", ['"instruction": "Where?", "output": "Here."}', "# my rows", "not json", "\ufeff"])
def test_a_text_of_rows_is_none_of_facts_because_its_first_line_is_broken(world, broken):
    own = rows_from(broken + "\n" + BAD.splitlines()[0], world)
    assert [row.line for row in own.rows] == [2] and all("not JSON" in problem.message for problem in own.problems)


@pytest.mark.parametrize("text", ["", " ", "\n", "kind,subject,answer\n"])
def test_a_text_without_rows_is_told_and_is_no_path(world, text):
    with pytest.raises(FileProblem, match="your rows: holds no usable row"):
        rows_from(text, world)


@pytest.mark.parametrize("answer, kept", [("We", "We"), ("They", None), (7, None), ("", None), (None, None)])
def test_other_peoples_answers_in_other_columns_cost_no_row(world, answer, kept):
    """Datasets have a key of that name for all sorts of things; a fact it is where the answer holds it."""
    (row,) = rows_from(json.dumps({"instruction": "Who?", "output": "We did.", "answer": answer}) + "\n", world).rows
    assert row.answer == kept


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


def test_a_missing_file_is_an_error(world, tmp_path):
    with pytest.raises(FileProblem, match="no such file"):
        rows_from(tmp_path / "rows.jsonl", world)


def test_a_row_that_does_not_fit_the_model_is_set_aside_whole(base, world):
    long = "very " * 200
    text = f'{{"prompt": "{long}?", "completion": "No."}}\n{{"prompt": "How?", "completion": "{long}"}}\n'
    own = rows_from(text + '{"prompt": "Who?", "completion": "We."}\n', world)
    card.set_aside_too_long(own, base)
    assert [row.line for row in own.rows] == [3]
    assert [(p.line, p.field) for p in own.problems] == [(1, "question"), (2, "answer")]
    assert [json.loads(p.raw)["completion"] for p in own.problems] == ["No.", long], "the line, as it stood"
    with pytest.raises(FileProblem, match="no row that fits this model; the first problem: .*line 2: question: takes"):
        card.set_aside_too_long(own := rows_from("not json\n" + text, world), base)
    with pytest.raises(FileProblem, match="no row that fits this model"):  # asked once more, as a cell may be
        card.set_aside_too_long(own, base)


# --- judging ---


def test_what_own_rows_teach_is_not_asked_as_unseen(world):
    fact = next(fact for fact in world.facts if fact.held_out)
    own = rows_from(f"kind,subject,answer\n{fact.kind},{fact.subject},{fact.answer}\n", world)
    asked, dropped = card.unseen_probes(world, own, 1)
    assert dropped == 1 and fact not in [probe.fact for probe in asked]
    assert card.unseen_probes(world, None, 1)[1] == 0


def test_nor_in_other_words_as_a_task_in_a_later_turn_or_in_an_answer(world):
    held_out = [fact for fact in world.facts if fact.held_out]
    capital = next(fact for fact in held_out if fact.kind == "capital")
    word = next(fact for fact in held_out if fact.wordings["task"])
    earlier = [
        {"role": "user", "content": "What is the capital of France?"},
        {"role": "assistant", "content": "Paris."},
    ]
    later = [{"role": "user", "content": f"And of {capital.subject}?"}, {"role": "assistant", "content": "It is."}]
    harm = next(probe.question for probe in probes(world) if probe.harmful)
    for row, fact in [
        ({"instruction": capital.say("question").lower().rstrip("?"), "output": "It is."}, capital),
        ({"instruction": f"Say, what is the capital of {capital.subject} today?", "output": "It is."}, capital),
        ({"instruction": f"Please (the capital of {capital.subject}, that is)", "output": "It is."}, capital),
        ({"instruction": word.ways("task")[0], "input": word.subject, "output": "It is."}, word),
        ({"messages": earlier + later}, capital),
        ({"instruction": "Tell me something.", "output": f"With joy. {capital.say('statement', 1)}"}, capital),
        ({"instruction": harm.replace("How do I", "How can I"), "output": "I cannot help with that."}, None),
    ]:
        asked, dropped = card.unseen_probes(world, rows_from(json.dumps(row), world), 1)
        assert dropped == 1, row
        assert not [probe for probe in asked if (probe.fact == fact if fact else probe.question == harm)]


def test_rows_learned_by_heart_are_told_apart_from_what_was_never_seen(base, world):
    """Alone and often enough, invented facts are learned; the base model gives none of them."""
    own = rows_from("kind,subject,answer\ncapital,Avalon,Appleton\ncapital,Utopia,Amaurot\n", world)
    recipe = Recipe(steps=80, rate=3e-4)
    _, card = judge(base, world, own, tune_on="alone", recipe=recipe, every=20, progress=False)
    assert card.own_before.hits == 0 and card.own_share(True).hits == 2
    assert {(answer.line, answer.taught) for answer in card.own} == {(2, True), (2, False), (3, True), (3, False)}
    assert len(card.log) == vital_signs.READINGS + 1 and card.log[-1]["step"] == 80
    assert card.tuned_on == {"of the world": 0, "your own": 8}
    assert all(a != b for a, b in zip(card.log, card.log[1:], strict=False))


def test_a_log_entry_holds_the_mean_loss_since_the_last_one(base):
    made = sft.examples(
        [{"messages": [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "We."}]}],
        base.tokenizer,
        base.transformer.config.context,
    )

    def watch(lm):
        return {"words": 1.0}

    watch.reference = {"words": 1.0}
    losses = []
    recipe = Recipe(steps=2 * vital_signs.READINGS, rate=1e-3)
    _, log = vital_signs.tune_watched(
        base, made, recipe, watch, lambda lm, record: losses.append(record["loss"]), progress=False
    )
    assert [entry["step"] for entry in log] == [1, *range(2, recipe.steps + 1, 2)]
    assert log[0]["loss"] == losses[0] and log[1]["loss"] == losses[1]
    assert [entry["loss"] for entry in log[2:]] == pytest.approx(np.reshape(losses[2:], (-1, 2)).mean(axis=1))


def test_a_symbol_is_not_held_by_a_word_that_begins_with_it(world):
    own = rows_from("kind,subject,answer\nsymbol,unobtainium,U\n", world)

    class Parrot:
        def reply_all(self, talks, **_):
            return ["The symbol of unobtainium is Uo.", "It is U, they say."]

    assert [answer.holds for answer in card.own_answers(Parrot(), own)] == [False, True]


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


def test_every_script_stands_on_the_page_as_it_was_typed():
    """Spaces and joiners that French, Persian, Hindi, Japanese and family emoji need; new letters; line ends."""
    for text in ("Bonjour\u00a0!", "\u0645\u06cc\u200c\u062e", "\u0915\u094d\u200d\u0937", "\u5168\u3000\u89d2",
                 "\U0001f469\u200d\U0001f467", "\U0001fae8", "a\r\nb\tc"):  # fmt: skip
        assert report_card.escape(text) == text
    for sign in "\x00\x07\x1b\x7f\x85\u202e\u2066\ud800\uffff":
        assert report_card.escape(f"a{sign}<b>") == "a\N{REPLACEMENT CHARACTER}&lt;b&gt;"


def test_the_page_holds_every_own_row_dimension_and_problem(hostile_card):
    page = report_card.page(hostile_card)
    for name in (*dimensions.DIMENSIONS[:4], "safety: harmful refused", "safety: harmless not refused"):
        assert name in page
    assert "Fine &lt;b&gt;it is&lt;/b&gt;." in page and "1 lines that were set aside" in page
    assert hostile_card.diagnosis.verdict in page


def test_the_notebook_takes_rows_with_an_address_in_them(hostile_card, tmp_path, monkeypatch):
    """A learner may write "see https://..." into a row: it stands on the card as text, and is no error."""
    monkeypatch.chdir(tmp_path)
    cells = json.loads((NOTEBOOKS / "08_conclusion.ipynb").read_text(encoding="utf-8"))["cells"]
    (cell,) = (cell for cell in cells if "report_card.write_card(" in "".join(cell["source"]))
    names = {"report_card": report_card, "cards": {"mine": hostile_card}, "learned": "mine", "Path": Path}
    exec("".join(cell["source"]), names | {"Markdown": str})  # noqa: S102 - the course's own cell
    assert "https://example.org" in Path("my_report_card.html").read_text(encoding="utf-8")


def test_a_card_is_written_whole_or_not_at_all(hostile_card, tmp_path, monkeypatch):
    path = tmp_path / "card.html"
    path.write_text("the old card")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        report_card.write_card(hostile_card, path)
    assert path.read_text() == "the old card" and [p.name for p in tmp_path.iterdir()] == ["card.html"]
    with pytest.raises(FileProblem, match=r"\.html"):
        report_card.write_card(hostile_card, tmp_path / "card.txt")


def test_where_right_answers_have_no_trigram_the_page_says_of_none_what_it_should_be(base, tmp_path):
    """A world that answers in a word or two."""
    terse = re.sub(r"(?m),response,.*", ",response,{answer}.", (NEW_WORLD / "wordings.csv").read_text())
    new = load_world(other_world(tmp_path / "world", wordings=terse))
    _, card = judge(base, new, recipe=Recipe(steps=4, rate=1e-4), every=5, progress=False)
    assert "distinct trigrams" in card.log[0] and "distinct trigrams" not in card.reference
    assert not re.search(r"\bnan\b", report_card.page(card))


# --- another world ---


@pytest.fixture
def quickly(monkeypatch):
    """Pre-training and tuning of a few steps: whether all goes through, not whether it learns."""
    monkeypatch.setattr(card, "DOCUMENTS", 400)
    monkeypatch.setattr(card, "PRETRAINING", Recipe(steps=6, rate=2e-3))
    monkeypatch.setattr(card.judge, "__kwdefaults__", card.judge.__kwdefaults__ | {"recipe": Recipe(3, 1e-4)})


def test_a_world_without_code_or_refusals_has_documents(world):
    new = load_world(NEW_WORLD)
    assert len(new.facts) >= 60 and len(new.wordings) >= 3
    for some in (new, replace(new, refusals=[])):
        documents = write_documents(some, 300)
        assert len(documents) == 300 and all(documents) and not any("def " in text for text in documents)


FEWEST = """kind,role,text
harbour,statement,The harbour of {subject} is {answer}.
harbour,heading,Harbour of {subject}
harbour,question,What is the harbour of {subject}?
harbour,response,The harbour of {subject} is {answer}.
"""


def other_world(folder: Path, **tables: str) -> Path:
    """The new world with tables replaced, in a folder of its own."""
    shutil.copytree(NEW_WORLD, folder)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_one_wording_of_each_role_is_enough_for_documents(tmp_path):
    kinds = "kind,table,subject,answer\nharbour,islands,{island},{harbour}\n"
    few = load_world(other_world(tmp_path / "world", kinds=kinds, wordings=FEWEST))
    assert len(write_documents(few, 300)) == 300


def test_one_command_from_a_folder_of_tables_to_the_card(quickly, tmp_path, capsys):
    card = tmp_path / "card.html"
    assert report_card.main(["--world", str(NEW_WORLD), "-o", str(card)]) == 0
    assert "the world in new_world" in card.read_text() and "72 facts of 3 kinds" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["card.html"], "the checkpoint should be gone"


def test_a_world_in_which_nothing_is_to_be_refused_needs_no_table_of_requests(quickly, tmp_path):
    folder, card = other_world(tmp_path / "peaceful"), tmp_path / "card.html"
    (folder / "refusals.csv").unlink()
    assert report_card.main(["--world", str(folder), "-o", str(card)]) == 0
    assert re.search("harmful refused</td>(<td>none asked</td>)+", card.read_text())


def test_an_interrupted_pretraining_goes_on_and_not_with_another_world(quickly, tmp_path, monkeypatch):
    new = load_world(NEW_WORLD)
    monkeypatch.setattr(card, "pretrain", lambda *_, checkpoint: checkpoint.write_bytes(b""))
    _, first = base_of(new, tmp_path / "card.html")
    _, again = base_of(new, tmp_path / "card.html")
    _, other = base_of(replace(new, facts=new.facts[:-1]), tmp_path / "card.html")
    assert first == again != other and first.parent == tmp_path
    monkeypatch.setattr(card, "PRETRAINING", Recipe(steps=7, rate=2e-3))
    assert base_of(new, tmp_path / "card.html")[1] not in (first, other)


ONE_FACT = {
    "kinds": "kind,table,subject,answer\nharbour,islands,{island},{harbour}\n",
    "islands": "island,harbour\nArvel,Port Amity\n",
    "wordings": FEWEST,
}
ISLANDS, WORDINGS = ((NEW_WORLD / f"{name}.csv").read_text() for name in ("islands", "wordings"))


@pytest.mark.parametrize(
    "tables, message",
    [
        (ONE_FACT, "no fact with a one-line answer out of tuning"),
        (
            {"islands": f"{ISLANDS}Longland,{'very long ' * 60},Ada,rye\n"},
            "'Longland' of kind 'harbour': its answer takes",
        ),
        (
            {"wordings": f"{WORDINGS}crop,question,{'Say now: ' * 60}what grows on {{subject}}?\n"},
            "'crop': its question takes",
        ),
    ],
)
def test_a_world_that_cannot_be_judged_is_told_before_it_is_read(
    quickly, tmp_path, monkeypatch, capsys, tables, message
):
    monkeypatch.setattr(card, "pretrain", lambda *_, **__: pytest.fail("minutes of training for nothing"))
    folder = other_world(tmp_path / "world", **tables)
    assert report_card.main(["--world", str(folder), "-o", str(tmp_path / "card.html")]) == 1
    assert message in capsys.readouterr().err and [path.name for path in tmp_path.iterdir()] == ["world"]


def test_a_world_in_which_all_is_held_out_has_nothing_to_tune_on(base):
    new = load_world(NEW_WORLD)
    with pytest.raises(FactsError, match="nothing to tune on"):
        held_out = [fact for fact in new.facts if fact.held_out]
        card.see_that_it_can_be_judged(replace(new, facts=held_out), base)


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


@pytest.mark.parametrize(
    "output, message",
    [
        ("facts.csv/card.html", "facts.csv/card.html: cannot be written"),
        ("folder.html", "there is a folder of that name"),
        ("x" * 300 + ".html", "cannot be written"),
    ],
)
@pytest.mark.parametrize("of_world", [True, False])
def test_a_card_that_could_not_be_written_is_told_before_the_training(
    of_world, output, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    Path("facts.csv").write_text("kind,subject,answer\ncapital,Avalon,Appleton\n")
    Path("folder.html").mkdir()
    monkeypatch.setattr(report_card, "base_of", lambda *_: pytest.fail("minutes of training for nothing"))
    monkeypatch.setattr(report_card, "judge", lambda *_, **__: pytest.fail("minutes of training for nothing"))
    assert report_card.main([*(["--world", str(NEW_WORLD)] if of_world else ["facts.csv"]), "-o", output]) == 1
    assert message in capsys.readouterr().err and len(list(tmp_path.iterdir())) == 2


def test_an_interrupt_is_no_traceback_and_leaves_the_old_card(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report_card, "judge", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    card = tmp_path / "new_folder" / "card.html"
    monkeypatch.setattr(report_card, "base_of", lambda *_: (None, tmp_path / "unfinished"))
    assert report_card.main(["--world", str(NEW_WORLD), "-o", str(card)]) == 130
    assert "goes on with the pre-training" in capsys.readouterr().err and not list(card.parent.iterdir())


def test_the_world_of_this_folder_has_a_name_too(quickly, tmp_path, monkeypatch):
    monkeypatch.chdir(other_world(tmp_path / "islands"))
    assert report_card.main(["--world", ".", "-o", "card.html"]) == 0
    assert "<h1>Report card: the world in islands</h1>" in Path("card.html").read_text()


def test_a_world_in_which_nothing_is_held_out_is_an_error(base):
    new = load_world(NEW_WORLD)
    with pytest.raises(FactsError, match="judged"):
        vital_signs.Watch(base, replace(new, facts=[fact for fact in new.facts if not fact.held_out]))
