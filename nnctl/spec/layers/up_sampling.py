"""Up-sampling: more places than the input has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Shape
from nnctl.spec.grid import Counts, GridModel
from nnctl.spec.shapes import Passage, Reach, Through, size
from nnctl.windows import per_axis


class _UpSampling(GridModel):
    linear: ClassVar[bool] = True
    counts: ClassVar[tuple[str, ...]] = ("size",)

    size: Counts = Field(2, description="how many times as many places, along all axes or each")
    interpolation: Literal["nearest", "linear"] = Field(
        "nearest", description="repeat each place, or go straight from one's middle to the next's"
    )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        *places, channels = self.grid(inputs)
        factors = per_axis(self.size, self.rank)
        return (*(n * f for n, f in zip(places, factors, strict=True)), channels)

    def flops(self, inputs: Sequence[Shape]) -> int:
        terms = 2 * 2**self.rank if self.interpolation == "linear" else 0
        return terms * size(self.output_shape(inputs))

    def passage(self, inputs: Sequence[Shape]) -> Passage | None:
        if self.rank != 1:
            return None
        (factor,) = per_axis(self.size, 1)
        return Passage(Through(factor), "last" if self.interpolation == "linear" else None)

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        factors = per_axis(self.size, self.rank)
        if self.interpolation == "linear":
            return tuple(Reach(1 - f, 1 + f, 2, 2 * f) for f in factors)
        return tuple(Reach(0, 1, 1, f) for f in factors)


class UpSampling1d(_UpSampling):
    """A series made ``size`` times as long, each channel on its own."""

    rank: ClassVar[int] = 1

    type: Literal["up_sampling1d"]


class UpSampling2d(_UpSampling):
    """An image made ``size`` times as high and wide, each channel on its own.

    With ``interpolation = "linear"`` numbers lie in the middle of their places, and beyond the
    middle of the first and of the last they stay as they are (bilinear, corners not aligned).
    """

    rank: ClassVar[int] = 2

    type: Literal["up_sampling2d"]


class UpSampling3d(_UpSampling):
    """A volume made ``size`` times as deep, high and wide, each channel on its own."""

    rank: ClassVar[int] = 3

    type: Literal["up_sampling3d"]
