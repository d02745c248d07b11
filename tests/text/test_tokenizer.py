"""Text in, the same text out; never a reserved id; and the same ids as the standard library gives."""

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer as LibraryTokenizer

from helpers.files import FileProblem
from helpers.text.tokenizer import SPECIALS, Tokenizer, train_tokenizer
from tests.conftest import sample

# Any text at all; text as people write it; text that tries to look like reserved tokens; white space and controls.
ANY = st.text(st.characters(exclude_categories=["Cs"]))
WORDS = st.lists(st.sampled_from(["The", " capital", " of", "France", "42", " 7", ".\n", "é", " œuf", "'s", "  "]))
MARKS = st.lists(st.sampled_from([*SPECIALS, "<|", "|>", "<", "|", "im_end", "im_start", ">", " ", "\n", "a"]))
CONTROLS = st.text("\t\n\v\f\r \x00\x01\x08\x0e\x1c\x1f\x7f\x85\xa0\u2003\u2028\u200b\ufeffa1.é")
TEXT = st.one_of(ANY, WORDS.map("".join), MARKS.map("".join), CONTROLS)
NASTY = [
    "", " ", "  a", "a  ", "\n\n\n", " \n a", "a \n", "\t\tx", "\r\n", "\x00", "a\x00\x7fb", "\x1c\x1d", "3.1e-10",
    "don't",
    "日本語 テキスト", "\U0001f469\u200d\U0001f467 ok", "e\u0301", "\u00a0 x", "x" * 500, " " * 300, "<|im_end|>",
    "<|im_end|", "\ufb01", "\U0010ffff",
]  # fmt: skip


# --- round trip ---


@given(text=TEXT)
def test_any_text_comes_back(tokenizer, text):
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode(np.array(ids, np.int64)) == text


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_comes_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_documents_come_back_and_are_short(tokenizer, documents):
    for text in sample(documents, 300):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
    together = sample(documents, 300)
    assert sum(len(tokenizer.encode(text)) for text in together) < 0.5 * sum(map(len, together))


def test_text_is_cut_into_words_numbers_marks_and_white_space(tokenizer):
    """A space goes with what follows it; of several, the last. No merge crosses a cut."""
    pieces = tokenizer.pattern.findall("The caf\u00e9's 42 cats:  x=7 \n\n def\x00 end ")
    assert pieces == ["The", " caf\u00e9", "'", "s", " 42", " cats", ":", " ", " x", "=", "7", " \n\n", " def", "\x00",
                      " end", " "]


def test_half_a_character_becomes_a_question_mark_not_an_error(tokenizer):
    """A lone surrogate, which broken input may hold, is no character and has no bytes."""
    assert tokenizer.decode(tokenizer.encode("a\ud800b")) == "a?b"


def test_a_cache_that_is_full_changes_nothing(documents):
    one = train_tokenizer(documents[:50], 400)
    before = one.encode(documents[0])
    one.cache = {str(i): [0] for i in range(50_001)}
    assert one.encode(documents[0]) == before and len(one.cache) < 50_000


# --- reserved tokens ---


@given(text=TEXT)
@example(text="".join(SPECIALS))
@example(text="x<|im_end|>\n<|im_start|>assistant\n")
def test_no_text_gives_a_reserved_id(tokenizer, text):
    assert not set(tokenizer.encode(text)) & set(tokenizer.special.values())


def test_reserved_tokens_are_written_by_name(tokenizer):
    for name, number in tokenizer.special.items():
        assert tokenizer.decode([number]) == name
        assert tokenizer.encode(name) != [number] and tokenizer.decode(tokenizer.encode(name)) == name


def test_every_id_has_one_meaning(tokenizer):
    assert tokenizer.vocab_size == 700
    assert sorted(tokenizer.special.values()) == list(range(700 - len(SPECIALS), 700))
    assert len(set(tokenizer.bytes_of)) == len(tokenizer.bytes_of) == 700 - len(SPECIALS)
    assert all(text for text in tokenizer.bytes_of)


@pytest.mark.parametrize("number", [-1, 700, 10**9])
def test_an_id_out_of_range_is_refused_in_words(tokenizer, number):
    with pytest.raises(ValueError, match=rf"token id {number} is outside .* 0 to 699"):
        tokenizer.decode([65, number])


def test_ids_cut_within_a_character_are_shown_as_such(tokenizer):
    ids = [*"日".encode()]
    assert tokenizer.decode(ids) == "日" and tokenizer.decode(ids[:2]) == "\ufffd"


# --- the standard library ---


@pytest.fixture(scope="module")
def library(tokenizer, tmp_path_factory):
    """The same tokenizer as Hugging Face's `tokenizers` reads it from our file."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(path)
    return LibraryTokenizer.from_file(str(path))


def pieces_without_specials(tokenizer, library, text: str) -> list[int]:
    """The library finds reserved tokens in text; asked not to, it must agree with us."""
    library.encode_special_tokens = True
    return library.encode(text, add_special_tokens=False).ids


@given(text=TEXT)
def test_the_library_gives_the_same_ids(tokenizer, library, text):
    assert tokenizer.encode(text) == pieces_without_specials(tokenizer, library, text)


@pytest.mark.parametrize("text", NASTY)
def test_the_library_gives_the_same_ids_for_nasty_text(tokenizer, library, text):
    assert tokenizer.encode(text) == pieces_without_specials(tokenizer, library, text)


def test_the_library_gives_the_same_ids_for_documents_and_the_same_text_back(tokenizer, library, documents):
    for text in sample(documents, 300):
        ids = tokenizer.encode(text)
        assert ids == pieces_without_specials(tokenizer, library, text)
        assert library.decode(ids) == text


def test_the_library_knows_the_reserved_tokens(tokenizer, library):
    assert {name: library.token_to_id(name) for name in SPECIALS} == tokenizer.special
    assert library.get_vocab_size() == tokenizer.vocab_size


# --- training ---


def test_training_is_deterministic(documents, tokenizer):
    again = train_tokenizer(documents[:600], 700)
    assert again.merges == tokenizer.merges
    assert train_tokenizer(documents[:600][::-1], 700).merges == tokenizer.merges, "the order of texts should not count"


def test_the_commonest_pair_is_merged_first_and_ties_go_to_the_smaller():
    tokenizer = train_tokenizer(["ef", "ef", "cd", "cd", "cd", "ab", "ab"], 268)
    assert tokenizer.bytes_of[256:] == [b"cd", b"ab", b"ef"]


def test_merges_follow_a_slow_count(documents):
    """Counting all pairs anew for each merge, instead of keeping the counts up to date, finds the same merges."""
    fast = train_tokenizer(documents[:40], 300)
    words = [list(piece.encode()) for text in documents[:40] for piece in fast.pattern.findall(text)]
    for number, pair in enumerate(fast.merges, 256):
        counts: dict = {}
        for ids in words:
            for neighbours in zip(ids, ids[1:], strict=False):
                counts[neighbours] = counts.get(neighbours, 0) + 1
        assert pair == min(counts, key=lambda p: (-counts[p], p))
        for ids in words:
            i = 0
            while i < len(ids) - 1:
                if (ids[i], ids[i + 1]) == pair:
                    ids[i : i + 2] = [number]
                i += 1


def test_training_ends_when_nothing_comes_twice():
    assert train_tokenizer(["abcdef"], 1000).vocab_size == 256 + len(SPECIALS)
    assert train_tokenizer([], 1000).encode("hé") == [*"hé".encode()]


def test_a_vocabulary_without_room_for_the_bytes_is_refused():
    with pytest.raises(ValueError, match="need 265"):
        train_tokenizer(["a"], 261)


# --- the file ---


def test_what_was_saved_is_loaded(tokenizer, documents, tmp_path):
    tokenizer.save(tmp_path / "tokenizer.json")
    loaded = Tokenizer.load(tmp_path / "tokenizer.json")
    assert loaded.merges == tokenizer.merges and loaded.special == tokenizer.special
    assert loaded.bytes_of == tokenizer.bytes_of
    for text in sample(documents, 50):
        assert loaded.encode(text) == tokenizer.encode(text)
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]


def changed(data: dict, path: str, value) -> str:
    """The file's text with one entry of its JSON replaced."""
    data = json.loads(json.dumps(data))
    *before, last = path.split("/")
    place = data
    for name in before:
        place = place[int(name) if isinstance(place, list) else name]
    place[int(last) if isinstance(place, list) else last] = value
    return json.dumps(data)


DAMAGED = {
    "empty": lambda data: "",
    "cut short": lambda data: json.dumps(data)[:-100],
    "not JSON": lambda data: "tokenizer",
    "another JSON": lambda data: '["a", 1]',
    "a number": lambda data: "7",
    "nested without end": lambda data: "[" * 100_000,
    "no model": lambda data: json.dumps({name: part for name, part in data.items() if name != "model"}),
    "no merges": lambda data: changed(data, "model/merges", None),
    "vocabulary of another kind": lambda data: changed(data, "model/vocab", ["a"]),
    "id of another kind": lambda data: changed(data, "model/vocab/a", "97"),
    "id far off": lambda data: changed(data, "model/vocab/a", 10**9),
    "another id": lambda data: changed(data, "model/vocab/a", 98),
    "merge of three": lambda data: changed(data, "model/merges/0", ["a", "b", "c"]),
    "merge of what is unknown": lambda data: changed(data, "model/merges/0", ["a", "nothing"]),
    "other order of merges": lambda data: changed(data, "model/merges", data["model"]["merges"][::-1]),
    "another cutting rule": lambda data: changed(data, "pre_tokenizer/pretokenizers/0/pattern/Regex", "a+"),
    "another reserved token": lambda data: changed(data, "added_tokens/0/content", "<|end|>"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_refused_in_words(tokenizer, tmp_path, case):
    path = tmp_path / "tokenizer.json"
    path.write_text(DAMAGED[case](tokenizer.as_json()))
    with pytest.raises(FileProblem, match="tokenizer.json: .*tokenizer.*of this course.*make rebuild"):
        Tokenizer.load(path)


def test_a_file_that_is_no_text_or_is_not_there_is_refused_in_words(tmp_path):
    (tmp_path / "tokenizer.json").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(FileProblem, match=r"^\S+tokenizer.json: not UTF-8 text"):
        Tokenizer.load(tmp_path / "tokenizer.json")
    with pytest.raises(FileProblem, match=r"^\S+none.json: there is no such file"):
        Tokenizer.load(tmp_path / "none.json")
