"""Checks of notebook 06: trigrams at equal length, a detector, a cure. Those on LoRA stand in lora_pieces.py."""

import math
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np

from helpers.checks import check, close, expect, require, take  # noqa: F401 - take is for the notebook
from helpers.checks.lora_pieces import corrected, lora_gradients, start_pair  # noqa: F401
from helpers.experiments.plans import Plan
from helpers.judging.vital_signs import distinct_trigrams

# --- what to watch ---


def course_equal_length(texts, words):
    return distinct_trigrams([" ".join(text.split()[:words]) for text in texts if len(text.split()) >= words])


@check(course=course_equal_length)
def equal_length(ratio) -> str:
    texts = ["one two three four", "one two three five", "six seven"]
    value = require(ratio(texts, 4))
    expect(isinstance(value, (int, float, np.floating)), "return one number, the share")
    try:
        by_letters = math.isnan(ratio(["one two three four five", "one two three four six"], 4))
    except ZeroDivisionError:
        by_letters = True
    expect(
        not (by_letters and (math.isnan(value) or close(value, 1.0))) and not close(value, 1 / 2),
        "you cut by letters: text[:4] is the first four letters of a text. Split it into words first, then cut the "
        "list: text.split()[:words]",
    )
    expect(
        not close(value, 7 / 8) and not close(value, 5 / 6),
        "a trigram reaches from one text into the next: take the words of each text apart",
    )
    expect(
        not close(value, 7 / 10) and not close(value, 5 / 8),
        "you count different words; count runs of three words",
    )
    expect(
        close(value, 3 / 4),
        f"two texts of four words, 'one two three four' and 'one two three five', have 4 trigrams, 3 of them "
        f"different: 0.75 (the third text is too short); you return {value:.3g}",
    )
    alike = ["a b c d e f", "a b c g h i"]
    expect(
        close(ratio(alike, 3), 1 / 2),
        f"over the first 3 words both texts of {alike} are 'a b c': 1 different trigram of 2, so 0.5; you return "
        f"{ratio(alike, 3):.3g}. Do you cut each text off, after words and not after letters?",
    )
    unlike = ["a b c d d d d d", "e f g"]
    expect(
        close(ratio(["x x x x", "p q r s"], 4), 3 / 4),
        "count all texts together: 'x x x x' and 'p q r s' have 4 trigrams, 3 of them different: 0.75, not the mean of "
        "the two texts' own shares",
    )
    expect(
        close(ratio(["a b c d", "a b c"], 4), 1.0),
        "'a b c' has no beginning of 4 words: leave out the texts that are too short, or length plays its part again",
    )
    expect(close(ratio(unlike, 3), 1.0), "a text of exactly `words` words is long enough")
    try:
        empty = [ratio([], 5), ratio(["too short"], 5), ratio(["one two"], 2)]
    except ZeroDivisionError:
        empty = [0.0]
    expect(
        all(isinstance(value, float) and math.isnan(value) for value in empty),
        'where there is no trigram at all, return float("nan"): there is nothing to tell, which is neither 0 nor 1',
    )
    rows = ["of course the capital of peru is lima", "of course the capital of chile is santiago"] * 3
    beginnings = [" ".join(row.split()[:6]) for row in rows]
    expect(
        close(ratio(rows, 6), distinct_trigrams(beginnings)),
        "longer texts come out differently from the helper's count",
    )
    return "Cut first, then count all texts together, and no trigram across a border."


# --- the detector ---

WATCHED = ("loss", "perplexity", "words", "distinct at the start")
CALM = {"loss": 0.2, "perplexity": 15.0, "words": 7.0, "distinct at the start": 0.6}
SHOULD = {"perplexity": 15.0, "words": 7.0, "distinct at the start": 0.6}
NAMES = ("forgetting", "verbosity", "style collapse", "nothing is learned", "cannot tell")


def course_detect(log, reference, bar=1.5):
    try:
        table = np.array([[entry[sign] for sign in WATCHED] for entry in log], float)
    except KeyError:
        return {"cannot tell"}
    if len(table) < 4 or not np.isfinite(table).all():
        return {"cannot tell"}
    loss, perplexity, words, distinct = np.median(table[-3:], axis=0)
    if loss > 0.7 * table[0, 0]:
        return {"nothing is learned"}
    alarms = {
        "forgetting": perplexity > bar * reference["perplexity"],
        "verbosity": words > 1.5 * reference["words"],
        "style collapse": distinct < 0.7 * reference["distinct at the start"],
    }
    return {name for name, raised in alarms.items() if raised}


def small_log(count: int = 6, **signs) -> list[dict]:
    """A calm log whose loss falls from 3; a sign may be replaced, by a number or by one number a reading."""
    columns = {name: np.full(count, value, float) for name, value in CALM.items()}
    columns["loss"] = np.geomspace(3, 0.2, count)
    for name, values in signs.items():
        columns[name.replace("_", " ")] = np.resize(np.asarray(values, float), count)
    return [{"step": 50 * i} | {name: float(column[i]) for name, column in columns.items()} for i in range(count)]


@check(course=course_detect)
def detect(detector) -> str:
    def says(log, **bar):
        return detector(log, SHOULD, **bar)

    calm = require(says(small_log()))
    expect(
        isinstance(calm, set) and calm <= set(NAMES),
        f"return a set of names, empty for a healthy log; known are {', '.join(NAMES)}. You return {calm!r}"
        + (". {} is an empty dict; an empty set is set()" if calm == {} else ""),
    )
    expect(calm == set(), f"a calm log, everything as in the reference and the loss falling, got {calm}")
    grows = says(small_log(perplexity=[15, 20, 25, 30, 35, 40]))
    expect(grows == {"forgetting"}, f"perplexity rising from 15 to 40 is forgetting; you say {grows or 'nothing'}")
    high = says(small_log(perplexity=40))
    expect(
        high == {"forgetting"},
        "perplexity is 40 from the first reading on, and 15 in the reference: compare with the reference, not with the "
        f"first reading; you say {high or 'nothing'}",
    )
    wild = says(small_log(8, perplexity=[15, 15, 15, 15, 15, 15, 15, 90]))
    expect(
        wild == set(),
        "one wild last reading (15, 15, ... 90) should not raise an alarm: take the median of the last three, not the "
        "last one and not their mean",
    )
    low = says(small_log(perplexity=[15, 20, 30, 40, 45, 16]))
    expect(
        low == {"forgetting"},
        "one low last reading (40, 45, 16) should not prevent an alarm: take the median of the last three",
    )
    spike = says(small_log(8, perplexity=[15, 15, 15, 60, 15, 15, 15, 15]))
    expect(
        spike == set(), "a spike in the middle that comes back is no forgetting; do you look at the highest reading?"
    )
    expect(says(small_log(perplexity=22)) == set(), "22 is not above 1.5 times 15; which bar do you use?")
    expect(
        says(small_log(perplexity=24)) == {"forgetting"}, "24 is above 1.5 times 15: forgetting; which bar do you use?"
    )
    try:
        stricter = says(small_log(perplexity=20), bar=1.2)
    except TypeError:
        stricter = None
    expect(
        stricter == {"forgetting"},
        "with bar=1.2 a perplexity of 20 is forgetting: use `bar` in place of 1.5 for perplexity, as it will be varied",
    )
    long = says(small_log(words=[7, 9, 12, 14, 15, 15]))
    expect(long == {"verbosity"}, f"15 words where 7 are needed is verbosity; you say {long or 'nothing'}")
    fewer = says(small_log(words=3))
    expect(fewer == set(), f"3 words where 7 are needed is not verbosity, nor anything else here; you say {fewer}")
    alike = says(small_log(distinct_at_the_start=0.2))
    expect(
        alike == {"style collapse"},
        f"distinct trigrams at the start 0.2, in the reference 0.6: style collapse; you say {alike or 'nothing'}. Here "
        "*less* is worse",
    )
    both = says(small_log(perplexity=40, words=20))
    expect(
        both == {"forgetting", "verbosity"},
        f"a log can fail in two ways at once, here forgetting and verbosity; you say {both or 'nothing'}",
    )
    flat = says(small_log(loss=2.5))
    expect(
        flat == {"nothing is learned"},
        "the loss stays at 2.5 throughout, so nothing is learned, though every other sign is calm; you say "
        f"{flat or 'nothing'}",
    )
    babble = says(small_log(loss=2.5, words=20))
    expect(
        babble == {"nothing is learned"},
        "where nothing is learned, that alone is the verdict: the model babbles because it is as it was",
    )
    return unreadable(detector, says)


def unreadable(detector, says) -> str:
    """The part about logs that cannot be judged."""
    nan = float("nan")
    try:
        missing = detector([{"step": i, "loss": 1.0} for i in range(6)], SHOULD)
    except KeyError:
        missing = "a KeyError"
    expect(missing == {"cannot tell"}, f'a log without "words" or "perplexity" cannot be read; you give {missing!r}')
    for log, what in (
        (small_log(perplexity=nan), "nothing but NaN"),
        (small_log(words=[7, 7, nan, 7, 7, 7]), "a NaN in the middle"),
        (small_log(perplexity=[15, 15, 15, 15, 15, math.inf]), "an infinite reading"),
    ):
        verdict = says(log)
        expect(
            verdict == {"cannot tell"},
            f"a log with {what} cannot be judged; you say {verdict or 'nothing, which means healthy'}. Test with "
            "np.isfinite first: any comparison with NaN is false",
        )
    few = says(small_log(3, perplexity=[15, 40, 60]))
    expect(few == {"cannot tell"} and says([]) == {"cannot tell"}, "three readings, or none, are too few to tell")
    return "It knows what the signs should be, forgives one wild reading, and says when it cannot know."


# --- the cure ---

SICK = Plan(rate=2e-3, steps=100)
LONGEST = 100  # steps: about the 20 seconds that a try may take


def course_cure(plan):
    return replace(plan, replay=0.5)


@check(course=course_cure)
def cure(treat) -> str:
    try:
        plan = require(treat(SICK))
    except FrozenInstanceError:
        plan = None
    expect(plan is not None, "a plan cannot be changed in place; replace(plan, rate=...) makes a new one: return it")
    expect(isinstance(plan, Plan), f"return a Plan, as replace(plan, rate=...) makes one; you return {plan!r}")
    changes = [one.name for one in fields(Plan) if getattr(plan, one.name) != getattr(SICK, one.name)]
    expect(changes, "this is the sick plan itself: nothing is changed. replace() makes a new plan, so return that one")
    expect(
        len(changes) == 1,
        f"you changed {len(changes)} things, {', '.join(changes)}. Change one: then you know what helped",
    )
    expect(
        type(plan.steps) is int and 1 <= plan.steps <= LONGEST,
        f"{plan.steps} steps: at least 1, and at most {LONGEST}, or a try takes too long",
    )
    expect(0 < plan.rate < 1, f"a rate of {plan.rate} is no learning rate; try a number such as 5e-4")
    expect(0 <= plan.replay <= 0.9, f"replay is a share of the rows, from 0 to 0.9; you give {plan.replay}")
    expect(
        changes[0] in ("rate", "steps", "lora", "replay"),
        f"{changes[0]} changes what the rows say. The rows are healthy here: change how they are trained on",
    )
    return f"One change, {changes[0]}. Whether it cures, the run will show."
