"""What notebook A shows of learning: slopes are compared, source is read whole, a training is told as it went."""

import re
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

from helpers.figures import base_model_learning as lessons
from helpers.judging.statistics import Share
from helpers.learning import fused, training
from helpers.learning.model import Transformer
from helpers.results import read_results
from helpers.showing import plots

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "A_base_model.ipynb"


@pytest.fixture
def shown(monkeypatch):
    pictures = []
    monkeypatch.setattr(plots, "show", lambda figure, alt: pictures.append((figure, alt)))
    yield pictures
    plt.close("all")


def cells(html) -> list[list[str]]:
    """The body of a table."""
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in re.findall(r"<tr>(.*?)</tr>", html.data, re.S)][1:]


def test_the_way_back_has_its_labels():
    page = lessons.blame_flows_back()._repr_html_()
    for label in ("embedding", "attention", "SwiGLU", "loss", "past the part: unchanged"):
        assert f">{label}</text>" in page
    assert page.count("stroke-dasharray") == 4 + 4, "four ways through, two ways past in two strokes each"
    (first, second) = re.findall(r'd="M(\d+),72 V30 H(\d+)"', page)
    assert int(second[0]) > int(second[1]) > int(first[0]) > int(first[1]), "back: past SwiGLU, then past attention"


# --- slopes ---


@pytest.fixture
def compared(small):
    ids, targets = np.array([[1, 2, 3, 4]]), np.array([[2, 3, 4, 5]])
    batch = ids, targets, np.ones((1, 4))
    gradient = small.parameters.empty()
    small.backward(*batch, gradient)
    return small, batch, gradient


def test_trying_finds_the_slope_and_puts_the_number_back(compared):
    model, batch, gradient = compared
    before = model.parameters.flat.copy()
    assert lessons.try_one(model, batch, 40) == pytest.approx(gradient.flat[40], abs=1e-7)
    assert (model.parameters.flat == before).all()


def test_a_wrong_slope_shows_in_its_own_row_only(compared):
    model, batch, gradient = compared
    mine = gradient.empty()
    mine.flat[:] = gradient.flat
    mine.layers[1].down[:] *= 1.5
    table = lessons.gradient_table(model, batch, gradient, mine, 3, np.random.default_rng(0))
    rows = {row[0]: row for row in cells(table)}
    assert len(rows) == 11 and all(float(row[4]) < 1e-6 for row in rows.values())
    assert {name for name, row in rows.items() if float(row[5]) > 0} == {"mlp.down_proj"}
    assert int(rows["embed_tokens"][1]) == model.parameters.embedding.size


# --- source ---


def test_a_piece_of_source_begins_and_ends_where_it_is_asked_to():
    piece = lessons.source(training.shard, "pieces =", "return").data
    assert piece.startswith("```python\npieces = zip(") and piece.endswith("if len(piece[0])]\n```")
    with pytest.raises(ValueError, match="shard: no line holds 'no such line'"):
        lessons.source(training.shard, "no such line")


def test_the_notebook_reads_the_whole_backward():
    code = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code")
    calls = re.findall(r'lessons\.source\(Transformer\.backward, "(.+?)", "(.+?)"\)', code)
    assert len(calls) > 2
    pieces = "\n".join(lessons.source(Transformer.backward, *call).data for call in calls)
    whole = lessons.source(Transformer.backward, "p, g, tape").data
    read = [line.strip() for line in pieces.split("\n") if not line.startswith("```")]
    assert read == [line.strip() for line in whole.split("\n") if not line.startswith("```")]


def test_every_activation_has_its_meaning_and_is_used_again(small):
    rows = cells(lessons.activations(small, np.array([[1, 2, 3]])))
    assert len(rows) == len(lessons.MEANINGS) == 13
    for name, what, shape, users in rows:
        assert what and re.search(r"\d", shape), name
        assert "backward" in users, f"{name} is kept and not used again"
    by_name = {row[0]: row for row in rows}
    assert by_name["<code>silu_up</code>"][3] == "<code>feed_forward_backward</code>"
    assert by_name["<code>exps</code>"][2] == "1 × 2 × 3 × 3"


def test_fast_and_plain_differ_where_one_is_wrong(monkeypatch):
    def largest() -> dict:
        return {name: float(value) for name, value in cells(lessons.fused_differences(np.random.default_rng(0)))}

    assert len(largest()) == 6 and max(largest().values()) < 1e-12
    right = fused.swiglu_backward

    def wrong(dy, silu_up, sigmoid, active, dgate_up):
        right(dy, silu_up, sigmoid, active, dgate_up)
        dgate_up *= 1.01

    monkeypatch.setattr(fused, "swiglu_backward", wrong)
    assert {name for name, value in largest().items() if value > 1e-6} == {"SwiGLU, back"}


# --- figures ---


def test_the_rate_s_curve_is_the_recipe_s(shown):
    recipe = training.Recipe(50, 0.01, warmup=10)
    lessons.schedule(recipe)
    (figure, alt), = shown
    assert figure.axes[0].lines[0].get_ydata().tolist() == [recipe.rate_at(step) for step in range(50)]
    assert "0.01 within 10 steps" in alt


def test_strengths_are_singular_values(shown):
    lessons.strengths(np.diag([8.0, 4.0, 2.0]), np.diag([1.0, 1.0, 0.5]))
    (figure, alt), = shown
    gradient, step = figure.axes[0].lines
    assert np.allclose(gradient.get_ydata(), [1, 0.5, 0.25]) and np.allclose(step.get_ydata(), [1, 1, 0.5])
    assert "strongest 4 times" in alt and "2.0 times" in alt


# --- a training that is watched ---


@pytest.fixture
def watch(monkeypatch, lm, world):
    views = []
    handle = SimpleNamespace(update=views.append)
    monkeypatch.setattr(lessons, "display", lambda *_, **__: handle)
    probes = [fact for fact in world.facts if fact.kind == "capital"][:2]
    watch = lessons.Watch(lm, probes, ["The <b>", "What?"], training.Recipe(80, 0.01), 1e9)
    watch.views = views
    return watch


def test_it_looks_at_its_steps_and_stops_in_time(watch):
    stops = [watch({"step": step, "loss": 5.0}) for step in range(80)]
    assert not any(stops) and len(watch.records) == 80
    assert [step for step, *_ in watch.history] == sorted({0, 20, *range(10, 81, 10)})
    assert "The &lt;b&gt; …" in watch.views[-1].data and 'role="status"' in watch.views[-1].data
    watch.allowed = 0
    assert watch({"step": 80, "loss": 5.0})


def test_a_run_that_was_stopped_is_looked_at_once_more(watch):
    for step in range(13):
        watch({"step": step, "loss": 5.0})
    watch.finish()
    assert watch.history[-1][0] == 13 and "13 of 80 steps" in watch.views[-1].data


def test_a_run_without_a_step_says_what_to_do(watch):
    with pytest.raises(RuntimeError, match="run the cells above again"):
        watch.finish()


def test_half_of_the_fall_is_where_the_loss_crosses_the_middle(watch, shown):
    losses = [watch.blind] * 30 + [2.0] * 50
    watch.records = [{"step": step, "loss": loss} for step, loss in enumerate(losses)]
    watch.history = [(0, Share(0, 60), ["", ""]), (20, Share(1, 60), ["", ""]), (40, Share(9, 60), ["", ""]),
                     (80, Share(30, 60), ["", ""])]
    step, early, last = watch.half()
    assert (step, early.hits, last) == (31, 1, 2.0)
    said = watch.figure().data
    assert "By step 31" in said and "1 of 60" in said and said.endswith("after 80 steps, 30.*")
    (figure, alt), = shown
    assert figure.axes[1].lines[0].get_ydata().tolist() == [0, 100 / 60, 15, 50]
    assert "half of it by step 31" in alt and "ends at 50%" in alt


def test_answers_are_counted_by_prompt(watch, world):
    fact = next(fact for fact in world.of_kind("capital"))
    watch.history = [(0, Share(0, 1), ["x", "no"]), (1, Share(0, 1), ["x", f" {fact.answer}."])]
    assert watch.answered(1, fact) == 1 and watch.answered(0, fact) == 0


def test_the_recorded_loss_is_the_table_s(watch, shown):
    watch.records = [{"step": 0, "loss": 1.25}]
    watch.history = [(0, Share(0, 60), ["", ""])]
    said = lessons.shipped_loss(watch).data
    losses = [row["loss"] for row in read_results("pretraining_loss")]
    assert f"{len(losses):,} steps" in said and f"last loss {np.mean(losses[-20:]):.2f}" in said
    assert "ended at 1.25" in said
    (figure, _), = shown
    assert figure.axes[0].lines[0].get_ydata().tolist() == losses
