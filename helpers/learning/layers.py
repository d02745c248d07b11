"""The pieces of the model: each forward function, and beside it its backward.

A backward takes the gradient of its forward's output (`dy`) and what the forward saw, and gives those of the
inputs. Plain functions of arrays: no parameters are kept here, and nothing is learned.

Shapes in comments: N rows, B sequences, T positions, S positions seen, D = dim, H heads, K = D / H, F = hidden,
V = vocabulary. Sources: Zhang & Sennrich 2019 (RMSNorm), Su et al. 2021 (RoPE), Vaswani et al. 2017 (attention),
Shazeer 2020 (SwiGLU).
"""

import numpy as np

EPSILON = 1e-5  # inside RMSNorm's root
THETA = 10_000.0  # RoPE: the slowest pair turns once in about 2 pi * THETA positions


def rms_norm(x, gain):
    """Scale each row to root mean square 1, then by `gain`. x (..., D) -> y (..., D), and 1 / rms (..., 1)."""
    inverse = 1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + x.dtype.type(EPSILON))
    return x * inverse * gain, inverse


def rms_norm_backward(dy, x, inverse, gain):
    """-> dx (N, D), dgain (D,). The mean term appears because every element of a row shares the row's rms."""
    normal = x * inverse
    dgain = np.einsum("nd,nd->d", dy, normal)
    dy = dy * gain
    shared = np.einsum("nd,nd->n", dy, normal)[:, None] / x.shape[-1]
    return (dy - normal * shared) * inverse, dgain


def rope_tables(context: int, width: int, dtype=np.float32):
    """Cosines and sines (context, K / 2) of the angle by which position t turns pair i: t * THETA ** (-2i / K)."""
    angle = np.arange(context)[:, None] * THETA ** (-np.arange(0, width, 2) / width)
    return np.cos(angle).astype(dtype), np.sin(angle).astype(dtype)


def rotate(x, cos, sin):
    """RoPE, in place: turn the pairs (x[i], x[i + K/2]) of each head by the position's angle. x (B, T, ..., H, K)."""
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    shape = (1, cos.shape[0]) + (1,) * (x.ndim - 3) + (half,)
    cos, sin = cos.reshape(shape), sin.reshape(shape)
    turned = first * cos - second * sin
    second[...] = second * cos + first * sin
    first[...] = turned


def softmax(scores):
    """Over the last axis, in place."""
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores


def attention(q, k, v, attention_mask):
    """q (B, H, T, K), k and v (B, H, S, K); `attention_mask` is added to the scores: 0 or -inf, (T, S) or (B, 1, T, S).
    -> output (B, H, T, K) and weights (B, H, T, S)."""
    scores = q @ k.swapaxes(-1, -2)  # (B, H, T, S)
    scores *= q.dtype.type(q.shape[-1] ** -0.5)
    scores += attention_mask
    weights = softmax(scores)
    return weights @ v, weights


def attention_backward(dout, out, weights, q, k, v):
    """-> dq, dk, dv. The softmax's own backward is weights * (dweights - their weighted mean)."""
    dv = weights.swapaxes(-1, -2) @ dout
    dscores = dout @ v.swapaxes(-1, -2)  # (B, H, T, S)
    dscores -= np.einsum("bhtk,bhtk->bht", dout, out)[..., None]  # equals the sum of weights * dweights
    dscores *= weights
    dscores *= q.dtype.type(q.shape[-1] ** -0.5)
    return dscores @ k, dscores.swapaxes(-1, -2) @ q, dv


def swiglu(gate_up):
    """gate_up (N, 2F) -> silu(gate) * up (N, F)."""
    gate, up = np.split(gate_up, 2, axis=-1)
    return gate * sigmoid(gate) * up


def swiglu_backward(dy, gate_up):
    """-> dgate_up (N, 2F)."""
    gate, up = np.split(gate_up, 2, axis=-1)
    s = sigmoid(gate)
    dgate_up = np.empty_like(gate_up)
    dgate, dup = np.split(dgate_up, 2, axis=-1)
    np.multiply(dy, gate, out=dup)
    dup *= s  # dy * silu(gate)
    np.subtract(1.0, s, out=dgate)
    dgate *= gate
    dgate += 1.0
    dgate *= s  # the slope of silu
    dgate *= dy
    dgate *= up
    return dgate_up


def sigmoid(x):
    y = np.negative(x)
    with np.errstate(over="ignore"):  # exp overflows to inf below -88, and 1 / inf is the right answer
        np.exp(y, out=y)
    y += 1.0
    return np.reciprocal(y, out=y)


def cross_entropy(logits, targets, weights):
    """Weighted -log p(target) of each row, and the gradient of their sum. logits (M, V), targets (M,), weights (M,).

    By log-softmax, so that an impossible target costs what it costs: no `log(p + 1e-10)`, whose loss ends at 23.03.
    -> losses (M,), dlogits (M, V); `logits` is used up.
    """
    rows = np.arange(len(targets))
    logits -= logits.max(axis=-1, keepdims=True)
    right = logits[rows, targets]
    np.exp(logits, out=logits)
    total = logits.sum(axis=-1)
    losses = (np.log(total) - right) * weights
    logits *= (weights / total)[:, None]
    logits[rows, targets] -= weights
    return losses, logits
