"""A language model as a folder that the standard library opens: transformers' AutoModelForCausalLM and AutoTokenizer.

    model.safetensors      our parameters by their names, which are the library's: nothing is permuted or transposed
    config.json            LlamaForCausalLM; with rms_norm_eps and tie_word_embeddings, whose defaults are not ours
    generation_config.json the tokens that end an answer
    tokenizer.json         our tokenizer, as the course keeps it
    tokenizer_config.json  which tokens end, pad and begin; without it the library knows none
    chat_template.jinja    the model's template from data/templates, with the answers marked as {% generation %}

The order of RoPE's pairs is the library's too (x[i] with x[i + K/2]), so the matrices open as they are. Of a row's
"weight" the templates know nothing: there every answer is marked as trained on.
Source: transformers 5.24, LlamaConfig and PreTrainedTokenizerFast; the safetensors format as in checkpoints.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from helpers.bridge.folder import CONFIG, WEIGHTS
from helpers.bridge.weights import F32, read_header, tensor_header
from helpers.files import DATA, FileProblem, read_text
from helpers.learning.language_model import STOPS, LanguageModel
from helpers.learning.layers import THETA
from helpers.text.templates import pieces

MADE_BY = "instruction-tuning-from-scratch"
GENERATION = "generation_config.json"
TOKENIZER, TOKENIZER_CONFIG, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
FILES = (WEIGHTS, CONFIG, GENERATION, TOKENIZER, TOKENIZER_CONFIG, TEMPLATE)
DOCUMENT_END = "<|endoftext|>"
ONE_ANSWER = [{"role": "user", "content": ""}, {"role": "assistant", "content": ""}]


def save_pretrained(lm: LanguageModel, folder: Path) -> None:
    """Write `lm` as a folder, whole or not at all. An older export is replaced; FileProblem for a folder that holds
    anything else."""
    folder = Path(folder)
    see_ours(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        work.chmod(0o755)
        write_weights(work / WEIGHTS, lm)
        for name, content in texts(lm).items():
            (work / name).write_text(content, encoding="utf-8", newline="\n")
        put(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def see_ours(folder: Path) -> None:
    """FileProblem where `folder` is a file, or holds what `save_pretrained` did not write."""
    if folder.is_file():
        raise FileProblem(f"{folder}: is a file; name a folder that is new or empty")
    if not folder.exists() or not any(folder.iterdir()):
        return
    strange = sorted({file.name for file in folder.iterdir()} - set(FILES))
    try:
        ours = not strange and read_header(folder / WEIGHTS)[1].get("made by") == MADE_BY
    except FileProblem:
        ours = False
    if not ours:
        what = f", such as {strange[0]}" if strange else " of another maker"
        raise FileProblem(f"{folder}: holds files already{what}; nothing was written. Name a new or empty folder")


def put(work: Path, folder: Path) -> None:
    """Move a finished folder to its place. A folder cannot replace a full one in one step, so the old one steps aside,
    and comes back if the new one cannot take its place."""
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.old."))
    old = aside / "old"
    try:
        if folder.exists():
            os.replace(folder, old)
        os.replace(work, folder)
    except BaseException:
        if old.exists():
            os.replace(old, folder)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_weights(path: Path, lm: LanguageModel) -> None:
    """All parameters in float32, in the safetensors format: an 8-byte length, a JSON header, the numbers."""
    tensors = tensors_of(lm)
    header = tensor_header({name: (F32, view.shape) for name, view in tensors.items()})
    about = {"format": "pt", "made by": MADE_BY, "recipe": json.dumps(lm.recipe)}
    text = json.dumps({"__metadata__": about, **header}).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for view in tensors.values():
            file.write(view.astype("<f4", copy=False).tobytes())
        file.flush()
        os.fsync(file.fileno())


def tensors_of(lm: LanguageModel) -> dict:
    """Name -> array of every tensor of the file. `qkv` and `gate_up` are views of matrices that have names of their own
    already; an output matrix apart from the embedding is named as in the library."""
    p = lm.transformer.parameters
    return p.named if p.output is p.embedding else p.named | {"lm_head.weight": p.output}


def texts(lm: LanguageModel) -> dict[str, str]:
    """Name -> content of every file but the weights."""
    special, names = lm.tokenizer.special, special_tokens(lm)
    ids = {f"{name}_id": special[token] for name, token in names.items()}
    stops = [ids["eos_token_id"], *(special[name] for name in STOPS if name in special)]
    tokenizer = {
        "tokenizer_class": "PreTrainedTokenizerFast",  # the file's own cutting rule, not one by the model's type
        **names,
        "model_max_length": lm.transformer.config.context,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,  # decoded text keeps the space before its marks
    }
    data = {
        CONFIG: config_of(lm) | ids,
        GENERATION: ids | {"eos_token_id": list(dict.fromkeys(stops)), "do_sample": False},
        TOKENIZER: lm.tokenizer.as_json(),
        TOKENIZER_CONFIG: tokenizer,
    }
    written = {name: json.dumps(content, ensure_ascii=False, indent=1) + "\n" for name, content in data.items()}
    return written | ({TEMPLATE: chat_template(lm.template)} if has_tokens(special, lm.template) else {})


def special_tokens(lm: LanguageModel) -> dict[str, str]:
    """The tokens that begin a text, end an answer and pad, under the library's names. A model of another maker
    may lack the course's; then its own. ValueError where it has none that ends."""
    special, names = lm.tokenizer.special, lm.tokenizer.name_of
    ends = [template_end(lm.template), DOCUMENT_END, *(names.get(number) for number in getattr(lm, "ends", ())), *STOPS]
    end = next((name for name in ends if name in special), None)
    if end is None:
        raise ValueError("the tokenizer has no token that ends a text; the standard tools would never stop")
    pad = DOCUMENT_END if DOCUMENT_END in special else end
    first = lm.document_ids("")[:1]
    return {"bos_token": names[first[0]] if first else pad, "eos_token": end, "pad_token": pad}


def config_of(lm: LanguageModel) -> dict:
    """config.json without its token ids. `rope_theta` and `torch_dtype` are what transformers 4 reads,
    `rope_parameters` and `dtype` what 5 reads."""
    model, c, p = lm.transformer, lm.transformer.config, lm.transformer.parameters
    rope = getattr(model, "rope_parameters", {"rope_type": "default", "rope_theta": THETA})
    old = {"rope_theta": rope["rope_theta"]}
    if rope["rope_type"] != "default":
        old["rope_scaling"] = {key: value for key, value in rope.items() if key != "rope_theta"}
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": c.vocab,
        "hidden_size": c.dim,
        "intermediate_size": c.hidden,
        "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads,
        "num_key_value_heads": c.heads,
        "head_dim": c.dim // c.heads,
        "hidden_act": "silu",
        "max_position_embeddings": c.context,
        "rms_norm_eps": model.epsilon,
        "rope_parameters": rope,
        **old,
        "tie_word_embeddings": p.output is p.embedding,
        "attention_bias": False,
        "mlp_bias": False,
        "attention_dropout": 0.0,
        "torch_dtype": "float32",
        "dtype": "float32",
    }


def has_tokens(special: dict, template: str) -> bool:
    """Whether all markers of a template are among the reserved tokens."""
    return all(text in special for kind, text in pieces(ONE_ANSWER, template) if kind in ("marker", "end"))


def template_end(template: str) -> str:
    """The token that ends an answer."""
    return next(text for kind, text in pieces(ONE_ANSWER, template) if kind == "end")


def chat_template(template: str, *, mask: bool = True) -> str:
    """The template in jinja, from data/templates. Without `mask`, the answers are not marked as {% generation %}, a tag
    that transformers knows and jinja itself does not."""
    text = read_text(DATA / "templates" / f"{template}.jinja")
    return text if mask else re.sub(r"\{%- (end)?generation -%\}", "", text)
