"""Instruction rows made from the facts that may be tuned on: a question, and the answer it should get."""

from __future__ import annotations

import numpy as np

from helpers.facts import World
from helpers.templates import render
from helpers.tokenizer import Tokenizer


def instruction_rows(world: World) -> list[dict]:
    """One {"instruction", "output"} row for each fact not held out and each question wording but the last, which no
    tuned model ever sees."""
    return [
        {"instruction": question, "output": fact.say("response")}
        for fact in world.facts
        if not fact.held_out
        for question in fact.ways("question")[:-1]
    ]


def sft_batches(rows: list[dict], tokenizer: Tokenizer, size: int, seed: int, template: str = "chatml"):
    """Batches for tuning: `size` rows a step, every row once before any comes again; the loss counts the answer only.

    Rows of like length share a batch, so that little is padded. The target of position i is token i + 1, so the mask
    moves one to the left along with it.
    """
    if not rows:
        raise ValueError("there are no rows to tune on")
    rendered = [
        render(
            [{"role": "user", "content": row["instruction"]}, {"role": "assistant", "content": row["output"]}],
            template,
            tokenizer,
        )
        for row in rows
    ]
    per_epoch = -(-len(rendered) // size)

    def epoch(number: int) -> list[list[int]]:
        """Row numbers of each batch: shuffled, then sorted by length within every eight batches, then shuffled."""
        rng = np.random.default_rng([seed, number])
        order = rng.permutation(len(rendered))
        groups = [
            sorted(order[i : i + 8 * size], key=lambda row: len(rendered[row][0]))
            for i in range(0, len(order), 8 * size)
        ]
        batches = [group[i : i + size] for group in groups for i in range(0, len(group), size)]
        return [batches[i] for i in rng.permutation(len(batches))]

    def batch(step: int):
        chosen = [rendered[row] for row in epoch(step // per_epoch)[step % per_epoch]]
        width = max(len(ids) for ids, _ in chosen)
        ids = np.zeros((len(chosen), width), np.int64)
        mask = np.zeros((len(chosen), width), np.float32)
        for row, (tokens, learned) in enumerate(chosen):
            ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, learned
        return ids[:, :-1], ids[:, 1:], mask[:, 1:]

    return batch
