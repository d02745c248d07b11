"""Files are written whole or not at all, and read with errors that say what to do.

DATA is where the course keeps its own. Not here: what a dataset's rows look like (text/formats.py).
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
UTF8 = "save the file with the encoding UTF-8"
UNPACK = "unpack it, and name the file that was in it"
EXPORT = "write its table as text: pandas.read_{}(path).to_json('rows.jsonl', orient='records', lines=True)"
BEGINNINGS = (  # how files begin that hold no text in UTF-8, what they are, and what to do
    (rb"version https://git-lfs", "a pointer of Git LFS, not the file itself", "fetch that with: git lfs pull"),
    (rb"\x1f\x8b|BZh\d|\xfd7zXZ|\x28\xb5\x2f\xfd", "compressed (gzip, bzip2, xz or zstd)", UNPACK),
    (rb"PK\x03\x04(?s:.*)xl/", "a spreadsheet of Excel", "save it there as CSV in UTF-8"),
    (rb"PK\x03\x04", "a zip file (or a spreadsheet)", UNPACK),
    (rb"PAR1", "a Parquet file", EXPORT.format("parquet")),
    (rb"ARROW1|\xff\xff\xff\xff", "an Arrow file", EXPORT.format("feather")),
    (rb"SQLite format 3", "a database (SQLite)", "write the rows that you want as JSON, a row a line"),
    (rb"%PDF", "a PDF", "write its rows as JSON, a row a line"),
    (rb"\s*<(?i:!doctype|html)", "a web page", "download the file itself, not the page that shows it (its 'raw' link)"),
    (rb"\xff\xfe|\xfe\xff", "UTF-16 text", UTF8),
    (rb"(.\x00){2}|(\x00.){2}", "UTF-16 text (without a mark)", UTF8),
    (rb"(?s:.*)\x00", "no text (it holds zero bytes)", "name a file of text"),
)


class FileProblem(ValueError):
    """A file is missing, damaged or not of this course; the message names it and the remedy."""


def see_text(path: Path) -> None:
    """FileProblem where a file is by its first bytes something else than text in UTF-8: what, and what to do."""
    with Path(path).open("rb") as file:
        start = file.read(4096)
    for beginning, what, remedy in BEGINNINGS:
        if re.match(beginning, start):
            raise FileProblem(f"{path}: is {what}; {remedy}")


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write `content`, in one piece or several, to `path`; whoever interrupts it finds the old file or the new one,
    never half of one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
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
