"""The playground: one prompt, two models side by side, what each expects next, and buttons that let both write.

The base model continues the prompt as a document; the tuned one reads it as a chat turn, or as a document too. Core
ipywidgets only (7 and 8), every text escaped before it is shown. Not here: questions with scores (before_and_after.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np

from helpers.learning.language_model import LanguageModel
from helpers.learning.layers import softmax
from helpers.showing.page import COLOURS, escape, table, verbatim
from helpers.text.templates import render

INK = "background: #FFF3C4; color: #000"  # of what the model wrote
WAYS = ("a chat turn", "a document, as the base model does")  # how the tuned model reads the prompt
SHOWN = 6  # tokens


def expected(lm: LanguageModel, ids: list[int], temperature: float, count: int = SHOWN) -> list[tuple]:
    """The likeliest next tokens after ids (the last that fit the context): (token, how often it is drawn at this
    temperature, the model's own probability). At temperature 0 the likeliest is always taken."""
    scores = lm.logits([ids[-lm.transformer.config.context :]])[0, -1].astype(np.float64)
    chances, best = softmax(scores.copy()), np.argsort(-scores, kind="stable")[:count]  # softmax works in place
    drawn = softmax(scores / temperature) if temperature else np.arange(len(scores)) == best[0]
    return [(lm.tokenizer.decode([token]), float(drawn[token]), float(chances[token])) for token in best]


def bars_html(rows: Sequence[tuple], label: str = "likeliest next tokens") -> str:
    """A table of tokens; bar and first number say how often a token is drawn, the last number what the model finds."""
    cells = []
    for token, drawn, chance in rows:
        bar = f'<div style="height: 1em; background: {COLOURS[0]}; width: {100 * drawn:.1f}%"></div>'
        cells.append(
            (
                verbatim(repr(token)),
                f'<div style="width: 7em">{bar}</div>',
                f"{100 * drawn:.1f}%",
                f"{100 * chance:.1f}%",
            )
        )
    return table(("next token", "", "drawn", "model"), cells, label=label, numbers=(0, 2, 3))


class Writer:
    """One model's column: what it reads, what it wrote, what it expects."""

    def __init__(self, name: str, lm: LanguageModel):
        self.name, self.lm = name, lm
        self.new, self.ended = [], False  # ids that it wrote; has it ended its text?
        self.view = widgets.HTML(layout=widgets.Layout(min_width="260px", flex="1 1 45%"))

    def ids(self, prompt: str, chat: bool) -> list[int]:
        if chat:
            talk = [{"role": "user", "content": prompt}]
            return render(talk, self.lm.template, self.lm.tokenizer, generate=True)[0] + self.new
        return self.lm.document_ids(prompt) + self.new

    def write(self, prompt: str, chat: bool, count: int, temperature: float, seed: int) -> None:
        if not self.ended:
            new = self.lm.continue_ids([self.ids(prompt, chat)], count, temperature=temperature, seed=seed)[0]
            self.ended = len(new) < count
            self.new += new

    def reset(self) -> None:
        self.new, self.ended = [], False

    def show(self, prompt: str, chat: bool, temperature: float) -> str:
        """Draw the column anew; -> a note for the status line."""
        ids = self.ids(prompt, chat)
        before = "" if chat else verbatim(prompt)
        text = f"{before}{verbatim(self.lm.tokenizer.decode(self.new), 'b', INK)}"
        self.view.value = (
            f"<div>{escape(self.name)}, reading {WAYS[0] if chat else 'a document'}:</div>"
            f'<div role="log" style="line-height: 1.5; min-height: 4.5em">{text}</div>'
            f"{bars_html(expected(self.lm, ids, temperature), f'likeliest next tokens of {self.name}')}"
        )
        context = self.lm.transformer.config.context
        more = "its template's included" if chat else "the one that begins a document included"
        notes = [f"{self.name}: {len(ids)} tokens, {more}"]
        if len(ids) > context:
            notes.append(f"the model reads only the last {context}")
        if self.ended:
            notes.append("the model has ended its text")
        return ", ".join(notes)


def playground(base: LanguageModel, tuned: LanguageModel, prompts: list[str]) -> widgets.VBox:
    """A prompt for both models, their likeliest next tokens at the chosen temperature, and buttons that let them write.

    What the learner typed and what a model wrote stand in different ink. Only the last tokens of a very long prompt are
    read, as many as the model's context holds; the status line says so.
    """
    wide, style = widgets.Layout(width="95%"), {"description_width": "8em"}
    example = widgets.Dropdown(
        options=[(prompt.replace("\n", " ⏎ ")[:70], prompt) for prompt in prompts],
        description="Example", layout=wide, style=style,
    )  # fmt: skip
    prompt = widgets.Textarea(
        value=prompts[0],
        description="Prompt",
        layout=widgets.Layout(width="95%", height="90px"),
        continuous_update=False,
        style=style,
    )
    way = widgets.Dropdown(options=WAYS, description="Tuned reads", layout=wide, style=style)
    temperature = widgets.FloatSlider(
        value=0.0, min=0.0, max=1.5, step=0.1, description="Temperature", continuous_update=False, style=style
    )
    one, many, again = (
        widgets.Button(description=text, tooltip=why)
        for text, why in (
            ("One token", "Let both models write their next token"),
            ("20 tokens", "Let both models write up to twenty tokens"),
            ("Start again", "Forget what the models wrote"),
        )
    )
    writers, status = (Writer("base", base), Writer("tuned", tuned)), widgets.HTML()
    draws = [0]  # never reset, so that "Start again" draws something else

    def chats() -> list[tuple[Writer, bool]]:
        return list(zip(writers, (False, way.value == WAYS[0]), strict=True))

    def show(_=None) -> None:
        notes = [writer.show(prompt.value, chat, temperature.value) for writer, chat in chats()]
        status.value = f'<div role="status"><i>{escape("; ".join(notes))}.</i></div>'

    def write(count: int) -> None:
        draws[0] += 1
        for writer, chat in chats():
            writer.write(prompt.value, chat, count, temperature.value, draws[0])
        show()

    def reset(_=None) -> None:
        for writer in writers:
            writer.reset()
        show()

    def choose(change) -> None:
        if prompt.value == change["new"]:
            reset()
        else:
            prompt.value = change["new"]

    example.observe(choose, "value")
    prompt.observe(reset, "value")
    way.observe(reset, "value")
    temperature.observe(show, "value")
    one.on_click(lambda _: write(1))
    many.on_click(lambda _: write(20))
    again.on_click(reset)
    show()
    columns = widgets.HBox([writer.view for writer in writers], layout=widgets.Layout(flex_flow="row wrap"))
    return widgets.VBox([example, prompt, way, temperature, widgets.HBox([one, many, again]), status, columns])
