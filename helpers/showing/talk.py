"""A box to talk to several models at once: type, and each answers in its own way.

A base model continues the text as a document; a tuned one is asked, in the template that it was tuned in. Core
ipywidgets only (7 and 8), every text escaped. Not here: next tokens and temperature (playground.py), verdicts
(before_and_after.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets as widgets

from helpers.learning.language_model import LanguageModel, TooLong
from helpers.showing.page import table, verbatim

LONGEST = 24  # tokens of a base model's continuation


def reply(lm: LanguageModel, text: str) -> str:
    """What a model says to a text: a tuned one answers, any other continues."""
    if not text.strip():
        return "(type something first)"
    try:
        return lm.ask(text) if lm.recipe.get("made by") == "tuning" else "… " + lm.complete(text, LONGEST).lstrip("\n")
    except TooLong as problem:
        return f"({problem})"


def replies_html(models: Mapping[str, LanguageModel], text: str) -> str:
    """A row for each model, with what it says."""
    rows = [(verbatim(name), verbatim(reply(lm, text), "b")) for name, lm in models.items()]
    return f'<div role="status">{table(("model", "says"), rows, label="replies", row_heads=True)}</div>'


def talk(models: Mapping[str, LanguageModel], text: str) -> widgets.VBox:
    """The box, with `text` in it, and what each of `models` (name -> model) says to it."""
    prompt = widgets.Text(
        value=text, description="Say", continuous_update=False, layout=widgets.Layout(width="480px", max_width="95%")
    )
    send = widgets.Button(description="Send", tooltip="Or press Enter in the box")
    replies = widgets.HTML('<div role="status"><i>Nothing is said yet: press Send.</i></div>')

    def on_send(_=None) -> None:
        replies.value = replies_html(models, prompt.value)

    prompt.observe(on_send, "value")
    send.on_click(on_send)
    row = widgets.HBox([prompt, send], layout=widgets.Layout(flex_flow="row wrap"))
    return widgets.VBox([row, replies])
