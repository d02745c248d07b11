"""Notebook D: the article's claims beside what was measured, from data/article.csv and the stored results."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Callable
from functools import cache
from statistics import fmean

from IPython.display import Markdown

from helpers.experiments.claims import Judgement, Results, judge_all
from helpers.experiments.lessons import LESSONS
from helpers.files import DATA
from helpers.judging.statistics import as_percent, mean_and_interval
from helpers.results import read_results
from helpers.showing.page import markdown_table

CLAIMS, REFERENCES = DATA / "article.csv", DATA / "references.csv"
MARKS = {"O": "source opened", "M": "read at second hand", "R": "run or computed here", "K": "general knowledge"}


def claims() -> list[dict]:
    """The rows of data/article.csv."""
    with CLAIMS.open(newline="", encoding="utf8") as lines:
        return list(csv.DictReader(lines))


def works() -> dict[str, str]:
    """The name of each listed work, such as "Zhou et al. 2023", by its links."""
    with REFERENCES.open(newline="", encoding="utf8") as lines:
        rows = list(csv.DictReader(lines))
    names = [(row, f"{row['authors']} {row['year']}".strip()) for row in rows]
    return {link: name for row, name in names for link in (row["link"], row["also"]) if link}


# --- what was measured here, in words, each from the stored results ---


def points(values, unit: str = "%") -> str:
    """A mean over starts with its 95% interval; a share stays within 0 and 100."""
    if unit == "%":
        return as_percent(list(values), digits=1)
    return "{:.1f} ({:.1f} to {:.1f}) {}".format(*mean_and_interval(list(values)), unit)


def change(values) -> str:
    """A mean difference over starts, with its sign."""
    mean, low, high = mean_and_interval(list(values))
    return f"{mean:+.1f} points ({low:+.1f} to {high:+.1f})"


def difference(name: str, figure: str, first: dict, second: dict) -> str:
    results = Results()
    return change(results.values(name, figure, **second) - results.values(name, figure, **first))


@cache
def judgements() -> list[Judgement]:
    """All lessons, judged once: they are judged together."""
    return judge_all(LESSONS)


def lesson(start: str) -> str:
    """The interval and the verdict of the lesson whose claim begins so."""
    [judgement] = [judgement for judgement in judgements() if judgement.lesson.claim.startswith(start)]
    one = judgement.lesson
    if judgement.interval is None:
        return judgement.problem
    interval = "{:+.1f} ({:+.1f} to {:+.1f})".format(*judgement.interval)
    return f"{one.figure}, expected {one.expects}: {interval}, so the claim as we put it: {judgement.verdict}"


def system_prompts() -> str:
    """Under prompts that were never tuned on: words of "detailed" answers for one word of "concise" ones."""
    rows = [row for row in read_results("system") if row["tuned on"] == "False"]
    ratios = []
    for seed in sorted({row["seed"] for row in rows}):
        words = {
            style: fmean(row["words"] for row in rows if row["style"] == style and row["seed"] == seed)
            for style in ("concise", "detailed")
        }
        ratios.append(words["detailed"] / words["concise"])
    return points(ratios, "times the words")


def seeds(model: str, figure: str) -> str:
    return points(Results().shares(model, figure))


MEASURES: dict[str, Callable[[], str]] = {
    "continued": lambda: f"continued by another question: {seeds('base', 'questions continued by a question')}",
    "completed": lambda: (
        f"statements completed in words never read with the fact: {seeds('base', 'statements completed')}"
    ),
    "new facts": lambda: (
        "made-up countries given a capital, half of the rows new facts less none: "
        + difference("new_facts", "made-up: invents", {"new": 0.0}, {"new": 0.5})
    ),
    "knowledge": lambda: lesson("tuning teaches format"),
    "logarithm": lambda: lesson("quality follows a logarithm"),
    "diversity": lambda: lesson("diversity matters"),
    "few clean": lambda: lesson("quality beats quantity: 40 clean rows against 2,000 of which half"),
    "accuracy": lambda: (
        f"facts answered exactly: base {seeds('base', 'questions answered')}, tuned {seeds('tuned', 'exact')}"
    ),
    "rate": lambda: lesson("too high a rate"),
    "phases": lambda: lesson("once the format is learned"),
    "mask": lambda: lesson("count the loss on the response only"),
    "template": lambda: lesson("serve with the template that you trained with: ChatML served as Llama 2"),
    "system": lambda: f"asked for detail in place of brevity, by prompts never tuned on: {system_prompts()}",
    "responses": lambda: (
        "answers that hold the fact, tuned on responses only less with the questions: "
        + difference("response_only", "contains", {"rows": "with the question"}, {"rows": "response only"})
    ),
    "lora": lambda: lesson("LoRA leaves"),
    "forgetting": lambda: lesson("too high a rate"),
    "verbosity": lambda: lesson("long answers in the data"),
    "refused": lambda: (
        f"unseen harmful requests refused: {points(Results().values('whole', 'refused, unseen requests'))}"
    ),
}


# --- the tables ---


def cell(text: str) -> str:
    """A text within a Markdown table. Between backticks entities would be shown as such, so <code> stands there."""
    safe = html.escape(text, quote=False).replace("|", "&#124;").replace("$", "&#36;")
    return re.sub("`([^`]*)`", r"<code>\1</code>", safe) or "–"


def sources(row: dict) -> str:
    names = works()
    links = [f"[{names[link]}]({link})" for link in row["links"].split()]
    marks = ", ".join(row["mark"].split())
    return f"{'; '.join(links)} ({marks})" if links else f"({marks})"


def claims_table(about: str) -> Markdown:
    """The claims on one subject: verdict, what is right, source, and what this course measured."""
    rows = [row for row in claims() if row["about"] == about]
    if not rows:
        raise ValueError(f"no claim is about {about!r}; subjects are {', '.join(subjects())}")
    lines = []
    for row in rows:
        measured = MEASURES[row["measure"]]() if row["measure"] else ""
        columns = (row["number"], row["claim"], f"**{row['verdict']}**", row["right"], "", measured, row["notebook"])
        texts = [cell(text) if text != "" else "–" for text in columns]
        texts[4] = sources(row)
        lines.append(texts)
    head = ("no.", "the article says", "verdict", "what is right", "source", "measured here", "notebook")
    return Markdown(markdown_table(head, lines))


def subjects() -> list[str]:
    return list(dict.fromkeys(row["about"] for row in claims()))


def verdict_counts() -> Markdown:
    """How many claims got which verdict."""
    verdicts = [row["verdict"] for row in claims()]
    counts = sorted({verdict: verdicts.count(verdict) for verdict in verdicts}.items(), key=lambda pair: -pair[1])
    return Markdown(markdown_table(("verdict", "claims"), [*counts, ("**all**", len(verdicts))]))
