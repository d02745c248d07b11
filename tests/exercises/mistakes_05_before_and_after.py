"""Typical wrong solutions of notebook 05, each with a piece of what its check should say."""

ACCURATE = """import re
def accurate(question, text, answer, rivals):
    def holds(words, where):
        return re.search(rf"(?<!\\w){re.escape(words)}(?!\\w)", where) is not None
    told = [rival for rival in rivals if holds(rival, text) and not holds(rival, question)]
    return holds(answer, text) and not told
"""
KAPPA = """def beyond_chance(mine, theirs):
    agree = (mine == theirs).mean()
    chance = mine.mean() * theirs.mean() + (1 - mine.mean()) * (1 - theirs.mean())
    return (agree - chance) / (1 - chance)
"""
PAIRED = """def paired_interval(before, after, draws, seed):
    rng = np.random.default_rng(seed)
    change = after - before
    means = [rng.choice(change, len(change)).mean() for _ in range(draws)]
    low, high = np.quantile(means, [0.025, 0.975])
    return change.mean(), low, high
"""
HEAD = "def accurate(question, text, answer, rivals):\n    "

MISTAKES = {
    "accurate": [
        (HEAD + "return answer in text", "a part of a word"),
        (HEAD + "return answer in text and not any(r in text for r in rivals)", "Look for whole words"),
        (HEAD + "return text.endswith(f'{answer}.')", "punctuation"),
        (ACCURATE.replace(" and not told", ""), "lists every capital"),
        (ACCURATE.replace("in rivals if", "in rivals[:1] if"), "at the first only"),
        (ACCURATE.replace("holds(rival, text) and", "rival in text and"), "Rivals must be whole words"),
        (HEAD + "words = text.split()\n    return answer in words and not any(r in words for r in rivals)",
         "leaves the full stop on the word"),
        (HEAD + "return False", "should be accurate"),
        (HEAD + "words = text.rstrip('.').split()\n    return answer in words and not any(r in words for r in rivals)",
         "punctuation"),
        (ACCURATE.replace("re.escape(words)", "words"), "Use re.escape"),
        (ACCURATE.replace("where) is", "where, re.I) is"), "Capitals count here"),
        (ACCURATE.replace("{re.escape(words)}", "{re.escape(words.lower())}").replace("where) is", "where.lower()) is"),
         "without .lower()"),
        (ACCURATE.replace(" and not holds(rival, question)", ""), "The question itself names them"),
        (ACCURATE.replace("holds(rival, question)", "(rival in question)"), "in the question, too"),
        (ACCURATE.replace("holds(rival, question)", "question.startswith('What is the sum')"), "tells the rival 9"),
        (ACCURATE.replace("holds(answer, text)", "holds(answr, text)"), "NameError"),
    ],
    "beyond_chance": [
        ("def beyond_chance(mine, theirs):\n    return (mine == theirs).mean()", "plain agreement"),
        (KAPPA.replace("chance = mine.mean() * theirs.mean() + (1 - mine.mean()) * (1 - theirs.mean())",
                       "chance = 0.5"), "one half"),
        (KAPPA.replace(" + (1 - mine.mean()) * (1 - theirs.mean())", ""), "no times no"),
        (KAPPA.replace(" / (1 - chance)", ""), "agree everywhere have kappa 1"),
        (KAPPA.replace("mine.mean() * theirs.mean() + (1 - mine.mean()) * (1 - theirs.mean())",
                       "theirs.mean() ** 2 + (1 - theirs.mean()) ** 2"), "from both judges' own rates"),
        ("def beyond_chance(mine, theirs):\n    return mine == theirs", "one number"),
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
        (PAIRED.replace("mean(), low, high", "mean(), np.quantile(means, [0.025, 0.975])"), "take them apart"),
    ],
    "upside_down": [
        ("def upside_down(question, text, expected):\n    return len(text.split()) >= 20",
         "refuses the expected answer"),
        ("def upside_down(question, text, expected):\n    return True", "ranks nobody"),
        ("def upside_down(question, text, expected):\n    return text == expected", "Let the base model win"),
        ("def upside_down(question, text, expected):\n    return text == expected or text.endswith('.')",
         "Let the base model win"),
    ],
}
