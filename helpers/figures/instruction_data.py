"""Notebook 02: one row in four formats, how long rows are, how alike two are, and which of their tokens are trained.

Not here: files and formats themselves (text/datasets.py, text/formats.py), what rows of many kinds do to a model
(varied_rows.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

from helpers.showing import plots
from helpers.showing.diagrams import Drawing
from helpers.showing.page import escape, markdown_table, table, verbatim, verdict_box
from helpers.text.datasets import lengths
from helpers.text.formats import FORMATS, KEYS, write_row
from helpers.text.instructions import turn
from helpers.text.my_rows import Kept
from helpers.text.templates import render, text_of
from helpers.text.tokenizer import Tokenizer

CONVERSATION = [turn("user", "What do bees make?"), turn("assistant", "Honey.")]
SLOTS = {  # what a format may have room for, and the smallest row that needs it
    "a system\nprompt": [turn("system", "Be brief."), *CONVERSATION],
    "earlier\nturns": [*CONVERSATION, turn("user", "And cows?"), turn("assistant", "Milk.")],
    "the input\napart": [turn("user", "Translate.", input="bread"), turn("assistant", "Pain.")],
}
LIMA_SOURCES = {"Stack Exchange": 400, "wikiHow": 200, "stories from Reddit": 150, "Natural Instructions": 50,
                "written by the authors": 200}  # fmt: skip
LIMA_TOKENS = 750_000
LIMA_AGAINST = {"Alpaca-65B, tuned on 52,000 rows": (53, 21, 26), "DaVinci003": (44, 21, 35), "Bard": (33, 25, 42),
                "Claude": (24, 22, 54), "GPT-4": (18, 25, 57)}  # fmt: skip


# --- what models say ---


def side_by_side(questions: Sequence[str], **answers: Sequence[str]) -> HTML:
    """What several models write after the same questions."""
    columns = [name.replace("_", " ") for name in answers]
    rows = [
        (escape(question), *(verbatim(text.strip() or "(nothing)") for text in texts))
        for question, *texts in zip(questions, *answers.values(), strict=True)
    ]
    return HTML(table(["you ask", *columns], rows, label="what the models write", row_heads=True))


# --- formats ---


def room(target: str) -> list[bool]:
    """For each of SLOTS, whether a format keeps it."""
    return [not write_row({"messages": talk}, target)[1] for talk in SLOTS.values()]


def what_formats_hold() -> Drawing:
    """Each format with its keys and the places that it has, as `write_row` fills them."""
    words = "; ".join(
        f"{target} has room for {', '.join(kept) or 'none of these'}"
        for target in FORMATS
        if (kept := [slot.replace("\n", " ") for slot, fits in zip(SLOTS, room(target), strict=True) if fits]) or True
    )
    drawing = Drawing(
        540, 320, f"Four formats, and what each has room for besides one question and one answer: {words}."
    )
    for column, slot in enumerate(SLOTS):
        drawing.text(305 + 92 * column, 20, slot, bold=True)
    for line, target in enumerate(FORMATS):
        y = 56 + 66 * line
        keys = ("instruction", "input", "output") if target == "alpaca" else KEYS[target]
        drawing.box(5, y, 245, 54, target, ", ".join(keys))
        for column, fits in enumerate(room(target)):
            drawing.box(264 + 92 * column, y, 82, 54, "✔ kept" if fits else "lost", fill="first" if fits else "plain",
                        dashed=not fits)  # fmt: skip
    return drawing


def losses_table(rows: dict[str, dict], convert: Callable) -> Markdown:
    """What each row loses in each format."""
    lost = [(name, *("; ".join(convert(row, to)[1]) or "–" for to in FORMATS)) for name, row in rows.items()]
    return Markdown(markdown_table(("row", *FORMATS), lost))


# --- lengths ---


def answer_words(rows: Sequence[dict]) -> dict[str, list[int]]:
    """Words of each answer, by kind of row, from the shortest kind to the longest."""
    words: dict[str, list[int]] = {}
    for row in rows:
        replies = [len(one["content"].split()) for one in row["messages"] if one["role"] == "assistant"]
        words.setdefault(row["kind"], []).extend(replies)
    return dict(sorted(words.items(), key=lambda item: (np.mean(item[1]), item[0])))


def length_figure(rows: Sequence[dict]) -> None:
    """The lengths of answers by kind: from the shortest to the longest, and the mean."""
    words = answer_words(rows)
    figure, axes = plt.subplots(figsize=(7, 6))
    for place, counts in enumerate(words.values()):
        axes.plot([min(counts), max(counts)], [place, place], color="C0", lw=5, solid_capstyle="round", alpha=0.5)
        axes.plot(np.mean(counts), place, "D", color="C1", ms=5)
    axes.set_yticks(range(len(words)), list(words))
    axes.set(xlabel="words of an answer: shortest to longest, and mean (diamond)", xlim=(0, None))
    axes.grid(axis="y", visible=False)
    first, last = list(words)[0], list(words)[-1]
    plots.show(
        figure,
        f"A bar for each kind of row, from the shortest to the longest answer, with the mean as a diamond. "
        f"{first} is shortest with {np.mean(words[first]):.1f} words in the mean, {last} longest with "
        f"{np.mean(words[last]):.1f}. In {steady(words)} of {len(words)} kinds all answers lie within six words.",
    )


def steady(words: dict[str, list[int]]) -> int:
    """In how many kinds the longest answer has at most six words more than the shortest."""
    return sum(max(counts) - min(counts) <= 6 for counts in words.values())


def length_table(rows: Sequence[dict], tokenizer: Tokenizer) -> Markdown:
    """Mean words and tokens of what is asked and answered, and the longest row."""
    cells = []
    for unit, cutter in (("words", None), ("tokens", tokenizer)):
        counts = np.array([lengths(row, cutter) for row in rows])
        asked, answered = counts.mean(axis=0)
        ratio, longest = f"{answered / asked:.2f}", counts.sum(axis=1).max()
        cells.append((unit, f"{asked:.1f}", f"{answered:.1f}", ratio, longest))
    return Markdown(markdown_table(("counted in", "asked", "answered", "answered / asked", "longest row"), cells))


def lima_table() -> Markdown:
    """Wins, ties and losses of LIMA's answers against those of five other models."""
    rows = [(name, *(f"{share}%" for share in shares)) for name, shares in LIMA_AGAINST.items()]
    against = markdown_table(("LIMA's answer against that of", "better", "equal", "worse"), rows)
    sources = ", ".join(f"{name} {count}" for name, count in LIMA_SOURCES.items())
    each = LIMA_TOKENS / sum(LIMA_SOURCES.values())
    return Markdown(f"{against}\n\nThe {sum(LIMA_SOURCES.values()):,} rows: {sources}. About {each:.0f} tokens a row.")


# --- alike and different ---


def matched(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The places of one longest common subsequence in both texts."""
    best = np.zeros((len(a) + 1, len(b) + 1), int)
    for i in reversed(range(len(a))):
        for j in reversed(range(len(b))):
            best[i, j] = best[i + 1, j + 1] + 1 if a[i] == b[j] else max(best[i + 1, j], best[i, j + 1])
    pairs, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1, j] >= best[i, j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def common_words(one: str, other: str) -> Drawing:
    """Two texts, and lines between the words that both have in the same order."""
    a, b = one.split(), other.split()
    pairs = matched(a, b)
    label = f"{one!r} and {other!r} share {len(pairs)} words in the same order: {' '.join(a[i] for i, _ in pairs)}."
    drawing = Drawing(510, 124, label)
    top = drawing.tokens(8, 8, a, [i in dict(pairs) for i in range(len(a))])
    low = drawing.tokens(8, 92, b, [j in [j for _, j in pairs] for j in range(len(b))])
    return joined(drawing, [(top[i], low[j]) for i, j in pairs])


def joined(drawing: Drawing, places: Sequence[tuple[float, float]]) -> Drawing:
    """The rows of words without marks, and a line for each pair."""
    drawing.parts = [part for part in drawing.parts if not part.endswith((">True</text>", ">False</text>"))]
    for x1, x2 in places:
        drawing.parts.append(f'<path d="M{x1:.0f},34 L{x2:.0f},92" stroke="currentColor" stroke-width="1.5"/>')
    return drawing


# --- the mask ---


def row_and_mask(tokenizer: Tokenizer) -> Drawing:
    """A row in the form in which a model is tuned on it: each token, and whether it is trained."""
    ids, mask = render(CONVERSATION, "chatml", tokenizer)
    texts = [tokenizer.decode([number]).replace("\n", "↵") for number in ids]
    half = texts.index("assistant") - 1  # where the answer's turn begins
    drawing = Drawing(
        560,
        145,
        f"The question's turn has {half} tokens, all with mask 0. In the answer's turn the words and the end token "
        f"have mask 1: {''.join(text for text, one in zip(texts, mask, strict=True) if one)}",
    )
    for y, place in ((8, slice(0, half)), (95, slice(half, None))):
        drawing.tokens(5, y, texts[place], mask[place])
    return drawing


# --- the learner's rows ---


def what_was_kept(kept: Kept) -> HTML:
    """The verdict on the learner's rows, with every problem on a line of its own."""
    lines = "".join(f"<br>{escape(problem)}" for problem in kept.problems)
    return HTML(verdict_box(kept.stored, f"{escape(kept.words)}{lines}"))


def your_dataset(kept: Kept, alike: Callable, tokenizer: Tokenizer) -> Markdown:
    """How many rows, how many pairs of questions above 0.7, which of them, and the lengths."""
    asked = [" ".join(text_of(row["messages"][-2]).split()) for row in kept.rows]
    pairs = [(one, two) for i, one in enumerate(asked) for two in asked[:i] if alike(one, two) > 0.7]
    shown = "".join(f"\n- {one} | {two}" for one, two in pairs[:5])
    if not asked:
        return Markdown("*No rows to look at yet.*")
    words = f"{len(asked)} rows; pairs of questions that are near-duplicates: {len(pairs)}{shown}"
    return Markdown(f"{words}\n\n{length_table(kept.rows, tokenizer).data}")
