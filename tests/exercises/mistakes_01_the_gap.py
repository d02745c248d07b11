"""Typical wrong solutions of notebook 01, each with a piece of what its check should say."""

import inspect

from helpers.checks import gap_functions

HEAD = "import numpy as np\nfrom helpers.text.matching import first_line\n"


def changed(name: str, *changes: tuple[str, str]) -> str:
    """The course's own function with some of its code replaced."""
    source = HEAD + inspect.getsource(getattr(gap_functions, name))
    source = source.replace(source[source.index("def "):source.index("\n", source.index("def "))],
                            f"def {name}({', '.join(inspect.signature(getattr(gap_functions, name)).parameters)}):")
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


FEW = "def few_shot_prompt(examples, question):\n    text = ''.join(f'Q: {q}\\nA: {a}\\n' for q, a in examples)\n"
MISTAKES = {
    "greedy": [
        (changed("greedy", ("decode(ids[start:])", "decode(ids)")), "begins with the prompt"),
        (changed("greedy", ("lm.tokenizer.decode(ids[start:])", "ids[start:]")), "not list"),
        (changed("greedy", ("ids.append(token)", "ids = ids[:start] + [token]")), "one token came back"),
        (changed("greedy", ("[ids])", "[ids[:start]])")), "must join the ids"),
        (changed("greedy", ("range(count)", "range(count - 1)")), "one token too early"),
        (changed("greedy", ("range(count)", "range(count + 1)")), "one token too many"),
        (changed("greedy", ("lm.document_ids(text)", "lm.tokenizer.encode(text)")), "begin with lm.document_ids"),
        (changed("greedy", ("[0, -1].argmax", "[0, 0].argmax")), "FIRST token"),
        (changed("greedy", ("argmax", "argmin")), "the least likely"),
        (changed("greedy", ("            break", "            pass")), "ends its document"),
        (changed("greedy", ("        if token ==", "        ids.append(token)\n        if token =="),
                 ("            break\n        ids.append(token)", "            break")), "leave that token out"),
        ("def greedy(lm, text, count):\n    return lm.complete(text, count)", "is the ready-made loop"),
        ("def greedy(lm, text, count):\n    return int(lm.logits(lm.document_ids(text))[0, -1].argmax())",
         "write lm.logits([ids])"),
        ("def greedy(lm, text, count):\n    return lm.tokenise(text)", "greedy(lm, 'The capital of France is', 6)"),
    ],
    "ending_logprob": [
        (changed("ending_logprob", ("len(start) - 1 : -1", "len(start) :")), "the token AFTER it"),
        (changed("ending_logprob", ("    return float(sum(", "    return np.exp(sum(")), "the probability itself"),
        (changed("ending_logprob", ("    return float(sum(", "    return -float(sum(")), "right but for its sign"),
        (changed("ending_logprob", ("tail)))", "tail)) / len(tail))")), "mean over the tokens"),
        (changed("ending_logprob", ("np.log(np.exp(scores).sum(axis=1, keepdims=True))", "0"),
                 ("scores -= scores.max(axis=1, keepdims=True)", "pass")), "you added raw scores"),
        (changed("ending_logprob", ("tail)))", "tail[:1])))")), "the first token of the ending only"),
        (changed("ending_logprob", ("lm.document_ids(prompt)", "lm.tokenizer.encode(prompt)")),
         "begin with lm.document_ids"),
    ],
    "forced_choice": [
        (changed("forced_choice", (".sum()) + 1", ".sum())")), "ranks begin at 1"),
        (changed("forced_choice", ("logs > logs[right]", "logs < logs[right]")), "wrong way"),
        (changed("forced_choice", (".sum()) + 1", ".sum()) + 1 + int((logs == logs[right]).sum()) - 1")),
         "a tie is not a loss"),
        (changed("forced_choice", (" / shares.sum()", ""), (" - logs.max()", "")), "among ALL texts"),
        (changed("forced_choice", ("np.exp(logs - logs.max())", "logs")), "you divided logarithms"),
        (changed("forced_choice", (" - logs.max()", "")), "Subtract the largest"),
        (changed("forced_choice", ("float(shares[right]", "100 * float(shares[right]")), "percentage"),
        ("def forced_choice(logs, right):\n    return sum(v > logs[right] for v in logs) + 1", "return two things"),
    ],
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
        ("def opens_with_question(text):\n    return text.strip().splitlines()[0].endswith('?')",
         "strip each LINE after splitting"),
        ("def opens_with_question(text):\n    return text.strip().split('\\n')[0].endswith('?')",
         "strip each LINE after splitting"),
        ("import re\ndef opens_with_question(text):\n    return re.match(r'\\s*[^\\n]*\\?\\s*(\\n|$)', text)",
         "of a match or a list"),
        ("def opens_with_question(text):\n    print(text.endswith('?'))", "returns None"),
    ],
    "few_shot_prompt": [
        (FEW + "    return text + f'Q: {question}\\nA: '", "a space follows"),
        (FEW + "    return text + f'Q: {question}\\nA:\\n'", "not even a line break"),
        (FEW.replace("\\nA: {a}", "") + "    return text + f'Q: {question}\\nA:'", "lacks its answer"),
        (FEW + "    return text + f'Q: {question}'", "should end in 'A:'"),
        ("def few_shot_prompt(examples, question):\n    text = ''.join(f'\\nQ: {q}\\nA: {a}' for q, a in examples)\n"
         "    return f'Q: {question}' + text + '\\nA:'", "should come last"),
        (FEW.replace("{a}\\n", "{a}\\n\\n") + "    return text + f'Q: {question}\\nA:'",
         "there should be 'Q: What is t'; yours goes on with '\\nQ: What is "),
        (FEW.replace("Q: {q}", "Q:{q}") + "    return text + f'Q: {question}\\nA:'", "goes on with 'What is the "),
        (FEW + "    return 'Answer.\\n' * (not examples) + text + f'Q: {question}\\nA:'", "with no examples, "),
    ],
    "coax": [
        ("def coax(country):\n    return f'What is the capital of {country}?'", "holds a question mark"),
        ("def coax(country):\n    return f'The capital of {country} is'", "the line goes on"),
        ("def coax(country):\n    return 'Capital:'", "does not name it"),
        ("def coax(country):\n    return f'{country}\\nCapital: '", "ends in a space"),
        ("def coax(country):\n    return f'Spain\\nCapital: Madrid\\n\\n{country}\\nCapital:'",
         "that is a worked example"),
        ("def coax(country):\n    return f'Tell me about {country}'", "look like"),
        ("def coax(country):\n    return 5", "should be a text"),
    ],
}
