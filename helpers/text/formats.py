"""One row of an instruction dataset in the four formats in use: checked, read and converted.

    alpaca             {"instruction": "...", "input": "...", "output": "..."}         Taori et al. 2023
    messages           {"messages": [{"role": "user", "content": "..."}, ...]}         OpenAI, TRL
    prompt_completion  {"prompt": "...", "completion": "..."}                          TRL
    sharegpt           {"conversations": [{"from": "human", "value": "..."}, ...]}     ShareGPT

Every format is read into the course's own row, {"messages": [...]}, in which a user's turn may keep an "input" apart
and an answer that is not to be trained on has "weight": 0. Other keys of a row (its kind, say) are carried along; other
keys of a turn are dropped, which `parse` and `convert` say. Not here: other names of fields and roles, and data of
other kinds (shapes.py), files (datasets.py), token ids (templates.py).
"""

from __future__ import annotations

from itertools import islice

from helpers.text.shapes import (
    BEFORE,
    BY_COLUMNS,
    PAIRS,
    PREFERENCE,
    ROLE_OF,
    TOOL_ROLES,
    TURN_WEIGHTS,
    RowProblem,
    blank,
    hint,
    respell,
    see_only_text,
    see_trainable,
    system_and_history,
    text,
    weight_of,
)
from helpers.text.templates import text_of

KEYS = {  # the keys by which a format is known
    "alpaca": ("instruction", "output"),
    "messages": ("messages",),
    "prompt_completion": ("prompt", "completion"),
    "sharegpt": ("conversations",),
}
FORMATS = tuple(KEYS)
TURNS = {  # of formats with turns: the keys of a turn, and the format's word for each role
    "messages": ("role", "content", {"system": "system", "user": "user", "assistant": "assistant"}),
    "sharegpt": ("from", "value", {"system": "system", "user": "human", "assistant": "gpt"}),
}
OWN = {"alpaca": ("instruction", "input", "output"), **{name: KEYS[name] for name in FORMATS[1:]}}


def detect(row) -> str:
    """The format of a row, by its keys, or that into which it can be respelled."""
    if not isinstance(row, dict):
        raise RowProblem("", f"a row must be an object with named fields; this one is a {type(row).__name__}")
    matches = [name for name in FORMATS if all(key in row for key in KEYS[name])]
    if not matches and (row_in_format := respell(row)):
        return detect(row_in_format)
    near = [name for name in FORMATS if any(key in row for key in KEYS[name])]
    if not matches and (what := hint(row)):
        raise RowProblem("", what)
    if not matches and len(near) == 1:
        raise missing_key(next(key for key in KEYS[near[0]] if key not in row), near[0])
    if len(matches) != 1:
        forms = "; ".join(f"{name}: {', '.join(keys)}" for name, keys in KEYS.items())
        why = f"fits {' and '.join(matches)} at once" if matches else "fits no format"
        raise RowProblem("", f"a row with the keys {key_names(row) or '(none)'} {why}. Known are {forms}")
    return matches[0]


def key_names(keys) -> str:
    """Keys as a problem names them: the first ten, long ones cut, as where a table's first row stands for its names."""
    names = [name if len(name := str(key)) <= 40 else f"{name[:39]}…" for key in islice(keys, 10)]
    return ", ".join(names + [f"and {len(keys) - 10:,} more"] * (len(keys) > 10))


def missing_key(key: str, source: str) -> RowProblem:
    """The problem of a row that lacks a key of its format."""
    return RowProblem(key, f"is missing; a row of format {source} needs {', '.join(KEYS[source])}")


def read_row(row: dict, source: str | None = None) -> dict:
    """A row of any format -> {"messages": [...], other keys}. Raises RowProblem with the field and the remedy."""
    return parse(row, source)[0]


def parse(row: dict, source: str | None = None) -> tuple[dict, list[str]]:
    """`read_row`, and what of the row the course's has no place for: keys of its turns."""
    if source is not None and source not in FORMATS:
        raise ValueError(f"unknown format {source!r}; known are {', '.join(FORMATS)}")
    if not isinstance(row, dict):
        detect(row)
    see_only_text(row)
    see_trainable(row)
    original, losses = row, []
    if source is None:
        source = detect(row)
        row = row if all(key in row for key in KEYS[source]) else respell(row)
    for key in KEYS[source]:
        if key not in row:
            raise missing_key(key, source)
    try:
        talk = own_turns(row, source, losses)
    except RowProblem as problem:
        if any(all(key in row for key in pair) for pair in PAIRS):  # of which the answers stand beside the turns
            raise RowProblem("", PREFERENCE) from None
        raise in_its_words(problem, original, row) from None
    talk = after_system_and_history(row, talk, losses)
    more = {key: value for key, value in row.items() if key not in (*OWN[source], *BEFORE)}
    return {"messages": talk} | more, list(dict.fromkeys(losses))


def after_system_and_history(row: dict, talk: list[dict], losses: list[str]) -> list[dict]:
    """A row's own turns after the system prompt and the earlier turns that stand beside them."""
    system, history = system_and_history(row)
    earlier = read_turns(history, "history", "messages", losses) if history else []
    prompts = [system] * bool(system) + [turn["content"] for turn in earlier + talk if turn["role"] == "system"]
    if len(set(prompts)) > 1:
        raise RowProblem("system", "the row has two system prompts, one beside its turns; keep one of them")
    talk = [turn for turn in earlier + talk if turn["role"] != "system"]
    return [{"role": "system", "content": prompt} for prompt in prompts[:1]] + talk


def own_turns(row: dict, source: str, losses: list[str]) -> list[dict]:
    """The turns of a row that has the keys of its format, without those that stand beside them."""
    if source in TURNS:
        return read_turns(row[KEYS[source][0]], KEYS[source][0], source, losses)
    question, answer = KEYS[source]
    values = row[question], row[answer]
    many = [isinstance(value, list | dict) and any(not isinstance(one, dict) for one in value) for value in values]
    if all(many):
        raise RowProblem(question, BY_COLUMNS)
    if all(isinstance(value, list) for value in values):  # TRL's conversations of prompt and completion
        return read_turns(values[0] + values[1], f"{question} and {answer}", "messages", losses)
    talk = [{"role": "user", "content": text(row, question)}]
    if source == "alpaca" and not blank(row.get("input")):
        talk[0]["input"] = text(row, "input")
    return [*talk, {"role": "assistant", "content": text(row, answer)}]


def in_its_words(problem: RowProblem, row: dict, respelled_row: dict) -> RowProblem:
    """The problem of a row that was respelled, with the name that the field has in the row itself."""
    field, bracket, place = problem.field.partition("[")
    own = (key for key in row if key not in respelled_row and row[key] is respelled_row.get(field))
    name = next(own, field) + bracket + place
    return RowProblem(name, str(problem).removeprefix(f"{problem.field}: "))


def read_turns(turns, place: str, source: str, losses: list[str]) -> list[dict]:
    """The turns of a conversation: a system prompt at most, then user and assistant in turn, an answer last. What is
    dropped is added to `losses`."""
    word_for = TURNS[source][2]
    if not isinstance(turns, list) or not turns:
        raise RowProblem(place, "must be a list of turns with at least one question and one answer")
    talk: list[dict] = []
    for number, turn in enumerate(turns):
        at = f"{place}[{number}]"
        if not isinstance(turn, dict):
            who, what, _ = TURNS[source]
            raise RowProblem(at, f"a turn must be an object with {who} and {what}, not a {type(turn).__name__}")
        see_only_text(turn, f"{at}.")
        who = next((key for key in ("role", "from") if key in turn), TURNS[source][0])
        what = next((key for key in ("content", "value", "text") if key in turn), TURNS[source][1])
        if turn and who not in turn and what not in turn:
            keys = f"there are no {who} and {what}, but {key_names(turn)}"
            raise RowProblem(at, f"{keys}; write each question and each answer as a turn of its own")
        role = role_of(turn.get(who), f"{at}.{who}", word_for)
        if role == "system" and not talk and blank(turn.get(what)):
            continue  # a blank system prompt is none
        may_follow = ("user",) if talk and talk[-1]["role"] in ("system", "assistant") else ("assistant",)
        may_follow = ("system", "user") if not talk else may_follow
        if role not in may_follow:
            due = " or ".join(word_for[role] for role in may_follow)
            raise RowProblem(
                f"{at}.{who}",
                f"{turn[who]!r} cannot stand here, where {due} is due: user and assistant speak in turn, after one "
                "system prompt at most. Reorder or join the turns",
            )
        talk.append({"role": role, "content": text(turn, what, f"{at}.")})
        if role == "user" and not blank(turn.get("input")):
            talk[-1]["input"] = text(turn, "input", f"{at}.")
        if role == "assistant" and not weight_of(turn, f"{at}."):
            talk[-1]["weight"] = 0
        if role != "assistant" and any(not blank(turn.get(key)) for key in TURN_WEIGHTS) and weight_of(turn, f"{at}."):
            raise RowProblem(
                at, f"asks for training on a turn of the {role}; answers alone are trained on. Remove that"
            )
        own = (who, what, *TURN_WEIGHTS, *(["input"] if role == "user" else []))
        losses += [f"{key!r} of a turn" for key, value in turn.items() if key not in own and not blank(value)]
        if isinstance(turn[what], list) and len(turn[what]) > 1:
            losses.append("where one part of a text ends and the next begins")
    if not talk or talk[-1]["role"] != "assistant":
        last = f"ends with a turn of the {talk[-1]['role']}" if talk else "holds no more than a blank system prompt"
        raise RowProblem(place, f"{last}; nothing answers it. Add the answer")
    if talk[-1].get("weight") == 0:
        raise RowProblem(
            place, "its last answer is not to be trained on, and nothing comes after it; remove both turns"
        )
    return talk


def role_of(word, at: str, word_for: dict[str, str]) -> str:
    """The role that a turn's word for it means. RowProblem, at the field `at`, for a word that means none."""
    name = word.strip().lower() if isinstance(word, str) else ""
    if name in TOOL_ROLES:
        raise RowProblem(at, f"{word!r} is a turn of a tool; the course tunes on text alone. Remove the row")
    if name not in ROLE_OF:
        raise RowProblem(at, f"{word!r:.60} is no role of this format; use one of {', '.join(word_for.values())}")
    return ROLE_OF[name]


def write_row(row: dict, target: str) -> tuple[dict, list[str]]:
    """The course's row in another format, and what that format has no place for (an empty list: nothing is lost). Where
    a key that is carried along has the name of one of the format's own, the format's own stays."""
    if target not in FORMATS:
        raise ValueError(f"unknown format {target!r}; known are {', '.join(FORMATS)}")
    talk, own = row["messages"], (*OWN[target], *BEFORE)
    more = {key: value for key, value in row.items() if key != "messages" and key not in own}
    losses = [f"the row's own {key!r}, a name that the format needs" for key in row if key != "messages" and key in own]
    if target in TURNS:
        who, what, word_for = TURNS[target]
        turns = [{who: word_for[turn["role"]], what: text_of(turn)} | weight_of_answer(turn) for turn in talk]
        if any(turn.get("input") for turn in talk):
            losses.append("where the instruction ends and its input begins")
        return {KEYS[target][0]: turns} | more, losses
    last = len(talk) - 2  # these formats hold one question and one answer: the last
    if talk[0]["role"] == "system":
        losses.append("the system prompt")
    if last > (talk[0]["role"] == "system"):
        losses.append("the earlier turns")
    question, answer = talk[last], talk[last + 1]["content"]
    if target == "alpaca":
        return {"instruction": question["content"], "input": question.get("input", ""), "output": answer} | more, losses
    if question.get("input"):
        losses.append("where the instruction ends and its input begins")
    return {"prompt": text_of(question), "completion": answer} | more, losses


def weight_of_answer(turn: dict) -> dict:
    """What a format says of an answer that is not to be trained on."""
    return {"weight": 0} if turn.get("weight") == 0 else {}


def convert(row: dict, target: str, source: str | None = None) -> tuple[dict, list[str]]:
    """A row of one format in another, and what was lost on the way."""
    course_row, losses = parse(row, source)
    in_target, more_losses = write_row(course_row, target)
    return in_target, losses + more_losses
