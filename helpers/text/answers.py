"""What would the world answer? Finds, for a user's turn, the answer that the course's own dataset would give to it.

Knows every wording of every question, tasks with their input, texts to sum up, requests to refuse, made-up countries,
follow-up questions; and other wordings, if they name what a fact is about. Not here: whether an answer is any good
(quality.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from helpers.text.facts import Fact, World
from helpers.text.instructions import HARMFUL_QUESTIONS, MADE_UP, REFUSAL, TOPIC_QUESTIONS, UNKNOWN, summary
from helpers.text.matching import SENTENCE, plain

PUNCTUATION = re.compile(r"[,;:\"'()]+")  # may stand beside a name


@dataclass(frozen=True)
class Expected:
    """The answer that is due. `fact` is what it is about, if it is about one; `ways` are the sentences, plain, that
    would do as well."""

    text: str
    kind: str
    fact: Fact | None = None
    ways: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def topic(self) -> str:
        """What was asked about, in words: "the capital of Peru"."""
        heading = self.fact.ways("heading")[-1] if self.fact else "such a request"
        return heading[:1].lower() + heading[1:]


class Answers:
    """The answers that a world has. To make one takes a moment, to look an answer up takes little."""

    def __init__(self, world: World):
        self.asked: dict[tuple[str, str], Expected] = {}  # (question, input), both plain
        self.follow_ups: dict[str, list[Expected]] = {}
        self.headings: dict[str, Expected] = {}
        self.told: dict[str, Fact] = {}  # sentences, plain, that tell a fact
        self.topics = {plain(question) for question in TOPIC_QUESTIONS}
        for fact in world.facts:
            self.learn(fact)
        for pair in world.refusals:
            for question in HARMFUL_QUESTIONS:
                self.asked[plain(question.format(**pair)), ""] = Expected(REFUSAL, "refusal")
        for kind in {"capital", "language", "continent"} & set(world.wordings):
            for name in MADE_UP:
                for question in world.of_kind(kind)[0].about(name).ways("question"):
                    self.asked[plain(question), ""] = Expected(UNKNOWN, "unknown")

    def learn(self, fact: Fact) -> None:
        """Every way to ask for a fact and to tell it."""
        ways = frozenset(plain(way) for role in ("response", "statement", "mention") for way in fact.ways(role))
        wanted = Expected(fact.say("response"), fact.kind, fact, ways)
        self.told |= dict.fromkeys(ways, fact)
        self.headings |= {plain(heading): wanted for heading in fact.ways("heading")}
        self.asked |= {(plain(question), ""): wanted for question in fact.ways("question")}
        self.asked |= {(plain(task), plain(fact.subject)): wanted for task in fact.ways("task")}
        for question in fact.ways("followup"):
            self.follow_ups.setdefault(plain(question), []).append(wanted)

    def expected(self, turn: dict, before: Expected | None = None) -> Expected | None:
        """The answer due to a user's turn, after what was due to the turn before; None if the world has none."""
        words, given = plain(turn["content"]), plain(turn.get("input") or "")
        if found := self.asked.get((words, given)):
            return found
        if given:
            fact = self.told.get(plain(SENTENCE.split(turn["input"])[0])) if words in self.topics else None
            return Expected(summary(fact), "summary", fact) if fact else None
        return self.follow_up(words, before) or self.named(words)

    def taught_by(self, talk: list[dict]) -> set[Fact]:
        """The facts that a conversation asks about or tells, in any of its turns."""
        facts, due = set(), None
        for turn in talk:
            if turn["role"] == "user":
                due = self.expected(turn, due)
                facts |= {due.fact} if due and due.fact else set()
            elif turn["role"] == "assistant":
                said = map(plain, (turn["content"], *SENTENCE.split(turn["content"])))
                facts |= {self.told[sentence] for sentence in said if sentence in self.told}
        return facts

    def follow_up(self, words: str, before: Expected | None) -> Expected | None:
        """ "And of Spain?" has the kind of the question before it, "And its capital?" the subject."""
        earlier = before.fact if before else None
        alike = [
            one
            for one in self.follow_ups.get(words, [])
            if earlier and (one.kind == earlier.kind or one.fact.subject == earlier.subject)
        ]
        return alike[0] if len(alike) == 1 else None

    def named(self, words: str) -> Expected | None:
        """What a question in other words is about: the longest heading in it ("the capital of Peru" holds "capital of
        Peru"); None if it names something else besides."""
        within = f" {words}  {' '.join(PUNCTUATION.sub(' ', words).split())} "
        found = [heading for heading in self.headings if f" {heading} " in within]
        longest = max(found, key=len, default="")
        return self.headings[longest] if found and all(heading in longest for heading in found) else None
