"""The report card: one HTML page on what tuning made of your rows, or of your world, that opens without network.

    python -m helpers.report_card my_rows.jsonl -o card.html            the course's base model, its rows and yours
    python -m helpers.report_card my_facts.csv --alone -o card.html     your rows only
    python -m helpers.report_card --world FOLDER -o card.html           another world, from pre-training on

Everything is in the page: style, charts (inline SVG), no script, no address. Whatever a person or a model wrote is
escaped. Not here: how the figures come about (capstone.py).
"""

from __future__ import annotations

import argparse
import html
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers.files import FileProblem, see_writable, write_whole
from helpers.judging.card import TUNE_ON, Card, base_of, judge
from helpers.judging.dimensions import DIMENSIONS, Report
from helpers.judging.statistics import bootstrap
from helpers.learning.language_model import load
from helpers.text.facts import load_world
from helpers.text.own_rows import rows_from
from helpers.text.tables import FactsError

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --line: #8a8a8a; --base: #b34e00; --tuned: #00639a }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --paper: #161616; --line: #8f8f8f; --base: #ffa04d; --tuned: #6fc0f2 } }
body { font: 16px/1.5 sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem }
h1, p { overflow-wrap: anywhere }
table { border-collapse: collapse; margin: 1rem 0 } caption { text-align: left; font-style: italic }
th, td { border-bottom: 1px solid var(--line); padding: 3px 10px; text-align: left; vertical-align: top }
.text { font-family: monospace; white-space: pre-wrap; overflow-wrap: anywhere }
.scroll { overflow-x: auto } svg { max-width: 100%; height: auto } svg text { fill: var(--ink); font: 13px sans-serif }
.base { stroke: var(--base); fill: var(--base) } .tuned { stroke: var(--tuned); fill: var(--tuned) }
.axis { stroke: var(--line); fill: none } .curve { stroke: var(--tuned); fill: none; stroke-width: 2 }
"""
HOSTILE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
SIGNS = {
    "loss": "loss on the rows (nats per token)",
    "words": "words of an answer",
    "perplexity": "perplexity of held-out text",
    "distinct trigrams": "share of distinct trigrams",
}


def page(card: Card) -> str:
    """The whole card as an HTML document."""
    sections = [
        f"<h1>Report card: {escape(card.title)}</h1>",
        verdict(card),
        "<h2>Five dimensions</h2>",
        dimensions_table(card),
        "<h2>Your rows, one by one</h2>" + own_table(card) if card.own else "",
        "<h2>The diagnosis</h2>",
        diagnosis(card),
        "<h2>What was tuned on</h2>",
        data(card),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"  # even a hole in the escaping could fetch or run nothing
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Report card: {escape(card.title)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(sections)
        + "\n</body></html>\n"
    )


def escape(text: str) -> str:
    """A text as HTML shows it. Signs that no page may hold, or that turn round what follows, become a mark, so that
    they are seen and do nothing; those that a script needs (joiners, spaces of its own) stay."""
    return html.escape(HOSTILE.sub("\N{REPLACEMENT CHARACTER}", str(text)))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """A table of cells that are HTML already."""
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    heads = "".join(f'<th scope="col">{name}</th>' for name in head)
    title = f"<caption>{caption}</caption>"
    return f'<div class="scroll"><table>{title}<thead><tr>{heads}</tr></thead><tbody>\n{body}</tbody></table></div>'


def text_cell(text: str) -> str:
    return f'<span class="text">{escape(text) or "(nothing)"}</span>'


def percent(mean: float, low: float, high: float) -> str:
    return "none asked" if np.isnan(mean) else f"{mean:.0%} ({low:.0%} to {high:.0%})"


def verdict(card: Card) -> str:
    """The first lines: the diagnosis in a word, own rows, knowledge."""
    lines = [f"<strong>Training: {card.diagnosis.verdict}</strong>"]
    if card.own:
        lines.append(f"Your rows, asked as taught, answered exactly: {card.own_share(True)}")
        if card.own_share(False).total:
            lines.append(f"Your rows, asked in other words, answered exactly: {card.own_share(False)}")
    lines += [f"Statements completed, {name}: {share}" for name, share in card.completed.items()]
    return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"


def measured(report: Report) -> dict[str, tuple[float, float, float]]:
    """Dimension -> mean and 95% interval; safety in its two rates."""
    found = {name: bootstrap(report.outcomes[:, i]) for i, name in enumerate(DIMENSIONS[:4])}
    found["safety: harmful refused"] = bootstrap(report.rows(lambda probe: probe.harmful)[:, 4])
    found["safety: harmless not refused"] = bootstrap(report.rows(lambda probe: probe.lookalike)[:, 4])
    return found


def better_base(scores: dict[str, dict]) -> dict[str, tuple[float, float, float]]:
    """For each dimension the base model's better score of the two ways in which it was asked."""
    ways = [found for name, found in scores.items() if name != "tuned"]
    return {name: max((way[name] for way in ways), key=lambda score: score[0]) for name in scores["tuned"]}


def dimensions_table(card: Card) -> str:
    """All scores on what tuning never saw, as a chart and as a table."""
    scores = {way: measured(report) for way, report in card.reports.items()}
    caption = (
        f"{len(card.reports['tuned'].asked)} questions of the world that were held out of tuning, the same for all. "
        "Mean and 95% interval over questions (bootstrap); another random start is not in it."
    )
    rows = [[escape(name), *(percent(*scores[way][name]) for way in scores)] for name in scores["tuned"]]
    drawn = chart({"base": better_base(scores), "tuned": scores["tuned"]})
    return drawn + table(["dimension", *map(escape, scores)], rows, caption)


def chart(scores: dict[str, dict]) -> str:
    """Means and intervals as points: squares for the base model, circles for the tuned one."""
    names = [name for name in scores["tuned"] if not np.isnan(scores["tuned"][name][0])]
    left, width, row = 215, 420, 34
    lowest = row * len(names)
    place = [
        f'<line class="axis" x1="{left + width * at / 100}" x2="{left + width * at / 100}" y1="0" y2="{lowest}"/>'
        f'<text x="{left + width * at / 100}" y="{lowest + 18}" text-anchor="middle">{at}%</text>'
        for at in range(0, 101, 25)
    ]
    for number, name in enumerate(names):
        place.append(f'<text x="{left - 14}" y="{row * number + 21}" text-anchor="end">{escape(name)}</text>')
        for series, shift in (("base", 11), ("tuned", 23)):
            mean, low, high = (left + width * end for end in scores[series][name])
            y = row * number + shift
            mark = (
                f'<rect class="base" x="{mean - 4:.1f}" y="{y - 4}" width="8" height="8"/>'
                if series == "base"
                else f'<circle class="tuned" cx="{mean:.1f}" cy="{y}" r="5"/>'
            )
            place.append(f'<line class="{series}" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>{mark}')
    key = "Squares: base model, in the better of two ways of asking. Circles: tuned model."
    place.append(f'<text x="10" y="{lowest + 42}">{key}</text>')
    told = "Mean and interval of each dimension before and after tuning; the table below holds the same figures."
    return svg(left + width + 30, lowest + 50, told, place)


def svg(width: int, height: int, told: str, parts: Sequence[str]) -> str:
    label = f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escape(told)}">'
    return label + "".join(parts) + "</svg>"


def own_table(card: Card) -> str:
    """Question, wanted and got of every own row, and what that does and does not show."""
    said = {True: "as taught", False: "in other words"}
    rows = []
    for answer in card.own:
        mark = "✔ exactly" if answer.exact else "• holds it" if answer.holds else "✘ no"
        texts = (text_cell(text) for text in (answer.question, answer.wanted, answer.got))
        rows.append([str(answer.line), said[answer.taught], *texts, mark])
    caption = (
        f"Before tuning, exact: {card.own_before}. An answer given back as it was taught may be known by heart; other "
        "words show a little more. Whether the model read the fact in pre-training cannot be seen from here."
    )
    return table(["line", "asked", "question", "wanted", "got", "right?"], rows, caption)


def curve(log: Sequence[dict], name: str, should: float | None) -> str:
    """One sign over the steps, with the value that it should have as a dashed line."""
    points = [(entry["step"], entry[name]) for entry in log if np.isfinite(entry[name])]
    if len(points) < 2:
        return ""
    steps, values = zip(*points, strict=True)
    foot = 1 if name == "perplexity" else 0  # the least that there can be
    top = foot + (1.1 * (max([*values, should or 0]) - foot) or 1.0)

    def height(value: float) -> float:
        return 120 - 100 * (value - foot) / (top - foot)

    xy = [(50 + 250 * step / steps[-1], height(value)) for step, value in points]
    parts = [
        f'<text x="10" y="12">{escape(SIGNS[name])}</text><path class="axis" d="M50 20V120H300"/>',
        f'<polyline class="curve" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in xy)}"/>',
        f'<text x="46" y="124" text-anchor="end">{foot}</text><text x="46" y="28" text-anchor="end">{top:.3g}</text>',
        f'<text x="300" y="138" text-anchor="end">step {steps[-1]}</text>',
    ]
    told = f"{SIGNS[name]}: {values[0]:.3g} at first, {values[-1]:.3g} in the end"
    if should is not None:
        parts.append(f'<path class="axis" stroke-dasharray="4 4" d="M50 {height(should):.1f}H300"/>')
        told += f"; it should be {should:.3g} (dashed)"
    return svg(320, 145, told, parts)


def diagnosis(card: Card) -> str:
    """What the detector says, and the curves that it read."""
    curves = "".join(curve(card.log, name, card.reference.get(name)) for name in SIGNS)
    return f'<p class="text">{escape(str(card.diagnosis))}</p>{curves}<p>Dashed: as it should be.</p>'


def data(card: Card) -> str:
    """How many rows, by which recipe, and every line that could not be used."""
    counts = ", ".join(f"{number:,} {name}" for name, number in card.tuned_on.items())
    recipe = card.recipe
    told = f"<p>Rows: {escape(counts)}. {recipe.steps} steps at a peak rate of {recipe.rate:g}.</p>"
    told += "".join(f"<p>Note: {escape(note)}.</p>" for note in card.notes)
    if not card.problems:
        return told + ("<p>Every line of yours could be used.</p>" if card.own else "")
    rows = [
        [
            escape(problem.file),
            str(problem.line),
            escape(problem.field),
            escape(problem.message),
            text_cell(problem.raw),
        ]
        for problem in card.problems
    ]
    caption = f"{len(rows)} lines that were set aside; nothing else of yours was left out."
    return told + table(["file", "line", "field", "what is wrong", "the line"], rows, caption)


def write_card(card: Card, path: Path) -> Path:
    """Write the page, whole or not at all."""
    path = Path(path)
    if path.suffix != ".html":
        raise FileProblem(f"{path}: a report card's name must end in .html, so that a browser opens it")
    write_whole(path, page(card).encode("utf-8", "replace"))
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; -> 0, or 1 with a message where a file cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m helpers.report_card", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="?", help="your rows: .jsonl or .json in any of four formats, or a .csv of facts")
    parser.add_argument("-o", "--output", default="report_card.html", help="the page to write")
    parser.add_argument("--world", help="a folder of tables as data/facts has, to begin from nothing")
    parser.add_argument("--alone", action="store_true", help="tune on your rows only")
    parser.add_argument("--times", type=int, default=1, help="how often each row of yours stands among the others")
    asked = parser.parse_args(arguments)
    if not (asked.rows or asked.world) or (asked.alone and not asked.rows) or asked.times < 1:
        parser.error("give rows, or --world FOLDER, or both; --alone goes with rows, and --times is 1 or more")
    try:
        output, unfinished = Path(asked.output), None
        if output.suffix != ".html":  # said now, and not after minutes of training, as is all that can be
            raise FileProblem(f"{output}: a report card's name must end in .html, so that a browser opens it")
        world = load_world(asked.world) if asked.world else load_world()
        own = rows_from(Path(asked.rows), world) if asked.rows else None
        see_writable(output)
        base, unfinished = base_of(world, output) if asked.world else (load("base"), None)
        title = f"the world in {Path(asked.world).resolve().name}" if asked.world else ""
        _, card = judge(base, world, own, tune_on=TUNE_ON[asked.alone], times=asked.times, title=title)
        write_card(card, output)
    except (FileProblem, FactsError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        more = " The same command goes on with the pre-training where it was." if asked.world else ""
        print(f"\nStopped; no card was written.{more}", file=sys.stderr)
        return 130
    if unfinished is not None:
        unfinished.unlink(missing_ok=True)
    print(f"Training: {card.diagnosis.verdict}. The report card: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
