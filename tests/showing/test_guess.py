"""Guesses: kept when asked to, judged fairly, never changed after the figure was shown."""

import pytest

from helpers import progress
from helpers.showing import guess


@pytest.fixture(autouse=True)
def own_file(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "PROGRESS", tmp_path / "progress.json")


def parts(box):
    row, status = box.children
    return *row.children, status


def keep(key: str, low: float, high: float):
    least, most, button, status = parts(guess.box(key, "How many?", "%", 0, 100))
    least.value, most.value = low, high
    button.click()
    return status.value


def test_nothing_is_stored_before_the_button():
    least, *_ = parts(guess.box("a", "How many?", "%", 0, 100))
    least.value = 5
    assert not progress.PROGRESS.exists()
    assert "Measured: 50 (40 to 60)" in guess.reveal("a", 50, (40, 60)).data
    assert not progress.PROGRESS.exists(), "a figure without a guess is not kept"


def test_a_guess_is_kept_and_found_again():
    assert "Kept: 20 to 40 %" in keep("a", 20, 40)
    least, most, _, status = parts(guess.box("a", "How many?", "%", 0, 100))
    assert (least.value, most.value) == (20, 40) and "Kept before: 20 to 40 %" in status.value
    assert 'role="status"' in status.value


def test_a_range_upside_down_is_told_and_not_kept():
    assert "Not kept: 60 is more than 40" in keep("a", 60, 40)
    assert progress.section("guesses") == {}


def test_after_the_figure_the_first_guess_stays():
    keep("a", 20, 40)
    assert "It lies outside your range" in guess.reveal("a", 55.2, (50, 60)).data
    assert "your first guess stays: 20 to 40" in keep("a", 50, 60)
    assert "outside" in guess.reveal("a", 55.2).data


def test_the_drawing_holds_guess_and_figure_within_its_edges():
    for low, high, value in ((0, 0, 0), (-5, 5, 140), (100, 100, 50)):
        drawing = guess.line_svg({"low": low, "high": high, "unit": "%"}, value, (value - 1, value + 1), "label")
        assert 'aria-label="label"' in drawing and "nan" not in drawing


@pytest.mark.parametrize("held, words", [(8, "about as sure as you may be"), (3, "too narrow"), (10, "wider than")])
def test_calibration_counts_ranges_that_hold(held, words):
    for number in range(10):
        keep(f"{number}", 40, 60)
        guess.reveal(f"{number}", 50 if number < held else 90)
    told = guess.calibration().data
    assert f"{held} of your 10 ranges hold" in told and words in told
    assert told.count("✔") == held and told.count("✘") == 10 - held


def test_without_guesses_it_says_so():
    keep("a", 1, 2)
    assert "no guesses yet" in guess.calibration().data


def test_a_hostile_question_is_only_text(capsys):
    guess.ask("a", "<img src=x onerror=alert(1)>")
    keep("a", 1, 2)
    guess.reveal("a", 1.5)
    assert "<img" not in guess.calibration().data
