"""The training loop: one flat buffer of parameters, gradients from shards of the batch in a pool of threads.

NumPy gives up Python's lock inside its operations, so two threads with one BLAS thread each keep two cores busier
than BLAS's own threading can on matrices this small. The batch is always cut into the same SHARDS pieces, whose
gradients are added in the same order, so that the result does not depend on how many cores there are.

Not here: how parameters move against a gradient (optimizers.py), what is learned from (batches are a function of the
step number) and how good the model gets (evaluation.py).
Sources: Loshchilov & Hutter 2017 (cosine); Pascanu et al. 2013 (clipping).
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from helpers.learning.checkpoints import load_checkpoint, save_checkpoint
from helpers.learning.lora import Lora
from helpers.learning.model import Parameters, Transformer
from helpers.learning.optimizers import SHARDS, AdamW, Muon, spans
from helpers.learning.products import cores, one_thread
from helpers.learning.scratch import Scratch

__all__ = ["SHARDS", "AdamW", "Muon", "Recipe", "TrainingDiverged", "resume", "shard", "stream_batches", "train"]
# ids, targets (B, T) int; weights (B, T) float: 0 = not trained, below 0 = to become less likely. A fourth part, if
# there is one, is what the sum of the weighted losses is divided by; else it is the sum of the weights.
Batch = tuple[np.ndarray, np.ndarray, np.ndarray] | tuple[np.ndarray, np.ndarray, np.ndarray, float]


class TrainingDiverged(RuntimeError):
    """The loss, or the length of its gradient, is no longer a finite number."""


@dataclass(frozen=True)
class Recipe:
    """How to train. `rate` is the peak learning rate, reached after `warmup` steps and then lowered along a cosine to
    `floor` times itself; `decay` is AdamW's weight decay (on matrices only), `clip` the largest gradient norm."""

    steps: int
    rate: float
    warmup: int = 20
    floor: float = 0.05
    decay: float = 0.1
    clip: float = 1.0
    seed: int = 0

    def __post_init__(self):
        if self.steps < 1 or self.steps != int(self.steps):
            raise ValueError(f"steps {self.steps}: training needs a whole number of at least 1")
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate {self.rate}: the learning rate must be above 0, such as {1e-4}")
        if self.warmup < 0 or self.decay < 0 or not 0 <= self.floor <= 1 or not self.clip > 0:
            raise ValueError(f"{self}: warmup and decay must be 0 or more, floor 0 to 1, clip above 0")

    def rate_at(self, step: int) -> float:
        """Learning rate of `step`, counted from 0."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def shard(batch: Batch) -> list[Batch]:
    """The batch's rows in SHARDS nearly equal pieces; empty ones are left out."""
    pieces = zip(*(np.array_split(part, SHARDS) for part in batch[:3]), strict=True)
    return [piece for piece in pieces if len(piece[0])]


def train(
    model: Transformer,
    batches: Callable[[int], Batch],
    recipe: Recipe,
    *,
    checkpoint: Path | None = None,
    every: int = 200,
    on_step: Callable[[dict], bool | None] | None = None,
    parts: Callable[[int], dict[str, np.ndarray]] | None = None,
    progress: bool = True,
    threads: int | None = None,
    lora: Lora | None = None,
    optimizer: type[AdamW] = AdamW,
    run: str | None = None,
) -> list[dict]:
    """Train `model` in place; `batches(step)` gives the batch of a step, so that a resumed run sees the same ones.

    With a `checkpoint` path the state is saved there every `every` steps, and a run that finds its own unfinished
    state goes on from it (that of another run, by `run_name`, is refused); an interrupt leaves the last one saved.
    `on_step` gets each step's record and may return True to stop early. `parts(step)` names positions of the batch, as
    masks (B, T), whose mean loss is recorded apart. `threads` work at once: one a core, unless told otherwise. With
    `lora`, only its adapters learn, and their correction is merged into the model after every step. `optimizer` is
    AdamW or Muon. `run` names what is learned from, for the checkpoint, where batches hang on the model as it becomes
    and cannot be listed beforehand. Returns the records: step, loss (mean per trained token), gradient norm, rate,
    tokens, seconds; of the steps before an interruption only step and loss.
    """
    parameters = model.parameters if lora is None else lora
    how, optimizer, records = optimizer.__name__, optimizer(parameters), []
    about = {}
    if checkpoint is not None:
        about = {"run": run or run_name(model, batches, recipe, lora), "optimizer": how, **asdict(recipe)}
    if checkpoint is not None and Path(checkpoint).exists():
        records = resume(checkpoint, model, optimizer, about, lora)
    start = len(records)
    threads = min(SHARDS, threads or cores())
    gradients = [lora.slopes() if lora is not None else model.parameters.empty() for _ in range(SHARDS)]

    own = threading.local()  # a scratch for each thread

    def work(piece: Batch, each: np.ndarray, gradient: Parameters) -> float:
        scratch = own.__dict__.setdefault("scratch", Scratch(gradient.flat.dtype))
        return model.backward(*piece, gradient, each, scratch=scratch)

    def add_up(part: slice) -> float:
        """Make a part of the first shard's gradient the batch's mean gradient; -> the square of its length."""
        total = gradients[0].flat[part]
        for other in gradients[1 : len(pieces)]:
            total += other.flat[part]
        total /= counted
        return float(np.dot(total, total))

    bar = tqdm(total=recipe.steps, initial=start, disable=not progress, unit="step", mininterval=0.5)
    with one_thread(), ThreadPoolExecutor(threads) as pool, bar:
        for step in range(start, recipe.steps):
            began = time.perf_counter()
            batch = batches(step)
            pieces = shard(batch)
            counted = float(batch[3] if len(batch) > 3 else batch[2].sum())
            if not 0 < counted < math.inf:
                raise ValueError(
                    f"step {step}: the losses of this batch are to be divided by {counted}. It must be above 0: if no "
                    "position counts, check the loss mask; if weights are below 0, give the divisor as a fourth part"
                )
            losses = np.zeros(batch[2].shape, gradients[0].flat.dtype)  # (B, T)
            loss = sum(pool.map(work, pieces, np.array_split(losses, SHARDS), gradients)) / counted
            total, norm = gradients[0].flat, math.sqrt(sum(pool.map(add_up, spans(gradients[0].flat.size))))
            if not (math.isfinite(loss) and math.isfinite(norm)):
                raise TrainingDiverged(
                    f"the loss became {loss} at step {step}, its gradient {norm} long (learning rate "
                    f"{recipe.rate_at(step):.1e}). Too high a rate does this: try a tenth of it. The last saved "
                    "checkpoint is untouched."
                )
            if norm > recipe.clip:
                total *= recipe.clip / norm
            optimizer.step(total, recipe.rate_at(step), recipe.decay, step + 1, pool.map)
            if lora is not None:
                lora.merge()
            records.append(
                {
                    "step": step,
                    "loss": loss,
                    "norm": norm,
                    "rate": recipe.rate_at(step),
                    "tokens": batch[0].size,
                    "seconds": time.perf_counter() - began,
                }
            )
            for name, mask in (parts(step) if parts else {}).items():
                records[-1][name] = float(losses[mask].mean()) if mask.any() else math.nan
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            if checkpoint is not None and ((step + 1) % every == 0 or step + 1 == recipe.steps):
                save_checkpoint(
                    checkpoint,
                    model.parameters,
                    {"step": step + 1, **about},
                    {"mean": optimizer.mean, "square": optimizer.square}
                    | {"losses": np.array([record["loss"] for record in records], np.float32)}
                    | ({} if lora is None else {"adapters": lora.flat}),
                )
            if on_step is not None and on_step(records[-1]):
                break
    return records


def run_name(model: Transformer, batches: Callable[[int], Batch], recipe: Recipe, lora: Lora | None) -> str:
    """What a run starts from and reads, in a short name: SHA-256 of the parameters, the adapters and every batch (so of
    rows, template and loss too). Two runs of one name do the same."""
    digest = hashlib.sha256(model.parameters.flat.tobytes())
    if lora is not None:
        digest.update(repr((lora.shape, lora.flat.tobytes())).encode())
    for step in range(recipe.steps):
        for part in batches(step):
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def resume(path: Path, model: Transformer, optimizer: AdamW, about: dict, lora: Lora | None) -> list[dict]:
    """Take up parameters and optimizer state of an unfinished run that `about` describes; -> step and loss of each step
    that is done. ValueError if the file tells of another run."""
    parameters, saved, extra = load_checkpoint(path)
    step, adapters = saved.pop("step", None), extra.get("adapters", np.empty(0))
    other = [name for name in about if saved.get(name) != about[name]]
    whole = parameters.config == model.config and len(extra.get("losses", ())) == step
    if other or not whole or adapters.size != (0 if lora is None else lora.flat.size):
        theirs = {name: saved.get(name) for name in other if name != "run"}
        what = f"recipe {theirs}" if theirs else "other rows, base model, template, loss, batch size or adapters"
        raise ValueError(f"{path}: belongs to another run ({what}); delete it or name another file")
    model.parameters.flat[:] = parameters.flat
    if lora is not None:
        lora.flat[:] = adapters
    optimizer.mean[:], optimizer.square[:] = extra["mean"], extra["square"]
    return [{"step": number, "loss": float(loss)} for number, loss in enumerate(extra["losses"])]


def stream_batches(stream: np.ndarray, rows: int, length: int, seed: int) -> Callable[[int], Batch]:
    """Batches for pre-training: `rows` windows of `length` tokens cut at random from one long row of token ids."""
    if len(stream) <= length:
        raise ValueError(f"the text has {len(stream)} tokens, too few for windows of {length}; write more documents")
    weights = np.ones((rows, length), np.float32)

    def batch(step: int) -> Batch:
        starts = np.random.default_rng([seed, step]).integers(0, len(stream) - length, rows)
        window = stream[starts[:, None] + np.arange(length + 1)]  # (rows, length + 1)
        return window[:, :-1], window[:, 1:], weights

    return batch
