"""One browser and one JupyterLab for all tests here, and each notebook run once for all tests that look at it.

Where there is no browser the tests are skipped, or failed if REQUIRE_BROWSER=1 is set.
"""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.lab import BROWSERS, Lab, Notebook


def pytest_collection_modifyitems(items):
    """The tests of one notebook stand together, in the order of the notebooks."""
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    elsewhere = [item for item in items if item not in here]
    for item in here:
        item.add_marker("browser")
    items[:] = elsewhere + sorted(here, key=lambda item: item.callspec.params.get("name", "")
                                  if hasattr(item, "callspec") else "")


@pytest.fixture(scope="session")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        message = f"there is no browser on this machine; looked for {', '.join(BROWSERS)}"
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        # No sandbox: it does not work for root in a container, and the browser only sees our own pages.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *quiet])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def lab(browser, tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def desk(browser, lab):
    """Opens a notebook and runs it; the one before is closed, as kernels take memory."""
    opened: dict[str, Notebook] = {}

    def open_and_run(name: str) -> Notebook:
        if name not in opened:
            clear()
            page = browser.new_page(viewport={"width": 1100, "height": 1400})
            opened[name] = notebook = Notebook(page, lab, name)
            if not notebook.dialogs:
                notebook.run_all()
        return opened[name]

    def clear() -> None:
        while opened:
            opened.popitem()[1].close()

    yield open_and_run
    clear()


@pytest.fixture
def notebook(name, desk):
    """The notebook called `name`, opened and run. Whatever the test does with it must not raise an error in it."""
    notebook = desk(name)
    before = notebook.complaints()
    yield notebook
    assert notebook.complaints() == before
