"""Checks of notebook 08."""

import json
import math
from dataclasses import replace

from helpers.checks import Mistake, check, expect, require, take  # noqa: F401 - notebooks call checks.take
from helpers.experiments import claims
from helpers.files import FileProblem
from helpers.judging.card import FEWEST_RIGHT, FEWEST_TOLD, judge
from helpers.judging.statistics import T
from helpers.learning.recipe import TUNING, TUNING_ROWS
from helpers.text.answers import Answers
from helpers.text.facts import World
from helpers.text.own_rows import OwnRows, rows_from

FACTS = 5  # of one's own, that the mission wants

WORDS = ("holds", "contradicted", "open")


def differences(low: float, high: float) -> list[float]:
    """Three differences whose 90% interval has these ends."""
    mean, spread = (low + high) / 2, (high - low) / 2 * math.sqrt(3) / T[90][3]
    return [mean - spread, mean, mean + spread]


def course_verdict(shown: bool, low: float, high: float, expects: str) -> str:
    """The rule of claims.py, from an interval."""
    return claims.verdict(differences(low, high), 1 - shown, expects)


def course_usable(text: str) -> tuple[list[dict], list[int]]:
    """Rows that can be used, and the numbers of the lines that cannot."""
    rows, bad = [], []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            row = json.loads(line) if line.strip() else None
        except ValueError:
            row = None
        values = [row.get(key) for key in ("instruction", "output")] if isinstance(row, dict) else [None]
        if all(isinstance(value, str) and value.strip() for value in values):
            rows.append(row)
        elif line.strip():
            bad.append(number)
    return rows, bad


@check(course=course_verdict)
def verdict(judge) -> str:
    first = require(judge(True, 8.0, 26.0, "more"))
    expect(first in WORDS, f"return one of the words {', '.join(map(repr, WORDS))}; yours is {first!r}")
    cases = [
        (True, 8.0, 26.0, "more", "a rise is shown"),
        (True, -9.0, -3.0, "more", "a fall is shown: that speaks against 'more'; it is not merely open"),
        (False, -5.0, 30.0, "more", "nothing is shown, and an interval that holds 0 need not lie within 2 points"),
        (True, -9.0, -3.0, "less", "for 'less' a fall is what was expected: mind the direction"),
        (True, 3.0, 9.0, "less", "for 'less' a rise contradicts: mind the direction"),
        (False, 0.5, 9.0, "more", "the 90% interval lies above 0, but p, made larger, does not show it"),
        (False, -0.3, 0.1, "more", "the interval lies within -2 to 2: there is no difference, so 'more' is wrong"),
        (True, 0.4, 1.2, "more", "it is shown, but all of it lies within 2 points: that counts as no difference"),
        (True, -1.2, -0.4, "less", "it is shown, but all of it lies within 2 points: that counts as no difference"),
        (False, -0.3, 0.1, "same", "the whole interval lies within -2 to 2"),
        (True, -1.2, -0.4, "same", "it is shown, but all of it lies within 2 points: that is 'same' as it was defined"),
        (True, 3.0, 9.0, "same", "a difference is shown, and its mean is more than 2 points"),
        (True, -9.0, -3.0, "same", "a difference is shown, below -2: look at both sides"),
        (False, -9.0, 9.0, "same", "a wide interval around 0 does not show 'same'; it shows nothing"),
        (False, 1.0, 9.0, "same", "its mean is more than 2 points, but the difference is not shown"),
        (True, 0.5, 3.0, "same", "a difference is shown, but its mean is no more than 2 points"),
    ]
    for shown, low, high, expects, why in cases:
        word, right = judge(shown, low, high, expects), course_verdict(shown, low, high, expects)
        case = f"({'shown' if shown else 'not shown'}, {low:+g} to {high:+g}), expects {expects!r}"
        expect(word == right, f"{case}: should be {right!r}, not {word!r}: {why}")
    return "No claim is called stronger than its evidence, and 'open' is a result."


GOOD = ({"instruction": "Who?", "output": "We."}, {"instruction": "When?", "output": "At nine.", "kind": "time"})
BAD = {
    '{"instruction": "No answer"}': "a row without an output",
    '{"instruction": "Empty?", "output": ""}': "an empty output",
    '{"instruction": "Blank?", "output": "  "}': "an output of white space alone; use .strip()",
    '{"instruction": "Number?", "output": 3}': "an output that is a number, not a text",
    '{"instruction": "Null?", "output": null}': "an output that is null",
    '{"output": "To what?"}': "a row without an instruction",
    '["a", "list"]': "a line that is a JSON list, not an object",
    "null": "a line that is JSON, but null",
    "42": "a line that is JSON, but a number",
    "not json": "a line that is not JSON",
}


@check(course=course_usable)
def usable(validate) -> str:
    good = [json.dumps(row) for row in GOOD]
    pair = require(validate("\n".join(good)))
    expect(
        isinstance(pair, (tuple, list)) and len(pair) == 2 and all(isinstance(part, list) for part in pair),
        "return two lists: the usable rows, and the numbers of the lines that cannot be used",
    )
    expect(pair[0] == list(GOOD), f"both of these rows can be used, as dictionaries, other keys kept; yours: {pair[0]}")
    expect(pair[1] == [], f"nothing is wrong with these lines; you name {pair[1]}")
    for line, what in BAD.items():
        try:
            rows, bad = validate("\n".join([good[0], line, good[1]]))
        except Exception as problem:
            expect(False, f"{what} stops everything with {type(problem).__name__}; it should cost its own line only")
        expect(line not in map(str, rows) and len(rows) <= 2, f"{what} is taken for usable")
        expect(rows == list(GOOD), f"{what} costs other rows, too; only line 2 is at fault")
        expect(bad != [1], f"{what} stands in line 2, and you say line 1: count from 1")
        expect(bad == [2], f"{what} stands in line 2, which should be named; you name {bad}. Nothing may vanish")
    rows, bad = validate(f"\n\n{good[0]}\n   \nnot json\n")
    expect(rows == [GOOD[0]], "empty lines are no rows, and do no harm")
    expect(bad == [5], f"empty lines are not at fault but count as lines: the fault stands in line 5; you name {bad}")
    return "Each line is used or named, and none stops the others."


MOST_STEPS, EVERY = 60, 6  # of the experiment; every how many questions of the world are asked
SETTINGS = ("steps", "rate", "times", "replay", "tune_on")


def rows_for_the_mission(text: str, world: World) -> OwnRows:
    """The learner's rows, if five facts among them can be asked in other words and none is the world's."""
    try:
        own = rows_from(text, world)
    except FileProblem as problem:
        raise Mistake(f"none of your rows can be used: {problem}") from None
    asked = [row for row in own.rows if row.again]
    fault = f" The first of {len(own.problems)} faulty lines: {own.problems[0]}" if own.problems else ""
    expect(
        len(asked) >= FACTS,
        f"{len(asked)} of your rows can be asked in other words, and {FACTS} facts are wanted: give each fact one row "
        f"with the key 'again'.{fault}",
    )
    answers = Answers(world)
    for row in own.rows:
        known = set().union(*map(answers.facts_in, row.talks))
        expect(not known, f"line {row.line} tells what the world tells already; the mission is about new facts")
    return own


@check
def short_win(settings, base, world) -> str:
    pair = require(settings())
    expect(
        isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], dict),
        "return two things: your rows as a text, and a dictionary of settings",
    )
    text, how = pair[0], dict(pair[1])
    wrong = [name for name in how if name not in SETTINGS]
    expect(not wrong, f"{', '.join(wrong)}: no such setting; there are {', '.join(SETTINGS)}")
    steps, rate = how.pop("steps", MOST_STEPS), how.pop("rate", TUNING.rate)
    expect(0 < steps <= MOST_STEPS, f"{steps} steps: {MOST_STEPS} are the most here; the course's recipe has more")
    own = rows_for_the_mission(text, world)
    recipe = replace(TUNING, steps=steps, rate=rate)
    _, card = judge(base, world, own, recipe=recipe, every=EVERY, progress=False, **how)
    told, world_right = card.told, card.world_share.value
    figures = f"{told.hits} of {told.total} told in other words, {world_right:.0%} of the world right"
    readings = card.times * steps * TUNING_ROWS / sum(card.tuned_on.values())
    expect(
        told.value >= FEWEST_TOLD,
        f"no win: {figures}. Each row of yours is read about {readings:.0f} times, at a rate of {rate:g}. Missed: "
        + "; ".join(f"{one.question!r} gave {one.reply!r}" for one in card.own if not one.taught and not one.holds),
    )
    expect(
        world_right >= FEWEST_RIGHT,
        f"no win: {figures}. Yours are learned, but the world is lost: {FEWEST_RIGHT:.0%} has to stay right. Of the "
        f"rows, {card.tuned_on['of the world']:,} are the world's and {card.tuned_on['your own']:,} are yours",
    )
    return f"A win in {steps} steps: {figures}. The log is {card.diagnosis.verdict}."
