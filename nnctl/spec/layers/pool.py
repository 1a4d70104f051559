"""Pools: the largest, the smallest and the mean of windows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Finding, Shape, ShapeError
from nnctl.spec.grid import Counts, Padding, SeriesPadding, WindowModel, sizes
from nnctl.spec.shapes import format_shape
from nnctl.windows import Axis

_SIDES = '"valid" none, "same" gives ceil(size / stride) places, "full", or numbers for each axis'
_PADDING = f"places around the input, which are not counted: {_SIDES}"
_SERIES = f'{_PADDING}; "causal" all of them before it'


class _Pool(WindowModel):
    window: ClassVar[str] = "pool_size"
    counts: ClassVar[tuple[str, ...]] = ("pool_size", "stride", "padding")

    pool_size: Counts = Field(2, description="places of the window, of all axes or of each")
    stride: Counts | None = Field(
        None, description="places from one window to the next; default: those of the window"
    )
    padding: SeriesPadding = Field("valid", description=_SERIES)

    def axes(self, inputs: Sequence[Shape]) -> tuple[Axis, ...]:
        axes = super().axes(inputs)
        _require_something_in_windows(self.type, axes, inputs[0])
        return axes

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (*self.places(inputs), inputs[0][-1])

    def flops(self, inputs: Sequence[Shape]) -> int:
        axes = self.axes(inputs)
        return prod(axis.out * axis.kernel for axis in axes) * inputs[0][-1]

    def behind(self) -> Literal["zeros", "last"]:
        return "last"  # it is in each such window, and never chosen where it stands again

    def refusal(self, axis: Axis) -> tuple[str, str] | None:
        if axis.after >= axis.kernel:
            message = f"has windows wholly behind the end: its padding there is {axis.after}"
            return message, f"take padding = [{axis.before}, {axis.kernel - 1}] or less"
        return super().refusal(axis)


def _require_something_in_windows(who: str, axes: Sequence[Axis], shape: Shape) -> None:
    """Refuse a window that lies wholly in the padding: it has no largest number, and no mean."""
    for axis in axes:
        last = (axis.out - 1) * axis.stride - axis.before
        if axis.before >= axis.kernel or last >= axis.size:
            sides = sizes(max(a.before, a.after) for a in axes)
            most = [a.kernel - 1 for a in axes]
            raise ShapeError(
                f"{who} expects a part of the input in every window of "
                f"{sizes(a.kernel for a in axes)}, given {format_shape(shape)} padded by {sides}",
                f"take padding = {most if min(most) < max(most) else most[0]} or less",
            )


class MaxPool1d(_Pool):
    """The largest number of each window of a series, each channel on its own; ties: the first."""

    rank: ClassVar[int] = 1
    takes_largest: ClassVar[bool] = True
    epilogue: ClassVar[bool] = True

    type: Literal["max_pool1d"]


class MaxPool2d(_Pool):
    """The largest number of each window of an image, each channel on its own; ties: the first.

    Without ``stride`` windows lie side by side: ``pool_size = 2`` halves height and width.
    """

    rank: ClassVar[int] = 2
    takes_largest: ClassVar[bool] = True
    epilogue: ClassVar[bool] = True

    type: Literal["max_pool2d"]
    padding: Padding = Field("valid", description=_PADDING)


class MaxPool3d(_Pool):
    """The largest number of each window of a volume, each channel on its own; ties: the first."""

    rank: ClassVar[int] = 3
    takes_largest: ClassVar[bool] = True
    epilogue: ClassVar[bool] = True

    type: Literal["max_pool3d"]
    padding: Padding = Field("valid", description=_PADDING)


class MinPool1d(_Pool):
    """The smallest number of each window of a series, each channel on its own; ties: the first."""

    rank: ClassVar[int] = 1

    type: Literal["min_pool1d"]


class MinPool2d(_Pool):
    """The smallest number of each window of an image, each channel on its own; ties: the first."""

    rank: ClassVar[int] = 2

    type: Literal["min_pool2d"]
    padding: Padding = Field("valid", description=_PADDING)


class MinPool3d(_Pool):
    """The smallest number of each window of a volume, each channel on its own; ties: the first."""

    rank: ClassVar[int] = 3

    type: Literal["min_pool3d"]
    padding: Padding = Field("valid", description=_PADDING)


class _Avg(_Pool):
    linear: ClassVar[bool] = True

    count_padding: bool = Field(
        False, description="count padding as zeros; false: the mean of what is no padding"
    )

    def conflicts(self) -> Iterable[Finding]:
        yield from super().conflicts()
        if self.count_padding and self.pads_nothing():
            message = "has no effect: the windows read no padding"
            yield Finding(("count_padding",), message, "set padding, or remove it")

    def behind(self) -> Literal["zeros", "last"]:
        return "zeros"

    def refusal(self, axis: Axis) -> tuple[str, str] | None:
        if axis.after and not self.count_padding:
            message = "takes means that do not count padding, and does not see where that begins"
            return message, 'set count_padding = true, or padding = "valid" or "causal"'
        return super().refusal(axis)


class AvgPool1d(_Avg):
    """The mean of each window of a series, each channel on its own."""

    rank: ClassVar[int] = 1

    type: Literal["avg_pool1d"]


class AvgPool2d(_Avg):
    """The mean of each window of an image, each channel on its own (LeCun et al. 1989)."""

    rank: ClassVar[int] = 2

    type: Literal["avg_pool2d"]
    padding: Padding = Field("valid", description=_PADDING)


class AvgPool3d(_Avg):
    """The mean of each window of a volume, each channel on its own."""

    rank: ClassVar[int] = 3

    type: Literal["avg_pool3d"]
    padding: Padding = Field("valid", description=_PADDING)
