"""A language model as one GGUF file, which llama.cpp and what is built on it (Ollama, LM Studio) run.

    float32    every number as it is
    Q8_0       matrices in blocks of 32 numbers: one float16 scale, and 32 integers from -127 to 127

Two things that go wrong in silence are done here. llama.cpp turns neighbours by RoPE (x[2i] with x[2i + 1]) where the
course turns halves (x[i] with x[i + K/2]): so the rows of the query and key matrices change places. And it takes the
cutting rule of a tokenizer from a list, by name: the course's rule gives the ids of "gpt-2".

Source: ggml's description of GGUF (docs/gguf.md); llama.cpp's converter from Hugging Face's folders.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from helpers.bridge.export import MADE_BY, chat_template, has_tokens, special_tokens
from helpers.bridge.folder import frequencies
from helpers.bridge.foreign_tokenizer import GPT2_PIECES, LLAMA3_PIECES, ForeignTokenizer
from helpers.files import write_whole
from helpers.learning.language_model import LanguageModel
from helpers.learning.layers import THETA
from helpers.text.tokenizer import LETTER_OF

VERSION, ALIGNMENT = 3, 32
F32, Q8_0 = 0, 8  # types of tensors
BLOCK, Q8_0_BYTES = 32, 34  # numbers of a block, and what they take
NORMAL, CONTROL, UNUSED = 1, 3, 5  # types of tokens
RULES = {(GPT2_PIECES,): "gpt-2", (r"\p{N}", GPT2_PIECES): "smollm", (LLAMA3_PIECES,): "llama-bpe"}  # of Llama 3
NAMES = {  # of a layer's tensors, ours and theirs
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


class Float32(float):
    """A number of metadata that is written with 32 bits."""


def save_gguf(lm: LanguageModel, path: Path, quantize: bool = False) -> None:
    """Write `lm`, whole or not at all: in float32, or, with `quantize`, its matrices in Q8_0 (a quarter of the bytes).
    ValueError where llama.cpp has no name for the tokenizer's cutting rule."""
    tensors, about = tensors_of(lm), metadata(lm, quantize)
    head = [b"GGUF", struct.pack("<IQQ", VERSION, len(tensors), len(about))]
    head += [text(key) + value_of(value) for key, value in about.items()]
    place = 0
    for name, array in tensors.items():
        kind = type_of(array, quantize)
        size = 4 * array.size if kind == F32 else array.size // BLOCK * Q8_0_BYTES
        head.append(text(name) + struct.pack("<I", array.ndim))
        head.append(struct.pack(f"<{array.ndim}QIQ", *reversed(array.shape), kind, place))  # the columns first
        place += size + -size % ALIGNMENT

    def parts() -> Iterator[bytes]:  # one tensor at a time is in memory twice
        yield b"".join(head)
        for array in tensors.values():
            yield array.astype("<f4", copy=False).tobytes() if type_of(array, quantize) == F32 else q8_0(array)

    write_whole(path, (part + b"\0" * (-len(part) % ALIGNMENT) for part in parts()))


def tensors_of(lm: LanguageModel) -> dict[str, np.ndarray]:
    """Every tensor under its name in llama.cpp. A tied output matrix is left out: it takes the embedding."""
    p, c = lm.transformer.parameters, lm.transformer.config
    tensors = {"token_embd.weight": p.embedding, "output_norm.weight": p.norm}
    if p.output is not p.embedding:
        tensors["output.weight"] = p.output
    for i in range(c.layers):
        for ours, theirs in NAMES.items():
            array = p.named[f"model.layers.{i}.{ours}.weight"]
            tensors[f"blk.{i}.{theirs}.weight"] = (
                neighbours(array, c.heads) if theirs in ("attn_q", "attn_k") else array
            )
    rope = getattr(lm.transformer, "rope_parameters", {})
    if rope.get("rope_type") == "llama3":
        plain = frequencies({**rope, "rope_type": "default"}, c.dim // c.heads)
        tensors["rope_freqs.weight"] = (plain / frequencies(rope, c.dim // c.heads)).astype(np.float32)
    return tensors


def neighbours(matrix: np.ndarray, heads: int) -> np.ndarray:
    """Rows (H * K, D) whose pairs lie half a head apart -> the same rows with the pairs side by side."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def type_of(array: np.ndarray, quantize: bool) -> int:
    """Gains, and matrices whose rows are not made of whole blocks, stay in float32."""
    return Q8_0 if quantize and array.ndim == 2 and array.shape[1] % BLOCK == 0 else F32


def q8_0(array: np.ndarray) -> bytes:
    """Each 32 numbers as a scale, largest / 127 in float16, and the nearest multiples of it."""
    blocks = array.reshape(-1, BLOCK)
    scale = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    with np.errstate(divide="ignore"):
        inverse = np.where(scale > 0, 1 / scale, 0)
    both = np.empty(len(blocks), [("scale", "<f2"), ("numbers", "i1", BLOCK)])
    both["scale"], both["numbers"] = scale[:, 0], np.rint(blocks * inverse)
    return both.tobytes()


def metadata(lm: LanguageModel, quantize: bool) -> dict:
    """Sizes, RoPE, tokenizer and chat template. A number is written with 32 bits."""
    model, c, special = lm.transformer, lm.transformer.config, lm.tokenizer.special
    rope = getattr(model, "rope_parameters", {"rope_type": "default", "rope_theta": THETA})
    about = {
        "general.architecture": "llama",
        "general.name": MADE_BY,
        "general.alignment": ALIGNMENT,
        "general.file_type": 7 if quantize else 0,
        "llama.vocab_size": c.vocab,
        "llama.context_length": c.context,
        "llama.embedding_length": c.dim,
        "llama.block_count": c.layers,
        "llama.feed_forward_length": c.hidden,
        "llama.attention.head_count": c.heads,
        "llama.attention.head_count_kv": c.heads,
        "llama.attention.layer_norm_rms_epsilon": Float32(model.epsilon),
        "llama.rope.dimension_count": c.dim // c.heads,
        "llama.rope.freq_base": Float32(rope["rope_theta"]),
    }
    if rope["rope_type"] == "linear":
        about |= {"llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": Float32(rope["factor"])}
    tokens, types, merges, rule = vocabulary(lm)
    names = special_tokens(lm)
    about |= {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": rule,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": special[names["bos_token"]],
        "tokenizer.ggml.eos_token_id": special[names["eos_token"]],
        "tokenizer.ggml.padding_token_id": special[names["pad_token"]],
        "tokenizer.ggml.add_bos_token": False,  # the template has its own, and a document's stands in its ids
    }
    if has_tokens(special, lm.template):
        about["tokenizer.chat_template"] = chat_template(lm.template, mask=False)
    return about


def vocabulary(lm: LanguageModel) -> tuple[list[str], list[int], list[str], str]:
    """-> tokens in the order of their ids, their types, merges, and llama.cpp's name for the cutting rule."""
    tokenizer, rows = lm.tokenizer, lm.transformer.config.vocab
    rule = "gpt-2"
    if isinstance(tokenizer, ForeignTokenizer):
        rule = RULES.get(tuple(tokenizer.rules))
        if rule is None:
            raise ValueError(
                f"llama.cpp has no name for this tokenizer's cutting rule, {' then '.join(tokenizer.rules)}"
            )
    word = ["".join(LETTER_OF[byte] for byte in token) for token in tokenizer.bytes_of]
    tokens, types = [], []
    for number in range(rows):
        if number in tokenizer.name_of:
            kind, token = CONTROL, tokenizer.name_of[number]
        elif number < len(word) and word[number]:
            kind, token = NORMAL, word[number]
        else:
            kind, token = UNUSED, f"[unused {number}]"
        tokens.append(token)
        types.append(kind)
    return tokens, types, [f"{word[left]} {word[right]}" for left, right in tokenizer.merges], rule


def text(string: str) -> bytes:
    """A length of 64 bits, and the text in UTF-8."""
    content = string.encode()
    return struct.pack("<Q", len(content)) + content


def value_of(value) -> bytes:
    """A value of metadata after the number of its type. Lists hold texts, or integers, which have a sign there."""
    if isinstance(value, list):
        texts = not value or isinstance(value[0], str)
        content = b"".join(text(one) if texts else struct.pack("<i", one) for one in value)
        return struct.pack("<IIQ", 9, 8 if texts else 5, len(value)) + content
    if isinstance(value, str):
        return struct.pack("<I", 8) + text(value)
    kind, form = {bool: (7, "?"), int: (4, "I"), Float32: (6, "f")}[type(value)]
    return struct.pack(f"<I{form}", kind, value)
