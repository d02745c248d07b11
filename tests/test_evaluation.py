"""Every measure gives the known score on answers written by hand."""

import math

import numpy as np
import pytest

from helpers.evaluation import (
    Share,
    answers_exactly,
    begins_with,
    candidate_answers,
    completes,
    first_line,
    is_answer,
    is_question,
    log_probabilities,
    mean_and_interval,
    perplexity,
    rank_of_answer,
    share,
    words_before,
    worked_examples,
)
from helpers.facts import Fact
from helpers.tokenizer import Tokenizer

WORDINGS = {
    "statement": ["The capital of {subject} is {answer}.", "{subject}'s capital is {answer}."],
    "mention": ["{answer} is the capital of {subject}."],
    "question": ["What is the capital of {subject}?", "Name the capital of {subject}."],
    "response": ["The capital of {subject} is {answer}."],
}
PARIS = Fact("capital", "France", "Paris", {}, WORDINGS)
LIMA = Fact("capital", "Peru", "Lima", {}, WORDINGS)
ONE = Fact("sum", "0 and 1", "1", {}, WORDINGS)


class Scripted:
    """Stands in for a language model: writes what the test tells it, and remembers what it was given."""

    def __init__(self, *texts: str):
        self.texts, self.given = texts, []

    def complete_all(self, texts, max_new_tokens=32, **_):
        self.given = texts
        return list(self.texts)

    def ask_all(self, questions, **_):
        self.given = questions
        return list(self.texts)


class Bigram:
    """Stands in for a language model: bytes as tokens, each byte's scores depend on the byte before alone."""

    def __init__(self):
        self.tokenizer = Tokenizer([])
        self.scores = np.random.default_rng(0).normal(0.0, 2.0, (self.tokenizer.vocab_size,) * 2).astype(np.float32)

    def document_ids(self, text):
        return [self.tokenizer.special["<|endoftext|>"], *self.tokenizer.encode(text)]

    def logits(self, ids):
        return self.scores[np.asarray(ids)]

    def chance(self, prompt: str, text: str) -> float:
        """Probability of a continuation, by multiplication."""
        whole = self.document_ids(prompt)
        chance = 1.0
        for number in text.encode():
            scores = np.exp(self.scores[whole[-1]].astype(float))
            chance *= scores[number] / scores.sum()
            whole.append(number)
        return chance


# --- shares and intervals ---


@pytest.mark.parametrize(("hits", "total", "low", "high"), [
    (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718),
])  # fmt: skip
def test_wilson_intervals_are_those_of_newcombe_1998(hits, total, low, high):
    """Statistics in Medicine 17, table I, method 3."""
    assert Share(hits, total).interval == pytest.approx((low, high), abs=5e-5)
    mirrored = Share(total - hits, total).interval
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=5e-5)


def test_an_interval_holds_its_share_and_shrinks_with_the_count():
    for total in (1, 10, 1000):
        for hits in (0, total // 2, total):
            low, high = Share(hits, total).interval
            assert 0 <= low <= hits / total <= high <= 1 and low < high
    assert np.ptp(Share(500, 1000).interval) < 0.25 * np.ptp(Share(5, 10).interval)


def test_nothing_counted_is_no_number_and_could_be_anything():
    assert math.isnan(Share(0, 0).value) and Share(0, 0).interval == (0.0, 1.0)


def test_a_share_is_counted_and_told():
    counted = share(outcome for outcome in [True, False, True, np.True_])
    assert counted == Share(3, 4) and counted.value == 0.75
    assert str(Share(0, 20)) == "0 of 20 = 0.0% (95% interval 0.0 to 16.1)"


@pytest.mark.parametrize("count", range(3, 11))
def test_student_intervals_hold_95_percent(count):
    """The area of Student's density (by its formula, and a sum) within the interval is 0.95."""
    values = np.arange(count, dtype=float)
    mean, low, high = mean_and_interval(values.tolist())
    assert mean == pytest.approx(values.mean()) and mean - low == pytest.approx(high - mean)
    t = (high - mean) / (values.std(ddof=1) / math.sqrt(count))
    freedom = count - 1
    scale = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2) / math.sqrt(freedom * math.pi)
    x = np.linspace(-t, t, 20_001)
    area = scale * ((1 + x * x / freedom) ** (-(freedom + 1) / 2)).sum() * (x[1] - x[0])
    assert area == pytest.approx(0.95, abs=1e-3)


# --- completions and answers ---


@pytest.mark.parametrize(("text", "answer", "right"), [
    (" Paris.", "Paris", True), ("Paris", "Paris", True), (" Paris, which", "Paris", True),
    (" Parisian", "Paris", False), (" paris", "Paris", False), (" not Paris", "Paris", False), ("", "Paris", False),
    (" 1.", "1", True), (" 12.", "1", False), (" 1", "12", False), (" H.", "H", True), (" He.", "H", False),
    (" 1. red\n2. blue\n\n", "1. red\n2. blue", True), (" 1. red\n2. bluebell", "1. red\n2. blue", False),
])  # fmt: skip
def test_begins_with_the_whole_of_the_answer(text, answer, right):
    assert begins_with(text, answer) is right


def test_completes_reads_what_follows_the_statement():
    lm = Scripted(" Paris. The capital of Peru is Lima.", " Paris.", " 12.")
    assert completes(lm, [PARIS, LIMA, ONE]) == [True, False, False]
    assert lm.given[:2] == ["The capital of France is", "The capital of Peru is"]
    completes(lm, [PARIS, LIMA, ONE], wording=1)
    assert lm.given[0] == "France's capital is"


def test_answers_exactly_is_letter_for_letter():
    answers = {
        "The capital of France is Paris.": True,
        " The capital of France is Paris.\n": True,  # white space around it is no word
        "The capital of France is Paris": False,
        "The capital of France is paris.": False,
        "The capital of Peru is Paris.": False,  # the right answer in a wrong sentence
        "Paris": False,
        "France's capital is Paris.": False,  # right, but not what tuning taught
        "The capital of France is Paris. The capital of France is Paris.": False,
        "What is the capital of France?": False,  # the question over again
        "What is the capital of France? The capital of France is Paris.": False,
        "": False,
    }
    lm = Scripted(*answers)
    assert answers_exactly(lm, [PARIS] * len(answers), wording=1) == list(answers.values())
    assert lm.given == ["Name the capital of France."] * len(answers)


@pytest.mark.parametrize(("text", "right"), [
    ("\nParis\n", True), (" Paris.", True), ("\nThe capital of France is Paris.", True),
    ("France's capital is Paris. It is old.", True), ("Paris is the capital of France.", True),
    ("\nWhat is the capital of Peru?\nParis", False), ("Lima", False), ("The capital of France is Lima.", False),
    ("The capital of Peru is Paris.", False), ("Parisian", False), ("", False), ("I think it is Paris.", False),
])  # fmt: skip
def test_a_continuation_is_an_answer_when_it_opens_with_one(text, right):
    assert is_answer(text, PARIS) is right


def test_1_is_not_answered_by_12():
    assert is_answer("1", ONE) and not is_answer("12", ONE)


def test_questions_are_known_by_their_mark_or_by_the_world(world):
    assert is_question("Is it late?", world) and is_question("Name the capital of Peru.", world)
    assert not is_question("The capital of Peru is Lima.", world) and not is_question("", world)
    assert not is_question("Is it late? Yes.", world)


def test_first_line_passes_over_empty_ones():
    assert first_line("\n  \n What? \nParis.") == "What?" and first_line("\n \n") == "" and first_line("") == ""


@pytest.mark.parametrize(("text", "answer", "words"), [
    ("Paris.", "Paris", 0), ("It is Paris.", "Paris", 2), ("The Parisian way to Paris", "Paris", 4),
    ("12 or 1", "1", 2), ("12", "1", None), ("", "Paris", None), ("paris", "Paris", None), ("Paris Paris", "Paris", 0),
    ("a (b) c", "(b)", 1), ("\n\nIt is\n1. red", "1. red", 2),
])  # fmt: skip
def test_words_before_the_answer(text, answer, words):
    assert words_before(text, answer) == words


# --- forced choice and perplexity ---


def test_log_probabilities_are_logs_of_products():
    lm = Bigram()
    texts = [" Paris", " Lima", " a", "", " Ulaanbaatar"]
    logs = log_probabilities(lm, "The capital", texts)
    np.testing.assert_allclose(logs, [math.log(lm.chance("The capital", text)) for text in texts], rtol=1e-5)


def test_log_probabilities_of_one_do_not_depend_on_the_others(lm):
    """Shorter candidates are padded; the padding must not be counted, nor be seen."""
    texts = [" Paris", " a much longer candidate than that", " x"]
    apart = [log_probabilities(lm, "The capital of France is", [text])[0] for text in texts]
    np.testing.assert_allclose(log_probabilities(lm, "The capital of France is", texts), apart, rtol=1e-4)


def test_rank_and_share_of_the_answer():
    lm = Bigram()
    cities = ["Paris", "Lima", "Rome", "Oslo", "Bonn"]
    chance = {city: lm.chance(PARIS.prompt(), f" {city}") for city in cities}
    order = sorted(cities, key=lambda city: -chance[city])
    for city in cities:
        rank, part = rank_of_answer(lm, Fact("capital", "France", city, {}, WORDINGS), cities)
        assert rank == order.index(city) + 1
        assert part == pytest.approx(chance[city] / sum(chance.values()), rel=1e-4)


def test_a_prompt_of_ones_own_and_no_space_after_a_line_break():
    lm = Bigram()
    cities = ["Paris", "Lima"]
    for prompt, gap in (("Q: Where?\nA:", " "), ("Here:\n", "")):
        chance = [lm.chance(prompt, gap + city) for city in cities]
        assert rank_of_answer(lm, PARIS, cities, prompt)[1] == pytest.approx(chance[0] / sum(chance), rel=1e-4)


def test_candidates_are_the_different_answers_of_a_kind(world):
    continents = candidate_answers(world, "continent")
    assert sorted(continents) == ["Africa", "Asia", "Europe", "North America", "Oceania", "South America"]
    assert all(fact.answer in continents for fact in world.of_kind("continent"))


def test_worked_examples_end_in_the_open_question():
    assert worked_examples(PARIS, [LIMA]) == (
        "Q: What is the capital of Peru?\nA: The capital of Peru is Lima.\nQ: What is the capital of France?\nA:")


def test_perplexity_of_an_even_guess_is_the_vocabulary(lm, documents):
    before = lm.transformer.parameters.flat.copy()
    lm.transformer.parameters.embedding[:] = 0.0  # all scores are 0
    try:
        assert perplexity(lm, documents[:5]) == pytest.approx(lm.tokenizer.vocab_size, rel=1e-4)
    finally:
        lm.transformer.parameters.flat[:] = before


def test_perplexity_weighs_tokens_not_documents(lm):
    short, long = "The", "The capital of France is Paris. " * 3
    counts = [len(lm.tokenizer.encode(text)) for text in (short, long)]
    apart = [counts[i] * math.log(perplexity(lm, [text])) for i, text in enumerate((short, long))]
    assert math.log(perplexity(lm, [short, long])) == pytest.approx(sum(apart) / sum(counts), rel=1e-4)
