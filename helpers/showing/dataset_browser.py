"""A widget to look into an instruction dataset: search it, see one row at a time in every format or as tokens with
their mask; and a box for a row of your own, which is read as a line of a file would be.

What is shown is worked out by functions without any widget in them, so that it can be tested, and stand in a table too.
Core ipywidgets only (7 and 8), every text escaped before it is shown. Not here: files (datasets.py), what a row must
look like (formats.py), how text is escaped (page.py).
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import ipywidgets as widgets

from helpers.learning.parameters import Config
from helpers.showing.page import COLOURS, GREY, escape, markdown_table, verbatim, verdict_box, visible
from helpers.text.datasets import lengths
from helpers.text.formats import FORMATS, RowProblem, detect, parse, read_row, write_row
from helpers.text.json_rows import json_rows
from helpers.text.templates import render, text_of
from helpers.text.tokenizer import Tokenizer

LONGEST_PASTE = 20_000  # characters; a row of a real dataset is seldom longer, and the answer comes at once
MOST_LISTED = 300  # rows in the list to choose from
EVERY, MASK = "all kinds", "tokens and mask"
BROKEN_ROW = '{"instruction": "Name a colour.", "output": ""}'  # what the box holds at first, so that it has a message


def as_json(row: dict) -> str:
    """A row as JSON over several lines, accents as they are."""
    return json.dumps(row, ensure_ascii=False, indent=2)


def in_format(row: dict, target: str, tokenizer: Tokenizer) -> dict:
    """The course's row in a format: {"row", "lost", "words", "tokens"}. The counts are (asked, answered) of what the
    format kept, so a format that drops turns has smaller ones."""
    in_target, lost = write_row(row, target)
    rest = read_row(in_target, target)
    return {"row": in_target, "lost": lost, "words": lengths(rest), "tokens": lengths(rest, tokenizer)}


def format_table(row: dict, tokenizer: Tokenizer) -> str:
    """A row in every format as a Markdown table: keys, counts, and what is lost."""
    rows = []
    for target in FORMATS:
        form = in_format(row, target, tokenizer)
        words, tokens = ("{} / {}".format(*form[unit]) for unit in ("words", "tokens"))
        keys = ", ".join(f"`{key}`" for key in form["row"] if key not in row or key == "messages")
        rows.append((target, keys, words, tokens, "; ".join(form["lost"]) or "nothing"))
    return markdown_table(("format", "keys", "words asked / answered", "tokens asked / answered", "lost"), rows)


def row_html(row: dict, target: str, tokenizer: Tokenizer) -> str:
    """A row in a format: its JSON, its counts and what the format has no place for; or as tokens with their mask."""
    if target == MASK:
        return mask_html(row, tokenizer)
    form = in_format(row, target, tokenizer)
    words, tokens = ("{} asked, {} answered".format(*form[unit]) for unit in ("words", "tokens"))
    return (
        f"{json_html(as_json(form['row']))}<div>Words: {words}. Tokens: {tokens}. "
        f"Lost in this format: <b>{escape('; '.join(form['lost']) or 'nothing')}</b>.</div>"
    )


def json_html(text: str) -> str:
    """A text over several lines."""
    return verbatim(text, "pre", "line-height: 1.4; margin: 4px 0")


def row_from_text(text: str) -> tuple[dict, list[str], str]:
    """The one row that a text holds, as the course's row; what of it was dropped; and the format that it had. Raises
    RowProblem, which says in words what is wrong."""
    if not text.strip():
        raise RowProblem("", "the box is empty; paste one row as JSON, an object in braces")
    if len(text) > LONGEST_PASTE:
        raise RowProblem("", f"{len(text):,} characters are too many for this box; paste one row of {LONGEST_PASTE:,}")
    entries = [row for _, _, row in json_rows(io.StringIO(text, newline="\n"))]
    if not entries:
        raise RowProblem("", "there is no row in this list; paste one row, an object in braces")
    if isinstance(entries[0], RowProblem):
        raise entries[0]
    if len(entries) > 1:
        raise RowProblem("", f"there are {len(entries)} rows; paste one, or read a file with read_dataset(path)")
    return *parse(entries[0]), detect(entries[0])


def own_row_html(text: str, target: str, tokenizer: Tokenizer) -> str:
    """The verdict on a pasted row; and the row in the chosen format, if it can be used."""
    try:
        row, losses, source = row_from_text(text)
    except RowProblem as problem:
        beginning = text if len(text) <= 300 else text[:300] + " …"
        return verdict_box(False, f"This row cannot be used. {escape(problem)}.") + json_html(beginning)
    praise = f"A row of format {source} with {len(row['messages'])} turns."
    if losses:
        praise += f" Dropped: {escape('; '.join(losses))}."
    tokens = len(render(row["messages"], "chatml", tokenizer)[0]) - 1  # the last is only ever predicted
    if tokens > Config.context:
        misfit = f"It takes {tokens} tokens with its template; the course's model reads {Config.context}. Shorten it."
        return verdict_box(False, f"{misfit} {praise}") + row_html(row, target, tokenizer)
    return verdict_box(True, praise) + row_html(row, target, tokenizer)


# --- the mask ---


def mask_html(row: dict, tokenizer: Tokenizer) -> str:
    """Each token of a row in ChatML, with its place in the mask; a trained one is framed, underlined and has a 1."""
    ids, mask = render(row["messages"], "chatml", tokenizer)
    spans = "".join(token_html(tokenizer.decode([number]), one) for number, one in zip(ids, mask, strict=True))
    left_out = sum(turn.get("weight") == 0 for turn in row["messages"])
    note = f" Answers that are not to be trained on: {left_out}." if left_out else ""
    style = "font-family: monospace; line-height: 2.2; overflow-wrap: anywhere; margin: 4px 0"
    return (
        f'<div style="{style}">{spans}</div><div>{sum(mask)} of {len(ids)} tokens are trained: those with a 1. '
        f"· is a space, ↵ a line break.{note}</div>"
    )


def token_html(text: str, trained: int) -> str:
    """One token; a trained one is told by its figure, its line and its frame, not by colour alone."""
    seen = escape(text.replace(" ", "·").replace("\n", "↵")) or "∅"
    style = f"border: {1 + trained}px solid {COLOURS[1] if trained else GREY}; padding: 0 3px; margin: 1px"
    return f'<span style="{style}">{f"<u>{seen}</u>" if trained else seen}<sub>{trained}</sub></span> '


# --- the widget ---


def question_of(row: dict) -> str:
    """The last question of a row, in one line."""
    return " ".join(text_of(row["messages"][-2]).split())


def search(rows: Sequence[dict], words: str) -> list[dict]:
    """The rows in which some turn holds the words, capitals or not."""
    words = " ".join(words.lower().split())
    return [row for row in rows if any(words in " ".join(text_of(one).lower().split()) for one in row["messages"])]


def dataset_browser(rows: Sequence[dict], tokenizer: Tokenizer) -> widgets.VBox:
    """Choose a kind, search, choose a row and how to see it: in a format, or as tokens with their mask; below, a row of
    your own.

    `rows` are course's rows, each with its "kind". The buttons go round: after the last row comes the first.
    """
    of_kind: dict[str, list[dict]] = {EVERY: list(rows)}
    for row in rows:
        of_kind.setdefault(row.get("kind", "no kind"), []).append(row)
    wide, style = widgets.Layout(width="95%"), {"description_width": "90px"}
    kind = widgets.Dropdown(
        options=[(visible(f"{name} ({len(group)} rows)"), name) for name, group in of_kind.items()],
        description="Kind",
        layout=wide,
        style=style,
    )
    words = widgets.Text(
        description="Search",
        placeholder="words of a question or an answer",
        continuous_update=False,
        layout=wide,
        style=style,
    )
    number = widgets.Dropdown(options=[("", 0)], description="Row", layout=wide, style=style)
    target = widgets.Dropdown(
        options=[*FORMATS, MASK], value="messages", description="Show as", layout=wide, style=style
    )
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
    status, row_view, own_view = widgets.HTML(), widgets.HTML(), widgets.HTML()
    listed: list[dict] = []  # the rows to choose from
    listing = [False]  # while the list of rows changes, none is shown

    def list_rows(_=None) -> None:
        group = of_kind[kind.value]
        matches = search(group, words.value) if words.value.strip() else group
        listed[:] = (matches or group)[:MOST_LISTED]
        listing[0] = True
        number.options = [(visible(f"{i + 1}: {question_of(row)[:70]}"), i) for i, row in enumerate(listed)]
        number.value = 0
        listing[0] = False
        holds = f" with “{words.value.strip()}”" if words.value.strip() else ""
        note = f"{len(matches):,} rows{holds} in {kind.value}."
        note += " So all of them are listed." if not matches else ""
        note += f" The first {MOST_LISTED} are listed; search for fewer." if len(listed) < len(matches or group) else ""
        status.value = f'<div role="status">{escape(note)}</div>'
        show()

    def show(_=None) -> None:
        if listing[0] or number.value is None:
            return
        row, how = listed[number.value], target.value
        title = f"Row {number.value + 1} of {len(listed)}, of kind {row.get('kind', 'no kind')}, as {how}:"
        row_view.value = f"<i>{escape(title)}</i>{row_html(row, how, tokenizer)}"
        show_own()

    def show_own(_=None) -> None:
        own_view.value = f'<div role="status">{own_row_html(own.value, target.value, tokenizer)}</div>'

    def go(steps: int) -> None:
        number.value = (number.value + steps) % len(listed)

    def copy_row(_) -> None:
        own.value = as_json(write_row(listed[number.value], "messages" if target.value == MASK else target.value)[0])

    for control in (kind, words):
        control.observe(list_rows, "value")
    for control in (number, target):
        control.observe(show, "value")
    own.observe(show_own, "value")
    back.on_click(lambda _: go(-1))
    on.on_click(lambda _: go(1))
    copy.on_click(copy_row)
    list_rows()
    return widgets.VBox([kind, words, number, target, widgets.HBox([back, on, copy]), status, row_view, own, own_view])
