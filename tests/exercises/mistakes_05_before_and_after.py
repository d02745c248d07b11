"""Typical wrong solutions of notebook 05, each with a piece of what its check should say."""

ACCURATE = """import re
def accurate(text, answer, rivals):
    def tells(words):
        return re.search(rf"(?<!\\w){re.escape(words)}(?!\\w)", text) is not None
    return tells(answer) and not any(tells(rival) for rival in rivals)
"""
PAIRED = """def paired_interval(before, after, draws, seed):
    rng = np.random.default_rng(seed)
    change = after - before
    means = [rng.choice(change, len(change)).mean() for _ in range(draws)]
    low, high = np.quantile(means, [0.025, 0.975])
    return change.mean(), low, high
"""

MISTAKES = {
    "concise": [
        ("def concise(answer, expected):\n    return len(answer.split()) <= 1.5 * len(expected.split())",
         "it says nothing"),
        ("def concise(answer, expected):\n    return len(answer) > 0 and len(answer.split()) <= 9", "white space"),
        ("def concise(answer, expected):\n    return 0 < len(answer.strip()) <= 1.5 * len(expected)",
         "Do you count characters"),
        ("def concise(answer, expected):\n    return 0 < len(answer.split()) < 1.5 * len(expected.split())",
         "compare with <"),
        ("def concise(answer, expected):\n    return 0 < len(answer.split()) <= 9", "depends on the expected answer"),
        ("def concise(answer, expected):\n    return 0 < len(answer.split()) < len(expected.split())", "too strict"),
    ],
    "accurate": [
        ("def accurate(text, answer, rivals):\n    return answer in text", "a part of a word"),
        ("def accurate(text, answer, rivals):\n    return answer in text and not any(r in text for r in rivals)",
         "Look for whole words"),
        (ACCURATE.replace(" and not any(tells(rival) for rival in rivals)", ""), "lists every capital"),
        (ACCURATE.replace("any(tells(rival) for rival in rivals)", "tells((rivals or ['?'])[0])"), "at the first only"),
        (ACCURATE.replace("any(tells(rival) for", "any(rival in text for"), "Rivals must be whole words"),
        ("def accurate(text, answer, rivals):\n    words = text.split()\n"
         "    return answer in words and not any(r in words for r in rivals)", "should be accurate"),
        ("def accurate(text, answer, rivals):\n    words = text.rstrip('.').split()\n"
         "    return answer in words and not any(r in words for r in rivals)", "punctuation"),
        (ACCURATE.replace("re.escape(words)", "words"), "Use re.escape"),
    ],
    "paired_interval": [
        (PAIRED.replace("len(change))", "len(change), replace=False)"), "WITHOUT replacement"),
        ("def paired_interval(before, after, draws, seed):\n    change = after - before\n"
         "    return change.mean(), *np.quantile(change, [0.0, 1.0])", "where single outcomes lie"),
        ("def paired_interval(before, after, draws, seed):\n    rng, n = np.random.default_rng(seed), len(before)\n"
         "    means = [rng.choice(after, n).mean() - rng.choice(before, n).mean() for _ in range(draws)]\n"
         "    return (after - before).mean(), *np.quantile(means, [0.025, 0.975])", "drawn apart"),
        (PAIRED.replace("after - before", "before - after"), "wrong sign"),
        (PAIRED.replace("[0.025, 0.975]", "[0.05, 0.95]"), "leave 2.5% out at each end"),
        (PAIRED.replace("default_rng(seed)", "default_rng(0)"), "is `seed` used"),
        (PAIRED.replace("default_rng(seed)", "default_rng()"), "the second time"),
        (PAIRED.replace("return change.mean(), low, high", "return low, high"), "three numbers"),
    ],
}
