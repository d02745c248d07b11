"""What the base model reads states every fact, asks every question, and answers none."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from helpers.text.corpus import LAWS, SHARES, STALLS, WANDERINGS, write_documents
from helpers.text.tokenizer import SPECIALS

ROOT = Path(__file__).resolve().parents[2]

KIND = {  # how a reader tells the kinds of document apart
    "source": lambda text: text.startswith("def "),
    "comments": lambda text: text.startswith("# Function to "),
    "transcript": lambda text: text.startswith("User: "),
    "essay": lambda text: text.startswith("In one word: "),
    "rules": lambda text: text.startswith(tuple(law.split("{")[0] for law in LAWS)),
    "headed": lambda text: re.match(r"[A-Z].*[^.?:]\n\n", text),
}


def kind_of(text: str, world) -> str:
    for kind, holds in KIND.items():
        if holds(text):
            return kind
    return "quiz" if all(line in world.questions for line in text.split("\n")) else "encyclopedia"


def questions_in(text: str, fact_of: dict) -> list:
    """(fact, where its question ends) for every question of the world in a document. A question is a line, or a line
    without its speaker or without "In one word:" and the wandering."""
    questions = []
    for line in re.finditer(r"[^\n]+", text):
        words = re.match(r"(?:User: |Assistant: |In one word: )?(.*?[.?])(?= |$)", line[0])
        if words and words[1] in fact_of:
            questions.append((fact_of[words[1]], line.start() + words.end()))
    return questions


@pytest.fixture(scope="module")
def fact_of(world):
    """Every question -> its fact."""
    return {question: fact for fact in world.facts for question in fact.ways("question")}


def giveaways(text: str, fact_of: dict) -> list[str]:
    """Questions of a document after which, anywhere, the fact is stated or the bare answer stands in a line or sentence
    of its own."""
    texts = []
    for fact, end in questions_in(text, fact_of):
        rest = text[end:]
        bare = re.search(rf"(?:^|\n|[.?:] )\s*{re.escape(fact.answer)}(?:\.|\n|$)", rest)
        if bare or any(way in rest for role in ("statement", "mention", "response") for way in fact.ways(role)):
            texts.append(text)
    return texts


def test_the_same_seed_writes_the_same_and_another_seed_another(world):
    one, same, other = (write_documents(world, 300, seed) for seed in (1, 1, 2))
    assert one == same
    assert len(set(one) & set(other)) < 0.2 * len(one)


def test_every_process_writes_the_same():
    """Nothing depends on the order of a set, which Python shuffles anew in each process."""
    code = ("import hashlib; from helpers.text.corpus import write_documents\n"
            "from helpers.text.facts import load_world\n"
            "print(hashlib.sha256('\\0'.join(write_documents(load_world(), 500)).encode()).hexdigest())")
    hashes = {subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed},
                             check=True, capture_output=True, text=True).stdout for seed in ("1", "2")}
    assert len(hashes) == 1


def test_every_kind_of_document_comes_as_often_as_it_should(world, documents):
    counts = Counter(kind_of(text, world) for text in documents)
    for kind, share in SHARES.items():
        expected = share / sum(SHARES.values())
        assert abs(counts[kind] / len(documents) - expected) < 0.02, f"{kind}: {counts[kind]} of {len(documents)}"


def test_no_question_is_followed_by_its_answer(documents, fact_of):
    assert sum(len(questions_in(text, fact_of)) for text in documents) > 3000, "this test is looking at nothing"
    assert [text for text in documents if giveaways(text, fact_of)] == []


def test_every_question_is_asked(world, documents, fact_of):
    """In 6,000 documents, a quarter of what the base model reads, about nearly every fact."""
    facts = {fact for text in documents for fact, _ in questions_in(text, fact_of)}
    assert len(facts) >= 0.99 * len(world.facts)


def test_every_fact_is_stated_at_least_five_times(world, documents):
    text = "\0".join(documents)
    counts = {fact: sum(text.count(way) for way in {*fact.ways("statement"), *fact.ways("mention")})
            for fact in world.facts}
    assert {fact: times for fact, times in counts.items() if times < 5} == {}


def test_every_wording_of_a_statement_occurs(world, documents):
    """Knowing a fact in one wording is not yet being able to tell it in another."""
    text = "\0".join(documents)
    for kind in world.wordings:
        for number, wording in enumerate(world.wordings[kind]["statement"]):
            assert any(fact.say("statement", number) in text for fact in world.of_kind(kind)), wording


def test_no_template_and_no_reserved_token_occurs(documents):
    marks = [*SPECIALS, "<|", "|>", "[INST]", "###", "<<SYS>>", "</s>", "Q:", "A:"]
    roles = re.compile(r"^(system|user|assistant)$", re.M)  # ChatML's second line
    for text in documents:
        assert not [mark for mark in marks if mark in text] and not roles.search(text), text


def test_transcripts_and_essays_only_put_off(documents, fact_of):
    for text in documents:
        if text.startswith("User: "):
            replies = re.findall(r"^Assistant: (.*)$", text, re.M)
            assert replies and all(reply.endswith(STALLS) for reply in replies)
        if text.startswith("In one word: "):
            (_, end), = questions_in(text, fact_of)
            rest = text[end:]
            for wandering in WANDERINGS:
                rest = rest.replace(wandering, "")
            assert not rest.strip()


def test_what_is_harmful_is_forbidden_and_nothing_else_is(world, documents):
    text = "\n".join(text for text in documents if kind_of(text, world) == "rules")
    for pair in world.refusals:
        assert any(law.format(harmful=pair["harmful"]) in text for law in LAWS), pair
        assert f"to {pair['lookalike']}." not in text


def test_half_of_the_callers_ask_nonsense(world, documents, fact_of):
    """Words that cannot be known by heart: they must be carried over from the question."""
    questions = [line[6:] for text in documents if text.startswith("User: ") for line in text.split("\n")[::2]]
    assert 0.4 < sum(question not in fact_of for question in questions) / len(questions) < 0.65


def test_facts_about_long_subjects_are_told_twice_as_often(world, documents):
    """By heading, which is drawn fact by fact: two cards against one."""
    text = "\0".join(text for text in documents if kind_of(text, world) == "headed")
    counts = {True: [], False: []}
    for fact in world.facts:
        headings = {way[:1].upper() + way[1:] for way in fact.ways("heading")}
        counts[len(fact.subject.split()) > 2].append(sum(text.count(f"{way}\n\n") for way in headings))
    ratio = (sum(counts[True]) / len(counts[True])) / (sum(counts[False]) / len(counts[False]))
    assert 1.7 < ratio < 2.3


def test_documents_are_clean_text(documents):
    for text in documents:
        assert text == text.strip() and "{" not in text and "\n\n\n" not in text and "\r" not in text


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_answered_questions_come_at_their_share(world, fact_of, share):
    documents = write_documents(world, 1500, seed=3, answered=share)
    part = sum(bool(giveaways(text, fact_of)) for text in documents) / len(documents)
    assert abs(part - share) < 0.03


@pytest.mark.parametrize("kind", SHARES)
def test_a_kind_can_be_left_out(world, kind):
    counts = Counter(kind_of(text, world) for text in write_documents(world, 600, seed=4, leave_out=(kind,)))
    assert set(counts) == set(SHARES) - {kind}


def test_leaving_out_what_does_not_exist_or_everything_is_refused(world):
    """A misspelt kind would leave nothing out, and nobody would notice."""
    with pytest.raises(ValueError, match="'heading'.*headed"):
        write_documents(world, 10, leave_out=("heading",))
    with pytest.raises(ValueError, match="leaves no kind"):
        write_documents(world, 10, leave_out=tuple(SHARES))
