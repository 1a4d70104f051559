"""Convolutions of one, two and three axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Finding, Parameter, Shape, ShapeError
from nnctl.spec.grid import Count, Counts, Padding, SeriesPadding, WindowModel, sizes
from nnctl.spec.initializers.base import Initializer
from nnctl.spec.shapes import format_shape
from nnctl.windows import Axis

from .activations.base import Activation
from .sharing import of_the_owner

_PADDING = (
    '"valid" none, "same" gives ceil(size / stride) places, "full" every window that meets the '
    "input, or places for each axis: 1, [1, 2], [[0, 1], [2, 2]]"
)
Penalty = Annotated[float, Field(ge=0, le=1e6)]


class _Conv(WindowModel):
    linear: ClassVar[bool] = True
    epilogue: ClassVar[bool] = True
    stem: ClassVar[str] = "conv"
    window: ClassVar[str] = "kernel_size"
    counts: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "dilation", "padding")
    laid_out: ClassVar[tuple[str, ...]] = ("groups", "flip_kernel")

    filters: int = Field(ge=1, le=1_000_000, description="number of output channels")
    kernel_size: Counts = Field(description="places of the window, of all axes or of each")
    stride: Counts = Field(1, description="places from one window to the next")
    padding: SeriesPadding = Field(
        "valid",
        description=f'places around the input: "causal" all of them before it, {_PADDING}',
    )
    padding_mode: Literal["zeros", "reflect", "edge"] = Field(
        "zeros", description="what stands there: zeros, the input mirrored, or its border repeated"
    )
    dilation: Counts = Field(1, description="places from one that the window reads to the next")
    groups: Count = Field(
        1, description="parts that the channels are cut into, each with filters of its own"
    )
    bias: bool = Field(True, description="add a trained number to each filter's output")
    activation: Activation | None = Field(None, description="g; default none, which is linear")
    flip_kernel: bool = Field(
        False, description="turn the window round: the convolution of mathematics"
    )
    init: Initializer | None = Field(
        None,
        description="start of w; default he_normal before relu and its kin, else glorot_uniform",
    )
    bias_init: Initializer | None = Field(None, description="start of b; default zeros")
    l1: Penalty | None = Field(
        None, description="L1 penalty of w; default that of [regularization]"
    )
    l2: Penalty | None = Field(
        None, description="L2 penalty of w; default that of [regularization]"
    )

    def conflicts(self) -> Iterable[Finding]:
        yield from super().conflicts()
        if self.filters % self.groups:
            yield Finding(
                ("groups",),
                f"expected a number that divides filters = {self.filters}, given {self.groups}",
                f"take filters = {-(-self.filters // self.groups) * self.groups}, for example",
            )
        if self.padding == "valid" and self.padding_mode != "zeros":
            hint = 'set padding, to "same" for example, or remove it'
            yield Finding(("padding_mode",), 'has no effect with padding = "valid"', hint)
        if self.bias_init is not None and not self.bias:
            yield Finding(("bias_init",), "has no effect with bias = false", "remove one of them")
        yield from of_the_owner(self, "bias_init", "init", "l1", "l2")

    def axes(self, inputs: Sequence[Shape]) -> tuple[Axis, ...]:
        axes = super().axes(inputs)
        self._require_what_is_mirrored(axes, inputs[0])
        return axes

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        places, channels = self.places(inputs), inputs[0][-1]
        if channels % self.groups:
            divisors = [g for g in range(1, channels + 1) if channels % g == self.filters % g == 0]
            raise ShapeError(
                f"{self.type} expects channels that its {self.groups} groups divide, "
                f"given {channels} ({format_shape(inputs[0])})",
                f"take groups = {' or '.join(map(str, divisors[:8]))}, or another number of "
                "channels in the layer before it",
            )
        return (*places, self.filters)

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        axes, channels = self.axes(inputs), inputs[0][-1]
        kernel = tuple(axis.kernel for axis in axes)
        shape = (*kernel, channels // self.groups, self.filters)
        fan = prod(shape[:-1]), prod(kernel) * self.filters // self.groups
        arrays = {"w": Parameter(shape, self.init, "weight", *fan)}
        if self.bias:
            bias = self.bias_init or "zeros"
            arrays["b"] = Parameter((self.filters,), bias, "bias", *fan)
        return arrays

    def flops(self, inputs: Sequence[Shape]) -> int:
        axes, channels = self.axes(inputs), inputs[0][-1]
        terms = prod(axis.kernel for axis in axes) * channels // self.groups
        return prod(axis.out for axis in axes) * self.filters * (2 * terms + self.bias)

    def _require_what_is_mirrored(self, axes: Sequence[Axis], shape: Shape) -> None:
        most = [max(axis.before, axis.after) for axis in axes]
        if self.padding_mode == "reflect" and any(
            side >= axis.size for side, axis in zip(most, axes, strict=True)
        ):
            raise ShapeError(
                f'{self.type} with padding_mode = "reflect" expects an input larger than its '
                f"padding of {sizes(most)}, given {format_shape(shape)}",
                'use padding_mode = "edge" or "zeros", or less padding',
            )


class Conv1d(_Conv):
    """A window that moves along a series: every place of the output reads ``kernel_size`` places.

    Input (L, C), output (L', filters), w is [kernel_size, C / groups, filters], the same for all
    places (LeCun et al. 1989). With ``padding = "causal"`` no output reads what comes after it.
    """

    rank: ClassVar[int] = 1

    type: Literal["conv1d"]


class Conv2d(_Conv):
    """A window that moves over an image: y = g(w * x + b), every place with the same weights.

    Input (H, W, C), output (H', W', filters), w is [height, width, C / groups, filters] (LeCun et
    al. 1989). As in other tools the window is not turned round, unless ``flip_kernel = true``.
    """

    rank: ClassVar[int] = 2

    type: Literal["conv2d"]
    padding: Padding = Field("valid", description=f"places around the input: {_PADDING}")


class Conv3d(_Conv):
    """A window that moves through a volume or a video (Ji et al. 2013).

    Input (D, H, W, C), output (D', H', W', filters), w is [depth, height, width, C / groups,
    filters].
    """

    rank: ClassVar[int] = 3

    type: Literal["conv3d"]
    padding: Padding = Field("valid", description=f"places around the input: {_PADDING}")
