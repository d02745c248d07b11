"""The playground: a prompt, the likeliest next tokens, and buttons that write one token or many.

Core ipywidgets only (7 and 8), every text escaped before it is shown. Not here: what a model gives the next token
(evaluation.py), questions to a tuned model (before_and_after.py).
"""

from __future__ import annotations

import ipywidgets as widgets

from helpers.judging.evaluation import next_tokens
from helpers.learning.language_model import LanguageModel
from helpers.showing.page import COLOURS, table, verbatim

INK = "background: #FFF3C4; color: #000"  # of what the model wrote


def bars_html(rows: list[tuple[str, float]]) -> str:
    """A table of tokens with a bar each; the number stands beside the bar, so colour and length are not needed."""
    cells = []
    for token, chance in rows:
        bar = f'<div style="height: 1em; background: {COLOURS[0]}; width: {100 * chance:.1f}%"></div>'
        cells.append((verbatim(repr(token)), f'<div style="width: 20em">{bar}</div>', f"{100 * chance:.1f}%"))
    return table(("next token", "", "chance"), cells, label="likeliest next tokens", numbers=(0, 2))


def playground(lm: LanguageModel, prompts: list[str]) -> widgets.VBox:
    """A prompt, the model's likeliest next tokens as bars, and buttons that write one token or many.

    What the learner typed and what the model wrote stand side by side in different ink. Only the last tokens of a very
    long prompt are read, as many as the model's context holds; the status line says so.
    """
    wide = widgets.Layout(width="95%")
    example = widgets.Dropdown(
        options=[(prompt.replace("\n", " ⏎ ")[:70], prompt) for prompt in prompts], description="Example", layout=wide
    )
    prompt = widgets.Textarea(
        value=prompts[0],
        description="Prompt",
        layout=widgets.Layout(width="95%", height="90px"),
        continuous_update=False,
    )
    temperature = widgets.FloatSlider(
        value=0.0,
        min=0.0,
        max=1.5,
        step=0.1,
        description="Temperature",
        style={"description_width": "initial"},
        continuous_update=False,
    )
    one, many, again = (
        widgets.Button(description=text, tooltip=why)
        for text, why in (
            ("One token", "Write the next token"),
            ("20 tokens", "Write up to twenty tokens"),
            ("Start again", "Forget what the model wrote"),
        )
    )
    text, bars, status = widgets.HTML(), widgets.HTML(), widgets.HTML()
    state = {"new": [], "ended": False, "draws": 0}  # "new": the ids that the model wrote

    def show() -> None:
        ids, new = lm.document_ids(prompt.value) + state["new"], lm.tokenizer.decode(state["new"])
        text.value = f'<div role="log" style="line-height: 1.5">{verbatim(prompt.value)}{verbatim(new, "b", INK)}</div>'
        bars.value = bars_html(next_tokens(lm, ids))
        context = lm.transformer.config.context
        notes = [f"{len(ids)} tokens, the one that begins a document included"]
        if len(ids) > context:
            notes.append(f"the model reads only the last {context}")
        if state["ended"]:
            notes.append("the model has ended its document")
        status.value = f"<i>{'; '.join(notes)}.</i>"

    def write(count: int) -> None:
        if not state["ended"]:
            ids = lm.document_ids(prompt.value) + state["new"]
            state["draws"] += 1  # never reset, so that "Start again" draws something else
            new = lm.continue_ids([ids], count, temperature=temperature.value, seed=state["draws"])[0]
            state["ended"] = len(new) < count
            state["new"] += new
        show()

    def reset(_=None) -> None:
        state.update(new=[], ended=False)
        show()

    def choose(change) -> None:
        if prompt.value == change["new"]:
            reset()
        else:
            prompt.value = change["new"]

    example.observe(choose, "value")
    prompt.observe(reset, "value")
    one.on_click(lambda _: write(1))
    many.on_click(lambda _: write(20))
    again.on_click(reset)
    show()
    return widgets.VBox([example, prompt, temperature, widgets.HBox([one, many, again]), text, status, bars])
