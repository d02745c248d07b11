"""A Llama-architecture decoder in NumPy, forward and backward by hand.

    ids -> embedding -> [ RMSNorm -> attention with RoPE -> + , RMSNorm -> SwiGLU -> + ] x layers -> RMSNorm -> logits

No biases; the output matrix is the embedding matrix itself. Parameters have the names and shapes of Hugging Face's
LlamaForCausalLM, so the weights open there unchanged. All of them lie in one flat buffer. The pieces that the two
passes are made of stand in layers.py.

Not here: dropout, grouped-query attention, biases, mixed precision; sampling (generation.py), learning (training.py).
Shapes in comments: B sequences, T positions, D = dim, H heads, K = D / H, F = hidden, V = vocabulary.
Source: Touvron et al. 2023 (LLaMA).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from helpers.learning.layers import (
    attention,
    attention_backward,
    cross_entropy,
    rms_norm,
    rms_norm_backward,
    rope_tables,
    rotate,
    swiglu,
    swiglu_backward,
)


@dataclass(frozen=True)
class Config:
    """Sizes of a model. `dim` must be a multiple of 2 x `heads`."""

    vocab: int
    dim: int = 128
    layers: int = 4
    heads: int = 4
    hidden: int = 352
    context: int = 128

    def __post_init__(self):
        if self.dim % (2 * self.heads):
            raise ValueError(f"dim {self.dim} must be a multiple of 2 x heads = {2 * self.heads}: RoPE turns pairs")


def parameter_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every parameter, in the order in which they lie in the flat buffer."""
    d, f = config.dim, config.hidden
    shapes = {"model.embed_tokens.weight": (config.vocab, d)}
    for i in range(config.layers):
        layer = {
            "input_layernorm": (d,),
            "self_attn.q_proj": (d, d),
            "self_attn.k_proj": (d, d),
            "self_attn.v_proj": (d, d),
            "self_attn.o_proj": (d, d),
            "post_attention_layernorm": (d,),
            "mlp.gate_proj": (f, d),
            "mlp.up_proj": (f, d),
            "mlp.down_proj": (d, f),
        }
        shapes |= {f"model.layers.{i}.{name}.weight": shape for name, shape in layer.items()}
    return shapes | {"model.norm.weight": (d,)}


class Parameters:
    """One flat buffer, and named views into it: changing a view changes the buffer, and the other way round.

    `named[name]` has the shapes above. Matrices that lie side by side are also seen as one: `layers[i].qkv` (3D, D)
    and `layers[i].gate_up` (2F, D), so that one product does the work of three. Gradients have the same structure.
    """

    def __init__(self, config: Config, flat: np.ndarray | None = None, dtype=np.float32):
        shapes = parameter_shapes(config)
        size = sum(int(np.prod(shape)) for shape in shapes.values())
        self.config = config
        self.flat = np.zeros(size, dtype) if flat is None else flat
        if self.flat.shape != (size,):
            raise ValueError(f"the buffer has shape {self.flat.shape}; this configuration needs ({size},)")
        self.named, start = {}, {}
        end = 0
        for name, shape in shapes.items():
            start[name], end = end, end + int(np.prod(shape))
            self.named[name] = self.flat[start[name] : end].reshape(shape)

        def joined(first: str, count: int) -> np.ndarray:
            rows, columns = shapes[first]
            return self.flat[start[first] : start[first] + count * rows * columns].reshape(count * rows, columns)

        self.embedding = self.named["model.embed_tokens.weight"]
        self.norm = self.named["model.norm.weight"]
        self.layers = []
        for i in range(config.layers):
            at = f"model.layers.{i}."
            self.layers.append(
                SimpleNamespace(
                    norm_1=self.named[at + "input_layernorm.weight"],
                    qkv=joined(at + "self_attn.q_proj.weight", 3),
                    out=self.named[at + "self_attn.o_proj.weight"],
                    norm_2=self.named[at + "post_attention_layernorm.weight"],
                    gate_up=joined(at + "mlp.gate_proj.weight", 2),
                    down=self.named[at + "mlp.down_proj.weight"],
                )
            )

    @property
    def decays(self) -> np.ndarray:
        """1 for each number to which weight decay applies, laid out as `flat`: matrices, not the norms' gains."""
        return np.concatenate([np.full(view.size, view.ndim > 1, self.flat.dtype) for view in self.named.values()])

    def initialise(self, seed: int) -> Parameters:
        """Random start: normal with deviation 0.02 for the embedding, 1 / sqrt(inputs) for matrices, less for those
        that write into the residual stream (as GPT-2 does); ones for the norms. Returns itself."""
        rng = np.random.default_rng(seed)
        for name, view in self.named.items():
            if view.ndim == 1:
                view[:] = 1.0
                continue
            deviation = 0.02 if "embed" in name else view.shape[1] ** -0.5
            if "o_proj" in name or "down_proj" in name:
                deviation /= (2 * self.config.layers) ** 0.5
            view[:] = rng.normal(0.0, deviation, view.shape)
        return self


@dataclass
class Activations:
    """What a layer's backward pass needs of its forward pass, by name. N = B * T rows."""

    x: np.ndarray  # (N, D), what came into the layer
    normed_1: np.ndarray  # (N, D), the same, normed for attention
    inverse_1: np.ndarray  # (N, 1), 1 / root mean square
    q: np.ndarray  # (B, H, T, K), turned by the position's angle, as k
    k: np.ndarray  # (B, H, S, K)
    v: np.ndarray  # (B, H, S, K)
    weights: np.ndarray  # (B, H, T, S), how much each position attends to each that it may see
    heads: np.ndarray  # (B, H, T, K), weights @ v
    joined: np.ndarray  # (N, D), the heads side by side
    middle: np.ndarray = None  # (N, D), between the layer's two halves
    normed_2: np.ndarray = None  # (N, D), the same, normed for the feed-forward half
    inverse_2: np.ndarray = None  # (N, 1)
    gate_up: np.ndarray = None  # (N, 2F)
    active: np.ndarray = None  # (N, F), what SwiGLU lets through


class Transformer:
    """Sizes, parameters, and the two passes: each half of a layer, and beside it its backward."""

    def __init__(self, parameters: Parameters):
        self.parameters, self.config = parameters, parameters.config
        config, dtype = self.config, parameters.flat.dtype
        self.cos, self.sin = rope_tables(config.context, config.dim // config.heads, dtype)
        self.causal = np.triu(np.full((config.context, config.context), -np.inf, dtype), 1)  # no looking ahead

    def forward(self, ids, tape: list | None = None, cache=None, attention_mask=None):
        """ids (B, T) -> final states (B * T, D), normed, ready for `@ embedding.T`.

        `tape` gets what the backward pass needs: a layer's Activations each, then the last x and 1 / rms. With a
        `cache` (generation.py) the ids continue earlier ones, whose keys and values are not computed again.
        `attention_mask` replaces the causal one: 0 where position t may see s, -inf where not, (T, S) or (B, 1, T, S).
        """
        p, start = self.parameters, cache.length if cache else 0
        end = start + ids.shape[1]
        if end > self.config.context:
            raise ValueError(f"{end} tokens do not fit the model's context of {self.config.context}")
        self.check(ids)
        attention_mask = self.causal[start:end, :end] if attention_mask is None else attention_mask
        x = p.embedding[ids.reshape(-1)]  # (N, D) with N = B * T
        for i, layer in enumerate(p.layers):
            attended, saved = self.attend(x, layer, ids.shape, start, attention_mask, cache and (cache, i))
            x = x + attended
            x = x + self.feed_forward(x, layer, saved)
            if tape is not None:
                tape.append(saved)
        if cache:
            cache.length = end
        final, inverse = rms_norm(x, p.norm)
        if tape is not None:
            tape.append((x, inverse))
        return final

    def backward(self, ids, targets, weights, gradients: Parameters, each=None, reached=None) -> float:
        """One forward and backward pass.

        ids, targets (B, T) int; weights (B, T): how much each position's loss counts, 0 for none. Adds the gradients
        of the weighted sum of losses to `gradients` and returns that sum. If given, `each` (B, T) gets its terms, and
        `reached` (B, T, D) the gradient that arrives at each position's embedding.
        """
        p, g, tape = self.parameters, gradients, []
        final = self.forward(ids, tape)
        counted, targets, weights, rows = self.select(final, targets, weights)
        losses, dlogits = cross_entropy(counted @ p.embedding.T, targets, weights)
        if each is not None:
            each.reshape(-1)[rows] = losses
        g.embedding += dlogits.T @ counted
        dfinal = np.zeros_like(final)
        dfinal[rows] = dlogits @ p.embedding
        x, inverse = tape.pop()
        dx, dgain = rms_norm_backward(dfinal, x, inverse, p.norm)
        g.norm += dgain
        for layer, dlayer in zip(reversed(p.layers), reversed(g.layers), strict=True):
            saved = tape.pop()
            dx = dx + self.feed_forward_backward(dx, layer, dlayer, saved)  # the gradient of x in x + f(x)
            dx = dx + self.attend_backward(dx, layer, dlayer, saved)
        np.add.at(g.embedding, ids.reshape(-1), dx)
        if reached is not None:
            reached[:] = dx.reshape(reached.shape)
        return float(losses.sum())

    def attend(self, x, layer, shape, start=0, attention_mask=None, place=None):
        """What attention adds to x (N, D), and the Activations so far. `shape` is (B, T), `start` the first position;
        `place` is (cache, number of the layer) where earlier positions are kept."""
        B, T = shape
        normed, inverse = rms_norm(x, layer.norm_1)
        qkv = (normed @ layer.qkv.T).reshape(B, T, 3, self.config.heads, -1)
        rotate(qkv[:, :, :2], self.cos[start : start + T], self.sin[start : start + T])
        q, k, v = qkv.transpose(2, 0, 3, 1, 4)  # each (B, H, T, K)
        if place:
            cache, number = place
            k, v = cache.extend(number, k, v)  # (B, H, S, K), S = start + T
        heads, weights = attention(q, k, v, attention_mask)
        joined = heads.transpose(0, 2, 1, 3).reshape(B * T, -1)  # (N, D)
        return joined @ layer.out.T, Activations(x, normed, inverse, q, k, v, weights, heads, joined)

    def attend_backward(self, dy, layer, dlayer, saved: Activations):
        """Gradient of what `attend` added, dy (N, D) -> dx (N, D); the parameters' go to `dlayer`."""
        B, H, T, K = saved.q.shape
        dlayer.out += dy.T @ saved.joined
        dheads = (dy @ layer.out).reshape(B, T, H, K).transpose(0, 2, 1, 3)  # (B, H, T, K)
        dqkv = np.empty((B, T, 3, H, K), dy.dtype)
        dqkv.transpose(2, 0, 3, 1, 4)[:] = attention_backward(
            dheads, saved.heads, saved.weights, saved.q, saved.k, saved.v
        )
        rotate(dqkv[:, :, :2], self.cos[:T], -self.sin[:T])  # the backward of a turn is the turn back
        dqkv = dqkv.reshape(B * T, -1)  # (N, 3D)
        dlayer.qkv += dqkv.T @ saved.normed_1
        dx, dgain = rms_norm_backward(dqkv @ layer.qkv, saved.x, saved.inverse_1, layer.norm_1)
        dlayer.norm_1 += dgain
        return dx

    def feed_forward(self, x, layer, saved: Activations):
        """What the feed-forward half adds to x (N, D); its activations go to `saved`."""
        saved.middle = x
        saved.normed_2, saved.inverse_2 = rms_norm(x, layer.norm_2)
        saved.gate_up = saved.normed_2 @ layer.gate_up.T  # (N, 2F)
        saved.active = swiglu(saved.gate_up)  # (N, F)
        return saved.active @ layer.down.T

    def feed_forward_backward(self, dy, layer, dlayer, saved: Activations):
        """Gradient of what `feed_forward` added, dy (N, D) -> dx (N, D); the parameters' go to `dlayer`."""
        dlayer.down += dy.T @ saved.active
        dgate_up = swiglu_backward(dy @ layer.down, saved.gate_up)  # (N, 2F)
        dlayer.gate_up += dgate_up.T @ saved.normed_2
        dx, dgain = rms_norm_backward(dgate_up @ layer.gate_up, saved.middle, saved.inverse_2, layer.norm_2)
        dlayer.norm_2 += dgain
        return dx

    def logits(self, ids):
        """ids (B, T) int -> scores of every next token (B, T, V)."""
        return (self.forward(ids) @ self.parameters.embedding.T).reshape(*ids.shape, -1)

    def loss(self, ids, targets, weights) -> float:
        """Weighted sum of the next-token losses, forward only; arguments as in `backward`."""
        counted, targets, weights, _ = self.select(self.forward(ids), targets, weights)
        return float(cross_entropy(counted @ self.parameters.embedding.T, targets, weights)[0].sum())

    def select(self, final, targets, weights):
        """Keep the positions whose loss counts: no logits are computed for instruction or padding tokens.
        final (N, D) -> (M, D), targets (M,), weights (M,), and the M row numbers."""
        rows = np.flatnonzero(weights.reshape(-1))
        targets = targets.reshape(-1)[rows]
        self.check(targets)
        return final[rows], targets, weights.reshape(-1)[rows].astype(final.dtype), rows

    def check(self, ids) -> None:
        """ValueError for ids that the model has no rows for. (NumPy would take -1 for the last; and -100, by which some
        libraries leave a target out, is a weight of 0 here.)"""
        rows = len(self.parameters.embedding)
        if ids.size and not 0 <= ids.min() <= ids.max() < rows:
            wrong = ids[(ids < 0) | (ids >= rows)].flat[0]
            raise ValueError(f"token id {wrong} is outside the model's vocabulary, 0 to {rows - 1}")
