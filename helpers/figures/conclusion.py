"""What held, drawn for notebook 08: one lesson by hand, the rule on a line, all lessons, and the thesis.

Every figure reads data/results, and every verdict in words is computed. Not here: the rule and the lessons themselves
(experiments/claims.py, lessons.py), the mission (own_world.py).
"""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown
from matplotlib.ticker import FixedLocator, NullLocator

from helpers.experiments import claims, failure_logs, lessons
from helpers.files import DATA
from helpers.judging.statistics import as_percent, holm, mean_and_interval, p_value
from helpers.showing import plots
from helpers.showing.diagrams import Drawing
from helpers.showing.page import markdown_table

WORDS = ("holds", "contradicted", "open")
VERBS = ("hold", "are contradicted", "are open")
LOOKS = {"holds": ("C2", "o"), "contradicted": ("C1", "s"), "open": ("C0", "^")}
EDGE = 100  # no difference of two shares is larger, whatever an interval by t says
PLANS = {"healthy": "the course's tuning", "90% long": "90% of the rows too long",
         "one opening": "every row opens alike", "rate 10 times": "ten times the rate"}  # fmt: skip


# --- one lesson, and the rule ---


def one_lesson() -> dict[str, np.ndarray]:
    """Exact test facts (%) with the loss on the response and on everything, a line a start; -> the values by loss."""
    values = {way: claims.Results().values("mask", "exact", loss_on=way) for way in ("everything", "response")}
    figure, axes = plt.subplots(figsize=(6, 3))
    for start, pair in enumerate(zip(*values.values(), strict=True)):
        axes.plot([0, 1], pair, "o-", color=f"C{start}", alpha=0.8)
    axes.set_xticks([0, 1], [f"loss on the {way}" if way == "response" else f"loss on {way}" for way in values])
    axes.set(xlim=(-0.3, 1.3), ylabel="test facts answered exactly (%)")
    rising = sum(after > before for before, after in zip(*values.values(), strict=True))
    ends = "; ".join(f"{way}: {one.min():.0f} to {one.max():.0f}%" for way, one in values.items())
    plots.show(figure, f"five lines, one a random start, from one loss to the other; {rising} of 5 rise. {ends}")
    return values


def rule_on_a_line() -> Drawing:
    """Four intervals on a line of differences, and what each lets you say."""
    cases = (
        (1, 9, "a rise is shown", "right of zero, and p is small"),
        (-1.4, 0.9, "no difference", "all of it within 2 points"),
        (-3, 10, "open", "wide: it could be much or nothing"),
        (-10, -4, "a fall is shown", "left of zero, and p is small"),
    )
    told = "; ".join(f"{low:g} to {high:g}: {verdict}, {why}" for low, high, verdict, why in cases)
    drawing = Drawing(540, 290, f"A line of differences in points, with a band from −2 to 2 around zero. {told}.")

    def x(points: float) -> float:
        return 130 + 11 * points

    drawing.box(x(-2), 8, x(2) - x(-2), 240, fill="first", dashed=True)
    drawing.parts.append(f'<path d="M{x(0):.0f},8 V252 M{x(-11):.0f},252 H{x(11):.0f}" stroke="currentColor"/>')
    for points in (-10, -2, 0, 2, 10):
        drawing.text(x(points), 272, f"{points:+d}".replace("-", "−") if points else "0")
    for row, (low, high, verdict, why) in enumerate(cases):
        y = 26 + 58 * row
        drawing.box(x(low), y, x(high) - x(low), 14, fill="second")
        drawing.text(275, y + 8, verdict, anchor="start", bold=True)
        drawing.text(275, y + 26, why, anchor="start")
    drawing.text(275, 272, "difference in points", anchor="start")
    return drawing


@dataclass(frozen=True)
class Evidence:
    """A lesson, the mean of its differences with the 95% interval, and what a rule is given of it."""

    lesson: claims.Lesson
    mean: float
    low: float
    high: float
    shown: bool  # p, made larger for the number of lessons, is below 0.05
    narrow: tuple[float, float]  # the 90% interval, in units of which 2 count as nothing

    @property
    def points(self) -> bool:
        return "points" in self.lesson.figure


def evidence() -> list[Evidence]:
    """Every lesson with its evidence, in the order of the lessons."""
    results = claims.Results()
    values = [np.asarray(lesson.measure(results), float) for lesson in lessons.LESSONS]
    parts = []
    for lesson, differences, p in zip(lessons.LESSONS, values, holm([p_value(one) for one in values]), strict=True):
        _, low, high = mean_and_interval(differences, level=90)
        unit = claims.SAME / lesson.same
        narrow = (unit * low, unit * high)
        parts.append(Evidence(lesson, *mean_and_interval(differences), p < claims.ALPHA, narrow))
    return parts


def judged(rule: Callable) -> dict[str, list[Evidence]]:
    """The lessons by what the rule says of them: the learner's `verdict`, or the course's."""
    groups: dict[str, list[Evidence]] = {word: [] for word in WORDS}
    for one in evidence():
        groups[rule(one.shown, *one.narrow, one.lesson.expects)].append(one)
    return groups


# --- all lessons ---


def squeezed(axes) -> None:
    """An axis of differences: true to scale near zero, squeezed outside, so that 2 points and 90 can both be seen."""
    axes.set_xscale("symlog", linthresh=5, linscale=1.2)
    ticks = (-100, -30, -10, -5, -2, 0, 2, 5, 10, 30, 100)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{tick:+d}".replace("-", "−") if tick else "0" for tick in ticks], fontsize=8)
    axes.set_xlim(-EDGE * 1.15, EDGE * 1.15)


def all_lessons(groups: dict[str, list[Evidence]]) -> Markdown:
    """Each lesson that is measured in points: mean and 95% interval, by verdict."""
    rows = [(word, one) for word in WORDS for one in groups[word] if one.points]
    figure, axes = plt.subplots(figsize=(8, 1 + 0.45 * len(rows)))
    for place, (word, one) in enumerate(rows):
        colour, marker = LOOKS[word]
        low, high = max(-EDGE, one.low), min(EDGE, one.high)
        axes.plot([low, high], [place, place], color=colour)
        axes.plot([one.mean], [place], marker, color=colour)
    for word, (colour, marker) in LOOKS.items():
        axes.plot([], [], color=colour, marker=marker, ls="", label=word)
    axes.axvline(0, color="black", lw=1)
    axes.axvspan(-claims.SAME, claims.SAME, color="0.85", zorder=0, label="counts as nothing")
    names = [textwrap.fill(f"{one.lesson.claim} ({one.lesson.expects})", 56) for _, one in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=8)
    axes.set(xlabel="difference in points (the axis is squeezed beyond ±5)")
    squeezed(axes)
    axes.invert_yaxis()
    axes.legend(loc="lower center", bbox_to_anchor=(0.3, 1), ncols=4, fontsize=8, frameon=False)
    told = "; ".join(f"{one.lesson.claim}: {one.mean:+.1f}, {word}" for word, one in rows)
    plots.show(figure, f"a row a lesson with the mean difference and its 95% interval over five starts. {told}")
    count = ", ".join(f"{len(groups[word])} {verb}" for word, verb in zip(WORDS, VERBS, strict=True))
    unclear = [one for one in groups["open"] if one.low > 0 or one.high < 0]
    return Markdown(
        f"*Circles hold, squares are contradicted, triangles are open; in brackets stands what the claim expects.* "
        f"Of {sum(map(len, groups.values()))} lessons: {count}. Of those that are open, {len(unclear)} have a 95% "
        "interval that lies wholly on one side of zero."
    )


def lessons_table(groups: dict[str, list[Evidence]]) -> Markdown:
    """Every lesson with its figures, grouped by verdict."""
    rows = []
    for word in WORDS:
        for one in groups[word]:
            numbers = f"{one.mean:+.3g} ({one.low:+.3g} to {one.high:+.3g})"
            lesson = one.lesson
            rows.append((f"**{word}**", lesson.claim, lesson.figure, lesson.expects, numbers, lesson.notebook))
    head = ("", "lesson", "measured, five starts", "expected", "mean (95% interval)", "in")
    return Markdown(markdown_table(head, rows))


# --- the thesis ---


def outcome(plan: str, figure: str) -> np.ndarray:
    """(starts,) What became of the models of a plan of notebook 06, in percent."""
    return 100 * np.array([run.outcomes[figure] for run in failure_logs.stored_runs() if run.plan == plan])


def form_and_knowledge() -> Markdown:
    """Statements completed against questions answered exactly, a dot a model: base, tuned, and tuned badly."""
    answered = claims.Results().shares("base", "questions answered", "development")
    dots = {"base": (outcome("healthy", "base completed"), answered)}
    dots |= {name: (outcome(plan, "completed"), outcome(plan, "exact")) for plan, name in PLANS.items()}
    figure, axes = plt.subplots(figsize=(7, 4))
    for number, (name, (known, answered)) in enumerate(dots.items()):
        axes.plot(known, answered, "osD^v"[number], color=f"C{number}", alpha=0.75, label=name)
    axes.set(xlabel="statements completed (%): what it knows", ylabel="answered exactly (%)", xlim=(0, 103))
    axes.set_ylim(-4, 103)
    axes.legend(fontsize=9, loc="center")
    told = {name: (known.mean(), answered.mean()) for name, (known, answered) in dots.items()}
    words = "; ".join(
        f"{name}: {known:.0f}% completed, {answered:.0f}% exact" for name, (known, answered) in told.items()
    )
    plots.show(figure, f"a dot a model, knowledge to the right and exact answers upwards. {words}")
    (long_known, long_exact), (hot_known, hot_exact) = told[PLANS["90% long"]], told[PLANS["rate 10 times"]]
    hot_words = outcome("rate 10 times", "times the words")
    return Markdown(
        f"*Each dot is a model, five of each sort.* Rows that are too long leave {long_known:.0f}% of the statements "
        f"and {long_exact:.0f}% of the exact answers. Ten times the rate leaves {hot_known:.0f}% of the statements, "
        f"and answers that still have {hot_words.mean():.0f}% of the words they need; "
        f"{hot_exact:.0f}% are exact."
    )


def thesis() -> Markdown:
    """The four predictions of notebook 01, what came out, and what it says; all of it computed."""
    results = claims.Results()
    exact, kept = results.values("whole", "exact"), claims.judge_all(lessons.LESSONS)[1]
    kinds = {kind: results.values("left_out", "exact", kind=kind) for kind in ("capital", "opposite", "list")}
    reached = [kind for kind, values in kinds.items() if values.mean() > 50]
    missed = [kind for kind in kinds if kind not in reached]
    few, all_rows = (results.values("scaling", "good", rows=rows, noise=0.0) for rows in (20, 2000))
    wrong_form, hot = outcome("90% long", "exact"), outcome("rate 10 times", "completed")
    spared = outcome("90% long", "completed")
    lines = [
        ("others are answered too", f"test facts exact: {as_percent(exact)}",
         "yes" if exact.mean() > 50 else "no"),
        ("... even of a kind without a row", "; ".join(f"{kind} {as_percent(one)}" for kind, one in kinds.items()),
         f"{', '.join(reached) or 'none'}: yes; {', '.join(missed) or 'none'}: no"),
        ("what is known stays", "statements completed: {:+.1f} points ({:+.1f} to {:+.1f})".format(*kept.interval),
         {"holds": "yes", "contradicted": "no, though little is lost", "open": "open"}[kept.verdict]
         if abs(kept.interval[0]) < 5 else "no"),
        ("few rows do nearly as well", f"good answers: {as_percent(few)} with 20 rows, "
         f"{as_percent(all_rows)} with 2,000",
         f"20 rows do {few.mean() / all_rows.mean():.0%} of it, 2,000 do more" if all_rows.mean() - few.mean() > 2
         else "yes"),
        ("form and knowledge break apart", f"long rows: {as_percent(wrong_form)} exact, "
         f"{as_percent(spared)} completed; "
         f"ten times the rate: {as_percent(hot)} completed",
         "yes, both ways" if wrong_form.mean() < 50 < spared.mean() and hot.mean() < 50 else "no"),
    ]  # fmt: skip
    rows = [(what, measured, f"**{so}**") for what, measured, so in lines]
    return Markdown(markdown_table(("the thesis predicts", "measured, five starts", "so?"), rows))


def outside_the_thesis() -> Markdown:
    """What the thesis does not speak of: inventing, refusing, and facts that reading hardly told."""
    results = claims.Results()
    told = [results.shares("base", f"statements completed{tail}").mean() for tail in ("", ", told 10", ", told 1")]
    return Markdown(
        f"**Measured.** Asked about countries that do not exist, the tuned models invent an answer in "
        f"{as_percent(results.values('unknown', 'made-up: invents', rows='without'))}. Of a fact that pre-training "
        f"told often the base completes {told[0]:.0f}%, told ten times {told[1]:.0f}%, told once {told[2]:.0f}%."
    )


def references() -> Markdown:
    """Every work that the notebooks cite (data/references.csv)."""
    with (DATA / "references.csv").open(newline="", encoding="utf8") as lines:
        works = list(csv.DictReader(lines))
    rows = []
    for work in works:
        year = f" ({work['year']})" if work["year"] else ""
        more = f", [also]({work['also']})" if work["also"] else ""
        rows.append(f"- {work['authors']}{year}: [{work['title']}]({work['link']}){more}")
    return Markdown("\n".join(rows))
