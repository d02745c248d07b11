"""Tensors in the safetensors format: their header, checked, and their numbers, read into float32 a piece at a time.

A file is an 8-byte length, a JSON header (name -> type, shape, place) and the numbers as they lie in memory. Nothing in
it is executed. Not here: the course's own checkpoints, with recipe and checksum (checkpoints.py).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.files import FileProblem

F32 = "F32"
SIZES = {F32: 4, "F16": 2, "BF16": 2}  # bytes of a number, of the types that are read
LONGEST_HEADER = 100_000_000  # bytes; the library's own limit
CHUNK = 1 << 20  # numbers that are turned into float32 at a time


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies: its file, type, shape, and first byte there."""

    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int


def tensor_header(tensors: dict[str, tuple[str, tuple[int, ...]]]) -> dict[str, dict]:
    """The header's entries of tensors, name -> (type, shape), that lie one after the other."""
    header, end = {}, 0
    for name, (dtype, shape) in tensors.items():
        start, end = end, end + SIZES[dtype] * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    return header


def read_header(path: Path) -> tuple[dict[str, Tensor], dict]:
    """-> tensors by name, and the metadata. FileProblem where the file is missing, cut short or not of this format."""
    remedy = "download or export it again"
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(size - 8, LONGEST_HEADER):
                raise ValueError("length of the header")
            header = json.loads(file.read(length))
        about = header.pop("__metadata__", {})
        tensors, end = {}, 0
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            first, last = entry["data_offsets"]
            shape = tuple(int(number) for number in entry["shape"])
            if first != end or (entry["dtype"] in SIZES and last - first != SIZES[entry["dtype"]] * math.prod(shape)):
                raise ValueError(f"place of {name}")
            tensors[name], end = Tensor(Path(path), entry["dtype"], shape, 8 + length + first), last
        if 8 + length + end != size:
            raise ValueError("length of the file")
    except FileNotFoundError:
        raise FileProblem(f"{path}: there is no such file; {remedy}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IsADirectoryError) as problem:
        raise FileProblem(f"{path}: damaged, or no safetensors file ({problem!r:.80}); {remedy}") from None
    return tensors, about if isinstance(about, dict) else {}


def read_into(tensor: Tensor, target: np.ndarray) -> None:
    """Fill `target`, float32 of the tensor's size and contiguous, with its numbers: in pieces, so that beside
    the target there is never more than one of those in memory."""
    flat = target.reshape(-1)
    assert flat.base is not None and flat.dtype == np.float32 and flat.size == math.prod(tensor.shape)
    with tensor.path.open("rb") as file:
        file.seek(tensor.start)
        for start in range(0, flat.size, CHUNK):
            part = flat[start : start + CHUNK]
            content = file.read(SIZES[tensor.dtype] * part.size)
            if tensor.dtype == F32:
                part[:] = np.frombuffer(content, "<f4")
            elif tensor.dtype == "F16":
                part[:] = np.frombuffer(content, "<f2")
            else:  # bfloat16 is the upper half of a float32
                bits = part.view(np.uint32)
                bits[:] = np.frombuffer(content, "<u2")
                bits <<= 16
