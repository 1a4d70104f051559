"""How parameters lie in the arena, and the way between that and their canonical shapes.

All parameters lie one after another in one zone; gradients and optimizer slots have zones of the
same layout, so that an update, a norm or a copy is one pass. Padding is zero and stays zero: its
gradient is zero, and no update rule moves a zero with a zero gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from nnctl.ops.dense import padded, panel_step


@dataclass(frozen=True)
class Vector:
    """Elements in canonical order, padded to whole panels."""

    shape: tuple[int, ...]
    lanes: int

    @classmethod
    def of(cls, shape: tuple[int, ...], lanes: int, fields: Mapping[str, Any]) -> Vector:
        return cls(shape, lanes)

    @property
    def elements(self) -> int:
        return padded(prod(self.shape), self.lanes)

    def pack(self, values: np.ndarray, out: np.ndarray) -> None:
        out[: values.size] = values.reshape(-1)

    def unpack(self, held: np.ndarray) -> np.ndarray:
        return held[: prod(self.shape)].reshape(self.shape).copy()


@dataclass(frozen=True)
class Panels:
    """Weights (..., I, O) as a matrix in blocks of columns, each a contiguous table.

    The rows are all axes but the last, the columns are cut in ``groups`` first. ``flip``: the
    places of a kernel lie in the opposite order, so that what runs as a cross-correlation is the
    true convolution.
    """

    shape: tuple[int, ...]
    lanes: int
    groups: int = 1
    flip: bool = False

    @classmethod
    def of(cls, shape: tuple[int, ...], lanes: int, fields: Mapping[str, Any]) -> Panels:
        return cls(shape, lanes, int(fields.get("groups", 1)), bool(fields.get("flip_kernel")))

    @property
    def rows(self) -> int:
        return prod(self.shape[:-1])

    @property
    def elements(self) -> int:
        return self.groups * self.rows * padded(self.shape[-1] // self.groups, self.lanes)

    def _blocks(self) -> Iterator[tuple[slice, int, int]]:
        """Per block: its columns of the matrix, its columns in memory, where it starts."""
        columns, at = self.shape[-1] // self.groups, 0
        for group in range(self.groups):
            done = 0
            while done < columns:
                wide = panel_step(columns - done, self.lanes)
                used = min(wide, columns - done)
                first = group * columns + done
                yield slice(first, first + used), wide, at
                done += wide
                at += self.rows * wide

    def _turned(self, values: np.ndarray) -> np.ndarray:
        places = tuple(range(len(self.shape) - 2))
        return np.flip(values, places) if self.flip else values

    def pack(self, values: np.ndarray, out: np.ndarray) -> None:
        matrix = self._turned(values).reshape(self.rows, self.shape[-1])
        for columns, wide, start in self._blocks():
            block = out[start : start + self.rows * wide].reshape(self.rows, wide)
            block[:, : columns.stop - columns.start] = matrix[:, columns]

    def unpack(self, held: np.ndarray) -> np.ndarray:
        matrix = np.empty((self.rows, self.shape[-1]), dtype=held.dtype)
        for columns, wide, start in self._blocks():
            block = held[start : start + self.rows * wide].reshape(self.rows, wide)
            matrix[:, columns] = block[:, : columns.stop - columns.start]
        return np.ascontiguousarray(self._turned(matrix.reshape(self.shape)))


KINDS: Mapping[str, type[Vector] | type[Panels]] = {"vector": Vector, "panels": Panels}
CHUNK = 8192  # elements of one task of an update


@dataclass(frozen=True)
class Zone:
    """The common layout of parameters, gradients and slots: places by parameter name."""

    layouts: Mapping[str, Vector | Panels]
    starts: Mapping[str, int]
    elements: int
    chunk: int

    @classmethod
    def of(cls, layouts: Mapping[str, Vector | Panels], line: int) -> Zone:
        """Lay out one after another, each on a cache line of ``line`` elements."""
        starts, at = {}, 0
        for name, layout in layouts.items():
            starts[name] = at
            at += -(-layout.elements // line) * line
        chunk = min(CHUNK, max(at, line))
        return cls(dict(layouts), starts, -(-max(at, 1) // chunk) * chunk, chunk)

    @property
    def chunks(self) -> int:
        return self.elements // self.chunk

    def part(self, name: str, zone: np.ndarray) -> np.ndarray:
        """Return the piece of a zone that holds one parameter."""
        start = self.starts[name]
        return zone[start : start + self.layouts[name].elements]
