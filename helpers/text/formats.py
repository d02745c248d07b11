"""One row of an instruction dataset in the four formats in use: checked, read and converted.

    alpaca             {"instruction": "...", "input": "...", "output": "..."}         Taori et al. 2023
    messages           {"messages": [{"role": "user", "content": "..."}, ...]}         OpenAI, TRL
    prompt_completion  {"prompt": "...", "completion": "..."}                          TRL
    sharegpt           {"conversations": [{"from": "human", "value": "..."}, ...]}     ShareGPT

Every format is read into the course's own row, {"messages": [...]}, in which a user's turn may keep an "input" apart.
Other keys of a row (its kind, say) are carried along. Not here: files (datasets.py), token ids (templates.py).
"""

from __future__ import annotations

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


class RowProblem(ValueError):
    """A row that cannot be used: `field` says where in the row, the message what is wrong and how to mend it."""

    def __init__(self, field: str, message: str):
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


def detect(row) -> str:
    """The format of a row, by its keys."""
    if not isinstance(row, dict):
        raise RowProblem("", f"a row must be an object with named fields; this one is a {type(row).__name__}")
    matches = [name for name in FORMATS if all(key in row for key in KEYS[name])]
    near = [name for name in FORMATS if any(key in row for key in KEYS[name])]
    if not matches and len(near) == 1:
        raise missing_key(next(key for key in KEYS[near[0]] if key not in row), near[0])
    if len(matches) != 1:
        forms = "; ".join(f"{name}: {', '.join(keys)}" for name, keys in KEYS.items())
        why = f"fits {' and '.join(matches)} at once" if matches else "fits no format"
        raise RowProblem("", f"a row with the keys {', '.join(map(str, row)) or '(none)'} {why}. Known are {forms}")
    return matches[0]


def missing_key(key: str, source: str) -> RowProblem:
    """The problem of a row that lacks a key of its format."""
    return RowProblem(key, f"is missing; a row of format {source} needs {', '.join(KEYS[source])}")


def read_row(row: dict, source: str | None = None) -> dict:
    """A row of any format -> {"messages": [...], other keys}. Raises RowProblem with the field and the remedy."""
    source = source or detect(row)
    if source not in FORMATS:
        raise ValueError(f"unknown format {source!r}; known are {', '.join(FORMATS)}")
    if not isinstance(row, dict):
        detect(row)
    for key in KEYS[source]:
        if key not in row:
            raise missing_key(key, source)
    if source == "alpaca":
        talk = [{"role": "user", "content": text(row, "instruction")}]
        if row.get("input") not in (None, ""):
            talk[0]["input"] = text(row, "input")
        talk.append({"role": "assistant", "content": text(row, "output")})
    elif source == "prompt_completion":
        talk = [
            {"role": "user", "content": text(row, "prompt")},
            {"role": "assistant", "content": text(row, "completion")},
        ]
    else:
        talk = read_turns(row, source)
    return {"messages": talk} | {key: value for key, value in row.items() if key not in OWN[source]}


def read_turns(row: dict, source: str) -> list[dict]:
    """The turns of a conversation: a system prompt at most, then user and assistant in turn, an answer last."""
    place = KEYS[source][0]
    who, what, word_for = TURNS[source]
    role_of = {word: role for role, word in word_for.items()}
    if not isinstance(row[place], list) or not row[place]:
        raise RowProblem(place, "must be a list of turns with at least one question and one answer")
    talk: list[dict] = []
    for number, turn in enumerate(row[place]):
        at = f"{place}[{number}]"
        if not isinstance(turn, dict):
            raise RowProblem(at, f"a turn must be an object with {who} and {what}, not a {type(turn).__name__}")
        word = turn.get(who)
        if not isinstance(word, str) or word not in role_of:
            raise RowProblem(f"{at}.{who}", f"{word!r} is no role of this format; use one of {', '.join(role_of)}")
        role = role_of[word]
        may_follow = ("user",) if talk and talk[-1]["role"] in ("system", "assistant") else ("assistant",)
        may_follow = ("system", "user") if not talk else may_follow
        if role not in may_follow:
            due = " or ".join(word_for[role] for role in may_follow)
            raise RowProblem(
                f"{at}.{who}",
                f"{word!r} cannot stand here, where {due} is due: user and assistant speak in turn, after one system "
                "prompt at most. Reorder or join the turns",
            )
        talk.append({"role": role, "content": text(turn, what, f"{at}.")})
        if role == "user" and turn.get("input") not in (None, ""):
            talk[-1]["input"] = text(turn, "input", f"{at}.")
    if talk[-1]["role"] != "assistant":
        raise RowProblem(place, f"ends with a turn of the {talk[-1]['role']}; nothing answers it. Add the answer")
    return talk


def text(holder: dict, key: str, before: str = "") -> str:
    """A field that must be a text, not an empty one, and one that can be written as UTF-8."""
    value = holder.get(key)
    if not isinstance(value, str):
        raise RowProblem(
            f"{before}{key}", f"must be a text, not {value!r:.60} ({type(value).__name__}); put it in quotes"
        )
    if not value.strip():
        raise RowProblem(f"{before}{key}", "is empty; fill it in or remove the row")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise RowProblem(f"{before}{key}", "holds bytes that are not UTF-8; save the file with the encoding UTF-8")
    return value


def write_row(row: dict, target: str) -> tuple[dict, list[str]]:
    """The course's row in another format, and what that format has no place for (an empty list: nothing is lost)."""
    if target not in FORMATS:
        raise ValueError(f"unknown format {target!r}; known are {', '.join(FORMATS)}")
    talk, more = row["messages"], {key: value for key, value in row.items() if key != "messages"}
    losses = []
    if target in TURNS:
        who, what, word_for = TURNS[target]
        turns = [{who: word_for[turn["role"]], what: text_of(turn)} for turn in talk]
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


def convert(row: dict, target: str, source: str | None = None) -> tuple[dict, list[str]]:
    """A row of one format in another, and what was lost on the way."""
    return write_row(read_row(row, source), target)
