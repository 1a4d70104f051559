"""How parameters lie in the arena, and the way between that and their canonical shapes.

All parameters lie one after another in one zone; gradients and optimizer slots have zones of the
same layout, so that an update, a norm or a copy is one pass. Padding is zero and stays zero: its
gradient is zero, and no update rule moves a zero with a zero gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from nnctl.ops.dense import padded


@dataclass(frozen=True)
class Vector:
    """Elements in canonical order, padded to whole panels."""

    shape: tuple[int, ...]
    lanes: int

    @property
    def elements(self) -> int:
        return padded(prod(self.shape), self.lanes)

    def pack(self, values: np.ndarray, out: np.ndarray) -> None:
        out[: values.size] = values.reshape(-1)

    def unpack(self, held: np.ndarray) -> np.ndarray:
        return held[: prod(self.shape)].reshape(self.shape).copy()


@dataclass(frozen=True)
class Panels:
    """A matrix (I, O) in blocks of columns, each block a contiguous (I, columns) table."""

    shape: tuple[int, ...]
    lanes: int

    @property
    def elements(self) -> int:
        return self.shape[0] * padded(self.shape[1], self.lanes)

    def _blocks(self) -> list[tuple[int, int, int, int]]:
        """Per block: its first column, its columns in use, its columns, where it starts."""
        rows, columns = self.shape
        found, at = [], 0
        while at < columns:
            wide = self.lanes if columns - at <= self.lanes else 2 * self.lanes
            found.append((at, min(wide, columns - at), wide, at * rows))
            at += wide
        return found

    def pack(self, values: np.ndarray, out: np.ndarray) -> None:
        rows = self.shape[0]
        for first, used, wide, start in self._blocks():
            block = out[start : start + rows * wide].reshape(rows, wide)
            block[:, :used] = values[:, first : first + used]

    def unpack(self, held: np.ndarray) -> np.ndarray:
        rows = self.shape[0]
        values = np.empty(self.shape, dtype=held.dtype)
        for first, used, wide, start in self._blocks():
            block = held[start : start + rows * wide].reshape(rows, wide)
            values[:, first : first + used] = block[:, :used]
        return values


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
