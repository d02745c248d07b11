"""What people write in place of a format's own words: read where its meaning is plain, else refused by its name.

    question, query ... response, answer ...         other names of the fields        read
    "Bot", "chatgpt", "developer"                    other names of a role            read
    input and output alone, conversation             the question, the turns          read
    system, history                                  what stands before the turns     read
    null, NaN, "", blanks                            nothing                          no input, no system prompt
    [{"type": "text", "text": "..."}]                a text in parts                  joined
    weight 0, train false                            what is not to be trained on     kept as "weight": 0, or refused
    chosen and rejected, tool_calls, images          data of another kind             refused, with what they are

Not here: the four formats themselves (formats.py), rows that are preference pairs (pair_forms.py), what a file is
(files.py), how JSON is read (json_rows.py).
"""

from __future__ import annotations

import re

QUESTIONS = ("instruction", "prompt", "question", "query", "inputs")
ANSWERS = ("output", "completion", "response", "answer", "targets")
SYSTEM = ("system", "system_prompt")
BEFORE = (*SYSTEM, "history")  # keys of a row whose texts come before its own turns
ROLE_OF = {  # whatever its capitals
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bot", "chatbot", "model", "ai"), "assistant"),
}
TOOL_ROLES = ("tool", "function", "function_call", "function_response", "observation", "ipython")
TURNS = ("conversation", "dialogue", "dialog")  # other names of the list of turns
WEIGHTS = ("weight", "loss_weight", "train")  # 0 or false: not to be trained on
TURN_WEIGHTS = (*WEIGHTS, "loss")  # of a turn; beside a row's turns a loss is a figure that somebody measured
OFF, ON = ("0", "0.0", "false", "no"), ("1", "1.0", "true", "yes")
WRONG = OFF[:3]  # what the key "label" says of a wrong answer, in rows for KTO
OTHER_DATA = {
    **dict.fromkeys(("tool_calls", "function_call", "tools", "functions"), "calls of tools"),
    **dict.fromkeys(("image", "images", "image_url", "input_image"), "pictures"),
    **dict.fromkeys(("audio", "audios", "input_audio", "video", "videos"), "sound or film"),
}
PAIRS = (  # the names of two answers, of which one is the better
    ("chosen", "rejected"),
    ("chosen_messages", "rejected_messages"),
    ("response_j", "response_k"),
    ("output_1", "output_2"),
)
PREFERENCE = (
    "these are preference pairs, for a method such as DPO: helpers.text.preferences.read_pairs(path) reads them. To "
    "tune on the better answer alone, write the question as prompt and what was chosen as completion"
)
HINTS = {  # keys of rows that are no questions with their answers -> what they are, and what could be done
    **dict.fromkeys(PAIRS, PREFERENCE),
    ("input_ids",): "these are the token ids of some tokenizer; bring the texts that they were made of",
    ("text", "role"): "this is one message of a tree or a script; put the turns of a conversation into one list, "
    '{"messages": [turn, turn]}',
    ("content", "role"): 'this is one turn; put the turns of a conversation into one list, {"messages": [turn, turn]}',
    ("value", "from"): "this is one turn; put the turns of a conversation into one list, "
    '{"conversations": [turn, turn]}',
}
BY_COLUMNS = (
    "holds many texts. Where this is a table by columns, write a row a line, with pandas: to_json('rows.jsonl', "
    "orient='records', lines=True); where it is a conversation, write its turns as messages"
)


class RowProblem(ValueError):
    """A row that cannot be used: `field` says where in the row, the message what is wrong and how to mend it."""

    def __init__(self, field: str, message: str):
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


def blank(value) -> bool:
    """Whether a field holds nothing: null, NaN, white space, an empty list."""
    return value is None or value != value or value in ([], {}) or (isinstance(value, str) and not value.strip())


def text(holder: dict, key: str, before: str = "") -> str:
    """A field that must be a text, not an empty one, and one that can be written as UTF-8."""
    value, at = holder.get(key), f"{before}{key}"
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        parts = ((f"{at}[{i}].", part) for i, part in enumerate(text_parts(value, at)))
        value = "".join(text(part, "text" if "text" in part else "value", before) for before, part in parts)
    if value is None or value != value:
        what = "there is none" if key not in holder else f"there is none ({'null' if value is None else 'NaN'})"
        raise RowProblem(at, f"must be a text, but {what}; fill it in or remove the row")
    if not isinstance(value, str):
        remedy = "write one text" if isinstance(value, list | dict) else "put it in quotes"
        raise RowProblem(at, f"must be a text, not {value!r:.60} ({type(value).__name__}); {remedy}")
    if not value.strip():
        raise RowProblem(at, "is empty; fill it in or remove the row")
    half = None if value.isascii() else re.search("[\ud800-\udfff]", value)
    if half and "\udc80" <= half[0] <= "\udcff":  # what stands for a byte that is not UTF-8
        raise RowProblem(at, "holds bytes that are not UTF-8; save the file with the encoding UTF-8")
    if half:
        what = (
            f"holds half a sign (the surrogate \\u{ord(half[0]):04x}), as is left where a program cuts an emoji in two"
        )
        raise RowProblem(at, f"{what}; remove that half, or write the whole sign")
    return value


def text_parts(parts: list[dict], at: str) -> list[dict]:
    """The parts of a text, each with its "text". RowProblem where one is something else, such as a picture."""
    for number, part in enumerate(parts):
        kind = part.get("type", "text")
        if kind not in ("text", "input_text", "output_text"):
            what = OTHER_DATA.get(kind, f"a part of type {kind!r}") if isinstance(kind, str) else "a part of no type"
            raise RowProblem(f"{at}[{number}]", f"{what}: this model reads text only; remove the row")
    return parts


def see_only_text(holder: dict, before: str = "") -> None:
    """RowProblem where a row or a turn holds what the course has no place for: calls of tools, pictures."""
    for key in holder.keys() & OTHER_DATA.keys():
        if not blank(holder[key]):
            what = f"holds {OTHER_DATA[key]}; the course tunes on text alone, which would be half of this row"
            raise RowProblem(f"{before}{key}", f"{what}. Remove the row")


def weight_of(holder: dict, before: str = "") -> int:
    """0 where a row, or a turn that stands at `before`, says that it is not to be trained on, else 1. RowProblem for a
    weight in between."""
    weights = [1]
    for key in TURN_WEIGHTS if before else WEIGHTS:
        if not blank(holder.get(key)):
            word = str(holder[key]).strip().lower()
            if word not in OFF + ON:
                what = (
                    f"{holder[key]!r:.60} is no weight that the course can give: an answer is trained on (1) or not (0)"
                )
                raise RowProblem(
                    f"{before}{key}", f"{what}. Use one of these, or rename the key if it means another thing"
                )
            weights.append(int(word in ON))
    return min(weights)


def see_trainable(row: dict) -> None:
    """RowProblem where a row says that it is not to be trained on, or that its answer is wrong."""
    if not weight_of(row):
        key = next(key for key in WEIGHTS if str(row.get(key)).strip().lower() in OFF)
        raise RowProblem(key, "says that this row is not to be trained on; remove the row, or this key")
    if str(row.get("label")).strip().lower() in WRONG:
        what = "an answer marked as wrong, as in rows for KTO: tuning would teach it"
        raise RowProblem("label", f"{what}. Remove the row; if this key means another thing, rename it")


def respell(row: dict) -> dict | None:
    """A row of one question and one answer under other names, or of turns without roles, in the words of a format; None
    where its meaning is not plain."""
    instances = row.get("instances")
    if "instruction" in row and isinstance(instances, list):  # the seed tasks of Self-Instruct
        if len(instances) != 1 or not isinstance(instances[0], dict):
            what = f"holds {len(instances)} examples; write each as a row with instruction, input and output"
            raise RowProblem("instances", what)
        return {key: value for key, value in row.items() if key != "instances"} | instances[0]
    turns = row.get("data")
    if (
        isinstance(turns, list) and turns and all(isinstance(turn, str) for turn in turns)
    ):  # UltraChat, as it came first
        talk = [{"role": ("user", "assistant")[i % 2], "content": turn} for i, turn in enumerate(turns)]
        return {key: value for key, value in row.items() if key != "data"} | {"messages": talk}
    for key in TURNS:
        if isinstance(row.get(key), list) and "messages" not in row and "conversations" not in row:
            return {("conversations" if name == key else name): value for name, value in row.items()}
    questions, answers = ([key for key in names if key in row] for names in (QUESTIONS, ANSWERS))
    if "input" in row and answers == ["output"] and not any(str(key).lower() in QUESTIONS for key in row):
        return {("instruction" if key == "input" else key): value for key, value in row.items()}
    if len(questions) > 1 and answers or len(answers) > 1 and questions:
        what = f"which of {', '.join(questions)} is asked, and which of {', '.join(answers)} answers?"
        raise RowProblem("", f"{what} Keep one of each, or name them instruction and output")
    if not (questions and answers):
        return None
    names = {questions[0]: "instruction", answers[0]: "output"}
    context = row.get("context")
    if "input" not in row and (isinstance(context, str) or blank(context)):  # as Dolly has it
        names["context"] = "input"
    return {names.get(key, key): value for key, value in row.items()}


def hint(row: dict) -> str:
    """What a row of no format seems to be, or nothing."""
    if "replies" in row or any(isinstance(value, dict) and "replies" in value for value in row.values()):
        return "this is a tree of messages; write each way from its root to an answer as a list, messages"
    if "text" in row and not any(key in row for key in (*QUESTIONS, "role")):
        return "this is a text to read on, as in pre-training; write what is asked as prompt, the answer as completion"
    if row and all(isinstance(value, dict) for value in row.values()):
        return f"holds {len(row):,} objects under names of their own; if these are rows, put them into a list, [...]"
    return next((what for keys, what in HINTS.items() if all(key in row for key in keys)), "")


def system_and_history(row: dict) -> tuple[str, list]:
    """The system prompt ("" for none) and the earlier turns that stand in columns beside a row's own turns."""
    key = next((key for key in SYSTEM if not blank(row.get(key))), None)
    system, history = text(row, key) if key else "", row.get("history")
    if blank(history):
        return system, []
    if not isinstance(history, list):
        raise RowProblem("history", "must be a list of pairs, [[question, answer], ...], or of turns")
    turns = []
    for number, part in enumerate(history):
        if isinstance(part, dict):
            turns.append(part)
        elif isinstance(part, list) and len(part) == 2:
            turns += [{"role": "user", "content": part[0]}, {"role": "assistant", "content": part[1]}]
        else:
            raise RowProblem(f"history[{number}]", "must be a pair, [question, answer], or a turn")
    return system, turns
