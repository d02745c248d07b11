"""The lessons: judged by what is stored, and by nothing where a file is missing or damaged."""

import shutil

import pytest

from helpers.experiments.claims import LESSONS, Lesson, Results, judge, verdict
from helpers.results import RESULTS_FOLDER


@pytest.mark.parametrize(
    "low, high, expects, found",
    [
        (1, 5, "more", "holds"), (-5, -1, "more", "contradicted"), (-1, 5, "more", "open"),
        (-5, -1, "less", "holds"), (1, 5, "less", "contradicted"), (0, 5, "less", "open"),
        (-1, 1.5, "same", "holds"), (3, 5, "same", "contradicted"), (1, 5, "same", "open"), (-9, 9, "same", "open"),
    ],
)  # fmt: skip
def test_a_verdict_is_no_stronger_than_the_interval(low, high, expects, found):
    assert verdict(low, high, expects) == found


def test_an_unknown_expectation_is_an_error():
    with pytest.raises(ValueError, match="better"):
        verdict(0, 1, "better")


def test_every_lesson_can_be_judged_by_what_is_stored():
    for lesson in LESSONS:
        made = judge(lesson)
        assert not made.problem, (lesson.claim, made.problem)
        assert made.interval[1] <= made.interval[0] <= made.interval[2]


def test_differences_are_taken_start_by_start():
    """By hand from the file: the row of each random start less the row of the same start."""
    lesson = next(lesson for lesson in LESSONS if lesson.claim.startswith("count the loss"))
    rows = {}
    for line in (RESULTS_FOLDER / "mask.csv").read_text().splitlines()[1:]:
        loss_on, seed, exact, *_ = line.split(",")
        rows[loss_on, int(seed)] = 100 * float(exact)
    by_hand = [rows["response", seed] - rows["everything", seed] for seed in range(5)]
    assert lesson.measure(Results()) == pytest.approx(by_hand)


@pytest.fixture
def copied(tmp_path):
    """The stored results, to be damaged."""
    shutil.copytree(RESULTS_FOLDER, tmp_path / "results")
    return tmp_path / "results"


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\xff\xfe\x00nonsense"),
        lambda path: path.write_text(path.read_text().rsplit(",", 3)[0] + "\n"),
        lambda path: path.write_text(path.read_text().replace("exact", "exakt")),
        lambda path: path.write_text(path.read_text().replace("0.9", "nan", 1).replace("nan1329", "nan")),
        lambda path: path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n"),
        lambda path: path.write_text("\n".join(path.read_text().splitlines()[:3]) + "\n"),
    ],
    ids=["missing", "empty", "binary", "cut off", "a column renamed", "nan", "a run twice", "two runs only"],
)
def test_a_damaged_file_costs_its_lessons_only_and_is_named(copied, damage):
    damage(copied / "mask.csv")
    found = [judge(lesson, Results(copied)) for lesson in LESSONS]
    lost = [made for made in found if made.verdict == "cannot be judged"]
    assert [made.lesson.claim for made in lost] == ["count the loss on the response only"]
    assert "mask" in lost[0].problem or "exact" in lost[0].problem


@pytest.mark.parametrize(
    "name, column", [("phases", "content loss"), ("failures", "times the words"), ("seeds", "hits")]
)
@pytest.mark.parametrize("spoiled", ["nan", "much"])
def test_a_figure_that_is_no_number_gives_no_verdict(copied, name, column, spoiled):
    head, *lines = [line.split(",") for line in (copied / f"{name}.csv").read_text().splitlines()]
    place = head.index(column)
    lines = [[*line[:place], line[place] and spoiled, *line[place + 1 :]] for line in lines]
    (copied / f"{name}.csv").write_text("\n".join(",".join(line) for line in [head, *lines]) + "\n")
    lost = [made for made in (judge(lesson, Results(copied)) for lesson in LESSONS) if made.interval is None]
    assert 1 <= len(lost) < len(LESSONS) and all(made.verdict == "cannot be judged" for made in lost)


def test_seeds_with_no_rows_for_a_figure_are_an_error(copied):
    path = copied / "seeds.csv"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "statements" not in line) + "\n")
    lost = [lesson.claim for lesson in LESSONS if judge(lesson, Results(copied)).problem]
    assert lost == [
        "tuning teaches format, not knowledge: what is known stays as it was",
        "LoRA leaves the knowledge intact",
    ]


def test_a_lesson_that_cannot_be_measured_does_not_pass_for_one_that_holds():
    assert judge(Lesson("x", "y", "more", lambda results: [1.0, 2.0], "00")).verdict == "cannot be judged"
