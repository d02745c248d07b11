"""Models on disk, in the safetensors format: a JSON header, then the flat buffer as it lies in memory.

The header names every tensor with type, shape and place, and carries the recipe, the model's sizes and a checksum.
Nothing in the file is executed when it is read (no pickle). The format is that of the `safetensors` library, which
opens these files.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from helpers.files import FileProblem, read_bytes, write_whole
from helpers.learning.model import Config, Parameters

FORMAT = "instruction-tuning-from-scratch 1"


def checksum(header: dict, buffer: bytes) -> str:
    """SHA-256 of all that the file says, the checksum itself apart: one byte changed, in a recipe too, is noticed."""
    digest = hashlib.sha256(json.dumps(header).encode())
    digest.update(buffer)
    return digest.hexdigest()


def save_checkpoint(path: Path, parameters: Parameters, recipe: dict, extra: dict | None = None) -> None:
    """Write parameters (float32), the `recipe` that made them, and `extra` flat arrays such as the optimizer's state;
    whole or not at all."""
    extra = extra or {}
    buffer = b"".join(array.astype("<f4", copy=False).tobytes() for array in (parameters.flat, *extra.values()))
    tensors, end = {}, 0
    for name, array in [*parameters.named.items(), *extra.items()]:
        tensors[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [end, end + 4 * array.size]}
        end += 4 * array.size
    about = {"format": FORMAT, "sizes": json.dumps(asdict(parameters.config)), "recipe": json.dumps(recipe)}
    header = {"__metadata__": about, **tensors}
    about["sha256"] = checksum(header, buffer)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the buffer starts at a multiple of 8
    write_whole(path, len(text).to_bytes(8, "little") + text + buffer)


def load_checkpoint(path: Path) -> tuple[Parameters, dict, dict]:
    """-> parameters, recipe, extra arrays. FileProblem if the file is damaged, cut short or not one of this course."""
    content = read_bytes(path)
    remedy = (
        "a model of the course comes back with `git checkout data` or `make rebuild`; what a stopped training left "
        "behind can be deleted"
    )
    try:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        about, buffer = header["__metadata__"], content[8 + length :]
        if about["format"] != FORMAT:
            raise KeyError("format")
        whole = about.pop("sha256") == checksum(header, buffer)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FileProblem(f"{path}: not a checkpoint of this course; {remedy}") from None
    if not whole:
        raise FileProblem(f"{path}: damaged (its content does not have the checksum that it states); {remedy}")
    del header["__metadata__"]  # what remains is a tensor each
    config, recipe = Config(**json.loads(about["sizes"])), json.loads(about["recipe"])
    values = np.frombuffer(buffer, "<f4").astype(np.float32)  # a copy that may be written to
    size = Parameters(config).flat.size
    parameters = Parameters(config, values[:size].copy())
    extra = {
        name: values[place["data_offsets"][0] // 4 : place["data_offsets"][1] // 4]
        for name, place in header.items()
        if name not in parameters.named
    }
    return parameters, recipe, extra
