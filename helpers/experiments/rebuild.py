"""Everything that is shipped, made from nothing: `make rebuild` writes the tokenizer, both models and their figures.

    world (CSV) -> documents -> tokenizer -> base model -> tuned model -> data/models, data/results

The same code with other seeds (`make results`) says how much of a figure is luck. What was tried and did not work
stands in data/results/README.md. Not here: the recipe itself (learning/recipe.py).
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

import numpy as np

from helpers.experiments.headline import measure
from helpers.files import write_whole
from helpers.learning.language_model import MODELS_FOLDER
from helpers.learning.recipe import (
    CORPUS_SEED,
    DOCUMENTS,
    PRETRAINING,
    SEEDS,
    base_model,
    course_stream,
    course_tokenizer,
    new_base,
    pretrain,
    tokenize,
    unfinished,
)
from helpers.learning.sft import fine_tune, tuned_model
from helpers.results import RESULTS_FOLDER, read_results, write_results
from helpers.text.corpus import write_documents
from helpers.text.datasets import write_dataset
from helpers.text.facts import load_world
from helpers.text.instructions import DATASET_FILE, instruction_rows, whole_dataset
from helpers.text.preferences import PREFERENCES_FILE, shipped_pairs, write_pairs


def rebuild(models: Path = MODELS_FOLDER, results: Path = RESULTS_FOLDER) -> None:
    """Make and store what the course ships, with seconds a phase. An interrupted pre-training goes on where it was."""
    seconds, began = {}, time.perf_counter()

    def lap(phase: str) -> None:
        seconds[phase] = round(time.perf_counter() - began - sum(seconds.values()), 1)
        print(f"{phase}: {seconds[phase]} s", flush=True)

    world = load_world()
    documents = write_documents(world, DOCUMENTS, CORPUS_SEED, seldom=True)
    write_whole(models.parent / "corpus_sample.txt", "\n\n-----\n\n".join(documents[:200]).encode())
    write_dataset(models.parent / DATASET_FILE.name, whole_dataset(world))
    write_pairs(models.parent / PREFERENCES_FILE.name, shipped_pairs(world))
    lap("write corpus and dataset")
    tokenizer = course_tokenizer(documents, world)
    base, stream = new_base(tokenizer, PRETRAINING.seed), tokenize(documents, tokenizer)
    lap("train the tokenizer and encode")
    checkpoint = unfinished(models, stream, PRETRAINING)
    records = pretrain(base, stream, PRETRAINING, checkpoint=checkpoint)
    lap("pre-train")
    tuned, tuning = fine_tune(base, instruction_rows(world))
    lap("tune")
    rows = measure(base, tuned, world, 0)
    lap("measure")
    tokenizer.save(models / "tokenizer.json")
    base.save(models / "base.safetensors")
    tuned.save(models / "tuned.safetensors")
    write_results("shipped", rows, results)
    for name, log in (("pretraining_loss", records), ("tuning_loss", tuning)):
        write_results(name, [{"step": one["step"], "loss": round(one["loss"], 5)} for one in log], results)
    about = {
        "seconds": seconds,
        "tokens": int(stream.size),
        "numpy": np.__version__,
        "corpus sha256": hashlib.sha256("\0".join(documents).encode()).hexdigest(),
    }
    write_whole(results / "rebuild.json", (json.dumps(about, indent=1) + "\n").encode())
    checkpoint.unlink()  # last: whenever it is interrupted, nothing is trained twice
    for row in rows:
        print(f"{row['part']:12} {row['model']:6} {row['figure']:36} {row['hits']} / {row['total']}")
    print(f"in all {sum(seconds.values()):.0f} s")


def seeds(results: Path = RESULTS_FOLDER) -> None:
    """The shipped models' figures (seed 0) and those of four more random starts. Stored after every seed: started
    again, it goes on with the next; when other models are shipped, it begins anew."""
    course_stream()  # it must be the one that was read
    world, rows = load_world(), read_results("shipped", results)
    if (results / "seeds.csv").exists() and (stored := read_results("seeds", results))[: len(rows)] == rows:
        rows = stored
    for seed in SEEDS:
        if any(row["seed"] == seed for row in rows):
            continue
        rows += measure(base_model(seed), tuned_model(seed), world, seed)
        write_results("seeds", rows, results)


if __name__ == "__main__":
    seeds() if sys.argv[1:] == ["seeds"] else rebuild()
