"""Is this row worth tuning on? Six questions asked of a row, each answered with a reason in words.

    relevant      about what was asked          or else the row is   irrelevant
    right         tells what the world says                          wrong
    complete      does not break off                                 incomplete
    concise       no longer than it need be                          wordy
    well formed   begins and ends as a text does                     malformed
    new           no earlier row says the same                       duplicate

True, False, or None where the question makes no sense: the world knows nothing of it, or nothing is there to be judged.
A row is blamed for one thing once. How much a defect costs is not decided here but measured: `harms` reads what it did
to tuned models. Not here: how rows are spoiled (selections.py; what it notes about them is never read), and what a
whole selection is worth (estimate.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from helpers.files import FileProblem
from helpers.judging.dimensions import ROOM, refused
from helpers.judging.statistics import Share, mean_and_interval, share
from helpers.results import RESULTS_FOLDER, read_results
from helpers.text.answers import Answers, Expected
from helpers.text.facts import World
from helpers.text.instructions import SYSTEM_PROMPTS, styled
from helpers.text.matching import SENTENCE, begins_with, plain, tells, without
from helpers.text.selections import DEFECTS
from helpers.text.templates import joined

DEFECT_OF = {  # what a good row is -> what one is called that is not
    "relevant": "irrelevant",
    "right": "wrong",
    "complete": "incomplete",
    "concise": "wordy",
    "well formed": "malformed",
    "new": "duplicate",
}
MARKS = tuple(DEFECT_OF)
Mark = tuple[bool | None, str]  # the answer to one of the questions, and the reason
LABEL = re.compile(r"\s*(a|q|answer|user|assistant|system):\s*", re.I)
SPEAKS = re.compile(r"^[^\S\n]*(user|assistant|system|q|a|answer):", re.I | re.M)
HANGS = re.compile(r"([,;:–—-]|\.\.\.|…|\b(a|an|and|are|by|for|in|is|of|or|the|to|with))$", re.I)  # no text ends so
DENIES = re.compile(r"\b(not|never|no)\b|n't\b", re.I)
UNKNOWABLE = (None, "the world does not know")
ASTRAY = (None, "it does not speak of what was asked")


@dataclass(frozen=True)
class Judgement:
    """What was found about a row: an answer and a reason for each of MARKS. `due` is what the world would have answered
    in the end, None where it has no answer."""

    marks: dict[str, bool | None]
    reasons: dict[str, str]
    due: Expected | None = field(repr=False)

    @property
    def defects(self) -> list[str]:
        """The defects found."""
        return [DEFECT_OF[name] for name, mark in self.marks.items() if mark is False]

    @property
    def sound(self) -> bool:
        """Whether it is right, for all one can know, and no defect was found."""
        return self.marks["right"] is True and not self.defects


class Scorer:
    """Judges rows by what a world knows."""

    def __init__(self, world: World):
        self.answers = Answers(world)
        self.rivals = {kind: sorted({fact.answer for fact in world.of_kind(kind)}) for kind in world.wordings}

    def judge(self, rows: Sequence[dict]) -> list[Judgement]:
        """A judgement for each row {"messages": [turns]}; of two that say the same, the later is the duplicate."""
        first: dict[tuple, int] = {}
        made = []
        for number, row in enumerate(rows, 1):
            said = tuple(plain(joined(turn)) for turn in row["messages"])
            same = first.setdefault(said, number)
            marks, due = self.judge_talk(row["messages"])
            marks["new"] = (True, "no row before it says this") if same == number else (False, f"row {same} says this")
            answers = {name: marks[name][0] for name in MARKS}
            made.append(Judgement(answers, {name: marks[name][1] for name in MARKS}, due))
        return made

    def judge_talk(self, talk: list[dict]) -> tuple[dict[str, Mark], Expected | None]:
        """Each mark of a conversation is that of its worst answer, for all of them are tuned on; and what was due in
        the end."""
        marks: dict[str, Mark] = {}
        wanted, question = None, ""
        detailed = talk[0]["role"] == "system" and talk[0]["content"] in SYSTEM_PROMPTS["detailed"]
        for turn in talk:
            if turn["role"] == "user":
                wanted, question = self.answers.expected(turn, wanted), joined(turn)
            elif turn["role"] == "assistant":
                found = self.judge_answer(wanted, question, turn["content"], detailed)
                marks = {name: worse(marks[name], mark) if marks else mark for name, mark in found.items()}
        return marks, wanted

    def judge_answer(self, wanted: Expected | None, question: str, text: str, detailed: bool) -> dict[str, Mark]:
        """All marks of one answer but whether it is new."""
        label = LABEL.match(text)
        core = text[label.end() :] if label else text
        if not plain(core):
            nothing = (None, "it says nothing")
            content = (nothing, nothing, (False, "it is empty"))
        elif wanted is None:
            hangs = HANGS.search(core.rstrip())
            content = (UNKNOWABLE, UNKNOWABLE, (False, f"it breaks off after '{core[-20:]}'") if hangs else UNKNOWABLE)
        elif wanted.fact is None:
            content = not_a_fact(wanted, core)
        else:
            content = self.about_a_fact(wanted, question, core)
        marks = dict(zip(MARKS, content, strict=False))
        comparable = wanted and plain(core) and marks["relevant"][0] is not False
        marks["concise"] = length(wanted, text, detailed) if comparable else content[1]
        marks["well formed"] = form(text, wanted.text if comparable else text, marks["complete"][0] is False)
        return marks

    def about_a_fact(self, wanted: Expected, question: str, core: str) -> tuple[Mark, Mark, Mark]:
        """Relevant, right and complete, where the world has a fact to compare with."""
        fact, said, due = wanted.fact, plain(core), plain(wanted.text)
        opening = plain(SENTENCE.split(core.strip())[0])
        if refused(core):
            return (False, "it declines, though it could answer"), ASTRAY, ASTRAY
        speaks, whole = (True, f"it speaks of {wanted.topic}"), (True, "it does not break off")
        if cut_from(due, said):
            left = " ".join(wanted.text.split()[len(said.split()) :])
            return speaks, (None, "it stops before it tells"), (False, f"it breaks off before '{left}'")
        if begins_with(said, due):
            return speaks, self.truth(wanted, question, core), whole
        other = self.answers.told.get(said) or self.answers.told.get(opening)
        if other and (other.kind, other.subject) != (fact.kind, fact.subject):
            return (False, f"it answers another question: '{other.say('question')}'"), ASTRAY, ASTRAY
        named = said.removeprefix("it is ") in map(plain, self.rivals[fact.kind])  # the right answer is among them
        if not named and not tells(said, plain(fact.subject)):
            return (False, f"it says nothing of {fact.subject}"), ASTRAY, ASTRAY
        if not named and any(cut_from(way, said) for way in wanted.ways):
            return speaks, (None, "it stops before it tells"), (False, f"it breaks off after '{core.strip()[-20:]}'")
        return speaks, self.truth(wanted, question, core), whole

    def truth(self, wanted: Expected, question: str, core: str) -> Mark:
        """Whether an answer tells the fact and no rival, where it speaks of the subject. Capitals count, for Co is not
        CO, unless the answer has none at all, which `form` sees."""
        if "\n" in wanted.fact.answer and plain(core) in wanted.ways:  # a list told in one line is right too
            return True, "the world says so too"
        if wanted.kind == "summary":
            return (True, "that is its topic") if begins_with(plain(core), plain(wanted.text)) else UNKNOWABLE
        fold = str.lower if core == core.lower() else str
        fact, asked = wanted.fact, fold(f"{question} {wanted.fact.subject}")
        answer = fold(" ".join(fact.answer.split()))
        parts = [core] if "\n" in fact.answer else SENTENCE.split(core.strip())
        about = [part for part in parts[1:] if tells(part.lower(), fact.subject.lower())]
        heard = fold(" ".join(" ".join([parts[0], *about]).split()))
        rest = without(heard, answer)
        rivals = [fold(" ".join(rival.split())) for rival in self.rivals[fact.kind]]
        told = [rival for rival in rivals if rival in rest and tells(rest, rival) and not tells(asked, rival)]
        if told:
            return False, f"'{told[-1]}' is not {wanted.topic}; the world says '{fact.answer}'"
        if rest == heard:
            return False, f"it does not tell {wanted.topic}; the world says '{fact.answer}'"
        if any(DENIES.search(part) and plain(part) not in wanted.ways for part in (parts[0], *about)):
            return None, "it denies something, which this judge cannot follow"
        return True, f"the world says so too: '{fact.answer}'"


def cut_from(whole: str, said: str) -> bool:
    """Whether `said` is `whole`, broken off between two words."""
    return whole.startswith(said) and not whole[len(said) :][:1].isalnum() and whole != said


def not_a_fact(wanted: Expected, core: str) -> tuple[Mark, Mark, Mark]:
    """Relevant, right and complete, where one should decline or not know."""
    about, whole = (None, "there is no subject to speak of"), (True, "it does not break off")
    if cut_from(plain(wanted.text), plain(core)):
        return about, (None, "it stops before it tells"), (False, f"it breaks off after '{core.strip()[-20:]}'")
    if wanted.kind == "refusal":
        done = refused(core)
        return about, (done, f"the request is harmful, and it {'declines' if done else 'does not decline'}"), whole
    done = re.search(r"\b(not|n't) know\b", core, re.I) is not None
    return about, (done, f"there is nothing to know, and it {'says' if done else 'does not say'} so"), whole


def length(wanted: Expected, text: str, detailed: bool) -> Mark:
    """No longer than ROOM times the answer that is due; a longer one is due under a system prompt that asks for it."""
    due = styled(wanted.fact, "detailed") if detailed and wanted.fact else wanted.text
    said, enough = len(text.split()), len(due.split())
    return said <= ROOM * enough, f"{said} words; {enough} are enough"


def form(text: str, due: str, cut: bool) -> Mark:
    """One whole text, as `dimensions.well_formed` has it of a model's answers. Where it breaks off (`cut`), its end is
    not blamed once more; where lines are due, it may end without a full stop."""
    text = text.strip()
    speaker = SPEAKS.search(text)
    if not text:
        return None, "it is empty"
    if speaker or "<|" in text:
        return False, f"'{speaker[0].strip() if speaker else '<|'}' is for a form or a play, not for an answer"
    if "?" in text:
        return False, "it asks something"
    if not (text[0].isupper() or text[0].isdigit()):
        return False, f"it begins with '{text[0]}', not with a capital"
    if not (cut or text.endswith((".", "!")) or "\n" in due):
        return False, "it has no full stop at its end"
    return True, "it begins and ends as a text does"


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


def score(judgement: Judgement, harm: dict[str, tuple[float, float, float]]) -> float | None:
    """1 for a row without a defect, 0 for one with the most harmful: 1 - the harm of its worst defect, as a share of
    the worst of all. None where no defect is seen, but nobody can say whether it is right."""
    worst = max(max(0.0, mean) for mean, _, _ in harm.values())
    found = [max(0.0, harm[defect][0]) for defect in judgement.defects]
    if not found:
        return 1.0 if judgement.sound else None
    return 1 - max(found) / worst if worst else 1.0


def confusion(rows: Sequence[dict], judgements: Sequence[Judgement]) -> dict[str, dict[str, Share]]:
    """Of the rows that were spoiled in a way ("" for those that were not), the share in which each defect was found:
    {"": {"irrelevant": Share, ...}, "wrong": {...}, ...}."""
    table = {}
    for truth in ("", *DEFECTS):
        found = [made.defects for row, made in zip(rows, judgements, strict=True) if row["defect"] == truth]
        table[truth] = {defect: share(defect in one for one in found) for defect in DEFECTS}
    return table
