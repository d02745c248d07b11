"""Checks of notebook 06."""

import math

import numpy as np

from helpers.checks import check, close, expect, require
from helpers.judging.vital_signs import distinct_trigrams


@check
def equal_length(ratio) -> str:
    texts = ["one two three four", "one two three five", "six seven"]
    value = require(ratio(texts, 4))
    expect(isinstance(value, (int, float, np.floating)), "return one number, the share")
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


@check
def frontier(front) -> str:
    points = {"mild": (50, 0), "middle": (80, 2), "hot": (90, 10), "worse": (70, 5)}
    names = require(front(points))
    expect(
        isinstance(names, (set, frozenset, list, tuple)) and all(name in points for name in names),
        "return the names of the settings, as a set",
    )
    names = set(names)
    expect(
        names != {"hot"},
        "you kept only the one that learned most; 'mild' forgot less than it, so it is not beaten. Is more forgotten "
        "worse in your comparison, or better?",
    )
    expect(
        names != {"worse"} and names != set(points) - {"mild", "middle", "hot"},
        "you kept those that are beaten; the others were asked for",
    )
    expect(
        "worse" not in names,
        "'worse' learned less than 'middle' (70 against 80) and forgot more (5 against 2): it is beaten. Is more "
        "forgotten worse in your comparison?",
    )
    expect(
        names == {"mild", "middle", "hot"},
        f"'mild', 'middle' and 'hot' each beat the others in one of the two; you return {sorted(names)}",
    )
    level = {"a": (80, 2), "b": (80, 3), "c": (75, 2)}
    expect(
        set(front(level)) == {"a"},
        "with (80, 2), (80, 3) and (75, 2) only the first is not beaten: as good in one and better in the other is "
        f"enough; you return {sorted(front(level))}",
    )
    twins = {"one": (80, 2), "other": (80, 2)}
    expect(
        set(front(twins)) == set(twins),
        "two settings with the very same figures do not beat each other: neither is better in anything",
    )
    rng = np.random.default_rng(6)
    many = {f"setting {i}": (int(pair[0]), int(pair[1])) for i, pair in enumerate(rng.integers(0, 20, (60, 2)))}
    right = {
        name
        for name, (x, y) in many.items()
        if not any(a >= x and b <= y and (a > x or b < y) for a, b in many.values())
    }
    expect(
        set(front(many)) == right, "with sixty random settings your frontier is another; compare each with every other"
    )
    expect(set(front({})) == set(), "without any settings the frontier is empty")
    return "Nobody on it can be improved in one thing without losing in the other."


@check
def forgetting_alarm(alarm) -> str:
    def says(readings, reference=15.0):
        return alarm([{"step": 100 * i, "perplexity": value} for i, value in enumerate(readings)], reference)

    word = require(says([15, 15, 15, 15, 15, 15]))
    words = ("alarm", "calm", "cannot tell")
    expect(word in words, f'return one of "alarm", "calm" and "cannot tell"; you return {word!r}')
    expect(word == "calm", f"a log that stays at 15, with a reference of 15, is calm; you say {word!r}")
    expect(
        says([15, 20, 25, 30, 35, 40]) == "alarm",
        f"perplexity rising from 15 to 40 is an alarm; you say {says([15, 20, 25, 30, 35, 40])!r}",
    )
    expect(
        says([15, 40, 80, 120, 150]) == "alarm",
        f"five entries, 15 to 150: four are enough for an alarm; you say {says([15, 40, 80, 120, 150])!r}",
    )
    expect(
        says([40, 40, 41, 40, 40, 40]) == "alarm",
        "at 40 from the first entry on, where it was 15 before tuning: compare with the reference, not with the first "
        "entry",
    )
    expect(
        says([15, 15, 15, 60, 15, 15, 15, 15]) == "calm",
        "a spike in the middle that comes back is no forgetting; do you look at the highest reading?",
    )
    expect(
        says([15, 15, 15, 15, 15, 90]) == "calm",
        "one wild last reading (15, 15, ... 90) should not raise an alarm: take the median of the last three, not the "
        "last one and not their mean",
    )
    expect(
        says([15, 20, 30, 40, 45, 16]) == "alarm",
        "one low last reading (40, 45, 16) should not prevent an alarm: take the median of the last three",
    )
    expect(says([15, 18, 20, 21, 22, 22]) == "calm", "22 is not above 1.5 times 15: calm; which bar do you use?")
    expect(says([15, 19, 22, 23, 24, 24]) == "alarm", "24 is above 1.5 times 15: an alarm; which bar do you use?")
    try:
        missing = alarm([{"step": i, "loss": 1.0} for i in range(6)], 15.0)
    except KeyError:
        missing = "a KeyError"
    expect(missing == "cannot tell", f'without any "perplexity" the log cannot be read; you give {missing!r}')
    nan = float("nan")
    for readings, what in (
        ([nan] * 6, "nothing but NaN"),
        ([15, 15, nan, 15, 15, 15], "a NaN in the middle"),
        ([15, 15, 15, 15, 15, float("inf")], "an infinite reading"),
    ):
        expect(
            says(readings) == "cannot tell",
            f"a log with {what} cannot be judged; you say {says(readings)!r}. Test with np.isfinite first: "
            "any comparison with NaN is false",
        )
    expect(
        says([15, 40, 60]) == "cannot tell" and says([]) == "cannot tell",
        "three entries, or none, are too few to tell",
    )
    return "It asks what the readings should be, forgives one of them, and says when it cannot know."
