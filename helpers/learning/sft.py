"""Supervised fine-tuning: next-token prediction on conversations, with the loss counted on the answers only.

    rows -> render -> ids and mask -> batches of like length -> train

`loss_on` chooses the lesson: "response" is right, "everything" also trains on the questions, "off by one" is the
article's loop, which never trains the first token of an answer.

Not here: what a row may hold (instructions.py, datasets.py), how good the tuned model is (evaluation.py).
Source: Ouyang et al. 2022; the masked loss is written out by hand in notebook 03.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np

from helpers.language_model import LanguageModel
from helpers.lora import Lora, LoraShape
from helpers.model import Parameters, Transformer
from helpers.templates import render
from helpers.tokenizer import Tokenizer
from helpers.training import Batch, Recipe, train

LOSSES = ("response", "everything", "off by one")
TOO_LONG = ("truncate", "leave out")


@dataclass(frozen=True)
class Example:
    """A row ready for training: ids; `mask`, 1 where the token is the answer's; `content`, 1 where it is the fact's."""

    ids: list[int]
    mask: list[int]
    content: list[int]


def examples(
    rows: list[dict], tokenizer: Tokenizer, context: int, *, template: str = "chatml", too_long: str = "truncate"
) -> list[Example]:
    """Render every row. One that is longer than `context` + 1 tokens is cut so that its answer still ends in the end
    token, or left out; one whose answer would be gone is left out in any case. Both are reported, as a warning."""
    if too_long not in TOO_LONG:
        raise ValueError(f"too_long is {too_long!r}; known are {', '.join(TOO_LONG)}")
    if not rows:
        raise ValueError("the dataset is empty: there are no rows to tune on")
    made, cut, gone = [], [], []
    for number, row in enumerate(rows):
        ids, mask = render(row["messages"], template, tokenizer)
        if not any(mask):
            gone.append(number)
            continue
        if len(ids) > context + 1:  # the last token is only ever a target, so one more than the context fits
            end = ids[len(mask) - 1 - mask[::-1].index(1)]
            ids, mask = [*ids[:context], end], [*mask[:context], 1]
            if too_long == "leave out" or sum(mask) < 2:
                gone.append(number)
                continue
            cut.append(number)
        made.append(Example(ids, mask, content_mask(ids, mask, row.get("answer"), tokenizer)))
    for numbers, what in ((cut, f"cut to {context + 1} tokens, their end token kept"), (gone, "left out")):
        if numbers:
            shown = ", ".join(map(str, numbers[:5])) + (" ..." if len(numbers) > 5 else "")
            warnings.warn(f"{len(numbers)} of {len(rows)} rows were {what}: rows {shown} (from 0)", stacklevel=3)
    if not made:
        raise ValueError(
            f"none of the {len(rows)} rows has an answer that fits {context + 1} tokens; shorten them, or see that "
            "each conversation holds an assistant's turn"
        )
    return made


def content_mask(ids: list[int], mask: list[int], answer: str | None, tokenizer: Tokenizer) -> list[int]:
    """1 for each token of the row's last answer that carries `answer`, the fact itself; all 0 when it is not named."""
    content = [0] * len(ids)
    learned = [i for i, one in enumerate(mask) if one]
    texts = [tokenizer.decode_bytes([ids[i]]) for i in learned]
    at = b"".join(texts).rfind(answer.encode()) if answer else -1
    if at >= 0:
        ends = np.cumsum([len(text) for text in texts])
        for i, text, end in zip(learned, texts, ends, strict=True):
            content[i] = int(end > at and end - len(text) < at + len(answer.encode()))
    return content


class Batches:
    """`size` examples a step, every one once before any comes again; rows of like length share a batch, so that little
    is padded. Called with a step it gives ids, targets and weights (B, T); `parts` names its format and content."""

    def __init__(self, made: list[Example], size: int, seed: int, loss_on: str = "response"):
        if loss_on not in LOSSES:
            raise ValueError(f"loss_on is {loss_on!r}; known are {', '.join(LOSSES)}")
        self.made, self.size, self.seed, self.loss_on = made, size, seed, loss_on
        self.per_epoch = -(-len(made) // size)
        self.epoch, self.order = -1, []

    def chosen(self, step: int) -> list[Example]:
        """The examples of a step: shuffled, sorted by length within every eight batches, and the batches shuffled."""
        epoch, number = divmod(step, self.per_epoch)
        if epoch != self.epoch:
            rng = np.random.default_rng([self.seed, epoch])
            order, width = rng.permutation(len(self.made)), 8 * self.size
            groups = [
                sorted(order[i : i + width], key=lambda row: len(self.made[row].ids))
                for i in range(0, len(order), width)
            ]
            batches = [group[i : i + self.size] for group in groups for i in range(0, len(group), self.size)]
            self.epoch, self.order = epoch, [batches[i] for i in rng.permutation(len(batches))]
        return [self.made[row] for row in self.order[number]]

    def __call__(self, step: int) -> Batch:
        chosen = self.chosen(step)
        ids = padded([example.ids for example in chosen])  # (B, T + 1)
        return ids[:, :-1], ids[:, 1:], self.weights(chosen)

    def weights(self, chosen: list[Example]) -> np.ndarray:
        """What counts, (B, T). The target of position i is token i + 1, so the mask moves one to the left with it."""
        if self.loss_on == "everything":
            return padded([[1] * len(example.ids) for example in chosen]).astype(np.float32)[:, 1:]
        mask = padded([example.mask for example in chosen]).astype(np.float32)
        if self.loss_on == "off by one":  # position i counts if token i is the answer's: its first token never does
            return mask[:, 1:] * mask[:, :-1]
        return mask[:, 1:]

    def parts(self, step: int) -> dict[str, np.ndarray]:
        """Masks (B, T) of the answers' tokens: those that carry a fact, and the others."""
        chosen = self.chosen(step)
        content = padded([example.content for example in chosen])[:, 1:] == 1
        counted = self.weights(chosen) > 0
        answer = padded([example.mask for example in chosen])[:, 1:] == 1
        return {"format loss": counted & answer & ~content, "content loss": counted & content}


def padded(rows: list[list[int]]) -> np.ndarray:
    """Rows of unlike length as one array (B, width), zeros behind the short ones."""
    array = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for number, row in enumerate(rows):
        array[number, : len(row)] = row
    return array


def copy_of(lm: LanguageModel) -> LanguageModel:
    """The same model with parameters of its own."""
    parameters = lm.transformer.parameters
    model = Transformer(Parameters(parameters.config, parameters.flat.copy()))
    return LanguageModel(lm.tokenizer, model, dict(lm.recipe), lm.template)


def fine_tune(
    lm: LanguageModel,
    rows: list[dict],
    recipe: Recipe,
    *,
    template: str = "chatml",
    too_long: str = "truncate",
    **how,
) -> tuple[LanguageModel, list[dict]]:
    """A copy of `lm` taught to answer as `rows` do in a template, and the log; `lm` stays as it is.

    `too_long` says what becomes of a row that does not fit the context: "truncate" or "leave out". `how` goes to
    `tune_examples`.
    """
    context = lm.transformer.config.context
    made = examples(rows, lm.tokenizer, context, template=template, too_long=too_long)
    tuned, log = tune_examples(lm, made, recipe, template=template, **how)
    tuned.recipe["template"] = template
    return tuned, log


def tune_examples(
    lm: LanguageModel,
    made: list[Example],
    recipe: Recipe,
    *,
    epochs: float | None = None,
    size: int = 32,
    template: str = "chatml",
    loss_on: str = "response",
    lora: LoraShape | None = None,
    watch: Callable[[LanguageModel], dict] | None = None,
    watch_at: tuple[int, ...] = (),
    on_step: Callable[[LanguageModel, dict], bool | None] | None = None,
    **how,
) -> tuple[LanguageModel, list[dict]]:
    """A copy of `lm` trained on examples, and the log.

    `size` examples a step. With `lora`, low-rank corrections are learned in place of the matrices. `epochs`, when
    given, decides the steps in the recipe's place. The log has a record a step, as `train` makes it, with the loss on
    format and on content tokens apart; `watch(model)` adds figures of its own after the steps in `watch_at` (counted
    from 1). `on_step(model, record)` may return True to stop: the model is then what it had become. `how` goes to
    `train`.
    """
    tuned = copy_of(lm)
    tuned.template = template
    batches = Batches(made, size, recipe.seed, loss_on)
    if epochs is not None:
        recipe = replace(recipe, steps=max(1, math.ceil(epochs * batches.per_epoch)))

    def after(record: dict) -> bool | None:
        if watch is not None and record["step"] + 1 in watch_at:
            record.update(watch(tuned))
        return on_step(tuned, record) if on_step is not None else None

    adapters = Lora(tuned.transformer.parameters, lora, recipe.seed) if lora is not None else None
    log = train(tuned.transformer, batches, recipe, parts=batches.parts, on_step=after, lora=adapters, **how)
    tuned.recipe = {"made by": "tuning", **asdict(recipe), "rows": size, "examples": len(made), "loss on": loss_on}
    if lora is not None:
        tuned.recipe["lora"] = asdict(lora)
    return tuned, log
