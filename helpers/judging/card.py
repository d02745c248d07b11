"""Your own rows or your own world, tuned on and judged.

    rows (own_rows.py) -> tuned, with a log -> five dimensions, your rows one by one, the diagnosis
    a folder of tables -> documents -> tokenizer -> base model -> the same

What became of your own rows is told apart from the facts of the world that tuning never saw: a row given back as it was
taught says that it was learned by heart, and no more. Not here: the page that shows it (report_card.py).

Two things that one might expect cannot be had. A fact that the base model never read is taught as any answer is, as a
string of words; nothing tells the two apart from outside. And one run is one draw: the intervals on its card are over
questions, not over random starts.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.corpus import is_code, write_documents
from helpers.datasets import Problem
from helpers.diagnostics import Diagnosis, diagnose
from helpers.dimensions import LIMIT, Probe, Report, ask, probes, tells
from helpers.evaluation import Share, completes, perplexity, share
from helpers.expected import Answers, plain
from helpers.facts import Fact, FactsError, World
from helpers.failures import READINGS, Watch, one_liners, spoken
from helpers.files import FileProblem
from helpers.formats import RowProblem
from helpers.instructions import HARMFUL_QUESTIONS, fact_rows, instruction_rows, turn
from helpers.language_model import LanguageModel
from helpers.own_rows import OwnRow, OwnRows
from helpers.rebuild import (
    CORPUS_SEED,
    DOCUMENTS,
    PRETRAINING,
    TUNING,
    TUNING_ROWS,
    course_tokenizer,
    new_base,
    pretrain,
    tokenize,
    unfinished,
)
from helpers.sft import examples, tune_examples
from helpers.templates import joined, render
from helpers.training import Recipe

WATCHED = 80  # held-out facts that are asked at each reading of the log
TUNE_ON = ("with the world's rows", "alone")


def too_long(prompts: Sequence[list[dict]], answer: str, lm: LanguageModel) -> tuple[str, str] | None:
    """Which part of questions and their answer does not fit this model, and why; None if all of it does."""
    room = lm.transformer.config.context - LIMIT
    longest = max(len(render(talk, lm.template, lm.tokenizer, generate=True)[0]) for talk in prompts)
    tokens = len(lm.tokenizer.encode(answer))
    if tokens >= LIMIT:
        return "answer", f"takes {tokens} tokens; this model answers in {LIMIT - 1}. Shorten it"
    if longest > room:
        return "question", f"takes {longest} tokens with its template; {room} fit. Shorten it"
    return None


def set_aside_too_long(own: OwnRows, lm: LanguageModel) -> None:
    """Rows that do not fit this model, whole or when asked, go to the problems: cutting them would teach half a row."""
    told, fit = len(own.problems), []
    for row in own.rows:
        prompts = [*(talk[:-1] for talk in row.talks), *([row.again] if row.again else [])]
        if problem := too_long(prompts, row.talks[0][-1]["content"], lm):
            own.refuse(row.line, row.raw, RowProblem(*problem))
        else:
            fit.append(row)
    own.rows = fit
    if not fit:  # asked once more, all that was too long is among the problems already
        first = (own.problems[told:] or own.problems)[0]
        raise FileProblem(f"{own.name}: holds no row that fits this model; the first problem: {first}")


# --- tune and judge ---


@dataclass(frozen=True)
class OwnAnswer:
    """What the tuned model said to one of your questions."""

    line: int
    question: str
    wanted: str
    got: str
    taught: bool  # asked as it was tuned on, or in other words
    holds: bool  # the words that carry the fact stand in it

    @property
    def exact(self) -> bool:
        return self.got == self.wanted


@dataclass(frozen=True)
class Card:
    """All that a report card shows."""

    title: str
    tuned_on: dict[str, int]  # which rows, how many
    recipe: Recipe
    notes: list[str]
    problems: list[Problem]
    reports: dict[str, Report]  # base asked in two ways, and tuned
    completed: dict[str, Share]
    own: list[OwnAnswer]
    own_before: Share  # of the same questions, answered exactly by the base model
    log: list[dict]
    reference: dict[str, float]
    diagnosis: Diagnosis

    def own_share(self, taught: bool, exact: bool = True) -> Share:
        return share(a.exact if exact else a.holds for a in self.own if a.taught == taught)


def watched(world: World) -> Sequence[Fact]:
    """The facts that can be asked while a model is tuned."""
    if not (facts := one_liners(world)):
        raise FactsError(
            "this world holds no fact with a one-line answer out of tuning, so nothing can be judged; add facts (of "
            "many, about half are held out)"
        )
    return facts


class WorldWatch(Watch):
    """failures.Watch for any world: of its facts WATCHED at most, evenly spread, and only documents that the world
    can fill."""

    def __init__(self, base: LanguageModel, world: World):
        facts = watched(world)
        self.facts: Sequence[Fact] = facts[:: math.ceil(len(facts) / WATCHED)]
        self.documents = documents_of(world, 30, CORPUS_SEED + 99)
        right = [fact.say("response") for fact in self.facts]
        self.reference = spoken(right) | {"perplexity": perplexity(base, self.documents)}


def documents_of(world: World, count: int, seed: int = CORPUS_SEED) -> list[str]:
    """Documents of the kinds for which the world has something: no source files without code, no rules without any."""
    code = any(is_code(fact) for fact in world.facts)
    leave_out = ((), ("source", "comments"))[not code] + ((), ("rules",))[not world.refusals]
    return write_documents(world, count, seed, leave_out=leave_out)


def judge(
    base: LanguageModel,
    world: World,
    own: OwnRows | None = None,
    *,
    tune_on: str = TUNE_ON[0],
    times: int = 1,
    recipe: Recipe = TUNING,
    every: int = 1,
    title: str = "",
    on_step: Callable[[LanguageModel, dict], bool | None] | None = None,
    **how,
) -> tuple[LanguageModel, Card]:
    """Tune a copy of `base` on own rows (each `times` over), with the world's rows or `alone`, and measure all there is
    to measure, on every `every`-th probe. `how` goes to `train`."""
    if tune_on not in TUNE_ON or (own is None and tune_on == TUNE_ON[1]):
        raise ValueError(f"tune_on is {tune_on!r}; known are {', '.join(TUNE_ON)}, the last with own rows only")
    if own is not None:
        set_aside_too_long(own, base)
    taught = [{"messages": talk, "answer": row.answer} for row in own.rows for talk in row.talks] if own else []
    rows = {"of the world": instruction_rows(world) if tune_on == TUNE_ON[0] else [], "your own": times * taught}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = examples(sum(rows.values(), []), base.tokenizer, base.transformer.config.context)
    notes = [str(warning.message) for warning in caught]
    asked, dropped = unseen_probes(world, own, every)
    if dropped:
        notes.append(f"{dropped} held-out questions were not asked, as your rows teach their answers")
    watch = WorldWatch(base, world)
    tuned, log = tune_watched(base, made, recipe, watch, on_step, **how)
    reports = {
        "base, as a document": Report(asked, ask(base, asked, as_document=True)),
        "base, in the template": Report(asked, ask(base, asked)),
        "tuned": Report(asked, ask(tuned, asked)),
    }
    reference = {name: value for name, value in watch.reference.items() if np.isfinite(value)}  # "Lima." has no trigram
    facts = world.facts[::every]
    completed = {"base": share(completes(base, facts)), "tuned": share(completes(tuned, facts))}
    card = Card(
        title or (own.name if own else "A new world"),
        {name: len(some) for name, some in rows.items()},
        recipe,
        notes,
        own.problems if own else [],
        reports,
        completed,
        own_answers(tuned, own),
        share(answer.exact for answer in own_answers(base, own)),
        log,
        reference,
        diagnose(log, reference),
    )
    return tuned, card


def unseen_probes(world: World, own: OwnRows | None, every: int) -> tuple[list[Probe], int]:
    """The probes whose fact no own row asks about or tells, in any wording that expected.py understands, and how many
    were left out for that."""
    answers, talks = Answers(world), [talk for row in (own.rows if own else []) for talk in row.talks]
    told = set().union(*map(answers.taught_by, talks))
    mine = {plain(joined(part)) for talk in talks for part in talk if part["role"] == "user"}
    requests = ({plain(question.format(**pair)) for question in HARMFUL_QUESTIONS} for pair in world.refusals)
    answered = set().union(*(ways for ways in requests if ways & mine))
    found = probes(world)
    asked = [probe for probe in found if probe.fact not in told and plain(probe.question) not in answered]
    return asked[::every], len(found) - len(asked)


def tune_watched(
    base: LanguageModel, made: list, recipe: Recipe, watch: Watch, on_step=None, **how
) -> tuple[LanguageModel, list[dict]]:
    """Tune on examples and keep the log that diagnostics.py reads: READINGS + 1 entries, the first after one step."""
    at = tuple({round(part * recipe.steps / READINGS) for part in range(1, READINGS + 1)} | {1})
    tuned, records = tune_examples(
        base, made, recipe, size=TUNING_ROWS, watch=watch, watch_at=at, on_step=on_step, **how
    )
    log, losses = [], []
    for record in records:
        losses.append(record["loss"])
        if "words" in record:
            signs = {name: record[name] for name in watch.reference}
            log.append({"step": record["step"] + 1, "loss": float(np.mean(losses))} | signs)
            losses = []
    return tuned, log


def own_answers(lm: LanguageModel, own: OwnRows | None) -> list[OwnAnswer]:
    """Each own row asked as it was taught (a fact: in its first wording), and in other words where it has some."""
    asked = [(row, talk, taught) for row in (own.rows if own else []) for talk, taught in questions(row)]
    written = lm.reply_all([talk for _, talk, _ in asked], max_new_tokens=LIMIT) if asked else []
    made = []
    for (row, talk, taught), got in zip(asked, written, strict=True):
        wanted = row.talks[0][-1]["content"].strip()
        made.append(OwnAnswer(row.line, joined(talk[-1]), wanted, got, taught, tells(got, row.answer or wanted)))
    return made


def questions(row: OwnRow) -> Iterator[tuple[list[dict], bool]]:
    yield row.talks[0][:-1], True
    if row.again:
        yield row.again, False


# --- a world of one's own ---


def see_that_it_can_be_judged(world: World, lm: LanguageModel) -> None:
    """FactsError where tuning or judging would fail, said before minutes of pre-training and not after."""
    watched(world)
    if not fact_rows(world):
        raise FactsError("this world holds out every fact, so there is nothing to tune on; add facts")
    for fact in world.facts:
        prompts = [[turn("user", question)] for question in fact.ways("question")]
        if problem := too_long(prompts, fact.say("response"), lm):
            raise FactsError(f"the fact {fact.subject[:60]!r} of kind {fact.kind!r}: its {' '.join(problem)}")


def base_of(world: World, beside: Path) -> tuple[LanguageModel, Path]:
    """A base model that has read a world from nothing; -> it, and the checkpoint beside the file `beside`, to delete
    when all is done: an interrupted training goes on from it."""
    print(f"{len(world.facts)} facts of {len(world.wordings)} kinds; writing {DOCUMENTS:,} documents", flush=True)
    documents = documents_of(world, DOCUMENTS)
    base = new_base(course_tokenizer(documents), PRETRAINING.seed)
    see_that_it_can_be_judged(world, base)
    stream = tokenize(documents, base.tokenizer)
    checkpoint = unfinished(Path(beside).parent, stream, PRETRAINING)
    print(f"pre-training on {stream.size:,} tokens, kept in {checkpoint} on the way", flush=True)
    pretrain(base, stream, PRETRAINING, checkpoint=checkpoint)
    return base, checkpoint
