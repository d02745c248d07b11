"""The flags that `make test` gives nbval: a cell that fails or takes too long is one failure, and says why."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
FLAGS = re.search(r"^NBVAL := (.*)", (ROOT / "Makefile").read_text(), re.M)[1]


@pytest.mark.parametrize("second_cell, complaint", [
    ("import time; time.sleep(600); b = 2", "Timeout of 5 seconds exceeded"),
    ("b = a / 0", "ZeroDivisionError: division by zero"),
])
def test_one_failure_whatever_follows(second_cell, complaint, tmp_path):
    cells = map(new_code_cell, ["a = 1", second_cell, "a + 1", "b + 1", "a + 2"])
    nbformat.write(new_notebook(cells=list(cells)), tmp_path / "trial.ipynb")
    report = tmp_path / "report.xml"
    flags = re.sub(r"(?<=--nbval-cell-timeout=)\d+", "5", FLAGS).split() + ["-n", "0"]  # of workers: to be quicker
    command = [sys.executable, "-m", "pytest", *flags, "-c", "pyproject.toml", f"--junitxml={report}", tmp_path]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    outside["PYTHONPATH"] = "tests"  # as the Makefile has it
    subprocess.run(command, cwd=ROOT, env=outside, capture_output=True)

    cases = ElementTree.parse(report).findall(".//testcase")
    assert [case.get("name") for case in cases] == [f"Cell {number}" for number in range(5)]
    [failure] = [case for case in cases if case.find("failure") is not None]
    assert failure.get("name") == "Cell 1"
    assert complaint in re.sub(r"\x1b\[\d+m|#x1B\[\d+m", "", failure.find("failure").text)
    assert [case.find("skipped").get("message") for case in cases[2:]] == ["Cell 1 failed"] * 3
