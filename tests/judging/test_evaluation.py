"""Every measure gives the known score on answers written by hand."""

import math

import numpy as np
import pytest

from helpers import load
from helpers.judging.evaluation import (
    answers_exactly,
    candidate_answers,
    completes,
    is_answer,
    is_question,
    log_probabilities,
    perplexity,
    rank_of_answer,
    worked_examples,
)
from helpers.judging.statistics import Share, mean_and_interval, share
from helpers.judging.vital_signs import Watch, distinct_trigrams
from helpers.learning.language_model import LanguageModel
from helpers.learning.model import Config
from helpers.text.facts import Fact
from helpers.text.matching import begins_with, first_line, words_before
from helpers.text.tokenizer import Tokenizer
from tests.conftest import lively

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
        self.texts, self.given, self.tokenizer = list(texts), [], Tokenizer([])

    def complete_all(self, texts, max_new_tokens=32, **_):
        self.given += texts
        return [self.texts.pop(0) for _ in texts]

    def ask_all(self, questions, **_):
        self.given += questions
        return [self.texts.pop(0) for _ in questions]


@pytest.fixture(scope="module")
def sure():
    """A model with large random parameters and bytes as tokens: it is wrong, but of strong opinions."""
    tokenizer = Tokenizer([])
    config = Config(vocab=tokenizer.vocab_size, dim=16, layers=1, heads=2, hidden=24, context=64)
    return LanguageModel(tokenizer, lively(config, np.float32), {})


def chance(lm: LanguageModel, prompt: str, text: str) -> float:
    """Probability that the model continues the prompt with a text: token after token, everything computed anew."""
    ids, product = lm.document_ids(prompt), 1.0
    for number in lm.tokenizer.encode(text):
        scores = lm.logits([ids])[0, -1].astype(float)
        product *= np.exp(scores[number] - scores.max()) / np.exp(scores - scores.max()).sum()
        ids.append(number)
    return product


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


@pytest.mark.parametrize("count", [0, 1, 2, 11])
def test_an_interval_over_too_few_or_many_seeds_is_refused_in_words(count):
    with pytest.raises(ValueError, match=f"3 to 10 results, not {count}"):
        mean_and_interval([0.5] * count)


@pytest.mark.parametrize(("text", "answer", "right"), [
    (" Paris.", "Paris", True), ("Paris", "Paris", True), (" Paris, which", "Paris", True),
    (" Parisian", "Paris", False), (" paris", "Paris", False), (" not Paris", "Paris", False), ("", "Paris", False),
    (" 1.", "1", True), (" 12.", "1", False), (" 1", "12", False), (" 1.5", "1", False), (" 1, or", "1", True),
    (" H.", "H", True), (" He.", "H", False),
    (" 1. red\n2. blue\n\n", "1. red\n2. blue", True), (" 1. red\n2. bluebell", "1. red\n2. blue", False),
])  # fmt: skip
def test_begins_with_the_whole_of_the_answer(text, answer, right):
    assert begins_with(text, answer) is right


def test_completes_reads_what_follows_the_statement():
    lm = Scripted(" Paris. The capital of Peru is Lima.", " Paris.", " Rome")
    rome = Fact("capital", "Italy", "Rome", {}, WORDINGS)
    assert completes(lm, [PARIS, LIMA, rome]) == [True, False, True]
    assert lm.given == ["The capital of France is", "The capital of Peru is", "The capital of Italy is"]
    lm = Scripted(" Paris")
    assert completes(lm, [PARIS], wording=1) == [True] and lm.given == ["France's capital is"]


def test_completes_gives_outcomes_in_the_order_of_the_facts():
    """However the facts are put together to be asked."""
    class Knows(Scripted):
        def complete_all(self, texts, max_new_tokens=32, **_):
            assert max_new_tokens > 1 + len("Paris") or "France" not in texts[0], "no room for the answer"
            return [{"France": " Paris.", "0 and 1": " 12."}.get(text.split(" is")[0].split(" of ")[1], " Oslo.")
                    for text in texts]

    assert completes(Knows(), [ONE, PARIS, LIMA, PARIS, ONE]) == [False, True, False, True, False]


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


def test_log_probabilities_are_logs_of_products(sure):
    texts = [" Paris", " Lima", " a", " Ulaanbaatar", ""]
    expected = [math.log(chance(sure, "The capital", text)) for text in texts]
    np.testing.assert_allclose(log_probabilities(sure, "The capital", texts), expected, rtol=1e-3, atol=1e-6)
    assert np.ptp(expected[:2]) > 1, "nearly the same for all, so this test sees nothing"


def test_log_probabilities_of_one_do_not_depend_on_the_others(sure):
    """Shorter candidates are padded; the padding must not be counted, nor be seen."""
    texts = [" Paris", " a much longer candidate than that", " x"]
    apart = [log_probabilities(sure, "The capital of France is", [text])[0] for text in texts]
    np.testing.assert_allclose(log_probabilities(sure, "The capital of France is", texts), apart, rtol=1e-3)


def test_rank_and_share_of_the_answer(sure):
    """Each candidate ends the statement, full stop included."""
    cities = ["Paris", "Lima", "Rome", "Oslo", "Bonn"]
    chances = {city: chance(sure, "The capital of France is", f" {city}.") for city in cities}
    order = sorted(cities, key=lambda city: -chances[city])
    for city in cities:
        rank, part = rank_of_answer(sure, Fact("capital", "France", city, {}, WORDINGS), cities)
        assert rank == order.index(city) + 1
        assert part == pytest.approx(chances[city] / sum(chances.values()), rel=1e-2, abs=1e-9)


def test_a_short_candidate_is_not_credited_with_the_longer_ones_it_begins(sure):
    """All that goes on to "He." begins with "H": without the full stop "H" could not lose against "He"."""
    facts = [Fact("symbol", "x", symbol, {}, WORDINGS) for symbol in ("H", "He")]
    parts = [rank_of_answer(sure, fact, ["H", "He"])[1] for fact in facts]
    chances = [chance(sure, "The capital of x is", f" {symbol}.") for symbol in ("H", "He")]
    assert parts == pytest.approx([part / sum(chances) for part in chances], rel=1e-2)


def test_no_space_is_put_after_a_line_break(sure):
    wordings = WORDINGS | {"statement": ["Here:\n{answer}"]}
    chances = [chance(sure, "Here:\n", city) for city in ("Paris", "Lima")]
    _, part = rank_of_answer(sure, Fact("capital", "France", "Paris", {}, wordings), ["Paris", "Lima"])
    assert part == pytest.approx(chances[0] / sum(chances), rel=1e-2)


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


# --- what is watched while a model is tuned ---


def test_distinct_trigrams_by_hand():
    assert distinct_trigrams(["a b c d", "a b c e"]) == 3 / 4  # abc bcd abc bce
    assert distinct_trigrams(["a b c"] * 5) == 1 / 5
    assert distinct_trigrams(["one two three four"]) == 1.0
    assert math.isnan(distinct_trigrams(["too short", ""]))


def test_trigrams_do_not_reach_from_one_text_into_the_next():
    assert distinct_trigrams(["a b c", "b c a"]) == 1.0 and distinct_trigrams(["a b", "c d e"]) == 1.0


def test_vital_signs_of_the_shipped_models(world):
    base, tuned = load("base"), load("tuned")
    watch = Watch(base, world)
    before, after = watch(base), watch(tuned)
    assert before["exact"] == 0 and after["exact"] >= 0.9
    assert after["words"] == pytest.approx(watch.reference["words"], abs=1) and before["words"] > after["words"]
    assert 1 < before["perplexity"] == watch.reference["perplexity"] < after["perplexity"] < 2 * before["perplexity"]
    assert 0 < after["distinct trigrams"] <= 1
