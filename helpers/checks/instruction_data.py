"""Checks of notebook 02, and the course's own solutions."""

from __future__ import annotations

import random
from collections import defaultdict
from functools import cache

from helpers.checks import check, expect, require, take  # noqa: F401  (the notebook takes `take` from here)
from helpers.text.facts import load_world
from helpers.text.instructions import fact_rows
from helpers.text.matching import rouge_l

LIMIT, ENOUGH, COUNT = 0.7, 13, 20  # Self-Instruct's limit; kinds that a varied choice of COUNT rows must hold


# --- the course's own solutions ---


def alpaca_or_none(row: dict) -> dict | None:
    talk = row["messages"]
    if len(talk) != 2:
        return None
    return {"instruction": talk[0]["content"], "input": "", "output": talk[1]["content"]}


def table_of_lengths(a: list[str], b: list[str]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a)):
        for j in range(len(b)):
            table[i + 1][j + 1] = table[i][j] + 1 if a[i] == b[j] else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def round_by_openings(rows: list[dict], count: int, alike) -> list[dict]:
    heaps = defaultdict(list)
    for row in rows:
        heaps[" ".join(row["messages"][-1]["content"].split()[:2])].append(row)
    heaps, picked = sorted(heaps.values(), key=len, reverse=True), []
    for turn in range(len(heaps[0])):
        for heap in heaps:
            fresh = turn < len(heap) and all(alike(heap[turn], other) <= LIMIT for other in picked)
            picked += [heap[turn]] * fresh
            if len(picked) == count:
                return picked
    return picked


# --- the checks ---


def turns(*talk: tuple[str, str]) -> list[dict]:
    return [{"role": role, "content": content} for role, content in talk]


@check(course=alpaca_or_none)
def messages_to_alpaca(convert) -> str:
    question, answer = "What is the capital of Peru?", "The capital of Peru is Lima."
    row = require(convert({"messages": turns(("user", question), ("assistant", answer))}))
    expect(isinstance(row, dict), f"an Alpaca row is a dict; yours is a {type(row).__name__}")
    expect("instruction" in row, f"the key 'instruction' is missing; your row has {', '.join(map(str, row))}")
    expect("output" in row, f"the key 'output' is missing; your row has {', '.join(map(str, row))}")
    expect(
        not (row["instruction"] == answer and row["output"] == question),
        "question and answer have changed places: the user's turn is the instruction",
    )
    expect(
        isinstance(row["instruction"], str) and isinstance(row["output"], str),
        "instruction and output should be the texts of the turns, not the turns; take their 'content'",
    )
    expect(
        "input" in row,
        "Alpaca rows have three keys: a row without an input still has the key 'input', with an empty text",
    )
    expect(
        row["input"] == "", f"there is no input in this row, so 'input' should be an empty text, not {row['input']!r}"
    )
    right = {"instruction": question, "input": "", "output": answer}
    expect(row == right, f"nearly. Expected {right}, got {row}")
    system = convert({"messages": turns(("system", "Be concise."), ("user", question), ("assistant", answer))})
    expect(
        not (isinstance(system, dict) and "Be concise." in str(system.get("instruction"))),
        "with a system prompt in front, your instruction holds the system prompt. Alpaca has no place for one: "
        "return None",
    )
    expect(system is None, "a row with a system prompt loses it in Alpaca's form, silently; return None for such a row")
    longer = turns(("user", question), ("assistant", answer), ("user", "And of Chile?"), ("assistant", "Santiago."))
    several = convert({"messages": longer})
    expect(
        not (isinstance(several, dict) and several.get("instruction") == "And of Chile?"),
        "of two questions you keep the last: 'And of Chile?' alone cannot be understood; return None for such a row",
    )
    expect(several is None, "of a conversation with two questions only one is left in your row; return None instead")
    return "What fits is converted, what would lose something is refused. Nothing goes missing unnoticed."


REPEATED = ("the the the/the cat", "the cat/the the the", "a b a b/a a b b", "a b a/a a a", "a b/b")


def with_one_row(a: list[str], b: list[str]) -> int:
    """What comes out where `[[0] * n] * m` makes the table, which is m times the same row."""
    row = [0] * (len(b) + 1)
    for one in a:
        for j, other in enumerate(b):
            row[j + 1] = row[j] + 1 if one == other else max(row[j + 1], row[j])
    return row[-1]


@check(course=table_of_lengths)
def lcs_length(count) -> str:
    def of(a: str, b: str):
        return count(a.split(), b.split())

    length = require(of("name the capital", "name the capital"))
    expect(not 0 < length <= 1, "two equal texts of 3 words share all 3; return the plain number of words, not a share")
    expect(length == 3, f"two equal texts of 3 words share all 3; you say {length}")
    pairs = [[text.split() for text in pair.split("/")] for pair in REPEATED]
    shared = [[with_one_row(a, b) for a, b in pairs], [with_one_row(b, a) for a, b in pairs]]
    expect(
        [count(a, b) for a, b in pairs] not in shared,
        "all rows of your table are one and the same list: `[[0] * n] * m` makes one row and names it m times, so what "
        "you write into one row stands in all of them. Make each row anew: `[[0] * n for _ in range(m)]`",
    )
    expect(of("a b", "c d") == 0, "two texts without a common word have a common subsequence of length 0")
    length = of("what is the capital of peru", "what is the main language of peru")
    expect(
        length != 3,
        "'what is the capital of peru' and 'what is the main language of peru' have 5 words in common and in order: "
        "what is the … of peru. You say 3, which is the longest piece WITHOUT a gap; a subsequence may skip words",
    )
    expect(length == 5, f"what is the … of peru: 5 words, in order, with gaps; you say {length}")
    length = of("peru of capital the is what", "what is the capital of peru")
    expect(
        length != 6,
        "the same words backwards share 6 words, but not in the same order; order counts, so here the length is 1",
    )
    expect(length == 1, f"for a text and its reverse (6 different words) the length is 1; you say {length}")
    length = of("the the the", "the cat")
    expect(
        length != 3, "'the the the' and 'the cat': a word of one text can be matched with one word of the other only"
    )
    expect(length == 1, f"'the the the' and 'the cat' share one word; you say {length}")
    length = of("the cat", "the the the")
    expect(length == 1, f"'the cat' and 'the the the' share one word; you say {length}. A word counts once")
    for one, other in (("a b c d", "c d a b d"), ("c d a b d", "a b c d")):
        length = of(one, other)
        expect(
            length == 3,
            f"{one!r} and {other!r} share a b d, 3 words; you say {length}. Taking the first match that comes is not "
            "always best: keep the better of two choices at every pair of words",
        )
    try:
        nothing = count([], ["a"])
    except IndexError:
        nothing = None
    expect(nothing == 0, "an empty text shares nothing: the length is 0, with no step of the loop taken")
    return "Order counts, gaps do not. Twice this length over the words of both texts is ROUGE-L."


@cache
def draws() -> list[tuple[list[dict], dict[str, str]]]:
    """Three draws of 400 of the course's rows without their kinds; and the kind of each question."""
    rows = fact_rows(load_world())
    kinds = {row["messages"][0]["content"]: row["kind"] for row in rows}
    bare = [{"messages": row["messages"]} for row in rows]
    return [(random.Random(start).sample(bare, 400), kinds) for start in range(3)]


@check(course=round_by_openings)
def pick_varied(pick) -> str:
    def alike(one: dict, other: dict) -> float:
        first, second = (row["messages"][0]["content"].lower().strip("?.").split() for row in (one, other))
        return rouge_l(first, second)

    numbers = []
    for rows, kinds in draws():
        few = require(pick([dict(row) for row in rows], COUNT, alike))
        expect(isinstance(few, list), f"return a list of rows, not a {type(few).__name__}")
        expect(
            all(isinstance(row, dict) and row in rows for row in few),
            "return rows as they were given to you: something in your list is none of them. (Numbers of rows? Take "
            "rows[i].)",
        )
        expect(
            len(few) == COUNT,
            f"{COUNT} rows were asked for; you return {len(few)}. Is your limit so strict that too few are left, or "
            "does your loop go on after the last one?",
        )
        questions = [row["messages"][0]["content"] for row in few]
        expect(len(set(questions)) == COUNT, "a row stands twice in your choice; take each once")
        near = [(one, other) for i, one in enumerate(few) for other in few[:i] if alike(one, other) > LIMIT]
        if near:
            one, other = (row["messages"][0]["content"] for row in near[0])
            expect(False, f"{one!r} and {other!r} are near-duplicates ({alike(*near[0]):.2f}). Before you take a row, "
                   f"compare it with all that you took: at most {LIMIT}")  # fmt: skip
        numbers.append(len({kinds[question] for question in questions}))
    told = ", ".join(map(str, numbers))
    expect(
        min(numbers) >= ENOUGH,
        f"no near-duplicates, but too few kinds: {told} in three draws. {ENOUGH} or more are wanted in each, and "
        "drawing at random gives about 11. What do the answers of one kind have in common?",
    )
    return f"{told} of 15 kinds in three draws, and no near-duplicates. Drawing at random gives about 11."
