"""Typical wrong solutions of notebook 02, each with a piece of what its check should say."""

ALPACA = "def messages_to_alpaca(row):\n    talk = row['messages']\n"
KEYS = "{'instruction': talk[-2]['content'], 'input': '', 'output': talk[-1]['content']}"

PICK = """def pick_varied(rows, count, alike):
    picked = []
    for row in rows:
        if {test}:
            picked.append(row)
    return picked{cut}
"""
FRESH = "all(alike(row, other) <= 0.7 for other in picked)"

MISTAKES = {
    "messages_to_alpaca": [
        (ALPACA + f"    return {KEYS}", "return None for such a row"),
        (ALPACA + f"    return {KEYS} if len(talk) == 2 or talk[0]['role'] == 'user' else None", "you keep the last"),
        (ALPACA + f"    return {KEYS} if len(talk) <= 3 else None", "loses it in Alpaca's form"),
        (ALPACA + "    return {'instruction': talk[0]['content'], 'input': '', 'output': talk[1]['content']}",
         "your instruction holds the system prompt"),
        (ALPACA + "    if talk[0]['role'] == 'system':\n        return None\n"
         "    return {'instruction': talk[0]['content'], 'input': '', 'output': talk[1]['content']}",
         "only one is left"),
        (ALPACA + "    return {'instruction': talk[0]['content'], 'output': talk[1]['content']}", "three keys"),
        (ALPACA + "    return {'instruction': talk[0]['content'], 'input': None, 'output': talk[1]['content']}",
         "an empty text, not None"),
        (ALPACA + "    return {'instruction': talk[0], 'input': '', 'output': talk[1]}", "take their 'content'"),
        (ALPACA + "    return {'prompt': talk[0]['content'], 'completion': talk[1]['content']}",
         "'instruction' is missing"),
        (ALPACA + "    return {'instruction': talk[1]['content'], 'input': '', 'output': talk[0]['content']}",
         "changed places"),
    ],
    "lcs_length": [
        ("def lcs_length(a, b):\n    best = 0\n    for i in range(len(a)):\n        for j in range(len(b)):\n"
         "            k = 0\n            while i + k < len(a) and j + k < len(b) and a[i + k] == b[j + k]:\n"
         "                k += 1\n            best = max(best, k)\n    return best", "WITHOUT a gap"),
        ("def lcs_length(a, b):\n    return len(set(a) & set(b))", "not in the same order"),
        ("def lcs_length(a, b):\n    return sum(word in b for word in a)", "not in the same order"),
        ("def lcs_length(a, b):\n    i = found = 0\n    for word in a:\n        if word in b[i:]:\n"
         "            i, found = b.index(word, i) + 1, found + 1\n    return found", "first match that comes"),
        ("def lcs_length(a, b):\n    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]\n"
         "    for i in range(len(a)):\n        for j in range(len(b)):\n            if a[i] == b[j]:\n"
         "                table[i + 1][j + 1] = max(table[i][j + 1], table[i + 1][j]) + 1\n            else:\n"
         "                table[i + 1][j + 1] = max(table[i][j + 1], table[i + 1][j])\n    return table[-1][-1]",
         "one word of the other only"),
        ("from helpers.text.matching import rouge_l as lcs_length", "the plain number of words"),
        ("def lcs_length(a, b):\n    if a[0] == b[0]:\n        return 1 + (lcs_length(a[1:], b[1:]) "
         "if len(a) > 1 and len(b) > 1 else 0)\n    return max(lcs_length(a[1:], b) if len(a) > 1 else 0, "
         "lcs_length(a, b[1:]) if len(b) > 1 else 0)", "an empty text"),
        ("def lcs_length(a, b):\n    table = [[0] * (len(b) + 1)] * (len(a) + 1)\n"
         "    for i in range(len(a)):\n        for j in range(len(b)):\n            if a[i] == b[j]:\n"
         "                table[i + 1][j + 1] = table[i][j] + 1\n            else:\n"
         "                table[i + 1][j + 1] = max(table[i][j + 1], table[i + 1][j])\n    return table[-1][-1]",
         "one and the same list"),
        ("def lcs_length(a, b):\n    table = [[0] * (len(a) + 1)] * (len(b) + 1)\n"
         "    for i in range(len(b)):\n        for j in range(len(a)):\n            if b[i] == a[j]:\n"
         "                table[i + 1][j + 1] = table[i][j] + 1\n            else:\n"
         "                table[i + 1][j + 1] = max(table[i][j + 1], table[i + 1][j])\n    return table[-1][-1]",
         "one and the same list"),
    ],
    "pick_varied": [
        (PICK.format(test="len(picked) < count", cut=""), "near-duplicates ("),
        (PICK.format(test=FRESH, cut="[:count]"), "too few kinds"),
        (PICK.format(test=FRESH, cut=""), "20 rows were asked for; you return"),
        (PICK.format(test=FRESH.replace("<= 0.7", "< 0.2"), cut="[:count]"), "20 rows were asked for"),
        ("def pick_varied(rows, count, alike):\n    return list(range(count))", "Take rows[i]"),
        ("def pick_varied(rows, count, alike):\n    return rows[:1] * count", "stands twice"),
        ("def pick_varied(rows, count, alike):\n    return {row['kind']: row for row in rows}.values()",
         "KeyError: 'kind'"),
        ("def pick_varied(rows, count, alike):\n    return (row for row in rows[:count])", "return a list of rows"),
    ],
}
