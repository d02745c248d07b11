"""What notebook C shows of its own models: answers with their rewards, weights as drawings, tables before and after.

Stored runs stand in preference_results.py and preference_costs.py, which this module hands on. Not here: the methods
themselves (learning/preferences.py, policy_gradient.py), the reward designer (showing/reward_lab.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

from helpers.figures.preference_costs import (
    at_best,
    claims,
    collapse,
    generalise,
    proxy,
    razor,
    razor_correlation,
    rows_or_rewards,
)
from helpers.figures.preference_results import (
    at_end,
    beside_all_rows,
    gain,
    hacking,
    hacking_words,
    moved,
    pairs,
    pairs_table,
    rewarded,
    rewarded_table,
)
from helpers.judging import rewards
from helpers.judging.dimensions import Probe, fact_probe
from helpers.judging.vital_signs import one_liners
from helpers.learning.language_model import LanguageModel
from helpers.learning.policy_gradient import Sample, draw_answers
from helpers.showing import page, plots
from helpers.showing.diagrams import Drawing
from helpers.text.facts import World

__all__ = ["at_best", "at_end", "beside_all_rows", "claims", "collapse", "gain", "generalise", "hacking"]
__all__ += [
    "hacking_words",
    "moved",
    "pairs",
    "pairs_table",
    "proxy",
    "razor",
    "razor_correlation",
    "rewarded",
    "rewarded_table",
    "rows_or_rewards",
]
TOKENS = 24


# --- drawings ---


def weights_drawing() -> Drawing:
    """What a token counts in three lessons."""
    drawing = Drawing(
        560,
        250,
        "Three lessons with one backward pass. SFT: every token of the shown answer counts 1. Pairs: tokens of the "
        "chosen answer count plus, of the rejected one minus. Rewards: tokens of each answer that the model wrote "
        "count its advantage, above or below zero.",
    )
    rows = (
        ("SFT", "you wrote it", ["Lima", "."], ["+1", "+1"]),
        ("pairs", "chosen", ["Lima", "."], ["+w", "+w"]),
        ("", "rejected", ["Rome", "."], ["−w", "−w"]),
        ("rewards", "it wrote, good", ["Lima", "."], ["+0.9", "+0.9"]),
        ("", "it wrote, bad", ["Rome", "?"], ["−0.9", "−0.9"]),
    )
    for number, (lesson, who, tokens, weights) in enumerate(rows):
        y = 6 + 48 * number
        drawing.text(4, y + 18, lesson, anchor="start", bold=True)
        drawing.text(90, y + 18, who, anchor="start")
        drawing.tokens(225, y, tokens, width=62)
        drawing.text(375, y + 18, f"each token counts {weights[0]}", anchor="start")
    return drawing


def advantage_drawing(rewards_of: Sequence[float], advantages: Sequence[float]) -> Drawing:
    """Answers to one question, the reward of each, and how far it lies above the others."""
    words = "; ".join(f"reward {one:g}, advantage {two:+.2f}" for one, two in zip(rewards_of, advantages, strict=True))
    drawing = Drawing(560, 150, f"One question, {len(rewards_of)} answers. {words}.")
    drawing.box(5, 52, 110, 46, "one question")
    width = 420 / len(rewards_of)
    for number, (reward, advantage) in enumerate(zip(rewards_of, advantages, strict=True)):
        x = 135 + width * number
        drawing.box(
            x, 10, width - 8, 56, f"answer {number + 1}", f"reward {reward:g}", fill="second" if reward else "plain"
        )
        drawing.arrow(x + width / 2 - 4, 68, x + width / 2 - 4, 98)
        drawing.text(x + width / 2 - 4, 118, f"{advantage:+.2f}", bold=True)
    drawing.text(280, 144, "advantage: how far above its own question's mean")
    return drawing


# --- what a model writes ---


def development_probes(world: World) -> list[Probe]:
    """Questions about development facts with an answer of one line."""
    return [fact_probe(world, fact, fact.say("question")) for fact in one_liners(world)]


def eight_answers(lm: LanguageModel, world: World, seed: int = 0, count: int = 8) -> HTML:
    """One question of each of three kinds, asked several times at temperature 1."""
    by_kind = {probe.fact.kind: probe for probe in development_probes(world)}
    rows = []
    for probe in list(by_kind.values())[:3]:
        texts = [text for _, text in draw_answers(lm, [probe.question] * count, TOKENS, [seed, 5])]
        marked = [("✔ " if text == probe.expected else "✘ ") + page.verbatim(text) for text in texts]
        rows.append([page.escape(probe.question), "<br>".join(marked)])
    return HTML(
        page.wide_table(("asked", f"{count} answers, drawn at temperature 1"), rows, "The same model each time")
    )


def samples_table(samples: Sequence[Sample], questions: int = 2) -> HTML:
    """Answers of one step: reward and advantage of each."""
    chosen = list(dict.fromkeys(sample.probe.question for sample in samples))[:questions]
    rows = []
    for question in chosen:
        group = [one for one in samples if one.probe.question == question]
        for number, one in enumerate(group):
            asked = page.escape(question) if not number else ""
            rows.append([asked, page.verbatim(one.text), f"{one.reward:.2f}", f"{one.advantage:+.2f}"])
    head = ("asked", "the model wrote", "reward", "advantage: weight of its tokens")
    return HTML(page.wide_table(head, rows, "What one step learns from"))


def learning_curve(log: Sequence[dict]) -> Markdown:
    """Reward and length of the answers of each step."""
    figure, panels = plt.subplots(1, 2, figsize=(7.2, 2.6))
    for number, (axes, key, label) in enumerate(
        zip(panels, ("reward", "tokens of an answer"), ("mean reward", "tokens an answer"), strict=True)
    ):
        series = np.array([record[key] for record in log])
        axes.plot([record["step"] for record in log], series, f"C{number}", lw=0.8, alpha=0.5)
        smooth = np.convolve(series, np.ones(5) / 5, mode="valid") if len(series) >= 5 else series
        axes.plot(np.arange(len(smooth)) + (len(series) - len(smooth)) / 2, smooth, f"C{number}", lw=2)
        axes.set(xlabel="step", ylabel=label)
    figure.tight_layout()
    first, last = (np.mean([record["reward"] for record in part]) for part in (log[:5], log[-5:]))
    plots.show(
        figure, f"Two panels over the steps, the mean reward and tokens an answer. Reward {first:.2f} to {last:.2f}."
    )
    return Markdown(f"*Thin: each step's own answers. Thick: a mean of five steps. The reward goes from {first:.2f} "
                    f"(first five steps) to {last:.2f} (last five).*")  # fmt: skip


def drawn_figures(lm: LanguageModel, world: World, seed: int = 0) -> dict[str, float]:
    """Of answers to every development question with an answer of one line, drawn once at temperature 1: the share with
    the fact in it, the share that is exact, the mean number of words."""
    probes = development_probes(world)
    texts = [text for _, text in draw_answers(lm, [probe.question for probe in probes], TOKENS, [seed, 6])]
    pairs_of = list(zip(probes, texts, strict=True))
    return {
        "contains": float(np.mean([rewards.contains(*pair) for pair in pairs_of])),
        "exact": float(np.mean([rewards.exact(*pair) for pair in pairs_of])),
        "words": float(np.mean([len(text.split()) for text in texts])),
    }


def standing(models: dict[str, LanguageModel], world: World, seed: int = 0) -> Markdown:
    """Models side by side on development facts, by answers drawn at temperature 1."""
    rows = []
    for name, lm in models.items():
        figures = drawn_figures(lm, world, seed)
        rows.append((name, f"{figures['contains']:.0%}", f"{figures['exact']:.0%}", f"{figures['words']:.1f}"))
    return Markdown(page.markdown_table(("model", "the fact stands in it", "exact", "words"), rows))


def side_by_side(models: dict[str, LanguageModel], world: World, count: int = 4) -> HTML:
    """Greedy answers of models to some development questions of unlike kinds."""
    by_kind = list({probe.fact.kind: probe for probe in development_probes(world)}.values())
    some = by_kind[:: max(1, len(by_kind) // count)][:count]
    rows = [[page.escape(probe.question)] for probe in some]
    for lm in models.values():
        answers = lm.ask_all([probe.question for probe in some], max_new_tokens=TOKENS)
        for row, text, probe in zip(rows, answers, some, strict=True):
            row.append(("✔ " if text == probe.expected else "✘ ") + page.verbatim(text))
    return HTML(page.wide_table(("asked", *models), rows, "Greedy answers"))


def pair_log(log: Sequence[dict]) -> Markdown:
    """How likely DPO made chosen and rejected answers, step by step."""
    figure, axes = plt.subplots(figsize=(6, 2.7))
    for number, key in enumerate(("chosen", "rejected")):
        axes.plot([one["step"] for one in log], [one[key] for one in log], f"C{number}{'os'[number]}-", ms=3, label=key)
    axes.axhline(0, color="black", ls=":", lw=1)
    axes.set(xlabel="step", ylabel="log p, from the start (nats)")
    axes.legend(loc="lower left")
    figure.tight_layout()
    last = {key: np.mean([record[key] for record in log[-5:]]) for key in ("chosen", "rejected", "prefers")}
    plots.show(figure, "Log probability of chosen and rejected answers over the steps; in the last five steps "
               f"{last['chosen']:+.1f} and {last['rejected']:+.1f} nats.")  # fmt: skip
    return Markdown(
        f"*In the last five steps {last['prefers']:.0%} of the pairs are preferred rightly. Log p of the rejected "
        f"answer moved by {last['rejected']:+.1f} nats, that of the chosen one by {last['chosen']:+.1f}.*"
    )
