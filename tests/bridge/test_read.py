"""Folders of the Llama architecture run in NumPy with the logits of transformers (where that is installed), an export
comes back as it was, and what cannot be run is refused in words before any weight is read."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from helpers.bridge import read
from helpers.bridge.export import save_pretrained
from helpers.bridge.folder import frequencies, read_config, tensor_shapes
from helpers.bridge.foreign_tokenizer import ForeignTokenizer
from helpers.bridge.read import LlamaTransformer, read_pretrained
from helpers.bridge.weights import Tensor, read_into, tensor_header
from helpers.files import FileProblem
from helpers.learning.generation import one_more, read_prompts
from helpers.learning.language_model import LanguageModel
from helpers.learning.model import Config
from tests.bridge.test_export import their_logits, transformers  # noqa: F401
from tests.bridge.test_foreign_tokenizer import trained
from tests.conftest import lively

SIZES = {"hidden_size": 48, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 6,
         "num_key_value_heads": 2, "vocab_size": 700, "max_position_embeddings": 64}  # fmt: skip
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}  # fmt: skip


@pytest.fixture
def model(tokenizer):
    config = Config(tokenizer.vocab_size, dim=16, layers=2, heads=2, hidden=24, context=64)
    return LanguageModel(tokenizer, lively(config, np.float32), {"made by": "hand", "unread": [1, 2]}, "llama3")


@pytest.fixture
def folder(model, tmp_path):
    """An export with large random parameters."""
    save_pretrained(model, tmp_path / "x")
    return tmp_path / "x"


def change(path, **what) -> None:
    """New settings in a JSON file; ... takes one away."""
    data = json.loads(path.read_text()) | what
    path.write_text(json.dumps({key: value for key, value in data.items() if value is not ...}))


def some_ids(vocab: int, length: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, vocab, (3, length))


# --- without the standard tools ---


def test_an_export_comes_back_as_it_was(model, folder):
    lm = read_pretrained(folder)
    np.testing.assert_array_equal(lm.transformer.parameters.flat, model.transformer.parameters.flat)
    ids = some_ids(model.transformer.config.vocab)
    np.testing.assert_array_equal(lm.logits(ids), model.logits(ids))
    assert lm.transformer.config == model.transformer.config
    assert lm.template == "llama3" and lm.recipe == {"made by": "hand", "unread": [1, 2]}
    assert lm.tokenizer.as_json() == model.tokenizer.as_json()
    assert lm.complete("The capital", 20) == model.complete("The capital", 20)
    assert lm.ask("What?", max_new_tokens=12) == model.ask("What?", max_new_tokens=12)
    assert lm.copy().complete("The capital", 20) == model.complete("The capital", 20)


def test_what_is_read_is_written_the_same(folder, tmp_path):
    save_pretrained(read_pretrained(folder), tmp_path / "y")
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == {
        f.name: f.read_bytes() for f in (tmp_path / "y").iterdir()
    }


def test_it_can_be_tuned_where_the_head_is_tied(model, folder):
    lm = read_pretrained(folder)
    ids, ones = some_ids(700, 10), np.ones((3, 10), np.float32)
    ours, theirs = (one.transformer.parameters.empty() for one in (model, lm))
    assert model.transformer.backward(ids, ids, ones, ours) == lm.transformer.backward(ids, ids, ones, theirs)
    np.testing.assert_array_equal(ours.flat, theirs.flat)
    with pytest.raises(ValueError, match="save_pretrained"):
        lm.save(folder / "x")


def test_a_head_of_its_own_scores_the_tokens(model, folder, tmp_path):
    """Twice the embedding gives twice the logits; it is copied and written too, and cannot be tuned."""
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = 2 * tensors["model.embed_tokens.weight"]
    save_file(tensors, folder / "model.safetensors")
    ids = some_ids(700)
    np.testing.assert_array_equal(read_pretrained(folder).logits(ids), model.logits(ids))  # tied: it is not read
    change(folder / "config.json", tie_word_embeddings=False)
    lm = read_pretrained(folder)
    save_pretrained(lm, tmp_path / "y")
    for one in (lm, lm.copy(), read_pretrained(tmp_path / "y")):
        np.testing.assert_allclose(one.logits(ids), 2 * model.logits(ids), rtol=1e-5, atol=1e-4)
        assert one.complete("The capital", 20) == model.complete("The capital", 20)
    with pytest.raises(ValueError, match="run it and not tune it"):
        lm.transformer.backward(ids, ids, np.ones(ids.shape), lm.transformer.parameters.empty())


def test_a_token_more_has_the_logits_of_the_whole_text(model):
    """With an epsilon, RoPE and an output matrix that are not the course's, which generation has to know, too."""
    parameters = model.transformer.parameters
    parameters.output = 2 * parameters.embedding[::-1]
    transformer = LlamaTransformer(parameters, 0.5, LLAMA3 | {"rope_theta": 100.0})
    ids = some_ids(700, 12)
    cache, last = read_prompts(transformer, ids[:, :11].tolist(), 12)
    right = transformer.logits(ids)
    np.testing.assert_allclose(last, right[:, 10], atol=1e-3)
    np.testing.assert_allclose(one_more(transformer, ids[:, 11], cache, np.zeros(3, int)), right[:, 11], atol=1e-3)


def test_shared_key_and_value_heads_are_repeated(model, folder):
    """Heads 1 and 2 share theirs: as if each had a copy."""
    tensors = load_file(folder / "model.safetensors")
    for name in [name for name in tensors if "k_proj" in name or "v_proj" in name]:
        model.transformer.parameters.named[name][:] = np.concatenate([tensors[name][:8]] * 2)
        tensors[name] = tensors[name][:8]
    save_file(tensors, folder / "model.safetensors")
    change(folder / "config.json", num_key_value_heads=1)
    np.testing.assert_array_equal(
        read_pretrained(folder).transformer.parameters.flat, model.transformer.parameters.flat
    )


def test_a_model_gets_no_more_room_than_asked_for(folder):
    assert read_pretrained(folder, context=16).transformer.config.context == 16
    assert read_pretrained(folder, context=10**9).transformer.config.context == 64


def numbers(dtype: str, path) -> np.ndarray:
    """What is read of 0.5, -3, the smallest normal number of a half, and infinity."""
    content = {"F32": "<f4", "F16": "<f2"}
    values = np.array([0.5, -3.0, 2.0**-14, np.inf], "<f4")
    raw = values.astype(content[dtype]).tobytes() if dtype in content else (values.view("<u4") >> 16).astype("<u2")
    path.write_bytes(b"12345678" + bytes(raw))
    target = np.zeros((2, 2), np.float32)
    read_into(Tensor(path, dtype, (2, 2), 8), target)
    return target.reshape(-1)


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("chunk", [1, 3, 1 << 20])
def test_numbers_of_16_bits_are_read_exactly(dtype, chunk, tmp_path, monkeypatch):
    monkeypatch.setattr("helpers.bridge.weights.CHUNK", chunk)
    assert numbers(dtype, tmp_path / "x").tolist() == [0.5, -3.0, 2.0**-14, np.inf]


def test_rope_is_read_from_new_and_old_keys(folder):
    """transformers 5 writes rope_parameters, 4 rope_theta and rope_scaling, early ones "type"."""
    path = folder / "config.json"
    default = {"rope_type": "default", "rope_theta": 500.0}
    change(path, rope_parameters=default, rope_theta=...)
    assert read_config(folder).rope == default
    change(path, rope_parameters=..., rope_theta=500)
    assert read_config(folder).rope == default
    change(path, rope_theta=...)
    assert read_config(folder).rope["rope_theta"] == 10_000.0
    linear = {"rope_type": "linear", "factor": 2.0, "rope_theta": 500.0}
    change(path, rope_theta=500.0, rope_scaling={"type": "linear", "factor": 2.0})
    assert read_config(folder).rope == linear
    change(path, rope_parameters=linear, rope_theta=..., rope_scaling=...)
    assert read_config(folder).rope == linear
    change(path, rope_parameters=..., rope_theta=500.0, rope_scaling=LLAMA3)
    assert read_config(folder).rope == LLAMA3 | {"rope_theta": 500.0}


def test_llama_3_slows_the_slow_pairs_down():
    plain = frequencies({"rope_type": "default", "rope_theta": 10_000.0}, 16)
    np.testing.assert_allclose(plain, 10_000.0 ** (-np.arange(8) / 8))
    scaled = frequencies(LLAMA3 | {"rope_theta": 10_000.0}, 16)
    turns = 32 * plain / (2 * np.pi)
    assert (scaled[turns > 4] == plain[turns > 4]).all() and (scaled[turns < 1] == plain[turns < 1] / 8).all()
    between = (1 < turns) & (turns < 4)
    assert between.any() and ((plain / 8 < scaled) & (scaled < plain))[between].all()


def test_a_model_without_the_tokens_of_a_template_completes_and_does_not_answer(folder, documents, tmp_path):
    library = trained(documents, "GPT-2", 600)
    (folder / "tokenizer.json").write_text(library.to_str())  # it lacks most of Llama 3's
    change(folder / "generation_config.json", eos_token_id=7)
    lm = read_pretrained(folder)
    assert lm.ends == (7,) and lm.complete("The capital", 5) is not None
    with pytest.raises(ValueError, match=r"has no token '<\|start_header_id\|>'.*another template="):
        lm.ask("Who?")
    save_pretrained(lm, tmp_path / "y")
    assert not (tmp_path / "y" / "chat_template.jinja").exists()
    assert json.loads((tmp_path / "y" / "tokenizer_config.json").read_text())["eos_token"] == "<|endoftext|>"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process its largest size")
def test_a_model_of_smollm2s_size_is_in_memory_once(tokenizer, tmp_path):
    """134.5M random parameters in bfloat16, in two shards: the whole process, Python included, never holds more than
    1.3 times what they take in float32. Measured: 1.26."""
    sizes = {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
             "num_key_value_heads": 3, "vocab_size": 49152, "max_position_embeddings": 8192}  # fmt: skip
    config = {"model_type": "llama", "tie_word_embeddings": True, "rope_theta": 1e5, "rms_norm_eps": 1e-5, **sizes}
    (tmp_path / "config.json").write_text(json.dumps(config))
    tokenizer.save(tmp_path / "tokenizer.json")
    shapes, rng, place = tensor_shapes(read_config(tmp_path)), np.random.default_rng(0), {}
    for number, names in enumerate([list(shapes)[:100], list(shapes)[100:]]):
        file = f"model-{number}.safetensors"
        header = json.dumps(tensor_header({name: ("BF16", shapes[name]) for name in names})).encode()
        with (tmp_path / file).open("wb") as out:
            out.write(len(header).to_bytes(8, "little") + header)
            for name in names:
                values = rng.normal(0, 0.04, shapes[name]).astype("<f4")
                out.write((values.view("<u4") >> 16).astype("<u2").tobytes())
        place |= dict.fromkeys(names, file)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": place}))
    code = f"""
from helpers.bridge.read import read_pretrained
lm = read_pretrained({str(tmp_path)!r})
lm.complete("The capital of Peru is", 8)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    peak = int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout)
    ratio = peak * 1024 / (4 * sum(math.prod(shape) for shape in shapes.values()))
    print(f"peak: {ratio:.2f} times the weights in float32")
    assert ratio < 1.3


# --- refused before any weight is read ---


def set_config(**what):
    return lambda folder: change(folder / "config.json", **what)


def lose(name):
    return lambda folder: (folder / name).unlink()


def text(name, content):
    return lambda folder: (folder / name).write_text(content)


def edit_tensors(work):
    def edit(folder):
        tensors = load_file(folder / "model.safetensors")
        work(tensors)
        save_file(tensors, folder / "model.safetensors")

    return edit


def only_a_pickle(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def missing_shard(folder):
    names = load_file(folder / "model.safetensors")
    weights = dict.fromkeys(names, "model-00001-of-00002.safetensors")
    weights["model.norm.weight"] = "model-00002-of-00002.safetensors"
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weights}))


def outside(folder):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../x.safetensors"}}))


def cut_short(folder):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-4])


NORM = "model.norm.weight"
WRONG = {
    "has no config.json": lose("config.json"),
    "no JSON object": text("config.json", "[1]"),
    r"says MistralForCausalLM \(model_type 'mistral'\)": set_config(
        architectures=["MistralForCausalLM"], model_type="mistral"),
    "model_type 'qwen2'": set_config(model_type="qwen2"),
    "asks for attention_bias": set_config(attention_bias=True),
    "asks for mlp_bias": set_config(mlp_bias=True),
    "asks for sliding_window 4096": set_config(sliding_window=4096),
    "asks for quantization_config": set_config(quantization_config={"bits": 4}),
    "asks for hidden_act 'gelu'": set_config(hidden_act="gelu"),
    "head_dim 32 do not fit": set_config(head_dim=32),
    "no positive integers": set_config(num_hidden_layers=0),
    "no positive integers .None": set_config(vocab_size=...),
    "rms_norm_eps is 'small'": set_config(rms_norm_eps="small"),
    "RoPE of type 'yarn'": set_config(rope_parameters={"rope_type": "yarn", "factor": 2.0}),
    "on a part of each head": set_config(rope_parameters={"partial_rotary_factor": 0.5}),
    "RoPE's factor is None": set_config(rope_parameters={"rope_type": "linear", "rope_theta": 1e4}),
    "RoPE's rope_theta is -1": set_config(rope_parameters={"rope_theta": -1}),
    "RoPE are no object": set_config(rope_parameters=["default"]),
    "has no model.safetensors and": lose("model.safetensors"),
    "weights are pickled .pytorch_model.bin": only_a_pickle,
    "00002-of-00002.safetensors: this shard, one of 2, is missing": missing_shard,
    "which is outside the folder": outside,
    "its weight_map names no files": text("model.safetensors.index.json", "{}"),
    "model.safetensors: damaged": cut_short,
    "model.safetensors: damaged, or no safetensors": text("model.safetensors", "version https://git-lfs.github.com"),
    "norm.weight is missing": edit_tensors(lambda tensors: tensors.pop(NORM)),
    "lm_head.weight is missing": set_config(tie_word_embeddings=False),
    "biases, such as model.a.bias": edit_tensors(lambda tensors: tensors.update({"model.a.bias": np.zeros(2)})),
    "holds model.extra": edit_tensors(lambda tensors: tensors.update({"model.extra": np.zeros(2)})),
    r"shape \(17,\), and by config.json \(16,\)": edit_tensors(
        lambda tensors: tensors.update({NORM: np.zeros(17, np.float32)})),
    r"gate_proj.weight has shape \(24, 16\)": set_config(intermediate_size=25),
    "is of type I32": edit_tensors(lambda tensors: tensors.update({NORM: np.zeros(16, np.int32)})),
    "tokenizer.json: there is no such file": lose("tokenizer.json"),
    "tokenizer.json: damaged": text("tokenizer.json", "{}"),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_a_folder_that_cannot_be_run_is_refused_in_words(folder, monkeypatch, words):
    WRONG[words](folder)
    monkeypatch.setattr(read, "read_into", lambda *_: pytest.fail("a weight was read"))
    with pytest.raises(FileProblem, match=words):
        read_pretrained(folder)


# --- with transformers ---

CASES = {
    "as SmolLM2: tied, shared heads, bfloat16": ({"tie_word_embeddings": True}, "bfloat16", {"rope_theta": 100_000.0}),
    "as Llama 3: untied, shared heads, scaled RoPE": ({}, "bfloat16", LLAMA3 | {"rope_theta": 500_000.0}),
    "as LLaMA 1: each head its own": ({"num_key_value_heads": 6}, "float16", {"rope_theta": 10_000.0}),
    "one key for all heads, float32": ({"num_key_value_heads": 1, "rms_norm_eps": 1e-2}, "float32", {}),
    "linear RoPE": ({"tie_word_embeddings": True}, "float32", {"rope_type": "linear", "factor": 4.0}),
}


@pytest.fixture(scope="session")
def smol(documents):
    """A tokenizer as SmolLM2 has it, with 700 entries."""
    return trained(documents, "SmolLM2", 700)


@pytest.mark.parametrize("old", [False, True], ids=["rope in new keys", "in old keys"])
@pytest.mark.parametrize("shards", ["1GB", "60KB"])
@pytest.mark.parametrize("case", CASES)
def test_a_folder_of_transformers_has_its_logits(transformers, smol, tmp_path, case, shards, old):  # noqa: F811
    """Measured: at most 1.3e-5, with logits up to 7."""
    import torch

    settings, dtype, rope = CASES[case]
    config = transformers.LlamaConfig(
        **(SIZES | settings), rope_parameters={"rope_type": "default", "rope_theta": 1e4} | rope, initializer_range=0.2
    )
    torch.manual_seed(0)
    theirs = transformers.LlamaForCausalLM(config).to(getattr(torch, dtype))
    theirs.save_pretrained(tmp_path, max_shard_size=shards)
    (tmp_path / "tokenizer.json").write_text(smol.to_str())
    if old:
        new = {"rope_theta": config.rope_parameters["rope_theta"]}
        scaling = {key: value for key, value in config.rope_parameters.items() if key != "rope_theta"}
        new |= {"rope_scaling": scaling if rope.get("rope_type") else None}
        change(tmp_path / "config.json", rope_parameters=..., dtype=..., torch_dtype=dtype, **new)
    assert (len(list(tmp_path.glob("*.safetensors"))) > 1) == (shards == "60KB")
    theirs = transformers.LlamaForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    lm = read_pretrained(tmp_path)
    assert lm.transformer.parameters.flat.dtype == np.float32 and isinstance(lm.tokenizer, ForeignTokenizer)
    ids = some_ids(700, 60)
    right = their_logits(theirs, ids)
    difference = np.abs(lm.logits(ids) - right).max()
    print(f"{case}: largest difference {difference:.1e}; largest logit {np.abs(right).max():.0f}")
    assert difference < 1e-4
    prompts = [lm.document_ids("The capital of"), lm.document_ids("x")]
    for prompt, ours in zip(prompts, lm.continue_ids(prompts, 20), strict=True):
        new = theirs.generate(torch.tensor([prompt]), max_new_tokens=20, do_sample=False, pad_token_id=0)[0].tolist()
        assert new[len(prompt) :][: len(ours)] == ours and (len(ours) == 20 or len(new) < len(prompt) + 21)


def test_what_is_read_opens_there_again(transformers, smol, tmp_path):  # noqa: F811
    """Repeated heads, scaled RoPE, another epsilon, a head of its own and a foreign tokenizer are written as well."""
    import torch

    config = transformers.LlamaConfig(
        **SIZES, rope_parameters=LLAMA3 | {"rope_theta": 1e4}, initializer_range=0.2, rms_norm_eps=1e-3
    )
    theirs = transformers.LlamaForCausalLM(config).eval()
    theirs.save_pretrained(tmp_path / "x")
    (tmp_path / "x" / "tokenizer.json").write_text(smol.to_str())
    save_pretrained(read_pretrained(tmp_path / "x"), tmp_path / "y")
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "y").eval()
    ids = some_ids(700)
    np.testing.assert_allclose(their_logits(again, ids), their_logits(theirs, ids), atol=1e-4)
    text = "The capital of Peru, 1984.\n\n  def f(x):"
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "y")
    assert tokenizer(text)["input_ids"] == smol.encode(text).ids
    shutil.rmtree(tmp_path / "y")
    assert torch.isfinite(again.lm_head.weight).all()
