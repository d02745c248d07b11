"""The speeds that the course promises, measured on this machine: `make bench`, or `python -m tests.bench`.

Each figure is the median of several repeats, with the fastest and the slowest beside it. Where PyTorch is installed,
a plain model of the same shape is trained in the same run, in turns with ours (A B A B ...), so that whatever else the
machine does slows both. No test asserts any of this: a figure belongs to a machine, and to its busyness.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from helpers import LanguageModel, load
from helpers.learning.generation import generate
from helpers.learning.language_model import MODELS_FOLDER
from helpers.learning.model import Config, Parameters, Transformer
from helpers.learning.training import Recipe, stream_batches, train
from helpers.text.corpus import write_documents
from helpers.text.facts import load_world
from helpers.text.templates import render
from helpers.text.tokenizer import train_tokenizer

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    torch = None

SHAPES = ((16, 128), (32, 64))  # rows x tokens of a training step
REPEATS, STEPS = 7, 5  # steps a repeat; the first of each repeat is not counted


def shipped(folder: Path = MODELS_FOLDER) -> tuple[LanguageModel, bool]:
    """The base model as shipped, or one of the same shape that knows nothing; and which of the two it is."""
    if (folder / "base.safetensors").exists():
        return load("base", folder), True
    tokenizer = train_tokenizer(write_documents(load_world(), 2000), 2048)
    return LanguageModel(tokenizer, Transformer(Parameters(Config(tokenizer.vocab_size)).initialise(0)), {}), False


def timed(work: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Milliseconds of each repeat, after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return times


def show(what: str, values: list[float], unit: str, promised: str = "") -> None:
    """One line: median, range, and the promise if there is one."""
    spread = f"({min(values):,.1f} to {max(values):,.1f})"
    bar = f"  promised: {promised}" if promised else ""
    print(f"{what:<44}{statistics.median(values):>12,.1f} {unit:<9} {spread}{bar}", flush=True)


# --- training ---


def numpy_trainer(config: Config, batches) -> Callable[[], float]:
    """-> a function that trains for some steps and gives tokens a second."""
    model = Transformer(Parameters(config).initialise(0))

    def run() -> float:
        records = train(model, batches, Recipe(STEPS, 1e-3), progress=False)[1:]
        return sum(record["tokens"] for record in records) / sum(record["seconds"] for record in records)

    return run


def torch_trainer(config: Config, batches) -> Callable[[], float]:
    """The same in PyTorch, eagerly, on all cores: same shape, same batches, same clipping, its own AdamW."""
    model = torch_model(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)

    def step(number: int) -> int:
        ids, targets, _ = (torch.from_numpy(np.ascontiguousarray(part)) for part in batches(number))
        optimizer.zero_grad()
        F.cross_entropy(model(ids).flatten(0, 1), targets.flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return ids.numel()

    def run() -> float:
        torch.set_num_threads(os.cpu_count() or 1)
        step(0)
        began = time.perf_counter()
        tokens = sum(step(number) for number in range(1, STEPS))
        return tokens / (time.perf_counter() - began)

    return run


def torch_model(c: Config):
    """A Llama decoder as one would write it: nn.Linear, nn.RMSNorm, scaled_dot_product_attention, tied output."""
    angle = torch.arange(c.context)[:, None] * 10_000.0 ** (-torch.arange(0, c.dim // c.heads, 2) * c.heads / c.dim)
    cos, sin = angle.cos().repeat(1, 2), angle.sin().repeat(1, 2)  # (context, K)

    def rotate(x):  # (B, H, T, K)
        first, second = x.chunk(2, dim=-1)
        return x * cos[: x.shape[2]] + torch.cat((-second, first), dim=-1) * sin[: x.shape[2]]

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm_1, self.norm_2 = nn.RMSNorm(c.dim, eps=1e-5), nn.RMSNorm(c.dim, eps=1e-5)
            self.qkv = nn.Linear(c.dim, 3 * c.dim, bias=False)
            self.out = nn.Linear(c.dim, c.dim, bias=False)
            self.gate_up = nn.Linear(c.dim, 2 * c.hidden, bias=False)
            self.down = nn.Linear(c.hidden, c.dim, bias=False)

        def forward(self, x):
            B, T, D = x.shape
            q, k, v = self.qkv(self.norm_1(x)).view(B, T, 3, c.heads, -1).permute(2, 0, 3, 1, 4)
            heads = F.scaled_dot_product_attention(rotate(q), rotate(k), v, is_causal=True)
            x = x + self.out(heads.transpose(1, 2).reshape(B, T, D))
            gate, up = self.gate_up(self.norm_2(x)).chunk(2, dim=-1)
            return x + self.down(F.silu(gate) * up)

    class Llama(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(c.vocab, c.dim)
            self.blocks = nn.Sequential(*(Block() for _ in range(c.layers)))
            self.norm = nn.RMSNorm(c.dim, eps=1e-5)

        def forward(self, ids):
            return self.norm(self.blocks(self.embedding(ids))) @ self.embedding.weight.T

    torch.manual_seed(0)
    return Llama()


def bench_training(config: Config) -> None:
    stream = np.random.default_rng(0).integers(0, config.vocab, 20_000)
    for rows, length in SHAPES:
        batches = stream_batches(stream, rows, length, 0)
        trainers = {"NumPy": numpy_trainer(config, batches)}
        if torch is not None:
            trainers[f"PyTorch {torch.__version__}"] = torch_trainer(config, batches)
        speeds: dict[str, list[float]] = {name: [] for name in trainers}
        for trainer in trainers.values():
            trainer()  # warm up
        for _ in range(REPEATS):
            for name, trainer in trainers.items():
                speeds[name].append(trainer())
        for name, values in speeds.items():
            show(f"training {rows} x {length}, {name}", values, "tokens/s")
        if torch is not None:
            ours, theirs = speeds.values()
            ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
            print(f"{f'training {rows} x {length}, NumPy : PyTorch':<44}{statistics.median(ratios):>12.2f} : 1       "
                  f"({min(ratios):.2f} to {max(ratios):.2f})")


# --- loading and writing ---


def bench_loading(lm: LanguageModel) -> None:
    """From two files on disk (lately read, so probably in memory) to a model that answers."""
    with tempfile.TemporaryDirectory() as folder:
        lm.save(Path(folder) / "base.safetensors")
        lm.tokenizer.save(Path(folder) / "tokenizer.json")
        show("load a model", timed(lambda: load("base", Path(folder))), "ms", "1,000 or less")


def bench_writing(lm: LanguageModel) -> None:
    """Greedy, never stopping early: each answer has exactly 20 tokens."""
    facts = load_world().facts[:64]
    talks = [[{"role": "user", "content": fact.say("question")}] for fact in facts]
    prompts = [render(talk, lm.template, lm.tokenizer, generate=True)[0] for talk in talks]
    with threadpool_limits(1, user_api="blas"):
        one = timed(lambda: generate(lm.transformer, prompts[:1], 20), 3 * REPEATS)
        batch = timed(lambda: generate(lm.transformer, prompts, 20))
    show("an answer of 20 tokens", one, "ms", "50 or less")
    show("64 answers of 20 tokens, in a batch", batch, "ms")
    show("64 answers of 20 tokens, in a batch", [64 * 20 * 1000 / ms for ms in batch], "tokens/s")


def main() -> None:
    lm, is_shipped = shipped()
    config = lm.transformer.config
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"{'the shipped base model' if is_shipped else 'no shipped model found: a random one'}, "
          f"{lm.transformer.parameters.flat.size:,} parameters, {config}")
    print(f"medians of {REPEATS} repeats (fastest and slowest in brackets)\n")
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5:
        print(f"NOTE: the machine is busy (load {os.getloadavg()[0]:.1f}): measure on an idle one, ratios above all.\n")
    bench_loading(lm)
    bench_writing(lm)
    if torch is None:
        print("(PyTorch is not installed, and the course does not need it; with it, its speed would stand beside ours)")
    bench_training(config)


if __name__ == "__main__":
    main()
