"""Typical wrong solutions of notebook 08, each with a piece of what its check should say."""

VERDICT = """def verdict(low, high, expects):
    if expects == "same":
        if -2 <= low and high <= 2:
            return "holds"
        return "contradicted" if low > 2 or high < -2 else "open"
    if low <= 0 <= high:
        return "open"
    return "holds" if (low > 0) == (expects == "more") else "contradicted"
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
MISTAKES = {
    "verdict": [
        ("def verdict(low, high, expects):\n    return low > 0", "return one of the words"),
        (VERDICT.replace('(expects == "more")', "True"), "mind the direction"),
        (VERDICT.replace("low <= 0 <= high", "low < 0 < high"), "touches 0"),
        (VERDICT.replace("low <= 0 <= high", "low <= 0 < high"), "upper end"),
        (VERDICT.replace("-2 <= low and high <= 2", "low <= 0 <= high"), "as it was defined"),
        (VERDICT.replace("-2 <= low and high <= 2", "-2 < low and high < 2"), "from within"),
        (VERDICT.replace(" or high < -2", ""), "look at both sides"),
        (VERDICT.replace("low <= 0 <= high", "(low + high) / 2 <= 0 <= high"), "where its middle lies"),
        (VERDICT.replace('else "contradicted"', 'else "open"'), "not merely open"),
        (VERDICT.replace('if low > 2 or high < -2 else "open"', ""), "it shows nothing"),
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
}
