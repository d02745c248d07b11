"""The report card as a page and as a command: it stands alone, what was typed is text, and trouble is told at once."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers import load
from helpers.experiments.mission import WAYS
from helpers.files import FileProblem
from helpers.judging import card, dimensions
from helpers.judging.card import OwnAnswer, judge
from helpers.learning.recipe import TUNING
from helpers.learning.training import Recipe
from helpers.showing import report_card
from helpers.text.datasets import Problem
from helpers.text.facts import load_world
from helpers.text.own_rows import rows_from
from tests.worlds import FEWEST, NEW_WORLD, SPANISH_WORLD, other_world

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
HOSTILE = '</td><script>alert(1)</script><img src="https://example.org/x" onerror=alert(2)>\x00\u202e'


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


# --- the page ---


class Tags(HTMLParser):
    """Every tag and attribute of a page, and whether the tags are closed in order."""

    VOID = {"meta", "br", "img"}

    def __init__(self, text: str):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):  # <rect/>
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"


def test_the_page_stands_alone_and_what_was_typed_is_text_only(hostile_card):
    page = report_card.page(hostile_card)
    tags = Tags(page)
    assert not tags.open
    assert not {tag for tag, _ in tags.elements} & {"script", "img", "link", "iframe", "object", "a", "b"}
    for tag, attributes in tags.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "href")], (tag, attributes)
    assert "url(" not in page and "@import" not in page and "\x00" not in page and "\u202e" not in page
    assert page.count("&lt;script&gt;") >= 3  # title, heading, the line that was set aside


def test_the_page_holds_every_own_row_dimension_and_problem(hostile_card):
    page = report_card.page(hostile_card)
    for name in (*dimensions.DIMENSIONS[:4], "safety: harmful refused", "safety: harmless not refused"):
        assert name in page
    assert "Fine &lt;b&gt;it is&lt;/b&gt;." in page and "1 line set aside; nothing" in page
    assert hostile_card.diagnosis.verdict in page


def test_the_page_says_how_many_lines_the_learners_validator_set_aside(hostile_card):
    mine = Problem("your rows", 3, "", report_card.BY_VALIDATOR, "{}")
    page = report_card.page(replace(hostile_card, problems=[mine, *hostile_card.problems]))
    assert "2 lines set aside (by your validator: 1); nothing else" in page and report_card.BY_VALIDATOR in page
    assert "Every line of yours could be used" not in page
    assert "Every line of yours could be used" in report_card.page(replace(hostile_card, problems=[]))


def test_what_does_not_fit_is_said_before_all_else(base, world):
    """A row of 5,000 words is not counted as tuned on, however often the card is made."""
    long = [{"prompt": "Why?", "completion": "word " * 5000}, {"prompt": "word " * 5000, "completion": "Yes."}]
    text = "".join(json.dumps(row) + "\n" for row in (*long, {"prompt": "Who?", "completion": "We.", "source": "me"}))
    with pytest.warns(UserWarning, match="'source'"):
        own = rows_from(text, world)
    for _ in range(2):
        _, one = judge(base, world, own, recipe=Recipe(steps=2, rate=1e-4), every=40, times=3, progress=False)
        page = report_card.page(one)
        lines = page[page.index("<ul>") :].split("</li>")
        assert "2 of your 3 do not fit this model and are not tuned on (line 1, 2)" in lines[0]
        assert "a question may take 80 tokens" in lines[0] and "an answer 47. Shorten them" in lines[0]
        assert one.tuned_on["your own"] == 3 and page.count("Shorten it") == 2 and "&#x27;source&#x27; (1)" in page


def test_the_page_stays_small_and_shows_first_what_failed(hostile_card):
    """Thousands of rows, of the signs that take most room when they are escaped."""
    good = OwnAnswer(1, "Why?", "Because.", "Because.", False, True)
    bad = OwnAnswer(2, "<&>" * 100, "'\U0001f600" * 90, '"' * 300, False, False)
    problems = [Problem("f" * 200, line, "", "m" * 300, "<" * 10_000) for line in range(5000)]
    page = report_card.page(replace(hostile_card, own=[good, *[bad] * 5000], problems=problems, notes=["&" * 90_000]))
    assert len(page.encode()) <= 500_000
    assert re.search(r"What failed comes first. \d+ of 5,001 are shown", page)
    assert re.search(r"5,000 lines set aside; [^.]*\. \d+ of 5,000 are shown", page)
    small = report_card.page(replace(hostile_card, own=[good, bad]))
    assert small.index("✘ no") < small.index("✔ exactly") and "2 are shown" not in small


def test_the_card_says_whether_the_mission_succeeded_and_which_tries_there_are(hostile_card, monkeypatch):
    page = report_card.page(hostile_card)
    assert "✘ Mission not accomplished" in page and "or with replay: other tries stand below" in page
    for options in filter(None, report_card.TRIES.values()):
        assert options in page
    assert set(report_card.TRIES) == set(WAYS), "the card names what was measured"
    monkeypatch.setattr(card.Card, "success", True)
    assert "✔ Mission accomplished" in report_card.page(hostile_card)


def test_the_log_is_told_reading_by_reading(hostile_card):
    page = report_card.page(hostile_card)
    assert page.count("<td", page.index("reading by reading")) >= 6 * len(hostile_card.log)
    assert "It does not ask whether answers are right" in page


def test_without_measurements_the_tries_are_named_all_the_same(monkeypatch):
    def none(name):
        raise FileProblem("there is no such result")

    monkeypatch.setattr(report_card, "read_results", none)
    assert "--alone" in report_card.tries()


def test_the_notebook_takes_rows_with_an_address_in_them(hostile_card, tmp_path, monkeypatch):
    """A learner may write "see https://..." into a row: it stands on the card as text, and is no error."""
    monkeypatch.chdir(tmp_path)
    cells = json.loads((NOTEBOOKS / "08_conclusion.ipynb").read_text(encoding="utf-8"))["cells"]
    (cell,) = (cell for cell in cells if "report_card.write_card(" in "".join(cell["source"]))
    names = {"report_card": report_card, "card": hostile_card, "Path": Path}
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


# --- the command ---


ONE_FACT = {
    "kinds": "kind,table,subject,answer\nharbour,islands,{island},{harbour}\n",
    "islands": "island,harbour\nArvel,Port Amity\n",
    "wordings": FEWEST,
}
ISLANDS, WORDINGS = ((NEW_WORLD / f"{name}.csv").read_text() for name in ("islands", "wordings"))


@pytest.fixture
def quickly(monkeypatch):
    """Pre-training and tuning of a few steps: whether all goes through, not whether it learns."""
    monkeypatch.setattr(card, "DOCUMENTS", 400)
    monkeypatch.setattr(card, "PRETRAINING", Recipe(steps=6, rate=2e-3))
    monkeypatch.setattr(card.judge, "__kwdefaults__", card.judge.__kwdefaults__ | {"recipe": Recipe(3, 1e-4)})


@pytest.mark.parametrize("folder, facts", [(NEW_WORLD, "72 facts of 3 kinds"), (SPANISH_WORLD, "100 facts of 5 kinds")])
def test_one_command_from_a_folder_of_tables_to_the_card(quickly, tmp_path, capsys, folder, facts):
    card = tmp_path / "card.html"
    assert report_card.main(["--world", str(folder), "-o", str(card)]) == 0
    assert f"the world in {folder.name}" in card.read_text() and facts in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["card.html"], "the checkpoint should be gone"


def test_a_world_in_which_nothing_is_to_be_refused_needs_no_table_of_requests(quickly, tmp_path):
    folder, card = other_world(tmp_path / "peaceful"), tmp_path / "card.html"
    (folder / "refusals.csv").unlink()
    assert report_card.main(["--world", str(folder), "-o", str(card)]) == 0
    assert re.search("harmful refused</td>(<td [^>]*>none asked</td>)+", card.read_text())


@pytest.mark.parametrize(
    "tables, message",
    [
        (ONE_FACT, "no fact with a one-line answer for development"),
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


def test_what_fits_is_said_before_the_training(base, quickly, tmp_path, capsys):
    rows = [{"prompt": "Why?", "completion": "word " * 5000}, {"prompt": "Who?", "completion": "We."}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ["--replay", "0.1", "--rate", "1e-4", "--times", "3"]
    output = tmp_path / "card.html"

    def judge(base, world, own, **how):
        first = capsys.readouterr().out
        assert "1 of your lines can be used, 1 cannot" in first and "1 of your 2 do not fit" in first
        assert (how["recipe"].rate, how["recipe"].steps) == (1e-4, TUNING.steps)
        assert (how["replay"], how["times"], how["tune_on"]) == (0.1, 3, "with the world's rows")
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_card, "judge", judge)
        assert report_card.main([str(tmp_path / "rows.jsonl"), "-o", str(output), *arguments]) == 130
    assert report_card.main([str(tmp_path / "rows.jsonl"), "-o", str(output), "--alone"]) == 0
    assert "Your rows in other words: 0 of 0" not in capsys.readouterr().out and output.stat().st_size < 500_000


@pytest.mark.parametrize("options", ["--times 0", "--rate 0", "--rate nan", "--replay 1", "--replay -1"])
def test_options_out_of_range_are_refused(options, capsys):
    with pytest.raises(SystemExit):
        report_card.main(["rows.jsonl", *options.split()])
    assert f"{options.split()[0]} is" in capsys.readouterr().err


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
