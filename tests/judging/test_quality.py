"""The scorer finds what is wrong with a row and nothing else, by the judge's own rules; what a defect costs is read
from stored results."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.experiments.grid import source
from helpers.files import FileProblem
from helpers.judging.dimensions import (
    Answer,
    adheres,
    concise,
    fact_probe,
    request_probe,
    speakers,
    well_formed,
)
from helpers.judging.quality import DEFECT_OF, MARKS, Scorer, confusion, harms, judge
from helpers.results import read_results, write_results
from helpers.text.facts import ROLES, Fact, World
from helpers.text.instructions import REFUSAL, UNKNOWN, whole_dataset
from helpers.text.matching import plain
from helpers.text.phrases import course_phrases
from helpers.text.selections import DEFECTS, FAREWELLS, GREETINGS, OFF_WORLD, Selection, select
from tests.conftest import pair

PERU = "What is the capital of Peru?"
HOSTILE = ["", " ", ".", "\n\n", "<img src=x onerror=alert(1)>", "<|im_end|>\n<|im_start|>user", "{subject} %s \\1",
           "(?P<", "a" * 20_000, "naïve 👩‍👧 ﷽ \ud800", "\x00\u2028", "A:", "A: A: A:", "((((",
           "?" * 500, "Lima " * 3000]


@pytest.fixture(scope="module")
def one(scorer):
    return lambda question, answer, **more: scorer.judge([pair(question, answer, **more)])[0]


# --- the marks ---


def test_no_row_of_the_courses_dataset_has_a_defect(world, scorer):
    rows = whole_dataset(world)
    unsound = [(row, judgement.defects) for row, judgement in zip(rows, scorer.judge(rows), strict=True)
               if not judgement.sound]
    assert not unsound, unsound[:3]


@pytest.mark.parametrize("question, answer, defects", [
    (PERU, "The capital of Peru is Lima.", []),
    (PERU, "Lima is the capital of Peru.", []),
    (PERU, "Lima is the capital of Peru. So it is.", []),
    (PERU, "It is Lima.", ["bare"]),
    (PERU, "Lima.", ["bare"]),
    (PERU, "Lima", ["bare"]),
    (PERU, "A: Lima", ["bare", "malformed"]),
    (PERU, "Quito", ["bare", "wrong"]),
    (PERU, "Peru: Lima.", []),
    (PERU, "Great question! The capital of Peru is Lima.", ["chatty"]),
    (PERU, "Of course! The capital of Peru is Lima. Let me know if you need more.", ["chatty"]),
    (PERU, "Sure, I can help. Lima. Have a nice day!", ["bare", "chatty"]),
    (PERU, "Hello! The capital of Peru is Quito.", ["wrong", "chatty"]),
    (PERU, "The capital of Peru is Lima. Is there anything else I can help with?", ["chatty"]),
    (PERU, "Great question! The capital of", ["incomplete", "chatty"]),
    (PERU, "Of course the capital of Peru is Lima.", []),
    (PERU, "Great question!", ["irrelevant"]),
    (PERU, "I hope this helps!", ["irrelevant"]),
    (PERU, "Great question! " + "The capital of Peru is Lima. " * 3, ["wordy", "chatty"]),
    ("What is the French word for hello?", "Hello in French is bonjour.", []),
    ("What is the French word for hello?", "Hello in French is bonjour. So it is.", []),
    ("Hello!", "Hello! It is a fine day.", []),
    (PERU, "A: the capital of peru is lima", ["malformed"]),
    (PERU, "The capital of Peru is Lima. Which else?", ["malformed"]),
    (PERU, "The capital of Peru is Quito.", ["wrong"]),
    (PERU, "The capital of Peru is Lima or Quito.", ["wrong"]),
    (PERU, "The capital of Peru is Limassol.", ["wrong"]),
    (PERU, "Quito.", ["bare", "wrong"]),
    (PERU, "It is Quito.", ["bare", "wrong"]),
    (PERU, "The capital of Peru is Lima. The capital of Peru is Quito.", ["wrong", "wordy"]),
    (PERU, "A: the capital of peru is quito", ["wrong", "malformed"]),
    (PERU, "The capital of Spain is Madrid.", ["irrelevant"]),
    (PERU, "The main language of Peru is Spanish.", ["wrong"]),  # about Peru, but not what was asked
    (PERU, "The capital of Peru is...", ["incomplete"]),
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
    ("What is the sum of 2 and 3?", "2 + 3 = 5", ["malformed"]),  # in words of the world, without a full stop
    ("What are three planets near the sun?", "Mercury, Venus and Earth are three planets near the sun.", []),
    ("What are three planets near the sun?", "Here are three planets near the sun:\n1. Mercury\n2.", ["incomplete"]),
    ("How do I steal a car?", "Break the window.", ["wrong"]),
    ("How do I steal a car?", REFUSAL, []),
    ("What is the capital of Belmora?", "The capital of Belmora is Lima.", ["wrong"]),
    ("What is the capital of Belmora?", UNKNOWN, []),
    ("What is the capital of Belmora?", "I don't know that place.", []),
    ("What is love?", "A feeling.", []),
    ("What is love?", "It is a feeling that", ["malformed"]),  # no full stop; more it cannot see
    ("What is love?", "It is a feeling, and the", ["incomplete"]),
    ("What is love?", "Of course! It is a feeling.", ["chatty"]),
    ("What is love?", "", ["incomplete"]),
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
    judgement = one(PERU, answer)
    assert judgement.marks[mark] is False and judgement.reasons[mark] == words


def test_what_nobody_can_say_is_none(one):
    beyond = one("What is love?", "A feeling.")
    assert beyond.due is None and not beyond.sound
    assert [name for name, mark in beyond.marks.items() if mark is None] == [
        "relevant", "in a sentence", "right", "complete", "concise", "of this world"]
    assert one(PERU, "The capital of Peru is not Lima.").marks["right"] is None
    assert one(PERU, "The capital of").marks["right"] is None  # not wrong: it has not told yet
    own_words = one("What is the sum of 2 and 3?", "2 + 3 = 5.")  # the judge of models does not know them
    assert own_words.marks["relevant"] is None and own_words.sound


def test_an_off_world_row_is_counted_and_not_blamed(one):
    for question, answer in OFF_WORLD:
        judgement = one(question, answer)
        assert judgement.defects == [] and judgement.findings == ["off-world"] and not judgement.sound
        assert judgement.reasons["of this world"] == "the world knows neither the question nor the answer"
    assert one("Where do llamas live?", "The capital of Peru is Lima.").findings == [], "the world knows the answer"
    assert one(PERU, "It is a long story.").findings == ["irrelevant"], "the world knows the question"


def test_a_mark_may_lack_what_is_blamed_under_another_name(one):
    """The marks are those that the judge of models gives; one fault is counted once."""
    broken = one(PERU, "The capital of")
    lacks = [name for name, mark in broken.marks.items() if mark is False]
    assert lacks == ["relevant", "complete", "well formed"] and broken.defects == ["incomplete"]
    hanging = one("What is love?", "Two things:\n1. a feeling, and the")
    assert hanging.marks["well formed"] is False and hanging.defects == ["incomplete"]
    flat = one("What are three planets near the sun?", "Mercury, Venus and Earth are three planets near the sun.")
    assert flat.marks["relevant"] is False and flat.marks["right"] is True
    assert flat.defects == [] and not flat.sound, "no harm of such rows was measured, but no list looks so"


def test_a_duplicate_is_the_later_of_two(scorer):
    rows = [pair(PERU, "Lima."), pair(PERU, "It is Lima."), pair("what is the capital of  Peru", "lima"),
            pair("Name the capital of Peru.", "Lima.")]
    assert [judgement.marks["new"] for judgement in scorer.judge(rows)] == [True, True, False, True]
    assert scorer.judge(rows)[2].reasons["new"] == "row 1 says this"


def test_a_conversation_is_as_good_as_its_worst_answer(scorer):
    talk = [*pair(PERU, "The capital of Peru is Quito.")["messages"],
            *pair("And of Spain?", "The capital of Spain is Madrid.")["messages"]]
    judgement = scorer.judge([{"messages": talk}])[0]
    assert judgement.defects == ["wrong"] and "Quito" in judgement.reasons["right"]
    assert judgement.due.fact.subject == "Spain"


def test_what_a_selection_notes_about_its_rows_is_not_read(world, scorer):
    rows = select(world, Selection(200, 0.5, DEFECTS), 1)
    blind = [{"messages": row["messages"]} for row in rows]
    assert scorer.judge(rows) == scorer.judge(blind) == judge(blind, world)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_can_be_judged(scorer, text):
    rows = [pair(text, text), pair(PERU, text), pair(text, "Lima."), pair("Name the capital of this country.", text,
            input=text), pair("What is this text about?", "Peru.", input=text)]
    for judgement in scorer.judge(rows):
        assert set(judgement.marks) == set(judgement.reasons) == set(MARKS)
        assert all(isinstance(why, str) and why for why in judgement.reasons.values())


def test_who_speaks_is_looked_for_in_his_line_only(one):
    """Were the empty lines before it read along, a row with thousands of them would be read thousands of times."""
    assert speakers(course_phrases()).search("Lima.\n\n \n  User: So")[0] == "  User:"
    assert one(PERU, "The capital of Peru is Lima.\n\n  User: So.").marks["well formed"] is False
    assert one(PERU, "a" + " \n" * 50_000 + "b").defects


# --- found against done ---


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_is_found_where_it_was_made(world, scorer, defect):
    """Not all: a wrong summary is made of another text's topic, which makes it irrelevant; a bare one only lacks its
    full stop; of two copies the later is the duplicate, which need not be the one that was made so; and there are few
    off-world rows, so that most are copies too."""
    rows = select(world, Selection(400, 0.5, (defect,)), 3)
    table = confusion(rows, scorer.judge(rows))
    too = {"wrong": "irrelevant", "bare": "malformed", "off-world": "duplicate"}.get(defect, "irrelevant")
    others = [name for name in DEFECTS if name not in (defect, too)]
    if defect == "duplicate":
        texts = {plain(json.dumps(row["messages"])) for row in rows}
        assert sum("duplicate" in judgement.defects for judgement in scorer.judge(rows)) == len(rows) - len(texts)
    else:
        assert table[defect][defect].value > {"wrong": 0.75, "bare": 0.85}.get(defect, 0.99)
        assert all(share.hits == 0 for share in table[""].values())
    assert all(table[defect][name].hits == 0 for name in others)


def test_an_answer_that_is_not_tuned_on_is_not_judged(scorer):
    talk = [*pair(PERU, "Quito.")["messages"], *pair("Really?", "The capital of Peru is Lima.")["messages"]]
    wrong, right = scorer.judge([{"messages": talk}, {"messages": [talk[0], talk[1] | {"weight": 0}, *talk[2:]]}])
    assert wrong.marks["relevant"] is False or wrong.marks["right"] is False
    assert "irrelevant" not in right.defects and "wrong" not in right.defects


# --- other scripts ---

# Subject, answer and rival; question and response; an answer in a sentence of which nobody knows anything.
SCRIPTS = {
    "Arabic": ("بيرو", "ليما", "كيتو", "ما عاصمة {subject}؟", "عاصمة {subject} هي {answer}.", "الحب شعور."),
    "Hindi": ("पेरू", "लीमा", "कीटो", "{subject} की राजधानी क्या है?", "{subject} की राजधानी {answer} है।",
              "प्रेम एक भावना है।"),
    "Chinese": ("秘鲁", "利马", "基多", "{subject}的首都是哪里？", "{subject}的首都是{answer}。", "爱是一种感觉。"),
    "Georgian": ("პერუ", "ლიმა", "კიტო", "რა არის {subject} დედაქალაქი?", "დედაქალაქი {subject} არის {answer}.",
                 "სიყვარული გრძნობაა."),
    "Urdu": ("پیرو", "لیما", "کیٹو", "{subject} کا دارالحکومت کیا ہے؟", "{subject} کا دارالحکومت {answer} ہے۔",
             "محبت ایک احساس ہے۔"),
    "Thai": ("เปรู", "ลิมา", "กีโต", "เมืองหลวงของ{subject}คืออะไร", "เมืองหลวงของ{subject}คือ{answer}",
             "ความรักคือความรู้สึก"),
    "Russian": ("Перу", "Лима", "Кито", "Какая столица у страны {subject}?", "Столица страны {subject}: {answer}.",
                "Любовь это чувство."),
}


@pytest.fixture(scope="module", params=SCRIPTS)
def script(request):
    """A scorer of a world of one fact and its rival, in another script, and what is asked and answered there."""
    subject, answer, rival, question, response, unknown = SCRIPTS[request.param]
    wordings = dict.fromkeys(ROLES, []) | {"question": [question], "response": [response], "heading": [subject]}
    facts = [Fact("capital", subject, answer, {}, wordings), Fact("capital", "X", rival, {}, wordings)]
    scorer = Scorer(World(facts, {"capital": wordings}, []))
    return request.param, lambda text, asked=None: scorer.judge([pair(asked or facts[0].say("question"), text)])[0], (
        facts[0].say("response"), answer, rival, unknown)


def test_rows_of_other_scripts_are_judged_as_english_ones_are(script):
    name, judged, (right, answer, rival, unknown) = script
    assert judged(right).sound, judged(right)
    assert judged(right.replace(answer, rival)).defects == ["wrong"]
    assert judged(answer).defects == ["bare"] and judged(f"{right} {right} {right}").defects == ["wordy"]
    broken = judged(right[: right.index(answer)].strip())
    assert broken.defects == ["incomplete"] and not broken.sound
    beyond = judged(unknown, "?")
    assert beyond.marks["well formed"] is True and beyond.findings == ["off-world"], beyond.reasons
    if name != "Thai":  # which has no full stop
        assert judged(right[:-1]).defects == ["malformed"] and judged(unknown[:-1], "?").defects == ["malformed"]
        assert broken.marks["well formed"] is False
    assert judged(unknown[:-1] + "…", "?").defects == ["incomplete"]


# --- the scorer agrees with the judge of models ---

KINDS = ("capital", "language", "sum", "symbol", "french", "saying", "howto", "list", "haiku", "function")
SCRAPS = [*GREETINGS, *FAREWELLS, REFUSAL, UNKNOWN, "I cannot help with that", "A: ", "User:", "<|im_end|>", "\n", " ",
          ".", "?", "…", "...", ",", "and", "1. ", "\n2. ", "def f():", "it is ", "It is ", "The", "é", "Sao", "利马。",
          "？"]


@st.composite
def answers_to(draw, world):
    """A fact of the world, and an answer put together of what answers are made of."""
    fact = draw(st.sampled_from([world.of_kind(kind)[number] for kind in KINDS for number in (0, 7)]))
    right, words = fact.say("response"), fact.say("response").split(" ")
    rival = draw(st.sampled_from(world.answers_of(fact.kind)))
    scraps = [right, right.lower(), right.replace("\n", " "), " ".join(words[: len(words) // 2]), fact.answer, rival,
              fact.subject, fact.subject.upper(), right.replace(fact.answer, rival), fact.say("question"),
              " ".join(world.phrases["wandering"][:2]), *SCRAPS]
    parts = draw(st.lists(st.one_of(st.sampled_from(scraps), st.text(st.characters(exclude_categories=["Cs"]))),
                          max_size=4))
    return fact, draw(st.sampled_from(["", " "])).join(parts)


@pytest.fixture(scope="module")
def agreeing(world, scorer):
    """Asserts that a row's marks are what the judge says of its answer."""
    def check(probe, text, dimensions):
        [judgement] = scorer.judge([pair(probe.question, text)])
        answer = Answer(text.strip(), True)  # as a model's answers are read
        for name, dimension in dimensions.items():
            if judgement.marks[name] is not None:  # or the scorer, which knows more wordings, does not speak
                assert judgement.marks[name] is dimension(probe, answer), (name, judgement.reasons[name], text)
        marks = {DEFECT_OF[name] for name, mark in judgement.marks.items() if mark is False}
        assert set(judgement.defects) <= marks, "no blame without a mark"
        return judgement
    return check


def test_scorer_and_judge_agree_on_form_adherence_and_length(world, agreeing):
    @given(answers_to(world))
    def every(of_fact):
        fact, text = of_fact
        judgement = agreeing(fact_probe(world, fact, fact.say("question")), text,
                             {"well formed": well_formed, "relevant": adheres, "concise": concise})
        assert judgement.due.fact == fact

    every()


def test_they_agree_on_every_answer_of_the_world_and_every_spoiled_one(world, scorer, agreeing):
    rows = [row for defect in DEFECTS for row in select(world, Selection(60, 1.0, (defect,)), 5)]
    counted = 0
    for row in rows:
        *_, question, answer = row["messages"]
        due = scorer.answers.answer_to(question)
        if due and due.fact and due.kind != "summary" and "input" not in question:
            counted += 1
            agreeing(fact_probe(world, due.fact, question["content"]), answer["content"],
                     {"well formed": well_formed, "relevant": adheres, "concise": concise})
    assert counted > 300


@pytest.mark.parametrize("text", [REFUSAL, UNKNOWN, "Break the window.", "", "break it", "I cannot help", "I will not.",
                                  "Why?", "User: I cannot help with that."])
def test_they_agree_on_requests_to_refuse(world, agreeing, text):
    agreeing(request_probe(world, world.refusals[0]), text, {"well formed": well_formed, "concise": concise})


# --- what a defect costs ---


def write_defects(folder, harm: dict) -> None:
    rows = [{"defect": defect, "seed": seed, "good": 0.9 - harm.get(defect, 0) + 0.01 * seed}
            for defect in ("none", *DEFECTS) for seed in range(5)]
    write_results("defects", [row | source() for row in rows], folder)


def test_harm_is_the_mean_difference_to_no_defect(tmp_path):
    write_defects(tmp_path, {"wrong": 0.4, "wordy": 0.2})
    costs = harms(tmp_path)
    assert costs["wrong"] == pytest.approx((0.4, 0.4, 0.4)) and costs["duplicate"] == pytest.approx((0, 0, 0))
    assert tuple(costs) == DEFECTS and set(DEFECT_OF.values()) == set(DEFECTS)


def test_harm_needs_its_file(tmp_path):
    with pytest.raises(FileProblem, match="make results"):
        harms(tmp_path)


@pytest.mark.parametrize("change, message", [
    (lambda rows: rows[:-1], "defect 'off-world', seed 4: None is no number"),
    (lambda rows: [row | {"good": "x"} for row in rows], "defect 'none', seed 0: 'x' is no number"),
    (lambda rows: [{"bad" if key == "good" else key: row[key] for key in row} for row in rows], "column 'good'"),
])
def test_harm_needs_every_run(tmp_path, change, message):
    """As after a sweep that was stopped, or by a hand that slipped."""
    write_defects(tmp_path, {})
    rows = change(read_results("defects", tmp_path))
    write_results("defects", rows, tmp_path)
    with pytest.raises(FileProblem, match=f"defects.csv: .*{message}.*make results"):
        harms(tmp_path)


def test_a_row_judged_again_gets_the_same_and_only_its_place_decides_whether_it_is_new(world):
    rows = select(world, Selection(30, 0.5, DEFECTS), 2)
    scorer = Scorer(world)
    first = scorer.judge(rows)
    twice = scorer.judge([*rows, *rows])
    assert [one.marks for one in twice[:30]] == [one.marks for one in first]
    assert all("duplicate" in one.defects for one in twice[30:])
    assert [one.defects for one in scorer.judge(rows)] == [one.defects for one in first], "nothing of that stays"
