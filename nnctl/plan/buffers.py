"""Pieces of the arena: what is in them, how long they live, and where they lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nnctl.engine.arena import aligned
from nnctl.engine.kernel import Bound
from nnctl.ops.dense import panel_step

ITEM = {"d": 8, "i": 8}


@dataclass(eq=False)
class Buffer:
    """An array in the arena. ``rows``: (samples, ld) of which ``width`` columns hold data;
    ``column``: one element a sample; ``vector``: ``width`` elements; ``words``: int64 by hand.

    ``address`` is set when the arena is laid out. ``fixed`` buffers (parameters, constants) outlive
    every tape.
    """

    name: str
    kind: str
    dtype: str
    width: int
    ld: int
    elements: int
    item: int
    fixed: bool = False
    address: int = 0

    @property
    def bytes(self) -> int:
        return aligned(self.elements * self.item)

    def bound(self) -> Bound:
        """How a kernel on arrays sees it."""
        if self.kind == "rows":
            return Bound("rows", self.dtype, (self.address, self.ld))
        if self.kind == "column":
            return Bound("column", self.dtype, (self.address,))
        return Bound("vector", self.dtype, (self.address, self.width))


def row_stride(width: int, lanes: int, item: int) -> int:
    """Elements from row to row: whole panels, and never a multiple of a kilobyte.

    Rows a power of two apart fall on few sets of the first-level cache.
    """
    step = panel_step(width, lanes)
    stride = -(-width // step) * step
    return stride + lanes if stride * item % 1024 == 0 else stride


@dataclass(frozen=True)
class Maker:
    """Makes the buffers of one tape."""

    capacity: int
    dtype: np.dtype
    lanes: int

    def _item(self, letter: str) -> int:
        return ITEM.get(letter, self.dtype.itemsize)

    def rows(self, name: str, width: int, letter: str = "f") -> Buffer:
        item = self._item(letter)
        ld = row_stride(width, self.lanes, item)
        return Buffer(name, "rows", letter, width, ld, self.capacity * ld, item)

    def column(self, name: str, letter: str = "f") -> Buffer:
        return Buffer(name, "column", letter, 1, 1, self.capacity, self._item(letter))

    def vector(self, name: str, elements: int, letter: str = "f", fixed: bool = False) -> Buffer:
        item = self._item(letter)
        return Buffer(name, "vector", letter, elements, elements, elements, item, fixed)


def place(
    lives: Iterable[tuple[Buffer, int, int]], keep_all: bool = False
) -> tuple[dict[Buffer, int], int]:
    """Give each buffer an offset; those whose lives (first, last phase) overlap never share bytes.

    Largest first, each in the lowest gap that fits. Returns offsets and the bytes of the whole.
    """
    placed: list[tuple[int, int, int, int]] = []  # offset, end, first, last
    offsets: dict[Buffer, int] = {}
    for buffer, first, last in sorted(lives, key=lambda life: (-life[0].bytes, life[1])):
        at = _lowest_gap(buffer.bytes, _neighbors(placed, first, last, keep_all))
        placed.append((at, at + buffer.bytes, first, last))
        offsets[buffer] = at
    return offsets, max((end for _, end, _, _ in placed), default=0)


def _neighbors(
    placed: Sequence[tuple[int, int, int, int]], first: int, last: int, keep_all: bool
) -> list[tuple[int, int]]:
    return sorted(
        (start, end) for start, end, a, b in placed if keep_all or (a <= last and first <= b)
    )


def _lowest_gap(size: int, taken: Sequence[tuple[int, int]]) -> int:
    at = 0
    for start, end in taken:
        if start - at >= size:
            return at
        at = max(at, end)
    return at
