"""A model comes back from disk as it was, opens in the standard library, and is never half written or half read."""

import errno
import json
import pickle

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from helpers import files
from helpers.files import FileProblem, write_whole
from helpers.learning.checkpoints import load_checkpoint, save_checkpoint
from helpers.learning.language_model import load
from helpers.learning.model import Config, Parameters

CONFIG = Config(vocab=11, dim=8, layers=2, heads=2, hidden=6, context=6)
RECIPE = {"steps": 3, "rate": 0.1 + 0.2, "who": "ünïcode \U0001f642", "list": [1, None, True]}


@pytest.fixture
def parameters():
    return Parameters(CONFIG).initialise(0)


@pytest.fixture
def path(parameters, tmp_path):
    """A good checkpoint."""
    save_checkpoint(tmp_path / "model.safetensors", parameters, RECIPE)
    return tmp_path / "model.safetensors"


# --- good files ---


def test_what_was_saved_is_loaded(parameters, path):
    found, recipe, extra = load_checkpoint(path)
    np.testing.assert_array_equal(found.flat, parameters.flat)
    assert found.config == CONFIG and found.flat.dtype == np.float32
    assert recipe == RECIPE and extra == {}
    found.flat += 1.0  # may be trained further
    np.testing.assert_array_equal(found.named["model.norm.weight"], np.float32(2.0))


def test_extra_arrays_come_back(parameters, tmp_path):
    mean, square = np.arange(5, dtype=np.float32), np.full(7, np.nan, np.float32)
    save_checkpoint(tmp_path / "run", parameters, {}, {"mean": mean, "square": square})
    found, _, extra = load_checkpoint(tmp_path / "run")
    assert list(extra) == ["mean", "square"]
    np.testing.assert_array_equal(extra["mean"], mean)
    np.testing.assert_array_equal(extra["square"], square)
    extra["mean"] += 1.0  # may be changed, unlike the bytes of the file
    np.testing.assert_array_equal(found.flat, parameters.flat)


def test_the_same_model_is_the_same_file(parameters, path, tmp_path):
    save_checkpoint(tmp_path / "again", parameters, RECIPE)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_it_opens_in_the_safetensors_library(parameters, path):
    tensors = load_file(path)
    assert set(tensors) == set(parameters.named)
    for name, view in parameters.named.items():
        assert tensors[name].dtype == np.float32
        np.testing.assert_array_equal(tensors[name], view, err_msg=name)
    with safe_open(path, "numpy") as file:
        assert json.loads(file.metadata()["recipe"]) == RECIPE


def test_with_extra_arrays_too(parameters, tmp_path):
    save_checkpoint(tmp_path / "run", parameters, {}, {"mean": np.arange(5, dtype=np.float32)})
    assert load_file(tmp_path / "run")["mean"].tolist() == [0, 1, 2, 3, 4]


# --- bad files ---


def with_length(content: bytes, length: int) -> bytes:
    return length.to_bytes(8, "little") + content[8:]


BROKEN = {
    "empty": lambda content: b"",
    "only a length": lambda content: content[:8],
    "cut within the header": lambda content: content[:200],
    "cut within the parameters": lambda content: content[:-1],
    "something added": lambda content: content + b"\0\0\0\0",
    "parameters gone": lambda content: content[: 8 + int.from_bytes(content[:8], "little")],
    "huge length": lambda content: with_length(content, 2**63),
    "length 0": lambda content: with_length(content, 0),
    "length too short": lambda content: with_length(content, int.from_bytes(content[:8], "little") - 8),
    "zeros": lambda content: bytes(len(content)),
    "a pickle": lambda content: pickle.dumps({"model": [1, 2, 3]}),
    "a text": lambda content: b"version https://git-lfs.github.com/spec/v1\n",
    "header is a list": lambda content: (2).to_bytes(8, "little") + b"[]",
    "metadata is a list": lambda content: (19).to_bytes(8, "little") + b'{"__metadata__":[]}',
    "nested without end": lambda content: (100_000).to_bytes(8, "little") + b"[" * 100_000,
    "other sizes": lambda content: content.replace(rb"\"layers\": 2", rb"\"layers\": 1"),
    "other context": lambda content: content.replace(rb"\"context\": 6", rb"\"context\": 9"),
    "other recipe": lambda content: content.replace(rb"\"steps\": 3", rb"\"steps\": 8"),
    "other format": lambda content: content.replace(b"scratch 1", b"scratch 9"),
    "other place": lambda content: content.replace(b'"data_offsets": [0, ', b'"data_offsets": [4, '),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_in_words(path, case):
    content = path.read_bytes()
    broken = BROKEN[case](content)
    assert broken != content
    path.write_bytes(broken)
    with pytest.raises(FileProblem, match=r"model.safetensors: (damaged|not a checkpoint of).*make rebuild"):
        load_checkpoint(path)


def test_any_one_changed_bit_is_noticed(path):
    """In the length, the header (sizes, recipe, checksum ...) or the parameters."""
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in [*range(24), *rng.integers(0, len(content), 400).tolist()]:
        bit = 1 << int(rng.integers(8))
        content[place] ^= bit
        path.write_bytes(content)
        with pytest.raises(FileProblem):
            load_checkpoint(path)
            pytest.fail(f"bit {bit} of byte {place} of {len(content)} was changed and nobody noticed")
        content[place] ^= bit
    path.write_bytes(content)
    load_checkpoint(path)


def test_somebody_elses_safetensors_is_refused_in_words(tmp_path):
    for metadata in (None, {"format": "pt"}):
        save_file({"weight": np.zeros((2, 3), np.float32)}, tmp_path / "other", metadata)
        with pytest.raises(FileProblem, match="not a checkpoint of this course"):
            load_checkpoint(tmp_path / "other")


def test_reading_a_pickle_runs_nothing(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    (tmp_path / "trap").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(FileProblem):
        load_checkpoint(tmp_path / "trap")
    assert not (tmp_path / "sprung").exists()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(FileProblem, match="is a folder; name a file in it"):
        load_checkpoint(tmp_path)


def test_no_file_no_model(tmp_path):
    with pytest.raises(FileProblem, match="there is no such file.*make rebuild"):
        load_checkpoint(tmp_path / "none")


def test_load_lists_the_models_it_knows_and_says_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match="no model 'bse'; shipped are base, tuned"):
        load("bse")
    with pytest.raises(FileProblem, match="base.safetensors: there is no such file"):
        load("base", tmp_path)


# --- writing ---


def disk_full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("when", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize("what", [disk_full, interrupt])
def test_a_write_that_fails_midway_leaves_the_old_file_and_nothing_else(path, monkeypatch, when, what):
    old = path.read_bytes()
    monkeypatch.setattr(files.os, when, what)
    with pytest.raises((OSError, KeyboardInterrupt)):
        save_checkpoint(path, Parameters(CONFIG), {})
    monkeypatch.undo()
    assert path.read_bytes() == old
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_new_file_is_there_only_when_it_is_on_the_disk(path, monkeypatch):
    """Replaced last, after its content was forced out; else a power cut could leave an empty file."""
    order = []
    for name in ("fsync", "replace"):
        real = getattr(files.os, name)
        monkeypatch.setattr(files.os, name, lambda *a, real=real, name=name: (order.append(name), real(*a)))
    write_whole(path, b"new")
    assert order == ["fsync", "replace"] and path.read_bytes() == b"new"


def test_others_may_read_what_was_written(path):
    assert path.stat().st_mode & 0o444 == 0o444


def test_folders_are_made(tmp_path):
    write_whole(tmp_path / "a" / "b" / "file", b"x")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"x"
