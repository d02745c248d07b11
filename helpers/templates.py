"""Chat templates: a conversation becomes token ids and, in the same stroke, the loss mask.

`render` is the only way to make either, so they cannot disagree. Each piece of the conversation is encoded apart:
text as text, markers as reserved ids, so no merge crosses from prompt into answer, and a user who types "<|im_end|>"
types ten ordinary characters.
"""

from __future__ import annotations

from helpers.tokenizer import Tokenizer

ROLES = ("system", "user", "assistant")


def chatml(role: str, content: str) -> list[tuple[str, str]]:
    """One turn as ("special" | "prompt" | "answer", text) pieces, as OpenAI's ChatML defines it."""
    part = "answer" if role == "assistant" else "prompt"
    return [
        ("special", "<|im_start|>"),
        ("prompt", f"{role}\n"),
        (part, content),
        ("end", "<|im_end|>"),
        ("prompt", "\n"),
    ]


TEMPLATES = {"chatml": chatml}


def render(
    conversation: list[dict], template: str, tokenizer: Tokenizer, *, generate: bool = False
) -> tuple[list[int], list[int]]:
    """-> ids and mask, equally long. mask[i] is 1 where token i is the assistant's: its words and its end token.

    `conversation` is a list of {"role": "system" | "user" | "assistant", "content": text}. With `generate` the
    assistant's turn is opened at the end and left to the model. Raises ValueError for an unknown template or role.
    """
    if template not in TEMPLATES:
        raise ValueError(f"unknown template {template!r}; known are {', '.join(TEMPLATES)}")
    ids: list[int] = []
    mask: list[int] = []

    def add(kind: str, text: str, learned: bool) -> None:
        new = [tokenizer.special[text]] if kind in ("special", "end") else tokenizer.encode(text)
        ids.extend(new)
        mask.extend([int(learned)] * len(new))

    for number, turn in enumerate(conversation):
        role, content = turn.get("role"), turn.get("content")
        if role not in ROLES or not isinstance(content, str):
            raise ValueError(
                f"turn {number} of the conversation: needs a role among {', '.join(ROLES)} and a text as "
                f"content, got {turn!r}"
            )
        for kind, text in TEMPLATES[template](role, content):
            add(kind, text, role == "assistant" and kind in ("answer", "end"))
    if generate:
        for kind, text in TEMPLATES[template]("assistant", "")[:2]:
            add(kind, text, False)
    return ids, mask
