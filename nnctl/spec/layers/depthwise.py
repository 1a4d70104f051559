"""Depthwise convolutions, every channel on its own, and separable ones."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Parameter, Shape
from nnctl.spec.grid import Count, Padding

from .kernel import PADDING, Filtered, Sliding, Weighted


class _Channels(Weighted, Sliding):
    depth_multiplier: Count = Field(1, description="filters of each channel")

    def _wide(self, inputs: Sequence[Shape]) -> int:
        return inputs[0][-1] * self.depth_multiplier

    def _kernel(self, inputs: Sequence[Shape]) -> tuple[int, ...]:
        return tuple(axis.kernel for axis in self.axes(inputs))

    def _filters_of_channels(self, inputs: Sequence[Shape]) -> tuple[Parameter, tuple[int, int]]:
        kernel = self._kernel(inputs)
        fan = prod(kernel), prod(kernel) * self.depth_multiplier
        return Parameter((*kernel, 1, self._wide(inputs)), self.init, "weight", *fan), fan


class _Depthwise(_Channels):
    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (*self.places(inputs), self._wide(inputs))

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        w, fan = self._filters_of_channels(inputs)
        return self.with_bias({"w": w}, self._wide(inputs), fan)

    def flops(self, inputs: Sequence[Shape]) -> int:
        terms = 2 * prod(self._kernel(inputs)) + self.bias
        return prod(self.places(inputs)) * self._wide(inputs) * terms


class DepthwiseConv1d(_Depthwise):
    """A convolution of a series in which every channel has windows of its own.

    Input (L, C), output (L', C x depth_multiplier), w is [kernel_size, 1, C x depth_multiplier].
    """

    rank: ClassVar[int] = 1

    type: Literal["depthwise_conv1d"]


class DepthwiseConv2d(_Depthwise):
    """A convolution of an image in which every channel has windows of its own.

    Input (H, W, C), output (H', W', C x depth_multiplier), w is [height, width, 1, C x
    depth_multiplier]; the filters of a channel lie side by side (Sifre 2014; Chollet 2017).
    """

    rank: ClassVar[int] = 2

    type: Literal["depthwise_conv2d"]
    padding: Padding = Field("valid", description=f"places around the input: {PADDING}")


class DepthwiseConv3d(_Depthwise):
    """A convolution of a volume in which every channel has windows of its own.

    Input (D, H, W, C), output (D', H', W', C x depth_multiplier), w is [depth, height, width, 1,
    C x depth_multiplier].
    """

    rank: ClassVar[int] = 3

    type: Literal["depthwise_conv3d"]
    padding: Padding = Field("valid", description=f"places around the input: {PADDING}")


class _Separable(_Channels, Filtered):
    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (*self.places(inputs), self.filters)

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        first, _ = self._filters_of_channels(inputs)
        fan = self._wide(inputs), self.filters
        shape = (*(1,) * self.rank, *fan)
        second = Parameter(shape, self.init, "weight", *fan)
        arrays = {"depthwise_w": first, "pointwise_w": second}
        return self.with_bias(arrays, self.filters, fan)

    def flops(self, inputs: Sequence[Shape]) -> int:
        wide = self._wide(inputs)
        terms = 2 * prod(self._kernel(inputs)) * wide + self.filters * (2 * wide + self.bias)
        return prod(self.places(inputs)) * terms


class SeparableConv1d(_Separable):
    """A depthwise convolution of a series, then one of a single place that mixes its channels.

    Input (L, C), output (L', filters); depthwise_w is [kernel_size, 1, C x depth_multiplier],
    pointwise_w [1, C x depth_multiplier, filters]. The activation and the bias come after both.
    """

    rank: ClassVar[int] = 1

    type: Literal["separable_conv1d"]


class SeparableConv2d(_Separable):
    """A depthwise convolution of an image, then one of a single place that mixes its channels.

    Input (H, W, C), output (H', W', filters); depthwise_w is [height, width, 1, C x
    depth_multiplier], pointwise_w [1, 1, C x depth_multiplier, filters] (Chollet 2017). The
    activation and the bias come after both.
    """

    rank: ClassVar[int] = 2

    type: Literal["separable_conv2d"]
    padding: Padding = Field("valid", description=f"places around the input: {PADDING}")


class SeparableConv3d(_Separable):
    """A depthwise convolution of a volume, then one of a single place that mixes its channels.

    Input (D, H, W, C), output (D', H', W', filters); depthwise_w is [depth, height, width, 1, C x
    depth_multiplier], pointwise_w [1, 1, 1, C x depth_multiplier, filters]. The activation and the
    bias come after both.
    """

    rank: ClassVar[int] = 3

    type: Literal["separable_conv3d"]
    padding: Padding = Field("valid", description=f"places around the input: {PADDING}")
