"""The pre-training laboratory without a browser: a run trains a new model, samples it on schedule, can be stopped."""

import re

import numpy as np
import pytest

from helpers.judging.vital_signs import reading_steps
from helpers.showing import live_run
from helpers.showing.pretraining_lab import SAMPLES, pretraining_lab


class Lab:
    """The widget's parts by name, on a stream of token ids that repeat."""

    def __init__(self, tokenizer):
        box = pretraining_lab(tokenizer, np.arange(4000) % 300, ["The <b>capital</b> of", "It is"], steps=20)
        self.steps, self.rate, self.optimizer, self.prompt, buttons, self.bar, *shown = box.children
        self.status, self.curve, self.samples, self.note = shown
        self.start, self.stop = buttons.children


@pytest.fixture
def lab(tokenizer):
    yield Lab(tokenizer)
    if "thread" in live_run.current:
        live_run.current["stop"].set()
        live_run.current["thread"].join(60)


def test_a_run_draws_every_loss_and_samples_at_the_steps_of_the_schedule(lab):
    lab.start.click()
    live_run.current["thread"].join(120)
    assert "Done after 20 of 20 steps" in lab.status.value and not lab.start.disabled
    assert len(re.search('points="(.*?)"', lab.curve.value)[1].split()) == 20
    steps = [int(step) for step in re.findall(r"<tr><td[^>]*>(\d+)</td>", lab.samples.value)]
    assert steps == [step for step in sorted(reading_steps(20, SAMPLES), reverse=True) for _ in range(2)]
    assert "&lt;b&gt;capital&lt;/b&gt;" in lab.samples.value


def test_rate_and_optimizer_are_those_of_the_lists(lab):
    losses = {}
    for rate, optimizer in ((3e-3, "Muon"), (3e-3, "AdamW"), (1e-4, "Muon")):
        lab.rate.value, lab.optimizer.value = rate, optimizer
        lab.start.click()
        live_run.current["thread"].join(120)
        assert f"Done after 20 of 20 steps of {optimizer} at {rate:g}" in lab.status.value
        losses[rate, optimizer] = re.search(r"loss ([\d.]+)", lab.status.value)[1]
    assert len(set(losses.values())) == 3, losses


def test_stop_stops(lab):
    lab.steps.value = lab.steps.max
    lab.start.click()
    while "step" not in lab.status.value:
        assert live_run.current["thread"].is_alive(), lab.status.value
    lab.stop.click()
    live_run.current["thread"].join(60)
    assert int(re.search(r"Stopped by you after (\d+) of 2000 steps", lab.status.value)[1]) < 2000
    assert lab.stop.disabled and not lab.start.disabled


def test_the_cell_run_again_shows_the_run_that_goes_on(tokenizer):
    stream = np.arange(4000) % 300
    box = pretraining_lab(tokenizer, stream, ["It is"], steps=2000)
    start, stop = box.children[4].children
    start.click()
    try:
        assert pretraining_lab(tokenizer, stream, ["It is"]) is box
        assert pretraining_lab(tokenizer, stream.copy(), ["It is"]) is not box, "on another text it is another"
    finally:
        stop.click()
        live_run.current["thread"].join(60)
    assert pretraining_lab(tokenizer, stream, ["It is"]) is not box, "what is over begins anew"
