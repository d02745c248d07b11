"""Checks of notebook 05."""

import numpy as np

from helpers.checks import check, close, expect, require


@check
def concise(judge) -> str:
    right_answer = "The capital of Peru is Lima."  # 6 words, so 9 are allowed
    verdict = require(judge(right_answer, right_answer))
    expect(bool(verdict), "the expected answer itself should be concise; is your limit too strict?")
    expect(not judge("", right_answer), "an empty answer is short, but it says nothing; it should not count as concise")
    expect(not judge("  \n", right_answer), "an answer of white space says nothing; count words, with .split()")
    nine = "As you may know, Peru's capital is called Lima."
    expect(
        bool(judge(nine, right_answer)),
        f"{nine!r} has 9 words, the expected answer 6, and 1.5 times 6 is 9: exactly at the limit is still concise. "
        "Do you count characters, or compare with <?",
    )
    short_words = "It is so as it is: it is in Li."  # more than 9 words, hardly more characters than expected
    expect(
        not judge(short_words, right_answer),
        f"{short_words!r} has more than 9 words and should not be concise; do you count characters instead of words?",
    )
    long = "Yes, that is an easy one: the capital of Peru is Lima."
    expect(not judge(long, right_answer), f"{long!r} has 12 words, the limit is 9; you call it concise")
    expect(
        not judge("one two three four", "one two") and bool(judge("one two three", "one two")),
        "with an expected answer of 2 words 3 are allowed and 4 are not: the limit depends on the expected answer",
    )
    return "At least one word, and at most one and a half times the words that were needed."


@check
def accurate(judge) -> str:
    capitals = ["Quito", "Santiago"]
    verdict = require(judge("The capital of Peru is Lima.", "Lima", capitals))
    expect(bool(verdict), "'The capital of Peru is Lima.' tells 'Lima' and no rival: it should be accurate")
    expect(not judge("The capital of Peru is Quito.", "Lima", capitals), "an answer without the fact is not accurate")
    expect(
        not judge("The symbol is that of Helium.", "He", ["Fe"]),
        "'He' stands in 'Helium' only as a part of a word; that tells no symbol. Look for whole words",
    )
    expect(
        not judge("Lima, Quito or Santiago.", "Lima", capitals),
        "an answer that lists every capital holds the right one too; if a rival is told it is not accurate",
    )
    expect(
        not judge("It is Lima or Santiago.", "Lima", capitals),
        "'Lima or Santiago' tells a rival: look at all rivals, not at the first only",
    )
    expect(
        bool(judge("The symbol of helium is He.", "He", ["H"])),
        "'The symbol of helium is He.' is right, but the rival 'H' was found in it, as a part of 'He'. "
        "Rivals must be whole words, too",
    )
    expect(
        bool(judge("Lima.", "Lima", capitals)) and bool(judge("It is Lima, of course.", "Lima", [])),
        "punctuation behind the fact should not matter: 'Lima.' and 'Lima,' tell Lima. Splitting at spaces leaves the "
        "full stop on the word",
    )
    expect(
        bool(judge("He lives in New Delhi.", "New Delhi", ["New York"])),
        "a fact may have two words: 'New Delhi' is told in 'He lives in New Delhi.'",
    )
    expect(
        not judge("It costs 105.", "1.5", []),
        "'1.5' was found in '105': in a regular expression a dot stands for any character. Use re.escape",
    )
    return "The fact as whole words, and no rival as whole words."


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


@check
def paired_interval(interval) -> str:
    before, after = outcomes()
    numbers = require(interval(before, after, 2000, 0))
    expect(
        isinstance(numbers, (tuple, list, np.ndarray)) and np.shape(numbers) == (3,),
        "return three numbers: the mean difference, the low end, the high end",
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
