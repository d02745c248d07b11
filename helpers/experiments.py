"""The course's experiments: grids of independent tuning runs, each stored as it ends.

    make results                                     every experiment, five seeds; goes on where it was stopped
    .venv/bin/python -m helpers.experiments mask     one of them

A run is made of a base model (seed k starts from the k-th base model, itself from another random start), one setting,
and what is measured afterwards. data/results/<experiment>.csv holds a row for each figure of each run. Runs do not know
of each other, so two processes work at them at once, with one thread each; or a cluster, if the call stands inside
`joblib.parallel_config(backend="dask")`. sources.json tells by which code and with which recipe the runs were made.

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
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from tqdm.auto import tqdm

from helpers import data_runs, runs
from helpers.failures import OTHERS, PLANS
from helpers.files import FileProblem, write_whole
from helpers.rebuild import RESULTS_FOLDER, SEEDS, TUNING, TUNING_ROWS, base_model, write_csv
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
    "phrasings": Experiment(data_runs.phrasings, {"wordings": (1, 2, 4)}),
    "selections": Experiment(data_runs.selections, {"number": tuple(range(10))}),
    "left_out": Experiment(runs.left_out, {"kind": LEFT_OUT}),
    "corpus": Experiment(runs.corpus, {"without": ("headed",)}),
}


def one_run(name: str, seed: int, setting: dict) -> list[dict]:
    """A run's rows for the table: setting, seed and figures."""
    made = EXPERIMENTS[name].run(base_model(seed), seed, **setting)
    found = [made] if isinstance(made, dict) else list(made)
    return [setting | {"seed": seed} | {key: rounded(value) for key, value in row.items()} for row in found]


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
    wanted = {*EXPERIMENTS[name].settings, "seed"} if name in EXPERIMENTS else set()
    if not rows or not wanted <= set(reader.fieldnames):
        raise FileProblem(f"{path}: it has no rows, or lacks one of the columns {', '.join(sorted(wanted))}; {MEND}")
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


def code_version(folder: Path = Path(__file__).parent) -> str:
    """A short name for the code that makes results: it changes when any file of helpers/ does."""
    sources = b"\0".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    return hashlib.sha256(sources).hexdigest()[:12]


def note_source(name: str, folder: Path, code: str) -> None:
    """Count a finished run under the code that made it, in sources.json."""
    path = Path(folder) / "sources.json"
    sources = json.loads(path.read_text()) if path.exists() else {}
    made_by = {"code": code, "numpy": np.__version__, "tuning": asdict(TUNING) | {"rows a step": TUNING_ROWS}}
    for entry in (known := sources.setdefault(name, [])):
        if entry | {"runs": 0} == made_by | {"runs": 0}:
            entry["runs"] += 1
            break
    else:
        known.append(made_by | {"runs": 1})
    write_whole(path, (json.dumps(sources, indent=1, sort_keys=True) + "\n").encode())


def run_experiment(name: str, folder: Path = RESULTS_FOLDER, seeds=SEEDS, jobs: int = 2) -> list[dict]:
    """All runs of an experiment that are not stored yet; each is stored as it ends, so nothing finished is lost."""
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment {name!r}; known are {', '.join(EXPERIMENTS)}")
    path = Path(folder) / f"{name}.csv"
    rows = read_results(name, folder) if path.exists() else []
    todo = [
        (seed, setting)
        for setting in EXPERIMENTS[name].grid()
        for seed in seeds
        if not any(row["seed"] == seed and setting.items() <= row.items() for row in rows)
    ]
    order = [(setting, seed) for setting in EXPERIMENTS[name].grid() for seed in seeds]
    for seed in {seed for seed, _ in todo}:
        base_model(seed)  # pre-trained here if need be, not in every process that wants it
    code = code_version()
    runs = Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(one_run)(name, *item) for item in todo)
    for new in tqdm(runs, total=len(todo), desc=name):
        rows += new
        rows.sort(key=lambda row: order.index(({key: row[key] for key in EXPERIMENTS[name].settings}, row["seed"])))
        write_csv(path, rows)
        note_source(name, folder, code)
    return rows


if __name__ == "__main__":
    from helpers import experiments  # by its own name, under which the worker processes find it

    for chosen in sys.argv[1:] or experiments.EXPERIMENTS:
        experiments.run_experiment(chosen)
