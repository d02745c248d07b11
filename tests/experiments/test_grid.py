"""Experiments: every run is stored as it ends, a stopped grid goes on, and the code still makes what is stored."""

import csv
import json
import os
import re
import runpy
import subprocess
import sys
import time
from dataclasses import replace

import joblib
import numpy as np
import pytest

from helpers.experiments import grid
from helpers.experiments.grid import EXPERIMENTS, Experiment, files_digest, one_run, recipe, run_experiment, source
from helpers.files import FileProblem
from helpers.learning.recipe import SEEDS, TUNING
from helpers.results import RESULTS_FOLDER, read_results

HELPERS = RESULTS_FOLDER.parents[1] / "helpers"


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
    monkeypatch.setattr(grid, "base_model", lambda seed: None)
    return toy, done


def test_all_runs_are_made_and_stored_in_order(toy, tmp_path):
    rows = run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1)
    assert [(row["size"], row["seed"]) for row in rows] == [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]
    assert read_results("toy", tmp_path) == rows and rows[3]["figure"] == 2.1


def test_an_experiment_has_five_starts_unless_it_names_fewer(toy, tmp_path, monkeypatch):
    run_experiment("toy", tmp_path, jobs=1)
    assert {row["seed"] for row in read_results("toy", tmp_path)} == set(SEEDS) == set(range(5))
    monkeypatch.setitem(EXPERIMENTS, "toy", replace(EXPERIMENTS["toy"], starts=2))
    (tmp_path / "toy.csv").unlink()
    run_experiment("toy", tmp_path, jobs=1)
    assert {row["seed"] for row in read_results("toy", tmp_path)} == {0, 1}


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


def test_two_sweeps_at_once_lose_no_run_of_each_other(toy, tmp_path, monkeypatch):
    """While the first works at its third run, another stores its own in the same folder."""
    def run(base, seed, size):
        if (size, seed) == (3, 0):
            run_experiment("toy", tmp_path, seeds=(7,), jobs=1)
        return {"figure": size}

    monkeypatch.setitem(EXPERIMENTS, "toy", Experiment(run, {"size": (1, 2, 3)}))
    rows = run_experiment("toy", tmp_path, seeds=(0,), jobs=1)
    assert [(row["size"], row["seed"]) for row in rows] == [(size, seed) for size in (1, 2, 3) for seed in (0, 7)]
    assert read_results("toy", tmp_path) == rows


def test_code_that_measures_more_loses_neither_old_runs_nor_new_ones(toy, tmp_path, monkeypatch):
    run_experiment("toy", tmp_path, seeds=(0,), jobs=1)
    more = Experiment(lambda base, seed, size: {"figure": size, "more": 0.5}, {"size": (1, 2, 3)})
    monkeypatch.setitem(EXPERIMENTS, "toy", more)
    run_experiment("toy", tmp_path, seeds=(1,), jobs=1)
    assert [(row["seed"], row["more"]) for row in read_results("toy", tmp_path)] == [(0, ""), (1, 0.5)] * 3


def test_unknown_experiments_and_missing_results_are_named(tmp_path):
    with pytest.raises(ValueError, match="'masks'; known are mask, form"):
        run_experiment("masks", tmp_path)
    with pytest.raises(FileProblem, match="mask.csv: there is no such result; `make results` makes it"):
        read_results("mask", tmp_path)


# `make results-all` makes these; no notebook draws them.
UNDER_WAY = ("corpus", "longer")


@pytest.mark.parametrize("name", UNDER_WAY)
def test_what_is_not_stored_yet_is_drawn_by_no_notebook_and_named_only_until_it_is(name):
    assert not EXPERIMENTS[name].in_notebooks and not (RESULTS_FOLDER / f"{name}.csv").exists()


@pytest.mark.parametrize("name", sorted(set(EXPERIMENTS) - set(UNDER_WAY)))
def test_the_stored_grid_is_complete(name):
    rows = read_results(name)
    for setting in EXPERIMENTS[name].grid():
        starts = {row["seed"] for row in rows if setting.items() <= row.items()}
        assert starts == set(SEEDS[: EXPERIMENTS[name].starts]), f"{name} {setting}"
    with (RESULTS_FOLDER / f"{name}.csv").open() as lines:
        header = next(csv.reader(lines))
    assert header[: len(EXPERIMENTS[name].settings) + 1] == [*EXPERIMENTS[name].settings, "seed"]


@pytest.mark.slow
@pytest.mark.parametrize("name, setting, figure", [
    ("mask", {"loss_on": "off by one"}, "exact"), ("boundary", {"encoded": "together"}, "exact"),
    ("system", {}, "words"), ("failures", {"plan": "one kind of row"}, "words"),
    ("scaling", {"rows": 40, "noise": 0.5}, "exact"),
])
def test_this_code_still_makes_what_is_stored(name, setting, figure):
    """One run of the shipped base (seed 0); last digits differ by processor, and a near tie may fall either way."""
    stored = [row for row in read_results(name) if row["seed"] == 0 and setting.items() <= row.items()]
    made = one_run(name, 0, setting)
    assert [sorted(row) for row in made] == [sorted(row) for row in stored]
    for now, then in zip(made, stored, strict=True):
        assert now[figure] == pytest.approx(then[figure], abs=0.05 if figure == "exact" else 1.0)


def test_every_row_says_what_made_it(toy, tmp_path):
    for row in run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1):
        assert list(row)[-3:] == ["recipe", "code", "numpy"]
        assert (row["code"], row["numpy"]) == (files_digest(HELPERS, "*.py"), np.__version__)
    spelt_out = json.loads((tmp_path / "recipes.json").read_text())[row["recipe"]]
    assert spelt_out == recipe() and spelt_out["tuning"]["steps"] == TUNING.steps


def test_runs_under_another_recipe_are_made_again_and_kept_till_then(toy, tmp_path, monkeypatch):
    settings, done = toy
    run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1)
    today = source()
    monkeypatch.setattr(grid, "source", lambda: today | {"recipe": "another"})
    done.clear()
    settings.breaks = True
    with pytest.raises(RuntimeError):
        run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1)
    assert [row["recipe"] for row in read_results("toy", tmp_path)] == ["another"] * 5 + [today["recipe"]]
    settings.breaks = False
    run_experiment("toy", tmp_path, seeds=(0, 1), jobs=1)
    assert len(done) == 7, "six runs, and the one that broke"
    assert [row["recipe"] for row in read_results("toy", tmp_path)] == ["another"] * 6
    assert len(json.loads((tmp_path / "recipes.json").read_text())) == 2


def test_other_code_alone_makes_nothing_again(toy, tmp_path, monkeypatch):
    """A comment changes the code, and no result."""
    today = source()
    run_experiment("toy", tmp_path, seeds=(0,), jobs=1)
    monkeypatch.setattr(grid, "source", lambda: today | {"code": "another"})
    rows = run_experiment("toy", tmp_path, seeds=(1,), jobs=1)
    assert [(row["seed"], row["code"]) for row in rows] == [(0, today["code"]), (1, "another")] * 3


def test_more_seeds_and_fewer_settings_lose_no_row(toy, tmp_path, monkeypatch):
    run_experiment("toy", tmp_path, seeds=(1, 2), jobs=1)
    monkeypatch.setitem(EXPERIMENTS, "toy", Experiment(EXPERIMENTS["toy"].run, {"size": (1, 2)}))
    rows = run_experiment("toy", tmp_path, seeds=(0,), jobs=1)
    assert [(row["size"], row["seed"]) for row in rows[:6]] == [(size, n) for size in (1, 2) for n in (0, 1, 2)]
    assert [(row["size"], row["seed"]) for row in rows[6:]] == [(3, 1), (3, 2)]


def test_the_code_version_changes_with_the_code(tmp_path):
    (tmp_path / "one.py").write_text("a = 1\n")
    before = files_digest(tmp_path, "*.py")
    (tmp_path / "one.py").write_text("a = 2\n")
    changed = files_digest(tmp_path, "*.py")
    (tmp_path / "one.py").write_bytes(b"a = 2\r\n")
    assert files_digest(tmp_path, "*.py") == changed
    (tmp_path / "two.py").write_text("")
    more = files_digest(tmp_path, "*.py")
    (tmp_path / "room" / "inner").mkdir(parents=True)
    (tmp_path / "room" / "inner" / "three.py").write_text("b = 1\n")
    assert len({before, changed, more, files_digest(tmp_path, "*.py")}) == 4, "rooms are folders, and count too"


@pytest.mark.parametrize("name", sorted(set(EXPERIMENTS) - set(UNDER_WAY)))
def test_every_stored_row_is_of_todays_recipe(name):
    """So nobody can change the world or the tuning and keep the old figures."""
    spelt_out = json.loads((RESULTS_FOLDER / "recipes.json").read_text())
    for row in read_results(name):
        assert row["recipe"] == source()["recipe"] and spelt_out[row["recipe"]] == recipe()
        assert re.fullmatch("x[0-9a-f]{12}", row["code"]) and re.fullmatch(r"\d+\.\d+\.\d+", row["numpy"])


@pytest.mark.parametrize("damage, complaint", [
    (b"", "no rows"), (b"size,seed,figure\n1,0\n", "lacks the column 'recipe'"), (b"\xff\xfe\x00", "no table"),
    (b"seed,recipe,code,numpy\n1,2,3,4\n", "lacks the column 'size'"),
    (b"size,seed,recipe,code,numpy\n1,0,x,y\n", "line 2: it has not 5 fields"),
])
def test_a_damaged_result_is_named_and_kept(toy, tmp_path, damage, complaint):
    path = tmp_path / "toy.csv"
    path.write_bytes(damage)
    with pytest.raises(FileProblem, match="toy.csv.*" + complaint):
        run_experiment("toy", tmp_path, seeds=(0,), jobs=1)
    assert path.read_bytes() == damage


def test_a_damaged_list_of_recipes_is_named_and_kept(toy, tmp_path):
    (tmp_path / "recipes.json").write_text("{")
    with pytest.raises(FileProblem, match="recipes.json: this is no JSON"):
        run_experiment("toy", tmp_path, seeds=(0,), jobs=1)
    assert (tmp_path / "recipes.json").read_text() == "{"


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_numbers(monkeypatch, tmp_path, request):
    """The same call on two Dask workers, each a process of its own: joblib hands the runs to them."""
    if hasattr(os, "sched_setaffinity"):  # a worker of the tests has one core (course_workers.py); joblib needs two
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, range(os.cpu_count()))
        request.addfinalizer(lambda: os.sched_setaffinity(0, before))
    distributed = pytest.importorskip("distributed")

    def run(base, seed, size):
        return {"figure": float(base.logits([[0, size]]).max()), "process": os.getpid()}

    def register():  # in the module `grid` of a worker: another name would be a copy, sent along with this function
        grid.EXPERIMENTS["toy"] = Experiment(run, {"size": (1, 2)})

    with distributed.LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client, joblib.parallel_config(backend="dask"):
            client.run(register)
            monkeypatch.setitem(EXPERIMENTS, "toy", Experiment(run, {"size": (1, 2)}))
            far = run_experiment("toy", tmp_path / "far", seeds=(0,))
    near = run_experiment("toy", tmp_path / "near", seeds=(0,), jobs=1)
    assert [row["figure"] for row in far] == pytest.approx([row["figure"] for row in near])
    assert {row["process"] for row in near} == {os.getpid()} and os.getpid() not in {row["process"] for row in far}


SWEEP = """
import sys, time
from pathlib import Path
from helpers.experiments import grid
folder = Path(sys.argv[1])
def run(base, seed, size):
    for _ in range(600 if (folder / "stay").exists() and seed == 3 else 0):  # here it is killed
        time.sleep(0.1)
    with (folder / "made").open("a") as made:
        made.write(f"{size} {seed}\\n")
    return {"figure": size + seed}
grid.EXPERIMENTS["toy"] = grid.Experiment(run, {"size": (1, 2)})
grid.base_model = lambda seed: None
grid.run_experiment("toy", folder, seeds=range(4), jobs=1)
"""


def test_a_killed_sweep_goes_on_and_loses_no_finished_run(tmp_path):
    script, stored = tmp_path / "sweep.py", tmp_path / "toy.csv"
    script.write_text(SWEEP)
    command = [sys.executable, str(script), str(tmp_path)]
    surroundings = os.environ | {"PYTHONPATH": str(RESULTS_FOLDER.parents[1])}
    (tmp_path / "stay").touch()
    sweep = subprocess.Popen(command, env=surroundings, stderr=subprocess.DEVNULL)
    for _ in range(600):
        if stored.exists() and len(stored.read_text().splitlines()) > 3:
            break
        time.sleep(0.05)
    sweep.kill()
    sweep.wait()
    survived = stored.read_text().splitlines()[1:]
    assert len(survived) == 3
    (tmp_path / "stay").unlink()
    subprocess.run(command, env=surroundings, check=True, stderr=subprocess.DEVNULL)
    assert [line.split(",")[:2] for line in stored.read_text().splitlines()[1:]] == [
        [str(size), str(seed)] for size in (1, 2) for seed in range(4)
    ]
    made = (tmp_path / "made").read_text().split("\n")[:-1]
    assert len(made) == 8, "no run is made twice"


@pytest.mark.parametrize("names, made", [
    ([], ["drawn"]), (["all"], ["drawn", "other"]), (["other"], ["other"]), (["other", "drawn"], ["other", "drawn"]),
])
def test_unless_told_otherwise_the_experiments_that_notebooks_draw_are_made(monkeypatch, names, made):
    """`make results`, `make results-all`, or some by name."""
    order = []
    experiments = {"drawn": Experiment(None, {}), "other": Experiment(None, {}, in_notebooks=False)}
    monkeypatch.setattr(grid, "EXPERIMENTS", experiments)
    monkeypatch.setattr(grid, "run_experiment", order.append)
    monkeypatch.setattr("helpers.learning.recipe.course_stream", lambda: order.append("the stream"))
    monkeypatch.setattr(sys, "argv", ["helpers.experiments", *names])
    runpy.run_module("helpers.experiments.__main__")
    assert order == ["the stream", *made], "whether the world was changed is seen first"


def test_an_unknown_experiment_is_told_before_any_is_made():
    command = [sys.executable, "-m", "helpers.experiments", "mask", "maks"]
    told = subprocess.run(command, cwd=RESULTS_FOLDER.parents[1], capture_output=True, text=True)
    assert told.returncode and "there is no experiment 'maks'" in told.stderr and "Traceback" not in told.stderr
