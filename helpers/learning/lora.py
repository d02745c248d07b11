"""LoRA by hand: instead of moving a matrix W, learn a small correction to it, W + scale * B A.

A is (rank, inputs), B is (outputs, rank); A starts at random and B at zero, so that the model starts as it was. Only A
and B are learned. The chain rule gives their slopes from that of W: dA = scale * B^T dW and dB = scale * dW A^T
(`gradient`). But dW = dy^T x is never needed whole: dA = scale * (dy B)^T x and dB = scale * dy^T (x A^T) are products
with thin matrices. So the backward pass hands dy and x to `LoraSlopes` in the place of a model's gradients.

Not here: the training loop (training.py), dropout on the adapters, quantised weights. Source: Hu et al. 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from helpers.learning.model import Parameters
from helpers.learning.products import product

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class LoraShape:
    """`rank` of the correction, `alpha` (scale = alpha / rank), and which of each layer's matrices are corrected."""

    rank: int = 8
    alpha: float = 16.0
    matrices: tuple[str, ...] = ATTENTION + MLP

    def __post_init__(self):
        names = () if isinstance(self.matrices, str) else self.matrices
        if not names or not set(names) <= set(ATTENTION + MLP):
            raise ValueError(
                f"LoRA corrects some of {', '.join(ATTENTION + MLP)}; got {self.matrices!r}. One alone is ('q_proj',)"
            )
        if not isinstance(self.rank, int) or self.rank < 1:
            raise ValueError(f"rank {self.rank}: a correction needs a whole number of at least 1")
        if not 0 < self.alpha < float("inf"):
            raise ValueError(f"alpha {self.alpha}: a correction of scale 0 or less learns nothing; take 16")


class Lora:
    """The adapters of a model. `flat` holds all A and B, `a[name]` and `b[name]` are views into it. `merge` writes the
    corrected matrices into the model's parameters, `unmerge` the original ones, bit for bit."""

    def __init__(self, parameters: Parameters, shape: LoraShape, seed: int = 0):
        self.parameters, self.shape, self.scale = parameters, shape, shape.alpha / shape.rank
        names = [name for name in parameters.named if name.split(".")[-2] in shape.matrices]
        self.original = {name: parameters.named[name].copy() for name in names}
        sizes = [shape.rank * sum(parameters.named[name].shape) for name in names]
        self.flat = np.zeros(sum(sizes), parameters.flat.dtype)
        self.a, self.b, start = {}, {}, 0
        rng = np.random.default_rng(seed)
        for name in names:
            outputs, inputs = parameters.named[name].shape
            middle, end = start + shape.rank * inputs, start + shape.rank * (inputs + outputs)
            self.a[name] = self.flat[start:middle].reshape(shape.rank, inputs)
            self.b[name] = self.flat[middle:end].reshape(outputs, shape.rank)
            self.a[name][:] = rng.normal(0.0, inputs**-0.5, self.a[name].shape)
            start = end

    @property
    def decays(self) -> np.ndarray:
        """1 for each number to which weight decay applies: all of them, as they are matrices."""
        return np.ones_like(self.flat)

    def gradient(self, full: Parameters) -> np.ndarray:
        """The slopes of A and B, laid out as `flat`, from those of the model's own matrices."""
        parts = []
        for name in self.original:
            slope = self.scale * full.named[name]  # (outputs, inputs)
            parts += [(self.b[name].T @ slope).reshape(-1), (slope @ self.a[name].T).reshape(-1)]
        return np.concatenate(parts)

    def slopes(self) -> LoraSlopes:
        """A place for the slopes of A and B, laid out as `flat`, that a backward pass can fill."""
        return LoraSlopes(self, np.zeros_like(self.flat))

    def merge(self) -> None:
        """Put W + scale * B A in the place of each W."""
        for name, original in self.original.items():
            matrix = product(self.b[name], self.a[name], self.parameters.named[name])
            matrix *= self.scale
            matrix += original

    def unmerge(self) -> None:
        """Put each W back."""
        for name, original in self.original.items():
            self.parameters.named[name][:] = original


class Adapter:
    """Where the slopes of one matrix's A and B go."""

    def __init__(self, lora: Lora, name: str, da: np.ndarray, db: np.ndarray):
        self.a, self.b, self.scale, self.da, self.db = lora.a[name], lora.b[name], lora.scale, da, db

    def fill_slope(self, dy: np.ndarray, x: np.ndarray) -> None:
        """What arrives at y = W x, (N, outputs), and x, (N, inputs)."""
        product(product(dy, self.b).T, x, self.da)
        product(dy.T, product(x, self.a.T), self.db)
        self.da *= self.scale
        self.db *= self.scale


class Joined:
    """Adapters of matrices that the model multiplies as one: each has its own columns of dy; some may have none."""

    def __init__(self, adapters: list[Adapter | None]):
        self.adapters = adapters

    def fill_slope(self, dy: np.ndarray, x: np.ndarray) -> None:
        for adapter, part in zip(self.adapters, np.split(dy, len(self.adapters), axis=1), strict=True):
            if adapter is not None:
                adapter.fill_slope(part, x)


class LoraSlopes:
    """Stands in the place of a model's gradients in its backward pass, and takes those of the adapters only. `flat` is
    laid out as Lora's; `embedding` None says that its slope is not wanted; the norms' gains get theirs for nothing."""

    def __init__(self, lora: Lora, flat: np.ndarray):
        self.flat, self.embedding, self.norm = flat, None, np.zeros_like(lora.parameters.norm)
        adapters, start = {}, 0
        for name, a in lora.a.items():
            b = lora.b[name]
            middle, end = start + a.size, start + a.size + b.size
            adapters[name] = Adapter(lora, name, flat[start:middle].reshape(a.shape), flat[middle:end].reshape(b.shape))
            start = end
        self.layers = []
        for i in range(lora.parameters.config.layers):
            at = f"model.layers.{i}."
            joined = [
                Joined([adapters.get(f"{at}{name}.weight") for name in names])
                for names in (
                    ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
                    ("self_attn.o_proj",),
                    ("mlp.gate_proj", "mlp.up_proj"),
                    ("mlp.down_proj",),
                )
            ]
            layer = dict(zip(("qkv", "out", "gate_up", "down"), joined, strict=True))
            gains = {name: np.zeros_like(self.norm) for name in ("norm_1", "norm_2")}
            self.layers.append(SimpleNamespace(**layer, **gains))
