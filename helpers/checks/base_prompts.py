"""Checks of notebook 01: prompts for a base model, made of worked examples, or of words that coax it."""

from helpers import load
from helpers.checks import check, expect, require
from helpers.checks import gap_functions as course
from helpers.text.facts import load_world
from helpers.text.matching import first_line


@check(course=course.few_shot_prompt)
def few_shot_prompt(build) -> str:
    examples = [
        ("What is the capital of Chile?", "The capital of Chile is Santiago."),
        ("What is the capital of Cuba?", "The capital of Cuba is Havana."),
    ]
    question = "What is the capital of Peru?"
    text = require(build(examples, question))
    expect(isinstance(text, str), f"the prompt should be one text; yours is a {type(text).__name__}")
    expect(
        not text.endswith("\n"),
        "nothing may follow the last 'A:', not even a line break: the model would take the answer for a missing line",
    )
    expect(
        not text.endswith(" "),
        "a space follows the last 'A:'. In this tokenizer it belongs to the answer's first word; take it away",
    )
    expect(
        text.endswith("A:"),
        f"the prompt should end in 'A:', so that an answer comes next; yours ends in {text[-20:]!r}",
    )
    expect(question in text, "the question to be answered is missing")
    for asked, answer in examples:
        expect(
            answer in text,
            f"the worked example {asked!r} lacks its answer; without answers there is no protocol to take up",
        )
    expect(text.index(question) > text.index(examples[-1][1]), "the open question should come last, after all examples")
    difference(text, course.few_shot_prompt(examples, question))
    difference(build([], question), course.few_shot_prompt([], question), "with no examples, ")
    return "Examples with answers, the open question last, and nothing after the colon."


def difference(text: str, right: str, when: str = "") -> None:
    """Show the first place where two texts part; nothing where they are alike."""
    if text != right:
        at = next((i for i, (a, b) in enumerate(zip(text, right, strict=False)) if a != b), min(len(text), len(right)))
        expect(
            False,
            f"{when}after {right[max(0, at - 20) : at]!r} there should be {right[at : at + 12]!r}; "
            f"yours goes on with {text[at : at + 12]!r}",
        )


@check(course=course.coax)
def coax(prompt_for) -> str:
    """The experiment: the bare capital, alone on its line, without a question and without an example."""
    world = load_world()
    facts = [fact for fact in world.of_kind("capital") if fact.part == "development" and fact.told is None][:10]
    prompts = [require(prompt_for(fact.subject)) for fact in facts]
    capitals = world.answers_of("capital")
    for fact, prompt in zip(facts, prompts, strict=True):
        expect(isinstance(prompt, str), f"for {fact.subject} the prompt should be a text, not {type(prompt).__name__}")
        expect("?" not in prompt, "the prompt holds a question mark; this target is to be reached without one")
        expect(
            fact.answer not in prompt, f"the prompt for {fact.subject} holds {fact.answer}: that gives the answer away"
        )
        shown = [name for name in capitals if name in prompt and name not in fact.subject]
        expect(not shown, f"the prompt names {shown[0] if shown else ''}, a capital: that is a worked example")
        expect(
            fact.subject in prompt,
            f"the prompt for {fact.subject} does not name it, so the model cannot know what to tell",
        )
        expect(
            not prompt.endswith(" "),
            "the prompt ends in a space. In this tokenizer it belongs to the word that follows; take it away",
        )
    written = [first_line(text) for text in load("base").complete_all(prompts, 12)]
    hits = sum(line == fact.answer for line, fact in zip(written, facts, strict=True))
    told = sum(line.startswith(fact.answer) for line, fact in zip(written, facts, strict=True))
    miss = next(((fact, line) for fact, line in zip(facts, written, strict=True) if line != fact.answer), None)
    if miss and hits < 8:
        hint = (
            " The capital is there, but the line goes on: in which document of its reading does a capital stand "
            "alone on a line?"
            if told >= 8
            else " Which document of its reading does your prompt look like?"
        )
        expect(
            False,
            f"{hits} of 10 capitals stand exactly on their line; the target is 8. For {miss[0].subject} the "
            f"model writes {miss[1]!r}.{hint}",
        )
    return f"{hits} of 10 capitals, alone on their line. No tuning, no question: only the right kind of document."
