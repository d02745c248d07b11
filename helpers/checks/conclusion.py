"""Checks of notebook 08."""

import json

from helpers.checks import check, expect, require
from helpers.experiments import claims

WORDS = ("holds", "contradicted", "open")


@check
def verdict(judge) -> str:
    first = require(judge(6.0, 26.0, "more"))
    expect(first in WORDS, f"return one of the words {', '.join(map(repr, WORDS))}; yours is {first!r}")
    cases = [
        (6.0, 26.0, "more", "the whole interval lies above 0"),
        (-9.0, -1.0, "more", "the whole interval lies below 0: that speaks against 'more'; it is not merely open"),
        (-5.0, 30.0, "more", "the interval holds 0; where its middle lies does not matter"),
        (-9.0, -1.0, "less", "for 'less' an interval below 0 is what was expected: mind the direction"),
        (1.0, 9.0, "less", "for 'less' an interval above 0 contradicts: mind the direction"),
        (-4.0, 1.0, "less", "the interval holds 0"),
        (0.0, 8.0, "more", "an interval that touches 0 holds it"),
        (-3.0, 0.0, "less", "an interval that touches 0 holds it, at its upper end too"),
        (-0.3, 0.1, "same", "the whole interval lies within -2 to 2"),
        (
            -1.1,
            -0.7,
            "same",
            "it does not hold 0, but all of it lies within 2 points: that is 'same' as it was defined",
        ),
        (-2.0, 2.0, "same", "touching 2 from within still counts as 'same'"),
        (3.0, 9.0, "same", "the whole interval lies outside"),
        (-9.0, -3.0, "same", "the whole interval lies outside, below -2: look at both sides"),
        (-9.0, 9.0, "same", "a wide interval around 0 does not show 'same'; it shows nothing"),
        (1.0, 5.0, "same", "a part lies within 2 points and a part outside"),
    ]
    for low, high, expects, why in cases:
        word, right = judge(low, high, expects), claims.verdict(low, high, expects)
        expect(word == right, f"({low:+g} to {high:+g}), expects {expects!r}: should be {right!r}, not {word!r}. {why}")
    return "No claim is called stronger than its interval, and 'open' is a result."


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


@check
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
