"""Notebook 08's mission: the drawing's targets are the card's, and the tables show what each try gave."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.figures import own_world
from helpers.judging.card import FEWEST_RIGHT, FEWEST_TOLD, Card, OwnAnswer
from helpers.judging.statistics import share
from helpers.learning.recipe import TUNING, TUNING_ROWS
from helpers.showing import report_card
from helpers.showing.guess import SURE
from helpers.text import own_rows
from helpers.text.instructions import instruction_rows

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "08_conclusion.ipynb"


def card(told: int, right: float, hostile: str = "a") -> SimpleNamespace:
    """What the tables read of a card."""
    own = [OwnAnswer(n, f"q{n}", hostile, hostile, taught, taught or n < told) for n in range(5)
           for taught in (True, False)]
    hits = round(100 * right)
    shell = SimpleNamespace(own=own, world_share=share([True] * hits + [False] * (100 - hits)),
                            diagnosis=SimpleNamespace(verdict="healthy"))
    shell.own_share = lambda taught, exact=True: Card.own_share(shell, taught, exact)
    shell.told = Card.told.fget(shell)
    shell.success = Card.success.fget(shell)
    return shell


def test_the_path_names_both_targets():
    label = own_world.mission_path().label
    assert f"{FEWEST_TOLD:.0%} told" in label and f"{FEWEST_RIGHT:.0%} right" in label


@pytest.mark.parametrize(("told", "right", "said"), [(5, 0.9, "**win**"), (3, 0.9, "no win"), (5, 0.4, "no win")])
def test_a_try_wins_if_both_halves_are_there(told, right, said):
    table = own_world.tries_table({"mine": card(told, right)}, ["alone", "mine"]).data
    assert f"| mine | 5 of 5 | {told} of 5 | {right:.0%} | healthy | {said} |" in table
    assert "| alone | *not run yet* |" in table


def test_answers_are_marked_and_escaped():
    table = own_world.answers_table(card(3, 0.9, "<b>|x")).data
    assert table.count("✘") == 2 and table.count("*(other words)*") == 5
    assert "<b>" not in table and table.count("\n") == 6 and "&lt;b&gt;&#124;x" in table


def test_the_course_s_tuning_reads_each_row_about_once(world):
    assert 0.9 < TUNING.steps * TUNING_ROWS / len(instruction_rows(world)) < 1.1, "notebook 08 says so in 8.5"


def test_eight_of_the_ten_ranges_hold():
    drawing = own_world.reading_ranges()
    assert "8 of the ten hold" in drawing.label and f"{SURE:.0%} sure" in drawing.label
    assert sum(">missed<" in part for part in drawing.parts) == 2


def test_what_a_validator_set_aside_is_not_read_and_reaches_the_card(world):
    """The other rows stay on their lines, so that the card counts as the learner's text does."""
    first, third = ({"instruction": f"Who is {name}?", "output": f"{name} it is."} for name in ("Ann", "Bob"))
    text = "\n".join([json.dumps(first), "{}", "", json.dumps(third), "not json"])
    own = own_rows.rows_from(own_world.in_place(text, [first, third], [2, 5]), world)
    assert [row.line for row in own.rows] == [1, 4] and not own.problems
    own_world.set_aside(own, text, [2, 5])
    assert [(one.line, one.raw, one.message) for one in own.problems] == [(2, "{}", report_card.BY_VALIDATOR),
                                                                          (5, "not json", report_card.BY_VALIDATOR)]
    own_world.set_aside(own, text, [])
    assert len(own.problems) == 2


def test_my_text_is_read_only_if_it_is_what_is_brought(capsys):
    """A faulty line of it is no news to a learner who brings a table."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf8"))["cells"]
    (cell,) = (source for source in ("".join(cell["source"]) for cell in cells) if source.startswith("bring = "))
    told = {}
    for bring in ("my rows", "a table"):
        names = {"my_text": "{}", "usable": lambda _: ([], [1]), "own_world": own_world, "own_rows": own_rows}
        exec(cell.replace('bring = "my rows"', f"bring = {bring!r}"), names)
        told[bring] = capsys.readouterr().out, names["bad"]
    assert told == {"my rows": ("line 1 cannot be used: {}\n", [1]), "a table": ("", [])}


def test_a_line_that_cannot_be_used_is_shown_by_its_number(capsys):
    own_world.bad_lines("good\nbad one\n", [2])
    assert capsys.readouterr().out == "line 2 cannot be used: bad one\n"


def test_the_counter_says_how_far_a_try_is(monkeypatch):
    shown = []
    monkeypatch.setattr(own_world, "display", lambda *_, **__: SimpleNamespace(update=lambda page: shown.append(page)))
    on_step = own_world.counter(15)
    for step in range(15):
        assert not on_step(None, {"step": step, "loss": 1.25})
    assert [page.data for page in shown] == ["<i>step 10 of 15, loss 1.25</i>", "<i>step 15 of 15, loss 1.25</i>"]


def test_a_try_that_there_is_not_is_told_before_any_is_trained():
    tries = {"alone": {}, "repeated, with replay": {}}
    assert own_world.known(["alone"], tries) == ["alone"]
    with pytest.raises(ValueError, match="'repeated with replay'; there are 'alone', 'repeated, with replay'"):
        own_world.known(["alone", "repeated with replay"], tries)
