"""Models on disk, in the safetensors format: a JSON header, then the flat buffer as it lies in memory.

The header names every tensor with type, shape and place, and carries the recipe, the model's sizes and a checksum.
Nothing in the file is executed when it is read (no pickle). The format is that of the `safetensors` library, which opens these files.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from helpers.files import FileProblem, read_bytes, write_whole
from helpers.model import Config, Parameters

FORMAT = "instruction-tuning-from-scratch 1"


def save_checkpoint(path: Path, parameters: Parameters, recipe: dict, extra: dict | None = None) -> None:
    """Write parameters (float32), the `recipe` that made them, and `extra` flat arrays such as the optimizer's state;
    whole or not at all."""
    extra = extra or {}
    buffer = b"".join(array.astype("<f4", copy=False).tobytes() for array in (parameters.flat, *extra.values()))
    tensors, end = {}, 0
    for name, array in [*parameters.named.items(), *extra.items()]:
        tensors[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [end, end + 4 * array.size]}
        end += 4 * array.size
    about = {"format": FORMAT, "sizes": json.dumps(asdict(parameters.config)), "recipe": json.dumps(recipe),
             "sha256": hashlib.sha256(buffer).hexdigest()}
    header = json.dumps({"__metadata__": about, **tensors}).encode()
    header += b" " * (-len(header) % 8)  # the buffer starts at a multiple of 8
    write_whole(path, len(header).to_bytes(8, "little") + header + buffer)


def load_checkpoint(path: Path) -> tuple[Parameters, dict, dict]:
    """-> parameters, recipe, extra arrays. FileProblem if the file is damaged, cut short or not one of this course."""
    content = read_bytes(path)
    remedy = "restore it with git, or remake it with `make rebuild`"
    try:
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        about = header.pop("__metadata__")
        if about["format"] != FORMAT:
            raise KeyError("format")
        config, recipe = Config(**json.loads(about["sizes"])), json.loads(about["recipe"])
        buffer = content[8 + length :]
        checksum = about["sha256"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FileProblem(f"{path}: not a checkpoint of this course; {remedy}") from None
    if hashlib.sha256(buffer).hexdigest() != checksum:
        raise FileProblem(f"{path}: damaged ({len(buffer)} bytes of parameters do not have the checksum that the file "
                          f"states); {remedy}")
    values = np.frombuffer(buffer, "<f4").astype(np.float32)  # a copy that may be written to
    size = Parameters(config).flat.size
    parameters = Parameters(config, values[:size].copy())
    extra = {name: values[place["data_offsets"][0] // 4 : place["data_offsets"][1] // 4]
             for name, place in header.items() if name not in parameters.named}
    return parameters, recipe, extra
