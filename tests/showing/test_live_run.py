"""Start and stop of a training in a notebook, pressed at the wrong moment; and what is shown of it on the way."""

import math
import re
import threading

import ipywidgets as widgets
import pytest

from helpers.showing import live_run


@pytest.fixture
def waiting():
    """A training that goes on until it is stopped or let go, and each run of it."""
    go, runs = threading.Event(), []

    def work(run) -> str:
        runs.append(run)
        while not (go.wait(0.01) or run.stopped):
            pass
        return "stopped" if run.stopped else "done"

    run = live_run.LiveRun([widgets.IntSlider()], work, lambda: None, name="a test")
    yield run, go, runs
    go.set()
    live_run.current["thread"].join()


def test_a_second_click_on_start_begins_no_second_run(waiting):
    """ipywidgets hands on a click that waited while the kernel was busy, although the button is disabled by then."""
    run, _, runs = waiting
    run.start.click()
    first = live_run.current["thread"]
    run.start.click()
    assert live_run.current["thread"] is first
    run.stop.click()
    first.join()
    assert runs == [run] and run.status.value == live_run.said("stopped")
    assert run.stop.disabled and not run.start.disabled and not run.settings[0].disabled


def test_a_click_on_stop_that_comes_too_late_changes_nothing(waiting):
    run, go, _ = waiting
    run.start.click()
    go.set()
    live_run.current["thread"].join()
    run.stop.click()
    assert run.status.value == live_run.said("done") and not run.stopped


def test_another_widgets_run_is_stopped_first(waiting):
    run, go, _ = waiting
    run.start.click()
    other = live_run.LiveRun([], lambda _: "other done", lambda: None)
    other.start.click()
    live_run.current["thread"].join()
    assert (run.status.value, other.status.value) == (live_run.said("stopped"), live_run.said("other done"))


def test_the_status_is_told_aloud_but_not_with_every_step():
    run = live_run.LiveRun([], lambda _: "", lambda: None)
    spoken = []
    for step in range(1, 101):
        run.last_update = 0.0  # as if half a second had passed
        run.progress(step, 100, "loss 1")
        assert run.status.value.startswith('<div role="status"')
        spoken += [step] * ('aria-live="polite"' in run.status.value)
    assert spoken == [25, 50, 75, 100]


def test_the_focus_goes_where_something_can_be_pressed(waiting, monkeypatch):
    run, _, _ = waiting
    places = []
    monkeypatch.setattr(live_run, "focus", places.append)
    run.start.click()
    assert places == [run.stop]
    run.stop.click()
    live_run.current["thread"].join()
    assert places == [run.stop, run.start]


def test_a_run_that_ends_by_itself_takes_nobodys_focus(waiting, monkeypatch):
    run, go, _ = waiting
    places = []
    monkeypatch.setattr(live_run, "focus", places.append)
    run.start.click()
    go.set()
    live_run.current["thread"].join()
    assert places == [run.stop]


def test_a_cell_run_again_gets_the_running_training(waiting):
    run, go, _ = waiting
    model, rows = object(), [1]
    run.view, run.inputs = live_run.LabBox([]), (model, rows)
    assert live_run.under_way("a test", (model, rows)) is None
    run.start.click()
    assert live_run.under_way("a test", (model, rows)) is run.view
    assert live_run.under_way("a test", (model, [1])) is None and live_run.under_way("other", (model, rows)) is None
    go.set()
    live_run.current["thread"].join()
    assert live_run.under_way("a test", (model, rows)) is None


def test_without_a_kernel_it_says_how_to_get_it_back():
    assert "run this cell again" in repr(live_run.LabBox([])) and "run this cell again" in live_run.restart_note().value


# --- what is shown ---


def points(page: str) -> list[list[tuple[float, float]]]:
    lines = re.findall('points="(.*?)"', page)
    return [[tuple(map(float, place.split(","))) for place in line.split()] for line in lines]


def test_a_curve_grows_to_the_right_and_losses_fall_to_the_foot():
    (line,) = points(live_run.curve_svg({"loss": [8.0, 4.0, 0.0]}, 3, 8.0))
    xs, ys = zip(*line, strict=True)
    assert list(xs) == sorted(xs) and list(ys) == sorted(ys), "the y of a drawing grows downwards"
    assert points(live_run.curve_svg({"loss": [9.0]}, 3, 8.0))[0][0][1] == ys[0], "above the top is at the top"


def test_several_curves_have_names_and_dashes_and_one_that_is_not_known_says_so():
    page = live_run.curve_svg({"<one>": [1.0, math.nan, 2.0], "two": []}, 3, 6.0)
    assert [len(line) for line in points(page)] == [2, 0] and page.count("stroke-dasharray") == 2  # line and legend
    assert "now &lt;one&gt; 2.00, two not yet known" in page and page.count(">&lt;one&gt;</text>") == 1


@pytest.mark.parametrize("count", [0, 1, 299, 300, 301, 2000])
def test_a_long_curve_has_few_points_and_its_last_step(count):
    few = live_run.bin_means([(step, float(step)) for step in range(1, count + 1)])
    assert len(few) == min(count, live_run.MOST_POINTS) and [step for step, _ in few[-1:]] == [count][:count]
    assert all(mean <= step for step, mean in few)


def test_samples_stand_newest_first_and_are_text():
    page = live_run.samples_html([(1, [("<p>", "<b>")]), (20, [("", "end")])])
    assert page.index(">20</td>") < page.index(">1</td>")
    assert "&lt;p&gt;" in page and "&lt;b&gt;" in page and "<p>" not in page
