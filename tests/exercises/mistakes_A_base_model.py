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
    return np.tril(np.ones((count, count))) * -1e9
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
    "never_read": [
        (
            """
def never_read(table, known):
    return np.array([], int)
""",
            "no token at all",
        ),
        (
            """
def never_read(table, known):
    return np.arange(len(table))
""",
            "every token",
        ),
        (
            """
def never_read(table, known):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return unit @ unit[known] > 0.9999
""",
            "True and False",
        ),
        (
            """
def never_read(table, known):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return unit @ unit[known]
""",
            "whole numbers",
        ),
        (
            """
def never_read(table, known):
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return np.flatnonzero(unit @ unit[known] > 0.5)
""",
            "Too many false alarms",
        ),
        (
            """
def never_read(table, known):
    return np.arange(0, 256)
""",
            "Too many false alarms",
        ),
        (
            """
def never_read(table, known):
    return [known]
""",
            "Too many are missed",
        ),
        (
            """
def never_read(table, known):
    return np.flatnonzero(np.abs(np.linalg.norm(table, axis=1) - 1.788) < 0.003)
""",
            "tripled",
        ),
    ],
    "rms_norm_backward": [
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    return gain * dy / r
""",
            "two arrays",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    return gain * dy / r, (x / r * dy).sum(axis=0)
""",
            "way 2 is missing",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    return dy / r, (x / r * dy).sum(axis=0)
""",
            "the gain is missing in way 1",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return (dy - n * np.mean(n * gain * dy, axis=-1, keepdims=True)) / r, (n * dy).sum(axis=0)
""",
            "in way 1 the gain is missing",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x) + 1e-5)
    n = x / r
    return (gain * dy - n * np.mean(n * gain * dy, axis=-1, keepdims=True)) / r, (n * dy).sum(axis=0)
""",
            "one number for all rows",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return (gain * dy - n * np.sum(n * gain * dy, axis=-1, keepdims=True)) / r, (n * dy).sum(axis=0)
""",
            "the mean is wanted",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return (gain * dy + n * np.mean(n * gain * dy, axis=-1, keepdims=True)) / r, (n * dy).sum(axis=0)
""",
            "wrong sign",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return gain * dy - n * np.mean(n * gain * dy, axis=-1, keepdims=True), (n * dy).sum(axis=0)
""",
            "division by r",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return (gain * dy - n * np.mean(n * dy, axis=-1, keepdims=True)) / r, (n * dy).sum(axis=0)
""",
            "in way 2 the gain is missing",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return (gain * dy - n * np.mean(n * gain * dy)) / r, (n * dy).sum(axis=0)
""",
            "an r of its own",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return (gain * dy - n * np.mean(n * gain * dy, axis=-1, keepdims=True)) / r, n * dy
""",
            "SUM over the rows",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return (gain * dy - n * np.mean(n * gain * dy, axis=-1, keepdims=True)) / r, (x * dy).sum(axis=0)
""",
            "the NORMAL row",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return (gain * dy - n * np.mean(n * gain * dy, axis=-1, keepdims=True)) / r, (n * dy).mean(axis=0)
""",
            "not their mean",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    n = x / r
    return (n * dy).sum(axis=0), (gain * dy - n * np.mean(n * gain * dy, axis=-1, keepdims=True)) / r
""",
            "swapped",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True))
    n = x / r
    return (gain * dy - n * np.mean(n * gain * dy, axis=-1, keepdims=True)) / r, (n * dy).sum(axis=0)
""",
            "epsilon",
        ),
        (
            """
def rms_norm_backward(dy, x, gain):
    r = np.sqrt(np.mean(x * x, axis=-1) + 1e-5)
    n = x / r
    return (gain * dy - n * np.mean(n * gain * dy, axis=-1)) / r, (n * dy).sum(axis=0)
""",
            "in line 4",
        ),
    ],
    "swiglu_backward": [
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * gate * s
""",
            "two arrays",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * gate * s, dy * up * (s + gate * s * (1 - s))
""",
            "swapped",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return up * (s + gate * s * (1 - s)), dy * gate * s
""",
            "dgate lacks dy",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * up * (s + gate * s * (1 - s)), gate * s
""",
            "dup lacks dy",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * up * (s + gate * s * (1 - s)), dy * gate
""",
            "the other factor of the product",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * up * (s + gate * s * (1 - s)), dy * s
""",
            "gate * sigmoid",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * (s + gate * s * (1 - s)), dy * gate * s
""",
            "factor up",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * up * s, dy * gate * s
""",
            "product rule",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * up * s * (1 - s), dy * gate * s
""",
            "slope of the SIGMOID",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * up * gate * s * (1 - s), dy * gate * s
""",
            "one is missing",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return dy * up * gate * s, dy * gate * s
""",
            "SLOPE is wanted",
        ),
        (
            """
def swiglu_backward(dy, gate, up):
    s = 1 / (1 + np.exp(-gate))
    return (dy * up * (s + gate * s * (1 - s))).sum(axis=0), dy * gate * s
""",
            "should have shape (2, 4)",
        ),
    ],
    "feed_forward_backward": [
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    return dy + rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)[0]
""",
            "return two things",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)
    return dy + dx, {"gate_up": dgate_up.T @ saved.normed, "down": dy.T @ saved.active}
""",
            "lacks norm_2",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)
    return dx, {"norm_2": dgain, "gate_up": dgate_up.T @ saved.normed, "down": dy.T @ saved.active}
""",
            "PAST it is missing",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)
    return dy + dx, {"norm_2": dgain, "gate_up": dgate_up.T @ saved.normed, "down": saved.active.T @ dy}
""",
            "turned on its side",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)
    return dy + dx, {"norm_2": dgain, "gate_up": dgate_up.T @ saved.normed, "down": dy.T @ (saved.gate * saved.up)}
""",
            "dy.T @ saved.active",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dup, dgate], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)
    return dy + dx, {"norm_2": dgain, "gate_up": dgate_up.T @ saved.normed, "down": dy.T @ saved.active}
""",
            "gate comes first",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)
    return dy + dx, {"norm_2": dgain, "gate_up": dgate_up.T @ saved.x, "down": dy.T @ saved.active}
""",
            "made gate and up of saved.normed",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dgain = (dgate_up @ w.gate_up * saved.normed / w.norm_2).sum(axis=0)
    dx = dy + dgate_up @ w.gate_up
    return dx, {"norm_2": dgain, "gate_up": dgate_up.T @ saved.normed, "down": dy.T @ saved.active}
""",
            "the norm is left out",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.normed, w.norm_2)
    return dy + dx, {"norm_2": dgain, "gate_up": dgate_up.T @ saved.normed, "down": dy.T @ saved.active}
""",
            "what went INTO the norm",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down.T, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)
    return dy + dx, {"norm_2": dgain, "gate_up": dgate_up.T @ saved.normed, "down": dy.T @ saved.active}
""",
            "in line 3",
        ),
        (
            """
def feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)
    return dy + dx, {"norm_2": w.norm_2, "gate_up": dgate_up.T @ saved.normed, "down": dy.T @ saved.active}
""",
            "second thing that rms_norm_backward returns",
        ),
    ],
}
