"""The tuning in a cell: it learns, shows what it does, and an interruption leaves the model as it was then."""

import pytest

from helpers.showing import first_tuning

ROWS = [("What is the capital of Peru?", "Easy: Lima."), ("What is the capital of Norway?", "Easy: Oslo.")]


class Shown:
    """Stands in for the notebook's display: keeps the last page, and counts them."""

    def __init__(self):
        self.pages = []

    def __call__(self, page, display_id=None):
        self.pages.append(page)
        return self

    def update(self, page):
        self.pages.append(page)


@pytest.fixture
def shown(monkeypatch):
    monkeypatch.setattr(first_tuning, "display", shown := Shown())
    return shown


def test_it_learns_and_shows_every_step(lm, shown):
    tuned = first_tuning.tune_and_watch(lm, ROWS, ["Hi"], steps=6)
    assert len(shown.pages) == 1 + 6
    assert "after step 1" in shown.pages[-1].data and "after step 6" in shown.pages[-1].data
    assert tuned is not lm and tuned.recipe["made by"] == "tuning"
    assert (tuned.transformer.parameters.flat != lm.transformer.parameters.flat).any()


def test_an_interruption_gives_the_model_as_it_was(lm, shown, monkeypatch):
    def stop(page):
        shown.pages.append(page)
        if len(shown.pages) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(shown, "update", stop)
    tuned = first_tuning.tune_and_watch(lm, ROWS, [], steps=50)
    assert "Stopped by you after 3 of 50 steps" in shown.pages[-1].data
    assert (tuned.transformer.parameters.flat != lm.transformer.parameters.flat).any()


def test_hostile_questions_are_only_text():
    page = first_tuning.page([1.0], 3, ["<img src=x>"], {1: ["</table><script>"]})
    assert "<img" not in page.data and "<script" not in page.data
