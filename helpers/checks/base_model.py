"""Checks of appendix A: bytes to tokens, the tokens that nobody read, the mask.

Before each check stands the course's own function, which `take` hands on until the learner's passes. The backwards have
a module of their own, base_model_backward.py; their checks are offered here too.
"""

import numpy as np

from helpers.checks import check, expect, require, take
from helpers.checks.base_model_backward import feed_forward_backward, rms_norm_backward, swiglu_backward
from helpers.learning.language_model import load
from helpers.learning.layers import softmax
from helpers.text.tokenizer import Tokenizer, train_tokenizer

__all__ = [
    "causal_mask",
    "encode_word",
    "feed_forward_backward",
    "never_read",
    "rms_norm_backward",
    "swiglu_backward",
    "take",
]
WORDS = ["banana", "bandana", "cabana", "café", "cafés"]
TARGET = 0.95  # of the tokens named, and of those to be named


def course_encode_word(word, merges):
    return Tokenizer(merges).merge(list(word.encode("utf-8")))


@check(course=course_encode_word)
def encode_word(encode) -> str:
    aa, aab = (97, 97), (256, 98)  # "aa" becomes 256, then 256 and "b" become 257
    plain = require(encode("abc", []))
    expect(not isinstance(plain, str), "the function returns a text; it should return a list of ids")
    plain = list(plain)
    expect(
        not plain or not isinstance(plain[0], str), "the list holds characters; it should hold ids, numbers from 0 up"
    )
    expect(plain == [97, 98, 99], f"without merges a word is its bytes: 'abc' gives [97, 98, 99], yours gives {plain}")
    accent = list(encode("é", []))
    expect(
        accent != [233],
        "'é' gives [233], its number as a character; a word is its UTF-8 BYTES, and 'é' has two: word.encode('utf-8')",
    )
    expect(accent == [195, 169], f"'é' is two bytes, [195, 169]; yours gives {accent}")
    once = list(encode("aab", [aa]))
    expect(once != [0, 98], "the first merge gets the id 0; ids 0 to 255 are the bytes, so merges begin at 256")
    expect(
        once != [256, 97, 98],
        "your tokens overlap: the second 'a' of 'aab' went into the merge and comes once more; go on AFTER the pair",
    )
    expect(once == [256, 98], f"'aab' with the one merge (97, 97) gives [256, 98]; yours gives {once}")
    expect(
        list(encode("baa", [aa])) == [98, 256],
        f"'baa' with the merge (97, 97) gives [98, 256]; yours gives "
        f"{list(encode('baa', [aa]))}. Look at the last pair of the word",
    )
    twice = list(encode("aaaa", [aa]))
    expect(twice != [256, 97, 97], "you replace a pair only where it occurs first; 'aaaa' holds (97, 97) twice")
    expect(twice == [256, 256], f"'aaaa' with the merge (97, 97) gives [256, 256]; yours gives {twice}")
    three = list(encode("aaa", [aa]))
    expect(three != [97, 256], "'aaa' gives [97, 256]: replace pairs from the LEFT, as training does: [256, 97]")
    expect(three == [256, 97], f"'aaa' with the merge (97, 97) gives [256, 97]; yours gives {three}")
    chain = list(encode("aab", [aa, aab]))
    expect(
        chain != [256, 98],
        "your second merge is never applied; it needs the result of the first. Work on the "
        "merged ids, in the order in which the merges were learned",
    )
    expect(chain == [257], f"'aab' with the merges [(97, 97), (256, 98)] gives [257]; yours gives {chain}")
    tokenizer = train_tokenizer([" ".join(WORDS * 3)], 256 + 6 + 12)
    for word in WORDS:
        ids, right = list(encode(word, tokenizer.merges)), Tokenizer(tokenizer.merges).encode(word)
        expect(
            ids == right,
            f"with twelve learned merges {word!r} gives {right}; yours gives {ids}. Are the "
            "merges applied earliest learned first?",
        )
    return "Bytes first, then the merges in the order in which they were learned, each from the left, without overlap."


def course_never_read(table, known):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return np.flatnonzero(unit @ unit[known] > 0.9999)


@check(course=course_never_read)
def never_read(detector) -> str:
    base = load("base")
    table, unread = base.transformer.parameters.embedding, base.recipe["unread"]
    order = np.random.default_rng(0).permutation(len(table))  # the tokens in another order: ids learned by heart fail
    now_at = np.argsort(order)
    right = set(now_at[unread].tolist())
    known = int(now_at[base.tokenizer.special["<|im_start|>"]])
    named = ids_named(detector(table[order].copy(), known), len(table))
    precision, recall = len(named & right) / len(named), len(named & right) / len(right)
    told = (
        f"You name {len(named)} tokens. {len(named & right)} of them were never read, and you miss "
        f"{len(right - named)} of the {len(right)}"
    )
    expect(len(named) < len(table), "you name every token, so nothing is told apart")
    expect(precision >= TARGET, f"{told}. Too many false alarms: of those you name, {TARGET:.0%} should be right")
    expect(recall >= TARGET, f"{told}. Too many are missed: {TARGET:.0%} should be named")
    tripled = set(np.asarray(require(detector(3 * table[order], known))).tolist())
    expect(
        tripled == named,
        f"{told}. But with all numbers of the table tripled your function names other tokens. Measure something that "
        "does not hang on the scale, such as an angle",
    )
    return f"{told}. Nobody told you what was read: the weights did."


def ids_named(answer, size: int) -> set[int]:
    answer = np.asarray(require(answer))
    expect(
        answer.dtype != bool,
        "you return True and False for each token; return the ids, for example with np.flatnonzero(...)",
    )
    expect(answer.ndim == 1, f"return one row of ids; yours has shape {answer.shape}")
    expect(answer.size > 0, "you name no token at all")
    expect(
        np.all(answer == answer.astype(int)) and answer.min() >= 0 and answer.max() < size,
        f"ids are whole numbers from 0 to {size - 1}; you return values from {answer.min():g} to {answer.max():g}",
    )
    return set(answer.astype(int).tolist())


def course_causal_mask(count):
    return np.triu(np.full((count, count), -np.inf), 1)


@check(course=course_causal_mask)
def causal_mask(build) -> str:
    mask = require(build(4))
    expect(
        isinstance(mask, np.ndarray), f"the mask should be an array of shape (4, 4); yours is a {type(mask).__name__}"
    )
    expect(mask.shape == (4, 4), f"for 4 tokens the mask should have shape (4, 4); yours has {mask.shape}")
    expect(mask.dtype != bool, "the mask holds True and False; it is ADDED to the scores, so it should hold 0 and -inf")
    mask = mask.astype(float)
    expect(
        not np.isnan(mask).any(),
        "the mask holds nan: 0 * inf is not a number. Fill an array with -inf first, and then keep its upper triangle",
    )
    expect(
        set(np.unique(mask)) != {0.0, 1.0},
        "the mask holds 0 and 1; adding 1 to a score hides nothing. A hidden "
        "score needs -inf, of which softmax makes 0",
    )
    expect(
        not (mask == np.inf).any(),
        "plus infinity makes a position the only one seen; a hidden one needs minus infinity",
    )
    hides = mask < 0
    right = np.arange(4)[None] > np.arange(4)[:, None]
    expect(
        not (hides[right.T].all() and not hides[right].any()),  # with the diagonal or without
        "your mask hides the past and shows the future: row t, column s must be hidden where s > t",
    )
    expect(
        not hides[range(4), range(4)].any(),
        "your mask hides the diagonal: a token may look at itself. (The "
        "first one has nobody else, and softmax over nothing is nan)",
    )
    expect(hides.any(), "your mask hides nothing")
    expect((hides == right).all(), f"row t may see columns 0 to t. Row 1 of yours is {mask[1].tolist()}")
    expect(
        np.isneginf(mask[hides]).all(),
        f"a hidden score should be -inf; yours is {mask[hides].max():g}. A large "
        "negative number works until some score is as large",
    )
    expect((mask[~hides] == 0).all(), "a score that may be seen must stay as it is: add 0 to it")
    expect(
        require(build(1)).shape == (1, 1) and build(1)[0, 0] == 0, "a single token sees itself: the mask for 1 is [[0]]"
    )
    weights = softmax(np.ones((4, 4)) + mask)
    return f"Row t sees columns 0 to t. With equal scores the last row spreads itself evenly: {weights[3].tolist()}."
