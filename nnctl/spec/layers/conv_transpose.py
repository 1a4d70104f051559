"""Transposed convolutions: from few places to many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Expect, Finding, Parameter, Shape, ShapeError
from nnctl.spec.grid import Counts, Side, Sides, sizes
from nnctl.spec.shapes import Passage, Reach, Through, format_shape
from nnctl.windows import paddings, per_axis

from .kernel import Grouped, Weighted

Cut = Annotated[
    Literal["valid", "same"] | Side | Sides,
    Expect(
        'one of "valid", "same", or an integer of at least 0, or a list of them or of '
        "[before, after], one for each axis"
    ),
]
Extra = Annotated[
    Side | Annotated[list[Side], Field(min_length=1, max_length=3)],
    Expect("an integer of at least 0, or a list of them, one for each axis"),
]


class _Transposed(Weighted, Grouped):
    laid_out: ClassVar[tuple[str, ...]] = ("groups",)
    counts: ClassVar[tuple[str, ...]] = (
        "kernel_size", "stride", "dilation", "padding", "output_padding",
    )  # fmt: skip

    kernel_size: Counts = Field(description="places that each input place adds to")
    stride: Counts = Field(1, description="places of the output from one input place to the next")
    padding: Cut = Field(
        "valid",
        description='places cut off the output: "valid" none, "same" leaves size x stride, or '
        "places for each axis: 1, [1, 2], [[0, 1], [2, 2]]",
    )
    output_padding: Extra = Field(0, description="places more behind, less than the stride")
    dilation: Counts = Field(1, description="places from one of the window to the next")

    def conflicts(self) -> Iterable[Finding]:
        yield from super().conflicts()
        more, stride = (per_axis(v, self.rank) for v in (self.output_padding, self.stride))
        if any(a >= b for a, b in zip(more, stride, strict=False)):
            message = f"expected less than the stride, {self.stride}, given {self.output_padding}"
            yield Finding(("output_padding",), message, "take less, or a larger stride")
        if self.padding == "same" and any(more):
            message = 'has no effect with padding = "same"'
            yield Finding(("output_padding",), message, "remove one of them")

    def _setting(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Kernel, stride and span of each axis."""
        kernel, stride, dilation = (
            per_axis(value, self.rank) for value in (self.kernel_size, self.stride, self.dilation)
        )
        spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
        return kernel, stride, spans

    def _places(self, inputs: Sequence[Shape]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Places of the output along each axis, and those cut off before the first."""
        shape = self.grid(inputs)
        kernel, stride, spans = self._setting()
        if self.padding == "same":
            outs = tuple(n * s for n, s in zip(shape, stride, strict=False))
        else:
            ends = paddings(self.padding, shape[:-1], kernel, stride, (1,) * self.rank)
            more = per_axis(self.output_padding, self.rank)
            rows = zip(shape[:-1], stride, spans, ends, more, strict=True)
            outs = tuple((n - 1) * s + span - sum(end) + m for n, s, span, end, m in rows)
        if min(outs) < 1:
            raise ShapeError(
                f"{self.type} cuts off all that it makes: its padding leaves {sizes(outs)}, "
                f"given {format_shape(shape)}",
                "take less padding, or a larger kernel_size",
            )
        dilation = per_axis(self.dilation, self.rank)
        before = tuple(a for a, _ in paddings(self.padding, outs, kernel, stride, dilation))
        return outs, before

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        outs, _ = self._places(inputs)
        self.require_whole_groups(inputs[0])
        return (*outs, self.filters)

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        kernel, stride, _ = self._setting()
        channels = self.grid(inputs)[-1]
        met = prod(-(-k // s) for k, s in zip(kernel, stride, strict=True))
        fan = met * channels // self.groups, prod(kernel) * self.filters // self.groups
        shape = (*kernel, self.filters // self.groups, channels)
        arrays = {"w": Parameter(shape, self.init, "weight", *fan)}
        return self.with_bias(arrays, self.filters, fan)

    def flops(self, inputs: Sequence[Shape]) -> int:
        kernel, _, _ = self._setting()
        *places, channels = self.grid(inputs)
        sums = 2 * prod(places) * channels * prod(kernel) * self.filters // self.groups
        return sums + self.bias * prod(self.output_shape(inputs))

    def passage(self, inputs: Sequence[Shape]) -> Passage | None:
        if self.rank != 1:
            return None
        (out, *_), _ = self._places(inputs)
        (step,) = per_axis(self.stride, 1)
        return Passage(Through(step, out - step * inputs[0][0]), "zeros")

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        _, stride, spans = self._setting()
        _, before = self._places(inputs)
        rows = zip(stride, spans, before, strict=True)
        return tuple(Reach(cut - span + s, cut + 1, parts=s) for s, span, cut in rows)


class Conv1dTranspose(_Transposed):
    """Every place of a series adds its window to a longer one: a convolution's way back.

    Input (L, C), output (L', filters) with L' = (L - 1) stride + span - padding + output_padding,
    span = (kernel_size - 1) dilation + 1; w is [kernel_size, filters / groups, C].
    """

    rank: ClassVar[int] = 1
    type: Literal["conv1d_transpose"]


class Conv2dTranspose(_Transposed):
    """Every place of an image adds its window to a larger one: a convolution's way back.

    Input (H, W, C), output (H', W', filters), w is [height, width, filters / groups, C]; along each
    axis size' = (size - 1) stride + span - padding + output_padding, with
    span = (kernel_size - 1) dilation + 1 (Zeiler et al. 2010).
    """

    rank: ClassVar[int] = 2
    type: Literal["conv2d_transpose"]


class Conv3dTranspose(_Transposed):
    """Every place of a volume adds its window to a larger one: a convolution's way back.

    Input (D, H, W, C), output (D', H', W', filters), w is [depth, height, width, filters / groups,
    C].
    """

    rank: ClassVar[int] = 3
    type: Literal["conv3d_transpose"]
