"""A widget to look into an instruction dataset: one row at a time, in every format, with its counts; and a box for
a row of your own, which is read as a line of a file would be.

What is shown is worked out by functions without any widget in them, so that it can be tested, and stand in a table too.
Core ipywidgets only (7 and 8), every text escaped before it is shown. Not here: files (datasets.py), what a row must
look like (formats.py).
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence

import ipywidgets as widgets

from helpers.text.datasets import lengths, not_json
from helpers.text.formats import FORMATS, RowProblem, detect, read_row, write_row
from helpers.text.tokenizer import Tokenizer

LONGEST_PASTE = 20_000  # characters; a row of a real dataset is seldom longer, and the answer comes at once
TEXT_STYLE = "font-family: monospace; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.4; margin: 4px 0"
BROKEN_ROW = '{"instruction": "Name a colour.", "output": ""}'  # what the box holds at first, so that it has a message


def safe(text: object) -> str:
    """Any text as HTML that shows it and does nothing else; halves of signs, which cannot be sent, become "?"."""
    return html.escape(str(text).encode("utf-8", "replace").decode())


def as_json(row: dict) -> str:
    """A row as JSON over several lines, accents as they are."""
    return json.dumps(row, ensure_ascii=False, indent=2)


def in_format(row: dict, target: str, tokenizer: Tokenizer) -> dict:
    """The course's row in a format: {"row", "lost", "words", "tokens"}. The counts are (asked, answered) of what the
    format kept, so a format that drops turns has smaller ones."""
    written, lost = write_row(row, target)
    kept = read_row(written, target)
    return {"row": written, "lost": lost, "words": lengths(kept), "tokens": lengths(kept, tokenizer)}


def format_table(row: dict, tokenizer: Tokenizer) -> str:
    """A row in every format as a Markdown table: keys, counts, and what is lost."""
    lines = ["| format | keys | words asked / answered | tokens asked / answered | lost |", "|---|---|---|---|---|"]
    for target in FORMATS:
        shown = in_format(row, target, tokenizer)
        (asked, answered), (tokens_asked, tokens_answered) = shown["words"], shown["tokens"]
        keys = ", ".join(f"`{key}`" for key in shown["row"] if key not in row or key == "messages")
        lost = "; ".join(shown["lost"]) or "nothing"
        lines.append(f"| {target} | {keys} | {asked} / {answered} | {tokens_asked} / {tokens_answered} | {lost} |")
    return "\n".join(lines)


def row_html(row: dict, target: str, tokenizer: Tokenizer) -> str:
    """A row in a format: its JSON, its counts and what the format has no place for."""
    shown = in_format(row, target, tokenizer)
    (asked, answered), (tokens_asked, tokens_answered) = shown["words"], shown["tokens"]
    lost = "; ".join(shown["lost"])
    return (
        f'<pre style="{TEXT_STYLE}">{safe(as_json(shown["row"]))}</pre>'
        f"<div>Words: {asked} asked, {answered} answered. Tokens: {tokens_asked} asked, {tokens_answered} answered. "
        f"Lost in this format: <b>{safe(lost or 'nothing')}</b>.</div>"
    )


def read_pasted(text: str) -> dict:
    """The row that a text holds, as the course's row. Raises RowProblem, which says in words what is wrong."""
    if not text.strip():
        raise RowProblem("", "the box is empty; paste one row as JSON, an object in braces")
    if len(text) > LONGEST_PASTE:
        raise RowProblem("", f"{len(text):,} characters are too many for this box; paste one row of {LONGEST_PASTE:,}")
    try:
        row = json.loads(text)
    except json.JSONDecodeError as problem:
        raise not_json(problem) from None
    except (RecursionError, ValueError):  # thousands of brackets in one another; a number of thousands of digits
        raise RowProblem("", "this JSON is too deep, or holds too long a number, to be a row") from None
    return read_row(row)


def pasted_html(text: str, target: str, tokenizer: Tokenizer) -> str:
    """The verdict on a pasted row; and the row in the chosen format, if it can be used."""
    try:
        row = read_pasted(text)
    except RowProblem as problem:
        shown = text if len(text) <= 300 else text[:300] + " …"
        return (
            f'<div style="border-left: 4px solid #D55E00; padding: 2px 10px">… This row cannot be used. '
            f'{safe(problem)}.</div><pre style="{TEXT_STYLE}">{safe(shown)}</pre>'
        )
    return (
        f'<div style="border-left: 4px solid #009E73; padding: 2px 10px">✔ A row of format '
        f"{detect(json.loads(text))} with {len(row['messages'])} turns.</div>{row_html(row, target, tokenizer)}"
    )


def dataset_browser(rows: Sequence[dict], tokenizer: Tokenizer) -> widgets.VBox:
    """Choose a kind of row, one row of it and a format, and see the row written so; below, a row of your own.

    `rows` are course's rows, each with its "kind". The buttons go round: behind the last row comes the first.
    """
    of_kind: dict[str, list[dict]] = {}
    for row in rows:
        of_kind.setdefault(row.get("kind", "no kind"), []).append(row)
    wide, style = widgets.Layout(width="95%"), {"description_width": "90px"}
    kind = widgets.Dropdown(
        options=[(f"{name} ({len(group)} rows)", name) for name, group in of_kind.items()],
        description="Kind",
        layout=wide,
        style=style,
    )
    number = widgets.IntSlider(
        value=1,
        min=1,
        max=len(of_kind[kind.value]),
        description="Row",
        continuous_update=False,
        layout=wide,
        style=style,
    )
    target = widgets.Dropdown(options=FORMATS, value="messages", description="Format", layout=wide, style=style)
    back, on, copy = (
        widgets.Button(description=name, tooltip=why)
        for name, why in (
            ("Previous row", "Show the row before this one"),
            ("Next row", "Show the row after this one"),
            ("Copy to the box", "Put this row into the box below, to change it"),
        )
    )
    own = widgets.Textarea(
        value=BROKEN_ROW,
        description="Your row",
        continuous_update=False,
        layout=widgets.Layout(width="95%", height="110px"),
        style=style,
    )
    row_shown, own_shown = widgets.HTML(), widgets.HTML()

    def chosen() -> dict:
        return of_kind[kind.value][number.value - 1]

    def show(_=None) -> None:
        row_shown.value = (
            f"<i>Row {number.value} of {number.max} of kind {safe(kind.value)}, as {target.value}:</i>"
            f"{row_html(chosen(), target.value, tokenizer)}"
        )
        own_shown.value = pasted_html(own.value, target.value, tokenizer)

    def new_kind(_) -> None:
        number.value = 1  # before the maximum moves, so that there is always such a row
        number.max = len(of_kind[kind.value])
        show()

    def go(steps: int) -> None:
        number.value = (number.value - 1 + steps) % number.max + 1

    def copy_row(_) -> None:
        own.value = as_json(write_row(chosen(), target.value)[0])

    kind.observe(new_kind, "value")
    for control in (number, target, own):
        control.observe(show, "value")
    back.on_click(lambda _: go(-1))
    on.on_click(lambda _: go(1))
    copy.on_click(copy_row)
    show()
    return widgets.VBox([kind, number, target, widgets.HBox([back, on, copy]), row_shown, own, own_shown])
