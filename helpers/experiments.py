"""The course's experiments: grids of independent tuning runs, each stored as it ends.

    make results                         every experiment, five seeds; goes on where it was stopped
    .venv/bin/python -m helpers.experiments mask     one of them

A run is made of a base model (seed k starts from the k-th base model, itself from another random start), one setting,
and what is measured afterwards. data/results/<experiment>.csv holds a row for each figure of each run. Runs do not know
of each other, so two processes work at them at once, with one thread each.

Not here: what an answer is worth (evaluation.py) and the figures drawn from the results (notebooks).
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from helpers.corpus import write_documents
from helpers.evaluation import completes, perplexity, vital_signs
from helpers.facts import Fact, World, load_world
from helpers.files import FileProblem
from helpers.instructions import (
    SYSTEM_PROMPTS,
    fact_rows,
    follow_up_rows,
    input_rows,
    instruction_rows,
    refusal_rows,
    system_rows,
)
from helpers.language_model import LanguageModel
from helpers.rebuild import CORPUS_SEED, RESULTS_FOLDER, SEEDS, TUNING, TUNING_ROWS, base_model, tune, write_csv
from helpers.sft import LOSSES, Example, tune_examples
from helpers.templates import TEMPLATES

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
WATCHED = (1, 2, 4, 8, 12, 18, 25, 35, 50, 70, 100, 150)
Figures = dict[str, float]


@cache
def world_of_course() -> World:
    return load_world()


@cache
def held_out() -> list[Fact]:
    return [fact for fact in world_of_course().facts if fact.held_out]


def exact(
    lm: LanguageModel, facts: list[Fact], template: str | None = None, wording: int = 0, bare: bool = False
) -> Figures:
    """Shares of answers that are the response (or the `bare` fact) letter for letter, and of those that hold it."""
    written = lm.ask_all([fact.say("question", wording) for fact in facts], template=template)
    right = [fact.answer if bare else fact.say("response") for fact in facts]
    return {
        "exact": float(np.mean([text == one for text, one in zip(written, right, strict=True)])),
        "contains": float(np.mean([fact.answer in text for text, fact in zip(written, facts, strict=True)])),
        "words": float(np.mean([len(text.split()) for text in written])),
    }


def unharmed(lm: LanguageModel) -> Figures:
    """What the model still knows and reads: statements completed, and perplexity of documents it never saw."""
    world = world_of_course()
    fresh = write_documents(world, 100, CORPUS_SEED + 99)
    return {"completed": float(np.mean(completes(lm, world.facts))), "perplexity": perplexity(lm, fresh)}


def replies(lm: LanguageModel, rows: list[dict]) -> float:
    """Share of rows whose last answer the model gives letter for letter, all earlier turns given."""
    written = lm.reply_all([row["messages"][:-1] for row in rows])
    return float(np.mean([text == row["messages"][-1]["content"] for text, row in zip(written, rows, strict=True)]))


# --- the runs: (base model, seed, setting) -> figures ---


def mask(base: LanguageModel, seed: int, loss_on: str) -> Figures:
    """What the loss is counted on: the response, everything, or the article's off-by-one."""
    tuned, _ = tune(base, instruction_rows(world_of_course()), replace(TUNING, seed=seed), loss_on=loss_on, **QUIET)
    return exact(tuned, held_out()) | unharmed(tuned)


def form(base: LanguageModel, seed: int, answers: str) -> Figures:
    """Whole sentences as answers, as in the course's dataset, or the bare fact: "Paris" and nothing else."""
    rows, bare = [row for row in fact_rows(world_of_course()) if "\n" not in row["answer"]], answers == "bare"
    if bare:
        rows = [row | {"messages": bare_answer(row)} for row in rows]
    tuned, _ = tune(base, rows, replace(TUNING, seed=seed), **QUIET)
    return exact(tuned, [fact for fact in held_out() if "\n" not in fact.answer], bare=bare) | unharmed(tuned)


def bare_answer(row: dict) -> list[dict]:
    """The row's conversation with the fact alone as the answer."""
    return [*row["messages"][:-1], {"role": "assistant", "content": row["answer"]}]


def rate(base: LanguageModel, seed: int, rate: float) -> Figures:
    """The learning rate, over three decades."""
    tuned, _ = tune(base, instruction_rows(world_of_course()), replace(TUNING, seed=seed, rate=rate), **QUIET)
    return exact(tuned, held_out()) | unharmed(tuned)


def phases(base: LanguageModel, seed: int, loss_on: str) -> Iterator[dict]:
    """What falls when: loss on format and on content tokens at every step, the vital signs at some."""
    sample, fresh = held_out()[::3], write_documents(world_of_course(), 30, CORPUS_SEED + 99)
    signs: dict[str, float] = {}

    def watch(lm: LanguageModel) -> Figures:
        signs.update(vital_signs(lm, sample, fresh))
        return signs

    rows, recipe = instruction_rows(world_of_course()), replace(TUNING, seed=seed)
    _, log = tune(base, rows, recipe, loss_on=loss_on, watch=watch, watch_at=WATCHED, **QUIET)
    for record in log:
        kept = {name: record[name] for name in ("step", "loss", "format loss", "content loss", "norm")}
        yield kept | {name: record.get(name, "") for name in signs}


def template(base: LanguageModel, seed: int, trained: str) -> Iterator[dict]:
    """Trained in one template, served in each."""
    tuned, _ = tune(base, fact_rows(world_of_course()), replace(TUNING, seed=seed), template=trained, **QUIET)
    for served in TEMPLATES:
        yield {"served": served} | exact(tuned, held_out(), served)


def system(base: LanguageModel, seed: int) -> Iterator[dict]:
    """Answers' length under system prompts that were tuned on, that never were, and under none."""
    world = world_of_course()
    tuned, _ = tune(base, fact_rows(world) + system_rows(world), replace(TUNING, seed=seed), **QUIET)
    facts = [fact for fact in held_out() if fact.wordings["task"]]
    prompts = [
        (style, prompt, number < len(ways) - 1)
        for style, ways in SYSTEM_PROMPTS.items()
        for number, prompt in enumerate(ways)
    ]
    for style, prompt, seen in [*prompts, ("none", "", False)]:
        written = tuned.ask_all([fact.say("question") for fact in facts], prompt or None)
        held = np.mean([text.startswith(fact.say("response")) for text, fact in zip(written, facts, strict=True)])
        words = np.mean([len(text.split()) for text in written])
        yield {"style": style, "prompt": prompt, "tuned on": seen, "words": float(words), "right": float(held)}


def followup(base: LanguageModel, seed: int, rows: str) -> Figures:
    """Follow-up questions about held-out facts, tuned without and with conversations of two turns."""
    world = world_of_course()
    more = follow_up_rows(world, seed=seed) if rows == "multi-turn" else []
    tuned, _ = tune(base, fact_rows(world) + more, replace(TUNING, seed=seed), **QUIET)
    asked = follow_up_rows(world, held_out=True)
    return {
        "And of Spain?": replies(tuned, [row for row in asked if row["leaves out"] == "the kind"]),
        "And its language?": replies(tuned, [row for row in asked if row["leaves out"] == "the subject"]),
        "exact": exact(tuned, held_out())["exact"],
    }


def boundary(base: LanguageModel, seed: int, encoded: str) -> Figures:
    """A plain-text form whose prompt ends in a space, encoded apart or as one text with the mask by prefix length."""
    rows = fact_rows(world_of_course())
    tokenizer, made, asked = base.tokenizer, [], []
    begin = tokenizer.special["<|endoftext|>"]
    for row in rows:
        prompt, answer = plain_form(row["messages"][0]["content"]), row["messages"][1]["content"]
        before = [begin, *tokenizer.encode(prompt)]
        ids = (
            [*before, *tokenizer.encode(answer)] if encoded == "apart" else [begin, *tokenizer.encode(prompt + answer)]
        )
        mask = [0] * len(before) + [1] * (len(ids) - len(before))
        made.append(Example([*ids, begin], [*mask, 1], [0] * (len(ids) + 1)))
    tuned, _ = tune_examples(base, made, replace(TUNING, seed=seed), size=TUNING_ROWS, **QUIET)
    asked = [[begin, *tokenizer.encode(plain_form(fact.say("question")))] for fact in held_out()]
    written = [tokenizer.decode(ids).strip() for ids in tuned.continue_ids(asked, 48)]
    right = [text == fact.say("response") for text, fact in zip(written, held_out(), strict=True)]
    return {"exact": float(np.mean(right))} | unharmed(tuned)


def plain_form(question: str) -> str:
    """Question and answer as a notebook might write them; the space at the end is the trap."""
    return f"Question: {question}\nAnswer: "


def left_out(base: LanguageModel, seed: int, kind: str) -> Figures:
    """A whole kind of task left out of tuning: can it be answered all the same?"""
    world = world_of_course()
    rows = [row for row in fact_rows(world) if row["kind"] != kind]
    tuned, _ = tune(base, rows, replace(TUNING, seed=seed), **QUIET)
    return {"exact": exact(tuned, world.of_kind(kind))["exact"]}


def whole(base: LanguageModel, seed: int) -> Figures:
    """The shipped recipe: every group of rows, on what was held out of it."""
    world = world_of_course()
    tuned, _ = tune(base, instruction_rows(world), replace(TUNING, seed=seed), **QUIET)
    inputs = input_rows(world, held_out=True)
    harmful = refusal_rows(world, held_out=True)
    return {
        "exact": exact(tuned, held_out())["exact"],
        "unseen phrasing": exact(tuned, held_out(), wording=-1)["exact"],
        "input": replies(tuned, [row for row in inputs if row["kind"] == "input"]),
        "summary": replies(tuned, [row for row in inputs if row["kind"] == "summary"]),
        "refused, unseen requests": replies(tuned, harmful),
    } | unharmed(tuned)


QUIET = {"progress": False, "threads": 1}
LEFT_OUT = ("capital", "continent", "symbol", "french", "opposite")


@dataclass(frozen=True)
class Experiment:
    """A run and the settings that it is made with."""

    run: Callable
    settings: dict[str, tuple]

    def grid(self) -> list[dict]:
        names = list(self.settings)
        return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*self.settings.values())]


EXPERIMENTS = {
    "whole": Experiment(whole, {}),
    "mask": Experiment(mask, {"loss_on": LOSSES}),
    "form": Experiment(form, {"answers": ("sentence", "bare")}),
    "phases": Experiment(phases, {"loss_on": LOSSES}),
    "rate": Experiment(rate, {"rate": RATES}),
    "template": Experiment(template, {"trained": tuple(TEMPLATES)}),
    "system": Experiment(system, {}),
    "followup": Experiment(followup, {"rows": ("single-turn", "multi-turn")}),
    "boundary": Experiment(boundary, {"encoded": ("apart", "together")}),
    "left_out": Experiment(left_out, {"kind": LEFT_OUT}),
}


def one_run(name: str, seed: int, setting: dict) -> list[dict]:
    """A run's rows for the table: setting, seed and figures."""
    made = EXPERIMENTS[name].run(base_model(seed), seed, **setting)
    found = [made] if isinstance(made, dict) else list(made)
    return [setting | {"seed": seed} | {key: rounded(value) for key, value in row.items()} for row in found]


def rounded(value):
    return float(f"{value:.5g}") if isinstance(value, float) else value


def read_results(name: str, folder: Path = RESULTS_FOLDER) -> list[dict]:
    """The stored rows of an experiment, numbers as numbers."""
    path = Path(folder) / f"{name}.csv"
    if not path.exists():
        raise FileProblem(f"{path}: there is no such result; `make results` makes it")
    with path.open(newline="") as lines:
        return [{key: number(text) for key, text in row.items()} for row in csv.DictReader(lines)]


def number(text: str):
    try:
        return float(text) if "." in text or "e-" in text or text == "nan" else int(text)
    except ValueError:
        return text


def run_experiment(name: str, folder: Path = RESULTS_FOLDER, seeds=SEEDS, jobs: int = 2) -> list[dict]:
    """All runs of an experiment that are not stored yet; each is stored as it ends, so nothing finished is lost."""
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment {name!r}; known are {', '.join(EXPERIMENTS)}")
    path = Path(folder) / f"{name}.csv"
    rows = read_results(name, folder) if path.exists() else []
    todo = [
        (seed, setting)
        for setting in EXPERIMENTS[name].grid()
        for seed in seeds
        if not any(row["seed"] == seed and setting.items() <= row.items() for row in rows)
    ]
    order = [(setting, seed) for setting in EXPERIMENTS[name].grid() for seed in seeds]
    for seed in {seed for seed, _ in todo}:
        base_model(seed)  # pre-trained here if need be, not in every process that wants it
    runs = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(one_run)(name, *item) for item in todo)
    for new in tqdm(runs, total=len(todo), desc=name):
        rows += new
        rows.sort(key=lambda row: order.index(({key: row[key] for key in EXPERIMENTS[name].settings}, row["seed"])))
        write_csv(path, rows)
    return rows


if __name__ == "__main__":
    for chosen in sys.argv[1:] or EXPERIMENTS:
        run_experiment(chosen)
