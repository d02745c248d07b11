"""Typical wrong solutions of notebook 01, each with a piece of what its check should say."""

MISTAKES = {
    "opens_with_question": [
        ("def opens_with_question(text):\n    return text.strip().endswith('?')", "end of the whole text"),
        ("def opens_with_question(text):\n    return '?' in text", "a later one is"),
        ("def opens_with_question(text):\n    lines = [line for line in text.splitlines() if line.strip()]\n"
         "    return bool(lines) and '?' in lines[0]", "END with one"),
        ("def opens_with_question(text):\n    return text.splitlines()[0].endswith('?')", "leading line break"),
        ("def opens_with_question(text):\n    return any(line.endswith('?') for line in text.splitlines())",
         "a later one is"),
        ("def opens_with_question(text):\n    for line in text.splitlines():\n        if line.strip():\n"
         "            return line.strip().endswith('?')", "it should say False"),
    ],
    "rank": [
        ("def rank(logs, right):\n    return sum(v > logs[right] for v in logs)", "ranks begin at 1"),
        ("def rank(logs, right):\n    return sum(v < logs[right] for v in logs) + 1", "wrong way"),
        ("def rank(logs, right):\n    return sum(v >= logs[right] for i, v in enumerate(logs) if i != right) + 1",
         "a tie is not a loss"),
    ],
    "few_shot_prompt": [
        ("def few_shot_prompt(examples, question):\n    text = ''.join(f'Q: {q}\\nA: {a}\\n' for q, a in examples)\n"
         "    return text + f'Q: {question}\\nA: '", "a space stands behind"),
        ("def few_shot_prompt(examples, question):\n    text = ''.join(f'Q: {q}\\nA: {a}\\n' for q, a in examples)\n"
         "    return text + f'Q: {question}\\nA:\\n'", "not even a line break"),
        ("def few_shot_prompt(examples, question):\n    text = ''.join(f'Q: {q}\\n' for q, a in examples)\n"
         "    return text + f'Q: {question}\\nA:'", "lacks its answer"),
        ("def few_shot_prompt(examples, question):\n    text = ''.join(f'Q: {q}\\nA: {a}\\n' for q, a in examples)\n"
         "    return text + f'Q: {question}'", "should end in 'A:'"),
        ("def few_shot_prompt(examples, question):\n    text = ''.join(f'\\nQ: {q}\\nA: {a}' for q, a in examples)\n"
         "    return f'Q: {question}' + text + '\\nA:'", "should come last"),
    ],
}
