"""Checks of appendix A."""

import numpy as np

from helpers.checks import check, close, expect, require
from helpers.learning.layers import sigmoid, softmax
from helpers.text.tokenizer import Tokenizer, train_tokenizer

WORDS = ["banana", "bandana", "cabana", "café", "cafés"]


@check
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
        "your tokens overlap: the second 'a' of 'aab' went into the merge and comes once more; go on BEHIND the pair",
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


@check
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
        not (hides == right.T).all(),
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


@check
def mean_loss(loss) -> str:
    rng = np.random.default_rng(0)
    logits, ids = rng.normal(0, 2, (6, 5)), np.array([3, 1, 4, 0, 2, 1])

    def minus_log(rows, targets):
        top = rows.max(axis=-1, keepdims=True)
        logs = rows - top - np.log(np.exp(rows - top).sum(axis=-1, keepdims=True))
        return -logs[np.arange(len(targets)), targets]

    terms = minus_log(logits[:-1], ids[1:])
    copy = logits.copy()
    value = require(loss(logits, ids))
    expect((logits == copy).all(), "your function changes the logits that it was given; work on a copy")
    expect(
        np.ndim(value) == 0,
        f"the loss is one number; yours has shape {np.shape(value)}. Take the mean over the positions",
    )
    value = float(value)
    expect(
        not close(value, -terms.mean()),
        "the sign is wrong: the loss is MINUS the log of a probability, so it is positive",
    )
    expect(not close(value, terms.sum()), "you return the sum; the mean over the positions is wanted")
    expect(
        not close(value, terms.sum() / 6),
        "you divide by the number of tokens. The last position has no next "
        "token to predict, so there is one term fewer",
    )
    expect(
        not close(value, minus_log(logits, ids).mean()),
        "you score each position against its OWN token; the logits at position t are about token t + 1",
    )
    expect(
        not close(value, minus_log(logits[1:], ids[:-1]).mean()),
        "you score each position against the token BEFORE it; the logits at position t are about token t + 1",
    )
    expect(not close(value, terms[1:].mean()), "the first term is missing: the logits at position 0 predict token 1")
    expect(
        not close(value, terms[:-1].mean()),
        "the last term is missing: the last position but one predicts the last token",
    )
    expect(not close(value, terms.mean() / np.log(2)), "your logarithm has base 2; nats (np.log) are wanted")
    expect(
        close(value, terms.mean()),
        f"on a sequence of 6 tokens the loss should be {terms.mean():.6f}; yours is {value:.6f}",
    )
    with np.errstate(all="ignore"):
        large = float(loss(np.array([[1000.0, 0.0], [0.0, 0.0]]), np.array([0, 1])))
        expect(
            np.isfinite(large),
            f"with a logit of 1000 your loss is {large}: exp(1000) overflows, or the log of 0 "
            "is taken. Subtract the largest logit first, and stay in logarithms",
        )
        expect(
            not abs(large - 23.02585) < 0.01,
            "a target of logit -1000 below the best should cost 1000; yours "
            "costs 23.03, the cap that `log(p + 1e-10)` puts on every loss",
        )
        expect(
            close(large, 1000.0),
            f"a target whose logit is 1000 below the best should cost 1000; yours costs "
            f"{large:g}. "
            "Do not form the probability first: it is 0 in floating point",
        )
    return "Position t predicts token t + 1; the log of the softmax is taken without forming the softmax."


@check
def glu_backward(backward) -> str:
    rng = np.random.default_rng(0)
    dy, a, b = rng.normal(0, 1, (3, 2, 4))
    s = sigmoid(b)
    both = require(backward(dy.copy(), a.copy(), b.copy()))
    expect(isinstance(both, tuple | list) and len(both) == 2, "return two arrays, da and db")
    da, db = (np.asarray(require(part, "one of the two gradients is None")) for part in both)
    expect(
        da.shape == a.shape and db.shape == b.shape,
        f"a gradient has the shape of what it belongs to, {a.shape}; yours have {da.shape} and {db.shape}",
    )
    right_a, right_b = dy * s, dy * a * s * (1 - s)
    expect(not (close(da, right_b) and close(db, right_a)), "the two are swapped: return da first, then db")
    expect(not close(da, s), "da lacks dy: the chain rule multiplies the slope by the gradient that arrives from above")
    expect(not close(da, dy * b), "for da you multiply by b; the other factor of the product is sigmoid(b)")
    expect(close(da, right_a), "da is not right. With b held still, y = a * (a number): what is the slope in a?")
    expect(
        not close(db, a * s * (1 - s)), "db lacks dy: the chain rule multiplies the slope by the gradient from above"
    )
    expect(not close(db, dy * a), "db lacks the slope of the sigmoid, s * (1 - s)")
    expect(not close(db, dy * a * s), "for db you multiply by sigmoid(b) itself; its SLOPE, s * (1 - s), is wanted")
    expect(
        not close(db, dy * s * (1 - s)),
        "db lacks the factor a: in y = a * sigmoid(b) everything that b does is scaled by a",
    )
    expect(not close(db, -right_b), "db has the wrong sign: the slope of the sigmoid is positive, s * (1 - s)")
    expect(
        close(db, right_b),
        "db is not right. The slope of the sigmoid s is s * (1 - s); the factor a stays, and dy comes from above",
    )
    step, up = 1e-6, np.zeros_like(b)
    up[0, 0] = step
    slope = float((dy * a * (sigmoid(b + up) - sigmoid(b - up))).sum() / (2 * step))
    return f"By finite differences the first entry of db is {slope:.6f}; by your formula {float(db[0, 0]):.6f}."
