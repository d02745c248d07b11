"""A byte-level BPE tokenizer of another maker, from its tokenizer.json: the forms of GPT-2, SmolLM2 and Llama 3.

What differs from the course's own: the order of the ids, the rule by which text is cut into pieces, whole pieces that
are tokens without a merge (`ignore_merges`), and a token that is put before each text (`prefix`). What cannot be done
the same way is refused in words. As in the course, no text gives a reserved id; the standard library takes
"<|im_end|>" in a text for the token.

Letters and numbers are those of Python's Unicode version, which may know fewer or more than the library's.
Source: tokenizers 0.23, its file format; GPT-2's encoder for the cutting rule that ByteLevel has by default.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import cache
from itertools import groupby

from helpers.files import FileProblem
from helpers.text.tokenizer import LETTER_OF, Tokenizer

GPT2_PIECES = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
WHITE_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # Python's \s knows four more
BYTE_OF = {letter: byte for byte, letter in LETTER_OF.items()}


class Unsupported(ValueError):
    """Something in a tokenizer that cannot be done here; the message says what."""


class Special(dict):
    """Reserved tokens by name; a name that this tokenizer has not is a ValueError that says so."""

    def __missing__(self, name):
        known = ", ".join(list(self)[:20])
        raise ValueError(f"this tokenizer has no token {name!r}; it has {known}. Choose another template=")


class Cuts:
    """Cutting rules, one after the other: each cuts the pieces of the one before it into matches and what lies between
    them."""

    def __init__(self, patterns: list[str]):
        self.patterns = [re.compile(f"({python_pattern(pattern)})") for pattern in patterns]

    def findall(self, text: str) -> list[str]:
        pieces = [text]
        for pattern in self.patterns:
            pieces = [new for piece in pieces for new in pattern.split(piece) if new]
        return pieces


class ForeignTokenizer(Tokenizer):
    """Encodes and decodes as the file `data` says (tokenizer.json as a dict), for a model with `vocab` rows."""

    def __init__(self, data: dict, vocab: int):
        model, self.data = data["model"], data
        see_supported(data)
        number = model["vocab"]
        self.special = Special({token["content"]: token["id"] for token in data.get("added_tokens") or []})
        self.name_of = {number: name for name, number in self.special.items()}
        largest = max([*number.values(), *self.special.values()])
        if largest >= vocab:
            raise Unsupported(f"token id {largest}, but the model has rows for {vocab} tokens only")
        self.bytes_of = [b""] * vocab  # models often have a few rows more than there are tokens
        for token, place in number.items():
            if token not in self.special:
                self.bytes_of[place] = bytes(BYTE_OF[letter] for letter in token)
        self.id_of_byte = [number[LETTER_OF[byte]] for byte in range(256)]
        pairs = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in model["merges"]]
        self.merges = [(number[left], number[right]) for left, right in pairs]
        self.rank = {pair: order for order, pair in reversed(list(enumerate(self.merges)))}
        self.merged = [number[left + right] for left, right in pairs]
        self.whole = {}
        if model.get("ignore_merges"):
            self.whole = {self.bytes_of[place]: place for place in number.values() if self.bytes_of[place]}
        self.rules = cutting_rules(data.get("pre_tokenizer"))
        self.pattern = Cuts(self.rules)
        self.prefix = [self.special[name] for name in prefix_names(data.get("post_processor"))]
        self.cache = {}

    @property
    def vocab_size(self) -> int:
        """The model's number of rows."""
        return len(self.bytes_of)

    def merge(self, ids: list[int]) -> list[int]:
        """The bytes of one piece -> its ids: the earliest merge first, wherever it applies."""
        if (place := self.whole.get(bytes(ids))) is not None:
            return [place]
        ids = [self.id_of_byte[byte] for byte in ids]
        while len(ids) > 1:
            never = len(self.merges)
            best = min(self.rank.get(pair, never) for pair in zip(ids, ids[1:], strict=False))
            if best == never:
                break
            output, i = [], 0
            while i < len(ids):
                if i + 1 < len(ids) and (ids[i], ids[i + 1]) == self.merges[best]:
                    output.append(self.merged[best])
                    i += 2
                else:
                    output.append(ids[i])
                    i += 1
            ids = output
        return ids

    def as_json(self) -> dict:
        """The file that it was made of."""
        return self.data


def read_tokenizer(data: dict, path, vocab: int) -> Tokenizer:
    """tokenizer.json as a dict -> the course's own tokenizer if it is that, else a foreign one. FileProblem for what is
    damaged or of another kind; `path` is for its message. (The course's with more rows in the model than it has tokens,
    as tools like to add for speed, is a foreign one that begins documents as the course does.)"""
    first = None
    try:
        number = data["model"]["vocab"]
        own = Tokenizer([(number[left], number[right]) for left, right in data["model"]["merges"]])
        if own.as_json() == data:
            if own.vocab_size == vocab:
                return own
            first = own.special["<|endoftext|>"]
    except (ValueError, KeyError, TypeError, IndexError):
        pass
    try:
        foreign = ForeignTokenizer(data, vocab)
        foreign.prefix = foreign.prefix if first is None else [first]
        return foreign
    except Unsupported as problem:
        raise FileProblem(
            f"{path}: has {problem}. The course reads byte-level BPE as GPT-2 and Llama 3 have it"
        ) from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, re.error) as problem:
        raise FileProblem(f"{path}: damaged, or no tokenizer of a kind that is known here ({problem!r:.80})") from None


def see_supported(data: dict) -> None:
    """Unsupported where the file asks for more than bytes and merges."""
    model = data["model"]
    kind = model.get("type", "BPE")
    if kind != "BPE":
        raise Unsupported(f"a model of type {kind}, not BPE")
    if model.get("byte_fallback"):
        raise Unsupported("byte_fallback, which is SentencePiece's way (Llama 2, Mistral)")
    for key in ("continuing_subword_prefix", "end_of_word_suffix", "dropout"):
        if model.get(key):
            raise Unsupported(f"{key} {model[key]!r}")
    if data.get("normalizer"):
        raise Unsupported(f"a normalizer, {data['normalizer'].get('type')}")


def cutting_rules(step: dict | None) -> list[str]:
    """The pre-tokenizer's patterns, in order. It must end in ByteLevel."""
    steps = (step or {}).get("pretokenizers") or [step or {}]
    if steps[-1].get("type") != "ByteLevel":
        raise Unsupported(f"a pre-tokenizer that ends in {steps[-1].get('type')}, not in ByteLevel")
    patterns = []
    for step in steps:
        kind = step.get("type")
        if kind == "Digits":
            patterns.append(r"\p{N}" if step.get("individual_digits") else r"\p{N}+")
        elif (
            kind == "Split" and "Regex" in step["pattern"] and step["behavior"] == "Isolated" and not step.get("invert")
        ):
            patterns.append(step["pattern"]["Regex"])
        elif kind == "ByteLevel" and not step.get("add_prefix_space"):
            patterns += [GPT2_PIECES] if step.get("use_regex", True) else []
        else:
            raise Unsupported(f"a pre-tokenizer of type {kind} with settings that are not known here")
    return patterns


def prefix_names(processor: dict | None) -> list[str]:
    """The reserved tokens that the post-processor puts before a text."""
    names = []
    for step in (processor or {}).get("processors") or [processor or {}]:
        kind = step.get("type", "ByteLevel")  # which changes offsets, not ids
        if kind == "TemplateProcessing":
            single = step["single"]
            if not single or "Sequence" not in single[-1]:
                raise Unsupported("a post-processor that puts tokens after each text")
            names += [part["SpecialToken"]["id"] for part in single[:-1]]
        elif kind != "ByteLevel":
            raise Unsupported(f"a post-processor of type {kind}")
    return names


def python_pattern(pattern: str) -> str:
    r"""A pattern of the tokenizers library as Python writes it: \p{L}, \s, \S and \x{80} are spelled out."""
    output, inside, i = "", False, 0
    while i < len(pattern):
        sign = re.compile(r"\\p\{(\w+)\}|\\x\{([0-9A-Fa-f]+)\}|\\.|.", re.S).match(pattern, i)
        i, text = sign.end(), sign[0]
        if sign[1]:
            text = ranges(sign[1]) if inside else f"[{ranges(sign[1])}]"
        elif sign[2]:
            text = rf"\U{int(sign[2], 16):08X}"
        elif text == r"\s":
            text = WHITE_SPACE if inside else f"[{WHITE_SPACE}]"
        elif text == r"\S" and not inside:
            text = f"[^{WHITE_SPACE}]"
        elif text[0] == "\\" and text[1].isalnum() and text[1] not in "rntfv":
            raise Unsupported(f"{text} in its cutting rule")
        elif text == "[":
            if inside:
                raise Unsupported("a set within a set in its cutting rule")
            inside = True
        elif text == "]":
            inside = False
        elif text == "(" and not inside and pattern[i : i + 1] != "?":
            text = "(?:"  # a group that is not captured
        output += text
    if "&&" in output:
        raise Unsupported("an intersection of sets in its cutting rule")
    return output


@cache
def ranges(category: str) -> str:
    """All characters of a Unicode category, such as L or Lu, as the inside of a set."""
    if not re.fullmatch("[LMNPSZC][a-z]?", category):
        raise Unsupported(rf"\p{{{category}}} in its cutting rule")
    codes = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)).startswith(category)]
    runs = (list(run) for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0]))
    return "".join(rf"\U{run[0][1]:08x}-\U{run[-1][1]:08x}" for run in runs)
