"""Training learns, gives the same result on any number of cores, and can be broken off and taken up again."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from helpers.learning import training
from helpers.learning.checkpoints import load_checkpoint, save_checkpoint
from helpers.learning.model import Config, Parameters, Transformer
from helpers.learning.training import SHARDS, AdamW, Muon, Recipe, TrainingDiverged, shard, stream_batches, train

CONFIG = Config(vocab=7, dim=16, layers=1, heads=2, hidden=24, context=12)
STREAM = np.tile([1, 2, 3, 4, 5, 6], 50)
RECIPE = Recipe(steps=12, rate=1e-2, warmup=3)
BATCHES = stream_batches(STREAM, rows=6, length=10, seed=0)


def fresh() -> Transformer:
    return Transformer(Parameters(CONFIG).initialise(0))


def run(model=None, batches=BATCHES, recipe=RECIPE, **how) -> tuple[np.ndarray, list[dict]]:
    model = model or fresh()
    records = train(model, batches, recipe, progress=False, **how)
    return model.parameters.flat, records


# --- learning ---


def test_the_loss_falls():
    """A pattern of six tokens is learned: from a guess among seven to near certainty."""
    model = fresh()
    _, records = run(model, recipe=Recipe(steps=60, rate=1e-2))
    assert records[0]["loss"] == pytest.approx(math.log(7), abs=0.2)
    assert records[-1]["loss"] < 0.1
    assert model.logits(np.array([[3, 4, 5]]))[0, -1].argmax() == 6


def test_each_step_is_recorded():
    _, records = run()
    assert [record["step"] for record in records] == list(range(12))
    assert [record["rate"] for record in records] == [RECIPE.rate_at(step) for step in range(12)]
    assert all(record["tokens"] == 60 and record["norm"] > 0 and record["seconds"] > 0 for record in records)


def test_loss_and_gradient_are_means_over_the_tokens_that_count():
    """Masked positions, and rows of which all is masked, weigh nothing."""
    ids, targets, _ = BATCHES(0)
    weights = np.zeros((6, 10), np.float32)
    weights[0, 3:5], weights[4, 9] = 1.0, 1.0
    found = Parameters(CONFIG)
    loss = fresh().backward(ids, targets, weights, found)
    _, records = run(batches=lambda step: (ids, targets, weights), recipe=replace(RECIPE, steps=1))
    assert records[0]["loss"] == pytest.approx(loss / 3, rel=1e-5)
    assert records[0]["norm"] == pytest.approx(np.linalg.norm(found.flat) / 3, rel=1e-4)


def test_the_gradient_is_a_mean_too():
    """A batch of twice the same rows teaches what the rows teach once."""
    def doubled(step):
        return tuple(np.concatenate([part, part]) for part in BATCHES(step))

    one, two = run(recipe=replace(RECIPE, steps=3))[0], run(batches=doubled, recipe=replace(RECIPE, steps=3))[0]
    np.testing.assert_allclose(one, two, atol=1e-4)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_batches_smaller_than_the_shards_and_uneven_ones_train(rows):
    batches = stream_batches(STREAM, rows, 10, 0)
    model, found = fresh(), Parameters(CONFIG)
    loss = fresh().backward(*batches(0), found) / (rows * 10)
    _, records = run(model, batches, replace(RECIPE, steps=1))
    assert records[0]["loss"] == pytest.approx(loss, rel=1e-5)
    assert records[0]["norm"] == pytest.approx(np.linalg.norm(found.flat) / (rows * 10), rel=1e-4)


def test_shards_are_the_batch_in_order():
    ids = np.arange(14).reshape(7, 2)
    pieces = shard((ids, ids, ids))
    assert len(pieces) == SHARDS
    np.testing.assert_array_equal(np.concatenate([piece[0] for piece in pieces]), ids)
    assert len(shard((ids[:2], ids[:2], ids[:2]))) == 2


def test_a_batch_in_which_nothing_counts_is_refused_in_words():
    ids, targets, weights = BATCHES(0)
    with pytest.raises(ValueError, match="step 0: .*divided by 0.*check the loss mask"):
        run(batches=lambda step: (ids, targets, weights * 0))


def test_long_gradients_are_clipped(monkeypatch):
    """AdamW is handed a gradient no longer than `clip`; the record has its length before."""
    handed = []
    real = AdamW.step

    def step(self, gradient, *how):
        handed.append(float(np.linalg.norm(gradient)))
        real(self, gradient, *how)

    monkeypatch.setattr(AdamW, "step", step)
    _, records = run(recipe=replace(RECIPE, clip=2.0))
    norms = [record["norm"] for record in records]
    assert max(norms) > 2.0 > min(norms), "this test needs both long and short gradients"
    np.testing.assert_allclose(handed, np.minimum(norms, 2.0), rtol=1e-4)


# --- the same result everywhere ---


def test_one_core_or_more_the_result_is_the_same_to_the_bit(monkeypatch):
    found = []
    for cores in (1, 2, 4):
        monkeypatch.setattr(training, "cores", lambda cores=cores: cores)
        flat, records = run()
        found.append((flat.tobytes(), [record["loss"] for record in records]))
    assert all(one == found[0] for one in found)


def test_as_many_threads_as_cores_but_no_more_than_shards(monkeypatch):
    used = []
    real = training.ThreadPoolExecutor

    def pool(threads):
        used.append(threads)
        return real(threads)

    monkeypatch.setattr(training, "ThreadPoolExecutor", pool)
    for cores in (1, 2, 64):
        monkeypatch.setattr(training, "cores", lambda cores=cores: cores)
        run(recipe=replace(RECIPE, steps=1))
    assert used == [1, 2, SHARDS]


# --- the rate ---


def test_the_rate_warms_up_and_goes_down_a_cosine():
    recipe = Recipe(steps=110, rate=2.0, warmup=10, floor=0.1)
    rates = [recipe.rate_at(step) for step in range(111)]
    assert rates[0] == pytest.approx(0.2) and rates[4] == pytest.approx(1.0)
    assert rates[9] == rates[10] == pytest.approx(2.0)
    assert rates[35] == pytest.approx(2.0 * (0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2))
    assert rates[60] == pytest.approx(2.0 * 0.55)
    assert rates[110] == pytest.approx(0.2)
    assert all(one > other for one, other in zip(rates[10:], rates[11:], strict=False))


def test_a_rate_without_warmup_starts_at_its_peak_and_a_run_shorter_than_it_never_gets_there():
    assert Recipe(steps=10, rate=1.0, warmup=0).rate_at(0) == 1.0
    assert [Recipe(steps=3, rate=1.0, warmup=10).rate_at(step) for step in range(3)] == pytest.approx([0.1, 0.2, 0.3])


# --- breaking off, and going on ---


def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path):
    whole, records = run()

    def interrupt(record):
        if record["step"] == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=tmp_path / "run", every=3, on_step=interrupt)
    _, saved, extra = load_checkpoint(tmp_path / "run")
    run_name, optimizer = saved.pop("run"), saved.pop("optimizer")
    assert len(run_name) == 64 and optimizer == "AdamW" and saved == {"step": 6, **asdict(RECIPE)}
    assert set(extra) == {"mean", "square", "losses"}

    flat, later = run(checkpoint=tmp_path / "run", every=3)
    assert [record["step"] for record in later] == list(range(12)), "what was learned before is not forgotten"
    assert [record["loss"] for record in later[6:]] == [record["loss"] for record in records[6:]]
    assert [record["loss"] for record in later[:6]] == pytest.approx([record["loss"] for record in records[:6]])
    assert flat.tobytes() == whole.tobytes()


def test_a_finished_run_is_not_run_again(tmp_path):
    flat, first = run(checkpoint=tmp_path / "run", every=100)
    stepped = []
    again, records = run(checkpoint=tmp_path / "run", every=100, on_step=stepped.append)
    assert stepped == [] and again.tobytes() == flat.tobytes()
    assert [record["loss"] for record in records] == pytest.approx([record["loss"] for record in first])


def test_saving_changes_nothing(tmp_path):
    assert run()[0].tobytes() == run(checkpoint=tmp_path / "run", every=1)[0].tobytes()


@pytest.mark.parametrize(("wrong", "message"), [
    ({"steps": 0}, "steps 0: training needs a whole number of at least 1"), ({"steps": 1.5}, "steps 1.5"),
    ({"rate": 0}, "rate 0: the learning rate must be above 0"), ({"rate": -1e-4}, "rate -0.0001"),
    ({"rate": float("nan")}, "rate nan"), ({"warmup": -1}, "warmup=-1"), ({"floor": 2}, "floor=2"),
    ({"clip": 0}, "clip=0"),
])
def test_a_recipe_without_sense_is_refused_in_words(wrong, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**{"steps": 3, "rate": 1e-3} | wrong)


def test_a_checkpoint_that_read_other_text_or_began_elsewhere_is_refused(tmp_path):
    run(checkpoint=tmp_path / "run")
    before, other = (tmp_path / "run").read_bytes(), fresh()
    other.parameters.flat[0] += 1e-3
    for model, batches in ((fresh(), lambda step: BATCHES(step + 1)), (other, BATCHES)):
        start = model.parameters.flat.copy()
        with pytest.raises(ValueError, match="belongs to another run .other rows, base model"):
            train(model, batches, RECIPE, checkpoint=tmp_path / "run", progress=False)
        assert np.array_equal(model.parameters.flat, start) and (tmp_path / "run").read_bytes() == before


@pytest.mark.parametrize("other", [{"rate": 2e-2}, {"steps": 13}, {"seed": 1}])
def test_another_recipes_checkpoint_is_refused_and_left_alone(tmp_path, other):
    run(checkpoint=tmp_path / "run")
    before, model = (tmp_path / "run").read_bytes(), fresh()
    start = model.parameters.flat.copy()
    with pytest.raises(ValueError, match="belongs to another run.*delete it or name another"):
        run(model, recipe=replace(RECIPE, **other), checkpoint=tmp_path / "run")
    assert (tmp_path / "run").read_bytes() == before and (model.parameters.flat == start).all()


def test_muon_goes_on_to_the_same_bits_and_does_not_take_up_adamws_run(tmp_path):
    whole = run(optimizer=Muon)[0]
    run(optimizer=Muon, checkpoint=tmp_path / "run", every=5, on_step=lambda record: record["step"] == 6)
    assert load_checkpoint(tmp_path / "run")[1]["step"] == 5
    with pytest.raises(ValueError, match="belongs to another run.*'optimizer': 'Muon'"):
        run(checkpoint=tmp_path / "run")
    assert run(optimizer=Muon, checkpoint=tmp_path / "run", every=5)[0].tobytes() == whole.tobytes()


@pytest.mark.parametrize("threads", [1, 3])
def test_muon_too_does_not_depend_on_the_number_of_threads(threads):
    assert run(optimizer=Muon, threads=threads)[0].tobytes() == run(optimizer=Muon)[0].tobytes()


def test_a_checkpoint_of_another_size_or_without_optimizer_is_refused(tmp_path):
    save_checkpoint(tmp_path / "model", Parameters(CONFIG), {"step": 3, **asdict(RECIPE)})
    other = Parameters(replace(CONFIG, context=20))
    state = {"mean": other.flat, "square": other.flat}
    save_checkpoint(tmp_path / "longer", other, {"step": 3, **asdict(RECIPE)}, state)
    for name in ("model", "longer"):
        with pytest.raises(ValueError, match="belongs to another run"):
            run(checkpoint=tmp_path / name)


def test_on_step_may_stop_early():
    _, records = run(on_step=lambda record: record["step"] == 4)
    assert len(records) == 5


# --- going wrong ---


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e19])
def test_a_loss_that_is_no_number_ends_the_run_in_words_and_keeps_the_checkpoint(tmp_path, bad):
    """1e19: the loss is still finite, but its gradient is too long for float32; a step along it would be nonsense."""
    model, kept = fresh(), []

    def spoil(record):
        if record["step"] == 4:
            kept.append((tmp_path / "run").read_bytes())
            model.parameters.norm[:] = bad

    with pytest.raises(TrainingDiverged, match="at step 5.*tenth.*checkpoint is untouched"):
        run(model, checkpoint=tmp_path / "run", every=2, on_step=spoil)
    assert (tmp_path / "run").read_bytes() == kept[0]
    found, saved, _ = load_checkpoint(tmp_path / "run")
    assert saved["step"] == 4 and np.isfinite(found.flat).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_rate_that_is_far_too_high_ends_in_words():
    with pytest.raises(TrainingDiverged, match="(?i)too high"):
        run(recipe=Recipe(steps=20, rate=1e30, warmup=1))


# --- batches for pre-training ---


def test_a_batch_is_windows_and_the_token_that_follows_each():
    stream = np.arange(1000)
    ids, targets, weights = stream_batches(stream, 5, 8, 0)(3)
    assert ids.shape == targets.shape == weights.shape == (5, 8)
    np.testing.assert_array_equal(targets, ids + 1)
    np.testing.assert_array_equal(ids, ids[:, :1] + np.arange(8))
    assert (weights == 1).all()


def test_a_batch_follows_from_seed_and_step():
    stream = np.arange(1000)
    batches = stream_batches(stream, 5, 8, 0)
    assert (batches(3)[0] == stream_batches(stream, 5, 8, 0)(3)[0]).all()
    assert (batches(3)[0] != batches(4)[0]).any() and (batches(3)[0] != stream_batches(stream, 5, 8, 1)(3)[0]).any()


def test_first_and_last_token_are_reached_and_no_more():
    seen = np.concatenate([stream_batches(np.arange(12), 5, 8, 0)(step)[1].ravel() for step in range(50)])
    assert seen.min() == 1 and seen.max() == 11


def test_too_short_a_text_is_refused_in_words():
    with pytest.raises(ValueError, match="8 tokens, too few for windows of 8"):
        stream_batches(np.arange(8), 5, 8, 0)
