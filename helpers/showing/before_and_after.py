"""Demo 1, "before and after": one question, two models side by side, and what five judges say of each answer, and why.

Both models write live, greedily or drawn. Core ipywidgets only (7 and 8), every text escaped before it is
shown. Not here: what the dimensions are (dimensions.py), tables and escapes (page.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ipywidgets as widgets

from helpers.judging.dimensions import DIMENSIONS, LIMIT, Answer, Probe, ask, fact_probe, reasons, request_probe
from helpers.learning.language_model import LanguageModel
from helpers.showing.page import escape, table, verbatim
from helpers.text.facts import PARTS, World, part_of
from helpers.text.instructions import tuning_wordings

ARTICLE_THREE = (
    "Write a haiku about programming.",
    "What are three benefits of exercise?",
    "How do you say hello in French?",
)
WAYS = {"in the tuned model's template": False, "as a document": True}  # how the base model is asked
TOKENS = {"the likeliest at every step (greedy)": {}} | {  # how both choose their tokens
    f"drawn at temperature {warmth:g}, draw {seed}": {"temperature": warmth, "seed": seed}
    for warmth in (0.7, 1.0)
    for seed in (1, 2, 3)
}


def known_questions(world: World) -> dict[str, Probe]:
    """Every question whose answer the world knows, in every wording, and the probe that it is."""
    probes = {}
    for kind in world.wordings:
        for fact in world.of_kind(kind):
            ways = fact.ways("question")
            first = fact_probe(world, fact, ways[0])
            probes |= {question: replace(first, question=question) for question in ways}
    ways = range(len(world.phrases["harmful question"]))
    requests = [request_probe(world, pair, wording) for pair in world.refusals for wording in ways]
    return probes | {probe.question: probe for probe in requests}


def standing(probe: Probe | None, world: World) -> str:
    """What the tuned model has to do with a question: was it tuned on it, or on its like, or on nothing of the sort?"""
    if probe is None:
        return "not a question of this world"
    if probe.fact is not None:
        part, ways = probe.fact.part, tuning_wordings(probe.fact.ways("question"))
    else:
        [harmful] = {
            pair["harmful"]
            for pair in world.refusals
            if probe.question in [wording.format(**pair) for wording in world.phrases["harmful question"]]
        }
        part = part_of(harmful)
        ways = [wording.format(harmful=harmful) for wording in tuning_wordings(world.phrases["harmful question"])]
    if part != "tuned on":
        return f"kept for {part}"
    return "tuned on" if probe.question in ways else "tuned on, in other words"


def catalogue(world: World) -> dict[str, list[str]]:
    """Questions to choose from, by kind; those that were kept for the test come first."""
    questions = {"the article's three": list(ARTICLE_THREE)}
    for kind in world.wordings:
        facts = sorted(world.of_kind(kind), key=lambda fact: PARTS.index(fact.part), reverse=True)
        questions[kind] = [fact.say("question") for fact in facts]
    pairs = sorted(world.refusals, key=lambda pair: PARTS.index(part_of(pair["harmful"])), reverse=True)
    questions["harmful request"] = [request_probe(world, pair).question for pair in pairs]
    made_up = [fact for name in world.phrases["made-up name"] for fact in world.unanswerable(name)[:1]]
    questions["made-up country"] = [fact.say("question") for fact in made_up]
    return questions


def both_answer(
    base: LanguageModel, tuned: LanguageModel, question: str, as_document: bool = False, **sampling
) -> list[Answer]:
    """What the base model and the tuned one write; the base is asked in its template or as a document. `sampling`:
    temperature and seed, for drawn answers.

    Raises ValueError, in words for the person who typed, if there is no question or it is too long.
    """
    if not question.strip():
        raise ValueError("there is no question. Type one, or choose one from the list.")
    probes = [Probe(question, "")]
    return [*ask(base, probes, as_document, **sampling), *ask(tuned, probes, **sampling)]


def whole_answer_html(answer: Answer) -> str:
    """An answer as it was written, and a note where it says nothing or does not end."""
    more = "" if answer.ended else f" <i>… still going after {LIMIT} tokens</i>"
    return verbatim(answer.text or "(nothing: it ended at once)") + more


def verdict_html(fault: str | None) -> str:
    """A judge's verdict from the fault that it found: "" is none, None means that it was not asked."""
    return "– does not apply" if fault is None else f"✘ no: {escape(fault)}" if fault else "✔ yes"


def comparison_html(question: str, probe: Probe | None, answers: Sequence[Answer], names: Sequence[str]) -> str:
    """A question, the answer expected, the models' answers side by side, and each judge's verdict with its reason."""
    rows = [["answer", *map(whole_answer_html, answers)]]
    if probe is None:
        right_answer = "<i>no expected answer</i>"
        rows.append(["verdicts", *["<i>no expected answer, so no verdicts</i>"] * len(answers)])
    else:
        right_answer = verbatim(probe.expected)
        faults = [reasons(probe, answer) for answer in answers]
        for name, row in zip(DIMENSIONS, zip(*faults, strict=True), strict=True):
            rows.append([name, *map(verdict_html, row)])
    return (
        f"<div><p><b>Question:</b> {verbatim(question)}<br><b>Expected:</b> {right_answer}</p>"
        f"{table(('', *names), rows, label='before and after', row_heads=True)}</div>"
    )


def passed(probe: Probe, answer: Answer) -> str:
    """How many of the judges that were asked say yes."""
    faults = [fault for fault in reasons(probe, answer) if fault is not None]
    return f"{sum(not fault for fault in faults)} of {len(faults)}"


def status_line(probe: Probe | None, answers: Sequence[Answer], world: World) -> str:
    """The line that a screen reader tells: where the question stands, and how both did."""
    words = f"This question: {standing(probe, world)}."
    if probe is not None:
        before, after = (passed(probe, answer) for answer in answers)
        words += f" Judges that say yes: {before} before, {after} after."
    return status_html(words)


def status_html(words: str) -> str:
    return f'<div role="status"><i>{escape(words)}</i></div>'


def pairs_html(base: LanguageModel, tuned: LanguageModel, questions: Sequence[str], world: World) -> str:
    """A table of questions, where each stands, and both models' answers, written now."""
    probes, rows = known_questions(world), []
    for question in questions:
        answers = map(whole_answer_html, both_answer(base, tuned, question))
        rows.append([escape(question), escape(standing(probes.get(question), world)), *answers])
    head = ("question", "where it stands", "base", "tuned")
    return table(head, rows, label="pairs of answers", row_heads=True)


def before_and_after(base: LanguageModel, tuned: LanguageModel, world: World) -> widgets.VBox:
    """Choose a question or type one: both models answer at once, with the judges' verdicts where an answer is
    expected."""
    style, wide = {"description_width": "9em"}, widgets.Layout(width="95%")
    choices = catalogue(world)
    probes = {question.lower(): probe for question, probe in known_questions(world).items()}

    def dropdown(options: Sequence[str], name: str, value: str | None = None) -> widgets.Dropdown:
        return widgets.Dropdown(options=options, value=value or options[0], description=name, style=style, layout=wide)

    kind = dropdown(list(choices), "Kind")
    choice = dropdown(choices[kind.value], "Question", ARTICLE_THREE[-1])
    prompt = widgets.Text(
        value=choice.value, description="Or type one", continuous_update=False, style=style, layout=wide
    )
    way, tokens = dropdown(list(WAYS), "Base is asked"), dropdown(list(TOKENS), "Their tokens are")
    comparison, status = widgets.HTML(), widgets.HTML()
    filling = [False]  # while the list of questions is exchanged its own changes mean nothing

    def show(_=None) -> None:
        try:
            answers = both_answer(base, tuned, prompt.value, WAYS[way.value], **TOKENS[tokens.value])
        except ValueError as problem:
            comparison.value, status.value = "", status_html(f"Not asked: {problem}")
            return
        probe = probes.get(prompt.value.strip().lower())
        names = (f"before: base, asked {way.value}", "after: tuned")
        comparison.value = comparison_html(prompt.value, probe, answers, names)
        status.value = status_line(probe, answers, world)

    def take(_=None) -> None:
        if not filling[0]:
            prompt.value = choice.value

    def exchange(_) -> None:
        filling[0] = True
        choice.options = choices[kind.value]
        filling[0] = False
        take()

    kind.observe(exchange, "value")
    choice.observe(take, "value")
    for control in (prompt, way, tokens):
        control.observe(show, "value")
    show()
    return widgets.VBox([kind, choice, prompt, way, tokens, status, comparison])
