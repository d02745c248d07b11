"""Typical wrong solutions of notebook 08, each with a piece of what its check should say."""

VERDICT = """def verdict(shown, low, high, expects):
    mean, none = (low + high) / 2, -2 <= low and high <= 2
    if expects == "same":
        if none:
            return "holds"
        return "contradicted" if shown and abs(mean) > 2 else "open"
    if none:
        return "contradicted"
    if not shown:
        return "open"
    return "holds" if (mean > 0) == (expects == "more") else "contradicted"
"""
USABLE = """import json
def usable(text):
    rows, bad = [], []
    for number, line in enumerate(text.split("\\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        values = [row.get(key) for key in ("instruction", "output")] if isinstance(row, dict) else [None]
        if all(isinstance(value, str) and value.strip() for value in values):
            rows.append(row)
        else:
            bad.append(number)
    return rows, bad
"""
ISLES = """kind,subject,answer
capital,Atlantis,Poseidonis
language,Atlantis,Atlantean
capital,Lilliput,Mildendo
continent,Lilliput,Oceania
capital,Zenda,Strelsau
"""
BARE = "".join(f'{{"instruction": "Who is number {n}?", "output": "It is Ann."}}\n' for n in range(5))


def win(settings, rows=ISLES):
    return f"def short_win():\n    return {rows!r}, {settings!r}\n"


MISTAKES = {
    "verdict": [
        ("def verdict(shown, low, high, expects):\n    return shown", "return one of the words"),
        (VERDICT.replace('(expects == "more")', "True"), "mind the direction"),
        (VERDICT.replace("if not shown", "if low <= 0 <= high"), "does not show it"),
        (VERDICT.replace("if not shown", "if not shown and abs(mean) < 2"), "need not lie within"),
        (VERDICT.replace("-2 <= low and high <= 2", "low <= 0 <= high"), "need not lie within"),
        (VERDICT.replace("    if none:\n        return \"contradicted\"\n", ""), "there is no difference, so 'more'"),
        (VERDICT.replace("    if none:\n        return \"contradicted\"\n    if not shown:\n        return \"open\"\n",
                         "    if not shown:\n        return \"contradicted\" if none else \"open\"\n"),
         "counts as no difference"),
        (VERDICT.replace("if none:\n            return", "if none and not shown:\n            return"),
         "as it was defined"),
        (VERDICT.replace("abs(mean) > 2", "mean > 2"), "look at both sides"),
        (VERDICT.replace("shown and abs(mean) > 2", "abs(mean) > 2"), "is not shown"),
        (VERDICT.replace("shown and abs(mean) > 2", "shown"), "no more than 2 points"),
        (VERDICT.replace('else "contradicted"', 'else "open"'), "not merely open"),
        (VERDICT.replace('if shown and abs(mean) > 2 else "open"', ""), "it shows nothing"),
    ],
    "usable": [
        (USABLE.replace("except ValueError", "except KeyError"), "stops everything"),
        (USABLE.replace("except ValueError:\n            row = None", "except ValueError:\n            continue"),
         "Nothing may vanish"),
        (USABLE.replace(" and value.strip()", ""), "an empty output is taken for usable"),
        (USABLE.replace("and value.strip()", "and value"), "white space alone"),
        (USABLE.replace("isinstance(value, str) and value.strip()", "value and str(value).strip()"), "is a number"),
        (USABLE.replace(" if isinstance(row, dict) else [None]", ""), "stops everything"),
        (USABLE.replace('("instruction", "output")', '("output",)'), "without an instruction is taken for usable"),
        (USABLE.replace(', 1):', "):"), "count from 1"),
        (USABLE.replace('text.split("\\n")', 'text.strip().split("\\n")'), "count as lines"),
        (USABLE.replace("rows.append(row)", "rows.append((row['instruction'], row['output']))"), "as dictionaries"),
        (USABLE.replace("return rows, bad", "return rows"), "return two lists"),
        (USABLE.replace("            row = None", "            break"), "costs other rows"),
    ],
    "short_win": [
        (f"def short_win():\n    return {ISLES!r}", "return two things"),
        (win({"steps": 150}), "60 are the most here"),
        (win({"learning_rate": 1e-3}), "learning_rate: no such setting"),
        (win({}, "\n".join(ISLES.split("\n")[:4])), "3 of your rows can be asked in other words"),
        (win({}, BARE), "one row with the key 'again'"),
        (win({}, "hello"), "none of your rows can be used"),
        (win({}, ISLES.replace("Atlantis,Poseidonis", "France,Paris")), "line 2 tells what the world tells already"),
        (win({"steps": 12, "times": 1}), "read about 0 times, at a rate of 0.0002. Missed:"),
        (win({"tune_on": "alone", "steps": 40, "rate": 1e-3}), "the world is lost"),
        (win({"tune_on": "all"}), "known are with the world's rows, alone"),
    ],
}
