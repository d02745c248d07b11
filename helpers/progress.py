"""What a learner leaves behind on this machine: one small file, progress.json, that nothing in the course needs.

    keep("guesses", "03 off by one", {"low": 20, "high": 60})     stored at once, whole
    section("guesses")                                          -> {"03 off by one": {"low": 20, "high": 60}}
    reset("guesses")                                              forgets them

The file is not for git. A damaged one is set aside, never overwritten. Not here: what is guessed (showing/guess.py).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from helpers.files import DATA, FileProblem, write_whole

PROGRESS = DATA.parent / "progress.json"


def read(path: Path | None = None) -> dict[str, dict]:
    """All sections. A file that cannot be read is renamed to progress.damaged.json, and counts as none."""
    path = path or PROGRESS
    try:
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content, dict) and all(isinstance(part, dict) for part in content.values()):
            return content
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        pass
    try:
        os.replace(path, path.with_name("progress.damaged.json"))
    except OSError:
        pass  # a folder where nobody may write: what stands there cannot be lost either
    return {}


def section(name: str, path: Path | None = None) -> dict:
    """What was kept under a name, by key."""
    return read(path).get(name, {})


def keep(name: str, key: str, value: object, path: Path | None = None) -> None:
    """Store one value. FileProblem where the folder cannot be written."""
    path = path or PROGRESS
    content = read(path)
    content.setdefault(name, {})[key] = value
    try:
        write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as problem:
        raise FileProblem(f"{path}: cannot be written ({problem.strerror}); the course goes on without it") from None


def reset(name: str | None = None, path: Path | None = None) -> None:
    """Forget one section, or everything."""
    path = path or PROGRESS
    rest = {} if name is None else {key: part for key, part in read(path).items() if key != name}
    if rest:
        write_whole(path, (json.dumps(rest, indent=1, ensure_ascii=False) + "\n").encode())
    else:
        path.unlink(missing_ok=True)
