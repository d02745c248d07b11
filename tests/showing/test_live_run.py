"""Start and stop of a training in a notebook, pressed at the wrong moment."""

import threading

import ipywidgets as widgets
import pytest

from helpers.showing import live_run


@pytest.fixture
def waiting():
    """A training that goes on until it is stopped or let go, and how often it was begun."""
    go, begun = threading.Event(), []

    def work(run) -> str:
        begun.append(run)
        while not (go.wait(0.01) or run.stopped):
            pass
        return "stopped" if run.stopped else "done"

    run = live_run.LiveRun([widgets.IntSlider()], work, lambda: None, name="a test")
    yield run, go, begun
    go.set()
    live_run.running["thread"].join()


def test_a_second_click_on_start_begins_no_second_run(waiting):
    """ipywidgets hands on a click that waited while the kernel was busy, although the button is disabled by then."""
    run, _, begun = waiting
    run.start.click()
    first = live_run.running["thread"]
    run.start.click()
    assert live_run.running["thread"] is first
    run.stop.click()
    first.join()
    assert begun == [run] and run.status.value == "stopped"
    assert run.stop.disabled and not run.start.disabled and not run.settings[0].disabled


def test_a_click_on_stop_that_comes_too_late_changes_nothing(waiting):
    run, go, _ = waiting
    run.start.click()
    go.set()
    live_run.running["thread"].join()
    run.stop.click()
    assert run.status.value == "done" and not run.stopped


def test_another_widgets_run_is_stopped_first(waiting):
    run, go, _ = waiting
    run.start.click()
    other = live_run.LiveRun([], lambda _: "other done", lambda: None)
    other.start.click()
    live_run.running["thread"].join()
    assert (run.status.value, other.status.value) == ("stopped", "other done")
