"""The template inspector of notebook 04: a conversation as tokens, each with its kind and its place in the loss mask.

The pieces that `render` encodes are encoded here once more, one by one, so that each token still knows what it came
from. Core ipywidgets only (7 and 8), every text escaped before it is shown. Not here: what the forms are
(templates.py), training (sft.py), how text is escaped (page.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ipywidgets as widgets

from helpers.learning.language_model import LanguageModel
from helpers.showing.page import GREY, escape, table, verbatim
from helpers.text.instructions import turn
from helpers.text.templates import TEMPLATES, pieces, render
from helpers.text.tokenizer import Tokenizer

MOST_TOKENS = 400  # of a longer conversation the first so many are drawn
# What each kind of token is called and how it is drawn. Colour is never the only mark: reserved tokens stand in
# brackets, trained ones are underlined, and a 0 or 1 stands at the foot of each.
KINDS = {
    "marker": ("reserved token, not trained", "background: #E3D4EC; color: #000"),
    "prompt": ("plain text, not trained", "background: #EEEEEE; color: #000"),
    "answer": ("the answer: trained", "background: #BFE5D6; color: #000"),
    "end": ("end token: reserved, trained", "background: #FFDDA8; color: #000"),
}


@dataclass(frozen=True)
class Token:
    """A token as it is shown: its id, its text, the kind of piece it came from, and whether it is trained (0 or 1)."""

    number: int
    text: str
    kind: str
    trained: int


def conversation_of(system: str, instruction: str, answer: str) -> list[dict]:
    """One exchange; no system turn if `system` is empty."""
    before = [turn("system", system)] if system else []
    return [*before, turn("user", instruction), turn("assistant", answer)]


def tokens_of(conversation: list[dict], template: str, tokenizer: Tokenizer) -> list[Token]:
    """The tokens that `render` gives, each with its kind. Raises ValueError where `render` does."""
    tokens = []
    for kind, text in pieces(conversation, template):
        reserved = kind in ("marker", "end")
        for number in [tokenizer.special[text]] if reserved else tokenizer.encode(text):
            tokens.append(Token(number, token_text(number, tokenizer), kind, int(kind in ("answer", "end"))))
    return tokens


def tokens_of_ids(ids: Sequence[int], mask: Sequence[int], tokenizer: Tokenizer) -> list[Token]:
    """Any ids and mask as tokens: their kind is what the ids and the mask say."""
    kinds = (("prompt", "answer"), ("marker", "end"))
    return [
        Token(number, token_text(number, tokenizer), kinds[number in tokenizer.name_of][int(one)], int(one))
        for number, one in zip(ids, mask, strict=True)
    ]


def token_text(number: int, tokenizer: Tokenizer) -> str:
    """The text of one token; a part of a character, as bytes beyond ASCII may be, in hexadecimal."""
    raw = tokenizer.decode_bytes([number])
    try:
        return raw.decode("utf8")
    except UnicodeDecodeError:
        return "".join(f"\\x{byte:02x}" for byte in raw)


def visible_text(conversation: list[dict], template: str, generate: bool = False) -> str:
    """The conversation as one text in which reserved tokens stand in double brackets; for reading, not for a model."""
    return "".join(
        f"⟦{text}⟧" if kind in ("marker", "end") else text for kind, text in pieces(conversation, template, generate)
    )


def token_html(token: Token) -> str:
    """A token as a piece of HTML: spaces and line breaks made visible, all else escaped."""
    text = escape(token.text).replace(" ", "·").replace("\n", "⏎").replace("\t", "⇥") or "∅"
    text = f"⟦{text}⟧" if token.kind in ("marker", "end") else text
    text = f"<u>{text}</u>" if token.trained else text
    title = escape(f"{KINDS[token.kind][0]}; id {token.number}")
    after = "<br>" if "\n" in token.text else " "
    style = f"{KINDS[token.kind][1]}; border: 1px solid {GREY}; padding: 0 2px; white-space: pre-wrap"
    return f'<span title="{title}" style="{style}">{text}<sub>{token.trained}</sub></span>{after}'


def tokens_html(tokens: list[Token]) -> str:
    """All tokens in a row, as many as are shown."""
    rest = len(tokens) - MOST_TOKENS
    body = "".join(map(token_html, tokens[:MOST_TOKENS])) + (f" … and {rest} more tokens" if rest > 0 else "")
    style = "font-family: monospace; line-height: 2; overflow-wrap: anywhere"
    return f'<div role="log" style="{style}">{body}</div>'


def legend_html() -> str:
    """What the four kinds look like."""
    examples = (Token(0, name, kind, int(kind in ("answer", "end"))) for kind, (name, _) in KINDS.items())
    cells = "".join(token_html(token).replace("·", " ") for token in examples)
    return f"<div>{cells} · is a space, ⏎ a line break, the small figure the loss mask</div>"


def counts(conversation: list[dict], tokenizer: Tokenizer) -> dict[str, dict[str, int]]:
    """For each template: how many tokens, how many of them reserved, how many trained."""
    reserved, numbers = set(tokenizer.special.values()), {}
    for template in TEMPLATES:
        ids, mask = render(conversation, template, tokenizer)
        numbers[template] = {"tokens": len(ids), "reserved": sum(i in reserved for i in ids), "trained": sum(mask)}
    return numbers


def counts_html(conversation: list[dict], tokenizer: Tokenizer, context: int, current: str = "") -> str:
    """The counts as a table; the current template has an arrow. `context` is how many tokens the model reads."""
    rows = []
    for template, count in counts(conversation, tokenizer).items():
        name = f"→ {template}" if template == current else template
        # A training row may have one token more than the context: the last is only ever a target.
        fits = "yes" if count["tokens"] <= context + 1 else f"no: {context} at most"
        part = f"{count['trained'] / count['tokens']:.0%}"
        rows.append([name, *map(str, count.values()), part, fits])
    head = ("template", "tokens", "reserved", "trained", "part trained", "fits")
    return table(head, rows, label="counts in all templates", numbers=range(1, 5), row_heads=True)


def reply_html(lm: LanguageModel, system: str, instruction: str, template: str) -> str:
    """What the model really answers in a template; a question that does not fit is told in words."""
    try:
        answer = lm.ask(instruction, system or None, template)
    except ValueError as problem:
        return f"<b>Not asked:</b> {escape(problem)}"
    words = verbatim(answer or "(nothing: it ended its turn at once)", "b")
    return f"The model (tuned in {escape(lm.template)}), asked in {escape(template)}: {words}"


def template_inspector(lm: LanguageModel) -> widgets.VBox:
    """Type a conversation, choose a template: its tokens by kind, the mask, counts in all templates.

    A button puts the question to the model in the chosen template, without the typed answer.
    """
    wide = widgets.Layout(width="95%")
    system_box = widgets.Text(value="Be concise.", description="System", continuous_update=False, layout=wide)
    question_box = widgets.Textarea(
        value="What is the capital of France?",
        description="Instruction",
        continuous_update=False,
        layout=widgets.Layout(width="95%", height="70px"),
    )
    answer_box = widgets.Text(
        value="The capital of France is Paris.", description="Answer", continuous_update=False, layout=wide
    )
    template = widgets.Dropdown(options=list(TEMPLATES), description="Template", layout=wide)
    ask = widgets.Button(description="Ask the model", tooltip="Put the question to the model in this template")
    legend = widgets.HTML(legend_html())
    drawing, status, totals, reply = widgets.HTML(), widgets.HTML(), widgets.HTML(), widgets.HTML()

    def show(_=None) -> None:
        talk = conversation_of(system_box.value, question_box.value, answer_box.value)
        tokens = tokens_of(talk, template.value, lm.tokenizer)
        trained = sum(token.trained for token in tokens)
        drawing.value = tokens_html(tokens)
        status.value = f"<i>{template.value}: {len(tokens)} tokens, {trained} of them trained.</i>"
        totals.value = counts_html(talk, lm.tokenizer, lm.transformer.config.context, template.value)
        reply.value = "<i>The model has not been asked.</i>"

    def on_ask(_) -> None:
        reply.value = reply_html(lm, system_box.value, question_box.value, template.value)

    for control in (system_box, question_box, answer_box, template):
        control.observe(show, "value")
    ask.on_click(on_ask)
    show()
    return widgets.VBox([system_box, question_box, answer_box, template, ask, reply, legend, drawing, status, totals])
