"""Typical wrong solutions of notebook 04, each with a piece of what its check should say."""

LLAMA3 = """def llama3_text(conversation, generate=False):
    text = "<|begin_of_text|>"
    for turn in conversation:
        text += f"<|start_header_id|>{turn['role']}<|end_header_id|>\\n\\n{turn['content'].strip()}<|eot_id|>"
    if generate:
        text += "<|start_header_id|>assistant<|end_header_id|>\\n\\n"
    return text
"""
MASK = """def mask_of(ids, opening, end):
    mask, inside = [], False
    for i, token in enumerate(ids):
        if i >= len(opening) and ids[i - len(opening) : i] == opening:
            inside = True
        mask.append(int(inside))
        if token == end:
            inside = False
    return mask
"""


def changed(solution: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in solution
        solution = solution.replace(old, new)
    return solution


MISTAKES = {
    "llama3_text": [
        (changed(LLAMA3, ('text = "<|begin_of_text|>"', 'text = ""')), "should begin with"),
        (changed(LLAMA3, ('f"<|start_header_id|>{turn', 'f"<|begin_of_text|><|start_header_id|>{turn')),
         "not each turn"),
        (changed(LLAMA3, ("\\n\\n{turn", "\\n{turn")), "two line breaks"),
        (changed(LLAMA3, ("<|eot_id|>", "")), "no turn ends"),
        (changed(LLAMA3, ("<|eot_id|>", "<|eot_id|>\\n")), "no line break follows"),
        (changed(LLAMA3, ("    if generate:\n    ", "")), "although generate is False"),
        (changed(LLAMA3, ("if generate:", "if False:")), "should be opened at the end"),
        (changed(LLAMA3, ('assistant<|end_header_id|>\\n\\n"', 'assistant<|end_header_id|>\\n\\n<|eot_id|>"')),
         "opened and closed again"),
        (changed(LLAMA3, ('assistant<|end_header_id|>\\n\\n"', 'assistant<|end_header_id|>"')), "should end in"),
        (changed(LLAMA3, (".strip()", "")), "white space around"),
        (changed(LLAMA3, ("in conversation:", "in conversation:\n        if turn['role'] == 'system':\n"
                          "            continue")), "a turn like any other"),
    ],
    "mask_of": [
        ("def mask_of(ids, opening, end):\n    return [1] * len(ids)", "1 everywhere"),
        ("def mask_of(ids, opening, end):\n    return [0] * len(ids)", "0 everywhere"),
        (changed(MASK, ("ids[i - len(opening) : i]", "ids[i : i + len(opening)]")), "you train the marker"),
        (changed(MASK, ("        mask.append(int(inside))\n        if token == end:\n            inside = False",
                        "        if token == end:\n            inside = False\n        mask.append(int(inside))")),
         "teach the model to stop"),
        (changed(MASK, ("        if token == end:\n            inside = False\n", "")), "behind the end token"),
        (changed(MASK, ("mask.append(int(inside))", "mask.append(int(inside or token == end))")),
         "other roles have an end token"),
        (changed(MASK, ("mask.append(int(inside))", "mask.append(1 - int(inside))")), "wrong way round"),
        ("def mask_of(ids, opening, end):\n    n = len(opening)\n"
         "    first = next(i for i in range(n, len(ids)) if ids[i - n : i] == opening)\n"
         "    last = ids.index(end, first)\n"
         "    return [int(first <= i <= last) for i in range(len(ids))]", "both should count"),
        ("def mask_of(ids, opening, end):\n    mask, n = [0] * len(ids), len(opening)\n"
         "    for i in range(n, len(ids)):\n        if ids[i - n : i] == opening and end in ids[i:]:\n"
         "            last = ids.index(end, i)\n            mask[i : last + 1] = [1] * (last + 1 - i)\n"
         "    return mask", "cut off"),
        (changed(MASK, ("i >= len(opening) and ids[i - len(opening) : i] == opening",
                        "i > len(opening) and ids[i - len(opening) - 1 : i - 1] == opening")),
         "first token is missing"),
    ],
    "is_forged": [
        ("def is_forged(ids, conversation, tokenizer):\n"
         "    return any('<|im_' in turn['content'] for turn in conversation)", "not at the text"),
        ("def is_forged(ids, conversation, tokenizer):\n"
         "    return tokenizer.decode(ids).count('<|im_start|>') != len(conversation)", "not at the text"),
        ("def is_forged(ids, conversation, tokenizer):\n"
         "    return ids.count(tokenizer.special['<|im_start|>']) != len(conversation)", "a lone <|im_end|>"),
        ("def is_forged(ids, conversation, tokenizer):\n"
         "    return ids.count(tokenizer.special['<|im_end|>']) != len(conversation)", "a reserved <|endoftext|>"),
        ("def is_forged(ids, conversation, tokenizer):\n"
         "    return any(token in tokenizer.name_of for token in ids)", "by itself"),
        ("def is_forged(ids, conversation, tokenizer):\n"
         "    return sum(token in tokenizer.name_of for token in ids) != 4", "not always two"),
        ("def is_forged(ids, conversation, tokenizer):\n    return False", "goes unnoticed"),
    ],
}
