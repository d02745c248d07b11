"""How parameters move against their gradient: AdamW, and Muon for the matrices inside the layers.

Both work on one flat buffer, one vector operation a line, and in parts that several workers can share. Not here: the
learning rate's course and clipping (training.py).
Sources: Loshchilov & Hutter 2019 (AdamW); Jordan et al. 2024, "Muon: an optimizer for hidden layers" (Muon).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from helpers.learning.lora import Lora
from helpers.learning.parameters import Parameters
from helpers.learning.products import product

SHARDS = 4  # pieces of whatever is shared out among workers: always so many, whoever works


class AdamW:
    """Adam with decoupled weight decay: two running means as long as the parameters. It works through the buffer in
    pieces that stay in the processor's cache, which takes half the time."""

    PIECE = 1 << 17

    def __init__(self, parameters: Parameters | Lora, beta_1: float = 0.9, beta_2: float = 0.95):
        self.parameters, self.beta_1, self.beta_2 = parameters, beta_1, beta_2
        self.mean = np.zeros_like(parameters.flat)  # of the gradient
        self.square = np.zeros_like(parameters.flat)  # of its square
        self.decays = parameters.decays  # 1 where weight decay applies
        self.parts = spans(parameters.flat.size)

    def step(self, gradient: np.ndarray, rate: float, decay: float, number: int, workers: Callable = map) -> None:
        """Move the parameters against `gradient` (flat), which is used up: it becomes the change. `number` counts the
        steps from 1, for Adam's bias correction. `workers` maps a function over parts of the buffer, as a pool does.
        The parameters change in the last line only, so an interrupted step leaves them whole."""
        list(workers(lambda part: self.change(part, gradient, rate, decay, number), self.parts))
        self.parameters.flat -= gradient

    def change(self, part: slice, gradient: np.ndarray, rate: float, decay: float, number: int) -> None:
        """Put the change of a part of the buffer into the gradient's place."""
        root = math.sqrt(1 - self.beta_2**number)
        pace = rate * root / (1 - self.beta_1**number)
        spare = np.empty(min(self.PIECE, part.stop - part.start), gradient.dtype)
        for start in range(part.start, part.stop, self.PIECE):
            piece = slice(start, min(start + self.PIECE, part.stop))
            new, mean, square = gradient[piece], self.mean[piece], self.square[piece]
            update = np.subtract(new, mean, out=spare[: new.size])
            update *= 1 - self.beta_1
            mean += update
            np.multiply(new, new, out=update)
            update -= square
            update *= 1 - self.beta_2
            square += update
            np.sqrt(square, out=update)
            update += 1e-8 * root
            np.divide(mean, update, out=new)
            new *= pace
            if decay:
                np.multiply(self.decays[piece], self.parameters.flat[piece], out=update)
                update *= rate * decay
                new += update


class Muon(AdamW):
    """Each matrix inside a layer moves by its momentum made orthogonal: by the rotation nearest to it, so that no
    direction in which the gradient is large drowns the others. The embedding and the norms' gains stay with AdamW.

    A gradient's length does not matter to an orthogonal step, so its rate is another: `ratio` times AdamW's.
    """

    MOMENTUM = 0.95
    CURVE = (3.4445, -4.775, 2.0315)  # a, b, c below
    ROUNDS = 5

    def __init__(self, parameters: Parameters, ratio: float = 20 / 3):
        if not isinstance(parameters, Parameters):
            raise ValueError("Muon moves a model's own matrices; train LoRA's adapters with AdamW")
        super().__init__(parameters)
        self.ratio = ratio
        inner = [name for name, view in parameters.named.items() if view.ndim == 2 and ".layers." in name]
        self.parts = [place for name, place in parameters.places.items() if name not in inner]
        for shape in sorted({parameters.named[name].shape for name in inner}):
            alike = [parameters.places[name] for name in inner if parameters.named[name].shape == shape]
            self.parts += [(shape, alike[part]) for part in spans(len(alike)) if alike[part]]

    def change(self, part, gradient: np.ndarray, rate: float, decay: float, number: int) -> None:
        """As AdamW's; a part may also be the places of some matrices of one shape."""
        if isinstance(part, slice):
            return super().change(part, gradient, rate, decay, number)
        shape, places = part
        moved = []
        for place in places:
            momentum, new = self.mean[place], gradient[place]
            momentum += (1 - self.MOMENTUM) * (new - momentum)
            moved.append((new + self.MOMENTUM * (momentum - new)).reshape(shape))  # Nesterov: a look ahead
        turns = orthogonal(np.stack(moved), self.CURVE, self.ROUNDS)
        turns *= self.ratio * rate * max(1.0, shape[0] / shape[1]) ** 0.5
        for place, turn in zip(places, turns, strict=True):
            gradient[place] = turn.reshape(-1)
            if decay:
                gradient[place] += self.ratio * rate * decay * self.parameters.flat[place]


def orthogonal(matrices: np.ndarray, curve: tuple[float, float, float], rounds: int) -> np.ndarray:
    """Roughly the nearest orthogonal matrices to some (M, rows, columns): all singular values near 1, from 0.7 to 1.2.

    Newton-Schulz: each round maps X to a X + b X X^T X + c (X X^T)^2 X, which leaves its singular vectors as they are
    and sends each singular value s to a s + b s^3 + c s^5. Only products, where a decomposition would be slow.
    """
    a, b, c = curve
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.swapaxes(1, 2)  # the smaller square is cheaper
    x = x / (np.sqrt(np.einsum("mij,mij->m", x, x))[:, None, None] + 1e-7)  # no singular value above 1
    for _ in range(rounds):
        square = product(x, x.swapaxes(1, 2))
        x = a * x + product(b * square + c * product(square, square), x)
    return x if wide else x.swapaxes(1, 2)


def spans(size: int) -> list[slice]:
    """A flat buffer, or a list, in SHARDS pieces, for as many workers; always the same ones, whoever works."""
    ends = [number * size // SHARDS for number in range(SHARDS + 1)]
    return [slice(start, end) for start, end in zip(ends, ends[1:], strict=False)]
