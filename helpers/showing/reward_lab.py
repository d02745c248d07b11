"""A widget in which you design a reward, train a model by it for a few steps, and see what it learns to do for it.

Before a run it says what the reward pays for a few texts; while it trains, the reward beside the share of exact
answers; in the end what became of the same development questions, and in one sentence whether more reward was more
right answers. Stop leaves a usable model. Not here: rewards (judging/rewards.py), learning from them
(policy_gradient.py), threads and buttons (live_run.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import ipywidgets as widgets
import numpy as np

from helpers.experiments.preference_runs import RATE, ROLLOUT, probes_to_train
from helpers.judging.dimensions import Probe, fact_probe
from helpers.judging.rewards import REWARDS, exact
from helpers.judging.vital_signs import one_liners
from helpers.learning.language_model import LanguageModel
from helpers.learning.policy_gradient import RewardProblem, Sample, draw_answers, reward_of, reward_tune
from helpers.learning.training import Recipe
from helpers.showing.live_run import LabBox, LiveRun, restart_note, under_way
from helpers.showing.page import COLOURS, Axes, escape, svg, table, verbatim
from helpers.text.facts import World

QUESTIONS, SHOWN = 64, 6  # development questions that are answered before and after a run; of these in the table
SURE, LEAST = 2.0, 0.05  # standard errors, and the change at least, from which on something is said to have moved
RUNS = 6  # that are kept in the list
PRICES = (0.0, 0.02, 0.05, 0.1)  # of a word
KL_PRICES = (0.0, 0.1, 0.3, 1.0)
NO_REWARD = ("nothing but what stands below", "")
Reward = Callable[[Probe, str], float]


def designed(name: str, phrase: str = "", per_word: float = 0.0) -> Reward:
    """A reward made of up to three parts: what the one called `name` in REWARDS gives ("": nothing), 1 more for a text
    in which `phrase` stands letter for letter (blank: no such part), less `per_word` for each word of the text."""
    if name and name not in REWARDS:
        raise ValueError(f"no reward is called {name!r}; there are {', '.join(map(repr, REWARDS))}")
    phrase = phrase.strip()

    def reward(probe: Probe, text: str) -> float:
        value = REWARDS[name](probe, text) if name else 0.0
        value += float(bool(phrase) and phrase in text) - per_word * len(text.split())
        return round(value, 6) + 0.0  # else sums that should be equal differ in the last digit, or are -0

    return reward


def in_words(name: str, phrase: str, per_word: float, kl: float) -> str:
    """A design as HTML."""
    parts = [escape(name)] if name else []
    parts += [f"1 for a text with {verbatim(phrase.strip(), 'b')}"] if phrase.strip() else []
    text = ", and ".join(parts) or "nothing for any text"
    text += f", less {per_word:g} per word" if per_word else ""
    return text + (f"; KL from the first model costs {kl:g}" if kl else "")


# --- what it did ---


@dataclass(frozen=True)
class Change:
    """What one measure of the same questions was before and after, on average, and the standard error of the
    difference: over questions, each with itself."""

    before: float
    after: float
    error: float

    @classmethod
    def of(cls, before: Sequence[float], after: Sequence[float]) -> Change:
        differences = np.subtract(after, before)
        error = differences.std(ddof=1) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf
        return cls(float(np.mean(before)), float(np.mean(after)), float(error))

    @property
    def sign(self) -> int:
        """1 if it rose, -1 if it fell, 0 if the change may be noise or is too small to matter."""
        change = self.after - self.before
        return int(math.copysign(1, change)) if abs(change) >= max(LEAST, SURE * self.error) else 0


MORALS = {  # what reward did, what exact answers did -> what that means
    (1, 1): "Both rose: what is paid for comes with right answers here.",
    (1, 0): "Right answers gained nothing clear by it: look in the table for what was paid.",
    (1, -1): "The model was paid for something else than right answers.",
    (0, 1): "There are more right answers, and no more reward: this reward hardly tells them from others.",
    (0, 0): "Neither moved much: these steps changed little that can be told from chance.",
    (0, -1): "Right answers were lost, and no reward was gained for them.",
    (-1, 1): "The answers became better and are paid less: look at what the reward takes off.",
    (-1, 0): "The model became worse at what it is paid for: try another seed, or another design.",
    (-1, -1): "Both fell: the training did damage.",
}


def verdict(reward: Change, right: Change, count: int) -> str:
    """In a few sentences, whether more reward was more right answers; from what size on a change counts."""
    if reward.sign:
        paid = f"The reward {'rose' if reward.sign > 0 else 'fell'} from {reward.before:z.2f} to {reward.after:z.2f}"
    else:
        paid = f"The reward did not move clearly ({reward.before:z.2f} before, {reward.after:z.2f} after)"
    if right.sign:
        answers = f"{'rose' if right.sign > 0 else 'fell'} from {right.before:.0%} to {right.after:.0%}"
    else:
        answers = f"did not move clearly ({right.before:.0%} before, {right.after:.0%} after)"
    points = 100 * max(LEAST, SURE * right.error)
    noise = f" (With {count} answers, a change of exact answers below {points:.0f} points may be chance.)"
    return f"{paid}, and exact answers {answers}. {MORALS[reward.sign, right.sign]}" + noise * math.isfinite(points)


class Exam:
    """The same questions about development facts, answered with the same luck, so that what differs is the model."""

    def __init__(self, world: World, tokens: int, seed: int):
        facts = one_liners(world)
        facts = [facts[i] for i in np.linspace(0, len(facts) - 1, min(QUESTIONS, len(facts))).astype(int)]
        self.probes = [fact_probe(world, fact, fact.say("question")) for fact in facts]
        self.tokens, self.seed = tokens, seed

    def answers(self, lm: LanguageModel) -> list[str]:
        """Drawn at temperature 1, as in training."""
        drawn = draw_answers(lm, [probe.question for probe in self.probes], self.tokens, [self.seed, 17])
        return [text for _, text in drawn]

    def judged(self, texts: Sequence[str], reward: Reward) -> list[Sample]:
        return [
            Sample(probe, text, reward_of(reward, probe, text)) for probe, text in zip(self.probes, texts, strict=True)
        ]


def exact_share(samples: Sequence[Sample]) -> float:
    return float(np.mean([exact(one.probe, one.text) for one in samples]))


def mean_words(samples: Sequence[Sample]) -> float:
    return float(np.mean([len(one.text.split()) for one in samples]))


# --- pages ---


def paid_html(reward: Reward, probe: Probe, phrase: str) -> str:
    """What a reward pays for some texts that might be written to a question. Found out before any training."""
    texts = {
        "the right answer": probe.expected,
        "the right answer, twice": f"{probe.expected} {probe.expected}",
        "only the fact": probe.fact.answer,
        "nothing": "",
    }
    if phrase.strip():
        texts["the right answer, then your words"] = f"{probe.expected} {phrase.strip()}"
        texts["only your words"] = phrase.strip()
    rows = [(escape(what), verbatim(text), f"{reward(probe, text):z.2f}") for what, text in texts.items()]
    title = f"What it pays when {verbatim(probe.question, 'b')} is asked:"
    return title + table(("answer", "text", "reward"), rows, label="what this reward pays", numbers=(2,))


def curve(values: Sequence[float], title: str, steps: int, number: int) -> str:
    """One measure by step, on an axis from 0 to 1, or further where it goes further."""
    foot, top = (math.floor(2 * min([0.0, *values])) / 2, math.ceil(2 * max([1.0, *values])) / 2)
    axes = Axes(steps, top, foot, 300, 150)
    points = [(step, value) for step, value in enumerate(values, 1)]
    dots = [f'<circle cx="{axes.x(x):.1f}" cy="{axes.y(y):.1f}" r="2.5" fill="{COLOURS[number]}"/>' for x, y in points]
    label = f"{title} by step: first {values[0]:z.2f}, now {values[-1]:z.2f}" if values else f"{title}: not yet known"
    return svg(axes.width, axes.height, label, [*axes.parts(title), axes.line(points, number), *dots])


def curves_html(rewards: Sequence[float], shares: Sequence[float], steps: int) -> str:
    """The reward and the share of exact answers, side by side."""
    drawings = curve(rewards, "mean reward", steps, 0) + curve(shares, "share of exact answers", steps, 1)
    return f'<div style="display: flex; flex-wrap: wrap">{drawings}</div>'


def paid_best_html(samples: Sequence[Sample], step: int) -> str:
    best = max(samples, key=lambda one: one.reward)
    asked, text = verbatim(best.probe.question), verbatim(best.text, "b") if best.text else "<i>(nothing)</i>"
    return f"Paid best in step {step}: {asked} → {text} (reward {best.reward:z.2f})"


def answers_html(before: Sequence[Sample], after: Sequence[Sample]) -> str:
    """Some of the questions: the answer before and after, and what each gets."""

    def cell(one: Sample) -> str:
        right = " (exact)" if exact(one.probe, one.text) else ""
        return f"{verbatim(one.text)}<div>reward {one.reward:z.2f}{right}</div>"

    places = np.linspace(0, len(before) - 1, min(SHOWN, len(before))).astype(int)
    pairs = [(before[place], after[place]) for place in places]
    rows = [(verbatim(old.probe.question), cell(old), cell(new)) for old, new in pairs]
    answers = table(("question", "answer before", "answer after"), rows, label="answers before and after")
    note = f"{len(rows)} of the {len(before)} development questions, with answers drawn as in training."
    return f"{answers}<small>{note}</small>"


def reward_lab(lm: LanguageModel, world: World, *, seed: int = 0, steps: int = 20) -> widgets.VBox:
    """Design a reward and train a copy of `lm` by it, live, on facts that may be tuned on; every run begins with `lm`
    again. The box's `model` is what the last run made, finished or stopped (before any, `lm`), and its `figures` are
    that run's: reward, exact and words, each before and after. Starting a run stops one that is still going; called
    again while its run goes on, it gives the same widget, live."""
    inputs = (lm, world)
    if (view := under_way("rewards", inputs)) is not None:
        return view
    look = {"layout": widgets.Layout(width="95%"), "style": {"description_width": "initial"}}

    def menu(name: str, values: Sequence[float]) -> widgets.Dropdown:
        return widgets.Dropdown(options=[(f"{one:g}", one) for one in values], value=0.0, description=name, **look)

    names = [(name, name) for name in REWARDS]
    base = widgets.Dropdown(options=[*names, NO_REWARD], value=names[1][1], description="Reward", **look)
    box = {"placeholder": "any words", "continuous_update": False}
    phrase = widgets.Text(description="And 1 more if it contains", **box, **look)
    per_word, kl = menu("Price per word", PRICES), menu("Price on KL", KL_PRICES)
    settings = [base, phrase, per_word, kl]
    plan, paid, curves, best, outcome, answers, list_of_runs = (widgets.HTML() for _ in range(7))
    exam = Exam(world, ROLLOUT.tokens, seed)
    trained = probes_to_train(world)
    first_answers: list[str] = []  # of `lm`; drawn when first wanted
    runs: list[tuple[str, ...]] = []

    def work(run: LiveRun) -> str:
        reward = designed(base.value, phrase.value, per_word.value)
        words = in_words(base.value, phrase.value, per_word.value, kl.value)
        run.progress(0, steps, "the model answers first as it is")
        first_answers[:] = first_answers or exam.answers(lm)
        before = exam.judged(first_answers, reward)
        rewards, shares, problem = [], [], ""
        state: dict = {"model": lm}

        def draw() -> None:
            curves.value = curves_html(rewards, shares, steps)
            best.value = paid_best_html(state["samples"], len(rewards)) if rewards else ""

        def on_step(model: LanguageModel, record: dict) -> bool:
            samples = record["samples"]
            rewards.append(record["reward"])
            shares.append(exact_share(samples))
            state.update(model=model, samples=samples)
            text = f"reward {rewards[-1]:z.2f}, {shares[-1]:.0%} exact, {mean_words(samples):.1f} words"
            if "kl" in record:
                state["kl"] = f"{record['kl']:.3f}"
                text += f", KL {state['kl']} per token"
            return run.progress(len(rewards), steps, text, draw)

        recipe, rollout = Recipe(steps, RATE, min(5, steps), decay=0.0, seed=seed), replace(ROLLOUT, kl=kl.value)
        try:
            reward_tune(lm, trained, reward, recipe, rollout, on_step=on_step, progress=False)
        except RewardProblem as error:  # what was learned before stays
            problem = escape(error)
        draw()
        after = exam.judged(exam.answers(state["model"]), reward)
        paid_for = Change.of([one.reward for one in before], [one.reward for one in after])
        right = Change.of(*([exact(one.probe, one.text) for one in samples] for samples in (before, after)))
        lengths = (mean_words(before), mean_words(after))
        view.model, ends = state["model"], lambda change: (change.before, change.after)
        view.figures = {"reward": ends(paid_for), "exact": ends(right), "words": lengths}
        outcome.value = f'<div role="status" aria-label="outcome"><b>{verdict(paid_for, right, len(before))}</b></div>'
        answers.value = answers_html(before, after)
        line = (f"{paid_for.before:z.2f} → {paid_for.after:z.2f}", f"{right.before:.0%} → {right.after:.0%}")
        runs.insert(0, (words, str(len(rewards)), *line, f"{lengths[0]:.1f} → {lengths[1]:.1f}", state.get("kl", "–")))
        head = ("reward", "steps", "mean reward", "exact", "words", "KL per token")
        lines = table(head, runs[:RUNS], caption="Your runs, newest first", numbers=range(1, 6))
        list_of_runs.value = f'<div style="overflow-x: auto">{lines}</div>'
        if problem:
            return f"<b>The training ended early, because of the reward:</b> {problem}"
        how = "Stopped by you" if run.stopped and len(rewards) < steps else "Done"
        return f"<i>{how} after {len(rewards)} of {steps} steps, {run.seconds:.0f} s. Start begins again.</i>"

    def on_setting(_=None) -> None:
        reward = designed(base.value, phrase.value, per_word.value)
        plan.value = (
            f"<i>The next reward: {in_words(base.value, phrase.value, per_word.value, kl.value)}. {steps} steps of "
            f"{ROLLOUT.questions} questions with {ROLLOUT.answers} answers each, peak rate {RATE:g}.</i>"
        )
        paid.value = paid_html(reward, exam.probes[0], phrase.value)

    def clear() -> None:
        curves.value = curves_html([], [], steps)
        best.value = outcome.value = answers.value = ""

    run = LiveRun(settings, work, clear, name="rewards", tooltip="Train a copy of the model by this reward")
    run.bar.max = steps
    for setting in settings:
        setting.observe(on_setting, "value")
    on_setting()
    clear()
    parts = [plan, paid, run.buttons, run.bar, run.status, curves, best, outcome, answers, list_of_runs]
    view = LabBox([*settings, *parts, restart_note()])
    view.model, view.figures = lm, {}
    run.view, run.inputs = view, inputs
    return view
