"""What a learner keeps: written whole, read again, set aside where it is damaged, and not missed where it cannot be."""

import json
import os

import pytest

from helpers import progress
from helpers.files import FileProblem


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.json"


def test_what_is_kept_is_read_again(path):
    assert progress.section("guesses", path) == {}
    progress.keep("guesses", "a", {"low": 1}, path)
    progress.keep("guesses", "b", {"low": 2}, path)
    progress.keep("checks", "c", True, path)
    assert progress.section("guesses", path) == {"a": {"low": 1}, "b": {"low": 2}}
    progress.reset("guesses", path)
    assert progress.read(path) == {"checks": {"c": True}}
    progress.reset(path=path)
    assert not path.exists()
    progress.reset(path=path)  # there is nothing to forget, and nothing to complain of


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"guesses": 3}', b"\xff\xfe", b"null"])
def test_a_damaged_file_is_set_aside_whole(path, content):
    path.write_bytes(content)
    assert progress.read(path) == {}
    assert path.with_name("progress.damaged.json").read_bytes() == content
    progress.keep("guesses", "a", 1, path)
    assert json.loads(path.read_text()) == {"guesses": {"a": 1}}


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_that_is_read_only_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(FileProblem, match="cannot be written"):
        progress.keep("guesses", "a", 1, tmp_path / "progress.json")


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileProblem, match="the course goes on without it"):
        progress.keep("guesses", "a", 1, tmp_path / "file" / "progress.json")
