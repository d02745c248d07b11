"""Preference pairs made of the world: the chosen answer is right, the rejected one differs as it is said to."""

from dataclasses import replace

import pytest

from helpers.text.facts import PARTS
from helpers.text.instructions import fact_rows, tuning_wordings
from helpers.text.preferences import PAIRS, fact_pairs
from helpers.text.selections import FAREWELLS, GREETINGS


@pytest.mark.parametrize("how", PAIRS)
def test_the_chosen_answers_are_the_rows_to_tune_on(world, how):
    pairs = fact_pairs(world, how=how)
    rows = [{"messages": pair["prompt"] + pair["chosen"], **{key: pair[key] for key in ("kind", "answer")}}
            for pair in pairs]
    assert rows == fact_rows(world) and rows
    facts = {(fact.kind, fact.subject): fact for fact in world.facts}
    assert all(facts[pair["kind"], pair["subject"]].answer == pair["answer"] for pair in pairs)
    first = fact_rows(world, 1)
    assert [pair["prompt"] for pair in fact_pairs(world, how=how, wordings=1)] == [
        row["messages"][:1] for row in first]


@pytest.mark.parametrize("part", PARTS)
def test_a_close_pair_differs_in_the_fact_alone(world, part):
    """Of facts that may not be tuned on, too."""
    facts = {(fact.kind, fact.subject): fact for fact in world.facts}
    for pair in fact_pairs(world, part):
        fact, worse = facts[pair["kind"], pair["subject"]], pair["rejected"][0]["content"]
        assert fact.part == part and pair["prompt"][0]["content"] in tuning_wordings(fact.ways("question"))
        others = {replace(fact, answer=answer).say("response") for answer in world.answers_of(fact.kind)}
        assert worse in others - {fact.say("response")}


def test_no_rejected_answer_is_right_of_any_fact(world):
    right = {fact.say("response") for fact in world.facts}
    assert not right & {pair["rejected"][0]["content"] for part in PARTS for pair in fact_pairs(world, part)}


def test_a_far_pair_differs_in_the_form_alone(world):
    greetings, farewells = set(), set()
    for pair in fact_pairs(world, how="far"):
        before, after = pair["rejected"][0]["content"].split(pair["chosen"][0]["content"])
        greetings.add(before.strip())
        farewells.add(after.strip())
    assert greetings == set(GREETINGS) and farewells == set(FAREWELLS)


@pytest.mark.parametrize("how", PAIRS)
def test_another_seed_draws_other_answers_and_a_kind_less_moves_no_pair_of_the_others(world, how):
    pairs = fact_pairs(world, how=how)
    assert fact_pairs(world, how=how, seed=0) == pairs
    other = fact_pairs(world, how=how, seed=1)
    assert sum(one["rejected"] != two["rejected"] for one, two in zip(pairs, other, strict=True)) > len(pairs) / 2
    fewer = replace(world, facts=[fact for fact in world.facts if fact.kind != "capital"])
    assert fact_pairs(fewer, how=how) == [pair for pair in pairs if pair["kind"] != "capital"]


def test_of_a_kind_with_one_answer_there_are_far_pairs_only(world):
    one = [fact for fact in world.facts if fact.kind == "continent" and fact.answer == "Africa"]
    small = replace(world, facts=[fact for fact in world.facts if fact.kind == "capital"] + one)
    assert {pair["kind"] for pair in fact_pairs(small)} == {"capital"}
    assert {pair["kind"] for pair in fact_pairs(small, how="far")} == {"capital", "continent"}


@pytest.mark.parametrize("wrong", [{"part": "held out"}, {"how": "near"}])
def test_another_part_or_sort_of_pair_is_refused(world, wrong):
    with pytest.raises(ValueError, match=f"'tuned on', .*'close', 'far'.*{[*wrong.values()][0]}"):
        fact_pairs(world, **wrong)
