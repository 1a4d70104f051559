"""Layers that only change the shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Finding, LayerModel, Shape, ShapeError
from nnctl.spec.shapes import Reach, format_shape, require_rank, size


class Flatten(LayerModel):
    """All numbers of a sample in one axis, in the order H, W, C."""

    linear: ClassVar[bool] = True

    type: Literal["flatten"]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (size(inputs[0]),)

    def flops(self, inputs: Sequence[Shape]) -> int:
        return 0

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return ()


class RepeatVector(LayerModel):
    """A vector (C) at every step of a sequence: from = [vector, sequence], to (T, C) with the steps
    of that."""

    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    linear: ClassVar[bool] = True

    type: Literal["repeat_vector"]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        vector, sequence = inputs
        if len(vector) != 1 or not sequence:
            given = f"{format_shape(vector)} and {format_shape(sequence)}"
            raise ShapeError(
                f"repeat_vector expects a vector and a sequence, given {given}",
                'make one of the steps first: returns = "last", or a pool of the whole sequence',
            )
        return (sequence[0], vector[0])

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True

    def flops(self, inputs: Sequence[Shape]) -> int:
        return 0

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return ()  # of the sequence; the vector is the same at all steps

    def reaches(self, inputs: Sequence[Shape]) -> tuple[tuple[Reach, ...] | None, ...]:
        return (None, (Reach(0, 0),))  # of the sequence the number of its steps alone


class MeanSteps(LayerModel):
    """The mean of a sequence's steps, those that it has: (T, C) to (C)."""

    linear: ClassVar[bool] = True

    type: Literal["mean_steps"]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        hint = "a sequence has two axes, steps and channels"
        return require_rank(inputs, (2,), self.type, hint)[-1:]

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True

    def flops(self, inputs: Sequence[Shape]) -> int:
        return size(inputs[0])


class Reshape(LayerModel):
    """The same numbers, in the same order, under another shape."""

    linear: ClassVar[bool] = True

    type: Literal["reshape"]
    shape: list[Annotated[int, Field(ge=-1, le=2**31 - 1)]] = Field(
        min_length=1,
        max_length=5,
        description="axes of one sample, channels last; one of them may be -1: what is left",
    )

    def conflicts(self) -> Iterable[Finding]:
        if 0 in self.shape or self.shape.count(-1) > 1:
            message = f"expected axes of 1 or more, at most one of them -1, given {self.shape}"
            yield Finding(("shape",), message)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        total = size(inputs[0])
        known = abs(size(self.shape))
        left = total // known
        shape = tuple(left if axis == -1 else axis for axis in self.shape)
        if size(shape) != total:
            given = f"{format_shape(inputs[0])} ({total} numbers)"
            raise ShapeError(
                f"reshape expects as many numbers as it is given, {given}, but {self.shape} "
                + (f"does not divide {total}" if -1 in self.shape else f"holds {known}"),
                "make the axes multiply to the same number, or write -1 for one of them",
            )
        return shape

    def flops(self, inputs: Sequence[Shape]) -> int:
        return 0

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return ()
