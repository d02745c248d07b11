"""Notebook D: what the article's programs compute, rebuilt in a few lines each, beside what is printed in it."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

from helpers.judging.diagnostics import article_rules, diagnose
from helpers.judging.scaling import fit_logarithm, fit_saturating, r_squared
from helpers.judging.statistics import share
from helpers.showing.page import markdown_table
from helpers.showing.plots import show

# Dimension: mean and standard deviation "before", then "after", as they are typed into its evaluator.
TYPED_SCORES = {
    "format": (0.15, 0.10, 0.88, 0.08),
    "adherence": (0.20, 0.12, 0.85, 0.10),
    "conciseness": (0.10, 0.08, 0.82, 0.10),
    "accuracy": (0.62, 0.15, 0.64, 0.14),
    "safety": (0.45, 0.20, 0.91, 0.06),
}
TYPED_QUALITY = {100: 0.45, 500: 0.68, 1_000: 0.82, 5_000: 0.87, 10_000: 0.89, 50_000: 0.90}
ROW_WORDS = ((6, 5, 11, 7, 6), (6, 5, 25, 8, 12))  # of its five instructions, and of their responses
DRAWS = 100  # numbers a dimension


def table(head: tuple[str, ...], rows: list[tuple]) -> Markdown:
    return Markdown(markdown_table(head, rows))


def toy_losses() -> Markdown:
    """Its loss on random numbers: twenty tokens, a vocabulary of a hundred, a response from position ten on."""
    draws = np.random.RandomState(42)  # what np.random.seed(42) draws
    logits, ids = draws.randn(20, 100), draws.randint(0, 100, 20)
    logp = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def mean_loss(targets: range) -> tuple[float, int]:
        return float(np.mean([-logp[i - 1][ids[i]] for i in targets])), len(targets)

    rows = [
        ("all tokens", *mean_loss(range(1, 20)), "4.6257"),
        ("the response, by its loop", *mean_loss(range(11, 20)), "4.6506"),
        ("the response, every token", *mean_loss(range(10, 20)), "–"),
    ]
    return table(
        ("loss on", "computed", "targets", "printed in the article"),
        [(name, f"{loss:.4f}", count, printed) for name, loss, count, printed in rows],
    )


def loss_cap(nats: float = 60.0) -> Markdown:
    """-log(p + 1e-10) against the log-softmax, where the right token lies far behind."""
    p = np.exp(-nats) / (1 + np.exp(-nats))
    rows = [("-log(p + 1e-10)", f"{-np.log(p + 1e-10):.2f}"), ("log-softmax", f"{nats + np.log1p(np.exp(-nats)):.2f}")]
    return table(("a right token whose score lies 60 below", "loss in nats"), rows)


def word_statistics() -> Markdown:
    """Means over its own five rows, counted."""
    asked, answered = map(np.mean, ROW_WORDS)
    ratios = np.array(ROW_WORDS[1]) / ROW_WORDS[0]
    rows = [
        ("words an instruction", f"{asked:.1f}", "7.8"),
        ("words a response", f"{answered:.1f}", "14.8"),
        ("ratio of the means", f"{answered / asked:.1f}", "1.9"),
        ("mean of the ratios", f"{ratios.mean():.1f}", "–"),
    ]
    return table(("", "counted", "printed"), rows)


def drawn_scores(pairs: int = 5000, seed: int = 0) -> dict[str, np.ndarray]:
    """The evaluator as often as wanted: the change of each dimension, in points."""
    rng = np.random.default_rng(seed)

    def means(mean: float, deviation: float) -> np.ndarray:
        return np.clip(rng.normal(mean, deviation, (pairs, DRAWS)), 0, 1).mean(axis=1)

    return {
        name: 100 * (means(*after) - means(*before))
        for name, (*before, after_mean, after_sd) in TYPED_SCORES.items()
        for after in [(after_mean, after_sd)]
    }


def evaluator(pairs: int = 5000, seed: int = 0) -> Markdown:
    """How each dimension changes over many pairs of seeds, and how often it falls."""
    rows = [
        (name, f"{changes.mean():+.1f}", f"{changes.std():.1f}", str(share(changes < 0)))
        for name, changes in drawn_scores(pairs, seed).items()
    ]
    return table(("dimension", "mean change (points)", "scatter", "pairs of seeds in which it falls"), rows)


def evaluator_figure(pairs: int = 5000, seed: int = 0) -> None:
    """The change of "accuracy" over pairs of seeds."""
    changes = drawn_scores(pairs, seed)["accuracy"]
    figure, axes = plt.subplots(figsize=(7, 3.2))
    bins = np.arange(-6, 10.5, 0.5)
    axes.hist(changes, bins, color="C0", alpha=0.85, label="accuracy rises")
    axes.hist(changes[changes < 0], bins, color="C1", hatch="//", label="accuracy falls")
    axes.axvline(0, color="black", lw=1)
    axes.set(xlabel='change of "accuracy" (points)', ylabel=f"pairs of seeds, of {pairs:,}")
    axes.legend()
    show(
        figure,
        f"A hill-shaped histogram of the change in accuracy over {pairs:,} pairs of seeds, its top at about "
        f"{changes.mean():.0f} points; the hatched part left of zero, {100 * (changes < 0).mean():.0f}%, are falls.",
    )


def detector_log() -> list[dict]:
    """The failing log that it shows, from its four formulas."""
    return [
        {
            "step": step,
            "loss": 2.5 * np.exp(-step / 400) + 0.8,
            "words": 45 + 0.08 * step,
            "perplexity": 15 + 0.015 * step,
            "distinct trigrams": 0.72 - 0.0003 * step,
        }
        for step in range(0, 1001, 100)
    ]


def calm_log(count: int = 11, **signs) -> list[dict]:
    """A calm log, with some signs replaced: by a number for all entries, or by one for each."""
    calm = {"loss": np.linspace(3, 1, count), "words": 20, "perplexity": 15, "distinct trigrams": 0.7}
    calm |= {name.replace("_", " "): values for name, values in signs.items()}
    columns = {name: np.resize(np.asarray(values, float), count) for name, values in calm.items()}
    return [{"step": 100 * i} | {name: float(values[i]) for name, values in columns.items()} for i in range(count)]


def detector_cases() -> dict[str, list[dict]]:
    """Small logs, each with one thing the matter; the last two with little or nothing."""
    grow = np.linspace
    return {
        "no number anywhere": calm_log(perplexity=np.nan, words=np.nan, distinct_trigrams=np.nan),
        "five entries, perplexity 15 to 150": calm_log(5, perplexity=grow(15, 150, 5)),
        "perplexity 15, one spike to 40, 15": calm_log(perplexity=[15] * 5 + [40] + [15] * 5),
        "loss 2 to 8": calm_log(loss=grow(2, 8, 11)),
        "45 to 450 words, loss 3.30 to 3.19": calm_log(words=grow(45, 450, 11), loss=grow(3.30, 3.19, 11)),
        "perplexity +24%, trigrams −29%, words +49%": calm_log(
            perplexity=grow(15, 18.6, 11), words=grow(45, 67, 11), distinct_trigrams=grow(0.7, 0.497, 11)
        ),
        "trigrams 0.2 from the first entry on": calm_log(words=45, distinct_trigrams=0.2),
        "perplexity 15, last reading 19": calm_log(perplexity=[15] * 10 + [19]),
        "10 to 18 words at flat loss": calm_log(words=grow(10, 18, 11), loss=1.0),
        "its own failing log": detector_log(),
        "a calm log": calm_log(),
    }


def detectors() -> Markdown:
    """What its rules say about each small log, and what the course's detector says."""
    rows = []
    for name, log in detector_cases().items():
        diagnosis = diagnose(log)
        ours = ", ".join(f"{finding.failure} ({finding.sure})" for finding in diagnosis.findings) or diagnosis.verdict
        rows.append((name, ", ".join(sorted(article_rules(log))) or "healthy", ours))
    return table(("log", "its rules", "ours"), rows)


def typed_curve() -> None:
    """Its list of qualities, with the best logarithm and the best saturating curve."""
    sizes, values = np.array(list(TYPED_QUALITY)), np.array(list(TYPED_QUALITY.values()))
    straight, bent = fit_logarithm(sizes, values), fit_saturating(sizes, values)
    fits = [r_squared(curve, sizes, values) for curve in (straight, bent)]
    figure, axes = plt.subplots(figsize=(7, 3.2))
    fine = np.geomspace(100, 50_000, 100)
    axes.plot(sizes, 100 * values, "kD", label="the typed list")
    axes.plot(fine, 100 * straight(fine), "C0-", label=f"best logarithm, R² {fits[0]:.2f}")
    axes.plot(fine, 100 * bent(fine), "C1--", label=f"best saturating curve, R² {fits[1]:.2f}")
    axes.set(xscale="log", xlabel="examples (logarithmic)", ylabel='"quality" (%), typed', ylim=(30, 105))
    axes.legend(loc="lower right")
    show(
        figure,
        "Six diamonds climb steeply to 1,000 examples and then hardly at all; a straight line, the best logarithm, "
        "misses most of them, and a dashed curve that levels off passes close by.",
    )


def gains() -> Markdown:
    """What ten times the examples would bring, between neighbours of the typed list."""
    sizes, values = np.array(list(TYPED_QUALITY)), np.array(list(TYPED_QUALITY.values()))
    steps = np.diff(values) / np.diff(np.log10(sizes))
    rows = [
        (f"{before:,} to {after:,}", f"{100 * step:.1f}")
        for before, after, step in zip(sizes, sizes[1:], steps, strict=False)
    ]
    return table(("examples", "points for ten times the data"), rows)
