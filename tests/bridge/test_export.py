"""The exported folder: what stands in it, what is refused; and, where transformers is installed, that it opens there
with our logits, our ids, our answers, our text and our mask."""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file

from helpers.bridge import export
from helpers.bridge.export import FILES, chat_template, save_pretrained
from helpers.files import DATA, FileProblem
from helpers.learning.language_model import LanguageModel, load
from helpers.learning.recipe import CORPUS_SEED, DOCUMENTS
from helpers.text.corpus import write_documents
from helpers.text.datasets import read_dataset
from helpers.text.templates import TEMPLATES, render
from tests.conftest import lively, sample

TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Translate into French.", "input": "hello"},
    {"role": "assistant", "content": "Bonjour."},
    {"role": "user", "content": "And  the capital\nof Peru?"},
    {"role": "assistant", "content": "Lima, I think"},
]


@pytest.fixture(scope="session")
def tuned():
    return load("tuned")


@pytest.fixture(scope="session")
def folder(tuned, tmp_path_factory):
    """The shipped tuned model, exported."""
    path = tmp_path_factory.mktemp("export") / "tuned"
    save_pretrained(tuned, path)
    return path


# --- without the standard tools ---


def test_the_folder_holds_what_it_says(tuned, folder):
    assert {file.name for file in folder.iterdir()} == set(FILES)
    tensors = load_file(folder / "model.safetensors")
    assert set(tensors) == set(tuned.transformer.parameters.named)
    for name, view in tuned.transformer.parameters.named.items():
        np.testing.assert_array_equal(tensors[name], view, err_msg=name)


def test_the_sizes_and_special_tokens_are_written(tuned, folder):
    config, special = json.loads((folder / "config.json").read_text()), tuned.tokenizer.special
    sizes = tuned.transformer.config
    assert config["architectures"] == ["LlamaForCausalLM"] and config["model_type"] == "llama"
    assert (config["hidden_size"], config["intermediate_size"]) == (sizes.dim, sizes.hidden)
    assert config["num_attention_heads"] == config["num_key_value_heads"] == sizes.heads
    assert (config["vocab_size"], config["max_position_embeddings"]) == (sizes.vocab, sizes.context)
    assert config["rms_norm_eps"] == 1e-5 and config["tie_word_embeddings"] is True  # the library's defaults differ
    assert config["rope_theta"] == config["rope_parameters"]["rope_theta"] == 10_000.0
    assert config["eos_token_id"] == special["<|im_end|>"] != config["pad_token_id"]
    stops = json.loads((folder / "generation_config.json").read_text())["eos_token_id"]
    assert {special[name] for name in ("<|im_end|>", "<|endoftext|>", "</s>", "<|eot_id|>")} == set(stops)


@pytest.mark.parametrize(("template", "end"), [("llama2", "</s>"), ("llama3", "<|eot_id|>"), ("alpaca", "</s>")])
def test_another_template_has_its_own_end_token(lm, tmp_path, template, end):
    other = LanguageModel(lm.tokenizer, lm.transformer, {}, template)
    save_pretrained(other, tmp_path / "x")
    assert json.loads((tmp_path / "x" / "tokenizer_config.json").read_text())["eos_token"] == end
    assert (tmp_path / "x" / "chat_template.jinja").read_text() == chat_template(template)


@pytest.mark.parametrize("template", TEMPLATES)
def test_without_the_mask_no_tag_is_left(template):
    assert "generation -%}" in chat_template(template) and "generation -%}" not in chat_template(template, mask=False)


def test_an_older_export_is_replaced(lm, tmp_path):
    save_pretrained(lm, tmp_path / "x")
    other = LanguageModel(lm.tokenizer, lively(lm.transformer.config, np.float32), {})
    save_pretrained(other, tmp_path / "x")
    tensors = load_file(tmp_path / "x" / "model.safetensors")
    np.testing.assert_array_equal(tensors["model.norm.weight"], other.transformer.parameters.norm)
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


def stranger(path):
    (path / "thesis.txt").write_text("years of work")


def other_maker(path):
    (path / "config.json").write_text("{}")


@pytest.mark.parametrize("content", [stranger, other_maker])
def test_a_folder_of_others_is_left_alone(lm, tmp_path, content):
    content(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(FileProblem, match="holds files already.*nothing was written.*new or empty folder"):
        save_pretrained(lm, tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_file_is_no_folder(lm, tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(FileProblem, match="is a file; name a folder"):
        save_pretrained(lm, tmp_path / "x")


@pytest.mark.parametrize("call", range(1, 4))
def test_whoever_interrupts_it_finds_the_old_folder(lm, tmp_path, monkeypatch, call):
    """Broken off at the weights (fsync), before and after the old folder has stepped aside (replace)."""
    save_pretrained(lm, tmp_path / "x")
    before = {file.name: file.read_bytes() for file in (tmp_path / "x").iterdir()}
    count, real = 0, {name: getattr(os, name) for name in ("fsync", "replace")}

    def interrupted(name):
        def work(*arguments):
            nonlocal count
            count += 1
            if count == call:
                raise KeyboardInterrupt
            return real[name](*arguments)

        return work

    for name in real:
        monkeypatch.setattr(export.os, name, interrupted(name))
    with pytest.raises(KeyboardInterrupt):
        save_pretrained(LanguageModel(lm.tokenizer, lively(lm.transformer.config, np.float32), {}), tmp_path / "x")
    monkeypatch.undo()
    assert {file.name: file.read_bytes() for file in (tmp_path / "x").iterdir()} == before
    assert [file.name for file in tmp_path.iterdir()] == ["x"]


# --- with transformers ---


@pytest.fixture(scope="session")
def transformers():
    pytest.importorskip("torch").set_num_threads(1)  # matrices this small only wait for each other
    return pytest.importorskip("transformers")


@pytest.fixture(scope="session")
def their_model(transformers, folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder).eval()


@pytest.fixture(scope="session")
def their_tokenizer(transformers, folder):
    return transformers.AutoTokenizer.from_pretrained(folder)


def their_logits(model, ids) -> np.ndarray:
    import torch

    with torch.no_grad():
        return model(torch.from_numpy(ids)).logits.numpy()


def test_the_logits_are_ours(tuned, their_model, their_tokenizer, documents):
    """Measured: at most 1.8e-5, with logits up to 22. So the pairs that RoPE turns are the same, too."""
    width = tuned.transformer.config.context
    ids = np.array([number for text in documents[:200] for number in tuned.document_ids(text)][: 16 * width])
    ids = ids.reshape(16, width)
    theirs = their_logits(their_model, ids)
    difference = np.abs(tuned.logits(ids) - theirs).max()
    print(f"largest difference of a logit: {difference:.1e}; largest logit: {np.abs(theirs).max():.0f}")
    assert difference < 1e-4
    assert their_model.config.eos_token_id == tuned.tokenizer.special["<|im_end|>"]
    assert their_tokenizer.pad_token == "<|endoftext|>" and their_tokenizer.model_max_length == width


def same_ids(ours, theirs, texts) -> None:
    for text, ids in zip(texts, theirs(list(texts), add_special_tokens=True)["input_ids"], strict=True):
        assert ids == ours.encode(text), text
        assert theirs.decode(ids) == text


def test_a_text_has_the_same_ids(tuned, their_tokenizer, documents):
    same_ids(tuned.tokenizer, their_tokenizer, [*sample(documents, 500), "don't  \n\n é日本 3.14\x00", " a "])


@pytest.mark.slow
def test_the_whole_corpus_has_the_same_ids(tuned, their_tokenizer, world):
    texts = write_documents(world, DOCUMENTS, CORPUS_SEED, seldom=True)
    assert len(texts) > 20_000
    same_ids(tuned.tokenizer, their_tokenizer, texts)


def test_the_greedy_answers_are_ours(tuned, their_model, their_tokenizer, world):
    facts = [fact for fact in world.facts if fact.part != "test"]
    questions = [fact.say("question") for fact in sample(facts, 48)]
    for question, ours in zip(questions, tuned.ask_all(questions), strict=True):
        prompt = their_tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        new = their_model.generate(**prompt, max_new_tokens=48)[0, prompt["input_ids"].shape[1] :]
        assert their_tokenizer.decode(new, skip_special_tokens=True).strip() == ours


@pytest.fixture(scope="session")
def their_templates(transformers, tuned, tmp_path_factory):
    """Their tokenizer with each of the four templates."""
    tokenizers = {}
    for template in TEMPLATES:
        path = tmp_path_factory.mktemp("templates") / template
        save_pretrained(LanguageModel(tuned.tokenizer, tuned.transformer, {}, template), path)
        tokenizers[template] = transformers.AutoTokenizer.from_pretrained(path)
    return tokenizers


def same_mask(ours, theirs, talk, template) -> None:
    out = theirs.apply_chat_template(talk, return_dict=True, return_assistant_tokens_mask=True)
    assert (out["input_ids"], out["assistant_masks"]) == render(talk, template, ours)
    if talk[-1]["role"] == "user":
        ids = theirs.apply_chat_template(talk, add_generation_prompt=True)["input_ids"]
        assert ids == render(talk, template, ours, generate=True)[0]


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_template_gives_our_ids_and_mask(tuned, their_templates, template):
    """One turn, several, and rows of the course: each alone, and two as one conversation."""
    rows = [row["messages"] for row in sample(read_dataset(DATA / "instructions.jsonl").rows, 200)]
    without = [[turn for turn in row if turn["role"] != "system"] for row in rows]
    longer = [one + two for one, two in zip(rows[::2], without[1::2], strict=True)]
    for talk in (TALK, TALK[:-1], TALK[1:], TALK[1:2], *rows, *longer):
        same_mask(tuned.tokenizer, their_templates[template], talk, template)
