"""Sources whose fields are arrays: what NPZ, NPY and IDX share. Stdlib only until arrays are made.

Bytes (uint8) of two or more axes a sample are images: 255 stands for 1.0, and images without a
channel axis get one. Other whole numbers become int64 and mean what they are, bytes of one axis
(tables, tokens) among them; halves and truth values become float32.
"""

from __future__ import annotations

import struct
import sys
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnctl.data.problems import in_file
from nnctl.data.sources.base import Content, Field, Source, Wanted
from nnctl.errors import DataError, Problem
from nnctl.spec.shapes import Shape, format_shape

if TYPE_CHECKING:
    import numpy as np


TRUNCATED = "the file was cut short or damaged; write or copy it again"

_CODES = {"u1": "B", "i1": "b", "b1": "?", "u2": "H", "i2": "h", "u4": "I", "i4": "i"}
_CODES |= {"u8": "Q", "i8": "q"}
_KINDS = {"f2", "f4", "f8", *_CODES}


@dataclass(frozen=True)
class ArrayHeader:
    """The head of one array: its shape with the sample axis, and its type as NumPy writes it.

    ``label`` is how a message names it: ``array "x"``, or nothing where the file is the array.
    """

    file: Path
    label: str
    shape: Shape
    descr: str
    is_fortran: bool = False

    @property
    def kind(self) -> str:
        """NumPy's letter: u i f b, U S for text, O for objects."""
        return self.descr[1]

    @property
    def itemsize(self) -> int:
        """Bytes of one item."""
        return int(self.descr[2:] or 0) * (4 if self.kind == "U" else 1)

    @property
    def sample_shape(self) -> Shape:
        """Shape of one sample, images with their channel axis."""
        shape = self.shape[1:]
        is_gray = self.kind == "u" and self.itemsize == 1 and len(shape) == 2
        return (*shape, 1) if is_gray else shape

    @property
    def dtype(self) -> str:
        """The type that the array becomes in memory."""
        if self.kind == "b" or (self.kind == "f" and self.itemsize < 8):
            return "float32"
        if self.kind == "f":
            return "float64"
        return "uint8" if self.descr[1:] == "u1" and len(self.shape) > 2 else "int64"

    def problem(self, message: str, hint: str) -> Problem:
        """Name a mistake of this array."""
        return in_file(self.file, f"{self.label}: {message}" if self.label else message, hint)


class Arrays(Source):
    """Named arrays with the samples along the first axis."""

    noun = "array"
    merges = False

    def __init__(self, path: Path, headers: dict[str, ArrayHeader]) -> None:
        super().__init__(path, tuple(headers))
        self.headers = headers

    @abstractmethod
    def data(self, name: str) -> bytes:
        """Return the numbers of an array as bytes. Raises DataError where they cannot be read."""

    def _whole(self, name: str) -> bytes:
        data = self.data(name)
        require_size(self.headers[name], len(data))
        return data

    def labels(self, name: str) -> list[Any]:
        """Return an array of one axis as whole numbers or text, without NumPy."""
        header = self.headers[name]
        data, order = self._whole(name), header.descr[0]
        if header.kind in "US":
            encoding = "utf-8" if header.kind == "S" else f"utf-32-{'be' if order == '>' else 'le'}"
            size = header.itemsize
            items = (data[start : start + size] for start in range(0, len(data), size))
            return [item.decode(encoding, "replace").rstrip("\0") for item in items]
        form = f"{order if order in '<>' else '<'}{header.shape[0]}{_CODES[header.descr[1:]]}"
        return [int(value) for value in struct.unpack(form, data)]

    def whole_numbers(self, name: str) -> Sequence[int]:
        """Return an array of whole numbers, sample after sample, without NumPy."""
        header = self.headers[name]
        data, order = self._whole(name), header.descr[0]
        code: Any = _CODES[header.descr[1:]]
        if order in "|=" or (order == "<") == (sys.byteorder == "little"):
            flat: Sequence[int] = memoryview(data).cast(code)
        else:
            flat = struct.unpack(f"{order}{prod(header.shape)}{code}", data)
        if not header.is_fortran:
            return flat
        count = header.shape[0]
        return [value for row in range(count) for value in flat[row::count]]

    def array(self, name: str) -> np.ndarray:
        """Return an array as it is stored."""
        import numpy as np  # not above: `check` imports this file

        header = self.headers[name]
        flat = np.frombuffer(self._whole(name), dtype=header.descr)
        return flat.reshape(header.shape, order="F" if header.is_fortran else "C")

    def read(self, wanted: Wanted, *, keep: bool) -> Content:
        """Check that the arrays fit each other; their numbers are looked at when they are made."""
        names = [name for group in wanted.inputs.values() for name in group]
        for name in dict.fromkeys([*names, *wanted.fields]):
            _require_readable(self.headers[name], is_input=name in names)
        self._require_equal_counts([*names, *wanted.fields])
        fields = {name: self._field(name) for name in wanted.fields}
        only = {key: group[0] for key, group in wanted.inputs.items()}
        shapes = {key: self.headers[name].sample_shape or (1,) for key, name in only.items()}

        def inputs() -> dict[str, np.ndarray]:
            return {key: self._input(name, shapes[key]) for key, name in only.items()}

        def place(row: int, message: str, hint: str) -> Problem:
            return in_file(self.path, f"sample {row}: {message}", hint)

        count = self.headers[names[0]].shape[0]
        dtypes = {key: self.headers[name].dtype for key, name in only.items()}

        def tokens() -> dict[str, Sequence[int]]:
            may_be = {k: n for k, n in only.items() if dtypes[k] == "int64"}
            may_be = {k: n for k, n in may_be.items() if len(shapes[k]) == 1}
            return {key: self.whole_numbers(name) for key, name in may_be.items()}

        return Content(count, shapes, dtypes, fields, inputs, place, tokens)

    def _require_equal_counts(self, names: list[str]) -> None:
        first = self.headers[names[0]]
        for name in names[1:]:
            other = self.headers[name]
            if other.shape[0] != first.shape[0]:
                message = f"{other.shape[0]} samples, but {first.label or first.file.name} has "
                hint = "every array has its samples along the first axis, in the same order"
                raise DataError(other.problem(message + str(first.shape[0]), hint))

    def _field(self, name: str) -> Field:
        header = self.headers[name]
        shape = header.shape[1:]
        if header.kind in "US":
            if shape:
                message = f"text of shape {format_shape(header.shape)}, expected one label a sample"
                raise DataError(header.problem(message, "name an array of one axis"))
            return Field(name, "text", values=self.labels(name))
        if header.kind != "f" and not shape:
            return Field(
                name, "integer", values=self.labels(name), load=lambda: self._checked(name)
            )
        if header.kind == "f":
            holes = len(shape) == 2  # numbers over steps, some of which may not count
            return Field(name, "float", shape, load=lambda: self._checked(name, holes))
        whole = (lambda: self.whole_numbers(name)) if len(shape) == 1 else None
        return Field(name, "integer", shape, load=lambda: self._checked(name), whole=whole)

    def _input(self, name: str, shape: Shape) -> np.ndarray:
        return self._checked(name).reshape(-1, *shape)

    def _checked(self, name: str, holes: bool = False) -> np.ndarray:
        """Return an array in a form that the engine reads. Raises DataError at infinity and, unless
        ``holes`` are allowed, at NaN."""
        import numpy as np  # not above: `check` imports this file

        raw = self.array(name)
        if raw.dtype == np.uint64 and raw.max() > np.iinfo(np.int64).max:
            message = f"{raw.max()} is more than 64 bits with a sign can hold"
            raise DataError(self.headers[name].problem(message, "store it as float64"))
        made = np.ascontiguousarray(raw.astype(self.headers[name].dtype, copy=False))
        if made.dtype.kind == "f":
            rows = made.reshape(len(made), -1)
            if holes:
                rows = np.where(np.isnan(rows), rows.dtype.type(0), rows)
            # min and max carry NaN and infinity and need no array of truth values.
            with np.errstate(invalid="ignore"):
                edges = rows.min(axis=1), rows.max(axis=1)
            bad = np.flatnonzero(~(np.isfinite(edges[0]) & np.isfinite(edges[1])))
            if len(bad):
                value = next(v for v in rows[bad[0]] if not np.isfinite(v))
                message = f"sample {bad[0]} holds {value} ({len(bad)} such samples in all)"
                hint = "replace it, or leave the sample out: np.isfinite finds them"
                raise DataError(self.headers[name].problem(message, hint))
        return made


def _require_readable(header: ArrayHeader, *, is_input: bool) -> None:
    if header.kind == "O":
        message = "holds Python objects, which are read by running code (pickle)"
        raise DataError(header.problem(message, "save numbers or text: array.astype(...)"))
    if header.kind not in "US" and header.descr[1:] not in _KINDS:
        message = f"type {header.descr} cannot be used"
        raise DataError(header.problem(message, "save whole numbers, float32 or float64"))
    if header.kind in "US" and is_input:
        message = "text, expected numbers for an input"
        raise DataError(header.problem(message, "encode the text as whole numbers"))
    _require_samples(header)


def _require_samples(header: ArrayHeader) -> None:
    if not header.shape:
        message = "a single number, expected samples along the first axis"
        raise DataError(header.problem(message, "store an array of shape (samples, ...)"))
    if 0 in header.shape:
        shape = format_shape(header.shape)
        message = f"no samples: its shape is {shape}"
        raise DataError(header.problem(message, "store an array of shape (samples, ...)"))


def require_size(header: ArrayHeader, size: int) -> None:
    """Raise DataError unless ``size`` bytes are what the header promises."""
    expected = prod(header.shape) * header.itemsize
    if header.kind not in "OV" and size != expected:
        message = f"{size} bytes of data, expected {expected} by its header"
        raise DataError(header.problem(message, TRUNCATED))
