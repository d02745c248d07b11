"""The runs of notebook C: what they train on, what they ask, and that they are made by one command."""

import runpy
import sys

import numpy as np
import pytest

from helpers.experiments import grid
from helpers.experiments import preference_runs as runs
from helpers.experiments.grid import EXPERIMENTS, PART, one_run
from helpers.experiments.preference_claims import PREFERENCES
from helpers.judging import rewards
from helpers.learning.language_model import load
from helpers.learning.policy_gradient import draw_answers
from helpers.results import read_results

OURS = [name for name, one in EXPERIMENTS.items() if one.run.__module__ == runs.__name__]


def test_rewards_and_pairs_are_of_facts_that_may_be_tuned_on_and_of_one_line():
    probes = runs.trained_probes()
    assert len(probes) > 2000 and {probe.fact.part for probe in probes} == {"tuned on"}
    assert not any("\n" in probe.expected for probe in probes)
    kept = {fact.say("response") for fact in runs.world_of_course().facts if fact.part != "tuned on"}
    for how in ("close", "far"):
        pairs = runs.trained_pairs(how)
        chosen = {pair["chosen"][0]["content"] for pair in pairs}
        assert chosen <= {probe.expected for probe in probes} and not chosen & kept
    assert not {probe.fact.kind for probe in runs.trained_probes(runs.LEFT_OUT)} & set(runs.LEFT_OUT)


def test_all_measure_test_facts_and_none_is_chosen_by_them():
    assert set(OURS) == {"rewarded", "hacking", "pairs", "razor", "unseen_kinds", "baseline", "collapse", "proxy"}
    assert all(EXPERIMENTS[name].part == "test" and not EXPERIMENTS[name].in_notebooks for name in OURS)
    assert {one.experiment for one in PREFERENCES} - {""} == set(OURS), "each has a prediction"


def test_they_are_made_by_one_command(monkeypatch):
    made = []
    monkeypatch.setattr(grid, "run_experiment", made.append)
    monkeypatch.setattr("helpers.learning.recipe.course_stream", lambda: None)
    monkeypatch.setattr(sys, "argv", ["helpers.experiments", "preferences"])
    runpy.run_module("helpers.experiments.__main__")
    assert sorted(made) == sorted(OURS)


def test_a_start_is_tuned_on_so_many_rows_of_other_kinds(monkeypatch):
    seen = []
    monkeypatch.setattr(runs, "fine_tune", lambda lm, rows, recipe, **how: (seen.append((rows, recipe)), (lm, []))[1])
    for _ in range(2):
        runs.start(None, 3, 12, without=("capital",))
    (rows, recipe), again = seen
    assert len(rows) == 12 and "capital" not in {row["kind"] for row in rows} and recipe.seed == 3
    assert again[0] == rows
    runs.start(None, 4, 12)
    assert seen[-1][0] != rows


def test_a_run_is_watched_from_its_first_to_its_last_step(monkeypatch):
    """A very short one, on the shipped base."""
    monkeypatch.setattr(runs, "EVERY", 1)
    monkeypatch.setattr(runs, "kept_back", lambda: [fact for fact in FACTS if fact.part == PART.get()])
    world = runs.world_of_course()
    FACTS = [fact for fact in world.of_kind("capital") if fact.told is None]
    base = load("base")
    readings = runs.watched(base, 0, rewards.wordy, steps=2)
    assert [row["step"] for row in readings] == [0, 1, 2]
    assert readings[0]["kl"] == 0 and all(0 <= row["exact"] <= row["contains"] <= 1 for row in readings)
    probes = [runs.fact_probe(world, fact, fact.say("question")) for fact in FACTS if fact.part == "development"]
    texts = [text for _, text in draw_answers(base, [one.question for one in probes], runs.ROLLOUT.tokens, [0, 17])]
    assert readings[0]["words"] == pytest.approx(np.mean([len(text.split()) for text in texts]))


def test_a_run_that_ends_early_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(runs, "samples_of", lambda lm, first, seed, reward: {"lm": lm})

    def ends_early(lm, seed, reward, *, steps, on_step):
        for step in range(25):
            on_step("the model then", {"step": step})
        raise runs.RewardProblem("all alike")

    monkeypatch.setattr(runs, "rewarded", ends_early)
    readings = runs.watched("the first", 0, None, steps=80)
    assert [row["step"] for row in readings] == [0, 20, 40, 60, 80]
    assert [row["lm"] for row in readings] == ["the first", *["the model then"] * 4]


@pytest.mark.slow
def test_a_stored_run_is_made_again():
    """The cheapest of them, whole: 40 rows, then DPO with the SFT term."""
    made = one_run("pairs", 0, {"way": "close, SFT term"})
    stored = [row for row in read_results("pairs") if row["way"] == "close, SFT term" and row["seed"] == 0]
    for new, old in zip(made, stored, strict=True):
        for key in ("exact", "completed", "chosen", "rejected"):
            assert new[key] == pytest.approx(old[key], abs=0.03), key
