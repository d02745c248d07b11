"""Typical wrong solutions of notebook 06, each with a piece of what its check should say."""

EQUAL = """def equal_length(texts, words):
    rows = [text.split()[:words] for text in texts if len(text.split()) >= words]
    trigrams = [tuple(row[i : i + 3]) for row in rows for i in range(len(row) - 2)]
    return len(set(trigrams)) / len(trigrams) if trigrams else float("nan")
"""
FRONTIER = """def frontier(points):
    def beaten(pair):
        learned, forgot = pair
        return any(more >= learned and less <= forgot and (more, less) != (learned, forgot)
                   for more, less in points.values())

    return {name for name, pair in points.items() if not beaten(pair)}
"""
ALARM = """import numpy as np
def forgetting_alarm(log, reference):
    readings = np.array([entry.get("perplexity", np.nan) for entry in log], float)
    if len(readings) < 4 or not np.isfinite(readings).all():
        return "cannot tell"
    return "alarm" if np.median(readings[-3:]) > 1.5 * reference else "calm"
"""

MISTAKES = {
    "equal_length": [
        ("def equal_length(texts, words):\n"
         "    row = [word for text in texts for word in text.split()[:words]]\n"
         "    trigrams = [tuple(row[i : i + 3]) for i in range(len(row) - 2)]\n"
         "    return len(set(trigrams)) / len(trigrams)", "from one text into the next"),
        ("def equal_length(texts, words):\n"
         "    row = ' '.join(text for text in texts if len(text.split()) >= words).split()\n"
         "    trigrams = [tuple(row[i : i + 3]) for i in range(len(row) - 2)]\n"
         "    return len(set(trigrams)) / len(trigrams)", "from one text into the next"),
        ("def equal_length(texts, words):\n    row = [word for text in texts for word in text.split()[:words]]\n"
         "    return len(set(row)) / len(row)", "different words"),
        (EQUAL.replace("[:words]", ""), "Do you cut each text off"),
        (EQUAL.replace("text.split()[:words]", "text[:words].split()"), "you return"),
        ("def equal_length(texts, words):\n    shares = []\n    for text in texts:\n"
         "        row = text.split()[:words]\n"
         "        found = [tuple(row[i : i + 3]) for i in range(len(row) - 2)]\n        if len(row) == words:\n"
         "            shares.append(len(set(found)) / len(found))\n    return sum(shares) / len(shares)", "0.75"),
        (EQUAL.replace(" if len(text.split()) >= words", ""), "leave out the texts that are too short"),
        (EQUAL.replace(">= words", "> words"), "you return nan"),
        (EQUAL.replace('float("nan")', "0.0"), "neither 0 nor 1"),
        (EQUAL.replace(' if trigrams else float("nan")', ""), "there is nothing to tell"),
        (EQUAL.replace("len(set(trigrams)) / len(trigrams)", "len(set(trigrams))"), "0.75"),
    ],
    "frontier": [
        ("def frontier(points):\n    return {max(points, key=lambda name: points[name][0])}",
         "only the one that learned most"),
        (FRONTIER.replace("more >= learned and less <= forgot", "more > learned and less < forgot"),
         "as good in one and better in the other"),
        (FRONTIER.replace(" and (more, less) != (learned, forgot)", ""), "you return []"),
        (FRONTIER.replace("less <= forgot", "less >= forgot"), "Is more forgotten"),
        (FRONTIER.replace("if not beaten", "if beaten"), "you kept those that are beaten"),
        (FRONTIER.replace("name for name, pair", "pair for name, pair"), "return the names"),
        ("def frontier(points):\n    best, kept = -1, set()\n"
         "    for name, (learned, forgot) in sorted(points.items(), key=lambda item: (item[1][1], -item[1][0])):\n"
         "        if learned > best:\n            kept.add(name)\n            best = learned\n    return kept",
         "the very same figures"),
    ],
    "forgetting_alarm": [
        ("def forgetting_alarm(log, reference):\n"
         "    return 'alarm' if log[-1]['perplexity'] > 1.5 * log[0]['perplexity'] else 'calm'", "not with the first"),
        (ALARM.replace("np.median(readings[-3:])", "readings[-1]"), "one wild last reading"),
        (ALARM.replace("np.median(readings[-3:])", "np.mean(readings[-3:])"), "not their mean"),
        (ALARM.replace("np.median(readings[-3:])", "readings.max()"), "comes back is no forgetting"),
        (ALARM.replace("np.median(readings[-3:])", "readings[-3:].min()"), "should not prevent an alarm"),
        (ALARM.replace("< 4", "< 6"), "four are enough"),
        (ALARM.replace("1.5 *", "1.25 *"), "which bar do you use"),
        (ALARM.replace("1.5 *", "2 *"), "which bar do you use"),
        (ALARM.replace(" or not np.isfinite(readings).all()", ""), "cannot be read"),
        (ALARM.replace("not np.isfinite(readings).all()", "np.isnan(readings[0])"), "a NaN in the middle"),
        (ALARM.replace("not np.isfinite(readings).all()", "np.isnan(readings).any()"), "infinite"),
        (ALARM.replace('entry.get("perplexity", np.nan)', 'entry["perplexity"]'), "a KeyError"),
        (ALARM.replace("len(readings) < 4 or ", "len(readings) < 3 or "), "too few to tell"),
        (ALARM.replace('return "alarm" if np.median(readings[-3:]) > 1.5 * reference else "calm"',
                       "return np.median(readings[-3:]) > 1.5 * reference"), "return one of"),
    ],
}
