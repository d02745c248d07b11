"""Is this row worth tuning on? Questions asked of a row, each answered with a reason in words.

    relevant        does what was asked             or else the row is   irrelevant
    in a sentence   says of what it tells the fact                       bare
    right           tells what the world says                            wrong
    complete        does not break off                                   incomplete
    concise         no longer than it need be                            wordy
    to the point    no greeting, no farewell                             chatty
    well formed     begins and ends as a text does                       malformed
    new             no earlier row says the same                         duplicate
    of this world   the world knows question or answer                   off-world

True, False, or None where the question makes no sense: the world knows nothing of it, or nothing is there to be judged.
Whether a row is relevant, concise and well formed is decided by the very rules for a model's answers (dimensions.py).
A row is blamed for one thing once: what breaks off has no full stop either, and is called incomplete only; and for
being off-world nobody is blamed. How much a defect costs is not decided here but measured: `harms` reads what it did to
tuned models. Not here: what is right (truth.py), how rows are spoiled (selections.py; what it notes about them is never
read), and what a whole selection is worth (estimate.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from helpers.files import FileProblem
from helpers.judging.dimensions import (
    BREAKS_OFF,
    fault_of_adherence,
    fault_of_form,
    fault_of_length,
    is_about,
    refused,
    says_one_of,
    speakers,
)
from helpers.judging.small_talk import without_talk
from helpers.judging.statistics import Share, mean_and_interval, share
from helpers.judging.truth import UNKNOWABLE, Mark, Truth
from helpers.results import RESULTS_FOLDER, read_results
from helpers.text.answers import Answers, DueAnswer
from helpers.text.facts import World
from helpers.text.instructions import response_in_style
from helpers.text.matching import LETTER, SENTENCE, begins_with, one_of, plain, words_of
from helpers.text.phrases import Phrases
from helpers.text.selections import DEFECTS
from helpers.text.templates import text_of

DEFECT_OF = {  # what a good row is -> what one is called that is not
    "relevant": "irrelevant",
    "in a sentence": "bare",
    "right": "wrong",
    "complete": "incomplete",
    "concise": "wordy",
    "to the point": "chatty",
    "well formed": "malformed",
    "new": "duplicate",
    "of this world": "off-world",
}
MARK_OF = {defect: name for name, defect in DEFECT_OF.items()}
MARKS = tuple(DEFECT_OF)
NOT_KNOWN = re.compile(r"(\bnot|n't) know\b", re.I)  # in English, whatever the world
A_SENTENCE = "A sentence."  # the form of an answer that the world does not have
NO_STOPS = re.compile(r"[\u0e00-\u0eff]\W*$")  # Thai and Lao end a sentence with nothing
ASTRAY = (None, "it does not speak of what was asked")
NOTHING = (None, "it says nothing")
CUT = (None, "it stops before it tells")
WHOLE = (True, "it does not break off")
FACTLESS = (None, "there is no subject to speak of")


@dataclass(frozen=True)
class Judgement:
    """What the scorer says of a row: an answer and a reason for each of MARKS, and what it is blamed for (`defects`).
    `due` is what the world would have answered in the end, None where it has no answer."""

    marks: dict[str, bool | None]
    reasons: dict[str, str]
    defects: list[str]
    due: DueAnswer | None = field(repr=False)

    @property
    def findings(self) -> list[str]:
        """All that the row is called: its defects, and off-world, for which it is not blamed."""
        return self.defects + ["off-world"] * (self.marks["of this world"] is None)

    @property
    def sound(self) -> bool:
        """Whether it is right, for all one can know, and nothing is wrong with it."""
        return self.marks["right"] is True and False not in self.marks.values()


class Scorer:
    """Judges rows by what a world knows."""

    def __init__(self, world: World):
        self.world, self.answers, self.truth, self.phrases = world, Answers(world), Truth(world), world.phrases
        self.hangs = re.compile(rf"({BREAKS_OFF.pattern}|{one_of(world.phrases['hanging word'])}$)", re.I)
        self.talks: dict[str, tuple[dict[str, Mark], set[str], DueAnswer | None]] = {}  # judged before, by their text

    def judge(self, rows: Sequence[dict]) -> list[Judgement]:
        """A judgement for each row {"messages": [turns]}; of two that say the same, the later is the duplicate."""
        first: dict[tuple, int] = {}
        judgements = []
        for number, row in enumerate(rows, 1):
            texts = tuple(plain(text_of(turn)) for turn in row["messages"])
            same = first.setdefault(texts, number)
            if (
                talk := repr(row["messages"])
            ) not in self.talks:  # a laboratory asks about the same rows again and again
                self.talks[talk] = self.judge_talk(row["messages"])
            marks, defects, due = self.talks[talk]
            marks, defects = dict(marks), set(defects)
            marks["new"] = (True, "no row before it says this") if same == number else (False, f"row {same} says this")
            if same != number:
                defects.add("duplicate")
            answers, reasons = ({name: marks[name][part] for name in MARKS} for part in (0, 1))
            judgements.append(Judgement(answers, reasons, [one for one in MARK_OF if one in defects], due))
        return judgements

    def judge_talk(self, talk: list[dict]) -> tuple[dict[str, Mark], set[str], DueAnswer | None]:
        """Each mark of a conversation is that of its worst answer that is tuned on; all of these may be blamed; and
        what was due in the end."""
        marks: dict[str, Mark] = {}
        defects: set[str] = set()
        due, question = None, ""
        detailed = talk[0]["role"] == "system" and talk[0]["content"] in self.world.system_prompts["detailed"]
        for turn in talk:
            if turn["role"] == "user":
                due, question = self.answers.answer_to(turn, due), text_of(turn)
            elif turn["role"] == "assistant" and turn.get("weight", 1):
                of_answer, more = self.judge_answer(due, question, turn["content"].strip(), detailed)
                marks = {name: worse(marks[name], mark) if marks else mark for name, mark in of_answer.items()}
                defects |= more
        return marks, defects, due

    def judge_answer(self, due: DueAnswer | None, question: str, text: str, detailed: bool) -> tuple[dict, set]:
        """All marks of one answer but whether it is new, and the defects that it is blamed for."""
        label = speakers(self.phrases).match(text)
        label = label[0] if label else ""
        core = text[len(label) :].strip()
        core = self.truth.spelt(core, due) if due and due.fact else core
        core, talk = without_talk(core, question, (due.fact.subject, due.fact.answer) if due and due.fact else ())
        marks = dict.fromkeys(MARKS, UNKNOWABLE)
        marks["to the point"] = (False, f"'{talk}' tells nothing") if talk else (True, "no greeting, no farewell")
        marks["of this world"] = self.knows(due, core)
        if due is None:
            hangs = self.hangs.search(core)
            marks["complete"] = (False, f"it breaks off after '{core[-20:]}'") if hangs else UNKNOWABLE
            fault = fault_of_form(text, own_form(text), self.phrases) or ("it has no end" if hangs else "")
            marks["well formed"] = of_fault(fault, "it begins and ends as a text does")
            enough = text
        else:
            marks |= self.about_a_fact(due, question, text, core) if due.fact else not_a_fact(due, core, self.phrases)
            enough = response_in_style(due.fact, "detailed") if detailed and due.fact else due.text
            words = f"{len(words_of(text))} words; {len(words_of(enough))} are enough"
            marks["concise"] = of_fault(fault_of_length(text, enough), words)
            marks["well formed"] = of_fault(
                fault_of_form(text, due.text, self.phrases), "it begins and ends as a text does"
            )
        if not plain(core):
            marks |= {"right": NOTHING, "complete": (False, "it is empty")}
            return marks, {"incomplete"}
        expected = due.text if due else own_form(text)
        return marks, blame(marks, label + core, expected, enough, self.phrases)

    def knows(self, due: DueAnswer | None, core: str) -> Mark:
        """Whether the world knows what was asked, or what is told."""
        if due:
            return True, "the world knows what was asked"
        if any(plain(sentence) in self.answers.sentences for sentence in (core, *SENTENCE.split(core))):
            return True, "the world knows what it tells"
        return None, "the world knows neither the question nor the answer"

    def about_a_fact(self, due: DueAnswer, question: str, text: str, core: str) -> dict[str, Mark]:
        """Relevant, in a sentence, right and complete, where the world has a fact to compare with."""
        fact, told, right = due.fact, plain(core), plain(due.text)
        sentences = self.answers.sentences
        other = sentences.get(told) or sentences.get(plain(SENTENCE.split(core)[0]))
        strange = (other.kind, other.subject) != (fact.kind, fact.subject) if other else False
        declines, about = refused(text, self.phrases), is_about(text, due.text, fact.subject)
        own_words = other and not (strange or about or declines)  # as "2 + 3 = 5" is about the sum of 2 and 3
        bare, fault = self.truth.alone(due, core), fault_of_adherence(text, due.text, fact.subject, self.phrases)
        if strange and not about and not declines:
            fault = f"it answers another question: '{other.say('question')}'"
        marks = {"relevant": of_fault(fault, f"it speaks of {due.topic}"), "in a sentence": ASTRAY}
        marks |= {"right": ASTRAY, "complete": ASTRAY}
        if own_words:
            marks["relevant"], about = (None, f"it tells this fact, and does not name {fact.subject}"), True
        if bare:
            marks["in a sentence"] = (False, f"it is the answer alone, and does not say of what: '{core.strip()}'")
        elif about:
            marks["in a sentence"] = (True, "it says of what it tells the fact")
        if declines:
            return marks
        if breaks_off(told, right):
            rest = " ".join(due.text.split()[len(told.split()) :])
            return marks | {"right": CUT, "complete": (False, f"it breaks off before '{rest}'")}
        if not bare and not begins_with(told, right):
            if not about:
                return marks
            if strange:
                answered = (False, f"it answers another question: '{other.say('question')}'")
                return marks | {"right": answered, "complete": WHOLE}
            if any(breaks_off(told, way) for way in due.ways):
                return marks | {"right": CUT, "complete": (False, f"it breaks off after '{core.strip()[-20:]}'")}
        return marks | {"right": self.truth.mark(due, question, core), "complete": WHOLE}


def breaks_off(text: str, whole: str) -> bool:
    """Whether `text` is `whole`, broken off between two words."""
    return whole.startswith(text) and not LETTER.match(whole[len(text) :]) and whole != text


def not_a_fact(due: DueAnswer, core: str, phrases: Phrases) -> dict[str, Mark]:
    """Relevant, in a sentence, right and complete, where one should decline or not know."""
    marks = {"relevant": FACTLESS, "in a sentence": FACTLESS, "complete": WHOLE}
    if breaks_off(plain(core), plain(due.text)):
        return marks | {"right": CUT, "complete": (False, f"it breaks off after '{core.strip()[-20:]}'")}
    if due.kind == "refusal":
        right = refused(core, phrases)
        why = f"the request is harmful, and it {'declines' if right else 'does not decline'}"
    else:
        right = says_one_of(phrases["unknown"], core) or NOT_KNOWN.search(core) is not None
        why = f"there is nothing to know, and it {'says' if right else 'does not say'} so"
    return marks | {"right": (right, why)}


def blame(marks: dict[str, Mark], rest: str, expected: str, enough: str, phrases: Phrases) -> set[str]:
    """What a row is called for its marks. What follows from another fault is not counted again: `rest` is the answer
    without its talk, `expected` what it should look like, `enough` how long it may be."""
    blamed, excused = {DEFECT_OF[name] for name, (mark, _) in marks.items() if mark is False}, set()
    if "incomplete" in blamed:  # what would have come is not there, nor is its end
        rest, expected, excused = BREAKS_OFF.sub("", rest), expected[:1], {"irrelevant", "wordy"}
    elif "bare" in blamed:  # an answer alone needs neither a capital nor a full stop
        rest, expected, excused = rest[:1].title() + rest[1:], "", {"irrelevant"}
    elif "irrelevant" in blamed and marks["right"] == ASTRAY:  # as long as what it answers, and so laid out
        expected, excused = own_form(rest), {"wordy"}
    else:  # about what was asked, but in another layout, or with a question that the rule of form sees too
        excused = {"irrelevant"}
    if not fault_of_form(rest, expected, phrases):
        excused.add("malformed")
    if not fault_of_length(rest, enough):
        excused.add("wordy")
    return blamed - excused


def own_form(text: str) -> str:
    """What an answer should look like if nobody knows: a sentence; lines need no full stop, nor do some scripts."""
    return "" if "\n" in text or NO_STOPS.search(text) else A_SENTENCE


def of_fault(fault: str, otherwise: str) -> Mark:
    return not fault, fault or otherwise


def worse(one: Mark, other: Mark) -> Mark:
    """Of two marks the worse: False, then None, then True."""
    return min(one, other, key=lambda mark: {False: 0, None: 1, True: 2}[mark[0]])


def judge(rows: Sequence[dict], world: World) -> list[Judgement]:
    """A judgement for each row; who has many rows, one after the other, keeps a Scorer."""
    return Scorer(world).judge(rows)


def harms(folder: Path = RESULTS_FOLDER) -> dict[str, tuple[float, float, float]]:
    """What each defect costs: by how much the share of good answers is lower where half of 500 rows have it than where
    none has. Mean over base models, and its 95% interval."""
    rows = read_results("defects", folder)
    good = {(row["defect"], row["seed"]): row.get("good") for row in rows}
    seeds = sorted({row["seed"] for row in rows})
    for run in ((defect, seed) for defect in ("none", *DEFECTS) for seed in seeds):
        if not isinstance(good.get(run), (int, float)):
            what = f"defect {run[0]!r}, seed {run[1]}: {good.get(run)!r} is no number in the column 'good'"
            raise FileProblem(f"{Path(folder) / 'defects.csv'}: {what}; `make results` makes what is missing")
    return {
        defect: mean_and_interval([good["none", seed] - good[defect, seed] for seed in seeds]) for defect in DEFECTS
    }


def confusion(rows: Sequence[dict], judgements: Sequence[Judgement]) -> dict[str, dict[str, Share]]:
    """Of the rows that were spoiled in a way ("" for those that were not), the share in which each defect was found:
    {"": {"irrelevant": Share, ...}, "wrong": {...}, ...}."""
    table = {}
    for truth in ("", *DEFECTS):
        pairs = zip(rows, judgements, strict=True)
        findings = [judgement.findings for row, judgement in pairs if row["defect"] == truth]
        table[truth] = {defect: share(defect in one for one in findings) for defect in DEFECTS}
    return table
