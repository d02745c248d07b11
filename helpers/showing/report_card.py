"""The report card: one HTML page on what tuning made of your rows, or of your world, that opens without network.

    python -m helpers.showing.report_card my_rows.jsonl -o card.html          the course's base, its rows and yours
    python -m helpers.showing.report_card my_facts.csv --alone -o card.html   your rows only
    python -m helpers.showing.report_card --world FOLDER -o card.html         another world, from pre-training on

First stands which rows do not fit, then whether the mission succeeded: own facts told in words that were never tuned
on, and the world not lost. If not, the card names what else to try.

Everything is in the page: style, charts (inline SVG), no script, no address. Whatever a person or a model wrote is
escaped. Not here: how the figures come about (judging/card.py), its chart of dimensions
(dimensions_chart.py), tables and drawings (page.py).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from helpers.files import FileProblem, see_writable, write_whole
from helpers.judging.card import (
    FEWEST_RIGHT,
    FEWEST_TOLD,
    TIMES,
    TUNE_ON,
    Card,
    base_of,
    judge,
    misfits,
    set_aside_too_long,
)
from helpers.judging.diagnostics import diagnose
from helpers.learning.language_model import load
from helpers.learning.recipe import TUNING, TUNING_ROWS
from helpers.results import read_results
from helpers.showing.dimensions_chart import dimensions_table
from helpers.showing.page import escape, sign_svg, verbatim, wide_table
from helpers.text.facts import load_world
from helpers.text.own_rows import rows_from
from helpers.text.tables import FactsError

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --line: #8a8a8a }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --paper: #161616; --line: #8f8f8f } }
body { font: 16px/1.5 sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem }
h1, p { overflow-wrap: anywhere }
table { border-collapse: collapse; margin: 1rem 0 } caption { text-align: left; font-style: italic }
th, td { border-bottom: 1px solid var(--line) }
.scroll { overflow-x: auto } svg { font-size: 13px }
"""
TRIES = {  # as in data/results/mission.csv -> the options of the command
    "200 times": "",
    "200 times, rate 3e-4": "--rate 3e-4",
    "200 times, replay": "--replay 0.2",
    "20 times": "--times 20",
    "alone": "--alone",
}
WHERE_ROWS_ARE_NOT_TOLD = "more wordings of each row, more steps, or fewer rows"
WHERE_WORLD_IS_LOST = "your rows among the course's, fewer times, or with replay"
FEWEST_READINGS, TOO_FEW = 20, ", which is hardly enough: bring fewer rows, or give --times"
BY_VALIDATOR = "your validator set it aside"  # what a problem says that a learner's own check found
LONGEST = 500  # signs of a line, or of a note, that the page shows
MOST_ROWS, ROOM, CELL_SIZE = 1000, 150_000, 80  # of a table: rows looked at, bytes, and bytes of a cell's own tags
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
        dimensions_table(card.reports),
        "<h2>Your rows, one by one</h2>" + own_table(card) if card.own else "",
        "<h2>Other tries</h2>" + tries() if card.own else "",
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


def verdict(card: Card) -> str:
    """The first lines: rows that do not fit, whether the mission succeeded, own rows, knowledge, and the log."""
    lines = [f"<strong>{escape(card.misfits)}.</strong>"] if card.misfits else []
    if card.own:
        lines.append(f"<strong>{mission(card)}</strong>")
        lines.append(f"Your rows, asked as taught, answered exactly: {card.own_share(True)}")
        if card.own_share(False).total:
            lines.append(f"Your rows, asked in other words, answered exactly: {card.own_share(False)}")
        else:
            lines.append('No row of yours has other words to be asked in; its key "again" may hold them')
    lines.append(f"The world's development facts told often, answered accurately: {card.world_share}")
    lines += [f"Statements completed, {name}: {share}" for name, share in card.completed.items()]
    lines.append(f"The training log alone: {log_verdict(card)}")
    return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"


def mission(card: Card) -> str:
    """Whether the own rows are learned and the world is kept; if not, what to try."""
    told, world = card.told, card.world_share
    words = "in other words" if card.own_share(False).total else "as taught"
    figures = f"{told.hits} of {told.total} of your rows told {words}, {world.value:.0%} of the world's answers right"
    wanted = f"wanted are {FEWEST_TOLD:.0%} and {FEWEST_RIGHT:.0%}"
    if card.success:
        return f"✔ Mission accomplished: {figures}; {wanted}"
    advice = WHERE_ROWS_ARE_NOT_TOLD if world.value >= FEWEST_RIGHT else WHERE_WORLD_IS_LOST
    return f"✘ Mission not accomplished: {figures}; {wanted}. Try {advice}: other tries stand below"


def log_verdict(card: Card) -> str:
    """What the detector says of the log, and that it does not read answers."""
    failures = ", ".join(sorted(card.diagnosis.failures))
    return f"{card.diagnosis.verdict}{f' ({failures})' if failures else ''}. It does not ask whether answers are right"


def first_rows(rows: Sequence[list[str]], total: int) -> tuple[list[list[str]], str]:
    """As many rows of a table as ROOM holds, and a sentence on the others, "" if there are none."""
    sizes = np.cumsum([sum(len(cell.encode()) + CELL_SIZE for cell in row) for row in rows])
    fit = int(np.searchsorted(sizes, ROOM, side="right"))
    return rows[:fit], f" {fit:,} of {total:,} are shown." if fit < total else ""


def own_table(card: Card) -> str:
    """Question, wanted and got of own rows, the failing ones first, and what that does and does not show."""
    ways = {True: "as taught", False: "in other words"}
    rows = []
    for answer in sorted(card.own, key=lambda answer: answer.exact + answer.holds)[:MOST_ROWS]:
        mark = "✔ exactly" if answer.exact else "• holds it" if answer.holds else "✘ no"
        texts = (verbatim(text or "(nothing)") for text in (answer.question, answer.expected, answer.reply))
        rows.append([str(answer.line), ways[answer.taught], *texts, mark])
    rows, rest = first_rows(rows, len(card.own))
    caption = (
        f"What failed comes first.{rest} Before tuning, exact: {card.own_before}. An answer given back as it was "
        "taught may be known by heart; other words show a little more. Whether the model read the fact in pre-training "
        "cannot be seen from here."
    )
    return wide_table(["line", "asked", "question", "wanted", "got", "right?"], rows, caption)


def tries() -> str:
    """What else can be tried, by which option, and what each gave where it was measured (experiments/mission.py)."""
    try:
        runs = read_results("mission")
    except FileProblem:
        runs = []
    rows = []
    for name, options in TRIES.items():
        some = [run for run in runs if run["try"] == name]
        enough = sum(run["told in other words"] >= FEWEST_TOLD * run["of"] for run in some)
        accuracy = [run["world's accuracy"] for run in some]
        figures = (
            [f"{enough} of {len(some)}", f"{np.mean(accuracy):.0%} ({min(accuracy):.0%})"]
            if some
            else ["not measured"] * 2
        )
        rows.append([escape(name), verbatim(options or "(no option)"), *figures])
    caption = (
        "Measured on the course's base with tables of five new facts: how many runs told at least four of the five in "
        "words that were never tuned on, and the accuracy on the world's development facts that are told often, mean "
        "(and worst). Yours may fare otherwise."
    )
    head = ["try", "option of the command", "runs that told four of five", "the world's accuracy"]
    return wide_table(head, rows, caption)


def diagnosis(card: Card) -> str:
    """What the detector says, and the curves that it read."""
    steps = card.log[-1]["step"]
    readings = []
    for number, entry in enumerate(card.log, 1):
        values = (f"{entry[name]:.3g}" if np.isfinite(entry[name]) else "none" for name in SIGNS)
        readings.append([str(entry["step"]), *values, diagnose(card.log[:number], card.reference).verdict])
    replay = wide_table(["step", *SIGNS, "so far"], readings, "The log again, reading by reading.")
    curves = "".join(sign_svg(card.log, name, title, steps, card.reference.get(name)) for name, title in SIGNS.items())
    return f"<p>{verbatim(card.diagnosis)}</p>{curves}<p>Dashed: as it should be.</p>{replay}"


def data(card: Card) -> str:
    """How many rows, by which recipe, and every line that could not be used."""
    counts = ", ".join(f"{number:,} {name}" for name, number in card.tuned_on.items())
    recipe = card.recipe
    lines = f"<p>Rows: {escape(counts)}. {recipe.steps} steps at a peak rate of {recipe.rate:g}.</p>"
    if card.own:
        readings = card.times * recipe.steps * TUNING_ROWS / sum(card.tuned_on.values())
        lines += f"<p>Each row of yours is among them {card.times:,} times; in all these steps it is read about "
        lines += f"{readings:.3g} times{'' if readings >= FEWEST_READINGS else TOO_FEW}.</p>"
    lines += "".join(f"<p>Note: {escape(note[:LONGEST])}.</p>" for note in card.notes)
    if not card.problems:
        return lines + ("<p>Every line of yours could be used.</p>" if card.own else "")
    rows = [
        [*map(escape, (problem.file, problem.line, problem.field, problem.message)), verbatim(problem.raw[:LONGEST])]
        for problem in card.problems[:MOST_ROWS]
    ]
    rows, rest = first_rows(rows, len(card.problems))
    count, by_validator = len(card.problems), sum(problem.message == BY_VALIDATOR for problem in card.problems)
    whose = f" (by your validator: {by_validator:,})" if by_validator else ""
    caption = f"{count:,} line{'s' * (count != 1)} set aside{whose}; nothing else of yours was left out.{rest}"
    return lines + wide_table(["file", "line", "field", "what is wrong", "the line"], rows, caption)


def see_html(path: Path) -> None:
    """FileProblem where no browser would open the page."""
    if path.suffix != ".html":
        raise FileProblem(f"{path}: a report card's name must end in .html, so that a browser opens it")


def write_card(card: Card, path: Path) -> Path:
    """Write the page, whole or not at all."""
    path = Path(path)
    see_html(path)
    write_whole(path, page(card).encode("utf-8", "replace"))
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; -> 0, or 1 with a message where a file cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m helpers.showing.report_card", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="?", help="your rows: .jsonl, .json, .csv or .tsv, or a .csv of facts")
    parser.add_argument("-o", "--output", default="report_card.html", help="the page to write")
    parser.add_argument("--world", help="a folder of tables as data/facts has, to begin from nothing")
    parser.add_argument("--alone", action="store_true", help="tune on your rows only")
    parser.add_argument("--times", type=int, help=f"how often each row of yours stands among the others ({TIMES})")
    parser.add_argument("--rate", type=float, help=f"the peak learning rate ({TUNING.rate:g})")
    parser.add_argument("--replay", type=float, default=0.0, help="share of rows that are pre-training text (0)")
    options = parser.parse_args(arguments)
    if not (options.rows or options.world) or (options.alone and not options.rows):
        parser.error("give rows, or --world FOLDER, or both; --alone goes with rows")
    if not (options.times is None or options.times >= 1):
        parser.error("--times is a whole number, 1 or more")
    if not (options.rate is None or 0 < options.rate <= 0.1):
        parser.error("--rate is above 0 and at most 0.1")
    if not 0 <= options.replay <= 0.9:
        parser.error("--replay is a share of the rows, 0 to 0.9")
    try:
        output, checkpoint = Path(options.output), None
        see_html(output)  # now, and not after minutes of training, as with all that can be seen now
        world = load_world(options.world) if options.world else load_world()
        own = rows_from(Path(options.rows), world) if options.rows else None
        see_writable(output)
        base, checkpoint = base_of(world, output) if options.world else (load("base"), None)
        title = f"the world in {Path(options.world).resolve().name}" if options.world else ""
        if own is not None:
            set_aside_too_long(own, base)
            print(f"{len(own.rows):,} of your lines can be used, {len(own.problems):,} cannot", flush=True)
            if what := misfits(own, base):
                print(f"{what}.", flush=True)
        how = {"times": options.times, "replay": options.replay}
        if options.rate:
            how["recipe"] = replace(TUNING, rate=options.rate)
        _, card = judge(base, world, own, tune_on=TUNE_ON[options.alone], title=title, **how)
        write_card(card, output)
    except (FileProblem, FactsError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        more = " The same command goes on with the pre-training where it was." if options.world else ""
        print(f"\nStopped; no card was written.{more}", file=sys.stderr)
        return 130
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    if card.own:
        print(f"{mission(card)}.")
    print(f"The log: {log_verdict(card)}. The report card: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
