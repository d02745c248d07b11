"""What notebook C draws: the runs of the tables and no others, changes with the right sign, drawings that say all."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.experiments.claims import judge_all
from helpers.experiments.preference_claims import PREFERENCES, best_rate, kl_foretells
from helpers.experiments.preference_runs import PAIR_WAYS, RAZOR_RATES
from helpers.figures import better_not_just_right as figures
from helpers.figures import preference_costs, preference_results
from helpers.judging.statistics import mean_and_interval
from helpers.learning.policy_gradient import Sample
from helpers.results import read_results


@pytest.fixture
def shown(monkeypatch):
    """Each figure as it is shown, with its description."""
    pictures = []
    monkeypatch.setattr(figures.plots, "show", lambda figure, alt: pictures.append((figure, alt)))
    yield pictures
    plt.close("all")


def table(name: str, figure: str, **setting) -> np.ndarray:
    """From the stored rows themselves, in the order of starts."""
    rows = [row for row in read_results(name) if setting.items() <= row.items()]
    return np.array([row[figure] for row in sorted(rows, key=lambda row: row["seed"])])


def test_before_and_after_rewards_are_the_stored_runs(shown):
    caption = figures.rewarded().data
    [(figure, alt)] = shown
    for axes, name in zip(figure.axes, ("exact", "drawn at 0.7", "drawn at 1"), strict=True):
        dots = [line for line in axes.lines if line.get_marker() in "os"]
        for line, (rows, when) in zip(dots, [(r, w) for r in (8, 40, 200) for w in ("before", "after")], strict=True):
            np.testing.assert_allclose(line.get_ydata(), 100 * table("rewarded", name, rows=rows, when=when))
    after = 100 * table("rewarded", "drawn at 1", rows=40, when="after").mean()
    assert f"and {after:.0f}% (" in caption and f"and {after:.0f}% (" in alt


def test_the_guesses_are_held_against_the_tables():
    change = [table("rewarded", "drawn at 1", rows=8, when=when) for when in ("after", "before")]
    assert figures.gain("drawn at 1", rows=8)[0] == pytest.approx(100 * (change[0] - change[1]).mean())
    assert figures.at_end("exact")[0] == pytest.approx(100 * table("hacking", "exact", remedy="none", step=100).mean())
    chosen = table("pairs", "chosen", way="close", when="after")
    assert figures.moved("close", "chosen")[0] == pytest.approx(chosen.mean())
    starts = []
    for seed in range(5):
        rows = [row for row in read_results("razor") if row["seed"] == seed]
        ranks = [np.argsort(np.argsort([row[key] for row in rows])) for key in ("forward kl", "completed")]
        starts.append(100 * np.corrcoef(*ranks)[0, 1])
    assert figures.razor_correlation()[0] == pytest.approx(np.mean(starts))


def test_the_table_s_change_is_taken_start_by_start():
    line = next(line for line in figures.rewarded_table().data.splitlines() if line.startswith("| 8 | drawn at 1"))
    before, after = (100 * table("rewarded", "drawn at 1", rows=8, when=when) for when in ("before", "after"))
    mean, low, high = mean_and_interval(after - before)
    assert line.endswith(f"| {mean:+.0f} ({low:+.0f} to {high:+.0f}) |")


def test_a_comparison_is_worded_by_its_interval():
    words = ("more", "less", "as much")
    assert preference_results.side(np.array([3.0, 4.0, 5.0]), *words) == "more"
    assert preference_results.side(np.array([-3.0, -4.0, -5.0]), *words) == "less"
    assert preference_results.side(np.array([-3.0, 4.0, 0.0]), *words) == "as much"


def test_hacking_has_a_panel_for_each_remedy(shown):
    figures.hacking()
    [(figure, alt)] = shown
    for axes, remedy in zip(figure.axes, preference_results.REMEDIES, strict=True):
        thick = [line.get_ydata() for line in axes.lines if line.get_marker() in "os"]
        for line, key in zip(thick, ("contains", "exact"), strict=True):
            steps = sorted({row["step"] for row in read_results("hacking")})
            means = [100 * table("hacking", key, remedy=remedy, step=step).mean() for step in steps]
            np.testing.assert_allclose(line, means)
        assert preference_results.REMEDIES[remedy] in alt


def test_pairs_have_a_dot_for_each_start(shown):
    figures.pairs()
    [(figure, _)] = shown
    lines = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    for line, way in zip(lines, PAIR_WAYS, strict=True):
        np.testing.assert_allclose(line.get_xdata(), table("pairs", "chosen", way=way, when="after"))
    assert all(f"| {way} |" in figures.pairs_table().data for way in PAIR_WAYS)


def test_the_razor_has_a_mark_for_each_run(shown):
    figures.razor()
    [(figure, _)] = shown
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    for method in RAZOR_RATES:
        stored = sorted(row["completed"] for row in read_results("razor") if row["method"] == method)
        np.testing.assert_allclose(np.sort(lines[method].get_ydata()), 100 * np.array(stored))
        assert len(stored) == 15


def test_rows_stand_beside_rewards_each_at_its_best_rate():
    text = figures.rows_or_rewards().data
    for method in ("SFT", "rewards"):
        drawn = table("razor", "drawn at 1", method=method, rate=best_rate(preference_results.RESULTS, method))
        assert f"{100 * drawn.mean():.0f}% (" in text


def test_at_its_best_rate_a_method_answers_best():
    text = figures.at_best().data
    for method, rates in RAZOR_RATES.items():
        best = max(range(3), key=lambda rate: table("razor", "exact", method=method, rate=rate).mean())
        exact = 100 * table("razor", "exact", method=method, rate=best).mean()
        assert f"| {method} | {rates[best]:g} | {exact:.0f}% (" in text


def test_learned_reward_collapse_and_kinds_are_the_stored_runs(shown):
    proxy, collapse, kinds = figures.proxy().data, figures.collapse().data, figures.generalise().data
    assert f"{100 * table('proxy', 'exact', pairs=300, step=100).mean():.0f}% (" in proxy
    assert f"{100 * table('collapse', 'exact', rate=0.001, step=160).mean():.0f}% (" in collapse
    assert f"{100 * table('unseen_kinds', 'capital', method='rewards').mean():.0f}% (" in kinds
    assert len(shown) == 2


def test_every_claim_is_judged_and_every_prediction_told():
    text = figures.claims().data
    for one in judge_all(PREFERENCES):
        assert not one.problem, one
        assert f"{one.lesson.claim}: " in text and one.verdict in ("holds", "contradicted", "open")
        assert not one.lesson.experiment or f"*{one.lesson.experiment}*" in text


def test_what_the_lesson_says_of_the_stored_runs():
    """Its prose, section by section."""
    def change(name, figure, **setting):
        return (table(name, figure, when="after", **setting) - table(name, figure, when="before", **setting)).mean()

    before = table("rewarded", "drawn at 1", rows=8, when="before").mean()
    assert 1.7 < 1 + change("rewarded", "drawn at 1", rows=8) / before < 2.2, "nearly double"
    assert change("rewarded", "drawn at 1", rows=200) > 0.05 and -0.03 < change("rewarded", "exact", rows=200) < 0
    first = table("hacking", "exact", remedy="none", step=0).mean()
    assert table("hacking", "exact", remedy="none", step=40).mean() < 0.3 * first, "most of the fall in 40 steps"
    assert table("hacking", "exact", remedy="none", step=100).mean() < 0.05
    paid = [table("hacking", "contains", remedy="none", step=step) for step in (0, 100)]
    assert all(paid[1] > paid[0]), "the reward rises in every start"
    for remedy in ("KL", "brevity", "exact reward"):
        assert table("hacking", "exact", remedy=remedy, step=100).mean() > first + 0.1
    assert mean_and_interval(kl_foretells(preference_results.RESULTS))[2] < -50
    far = [row for row in read_results("razor") if row["forward kl"] > 2]
    assert far and all(row["rate"] == 2 for row in far), "every mark beyond 2 nats is a method's highest rate"
    orders = []
    for seed in range(5):
        rows = [row for row in read_results("razor") if row["seed"] == seed and row["rate"] < 2]
        ranks = [np.argsort(np.argsort([row[key] for row in rows])) for key in ("forward kl", "completed")]
        orders.append(np.corrcoef(*ranks)[0, 1])
    assert min(orders) < -0.7 and max(orders) > -0.2, "without the highest rate the order shows in some starts only"
    best = {one: best_rate(preference_results.RESULTS, one) for one in RAZOR_RATES}
    kept = [table("razor", "completed", method=one, rate=rate).mean() for one, rate in best.items()]
    worst = [table("razor", "completed", method=one, rate=2).mean() for one in RAZOR_RATES]
    assert max(kept) - min(kept) < 0.02 and max(worst) < min(kept) - 0.1
    assert change("pairs", "chosen", way="close") < -0.5 and change("pairs", "exact", way="far") < -0.05
    assert table("pairs", "likelier", way="far", when="before").min() == 1, "told apart before the first step"
    fall, mended = (table("pairs", "chosen", way=way, when="after") for way in ("close", "close, SFT term"))
    assert all(fall < 0) and all(mended > fall), "there in every start"
    assert -120 < table("pairs", "rejected", way="far", when="after").mean() < -80, "about a hundred nats"
    assert abs(change("pairs", "chosen", way="close, SFT term")) < 0.2
    assert change("pairs", "exact", way="close, SFT term") > 0
    half = change("pairs", "chosen", way="close, beta 0.5") / change("pairs", "chosen", way="close")
    assert 0.3 < half < 0.7
    assert abs(change("pairs", "exact", way="close, per token") - change("pairs", "exact", way="close")) < 0.03
    for pairs in (50, 300):
        assert (table("proxy", "reward", pairs=pairs, step=100) > table("proxy", "reward", pairs=pairs, step=0)).all()
        assert table("proxy", "exact", pairs=pairs, step=100).max() < 0.1
        assert 0.5 < table("proxy", "agrees", pairs=pairs, step=0).mean() < 0.7, "a little better than a coin"
    low, high = mean_and_interval(table("proxy", "agrees", pairs=50, step=0))[1:]
    assert low < 0.5 < high, "with 50 pairs the interval holds 50%"
    later = table("proxy", "exact", pairs=300, step=20).mean() - table("proxy", "exact", pairs=50, step=20).mean()
    assert later > 0.1, "with more pairs the fall comes later"
    rows, paid = (table("unseen_kinds", "capital", method=one) for one in ("SFT", "rewards"))
    assert rows.min() > 0.85 and paid.min() < 0.5 < 0.9 < paid.max()
    wordings = [table("unseen_kinds", "same kinds, unseen phrasing", method=one).mean() for one in ("SFT", "rewards")]
    assert abs(wordings[0] - wordings[1]) < 0.02
    slow, fast = ([table("collapse", "exact", rate=rate, step=step).mean() for step in range(0, 161, 20)]
                  for rate in (3e-4, 1e-3))  # fmt: skip
    assert max(slow) - slow[-1] < 0.02 and fast[1] < fast[0] - 0.1 and min(fast) < fast[-1] - 0.05 < fast[0] - 0.1


# --- what the notebook makes itself ---


def test_drawings_name_weights_and_advantages():
    svg = figures.weights_drawing()._repr_html_()
    assert all(word in svg for word in ("each token counts +1", "each token counts −w", "each token counts −0.9"))
    svg = figures.advantage_drawing([0.0, 1.0], [-0.7, 0.7])._repr_html_()
    assert "reward 1" in svg and "+0.70" in svg and "reward 0, advantage -0.70" in svg


def test_a_step_s_samples_stand_with_reward_and_advantage(world):
    probe = figures.development_probes(world)[0]
    html = figures.samples_table([Sample(probe, "<b>Lima", 1.0, 0.5), Sample(probe, "Rome", 0.0, -0.5)]).data
    assert "&lt;b&gt;Lima" in html and "+0.50" in html and "-0.50" in html


def test_the_curve_tells_the_first_and_the_last_five_steps(shown):
    log = [{"step": step, "reward": step / 10, "tokens of an answer": 8.0} for step in range(10)]
    assert "from 0.20 (first five steps) to 0.70" in figures.learning_curve(log).data
    assert "Reward 0.20 to 0.70" in shown[0][1]


def test_pairs_of_a_run_are_told_by_its_last_steps(shown):
    log = [{"step": step, "chosen": -step / 10, "rejected": -step, "prefers": 1.0} for step in range(10)]
    text = figures.pair_log(log).data
    assert "100% of the pairs" in text and "by -7.0 nats" in text and "by -0.7" in text


def test_drawn_figures_count_what_was_drawn(world, monkeypatch):
    probes = figures.development_probes(world)
    texts = [probe.expected if i % 2 else f"{probe.expected} {probe.fact.answer}" for i, probe in enumerate(probes)]
    monkeypatch.setattr(figures, "draw_answers", lambda lm, questions, tokens, seed: [(None, text) for text in texts])
    counted = figures.drawn_figures(None, world)
    assert counted["contains"] == 1 and counted["exact"] == pytest.approx(0.5, abs=0.01)
    shown = figures.standing({"it": None}, world).data
    assert re.search(r"\| it \| 100% \| 50% \| \d", shown)
    assert all(probe.fact.part == "development" for probe in probes), "no choice of a learner is made by test facts"


def test_modules_hand_on_each_other():
    assert figures.razor is preference_costs.razor and figures.pairs is preference_results.pairs
