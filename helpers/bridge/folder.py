"""What a folder of another maker says about its model: sizes, RoPE, where each tensor lies. Checked before any is read.

Whatever would make another model of the same numbers (another architecture, biases, a sliding window, other scaling of
RoPE) is refused in words, as is a folder that is damaged or whose weights are pickled, which may run anything.
Source: transformers 5.24, LlamaConfig and its functions for RoPE; the older keys as transformers 4 wrote them.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.bridge.weights import SIZES, Tensor, read_header
from helpers.files import FileProblem, read_text
from helpers.learning.parameters import Config, parameter_shapes

WEIGHTS, INDEX, CONFIG = "model.safetensors", "model.safetensors.index.json", "config.json"
AGAIN = "download or export it again"
NUMBERS = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
SCALING = {  # the settings that each type of RoPE needs
    "default": (),
    "linear": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"),
}


@dataclass(frozen=True)
class Llama:
    """A Llama's sizes, under the course's names; `groups` is the number of key and value heads."""

    vocab: int
    dim: int
    hidden: int
    layers: int
    heads: int
    groups: int
    context: int
    epsilon: float
    rope: dict
    tied: bool


def read_json(path: Path) -> dict:
    """A JSON object, or FileProblem."""
    try:
        data = json.loads(read_text(path))
        if not isinstance(data, dict):
            raise ValueError("no object")
    except FileProblem:
        raise FileProblem(f"{path}: there is no such file, or it is no text; {AGAIN}") from None
    except (ValueError, RecursionError):
        raise FileProblem(f"{path}: damaged, no JSON object; {AGAIN}") from None
    return data


def read_config(folder: Path) -> Llama:
    """config.json, if it is a Llama that the course's Transformer can be; else FileProblem."""
    path = Path(folder) / CONFIG
    if not path.exists():
        raise FileProblem(f"{folder}: has no {CONFIG}, so it is no model's folder; {AGAIN}")
    data = read_json(path)

    def refuse(what: str):
        raise FileProblem(f"{path}: {what}; the course runs models of the Llama architecture as LLaMA 1 to 3 have it")

    names, kind = data.get("architectures") or [], data.get("model_type")
    if kind != "llama" or names not in ([], ["LlamaForCausalLM"]):
        refuse(f"says {', '.join(map(str, names)) or 'no architecture'} (model_type {kind!r})")
    for key in ("attention_bias", "mlp_bias", "sliding_window", "quantization_config"):
        if data.get(key):
            refuse(f"asks for {key} {data[key]!r:.60}")
    if data.get("hidden_act", "silu") not in ("silu", "swish"):
        refuse(f"asks for hidden_act {data['hidden_act']!r}")
    heads = data.get("num_attention_heads")
    groups, context = data.get("num_key_value_heads") or heads, data.get("max_position_embeddings", 2048)
    for value in (*(data.get(key) for key in NUMBERS), groups, context):
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            refuse(f"its sizes are no positive integers ({value!r:.40} among {', '.join(NUMBERS)}, …)")
    dim = data["hidden_size"]
    if dim % (2 * heads) or heads % groups or (data.get("head_dim") or dim // heads) != dim // heads:
        refuse(f"{heads} heads, {groups} key and value heads and head_dim {data.get('head_dim')} do not fit {dim}")
    epsilon = data.get("rms_norm_eps", 1e-6)
    if not isinstance(epsilon, float | int) or not 0 <= epsilon < 1:
        refuse(f"rms_norm_eps is {epsilon!r:.40}")
    sizes = (data[key] for key in NUMBERS[:1] + NUMBERS[1:4])
    tied = bool(data.get("tie_word_embeddings", False))
    return Llama(*sizes, heads, groups, context, float(epsilon), read_rope(data, refuse), tied)


def read_rope(data: dict, refuse) -> dict:
    """RoPE's settings: from `rope_parameters` (transformers 5), or `rope_theta` and `rope_scaling` (4)."""
    new, scaling = data.get("rope_parameters"), data.get("rope_scaling")
    if not isinstance(new or {}, dict) or not isinstance(scaling or {}, dict):
        refuse("its settings of RoPE are no object")
    rope = {"rope_theta": data.get("rope_theta", 10_000.0), **(scaling or {}), **(new or {})}
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind not in SCALING:
        refuse(f"asks for RoPE of type {kind!r:.40} (known are {', '.join(SCALING)})")
    if rope.get("partial_rotary_factor", 1.0) != 1.0:
        refuse("asks for RoPE on a part of each head")
    rope = {key: rope.get(key) for key in ("rope_theta", *SCALING[kind])}
    for key, value in rope.items():
        if not isinstance(value, int | float) or not 0 < value < math.inf:
            refuse(f"RoPE's {key} is {value!r:.40}")
    return {"rope_type": kind, **rope}


def frequencies(rope: dict, width: int) -> np.ndarray:
    """(K / 2,) float64: by how much each pair turns from one position to the next."""
    frequency = rope["rope_theta"] ** (-np.arange(0, width, 2) / width)
    if rope["rope_type"] == "linear":
        return frequency / rope["factor"]
    if rope["rope_type"] == "llama3":  # slow pairs are slowed down further, quick ones are left, the rest lies between
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        turns = rope["original_max_position_embeddings"] * frequency / (2 * np.pi)  # in the original context
        quick = np.clip((turns - low) / (high - low), 0.0, 1.0)
        return frequency * (quick + (1.0 - quick) / rope["factor"])
    return frequency


def find_tensors(folder: Path, llama: Llama) -> dict[str, Tensor]:
    """Where each tensor lies. FileProblem where one is missing, of another shape or type, or not of a Llama's."""
    tensors = {}
    for path, names in shards(Path(folder)).items():
        there, _ = read_header(path)
        if names is not None and (gone := names - set(there)):
            raise FileProblem(f"{path}: {min(gone)} should be in it and is not; {AGAIN}")
        tensors |= there
    tensors = {name: tensor for name, tensor in tensors.items() if not name.endswith("rotary_emb.inv_freq")}
    expected = tensor_shapes(llama)
    if biases := sorted(name for name in tensors if name.endswith(".bias")):
        raise FileProblem(f"{folder}: has biases, such as {biases[0]}; the course's model has none")
    if gone := [name for name in expected if name not in tensors]:
        raise FileProblem(f"{folder}: {gone[0]} is missing, and {len(gone) - 1} more; {AGAIN}")
    if strange := sorted(set(tensors) - set(expected) - {"lm_head.weight"}):
        raise FileProblem(f"{folder}: holds {strange[0]}, which a Llama does not have; it is another kind of model")
    for name, shape in expected.items():
        tensor = tensors[name]
        if tensor.shape != shape:
            raise FileProblem(f"{tensor.path}: {name} has shape {tensor.shape}, and by {CONFIG} {shape}; {AGAIN}")
        if tensor.dtype not in SIZES:
            raise FileProblem(f"{tensor.path}: {name} is of type {tensor.dtype}; known are {', '.join(SIZES)}")
    return {name: tensors[name] for name in expected}


def shards(folder: Path) -> dict[Path, set[str] | None]:
    """The files with weights, and for each the names that the index says are in it (None without an index)."""
    if (folder / INDEX).exists():
        names = read_json(folder / INDEX).get("weight_map")
        if not isinstance(names, dict) or not all(isinstance(file, str) for file in names.values()):
            raise FileProblem(f"{folder / INDEX}: damaged, its weight_map names no files; {AGAIN}")
        files = sorted(set(names.values()))
        for file in files:
            if Path(file).name != file or "\\" in file:
                raise FileProblem(f"{folder / INDEX}: names {file!r}, which is outside the folder")
            if not (folder / file).exists():
                raise FileProblem(f"{folder / file}: this shard, one of {len(files)}, is missing; {AGAIN}")
        return {folder / file: {name for name in names if names[name] == file} for file in files}
    if (folder / WEIGHTS).exists():
        return {folder / WEIGHTS: None}
    pickled = sorted(file.name for pattern in ("*.bin", "*.pt", "*.pth", "*.pkl") for file in folder.glob(pattern))
    if pickled:
        raise FileProblem(
            f"{folder}: its weights are pickled ({pickled[0]}), and to open a pickle may run anything. Download the "
            f"model as {WEIGHTS}, or convert it where you trust it"
        )
    raise FileProblem(f"{folder}: has no {WEIGHTS} and no {INDEX}; {AGAIN}")


def tensor_shapes(llama: Llama) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every tensor of such a model: the course's, but for keys and values that heads share, and an
    output matrix of its own."""
    shapes = parameter_shapes(Config(llama.vocab, llama.dim, llama.layers, llama.heads, llama.hidden))
    shared = (llama.groups * (llama.dim // llama.heads), llama.dim)
    shapes |= {name: shared for name in shapes if name.endswith(("k_proj.weight", "v_proj.weight"))}
    return shapes if llama.tied else shapes | {"lm_head.weight": (llama.vocab, llama.dim)}
