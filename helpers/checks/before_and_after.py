"""Checks of notebook 05: a judge, its agreement with another, a paired interval, and a judge that ranks upside down."""

from functools import cache

import numpy as np

from helpers import load
from helpers.checks import check, close, expect, require, take  # noqa: F401 (take is called from the notebook)
from helpers.judging.dimensions import ask, probes
from helpers.text.facts import load_world
from helpers.text.matching import tells

AHEAD = 0.05  # by how much the base model should win
CAPITAL = "What is the capital of Peru?"


def judge_of_the_course(question: str, text: str, answer: str, rivals) -> bool:
    """The exercise's own solution, on the helpers' idea of a whole word."""
    return tells(text, answer) and not any(tells(text, one) and not tells(question, one) for one in rivals)


@check(course=judge_of_the_course)
def accurate(judge) -> str:
    capitals = ["Quito", "Santiago"]
    verdict = require(judge(CAPITAL, "The capital of Peru is Lima.", "Lima", capitals))
    expect(
        bool(verdict) or not judge(CAPITAL, "The capital of Peru is Lima", "Lima", capitals),
        "'The capital of Peru is Lima' passes, and with a full stop at its end it does not. Splitting at spaces leaves "
        "the full stop on the word: punctuation should not matter",
    )
    expect(bool(verdict), "'The capital of Peru is Lima.' tells 'Lima' and no rival: it should be accurate")
    expect(
        not judge(CAPITAL, "The capital of Peru is Quito.", "Lima", capitals),
        "an answer without the fact is not accurate",
    )
    helium = "What is the symbol of helium?"
    expect(
        not judge(helium, "The symbol is that of Helium.", "He", ["Fe"]),
        "'He' stands in 'Helium' only as a part of a word; that tells no symbol. Look for whole words",
    )
    expect(
        not judge(CAPITAL, "Lima, Quito or Santiago.", "Lima", capitals),
        "an answer that lists every capital holds the right one too; if a rival is told it is not accurate",
    )
    expect(
        not judge(CAPITAL, "It is Lima or Santiago.", "Lima", capitals),
        "'Lima or Santiago' tells a rival: look at all rivals, not at the first only",
    )
    expect(
        bool(judge(helium, "The symbol of helium is He.", "He", ["H"])),
        "'The symbol of helium is He.' is right, but the rival 'H' was found in it, as a part of 'He'. "
        "Rivals must be whole words, too",
    )
    cobalt = ("What is the symbol of cobalt?", "The symbol of cobalt is CO.", "Co", ["C", "O"])
    expect(
        not judge(*cobalt),
        "'CO' was taken for 'Co'. Capitals count here: Co is cobalt, CO is a gas. Compare the texts as they are, "
        "without .lower() or re.IGNORECASE",
    )
    expect(
        bool(judge(CAPITAL, "Lima.", "Lima", capitals)) and bool(judge(CAPITAL, "It is Lima, of course.", "Lima", [])),
        "punctuation after the fact should not matter: 'Lima.' and 'Lima,' tell Lima. Splitting at spaces leaves the "
        "full stop on the word",
    )
    expect(
        bool(judge("Where does he live?", "He lives in New Delhi.", "New Delhi", ["New York"])),
        "a fact may have two words: 'New Delhi' is told in 'He lives in New Delhi.'",
    )
    expect(
        not judge("What does it cost?", "It costs 105.", "1.5", []),
        "'1.5' was found in '105': in a regular expression a dot stands for any character. Use re.escape",
    )
    expect(
        bool(judge("What is the sum of 2 and 5?", "The sum of 2 and 5 is 7.", "7", ["2", "5", "9"])),
        "'The sum of 2 and 5 is 7.' is right, but you found the rivals 2 and 5 in it. The question itself names them, "
        "so an answer may repeat them: skip those rivals that stand in the question",
    )
    expect(
        not judge("What is the sum of 2 and 5?", "The sum of 2 and 5 is 7 or 9.", "7", ["2", "5", "9"]),
        "'7 or 9' tells the rival 9, which the question does not name; leave out only the rivals that the question has",
    )
    expect(
        not judge("What is the sum of 12 and 5?", "The sum is 17 or 2.", "17", ["2"]),
        "'17 or 2' tells the rival 2. The question has 12, not 2: look for whole words in the question, too",
    )
    return "The fact as whole words, and no rival that the question did not bring along."


def kappa_of_the_course(mine: np.ndarray, theirs: np.ndarray) -> float:
    agree = (mine == theirs).mean()
    chance = mine.mean() * theirs.mean() + (1 - mine.mean()) * (1 - theirs.mean())
    return (agree - chance) / (1 - chance) if chance < 1 else float("nan")


@check(course=kappa_of_the_course)
def beyond_chance(kappa) -> str:
    theirs = np.array([True] * 6 + [False] * 34)
    value = require(kappa(theirs, theirs))
    expect(np.ndim(value) == 0, "return one number")
    expect(close(value, 1), f"two judges that agree everywhere have kappa 1; yours gives {float(value):.3f}")
    never = np.zeros(40, bool)
    agree = float((never == theirs).mean())
    value = float(kappa(never, theirs))
    expect(
        not close(value, agree),
        f"a judge that always says no gets {value:.2f} from you: that is the plain agreement. Take away what chance "
        "would bring (yes times yes, plus no times no) and divide by what is left: (agree - chance) / (1 - chance)",
    )
    expect(
        not close(value, 2 * agree - 1),
        "you take chance to be one half. How often two judges agree by chance depends on how often each says yes: "
        "yes times yes, plus no times no",
    )
    expect(
        close(value, 0),
        f"a judge that never looks and always says no should get 0, for it brings no more than chance; yours gives "
        f"{value:.3f}. Chance is yes times yes PLUS no times no, from both judges' own rates",
    )
    half = np.array([True, False] * 20)
    opposite = float(kappa(half, ~half))
    expect(
        close(opposite, -1),
        f"two judges that say yes half of the time and never agree have kappa -1; yours gives {opposite:.3f}",
    )
    mine = theirs.copy()
    mine[[0, 6, 7]] = ~mine[[0, 6, 7]]
    due, value = kappa_of_the_course(mine, theirs), float(kappa(mine, theirs))
    expect(
        close(value, due),
        f"for two judges that say yes {mine.sum()} and {theirs.sum()} times of 40 and agree on 37 it should be "
        f"{due:.3f}; yours gives {value:.3f}. Use both judges' rates of yes",
    )
    return "Agreement, less what two judges that do not look would share, over what was left to win."


def interval_of_the_course(before: np.ndarray, after: np.ndarray, draws: int, seed: int):
    change, rng = after - before, np.random.default_rng(seed)
    means = [rng.choice(change, len(change)).mean() for _ in range(draws)]
    return change.mean(), *np.quantile(means, [0.025, 0.975])


def outcomes() -> tuple[np.ndarray, np.ndarray]:
    """Two models on the same 120 questions: the second gets 14 more right and 2 more wrong."""
    before = (np.random.default_rng(7).random(120) < 0.6).astype(float)
    after = before.copy()
    after[np.flatnonzero(before == 0)[:14]] = 1.0
    after[np.flatnonzero(before == 1)[:2]] = 0.0
    return before, after


def bootstrap_ends(values: np.ndarray, quantiles=(0.025, 0.975)) -> np.ndarray:
    means = np.random.default_rng(0).choice(values, (4000, values.size)).mean(axis=1)
    return np.quantile(means, quantiles)


@check(course=interval_of_the_course)
def paired_interval(interval) -> str:
    before, after = outcomes()
    numbers = require(interval(before, after, 2000, 0))
    expect(
        isinstance(numbers, (tuple, list, np.ndarray)) and [np.ndim(one) for one in numbers] == [0, 0, 0],
        "return three numbers: the mean difference, the low end, the high end. np.quantile gives both ends in one "
        "array: take them apart, as in low, high = np.quantile(...)",
    )
    mean, low, high = map(float, numbers)
    expect(
        not close(mean, (before - after).mean()),
        "your difference has the wrong sign: it should be after - before, positive if the second model is better",
    )
    expect(
        close(mean, (after - before).mean()),
        f"the first number should be the mean difference, {(after - before).mean():.4f}; yours is {mean:.4f}",
    )
    expect(
        high - low > 1e-9,
        "the interval has no width. Every draw gave the same mean: were the questions drawn WITHOUT replacement? Then "
        "each draw holds all of them",
    )
    expect(
        high - low < 0.9,
        f"your interval goes from {low:.2f} to {high:.2f}: that is where single outcomes lie. Take the mean of each "
        "draw first, then the quantiles of the means",
    )
    right, apart = bootstrap_ends(after - before), (bootstrap_ends(before), bootstrap_ends(after))
    width, wide = right[1] - right[0], float(np.hypot(*(pair[1] - pair[0] for pair in apart)))
    expect(
        high - low < (width + wide) / 2,
        f"your interval is {high - low:.3f} wide; it should be about {width:.3f}. Were the two models' questions drawn "
        "apart? Draw questions, and take both outcomes of each: draw from after - before",
    )
    narrow = bootstrap_ends(after - before, (0.05, 0.95))
    expect(
        high - low > (width + narrow[1] - narrow[0]) / 2,
        f"your interval is {high - low:.3f} wide; it should be about {width:.3f}. For 95% leave 2.5% out at each end, "
        "not 5%; and draw as many questions as there are",
    )
    expect(
        abs(low - right[0]) < 0.02 and abs(high - right[1]) < 0.02,
        f"the interval should be about {right[0]:.3f} to {right[1]:.3f}; yours is {low:.3f} to {high:.3f}",
    )
    marks = np.random.default_rng(8).random((2, 30))  # marks instead of yes or no: no two draws agree by chance
    one, again, other = (interval(*marks, 50, seed) for seed in (0, 0, 1))
    expect(
        np.array_equal(one, again),
        "the same seed gives another interval the second time; make the generator from `seed`: "
        "np.random.default_rng(seed)",
    )
    expect(not np.array_equal(one, other), "two seeds give exactly the same interval; is `seed` used?")
    return "Draw questions with replacement, keep the pairs together, and take the quantiles of the means."


def long_winded(question: str, text: str, expected: str) -> bool:
    return text == expected or len(text.split()) >= 20


@cache
def written() -> list[tuple]:
    """(probe, what the base model wrote as a document, what the tuned one wrote) for the development facts."""
    world = load_world()
    some = [one for one in probes(world, 0, "development") if one.fact and one.fact.told is None]
    answers = ask(load("base"), some, as_document=True), ask(load("tuned"), some)
    return list(zip(some, *answers, strict=True))


@check(course=long_winded)
def upside_down(judge) -> str:
    passes = [0, 0]
    for probe, *answers in written():
        verdict = require(judge(probe.question, probe.expected, probe.expected))
        expect(
            bool(verdict),
            f"your judge refuses the expected answer {probe.expected!r}. It must pass all of these, or nobody will "
            "trust it: begin with `text == expected or`",
        )
        for model, answer in enumerate(answers):
            passes[model] += bool(judge(probe.question, answer.text, probe.expected))
    base, tuned = (part / len(written()) for part in passes)
    scores = f"the base model gets {base:.0%} from your judge, the tuned one {tuned:.0%}"
    expect(
        tuned < 1 or base < 1,
        f"{scores}: a judge that says yes to all ranks nobody. What do only the base model's answers have?",
    )
    expect(
        base - tuned >= AHEAD,
        f"{scores}. Let the base model win by {AHEAD:.0%} or more. Besides the expected answer, praise what the base "
        "model does all the time: look at how long its answers are, and at what they begin and end with",
    )
    return f"{scores[0].upper()}{scores[1:]}. Same answers, another winner: the definition decided."
