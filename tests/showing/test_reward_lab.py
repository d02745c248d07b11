"""The reward designer without a browser: a reward is what it says, a run trains by it, and what came of it is said."""

import html
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from helpers.judging.dimensions import fact_probe
from helpers.judging.rewards import REWARDS
from helpers.learning.policy_gradient import Rollout, Sample
from helpers.showing import reward_lab as module
from helpers.showing.reward_lab import (
    MORALS,
    NO_REWARD,
    Change,
    answers_html,
    curve,
    designed,
    paid_best_html,
    paid_html,
    reward_lab,
    verdict,
)

HOSTILE = ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "<|im_end|> &lt;b&gt;", "\ud800\u202e a",
           "w " * 300]
TAGS = {"div", "b", "i", "span", "small", "table", "caption", "thead", "tbody", "tr", "th", "td",
        "svg", "text", "path", "polyline", "circle"}
LETTER, FACT, BRIEF, JUDGE, WORDY = REWARDS


@pytest.fixture
def probe(world):
    fact = next(fact for fact in world.facts if fact.subject == "Peru" and fact.kind == "capital")
    return fact_probe(world, fact, fact.say("question"))


class Lab:
    """The widget's parts by name."""

    def __init__(self, lm, world, **how):
        self.box = reward_lab(lm, world, **how)
        (self.reward, self.phrase, self.per_word, self.kl, self.plan, self.paid, buttons, self.bar, self.status,
         self.curves, self.best, self.outcome, self.answers, self.runs, _) = self.box.children
        self.settings = [self.reward, self.phrase, self.per_word, self.kl]
        self.start, self.stop = buttons.children

    def wait(self, until=lambda: False) -> None:
        """Until that is so, or the run is over."""
        end = time.monotonic() + 120
        while self.start.disabled and not until():
            assert time.monotonic() < end, self.status.value
            time.sleep(0.01)

    def run(self) -> None:
        self.start.click()
        self.wait()

    def page(self) -> str:
        return "".join(child.value for child in self.box.children if isinstance(child.get_state().get("value"), str)
                       and child is not self.phrase and child not in self.settings)


@pytest.fixture
def small_steps(monkeypatch):
    """Steps that a model which knows nothing takes in a moment."""
    monkeypatch.setattr(module, "ROLLOUT", Rollout(2, 4, tokens=6))
    monkeypatch.setattr(module, "QUESTIONS", 12)


@pytest.fixture
def lab(lm, world, small_steps):
    lab = Lab(lm, world, steps=4)
    lab.reward.value = WORDY
    yield lab
    if lab.start.disabled:
        lab.stop.click()
        lab.wait()


# --- the reward ---


def test_a_design_adds_up_its_parts(probe):
    right = probe.expected  # The capital of Peru is Lima.
    assert designed(LETTER)(probe, right) == 1 and designed(LETTER)(probe, right + " ") == 0
    assert designed("", "Lima")(probe, right) == 1 and designed("", "lima")(probe, right) == 0
    assert designed(FACT, "capital")(probe, right) == 2
    assert designed(FACT, " capital ", 0.1)(probe, right) == pytest.approx(2 - 0.1 * 6)
    assert designed("", "", 0.05)(probe, "a b\nc") == pytest.approx(-0.15)


def test_parts_that_cancel_leave_nothing(probe):
    """Without a last digit that would look like a contrast between answers, and without a sign."""
    rewards = [designed(WORDY, "", 0.1)(probe, "word " * count) for count in range(20)]
    assert {str(value) for value in rewards} == {"0.0"}


@pytest.mark.parametrize("blank", ["", " ", "\n\t"])
def test_a_blank_phrase_is_no_part(probe, blank):
    assert designed("", blank)(probe, "any text at all") == 0


@pytest.mark.parametrize("name", REWARDS)
def test_each_reward_is_the_one_of_that_name(probe, name):
    for text in (probe.expected, "Lima", "", f"{probe.expected} It is Lima."):
        assert designed(name)(probe, text) == REWARDS[name](probe, text)


def test_another_name_is_an_error_that_lists_them():
    with pytest.raises(ValueError, match="no reward is called 'exactly'.*many words"):
        designed("exactly")


# --- what came of it ---


def test_a_change_is_judged_question_by_question():
    """The same means: moved where all questions moved alike, noise where they went up and down."""
    before = np.tile([0.0, 1.0], 32)
    assert Change.of(before, before + 0.2).sign == 1 and Change.of(before, before - 0.2).sign == -1
    ups = np.array([1.0, -1.0] * 32) * np.where(np.arange(64) < 6, 0, 1)  # as many up as down, and three more up
    noisy = Change.of(np.zeros(64), ups + 0.1)
    assert noisy.after - noisy.before == pytest.approx(0.1) and noisy.sign == 0
    assert noisy.error == pytest.approx(np.std(ups, ddof=1) / 8)
    assert Change.of(before, before + 0.04).sign == 0, "sure, but too small to matter"
    assert Change.of([0.0], [1.0]).sign == 0, "of one question nothing is known"


MOVED = {1: Change(0.4, 0.9, 0.05), 0: Change(0.4, 0.47, 0.05), -1: Change(0.4, 0.1, 0.05)}


@pytest.mark.parametrize("paid", MOVED)
@pytest.mark.parametrize("right", MOVED)
def test_the_sentence_says_where_both_went(paid, right):
    text = verdict(MOVED[paid], MOVED[right], 64)
    rewards = {1: "rose from 0.40 to 0.90", 0: "did not move clearly (0.40 before, 0.47 after)",
               -1: "fell from 0.40 to 0.10"}
    shares = {1: "rose from 40% to 90%", 0: "did not move clearly (40% before, 47% after)", -1: "fell from 40% to 10%"}
    assert text.startswith(f"The reward {rewards[paid]}") and f"exact answers {shares[right]}" in text
    assert MORALS[paid, right] in text and "below 10 points" in text and "64 answers" in text
    assert ("something else than right answers" in text) == ((paid, right) == (1, -1))
    assert ("Both rose" in text) == ((paid, right) == (1, 1)) and ("Neither" in text) == ((paid, right) == (0, 0))


# --- what is shown ---


def points(page: str) -> list[list[tuple[float, float]]]:
    lines = re.findall('points="(.*?)"', page)
    return [[tuple(map(float, place.split(","))) for place in line.split()] for line in lines]


def test_a_curve_stands_between_0_and_1_and_goes_further_where_the_reward_does():
    (line,) = points(curve([0.0, 0.5, 1.0], "reward", 3, 0))
    foot, middle, top = (y for _, y in line)
    assert foot - middle == pytest.approx(middle - top) and foot > top
    page = curve([0.2, 0.9], "reward", 20, 0)
    assert "reward by step: first 0.20, now 0.90" in page and re.findall(r'"end">([\d.-]+)<', page) == ["0", "0.5", "1"]
    assert re.findall(r'"end">([\d.-]+)<', curve([-0.7, 1.6], "reward", 20, 0)) == ["-1", "0.5", "2"]
    assert "not yet known" in curve([], "reward", 20, 0)


def test_what_a_reward_pays_is_what_it_gives(probe):
    def figures(reward, phrase=""):
        return [float(value) for value in re.findall(r"right\">(-?[\d.]+)</td>", paid_html(reward, probe, phrase))]

    assert figures(designed(LETTER)) == [1, 0, 0, 0] and figures(designed(FACT)) == [1, 1, 1, 0]
    assert figures(designed(LETTER, "so", 0.1), "so") == [0.4, -1.2, -0.1, 0, 0.3, 0.9]


def test_the_answers_before_and_after_stand_beside_what_they_get(probe):
    before = [Sample(replace(probe, question=f"<{number}>"), "old<br>", 0.25) for number in range(64)]
    after = [Sample(one.probe, one.probe.expected, 1.5) for one in before]
    page = answers_html(before, after)
    rows = re.findall(r"<tr><td.*?</tr>", page)
    assert len(rows) == 6 and "&lt;0&gt;" in rows[0] and "&lt;63&gt;" in rows[-1] and "6 of the 64" in page
    for row in rows:
        assert "old&lt;br&gt;" in row and row.index("reward 0.25<") < row.index("reward 1.50 (exact)<")


def test_the_answer_paid_best_is_shown(probe):
    page = paid_best_html([Sample(probe, "worse", 0.1), Sample(probe, "", 0.9), Sample(probe, "bad", -1.0)], 7)
    assert "(nothing)" in page and "reward 0.90" in page and "step 7" in page and "worse" not in page


# --- the widget ---


def test_every_control_has_a_name_and_shows_at_once_what_it_changes(lab):
    assert all(setting.description for setting in lab.settings)
    assert set(lab.reward.options) == {*((name, name) for name in REWARDS), NO_REWARD}
    seen = {lab.plan.value}
    for menu in (lab.reward, lab.per_word, lab.kl):
        for index in range(len(menu.options)):
            menu.index = index
            seen.add(lab.plan.value)
    before = lab.plan.value, lab.paid.value
    lab.phrase.value = "Of course"
    assert "Of course" in lab.plan.value and before[0] != lab.plan.value and before[1] != lab.paid.value
    assert len(seen) == 1 + sum(len(menu.options) - 1 for menu in (lab.reward, lab.per_word, lab.kl))


def test_every_control_changes_what_is_trained(lab, monkeypatch, probe):
    calls = []

    def spy(lm, probes, reward, recipe, rollout, **_):
        calls.append((reward(probe, "It is Lima."), rollout.kl, recipe.steps))
        assert all(one.fact.part == "tuned on" for one in probes)
        return lm, []

    monkeypatch.setattr(module, "reward_tune", spy)
    lab.reward.value = LETTER
    lab.run()
    for setting, value in zip(lab.settings, (FACT, "It", 0.1, 0.3), strict=True):
        setting.value = value
        lab.run()
    figures, prices, steps = zip(*calls, strict=True)
    assert figures == pytest.approx((0, 1, 2, 1.7, 1.7)) and prices == (0, 0, 0, 0, 0.3) and set(steps) == {4}


def test_a_run_trains_a_copy_and_says_what_became_of_it(lab, lm):
    first = lm.transformer.parameters.flat.copy()
    assert lab.box.model is lm and lab.box.figures == {} and lab.outcome.value == ""
    lab.kl.value = 0.1
    lab.run()
    assert "Done after 4 of 4 steps" in lab.status.value and 'role="status"' in lab.status.value
    assert np.array_equal(lm.transformer.parameters.flat, first)
    assert not np.array_equal(lab.box.model.transformer.parameters.flat, first)
    assert [len(line) for line in points(lab.curves.value)] == [4, 4] and "Paid best in step 4" in lab.best.value
    before, after = lab.box.figures["reward"]
    assert re.findall(r"\d\.\d\d", lab.outcome.value)[:2] == [f"{before:.2f}", f"{after:.2f}"]
    assert 'role="status"' in lab.outcome.value
    assert lab.answers.value.count("<tr><td") == 6 and f"{before:.2f} → {after:.2f}" in lab.runs.value
    assert re.search(r">\d\.\d{3}</td>", lab.runs.value), "the KL that was paid for"


def test_the_questions_are_about_development_facts(lab, monkeypatch):
    asked = []
    draw = module.draw_answers
    monkeypatch.setattr(module, "draw_answers", lambda lm, questions, *rest: asked.append(questions) or draw(
        lm, questions, *rest))
    seen = []
    judge = module.reward_of
    monkeypatch.setattr(module, "reward_of", lambda reward, probe, text: seen.append(probe.fact.part) or judge(
        reward, probe, text))
    lab.run()
    lab.run()
    assert set(seen) == {"development"} and len(asked) == 3, "what stays the same is not drawn again"
    assert asked[0] == asked[1] == asked[2] and len(set(asked[0])) == 12


def test_the_same_design_gives_the_same_run_and_another_another(lab):
    lab.run()
    first = lab.box.model.transformer.parameters.flat.copy()
    lab.run()
    assert np.array_equal(lab.box.model.transformer.parameters.flat, first)
    lab.phrase.value = "e"
    lab.run()
    assert not np.array_equal(lab.box.model.transformer.parameters.flat, first)
    assert lab.runs.value.count("<tr><td") == 3
    assert lab.runs.value.index(">e</b>") < lab.runs.value.index("many words</td>"), "newest first"


def test_stop_keeps_what_the_model_had_become(lm, world, small_steps):
    lab = Lab(lm, world, steps=400)
    lab.reward.value = WORDY
    lab.start.click()
    assert all(setting.disabled for setting in lab.settings) and not lab.stop.disabled
    lab.wait(lambda: lab.bar.value >= 1)
    lab.stop.click()
    lab.wait()
    steps = int(re.search(r"Stopped by you after (\d+) of 400", lab.status.value)[1])
    assert 1 <= steps < 400 and [len(line) for line in points(lab.curves.value)] == [steps, steps]
    assert not np.array_equal(lab.box.model.transformer.parameters.flat, lm.transformer.parameters.flat)
    assert lab.answers.value and lab.outcome.value and set(lab.box.figures) == {"reward", "exact", "words"}
    assert not any(setting.disabled for setting in lab.settings)


def test_a_reward_without_contrast_is_an_error_in_words(lm, world, small_steps):
    lab = Lab(lm, world, steps=12)
    lab.reward.value = LETTER  # which a model that knows nothing never gets
    lab.run()
    assert "ended early, because of the reward" in lab.status.value
    assert "no question had answers of different reward" in lab.status.value and "Traceback" not in lab.page()
    assert "Neither moved much" in lab.outcome.value and not lab.start.disabled
    lab.reward.value = WORDY
    lab.run()
    assert "Done after 12 of 12" in lab.status.value, "and the next design works"


def test_a_reward_that_raises_is_an_error_in_words(lab, monkeypatch):
    def broken(probe, text):
        raise KeyError("<b>words")

    monkeypatch.setitem(REWARDS, WORDY, broken)
    lab.run()
    assert "the reward raised KeyError" in lab.status.value and "&lt;b&gt;words" in lab.status.value
    assert not lab.start.disabled and lab.outcome.value == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_is_typed_stays_text(lab, text):
    lab.phrase.value = text
    lab.run()
    assert "Done" in lab.status.value
    assert set(re.findall(r"<\s*/?\s*([A-Za-z]+)", lab.page())) <= TAGS
    lab.page().encode("utf-8")
    assert html.escape(text.split()[0]).replace("\ud800\u202e", "\ufffd\ufffd") in lab.runs.value


def test_the_cell_run_again_shows_the_training_under_way(lm, world, small_steps):
    lab = Lab(lm, world, steps=400)
    lab.reward.value = WORDY
    lab.start.click()
    assert reward_lab(lm, world, steps=400) is lab.box and reward_lab(lm.copy(), world) is not lab.box
    lab.stop.click()
    lab.wait()
    assert reward_lab(lm, world) is not lab.box
