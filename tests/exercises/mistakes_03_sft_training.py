"""Typical wrong solutions of notebook 03, each with a piece of what its check should say."""

MISTAKES = {
    "response_loss": [
        ("def response_loss(logp, ids, start):\n    terms = [logp[t][ids[t + 1]] for t in range(start, len(ids) - 1)]\n"
         "    return -sum(terms) / max(1, len(terms))", "nobody's target"),
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
    "loss_mask": [
        ("def loss_mask(segments):\n    return [int(role == 'assistant') for role, ids in segments]", "one a token"),
        ("def loss_mask(segments):\n    return [1 for role, ids in segments for _ in ids]", "1 everywhere"),
        ("def loss_mask(segments):\n    return [int(role == 'assistant') for role, ids in segments for _ in ids]",
         "nothing teaches the model to stop"),
        ("def loss_mask(segments):\n"
         "    return [int(role in ('assistant', 'end')) for role, ids in segments for _ in ids]",
         "right behind an answer"),
        ("def loss_mask(segments):\n    mask, on = [], 0\n    for role, ids in segments:\n"
         "        on = on or role == 'assistant'\n        mask += [int(on)] * len(ids)\n    return mask",
         "stay switched on"),
        ("def loss_mask(segments):\n    mask, who = [], None\n    for role, ids in segments:\n"
         "        who = role if role != 'end' else who\n        mask += [int(who != 'assistant')] * len(ids)\n"
         "    return mask", "upside down"),
    ],
    "batch_loss": [
        ("def batch_loss(losses, mask):\n    return ((losses * mask).sum(axis=1) / mask.sum(axis=1)).mean()", "0 / 0"),
        ("import numpy as np\ndef batch_loss(losses, mask):\n"
         "    return np.nanmean((losses * mask).sum(axis=1) / mask.sum(axis=1))", "mean of row means"),
        ("def batch_loss(losses, mask):\n    return (losses * mask).mean()", "divide by all positions"),
        ("def batch_loss(losses, mask):\n    return losses.mean()", "the mask is not used"),
        ("def batch_loss(losses, mask):\n    return (losses * mask).sum() / max(1, mask.sum())",
         "raise a ValueError that says so"),
        ("def batch_loss(losses, mask):\n    return float((losses * mask).sum()) / int(mask.sum())",
         "not a ZeroDivisionError"),
    ],
}
