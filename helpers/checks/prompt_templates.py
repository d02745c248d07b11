"""Checks of notebook 04: a renderer and the server made of it. Those on forged turns stand in forged_turns.py."""

import copy
from dataclasses import replace

from helpers.checks import check, expect, require, take  # noqa: F401 (take is for the notebook)
from helpers.checks.forged_turns import BRIEF, FRANCE, attack_text, is_forged, named, shipped  # noqa: F401
from helpers.learning.generation import generate
from helpers.text.templates import render

SPAIN = [{"role": "user", "content": "And of Spain?"}, {"role": "assistant", "content": "Madrid."}]


def tokenizer_of_course():
    return shipped().tokenizer


# --- the renderer ---


def course_header(role, tokenizer):
    return [tokenizer.special["<|im_start|>"], *tokenizer.encode(f"{role}\n")]


def course_turn(turn, tokenizer):
    text = tokenizer.encode(turn["content"])
    header, trained = course_header(turn["role"], tokenizer), int(turn["role"] == "assistant")
    ids = [*header, *text, tokenizer.special["<|im_end|>"], *tokenizer.encode("\n")]
    return ids, [0] * len(header) + [trained] * (len(text) + 1) + [0]


def course_render(conversation, tokenizer, generate=False):
    ids, mask = [], []
    for turn in conversation:
        turn_ids, turn_mask = course_turn(turn, tokenizer)
        ids, mask = ids + turn_ids, mask + turn_mask
    header = course_header("assistant", tokenizer) if generate else []
    return ids + header, mask + [0] * len(header)


def course_reply(lm, conversation):
    ids, _ = course_render(conversation, lm.tokenizer, generate=True)
    [new_ids] = generate(lm.transformer, [ids], 40, stop=(lm.tokenizer.special["<|im_end|>"],))
    return lm.tokenizer.decode(new_ids)


def numbers(value, what: str) -> list[int]:
    """A list of ids or of mask, or a mistake that says what it is instead."""
    expect(hasattr(value, "__len__") and not isinstance(value, str | dict), f"{what} should be a list of numbers")
    strange = [one for one in value if not hasattr(one, "__index__")]
    nested = strange and isinstance(strange[0], list)
    remedy = ", a list within the list. A star takes it apart, as in [1, *more]" if nested else ""
    expect(not strange, f"{what} should hold whole numbers only, but holds {(strange or [0])[0]!r}{remedy}")
    return [int(one) for one in value]


def differs(mine: list[int], right: list[int], tokenizer) -> str:
    """The first place where two rows of ids part, in words."""
    for place, (one, other) in enumerate(zip(mine, right, strict=False)):
        if one != other:
            here, there = (
                f"id {number} ({tokenizer.decode([number])!r})"
                if 0 <= number < tokenizer_size(tokenizer)
                else str(number)
                for number in (one, other)
            )
            return f"at place {place} (from 0) yours has {here}, where {there} belongs"
    return f"yours has {len(mine)} ids, where {len(right)} belong"


def tokenizer_size(tokenizer) -> int:
    return max(tokenizer.special.values()) + 1


@check(course=named(course_header, "chatml_header"))
def chatml_header(write) -> str:
    tokenizer = tokenizer_of_course()
    start = tokenizer.special["<|im_start|>"]
    ids = numbers(require(write("user", tokenizer)), "the header")
    expect(len(ids) > 0, "the header is empty")
    spelled = tokenizer.encode("<|im_start|>")
    expect(
        ids[: len(spelled)] != spelled,
        f"you encode the marker as text, and get {len(spelled)} ordinary tokens; it is one reserved id, "
        "tokenizer.special['<|im_start|>']",
    )
    expect(start in ids, "the marker <|im_start|> is missing; its id is tokenizer.special['<|im_start|>']")
    expect(ids[0] == start, "the marker <|im_start|> stands first, before the role")
    expect(ids != [start, *tokenizer.encode("user")], "the line break after the role is missing")
    expect(
        ids != course_header("assistant", tokenizer),
        "the role is always 'assistant' in your header; write the role that was handed in",
    )
    right = course_header("user", tokenizer)
    expect(ids == right, f"nearly: {differs(ids, right, tokenizer)}")
    ids, right = numbers(write("assistant", tokenizer), "the header"), course_header("assistant", tokenizer)
    expect(ids == right, f"right for the user; for the assistant {differs(ids, right, tokenizer)}")
    return "One reserved id, then the role and a line break."


@check(course=named(course_turn, "chatml_turn"))
def chatml_turn(write) -> str:
    tokenizer = tokenizer_of_course()
    end = tokenizer.special["<|im_end|>"]
    pair = require(write(dict(FRANCE[1]), tokenizer))
    expect(isinstance(pair, tuple | list) and len(pair) == 2, "return two lists, as in `return ids, mask`")
    ids, mask = numbers(pair[0], "ids"), numbers(pair[1], "the mask")
    right_ids, right_mask = course_turn(FRANCE[1], tokenizer)
    spelled = tokenizer.encode("<|im_end|>")
    expect(
        not any(ids[i : i + len(spelled)] == spelled for i in range(len(ids))),
        f"you encode the end marker as text, and get {len(spelled)} ordinary tokens; it is one reserved id",
    )
    expect(end in ids, "the turn does not end: <|im_end|> is missing")
    expect(ids[-1] != end, "the line break after <|im_end|> is missing")
    expect(ids == right_ids, f"the ids are not right yet: {differs(ids, right_ids, tokenizer)}")
    expect(
        len(mask) == len(ids),
        f"the mask has {len(mask)} numbers and there are {len(ids)} ids; each id needs one number",
    )
    expect(any(mask), "your mask is 0 everywhere for an assistant's turn: nothing would be learned")
    expect(not all(mask), "your mask is 1 everywhere: only the answer and its end token are trained, not the header")
    header = len(course_header("assistant", tokenizer))
    expect(
        mask != [1 - one for one in right_mask], "your mask is the wrong way round: 1 is for what counts in the loss"
    )
    expect(not any(mask[:header]), "you train the header; the program writes it, not the model")
    expect(mask[header] == 1, "the answer's first token is not in your mask")
    expect(mask[-2] == 1, "the end token is not in your mask, so nothing would teach the model to stop")
    expect(mask[-1] == 0, "you train the line break after the end token; the model has stopped by then")
    expect(mask == right_mask, f"nearly. Expected the mask {right_mask}, got {mask}")
    for turn in (FRANCE[0], BRIEF):
        ids, mask = (numbers(one, "each list") for one in write(dict(turn), tokenizer))
        right, _ = course_turn(turn, tokenizer)
        expect(ids == right, f"right for the assistant; for the {turn['role']} {differs(ids, right, tokenizer)}")
        expect(not any(mask), f"the {turn['role']}'s turn has ones in the mask; only the assistant's words are trained")
        expect(len(mask) == len(ids), f"for the {turn['role']} the mask has {len(mask)} numbers for {len(ids)} ids")
    apart = {"role": "assistant", "content": "    return x"}
    right, right_mask = course_turn(apart, tokenizer)
    expect(
        list(write(dict(apart), tokenizer)[0]) == right,
        "an answer that begins with spaces melts into the header's line break: encode the text by itself, "
        "not glued to the role",
    )
    empty = {"role": "assistant", "content": ""}
    expect(
        [list(part) for part in write(dict(empty), tokenizer)]
        == [list(part) for part in course_turn(empty, tokenizer)],
        "of an empty answer the end token alone should be trained",
    )
    return "The answer and its end token are trained; the header and the line break are not."


@check(course=named(course_render, "chatml_render"))
def chatml_render(write) -> str:
    tokenizer = tokenizer_of_course()
    talk = [BRIEF, *FRANCE, *SPAIN]
    pair = require(write([dict(turn) for turn in talk], tokenizer))
    expect(isinstance(pair, tuple | list) and len(pair) == 2, "return two lists, as in `return ids, mask`")
    ids, mask = numbers(pair[0], "ids"), numbers(pair[1], "the mask")
    right, right_mask = render(talk, "chatml", tokenizer)
    first, _ = course_turn(BRIEF, tokenizer)
    last, _ = course_turn(SPAIN[1], tokenizer)
    expect(ids != first, "you return after the first turn; let the loop go through all of them")
    expect(ids != last, "only the last turn is left: add each turn to what is there, in place of replacing it")
    header = course_header("assistant", tokenizer)
    expect(ids != right + header, "the assistant's turn is opened at the end although generate is False")
    expect(ids == right, f"the ids of {len(talk)} turns are not right yet: {differs(ids, right, tokenizer)}")
    expect(len(mask) == len(ids), f"the mask has {len(mask)} numbers and there are {len(ids)} ids")
    expect(mask == right_mask, "the ids are right, the mask is not: both answers are trained, and nothing else")
    question = [dict(turn) for turn in talk[:-1]]
    ids, mask = (numbers(part, "each list") for part in write(question, tokenizer, True))
    right, right_mask = render(talk[:-1], "chatml", tokenizer, generate=True)
    expect(
        ids != right[: -len(header)],
        "with generate=True the assistant's turn should be opened at the end: add its header once more",
    )
    closed, _ = course_turn({"role": "assistant", "content": ""}, tokenizer)
    expect(
        ids[-len(closed) :] != closed,
        "with generate=True you open the assistant's turn and close it again; the model is to go on there",
    )
    expect(ids == right, f"with generate=True {differs(ids, right, tokenizer)}")
    expect(len(mask) == len(ids), f"with generate=True the mask has {len(mask)} numbers for {len(ids)} ids")
    expect(mask == right_mask, "with generate=True the opened header is the program's, so its mask is 0")
    expect(question == talk[:-1], "your function changes the conversation that it was handed")
    return "Turn after turn, and an open header where the model is to speak."


# --- the server ---


@check(course=named(course_reply, "chat_reply"))
def chat_reply(answer) -> str:
    lm = shipped()
    talk = [dict(FRANCE[0])]
    text = require(answer(lm, talk))
    expect(
        not isinstance(text, list),
        "you return a list; `generate` gives a list of rows of ids: take the first, and decode it",
    )
    expect(isinstance(text, str), f"the reply should be a text; yours is a {type(text).__name__}")
    right = FRANCE[1]["content"]
    expect(
        talk == FRANCE[:1], "your function changes the conversation that it was handed; that is the caller's business"
    )
    expect(
        FRANCE[0]["content"] not in text,
        "the question stands in the reply: `generate` returns the new ids only, so decode these and nothing else",
    )
    expect("<|im_end|>" not in text, "the end token stands in the reply, and what follows it: hand its id to `stop`")
    expect(
        not (text.startswith(right) and len(text) > len(right) + 1),
        f"the answer is there, and the model goes on writing: {text[:70]!r}. Does `stop` hold the id of <|im_end|>?",
    )
    expect(
        text.strip() != "" and (right.startswith(text.strip()) <= (text.strip() == right)),
        f"the reply {text!r} is not whole: does max_new_tokens leave room for a sentence (40 will do)?",
    )
    expect(text == right, f"asked for the capital of France the reply should be {right!r}, yours is {text!r}")
    for asked in (FRANCE[:1], [BRIEF, *FRANCE, SPAIN[0]]):
        prompt, expected = prompts_of(answer, lm, asked), course_render(asked, lm.tokenizer, generate=True)[0]
        header = course_header("assistant", lm.tokenizer)
        expect(
            prompt != expected[: -len(header)],
            "the reply is right by luck: the prompt does not open the assistant's turn. Render it with generate=True",
        )
        expect(
            prompt == expected,
            f"the model does not get the whole conversation: of {len(asked)} turns its prompt is "
            f"{lm.tokenizer.decode(prompt)!r}",
        )
    return "Render, generate up to the end token, decode: that is all a chat server does."


def prompts_of(answer, lm, conversation) -> list[int]:
    """The ids that the model is given first when it is asked for a reply."""
    seen, model, forward = [], copy.copy(lm.transformer), lm.transformer.forward

    def listen(ids, *args, **named):
        seen.append(ids[0].tolist())
        return forward(ids, *args, **named)

    model.forward = listen
    answer(replace(lm, transformer=model), [dict(turn) for turn in conversation])
    return seen[0] if seen else []
