"""A judge stands between the answers and every score: figures, drawings and tables of notebook 05.

Models are given as {name: Report}, judges' verdicts as arrays, one value an answer about a fact. What five random
starts gave is read from data/results. Not here: the five dimensions (judging/dimensions.py), the intervals
(judging/statistics.py), the demo (showing/before_and_after.py), tables of stored runs (five_starts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

from helpers.judging.dimensions import DIMENSIONS, Answer, Probe, Report, probes, reasons
from helpers.learning.language_model import LanguageModel
from helpers.learning.recipe import TUNING
from helpers.learning.sft import fine_tune
from helpers.showing import plots
from helpers.showing.diagrams import Drawing
from helpers.showing.dimensions_chart import better_base, scores_of
from helpers.showing.page import escape, markdown_table, table, verbatim
from helpers.text.facts import World
from helpers.text.instructions import fact_rows
from helpers.text.own_rows import my_rows

YES, NO, NEITHER = "✔", "✘", "–"

Verdicts = dict[str, np.ndarray]  # of one judge, by model


# --- questions and models ---


def questions(world: World, part: str, quick: bool = False, wording: int = 0) -> list[Probe]:
    """A question about each fact of a part that pre-training tells often, and the part's harmful requests."""
    often = [one for one in probes(world, wording, part) if one.harmful or one.fact.told is None]
    return often[:: 3 if quick else 1]


def one_row_a_kind(world: World) -> list[dict]:
    """The first row of every kind of question."""
    first = {}
    for row in fact_rows(world):
        first.setdefault(row["kind"], row)
    return list(first.values())


def my_model(base: LanguageModel, world: World, steps: int = 60, seed: int = 0) -> LanguageModel | None:
    """The base model tuned on the rows that the learner kept in notebook 02; None where there are none."""
    own, _ = my_rows([])
    return fine_tune(base, own, replace(TUNING, steps=steps, seed=seed), progress=False)[0] if own else None


def talker(world: World, asked: Sequence[Probe]) -> Report:
    """Somebody who knows nothing and tells every answer that there is to such a question."""
    everything = {kind: ", ".join(sorted(world.answers_of(kind))) for kind in world.wordings}
    return Report(list(asked), [Answer(f"{everything[one.fact.kind] if one.fact else 'Well'}.", True) for one in asked])


# --- drawings ---


def five_judges(probe: Probe, text: str) -> Drawing:
    """One answer goes to five judges, and each says yes, no, or that it was not asked."""
    faults = reasons(probe, Answer(text, True))
    asks = ("one whole answer?", "what was asked?", "no longer than need be?", "the fact, and no other?",
            "declined if it must be?")  # fmt: skip
    said = {name: NEITHER if fault is None else NO if fault else YES
            for name, fault in zip(DIMENSIONS, faults, strict=True)}  # fmt: skip
    words = ", ".join(f"{name} {sign}" for name, sign in said.items())
    label = f"The answer {text!r} to the question {probe.question!r} goes to five judges. Their verdicts: {words}"
    drawing = Drawing(560, 400, label)
    drawing.box(10, 10, 540, 58, probe.question, text, fill="first")
    drawing.parts.append('<path d="M30,68 V363" stroke="currentColor" stroke-width="1.5"/>')  # what all five read
    for row, (name, question) in enumerate(zip(DIMENSIONS, asks, strict=True)):
        top = 92 + 62 * row
        drawing.arrow(30, top + 23, 60, top + 23)
        drawing.box(60, top, 330, 46, name, question)
        drawing.arrow(390, top + 23, 440, top + 23)
        sign = said[name]
        words = {YES: "✔ yes", NO: "✘ no", NEITHER: "– not asked"}[sign]
        drawing.text(450, top + 29, words, anchor="start", bold=sign == NO)
    return drawing


def two_samples(columns: int = 7, starts: int = 5) -> Drawing:
    """What an interval is about: other questions, or other random starts."""
    drawing = Drawing(
        560, 300,
        "A grid: each row is a model from another random start, each column a question. An interval over questions "
        "asks what other columns would give; an interval over starts asks what other rows would give.",
    )  # fmt: skip
    drawing.text(330, 24, "questions", bold=True)
    for row in range(starts):
        drawing.text(128, 75 + 36 * row, f"start {row}", anchor="end", bold=row == 0)
        for column in range(columns):
            fill = "first" if row == 0 else "second" if column == 0 else "plain"
            sign = NO if (row * 3 + column * 5) % 11 == 2 or column == 4 else YES
            drawing.box(150 + 52 * column, 52 + 36 * row, 46, 30, sign, fill=fill)
    drawing.arrow(150, 42, 510, 42)
    drawing.arrow(140, 52, 140, 232)
    drawing.text(280, 258, "along a row: would other questions give the same?")
    drawing.text(280, 282, "down the rows: would another model give the same?")
    return drawing


# --- tables ---


def verdict(fault: str | None) -> str:
    if fault is None:
        return NEITHER
    return f"{NO} {escape(fault)}" if fault else f"{YES} yes"


def verdicts(probe: Probe, texts: Sequence[str], names: Sequence[str] = DIMENSIONS[:4]) -> HTML:
    """What the dimensions say of some answers to one question, with the reason of every no."""
    places = [DIMENSIONS.index(name) for name in names]
    rows = []
    for text in texts:
        faults = reasons(probe, Answer(text, True))
        rows.append([verbatim(text or "(nothing)"), *(verdict(faults[place]) for place in places)])
    return HTML(table(("answer", *names), rows, label=f"verdicts on answers to {probe.question}", row_heads=True))


def side_by_side(judge: Callable, probe: Probe, texts: Sequence[str]) -> HTML:
    """The learner's judge and the course's on the same answers."""
    rows = []
    for text in texts:
        mine = bool(judge(probe.question, text, probe.fact.answer, probe.rivals))
        fault = reasons(probe, Answer(text, True))[3]
        rows.append(
            [verbatim(text), YES if mine else NO, verdict(fault), "" if mine == (not fault) else "◀ they differ"]
        )
    return HTML(table(("answer", "your judge", "the course's", ""), rows, label="two judges", row_heads=True))


def about_facts(report: Report) -> list[tuple[Probe, Answer]]:
    """The questions about facts, each with its answer; harmful requests are left out."""
    return [pair for pair in zip(report.probes, report.answers, strict=True) if pair[0].fact]


def course_verdicts(reports: dict[str, Report]) -> Verdicts:
    """What the course's judge of accuracy says of every answer about a fact."""
    return {name: report.rows(lambda probe: probe.fact)[:, 3].astype(bool) for name, report in reports.items()}


def agreement(judges: dict[str, Verdicts], course: Verdicts, kappa: Callable) -> Markdown:
    """How often each judge agrees with the course's on each model's answers; in brackets its kappa."""
    models = list(course)
    rows = []
    for judge, said in judges.items():
        cells = []
        for name in models:
            value = kappa(said[name], course[name])
            beyond = "–" if np.isnan(value) else f"{value + 0:.2f}".replace("-0.00", "0.00")
            cells.append(f"{np.mean(said[name] == course[name]):.0%} ({beyond})")
        rows.append((judge, *cells))
    agreed = markdown_table(("judge", *(f"on {name}" for name in models)), rows)
    return Markdown(f"{agreed}\n\n*Agreement with the course's judge; in brackets kappa, where there is one.*")


def disagreements(reports: dict[str, Report], judges: dict[str, Verdicts], course: Verdicts, most: int = 2) -> HTML:
    """Answers on which a judge and the course's differ: at most `most` a judge and model, each answer once."""
    rows, shown = [], set()
    for judge, said in judges.items():
        for name, report in reports.items():
            pairs = about_facts(report)
            apart = [place for place in np.flatnonzero(said[name] != course[name]) if (name, place) not in shown]
            for place in apart[:most]:
                shown.add((name, place))
                probe, answer = pairs[place]
                sign = YES if said[name][place] else NO
                short = answer.text.split("\n")[0]
                short = short if len(short) <= 60 else short[:60] + " …"
                rows.append(
                    [*map(escape, (judge, name, probe.question)), verbatim(short), sign]
                    + [verdict(reasons(probe, answer)[3])]
                )
    head = ("judge", "who answers", "question", "answer (its beginning)", "it says", "the course's judge")
    return HTML(table(head, rows, label="where two judges differ"))


def scoreboard(rows: dict[str, Verdicts], words: dict[str, float]) -> Markdown:
    """A judge a row, a model a column, and the winner; below, how much each model writes."""
    cells = []
    for judge, said in rows.items():
        means = {name: said[name].mean() for name in words}
        cells.append((judge, *(f"{mean:.0%}" for mean in means.values()), f"**{max(means, key=means.get)}**"))
    cells.append(("*words an answer*", *(f"*{count:.0f}*" for count in words.values()), ""))
    return Markdown(markdown_table(("judge", *words, "the winner"), cells))


# --- five dimensions ---


def contestants(reports: dict[str, Report]) -> dict[str, dict]:
    """{model: {measure: (mean, low, high)}}; of the base model's two ways of being asked the better one counts."""
    scores = {name: scores_of(report) for name, report in reports.items()}
    ways = [name for name in scores if name.startswith("base")]
    others = {name: found for name, found in scores.items() if name not in ways}
    better = better_base({way: scores[way] for way in ways} | {"tuned": scores["tuned"]})
    return {"base": better} | others


def dimensions_figure(reports: dict[str, Report]) -> None:
    """Six rows, a marker a model, with intervals over questions."""
    models = contestants(reports)
    names = list(models["tuned"])
    figure, axes = plt.subplots(figsize=(7, 1.2 + 0.62 * len(names)))
    step = 0.7 / len(models)
    for number, ((model, scores), marker) in enumerate(zip(models.items(), "s^oD", strict=False)):
        values = 100 * np.array([scores[name] for name in names])  # (measures, 3)
        spread = np.clip([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]], 0, None)
        height = np.arange(len(names)) + step * (number - (len(models) - 1) / 2)
        axes.errorbar(values[:, 0], height, xerr=spread, fmt=marker, label=model, capsize=3)
    axes.set(xlim=(-3, 103), xlabel="share of answers that pass (%)")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.legend(loc="lower center", bbox_to_anchor=(0.35, 1.0), ncol=len(models), fontsize=10)
    said = "; ".join(f"{name}: " + ", ".join(f"{model} {models[model][name][0]:.0%}" for model in models)
                     for name in names)  # fmt: skip
    plots.show(figure, f"Share of answers to test questions that pass, by dimension and model, with intervals. {said}")


def paired_table(reports: dict[str, Report], pairs: Sequence[tuple[str, str]], interval: Callable,
                 seed: int = 0, draws: int = 2000) -> Markdown:  # fmt: skip
    """after - before in points for each dimension, by the learner's interval, and what may be said of it."""
    rows = []
    for before, after in pairs:
        for place, name in enumerate(DIMENSIONS[:4]):
            both = [reports[model].outcomes[:, place] for model in (before, after)]
            asked = ~np.isnan(both[0])
            mean, low, high = (100 * value for value in interval(both[0][asked], both[1][asked], draws, seed))
            both_ends = f"{low:+.1f} to {high:+.1f}"
            rows.append((f"{before} → {after}", name, f"{mean:+.1f}", both_ends, says(low, high)))
    return Markdown(markdown_table(("from → to", "dimension", "difference (points)", "95% interval", "so"), rows))


def says(low: float, high: float) -> str:
    return "higher" if low > 0 else "lower" if high < 0 else "no difference shown"


def refusals(reports: dict[str, Report]) -> Markdown:
    """Safety as two rates: how many harmful requests were refused, how many harmless look-alikes."""
    rows = []
    for name, report in reports.items():
        harmful, lookalike = (
            report.rows(lambda probe, which=which: getattr(probe, which))[:, 4] for which in ("harmful", "lookalike")
        )
        refused = int(harmful.sum()), int((1 - lookalike).sum())
        rows.append((name, f"{refused[0]} of {len(harmful)}", f"{refused[1]} of {len(lookalike)}"))
    head = ("model", "harmful requests refused", "harmless look-alikes refused")
    return Markdown(markdown_table(head, rows))
