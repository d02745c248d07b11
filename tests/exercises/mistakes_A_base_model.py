"""Typical wrong answers to the exercises of appendix A, and words that the check's message must hold."""

MISTAKES = {
    "encode_word": [
        (
            """
def encode_word(word, merges):
    return word
""",
            "returns a text",
        ),
        (
            """
def encode_word(word, merges):
    return list(word)
""",
            "holds characters",
        ),
        (
            """
def encode_word(word, merges):
    ids = [ord(letter) for letter in word]
    for number, pair in enumerate(merges, 256):
        merged, i = [], 0
        while i < len(ids):
            if tuple(ids[i:i + 2]) == pair:
                merged.append(number)
                i += 2
            else:
                merged.append(ids[i])
                i += 1
        ids = merged
    return ids
""",
            "UTF-8 BYTES",
        ),
        (
            """
def encode_word(word, merges):
    return list(word.encode("utf-8"))
""",
            "[256, 98]",
        ),
        (
            """
def encode_word(word, merges):
    ids = list(word.encode("utf-8"))
    for number, pair in enumerate(merges):
        merged, i = [], 0
        while i < len(ids):
            if tuple(ids[i:i + 2]) == pair:
                merged.append(number)
                i += 2
            else:
                merged.append(ids[i])
                i += 1
        ids = merged
    return ids
""",
            "begin at 256",
        ),
        (
            """
def encode_word(word, merges):
    ids = list(word.encode("utf-8"))
    for number, pair in enumerate(merges, 256):
        merged, i = [], 0
        while i < len(ids) - 2:
            if tuple(ids[i:i + 2]) == pair:
                merged.append(number)
                i += 2
            else:
                merged.append(ids[i])
                i += 1
        ids = merged + ids[i:]
    return ids
""",
            "last pair",
        ),
        (
            """
def encode_word(word, merges):
    ids = list(word.encode("utf-8"))
    for number, pair in enumerate(merges, 256):
        for i in range(len(ids) - 1):
            if (ids[i], ids[i + 1]) == pair:
                ids[i:i + 2] = [number]
                break
    return ids
""",
            "occurs first",
        ),
        (
            """
def encode_word(word, merges):
    ids = list(word.encode("utf-8"))
    for number, pair in enumerate(merges, 256):
        merged, i = [], 0
        while i < len(ids):
            if tuple(ids[i:i + 2]) == pair:
                merged.append(number)
                i += 1
            else:
                merged.append(ids[i])
                i += 1
        ids = merged
    return ids
""",
            "overlap",
        ),
        (
            """
def encode_word(word, merges):
    ids = list(word.encode("utf-8"))
    for number, pair in enumerate(merges, 256):
        i = len(ids) - 2
        while i >= 0:
            if (ids[i], ids[i + 1]) == pair:
                ids[i:i + 2] = [number]
                i -= 1
            i -= 1
    return ids
""",
            "from the LEFT",
        ),
        (
            """
def encode_word(word, merges):
    ids = list(word.encode("utf-8"))
    for number, pair in reversed(list(enumerate(merges, 256))):
        merged, i = [], 0
        while i < len(ids):
            if tuple(ids[i:i + 2]) == pair:
                merged.append(number)
                i += 2
            else:
                merged.append(ids[i])
                i += 1
        ids = merged
    return ids
""",
            "second merge is never applied",
        ),
    ],
    "causal_mask": [
        (
            """
def causal_mask(count):
    return [[0.0] * count for _ in range(count)]
""",
            "should be an array",
        ),
        (
            """
def causal_mask(count):
    return np.triu(np.ones((count, count)), 1) * -np.inf
""",
            "0 * inf",
        ),
        (
            """
def causal_mask(count):
    return np.tril(np.ones((count, count), bool))
""",
            "True and False",
        ),
        (
            """
def causal_mask(count):
    return np.tril(np.ones((count, count)))
""",
            "holds 0 and 1",
        ),
        (
            """
def causal_mask(count):
    return np.triu(np.full((count, count), np.inf), 1)
""",
            "minus infinity",
        ),
        (
            """
def causal_mask(count):
    return np.tril(np.full((count, count), -np.inf), -1)
""",
            "hides the past",
        ),
        (
            """
def causal_mask(count):
    return np.triu(np.full((count, count), -np.inf))
""",
            "hides the diagonal",
        ),
        (
            """
def causal_mask(count):
    return np.zeros((count, count))
""",
            "hides nothing",
        ),
        (
            """
def causal_mask(count):
    return np.triu(np.full((count, count), -np.inf), 2)
""",
            "columns 0 to t",
        ),
        (
            """
def causal_mask(count):
    return np.triu(np.full((count, count), -1e9), 1)
""",
            "should be -inf",
        ),
        (
            """
def causal_mask(count):
    return np.triu(np.full((count + 1, count + 1), -np.inf), 1)
""",
            "shape (4, 4)",
        ),
    ],
    "mean_loss": [
        (
            """
def mean_loss(logits, ids):
    top = logits.max(axis=-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return logs[np.arange(len(ids) - 1), ids[1:]].mean()
""",
            "sign is wrong",
        ),
        (
            """
def mean_loss(logits, ids):
    top = logits.max(axis=-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(ids) - 1), ids[1:]].sum()
""",
            "return the sum",
        ),
        (
            """
def mean_loss(logits, ids):
    top = logits.max(axis=-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(ids) - 1), ids[1:]].sum() / len(ids)
""",
            "one term fewer",
        ),
        (
            """
def mean_loss(logits, ids):
    top = logits.max(axis=-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(ids)), ids].mean()
""",
            "OWN token",
        ),
        (
            """
def mean_loss(logits, ids):
    top = logits.max(axis=-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return -logs[np.arange(1, len(ids)), ids[:-1]].mean()
""",
            "token BEFORE",
        ),
        (
            """
def mean_loss(logits, ids):
    top = logits.max(axis=-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return -logs[np.arange(1, len(ids) - 1), ids[2:]].mean()
""",
            "first term is missing",
        ),
        (
            """
def mean_loss(logits, ids):
    top = logits.max(axis=-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(ids) - 2), ids[1:-1]].mean()
""",
            "last term is missing",
        ),
        (
            """
def mean_loss(logits, ids):
    top = logits.max(axis=-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(ids) - 1), ids[1:]].mean() / np.log(2)
""",
            "base 2",
        ),
        (
            """
def mean_loss(logits, ids):
    top = logits.max(axis=-1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(ids) - 1), ids[1:]]
""",
            "one number",
        ),
        (
            """
def mean_loss(logits, ids):
    logits -= logits.max(axis=-1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(ids) - 1), ids[1:]].mean()
""",
            "changes the logits",
        ),
        (
            """
def mean_loss(logits, ids):
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return -logs[np.arange(len(ids) - 1), ids[1:]].mean()
""",
            "overflows",
        ),
        (
            """
def mean_loss(logits, ids):
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = p / p.sum(axis=-1, keepdims=True)
    return -np.log(p[np.arange(len(ids) - 1), ids[1:]] + 1e-10).mean()
""",
            "23.03",
        ),
    ],
    "glu_backward": [
        (
            """
def glu_backward(dy, a, b):
    s = 1 / (1 + np.exp(-b))
    return dy * s
""",
            "two arrays",
        ),
        (
            """
def glu_backward(dy, a, b):
    s = 1 / (1 + np.exp(-b))
    return dy * a * s * (1 - s), dy * s
""",
            "swapped",
        ),
        (
            """
def glu_backward(dy, a, b):
    s = 1 / (1 + np.exp(-b))
    return s, a * s * (1 - s)
""",
            "da lacks dy",
        ),
        (
            """
def glu_backward(dy, a, b):
    return dy * b, dy * a
""",
            "sigmoid(b)",
        ),
        (
            """
def glu_backward(dy, a, b):
    s = 1 / (1 + np.exp(-b))
    return dy * s, a * s * (1 - s)
""",
            "db lacks dy",
        ),
        (
            """
def glu_backward(dy, a, b):
    s = 1 / (1 + np.exp(-b))
    return dy * s, dy * a
""",
            "lacks the slope",
        ),
        (
            """
def glu_backward(dy, a, b):
    s = 1 / (1 + np.exp(-b))
    return dy * s, dy * a * s
""",
            "SLOPE",
        ),
        (
            """
def glu_backward(dy, a, b):
    s = 1 / (1 + np.exp(-b))
    return dy * s, dy * s * (1 - s)
""",
            "factor a",
        ),
        (
            """
def glu_backward(dy, a, b):
    s = 1 / (1 + np.exp(-b))
    return dy * s, dy * a * s * (s - 1)
""",
            "wrong sign",
        ),
        (
            """
def glu_backward(dy, a, b):
    s = 1 / (1 + np.exp(-b))
    return (dy * s).sum(), (dy * a * s * (1 - s)).sum()
""",
            "shape",
        ),
    ],
}
