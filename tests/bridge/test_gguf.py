"""The GGUF file holds what it should; and llama.cpp (the package xllamacpp, where it is installed) runs it with our ids
and our greedy text."""

import json
import struct
import urllib.request

import numpy as np
import pytest

from helpers.bridge.export import chat_template
from helpers.bridge.foreign_tokenizer import ForeignTokenizer
from helpers.bridge.gguf import neighbours, q8_0, save_gguf
from helpers.bridge.read import LlamaLanguageModel, LlamaTransformer
from helpers.learning.language_model import LanguageModel, load
from helpers.learning.layers import rope_tables, rotate
from helpers.learning.model import Config, Parameters
from helpers.learning.recipe import CORPUS_SEED, DOCUMENTS
from helpers.text.corpus import write_documents
from helpers.text.templates import TEMPLATES, render
from tests.bridge.test_export import TALK
from tests.bridge.test_foreign_tokenizer import CUTS, trained
from tests.bridge.test_read import LLAMA3
from tests.conftest import lively, sample

# --- without the standard tools ---


class Reader:
    """A GGUF file, read by the letter of its description."""

    def __init__(self, content: bytes):
        self.content, self.at = content, 0
        assert self.take("4s") == b"GGUF" and self.take("I") == 3
        tensors, pairs = self.take("Q"), self.take("Q")
        self.about = {self.text(): self.value(self.take("I")) for _ in range(pairs)}
        places = {}
        for _ in range(tensors):
            name, dimensions = self.text(), self.take("I")
            shape = tuple(self.take("Q") for _ in range(dimensions))[::-1]
            places[name] = (shape, self.take("I"), self.take("Q"))
        data = self.at + -self.at % 32
        assert all(place % 32 == 0 for _, _, place in places.values())
        self.tensors = {name: self.array(data + place, shape, kind) for name, (shape, kind, place) in places.items()}

    def take(self, form: str):
        (value,) = struct.unpack_from(f"<{form}", self.content, self.at)
        self.at += struct.calcsize(f"<{form}")
        return value

    def text(self) -> str:
        return self.take(f"{self.take('Q')}s").decode()

    def value(self, kind: int):
        if kind == 9:
            kind, count = self.take("I"), self.take("Q")
            return [self.value(kind) for _ in range(count)]
        return self.text() if kind == 8 else self.take({4: "I", 5: "i", 6: "f", 7: "?"}[kind])

    def array(self, start: int, shape: tuple, kind: int) -> np.ndarray:
        if kind == 0:
            return np.frombuffer(self.content, "<f4", int(np.prod(shape)), start).reshape(shape)
        blocks = np.frombuffer(self.content, [("d", "<f2"), ("q", "i1", 32)], int(np.prod(shape)) // 32, start)
        return (blocks["d"].astype(np.float32)[:, None] * blocks["q"]).reshape(shape)


@pytest.fixture(scope="session")
def tuned():
    return load("tuned")


@pytest.fixture(scope="session")
def files(tuned, tmp_path_factory):
    """The shipped tuned model in float32 and in Q8_0."""
    folder = tmp_path_factory.mktemp("gguf")
    save_gguf(tuned, folder / "f32.gguf")
    save_gguf(tuned, folder / "q8.gguf", quantize=True)
    return {name: folder / f"{name}.gguf" for name in ("f32", "q8")}


def test_the_file_holds_the_parameters(tuned, files):
    file, named = Reader(files["f32"].read_bytes()), tuned.transformer.parameters.named
    assert len(file.tensors) == len(named)
    np.testing.assert_array_equal(file.tensors["token_embd.weight"], named["model.embed_tokens.weight"])
    np.testing.assert_array_equal(file.tensors["blk.2.ffn_down.weight"], named["model.layers.2.mlp.down_proj.weight"])
    q = named["model.layers.1.self_attn.q_proj.weight"]
    np.testing.assert_array_equal(file.tensors["blk.1.attn_q.weight"], neighbours(q, tuned.transformer.config.heads))
    assert sum(array.size for array in file.tensors.values()) == tuned.transformer.parameters.flat.size


def test_the_file_says_what_llama_cpp_asks_for(tuned, files):
    about, special = Reader(files["f32"].read_bytes()).about, tuned.tokenizer.special
    assert about["general.architecture"] == "llama" and about["general.file_type"] == 0
    assert about["llama.attention.layer_norm_rms_epsilon"] == np.float32(1e-5)
    assert about["tokenizer.ggml.model"] == "gpt2" and about["tokenizer.ggml.pre"] == "gpt-2"
    assert about["tokenizer.ggml.eos_token_id"] == special["<|im_end|>"]
    tokens, types = about["tokenizer.ggml.tokens"], about["tokenizer.ggml.token_type"]
    assert len(tokens) == len(types) == tuned.transformer.config.vocab == len(set(tokens))
    assert [tokens[number] for number in special.values()] == list(special)
    assert {number for number, kind in enumerate(types) if kind == 3} == set(special.values())
    assert len(about["tokenizer.ggml.merges"]) == len(tuned.tokenizer.merges)
    assert about["tokenizer.chat_template"] == chat_template("chatml", mask=False)


def test_q8_0_is_a_quarter_of_the_size_and_near(tuned, files):
    exact, near = (Reader(files[name].read_bytes()) for name in ("f32", "q8"))
    assert files["q8"].stat().st_size < 0.32 * files["f32"].stat().st_size and near.about["general.file_type"] == 7
    for name, array in exact.tensors.items():
        step = np.abs(array).max() / 127
        np.testing.assert_allclose(near.tensors[name], array, atol=0.6 * step if array.ndim == 2 else 0)


def test_a_block_of_zeros_stays_zero():
    assert q8_0(np.zeros((2, 32), np.float32)) == bytes(68)


def test_neighbours_turned_are_halves_turned():
    """RoPE over pairs side by side, of the permuted rows, is RoPE over halves, permuted."""
    heads, width, rng = 3, 8, np.random.default_rng(0)
    matrix, x = rng.normal(size=(heads * width, 5)), rng.normal(size=(4, 5))
    cos, sin = rope_tables(4, width, np.float64)
    halves = (x @ matrix.T).reshape(1, 4, heads, width)
    rotate(halves, cos, sin)
    pairs = (x @ neighbours(matrix, heads).T).reshape(4, heads, width // 2, 2)
    turned = np.stack([pairs[..., 0] * cos[:, None] - pairs[..., 1] * sin[:, None],
                       pairs[..., 1] * cos[:, None] + pairs[..., 0] * sin[:, None]], axis=-1)  # fmt: skip
    again = neighbours(halves.reshape(4, -1).T, heads).T
    np.testing.assert_allclose(turned.reshape(4, -1), again, atol=1e-12)


def foreign(documents, cut: str, tied: bool = True) -> LlamaLanguageModel:
    """A model of random parameters with another epsilon, scaled RoPE and a foreign tokenizer."""
    data = json.loads(trained(documents, cut, 700).to_str())
    model = lively(Config(704, dim=64, layers=2, heads=4, hidden=96, context=128), np.float32)
    parameters = Parameters(model.config, model.parameters.flat / 4)
    if not tied:
        parameters.output = np.random.default_rng(1).normal(0, 0.2, (704, 64)).astype(np.float32)
    transformer = LlamaTransformer(parameters, 1e-3, LLAMA3 | {"rope_theta": 10_000.0})
    return LlamaLanguageModel(ForeignTokenizer(data, 704), transformer, {})


def test_a_cutting_rule_without_a_name_is_refused(documents, tmp_path):
    lm = foreign(documents, "SmolLM2")
    lm.tokenizer.rules = [r"\s+"]
    with pytest.raises(ValueError, match="llama.cpp has no name for this tokenizer's cutting rule"):
        save_gguf(lm, tmp_path / "x.gguf")
    assert not list(tmp_path.iterdir())


def test_the_gguf_package_reads_it(tuned, files):
    gguf = pytest.importorskip("gguf")
    ours = Reader(files["q8"].read_bytes())
    theirs = gguf.GGUFReader(files["q8"])
    assert {field for field in theirs.fields if not field.startswith("GGUF.")} == set(ours.about)
    assert theirs.fields["tokenizer.ggml.tokens"].contents() == ours.about["tokenizer.ggml.tokens"]
    for tensor in theirs.tensors:
        right = ours.tensors[tensor.name]
        array = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(right.shape)
        np.testing.assert_array_equal(array, right)


# --- with llama.cpp ---


class LlamaCpp:
    """llama.cpp's server, in this process."""

    def __init__(self, path):
        xllamacpp = pytest.importorskip("xllamacpp")
        settings = xllamacpp.CommonParams()
        settings.model.path, settings.n_ctx, settings.n_parallel = str(path), 128, 1
        settings.cpuparams.n_threads, settings.warmup, settings.port = 1, False, 0
        self.server = xllamacpp.Server(settings)

    def post(self, path: str, **what) -> dict:
        data, kind = json.dumps(what).encode(), {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.server.listening_address + path, data, kind)) as answer:
            return json.loads(answer.read())

    def encode(self, text: str, special: bool = False) -> list[int]:
        return self.post("/tokenize", content=text, add_special=False, parse_special=special)["tokens"]

    def complete(self, ids: list[int], count: int) -> str:
        out = self.server.handle_completions({"prompt": ids, "temperature": 0.0, "n_predict": count})
        return out["choices"][0]["text"]


@pytest.fixture(scope="session")
def engine(files):
    return LlamaCpp(files["f32"])


def test_a_text_has_the_same_ids_there(tuned, engine, documents):
    for text in [*sample(documents, 300), "don't  \n\n é日本 3.14", " a ", "<|im_end|>\n"]:
        assert engine.encode(text) == tuned.tokenizer.encode(text), text


@pytest.mark.slow
def test_the_whole_corpus_has_the_same_ids_there(tuned, engine, world):
    for text in write_documents(world, DOCUMENTS, CORPUS_SEED, seldom=True):
        assert engine.encode(text) == tuned.tokenizer.encode(text), text


def questions(world) -> list[str]:
    return [fact.say("question") for fact in sample([fact for fact in world.facts if fact.part != "test"], 48)]


def test_the_greedy_answers_are_ours_there(tuned, engine, world):
    for question, ours in zip(questions(world), tuned.ask_all(questions(world)), strict=True):
        assert engine.complete(tuned.prompt_ids([{"role": "user", "content": question}]), 48).strip() == ours


def test_in_q8_0_nearly_all_are(tuned, files, world):
    """Measured: 48 of 48."""
    engine, same = LlamaCpp(files["q8"]), 0
    for question, ours in zip(questions(world), tuned.ask_all(questions(world)), strict=True):
        same += engine.complete(tuned.prompt_ids([{"role": "user", "content": question}]), 48).strip() == ours
    print(f"Q8_0: {same} of 48 greedy answers equal")
    assert same >= 44


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_template_is_ours_there(tuned, tmp_path, template):
    save_gguf(LanguageModel(tuned.tokenizer, tuned.transformer, {}, template), tmp_path / "x.gguf")
    engine, talk = LlamaCpp(tmp_path / "x.gguf"), [TALK[0], TALK[3], TALK[4], TALK[3]]
    text = engine.post("/apply-template", messages=talk)["prompt"]
    ids = render(talk, template, tuned.tokenizer, generate=True)[0]
    assert text == tuned.tokenizer.decode(ids) and engine.encode(text, special=True) == ids


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("cut", CUTS)
def test_a_model_of_another_maker_runs_there(documents, tmp_path, cut, tied):
    lm = foreign(documents, cut, tied)
    save_gguf(lm, tmp_path / "x.gguf")
    engine = LlamaCpp(tmp_path / "x.gguf")
    for text in ["The capital of Peru, 1984?", "don't\n\n  é日本 3.14159", *sample(documents, 50)]:
        assert engine.encode(text) == lm.tokenizer.encode(text)
    prompts = [lm.document_ids(text) for text in ("The capital of Peru", "Write a haiku", "12345")]
    for prompt, ids in zip(prompts, lm.continue_ids(prompts, 24), strict=True):
        assert engine.complete(prompt, len(ids)) == lm.tokenizer.decode(ids)
