"""LoRA by hand: instead of moving a matrix W, learn a small correction to it, W + scale * B A.

A is (rank, inputs), B is (outputs, rank); A starts at random and B at zero, so that the model starts as it was. Only A
and B are learned. The chain rule gives their slopes from that of W: dA = scale * B^T dW and dB = scale * dW A^T, so the
model's own backward pass serves unchanged. (It computes all of dW, which real implementations save themselves.)

Not here: the training loop (training.py), dropout on the adapters, quantised weights. Source: Hu et al. 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from helpers.learning.model import Parameters

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

    def merge(self) -> None:
        """Put W + scale * B A in the place of each W."""
        for name, original in self.original.items():
            self.parameters.named[name][:] = original + self.scale * (self.b[name] @ self.a[name])

    def unmerge(self) -> None:
        """Put each W back."""
        for name, original in self.original.items():
            self.parameters.named[name][:] = original
