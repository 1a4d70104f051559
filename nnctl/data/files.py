"""Open data files so that whatever is wrong with them is a DataError with file and line.

Stdlib only: ``check`` reads through this.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from nnctl.data.problems import file_error
from nnctl.spec.suggest import nearest

_GZIP = b"\x1f\x8b"
_DAMAGED = "copy or download it again"
_TRUNCATED = f"the file was cut short; {_DAMAGED}"


def require_file(path: Path) -> None:
    """Raise DataError unless ``path`` is a readable file with something in it."""
    if path.is_dir():
        raise file_error(path, "expected a data file, found a directory", "name a file in it")
    require_target(path)
    if not path.exists():
        near = nearest(path.name, siblings(path))
        hint = f'did you mean "{near}"?\n' if near else ""
        hint += "a relative path starts at the folder of the spec file"
        raise file_error(path, "no such file", hint)
    if path.is_file() and path.stat().st_size == 0:
        raise file_error(path, "the file is empty (0 bytes)", "write the data again")


def require_target(path: Path) -> None:
    """Raise DataError for a symbolic link to what is not there."""
    if path.is_symlink() and not path.exists():
        message = f"a symbolic link to {path.readlink()}, which is not there"
        raise file_error(path, message, "bring back what it names, or remove the link")


def siblings(path: Path) -> list[str]:
    """Return the names beside a path; none where its folder cannot be read."""
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []


def _starts_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


@contextmanager
def open_binary(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, unpacking ``.gz``; failures while reading are DataErrors."""
    require_file(path)
    packed = path.name.endswith(".gz")
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            yield cast(BinaryIO, file)
    except gzip.BadGzipFile as error:
        what = "not a gzip file, though its name ends in .gz"
        if _starts_with(path, _GZIP):
            about = "something follows its end" if "gzipped" in str(error) else str(error)
            raise file_error(path, f"damaged gzip file: {about}", _DAMAGED) from None
        raise file_error(path, what, "rename it, or pack it with gzip") from None
    except EOFError:
        raise file_error(path, "truncated gzip file: it ends too early", _TRUNCATED) from None
    except zlib.error as error:
        raise file_error(path, f"damaged gzip file: {error}", _TRUNCATED) from None
    except OSError as error:
        raise file_error(path, f"cannot be read: {error.strerror or error}") from None


def text_lines(file: BinaryIO, path: Path) -> Iterator[str]:
    """Decode a file line by line as UTF-8, so that a bad byte has a line. A BOM is dropped."""
    for number, raw in enumerate(file, 1):
        if number == 1:
            refuse_other_kinds(raw, path)
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"not UTF-8: byte 0x{raw[error.start]:02x} at position {error.start + 1}"
            hint = f"save the file as UTF-8, e.g. iconv -f latin1 -t utf-8 {path.name}"
            raise file_error(path, message, hint, line=number) from None
        if "\0" in text:
            hint = "is this a binary file, or UTF-16? CSV has to be UTF-8 text"
            raise file_error(path, "a NUL byte in a text file", hint, line=number)
        yield text


def refuse_other_kinds(start: bytes, path: Path) -> None:
    """Raise DataError for what starts as another kind of file does."""
    kinds = {
        b"\x1f\x8b": ("gzip data in a file not named .gz", f"rename it to {path.name}.gz"),
        b"PK\x03\x04": ("a zip archive, not text", "unpack it, or name it .npz if it is one"),
        b"\xff\xfe": ("UTF-16 text; UTF-8 was expected", "save the file as UTF-8"),
        b"\xfe\xff": ("UTF-16 text; UTF-8 was expected", "save the file as UTF-8"),
    }
    for magic, (message, hint) in kinds.items():
        if start.startswith(magic):
            raise file_error(path, message, hint, line=1)
