"""The model once more, as slowly and plainly as possible: numbers, lists and loops, from the papers' formulas.

It shares no code and no NumPy arithmetic with helpers/model.py, treats one sequence and one position at a time, and
reads parameters by their Hugging Face names. What both agree on is unlikely to be a mistake of either.
"""

import math


def matrix_times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def plus(a, b):
    return [x + y for x, y in zip(a, b, strict=True)]


def rms_norm(vector, gain):
    """Zhang & Sennrich 2019: divide by the root of the mean square."""
    root = math.sqrt(sum(x * x for x in vector) / len(vector) + 1e-5)
    return [x / root * g for x, g in zip(vector, gain, strict=True)]


def turn(vector, position):
    """RoPE (Su et al. 2021) of one head, with Hugging Face's choice of pairs: number i goes with number i + half."""
    half = len(vector) // 2
    turned = list(vector)
    for i in range(half):
        angle = position / 10_000 ** (2 * i / len(vector))
        first, second = vector[i], vector[i + half]
        turned[i] = first * math.cos(angle) - second * math.sin(angle)
        turned[i + half] = second * math.cos(angle) + first * math.sin(angle)
    return turned


def attend(query, keys, values):
    """One head at one position: a mean of the values, weighted by the softmax of the query's scores with the keys."""
    scores = [sum(q * k for q, k in zip(query, key, strict=True)) / math.sqrt(len(query)) for key in keys]
    chances = [math.exp(score) for score in scores]
    total = sum(chances)
    return [sum(c / total * v for c, v in zip(chances, column, strict=True)) for column in zip(*values, strict=True)]


def swiglu(vector, gate, up, down):
    """Shazeer 2020: down(silu(gate x) * (up x)), silu(z) = z / (1 + e^-z)."""
    gated = [z / (1 + math.exp(-z)) for z in matrix_times(gate, vector)]
    return matrix_times(down, [g * u for g, u in zip(gated, matrix_times(up, vector), strict=True)])


def logits(named, heads, ids):
    """Scores of the next token after every position of one sequence. `named`: name -> nested lists of numbers."""
    embedding = named["model.embed_tokens.weight"]
    stream = [list(embedding[token]) for token in ids]  # one vector a position
    width = len(embedding[0]) // heads
    layer = 0
    while f"model.layers.{layer}.input_layernorm.weight" in named:

        def weight(name, layer=layer):
            return named[f"model.layers.{layer}.{name}.weight"]

        keys, values, queries = [], [], []  # each [position][head], a list of `width` numbers
        for position, vector in enumerate(stream):
            normed = rms_norm(vector, weight("input_layernorm"))
            for store, name in ((queries, "q"), (keys, "k"), (values, "v")):
                long = matrix_times(weight(f"self_attn.{name}_proj"), normed)
                parts = [long[h * width : (h + 1) * width] for h in range(heads)]
                store.append(parts if name == "v" else [turn(part, position) for part in parts])
        for position in range(len(stream)):
            joined = []
            for h in range(heads):  # a position sees itself and what stands before it
                seen = range(position + 1)
                joined += attend(queries[position][h], [keys[s][h] for s in seen], [values[s][h] for s in seen])
            stream[position] = plus(stream[position], matrix_times(weight("self_attn.o_proj"), joined))
        for position, vector in enumerate(stream):
            normed = rms_norm(vector, weight("post_attention_layernorm"))
            changed = swiglu(normed, weight("mlp.gate_proj"), weight("mlp.up_proj"), weight("mlp.down_proj"))
            stream[position] = plus(vector, changed)
        layer += 1
    return [matrix_times(embedding, rms_norm(vector, named["model.norm.weight"])) for vector in stream]


def loss(named, heads, ids, targets, weights):
    """Weighted sum over positions of -log of the probability that softmax gives the target."""
    total = 0.0
    for scores, target, weight in zip(logits(named, heads, ids), targets, weights, strict=True):
        total += weight * (math.log(sum(math.exp(score) for score in scores)) - scores[target])
    return total
