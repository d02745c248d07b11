"""Typical wrong solutions of notebook 02, each with a piece of what its check should say."""

ALPACA = "def messages_to_alpaca(row):\n    talk = row['messages']\n"
KEYS = "{'instruction': talk[-2]['content'], 'input': '', 'output': talk[-1]['content']}"

TURNS = """def first_wrong_turn(messages):
    due = ["system", "user"]
    for number, turn in enumerate(messages):
        if turn["role"] not in due{blank}:
            return number
        due = {after}
    return {end}
"""
RIGHT = dict(blank=" or not turn['content'].strip()", after="['assistant'] if turn['role'] == 'user' else ['user']",
             end="-1 if messages[-1]['role'] == 'assistant' else len(messages)")


def wrong_turns(**changes) -> str:
    return TURNS.format(**{**RIGHT, **changes})


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
    "first_wrong_turn": [
        (wrong_turns(end="-1"), "the last question has no answer"),
        (wrong_turns(blank=""), "an empty answer"),
        (wrong_turns(blank=" or not turn['content']"), "nothing but spaces"),
        (wrong_turns(after="['assistant'] if turn['role'] == 'user' else ['user', 'system']"), "in front only"),
        (wrong_turns(after="['assistant'] if turn['role'] != 'assistant' else ['user']"),
         "a system prompt is in order"),
        ("def first_wrong_turn(messages):\n    for number, turn in enumerate(messages):\n"
         "        if number and turn['role'] == messages[number - 1]['role']:\n            return number\n"
         "    return -1",
         "an assistant that speaks first"),
        ("def first_wrong_turn(messages):\n    for number, turn in enumerate(messages):\n"
         "        if turn['role'] == ('assistant' if number == 0 else messages[number - 1]['role']):\n"
         "            return number\n    return -1", "looking at neighbours"),
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
    ],
}
