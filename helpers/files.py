"""Files are written whole or not at all, and read with errors that say what to do.

DATA is where the course keeps its own.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"


class FileProblem(ValueError):
    """A file is missing, damaged or not of this course; the message names it and the remedy."""


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path`; whoever interrupts it finds the old file or the new one, never half of one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def see_writable(path: Path) -> None:
    """FileProblem where `write_whole` could not write `path`: asked before the work whose outcome it shall hold."""
    path = Path(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "there is a folder of that name")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        os.unlink(temporary)
    except OSError as problem:
        raise FileProblem(
            f"{path}: cannot be written ({problem.strerror}); name a file in a folder where you may write"
        ) from None


def read_bytes(path: Path) -> bytes:
    """A file's content, or FileProblem when there is none."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise FileProblem(f"{path}: there is no such file; `make rebuild` makes the course's own") from None
    except IsADirectoryError:
        raise FileProblem(f"{path}: is a folder; name a file in it") from None


def read_text(path: Path) -> str:
    """A file's text (UTF-8), or FileProblem."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise FileProblem(f"{path}: not UTF-8 text; the file is damaged or not of this course") from None
