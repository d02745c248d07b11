"""A plugin of pytest (`PYTHONPATH=tests ... -p course_workers`): which tests share a worker; one failure a notebook.

xdist has groups of its own, but xdist 3.8 with pytest 9.2 silently leaves them out (pytest-xdist, issue 1386).
"""

import os
import re

import pytest
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadScopeScheduling

NOTEBOOK = re.compile(r"(?<=[\[-])[0-9A-Z]+_\w+(?=\])")  # the last parameter of a browser test
failed = pytest.StashKey[str]()


class ByNotebook(LoadScopeScheduling):
    """The cells of a notebook share a kernel, the browser tests of a notebook share its page; all else goes singly."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if file.startswith("tests/browser/"):
            notebook = NOTEBOOK.search(test)
            return f"{notebook[0]} in the browser" if notebook else file
        return file if file.endswith(".ipynb") else nodeid


def pytest_xdist_make_scheduler(config, log):
    return ByNotebook(config, log)


def pytest_configure(config):
    """Each worker, and all that it starts, keeps to a core of its own: trainings with two threads each, side by side on
    two cores, wait for each other longer than they compute."""
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


# A cell that follows a failed one fails only for want of what that one should have made. nbval runs it all the same:
# one cell that took too long was told as thirty failures.


def pytest_collection_modifyitems(items):
    for item in items:
        if isinstance(item, IPyNbCell):
            item.output_timeout = 60  # seconds for a message that is on its way; nbval gives 5


@pytest.hookimpl(tryfirst=True)  # before a kernel that has not started is started again
def pytest_runtest_setup(item):
    if isinstance(item, IPyNbCell) and failed in item.parent.stash:
        pytest.skip(f"{item.parent.stash[failed]} failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed and isinstance(item, IPyNbCell):
        item.parent.stash.setdefault(failed, item.name)
    return report
