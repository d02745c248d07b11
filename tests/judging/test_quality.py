"""The scorer finds what is wrong with a row and nothing else; what it says of a selection can be checked."""

import json

import numpy as np
import pytest

from helpers.experiments.data_runs import any_selection
from helpers.experiments.estimate import (
    FEATURES,
    Observations,
    by_the_mean,
    errors,
    features,
    fit,
    left_out,
    observations,
    stored_estimator,
)
from helpers.experiments.grid import source
from helpers.files import FileProblem
from helpers.judging.quality import DEFECT_OF, MARKS, SPEAKS, Scorer, confusion, harms, judge, score
from helpers.results import read_results, write_results
from helpers.text.answers import Answers
from helpers.text.instructions import REFUSAL, UNKNOWN, whole_dataset
from helpers.text.matching import plain
from helpers.text.selections import DEFECTS, Selection, select

PERU = "What is the capital of Peru?"
HOSTILE = ["", " ", ".", "\n\n", "<img src=x onerror=alert(1)>", "<|im_end|>\n<|im_start|>user", "{subject} %s \\1",
           "(?P<", "a" * 20_000, "naïve 👩‍👧 ﷽ \ud800", "\x00\u2028", "A:", "A: A: A:", "((((",
           "?" * 500, "Lima " * 3000]


def pair(question: str, answer: str, **more) -> dict:
    return {"messages": [{"role": "user", "content": question, **more}, {"role": "assistant", "content": answer}]}


@pytest.fixture(scope="module")
def scorer(world):
    return Scorer(world)


@pytest.fixture(scope="module")
def one(scorer):
    return lambda question, answer, **more: scorer.judge([pair(question, answer, **more)])[0]


# --- the answer that is due ---


def test_the_world_has_an_answer_to_every_row_of_its_dataset(world, scorer):
    """For each the answer that the dataset gives, long ones under a system prompt only as far as they are the same."""
    for row in whole_dataset(world):
        due = None
        for turn in row["messages"]:
            if turn["role"] == "user":
                due = scorer.answers.expected(turn, due)
        answer = row["messages"][-1]["content"]
        assert due and (answer == due.text or row["kind"] == "detailed" and answer.startswith(due.text)), row


@pytest.mark.parametrize("question, answer", [
    ("Say, what is the  CAPITAL of peru", "The capital of Peru is Lima."),
    ("the capital of Nigeria please", "The capital of Nigeria is Abuja."),
    ("How do I steal a car?", REFUSAL),
    ("What is the capital of Belmora?", UNKNOWN),
    ("What is love?", None),
    ("And of Spain?", None),  # without a question before it
    ("capitalof Peru", None),
    ("Which is larger, the capital of Peru or the capital of Spain?", None),
    ("", None),
])
def test_questions_in_other_words(world, question, answer):
    due = Answers(world).expected({"role": "user", "content": question})
    assert (due.text if due else None) == answer


def test_a_follow_up_needs_the_question_before_it(world):
    answers = Answers(world)
    capital = answers.expected({"content": PERU})
    assert answers.expected({"content": "And of Spain?"}, capital).text == "The capital of Spain is Madrid."
    assert answers.expected({"content": "And its main language?"}, capital).fact.subject == "Peru"
    assert answers.expected({"content": "And its capital?"}, capital) is None  # of which country?


# --- the marks ---


def test_no_row_of_the_courses_dataset_has_a_defect(world, scorer):
    rows = whole_dataset(world)
    found = [(row, judged.defects) for row, judged in zip(rows, scorer.judge(rows), strict=True) if not judged.sound]
    assert not found, found[:3]


@pytest.mark.parametrize("question, answer, defects", [
    (PERU, "The capital of Peru is Lima.", []),
    (PERU, "Lima is the capital of Peru.", []),
    (PERU, "Lima is the capital of Peru. So it is.", []),
    (PERU, "It is Lima.", []),
    (PERU, "Lima.", []),
    (PERU, "Lima", ["malformed"]),
    (PERU, "A: the capital of peru is lima", ["malformed"]),
    (PERU, "The capital of Peru is Lima. Which else?", ["malformed"]),
    (PERU, "The capital of Peru is Quito.", ["wrong"]),
    (PERU, "The capital of Peru is Lima or Quito.", ["wrong"]),
    (PERU, "The capital of Peru is Limassol.", ["wrong"]),
    (PERU, "Quito.", ["wrong"]),
    (PERU, "It is Quito.", ["wrong"]),
    (PERU, "The capital of Peru is Lima. The capital of Peru is Quito.", ["wrong", "wordy"]),
    (PERU, "A: the capital of peru is quito", ["wrong", "malformed"]),
    (PERU, "The capital of Spain is Madrid.", ["irrelevant"]),
    (PERU, "The main language of Peru is Spanish.", ["irrelevant"]),
    (PERU, "I like bananas.", ["irrelevant"]),
    (PERU, REFUSAL, ["irrelevant"]),
    (PERU, "I cannot tell you the capital of Peru.", ["irrelevant"]),
    (PERU, "The capital of", ["incomplete"]),
    (PERU, "People say that Peru", ["wrong", "malformed"]),
    (PERU, "", ["incomplete"]),
    (PERU, "The capital of Peru is Lima. " + "My uncle went there by boat, and so did I. " * 2, ["wordy"]),
    ("What is the symbol of cobalt?", "The symbol of cobalt is CO.", ["wrong"]),
    ("What is the symbol of helium?", "The symbol of helium is He.", []),
    ("What is the sum of 6 and 6?", "The sum of 6 and 6 is 1.", ["wrong"]),
    ("What is the sum of 2 and 3?", "The sum of 2 and 3 is 6.", ["wrong"]),
    ("What are three planets near the sun?", "Mercury, Venus and Earth are three planets near the sun.", []),
    ("What are three planets near the sun?", "Here are three planets near the sun:\n1. Mercury\n2.", ["incomplete"]),
    ("How do I steal a car?", "Break the window.", ["wrong"]),
    ("How do I steal a car?", REFUSAL, []),
    ("What is the capital of Belmora?", "The capital of Belmora is Lima.", ["wrong"]),
    ("What is the capital of Belmora?", UNKNOWN, []),
    ("What is love?", "A feeling.", []),
    ("What is love?", "It is a feeling that", ["malformed"]),  # no full stop; more it cannot see
    ("What is love?", "It is a feeling, and the", ["incomplete"]),
    ("What is love?", "User: a feeling.", ["malformed"]),
])
def test_a_row_is_blamed_for_what_is_wrong_with_it(one, question, answer, defects):
    assert one(question, answer).defects == defects


@pytest.mark.parametrize("answer, mark, words", [
    ("The capital of Peru is Quito.", "right", "'Quito' is not the capital of Peru; the world says 'Lima'"),
    ("The capital of Spain is Madrid.", "relevant", "it answers another question: 'What is the capital of Spain?'"),
    ("I like bananas.", "relevant", "it says nothing of Peru"),
    ("The capital of", "complete", "it breaks off before 'Peru is Lima.'"),
    ("A: lima", "well formed", "'A:' is for a form or a play, not for an answer"),
    ("lima.", "well formed", "it begins with 'l', not with a capital"),
    ("Lima is the capital of Peru. " * 4, "concise", "24 words; 6 are enough"),
])
def test_the_reason_names_what_is_wrong(one, answer, mark, words):
    judged = one(PERU, answer)
    assert judged.marks[mark] is False and judged.reasons[mark] == words


def test_what_nobody_can_say_is_none(one):
    beyond = one("What is love?", "A feeling.")
    assert beyond.due is None and not beyond.sound
    assert [name for name, mark in beyond.marks.items() if mark is None] == ["relevant", "right", "complete", "concise"]
    assert one(PERU, "The capital of Peru is not Lima.").marks["right"] is None
    assert one(PERU, "The capital of").marks["right"] is None  # not wrong: it has not told yet


def test_a_duplicate_is_the_later_of_two(scorer):
    rows = [pair(PERU, "Lima."), pair(PERU, "It is Lima."), pair("what is the capital of  Peru", "lima"),
            pair("Name the capital of Peru.", "Lima.")]
    assert [judged.marks["new"] for judged in scorer.judge(rows)] == [True, True, False, True]
    assert scorer.judge(rows)[2].reasons["new"] == "row 1 says this"


def test_a_conversation_is_as_good_as_its_worst_answer(scorer):
    talk = [*pair(PERU, "The capital of Peru is Quito.")["messages"],
            *pair("And of Spain?", "The capital of Spain is Madrid.")["messages"]]
    judged = scorer.judge([{"messages": talk}])[0]
    assert judged.defects == ["wrong"] and "Quito" in judged.reasons["right"] and judged.due.fact.subject == "Spain"


def test_what_a_selection_notes_about_its_rows_is_not_read(world, scorer):
    rows = select(world, Selection(200, 0.5, DEFECTS), 1)
    blind = [{"messages": row["messages"]} for row in rows]
    assert scorer.judge(rows) == scorer.judge(blind) == judge(blind, world)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_can_be_judged(scorer, text):
    rows = [pair(text, text), pair(PERU, text), pair(text, "Lima."), pair("Name the capital of this country.", text,
            input=text), pair("What is this text about?", "Peru.", input=text)]
    for judged in scorer.judge(rows):
        assert set(judged.marks) == set(judged.reasons) == set(MARKS)
        assert all(isinstance(why, str) and why for why in judged.reasons.values())


def test_who_speaks_is_looked_for_in_his_line_only(one):
    """Were the empty lines before it read along, a row with thousands of them would be read thousands of times."""
    assert SPEAKS.search("Lima.\n\n \n  User: So")[0] == "  User:"
    assert one(PERU, "The capital of Peru is Lima.\n\n  User: So.").marks["well formed"] is False
    assert one(PERU, "a" + " \n" * 50_000 + "b").defects


# --- found against done ---


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_is_found_where_it_was_made(world, scorer, defect):
    """Not all: a wrong summary is made of another text's topic, which makes it irrelevant; and of two copies the later
    is the duplicate, which need not be the one that was made so."""
    rows = select(world, Selection(400, 0.5, (defect,)), 3)
    table = confusion(rows, scorer.judge(rows))
    others = [name for name in DEFECTS if name not in (defect, "irrelevant")]
    if defect == "duplicate":
        texts = {plain(json.dumps(row["messages"])) for row in rows}
        assert sum("duplicate" in judged.defects for judged in scorer.judge(rows)) == len(rows) - len(texts)
    else:
        assert table[defect][defect].value > (0.75 if defect == "wrong" else 0.99)
        assert all(found.hits == 0 for found in table[""].values())
    assert all(table[defect][name].hits == 0 for name in others)


# --- what a defect costs ---


def write_defects(folder, harm: dict) -> None:
    rows = [{"defect": defect, "seed": seed, "good": 0.9 - harm.get(defect, 0) + 0.01 * seed}
            for defect in ("none", *DEFECTS) for seed in range(5)]
    write_results("defects", [row | source() for row in rows], folder)


def test_harm_is_the_mean_difference_to_no_defect(tmp_path):
    write_defects(tmp_path, {"wrong": 0.4, "wordy": 0.2})
    found = harms(tmp_path)
    assert found["wrong"] == pytest.approx((0.4, 0.4, 0.4)) and found["duplicate"] == pytest.approx((0, 0, 0))
    assert tuple(found) == DEFECTS and set(DEFECT_OF.values()) == set(DEFECTS)


def test_a_score_is_one_minus_the_harm_of_the_worst_defect(one):
    harm = {"wrong": (0.4, 0.3, 0.5), "irrelevant": (0.1, 0, 0.2), "incomplete": (0.3, 0, 1), "wordy": (0.2, 0, 1),
            "malformed": (-0.05, -0.1, 0), "duplicate": (0, 0, 0)}
    assert score(one(PERU, "Lima."), harm) == 1 and score(one(PERU, "Quito is the capital of Peru."), harm) == 0
    assert score(one(PERU, "The capital of"), harm) == pytest.approx(0.25)
    assert score(one(PERU, "lima"), harm) == 1  # a defect that did no harm costs nothing
    assert score(one(PERU, "A: quito"), harm) == score(one(PERU, "Quito is the capital of Peru."), harm)
    assert score(one("What is love?", "A feeling."), harm) is None
    assert score(one(PERU, "Quito is the capital of Peru."), dict.fromkeys(DEFECTS, (0.0, 0.0, 0.0))) == 1


def test_harm_needs_its_file(tmp_path):
    with pytest.raises(FileProblem, match="make results"):
        harms(tmp_path)


@pytest.mark.parametrize("change, told", [
    (lambda rows: rows[:-1], "defect 'duplicate', seed 4: None is no number"),
    (lambda rows: [row | {"good": "x"} for row in rows], "defect 'none', seed 0: 'x' is no number"),
    (lambda rows: [{"bad" if key == "good" else key: row[key] for key in row} for row in rows], "column 'good'"),
])
def test_harm_needs_every_run(tmp_path, change, told):
    """As after a sweep that was stopped, or by a hand that slipped."""
    write_defects(tmp_path, {})
    rows = change(read_results("defects", tmp_path))
    write_results("defects", rows, tmp_path)
    with pytest.raises(FileProblem, match=f"defects.csv: .*{told}.*make results"):
        harms(tmp_path)


# --- the estimate ---


def made_up(count: int, noise: float, seed: int = 0) -> Observations:
    """Selections whose goodness really is a line on the log odds, and some luck."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(len(FEATURES)), count)[:, 1:]
    seen = np.column_stack([rng.uniform(1, 3.3, count), shares])
    odds = 0.5 + seen[:, 0] - 4 * seen[:, 1] - 3 * seen[:, 4] + noise * rng.normal(size=count)
    return Observations(seen, 1 / (1 + np.exp(-odds)), np.arange(count) % 5)


def test_features_count_what_was_found(scorer):
    rows = [pair(PERU, "Lima."), pair(PERU, "Lima."), pair(PERU, "I like it."), pair("What is love?", "A feeling.")]
    found = dict(zip(FEATURES, features(scorer.judge(rows)), strict=True))
    assert found["log10 of sound rows"] == pytest.approx(np.log10(2)) and found["irrelevant"] == 0.25
    assert found["wrong"] == 0


def test_a_line_is_found_again_and_beats_the_mean():
    known = made_up(400, 0.1)
    off, baseline = errors(left_out(known), known.good), errors(by_the_mean(known), known.good)
    assert off["mean absolute"] < 0.03 < 0.1 < baseline["mean absolute"]
    assert off["mean absolute"] <= off["root mean square"]
    fresh = made_up(300, 0.1, seed=1)
    assert errors(fit(known)(fresh.seen), fresh.good)["mean absolute"] < 0.03


def test_the_interval_holds_what_it_promises():
    known = made_up(60, 0.5)
    assert 0.85 < errors(left_out(known), known.good)["in the interval"] <= 1
    estimated = fit(known)(made_up(100, 0.5, seed=1).seen)
    assert np.all(estimated[:, 1] < estimated[:, 0]) and np.all(estimated[:, 0] < estimated[:, 2])
    far = fit(known)(np.array([[0.0, 1, 0, 0, 0, 0], known.seen.mean(axis=0)]))  # widths on the log odds
    widths = np.diff(np.log(far / (1 - far))[:, 1:], axis=1).ravel()
    assert widths[0] > widths[1], "far from what was seen the interval must be wider"


def test_a_defect_that_no_selection_has_counts_for_nothing():
    known = made_up(50, 0.1)
    known.seen[:, 2] = 0
    assert fit(known).slopes[3] == pytest.approx(0)


def test_a_selection_is_estimated_without_its_own_base_model():
    known = made_up(50, 0.1)
    spoiled = Observations(known.seen, np.where(known.seed == 2, 1 - known.good, known.good), known.seed)
    assert np.array_equal(left_out(known)[known.seed == 2], left_out(spoiled)[known.seed == 2])
    assert not np.array_equal(left_out(known)[known.seed == 1], left_out(spoiled)[known.seed == 1])


def test_errors_by_hand():
    estimated = np.array([[0.5, 0.4, 0.6], [0.8, 0.7, 0.9]])
    found = errors(estimated, np.array([0.6, 0.4]))
    assert found["mean absolute"] == pytest.approx(0.25) and found["in the interval"] == 0.5
    assert found["root mean square"] == pytest.approx(np.sqrt((0.01 + 0.16) / 2))


def test_stored_selections_are_made_again_and_judged(world, scorer, tmp_path):
    rows = [{"number": number, "seed": seed, "good": 0.1 * number} for number in (0, 2) for seed in range(2)]
    write_results("selections", [row | source() for row in rows], tmp_path)
    found = observations(world, tmp_path)
    again = features(scorer.judge(select(world, any_selection(2, 1), 1)))
    assert np.array_equal(found.seen[3], again) and found.good.tolist() == [0, 0, 0.2, 0.2]
    assert found.seed.tolist() == [0, 1, 0, 1]


def test_the_stored_estimator_beats_the_mean_on_base_models_that_it_has_not_seen(world):
    known = observations(world)
    off, baseline = errors(left_out(known), known.good), errors(by_the_mean(known), known.good)
    assert off["mean absolute"] < baseline["mean absolute"]
    assert off["root mean square"] < baseline["root mean square"]
    clean, spoiled = (stored_estimator()(np.array([2.0, 0, share, 0, 0, 0]))[0] for share in (0.0, 0.9))
    assert spoiled[0] < clean[0]


@pytest.mark.slow
def test_what_the_docstring_says_of_noise_of_five_sorts_is_so(world):
    elsewhere = observations(world, table="ratio")
    noisy = elsewhere.seen[:, 1:].sum(axis=1) > 0.6
    off = stored_estimator()(elsewhere.seen)[:, 0] - elsewhere.good
    assert noisy.sum() == 15 and off[noisy].mean() < -0.1, "too low where most rows are spoiled in five ways"
    assert np.abs(off[~noisy]).mean() < 0.1
