"""Pools over the whole input, and into a fixed number of bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import LayerModel, Shape, ShapeError
from nnctl.spec.grid import Counts
from nnctl.spec.shapes import Passage, Reach, format_shape, require_rank, size
from nnctl.windows import per_axis

_HINT = "put it where there are places beside the channels: before flatten, behind a convolution"


class _Global(LayerModel):
    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return require_rank(inputs, (2, 3, 4), self.type, _HINT)[-1:]

    def passage(self, inputs: Sequence[Shape]) -> Passage | None:
        return Passage(behind="last") if len(inputs[0]) == 2 else None

    def flops(self, inputs: Sequence[Shape]) -> int:
        return size(inputs[0])


class GlobalAvgPool(_Global):
    """The mean of each channel over all places: (H, W, C) to (C), of any size (Lin et al. 2014)."""

    linear: ClassVar[bool] = True

    type: Literal["global_avg_pool"]

    def passage(self, inputs: Sequence[Shape]) -> Passage | None:
        return Passage(op="mean_steps") if len(inputs[0]) == 2 else None


class GlobalMaxPool(_Global):
    """The largest number of each channel over all places: (H, W, C) to (C), of any size."""

    takes_largest: ClassVar[bool] = True
    epilogue: ClassVar[bool] = True

    type: Literal["global_max_pool"]


class GlobalMinPool(_Global):
    """The smallest number of each channel over all places: (H, W, C) to (C), of any size."""

    type: Literal["global_min_pool"]


class AdaptiveAvgPool(LayerModel):
    """Means of bins, as many as asked for, whatever the size of the input.

    Bin i of ``out`` covers the places floor(i in / out) to ceil((i + 1) in / out), so neighbours
    may share a place.
    """

    linear: ClassVar[bool] = True

    type: Literal["adaptive_avg_pool"]
    output_size: Counts = Field(description="bins of all axes, or of each")

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = require_rank(inputs, (2, 3, 4), self.type, _HINT)
        asked, count = self.output_size, len(shape) - 1
        if isinstance(asked, list) and len(asked) != count:
            raise ShapeError(
                f"{self.type} expects an output_size for each axis beside the channels, {count}, "
                f"given {asked} for {format_shape(shape)}",
                f"write {count} numbers, or one for all axes",
            )
        return (*per_axis(asked, count), shape[-1])

    def flops(self, inputs: Sequence[Shape]) -> int:
        return max(size(inputs[0]), size(self.output_shape(inputs)))

    def passage(self, inputs: Sequence[Shape]) -> Passage | None:
        message = "cuts all sequences into the same bins, those of the longest"
        return Passage(refused=(message, "use global_avg_pool, or avg_pool1d"))

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        pairs = zip(inputs[0][:-1], self.output_shape(inputs)[:-1], strict=True)
        return tuple(Reach(0, n, n, out) for n, out in pairs)
