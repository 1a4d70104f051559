"""Shapes of one sample (no batch axis, channels last), and what layers say of them. Stdlib only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, NamedTuple

Shape = tuple[int, ...]
"""Axes of one sample, channels last: ``(26, 26, 9)``; ``()`` is a scalar."""


class ShapeError(ValueError):
    """The shapes that reach a layer do not fit it; whoever knows the place makes it a SpecError."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Parameter:
    """A trained array of a layer: its canonical shape and how it starts.

    ``init`` is an initializer's tag or its model, or a tuple of them, one for each of as many equal
    parts of the last axis; None leaves it to the graph, which sees what follows: He's before the
    relu family, else Glorot's. ``fan_in`` and ``fan_out`` are the numbers
    of inputs and outputs that one weight meets, which both scale by.
    """

    shape: Shape
    init: Any
    kind: Literal["weight", "bias", "norm"]
    fan_in: int
    fan_out: int


class Reach(NamedTuple):
    """What output o reads along an axis of its input, the end left out:

    floor((step * o + first) / parts)  to  ceil((step * o + end) / parts),  as far as it is there.

    Beyond the border stand zeros, the places "reflect"ed, or that at its "edge" again.
    """

    first: int
    end: int
    step: int = 1
    parts: int = 1
    beyond: Literal["zeros", "reflect", "edge"] = "zeros"

    def places(self, o: int, count: int) -> tuple[int, int]:
        """First of the places that output ``o`` reads of ``count``, and the end of them."""
        first = (self.step * o + self.first) // self.parts
        end = -(-(self.step * o + self.end) // self.parts)
        if self.beyond == "zeros" or first >= end or (first >= 0 and end <= count):
            return max(first, 0), min(max(end, 0), count)
        last = count - 1
        read = [p for p in (first, 0, last, end - 1) if first <= p < end]
        if self.beyond == "reflect":
            read = [2 * last - abs(p) if abs(p) > last else abs(p) for p in read]
        inside = [min(max(p, 0), last) for p in read]
        return min(inside), max(inside) + 1


class Through(NamedTuple):
    """How many steps a layer makes of a sequence of L: (times * L + more) // parts, or none."""

    times: int = 1
    more: int = 0
    parts: int = 1

    def of(self, length: Any) -> Any:
        """Steps of its output, of one length or of an array of them."""
        steps = (self.times * length + self.more) // self.parts
        return steps * (steps > 0)

    def least(self, wanted: int) -> int:
        """The fewest steps that it makes ``wanted`` of."""
        return -((self.more - self.parts * wanted) // self.times)


@dataclass(frozen=True)
class Passage:
    """How sequences of several lengths pass a layer that reads more than a step at a time.

    ``behind`` is what must lie behind the end before it reads that: "zeros", or the "last" step
    again; None: it reads nothing from there. ``op`` does its work on them, where that is another.
    ``refused``: why it cannot take them, and what to do.
    """

    through: Through = Through()
    behind: Literal["zeros", "last"] | None = None
    op: str | None = None
    refused: tuple[str, str] | None = None


@dataclass(frozen=True)
class State:
    """An array that a layer keeps from step to step and that no gradient moves: running statistics,
    say. ``initial`` is what all its numbers are before the first step.

    ``of_samples``: it has a row of this shape for each sample of a batch, which the next batch goes
    on from; files hold it as ``pieces``, equal parts of its last axis.
    """

    shape: Shape
    initial: float
    of_samples: bool = False
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Steps:
    """How a recurrent layer goes through its input: ``count`` steps, the last one first where it
    goes ``backward``; ``states`` are what a step hands on to the next. For the way back it keeps
    ``numbers`` of a sample's step, and of the start; or, cut into segments of so many steps, those
    of one ``segment`` at a time, and the ``handed`` numbers of the states after each. ``learned``
    are the parameters that it starts from, if they are trained."""

    count: int
    numbers: int
    states: tuple[str, ...] = ("h",)
    backward: bool = False
    every: bool = True  # it gives the state of every step, not of the last one only
    learned: tuple[str, ...] = ()
    starts: bool = True  # its second input, if it has one, gives the states it starts from
    segment: int | None = None
    handed: int = 0

    @property
    def trace(self) -> int:
        """Numbers that all steps of a sample take."""
        return (self.count + 1) * self.numbers

    @property
    def kept(self) -> int:
        """Numbers of a sample that are there at once."""
        if self.segment is None:
            return self.trace
        return (self.segment + 1) * self.numbers + -(-self.count // self.segment) * self.handed


def format_shape(shape: Sequence[int]) -> str:
    """Write a shape as nnctl prints it: ``26x26x9``; a scalar is ``1``."""
    return "x".join(map(str, shape)) or "1"


def size(shape: Sequence[int]) -> int:
    """Count the numbers in one sample of this shape."""
    return prod(shape)


def require_rank(inputs: Sequence[Shape], ranks: tuple[int, ...], who: str, hint: str) -> Shape:
    """Return the only input's shape if it has one of the numbers of axes, else raise ShapeError."""
    (shape,) = inputs
    if len(shape) not in ranks:
        wanted = " or ".join(map(str, ranks))
        axes = "axis" if wanted == "1" else "axes"
        raise ShapeError(f"{who} expects {wanted} {axes}, given {format_shape(shape)}", hint)
    return shape


def require_equal(inputs: Sequence[Shape], who: str, hint: str) -> Shape:
    """Return the shape that all inputs share, else raise ShapeError with the two that differ."""
    first = inputs[0]
    for other in inputs[1:]:
        if other != first:
            given = f"{format_shape(first)} and {format_shape(other)}"
            raise ShapeError(f"{who} expects equal shapes, given {given}", hint)
    return first
