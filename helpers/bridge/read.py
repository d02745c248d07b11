"""A folder of the Llama architecture, whoever made it, as a LanguageModel of the course: NumPy alone runs it.

What the course's Transformer does not have is either turned into what it has (key and value heads that several heads
share are repeated) or given to it (RMSNorm's epsilon, RoPE's tables, an output matrix of its own). Numbers of 16 bits
become float32 as they are read, a piece at a time, so that the model is in memory once.

All is checked (folder.py, foreign_tokenizer.py) before the weights are read. `save_pretrained` writes such a model
again, with each head's own keys and values. Not here: the folder's own chat template; the course's are used.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from helpers.bridge.export import MADE_BY, chat_template, has_tokens
from helpers.bridge.folder import Llama, find_tensors, frequencies, read_config, read_json
from helpers.bridge.foreign_tokenizer import ForeignTokenizer, read_tokenizer
from helpers.bridge.weights import Tensor, read_header, read_into
from helpers.learning import fused
from helpers.learning.generation import generate
from helpers.learning.language_model import STOPS, LanguageModel
from helpers.learning.model import Config, Parameters, Transformer, parameter_shapes
from helpers.text.templates import TEMPLATES

CONTEXT = 2048  # positions that a model gets unless told otherwise: RoPE's tables grow with them


class LlamaTransformer(Transformer):
    """The course's Transformer with another epsilon and other tables of RoPE."""

    def __init__(self, parameters: Parameters, epsilon: float, rope: dict):
        self.parameters, self.config, self.dtype = parameters, parameters.config, parameters.flat.dtype
        self.epsilon, self.rope_parameters = epsilon, rope

        def tables(context, width, dtype):
            angle = np.arange(context)[:, None] * frequencies(rope, width)
            return np.cos(angle).astype(dtype), np.sin(angle).astype(dtype)

        c = self.config
        self.rope = fused.Rope(c.context, c.heads, c.dim // c.heads, self.dtype, tables)

    def backward(self, *arguments, **more):
        """As in the course, for a tied model. An output matrix of its own would get no gradient: ValueError."""
        if self.parameters.output is not self.parameters.embedding:
            raise ValueError("this model's output matrix is not its embedding; the course can run it and not tune it")
        return super().backward(*arguments, **more)

    def copy(self) -> LlamaTransformer:
        """The same model with parameters of its own."""
        p = self.parameters
        parameters = Parameters(p.config, p.flat.copy())
        if p.output is not p.embedding:
            parameters.output = p.output.copy()
        return LlamaTransformer(parameters, self.epsilon, self.rope_parameters)


@dataclass
class LlamaLanguageModel(LanguageModel):
    """A LanguageModel whose tokenizer begins and ends texts in its own way; `ends`: the ids that end them."""

    ends: tuple[int, ...] = ()

    def document_ids(self, text: str) -> list[int]:
        """The ids of a text, after what the tokenizer puts before it."""
        if isinstance(self.tokenizer, ForeignTokenizer):
            return [*self.tokenizer.prefix, *self.tokenizer.encode(text)]
        return super().document_ids(text)

    def continue_ids(self, prompts: list[list[int]], max_new_tokens: int, **sampling) -> list[list[int]]:
        """As in the course, up to a token that ends a text by the folder or by the course."""
        known = [self.tokenizer.special[name] for name in STOPS if name in self.tokenizer.special]
        stop = (*self.ends, *known)
        return generate(self.transformer, prompts, max_new_tokens, stop=stop, **sampling)

    def copy(self) -> LlamaLanguageModel:
        """The same model with parameters of its own."""
        return replace(self, transformer=self.transformer.copy(), recipe=dict(self.recipe))

    def save(self, path: Path) -> None:
        """ValueError: the course's file has no room for another epsilon, RoPE or tokenizer."""
        raise ValueError("a model of another maker is written by helpers.bridge.export.save_pretrained(lm, folder)")


def read_pretrained(folder: Path, context: int = CONTEXT) -> LlamaLanguageModel:
    """A folder with config.json, tokenizer.json and safetensors -> a model that completes and, if it has the tokens of
    one of the course's templates, answers. It gets room for `context` tokens, or its own if that is less. FileProblem,
    before any weight is read, for a folder that is damaged or that the course cannot run."""
    folder = Path(folder)
    llama = read_config(folder)
    tensors = find_tensors(folder, llama)
    path = folder / "tokenizer.json"
    tokenizer = read_tokenizer(read_json(path), path, llama.vocab)
    template, ends, recipe = template_of(folder, tokenizer), end_ids(folder), recipe_of(tensors)
    config = Config(llama.vocab, llama.dim, llama.layers, llama.heads, llama.hidden, min(context, llama.context))
    transformer = LlamaTransformer(read_parameters(tensors, llama, config), llama.epsilon, llama.rope)
    return LlamaLanguageModel(tokenizer, transformer, recipe, template, ends)


def read_parameters(tensors: dict[str, Tensor], llama: Llama, config: Config) -> Parameters:
    """All weights in float32, file by file. Key and value heads are repeated until each head has its own."""
    size = sum(math.prod(shape) for shape in parameter_shapes(config).values())
    parameters = Parameters(config, np.empty(size, np.float32))
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].path, item[1].start)):
        if name == "lm_head.weight":
            parameters.output = np.empty(tensor.shape, np.float32)
            read_into(tensor, parameters.output)
            continue
        view = parameters.named[name]
        if view.shape == tensor.shape:
            read_into(tensor, view)
            continue
        shared = np.empty(tensor.shape, np.float32)
        read_into(tensor, shared)
        width = llama.dim // llama.heads
        each = view.reshape(llama.groups, llama.heads // llama.groups, width, llama.dim)
        each[:] = shared.reshape(llama.groups, 1, width, llama.dim)
    return parameters


def template_of(folder: Path, tokenizer) -> str:
    """The course's template that an export of the course has; else the first whose markers are among the tokens."""
    path = folder / "chat_template.jinja"
    written = path.read_text("utf-8", "replace") if path.exists() else ""
    for template in TEMPLATES:
        if written == chat_template(template):
            return template
    for template in TEMPLATES:
        if has_tokens(tokenizer.special, template):
            return template
    return "chatml"


def recipe_of(tensors: dict[str, Tensor]) -> dict:
    """How the model was made, if the course made it: `save_pretrained` writes it beside the weights."""
    about = read_header(tensors["model.norm.weight"].path)[1]
    try:
        recipe = json.loads(about["recipe"]) if about.get("made by") == MADE_BY else None
    except (ValueError, KeyError, TypeError, RecursionError):
        recipe = None
    return recipe if isinstance(recipe, dict) else {"made by": "others"}


def end_ids(folder: Path) -> tuple[int, ...]:
    """The ids after which the standard library ends a text: of generation_config.json, or else of config.json."""
    for name in ("generation_config.json", "config.json"):
        if (folder / name).exists() and (ids := read_json(folder / name).get("eos_token_id")) is not None:
            return tuple(int(number) for number in (ids if isinstance(ids, list) else [ids]))
    return ()
