"""How long a notebook takes, from the notebook itself; and the one place that tells its head, the README and 00.

    honest minutes = words of its text / 200 + the minutes on its exercises' cards + the seconds its cells run / 60

rounded up to the next 5. `data/course.csv` holds them, with the question that each notebook answers. `make notebooks`
brings it, the heads and the README up to date:

    .venv/bin/python tools/minutes.py       does only that
"""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "data" / "course.csv"
FIELDS = ("notebook", "question", "minutes", "words", "exercise minutes", "seconds")
WORDS_A_MINUTE = 200
HEAD = re.compile(r"\*About \d+ minutes?[^*]*? You need:")
README_TABLE = re.compile(r"\| notebook \| question \|.*?\n\n", re.S)


def read() -> dict[str, dict]:
    """The table's rows by notebook."""
    with TABLE.open(newline="", encoding="utf8") as lines:
        return {row["notebook"]: row for row in csv.DictReader(lines)}


def words(notebook: nbformat.NotebookNode) -> int:
    """Of the text cells; the code of folded solutions and HTML tags are not reading."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return sum(len(re.sub(r"<[^>]+>", " ", re.sub(r"```.*?```", " ", text, flags=re.S)).split()) for text in texts)


def exercise_minutes(notebook: nbformat.NotebookNode) -> int:
    """Of the cards: | difficulty | importance | minutes |, then | ●○○ | ●●● | 5 |."""
    texts = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return sum(int(number) for text in texts for number in re.findall(r"^\| [●○]+ \| [●○]+ \| (\d+) \|", text, re.M))


def row(name: str, notebook: nbformat.NotebookNode, question: str, seconds: float) -> dict:
    reading, exercises = words(notebook), exercise_minutes(notebook)
    minutes = reading / WORDS_A_MINUTE + exercises + seconds / 60
    return dict(zip(FIELDS, (name, question, 5 * math.ceil(minutes / 5), reading, exercises, seconds), strict=True))


def running(seconds: float) -> str:
    """A notebook's seconds in words: rounded up to 5, to 15 from a minute on."""
    step = 5 if seconds < 60 else 15
    return f"{step * math.ceil(float(seconds) / step)} seconds"


def head(notebook: dict) -> str:
    """What stands below a notebook's promise."""
    parts = [f"{round(int(notebook['words']) / WORDS_A_MINUTE)} to read"]
    parts += [f"{notebook['exercise minutes']} for the exercises"] * (int(notebook["exercise minutes"]) > 0)
    return (
        f"*About {notebook['minutes']} minutes: {', '.join(parts)}; "
        f"the cells run in {running(float(notebook['seconds']))}. You need:"
    )


def readme_table(rows: dict[str, dict]) -> str:
    lines = ["| notebook | question | minutes | of these the cells run |", "|---|---|---|---|"]
    for name, one in rows.items():
        lines.append(f"| `{name}` | {one['question']} | {one['minutes']} | {running(float(one['seconds']))} |")
    return "\n".join(lines) + "\n\n"


def update(seconds: dict[str, float]) -> None:
    """Write the table, the heads and the README anew; `seconds` of notebooks that were just run, by name."""
    old, rows = (read() if TABLE.exists() else {}), {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook, known = nbformat.read(path, as_version=4), old.get(path.stem, {})
        taken = round(seconds.get(path.stem, float(known.get("seconds") or 0)))
        rows[path.stem] = one = row(path.stem, notebook, known.get("question", ""), taken)
        first = notebook.cells[0]
        changed = HEAD.sub(lambda _, one=one: head(one), first.source)
        if changed != first.source:
            first.source = changed
            nbformat.write(notebook, path)
    lines = io.StringIO()
    writer = csv.DictWriter(lines, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows.values())
    TABLE.write_text(lines.getvalue(), encoding="utf8")
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf8")
    readme.write_text(README_TABLE.sub(lambda _: readme_table(rows), text, count=1), encoding="utf8")


if __name__ == "__main__":
    update({})
