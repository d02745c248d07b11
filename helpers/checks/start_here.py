"""Checks of notebook 00."""

import numpy as np

from helpers.checks import check, close, expect, require
from helpers.learning.sft import fine_tune
from helpers.learning.training import Recipe
from helpers.text.facts import PARTS

TARGET = 0.8  # of the capitals that the rows do not name, right word for word


@check
def make_it_say(prompt_for_norway, base) -> str:
    text = require(
        prompt_for_norway(),
        "the function returns None. Replace the dots with your code; if you have, hand the text over with return. "
        "(print only shows it.)",
    )
    expect(isinstance(text, str), f"the function should return a text; yours returns a {type(text).__name__}")
    expect("oslo" not in text.lower(), "the prompt itself contains the answer; let the model say it")
    expect("Norway" in text, "the prompt should name Norway, spelt like this: the model continues what stands there")
    continuation = base.complete(text, 12)
    expect(
        "Oslo" in continuation or not text.rstrip().endswith("?"),
        f"a question is continued by another question: {continuation[:50]!r}. Begin a statement instead",
    )
    expect(
        continuation.startswith("Oslo") or not text.endswith(" "),
        f"the prompt ends in a space, and here a space belongs to the next word; take it away. The model wrote "
        f"{continuation[:40]!r}",
    )
    expect(
        bool(continuation.strip()),
        f"after {text!r} the model writes nothing: it takes the document to be over. End your prompt earlier",
    )
    expect(
        "Oslo" in continuation,
        f"the model went on with {continuation[:50]!r}. Which document would bring the city's name next?",
    )
    return f"{text!r} is continued by {continuation[:30]!r}."


@check
def own_form(form, base, world) -> str:
    capitals = [fact for fact in world.of_kind("capital") if fact.told is None]
    eight = [fact for fact in capitals if fact.part == "tuned on"][:8]
    others = [fact for fact in capitals if fact.part == "development"]
    first = require(form(eight[0].subject, eight[0].answer))
    expect(isinstance(first, str), f"the form should be a text; yours is a {type(first).__name__}")
    for word, name in ((eight[0].subject, "country"), (eight[0].answer, "capital")):
        expect(word in first, f"the {name} does not stand in your answer: {first!r}")
    opening = first.split()[0].strip(",:;!.")
    expect(opening not in ("The", "Easy"), f"your answer begins with {opening!r}; find another beginning")
    expect(not first.endswith("."), "your answer ends in a full stop; find another end")
    for fact in capitals:
        text = form(fact.subject, fact.answer)
        expect(
            fact.subject in text and fact.answer in text,
            f"called with {fact.subject!r} and {fact.answer!r}, your function returns {text!r}; use the variables "
            "country and capital in place of names",
        )
    rows = [
        {
            "messages": [
                {"role": "user", "content": fact.say("question")},
                {"role": "assistant", "content": form(fact.subject, fact.answer)},
            ]
        }
        for fact in eight
    ]
    mine, _ = fine_tune(base, rows, Recipe(30, 3e-4, warmup=5), size=8, progress=False)
    answers = mine.ask_all([fact.say("question") for fact in others])
    right = [answer == form(fact.subject, fact.answer) for fact, answer in zip(others, answers, strict=True)]
    shown = right.index(False) if np.mean(right) < TARGET else 1
    example = f"Asked about {others[shown].subject}, the model said {answers[shown]!r}"
    if np.mean(right) < TARGET:
        holds = np.mean([fact.answer in answer for fact, answer in zip(others, answers, strict=True)])
        early = first.index(eight[0].answer) < first.index(eight[0].subject)
        expect(
            not early,
            f"{sum(right)} of {len(right)} right. {example}. In your form the capital comes before the country: the "
            "model must name it straight from the question",
        )
        expect(
            holds < TARGET,
            f"most capitals are there, but only {sum(right)} of {len(right)} are right word for word. {example}",
        )
        expect(False, f"{sum(right)} of {len(right)} right, {TARGET:.0%} is the target. {example}")
    return f"{sum(right)} of {len(right)} capitals that it was never shown, in your own words. {example}."


@check
def kept_back_share(function, world) -> str:
    facts, kind = world.facts, "capital"
    of_kind = world.of_kind(kind)
    count = sum(fact.part != "tuned on" for fact in of_kind)
    share = require(function(facts, kind))
    expect(
        isinstance(share, (int, float, np.number)),
        f"return one number, the share; yours is a {type(share).__name__}",
    )
    expect(
        not close(share, 1),
        "by your count every fact of this kind is kept back. Compare .part with 'tuned on', written with a space",
    )
    expect(not close(share, count), "that is a count; divide it by the number of facts of this kind")
    expect(not close(share, count / len(facts)), "you divided by the number of ALL facts; divide by those of this kind")
    expect(
        not close(share, sum(fact.part != "tuned on" for fact in facts) / len(facts)),
        "that is the share among all kinds; choose the facts of the given kind first",
    )
    expect(
        not close(share, 1 - count / len(of_kind)),
        "that is the share that IS tuned on; the share that is kept back was asked for",
    )
    for part in PARTS[1:]:
        expect(
            not close(share, sum(fact.part == part for fact in of_kind) / len(of_kind)),
            f"that is the share of the part {part!r} only; two parts are kept back",
        )
    expect(not close(share, 100 * count / len(of_kind)), "that is a percentage; a number between 0 and 1 was asked for")
    expect(close(share, count / len(of_kind)), f"for {kind!r} the share is {count} of {len(of_kind)}; yours is {share}")
    expect(
        close(function(facts, "sum"), np.mean([fact.part != "tuned on" for fact in world.of_kind("sum")])),
        "right for 'capital' but not for 'sum'; is the kind written into your function?",
    )
    return f"{count} of {len(of_kind)} capitals are kept back."
