"""A tokenizer of another maker gives the ids that the standard library gives, or is refused in words."""

import json

import pytest
from hypothesis import assume, given, settings
from tokenizers import Regex, decoders, models, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as LibraryTokenizer

from helpers.bridge.foreign_tokenizer import LLAMA3_PIECES, ForeignTokenizer, read_tokenizer
from helpers.files import FileProblem
from helpers.text.templates import render
from helpers.text.tokenizer import Tokenizer
from tests.conftest import sample
from tests.text.test_tokenizer import NASTY, TEXT

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>"]


def byte_level(use_regex: bool):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


CUTS = {
    "GPT-2": lambda: byte_level(True),
    "SmolLM2": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(True)]),
    "Llama 3": lambda: pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA3_PIECES), behavior="isolated"), byte_level(False)]
    ),
}


def trained(documents, cut: str, size: int = 900) -> LibraryTokenizer:
    """A tokenizer that the standard library trains; its ids are in the library's order, reserved ones first."""
    library = LibraryTokenizer(models.BPE(ignore_merges=cut == "Llama 3"))
    library.pre_tokenizer, library.decoder = CUTS[cut](), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    library.train_from_iterator(
        documents[:400],
        trainers.BpeTrainer(
            vocab_size=size, special_tokens=SPECIAL, initial_alphabet=sorted(alphabet), show_progress=False
        ),
    )
    if cut == "Llama 3":
        first = [("<|begin_of_text|>", library.token_to_id("<|begin_of_text|>"))]
        template = processors.TemplateProcessing(single="<|begin_of_text|> $A", special_tokens=first)
        library.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    return library


@pytest.fixture(scope="session", params=CUTS)
def both(request, documents):
    """The library's tokenizer and ours, read from what the library writes."""
    library = trained(documents, request.param)
    ours = read_tokenizer(json.loads(library.to_str()), "tokenizer.json", 1000)
    assert isinstance(ours, ForeignTokenizer)
    return library, ours


def same(both, text: str) -> None:
    library, ours = both
    encoding = library.encode(text)
    assert [*ours.prefix, *ours.encode(text)] == encoding.ids
    assert ours.decode(ours.encode(text)) == text


@settings(max_examples=300)
@given(text=TEXT)
def test_any_text_has_the_ids_of_the_library(both, text):
    assume(not any(name in text for name in SPECIAL))
    same(both, text)


@pytest.mark.parametrize("text", [text for text in NASTY if text not in SPECIAL])
def test_nasty_text_too(both, text):
    same(both, text)


def test_documents_too(both, documents):
    for text in sample(documents, 300):
        same(both, text)


def test_reserved_tokens_are_known_and_no_text_gives_them(both):
    library, ours = both
    assert ours.special == {name: library.token_to_id(name) for name in SPECIAL}
    assert ours.decode([ours.special["<|im_end|>"]]) == "<|im_end|>"
    assert not set(ours.encode("".join(SPECIAL))) & set(ours.special.values())
    assert ours.vocab_size == 1000 and ours.decode([999]) == ""


def test_the_courses_templates_use_its_tokens(both):
    _, ours = both
    ids, mask = render([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}], "chatml", ours)
    assert ours.decode(ids).endswith("<|im_start|>assistant\nHo<|im_end|>\n") and any(mask)
    with pytest.raises(ValueError, match="this tokenizer has no token '<s>'.*Choose another template"):
        render([{"role": "user", "content": "Hi"}], "llama2", ours)


def test_the_courses_own_tokenizer_comes_back_as_itself(tokenizer):
    own = read_tokenizer(json.loads(json.dumps(tokenizer.as_json())), "tokenizer.json", tokenizer.vocab_size)
    assert type(own) is Tokenizer and own.merges == tokenizer.merges


def test_with_more_rows_than_tokens_it_gives_the_same_ids(tokenizer, documents):
    padded = read_tokenizer(tokenizer.as_json(), "tokenizer.json", 704)
    assert padded.vocab_size == 704 and padded.special == tokenizer.special and padded.decode([703]) == ""
    assert padded.prefix == [tokenizer.special["<|endoftext|>"]]
    for text in [*NASTY, *sample(documents, 100)]:
        assert padded.encode(text) == tokenizer.encode(text)


def set_model(**what):
    return lambda data: data["model"].update(what)


def set_cut(cut):
    return lambda data: data.update(pre_tokenizer=cut)


WRONG = {
    "byte_fallback": set_model(byte_fallback=True),
    "type Unigram": set_model(type="Unigram"),
    "end_of_word_suffix": set_model(end_of_word_suffix="</w>"),
    "normalizer, NFC": lambda data: data.update(normalizer={"type": "NFC"}),
    "ends in Metaspace": set_cut({"type": "Metaspace"}),
    "ends in None": set_cut(None),
    "type ByteLevel with settings": set_cut({"type": "ByteLevel", "add_prefix_space": True}),
    "type Split with settings": set_cut({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": " "}, "behavior": "Removed", "invert": False}, {"type": "ByteLevel"}]}),
    r"\\p{Script} in its": set_cut({"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": r"\p{Script}"}, "behavior": "Isolated"}, {"type": "ByteLevel"}]}),
    "type BertProcessing": lambda data: data.update(post_processor={"type": "BertProcessing"}),
    "tokens after each text": lambda data: data.update(post_processor={"type": "TemplateProcessing", "single": [
        {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<|endoftext|>"}}]}),
    "token id 5000, but": lambda data: data["model"]["vocab"].update(abc=5000),
    "damaged": lambda data: data["model"]["vocab"].pop("a"),
    "damaged, or": lambda data: data.pop("model"),
    "damaged, or no": lambda data: data["model"]["vocab"].update({"日": 950}),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_what_is_not_known_is_refused_in_words(documents, words):
    data = json.loads(trained(documents[:20], "GPT-2", 300).to_str())
    WRONG[words](data)
    with pytest.raises(FileProblem, match=f"some/tokenizer.json: .*{words}"):
        read_tokenizer(data, "some/tokenizer.json", 1000)
