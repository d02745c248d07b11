"""A preference pair in all its forms: read where its meaning is plain, else refused by its name; written and read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.text.datasets import RowProblem
from helpers.text.formats import read_row
from helpers.text.pair_forms import FORMS, OWN, detect_pair, parse_pair, write_pair

ASK, GOOD, BAD = "What do bees make?", "Honey.", "Milk."
SYSTEM, USER = {"role": "system", "content": "Be brief."}, {"role": "user", "content": ASK}
YES, NO = {"role": "assistant", "content": GOOD}, {"role": "assistant", "content": BAD}
EARLIER = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
LATER = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "To eat it."}]
SCRIPT = f"\n\nHuman: {ASK}\n\nAssistant: "
LONG = f"\n\nHuman: Hi.\n\nAssistant: Hello.{SCRIPT}"


def sharegpt(turn):
    return {"from": {"user": "human", "assistant": "gpt"}[turn["role"]], "value": turn["content"]}


PLAIN = {  # -> the prompt; the answers are always YES and NO
    "TRL, explicit": ({"prompt": [USER], "chosen": [YES], "rejected": [NO]}, [USER]),
    "TRL, implicit": ({"chosen": [USER, YES], "rejected": [USER, NO]}, [USER]),
    "TRL, explicit texts": ({"prompt": ASK, "chosen": GOOD, "rejected": BAD}, [USER]),
    "a text beside turns": ({"prompt": ASK, "chosen": [YES], "rejected": BAD}, [USER]),
    "several turns, explicit": ({"prompt": [SYSTEM, *EARLIER, USER], "chosen": [YES], "rejected": [NO]},
                                [SYSTEM, *EARLIER, USER]),
    "several turns, implicit": ({"chosen": [*EARLIER, USER, YES], "rejected": [*EARLIER, USER, NO]},
                                [*EARLIER, USER]),
    "a shared answer in both": ({"prompt": EARLIER[:1], "chosen": [EARLIER[1], USER, YES],
                                 "rejected": [EARLIER[1], USER, NO]}, [*EARLIER, USER]),
    "hh-rlhf": ({"chosen": SCRIPT + GOOD, "rejected": SCRIPT + BAD}, [USER]),
    "hh-rlhf, several turns": ({"chosen": LONG + GOOD, "rejected": LONG + BAD + "\n"}, [*EARLIER, USER]),
    "hh-rlhf with a prompt": ({"prompt": SCRIPT, "chosen": GOOD, "rejected": BAD}, [USER]),
    "hh-rlhf with a prompt of several turns": ({"prompt": LONG.rstrip(), "chosen": GOOD, "rejected": BAD},
                                               [*EARLIER, USER]),
    "hh-rlhf, whole, with a prompt": ({"prompt": LONG, "chosen": LONG + GOOD, "rejected": LONG + BAD},
                                      [*EARLIER, USER]),
    "the prompt again, a text": ({"prompt": f" {ASK}\n", "chosen": [USER, YES], "rejected": [USER, NO]}, [USER]),
    "the prompt again, its first question": ({"prompt": "Hi.", "chosen": [*EARLIER, USER, YES],
                                              "rejected": [*EARLIER, USER, NO]}, [*EARLIER, USER]),
    "the prompt again, turns": ({"prompt": [USER], "chosen": [SYSTEM, USER, YES], "rejected": [SYSTEM, USER, NO]},
                                [SYSTEM, USER]),
    "the prompt again, a system prompt too": ({"prompt": [SYSTEM, USER], "chosen": [SYSTEM, USER, YES],
                                               "rejected": [SYSTEM, USER, NO]}, [SYSTEM, USER]),
    "Orca": ({"system": "Be brief.", "question": ASK, "chosen": GOOD, "rejected": BAD}, [SYSTEM, USER]),
    "Orca of distilabel": ({"system": "", "input": ASK, "chosen": GOOD, "rejected": BAD}, [USER]),
    "a question twice": ({"prompt": ASK, "question": ASK, "chosen": GOOD, "rejected": BAD}, [USER]),
    "LLaMA-Factory": ({"instruction": ASK, "input": "", "chosen": GOOD, "rejected": BAD}, [USER]),
    "LLaMA-Factory, an input": ({"instruction": ASK, "input": "On bees.", "chosen": GOOD, "rejected": BAD},
                                [USER | {"input": "On bees."}]),
    "LLaMA-Factory, turns": ({"conversations": [sharegpt(USER)], "chosen": sharegpt(YES), "rejected": sharegpt(NO)},
                             [USER]),
    "a history beside": ({"prompt": ASK, "chosen": GOOD, "rejected": BAD, "history": [["Hi.", "Hello."]]},
                         [*EARLIER, USER]),
    "a system prompt beside turns": ({"chosen": [USER, YES], "rejected": [USER, NO], "system": "Be brief."},
                                     [SYSTEM, USER]),
    "whole talks by name": ({"chosen_messages": [USER, YES], "rejected_messages": [USER, NO]}, [USER]),
    "answers j and k": ({"question": ASK, "response_j": GOOD, "response_k": BAD}, [USER]),
    "AlpacaFarm": ({"instruction": ASK, "input": None, "output_1": GOOD, "output_2": BAD, "preference": 1}, [USER]),
    "AlpacaFarm, the second": ({"instruction": ASK, "output_1": BAD, "output_2": GOOD, "preference": 2.0}, [USER]),
    "a table": ({"prompt": ASK, "chosen": GOOD, "rejected": BAD, "output_1": "", "preference": ""}, [USER]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_plain_is_read(name):
    row, prompt = PLAIN[name]
    pair, losses = parse_pair(row)
    assert {key: pair[key] for key in OWN} == {"prompt": prompt, "chosen": [YES], "rejected": [NO]}
    assert list(pair)[:3] == list(OWN) and not losses
    assert parse_pair(pair) == (pair, []), "the course's own form"


def test_other_keys_are_carried_along_and_those_that_are_used_are_not():
    row = {"prompt": ASK, "prompt_id": "x", "chosen": [USER, YES], "rejected": [USER, NO], "messages": [USER, YES],
           "score_chosen": 8.5, "score_rejected": 2.0, "system": None}  # UltraFeedback
    more = {"prompt_id": "x", "messages": [USER, YES], "score_chosen": 8.5, "score_rejected": 2.0}
    assert parse_pair(row) == ({"prompt": [USER], "chosen": [YES], "rejected": [NO]} | more, [])
    row = {"instruction": ASK, "input": "", "output_1": GOOD, "output_2": BAD, "preference": 1, "margin": 2}
    assert parse_pair(row)[0] == {"prompt": [USER], "chosen": [YES], "rejected": [NO], "margin": 2}


def test_what_is_lost_is_said():
    row = {"prompt": [USER | {"name": "Pim"}], "chosen": [YES], "rejected": [NO | {"name": "Lo"}]}
    assert parse_pair(row)[1] == ["'name' of a turn"]
    row = {"question": ASK, "response_j": GOOD, "response_k": BAD, "chosen": "j"}
    pair, losses = parse_pair(row)
    assert pair["chosen"] == [YES] and losses == ["the row's own 'chosen', a name that the format needs"]


REFUSED = {
    "no object": (["x"], "", "must be an object with named fields; this one is a list"),
    "an instruction row": ({"prompt": ASK, "completion": GOOD}, "", "keys prompt, completion is no preference pair, wh"
                           "ich needs prompt, chosen, rejected; .*read_dataset"),
    "no key": ({}, "", r"the keys \(none\)"),
    "KTO": ({"prompt": ASK, "completion": GOOD, "label": True}, "", "one answer and whether it is good .unpaired.*KTO"),
    "half a pair": ({"prompt": ASK, "chosen": GOOD}, "rejected", "is missing; a preference pair needs chosen and reje"),
    "the same answer": ({"prompt": ASK, "chosen": GOOD, "rejected": f" {GOOD}\n"}, "rejected",
                        "is the same answer as chosen, so neither is better; remove the row"),
    "the same talk": ({"chosen_messages": [USER, YES], "rejected_messages": [USER, YES]}, "rejected_messages",
                      "the same answer as chosen_messages"),
    "an empty answer": ({"prompt": ASK, "chosen": GOOD, "rejected": " \n"}, "rejected", "is empty; fill it in"),
    "an empty turn": ({"prompt": [*EARLIER, USER], "chosen": [YES], "rejected": [NO | {"content": ""}]},
                      "rejected[0].content", "is empty; fill it in"),
    "an empty turn of a prompt": ({"prompt": [USER | {"content": " "}], "chosen": [YES], "rejected": [NO]},
                                  "prompt[0].content", "is empty"),
    "an empty answer of hh-rlhf": ({"chosen": SCRIPT, "rejected": SCRIPT + BAD}, "chosen[1].content", "is empty"),
    "no answer": ({"prompt": ASK, "chosen": None, "rejected": BAD}, "chosen", "there is none .null."),
    "NaN": ({"prompt": ASK, "chosen": GOOD, "rejected": math.nan}, "rejected", "there is none .NaN."),
    "a number": ({"prompt": ASK, "chosen": 3, "rejected": BAD}, "chosen", "must be a text, not 3 .int.; put it in q"),
    "no turns": ({"prompt": ASK, "chosen": [], "rejected": BAD}, "chosen", "must be a text, not"),
    "answers in a list": ({"prompt": ASK, "chosen": [GOOD, "Wax."], "rejected": [BAD]}, "chosen",
                          "must be a text or a list of turns"),
    "a table by columns": ({"prompt": {"0": ASK}, "chosen": {"0": GOOD}, "rejected": {"0": BAD}}, "chosen",
                           "must be a text or a list of turns.*where this is a table by columns, a row a line"),
    "a prompt of texts": ({"prompt": [ASK], "chosen": GOOD, "rejected": BAD}, "prompt", "a list of turns"),
    "no prompt": ({"chosen": "The sky is blue.", "rejected": "The sky is green."}, "prompt",
                  "is missing, and nothing in the answers.*write the question as prompt, beside the answers"),
    "no prompt beside turns": ({"chosen": [YES], "rejected": [NO]}, "prompt", "is missing, and nothing"),
    "an empty prompt": ({"prompt": "", "chosen": GOOD, "rejected": BAD}, "prompt", "prompt: is empty"),
    "an empty list as prompt": ({"prompt": [], "chosen": GOOD, "rejected": BAD}, "prompt", "must be a text"),
    "two questions": ({"prompt": ASK, "question": "Why?", "chosen": GOOD, "rejected": BAD}, "",
                      r"which of prompt, question is asked\? Keep one"),
    "two prompts": ({"chosen": [USER, YES], "rejected": [EARLIER[0], NO]}, "chosen and rejected",
                    "have no prompt in common: they begin with different turns; bring two answers to the same"),
    "two prompts under one system prompt": ({"chosen": [SYSTEM, USER, YES], "rejected": [SYSTEM, EARLIER[0], NO]},
                                            "chosen and rejected", "have no prompt in common"),
    "a system prompt in one": ({"chosen": [SYSTEM, USER, YES], "rejected": [USER, NO]}, "chosen and rejected",
                               "have no prompt in common"),
    "another prompt beside": ({"prompt": "Why?", "chosen": [USER, YES], "rejected": [USER, NO]}, "prompt",
                              "is not the prompt with which the two answers begin; keep one"),
    "other turns beside": ({"prompt": [*EARLIER, USER], "chosen": [USER, YES], "rejected": [USER, NO]}, "prompt",
                           "is not the prompt with which"),
    "a system prompt in the prompt only": ({"prompt": [SYSTEM, USER], "chosen": [USER, YES], "rejected": [USER, NO]},
                                           "prompt", "is not the prompt with which"),
    "the prompt in one of both": ({"prompt": ASK, "chosen": [USER, YES], "rejected": [NO]}, "chosen",
                                  "begins with the prompt, and rejected with an answer; write both"),
    "the prompt in the other": ({"prompt": ASK, "chosen": GOOD, "rejected": SCRIPT + BAD}, "rejected",
                                "begins with the prompt, and chosen with an answer"),
    "a prompt that ends with an answer": ({"prompt": EARLIER, "chosen": [YES], "rejected": [NO]}, "prompt",
                                          "ends with a turn of the assistant; a prompt ends with the user's turn"),
    "a prompt of a system alone": ({"prompt": [SYSTEM], "chosen": [YES], "rejected": [NO]}, "prompt",
                                   "ends with a turn of the system"),
    "turns beside that end with an answer": ({"messages": [USER, YES], "chosen": GOOD, "rejected": BAD}, "messages",
                                             "ends with a turn of the assistant"),
    "a talk without its answer": ({"chosen": [USER, YES], "rejected": [USER]}, "rejected",
                                  "ends with a turn of the user; nothing answers it"),
    "an answer and a question": ({"prompt": ASK, "chosen": [YES, LATER[0]], "rejected": [NO]}, "chosen",
                                 "ends with a turn of the user"),
    "several answers": ({"chosen": [USER, YES, *LATER], "rejected": [USER, NO]}, "chosen and rejected",
                        "part after turn 1, with 3 and 1 more turns;.*End both with the first answer that diff"),
    "several answers, explicit": ({"prompt": ASK, "chosen": [YES, *LATER], "rejected": [NO, *LATER]},
                                  "chosen and rejected", "part after turn 1, with 3 and 3 more turns"),
    "one goes on": ({"chosen": [USER, YES, *LATER], "rejected": [USER, YES]}, "chosen and rejected",
                    "part after turn 2, with 2 and 0 more turns"),
    "two answers in turn": ({"prompt": ASK, "chosen": [YES, YES], "rejected": [NO]}, "chosen[1].role",
                            "'assistant' cannot stand here, where user is due"),
    "two questions in turn": ({"prompt": [USER, USER], "chosen": [YES], "rejected": [NO]}, "prompt[1].role",
                              "'user' cannot stand here"),
    "a speaker twice": ({"chosen": f"{SCRIPT}{GOOD}\n\nAssistant: And wax.", "rejected": SCRIPT + BAD},
                        "chosen[2].role", "cannot stand here"),
    "a strange role": ({"prompt": [USER], "chosen": [YES], "rejected": [{"role": "bee", "content": "x"}]},
                       "rejected[0].role", "'bee' is no role"),
    "strange roles": ({"chosen": [USER | {"role": "bee"}, YES], "rejected": [USER | {"role": "bee"}, NO]},
                      "chosen[0].role", "'bee' is no role"),
    "a tool": ({"chosen": [USER, {"role": "tool", "content": "x"}], "rejected": [USER, NO]}, "chosen[1].role",
               "a turn of a tool"),
    "tools": ({"prompt": ASK, "chosen": GOOD, "rejected": BAD, "tools": [{}]}, "tools", "holds calls of tools"),
    "pictures": ({"prompt": ASK, "chosen": GOOD, "rejected": BAD, "images": ["a.png"]}, "images", "holds pictures"),
    "not to be trained on": ({"prompt": ASK, "chosen": GOOD, "rejected": BAD, "train": False}, "train", "not to be t"),
    "no preference": ({"instruction": ASK, "output_1": GOOD, "output_2": BAD}, "preference",
                      "must be 1 or 2, the better one of output_1 and output_2, not None; or name them chosen"),
    "a tie": ({"instruction": ASK, "output_1": GOOD, "output_2": BAD, "preference": 1.5}, "preference", "not 1.5"),
    "two system prompts": ({"chosen": [SYSTEM, USER, YES], "rejected": [SYSTEM, USER, NO], "system": "Talk."},
                           "system", "two system prompts"),
    "a history of something": ({"prompt": ASK, "chosen": GOOD, "rejected": BAD, "history": "x"}, "history", "list of"),
    "half a sign": ({"prompt": ASK, "chosen": GOOD, "rejected": "\ud83d"}, "rejected", "holds half a sign"),
    "an input of something": ({"prompt": ASK, "input": 3, "chosen": GOOD, "rejected": BAD}, "input", "must be a text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_pair_is_refused_with_field_and_remedy(name):
    row, field, message = REFUSED[name]
    with pytest.raises(RowProblem, match=message) as problem:
        parse_pair(row)
    assert problem.value.field == field
    assert str(problem.value).startswith(f"{field}: " if field else "")


def test_the_reader_of_instructions_names_the_reader_of_pairs():
    for row, _ in PLAIN.values():
        if "messages" not in row and detect_pair(row):
            with pytest.raises(RowProblem, match=r"preference pairs.*preferences\.read_pairs\(path\) reads them"):
                read_row(row)


# --- written ---

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(str.strip)
TALKS = st.lists(WORDS, min_size=1, max_size=5).map(lambda texts: [
    {"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts[: len(texts) - 1 | 1])])


@st.composite
def pairs(draw):
    better, worse = draw(st.tuples(WORDS, WORDS).filter(lambda texts: texts[0].strip() != texts[1].strip()))
    talk = draw(TALKS)
    talk = talk[: len(talk) - (len(talk) % 2 == 0)]
    system = [{"role": "system", "content": draw(WORDS)}] if draw(st.booleans()) else []
    more = draw(st.dictionaries(st.sampled_from(["margin", "kind", "messages", "context"]), st.integers(), max_size=2))
    return {"prompt": [*system, *talk], "chosen": [{"role": "assistant", "content": better}],
            "rejected": [{"role": "assistant", "content": worse}]} | more


@given(pairs())
def test_a_pair_that_is_written_is_read(pair):
    for form in ("explicit", "implicit"):
        row, losses = write_pair(pair, form)
        assert parse_pair(row) == (pair, []) and not losses
    row, losses = write_pair(pair, "text")
    assert parse_pair(row) == (pair | {"prompt": pair["prompt"][-1:]}, [])
    system, earlier = pair["prompt"][0]["role"] == "system", any(t["role"] == "assistant" for t in pair["prompt"])
    assert losses == ["the system prompt"] * system + ["the earlier turns"] * earlier


def test_the_forms_are_those_of_trl():
    pair = {"prompt": [USER], "chosen": [YES], "rejected": [NO], "margin": 1}
    assert [write_pair(pair, form)[0] for form in FORMS] == [
        pair,
        {"chosen": [USER, YES], "rejected": [USER, NO], "margin": 1},
        {"prompt": ASK, "chosen": GOOD, "rejected": BAD, "margin": 1}]


@pytest.mark.parametrize("form", FORMS)
def test_an_input_is_joined_and_that_is_said(form):
    pair, _ = parse_pair({"instruction": ASK, "input": "On bees.", "chosen": GOOD, "rejected": BAD})
    row, losses = write_pair(pair, form)
    assert losses == ["where the instruction ends and its input begins"]
    assert parse_pair(row)[0]["prompt"] == [USER | {"content": f"{ASK}\n\nOn bees."}]


def test_an_input_beside_turns_would_become_a_part_of_the_question_as_text():
    pair, _ = parse_pair({"prompt": [USER], "chosen": [YES], "rejected": [NO], "input": "a file"})
    assert write_pair(pair, "explicit") == (pair, [])
    row, losses = write_pair(pair, "text")
    assert losses == ["the row's own 'input', a name that the format needs"] and parse_pair(row)[0]["prompt"] == [USER]
    assert pair["input"] == "a file"


def test_an_earlier_answer_keeps_its_weight():
    prompt = [EARLIER[0], EARLIER[1] | {"weight": 0}, USER]
    pair, _ = parse_pair({"prompt": prompt, "chosen": [YES], "rejected": [NO]})
    assert pair["prompt"] == prompt
    for form in ("explicit", "implicit"):
        assert parse_pair(write_pair(pair, form)[0]) == (pair, [])


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(
        [ASK, GOOD, BAD, "", " ", SCRIPT, SCRIPT + GOOD, "user", "assistant", "gpt", "1", "\udcff"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["role", "content", "from", "value", "type", "text", "weight"]), inner, max_size=3),
    max_leaves=8)
NAMES = ["prompt", "chosen", "rejected", "question", "input", "system", "history", "messages", "output_1", "output_2",
         "preference", "chosen_messages", "rejected_messages", "weight", "label"]


@given(st.dictionaries(st.sampled_from(NAMES), JUNK | st.just([USER, YES]) | st.just([NO]), max_size=6),
       JUNK | st.just([USER, YES]) | st.just(GOOD), JUNK | st.just([USER, NO]) | st.just(BAD))
def test_whatever_a_row_holds_it_is_read_or_refused_in_words(row, better, worse):
    for one in (row, row | {"chosen": better, "rejected": worse}):
        try:
            pair, _ = parse_pair(one)
        except RowProblem as problem:
            assert str(problem)
        else:
            assert parse_pair(pair) == (pair, [])
            assert [turn["role"] for name in OWN for turn in pair[name][-1:]] == ["user", "assistant", "assistant"]
            assert len(pair["chosen"]) == len(pair["rejected"]) == 1
