"""Demo 2, the instruction quality scorer: choose rows, see what is wrong with each, and what they are worth together.

The estimate comes from selections that were tuned on before (estimate.py); the button tunes a copy of the base model on
the rows chosen now, and asks it. Core ipywidgets only (7 and 8), every text escaped before it is shown. Not here: what
the scorer looks for (quality.py), threads and buttons (live.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import ipywidgets as widgets

from helpers.experiments.data_runs import fact_probes, report
from helpers.experiments.estimate import features, stored_estimator
from helpers.judging.dimensions import Probe
from helpers.judging.quality import Judgement, Scorer, harms, score
from helpers.judging.statistics import Share
from helpers.learning.language_model import LanguageModel
from helpers.learning.recipe import TUNING
from helpers.learning.sft import fine_tune
from helpers.showing.dataset_browser import safe
from helpers.showing.live_run import LiveRun
from helpers.text.facts import World
from helpers.text.formats import RowProblem, read_row
from helpers.text.own_rows import read_rows
from helpers.text.selections import DEFECTS, SPOILED, Selection, select
from helpers.text.templates import joined

POOL = 24  # rows to choose from
SIZES = (0, 20, 50, 100, 200, 500, 1000)
NOISES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
MOST = 2000  # rows of a file
LONGEST = 20_000  # signs of a pasted text
SHOWN = 12  # rows of one's own, in the table
SIGNS = {True: "✔", False: "✘", None: "–"}
CELL = "text-align: left; vertical-align: top; padding: 2px 8px"
TEXT = f"{CELL}; white-space: pre-wrap; overflow-wrap: anywhere"
PAIR = ("What is the capital of France?", "A: the capital of france is rome")
EXAMPLE = """{"instruction": "What is the opposite of hot?", "output": "The opposite of hot is cold."}
{"instruction": "What is the symbol of gold?", "output": "The symbol of"}
{"instruction": "Name a colour.", "output": ""}"""


def asked_and_answered(row: dict) -> tuple[str, str]:
    """The last question and answer of a row."""
    *_, question, answer = row["messages"]
    return joined(question), answer["content"]


def brought(source: str | Path, world: World) -> tuple[list[dict], list[str]]:
    """Rows of a pasted text or a file, and what is wrong with the others; nothing is an error here."""
    if isinstance(source, str) and len(source) > LONGEST:
        return [], [f"{len(source):,} characters are too many for this box ({LONGEST:,}); name a file instead"]
    try:
        own = read_rows(source, world, MOST)
    except (ValueError, OSError) as problem:  # no such file, another suffix, a name that no system takes
        return [], [str(problem)]
    problems = [f"{problem}, in: {problem.raw.strip()[:80]}" for problem in own.problems]
    return [{"messages": talk} for row in own.rows for talk in row.talks], problems


def in_brief(row: dict) -> str:
    """A row on one line."""
    question, answer = (" ".join(text.split()) for text in asked_and_answered(row))
    return f"{question[:60]} → {answer[:70]}"


def score_text(judged: Judgement, harm: dict) -> str:
    """A score with two decimals, "–" where there is none."""
    worth = score(judged, harm)
    return "–" if worth is None else f"{worth:.2f}"


def marks_html(judged: Judgement) -> str:
    """What was found: each mark that is not good with its reason, the good ones in a line."""
    lines = [f"{SIGNS[mark]} {name}: {judged.reasons[name]}" for name, mark in judged.marks.items() if mark is not True]
    good = ", ".join(name for name, mark in judged.marks.items() if mark)
    return "<br>".join(map(safe, [*lines, f"✔ {good}"] if good else lines))


def rows_html(rows: Sequence[dict], judged: Sequence[Judgement], harm: dict) -> str:
    """The first rows of a selection as a table: question, answer, score, and why."""
    styles, lines = (CELL, TEXT, TEXT, CELL, TEXT), ""
    for number, (row, one) in enumerate(zip(rows[:SHOWN], judged, strict=False), 1):
        cells = [str(number), *map(safe, asked_and_answered(row)), score_text(one, harm), marks_html(one)]
        pairs = zip(styles, cells, strict=True)
        lines += "<tr>" + "".join(f'<td style="{style}">{cell}</td>' for style, cell in pairs) + "</tr>"
    head = "".join(f'<th style="{CELL}">{name}</th>' for name in ("row", "question", "answer", "score", "why"))
    more = f"<i>… and {len(rows) - SHOWN} more of your rows.</i>" if len(rows) > SHOWN else ""
    return f'<table aria-label="rows and scores"><tr>{head}</tr>{lines}</table>{more}'


def bars_svg(bars: Sequence[tuple[str, float, float, float]]) -> str:
    """Shares (name, value, low, high) as bars from 0 to 100%, each with its interval."""
    width, left, step = 520, 90, 26
    ink = 'font-family="sans-serif" font-size="12" fill="currentColor"'
    body, told = "", []
    for number, (name, value, low, high) in enumerate(bars):
        y, colour = 4 + number * step, ("#0072B2", "#D55E00")[number % 2]
        x = [left + part * (width - left - 50) for part in (value, low, high)]
        told.append(f"{name} {value:.0%}, interval {low:.0%} to {high:.0%}")
        body += (
            f'<text x="{left - 6}" y="{y + 13}" text-anchor="end" {ink}>{safe(name)}</text>'
            f'<rect x="{left}" y="{y}" width="{width - left - 50}" height="16" fill="none" stroke="#888"/>'
            f'<rect x="{left}" y="{y}" width="{x[0] - left:.0f}" height="16" fill="{colour}" opacity="0.7"/>'
            f'<path d="M{x[1]:.0f},{y + 8} H{x[2]:.0f} M{x[1]:.0f},{y + 3} v10 M{x[2]:.0f},{y + 3} v10" '
            f'stroke="currentColor" stroke-width="2"/><text x="{width - 44}" y="{y + 13}" {ink}>{value:.0%}</text>'
        )
    height = step * len(bars) + 4
    return (
        f'<svg role="img" aria-label="share of good answers: {safe("; ".join(told))}" width="{width}" '
        f'viewBox="0 0 {width} {height}" style="max-width: 100%">{body}</svg>'
    )


def selection_html(judged: Sequence[Judgement], estimate: Sequence[float]) -> str:
    """What a selection holds, as the scorer sees it, and the estimate (share, low, high)."""
    found = Counter(defect for one in judged for defect in one.defects)
    listed = ", ".join(f"{found[defect]} {defect}" for defect in DEFECTS if found[defect]) or "no defect"
    sound, unknown = sum(one.sound for one in judged), sum(one.due is None for one in judged)
    value, low, high = estimate
    more = f" {unknown} are beyond this world, and count as not sound." if unknown else ""
    more += " The estimate was fitted to 20 rows and more; for fewer it is a guess." if len(judged) < 20 else ""
    return (
        f'<div role="log"><b>This selection:</b> {len(judged)} rows, {sound} of them sound. Found: {listed}.{more}<br>'
        f"<b>Estimate:</b> {value:.0%} good answers about facts that no row tells; 95% interval for one training: "
        f"{low:.0%} to {high:.0%}.<br>{bars_svg([('estimate', value, low, high)])}</div>"
    )


def measure(lm: LanguageModel, asked: Sequence[Probe], chunk: int = 50) -> Iterator[Share]:
    """The share of good answers to the first probes, to more, and in the end to all."""
    good = 0
    for start in range(0, len(asked), chunk):
        part = list(asked[start : start + chunk])
        good += round(report(lm, part)["good"] * len(part))
        yield Share(good, start + len(part))


def quality_lab(base: LanguageModel, world: World, *, seed: int = 0) -> widgets.VBox:
    """Choose rows, add rows of the course, type or load rows: each of yours gets its marks, the selection an estimate.
    Start tunes a copy of `base` on the selection as it is then, and shows the measured share beside the estimate."""
    style, wide = {"description_width": "11em"}, widgets.Layout(width="95%")
    scorer, line, harm = Scorer(world), stored_estimator(), harms()
    pool = select(world, Selection(POOL, 0.6, DEFECTS), seed + 1)  # with `seed` they would be among the course's rows
    added: list[dict] = []
    course: dict[tuple, list[dict]] = {}
    earlier: list[str] = []

    def choice(name: str, options: Sequence, value) -> widgets.SelectionSlider:
        return widgets.SelectionSlider(
            options=options, value=value, description=name, continuous_update=False, style=style, layout=wide
        )

    def typing(kind: type, name: str, value: str) -> widgets.Widget:
        return kind(value=value, description=name, continuous_update=False, style=style, layout=wide)

    chosen = widgets.SelectMultiple(
        options=[(f"{number}. {in_brief(row)}", number - 1) for number, row in enumerate(pool, 1)],
        value=tuple(range(4)),
        rows=8,
        description="Your rows",
        style=style,
        layout=wide,
    )
    count = choice("Rows of the course", [(str(size), size) for size in SIZES], 100)
    noise = choice("of them spoiled", [(f"{part:.0%}", part) for part in NOISES], 0)
    defect = widgets.Dropdown(options=["in five ways", *SPOILED], description="spoiled how", style=style, layout=wide)
    instruction, answer = typing(widgets.Text, "Instruction", PAIR[0]), typing(widgets.Text, "Answer", PAIR[1])
    box, name = typing(widgets.Textarea, "or rows as JSONL", EXAMPLE), typing(widgets.Text, "or a file", "")
    add_pair, add_rows, forget = (
        widgets.Button(description=text, tooltip=why, layout=widgets.Layout(width="auto"))
        for text, why in (
            ("Add this pair", "Add the instruction and its answer to your rows"),
            ("Add these rows", "Add the usable rows of the box and the file to your rows"),
            ("Forget added rows", "Keep only what is chosen in the list"),
        )
    )
    pair_found, rows_found, shown, table, result = (widgets.HTML() for _ in range(5))
    offered: dict[str, list[dict]] = {"pair": [], "rows": []}

    def own_rows() -> list[dict]:
        return [pool[number] for number in chosen.value] + added

    def course_rows() -> list[dict]:
        ways = SPOILED if defect.value not in SPOILED else (defect.value,)
        if count.value and (count.value, noise.value, ways) not in course:
            course[count.value, noise.value, ways] = select(world, Selection(count.value, noise.value, ways), seed)
        return course.get((count.value, noise.value, ways), [])

    def show(_=None) -> None:
        own = own_rows()
        rows = own + course_rows()
        judged = scorer.judge(rows)
        forget.disabled = not added
        plan = f"{len(own)} rows of yours, {count.value} of the course, {noise.value:.0%} spoiled ({defect.value})"
        if rows:
            shown.value = f"<i>{plan}.</i>{selection_html(judged, line(features(judged))[0])}"
        else:
            shown.value = "<b>Nothing is chosen:</b> choose a row, or add some of the course."
        table.value = rows_html(own, judged, harm) if own else "<i>No row of your own is chosen.</i>"

    def on_pair(_=None) -> None:
        try:
            row = read_row({"instruction": instruction.value, "output": answer.value})
            [judged] = scorer.judge([row])
            offered["pair"] = [row]
            pair_found.value = f"{safe(in_brief(row))}<br>score {score_text(judged, harm)}<br>{marks_html(judged)}"
        except RowProblem as problem:
            offered["pair"] = []
            pair_found.value = f"<b>Not a row:</b> {safe(problem)}"
        add_pair.disabled = not offered["pair"]

    def on_rows(_=None) -> None:
        rows, problems = brought(box.value, world)
        if name.value.strip():
            more, others = brought(Path(name.value.strip()), world)
            rows, problems = rows + more, problems + others
        offered["rows"] = rows
        listed = "".join(f"<li>{safe(problem)}</li>" for problem in problems[:SHOWN])
        rows_found.value = f"{len(rows)} rows can be used, {len(problems)} can not.<ul>{listed}</ul>"
        add_rows.disabled = not rows

    def adder(kind: str):
        def add(_) -> None:
            added.extend(offered[kind])
            del added[:-MOST]
            show()

        return add

    def on_forget(_) -> None:
        added.clear()
        show()

    def work(run: LiveRun) -> str:
        rows = own_rows() + course_rows()
        judged = scorer.judge(rows)
        told = set().union(*(scorer.answers.taught_by(row["messages"]) for row in rows))  # held-out facts, perhaps
        asked = [probe for probe in fact_probes()[::2] if probe.fact not in told]
        if not rows or not asked:
            return f"<i>Nothing was trained: {'your rows tell every fact' if rows else 'no row is chosen'}.</i>"
        value, low, high = line(features(judged))[0]
        steps, total = TUNING.steps, TUNING.steps + len(asked)

        def on_step(_, record: dict) -> bool:
            return run.progress(record["step"] + 1, total, f"loss {record['loss']:.2f}", lambda: None)

        run.bar.max = total
        tuned, log = fine_tune(base, rows, replace(TUNING, seed=seed), on_step=on_step, progress=False)
        if len(log) < steps:
            return f"<i>Stopped by you after {len(log)} of {steps} steps; nothing was measured.</i>"
        for found in measure(tuned, asked):
            if run.progress(steps + found.total, total, f"asked {found.total} questions", lambda: None):
                return f"<i>Stopped by you after {found.total} of {len(asked)} questions: {safe(found)}.</i>"
        bars = [("estimate", value, low, high), ("measured", found.value, *found.interval)]
        inside = "within" if low <= found.value <= high else "outside"
        earlier.insert(0, f"{len(rows)} rows: estimate {value:.0%}, measured {found.value:.0%}")
        result.value = (
            f"<b>Measured</b> after tuning on {len(rows)} rows: {safe(found)} of the answers are good. "
            f"The estimate was {value:.0%}: {100 * abs(found.value - value):.0f} points off, and {inside} its interval."
            f"<br>{bars_svg(bars)}<br><i>Trainings so far: {'; '.join(earlier[:6])}.</i>"
        )
        return f"<i>Done: {steps} steps and {len(asked)} questions in {run.seconds:.0f} s.</i>"

    run = LiveRun([], work, lambda: None, name="quality", tooltip="Tune a copy of the base model and ask it")
    run.start.description, run.status.value = "Train on this selection", "<i>Nothing is trained yet.</i>"
    run.start.layout.width = "auto"
    for control in (chosen, count, noise, defect):
        control.observe(show, "value")
    for control in (instruction, answer):
        control.observe(on_pair, "value")
    for control in (box, name):
        control.observe(on_rows, "value")
    add_pair.on_click(adder("pair"))
    add_rows.on_click(adder("rows"))
    forget.on_click(on_forget)
    on_pair()
    on_rows()
    show()
    mine = [instruction, answer, pair_found, add_pair, box, name, rows_found, widgets.HBox([add_rows, forget])]
    return widgets.VBox([chosen, count, noise, defect, *mine, shown, table, run.buttons, run.bar, run.status, result])
