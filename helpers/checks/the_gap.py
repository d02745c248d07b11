"""Checks of notebook 01: the greedy loop and what a model knows. Those on prompts stand in base_prompts.py."""

from __future__ import annotations

import functools

import numpy as np

from helpers.checks import Mistake, check, close, expect, require, take  # noqa: F401 (take is called from the notebook)
from helpers.checks import gap_functions as course
from helpers.checks.base_prompts import coax, few_shot_prompt  # noqa: F401
from helpers.judging.evaluation import log_probabilities
from helpers.learning.language_model import LanguageModel, load


class Parts:
    """The base model without its ready-made `complete`: the loop is the exercise."""

    def __init__(self, lm: LanguageModel):
        self.lm, self.tokenizer, self.document_ids = lm, lm.tokenizer, lm.document_ids

    def __repr__(self) -> str:
        return "lm"

    def logits(self, rows) -> np.ndarray:
        if np.ndim(rows[0]) == 0:
            raise Mistake("lm.logits takes a list of texts, each a list of ids; for one text write lm.logits([ids])")
        return self.lm.logits(rows)

    def complete(self, *_, **__):
        raise Mistake("lm.complete is the ready-made loop. Write your own, with lm.logits")


@functools.cache
def base() -> LanguageModel:
    return load("base")


# --- the checks ---


@check(course=course.greedy)
def greedy(write) -> str:
    lm, prompt = Parts(base()), "The capital of France is"
    written = require(write(lm, prompt, 6))
    expect(
        isinstance(written, str), f"return text, not {type(written).__name__}; lm.tokenizer.decode turns ids into it"
    )
    right = course.greedy(lm, prompt, 6)
    expect(
        not written.startswith(("<|endoftext|>", prompt)),
        "what you return begins with the prompt; return only what the model added to it",
    )
    first = course.greedy(lm, prompt, 1)
    expect(
        written != first * 6,
        f"you wrote {first!r} six times: each new token must join the ids that the model reads next",
    )
    expect(written != course.greedy(lm, prompt, 5), "you stopped one token too early")
    expect(written != course.greedy(lm, prompt, 7), "you wrote one token too many")
    expect(
        len(lm.tokenizer.encode(written)) != 1,
        "one token came back; you return from inside the loop, or read only the last token",
    )
    bare = Parts(base())
    bare.document_ids = lm.tokenizer.encode
    expect(
        written != course.greedy(bare, prompt, 6),
        "begin with lm.document_ids(text), not with lm.tokenizer.encode(text): every document that the model read "
        "begins with <|endoftext|>",
    )
    scores = lm.logits([lm.document_ids(prompt)])[0]
    opening = lm.tokenizer.decode([int(scores[0].argmax())])
    expect(
        not written.startswith(opening) or right.startswith(opening),
        f"you begin with {opening!r}, which is what would follow the FIRST token; the next token's scores stand "
        "at the last position, [0, -1]",
    )
    worst = lm.tokenizer.decode([int(scores[-1].argmin())])
    expect(
        not worst or not written.startswith(worst),
        f"you begin with {worst!r}, the least likely token; take the likeliest",
    )
    expect(written == right, f"after {prompt!r} six tokens are {right!r}; yours are {written!r}")
    prompt = "The capital of Germany is"
    written, right = write(lm, prompt, 20), course.greedy(lm, prompt, 20)
    expect(
        "<|endoftext|>" not in written and written.startswith(right) and len(written) == len(right),
        f"after {prompt!r} the model ends its document: it writes {right!r} and then <|endoftext|>. Stop there, and "
        f"leave that token out; you returned {written[:60]!r}",
    )
    return "Ids in, scores out, the likeliest token joins the ids. All of generation is this loop."


@check(course=course.ending_logprob)
def ending_logprob(measure) -> str:
    lm, prompt, ending = Parts(base()), "The capital of Norway is", " Lima."
    value = require(measure(lm, prompt, ending))
    expect(np.ndim(value) == 0, f"return one number for the whole ending; yours has the shape {np.shape(value)}")
    [right] = log_probabilities(base(), prompt, [ending])
    start, tail = lm.document_ids(prompt), lm.tokenizer.encode(ending)
    scores = lm.logits([start + tail])[0].astype(float)
    logs = scores - scores.max(axis=1, keepdims=True)
    logs -= np.log(np.exp(logs).sum(axis=1, keepdims=True))
    first, places = len(start), range(len(tail))
    wrong = {
        float(np.exp(right)): "that is the probability itself; return its logarithm, so that small ones stay apart",
        -right: "right but for its sign: the log of a probability is never above 0",
        right / len(tail): "that is the mean over the tokens; the probability of all of them together is a product, "
        "so their logs are added",
        right / np.log(2): "that is a logarithm to base 2; use the natural one, np.log",
        sum(logs[first + i, tail[i]] for i in places): "you read the scores at the token itself. The scores at a "
        "position are about the token AFTER it: token i is predicted at position i - 1",
        sum(scores[first - 1 + i, tail[i]] for i in places): "you added raw scores; a softmax must turn them into "
        "probabilities first, then take logs",
        logs[first - 1, tail[0]]: "that is the first token of the ending only; it has several",
        logs[first + len(tail) - 2, tail[-1]]: "that is the last token of the ending only; it has several",
        sum(logs[i - 1, token] for i, token in enumerate(start + tail) if i): "you counted the prompt's tokens "
        "too; only the ending is to be judged",
    }
    for number, words in wrong.items():
        expect(not close(value, number, 1e-3), words)
    bare = lm.logits([start[1:] + tail])[0].astype(float)
    bare -= np.log(np.exp(bare - bare.max(1, keepdims=True)).sum(1, keepdims=True)) + bare.max(1, keepdims=True)
    expect(
        not close(value, sum(bare[first - 2 + i, tail[i]] for i in places), 1e-3),
        "begin with lm.document_ids(prompt): every document that the model read begins with <|endoftext|>",
    )
    expect(
        close(value, right, 1e-3),
        f"the log-probability of {ending!r} after {prompt!r} is {right:.3f}; yours is {value}",
    )
    [right] = log_probabilities(base(), prompt, [" Oslo."])
    value = measure(lm, prompt, " Oslo.")
    expect(close(value, right, 1e-3), f"right for {ending!r}, but ' Oslo.' has {right:.3f}, and you give {value}")
    return "Each token's log-probability stands one position before it, and they add up."


@check(course=course.forced_choice)
def forced_choice(choose) -> str:
    logs = [-3.0, -0.5, -7.0, -1.0, -2.0]
    both = require(choose(logs, 1))
    expect(isinstance(both, (tuple, list)) and len(both) == 2, f"return two things, rank and chance; yours is {both!r}")
    (best, chance), (worst, _), (middle, _) = both, choose(logs, 2), choose(logs, 3)
    expect(best != 0, "the likeliest candidate gets rank 0; ranks begin at 1, so add one")
    expect((best, worst) != (5, 1), "your ranks run the wrong way: -0.5 is likelier than -7, so it comes first")
    expect(
        (best, middle, worst) == (1, 2, 5),
        f"among {logs} numbers 1, 3 and 2 have the ranks 1, 2 and 5; you say {best}, {middle} and {worst}",
    )
    expect(
        choose([-1.0, -1.0], 1)[0] == 1,
        "a tie is not a loss: with [-1.0, -1.0] no candidate is likelier, so the rank is 1",
    )
    right = course.forced_choice(logs, 1)[1]
    expect(
        not close(chance, np.exp(logs[1]), 1e-4),
        "your chance is among ALL texts; among the candidates alone, divide by the sum of all of theirs",
    )
    expect(
        not close(chance, logs[1] / sum(logs), 1e-4),
        "you divided logarithms; np.exp turns them into probabilities first",
    )
    expect(not close(chance, 100 * right, 1e-2), "that is a percentage; return a number between 0 and 1")
    expect(close(chance, right, 1e-4), f"among {logs} number 1 has the chance {right:.4f}; you say {chance}")
    tiny = choose([-2000.0, -2001.0], 0)[1]
    expect(
        bool(np.isfinite(tiny)) and close(tiny, course.forced_choice([-2000.0, -2001.0], 0)[1], 1e-4),
        f"with logs of -2000 and -2001 your chance is {tiny}: exp(-2000) is 0 to the computer. Subtract the largest "
        "log from all of them first",
    )
    return "Count the likelier ones and add one; the chance is a softmax over the candidates."


@check(course=course.opens_with_question)
def opens_with_question(judge) -> str:
    cases = {
        "\nWhat is the capital of Spain?\nWhat is": True,
        "What is it?": True,
        "\nThe capital is Paris.\nIs it?": False,
        " Is it Paris? I think so.": False,
        "\n\n  Why?  \nBecause.": True,
    }
    for text, right in cases.items():
        verdict = require(judge(text), f"for {text!r} the function returns None; replace the dots with your code")
        expect(
            isinstance(verdict, (bool, np.bool_)),
            f"return True or False; on {text!r} you return a {type(verdict).__name__}. bool(…) makes a truth value "
            "of a match or a list",
        )
        if text == "\n\n  Why?  \nBecause." and not verdict:
            expect(
                judge("\n\nWhy?\nBecause."),
                f"on {text!r} you miss the question: the first lines are empty; skip ALL of them",
            )
            expect(
                False,
                f"on {text!r} spaces stand after the question mark. You strip the whole text before you "
                "split it, which leaves the spaces inside; strip each LINE after splitting",
            )
        if right and not verdict and not judge(text.strip()):
            expect(
                "?" in text.splitlines()[-1],
                f"on {text!r} you look at the end of the whole text; only the first line that is not empty counts",
            )
        expect(
            not (verdict and text == " Is it Paris? I think so."),
            f"{text!r} holds a question mark, but its first line does not END with one; look at the last character "
            "of the line",
        )
        expect(
            not (verdict and not right),
            f"{text!r}: the first line is not a question, a later one is; only the first line that is not empty counts",
        )
        expect(
            bool(verdict) == right,
            f"on {text!r} the answer should be {right}, yours is {verdict}. Does a leading line break get in your way?",
        )
    empty = require(judge(""), "for an empty text the function returns None; it should say False")
    expect(empty is False, "for an empty text the answer should be False")
    return "The first line decides, empty lines are skipped, and an empty text is no question."
