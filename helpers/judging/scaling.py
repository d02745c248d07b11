"""How quality grows with the number of rows: two curves through measured points, and two fair ways to choose.

    logarithm    a + b log10(n)    ten times the rows bring the same gain, however many there are
    saturating   c - d n^-e        ten times the rows bring a fixed share of the gain before; c is the ceiling

With e near 0 the second curve is as good as the first, so on the points that it is fitted to it never loses by much:
that proves nothing. The two are compared on a random start that the fit has not seen, and on a size that it has not
seen. Not here: the runs (experiments/data_runs.py), the drawings (notebook 07).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

EXPONENTS = np.geomspace(0.02, 4, 120)  # the grid for e; below, a logarithm to three digits; above, a step


@dataclass(frozen=True)
class Curve:
    """A fitted curve: its formula's name, its parameters by name, and `curve(n)`, the quality at n rows."""

    name: str
    parameters: dict[str, float]

    def __call__(self, rows) -> np.ndarray:
        rows, p = np.asarray(rows, float), self.parameters
        if self.name == "flat":
            return np.full(rows.shape, p["c"])
        if self.name == "logarithm":
            return p["a"] + p["b"] * np.log10(rows)
        return p["c"] - p["d"] * rows ** -p["e"]

    def __str__(self) -> str:
        return f"{self.name}: " + ", ".join(f"{name} = {value:.4g}" for name, value in self.parameters.items())


def least_squares(columns: Sequence[np.ndarray], quality: np.ndarray) -> tuple[np.ndarray, float]:
    """The factors of the columns that bring their sum nearest to `quality`, and the sum of squares that is left."""
    table = np.stack([np.broadcast_to(column, quality.shape) for column in columns], axis=1)  # (points, columns)
    factors = np.linalg.lstsq(table, quality, rcond=None)[0]
    return factors, float(((quality - table @ factors) ** 2).sum())


def fit_flat(rows, quality) -> Curve:
    """No growth at all: the mean. What every other curve must beat."""
    points(rows, quality, 1)
    return Curve("flat", {"c": float(np.mean(quality))})


def fit_logarithm(rows, quality) -> Curve:
    """a + b log10(n) by least squares, through points of `rows` (n >= 1) and `quality`, equally long."""
    rows, quality = points(rows, quality, 2)
    (a, b), _ = least_squares([np.ones(1), np.log10(rows)], quality)
    return Curve("logarithm", {"a": float(a), "b": float(b)})


def fit_saturating(rows, quality) -> Curve:
    """c - d n^-e: every e of a grid is tried, for each of which c and d are a least squares of two columns."""
    rows, quality = points(rows, quality, 3)
    fits = []
    for e in EXPONENTS:
        (c, d), error = least_squares([np.ones(1), -(rows**-e)], quality)
        fits.append((error, float(c), float(d), float(e)))
    _, c, d, e = min(fits)
    return Curve("saturating", {"c": c, "d": d, "e": e})


FITS: dict[str, Callable[..., Curve]] = {
    "flat": fit_flat,
    "logarithm": fit_logarithm,
    "saturating": fit_saturating,
}


def points(rows, quality, sizes: int) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays, if they are points to fit a curve with so many parameters to."""
    rows, quality = np.asarray(rows, float), np.asarray(quality, float)
    if rows.shape != quality.shape or rows.ndim != 1:
        raise ValueError(f"a quality for each number of rows is needed, got {rows.shape} and {quality.shape}")
    if len(set(rows.tolist())) < sizes or not (rows >= 1).all():
        raise ValueError(f"at least {sizes} different numbers of rows are needed, each 1 or more, got {rows.tolist()}")
    return rows, quality


def r_squared(curve: Curve, rows, quality) -> float:
    """The share of the scatter of `quality` that the curve accounts for: 1 is all, 0 is no better than the mean."""
    quality = np.asarray(quality, float)
    return float(1 - ((quality - curve(rows)) ** 2).sum() / ((quality - quality.mean()) ** 2).sum())


def by_size(results: list[dict], figure: str = "good", **setting) -> tuple[np.ndarray, np.ndarray]:
    """Stored runs of one setting as a table: sizes (S,) in order, and the figure (seeds, S).

    Raises ValueError where a run of the grid is missing, since seeds could not be compared then.
    """
    runs = [row for row in results if setting.items() <= row.items()]
    sizes, seeds = (sorted({row[name] for row in runs}) for name in ("rows", "seed"))
    figures = {(row["seed"], row["rows"]): row[figure] for row in runs}
    missing = [(seed, size) for seed in seeds for size in sizes if (seed, size) not in figures]
    if missing or not figures:
        raise ValueError(f"no result for {setting}, (seed, rows) {missing[:3] or 'any'}; `make results` makes them")
    return np.array(sizes), np.array([[figures[seed, size] for size in sizes] for seed in seeds])


def error_on_left_out_seeds(fit: Callable[..., Curve], sizes: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """For each seed of `quality` (seeds, S): fit to the others, and be wrong about this one by so much (root mean
    square over the sizes)."""
    errors = []
    for seed in range(len(quality)):
        others = np.delete(quality, seed, axis=0)
        curve = fit(np.tile(sizes, len(others)), others.ravel())
        errors.append(np.sqrt(np.mean((quality[seed] - curve(sizes)) ** 2)))
    return np.array(errors)


def error_at_largest(fit: Callable[..., Curve], sizes: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """Fit to all sizes but the largest: predicted minus measured there, for each seed by itself (seeds,)."""
    return np.array([float(fit(sizes[:-1], row[:-1])(sizes[-1]) - row[-1]) for row in quality])


def meeting_point(noise, many, few: float) -> float:
    """The share of noise at which many rows do as well as `few` clean ones.

    `many` is the quality at each share in `noise` (ascending). Noise is lowered from the highest share until many rows
    are as good; between two shares a straight line is drawn. NaN if many are never as good; the highest share if they
    always are.
    """
    noise, ahead = np.asarray(noise, float), np.asarray(many, float) - few
    if noise.shape != ahead.shape or (np.diff(noise) <= 0).any():
        raise ValueError("a quality for each share of noise is needed, and the shares must rise")
    if ahead[-1] >= 0:
        return float(noise[-1])
    level = np.flatnonzero(ahead >= 0)
    if not len(level):
        return float("nan")
    last = level[-1]  # from here on many rows fall short
    part = ahead[last] / (ahead[last] - ahead[last + 1])
    return float(noise[last] + part * (noise[last + 1] - noise[last]))
