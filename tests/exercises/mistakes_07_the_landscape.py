"""Typical wrong solutions of notebook 07, each with a piece of what its check should say."""

FIT = """def logarithm_fit(rows, quality):
    b, a = np.polyfit(np.log10(rows), quality, 1)
    return a, b
"""
LEFT_OUT = """def left_out_error(fit, sizes, quality):
    errors = []
    for run in range(len(quality)):
        others = np.delete(quality, run, axis=0)
        curve = fit(np.tile(sizes, len(others)), others.ravel())
        errors.append(np.sqrt(np.mean((quality[run] - curve(sizes)) ** 2)))
    return np.mean(errors)
"""
PICK = """def pick(rows, count):
    shelves, seen = {}, set()
    for row in sorted(rows, key=lambda row: -row["score"]):
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

MISTAKES = {
    "logarithm_fit": [
        (FIT.replace("np.log10", "np.log"), "take np.log10"),
        (FIT.replace("np.log10(rows)", "rows"), "over the number of rows itself"),
        (FIT.replace("return a, b", "return b, a"), "the other way round"),
        (FIT.replace("return a, b", "return b"), "return two numbers"),
        ("def logarithm_fit(rows, quality):\n    x = np.log10(rows)\n"
         "    b = (quality[-1] - quality[0]) / (x[-1] - x[0])\n    return quality[0] - b * x[0], b",
         "from the first point to the last"),
        ("def logarithm_fit(rows, quality):\n    x = np.log10(rows)\n    return 0, (x * quality).sum() / (x * x).sum()",
         "through zero at one row"),
        (FIT.replace("np.log10(rows), quality", "np.log10(np.sort(rows)), quality"), "in another order"),
        (FIT.replace("quality, 1)", "100 * quality, 1)"), "a, b should be"),
    ],
    "left_out_error": [
        (LEFT_OUT.replace("others = np.delete(quality, run, axis=0)", "others = quality"), "nothing is left out"),
        (LEFT_OUT.replace("others = np.delete(quality, run, axis=0)", "others = quality[[run]]"), "the OTHER runs"),
        (LEFT_OUT.replace("range(len(quality))", "range(1)"), "Leave out each run once"),
        (LEFT_OUT.replace("np.delete(quality, run, axis=0)", "np.delete(quality, run, axis=0)[:, :-1]")
         .replace("np.tile(sizes,", "np.tile(sizes[:-1],"), "only some of the sizes"),
        (LEFT_OUT.replace("np.tile(sizes, len(others))", "np.repeat(sizes, len(others))"), "np.tile"),
        (LEFT_OUT.replace("np.sqrt(np.mean((quality[run] - curve(sizes)) ** 2))",
                          "np.mean((quality[run] - curve(sizes)) ** 2)"), "take the square root"),
        (LEFT_OUT.replace("np.sqrt(np.mean((quality[run] - curve(sizes)) ** 2))",
                          "np.mean(np.abs(quality[run] - curve(sizes)))"), "mean absolute error"),
        (LEFT_OUT.replace("np.sqrt(np.mean((quality[run] - curve(sizes)) ** 2))",
                          "np.mean(quality[run] - curve(sizes))"), "cancel"),
        (LEFT_OUT.replace("np.sqrt(np.mean((quality[run] - curve(sizes)) ** 2))",
                          "np.mean((quality[run] - curve(sizes)) ** 2)")
         .replace("np.mean(errors)", "np.sqrt(np.mean(errors))"), "one root over all runs"),
        (LEFT_OUT.replace("return np.mean(errors)", "return errors"), "return one number"),
    ],
    "pick": [
        ("def pick(rows, count):\n    return sorted(rows, key=lambda row: -row['score'])[:count]",
         "Take the best of EACH"),
        (PICK.replace('key=lambda row: -row["score"]', 'key=lambda row: row["score"]'), "of rows that say the same"),
        (PICK.replace('if row["text"] not in seen:', "if True:"), "chosen twice"),
        (PICK.replace('sorted(rows, key=lambda row: -row["score"])', 'sorted(rows, key=lambda row: row["text"])'),
         "of rows that say the same"),
        (PICK.replace("    shelves, seen", '    rows.sort(key=lambda row: -row["score"])\n    shelves, seen'),
         "changes the list"),
        (PICK.replace("return chosen", 'return [row["text"] for row in chosen]'), "return a list of rows"),
        (PICK.replace("place < len(shelves[kind]) and len(chosen)", "len(chosen)"), "IndexError"),
        (PICK.replace(" and len(chosen) < count", ""), "6 rows were asked for"),
        (PICK.replace("range(len(rows))", "range(2)"), "Go on with the kinds"),
        (PICK.replace("sorted(shelves)", "sorted(shelves, reverse=True)"), "by the alphabet"),
    ],
}
