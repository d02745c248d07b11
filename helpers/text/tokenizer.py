"""Byte-level BPE: turns any text into token ids and back, trained on the course's own corpus.

Text is cut into pieces (a word with the space before it, a number, punctuation, white space); a piece is a row of
UTF-8 bytes; the pairs of neighbours met most often in training are merged into longer tokens. Reserved tokens such as
<|im_end|> have ids of their own that no text can produce: `encode` treats the characters "<|im_end|>" as ordinary text.

The file is the `tokenizer.json` of Hugging Face's `tokenizers` library, which opens it and gives the same ids. Not
here: speed beyond a cache of words, other cutting rules, added tokens. After Sennrich et al. 2016 (BPE) and GPT-2
(bytes); Karpathy's minbpe is the model for telling it in a page.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

from helpers.files import FileProblem, read_text, write_whole

# One ASCII class each for letters, digits and marks, so that every regular-expression engine cuts alike; whatever
# lies beyond ASCII counts as a letter. All characters match some branch, so no text is lost.
PIECES = (
    r" ?[A-Za-z\x{80}-\x{10FFFF}]+| ?[0-9]+| ?[!-/:-@\[-`{-~]+"
    r"|[\t-\r ]+(?![^\t-\r ])|[\t-\r ]+|[\x{00}-\x{08}\x{0E}-\x{1F}\x{7F}]+"
)
SPECIALS = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),  # between documents; ChatML
    *("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),  # Llama 3
    *("<s>", "</s>"),  # Llama 2 and Alpaca
)


def python_regex(pattern: str) -> re.Pattern:
    """The pattern as Python writes it: \\x{10FFFF}, which the `tokenizers` library reads, becomes \\U0010FFFF."""
    return re.compile(re.sub(r"\\x\{([0-9A-F]+)\}", lambda code: rf"\U{int(code[1], 16):08X}", pattern))


def byte_letters() -> dict[int, str]:
    """A printable character for each of the 256 bytes: GPT-2's table, which the file format asks for."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(rest)}


LETTER_OF = byte_letters()


class Tokenizer:
    """Ids 0-255 are the bytes, then one id per merge in the order learned, then the reserved tokens."""

    def __init__(self, merges: list[tuple[int, int]]):
        self.merges = [tuple(pair) for pair in merges]
        self.rank = {pair: 256 + i for i, pair in enumerate(self.merges)}
        self.bytes_of = [bytes([byte]) for byte in range(256)]
        for left, right in self.merges:
            self.bytes_of.append(self.bytes_of[left] + self.bytes_of[right])
        self.special = {name: len(self.bytes_of) + i for i, name in enumerate(SPECIALS)}
        self.name_of = {number: name for name, number in self.special.items()}
        self.pattern = python_regex(PIECES)
        self.cache: dict[str, list[int]] = {}

    @property
    def vocab_size(self) -> int:
        """Bytes, merges and reserved tokens."""
        return len(self.bytes_of) + len(self.special)

    def encode(self, text: str) -> list[int]:
        """Ids of a text. No text, whatever it holds, gives a reserved id; for those use `tokenizer.special[name]`."""
        ids: list[int] = []
        for piece in self.pattern.findall(text):
            if piece not in self.cache:
                if len(self.cache) > 50_000:
                    self.cache.clear()
                self.cache[piece] = self.merge(list(piece.encode("utf-8", "replace")))
            ids += self.cache[piece]
        return ids

    def merge(self, ids: list[int]) -> list[int]:
        """Apply the learned merges to one piece, the earliest learned first."""
        while len(ids) > 1:
            number = min(self.rank.get(pair, len(self.bytes_of)) for pair in zip(ids, ids[1:], strict=False))
            if number == len(self.bytes_of):
                break
            ids = replace_pair(ids, self.merges[number - 256], number)
        return ids

    def decode(self, ids) -> str:
        """Text of ids. Reserved tokens are written by name; bytes that are not UTF-8 become the replacement sign."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def decode_bytes(self, ids) -> bytes:
        """The bytes of ids: those of one token need not be a whole character."""
        parts = []
        for number in ids:
            number = int(number)
            if not 0 <= number < self.vocab_size:
                raise ValueError(f"token id {number} is outside this tokenizer's range 0 to {self.vocab_size - 1}")
            parts.append(self.name_of[number].encode() if number in self.name_of else self.bytes_of[number])
        return b"".join(parts)

    def save(self, path: Path) -> None:
        """Write `tokenizer.json`, whole or not at all."""
        write_whole(path, json.dumps(self.as_json(), ensure_ascii=False, indent=0).encode())

    def as_json(self) -> dict:
        """The tokenizer in the format of the `tokenizers` library."""
        word = ["".join(LETTER_OF[byte] for byte in token) for token in self.bytes_of]
        split = {"type": "Split", "pattern": {"Regex": PIECES}, "behavior": "Isolated", "invert": False}
        as_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "normalizer": None,
            "post_processor": None,
            "added_tokens": [
                {
                    "id": number,
                    "content": name,
                    "single_word": False,
                    "lstrip": False,
                    "rstrip": False,
                    "normalized": False,
                    "special": True,
                }
                for name, number in self.special.items()
            ],
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, as_bytes]},
            "decoder": as_bytes,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": {token: number for number, token in enumerate(word)},
                "merges": [[word[left], word[right]] for left, right in self.merges],
            },
        }

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a `tokenizer.json` that `save` wrote; another file is refused in words."""
        text = read_text(path)
        try:
            data = json.loads(text)
            number = data["model"]["vocab"]
            merges = [(number[left], number[right]) for left, right in data["model"]["merges"]]
            tokenizer = cls(merges)
            same = tokenizer.as_json() == data
        except (ValueError, KeyError, TypeError, IndexError, RecursionError) as problem:
            raise FileProblem(
                f"{path}: not a tokenizer of this course ({problem!r}); remake it with `make rebuild`"
            ) from None
        if not same:
            raise FileProblem(
                f"{path}: a tokenizer, but not one of this course (its cutting rule, ids or reserved "
                "tokens differ); remake it with `make rebuild`"
            )
        return tokenizer


def replace_pair(ids: list[int], pair: tuple[int, int], number: int) -> list[int]:
    """`ids` with every occurrence of `pair`, from the left, replaced by `number`."""
    output, i = [], 0
    while i < len(ids):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            output.append(number)
            i += 2
        else:
            output.append(ids[i])
            i += 1
    return output


def train_tokenizer(texts: list[str], vocab_size: int) -> Tokenizer:
    """Learn merges from texts until the vocabulary, bytes and reserved tokens included, has `vocab_size` entries.

    Ends earlier when no pair is met twice. Ties go to the pair with the smaller ids, so the result is the same on
    every machine.
    """
    room = vocab_size - 256 - len(SPECIALS)  # for merges
    if room < 0:
        raise ValueError(f"vocab_size is {vocab_size}; the bytes and reserved tokens alone need {256 + len(SPECIALS)}")
    pattern = python_regex(PIECES)
    pieces = Counter(piece for text in texts for piece in pattern.findall(text))
    words = [(list(piece.encode("utf-8", "replace")), count) for piece, count in pieces.items()]
    pairs: Counter = Counter()  # pair -> how often it is met
    places = defaultdict(set)  # pair -> the words that hold it
    for i, (ids, count) in enumerate(words):
        for pair in zip(ids, ids[1:], strict=False):
            pairs[pair] += count
            places[pair].add(i)
    merges: list[tuple[int, int]] = []
    while len(merges) < room and pairs:
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < 2:
            break
        for i in places.pop(best):  # only words that hold the pair change
            ids, count = words[i]
            for pair in zip(ids, ids[1:], strict=False):
                pairs[pair] -= count
            ids = replace_pair(ids, best, 256 + len(merges))
            for pair in zip(ids, ids[1:], strict=False):
                pairs[pair] += count
                places[pair].add(i)
            words[i] = (ids, count)
        merges.append(best)
        pairs = Counter({pair: count for pair, count in pairs.items() if count > 0})
    return Tokenizer(merges)
