"""Checks of notebook 03: a bug to find, and a training to choose. Those on the step stand in training_step.py."""

from functools import cache

import numpy as np

from helpers import load
from helpers.checks import Mistake, check, close, expect, require, take
from helpers.checks.training_step import adamw_move, make_batch, masked_loss
from helpers.judging.vital_signs import Watch
from helpers.learning.sft import fine_tune
from helpers.learning.training import Recipe
from helpers.text.facts import load_world
from helpers.text.instructions import instruction_rows

__all__ = ["adamw_move", "make_batch", "masked_loss", "my_recipe", "response_loss", "take"]
MOST_STEPS, GAINED, LOST = 30, 0.9, 2.1  # what `my_recipe` has to reach: steps, facts answered, perplexity


@check
def response_loss(loss) -> str:
    rng = np.random.default_rng(0)
    logp = np.log(rng.dirichlet(np.ones(7), 6))  # (positions, vocabulary)
    ids = rng.integers(0, 7, 6)

    def mean(tokens) -> float:
        return float(-np.mean([logp[i - 1][ids[i]] for i in tokens]))

    def right(start: int) -> float:
        return mean(range(start, 6))

    try:
        many = require(loss(logp, ids, 2))
    except IndexError:
        raise Mistake(
            "an index runs past the end: the loop asks for a token after the last one. That end of the loop was right; "
            "look at the other"
        ) from None
    expect(
        not close(many, mean(range(3, 6))),
        "a response of a single token still has loss 0, whatever the model says. So one token of "
        "every response is never counted. Which one? Write down what the loop visits, on paper",
    )
    expect(
        not close(many, mean(range(2, 5))),
        "now the LAST token of the response is never counted: that is the end mark, and nothing would teach the model "
        "to stop",
    )
    expect(
        not close(many, -np.mean([logp[i][ids[i]] for i in range(2, 6)])),
        "you score token i with the prediction made AT position i. What is given there belongs to the token that "
        "comes next; token i is predicted at i - 1",
    )
    expect(
        not close(many, mean(range(1, 6))),
        "you count one token too many: the last one of the instruction is scored as well",
    )
    expect(not close(many, right(2) * 4), "that is the sum over the response; the mean was asked for")
    expect(
        not close(many, right(2) * 4 / 3),
        "all tokens are there; but you divide their sum by one less than there are",
    )
    expect(not close(many, -right(2)), "right but for its sign: a loss is MINUS the mean log-probability")
    for start in (1, 2, 5):
        value = loss(logp, ids, start)
        expect(
            close(value, right(start)),
            f"for a response from position {start} to 5 the loss should be {right(start):.4f}, yours is {value:.4f}",
        )
    return "Every token of the response is predicted once, by the position before it."


@check
def my_recipe(choose) -> str:
    settings = require(choose())
    expect(isinstance(settings, dict), "return a dict, such as dict(steps=20, rate=1e-3)")
    unknown = sorted(set(settings) - {"steps", "rate", "warmup", "floor", "prompt_weight"})
    expect(not unknown, f"there is no setting called {', '.join(map(repr, unknown))} here")
    expect({"steps", "rate"} <= set(settings), "name steps and rate at least")
    expect(settings["steps"] <= MOST_STEPS, f"{settings['steps']} steps; {MOST_STEPS} are the most")
    exact, read = short_training(**settings)
    measured = f"{100 * exact:.0f}% of the development facts answered, perplexity {read:.2f}"
    expect(
        exact >= GAINED or read <= LOST,
        f"{measured}. It reads worse than it may, and answers less than it should: the rate is far too high",
    )
    expect(
        read <= LOST,
        f"{measured}. It answers, but it has forgotten more than {LOST} allows. What moves the parameters less?",
    )
    expect(
        exact >= GAINED,
        f"{measured}. Little is lost, but fewer than {100 * GAINED:.0f}% are answered: it has not learned enough yet",
    )
    return f"{measured}. Both at once, in {settings['steps']} steps."


@cache
def watch() -> Watch:
    return Watch(load("base"), load_world())


def short_training(steps, rate, warmup=5, floor=0.05, prompt_weight=0.0) -> tuple[float, float]:
    """Tune the shipped base model for some steps -> share of development facts answered exactly, perplexity."""
    recipe = Recipe(steps, rate, warmup=warmup, floor=floor)
    rows = instruction_rows(load_world())
    tuned, _ = fine_tune(load("base"), rows, recipe, prompt_weight=prompt_weight, progress=False)
    signs = watch()(tuned)
    return signs["exact"], signs["perplexity"]
