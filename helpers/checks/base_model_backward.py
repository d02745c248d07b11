"""Checks of appendix A, where slopes go back: through RMSNorm, through SwiGLU, through a whole half of a layer."""

from types import SimpleNamespace

import numpy as np

from helpers.checks import check, close, expect, require
from helpers.learning import layers
from helpers.learning.layers import sigmoid


def course_rms_norm_backward(dy, x, gain):
    inverse = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + layers.EPSILON)
    return layers.rms_norm_backward(dy, x, inverse, gain)


def two_arrays(answer, shapes, names) -> list[np.ndarray]:
    """The learner's two gradients, of the right shapes."""
    require(answer)
    expect(isinstance(answer, tuple | list) and len(answer) == 2, f"return two arrays: {names[0]}, {names[1]}")
    arrays = [np.asarray(require(part, f"{name} is None")) for part, name in zip(answer, names, strict=True)]
    for array, shape, name in zip(arrays, shapes, names, strict=True):
        expect(
            array.shape == shape,
            f"a slope has the shape of what it belongs to: {name} should have shape {shape}; yours has {array.shape}",
        )
    return arrays


@check(course=course_rms_norm_backward)
def rms_norm_backward(backward) -> str:
    rng = np.random.default_rng(0)
    dy, x, gain = rng.normal(size=(3, 8)), rng.normal(size=(3, 8)), rng.normal(1, 0.3, 8)
    r = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + layers.EPSILON)
    normal = x / r
    answer = require(backward(dy.copy(), x.copy(), gain.copy()))
    expect(
        not (isinstance(answer, tuple | list) and [np.shape(part) for part in answer] == [(8,), (3, 8)]),
        "the two are swapped: return dx first, then dgain",
    )
    if isinstance(answer, tuple | list) and len(answer) == 2 and np.shape(answer[1]) == (3, 8):
        expect(False, "all rows share one gain, so dgain is the SUM over the rows: shape (8,), yours has (3, 8)")
    dx, dgain = two_arrays(answer, [(3, 8), (8,)], ["dx", "dgain"])
    expect(
        not close(dgain, (dy * x).sum(0)), "for dgain you multiply dy by x; the gain multiplies the NORMAL row, x / r"
    )
    expect(
        not close(dgain, (x / np.sqrt(np.mean(x * x) + layers.EPSILON) * dy).sum(0)),
        "your r is one number for all rows; each row has an r of its own: np.mean(..., axis=-1, keepdims=True)",
    )
    expect(not close(dgain, (normal * dy).mean(0)), "dgain is the sum over the rows, not their mean")
    expect(
        close(dgain, (normal * dy).sum(0), 1e-4), "dgain is not right: y = gain * (x / r), so its slope is dy * x / r"
    )
    direct = gain * dy
    expect(
        not close(dx, direct / r, 1e-4),
        "way 2 is missing: x changes r too, and r changes every element. Take the share back",
    )
    expect(not close(dx, dy / r, 1e-4), "the gain is missing in way 1, and way 2 is missing altogether")
    total = normal * np.sum(normal * direct, axis=-1, keepdims=True)
    expect(
        not close(dx, (direct - total) / r, 1e-4),
        "in way 2 you take the sum over the row where the mean is wanted: r holds a mean, so 1/D comes with it",
    )
    share = normal * np.mean(normal * direct, axis=-1, keepdims=True)
    expect(not close(dx, (dy - share) / r, 1e-4), "way 2 is right; in way 1 the gain is missing: it is g * dy / r")
    expect(not close(dx, (direct + share) / r, 1e-4), "way 2 has the wrong sign: a larger r makes all outputs smaller")
    expect(not close(dx, direct - share, 1e-4), "dx lacks the division by r")
    no_gain = normal * np.mean(normal * dy, axis=-1, keepdims=True)
    expect(
        not close(dx, (direct - no_gain) / r, 1e-4), "in way 2 the gain is missing: it is g * dy that comes back there"
    )
    alone = normal * np.mean(normal * direct)
    expect(not close(dx, (direct - alone) / r, 1e-4), "you take the mean over all rows; each row has an r of its own")
    right = (direct - share) / r
    expect(
        close(dx, right, 1e-4),
        f"dx is not right. The first row should begin {right[0, :3].round(4)}; yours begins {dx[0, :3].round(4)}",
    )
    small, _ = backward(dy.copy(), 0.003 * x, gain.copy())
    expect(
        close(small, course_rms_norm_backward(dy, 0.003 * x, gain)[0], 1e-4),
        "right for rows of usual size. For very small ones it is not: is the epsilon 1e-5 inside your root?",
    )
    return "Both ways are there: the direct one, and the one through r that every element shares."


def course_swiglu_backward(dy, gate, up):
    both = layers.swiglu_backward(dy, np.concatenate([gate, up], axis=-1))
    return tuple(np.split(both, 2, axis=-1))


@check(course=course_swiglu_backward)
def swiglu_backward(backward) -> str:
    rng = np.random.default_rng(0)
    dy, gate, up = rng.normal(size=(3, 2, 4))
    s = sigmoid(gate)
    slope = s * (1 + gate * (1 - s))
    dgate, dup = two_arrays(backward(dy.copy(), gate.copy(), up.copy()), [(2, 4)] * 2, ["dgate", "dup"])
    right_gate, right_up = dy * up * slope, dy * gate * s
    expect(not (close(dgate, right_up) and close(dup, right_gate)), "the two are swapped: return dgate first, then dup")
    expect(not close(dup, gate * s), "dup lacks dy: the chain rule multiplies by the slope that comes from above")
    expect(not close(dup, dy * gate), "for dup you multiply by the gate; the other factor of the product is silu(gate)")
    expect(
        not close(dup, dy * s), "for dup you multiply by sigmoid(gate); the other factor is silu(gate) = gate * sigmoid"
    )
    expect(
        close(dup, right_up),
        "dup is not right. With the gate held still, y = up * (a number): what is the slope in up?",
    )
    expect(not close(dgate, up * slope), "dgate lacks dy: the chain rule multiplies by the slope from above")
    expect(not close(dgate, dy * slope), "dgate lacks the factor up: everything the gate does is multiplied by it")
    expect(
        not close(dgate, dy * up * s),
        "for dgate you take silu as if it were gate * (a number); sigmoid(gate) changes too: product rule",
    )
    expect(
        not close(dgate, dy * up * s * (1 - s)),
        "s * (1 - s) is the slope of the SIGMOID; silu is gate * sigmoid(gate), so use the product rule",
    )
    expect(
        not close(dgate, dy * up * gate * s * (1 - s)),
        "of the product rule's two terms one is missing: sigmoid(gate) * 1 as well as gate * s * (1 - s)",
    )
    expect(not close(dgate, dy * up * gate * s), "for dgate you use silu itself; its SLOPE is wanted")
    expect(
        close(dgate, right_gate),
        "dgate is not right. It is dy * up * (slope of silu), and the slope of silu is s + gate * s * (1 - s)",
    )
    return f"The first entry of dgate is {dgate[0, 0]:.6f}, as it should be."


def course_feed_forward_backward(dy, saved, w, swiglu_backward, rms_norm_backward):
    dgate, dup = swiglu_backward(dy @ w.down, saved.gate, saved.up)
    dgate_up = np.concatenate([dgate, dup], axis=-1)
    dx, dgain = rms_norm_backward(dgate_up @ w.gate_up, saved.x, w.norm_2)
    return dy + dx, {"norm_2": dgain, "gate_up": dgate_up.T @ saved.normed, "down": dy.T @ saved.active}


@check(course=course_feed_forward_backward)
def feed_forward_backward(backward) -> str:
    rng = np.random.default_rng(0)
    T, D, F = 5, 4, 6
    w = SimpleNamespace(norm_2=rng.normal(1, 0.3, D), gate_up=rng.normal(size=(2 * F, D)), down=rng.normal(size=(D, F)))
    x, dy = rng.normal(size=(T, D)), rng.normal(size=(T, D))
    normed = layers.rms_norm(x, w.norm_2)[0]
    gate, up = np.split(normed @ w.gate_up.T, 2, axis=-1)
    saved = SimpleNamespace(x=x, normed=normed, gate=gate, up=up, active=gate * sigmoid(gate) * up)
    parts = course_swiglu_backward, course_rms_norm_backward
    answer = require(backward(dy.copy(), saved, w, *parts))
    expect(
        isinstance(answer, tuple | list) and len(answer) == 2 and isinstance(answer[1], dict),
        "return two things: dx, and a dict of the parameters' slopes with the keys norm_2, gate_up and down",
    )
    dx, slopes = np.asarray(require(answer[0], "dx is None")), answer[1]
    right_dx, right = course_feed_forward_backward(dy, saved, w, *parts)
    missing = [name for name in right if slopes.get(name) is None]
    expect(not missing, f"the dict lacks {', '.join(missing)}")
    down, gate_up = np.asarray(slopes["down"]), np.asarray(slopes["gate_up"])
    expect(
        down.shape != (F, D),
        "the slope of down is turned on its side: for y = a @ w.T it is dy.T @ a, shaped as w itself, (D, F)",
    )
    expect(down.shape == (D, F), f"the slope of down should have the shape of down, {(D, F)}; yours has {down.shape}")
    expect(
        close(down, right["down"]),
        "the slope of down is not right: down turned saved.active into the output, so it is dy.T @ saved.active",
    )
    expect(
        gate_up.shape == (2 * F, D),
        f"the slope of gate_up should have the shape of gate_up, {(2 * F, D)}; yours has {gate_up.shape}. "
        "Put dgate and dup side by side (np.concatenate, axis=-1) and treat them as one",
    )
    swapped = np.concatenate([right["gate_up"][F:], right["gate_up"][:F]])
    expect(not close(gate_up, swapped), "dgate and dup are side by side in the wrong order: gate comes first")
    expect(
        close(gate_up, right["gate_up"]),
        "the slope of gate_up is not right: gate_up made gate and up of saved.normed, so its factor is saved.normed",
    )
    expect(dx.shape == (T, D), f"dx should have the shape of x, {(T, D)}; yours has {dx.shape}")
    expect(
        not close(dx, right_dx - dy),
        "the slope through the part is right, the one PAST it is missing: x + feed_forward(x) hands dy on unchanged",
    )
    dgate_up = np.concatenate(course_swiglu_backward(dy @ w.down, gate, up), axis=-1)
    expect(
        not close(dx, dy + dgate_up @ w.gate_up),
        "the norm is left out: gate_up's slope belongs to the NORMED row; send it through rms_norm_backward",
    )
    wrong = course_rms_norm_backward(dgate_up @ w.gate_up, normed, w.norm_2)[0]
    expect(
        not close(dx, dy + wrong),
        "you hand saved.normed to rms_norm_backward; it wants what went INTO the norm, saved.x",
    )
    expect(close(dx, right_dx), "dx is not right: back through down, SwiGLU, gate_up and the norm, and then add dy")
    norm_2 = np.asarray(slopes["norm_2"])
    expect(
        norm_2.shape == (D,) and close(norm_2, right["norm_2"]),
        "the slope of norm_2 is not right: it is the second thing that rms_norm_backward returns",
    )
    return "A whole half of a layer, backward: through the part, past it, and the slopes of its three parameters."
