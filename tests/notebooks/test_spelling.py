"""Everything that learners and teachers read is spelled as English is: notebooks, their glossary, README, code."""

import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
WORDS = "dout,nd"  # the slope at an output; places of a shape


def misspellings(folder: Path) -> list[str]:
    command = [sys.executable, "-m", "codespell_lib", "--ignore-words-list", WORDS, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf8").stdout.splitlines()


def test_no_common_misspelling(tmp_path):
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        (tmp_path / f"{path.stem}.txt").write_text("\n".join(cell.source for cell in cells), encoding="utf8")
    others = [ROOT / "README.md", ROOT / "data" / "results" / "README.md", ROOT / "data" / "glossary.csv",
              ROOT / "data" / "article.csv", *(ROOT / "helpers").rglob("*.py")]
    for path in others:
        name = "_".join(path.relative_to(ROOT).parts) + ".txt"
        (tmp_path / name).write_text(path.read_text(encoding="utf8"), encoding="utf8")
    assert misspellings(tmp_path) == []


def test_this_test_sees_a_misspelling(tmp_path):
    (tmp_path / "text.txt").write_text("This is definately wrong.", encoding="utf8")
    assert "definately ==> definitely" in misspellings(tmp_path)[0]
