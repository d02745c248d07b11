"""What notebook 06 draws: the runs of the tables and no others, verdicts with the right sign, drawings that say all."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import load
from helpers.checks.when_it_goes_wrong import SICK, course_cure, course_detect
from helpers.experiments.failure_logs import Run, stored_runs
from helpers.figures import failure_cures, failure_detectors, failure_runs
from helpers.figures import when_it_goes_wrong as figures
from helpers.judging.statistics import mean_and_interval
from helpers.results import read_results


@pytest.fixture
def shown(monkeypatch):
    """Each figure as it is shown, with its description, and each text."""
    pictures, texts = [], []
    monkeypatch.setattr(figures.plots, "show", lambda figure, alt: pictures.append((figure, alt)))
    for module in (figures, failure_cures, failure_detectors):
        monkeypatch.setattr(module, "display", lambda text: texts.append(text.data))
    yield pictures, texts
    plt.close("all")


def points(axes) -> list[np.ndarray]:
    """x of each line that is dots, from above."""
    return [np.sort(line.get_xdata()) for line in axes.lines if line.get_marker() == "o"]


def forgotten_by(plan: str) -> list[float]:
    """From the table itself."""
    rows = [row for row in read_results("failures") if row["plan"] == plan and row["completed"] != ""]
    return [100 * (row["base completed"] - row["completed"]) for row in rows if row["completed"] is not None]


def test_forgetting_has_a_dot_for_each_start(shown):
    figures.forgetting_dots()
    [(figure, alt)], [caption] = shown
    left = points(figure.axes[0])
    for plan, drawn in zip(figures.CURED, left, strict=True):
        assert np.allclose(drawn, sorted(forgotten_by(plan))), plan
        assert f"{plan}: " in alt
    hot = np.mean(forgotten_by("rate 10 times"))
    assert f"Ten times the rate forgets {hot:.1f}" in caption and caption.startswith("*Each dot")


def test_the_guesses_are_held_against_the_table():
    mean, (low, high) = figures.interval("rate 10 times")
    assert (mean, low, high) == pytest.approx(mean_and_interval(forgotten_by("rate 10 times")))
    words, _ = figures.interval("25% long", "times the words", 1)
    assert words == pytest.approx(np.mean([run.outcomes["times the words"] for run in figures.stored()["25% long"]]))
    known = {run.seed: run.outcomes["base completed"] for run in figures.stored()["healthy"]}
    lost = [100 * (known[row["seed"]] - row["completed"]) for row in read_results("replay") if row["share"] == 0.01]
    assert figures.replayed(0.01)[0] == pytest.approx(np.mean(lost))


def test_what_the_lesson_says_of_the_stored_runs():
    """Its prose: healthy runs forget less than five points, replay of 20% leaves more, wordy rows make wordy models."""
    assert max(forgotten_by("healthy")) < 5 < min(forgotten_by("one kind of row"))
    assert figures.replayed(0.2)[0] > 5 and 45 < figures.replayed(0.0)[0] < 55
    assert figures.replayed(0.01)[0] > 0.8 * figures.replayed(0.0)[0]
    assert figures.interval("25% long", "times the words", 1)[0] < 1.1
    assert figures.interval("90% long", "times the words", 1)[0] > 2
    half = [run.outcomes["one opening"] for run in figures.stored()["one opening in 50%"]]
    assert max(half) - min(half) > 0.4
    lines = figures.bars_tried(course_detect).splitlines()[1:]
    assert all(int(missed) > 0 or int(false) > 0 for _, _, missed, false in map(str.split, lines))
    table = failure_detectors.score(stored_runs(), lambda run: course_detect(run.log, run.reference))
    assert all(table[kind]["missed"] == table[kind]["false alarms"] == 0 for kind in ("verbosity", "style collapse"))


def runs_like(monkeypatch, changes: dict[str, list[float]]) -> None:
    """Stored runs of two plans that forgot so many points."""
    def run(plan, seed, lost):
        return Run(plan, seed, [], {}, {"base completed": 1.0, "completed": 1 - lost / 100})

    by_plan = {plan: [run(plan, seed, lost) for seed, lost in enumerate(losses)] for plan, losses in changes.items()}
    for module in (figures, failure_runs):
        monkeypatch.setattr(module, "stored", lambda: by_plan)


@pytest.mark.parametrize("cure, verdict", [
    ([1, 2, 1], "less"), ([79, 81, 80], "more"), ([39, 42, 40], "no difference"),
])
def test_a_cure_gets_the_verdict_of_its_interval(monkeypatch, cure, verdict):
    names = ("healthy", "rate 10 times, LoRA", "rate 10 times, replay", "one kind of row, replay")
    sick = {"rate 10 times": [40, 41, 40.5], "one kind of row": [40, 41, 40.5]}
    runs_like(monkeypatch, sick | dict.fromkeys(names, cure))
    lines = [line for line in figures.cures().splitlines() if line.startswith(" ")]
    assert len(lines) == 5 and all(verdict in line for line in lines)


def test_the_frontier_has_every_rate(shown):
    figures.frontier()
    [(figure, alt)], [caption] = shown
    labels = {text.get_text() for text in figure.axes[0].texts}
    rates = {f"{row['rate']:g}" for table in ("rate", "lora") for row in read_results(table)}
    assert labels == rates
    best = failure_cures.best_rates()
    for method, table in failure_cures.RATES.items():
        means = {}
        for row in read_results(table):
            means.setdefault(row["rate"], []).append(row["exact"])
        assert best[method] == max(means, key=lambda rate: np.mean(means[rate]))
        assert f"{method} {best[method]:g}: " in alt


def test_lora_is_not_said_to_be_better_where_the_interval_holds_nothing(monkeypatch):
    text = figures.at_their_best().data
    full, low = (failure_cures.sweep(table, "rate")[(failure_cures.best_rates()[method],)]
                 for method, table in failure_cures.RATES.items())
    mean, least, most = mean_and_interval(low["exact"] - full["exact"])
    assert f"{mean:+.1f} points of exact answers ({least:+.1f} to {most:+.1f}" in text
    word = "a difference" if least > 0 or most < 0 else "no difference shown"
    assert f"{most:+.1f}: {word}) and" in text


def test_ranks_stay_between_0_and_100(shown):
    figures.lora_shapes()
    [(figure, alt)], _ = shown
    rows = [row["exact"] for row in read_results("lora_shape") if row["rank"] == 1 and row["matrices"] == "MLP"]
    assert f"MLP, rank 1: {100 * np.mean(rows):.0f}%" in alt
    ends = np.concatenate([segment[:, 1] for lines in figure.axes[0].collections for segment in lines.get_segments()])
    assert len(ends) == 18 and ends.min() >= 0 and ends.max() <= 100


def test_replay_has_a_row_for_each_share(shown):
    figures.replay_dots()
    [(figure, alt)], [caption] = shown
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["0%", "0.5%", "1%", "5%", "20%"]
    assert [len(row) for row in points(figure.axes[0])] == [5] * 5
    none, one, most = (figures.replayed(share)[0] for share in (0.0, 0.01, 0.2))
    assert f"saves {100 * (none - one) / (none - most):.0f}% of what" in caption and f"{none:.1f} points" in alt


def test_openings_are_dots_and_not_a_mean_alone(shown):
    figures.opening_dots()
    [(figure, _)], [caption] = shown
    half = sorted(100 * run.outcomes["one opening"] for run in figures.stored()["one opening in 50%"])
    assert np.allclose(points(figure.axes[0])[1], half)
    assert ", ".join(f"{value:.0f}" for value in half) in caption


def test_words_are_compared_with_those_of_the_rows(shown, world):
    figures.words_dots(world)
    [(figure, alt)], _ = shown
    [rows] = [line.get_xdata() for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert rows[0] == 1 and rows[0] < rows[1] < rows[2]
    assert f"90% long: {rows[2]:.1f} in the rows" in alt


def test_scores_stand_by_failure_and_detector():
    silent = figures.scores(lambda log, reference, bar=1.5: set()).data.splitlines()
    assert len(silent) == 2 + 6 and all(line.split("|")[3].strip() == "0" for line in silent if "yours" in line)
    assert "| verbosity | yours | 2 | 0 | 0 | 8 |" in figures.scores(course_detect).data


def test_pairs_of_runs_that_mislead_are_counted(monkeypatch):
    def run(plan, lost, perplexity):
        log = [{"perplexity": perplexity}]
        return Run(plan, 0, log, {"perplexity": 1.0}, {"base completed": 1.0, "completed": 1 - lost / 100})

    runs = [run("a", 20, 1.1), run("b", 10, 1.2), run("c", 7, 1.0), run("rate 10 times", 80, 9.0)]
    monkeypatch.setattr(failure_detectors, "stored_runs", lambda: runs)
    assert failure_detectors.misled() == (50.0, 2)  # a-b misleads, a-c does not, b-c are too near


def test_every_run_is_a_point(shown):
    figures.perplexity_points()
    [(figure, alt)], [caption] = shown
    dots = [line for line in figure.axes[0].lines if line.get_marker() in "os^"]
    assert sum(len(line.get_xdata()) for line in dots) == len(stored_runs())
    assert f"in {figures.misled()[0]:.0f}% of them" in caption and "left of the dashed bar" in alt


@pytest.mark.parametrize("lost, exact, met", [(4.9, 80, True), (5.0, 90, False), (1, 79.9, False)])
def test_a_cure_meets_the_target_in_both(lost, exact, met):
    assert failure_detectors.hits(lost, exact) is met


def test_a_treatment_says_what_was_changed(world, monkeypatch):
    base = load("base")
    monkeypatch.setattr(failure_detectors.plans, "run_plan", lambda *_, **__: (base, []))
    text = figures.treat(base, world, SICK, course_cure, 0, 30).data
    assert re.search(r"\| sick \| – \| 0\.0 \| [\d.]+ \| ✘ missed \|", text), text
    assert "| treated | replay 0.5 | 0.0 |" in text


def test_losses_stand_side_by_side():
    text = figures.loss_pairs([2.0, 1.0, 0.5], [{"loss": 2.0}, {"loss": 1.25}])
    assert "1.25000" in text and "largest difference in the first 2 steps: 0.25000" in text


@pytest.mark.parametrize("drawing, words", [
    (figures.twins_drawing, ("healthy", "failing twin", "cure", "10 times the rate", "the same base model")),
    (figures.lora_drawing, ("W", "128 × 128", "8 × 128", "starts at zero", "starts at random", "2,048")),
    (figures.detector_drawing, ("cannot tell", "nothing is learned", "style collapse", "healthy", "near the")),
])
def test_drawings_say_what_they_show(drawing, words):
    picture = drawing()
    texts = " ".join(re.findall(r">([^<]*)</text>", picture._repr_html_()))
    assert all(word in texts for word in words)
    assert all(word.lower() in picture.label.lower() for word in words[:1])
    places = [float(x) for x in re.findall(r'<text x="([\d.]+)"', picture._repr_html_())]
    assert 0 <= min(places) and max(places) <= picture.width
