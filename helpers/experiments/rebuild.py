"""Everything that is shipped, made from nothing: `make rebuild` writes the tokenizer, both models and their figures.

    world (CSV) -> documents -> tokenizer -> base model -> tuned model -> data/models, data/results

The same code with other seeds (`make results`) says how much of a figure is luck. What was tried and did not work
stands in data/results/README.md.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from helpers.corpus import write_documents
from helpers.datasets import write_dataset
from helpers.evaluation import Share, answers_exactly, completes, first_line, is_answer, is_question, share
from helpers.facts import FACTS_FOLDER, World, load_world
from helpers.files import FileProblem, write_whole
from helpers.instructions import REFUSAL, SYSTEM_PROMPTS, TOPIC_QUESTIONS, UNKNOWN, instruction_rows, whole_dataset
from helpers.language_model import MODELS_FOLDER, LanguageModel, load, load_file
from helpers.model import Config, Parameters, Transformer
from helpers.sft import copy_of, fine_tune
from helpers.templates import TEMPLATE_WORDS
from helpers.tokenizer import Tokenizer, train_tokenizer
from helpers.training import Recipe, stream_batches, train

RESULTS_FOLDER = MODELS_FOLDER.parent / "results"
DATASET_FILE = MODELS_FOLDER.parent / "instructions.jsonl"
DOCUMENTS, CORPUS_SEED, VOCABULARY = 24_000, 0, 2048
ROWS, LENGTH = 8, 128  # windows a step, tokens a window
PRETRAINING = Recipe(steps=2700, rate=2e-3, warmup=60)
TUNING = Recipe(steps=150, rate=1e-4)
TUNING_ROWS = 32
SEEDS = range(5)


def tokenize(documents: list[str], tokenizer: Tokenizer) -> np.ndarray:
    """All documents as one row of ids, each after an <|endoftext|>."""
    end = tokenizer.special["<|endoftext|>"]
    return np.array([number for text in documents for number in (end, *tokenizer.encode(text))], np.int32)


def course_tokenizer(documents: list[str]) -> Tokenizer:
    """The tokenizer, trained on the documents and, as real ones are, on some text in which the words of chat templates
    and instructions occur. The base model never reads those: it only has tokens for them."""
    prompts = [prompt for ways in SYSTEM_PROMPTS.values() for prompt in ways]
    words = "\n".join([*TEMPLATE_WORDS, REFUSAL, UNKNOWN, *TOPIC_QUESTIONS, *prompts])
    return train_tokenizer([*documents, *[words] * 300], VOCABULARY)


def new_base(tokenizer: Tokenizer, seed: int) -> LanguageModel:
    """A base model with random parameters, which has read nothing yet."""
    model = Transformer(Parameters(Config(tokenizer.vocab_size)).initialise(seed))
    return LanguageModel(tokenizer, model, {"made by": "pre-training", "seed": seed})


def name_of(stream: np.ndarray) -> str:
    """What a base model has read, as its recipe names it: SHA-256 of the ids."""
    return hashlib.sha256(stream.tobytes()).hexdigest()


def unfinished(folder: Path, stream: np.ndarray, recipe: Recipe) -> Path:
    """Where a pre-training is kept on the way. The name tells what is read and how, so that an interrupted one goes on
    where it was, and never with another world's text or another recipe."""
    named = hashlib.sha256(stream.tobytes() + repr(recipe).encode()).hexdigest()[:12]
    return folder / f"unfinished-{named}.safetensors"


def pretrain(lm: LanguageModel, stream: np.ndarray, recipe: Recipe = PRETRAINING, **how) -> list[dict]:
    """Pre-train in place on next-token prediction; -> the training records. `how` goes to `train`."""
    records = train(lm.transformer, stream_batches(stream, ROWS, LENGTH, recipe.seed), recipe, **how)
    lm.recipe |= {
        **asdict(recipe),
        "rows": ROWS,
        "length": LENGTH,
        "stream": name_of(stream),
    }
    return records


def read_on(base: LanguageModel, world: World, *, answered: float, steps: int, seed: int = 0) -> LanguageModel:
    """A copy of `base` that reads on for `steps` steps in new documents, a share of them questions with answers."""
    stream = tokenize(write_documents(world, max(200, 20 * steps), seed + 1000, answered), base.tokenizer)
    reader, recipe = copy_of(base), Recipe(steps, PRETRAINING.rate / 4, seed=seed)
    train(reader.transformer, stream_batches(stream, ROWS, LENGTH, seed), recipe, progress=False)
    reader.recipe = {"made by": "reading on", "answered": answered, **asdict(recipe)}
    return reader


def tune(base: LanguageModel, rows: list[dict], recipe: Recipe = TUNING, **how) -> tuple[LanguageModel, list[dict]]:
    """A copy of `base` taught to answer `rows` in ChatML, and the training records; `base` stays as it is."""
    return fine_tune(base, rows, recipe, size=TUNING_ROWS, **how)


def measure_base(lm: LanguageModel, world: World) -> dict[str, Share]:
    """The base figures of the course: what it knows, and what it does with a question."""
    asked = [fact for fact in world.facts if fact.say("question").endswith("?")]
    written = lm.complete_all([fact.say("question") for fact in asked], 24)
    return {
        "statements completed": share(completes(lm, world.facts)),
        "questions answered": share(is_answer(text, fact) for text, fact in zip(written, asked, strict=True)),
        "questions continued by a question": share(is_question(first_line(text), world) for text in written),
    }


def measure_tuned(lm: LanguageModel, world: World) -> dict[str, Share]:
    """The tuned figures: exact answers about facts held out of tuning, by kind too, and what it still knows."""
    held_out = [fact for fact in world.facts if fact.held_out]
    exact = answers_exactly(lm, held_out)
    figures = {
        "held-out facts answered exactly": share(exact),
        "held-out facts, unseen phrasing": share(answers_exactly(lm, held_out, -1)),
        "statements completed": share(completes(lm, world.facts)),
    }
    for kind in world.wordings:
        outcomes = [right for right, fact in zip(exact, held_out, strict=True) if fact.kind == kind]
        figures[f"held-out {kind}"] = share(outcomes)
    return figures


def write_csv(path: Path, rows: list[dict]) -> None:
    """Rows of one shape as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())


def read_csv(path: Path) -> list[dict]:
    with path.open(newline="", encoding="utf8") as lines:
        return list(csv.DictReader(lines))


def tidy(model: str, seed: int, figures: dict[str, Share]) -> list[dict]:
    """Figures as rows of a table: one line a figure."""
    return [
        {"model": model, "seed": seed, "figure": name, "hits": figure.hits, "total": figure.total}
        for name, figure in figures.items()
    ]


def rebuild(models: Path = MODELS_FOLDER, results: Path = RESULTS_FOLDER) -> None:
    """Make and store what the course ships, with seconds a phase. An interrupted pre-training goes on where it was."""
    seconds, began = {}, time.perf_counter()

    def lap(phase: str) -> None:
        seconds[phase] = round(time.perf_counter() - began - sum(seconds.values()), 1)
        print(f"{phase}: {seconds[phase]} s", flush=True)

    world = load_world()
    documents = write_documents(world, DOCUMENTS, CORPUS_SEED)
    write_whole(models.parent / "corpus_sample.txt", "\n\n-----\n\n".join(documents[:200]).encode())
    write_dataset(models.parent / DATASET_FILE.name, whole_dataset(world))
    lap("write corpus and dataset")
    tokenizer = course_tokenizer(documents)
    base, stream = new_base(tokenizer, PRETRAINING.seed), tokenize(documents, tokenizer)
    lap("train the tokenizer and encode")
    checkpoint = unfinished(models, stream, PRETRAINING)
    records = pretrain(base, stream, PRETRAINING, checkpoint=checkpoint)
    lap("pre-train")
    tuned, tuning = tune(base, instruction_rows(world))
    lap("tune")
    rows = tidy("base", 0, measure_base(base, world)) + tidy("tuned", 0, measure_tuned(tuned, world))
    lap("measure")
    tokenizer.save(models / "tokenizer.json")
    base.save(models / "base.safetensors")
    tuned.save(models / "tuned.safetensors")
    write_csv(results / "shipped.csv", rows)
    write_csv(results / "pretraining_loss.csv", [{"step": r["step"], "loss": round(r["loss"], 5)} for r in records])
    write_csv(results / "tuning_loss.csv", [{"step": r["step"], "loss": round(r["loss"], 5)} for r in tuning])
    about = {
        "seconds": seconds,
        "tokens": int(stream.size),
        "numpy": np.__version__,
        "corpus sha256": hashlib.sha256("\0".join(documents).encode()).hexdigest(),
    }
    write_whole(results / "rebuild.json", (json.dumps(about, indent=1) + "\n").encode())
    checkpoint.unlink()  # last: whenever it is interrupted, nothing is trained twice
    for row in rows:
        print(f"{row['model']:6} {row['figure']:36} {Share(row['hits'], row['total'])}")
    print(f"in all {sum(seconds.values()):.0f} s")


def course_stream() -> np.ndarray:
    """The ids that every base model of the course reads. FileProblem where the shipped one has read others: the world
    was changed, and figures of the old models must not pass for the new world's."""
    tokenizer = Tokenizer.load(MODELS_FOLDER / "tokenizer.json")
    stream = tokenize(write_documents(load_world(), DOCUMENTS, CORPUS_SEED), tokenizer)
    if load("base").recipe["stream"] != name_of(stream):
        raise FileProblem(
            f"{MODELS_FOLDER / 'base.safetensors'}: has not read the world that {FACTS_FOLDER} holds today; `make "
            "rebuild` makes the shipped models anew, and after it `make results` the others"
        )
    return stream


def base_model(seed: int) -> LanguageModel:
    """The base model from random start `seed`. Number 0 is shipped; another is pre-trained when first asked for (as
    long as a rebuild takes) and kept in data/models/seeds. All read the same, in the same tokens and by the same
    recipe: one that did not is made again."""
    shipped = load("base")
    if seed == 0:
        return shipped
    path = MODELS_FOLDER / "seeds" / f"base_{seed}.safetensors"
    if path.exists() and (kept := load_file(path)).recipe == shipped.recipe | {"seed": seed}:
        return kept
    base, stream, recipe = new_base(shipped.tokenizer, seed), course_stream(), replace(PRETRAINING, seed=seed)
    checkpoint = unfinished(path.parent, stream, recipe)
    pretrain(base, stream, recipe, checkpoint=checkpoint)
    base.save(path)
    checkpoint.unlink(missing_ok=True)  # another process may have made the same model meanwhile
    return base


def seeds(results: Path = RESULTS_FOLDER) -> None:
    """The shipped models' figures (seed 0) and those of four more random starts. Stored after every seed: started
    again, it goes on with the next; when other models are shipped, it begins anew."""
    course_stream()  # it must be the one that was read
    world, path = load_world(), results / "seeds.csv"
    rows = read_csv(results / "shipped.csv")
    if path.exists() and (stored := read_csv(path))[: len(rows)] == rows:
        rows = stored
    for seed in SEEDS:
        if any(int(row["seed"]) == seed for row in rows):
            continue
        base = base_model(seed)
        tuned, _ = tune(base, instruction_rows(world), replace(TUNING, seed=seed))
        rows += tidy("base", seed, measure_base(base, world)) + tidy("tuned", seed, measure_tuned(tuned, world))
        write_csv(path, rows)


if __name__ == "__main__":
    seeds() if sys.argv[1:] == ["seeds"] else rebuild()
