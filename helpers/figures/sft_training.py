"""What was measured about instruction tuning, drawn for notebook 03: runs as dots, both sides of each choice.

Every figure reads its table (data/results) or is given what the notebook has just measured. Not here: how a step works
(sft_step.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

from helpers import results
from helpers.judging.evaluation import perplexity
from helpers.judging.statistics import as_percent, mean_and_interval
from helpers.learning.language_model import LanguageModel
from helpers.learning.recipe import CORPUS_SEED
from helpers.learning.sft import LOSSES, content_mask
from helpers.showing import plots
from helpers.text.corpus import write_documents
from helpers.text.facts import Fact, load_world
from helpers.text.templates import render

PARTS = ("end mark", "first token", "subject, copied", "the fact", "other words")
HATCHES = ("//", "..", "", "xx", "\\\\")
STARTS = {"left as pre-training left it": "as left", "set to the mean of all tokens": "mean", "drawn anew": "drawn"}


def runs(table: str, figure: str, **setting) -> np.ndarray:
    """A figure's values over the runs of a setting, one a start; shares in percent."""
    return np.array(results.runs(table, figure, **setting)) * (1 if figure in ("perplexity", "words") else 100)


def in_words(values: Sequence[float]) -> str:
    return as_percent(values, digits=1)


def difference(one: np.ndarray, other: np.ndarray, unit: str = "points") -> str:
    """One less the other, run by run, with its interval and what it shows."""
    mean, low, high = mean_and_interval(one - other)
    verdict = "the interval holds 0, so no difference shows" if low <= 0 <= high else "the sign is clear"
    return f"{mean:+.1f} {unit} ({low:+.1f} to {high:+.1f}; {verdict})"


def listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.0f}%" for value in values)


def answer_bars(tokens: Sequence[str], losses: dict[str, Sequence[float]]) -> None:
    """How surprising each token of an answer is to each model."""
    figure, axes = plt.subplots(figsize=(8, 3.2))
    places, width = np.arange(len(tokens)), 0.8 / len(losses)
    for number, (name, values) in enumerate(losses.items()):
        axes.bar(places + (number - 0.5) * width, values, width, label=name, color=f"C{number}", hatch=HATCHES[number])
    axes.set_xticks(places, [token.replace("\n", "⏎") for token in tokens], rotation=30, ha="right")
    axes.set(ylabel="−ln p (nats)")
    axes.legend()
    worst = {name: tokens[int(np.argmax(values))].strip() for name, values in losses.items()}
    alt = "; ".join(f"{name}: highest {max(losses[name]):.1f} nats at {word!r}" for name, word in worst.items())
    plots.show(figure, f"two bars for each token of the answer, its loss under each model. {alt}")


def off_by_one() -> Markdown:
    """What the loss counts, five runs each, test facts; and the verdict in words."""
    exact = {loss_on: runs("mask", "exact", loss_on=loss_on) for loss_on in LOSSES}
    holds = runs("mask", "contains", loss_on="off by one")
    figure, axes = plt.subplots(figsize=(7, 2.4))
    plots.run_dots(axes, exact, "test facts answered exactly (%)")
    axes.set_xlim(0, 100)
    spans = "; ".join(f"{name}: {listed(values)}" for name, values in exact.items())
    plots.show(figure, f"a row of five dots for each thing that the loss may count, in percent of test facts. {spans}")
    good, bad = exact["response"], exact["off by one"]
    return Markdown(
        f"*Five trainings per row, each from another base model; the bar is their mean.* With the right loss the five "
        f"runs give {listed(good)}. With the bug: {listed(bad)}. Run by run the right loss is ahead by "
        f"{difference(good, bad)}. And yet the right fact stands somewhere in {listed(holds)} of the answers."
    )


def gradient_bars(norms: np.ndarray, is_answer: np.ndarray, tokens: Sequence[str]) -> None:
    """Where the answer's loss reaches: the gradient's length at each input token."""
    figure, axes = plt.subplots(figsize=(8, 3.2))
    places = np.arange(len(norms))
    axes.bar(places[~is_answer], norms[~is_answer], color="C0", label="question and form: weight 0")
    axes.bar(places[is_answer], norms[is_answer], color="C1", hatch="//", label="answer: weight 1")
    axes.set_xticks(places, [token.replace("\n", "⏎") for token in tokens], rotation=60, ha="right", fontsize=8)
    axes.set(ylabel="length of the gradient", ylim=(0, 1.35 * norms.max()))  # room for the legend
    axes.legend(ncols=2, loc="upper left")
    asked = norms[~is_answer]
    alt = (
        f"a bar for each input token; at tokens of the question and the form the gradient is {asked.min():.1f} to "
        f"{asked.max():.1f} long, at the answer's up to {norms[is_answer].max():.1f}"
    )
    plots.show(figure, alt)


def prompt_weights() -> Markdown:
    """Test facts answered against what a prompt token counts: five runs each, greedy and drawn."""
    weights = sorted({row["weight"] for row in results.read_results("prompt_loss")})
    figure, axes = plt.subplots(figsize=(7, 3))
    for number, (name, label) in enumerate((("exact", "likeliest answer"), ("exact, drawn", "drawn answer"))):
        values = np.array([runs("prompt_loss", name, weight=weight) for weight in weights])  # (weights, runs)
        axes.plot(range(len(weights)), values, "os"[number], color=f"C{number}", alpha=0.6, ms=5)
        axes.plot(range(len(weights)), values.mean(axis=1), ("-", "--")[number], color=f"C{number}", label=label)
    axes.set_xticks(range(len(weights)), [f"{weight:g}" for weight in weights])
    axes.set(xlabel="weight of a prompt token (an answer token has 1)", ylabel="test facts exact (%)", ylim=(50, 100))
    axes.legend(loc="lower left")
    none, small, full = (runs("prompt_loss", "exact", weight=weight) for weight in (0.0, 0.01, 1.0))
    drawn = difference(*(runs("prompt_loss", "exact, drawn", weight=weight) for weight in (1.0, 0.0)))
    plots.show(figure, f"two falling lines over six weights from 0 to 1: likeliest answers from {none.mean():.0f}% to "
               f"{full.mean():.0f}%, drawn answers lower and steeper")  # fmt: skip
    return Markdown(
        f"*Each dot is a run; the lines join the means.* A weight of 0.01 changes the likeliest answers by "
        f"{difference(small, none)}. A weight of 1 changes them by {difference(full, none)}, and drawn answers by "
        f"{drawn}."
    )


def new_token() -> Markdown:
    """Three ways to start the marks that were never read: what greedy answers show, and what they hide."""
    columns = {"exact": "likeliest answer\nexact (%)", "exact, temperature 1": "drawn at temp. 1\nexact (%)",
               "P(stop), 5th percentile": "P(end mark),\n5th percentile (%)"}  # fmt: skip
    figure, panels = plt.subplots(1, 3, figsize=(9.5, 2.3), sharey=True)
    values = {name: {way: runs("new_token", name, way=key, served="chatml") for way, key in STARTS.items()}
              for name in columns}  # fmt: skip
    for axes, (name, label) in zip(panels, columns.items(), strict=True):
        plots.run_dots(axes, values[name], label)
        axes.set_xlim(40, 101)
    figure.tight_layout()
    stop = values["P(stop), 5th percentile"]
    plots.show(figure, "three panels with five dots for each way to start a token. Probability of the end mark, 5th "
               f"percentile: {'; '.join(f'{way} {listed(one)}' for way, one in stop.items())}")  # fmt: skip
    left, mean, drawn = ("left as pre-training left it", "set to the mean of all tokens", "drawn anew")
    first, second = values["exact"], values["exact, temperature 1"]
    return Markdown(
        f"*Five runs per row.* Set to the mean, minus drawn anew: likeliest answers "
        f"{difference(first[mean], first[drawn])}; answers drawn at temperature 1 "
        f"{difference(second[mean], second[drawn])}; probability of the end mark, 5th percentile, "
        f"{difference(stop[mean], stop[drawn])}. By this last measure, left as it was, minus drawn anew: "
        f"{difference(stop[left], stop[drawn])}."
    )


def rates(base: LanguageModel) -> Markdown:
    """Both sides of the learning rate, development facts: answered and completed; perplexity of the documents that the
    stored runs read, with the base model's own."""
    before = perplexity(base, write_documents(load_world(), 100, CORPUS_SEED + 99))
    values = sorted({row["rate"] for row in results.read_results("rate")})
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.2))
    for axes, name, label, style, number in (
        (left, "exact", "answered exactly", "o-", 0), (left, "completed", "statements completed", "s--", 1),
        (right, "perplexity", "after tuning", "^-", 0)):  # fmt: skip
        points = np.array([runs("rate", name, rate=rate) for rate in values])  # (rates, runs)
        axes.plot(values, points, style[0], color=f"C{number}", alpha=0.5, ms=5)
        axes.plot(values, points.mean(axis=1), style[1:], color=f"C{number}", label=label)
    right.axhline(before, color="black", ls=":", label="base model")
    left.set(xscale="log", xlabel="peak learning rate", ylabel="development facts (%)", ylim=(0, 102))
    right.set(xscale="log", yscale="log", xlabel="peak learning rate", ylabel="perplexity of fresh documents")
    right.set_yticks([2, 5, 10, 20], ["2", "5", "10", "20"])
    right.minorticks_off()
    for axes in (left, right):
        axes.set_xticks(values, [f"{rate:g}" for rate in values])
        axes.minorticks_off()
        axes.legend()
    figure.tight_layout()
    exact = {rate: runs("rate", "exact", rate=rate).mean() for rate in values}
    kept = {rate: runs("rate", "completed", rate=rate) for rate in values}
    best, last = max(exact, key=exact.get), values[-1]
    plots.show(figure, f"left, over four learning rates, answers rise to {exact[best]:.0f}% at {best:g} and fall to "
               f"{exact[last]:.0f}%, while statements completed only fall; right, perplexity climbs")  # fmt: skip
    return Markdown(
        f"*Five runs per rate, a dot each.* At a rate of {values[0]:g}, {exact[values[0]]:.0f}% are answered; the best "
        f"of the four rates is {best:g}, with {exact[best]:.0f}%. The statements completed fall from "
        f"{in_words(kept[values[0]])} at the lowest rate to {in_words(kept[best])} at the best and "
        f"{in_words(kept[last])} at {last:g}."
    )


def parts_of(lm: LanguageModel, facts: Sequence[Fact]) -> dict[str, float]:
    """Mean loss of an answer (nats), cut in five parts: the answers' parts add up to the whole."""
    sums = dict.fromkeys(PARTS, 0.0)
    for fact in facts:
        talk = [
            {"role": "user", "content": fact.say("question")},
            {"role": "assistant", "content": fact.say("response")},
        ]
        ids, mask = render(talk, "chatml", lm.tokenizer)
        scores = lm.logits([ids])[0].astype(float)
        shifted = scores - scores.max(axis=-1, keepdims=True)
        logp = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        places = [i for i, one in enumerate(mask) if one]
        says, copied = (content_mask(ids, mask, text, lm.tokenizer) for text in (fact.answer, fact.subject))
        for i in places:
            part = ("end mark" if i == places[-1] else "first token" if i == places[0] else "the fact" if says[i]
                    else "subject, copied" if copied[i] else "other words")  # fmt: skip
            sums[part] -= logp[i - 1, ids[i]]
    return {part: total / len(facts) for part, total in sums.items()}


def learned_when(readings: dict[str, dict[str, dict[str, float]]]) -> Markdown:
    """Stacked: what is left of each part after some steps; a panel for each group of facts; and the words to it."""
    figure, panels = plt.subplots(1, len(readings), figsize=(9.5, 3.6), sharey=True)
    for axes, (group, stages) in zip(panels, readings.items(), strict=True):
        foot = np.zeros(len(stages))
        for number, part in enumerate(PARTS):
            heights = np.array([stage[part] for stage in stages.values()])
            axes.bar(range(len(stages)), heights, bottom=foot, color=f"C{number}", hatch=HATCHES[number], label=part,
                     edgecolor="white")  # fmt: skip
            foot += heights
        axes.set_xticks(range(len(stages)), stages)
        axes.set(title=group, xlabel="after step")
    panels[0].set_ylabel("loss of a whole answer (nats)")
    panels[-1].legend()
    figure.tight_layout()
    first, last = ({group: list(stages.values())[place] for group, stages in readings.items()} for place in (0, -1))
    alt = "; ".join(f"{group}: from {sum(first[group].values()):.0f} to {sum(last[group].values()):.1f} nats"
                    for group in readings)  # fmt: skip
    plots.show(figure, f"stacked bars that shrink with the steps, five parts of an answer's loss. {alt}")
    return learned_words(readings)


def sentence_or_bare() -> Markdown:
    """The same facts, tuned to be answered in a sentence or bare: five runs each, test facts."""
    values = {name: runs("form", "exact", answers=name) for name in ("sentence", "bare")}
    figure, axes = plt.subplots(figsize=(7, 1.9))
    plots.run_dots(axes, values, "test facts answered exactly (%)")
    axes.set_xlim(0, 100)
    spans = "; ".join(f"{name}: {listed(one)}" for name, one in values.items())
    plots.show(figure, f"two rows of five dots, far apart. {spans}")
    return Markdown(
        f"*Five runs per row.* In a sentence: {in_words(values['sentence'])}. Bare: {in_words(values['bare'])}. "
        f"Run by run, the sentence is ahead by {difference(values['sentence'], values['bare'])}."
    )


def kind_shares() -> dict[str, np.ndarray]:
    """Test facts answered exactly by the five tuned models (%), for each kind, best first."""
    rows = [row for row in results.read_results("seeds") if row["part"] == "test" and row["model"] == "tuned"]
    kinds: dict[str, list[float]] = {}
    for row in rows:
        if row["figure"].startswith("exact, ") and not row["figure"].endswith(("0.7", " 1", "phrasing")):
            kinds.setdefault(row["figure"].removeprefix("exact, "), []).append(100 * row["hits"] / row["total"])
    return dict(sorted(((kind, np.array(values)) for kind, values in kinds.items()), key=lambda one: -one[1].mean()))


def reach() -> Markdown:
    """How far the course's tuning reaches: from what is like its rows to what is unlike them."""
    kinds = kind_shares()
    worst = list(kinds)[-2:]
    rows = {"all test facts": runs("whole", "exact"), "in a phrasing no row has": runs("whole", "unseen phrasing"),
            "harmful requests refused": runs("whole", "refused, unseen requests"),
            "an input on its own line": runs("whole", "input")}  # fmt: skip
    rows |= {f"the kind {kind}": kinds[kind] for kind in worst}
    out = {kind: runs("left_out", "exact", kind=kind) for kind in ("capital", "opposite", "list")}
    rows |= {f"{kind}, no row of its kind": values for kind, values in out.items()}
    figure, axes = plt.subplots(figsize=(7.5, 3.8))
    plots.run_dots(axes, rows, "right (%)")
    axes.set_xlim(-2, 102)
    spans = "; ".join(f"{name} {values.mean():.0f}%" for name, values in rows.items())
    plots.show(figure, f"a row of five dots for each thing asked; their means: {spans}")
    return Markdown(
        f"*Five models per row; the lower three rows are trainings without a single row of that kind.* Test facts: "
        f"{in_words(rows['all test facts'])}. In a phrasing that no row has: "
        f"{in_words(rows['in a phrasing no row has'])}. "
        f"Left out: capitals {in_words(out['capital'])}, opposites {in_words(out['opposite'])}, "
        f"lists {in_words(out['list'])}."
    )


def learned_words(readings: dict[str, dict[str, dict[str, float]]]) -> Markdown:
    """The stacks in words: when a tenth is left of what a part cost at first; what the fact costs on the way."""
    often, seldom = readings.values()

    def paid(part: str) -> str:
        start = next(iter(often.values()))[part]
        return next((stage for stage, parts in often.items() if parts[part] < start / 10), "no reading")

    form = "; ".join(f"{part} {paid(part)}" for part in ("first token", "subject, copied", "other words", "end mark"))
    first, *_, live, last = seldom
    fact = f"{seldom[first]['the fact']:.1f}, {seldom[live]['the fact']:.1f} and {seldom[last]['the fact']:.1f} nats"
    return Markdown(
        "*The loss of a whole answer, cut in five parts, in one run.* For facts read often, the step after which a "
        f"part costs less than a tenth of what it cost at first: {form}. A fact read often costs "
        f"{often[first]['the fact']:.2f} nats before any step; one that was hardly read costs {fact} after steps "
        f"{first}, {live} and {last}."
    )
