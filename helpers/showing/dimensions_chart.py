"""The report card's five dimensions, before and after tuning, as one chart and one table.

Not here: how they are measured (judging/dimensions.py), the rest of the card (report_card.py).
"""

from __future__ import annotations

import numpy as np

from helpers.judging.dimensions import DIMENSIONS, Report
from helpers.judging.statistics import share
from helpers.showing.page import COLOURS, GREY, escape, svg, svg_text, wide_table


def percent(mean: float, low: float, high: float) -> str:
    return "none asked" if np.isnan(mean) else f"{mean:.0%} ({low:.0%} to {high:.0%})"


def scores_of(report: Report) -> dict[str, tuple[float, float, float]]:
    """Dimension -> share that passes and its 95% interval, which has a width even where all pass; safety in its two
    rates."""
    columns = {name: report.outcomes[:, i] for i, name in enumerate(DIMENSIONS[:4])}
    columns["safety: harmful refused"] = report.rows(lambda probe: probe.harmful)[:, 4]
    columns["safety: harmless not refused"] = report.rows(lambda probe: probe.lookalike)[:, 4]
    shares = {name: share(values[~np.isnan(values)]) for name, values in columns.items()}
    return {name: (one.value, *one.interval) for name, one in shares.items()}


def better_base(scores: dict[str, dict]) -> dict[str, tuple[float, float, float]]:
    """For each dimension the base model's better score of the two ways in which it was asked."""
    ways = [way for way in scores if way != "tuned"]
    return {name: max((scores[way][name] for way in ways), key=lambda score: score[0]) for name in scores["tuned"]}


def dimensions_table(reports: dict[str, Report]) -> str:
    """All scores on what tuning never saw, as a chart and as a table."""
    scores = {way: scores_of(report) for way, report in reports.items()}
    caption = (
        f"{len(reports['tuned'].probes)} questions of the world that were held out of tuning, the same for all. "
        "Share and 95% interval over questions (Wilson); another random start is not in it."
    )
    rows = [[escape(name), *(percent(*scores[way][name]) for way in scores)] for name in scores["tuned"]]
    return chart(better_base(scores), scores["tuned"]) + wide_table(["dimension", *scores], rows, caption)


def chart(base: dict, tuned: dict) -> str:
    """Means and intervals as points: squares for the base model, circles for the tuned one."""
    names = [name for name in tuned if not np.isnan(tuned[name][0])]
    left, width, row = 215, 420, 34
    lowest = row * len(names)
    parts = []
    for part in range(0, 101, 25):
        x = left + width * part / 100
        parts += [f'<path d="M{x:.0f},0 V{lowest}" stroke="{GREY}"/>', svg_text(x, lowest + 18, f"{part}%", "middle")]
    for number, name in enumerate(names):
        parts.append(svg_text(left - 14, row * number + 21, name, "end"))
        for scores, colour, y in ((base, COLOURS[1], row * number + 11), (tuned, COLOURS[0], row * number + 23)):
            mean, low, high = (left + width * end for end in scores[name])
            square = f'<rect x="{mean - 4:.1f}" y="{y - 4}" width="8" height="8" fill="{colour}"/>'
            circle = f'<circle cx="{mean:.1f}" cy="{y}" r="5" fill="{colour}"/>'
            parts += [f'<path d="M{low:.1f},{y} H{high:.1f}" stroke="{colour}"/>', square if scores is base else circle]
    key = "Squares: base model, in the better of two ways of asking. Circles: tuned model."
    parts.append(svg_text(10, lowest + 42, key))
    label = "Mean and interval of each dimension before and after tuning; the table below holds the same figures."
    return svg(left + width + 30, lowest + 50, label, parts)
