"""How a training step works, drawn for notebook 03: shift and mask, a padded batch, the circle of a step, two logs.

Not here: what trainings come to (sft_training.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from IPython.display import HTML

from helpers.showing.diagrams import WIDTH, Drawing
from helpers.showing.page import escape, table
from helpers.text.tokenizer import Tokenizer

CLOSE = 1e-4  # nats: how near two losses must be to be called the same; float32 adds in another order
NAMES = {"<|im_start|>": "start", "<|im_end|>": "end", "assistant": "assist.", "\n": "⏎"}


def short(tokenizer: Tokenizer, ids: Sequence[int]) -> list[str]:
    """Tokens as a drawing can hold them; a space before a word is a dot."""
    texts = [tokenizer.decode([token]) for token in ids]
    return [NAMES.get(text, text.replace(" ", "·"))[:7] for text in texts]


def shift_and_mask(tokenizer: Tokenizer, ids: Sequence[int], mask: Sequence[int], shown: int = 7) -> Drawing:
    """The last tokens of a conversation, what each should predict, and whether that counts."""
    ids, mask = list(ids)[-shown - 1 :], list(mask)[-shown - 1 :]
    label = (
        f"{shown} input tokens in a row; below each the token after it, which it should predict; "
        f"{sum(mask[1:])} of these count"
    )
    drawing = Drawing(WIDTH, 210, label)
    width = (WIDTH - 10) / shown
    drawing.text(5, 18, "the model reads", "start", bold=True)
    places = drawing.tokens(5, 28, short(tokenizer, ids[:-1]), width=width)
    for x in places:
        drawing.arrow(x, 54, x, 104)
    drawing.tokens(5, 106, short(tokenizer, ids[1:]), mask[1:], width=width)
    drawing.text(5, 176, "above: what each place should predict (the next token)", "start")
    drawing.text(5, 198, "below it, in figures: its weight. Filled cells count.", "start")
    return drawing


def batch_picture(inputs: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> Drawing:
    """A batch as the step sees it, a line a row: what does not count, what does (filled), padding (dashed)."""
    rows, places = weights.shape
    padding = (targets == 0) & (weights == 0)
    counted, empty = int((weights > 0).sum()), int(padding.sum())
    label = (
        f"{rows} rows of {places} positions: {counted} count in the loss, {empty} are padding, the others are question "
        "and form"
    )
    drawing, size = Drawing(WIDTH, rows * 15 + 56, label), (WIDTH - 10) / places
    for row in range(rows):
        sort = np.where(padding[row], 2, weights[row] > 0)  # 0 plain, 1 counts, 2 padding
        ends = [*(np.flatnonzero(np.diff(sort)) + 1), places]
        for start, end in zip([0, *ends], ends, strict=False):
            fill, dashed = ("second" if sort[start] == 1 else "plain"), bool(sort[start] == 2)
            drawing.box(round(5 + start * size, 1), 5 + 15 * row, round((end - start) * size, 1), 12, fill=fill,
                        dashed=dashed)  # fmt: skip
    foot = rows * 15 + 24
    drawing.text(5, foot, f"filled: answers, weight 1 ({counted} positions)", "start")
    drawing.text(5, foot + 20, f"plain: question and form, weight 0 · dashed: padding ({empty})", "start")
    return drawing


def step_circle() -> Drawing:
    """The eight stations of a step, and back to the first. Who has not yet written anything sees it too."""
    task = "you write it"
    label = (
        "a step: rows become a batch; the model gives logits; the loss gives a gradient at the logits; the model's "
        "backward pass gives that of each parameter; AdamW clips it and moves the parameters; then the next rows. "
        "You write make_batch, masked_loss and adamw_move"
    )
    drawing = Drawing(WIDTH, 226, label)
    top = (("16 rows", "ids, mask"), ("make_batch", task), ("forward", "the model's"), ("masked_loss", task))
    below = (
        ("next rows", "step + 1"),
        ("adamw_move", task),
        ("slope", "per parameter"),
        ("backward", "the model's"),
    )
    for y, stations in ((4, top), (144, below)):
        for number, (name, more) in enumerate(stations):
            fill = "second" if more == task else "plain"
            drawing.box(5 + number * 141, y, 123, 62, name, more, fill=fill)
    for number in range(3):
        left, right = 128 + number * 141, 146 + number * 141
        drawing.arrow(left, 35, right, 35)
        drawing.arrow(right, 175, left, 175)
    drawing.arrow(487, 66, 487, 142)
    drawing.text(478, 110, "slopes at the logits", "end")
    drawing.arrow(64, 144, 64, 68)
    return drawing


def pushes(tokenizer: Tokenizer, slope: np.ndarray, count: int = 3) -> HTML:
    """Which tokens a step pushes up and which down at one position (slope (V,): a falling loss goes against it)."""
    order = np.argsort(slope)
    chosen = [order[0], *order[::-1][:count]]
    rows = [(escape(repr(tokenizer.decode([int(token)]))), "up" if slope[token] < 0 else "down", f"{slope[token]:+.5f}")
            for token in chosen]  # fmt: skip
    return HTML(table(("token", "the step pushes its logit", "slope"), rows, label="what a step pushes", numbers=(2,)))


def two_logs(mine: Sequence[dict], course: Sequence[dict]) -> HTML:
    """Loss and length of the gradient by both trainings, and the largest difference anywhere."""
    steps = sorted({1, 2, 3, len(mine) // 2, len(mine)} - {0})
    rows = [(str(step), *(f"{log[step - 1][name]:.6f}" for name in ("loss", "norm") for log in (mine, course)))
            for step in steps]  # fmt: skip
    gap = max(abs(one["loss"] - other["loss"]) for one, other in zip(mine, course, strict=True))
    verdict = "They are the same training." if gap < CLOSE else "They are NOT the same training."
    head = ("step", "loss: this step", "loss: fine_tune", "length: this step", "length: fine_tune")
    words = f"Largest difference of any loss in {len(mine)} steps: {gap:.1e} nats. {verdict}"
    return HTML(table(head, rows, label="two trainings", numbers=(1, 2, 3, 4)) + f"<p><b>{escape(words)}</b></p>")


def answers(questions: Sequence[str], models: dict) -> HTML:
    """What each model answers to each question."""
    rows = [(escape(question), *(escape(lm.ask(question)) or "<i>(nothing)</i>" for lm in models.values()))
            for question in questions]  # fmt: skip
    return HTML(table(("question", *models), rows, label="answers"))
