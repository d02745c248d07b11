"""The gap of notebook 01: what a base model knows against what it gives, drawn and counted.

Drawings, and figures and verdicts that return their caption; all that they show is handed in or read from data/results.
Not here: worked examples in the prompt (gap_examples.py), bars of the playground (showing/playground.py).
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

from helpers.experiments.claim_runs import FORMS
from helpers.judging import evaluation
from helpers.judging.statistics import percent_interval
from helpers.learning.language_model import LanguageModel
from helpers.results import read_results
from helpers.showing import plots
from helpers.showing.diagrams import Drawing
from helpers.showing.page import verbatim
from helpers.text.corpus import SHARES, write_documents
from helpers.text.facts import Fact, World
from helpers.text.templates import render

TOLD = (1, 3, 10, "often")

# --- drawings ---


def loop() -> Drawing:
    """How a model writes: ids, scores, the best token, which joins the ids."""
    drawing = Drawing(540, 190, "The loop of generation: the text's ids go into the model, scores for every token come "
                      "out, the likeliest token is taken and joins the ids, and all begins again until the count is "
                      "reached or the model ends the document")  # fmt: skip
    drawing.box(10, 30, 130, 56, "ids", "all so far", fill="first")
    drawing.arrow(140, 58, 190, 58)
    drawing.box(190, 30, 130, 56, "model", "lm.logits")
    drawing.arrow(320, 58, 370, 58)
    drawing.box(370, 30, 160, 56, "scores", "one per token")
    drawing.arrow(450, 86, 450, 125)
    drawing.box(370, 125, 160, 56, "likeliest token", "argmax", fill="second")
    drawing.arrow(370, 153, 75, 153)
    drawing.text(222, 145, "append it, go round again")
    drawing.arrow(75, 153, 75, 86)
    return drawing


def kept_sentence(fact: Fact) -> Drawing:
    """The wordings of a fact that the base model may read, and the one sentence that was kept from it."""
    ways = sorted(fact.read("statement", "mention"), key=len)[:4]
    drawing = Drawing(540, 60 + 30 * max(3, len(ways)), f"What the base model read about {fact.topic}: "
                      f"{' '.join(ways)} What it never read: {fact.say('response')}")  # fmt: skip
    for number, way in enumerate(ways):
        drawing.text(10, 50 + 30 * number, way, "start")
    drawing.text(10, 20, "it has read, for example", "start", bold=True)
    drawing.text(352, 20, "it has never read", "start", bold=True)
    words = f"{fact.prompt()} …".split()
    half = (len(words) + 1) // 2
    drawing.arrow(310, 80, 348, 80)
    drawing.box(
        352, 54, 180, 54, "\n".join([" ".join(words[:half]), " ".join(words[half:])]), dashed=True, fill="second"
    )
    drawing.text(442, 132, "can it end this?")
    return drawing


def document_of(world: World, kind: str, seed: int = 0, lines: int = 4) -> HTML:
    """The beginning of one document of a kind, as the base model reads them."""
    [text] = write_documents(world, 1, seed, leave_out=tuple(other for other in SHARES if other != kind))
    some = "\n".join(text.splitlines()[:lines])
    return HTML(f"<p><b>From its reading</b> (a document of the kind “{kind}”):</p>{verbatim(some, 'div')}")


def next_tokens(lm: LanguageModel, text: str) -> Markdown:
    """Bars of the likeliest next tokens after a text; -> the caption."""
    rows = evaluation.next_tokens(lm, lm.document_ids(text), 6)
    figure = plots.next_token_bars(*zip(*rows, strict=True), f"after: {text}")
    words = ", ".join(f"{token!r} {100 * chance:.1f}%" for token, chance in rows[:3])
    plots.show(figure, alt=f"Horizontal bars of the six likeliest next tokens after the text {text!r}: {words} lead.")
    return Markdown(f"*After {text!r} the likeliest token is {rows[0][0]!r}, with {100 * rows[0][1]:.1f}%.*")


# --- over five starts ---


def over_starts(figure: str, part: str = "test") -> tuple[float, tuple[float, float]]:
    """A base model's figure in seeds.csv, in percent: mean over the starts, and its interval (never outside 0-100)."""
    rows = [
        row for row in read_results("seeds") if (row["model"], row["part"], row["figure"]) == ("base", part, figure)
    ]
    return percent_interval([100 * row["hits"] / row["total"] for row in rows])


def knows_verdict() -> Markdown:
    """What the test facts say over five starts, in words."""
    mean, (low, high) = over_starts("statements completed")
    verdict = "the models do not merely recite" if low > 50 else "the models may merely recite"
    return Markdown(
        f"**Measured.** Over five base models, {mean:.1f}% ({low:.1f} to {high:.1f}) of the test facts are completed "
        f"in a sentence that was never read. So {verdict}."
    )


def answered_verdict() -> Markdown:
    """How many test questions each of the five base models answers, in words."""
    rows = [row for row in read_results("seeds")
            if (row["model"], row["part"], row["figure"]) == ("base", "test", "questions answered")]  # fmt: skip
    fewest, most = min(row["hits"] for row in rows), max(row["hits"] for row in rows)
    span = f"{fewest} to {most}" if most > fewest else str(most)
    return Markdown(
        f"**Measured.** That is one model. The course asked {len(rows)} base models all {rows[0]['total']} test "
        f"questions. Each of them answered {span}."
    )


def exposure_values(name: str) -> dict[int | str, list[float]]:
    """Percent at each exposure, a value per start, from exposure.csv."""
    rows = read_results("exposure")
    return {told: [100 * row[name] for row in rows if row["told"] == told] for told in TOLD}


def exposure_mean(told: int | str) -> tuple[float, tuple[float, float]]:
    """Percent ranked first at one exposure: mean over the starts, and its interval (never outside 0-100)."""
    return percent_interval(exposure_values("ranked first")[told])


def exposure() -> Markdown:
    """Knowledge against how many documents tell the fact, every start a dot; -> the caption."""
    values = exposure_values("ranked first")
    names = {told: "often" if told == "often" else f"told {told}×" for told in TOLD}
    figure, axes = plt.subplots(figsize=(7, 2.8))
    plots.run_dots(
        axes, {names[told]: values[told] for told in TOLD}, "right answer ranked first of all candidates (%)"
    )
    axes.set(xlim=(-3, 103), title="how often it was told decides what it knows")
    means = {told: np.mean(values[told]) for told in TOLD}
    words = ", ".join(f"{names[told]}: {means[told]:.0f}%" for told in TOLD)
    plots.show(
        figure, alt=f"Four rows of five dots, one dot per base model: share of facts ranked first. Means: {words}."
    )
    verdict = (
        "The more documents tell a fact, the better it is known." if rising(means.values()) else "No steady rise shows."
    )
    return Markdown(f"*Each dot is one of five base models, each bar their mean ({words}). {verdict}*")


def rising(values) -> bool:
    values = list(values)
    return all(before < after for before, after in zip(values, values[1:], strict=False))


def form_values(key: str = "answered") -> dict[str, list[float]]:
    """Percent of test questions answered in each form, a value per start, from prompt_form.csv."""
    rows = read_results("prompt_form")
    return {name: [100 * row[key] for row in rows if row["form"] == name] for name in FORMS}


def form_mean(name: str) -> tuple[float, tuple[float, float]]:
    """Percent answered in one form: mean over the starts, and its interval (never outside 0-100)."""
    return percent_interval(form_values()[name])


def forms() -> Markdown:
    """The untuned model asked in four forms, every start a dot; -> the caption with means, intervals, drawn replies."""
    values, drawn, names, words = form_values(), form_values("answered, drawn"), {}, []
    for name, percents in values.items():
        mean, (low, high) = percent_interval(percents)
        names[name] = f"{name}: {mean:.0f}% ({low:.0f}–{high:.0f})"
        words.append(f"{name} {np.mean(drawn[name]):.0f}%")
    figure, axes = plt.subplots(figsize=(7, 2.8))
    plots.run_dots(axes, {names[name]: values[name] for name in FORMS}, "test questions answered (%)")
    axes.set(xlim=(-3, 103), title="the same questions in four forms, no tuning")
    plots.show(
        figure, alt=f"Four rows of five dots, one per base model; mean and interval: {'; '.join(names.values())}."
    )
    return Markdown(
        "*Each dot is one base model, the bar is the mean of five. The dots of one form lie far apart: how much a form "
        f"brings is partly luck of the start. With replies drawn at temperature 0.7 the means are {', '.join(words)}.*"
    )


# --- the gap ---


def side_by_side(base: LanguageModel, tuned: LanguageModel, question: str) -> Markdown:
    """What base and tuned model expect after a question (the tuned one in its chat form); -> the caption."""
    talk = [{"role": "user", "content": question}]
    ids = base.document_ids(question), render(talk, tuned.template, tuned.tokenizer, generate=True)[0]
    figure, both = plt.subplots(1, 2, figsize=(7.4, 2.6), layout="constrained")
    leaders = []
    for axes, name, lm, start in zip(both, ("base", "tuned"), (base, tuned), ids, strict=True):
        rows = evaluation.next_tokens(lm, start, 5)
        axes.barh(range(len(rows)), [100 * chance for _, chance in rows], color="C0" if name == "base" else "C1")
        axes.set_yticks(range(len(rows)), [repr(token) for token, _ in rows], family="monospace")
        axes.set(xlim=(0, 100), title=name, xlabel="probability (%)")
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        leaders.append(f"{name}: {rows[0][0]!r} with {100 * rows[0][1]:.0f}%")
    words = ", ".join(leaders)
    plots.show(figure, alt=f"Two panels of bars, the likeliest next tokens after the question {question!r}; {words}.")
    words = words.replace(repr("\n"), "a new line")
    return Markdown(f"*The likeliest first token after {question!r}: {words}.*")


def read_on_verdict(hits: dict[float, int], total: int, ranks: dict[float, int], probed: int) -> Markdown:
    """What reading on without (0.0) and with answers (0.3) did to answering, and to the probe, in words."""
    verdict = "Here it is the reading that decides what the model does with a question"
    if hits[0.3] <= hits[0.0]:
        verdict = "Reading answers made no difference here"
    known = "finds the same knowledge in both" if abs(ranks[0.3] - ranks[0.0]) <= 1 else "differs between them too"
    return Markdown(
        f"**Measured.** {hits[0.3]} of {total} questions are answered where the reading held answers, and {hits[0.0]} "
        f"where it held none. {verdict}. Your probe {known}: it ranks the right answer first for {ranks[0.0]} of "
        f"{probed} facts in the one copy and for {ranks[0.3]} of {probed} in the other."
    )


def gap(knows: tuple[int, int], failures: dict[str, tuple[int, int]]) -> Markdown:
    """What it knows, and how often it gives what was asked for, as counts; -> the caption."""
    counts = {"knows the fact": knows, **failures}
    figure, axes = plt.subplots(figsize=(7, 3.1))
    for row, (hits, total) in enumerate(counts.values()):
        axes.barh(row, 100 * hits / total, height=0.6, color="C0" if row == 0 else "C1")
        axes.annotate(f"{hits} of {total}", (100 * hits / total, row), (6, 0), textcoords="offset points", va="center")
    axes.set(xlim=(0, 118), xlabel="share of test facts (%)", title="the gap: it knows, and it does not tell")
    axes.set_xticks(range(0, 101, 20))
    axes.set_yticks(range(len(counts)), counts)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    words = ", ".join(f"{name}: {hits} of {total}" for name, (hits, total) in counts.items())
    plots.show(figure, alt=f"Five horizontal bars for the base model. {words}.")
    most = max(hits / total for hits, total in failures.values())
    return Markdown(
        f"*This notebook in one picture. The top bar shows what the base model knows: {knows[0]} of {knows[1]}. The "
        f"rows below show how often you get it when you ask: {f'at most {most:.0%}' if most else 'never'}. "
        "The distance between them is the gap.*"
    )
