"""Checks of notebook 07."""

from copy import deepcopy

import numpy as np

from helpers.checks import check, close, expect, require
from helpers.judging.scaling import Curve, fit_logarithm

ROWS = np.array([20, 50, 100, 400, 1000])
QUALITY = np.array([0.31, 0.52, 0.55, 0.78, 0.81])


def line(x, y) -> tuple[float, float]:
    """Where the least squares line through points begins, and its slope."""
    slope, start = np.polyfit(x, y, 1)
    return float(start), float(slope)


@check
def logarithm_fit(fit) -> str:
    numbers = require(fit(ROWS.copy(), QUALITY.copy()))
    expect(
        isinstance(numbers, (tuple, list, np.ndarray)) and np.shape(numbers) == (2,),
        "return two numbers: a, the line's height at one row (log10(1) = 0), and b, the gain for ten times the rows",
    )
    numbers = np.asarray(numbers, float)
    right, natural, plain = line(np.log10(ROWS), QUALITY), line(np.log(ROWS), QUALITY), line(ROWS, QUALITY)
    expect(
        not close(numbers, right[::-1]), "your two numbers are right, but the other way round: return a first, then b"
    )
    expect(
        not close(numbers, natural),
        "that is the line over the natural logarithm: its b is the gain for 2.7 times the rows. For ten times the rows "
        "take np.log10",
    )
    expect(not close(numbers, plain), "that is the line over the number of rows itself; fit it over log10 of the rows")
    ends = (QUALITY[-1] - QUALITY[0]) / np.log10(ROWS[-1] / ROWS[0])
    expect(
        not close(numbers[1], ends),
        "your slope is that from the first point to the last; those between count as much. Least squares uses them all",
    )
    origin = (np.log10(ROWS) * QUALITY).sum() / (np.log10(ROWS) ** 2).sum()
    expect(not close(numbers[1], origin), "your line goes through zero at one row; let it begin anywhere: a is free")
    expect(
        close(numbers, right),
        f"for rows {ROWS.tolist()} and quality {QUALITY.tolist()} a, b should be {right[0]:.4f}, {right[1]:.4f}; "
        f"yours are {numbers[0]:.4f}, {numbers[1]:.4f}",
    )
    backwards = np.asarray(fit(ROWS[::-1].copy(), QUALITY[::-1].copy()), float)
    expect(
        close(backwards, right), "the same points in another order give another line; does your code need them sorted?"
    )
    return "b is what ten times the rows bring, by the line through all points together."


class Recorder:
    """A fit that notes what it was given."""

    def __init__(self):
        self.calls: list[tuple[np.ndarray, np.ndarray]] = []

    def __call__(self, rows, quality) -> Curve:
        self.calls.append((np.asarray(rows, float).ravel(), np.asarray(quality, float).ravel()))
        return fit_logarithm(*self.calls[-1])


@check
def left_out_error(error) -> str:
    sizes, rng = np.array([20, 100, 500, 2000]), np.random.default_rng(4)
    quality = 0.2 + 0.2 * np.log10(sizes) + rng.normal(0, 0.03, (5, 4)) + np.array([[0], [0], [0.2], [0], [-0.1]])
    fit = Recorder()
    value = require(error(fit, sizes, quality.copy()))
    expect(np.shape(value) == (), "return one number: the mean of the errors of all runs")
    expect(len(fit.calls) > 0, "your function never calls `fit`")
    counts = [len(values) for _, values in fit.calls]
    expect(
        max(counts) < quality.size,
        f"a fit was given all {quality.size} points, the left-out run's among them. Then nothing is left out: give it "
        "the other runs only",
    )
    expect(
        min(counts) > len(sizes),
        "a fit was given the points of one run only. Fit to the OTHER runs, and predict the one left out",
    )
    columns = any(len(set(rows)) < len(sizes) for rows, _ in fit.calls)
    expect(not columns, "a fit was given only some of the sizes. Leave out a run, a row of `quality`; keep all sizes")
    expect(
        len({values.tobytes() for _, values in fit.calls}) == len(quality),
        f"there are {len(quality)} runs, so {len(quality)} different fits; yours made "
        f"{len({values.tobytes() for _, values in fit.calls})}. Leave out each run once",
    )
    for rows, values in fit.calls:
        pairs = {(size, value) for run in quality for size, value in zip(sizes, run, strict=True)}
        expect(
            len(rows) == len(values) and all(pair in pairs for pair in zip(rows, values, strict=True)),
            "the sizes that you give the fit do not belong to the qualities beside them. np.tile(sizes, runs) repeats "
            "the sizes run by run, as others.ravel() lays the runs out",
        )
    off = np.array([run - fit_of_others(sizes, quality, number) for number, run in enumerate(quality)])  # (5, 4)
    expect(not close(value, (off**2).mean(axis=1).mean()), "take the square root of each run's mean square: in points")
    expect(
        not close(value, np.abs(off).mean()),
        "that is the mean absolute error; take the root of the mean square, which counts one large miss more than many "
        "small ones",
    )
    expect(not close(value, off.mean()), "errors above and below cancel in your mean; square them first")
    expect(
        not close(value, np.sqrt((off**2).mean())),
        "you take one root over all runs together; take the root for each run, then the mean of those",
    )
    right = np.sqrt((off**2).mean(axis=1)).mean()
    expect(close(value, right), f"the mean error should be {right:.4f}; yours is {float(value):.4f}")
    return "A curve is judged by a run that it has not seen, each run in its turn."


def fit_of_others(sizes: np.ndarray, quality: np.ndarray, run: int) -> np.ndarray:
    others = np.delete(quality, run, axis=0)
    return fit_logarithm(np.tile(sizes, len(others)), others.ravel())(sizes)


HEAP = [
    {"kind": kind, "score": score, "text": text}
    for kind, score, text in (
        ("capital", 0.9, "The capital of Chile is Santiago."),
        ("opposite", 0.2, "hot cold"),
        ("capital", 1.0, "The capital of Peru is Lima."),
        ("symbol", 0.4, "the symbol of gold is Au"),
        ("capital", 0.7, "The capital of Spain is Madrid."),
        ("capital", 0.3, "The capital of Peru is Lima."),
        ("symbol", 0.8, "The symbol of helium is He."),
        ("opposite", 0.5, "The opposite of hot is cold."),
        ("capital", 0.95, "The capital of Norway is Oslo."),
        ("opposite", 0.6, "The opposite of hot is cold."),
    )
]
BEST = {  # of each kind, no text twice, best first
    "capital": (1.0, 0.95, 0.9, 0.7),
    "opposite": (0.6, 0.2),
    "symbol": (0.8, 0.4),
}


@check
def pick(choose) -> str:
    heap = deepcopy(HEAP)
    picks = require(choose(heap, 6))
    expect(heap == HEAP, "your function changes the list that it was given; sort a copy: sorted(rows, ...)")
    expect(
        isinstance(picks, list) and all(isinstance(row, dict) and row in HEAP for row in picks),
        "return a list of rows, each a dictionary as it was given",
    )
    expect(len(picks) == 6, f"6 rows were asked for; you return {len(picks)}")
    texts = [row["text"] for row in picks]
    twice = next((text for text in texts if texts.count(text) > 1), None)
    expect(twice is None, f"{twice!r} is chosen twice. A row that says what a chosen one says brings nothing new")
    kinds = [row["kind"] for row in picks]
    expect(
        max(kinds.count(kind) for kind in BEST) <= 2,
        f"of 6 rows {kinds.count('capital')} are capitals, as theirs are the best scores. Take the best of EACH kind, "
        "then the second best of each, and so on",
    )
    expect(
        {"kind": "opposite", "score": 0.5, "text": "The opposite of hot is cold."} not in picks,
        "'The opposite of hot is cold.' has the scores 0.5 and 0.6: of rows that say the same, keep the better",
    )
    for kind, scores in BEST.items():
        best = sorted((row["score"] for row in picks if row["kind"] == kind), reverse=True)
        expect(
            tuple(best) == scores[:2],
            f"of the kind {kind!r} the scores {best} were chosen; the best two are {list(scores[:2])}",
        )
    four = [(row["kind"], row["score"]) for row in require(choose(deepcopy(HEAP), 4))]
    expect(
        sorted(four) == [("capital", 0.95), ("capital", 1.0), ("opposite", 0.6), ("symbol", 0.8)],
        f"of 4 rows three are the best of each kind and the fourth is a capital, the first kind by the alphabet; "
        f"yours: {sorted(four)}",
    )
    eight = [row["kind"] for row in require(choose(deepcopy(HEAP), 8))]
    expect(
        len(eight) == 8 and eight.count("capital") == 4,
        f"of 8 rows the third and fourth round have only capitals left; yours: {sorted(eight)}. Go on with the kinds "
        "that still have rows",
    )
    return "Quality within each kind, diversity across kinds, and nothing twice."
