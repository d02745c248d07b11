"""Preference pairs: of the world, the chosen answer is right and the rejected one differs as it is said to; of files,
one bad row costs itself only, and what is written is read."""

import json
from dataclasses import replace

import pytest

from helpers.experiments.rebuild import PREFERENCES_FILE
from helpers.files import FileProblem
from helpers.text.datasets import Problem, read_dataset, write_dataset
from helpers.text.facts import PARTS
from helpers.text.instructions import fact_rows, tuning_wordings
from helpers.text.pair_forms import FORMS, OWN
from helpers.text.preferences import CONTRASTS, fact_pairs, read_pairs, shipped_pairs, write_pairs
from helpers.text.selections import FAREWELLS, GREETINGS


@pytest.mark.parametrize("how", CONTRASTS)
def test_the_chosen_answers_are_the_rows_to_tune_on(world, how):
    pairs = fact_pairs(world, how=how)
    rows = [{"messages": pair["prompt"] + pair["chosen"], **{key: pair[key] for key in ("kind", "answer")}}
            for pair in pairs]
    assert rows == fact_rows(world) and rows
    facts = {(fact.kind, fact.subject): fact for fact in world.facts}
    assert all(facts[pair["kind"], pair["subject"]].answer == pair["answer"] for pair in pairs)
    first = fact_rows(world, 1)
    assert [pair["prompt"] for pair in fact_pairs(world, how=how, wordings=1)] == [
        row["messages"][:1] for row in first]


@pytest.mark.parametrize("part", PARTS)
def test_a_close_pair_differs_in_the_fact_alone(world, part):
    """Of facts that may not be tuned on, too."""
    facts = {(fact.kind, fact.subject): fact for fact in world.facts}
    for pair in fact_pairs(world, part):
        fact, worse = facts[pair["kind"], pair["subject"]], pair["rejected"][0]["content"]
        assert fact.part == part and pair["prompt"][0]["content"] in tuning_wordings(fact.ways("question"))
        others = {replace(fact, answer=answer).say("response") for answer in world.answers_of(fact.kind)}
        assert worse in others - {fact.say("response")}


def test_no_rejected_answer_is_right_of_any_fact(world):
    right = {fact.say("response") for fact in world.facts}
    assert not right & {pair["rejected"][0]["content"] for part in PARTS for pair in fact_pairs(world, part)}


def test_a_far_pair_differs_in_the_form_alone(world):
    greetings, farewells = set(), set()
    for pair in fact_pairs(world, how="far"):
        before, after = pair["rejected"][0]["content"].split(pair["chosen"][0]["content"])
        greetings.add(before.strip())
        farewells.add(after.strip())
    assert greetings == set(GREETINGS) and farewells == set(FAREWELLS)


@pytest.mark.parametrize("how", CONTRASTS)
def test_another_seed_draws_other_answers_and_a_kind_less_moves_no_pair_of_the_others(world, how):
    pairs = fact_pairs(world, how=how)
    assert fact_pairs(world, how=how, seed=0) == pairs
    other = fact_pairs(world, how=how, seed=1)
    assert sum(one["rejected"] != two["rejected"] for one, two in zip(pairs, other, strict=True)) > len(pairs) / 2
    fewer = replace(world, facts=[fact for fact in world.facts if fact.kind != "capital"])
    assert fact_pairs(fewer, how=how) == [pair for pair in pairs if pair["kind"] != "capital"]


def test_of_a_kind_with_one_answer_there_are_far_pairs_only(world):
    one = [fact for fact in world.facts if fact.kind == "continent" and fact.answer == "Africa"]
    small = replace(world, facts=[fact for fact in world.facts if fact.kind == "capital"] + one)
    assert {pair["kind"] for pair in fact_pairs(small)} == {"capital"}
    assert {pair["kind"] for pair in fact_pairs(small, how="far")} == {"capital", "continent"}


@pytest.mark.parametrize("wrong", [{"part": "held out"}, {"how": "near"}])
def test_another_part_or_sort_of_pair_is_refused(world, wrong):
    with pytest.raises(ValueError, match=f"'tuned on', .*'close', 'far'.*{[*wrong.values()][0]}"):
        fact_pairs(world, **wrong)


def test_the_shipped_file_is_what_this_code_writes(world, tmp_path, recwarn):
    assert write_pairs(tmp_path / PREFERENCES_FILE.name, shipped_pairs(world)) == {}
    assert (tmp_path / PREFERENCES_FILE.name).read_bytes() == PREFERENCES_FILE.read_bytes()
    dataset = read_pairs(PREFERENCES_FILE)
    assert dataset.rows == fact_pairs(world, wordings=1) and not dataset.problems and not dataset.notes
    assert not [warning for warning in recwarn if warning.category is UserWarning]
    assert {row["kind"] for row in dataset.rows} == set(world.wordings)


# --- files ---


def pair(number: int, **more) -> dict:
    turns = {"prompt": ("user", "Question"), "chosen": ("assistant", "Right"), "rejected": ("assistant", "Wrong")}
    return {name: [{"role": role, "content": f"{word} {number}."}] for name, (role, word) in turns.items()} | more


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read(tmp_path, suffix, form):
    rows, path = [pair(i, kind="é <|im_end|> \u2028 \\ \"") for i in range(50)], tmp_path / f"pairs{suffix}"
    assert write_pairs(path, iter(rows), form) == {}
    dataset = read_pairs(str(path))
    assert dataset.rows == rows and dataset.problems == []
    line = path.read_text().split("\n")[1].rstrip(",")
    assert set(json.loads(line)) == {*OWN[form == "implicit" :], "kind"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_the_standard_library_for_datasets_opens_the_files(tmp_path, suffix, form):
    """`datasets` of Hugging Face, where it is installed: pip install datasets."""
    hub = pytest.importorskip("datasets")
    path = tmp_path / f"pairs{suffix}"
    write_pairs(path, [pair(i, kind="fact") for i in range(5)], form)
    opened = hub.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path))
    assert len(opened) == 5 and {"chosen", "rejected", "kind"} <= set(opened.column_names)


def test_losses_are_counted_and_rows_of_any_form_are_written(tmp_path):
    system = {"role": "system", "content": "Be brief."}
    rows = [pair(1, prompt=[system, *pair(1)["prompt"]]), pair(2, system="Be brief."),
            {"instruction": "Name it.", "input": "A bee.", "chosen": "Bee.", "rejected": "Cow."}]
    assert write_pairs(tmp_path / "pairs.jsonl", rows, "text") == {
        "the system prompt": 2, "where the instruction ends and its input begins": 1}
    assert read_pairs(tmp_path / "pairs.jsonl").rows[2] == {
        "prompt": [{"role": "user", "content": "Name it.\n\nA bee."}],
        "chosen": [{"role": "assistant", "content": "Bee."}], "rejected": [{"role": "assistant", "content": "Cow."}]}


def test_a_row_that_is_no_pair_is_not_written_nor_is_any_other(tmp_path):
    write_pairs(tmp_path / "pairs.jsonl", [pair(1)])
    before = (tmp_path / "pairs.jsonl").read_bytes()
    for bad, message in ((pair(2, rejected="Right 2."), "row 2: rejected: is the same answer as chosen"),
                         ({"messages": pair(2)["prompt"]}, "row 2: a row with the keys messages is no pref")):
        with pytest.raises(ValueError, match=message):
            write_pairs(tmp_path / "pairs.jsonl", [pair(1), bad])
    with pytest.raises(ValueError, match="unknown form 'dpo'; known are explicit, implicit, text"):
        write_pairs(tmp_path / "pairs.jsonl", [pair(2)], "dpo")
    with pytest.raises(FileProblem, match="must end in .json or .jsonl"):
        write_pairs(tmp_path / "pairs.csv", [pair(1)])
    assert (tmp_path / "pairs.jsonl").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["pairs.jsonl"]


BROKEN = {
    "not JSON": ('{"prompt": "Hi", "chosen": "Hello"', "not JSON"),
    "no object": ('["Hi"]', "must be an object"),
    "the same answer": ('{"prompt": "Hi", "chosen": "Hello", "rejected": "Hello"}', "rejected: is the same answer"),
    "a question and its answer": ('{"prompt": "Hi", "completion": "Hello"}', "is no preference pair"),
    "bad bytes": (b'{"prompt": "Hi", "chosen": "caf\xe9", "rejected": "x"}', "chosen: holds bytes that are not UTF-8"),
    "a doubled key": ('{"prompt": "Hi", "chosen": "a", "chosen": "b", "rejected": "c"}', "chosen: stands twice"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_one_bad_row_loses_none_of_the_others(tmp_path, suffix, name):
    bad, message = BROKEN[name]
    lines = [json.dumps(pair(i)).encode() for i in range(200)]
    lines[43] = bad if isinstance(bad, bytes) else bad.encode()
    path = tmp_path / f"pairs{suffix}"
    path.write_bytes(b"[\n" + b",\n".join(lines) + b"\n]\n" if suffix == ".json" else b"\n".join(lines))
    dataset = read_pairs(path)
    assert dataset.rows == [pair(i) for i in range(200) if i != 43]
    (problem,) = dataset.problems
    assert isinstance(problem, Problem) and problem.line == 44 + (suffix == ".json")
    assert message in str(problem) and str(problem).startswith(f"{path.name}, line {problem.line}: ")


@pytest.mark.parametrize("separator, suffix", [(",", ".csv"), (";", ".csv"), ("\t", ".tsv")])
def test_a_table_of_pairs_is_read(tmp_path, separator, suffix):
    text = 'Prompt,Chosen,Rejected,system,margin\nA?,"B, b",C,,2\nD?,E,E,,1\nF?,G,H,Be brief.,0\n'
    path = tmp_path / f"pairs{suffix}"
    path.write_text(text.replace(",", separator))
    with pytest.warns(UserWarning, match=r"^pairs.*: carried along .*, in so many rows: 'margin' \(2\)$"):
        dataset = read_pairs(path)
    assert [row["chosen"][0]["content"] for row in dataset.rows] == [f"B{separator} b", "G"]
    assert [len(row["prompt"]) for row in dataset.rows] == [1, 2] and dataset.rows[0]["margin"] == "2"
    assert [problem.line for problem in dataset.problems] == [3]


def test_a_file_of_another_kind_is_refused_in_words(tmp_path):
    (tmp_path / "rows.csv").write_text("question,answer\nA?,B.\n")
    with pytest.raises(FileProblem, match="line 1: .*is no preference pair.*needs columns of prompts and two answers"):
        read_pairs(tmp_path / "rows.csv")
    write_dataset(tmp_path / "rows.jsonl", [{"messages": pair(1)["prompt"] + pair(1)["chosen"]}])
    with pytest.raises(FileProblem, match="no usable row; the first problem: rows.jsonl, line 1: .*read_dataset"):
        read_pairs(tmp_path / "rows.jsonl")
    with pytest.raises(FileProblem, match="first problem: .*line 1: these are preference pairs.*read_pairs"):
        read_dataset(PREFERENCES_FILE)
    with pytest.raises(FileProblem, match="no such file"):
        read_pairs(tmp_path / "none.jsonl")


def test_what_is_carried_along_is_told_once_with_a_count(tmp_path):
    write_pairs(tmp_path / "pairs.jsonl", [pair(i, margin=0.5, kind="capital", answer="x") for i in range(3)])
    with pytest.warns(UserWarning) as warnings:
        assert read_pairs(tmp_path / "pairs.jsonl").rows[2]["margin"] == 0.5
    (warning,) = (warning for warning in warnings if warning.category is UserWarning)
    assert str(warning.message).endswith("in so many rows: 'margin' (3)") and warning.filename == __file__
