"""Checks of notebook 02."""

from helpers.checks import check, expect, require


def turns(*talk: tuple[str, str]) -> list[dict]:
    return [{"role": role, "content": content} for role, content in talk]


@check
def messages_to_alpaca(convert) -> str:
    question, answer = "What is the capital of Peru?", "The capital of Peru is Lima."
    row = require(convert({"messages": turns(("user", question), ("assistant", answer))}))
    expect(isinstance(row, dict), f"an Alpaca row is a dict; yours is a {type(row).__name__}")
    expect("instruction" in row, f"the key 'instruction' is missing; your row has {', '.join(map(str, row))}")
    expect("output" in row, f"the key 'output' is missing; your row has {', '.join(map(str, row))}")
    expect(
        not (row["instruction"] == answer and row["output"] == question),
        "question and answer have changed places: the user's turn is the instruction",
    )
    expect(
        isinstance(row["instruction"], str) and isinstance(row["output"], str),
        "instruction and output should be the texts of the turns, not the turns; take their 'content'",
    )
    expect(
        "input" in row,
        "Alpaca rows have three keys: a row without an input still has the key 'input', with an empty text",
    )
    expect(
        row["input"] == "", f"there is no input in this row, so 'input' should be an empty text, not {row['input']!r}"
    )
    right = {"instruction": question, "input": "", "output": answer}
    expect(row == right, f"nearly. Expected {right}, got {row}")
    system = convert({"messages": turns(("system", "Be concise."), ("user", question), ("assistant", answer))})
    expect(
        not (isinstance(system, dict) and "Be concise." in str(system.get("instruction"))),
        "with a system prompt in front, your instruction holds the system prompt. Alpaca has no place for one: "
        "return None",
    )
    expect(system is None, "a row with a system prompt loses it in Alpaca's form, silently; return None for such a row")
    longer = turns(("user", question), ("assistant", answer), ("user", "And of Chile?"), ("assistant", "Santiago."))
    several = convert({"messages": longer})
    expect(
        not (isinstance(several, dict) and several.get("instruction") == "And of Chile?"),
        "of two questions you keep the last: 'And of Chile?' alone cannot be understood; return None for such a row",
    )
    expect(several is None, "of a conversation with two questions only one is left in your row; return None instead")
    return "What fits is converted, what would lose something is refused. Nothing goes missing unnoticed."


FINE = {
    "one question": turns(("user", "a"), ("assistant", "b")),
    "two questions": turns(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")),
    "a system prompt": turns(("system", "s"), ("user", "a"), ("assistant", "b")),
}


@check
def first_wrong_turn(find) -> str:
    require(find(FINE["one question"]))
    for name, talk in FINE.items():
        place = find(talk)
        expect(place != len(talk), f"the conversation with {name} ends with an answer, as it should; you say {place}")
        expect(place == -1, f"the conversation with {name} is in order, so the answer is -1; you say {place}")

    def case(number: int, message: str, *talk: tuple[str, str]) -> None:
        place = find(turns(*talk))
        roles = ", ".join(role for role, _ in talk)
        expect(place == number, f"{message} (roles: {roles}). Expected {number}, you say {place}")

    case(0, "an assistant that speaks first answers nothing", ("assistant", "b"))
    case(1, "two questions in a row: the second one stands where an answer is due", ("user", "a"), ("user", "b"))
    case(2, "two answers in a row", ("user", "a"), ("assistant", "b"), ("assistant", "c"))
    case(
        1,
        "behind the system prompt a question is due, not an answer: looking at neighbours for equal roles "
        "does not find that",
        ("system", "s"),
        ("assistant", "b"),
    )
    case(
        2,
        "a system prompt may stand in front only",
        ("user", "a"),
        ("assistant", "b"),
        ("system", "s"),
        ("user", "c"),
        ("assistant", "d"),
    )
    case(1, "'bot' is no role of this format", ("user", "a"), ("bot", "b"))
    case(
        1,
        "the last question has no answer, so what is wrong is the turn that is not there: its number is the length",
        ("user", "a"),
    )
    case(1, "an empty answer teaches a model to say nothing", ("user", "a"), ("assistant", ""))
    case(1, "an answer of nothing but spaces is empty too", ("user", "a"), ("assistant", "  \n"))
    return "Roles in turn, texts that are not empty, an answer at the end: such rows can be trained on."


@check
def lcs_length(count) -> str:
    def of(a: str, b: str):
        return count(a.split(), b.split())

    length = require(of("name the capital", "name the capital"))
    expect(not 0 < length <= 1, "two equal texts of 3 words share all 3; return the plain number of words, not a share")
    expect(length == 3, f"two equal texts of 3 words share all 3; you say {length}")
    expect(of("a b", "c d") == 0, "two texts without a common word have a common subsequence of length 0")
    length = of("what is the capital of peru", "what is the main language of peru")
    expect(
        length != 3,
        "'what is the capital of peru' and 'what is the main language of peru' have 5 words in common and in order: "
        "what is the … of peru. You say 3, which is the longest piece WITHOUT a gap; a subsequence may skip words",
    )
    expect(length == 5, f"what is the … of peru: 5 words, in order, with gaps; you say {length}")
    length = of("peru of capital the is what", "what is the capital of peru")
    expect(
        length != 6,
        "the same words backwards share 6 words, but not in the same order; order counts, so here the length is 1",
    )
    expect(length == 1, f"for a text and its reverse (6 different words) the length is 1; you say {length}")
    length = of("the the the", "the cat")
    expect(
        length != 3, "'the the the' and 'the cat': a word of one text can be matched with one word of the other only"
    )
    expect(length == 1, f"'the the the' and 'the cat' share one word; you say {length}")
    length = of("the cat", "the the the")
    expect(length == 1, f"'the cat' and 'the the the' share one word; you say {length}. A word counts once")
    for one, other in (("a b c d", "c d a b d"), ("c d a b d", "a b c d")):
        length = of(one, other)
        expect(
            length == 3,
            f"{one!r} and {other!r} share a b d, 3 words; you say {length}. Taking the first match that comes is not "
            "always best: keep the better of two choices at every pair of words",
        )
    try:
        nothing = count([], ["a"])
    except IndexError:
        nothing = None
    expect(nothing == 0, "an empty text shares nothing: the length is 0, with no step of the loop taken")
    return "Order counts, gaps do not. Twice this length over the words of both texts is ROUGE-L."
