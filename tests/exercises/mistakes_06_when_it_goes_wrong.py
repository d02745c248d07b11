"""Typical wrong solutions of notebook 06, each with a piece of what its check should say."""

EQUAL = """def equal_length(texts, words):
    rows = [text.split()[:words] for text in texts if len(text.split()) >= words]
    trigrams = [tuple(row[i : i + 3]) for row in rows for i in range(len(row) - 2)]
    return len(set(trigrams)) / len(trigrams) if trigrams else float("nan")
"""
PAIR = """def start_pair(W, rank, rng):
    outputs, inputs = W.shape
    A = rng.normal(0, inputs ** -0.5, (rank, inputs))
    return A, np.zeros((outputs, rank))
"""
GRADIENTS = "def lora_gradients(dW, A, B, scale):\n    return scale * B.T @ dW, scale * dW @ A.T\n"
DETECT = """def detect(log, reference, bar=1.5):
    names = ("loss", "perplexity", "words", "distinct at the start")
    signs = {name: np.array([entry.get(name, np.nan) for entry in log]) for name in names}
    if len(log) < 4 or not all(np.isfinite(values).all() for values in signs.values()):
        return {"cannot tell"}
    end = {name: np.median(values[-3:]) for name, values in signs.items()}
    if end["loss"] > 0.7 * log[0]["loss"]:
        return {"nothing is learned"}
    alarms = set()
    if end["perplexity"] > bar * reference["perplexity"]:
        alarms.add("forgetting")
    if end["words"] > 1.5 * reference["words"]:
        alarms.add("verbosity")
    if end["distinct at the start"] < 0.7 * reference["distinct at the start"]:
        alarms.add("style collapse")
    return alarms
"""
CURE = "from dataclasses import replace\ndef cure(plan):\n    return replace(plan, "

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
        (EQUAL.replace("text.split()[:words]", "text[:words].split()"), "you cut by letters"),
        (EQUAL.replace("text.split()[:words] for text in texts if len(text.split()) >= words",
                       "text[:words].split() for text in texts if len(text) >= words"), "first four letters"),
        (EQUAL.replace("text.split()[:words]", "list(text)[:words]"), "cut by letters"),
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
    "start_pair": [
        ("def start_pair(W, rank, rng):\n    return np.zeros((rank, W.shape[1])), np.zeros((W.shape[0], rank))",
         "nothing is ever learned"),
        (PAIR.replace("np.zeros((outputs, rank))", "rng.normal(size=(outputs, rank))"), "B should be all zeros"),
        (PAIR.replace("return A, np.zeros((outputs, rank))", "return np.zeros((outputs, rank)), A"),
         "in the wrong order"),
        (PAIR.replace("outputs, inputs = W.shape", "inputs, outputs = W.shape"), "outputs first"),
        (PAIR.replace("(rank, inputs))", "(inputs, rank))"), "yours are (400, 3)"),
        (PAIR.replace("inputs ** -0.5", "1.0"), "spread by"),
        (PAIR.replace("inputs ** -0.5", "inputs ** 0.5"), "spread by"),
        (PAIR.replace("rng.normal(0, ", "np.random.normal(0, "), "draw A from the `rng`"),
        (PAIR.replace("rng.normal(0, ", "np.random.default_rng(0).normal(0, "), "another one another"),
        (PAIR.replace("return A, ", "return "), "two arrays"),
    ],
    "corrected": [
        ("def corrected(W, A, B, scale):\n    W += scale * B @ A\n    return W", "changed W itself"),
        ("def corrected(W, A, B, scale):\n    return scale * B @ A", "add it to W"),
        ("def corrected(W, A, B, scale):\n    return W + B @ A", "the scale is missing"),
        ("def corrected(W, A, B, scale):\n    return scale * (W + B @ A)", "only, not W"),
        ("def corrected(W, A, B, scale):\n    return W + scale * A @ B", "ValueError"),
        ("def corrected(W, A, B, scale):\n    return W - scale * B @ A", "not W + scale"),
        ("def corrected(W, A, B, scale):\n    scale * B @ A", "returns None"),
    ],
    "lora_gradients": [
        ("def lora_gradients(dW, A, B, scale):\n    return scale * dW @ A.T, scale * B.T @ dW", "return dA first"),
        (GRADIENTS.replace("scale * ", ""), "the scale is missing"),
        (GRADIENTS.replace("B.T @ dW", "B @ dW"), "ValueError"),
        (GRADIENTS.replace("dW @ A.T", "A @ dW.T"), "turned over"),
        (GRADIENTS.replace("return scale * B", "return -scale * B"), "its sign"),
        ("def lora_gradients(dW, A, B, scale):\n    return scale * B.T @ dW", "two arrays"),
        ("def lora_gradients(dW, A, B, scale):\n    return scale * B.T @ dW, scale * (dW + B @ A) @ A.T",
         "dB is not"),
    ],
    "detect": [
        (DETECT.replace("""end["perplexity"] > bar * reference["perplexity"]""",
                        """end["perplexity"] > bar * log[0]["perplexity"]"""), "not with the first reading"),
        (DETECT.replace("np.median(values[-3:])", "values[-1]"), "one wild last reading"),
        (DETECT.replace("np.median(values[-3:])", "np.mean(values[-3:])"), "not their mean"),
        (DETECT.replace("np.median(values[-3:])", "values.max()"), "nothing is learned"),
        (DETECT.replace("np.median(values[-3:])", "values[-3:].min()"), "should not prevent an alarm"),
        (DETECT.replace("> bar *", "> 1.5 *"), "with bar=1.2"),
        (DETECT.replace("bar=1.5", "bar=1.25"), "which bar do you use"),
        (DETECT.replace("bar=1.5", "bar=2"), "which bar do you use"),
        (DETECT.replace(", bar=1.5", "").replace("bar *", "1.5 *"), "with bar=1.2"),
        (DETECT.replace("if end[\"words\"]", "elif end[\"words\"]").replace("if end[\"distinct", "elif end[\"distinct"),
         "in two ways at once"),
        (DETECT.replace("""< 0.7 * reference["distinct""", """> 1.5 * reference["distinct"""), "*less* is worse"),
        (DETECT.replace("""    if end["loss"] > 0.7 * log[0]["loss"]:\n        return {"nothing is learned"}\n""", ""),
         "so nothing is learned"),
        (DETECT.replace("""        return {"nothing is learned"}\n    alarms = set()""",
                        """        alarms = {"nothing is learned"}\n    else:\n        alarms = set()"""),
         "that alone is the verdict"),
        (DETECT.replace("""["distinct at the start"]:\n        alarms.add("style""",
                        """["distinct at the start"]:\n        alarms.append("style"""), "AttributeError"),
        (DETECT.replace("alarms = set()", "alarms = {}").replace("""alarms.add("forgetting")""", "pass"),
         "an empty set is set()"),
        (DETECT.replace("return alarms", "return bool(alarms)"), "return a set of names"),
        (DETECT.replace(" or not all(np.isfinite(values).all() for values in signs.values())", ""), "cannot be read"),
        (DETECT.replace("np.isfinite(values).all()", "not np.isnan(values).any()"), "infinite"),
        (DETECT.replace("entry.get(name, np.nan)", "entry[name]"), "a KeyError"),
        (DETECT.replace("len(log) < 4 or ", "len(log) < 3 or "), "too few to tell"),
    ],
    "cure": [
        (CURE + "rate=5e-4, lora=True)", "Change one"),
        (CURE + "steps=600)", "takes too long"),
        (CURE + "steps=0)", "at least 1"),
        (CURE + "steps=plan.steps / 2)", "at most"),
        (CURE + "rate=0)", "no learning rate"),
        (CURE + "replay=1.0)", "from 0 to 0.9"),
        (CURE + "long=0.5)", "changes what the rows say"),
        ("def cure(plan):\n    return plan", "nothing is changed"),
        ("from dataclasses import replace\ndef cure(plan):\n    replace(plan, rate=5e-4)\n    return plan",
         "return that one"),
        ("def cure(plan):\n    return 5e-4", "return a Plan"),
        ("def cure(plan):\n    plan.rate = 5e-4\n    return plan", "changed in place"),
    ],
}
