"""Which rows to take: a row's marks, what a selection did, the estimate and its error, and two tables of evidence.

Not here: number, noise, faults and kinds (the_landscape.py), the marks (judging/quality.py), the line that estimates
(experiments/estimate.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

from helpers.experiments import estimate
from helpers.figures.the_landscape import by_rows, points, side
from helpers.judging import scaling
from helpers.judging.quality import DEFECT_OF, MARK_OF, Judgement
from helpers.judging.statistics import Share
from helpers.results import read_results
from helpers.showing import plots
from helpers.showing.diagrams import Drawing
from helpers.showing.page import escape, markdown_table, table
from helpers.showing.quality_page import cut
from helpers.text.selections import DEFECTS


def scorer_drawing() -> Drawing:
    """A row, nine questions, and what stands beside each fault."""
    drawing = Drawing(
        550,
        212,
        "The scorer asks nine questions of a row: "
        + ", ".join(f"{mark} (else {fault})" for mark, fault in DEFECT_OF.items())
        + ". Beside each fault stands what such rows were measured to cost",
    )
    drawing.box(6, 76, 96, 54, "a row", fill="first")
    for number, (mark, fault) in enumerate(DEFECT_OF.items()):
        y = 22 + 22 * number
        drawing.text(150, y, f"{mark}?", "start")
        drawing.text(272, y, f"else {fault}", "start", bold=True)
    drawing.arrow(102, 103, 142, 103)
    drawing.arrow(378, 103, 418, 103)
    drawing.box(420, 58, 126, 90, "points lost", "measured:\nhalf of the\n500 rows", fill="second")
    return drawing


def marks_table(rows: Sequence[dict], judgements: Sequence[Judgement], harm: dict) -> HTML:
    """The first row with each fault: its answer, what it is called, why, and what such rows cost."""
    lines = []
    for fault in ("clean", *DEFECTS):
        name = "" if fault == "clean" else fault
        number = next((i for i, (row, one) in enumerate(zip(rows, judgements, strict=True))
                       if row["defect"] == name and one.findings == [name] * bool(name)), None)  # fmt: skip
        if number is None:
            continue
        why = judgements[number].reasons[MARK_OF[name] if name else "right"]
        cost = "{:.0f}\u00a0({:.0f}\u00a0to\u00a0{:.0f})".format(*(100 * part for part in harm[name])) if name else ""
        answer = rows[number]["messages"][-1]["content"].replace("\n", " / ")
        lines.append([escape(cut(answer, 90)), f"<b>{fault}</b>", escape(why), cost])
    return HTML(table(("the row's answer", "called", "because", "points lost"), lines, label="marks and reasons"))


def outcomes_table(outcomes: dict[str, tuple[np.ndarray, Share]]) -> HTML:
    """For each selection its estimate (value, low, high), and what was measured."""
    lines = [
        [escape(name), "{:.0f}% ({:.0f} to {:.0f})".format(*(100 * part for part in value)), escape(good)]
        for name, (value, good) in outcomes.items()
    ]
    return HTML(table(("rows", "estimated (95% interval)", "measured, one run"), lines, label="selections"))


def fault_counts(chosen: dict[str, Sequence[dict]]) -> HTML:
    """For each choice: rows with no fault at all, kinds, and what its rows cost on average."""
    lines = [
        [
            escape(name),
            f"{sum(row['cost'] == 0 for row in rows)} of {len(rows)}",
            str(len({row["kind"] for row in rows})),
            f"{np.mean([row['cost'] for row in rows]):.1f}",
        ]
        for name, rows in chosen.items()
    ]
    return HTML(table(("choice", "rows without a fault", "kinds", "mean cost"), lines, label="choices"))


def estimate_figure() -> None:
    """Measured over estimated, a dot for each random selection."""
    known = estimate.stored_observations()
    shares = 100 * estimate.cross_validate(known)
    figure, axes = plt.subplots(figsize=(4.8, 4.2))
    axes.errorbar(shares[:, 0], 100 * known.good, fmt="C0o", capsize=0, lw=0.6, alpha=0.8,
                  xerr=[shares[:, 0] - shares[:, 1], shares[:, 2] - shares[:, 0]])  # fmt: skip
    axes.plot([0, 100], [0, 100], "k:", label="estimate = measured")
    axes.set(xlabel="estimated from the rows (%)", ylabel="measured good answers (%)", xlim=(-2, 102), ylim=(-2, 102))
    axes.legend(loc="upper left")
    close = np.mean(np.abs(shares[:, 0] - 100 * known.good) <= 10)
    plots.show(
        figure,
        f"Measured over estimated good answers of {len(known.good)} random selections with the estimates' intervals; "
        f"{close:.0%} of the dots lie within ten points of the diagonal",
    )


def estimate_words() -> Markdown:
    known = estimate.stored_observations()
    ours, mean = estimate.stored_errors(), estimate.errors(estimate.by_the_mean(known), known.good)
    better = "better than" if ours["mean absolute"] < mean["mean absolute"] else "no better than"
    return Markdown(
        f"**Measured.** On selections whose base model it has not seen, the estimate is off by "
        f"{100 * ours['mean absolute']:.1f} points on average: {better} always saying the mean, which is off by "
        f"{100 * mean['mean absolute']:.1f}. {ours['in the interval']:.0%} of the selections lie in their 95% interval."
    )


def foretold_harm(world) -> Markdown:
    """What the estimate says of 500 rows of which half have one fault, and what such rows did."""
    alone = estimate.observations(world, table="defects")
    shares = estimate.cross_validate(estimate.stored_observations(), alone)
    names = np.array([row["defect"] for row in read_results("defects")])
    rows, gaps = [], {}
    for name in ("none", *DEFECTS):
        here = names == name
        gaps[name] = alone.good[here] - shares[here, 0]
        title = "sound, as the others" if name == "none" else name
        rows.append((title, f"{shares[here, 0].mean():.0%}", f"{alone.good[here].mean():.0%}", points(gaps[name])))
    head = ("half of 500 rows are", "estimated", "measured", "the model is better than foretold by")
    return Markdown(markdown_table(head, rows))


# --- evidence ---


def curves_table() -> Markdown:
    """Three curves judged by what they have not seen: a run left out, and the largest size."""
    sizes, clean, noisy = by_rows()
    head = ("rows", "curve", "R², all points", "error on a run left out", "predicted minus measured at 2,000")
    rows, verdicts = [], []
    for kind, good in (("clean", clean), ("half spoiled", noisy)):
        everything = np.tile(sizes, len(good)), good.ravel()
        unseen, ahead = {}, {}
        for name, fit in scaling.FITS.items():
            unseen[name] = scaling.error_on_left_out_seeds(fit, sizes, good)
            ahead[name] = scaling.error_at_largest(fit, sizes, good)
            r2 = scaling.r_squared(fit(*everything), *everything)
            off = f"{100 * unseen[name].mean():.1f} points"
            rows.append((kind, name, f"{r2:.2f}", off, points(ahead[name])))
        for where, errors in (("a run left out", unseen), ("2,000 rows", ahead)):
            nearer = np.abs(errors["logarithm"]) - np.abs(errors["saturating"])
            verdict = side(nearer, "the saturating curve is nearer", "the logarithm is nearer")
            verdicts.append(f"{kind}, {where}: {verdict}")
    return Markdown(f"{markdown_table(head, rows)}\n\n**Logarithm or saturating?** {'; '.join(verdicts)}.")


def phrasings_table() -> Markdown:
    """More facts against more phrasings of each, asked in a wording that no row has."""
    runs = read_results("phrasings")

    def at(facts: int, wordings: int) -> np.ndarray:
        return np.array(
            [run["unseen phrasing"] for run in runs if (run["facts"], run["wordings"]) == (facts, wordings)]
        )

    (few, many), (once, often) = (sorted({run[name] for run in runs}) for name in ("facts", "wordings"))
    rows = []
    for name, more, less in (
        (f"{often} wordings of each of {few} facts, instead of {once}", (few, often), (few, once)),
        (f"{often} wordings of each of {many} facts, instead of {once}", (many, often), (many, once)),
        (f"{many} facts instead of {few}, one wording each", (many, once), (few, once)),
        (f"as many rows: {few} facts in {often} wordings, instead of {many} in one", (few, often), (many, once)),
    ):
        gap = at(*more) - at(*less)
        rows.append((name, points(gap), side(gap, "better", "worse")))
    head = ("what is more", "good answers in a wording that no row has, run by run", "")
    return Markdown(markdown_table(head, rows))
