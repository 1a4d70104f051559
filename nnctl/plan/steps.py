"""A bound call: one kernel with every argument name tied to a buffer, a number or a rate."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nnctl.engine.kernel import Bound, Kernel, Sizes, Split
from nnctl.engine.op import op as compile_op
from nnctl.ops.registry import Record
from nnctl.plan.buffers import Buffer


@dataclass(frozen=True)
class Rate:
    """A step-dependent scalar: the column of the table that holds it."""

    column: int


@dataclass(frozen=True)
class Flat:
    """A piece of a zone, cut as the call is: the parameters' or another of the same layout."""

    buffer: Buffer


@dataclass(frozen=True)
class Table:
    """A resident array: the word of the arena that holds its address, and its row length."""

    words: Buffer
    index: int
    width: int
    dtype: str
    kind: str = "table"  # or "output"


Value = Buffer | Flat | Table | Rate | int | float | Record


@dataclass(eq=False)
class Step:
    """One kernel call of a tape. ``label`` names it for people: node and pass."""

    kernel: Kernel
    values: Mapping[str, Value]
    sizes: Sizes
    label: str
    fixed_split: Split | None = None
    split: Split | None = None
    is_alone: bool = False  # all calls after it depend on it: it has a phase to itself
    extra: set[Buffer] = field(default_factory=set)  # what it touches beyond its arguments

    def _touched(self, names: Iterable[str]) -> dict[Buffer, None]:
        found: dict[Buffer, None] = {}
        for name in names:
            value = self.values.get(name)
            value = value.buffer if isinstance(value, Flat) else value
            if isinstance(value, Buffer):
                found[value] = None
        return found

    @property
    def writes(self) -> set[Buffer]:
        return {*self._touched(self.kernel.writes), *self.extra}

    @property
    def reads(self) -> set[Buffer]:
        return {*self._touched(n for n in self.values if n not in self.kernel.writes)}

    @property
    def touches(self) -> set[Buffer]:
        return self.writes | self.reads

    def in_order(self) -> list[Buffer]:
        """What it touches, in an order that is the same in every process; a set's is not."""
        rest = self.extra - self._touched(self.values).keys()
        return [*self._touched(self.values), *sorted(rest, key=lambda buffer: buffer.name)]

    def argument_of(self, buffer: Buffer) -> list[str]:
        """Names under which the call knows ``buffer``."""
        return [
            n for n, v in self.values.items() if v is buffer or getattr(v, "buffer", 0) is buffer
        ]

    def own_split(self) -> Split | None:
        """The task split that the kernel asks for; None if it follows its neighbor's."""
        if self.fixed_split is not None:
            return self.fixed_split
        return self.kernel.split(self.sizes) if self.kernel.split is not None else None

    @property
    def width(self) -> int:
        """Columns that an elementwise or row kernel runs over: those of what it writes."""
        for name in self.kernel.writes:
            value = self.values[name]
            if isinstance(value, Buffer):
                return value.width
        return 1

    def scratch_bytes(self, item: int) -> int:
        return self.kernel.scratch(self.sizes) * item if self.kernel.scratch is not None else 0

    def compile(self, dtype: str) -> tuple[int, list[int]]:
        """Return the op's address and its argument row, once buffers have addresses."""
        if self.split is None:
            raise RuntimeError(f"{self.label}: no split was chosen")
        bound = {n: self._bound(v) for n, v in self.values.items()}
        address, words = compile_op(self.kernel, dtype, bound)
        return address, self.split.words() + words

    def _bound(self, value: Value) -> Bound:
        if isinstance(value, Buffer):
            if self.kernel.kind == "tiles":
                return Bound("address", words=(value.address,))
            return value.bound()
        if isinstance(value, Flat):
            if self.kernel.kind == "tiles":
                return Bound("address", words=(value.buffer.address,))
            return Bound("flat", value.buffer.dtype, (value.buffer.address,))
        if isinstance(value, Table):
            place = value.words.address + 8 * value.index
            return Bound(value.kind, value.dtype, (place, value.width))
        if isinstance(value, Rate):
            return Bound("rate", words=(value.column,))
        if isinstance(value, tuple):
            return Bound("record", words=tuple(value), record=type(value))
        if isinstance(value, float):
            return Bound("real", words=(_bits(value),))
        return Bound("int", words=(int(value),))


def _bits(value: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


def names_of(kernel: Kernel) -> tuple[str, ...]:
    """All names that must be bound: arguments, and outputs that a formula returns."""
    return tuple(dict.fromkeys([*kernel.arguments, *kernel.writes]))


def field_value(value: Any) -> int | float:
    """A layer's field as a number for a kernel."""
    return float(value) if isinstance(value, float) else int(value)
