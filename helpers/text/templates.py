"""Chat templates: a conversation becomes token ids and, in the same stroke, the loss mask.

A template cuts a conversation into pieces, and `render`, the only way to make ids or mask, encodes each piece apart:
markers as reserved ids, text as text. So ids and mask cannot disagree, no merge crosses from prompt into answer, and
a user who types "<|im_end|>" types ten ordinary characters. (What is plain text in a template, such as Alpaca's
"### Response:", any user can type: only reserved ids are safe.)

Forms as their owners define them: OpenAI's ChatML; Meta's generation.py of Llama 2 and chat format of Llama 3; Stanford
Alpaca's train.py. The same forms as jinja templates, for the standard library and with its mask, lie in data/templates.
"""

from __future__ import annotations

from collections.abc import Iterator

from helpers.text.shapes import WEIGHTS, weight_of
from helpers.text.tokenizer import Tokenizer

ROLES = ("system", "user", "assistant")
Piece = tuple[str, str]  # ("marker" | "prompt" | "answer" | "end", text); markers and ends are reserved tokens


def chatml(turns: list[dict], generate: bool) -> Iterator[Piece]:
    """<|im_start|>role, a line break, the text, <|im_end|>, a line break; every role alike."""
    for turn in turns:
        yield from (("marker", "<|im_start|>"), ("prompt", f"{turn['role']}\n"))
        if turn["role"] == "assistant":
            yield from (("answer", turn["content"]), ("end", "<|im_end|>"))
        else:
            yield from (("prompt", text_of(turn)), ("marker", "<|im_end|>"))
        yield ("prompt", "\n")
    if generate:
        yield from (("marker", "<|im_start|>"), ("prompt", "assistant\n"))


def llama2(turns: list[dict], generate: bool) -> Iterator[Piece]:
    """<s>[INST] question [/INST] answer </s>; a system prompt stands inside the first [INST]. Texts are stripped."""
    before = ""
    for turn in turns:
        if turn["role"] == "system":
            before = f"<<SYS>>\n{turn['content']}\n<</SYS>>\n\n"
        elif turn["role"] == "user":
            yield from (("marker", "<s>"), ("prompt", f"[INST] {(before + text_of(turn)).strip()} [/INST]"))
            before = ""
        else:
            yield from (("answer", f" {turn['content'].strip()} "), ("end", "</s>"))


def llama3(turns: list[dict], generate: bool) -> Iterator[Piece]:
    """A header of reserved tokens names the role, <|eot_id|> ends each turn; texts are stripped."""
    yield ("marker", "<|begin_of_text|>")
    for turn in [*turns, *([{"role": "assistant"}] if generate else [])]:
        yield from (("marker", "<|start_header_id|>"), ("prompt", turn["role"]), ("marker", "<|end_header_id|>"))
        yield ("prompt", "\n\n")
        if "content" not in turn:
            return
        if turn["role"] == "assistant":
            yield from (("answer", turn["content"].strip()), ("end", "<|eot_id|>"))
        else:
            yield from (("prompt", text_of(turn).strip()), ("marker", "<|eot_id|>"))


BELOW = "Below is an instruction that describes a task"
COMPLETE = "Write a response that appropriately completes the request."
PREAMBLE = f"{BELOW}. {COMPLETE}"
PREAMBLE_WITH_INPUT = f"{BELOW}, paired with an input that provides further context. {COMPLETE}"
SECTIONS = "### Instruction:\n### Input:\n### Response:"
TEMPLATE_WORDS = (PREAMBLE, PREAMBLE_WITH_INPUT, SECTIONS, "[INST] <<SYS>>\n<</SYS>> [/INST]", *ROLES)


def alpaca(turns: list[dict], generate: bool) -> Iterator[Piece]:
    """Preamble, then sections of plain text. Alpaca knows one question and no system prompt: that a system prompt
    takes the preamble's place, and that later turns repeat the sections, is what others made of it (FastChat)."""
    yield ("marker", "<s>")
    system = [turn["content"] for turn in turns if turn["role"] == "system"]
    for number, turn in enumerate(turn for turn in turns if turn["role"] != "system"):
        if turn["role"] == "user":
            preamble = PREAMBLE_WITH_INPUT if turn.get("input") else PREAMBLE
            text = "\n\n" if number else f"{system[0] if system else preamble}\n\n"
            text += f"### Instruction:\n{turn['content']}\n\n"
            text += f"### Input:\n{turn['input']}\n\n" if turn.get("input") else ""
            yield ("prompt", text + "### Response:")
        else:
            yield from (("answer", turn["content"]), ("end", "</s>"))


TEMPLATES = {"chatml": chatml, "llama2": llama2, "llama3": llama3, "alpaca": alpaca}
STRICT = ("llama2", "alpaca")  # a system prompt at most, then user and assistant in turn, beginning with the user
FREE = tuple(name for name in TEMPLATES if name not in STRICT)  # any roles in any order
ENDS = ("<|im_end|>", "</s>", "<|eot_id|>")  # what ends a turn, in one template or another


def text_of(turn: dict) -> str:
    """A turn's text, with the `input` that Alpaca keeps apart below it."""
    return turn["content"] + (f"\n\n{turn['input']}" if turn.get("input") else "")


def render(
    conversation: list[dict], template: str, tokenizer: Tokenizer, *, generate: bool = False
) -> tuple[list[int], list[int]]:
    """-> ids and mask, equally long. mask[i] is 1 where token i is the assistant's: its words and its end token.

    `conversation` is a list of {"role": "system" | "user" | "assistant", "content": text}; a user's turn may have an
    "input" too, and an answer that is not to be trained on has "weight": 0, and mask 0. With `generate` the assistant's
    turn is opened at the end and left to the model. Raises ValueError for an unknown template, no turn or a bad one, or
    an order of turns that the template has no form for.
    """
    ids: list[int] = []
    mask: list[int] = []
    for kind, text in pieces(conversation, template, generate):
        new = [tokenizer.special[text]] if kind in ("marker", "end") else tokenizer.encode(text)
        ids += new
        mask += [int(kind in ("answer", "end"))] * len(new)
    return ids, mask


def pieces(conversation: list[dict], template: str, generate: bool = False) -> list[Piece]:
    """The conversation, checked and cut into pieces. Raises ValueError as `render` does."""
    if template not in TEMPLATES:
        raise ValueError(f"unknown template {template!r}; known are {', '.join(TEMPLATES)}")
    for number, turn in enumerate(conversation):
        if (
            turn.get("role") not in ROLES
            or not isinstance(turn.get("content"), str)
            or not isinstance(turn.get("input", ""), str)
        ):
            raise ValueError(
                f"turn {number} of the conversation: needs a role among {', '.join(ROLES)} and a text as "
                f"content, got {turn!r}"
            )
    if not conversation:
        raise ValueError("the conversation is empty; it needs a user's turn at least")
    roles = [turn["role"] for turn in conversation]
    talk = roles[1:] if roles[:1] == ["system"] else roles
    if template in STRICT and not talk:
        raise ValueError(
            f"template {template!r} has a form for a system prompt only before a user's turn; add one, or use "
            f"{' or '.join(FREE)}"
        )
    if template in STRICT and talk != ["user", "assistant"] * (len(talk) // 2) + ["user"] * (len(talk) % 2):
        raise ValueError(
            f"template {template!r} has a form only for user and assistant in turn, after one system prompt at most; "
            f"this conversation has {', '.join(roles)}. Reorder it, or use {' or '.join(FREE)}"
        )
    if generate and template in STRICT and talk[-1:] != ["user"]:
        raise ValueError(f"template {template!r} can be answered only after a user's turn; add one")
    cut = list(TEMPLATES[template](conversation, generate))
    weighted = any(key in turn for turn in conversation for key in WEIGHTS)
    return without_training(cut, conversation) if weighted else cut


def without_training(cut: list[Piece], conversation: list[dict]) -> list[Piece]:
    """The pieces, with those of answers of weight 0 as what they are to the training: a part of the prompt."""
    weights = [weight_of(turn) for turn in conversation if turn["role"] == "assistant"]
    number, new = 0, []
    for kind, text in cut:
        if kind in ("answer", "end") and weights[number] == 0:
            new.append(("prompt" if kind == "answer" else "marker", text))
        else:
            new.append((kind, text))
        number += kind == "end"
    return new
