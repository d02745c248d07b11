"""A model's numbers: its sizes, and one flat buffer with a name for every matrix in it.

Names and shapes are those of Hugging Face's LlamaForCausalLM, so that the weights open there unchanged. Not here: what
is computed with them (model.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np


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

    `named[name]` has the shapes above, `places[name]` is its slice of the buffer. Matrices that lie side by side are
    also seen as one: `layers[i].qkv` (3D, D) and `layers[i].gate_up` (2F, D), so that one product does the work of
    three. Gradients have the same structure.
    """

    def __init__(self, config: Config, flat: np.ndarray | None = None, dtype=np.float32):
        shapes = parameter_shapes(config)
        size = sum(int(np.prod(shape)) for shape in shapes.values())
        self.config = config
        self.flat = np.zeros(size, dtype) if flat is None else flat
        if self.flat.shape != (size,):
            raise ValueError(f"the buffer has shape {self.flat.shape}; this configuration needs ({size},)")
        self.named, self.places, end = {}, {}, 0
        for name, shape in shapes.items():
            start, end = end, end + int(np.prod(shape))
            self.places[name] = slice(start, end)
            self.named[name] = self.flat[start:end].reshape(shape)

        def joined(first: str, count: int) -> np.ndarray:
            rows, columns = shapes[first]
            start = self.places[first].start
            return self.flat[start : start + count * rows * columns].reshape(count * rows, columns)

        self.embedding = self.named["model.embed_tokens.weight"]
        self.output = self.embedding  # tied: what reads a token also scores it
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

    def empty(self) -> Parameters:
        """A buffer of the same layout, such as for gradients."""
        return Parameters(self.config, np.zeros_like(self.flat))

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
