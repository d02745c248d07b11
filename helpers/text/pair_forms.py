"""One preference pair in the forms in use, two answers to one prompt of which one is better: checked, read and written.

    explicit   {"prompt": [turn, ...], "chosen": [turn], "rejected": [turn]}    TRL; the course's own
    implicit   {"chosen": [turn, ..., turn], "rejected": [turn, ..., turn]}     TRL; both begin with the prompt
    text       {"prompt": "...", "chosen": "...", "rejected": "..."}            TRL's standard format

Read are also the other names of shapes.py, a system prompt and a history beside the answers, and texts that name the
speakers ("\\n\\nHuman: ...\\n\\nAssistant: ...", as in hh-rlhf). The prompt ends with a user's turn; each answer is one
turn of the assistant, the last. Other keys of a row (a margin, say) are carried along. Not here: what a turn must be
(formats.py), files, and pairs made of the world (preferences.py).
"""

from __future__ import annotations

import re

from helpers.text.formats import ROLE_OF, after_system_and_history, detect, key_names, read_turns, weight_of_answer
from helpers.text.shapes import BEFORE, PAIRS, QUESTIONS, TURNS, RowProblem, blank, see_only_text, see_trainable, text
from helpers.text.templates import text_of

FORMS = ("explicit", "implicit", "text")
OWN = ("prompt", "chosen", "rejected")
NUMBERED = ("output_1", "output_2")  # names that say nothing: the key "preference", 1 or 2, says which is better
OTHER_PROMPTS = ("input", "messages", "conversations", *TURNS)  # where answers that stand alone may have their prompt
A_TURN = ("role", "from", "content", "value")  # of which a turn has one at least
SPEAKERS = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):")


def detect_pair(row) -> tuple[str, str]:
    """The names under which a row holds two answers. RowProblem for a row that is no pair."""
    if not isinstance(row, dict):
        detect(row)  # says what it is instead
    for names in PAIRS:
        if all(name in row for name in names):
            return names
    for names in PAIRS:
        if any(name in row for name in names):
            missing = next(name for name in names if name not in row)
            raise RowProblem(missing, f"is missing; a preference pair needs {names[0]} and {names[1]}")
    if "label" in row and any(key in row for key in ("completion", "response", "answer", "output")):
        what = "this is one answer and whether it is good (unpaired, as for KTO)"
        raise RowProblem("", f"{what}; write two answers to one prompt, as chosen and rejected")
    what = (
        f"a row with the keys {key_names(row) or '(none)'} is no preference pair, which needs prompt, chosen, rejected"
    )
    raise RowProblem("", f"{what}; questions with one answer are read by helpers.text.datasets.read_dataset(path)")


def parse_pair(row: dict) -> tuple[dict, list[str]]:
    """A row of any form -> {"prompt": [turn, ...], "chosen": [turn], "rejected": [turn], other keys}, and what of it is
    lost. Raises RowProblem with the field and the remedy."""
    names, used, losses = detect_pair(row), set(BEFORE), []
    see_only_text(row)
    see_trainable(row)
    if names == NUMBERED:
        names = better_first(row)
        used.add("preference")
    answers = [turns_of(row, name, "assistant") for name in names]
    if hold_the_prompt(answers, names):
        talks = [read_turns(turns, name, "messages", losses) for turns, name in zip(answers, names, strict=True)]
        see_shared_prompt(talks, names)
        if not blank(row.get("prompt")):
            see_same_prompt(row, talks[0])
            used.add("prompt")
    else:
        key, prompt, keys = prompt_of(row)
        used |= keys
        talks = [read_apart({key: prompt, name: turns}, losses) for name, turns in zip(names, answers, strict=True)]
        see_shared_prompt(talks, names)
    better, worse = (after_system_and_history(row, talk, losses) for talk in talks)
    if better[-1]["content"].strip() == worse[-1]["content"].strip():
        raise RowProblem(names[1], f"is the same answer as {names[0]}, so neither is better; remove the row")
    unused = {key: value for key, value in row.items() if key not in {*names, *used}}
    losses += [f"the row's own {key!r}, a name that the format needs" for key in OWN if not blank(unused.get(key))]
    more = {key: value for key, value in unused.items() if key not in OWN}
    return {"prompt": better[:-1], "chosen": better[-1:], "rejected": worse[-1:]} | more, list(dict.fromkeys(losses))


def better_first(row: dict) -> tuple[str, str]:
    """The names of two numbered answers, the better one first, as the row's "preference" says."""
    which = str(row.get("preference")).strip().removesuffix(".0")
    if which not in ("1", "2"):
        what = f"must be 1 or 2, the better one of {' and '.join(NUMBERED)}, not {row.get('preference')!r:.60}"
        raise RowProblem("preference", f"{what}; or name them chosen and rejected")
    return NUMBERED if which == "1" else NUMBERED[::-1]


def turns_of(row: dict, key: str, role: str) -> list[dict]:
    """What a field holds, as turns that are not checked yet: a text is one turn of a role, or those that its speakers
    say."""
    value = row[key]
    if isinstance(value, list | dict) and value:
        turns = value if isinstance(value, list) else [value]
        if not all(isinstance(turn, dict) and any(name in turn for name in A_TURN) for turn in turns):
            what = "must be a text or a list of turns, each with role and content"
            raise RowProblem(key, f"{what}; write one of these or, where this is a table by columns, a row a line")
        return turns
    words = text(row, key)
    if not (words.lstrip().startswith("Human:") and "\n\nAssistant:" in words):
        return [{"role": role, "content": words}]
    parts = SPEAKERS.split(words)[1:]
    turns = [
        {"role": ROLE_OF[speaker.lower()], "content": said.strip()}
        for speaker, said in zip(parts[::2], parts[1::2], strict=True)
    ]
    open_turn = role == "user" and not turns[-1]["content"]  # "\n\nAssistant:" at the end of a prompt
    return turns[:-1] if open_turn else turns


def role_in(turn: dict) -> str:
    """The role that a turn names, or nothing where it is none."""
    word = turn.get("role", turn.get("from"))
    return ROLE_OF.get(word.strip().lower(), "") if isinstance(word, str) else ""


def hold_the_prompt(answers: list[list[dict]], names: tuple[str, str]) -> bool:
    """Whether both answers begin with the prompt (implicit). RowProblem where one of them does."""
    first, second = (role_in(turns[0]) in ("user", "system", "" if turns[1:] else "user") for turns in answers)
    if first != second:
        longer, shorter = names if first else names[::-1]
        what = f"begins with the prompt, and {shorter} with an answer"
        raise RowProblem(longer, f"{what}; write both with the prompt, or both without it")
    return first


def prompt_of(row: dict) -> tuple[str, list[dict], set[str]]:
    """The field that holds the prompt of answers that stand alone, its turns, and the keys of the row in them."""
    keys = [key for key in QUESTIONS if not blank(row.get(key))]
    if any(row[key] != row[keys[0]] for key in keys):
        raise RowProblem("", f"which of {', '.join(keys)} is asked? Keep one of them, or name it prompt")
    keys = keys[:1] or [key for key in OTHER_PROMPTS if not blank(row.get(key))][:1]
    if not keys:
        if named := [key for key in QUESTIONS if key in row]:
            text(row, named[0])  # says what is wrong with it
        what = 'is missing, and nothing in the answers, as "\\n\\nHuman:" or a turn of the user, says what was asked'
        raise RowProblem("prompt", f"{what}; write the question as prompt, beside the answers")
    key = keys[0]
    prompt = turns_of(row, key, "user")
    if (last := role_in(prompt[-1])) in ("assistant", "system"):
        what = f"ends with a turn of the {last}; a prompt ends with the user's turn that both answers answer"
        raise RowProblem(key, f"{what}. Remove what comes after it, or add it")
    if key not in QUESTIONS or not isinstance(row[key], str):
        return key, prompt, {key}
    if not blank(row.get("input")):
        prompt[-1] = prompt[-1] | {"input": text(row, "input")}
    return key, prompt, {*(one for one in QUESTIONS if row.get(one) == row[key]), "input"}


def read_apart(fields: dict[str, list[dict]], losses: list[str]) -> list[dict]:
    """The turns of prompt and answer, which stand in two fields, as one conversation. RowProblem names the field."""
    (key, prompt), (name, answer) = fields.items()
    try:
        return read_turns(prompt + answer, "turns", "messages", losses)
    except RowProblem as problem:
        number, rest = re.fullmatch(r"turns(?:\[(\d+)\])?(.*)", problem.field).groups()
        place = name if number is None else f"{key}[{number}]"
        if number and int(number) >= len(prompt):
            place = f"{name}[{int(number) - len(prompt)}]"
        raise RowProblem(place + rest, str(problem).removeprefix(f"{problem.field}: ")) from None


def see_shared_prompt(talks: list[list[dict]], names: tuple[str, str]) -> None:
    """RowProblem where two conversations differ in more than their last turns."""
    better, worse = talks
    if better[:-1] == worse[:-1]:
        return
    alike = [one == other for one, other in zip(better, worse, strict=False)]
    shared = [*alike, False].index(False)
    both = " and ".join(names)
    if not any(turn["role"] == "user" for turn in better[:shared]):
        what = "have no prompt in common: they begin with different turns"
        raise RowProblem(both, f"{what}; bring two answers to the same question")
    counts = f"{len(better) - shared} and {len(worse) - shared} more turns"
    what = f"part after turn {shared}, with {counts}; a pair compares two answers, of one turn each"
    raise RowProblem(both, f"{what}. End both with the first answer that differs")


def see_same_prompt(row: dict, talk: list[dict]) -> None:
    """RowProblem where a prompt stands beside answers that begin with another one."""
    prompt = turns_of(row, "prompt", "user")
    if isinstance(row["prompt"], str) and len(prompt) == 1:
        same = any(text_of(turn).strip() == prompt[0]["content"].strip() for turn in talk[:-1])
    else:
        again = read_apart({"prompt": prompt, "the answer": talk[-1:]}, [])[:-1]
        same = again in (talk[:-1], [turn for turn in talk[:-1] if turn["role"] != "system"])
    if not same:
        what = "is not the prompt with which the two answers begin"
        raise RowProblem("prompt", f"{what}; keep one of the two")


def write_pair(pair: dict, form: str) -> tuple[dict, list[str]]:
    """A pair as `parse_pair` makes it, in one of FORMS, and what that form has no place for."""
    prompt, more = pair["prompt"], {key: value for key, value in pair.items() if key not in OWN}
    losses = ["where the instruction ends and its input begins"] if any(turn.get("input") for turn in prompt) else []
    if form == "text":
        if prompt[0]["role"] == "system":
            losses.append("the system prompt")
        if any(turn["role"] == "assistant" for turn in prompt):
            losses.append("the earlier turns")
        if not blank(more.pop("input", None)):
            losses.append("the row's own 'input', a name that the format needs")
        texts = {"prompt": text_of(prompt[-1]), **{name: pair[name][0]["content"] for name in OWN[1:]}}
        return texts | more, losses
    turns = {
        name: [{"role": turn["role"], "content": text_of(turn)} | weight_of_answer(turn) for turn in pair[name]]
        for name in OWN
    }
    if form == "explicit":
        return turns | more, losses
    return {name: turns["prompt"] + turns[name] for name in OWN[1:]} | more, losses
