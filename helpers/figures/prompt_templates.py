"""Notebook 04: what a form does to a model's answers, each run a dot of its own.

    boundary, template, system and follow-up runs from data/results; what is measured live
Not here: drawings (template_drawings.py), the inspector (showing/template_inspector.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown, display

from helpers.figures.template_drawings import boundary_drawing, conversation_drawing, injection_drawing  # noqa: F401
from helpers.judging.statistics import Share, as_percent, mean_and_interval, percent_interval
from helpers.results import read_results, runs
from helpers.showing import plots
from helpers.showing.template_inspector import tokens_html, tokens_of_ids
from helpers.text.instructions import SYSTEM_PROMPTS
from helpers.text.templates import TEMPLATES
from helpers.text.tokenizer import Tokenizer

plots.use_style()


# --- tables and tokens ---


def token_row(ids: Sequence[int], mask: Sequence[int], tokenizer: Tokenizer) -> HTML:
    """Any ids as boxes: reserved ones in brackets, trained ones underlined."""
    return HTML(tokens_html(tokens_of_ids(ids, mask, tokenizer)))


# --- what is stored ---


def percent(values: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Mean and 95% interval over the runs, in percent, within 0 and 100."""
    return percent_interval(100 * np.array(values))


def words_of(values: Sequence[float]) -> str:
    return as_percent(100 * np.array(values), digits=1)


def difference(before: Sequence[float], after: Sequence[float], scale: float = 100) -> tuple[float, float, float]:
    """After minus before, run by run: mean and 95% interval."""
    mean, low, high = mean_and_interval(scale * (np.array(after) - np.array(before)))
    return mean, low, high


def verdict(low: float, high: float, more: str, less: str, none: str) -> str:
    """The words that fit an interval: above 0, below 0, or neither."""
    return more if low > 0 else less if high < 0 else none


def caption(text: str) -> None:
    display(Markdown(f"*{text}*"))


def boundary_runs() -> None:
    """Encoded apart or glued: every run."""
    rows = {way: [100 * value for value in runs("boundary", "exact", encoded=way)] for way in ("apart", "together")}
    figure, axes = plt.subplots(figsize=(6.5, 1.9))
    plots.run_dots(axes, {"encoded apart": rows["apart"], "glued": rows["together"]}, "test facts answered exactly (%)")
    axes.set_xlim(-4, 104)
    apart, glued = (np.mean(rows[way]) for way in rows)
    plots.show(
        figure,
        f"Two rows of five dots. Encoded apart, the five models answer {apart:.0f}% on average; glued, {glued:.0f}%.",
    )
    mean, low, high = difference(*(runs("boundary", "exact", encoded=way) for way in ("together", "apart")))
    caption(
        f"Five models each way: apart minus glued is {mean:+.1f} points ({low:+.1f} to {high:+.1f}). "
        + verdict(low, high, "Gluing does harm.", "Here gluing did better.", "No harm shows.")
    )


def wrong_pairs() -> list[float]:
    """For each start: the mean over the twelve wrong pairs of forms."""
    table_rows = read_results("template")
    seeds = sorted({row["seed"] for row in table_rows})
    wrong = [row for row in table_rows if row["trained"] != row["served"]]
    return [float(np.mean([row["exact"] for row in wrong if row["seed"] == seed])) for seed in seeds]


def template_runs() -> None:
    """Tuned in a form, served in a form: a panel for each form tuned in, a dot for each run."""
    figure, all_axes = plt.subplots(2, 2, figsize=(7, 4.6), sharex=True, sharey=True)
    for axes, trained in zip(all_axes.flat, TEMPLATES, strict=True):
        rows = {
            served: [100 * v for v in runs("template", "exact", trained=trained, served=served)] for served in TEMPLATES
        }
        plots.run_dots(axes, rows, "")
        axes.axhspan(*(list(TEMPLATES).index(trained) + end for end in (-0.45, 0.45)), color="0.9", zorder=0)
        axes.set(title=f"tuned in {trained}", xlim=(-4, 104))
    figure.supxlabel("test facts answered exactly (%)")
    figure.supylabel("served in")
    figure.tight_layout()
    mean = {
        pair: np.mean(runs("template", "exact", trained=pair[0], served=pair[1]))
        for pair in ((a, b) for a in TEMPLATES for b in TEMPLATES)
    }
    right = [100 * mean[name, name] for name in TEMPLATES]
    worst, best = (pick((pair for pair in mean if pair[0] != pair[1]), key=mean.get) for pick in (min, max))
    plots.show(
        figure,
        f"Four panels, one for each form that models were tuned in. The shaded row, where the forms "
        f"agree, has all dots at {min(right):.0f} to {max(right):.0f}%. Elsewhere the dots lie anywhere from 0 "
        f"to {100 * mean[best]:.0f}%, and often far apart within a row.",
    )
    caption(
        f"The shaded row is the right form. Best wrong pair: tuned in {best[0]}, served in {best[1]}, "
        f"{100 * mean[best]:.0f}% on average. Worst: {worst[0]} in {worst[1]}, {100 * mean[worst]:.0f}%."
    )


def template_words() -> Markdown:
    """What a mismatch costs, how far runs lie apart, and what started tokens change."""
    pairs = [(a, b) for a in TEMPLATES for b in TEMPLATES if a != b]
    values = {pair: np.array(runs("template", "exact", trained=pair[0], served=pair[1])) for pair in pairs}
    lost = [100 * (np.mean(runs("template", "exact", trained=a, served=a)) - values[a, b].mean()) for a, b in pairs]
    wide = max(pairs, key=lambda pair: np.ptp(values[pair]))
    left, drawn = (runs("new_token", "exact", way=way, served="llama3") for way in ("as left", "drawn"))
    mean, low, high = difference(left, drawn)
    tells = verdict(low, high, "better", "worse", "no difference that shows")
    return Markdown(
        f"**Measured.** A wrong form costs {min(lost):.0f} to {max(lost):.0f} points, {np.median(lost):.0f} in the "
        f"median of the {len(pairs)} wrong pairs. And it is a lottery: tuned in {wide[0]} and served in {wide[1]}, "
        f"five models that differ only in their start answer {100 * values[wide].min():.0f} to "
        f"{100 * values[wide].max():.0f}%.\n\n"
        f"All these models had their new tokens *started*, as notebook 03 explains. With the shipped rows, a ChatML "
        f"model served in Llama 3's form answers {words_of(left)} if its markers were left as pre-training left them, "
        f"and {words_of(drawn)} if they were started: {mean:+.1f} points ({low:+.1f} to {high:+.1f}), {tells}."
    )


def system_runs(style: str = "detailed") -> None:
    """Words in an answer under each system prompt, every run."""
    stored = read_results("system")
    labels = list(
        dict.fromkeys((row["prompt"], row["tuned on"] == "True") for row in stored if row["style"] in (style, "none"))
    )
    short = {prompt: runs("system", "words", prompt=prompt) for prompt in SYSTEM_PROMPTS["concise"]}
    rows = {"all ten short wishes": np.mean(list(short.values()), axis=0)}
    for prompt, seen in labels:
        name = (f"{prompt}" + ("" if seen else " (never tuned on)")) if prompt else "no system prompt"
        rows[name] = runs("system", "words", prompt=prompt)
    figure, axes = plt.subplots(figsize=(7, 4.4))
    plots.run_dots(axes, rows, "words per answer (mean over test facts)")
    axes.set_xlim(0, None)
    none = np.mean(rows["no system prompt"])
    unseen = [np.mean(values) for name, values in rows.items() if name.endswith("(never tuned on)")]
    plots.show(
        figure,
        f"Twelve rows of five dots: words per answer under each system prompt. Short wishes and no "
        f"system prompt lie together near {none:.0f} words. The two long wishes that were never tuned on average "
        f"{min(unseen):.0f} to {max(unseen):.0f} words.",
    )
    low, high = min(map(min, list(rows.values())[1:-1])), max(map(max, list(rows.values())[1:-1]))
    caption(
        f"Without a system prompt an answer has {none:.1f} words. Under a long wish it has {low:.1f} to "
        f"{high:.1f}, depending on the start."
    )


def system_words() -> Markdown:
    """Long wish minus short wish for the pairs that were never tuned on."""
    lines = []
    for brief, long in list(zip(*SYSTEM_PROMPTS.values(), strict=True))[-2:]:
        mean, low, high = difference(*(runs("system", "words", prompt=prompt) for prompt in (brief, long)), scale=1)
        lines.append(
            f"- *{brief}* → *{long}*: {mean:+.1f} words ({low:+.1f} to {high:+.1f}): "
            + verdict(low, high, "the wish is heeded.", "it works the wrong way round.", "no effect that shows.")
        )
    right = words_of(runs("system", "right", prompt=SYSTEM_PROMPTS["detailed"][-1]))
    return Markdown(
        "**Measured**, two pairs that no model was tuned on:\n\n"
        + "\n".join(lines)
        + f"\n\nUnder *{SYSTEM_PROMPTS['detailed'][-1]}* {right} still begin with the right sentence."
    )


def wish_dots(lengths: dict[str, list[float]], read: int, plain: float) -> None:
    """Words per answer under wishes for a long one, a dot for each sentence; the first `read` words were read in
    pre-training, the others never."""
    rows = {
        f"{word} ({'read' if number < read else 'never read'})": values
        for number, (word, values) in enumerate(lengths.items())
    }
    figure, axes = plt.subplots(figsize=(7, 3))
    plots.run_dots(axes, rows, "words per answer", mean=False)
    axes.axvline(plain, color="0.4", ls="--")
    axes.set_xlim(0, None)
    values = np.array(list(lengths.values()))
    known, foreign = values[:read].mean(axis=0), values[read:].mean(axis=0)  # by sentence
    mean, low, high = difference(foreign, known, scale=1)
    told = verdict(
        low,
        high,
        "words that were read work better.",
        "words that were never read work better.",
        "no difference that shows.",
    )
    plots.show(
        figure,
        f"{len(rows)} rows of dots, one for each word of a wish, a dot for each sentence. Words that "
        f"were read average {known.mean():.1f} words per answer, words never read {foreign.mean():.1f}; a dashed "
        f"line marks {plain:.1f}, an answer without any wish.",
    )
    caption(
        f"Same sentences, one word changed; one model. Dashed: an answer without a wish, {plain:.1f} words. Read "
        f"minus never read, sentence by sentence: {mean:+.1f} words ({low:+.1f} to {high:+.1f}): {told}"
    )


FOLLOW_UPS = {
    "And of Spain?": '"And of Spain?"',
    "And its language?": '"And its language?"',
    "exact": "single question",
}


def followup_runs() -> None:
    """Follow-ups before and after tuning on conversations, every run."""
    rows = {}
    for column, name in FOLLOW_UPS.items():
        for kind, label in (("single-turn", "without conversations"), ("multi-turn", "with conversations")):
            rows[f"{name}, {label}"] = [100 * value for value in runs("followup", column, rows=kind)]
    figure, axes = plt.subplots(figsize=(6.5, 2.9))
    plots.run_dots(axes, rows, "test facts answered exactly (%)")
    axes.set_xlim(-4, 104)
    means = [float(np.mean(values)) for values in rows.values()]
    plots.show(
        figure,
        f"Six rows of five dots. And of Spain: {means[0]:.0f}% on average tuned on single questions, "
        f"{means[1]:.0f}% with conversations. And its language: {means[2]:.0f} and {means[3]:.0f}%. Single "
        f"questions: {means[4]:.0f} and {means[5]:.0f}%.",
    )
    parts = []
    for column, name in FOLLOW_UPS.items():
        mean, low, high = difference(*(runs("followup", column, rows=kind) for kind in ("single-turn", "multi-turn")))
        parts.append(f"{name} {mean:+.1f} points ({low:+.1f} to {high:+.1f})")
    caption(f"What conversations among the rows change: {'; '.join(parts)}.")


# --- what is measured live ---


def shares(values: dict[str, Share], alt: str, text: str) -> None:
    """Bars with their counts; the description and the caption end with the counts in words."""
    counts = "; ".join(f"{name} {share.hits} of {share.total}" for name, share in values.items())
    plots.show(plots.share_bars(values, label="share (%)"), f"{alt} {counts}.")
    caption(f"{text} {counts}.")
