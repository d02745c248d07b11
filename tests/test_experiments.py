"""Experiments: every run is stored as it ends, a stopped grid goes on, and the code still makes what is stored."""

import csv
import json
import os
import re
import subprocess
import sys
import time

import joblib
import pytest

from helpers import experiments
from helpers.experiments import EXPERIMENTS, Experiment, code_version, one_run, read_results, run_experiment
from helpers.files import FileProblem
from helpers.rebuild import RESULTS_FOLDER, SEEDS, TUNING


@pytest.fixture
def toy(monkeypatch):
    """An experiment of six runs that takes no time; `done` lists the runs made in this process."""
    done = []

    def run(base, seed, size):
        done.append((size, seed))
        if size == 3 and seed == 1 and toy.breaks:
            raise RuntimeError("stopped in the middle")
        return {"figure": size + seed / 10}

    toy.breaks = False
    monkeypatch.setitem(EXPERIMENTS, "toy", Experiment(run, {"size": (1, 2, 3)}))
    monkeypatch.setattr(experiments, "base_model", lambda seed: None)
    return toy, done


def test_all_runs_are_made_and_stored_in_order(toy, tmp_path):
    rows = run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1)
    assert [(row["size"], row["seed"]) for row in rows] == [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]
    assert read_results("toy", tmp_path) == rows and rows[3]["figure"] == 2.1


def test_a_stopped_grid_loses_no_finished_run_and_goes_on(toy, tmp_path):
    settings, done = toy
    settings.breaks = True
    with pytest.raises(RuntimeError):
        run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1)
    assert len(read_results("toy", tmp_path)) == 5
    settings.breaks = False
    done.clear()
    assert len(run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1)) == 6
    assert done == [(3, 1)]
    done.clear()
    run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1)
    assert done == []


def test_unknown_experiments_and_missing_results_are_named(tmp_path):
    with pytest.raises(ValueError, match="'masks'; known are whole, mask"):
        run_experiment("masks", tmp_path)
    with pytest.raises(FileProblem, match="mask.csv: there is no such result; `make results` makes it"):
        read_results("mask", tmp_path)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_stored_grid_is_complete(name):
    rows = read_results(name)
    for setting in EXPERIMENTS[name].grid():
        found = {row["seed"] for row in rows if setting.items() <= row.items()}
        assert found == set(SEEDS), f"{name} {setting}"
    with (RESULTS_FOLDER / f"{name}.csv").open() as lines:
        header = next(csv.reader(lines))
    assert header[: len(EXPERIMENTS[name].settings) + 1] == [*EXPERIMENTS[name].settings, "seed"]


@pytest.mark.parametrize("name, setting, figure", [
    ("mask", {"loss_on": "response"}, "exact"), ("mask", {"loss_on": "off by one"}, "exact"),
    ("boundary", {"encoded": "together"}, "exact"), ("system", {}, "words"),
    ("failures", {"plan": "one kind of row"}, "words"), ("scaling", {"rows": 40, "noise": 0.5}, "exact"),
])
def test_this_code_still_makes_what_is_stored(name, setting, figure):
    """One run of the shipped base (seed 0); last digits differ by processor, and a near tie may fall either way."""
    stored = [row for row in read_results(name) if row["seed"] == 0 and setting.items() <= row.items()]
    made = one_run(name, 0, setting)
    assert [sorted(row) for row in made] == [sorted(row) for row in stored]
    for now, then in zip(made, stored, strict=True):
        assert now[figure] == pytest.approx(then[figure], abs=0.05 if figure == "exact" else 1.0)


def test_sources_say_which_code_made_how_many_runs(toy, tmp_path, monkeypatch):
    run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1)
    monkeypatch.setattr(experiments, "code_version", lambda: "another")
    run_experiment("toy", tmp_path, seeds=(0, 1, 2), jobs=1)
    first, second = json.loads((tmp_path / "sources.json").read_text())["toy"]
    assert (first["runs"], second["runs"]) == (6, 3)
    assert first["code"] == code_version() and second["code"] == "another"
    assert first["tuning"]["steps"] == TUNING.steps


def test_the_code_version_changes_with_the_code(tmp_path):
    (tmp_path / "one.py").write_text("a = 1\n")
    before = code_version(tmp_path)
    (tmp_path / "one.py").write_text("a = 2\n")
    assert code_version(tmp_path) != before


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_stored_run_has_a_source(name):
    """As many runs as the grid has are accounted for in sources.json."""
    sources = json.loads((RESULTS_FOLDER / "sources.json").read_text())[name]
    assert sum(source["runs"] for source in sources) == len(EXPERIMENTS[name].grid()) * len(SEEDS)
    assert all(re.fullmatch("[0-9a-f]{12}", source["code"]) for source in sources)


@pytest.mark.parametrize("damage", [b"", b"size,seed,figure\n1,0\n", b"\xff\xfe\x00", b"size,figure\n1,2\n"])
def test_a_damaged_result_is_named_and_kept(toy, tmp_path, damage):
    path = tmp_path / "toy.csv"
    path.write_bytes(damage)
    with pytest.raises(FileProblem, match="toy.csv"):
        run_experiment("toy", tmp_path, seeds=(0,), jobs=1)
    assert path.read_bytes() == damage


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_numbers(tmp_path):
    """The same call on two Dask workers, each a process of its own: joblib hands the runs to them."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
        with distributed.Client(cluster), joblib.parallel_config(backend="dask"):
            far = run_experiment("phrasings", tmp_path, seeds=(0,))
    near = [row for row in read_results("phrasings") if row["seed"] == 0]
    assert [row["wordings"] for row in far] == [row["wordings"] for row in near]
    for there, here in zip(far, near, strict=True):
        assert there == pytest.approx(here, abs=0.03)  # another processor may decide a near tie otherwise


SWEEP = """
import sys, time
from pathlib import Path
from helpers import experiments
folder = Path(sys.argv[1])
def run(base, seed, size):
    time.sleep(0.2)
    with (folder / "made").open("a") as made:
        made.write(f"{size} {seed}\\n")
    return {"figure": size + seed}
experiments.EXPERIMENTS["toy"] = experiments.Experiment(run, {"size": (1, 2)})
experiments.base_model = lambda seed: None
experiments.run_experiment("toy", folder, seeds=range(4), jobs=1)
"""


def test_a_killed_sweep_goes_on_and_loses_no_finished_run(tmp_path):
    script, stored = tmp_path / "sweep.py", tmp_path / "toy.csv"
    script.write_text(SWEEP)
    command = [sys.executable, str(script), str(tmp_path)]
    surroundings = os.environ | {"PYTHONPATH": str(RESULTS_FOLDER.parents[1])}
    sweep = subprocess.Popen(command, env=surroundings, stderr=subprocess.DEVNULL)
    for _ in range(600):
        if stored.exists() and len(stored.read_text().splitlines()) > 3:
            break
        time.sleep(0.05)
    sweep.kill()
    sweep.wait()
    survived = stored.read_text().splitlines()[1:]
    assert 3 <= len(survived) < 8
    subprocess.run(command, env=surroundings, check=True, stderr=subprocess.DEVNULL)
    assert [line.split(",")[:2] for line in stored.read_text().splitlines()[1:]] == [
        [str(size), str(seed)] for size in (1, 2) for seed in range(4)
    ]
    made = (tmp_path / "made").read_text().split("\n")[:-1]
    assert len(made) <= 9, "at most the run under way when it was killed is made again"
