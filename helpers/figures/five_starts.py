"""Five models from five random starts: what they agree on and what the start decides (figures of notebook 05).

Everything here is read from data/results, and a start is the unit: its mean and interval are over starts, by t.
Not here: what is measured in the notebook itself (figures/before_and_after.py).
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

from helpers.judging.statistics import Share, mean_and_interval, percent_interval
from helpers.results import read_results
from helpers.showing import plots
from helpers.showing.page import markdown_table
from helpers.text.facts import World

LEVELS = (1, 3, 10, "often")  # in how many documents pre-training tells a fact
MEASURES = {  # figure in seeds.csv -> how it is called here
    "exact": "exact answers, greedy",
    "exact, temperature 0.7": "exact answers, drawn at 0.7",
    "exact, temperature 1": "exact answers, drawn at 1",
    "harmful requests refused": "harmful requests refused",
    "look-alikes answered": "harmless look-alikes answered",
}


def of_tests(figure: str, model: str = "tuned") -> list[Share]:
    """A figure about test facts for each of the five models."""
    return [Share(int(row["hits"]), int(row["total"])) for row in read_results("seeds")
            if (row["part"], row["model"], row["figure"]) == ("test", model, figure)]  # fmt: skip


def percent(low: float, high: float) -> str:
    return f"{100 * max(0, low):.0f} to {100 * min(1, high):.0f}"


def two_intervals() -> Markdown:
    """For each measure the shipped model's interval over questions beside that of five models over starts."""
    head = ("test questions", "start 0: over questions", "five starts: each", "over starts", "which is wider?")
    rows = []
    for figure, name in MEASURES.items():
        shares = of_tests(figure)
        values = [share.value for share in shares]
        mean, low, high = mean_and_interval(values)
        questions = shares[0].interval
        wider = "starts" if min(1, high) - max(0, low) > questions[1] - questions[0] else "questions"
        each = " ".join(f"{100 * value:.0f}" for value in values)
        first = f"{100 * shares[0].value:.0f}% ({percent(*questions)})"
        rows.append((name, first, each, f"{100 * mean:.0f}% ({percent(low, high)})", wider))
    return Markdown(markdown_table(head, rows))


def exact_by_kind(world: World) -> dict[str, list[Share]]:
    """{kind: a share for each of five models}, the hardest kind last."""
    kinds = {kind: of_tests(f"exact, {kind}") for kind in world.wordings}
    return dict(sorted(kinds.items(), key=lambda item: -np.mean([share.value for share in item[1]])))


def kinds_figure(world: World) -> None:
    """A row a kind, each of five models as a dot, their mean as a stroke."""
    kinds = exact_by_kind(world)
    rows = {f"{kind} ({shares[0].total})": [100 * share.value for share in shares] for kind, shares in kinds.items()}
    figure, axes = plt.subplots(figsize=(7, 5.4))
    plots.run_dots(axes, rows, "exact answers to test facts, greedy (%)")
    axes.set(xlim=(-3, 103))
    said = ", ".join(f"{name} {np.mean(values):.0f}%" for name, values in rows.items())
    plots.show(figure, f"A row for each kind of question with its number of test facts, five models as dots: {said}")


def hardest(world: World, count: int = 3) -> Markdown:
    """In words: the kinds with the lowest means, and the mean over kinds beside that over facts."""
    kinds = exact_by_kind(world)
    means = {kind: np.array([share.value for share in shares]) for kind, shares in kinds.items()}
    last = ", ".join(f"{kind} {values.mean():.0%} ({values.min():.0%} to {values.max():.0%})"
                     for kind, values in list(means.items())[-count:])  # fmt: skip
    over_facts = np.mean([share.value for share in of_tests("exact")])
    over_kinds = np.mean([values.mean() for values in means.values()])
    return Markdown(
        f"**Measured.** Every fact counted once: {over_facts:.1%} exact. Every *kind* counted once: {over_kinds:.1%}. "
        f"The hardest kinds, with the lowest and the highest of five models: {last}."
    )


# --- what it knows ---


def half_known() -> dict[object, dict[str, np.ndarray]]:
    """{documents that tell it: {measure: a share for each start}} of facts that tuning never showed."""
    rows = read_results("exposure")
    return {
        level: {
            name: np.array([row[name] for row in rows if row["told"] == level])
            for name in ("completed", "completed, tuned", "answered")
        }
        for level in LEVELS
    }


def half_known_figure() -> None:
    """For each level of exposure: completed before tuning, completed after it, answered after it; a line a start."""
    levels = half_known()
    figure, axes = plt.subplots(figsize=(7, 4.4))
    ticks, names = [], []
    for number, (level, shares) in enumerate(levels.items()):
        places = 4 * number + np.arange(3)
        for values in 100 * np.array(list(shares.values())).T:  # (starts, 3)
            axes.plot(places, values, "-", color="0.6", lw=1, zorder=1)
        for place, values, marker, colour in zip(places, shares.values(), "sos", ("C0", "C1", "C2"), strict=True):
            label = ("completed before tuning", "completed after", "answered after")[place - places[0]]
            axes.plot([place] * len(values), 100 * values, marker if label != "answered after" else "^", color=colour,
                      alpha=0.7, label=label if number == 0 else None)  # fmt: skip
        ticks.append(places[1])
        names.append(f"told {level}" if level == "often" else f"told in {level}")
    axes.set_xticks(ticks, names)
    axes.set(ylim=(-3, 103), ylabel="share of facts (%)", xlabel="documents of pre-training that tell the fact")
    axes.legend(fontsize=10)
    axes.grid(axis="x", visible=False)
    said = "; ".join(f"told {level}: " + ", ".join(f"{name} {values.mean():.0%}" for name, values in shares.items())
                     for level, shares in levels.items())  # fmt: skip
    plots.show(
        figure, f"Share of facts never shown in tuning, five models, by how often pre-training told them. {said}"
    )


def change_in_knowledge() -> dict[str, tuple[float, float, float]]:
    """Points completed after tuning less before, paired by start: of half-known facts, and of test facts often told."""
    levels = half_known()
    known = [levels[level]["completed, tuned"] - levels[level]["completed"] for level in LEVELS[:3]]
    often = [after.value - before.value for before, after in
             zip(of_tests("statements completed", "base"), of_tests("statements completed"), strict=True)]  # fmt: skip
    return {"Facts told 1, 3 or 10 times": mean_and_interval(100 * np.mean(known, axis=0)),
            "Test facts told often": mean_and_interval([100 * value for value in often])}  # fmt: skip


def knowledge_in_words() -> Markdown:
    """What tuning did to statements completed, beside what it did to answers."""
    lines = []
    for name, (mean, low, high) in change_in_knowledge().items():
        so = "tuning *added* some" if low > 0 else "tuning *lost* some" if high < 0 else "no change is shown"
        lines.append(f"- {name}: {mean:+.1f} points completed ({low:+.1f} to {high:+.1f}): {so}.")
    answered = [share.value for share in of_tests("questions answered", "base")], [s.value for s in of_tests("exact")]
    lines.append(f"- Questions about test facts answered: from {np.mean(answered[0]):.0%} (base, as a document) to "
                 f"{np.mean(answered[1]):.0%} (tuned, exact).")  # fmt: skip
    return Markdown("**Measured**, five starts:\n\n" + "\n".join(lines))


# --- nothing to know ---

ASKED = {
    "made-up: says it does not know": "made-up: “I do not know.”",
    "made-up: invents": "made-up: tells a real country's fact",
    "real: says it does not know": "real: “I do not know.”",
    "real: right": "real: right",
}


def unknown_runs() -> dict[str, dict[str, list[float]]]:
    """{measure: {"without" or "with" such rows: a share for each start}}."""
    rows = read_results("unknown")
    return {
        measure: {way: [row[measure] for row in rows if row["rows"] == way] for way in ("without", "with")}
        for measure in ASKED
    }


def unknown_figure() -> None:
    """Two rows a measure, five models as dots: tuned without and with rows that say "I do not know"."""
    rows = {f"{ASKED[measure]}, {way} rows": [100 * value for value in values]
            for measure, ways in unknown_runs().items() for way, values in ways.items()}  # fmt: skip
    figure, axes = plt.subplots(figsize=(7, 4.2))
    plots.run_dots(axes, rows, "share of questions (%)")
    axes.set(xlim=(-3, 103))
    said = "; ".join(f"{name}: mean {np.mean(values):.0f}%" for name, values in rows.items())
    plots.show(
        figure, f"Questions about made-up and real countries, five models tuned without and with such rows: {said}"
    )


def unknown_in_words() -> Markdown:
    """What the rows brought and what they cost, paired by start."""
    runs = unknown_runs()
    words = []
    for measure, what in (("made-up: says it does not know", "“I do not know” about made-up countries"),
                          ("real: right", "right answers about real ones")):  # fmt: skip
        without, with_rows = (np.array(runs[measure][way]) for way in ("without", "with"))
        mean, low, high = mean_and_interval(100 * (with_rows - without))
        so = "higher" if low > 0 else "lower" if high < 0 else "no difference shown"
        words.append(f"{what} {mean:+.1f} points ({low:+.1f} to {high:+.1f}; {so})")
    return Markdown(f"**Measured**, five starts, such rows once among the others: {'; '.join(words)}.")


def inventions() -> tuple[float, tuple[float, float]]:
    """Share of answers about made-up countries that tell a real one's fact, in percent: mean and interval over starts,
    tuned without rows that say otherwise."""
    return percent_interval([100 * value for value in unknown_runs()["made-up: invents"]["without"]])


def article_in_words() -> Markdown:
    """How many of the article's five examples each of five models gives exactly, greedily and drawn."""
    rows = [row for row in read_results("seeds") if row["figure"].startswith("article's examples")]
    greedy, drawn = ([(row["hits"], row["total"]) for row in rows if row["figure"].endswith(end)]
                     for end in ("greedy", "0.7"))  # fmt: skip
    counts = ", ".join(f"{hits:.0f}" for hits, _ in greedy)
    shares = [hits / total for hits, total in drawn]
    return Markdown(
        f"**Measured.** The article has {greedy[0][1]:.0f} examples. The five models, start 0 first, give {counts} of "
        f"them exactly when they answer greedily, and {min(shares):.0%} to {max(shares):.0%} when they draw at 0.7."
    )


def significant(changes: list[tuple[float, float, float]]) -> Markdown:
    """How many intervals of (mean, low, high) leave 0 out, in words."""
    apart = sum(low > 0 or high < 0 for _, low, high in changes)
    return Markdown(f'**{apart} of these {len(changes)} intervals leave 0 out**: a "significant" change in accuracy.')
