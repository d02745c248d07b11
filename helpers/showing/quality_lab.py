"""Demo 2, the instruction quality scorer: tick rows, see what is wrong with each, and what they are worth together.

Beside each mark that a row lacks stands what such rows were measured to cost. The estimate comes from selections that
were tuned on before (estimate.py); the button tunes a copy of the base model on the rows chosen now, and asks it. Core
ipywidgets only. Not here: what the scorer looks for (quality.py), how rows, marks and estimates look (quality_page.py),
threads and buttons (live_run.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import ipywidgets as widgets
import numpy as np

from helpers.experiments.data_runs import fact_probes, report
from helpers.experiments.estimate import features, stored_estimator
from helpers.files import FileProblem
from helpers.judging.card import misfits, set_aside_too_long, too_long
from helpers.judging.dimensions import Probe
from helpers.judging.quality import Scorer, harms
from helpers.judging.statistics import Share
from helpers.learning.language_model import LanguageModel
from helpers.learning.recipe import TUNING
from helpers.learning.sft import fine_tune
from helpers.showing.live_run import LabBox, LiveRun, restart_note, said, under_way
from helpers.showing.page import escape
from helpers.showing.quality_page import FIRST, bars_svg, in_brief, marks_html, rows_html, selection_html
from helpers.text.datasets import in_words
from helpers.text.facts import World
from helpers.text.formats import RowProblem, read_row
from helpers.text.own_rows import read_rows
from helpers.text.selections import DEFECTS, ROW_DEFECTS, Selection, select

CLEAN = 4  # rows to tick without a fault; one with each fault is beside them
SIZES = (0, 20, 50, 100, 200, 500, 1000)
WAYS = tuple(defect for defect in DEFECTS if defect != "duplicate")
NOISES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
MOST = 2000  # rows of a file
LONGEST = 20_000  # signs of a pasted text
PAIR = ("What is the capital of France?", "A: the capital of france is rome")
EXAMPLE = """{"instruction": "What is the opposite of hot?", "output": "The opposite of hot is cold."}
{"instruction": "What is the symbol of gold?", "output": "The symbol of"}
{"instruction": "Name a colour.", "output": ""}"""


def rows_to_tick(scorer: Scorer, seed: int) -> list[dict]:
    """A few clean rows and one with each fault (duplicates apart, which need two), mixed; none longer than a line, and
    each called what it is."""
    pool = select(
        scorer.world, Selection(400, 0.6, DEFECTS), seed + 1
    )  # with `seed` they would be among the course's rows
    wanted = ("",) * CLEAN + WAYS
    fits = [
        row
        for row, one in zip(pool, scorer.judge(pool), strict=True)
        if one.findings == [row["defect"]] * bool(row["defect"])
        and len(row["messages"]) == 2
        and "input" not in row["messages"][0]
        and "\n" not in row["messages"][-1]["content"]
    ]
    few = []
    for place, defect in enumerate(wanted):
        few.append([row for row in fits if row["defect"] == defect][place if not defect else 0])
    return [few[i] for i in np.random.default_rng(seed).permutation(len(few))]


def usable_rows(source: str | Path, world: World, base: LanguageModel) -> tuple[list[dict], list[str], list[str]]:
    """Rows of a pasted text or a file, what is to be said first (what does not fit, what is not used), and what is
    wrong with the other rows; nothing is an error here."""
    if isinstance(source, str) and len(source) > LONGEST:
        return [], [], [f"{len(source):,} characters are too many for this box ({LONGEST:,}); name a file instead"]
    try:
        own = read_rows(source, world, MOST)
    except (ValueError, OSError) as problem:  # no such file, another suffix, a name that no system takes
        return [], [], [str(problem)]
    if own.rows:
        with suppress(FileProblem):  # that none is left is no error here
            set_aside_too_long(own, base)
    problems = [f"{problem}, in: {problem.raw.strip()[:80]}" for problem in own.problems]
    first = [line for line in (misfits(own, base), *in_words(own.notes)) if line]
    return [{"messages": talk} for row in own.rows for talk in row.talks], first, problems


def measure(lm: LanguageModel, probes: Sequence[Probe], chunk: int = 50) -> Iterator[Share]:
    """The share of good answers to the first probes, to more, and in the end to all."""
    good = 0
    for start in range(0, len(probes), chunk):
        part = list(probes[start : start + chunk])
        good += round(report(lm, part)["good"] * len(part))
        yield Share(good, start + len(part))


def quality_lab(base: LanguageModel, world: World, *, seed: int = 0) -> widgets.VBox:
    """Tick rows, add rows of the course, type or load rows: each of yours gets marks, the selection an estimate.
    Start tunes a copy of `base` on the selection as it is then, and shows the measured share beside the estimate. Run
    again while such a training goes on, it is shown again."""
    if view := under_way("quality", (base, world)):
        return view
    style, wide = {"description_width": "11em"}, widgets.Layout(width="95%")
    scorer, line, harm = Scorer(world), stored_estimator(), harms()
    pool = rows_to_tick(scorer, seed)
    additions: list[dict] = []
    course: dict[tuple, list[dict]] = {}
    earlier: list[str] = []

    def choice(name: str, options: Sequence, value) -> widgets.Dropdown:
        return widgets.Dropdown(options=options, value=value, description=name, style=style, layout=wide)

    def text_box(kind: type, name: str, value: str) -> widgets.Widget:
        return kind(value=value, description=name, continuous_update=False, style=style, layout=wide)

    own = [
        widgets.Checkbox(value=number < 3, description=in_brief(row), indent=False, layout=wide)
        for number, row in enumerate(pool)
    ]
    count = choice("Rows of the course", [(str(size), size) for size in SIZES], 100)
    noise = choice("of them spoiled", [(f"{part:.0%}", part) for part in NOISES], 0)
    defect = choice("spoiled how", ["in five ways", *WAYS], "in five ways")
    instruction, answer = text_box(widgets.Text, "Instruction", PAIR[0]), text_box(widgets.Text, "Answer", PAIR[1])
    box, name = text_box(widgets.Textarea, "or rows as JSONL", EXAMPLE), text_box(widgets.Text, "or a file", "")
    box.rows = len(EXAMPLE.splitlines())
    add_pair, add_rows, forget = (
        widgets.Button(description=text, tooltip=why, layout=widgets.Layout(width="auto"))
        for text, why in (
            ("Add this pair", "Add the instruction and its answer to your rows"),
            ("Add these rows", "Add the usable rows of the box and the file to your rows"),
            ("Forget added rows", "Keep only what is ticked"),
        )
    )
    pair_view, rows_view, summary, scores, result = (widgets.HTML() for _ in range(5))
    offers: dict[str, list[dict]] = {"pair": [], "rows": []}

    def own_rows() -> list[dict]:
        return [row for tick, row in zip(own, pool, strict=True) if tick.value] + additions

    def course_rows() -> list[dict]:
        ways = (defect.value,) if defect.value in WAYS else ROW_DEFECTS
        if count.value and (count.value, noise.value, ways) not in course:
            course[count.value, noise.value, ways] = select(world, Selection(count.value, noise.value, ways), seed)
        return course.get((count.value, noise.value, ways), [])

    def show(_=None) -> None:
        mine = own_rows()
        rows = mine + course_rows()
        if len(rows) > 100:
            summary.value = said(f"<i>Judging {len(rows)} rows.</i>", loud=False)
        judgements = scorer.judge(rows)
        forget.disabled = not additions
        plan = f"{len(mine)} rows of yours, {count.value} of the course, {noise.value:.0%} spoiled ({defect.value})"
        if rows:
            summary.value = f"<i>{plan}.</i>{selection_html(judgements, line)}"
        else:
            summary.value = said("<b>Nothing is chosen:</b> tick a row, or add some of the course.")
        scores.value = rows_html(mine, judgements, harm) if mine else "<i>No row of your own is ticked.</i>"

    def on_pair(_=None) -> None:
        try:
            row = read_row({"instruction": instruction.value, "output": answer.value})
            *prompt, answer_turn = row["messages"]
            if problem := too_long([prompt], answer_turn["content"], base):
                raise RowProblem(*problem)
            [judgement] = scorer.judge([row])
            offers["pair"] = [row]
            pair_view.value = said(f"{escape(in_brief(row))}<br>{marks_html(judgement, harm)}")
        except RowProblem as problem:
            offers["pair"] = []
            pair_view.value = said(f"<b>Not a row:</b> {escape(problem)}")
        add_pair.disabled = not offers["pair"]

    def on_rows(_=None) -> None:
        rows, first, problems = usable_rows(box.value, world, base)
        if name.value.strip():
            more = usable_rows(Path(name.value.strip()), world, base)
            rows, first, problems = rows + more[0], first + more[1], problems + more[2]
        offers["rows"] = rows
        opening = "".join(f"<b>{escape(line)}.</b><br>" for line in first)
        items = "".join(f"<li>{escape(problem)}</li>" for problem in problems[:FIRST])
        counts = f"{len(rows)} rows can be used, {len(problems)} can not."
        rows_view.value = said(f"{opening}{counts}<ul>{items}</ul>")
        add_rows.disabled = not rows

    def adder(kind: str):
        def add(_) -> None:
            additions.extend(offers[kind])
            del additions[:-MOST]
            show()

        return add

    def on_forget(_) -> None:
        additions.clear()
        show()

    def work(run: LiveRun) -> str:
        rows = own_rows() + course_rows()
        own_facts = set().union(*(scorer.answers.facts_in(row["messages"]) for row in rows))  # held-out facts, perhaps
        probes = [probe for probe in fact_probes()[::2] if probe.fact not in own_facts]
        if not rows or not probes:
            return f"<i>Nothing was trained: {'your rows tell every fact' if rows else 'no row is chosen'}.</i>"
        value, low, high = line(features(scorer.judge(rows)))[0]
        steps, total = TUNING.steps, TUNING.steps + len(probes)

        def on_step(_, record: dict) -> bool:
            return run.progress(record["step"] + 1, total, f"loss {record['loss']:.2f}")

        run.bar.max = total
        tuned, log = fine_tune(base, rows, replace(TUNING, seed=seed), on_step=on_step, progress=False)
        if len(log) < steps:
            return f"<i>Stopped by you after {len(log)} of {steps} steps; nothing was measured.</i>"
        for good in measure(tuned, probes):
            if run.progress(steps + good.total, total, f"asked {good.total} questions"):
                return f"<i>Stopped by you after {good.total} of {len(probes)} questions: {escape(good)}.</i>"
        bars = [("estimate", value, low, high), ("measured", good.value, *good.interval)]
        inside = "within" if low <= good.value <= high else "outside"
        earlier.insert(0, f"{len(rows)} rows: estimate {value:.0%}, measured {good.value:.0%}")
        result.value = (
            f"<b>Measured</b> after tuning on {len(rows)} rows: {escape(good)} of the answers are good. "
            f"The estimate was {value:.0%}: {100 * abs(good.value - value):.0f} points off, and {inside} its interval."
            f"<br>{bars_svg(bars)}<br><i>Trainings so far: {'; '.join(earlier[:6])}.</i>"
        )
        return f"<i>Done: {steps} steps and {len(probes)} questions in {run.seconds:.0f} s.</i>"

    run = LiveRun([], work, lambda: None, name="quality", tooltip="Tune a copy of the base model and ask it")
    run.start.description, run.status.value = "Train on this selection", said("<i>Nothing is trained yet.</i>")
    run.start.layout.width = "auto"
    for control in (*own, count, noise, defect):
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
    entries = [instruction, answer, pair_view, add_pair, box, name, rows_view, widgets.HBox([add_rows, forget])]
    views = [summary, scores, run.buttons, run.bar, run.status, result, restart_note()]
    title = widgets.HTML("<b>Rows to tick</b>")
    run.view = LabBox([title, *own, count, noise, defect, *entries, *views])
    run.inputs = (base, world)
    return run.view
