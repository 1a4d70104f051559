"""The windows of convolutions and pools as kernels are told of them.

A sample is (D, H, W, C); (L, C) and (H, W, C) have leading axes of 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nnctl.ops.registry import Site
from nnctl.windows import Axis, axes_of

__all__ = ["Axis", "Windows", "axes_of", "in_three", "pool_axes", "record", "whole"]


class Windows(NamedTuple):
    """The windows of three axes as an argument of a kernel; arrays are (D, H, W, C) a sample."""

    depth: int
    height: int
    width: int
    out_depth: int
    out_height: int
    out_width: int
    kernel_depth: int
    kernel_height: int
    kernel_width: int
    stride_depth: int
    stride_height: int
    stride_width: int
    dilation_depth: int
    dilation_height: int
    dilation_width: int
    before_depth: int
    before_height: int
    before_width: int
    after_depth: int
    after_height: int
    after_width: int
    channels: int
    out_channels: int


def pool_axes(site: Site) -> tuple[Axis, ...]:
    """The windows of a pooling layer."""
    return axes_of(site.fields, site.shapes[0], "pool_size")


def whole(site: Site) -> tuple[Axis, ...]:
    """One window over the whole input."""
    return tuple(Axis(size, 1, size) for size in site.shapes[0][:-1])


def in_three(axes: Sequence[Axis]) -> tuple[Axis, Axis, Axis]:
    """The same windows on three axes, the first ones of one place."""
    one, two, three = (Axis(1, 1),) * (3 - len(axes)) + tuple(axes)
    return one, two, three


def record(axes: Sequence[Axis], channels: int, out_channels: int | None = None) -> Windows:
    """What a kernel is told of the windows."""
    three = in_three(axes)
    out_channels = channels if out_channels is None else out_channels
    numbers = [number for row in zip(*three, strict=True) for number in row]
    return Windows._make([*numbers, channels, out_channels])
