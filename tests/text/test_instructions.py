"""The course's own dataset: nothing held out is in it, every answer is right, every kind of row is there."""

from dataclasses import replace

import pytest

from helpers.experiments.rebuild import DATASET_FILE
from helpers.text.datasets import read_dataset
from helpers.text.instructions import (
    MADE_UP,
    REFUSAL,
    SYSTEM_PROMPTS,
    UNKNOWN,
    fact_rows,
    follow_up_rows,
    input_rows,
    instruction_rows,
    is_held_out,
    refusal_rows,
    summary,
    system_rows,
    unknown_rows,
    whole_dataset,
)


def test_fact_rows_hold_nothing_held_out_and_all_else(world):
    """Neither a held-out fact nor the last wording of any question."""
    rows = fact_rows(world)
    questions = {row["messages"][0]["content"] for row in rows}
    others = {way for fact in world.facts for way in (fact.ways("question") if fact.held_out else
                                                    fact.ways("question")[-1:])}
    assert not questions & others and questions | others == world.questions
    assert {(row["messages"][0]["content"], row["messages"][1]["content"]) for row in rows} == {
        (way, fact.say("response")) for fact in world.facts for way in fact.ways("question") if way in questions}


@pytest.mark.parametrize("make", [input_rows, refusal_rows, follow_up_rows, system_rows, unknown_rows])
def test_the_two_halves_share_no_row_and_the_held_out_half_is_not_in_the_dataset(world, make):
    tuned_on, held_out, dataset = make(world), make(world, held_out=True), whole_dataset(world)
    assert tuned_on and held_out
    assert not [row for row in held_out if row in tuned_on or row in dataset]


def test_no_held_out_response_is_anywhere_in_the_dataset(world):
    """Not even in an earlier turn, a text to sum up, or a detailed answer. (A summary's topic is no answer.)"""
    forbidden = {fact.say("response") for fact in world.facts if fact.held_out}
    forbidden -= {fact.say("response") for fact in world.facts if not fact.held_out}  # two facts may have one response
    for row in whole_dataset(world):
        for turn in row["messages"]:
            text = turn["content"] + " " + turn.get("input", "")
            assert not [response for response in forbidden if response in text], row


def test_named_answers_stand_in_the_last_turn(world):
    for row in whole_dataset(world):
        assert row.get("answer", "") in row["messages"][-1]["content"]


def test_a_follow_up_leaves_out_what_the_first_turn_says(world):
    by_response = {fact.say("response"): fact for fact in world.facts}
    by_question = {way: fact for fact in world.facts for way in fact.ways("question")}
    for row in follow_up_rows(world):
        first, response, follow_up, answer = (turn["content"] for turn in row["messages"])
        about, before = by_response[answer], by_question[first]
        assert response == before.say("response") and not about.held_out and not before.held_out
        if row["leaves out"] == "the kind":
            assert before.kind == about.kind and before.subject != about.subject and about.subject in follow_up
        else:
            assert before.subject == about.subject and before.kind != about.kind and about.subject not in follow_up


def test_system_prompts_pair_with_short_and_long_answers(world):
    words = {style: [] for style in SYSTEM_PROMPTS}
    for row in system_rows(world):
        assert row["messages"][0]["content"] in SYSTEM_PROMPTS[row["kind"]][:-1]
        words[row["kind"]].append(len(row["messages"][-1]["content"].split()))
    assert max(words["concise"]) < min(words["detailed"])


def test_summaries_name_the_topic_of_their_text_and_do_not_repeat_it(world):
    by_answer = {summary(fact): fact for fact in world.facts}
    rows = [row for row in input_rows(world) if row["kind"] == "summary"]
    for row in rows:
        fact = by_answer[row["messages"][1]["content"]]
        assert any(way in row["messages"][0]["input"] for way in fact.ways("statement"))


def test_refusals_refuse_what_is_harmful_and_nothing_harmless(world):
    harmless = {way for fact in world.facts for way in fact.ways("question")}
    for row in refusal_rows(world) + refusal_rows(world, held_out=True):
        assert row["messages"][1]["content"] == REFUSAL and row["messages"][0]["content"] not in harmless


def test_what_is_not_known_does_not_exist(world):
    names = {fact.subject for fact in world.facts} | {fact.answer for fact in world.facts}
    assert not names & set(MADE_UP) and len(set(MADE_UP)) == len(MADE_UP)
    assert 0.3 < sum(map(is_held_out, MADE_UP)) / len(MADE_UP) < 0.7
    assert {row["messages"][1]["content"] for row in unknown_rows(world)} == {UNKNOWN}


def test_a_world_with_one_wording_of_each_has_rows_of_every_sort(world):
    """A teacher's world may have no second wording to keep back: then the only one is taught."""
    few = {kind: {role: ways[:1] for role, ways in roles.items()} for kind, roles in world.wordings.items()}
    small = replace(world, facts=[replace(fact, wordings=few[fact.kind]) for fact in world.facts], wordings=few)
    questions = {fact.say("question") for fact in small.facts if not fact.held_out}
    assert {row["messages"][0]["content"] for row in fact_rows(small)} == questions
    assert all(turn.get("input", "text") for row in input_rows(small) for turn in row["messages"])
    assert {row["kind"] for row in whole_dataset(small)} == {row["kind"] for row in whole_dataset(world)}


def test_the_shipped_tuned_model_learns_from_the_first_groups_only(world):
    kinds = {row["kind"] for row in instruction_rows(world)}
    assert kinds == {*world.wordings, "input", "summary", "refusal"}
    assert {row["kind"] for row in whole_dataset(world)} == kinds | {"follow-up", "concise", "detailed", "unknown"}


def test_the_file_is_what_this_code_writes(world):
    """Turn by turn; in the messages format an input stands in the text."""
    dataset, rows = read_dataset(DATASET_FILE), whole_dataset(world)
    assert not dataset.problems and len(dataset.rows) == len(rows)
    assert [row["kind"] for row in dataset.rows] == [row["kind"] for row in rows]
    assert [row["messages"][-1] for row in dataset.rows] == [row["messages"][-1] for row in rows]
