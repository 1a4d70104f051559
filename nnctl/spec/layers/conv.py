"""Convolutions of one, two and three axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Parameter, Shape
from nnctl.spec.grid import Padding

from .kernel import PADDING, Grouped, Sliding, Weighted


class _Conv(Weighted, Sliding, Grouped):
    laid_out: ClassVar[tuple[str, ...]] = ("groups", "flip_kernel")

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        places = self.places(inputs)
        self.require_whole_groups(inputs[0])
        return (*places, self.filters)

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        axes, channels = self.axes(inputs), inputs[0][-1]
        kernel = tuple(axis.kernel for axis in axes)
        shape = (*kernel, channels // self.groups, self.filters)
        fan = prod(shape[:-1]), prod(kernel) * self.filters // self.groups
        arrays = {"w": Parameter(shape, self.init, "weight", *fan)}
        return self.with_bias(arrays, self.filters, fan)

    def flops(self, inputs: Sequence[Shape]) -> int:
        axes, channels = self.axes(inputs), inputs[0][-1]
        terms = prod(axis.kernel for axis in axes) * channels // self.groups
        return prod(axis.out for axis in axes) * self.filters * (2 * terms + self.bias)


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
    padding: Padding = Field("valid", description=f"places around the input: {PADDING}")


class Conv3d(_Conv):
    """A window that moves through a volume or a video (Ji et al. 2013).

    Input (D, H, W, C), output (D', H', W', filters), w is [depth, height, width, C / groups,
    filters].
    """

    rank: ClassVar[int] = 3

    type: Literal["conv3d"]
    padding: Padding = Field("valid", description=f"places around the input: {PADDING}")
