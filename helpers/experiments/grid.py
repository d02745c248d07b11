"""The course's experiments: grids of independent tuning runs, each stored as it ends.

    make results                                     every experiment, five seeds; goes on where it was stopped
    .venv/bin/python -m helpers.experiments mask     one of them

A run is made of a base model (seed k starts from the k-th base model, itself from another random start), one setting,
and what is measured afterwards. data/results/<experiment>.csv holds a row for each figure of each run. Runs do not know
of each other, so two processes work at them at once, with one thread each; or a cluster, if the call stands inside
`joblib.parallel_config(backend="dask")`. Each row ends with what made it: the recipe that all runs share before a
setting changes part of it (recipes.json spells it out), the version of the code, and that of NumPy. A run counts as
stored only under today's recipe.

Not here: what a run does (runs.py) and the figures drawn from the results (notebooks).
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from helpers import data_runs, runs
from helpers.facts import FACTS_FOLDER
from helpers.failures import OTHERS, PLANS
from helpers.files import FileProblem, write_whole
from helpers.rebuild import (
    CORPUS_SEED,
    DOCUMENTS,
    LENGTH,
    PRETRAINING,
    RESULTS_FOLDER,
    ROWS,
    SEEDS,
    TUNING,
    TUNING_ROWS,
    VOCABULARY,
    base_model,
    course_stream,
    write_csv,
)
from helpers.selections import DEFECTS
from helpers.sft import LOSSES
from helpers.templates import TEMPLATES

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
LORA_RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
SIZES = (20, 40, 100, 200, 500, 1000, 2000)
MEND = "restore it with `git checkout data`, or delete it and `make results` makes it anew"
NOISES = (0.25, 0.75, 0.9, 1.0)  # beside those of `scaling`, for many rows: LIMA's ratio is about 1 : 50
LEFT_OUT = ("capital", "continent", "symbol", "french", "opposite", "sum", "saying", "list", "function")


@dataclass(frozen=True)
class Experiment:
    """A run and the settings that it is made with."""

    run: Callable
    settings: dict[str, tuple]

    def grid(self) -> list[dict]:
        names = list(self.settings)
        return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*self.settings.values())]


EXPERIMENTS = {
    "whole": Experiment(runs.whole, {}),
    "mask": Experiment(runs.mask, {"loss_on": LOSSES}),
    "form": Experiment(runs.form, {"answers": ("sentence", "bare")}),
    "phases": Experiment(runs.phases, {"loss_on": LOSSES}),
    "rate": Experiment(runs.rate, {"rate": RATES}),
    "lora": Experiment(runs.lora, {"rate": LORA_RATES}),
    "failures": Experiment(runs.failures, {"plan": (*PLANS, *OTHERS)}),
    "template": Experiment(runs.template, {"trained": tuple(TEMPLATES)}),
    "system": Experiment(runs.system, {}),
    "followup": Experiment(runs.followup, {"rows": ("single-turn", "multi-turn")}),
    "boundary": Experiment(runs.boundary, {"encoded": ("apart", "together")}),
    "unknown": Experiment(runs.unknown, {"rows": ("without", "with")}),
    "scaling": Experiment(data_runs.scaling, {"rows": SIZES, "noise": (0.0, 0.5)}),
    "ratio": Experiment(data_runs.scaling, {"rows": SIZES[-1:], "noise": NOISES}),
    "defects": Experiment(data_runs.defects, {"defect": ("none", *DEFECTS)}),
    "diversity": Experiment(data_runs.diversity, {"kinds": (1, 2, 4, 8, 15)}),
    "phrasings": Experiment(data_runs.phrasings, {"facts": (40, 80, 160), "wordings": (1, 2, 4)}),
    "selections": Experiment(data_runs.selections, {"number": tuple(range(10))}),
    "left_out": Experiment(runs.left_out, {"kind": LEFT_OUT}),
    "corpus": Experiment(runs.corpus, {"without": ("headed",)}),
}


def digest(content: bytes) -> str:
    """A short name for some content. It begins with no digit, or a table might read it as a number."""
    return "x" + hashlib.sha256(content).hexdigest()[:12]


def files_digest(folder: Path, pattern: str) -> str:
    """A name for all files of a folder together: another one as soon as one of them changes. Line ends do not count, as
    git may write them in another way."""
    return digest(b"\0".join(path.read_bytes().replace(b"\r\n", b"\n") for path in sorted(folder.glob(pattern))))


def recipe() -> dict:
    """What all runs share before a setting changes part of it: world, corpus, tokenizer, pre-training and tuning."""
    return {
        "world": files_digest(FACTS_FOLDER, "*.csv"),
        "corpus": {"documents": DOCUMENTS, "seed": CORPUS_SEED, "vocabulary": VOCABULARY},
        "pretraining": asdict(PRETRAINING) | {"rows a step": ROWS, "tokens a row": LENGTH},
        "tuning": asdict(TUNING) | {"rows a step": TUNING_ROWS},
    }


@cache
def source() -> dict[str, str]:
    """The columns that tell what made a run, here, in the process that makes it."""
    named = digest(json.dumps(recipe(), sort_keys=True).encode())
    return {"recipe": named, "code": files_digest(Path(__file__).parent, "*.py"), "numpy": np.__version__}


def one_run(name: str, seed: int, setting: dict) -> list[dict]:
    """A run's rows for the table: setting, seed, figures, source."""
    made = EXPERIMENTS[name].run(base_model(seed), seed, **setting)
    found = [made] if isinstance(made, dict) else list(made)
    return [setting | {"seed": seed} | {key: rounded(value) for key, value in row.items()} | source() for row in found]


def rounded(value):
    return float(f"{value:.5g}") if isinstance(value, float) else value


def read_results(name: str, folder: Path = RESULTS_FOLDER) -> list[dict]:
    """The stored rows of an experiment, numbers as numbers."""
    path = Path(folder) / f"{name}.csv"
    if not path.exists():
        raise FileProblem(f"{path}: there is no such result; `make results` makes it")
    try:
        with path.open(newline="", encoding="utf8") as lines:
            reader = csv.DictReader(lines)
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise FileProblem(f"{path}: this is no table of results ({problem}); {MEND}") from None
    if not rows:
        raise FileProblem(f"{path}: it has no rows; {MEND}")
    wanted = (*EXPERIMENTS[name].settings, "seed", *source()) if name in EXPERIMENTS else ()
    if lacking := [column for column in wanted if column not in reader.fieldnames]:
        raise FileProblem(f"{path}: it lacks the column {lacking[0]!r}; {MEND}")
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise FileProblem(
                f"{path}, line {line}: it has not {len(reader.fieldnames)} fields as the first line; {MEND}"
            )
    return [{key: number(text) for key, text in row.items()} for row in rows]


def number(text: str):
    try:
        return float(text) if "." in text or "e-" in text or text == "nan" else int(text)
    except ValueError:
        return text


def note_recipe(folder: Path) -> None:
    """See to it that recipes.json spells out the recipe that the rows name."""
    path = Path(folder) / "recipes.json"
    try:
        known = json.loads(path.read_text()) if path.exists() else {}
    except ValueError as problem:
        raise FileProblem(f"{path}: this is no JSON ({problem}); {MEND}") from None
    if source()["recipe"] not in known:
        known[source()["recipe"]] = recipe()
        write_whole(path, (json.dumps(known, indent=1) + "\n").encode())


def run_experiment(name: str, folder: Path = RESULTS_FOLDER, seeds=SEEDS, jobs: int = 2) -> list[dict]:
    """All runs of an experiment that are not stored yet; each is stored as it ends, so nothing finished is lost. A run
    under another recipe is not this run: it is made again, and its rows give way to the new ones. (If two processes
    store runs of one experiment in the same moment, one run may be lost; called again, it is made.)"""
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment {name!r}; known are {', '.join(EXPERIMENTS)}")
    path, grid = Path(folder) / f"{name}.csv", EXPERIMENTS[name].grid()

    def now() -> list[dict]:
        """The rows as they are stored: others may store runs of the same experiment meanwhile."""
        return read_results(name, folder) if path.exists() else []

    def run_of(row: dict) -> tuple[int, int]:
        """Where in the grid a row stands, and its seed; rows of a setting that the grid no longer has come last."""
        setting = {key: row[key] for key in EXPERIMENTS[name].settings}
        return (grid.index(setting) if setting in grid else len(grid)), row["seed"]

    rows = now()
    stored = {run_of(row) for row in rows if row["recipe"] == source()["recipe"]}
    todo = [(seed, setting) for place, setting in enumerate(grid) for seed in seeds if (place, seed) not in stored]
    for seed in {seed for seed, _ in todo}:
        base_model(seed)  # pre-trained here if need be, not in every process that wants it
    note_recipe(folder)
    runs = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(one_run)(name, *item) for item in todo)
    for new in tqdm(runs, total=len(todo), desc=name):
        rows = sorted([row for row in now() if run_of(row) != run_of(new[0])] + new, key=run_of)
        columns = dict.fromkeys(key for row in [*new, *rows] for key in row)  # the code may measure more than it did
        rows = [dict.fromkeys(columns, "") | row for row in rows]
        write_csv(path, rows)
    return rows


if __name__ == "__main__":
    from helpers import experiments  # by its own name, under which the worker processes find it

    if unknown := [name for name in sys.argv[1:] if name not in EXPERIMENTS]:
        sys.exit(f"there is no experiment {unknown[0]!r}; known are {', '.join(EXPERIMENTS)}")
    course_stream()  # FileProblem now, if the world was changed and the models were not
    for chosen in sys.argv[1:] or EXPERIMENTS:
        experiments.run_experiment(chosen)
