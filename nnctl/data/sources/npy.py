"""NPY: one NumPy array a file; the targets are another file, which the spec's target names.

The format (numpy.lib.format, versions 1.0 to 3.0) is read by hand, so that ``check`` needs no
NumPy; Python objects (pickle) are never read.
"""

from __future__ import annotations

import ast
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO

from nnctl.data.files import open_binary
from nnctl.data.problems import in_file
from nnctl.data.sources.arrays import TRUNCATED, ArrayHeader, Arrays, require_size
from nnctl.data.sources.base import Defaults, Options, Source
from nnctl.errors import DataError, Problem

EXTENSIONS = (".npy",)

_MAGIC = b"\x93NUMPY"
_PLAIN = re.compile(r"[<>|][a-zA-Z][0-9]{1,5}")


def open_source(path: Path, options: Options) -> Source:
    """Read the header of an array, and that of its targets' file."""
    return Npy(path, options.target_file())


class Npy(Arrays):
    """A pair of files, x and y; y only where the spec's target names it."""

    is_paired = True

    def __init__(self, path: Path, target: Path | None) -> None:
        paths = {"x": path} | ({"y": target} if target else {})
        headers = {name: self._header(file) for name, file in paths.items()}
        super().__init__(path, headers)
        self.files = tuple(paths.values())
        self.defaults = Defaults("y" if target else None, inputs=("x",))

    def _header(self, file: Path) -> ArrayHeader:
        with open_binary(file) as stream:
            header = read_header(stream, file, "")
            require_size(header, file.stat().st_size - stream.tell())
        return header

    def data(self, name: str) -> bytes:
        """Read the numbers."""
        file = self.headers[name].file
        with open_binary(file) as stream:
            read_header(stream, file, "")
            return stream.read()


def read_header(stream: BinaryIO, file: Path, label: str) -> ArrayHeader:
    """Read the head of an array, leaving the stream at its data. Raises DataError."""

    def problem(message: str, hint: str = "") -> Problem:
        return in_file(file, f"{label}: {message}" if label else message, hint)

    start = stream.read(8)
    if not start.startswith(_MAGIC):
        hint = "write it with numpy.save or numpy.savez"
        raise DataError(problem(f"not a NumPy array: it starts with {start[:6]!r}", hint))
    # Version 1 counts the header's bytes in two bytes, later ones in four.
    form = "<H" if start[6:7] == b"\x01" else "<I"
    count = stream.read(struct.calcsize(form))
    size = struct.unpack(form, count)[0] if len(count) == struct.calcsize(form) else 0
    text = stream.read(min(size, 1 << 20))
    if not size or len(text) < size:
        raise DataError(problem("truncated in its header", TRUNCATED))
    try:
        table: Any = ast.literal_eval(text.decode("latin-1"))
        shape = tuple(int(side) for side in table["shape"])
        descr, is_fortran = table["descr"], bool(table["fortran_order"])
    except (ValueError, SyntaxError, KeyError, TypeError, MemoryError, RecursionError):
        raise DataError(problem("its NumPy header cannot be read", TRUNCATED)) from None
    if min(shape, default=0) < 0:
        raise DataError(problem(f"its NumPy header gives the shape {shape}", TRUNCATED))
    if not isinstance(descr, str) or not _PLAIN.fullmatch(descr):
        known = isinstance(descr, str) and descr.endswith("O")
        descr = "|O" if known else "|V0"
    return ArrayHeader(file, label, shape, descr, is_fortran)
