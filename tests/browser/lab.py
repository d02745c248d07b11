"""A JupyterLab on a throw-away copy of the course, and a notebook in it as a learner at the keyboard meets it.

`Lab` is the server; `Notebook` is a page of the browser with one notebook open; `Control` and `LiveWidget` stand in it.
What is asked of them here is only how to do things; what ought to come out is said in the tests.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import ElementHandle, Page

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OTHER_PARAMETERS = {"quick": True, "seed": 3}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"
# Seconds that a slow machine may take: server or kernel, notebook, a widget's answer, a widget's longer work.
STARTING, RUNNING, ANSWERING, SETTLING = 600, 600, 120, 600
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},  # asks a question otherwise
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},  # every cell is on the page, seen or not
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}

# Everything that a learner can work with in an output. A slider's handle stands for the slider.
CONTROLS = ", ".join(f".jp-OutputArea-output {part}" for part in (
    ".jupyter-widgets select", ".jupyter-widgets textarea", ".jupyter-widgets input", ".jupyter-widgets [role=slider]",
    ".jupyter-widgets button", "button.jupyter-widgets"))
# What an output shows, controls left out: a control that only changes itself has not changed anything.
SHOWN = """cell => { const copy = cell.querySelector('.jp-Cell-outputWrapper').cloneNode(true);
    copy.querySelectorAll('select, textarea, input, button, .widget-slider').forEach(control => control.remove());
    return copy.innerHTML; }"""
# By convention: while work goes on there is a button to stop it.
WORKING = """cell => [...cell.querySelectorAll('button.jupyter-widgets:not([disabled])')]
    .some(button => button.textContent.startsWith('Stop'))"""
# Resolves with true when no work goes on and nothing in the output was touched for a while; with false when it is late.
QUIET = """([cell, working, quiet, late]) => new Promise(resolve => {
    const end = performance.now() + late, isWorking = () => eval(working)(cell);
    const observer = new MutationObserver(() => wait());
    let timer;
    const wait = () => { clearTimeout(timer); timer = setTimeout(look, quiet); };
    const look = () => {
        if (performance.now() < end && isWorking()) return wait();
        observer.disconnect();
        resolve(!isWorking());
    };
    observer.observe(cell.querySelector('.jp-Cell-outputWrapper'),
                     { subtree: true, childList: true, characterData: true, attributes: true });
    wait();
})"""
# Errors of cells are kept in the notebook; those of a widget's callbacks are only sent, so we listen from the start.
LISTEN = """() => { window.complaints = [];
    const context = jupyterapp.shell.currentWidget.sessionContext;
    context.iopubMessage.connect((_, { header, content }) => {
        if (header.msg_type === 'error') complaints.push(`${content.ename}: ${content.evalue}`);
        if (header.msg_type === 'stream' && content.text.includes('Traceback')) complaints.push(content.text);
    }); }"""
IDLE = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
ASK_KERNEL = """async expression => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const asked = { code: '', silent: true, store_history: false, user_expressions: { it: expression } };
    const { it } = (await kernel.requestExecute(asked).done).content.user_expressions;
    if (it.status !== 'ok') throw new Error(it.evalue);
    return it.data['text/plain']; }"""
# A slider of ipywidgets has a label that is seen beside it, but not tied to it.
VISIBLE_LABEL = "e => e.closest('.widget-inline-hbox')?.querySelector('label')?.textContent.trim() ?? ''"
DRAWN = """() => ![...document.querySelectorAll('.jp-OutputArea-output')]
    .some(output => output.textContent.startsWith('Loading widget'))"""
NOT_DRAWN = ("Error displaying widget", "Error rendering", "Click to show javascript error")
RUN = """() => { window.ran = false;
    jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.ran = true; }); }"""


def copy_course(target: Path) -> None:
    """What git knows or would take in; without git, all but what tools made."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, text=True)
    if listed.returncode:
        made = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(ROOT, target, ignore=made, dirs_exist_ok=True)
        return
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():  # a file may have been deleted and git not told yet
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def make_quick(path: Path) -> None:
    """Other parameters, put in by papermill as a teacher would; and the stored outputs taken away, so that all that is
    seen is new."""
    parameters = papermill.inspect_notebook(path)
    assert set(OTHER_PARAMETERS) <= set(parameters), f"{path.name}: {', '.join(parameters)} are its only parameters"
    papermill.execute_notebook(path, path, OTHER_PARAMETERS, prepare_only=True, progress_bar=False)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)


class Lab:
    """A JupyterLab of its own: files, settings, port and token are used by nobody else."""

    def __init__(self, home: Path):
        self.course, self.home = home / "course", home
        self.course.mkdir()
        copy_course(self.course)
        for path in (self.course / "notebooks").glob("*.ipynb"):
            make_quick(path)
        places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        places |= {f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
        overrides = home / "config" / "labconfig" / "default_setting_overrides.json"
        overrides.parent.mkdir(parents=True)
        overrides.write_text(json.dumps(SETTINGS))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.token = os.urandom(16).hex()
        self.address = f"http://127.0.0.1:{port}"
        self.log = (home / "lab.log").open("w")
        self.server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={self.course}",
             f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={self.token}",
             "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None",
             "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
            cwd=self.course, stdout=self.log, stderr=self.log,
            env={**os.environ, **places, "IPYTHONDIR": str(home / "ipython")})
        self.wait()

    def wait(self) -> None:
        end = time.monotonic() + STARTING
        while time.monotonic() < end and self.server.poll() is None:
            try:
                urllib.request.urlopen(f"{self.address}/api?token={self.token}", timeout=5).close()
                return
            except OSError:
                time.sleep(0.3)
        self.stop()
        raise RuntimeError("JupyterLab did not start:\n" + (self.home / "lab.log").read_text()[-3000:])

    def write_notebook(self, name: str, *cells: str) -> None:
        """Put a notebook of code cells among the copied ones."""
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=kernel)
        nbformat.write(notebook, self.course / "notebooks" / f"{name}.ipynb")

    def stop(self) -> None:
        """Ends the kernels too: the server sees to that."""
        self.server.terminate()
        try:
            self.server.wait(ANSWERING)
        except subprocess.TimeoutExpired:
            self.server.kill()
        self.log.close()


class Notebook:
    """One notebook, opened in a page of its own. Cells are counted from 0, as in the file."""

    def __init__(self, page: Page, lab: Lab, name: str):
        self.page = page
        self.page_errors: list[str] = []
        page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        page.set_default_timeout(ANSWERING * 1000)
        page.goto(f"{lab.address}/lab/tree/notebooks/{name}.ipynb?reset&token={lab.token}", timeout=STARTING * 1000)
        page.wait_for_function(f"() => document.querySelector('.jp-Dialog') || ({IDLE})()", timeout=STARTING * 1000)
        self.dialogs = page.locator(".jp-Dialog").all_inner_texts()
        if not self.dialogs:
            page.evaluate(LISTEN)
        self.devtools = page.context.new_cdp_session(page)

    def run_all(self) -> None:
        self.page.evaluate(RUN)
        self.page.wait_for_function(f"() => window.ran && ({IDLE})()", timeout=RUNNING * 1000)
        self.page.wait_for_function(DRAWN)  # widgets are drawn a little after the kernel is idle
        self.page.wait_for_timeout(1000)

    def close(self) -> None:
        """Shut the kernel down, for the memory; then the page."""
        if not self.dialogs:
            self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.close()

    # What is there

    def cells(self) -> list[dict]:
        """Each cell as the notebook keeps it."""
        return self.page.evaluate("() => jupyterapp.shell.currentWidget.content.model.toJSON().cells")

    def cell(self, number: int) -> ElementHandle:
        return self.page.query_selector_all(".jp-Notebook .jp-Cell")[number]

    def complaints(self) -> list[str]:
        """Errors of cells, callbacks, threads and the page, and where JupyterLab cannot draw something."""
        text = self.page.inner_text("body")
        return self.page.evaluate("() => window.complaints ?? []") + self.page_errors + [
            line for line in text.splitlines() if any(note in line for note in NOT_DRAWN)]

    def controls(self, cell: int) -> list[Control]:
        elements = self.cell(cell).query_selector_all(CONTROLS)
        return [Control(self, cell, element) for element in elements if element.is_visible()]

    def shown(self, cell: int) -> str:
        """What the cell's output shows, its controls and the seconds that something took left out."""
        return re.sub(r"\d+ s\b", "", self.cell(cell).evaluate(SHOWN))

    def in_kernel(self, expression: str) -> str:
        """The value of a Python expression, as repr gives it."""
        return self.page.evaluate(ASK_KERNEL, expression)

    # Waiting

    def answered(self) -> None:
        """Wait until the kernel has dealt with all that was sent: it answers in turn, so ask it something. Twice, as
        the page holds a second change back until the first is dealt with."""
        for _ in range(2):
            self.in_kernel("None")
        self.page.wait_for_timeout(100)  # and the page draws it

    def settled(self, cell: int) -> str:
        """Wait until the work is done and nothing moves in the cell's output any more; -> what it shows."""
        self.answered()
        if not self.page.evaluate(QUIET, [self.cell(cell), WORKING, 250, SETTLING * 1000]):
            raise AssertionError(f"after {SETTLING} s the output of cell {cell} still changes")
        return self.shown(cell)

    def changes(self, cell: int, before: str, seconds: float = ANSWERING) -> bool:
        """Whether the cell's output becomes another one in time."""
        end = time.monotonic() + seconds
        while self.shown(cell) == before:
            if time.monotonic() > end:
                return False
            self.page.wait_for_timeout(100)
        return True


class Control:
    """A control in an output, moved by keys alone.

    JupyterLab keeps some keys for itself while the focus is on an output: up and down go to the next cell, letters are
    commands. What it leaves are Tab, Enter, space, Home, End, Page Up and Page Down, and everything in a text field.
    """

    def __init__(self, notebook: Notebook, cell: int, element: ElementHandle):
        self.notebook, self.cell, self.element = notebook, cell, element
        self.kind = element.evaluate("e => e.type === 'checkbox' ? 'checkbox' : e.getAttribute('role') ?? e.localName")
        self.name = self.accessible_name() or element.evaluate(VISIBLE_LABEL)
        self.is_button = self.kind == "button"

    def __repr__(self) -> str:
        return f"{self.kind} {self.name!r} in cell {self.cell}"

    def accessible_name(self) -> str:
        """As the browser tells it to a screen reader."""
        devtools = self.notebook.devtools
        self.element.evaluate("e => { window.inHand = e; }")
        number = devtools.send("Runtime.evaluate", {"expression": "inHand"})["result"]["objectId"]
        tree = devtools.send("Accessibility.getPartialAXTree", {"objectId": number, "fetchRelatives": False})
        return tree["nodes"][0].get("name", {}).get("value", "").strip(" \u200b")  # ipywidgets puts \u200b for nothing

    @property
    def enabled(self) -> bool:
        return not self.element.evaluate("e => !!e.disabled || !!e.closest('[disabled]')")

    @property
    def value(self) -> str:
        return self.element.evaluate("e => e.value ?? e.getAttribute('aria-valuetext')")

    @property
    def has_focus(self) -> bool:
        return self.element.evaluate("e => e === document.activeElement")

    def keys(self, *keys: str) -> None:
        """Focus, then press one key after the other."""
        self.element.focus()
        for key in keys:
            self.notebook.page.keyboard.press(key)

    def write(self, text: str) -> None:
        """Replace what stands in a text field, and leave it with Tab, which is when it counts."""
        self.keys("ControlOrMeta+a", "Backspace")
        self.notebook.page.keyboard.insert_text(text)
        self.keys("Tab")

    def put(self, far: bool) -> None:
        """Bring a setting to one of two values, unlike each other."""
        if self.kind == "spinbutton" or self.element.get_attribute("type") == "number":
            self.write("80" if far else "20")
        elif self.kind in ("textarea", "input"):
            self.write("A bee" if far else "Capital of Peru")
        elif self.kind == "select":
            self.keys("End" if far else "Home")
        elif self.kind == "slider":  # far, but not to the end: the end of a slider may mean a minute of work
            self.keys("Home", *["PageUp"] * far)
        elif self.kind == "checkbox":
            if self.element.is_checked() != far:
                self.keys("Space")
        else:
            raise NotImplementedError(f"no test knows how to move this by keyboard: {self!r}")


class LiveWidget:
    """A widget that trains: the cell whose text begins with `call`, its controls by name, and what it shows."""

    def __init__(self, notebook: Notebook, call: str):
        self.notebook = notebook
        [self.cell] = [n for n, cell in enumerate(notebook.cells()) if "".join(cell["source"]).startswith(call)]
        self.named = {control.name: control for control in notebook.controls(self.cell)}
        self.stop = self.named["Stop"]
        notebook.settled(self.cell)

    def text(self) -> str:
        return self.notebook.cell(self.cell).inner_text()

    def part(self, selector: str) -> str:
        return self.notebook.cell(self.cell).query_selector(selector).text_content()

    def sampled(self) -> list[str]:
        """The prompts in the table of samples: what stands before the model's own words, which are bold."""
        return self.notebook.cell(self.cell).eval_on_selector_all(
            "[aria-label=samples] td + td",
            "cells => cells.map(({firstChild}) => firstChild.nodeName === 'B' ? '' : firstChild.textContent)")

    def wait_for(self, pattern: str) -> re.Match:
        """Until the widget's text holds the pattern."""
        return self.wait_until(lambda: re.search(pattern, self.text()), lambda: f"no {pattern!r} in {self.text()!r}")

    def wait_until(self, come: Callable[[], Any], missing: Callable[[], str]) -> Any:
        """Until `come` gives something true, which is given back. An error says what is `missing`."""
        end = time.monotonic() + SETTLING
        while time.monotonic() < end:
            if found := come():
                return found
            self.notebook.page.wait_for_timeout(100)
        raise AssertionError(f"after {SETTLING} s: {missing()}")
