"""Demo 1, "before and after": one question, two models side by side, and what the five dimensions say of each answer.

Both models write live. Core ipywidgets only (7 and 8), every text escaped before it is shown. Not here: what the
dimensions are (dimensions.py).
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np

from helpers.judging.dimensions import DIMENSIONS, LIMIT, Answer, Probe, Report, ask
from helpers.learning.language_model import LanguageModel
from helpers.text.facts import World
from helpers.text.instructions import HARMFUL_QUESTIONS, MADE_UP, REFUSAL, kept_back
from helpers.text.templates import render

ARTICLE_THREE = (
    "Write a haiku about programming.",
    "What are three benefits of exercise?",
    "How do you say hello in French?",
)
WAYS = {"in the tuned model's template": False, "as a document": True}  # how the base model is asked
MARKS = {1.0: "✔ yes", 0.0: "✘ no"}
CELL = "text-align: left; vertical-align: top; padding: 2px 10px"
WRITTEN = "font-family: monospace; white-space: pre-wrap; overflow-wrap: anywhere"


def known_questions(world: World) -> dict[str, Probe]:
    """Every question whose answer the world knows, in every wording, and the probe that it is."""
    found = {}
    harmless = {pair["lookalike"] for pair in world.refusals}
    for kind in world.wordings:
        facts = world.of_kind(kind)
        answers = list(dict.fromkeys(fact.answer for fact in facts))
        for fact in facts:
            rivals = tuple(answer for answer in answers if answer != fact.answer)
            for question in fact.ways("question"):
                lookalike = fact.subject in harmless
                found[question] = Probe(question, fact.say("response"), fact, lookalike=lookalike, rivals=rivals)
    for pair in world.refusals:
        for wording in HARMFUL_QUESTIONS:
            question = wording.format(**pair)
            found[question] = Probe(question, REFUSAL, harmful=True)
    return found


def standing(probe: Probe | None, world: World) -> str:
    """What the tuned model has to do with a question: was it tuned on it, or on its like, or on nothing of the sort?"""
    if probe is None:
        return "not a question of this world"
    if probe.fact is not None:
        held_out, unseen = probe.fact.held_out, probe.question == probe.fact.say("question", -1)
    else:
        [harmful] = {
            pair["harmful"]
            for pair in world.refusals
            if probe.question in [wording.format(**pair) for wording in HARMFUL_QUESTIONS]
        }
        held_out, unseen = kept_back(harmful), probe.question == HARMFUL_QUESTIONS[-1].format(harmful=harmful)
    if held_out:
        return "held out of tuning"
    return "tuned on, in other words" if unseen else "tuned on"


def catalogue(world: World) -> dict[str, list[str]]:
    """Questions to choose from, by kind; those that were held out of tuning come first."""
    found = {"the article's three": list(ARTICLE_THREE)}
    for kind in world.wordings:
        facts = sorted(world.of_kind(kind), key=lambda fact: not fact.held_out)
        found[kind] = [fact.say("question") for fact in facts]
    pairs = sorted(world.refusals, key=lambda pair: not kept_back(pair["harmful"]))
    found["harmful request"] = [HARMFUL_QUESTIONS[0].format(**pair) for pair in pairs]
    found["made-up country"] = [world.of_kind("capital")[0].about(name).say("question") for name in MADE_UP]
    return found


def both_answer(base: LanguageModel, tuned: LanguageModel, question: str, as_document: bool = False) -> list[Answer]:
    """What the base model and the tuned one write; the base is asked in its template or as a document.

    Raises ValueError, in words for the person who typed, if there is no question or it is too long.
    """
    if not question.strip():
        raise ValueError("there is no question. Type one, or choose one from the list.")
    talk = [{"role": "user", "content": question}]
    for lm in (base, tuned):
        length = len(render(talk, lm.template, lm.tokenizer, generate=True)[0])
        room = lm.transformer.config.context - LIMIT
        if length > room:
            raise ValueError(
                f"the question takes {length} tokens with its template; {room} fit beside an answer of {LIMIT}. "
                "Ask more briefly."
            )
    asked = [Probe(question, "")]
    return [*ask(base, asked, as_document), *ask(tuned, asked)]


def scores(probe: Probe, answers: Sequence[Answer]) -> np.ndarray:
    """(answers, dimensions): 1, 0, or NaN where a dimension does not apply."""
    return Report([probe] * len(answers), list(answers)).outcomes


def written_html(answer: Answer) -> str:
    """An answer as it was written, and a note where it says nothing or does not end."""
    said = html.escape(answer.text) if answer.text else "(nothing: it ended at once)"
    more = "" if answer.ended else f" <i>… still going after {LIMIT} tokens</i>"
    return f'<span style="{WRITTEN}">{said}</span>{more}'


def row_html(name: str, cells: Sequence[str]) -> str:
    """A row of a table; the cells are HTML already."""
    body = "".join(f'<td style="{CELL}">{cell}</td>' for cell in cells)
    return f'<tr><th scope="row" style="{CELL}">{html.escape(name)}</th>{body}</tr>'


def comparison_html(question: str, probe: Probe | None, answers: Sequence[Answer], names: Sequence[str]) -> str:
    """A question, the answer expected, the models' answers side by side, and their scores."""
    if probe is None:
        expected = "<i>no expected answer</i>"
    else:
        expected = f'<span style="{WRITTEN}">{html.escape(probe.expected)}</span>'
    head = "".join(f'<th scope="col" style="{CELL}">{html.escape(name)}</th>' for name in names)
    rows = row_html("answer", [written_html(answer) for answer in answers])
    if probe is None:
        rows += row_html("scores", ["<i>no expected answer, so no scores</i>"] * len(answers))
    else:
        for name, column in zip(DIMENSIONS, scores(probe, answers).T, strict=True):
            rows += row_html(name, [MARKS.get(float(value), "– does not apply") for value in column])
    return (
        f'<div role="log"><p><b>Question:</b> <span style="{WRITTEN}">{html.escape(question)}</span><br>'
        f"<b>Expected:</b> {expected}</p>"
        f'<table aria-label="before and after"><tr><th></th>{head}</tr>{rows}</table></div>'
    )


def pairs_html(base: LanguageModel, tuned: LanguageModel, questions: Sequence[str], world: World) -> str:
    """A table of questions, where each stands, and both models' answers, written now."""
    known, rows = known_questions(world), ""
    for question in questions:
        before, after = both_answer(base, tuned, question)
        cells = [html.escape(standing(known.get(question), world)), written_html(before), written_html(after)]
        rows += row_html(question, cells)
    names = ("question", "where it stands", "base", "tuned")
    head = "".join(f'<th scope="col" style="{CELL}">{name}</th>' for name in names)
    return f'<table aria-label="pairs of answers"><tr>{head}</tr>{rows}</table>'


def before_and_after(
    base: LanguageModel, tuned: LanguageModel, world: World, question: str = ARTICLE_THREE[-1]
) -> widgets.VBox:
    """Choose a question or type one: both models answer at once, with the scores where an answer is expected."""
    style, wide = {"description_width": "7em"}, widgets.Layout(width="95%")
    choices, known = catalogue(world), known_questions(world)
    lower = {text.lower(): probe for text, probe in known.items()}
    first = next((name for name, texts in choices.items() if question in texts), next(iter(choices)))
    kind = widgets.Dropdown(options=list(choices), value=first, description="Kind", style=style, layout=wide)
    chosen = widgets.Dropdown(options=choices[first], description="Question", style=style, layout=wide)
    typed = widgets.Text(value=question, description="or type one", continuous_update=False, style=style, layout=wide)
    way = widgets.Dropdown(options=list(WAYS), description="Base is asked", style=style, layout=wide)
    shown, status = widgets.HTML(), widgets.HTML()
    if question in choices[first]:
        chosen.value = question
    filling = [False]  # while the list of questions is exchanged its own changes mean nothing

    def show(_=None) -> None:
        try:
            answers = both_answer(base, tuned, typed.value, WAYS[way.value])
        except ValueError as problem:
            shown.value, status.value = "", f"<b>Not asked:</b> {html.escape(str(problem))}"
            return
        probe = lower.get(typed.value.strip().lower())
        names = (f"before: base, asked {way.value}", "after: tuned")
        shown.value = comparison_html(typed.value, probe, answers, names)
        status.value = f"<i>This question: {html.escape(standing(probe, world))}.</i>"

    def take(_=None) -> None:
        if not filling[0]:
            typed.value = chosen.value

    def exchange(_) -> None:
        filling[0] = True
        chosen.options = choices[kind.value]
        filling[0] = False
        take()

    kind.observe(exchange, "value")
    chosen.observe(take, "value")
    for control in (typed, way):
        control.observe(show, "value")
    show()
    return widgets.VBox([kind, chosen, typed, way, status, shown])
