"""Typical wrong solutions of notebook 03, each with a piece of what its check should say."""

BATCH = """import numpy as np
def make_batch(rows):
    longest = max(len(ids) for ids, _ in rows)
    ids, mask = np.zeros((2, len(rows), longest), int)
    for number, (row_ids, row_mask) in enumerate(rows):
        ids[number, : len(row_ids)] = row_ids
        mask[number, : len(row_mask)] = row_mask
"""
LOSS = """import numpy as np
def masked_loss(logits, targets, weights):
    if not weights.sum():
        raise ValueError('nothing counts')
    z = logits - logits.max(axis=-1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    right = targets[..., None]
    each = -np.take_along_axis(logp, right, axis=-1)[..., 0]
    one = np.zeros_like(logp)
    np.put_along_axis(one, right, 1, axis=-1)
    share = weights / weights.sum()
"""
MOVE = """import numpy as np
def adamw_move(parameters, slope, state, rate, number, decays):
    length = np.sqrt((slope**2).sum())
    {clip}
    state["mean"] += 0.1 * (slope - state["mean"])
    state["square"] += 0.05 * (slope**2 - state["square"])
    mean, square = state["mean"] / (1 - 0.9**number), state["square"] / (1 - 0.95**number)
    {move}
    return length
"""
CLIP = "slope = slope * min(1, 1 / length)"
STEP = "rate * (mean / (np.sqrt(square) + 1e-8) + 0.1 * decays * parameters)"

MISTAKES = {
    "make_batch": [
        (BATCH + "    return ids, ids, mask", "inputs lose the last column"),
        (BATCH + "    return ids[:, :-1], ids[:, 1:], mask[:, :-1]", "has not moved with the targets"),
        (BATCH + "    return ids[:, :-1], ids[:, :-1], mask[:, 1:]", "the NEXT one"),
        (BATCH + "    return ids[:, :-1], ids[:, 1:], np.ones_like(mask[:, 1:])", "every position counts"),
        (BATCH + "    mask[ids == 0] = 1\n    return ids[:, :-1], ids[:, 1:], mask[:, 1:]", "padding counts"),
        (BATCH.replace(": len(row_ids)]", "longest - len(row_ids) :]").replace(
            ": len(row_mask)]", "longest - len(row_mask) :]")
         + "    return ids[:, :-1], ids[:, 1:], mask[:, 1:]", "on the left"),
        (BATCH + "    return ids[:, :-1]", "three arrays"),
        (BATCH.replace("longest), int)", "longest))") + "    return ids[:, :-1], ids[:, 1:], mask[:, 1:]",
         "must be an integer"),
        ("import numpy as np\ndef make_batch(rows):\n    return np.array([ids for ids, _ in rows]), 1, 2",
         "in line 3"),
    ],
    "masked_loss": [
        (LOSS + "    return (each * share).sum()", "return two things"),
        (LOSS + "    return each.mean(), (np.exp(logp) - one) * share[..., None]", "the weights are not used"),
        (LOSS + "    return (each * weights).mean(), (np.exp(logp) - one) * share[..., None]", "by all positions"),
        (LOSS + "    return (each * weights).sum(), (np.exp(logp) - one) * weights[..., None]", "that is the sum"),
        (LOSS + "    rows = (each * weights).sum(1) / weights.sum(1)\n"
         "    return np.nanmean(rows), (np.exp(logp) - one) * share[..., None]", "mean of row means"),
        (LOSS + "    return -(each * share).sum(), (np.exp(logp) - one) * share[..., None]", "but for its sign"),
        (LOSS + "    return (each * share).sum(), (one - np.exp(logp)) * share[..., None]", "wrong sign"),
        (LOSS + "    return (each * share).sum(), (np.exp(logp) - one) * weights[..., None]", "lacks the division"),
        (LOSS + "    return (each * share).sum(), (np.exp(logp) - one) / weights.sum()", "trained too"),
        (LOSS + "    return (each * share).sum(), np.exp(logp) * share[..., None]", "not yet taken off"),
        (LOSS.replace("logits - logits.max(axis=-1, keepdims=True)", "logits")
         + "    return (each * share).sum(), (np.exp(logp) - one) * share[..., None]", "overflow"),
        (LOSS.replace("z = logits - logits.max(axis=-1, keepdims=True)", "logits -= logits.max(-1, keepdims=True)\n"
                      "    z = logits") + "    return (each * share).sum(), (np.exp(logp) - one) * share[..., None]",
         "work on a copy"),
        (LOSS + "    on = weights > 0\n"
         "    return each[on].mean(), (np.exp(logp) - one) * (on / on.sum())[..., None]", "do not pick by them"),
        (LOSS.replace("if not weights.sum():\n        raise ValueError('nothing counts')", "pass")
         + "    return (each * share).sum(), (np.exp(logp) - one) * share[..., None]", "raise a ValueError"),
    ],
    "adamw_move": [
        (MOVE.format(clip=CLIP, move=f"parameters = parameters - {STEP}"), "did not move"),
        (MOVE.format(clip=CLIP, move=f"parameters += {STEP}"), "WITH the slope"),
        (MOVE.format(clip="pass", move=f"parameters -= {STEP}"), "must be shortened"),
        (MOVE.format(clip=CLIP, move=f"parameters -= {STEP}").replace("return length", "pass"), "slope's length"),
        (MOVE.format(clip="slope = slope / length", move=f"parameters -= {STEP}").replace("1e-8", "1e-3"), "one step"),
        (MOVE.format(clip=CLIP, move=f"parameters -= {STEP}").replace("/ (1 - 0.9**number)", "").replace(
            "/ (1 - 0.95**number)", ""), "too short"),
        (MOVE.format(clip="slope = slope / length", move=f"parameters -= {STEP}"), "was stretched to length 1"),
        (MOVE.format(clip=CLIP, move=f"parameters -= {STEP}").replace(
            "    mean, square =", '    state["mean"], state["square"] =').replace(
            "    parameters -=", '    mean, square = state["mean"], state["square"]\n    parameters -='),
         "Divide copies"),
        (MOVE.format(clip=CLIP, move="parameters -= rate * mean / (np.sqrt(square) + 1e-8)"), "weight decay"),
        (MOVE.format(clip=CLIP, move=f"parameters -= {STEP.replace(' * decays', '')}"), "not to shrink"),
        (MOVE.format(clip=CLIP, move=f"parameters -= {STEP}").replace("0.1 * (slope", "0.5 * (slope").replace(
            "0.9**", "0.5**"), "the third is not"),
        (MOVE.format(clip=CLIP, move=f"parameters -= {STEP}").replace(
            'state["mean"] +=', 'fresh = state["mean"] +').replace('state["mean"] / (', "fresh / ("), "two means"),
    ],
    "response_loss": [
        ("def response_loss(logp, ids, start):\n    terms = [logp[t][ids[t + 1]] for t in range(start, len(ids) - 1)]\n"
         "    return -sum(terms) / max(1, len(terms))", "still has loss 0"),
        ("def response_loss(logp, ids, start):\n    terms = [logp[t][ids[t + 1]] for t in range(start, len(ids))]\n"
         "    return -sum(terms) / max(1, len(terms))", "runs past the end"),
        ("def response_loss(logp, ids, start):\n"
         "    terms = [logp[t][ids[t + 1]] for t in range(start - 1, len(ids) - 2)]\n"
         "    return -sum(terms) / max(1, len(terms))", "LAST token"),
        ("def response_loss(logp, ids, start):\n"
         "    terms = [logp[t][ids[t + 1]] for t in range(start - 1, len(ids) - 1)]\n"
         "    return -sum(terms) / (len(terms) - 1)", "one less than there are"),
        ("import numpy as np\ndef response_loss(logp, ids, start):\n"
         "    return -np.mean([logp[i][ids[i]] for i in range(start, len(ids))])", "token i is predicted at i - 1"),
        ("import numpy as np\ndef response_loss(logp, ids, start):\n"
         "    return -np.mean([logp[i - 1][ids[i]] for i in range(start - 1 if start < 5 else 5, len(ids))])",
         "one token too many"),
        ("def response_loss(logp, ids, start):\n    return -sum(logp[i - 1][ids[i]] for i in range(start, len(ids)))",
         "the mean was asked for"),
        ("import numpy as np\ndef response_loss(logp, ids, start):\n"
         "    return np.mean([logp[i - 1][ids[i]] for i in range(start, len(ids))])", "but for its sign"),
    ],
    "my_recipe": [
        ("def my_recipe():\n    return 20, 1e-3", "return a dict"),
        ("def my_recipe():\n    return dict(steps=100, rate=1e-4)", "are the most"),
        ("def my_recipe():\n    return dict(steps=20, rate=1e-4, epochs=3)", "no setting called 'epochs'"),
        ("def my_recipe():\n    return dict(steps=20, rate=5e-4)", "forgotten more"),
        ("def my_recipe():\n    return dict(steps=10, rate=1e-4)", "not learned enough"),
    ],
}
