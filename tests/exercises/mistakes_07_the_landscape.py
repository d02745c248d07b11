"""Typical wrong solutions of notebook 07, each with a piece of what its check should say."""

MEET = """def meeting_point(noises, many, few):
    ahead = many - few
    if ahead[-1] >= 0:
        return noises[-1]
    if (ahead < 0).all():
        return float("nan")
    last = np.flatnonzero(ahead >= 0)[-1]
    part = ahead[last] / (ahead[last] - ahead[last + 1])
    return noises[last] + part * (noises[last + 1] - noises[last])
"""
CHOOSE = """def choose_rows(rows, count):
    shelves, seen = {}, set()
    for row in sorted(rows, key=lambda row: row["cost"]):
        if row["text"] not in seen:
            seen.add(row["text"])
            shelves.setdefault(row["kind"], []).append(row)
    chosen = []
    for place in range(len(rows)):
        for kind in sorted(shelves):
            if place < len(shelves[kind]) and len(chosen) < count:
                chosen.append(shelves[kind][place])
    return chosen
"""
WASTED = """def choose_rows(rows, count):
    shelves, chosen, seen = {}, [], set()
    for row in sorted(rows, key=lambda row: row["cost"]):
        shelves.setdefault(row["kind"], []).append(row)
    while len(chosen) < count:
        for kind in sorted(shelves):
            row = shelves[kind].pop(0) if shelves[kind] else None
            if row and row["text"] not in seen and len(chosen) < count:
                seen.add(row["text"])
                chosen.append(row)
    return chosen
"""
BEAT = """def beat_the_estimate(draw):
    return draw(200, 0.5, "wordy")
"""

MISTAKES = {
    "meeting_point": [
        (MEET.replace("return noises[last] + part * (noises[last + 1] - noises[last])", "return noises[last]"),
         "the last measured share"),
        (MEET.replace("return noises[last] + part * (noises[last + 1] - noises[last])", "return noises[last + 1]"),
         "the first measured share"),
        (MEET.replace("part * (", "0.5 * ("), "half way between"),
        (MEET.replace("noises[last] + part", "noises[last + 1] - part"), "from the wrong end"),
        (MEET.replace("np.flatnonzero(ahead >= 0)[-1]", "np.flatnonzero(ahead < 0)[0] - 1"), "Begin at the highest"),
        (MEET.replace("    if ahead[-1] >= 0:\n        return noises[-1]\n", ""), "IndexError"),
        (MEET.replace('return float("nan")', "return 0.0"), "return float('nan')"),
        (MEET.replace("many - few", "few - many"), "It is many - few"),
        (MEET.replace("return noises[last] + part", "return last, noises[last] + part"), "return one number"),
    ],
    "choose_rows": [
        ("def choose_rows(rows, count):\n    return sorted(rows, key=lambda row: row['cost'])[:count]",
         "is chosen twice"),
        ("def choose_rows(rows, count):\n    texts = {}\n    for row in sorted(rows, key=lambda row: row['cost']):\n"
         "        texts.setdefault(row['text'], row)\n    return list(texts.values())[:count]", "cheapest of EACH"),
        (CHOOSE.replace('key=lambda row: row["cost"]', 'key=lambda row: -row["cost"]'), "keep the one that costs less"),
        (CHOOSE.replace('if row["text"] not in seen:', "if True:"), "chosen twice"),
        (WASTED, "cost the capitals their turn"),
        (CHOOSE.replace("    shelves, seen", '    rows.sort(key=lambda row: row["cost"])\n    shelves, seen'),
         "changes the list"),
        (CHOOSE.replace("return chosen", 'return [row["text"] for row in chosen]'), "return a list of rows"),
        (CHOOSE.replace("place < len(shelves[kind]) and len(chosen)", "len(chosen)"), "IndexError"),
        (CHOOSE.replace(" and len(chosen) < count", ""), "6 rows were asked for"),
        (CHOOSE.replace("range(len(rows))", "range(2)"), "Go on with the kinds"),
        (CHOOSE.replace("sorted(shelves)", "sorted(shelves, reverse=True)"), "by the alphabet"),
    ],
    "beat_the_estimate": [
        (BEAT.replace("200, 0.5", "10, 0.5"), "no selection of fewer than"),
        (BEAT.replace('200, 0.5, "wordy"', "200"), "Not even a perfect model"),
        (BEAT.replace('200, 0.5, "wordy"', "2000"), "Not even a perfect model"),
        (BEAT.replace("draw(200", "[row['messages'] for row in draw(200").replace('"wordy")', '"wordy")]'),
         "each a dictionary with its messages"),
        (BEAT.replace("return draw(", "return [{'messages': [{'role': 'user', 'content': fact.say('question')}, "
                      "{'role': 'assistant', 'content': fact.say('response')}]} for fact in world.facts] + draw("),
         "tell facts that will be asked"),
        (BEAT.replace("wordy", "long"), "there is no defect 'long'"),
        (BEAT.replace("wordy", "malformed"), "You need +30"),
    ],
}
