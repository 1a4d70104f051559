"""Layers that join several inputs in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import LayerModel, Shape, ShapeError
from nnctl.spec.shapes import format_shape, require_equal, size


class _Elementwise(LayerModel):
    arity: ClassVar[tuple[int, int | None]] = (2, None)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        hint = "give the layers it reads the same number of units (or the same shape)"
        if any(len(shape) > 1 for shape in inputs):
            hint = 'give the layers it reads the same shape: padding = "same", equal strides and '
            hint += "filters; a convolution with kernel_size = 1 changes the channels alone"
        return require_equal(inputs, self.type, hint)

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True

    def flops(self, inputs: Sequence[Shape]) -> int:
        return (len(inputs) - 1) * size(inputs[0])


class Add(_Elementwise):
    """The sum of its inputs, element by element: how residual networks join (He et al. 2016)."""

    linear: ClassVar[bool] = True
    epilogue: ClassVar[bool] = True

    type: Literal["add"]


class Average(_Elementwise):
    """The mean of its inputs, element by element."""

    linear: ClassVar[bool] = True

    type: Literal["average"]


class Multiply(_Elementwise):
    """The product of its inputs, element by element: one branch gates another."""

    type: Literal["multiply"]


class Concat(LayerModel):
    """Its inputs one after another along one axis."""

    arity: ClassVar[tuple[int, int | None]] = (2, None)
    linear: ClassVar[bool] = True

    type: Literal["concat"]
    axis: int = Field(
        -1, ge=-5, le=4, description="axis of the sample, from 0; -1 is the last: the channels"
    )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        first = inputs[0]
        axis = self.axis + len(first) if self.axis < 0 else self.axis
        if not 0 <= axis < len(first):
            raise ShapeError(
                f"concat expects an axis of its inputs, given axis {self.axis} "
                f"of {format_shape(first)}",
                "leave axis out to join the last one",
            )
        hint = "bring the other axes to the same size first"
        if len(first) > 1 and axis == len(first) - 1:
            hint += ': padding = "same", equal strides and pools keep the places alike'
        for other in inputs[1:]:
            if len(other) != len(first) or _without(other, axis) != _without(first, axis):
                raise ShapeError(
                    "concat expects shapes that differ only along the joined axis, given "
                    f"{format_shape(first)} and {format_shape(other)}",
                    hint,
                )
        joined = sum(shape[axis] for shape in inputs)
        return (*first[:axis], joined, *first[axis + 1 :])

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return self.axis in (-1, len(inputs[0]) - 1)

    def flops(self, inputs: Sequence[Shape]) -> int:
        return 0


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]
