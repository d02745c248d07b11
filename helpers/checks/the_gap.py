"""Checks of notebook 01."""

from helpers.checks import check, expect, require


@check
def opens_with_question(judge) -> str:
    cases = {
        "\nWhat is the capital of Spain?\nWhat is": True,
        "What is it?": True,
        "\nThe capital is Paris.\nIs it?": False,
        " Is it Paris? I think so.": False,
        "\n\n  Why?  \nBecause.": True,
    }
    for text, right in cases.items():
        verdict = require(judge(text))
        if right and verdict is False and not judge(text.strip()):
            expect(
                "?" in text.splitlines()[-1],
                f"on {text!r} you look at the end of the whole text; only the first line that is not empty counts",
            )
        expect(
            not (verdict and text == " Is it Paris? I think so."),
            f"{text!r} holds a question mark, but its first line "
            "does not END with one; look at the last character of the line",
        )
        expect(
            not (verdict and not right),
            f"{text!r}: the first line is not a question, a later one is; only the first line that is not empty counts",
        )
        expect(
            bool(verdict) == right,
            f"on {text!r} the answer should be {right}, yours is {verdict}. Does a leading line break, "
            "or a space at the end of the line, get in your way?",
        )
    expect(
        require(judge(""), "for an empty text the function returns None; it should say False") is False,
        "for an empty text the answer should be False",
    )
    return "The first line decides, empty lines are skipped, and an empty text is no question."


@check
def rank(ranker) -> str:
    logs = [-3.0, -0.5, -7.0, -1.0, -2.0]
    best, worst = require(ranker(logs, 1)), ranker(logs, 2)
    expect(best != 0, "the likeliest candidate gets rank 0; ranks begin at 1, so add one")
    expect((best, worst) != (5, 1), "your ranks run the wrong way: -0.5 is likelier than -7, so it comes first")
    expect(
        best == 1 and worst == 5,
        f"among {logs} number 1 has rank 1 and number 2 has rank 5; you say {best} and {worst}",
    )
    middle = ranker(logs, 3)
    expect(middle == 2, f"among {logs} number 3 (-1.0) has rank 2; you say {middle}")
    expect(
        ranker([-1.0, -1.0], 1) == 1,
        "a tie is not a loss: with [-1.0, -1.0] no candidate is likelier, so the rank is 1",
    )
    return "Count the likelier ones and add one."


@check
def few_shot_prompt(build) -> str:
    examples = [
        ("What is the capital of Chile?", "The capital of Chile is Santiago."),
        ("What is the capital of Cuba?", "The capital of Cuba is Havana."),
    ]
    open_question = "What is the capital of Peru?"
    text = require(build(examples, open_question))
    expect(isinstance(text, str), f"the prompt should be one text; yours is a {type(text).__name__}")
    expect(
        not text.endswith("\n"),
        "nothing may stand behind the last 'A:', not even a line break: the model would take the "
        "answer for a missing line",
    )
    expect(
        not text.endswith(" "),
        "a space stands behind the last 'A:'. In this tokenizer it belongs to the answer's first word; take it away",
    )
    expect(
        text.endswith("A:"),
        f"the prompt should end in 'A:', so that an answer comes next; yours ends in {text[-20:]!r}",
    )
    expect(open_question in text, "the question to be answered is missing")
    for question, answer in examples:
        expect(
            answer in text,
            f"the worked example {question!r} lacks its answer; without answers there is no protocol to take up",
        )
    expect(
        text.index(open_question) > text.index(examples[-1][1]),
        "the open question should come last, after all examples",
    )
    right = "".join(f"Q: {question}\nA: {answer}\n" for question, answer in examples) + f"Q: {open_question}\nA:"
    expect(text == right, f"nearly. Expected {right!r}, got {text!r}")
    expect(
        build([], open_question) == f"Q: {open_question}\nA:",
        "with no examples the prompt should be the question and 'A:' alone",
    )
    return "Examples with answers, the open question last, and nothing behind the colon."
