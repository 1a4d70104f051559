"""The geometry of a convolution as whole numbers that kernels read by name.

One and two dimensions are three with leading axes of 1. A sample is a table (depth, height, width,
channels), channels contiguous. What the window reaches may lie beyond the sample: then the sample
is first copied into a table with borders (``staged``), whose axes are the ``reach``.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, prod
from typing import NamedTuple

from nnctl.ops.windows import Axis, in_three

ZEROS, REFLECT, EDGE = 0, 1, 2
MODES = {"zeros": ZEROS, "reflect": REFLECT, "edge": EDGE}


def reach(axis: Axis) -> int:
    """Places that all windows of an axis together lie on."""
    return (axis.out - 1) * axis.stride + axis.span


class Geometry(NamedTuple):
    """A convolution of (depth, height, width, channels) to (out_..., filters).

    The sum of one output number runs over ``taps`` rounds of calls, in each over ``rounds`` steps
    of ``round_step`` elements, in each over ``length`` contiguous elements: rows of the kernel and
    what lies in a row where that is contiguous, else columns of the kernel and channels.
    """

    depth: int
    height: int
    width: int
    channels: int
    out_depth: int
    out_height: int
    out_width: int
    filters: int
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
    reach_depth: int
    reach_height: int
    reach_width: int
    groups: int
    mode: int
    staged: int
    row: int  # elements from row to row of what the windows read
    plane: int
    taps: int
    rounds: int
    round_step: int
    length: int
    line: int  # elements of a row of outputs

    @property
    def positions(self) -> int:
        """Places of an output sample."""
        return self.out_depth * self.out_height * self.out_width

    @property
    def kernel(self) -> int:
        """Places of the window."""
        return self.kernel_depth * self.kernel_height * self.kernel_width

    @property
    def staging(self) -> int:
        """Elements of the table with borders."""
        return self.reach_depth * self.reach_height * self.reach_width * self.channels

    @property
    def products(self) -> int:
        """Multiply-adds of a sample."""
        return self.positions * self.filters * self.kernel * self.channels // self.groups


def geometry(
    axes: Sequence[Axis], channels: int, filters: int, groups: int = 1, mode: int = ZEROS
) -> Geometry:
    """Return the record of a convolution along one to three axes."""
    if all(a.kernel == a.stride == 1 and a.out == a.size and not a.before for a in axes):
        places = prod(a.size for a in axes)
        axes = [Axis(places, places)]  # no window to speak of: one long row
    three = d, h, w = in_three(axes)
    staged = any(a.before or reach(a) > a.size for a in three)
    row = (reach(w) if staged else w.size) * channels
    plane = (reach(h) if staged else h.size) * row
    if w.dilation == 1 and groups == 1:
        steps = d.kernel, h.kernel, h.dilation * row, w.kernel * channels
    else:
        steps = d.kernel * h.kernel, w.kernel, w.dilation * channels, channels // groups
    numbers = (
        *(a.size for a in three), channels,
        *(a.out for a in three), filters,
        *(a.kernel for a in three),
        *(a.stride for a in three),
        *(a.dilation for a in three),
        *(a.before for a in three),
        *(reach(a) for a in three),
        groups, mode, int(staged), row, plane, *steps, w.out * filters,
    )  # fmt: skip
    return Geometry._make(numbers)


def backward_axes(axes: Sequence[Axis]) -> list[Axis]:
    """The window that leads from the gradient of the output to that of the input, at stride 1."""
    return [
        Axis(a.out, a.size, a.kernel, 1, a.dilation, (a.kernel - 1) * a.dilation - a.before)
        for a in axes
    ]


class Spread(NamedTuple):
    """The way back through a convolution with strides: where each of its inputs is read from.

    Input place p (counted with the border before it) is read by kernel places k with
    k * dilation = p modulo the stride; they are ``every`` apart, and what they read in the output
    is ``back`` apart. ``lo`` places of border stand before the output in its staged table, which
    has ``span`` places.
    """

    every_depth: int
    every_height: int
    every_width: int
    back_depth: int
    back_height: int
    back_width: int
    lo_depth: int
    lo_height: int
    lo_width: int
    span_depth: int
    span_height: int
    span_width: int


def spread(axes: Sequence[Axis]) -> Spread:
    """Return the record for the axes of the convolution whose way back it is."""
    three = in_three(axes)
    shared = [gcd(a.stride, a.dilation) for a in three]
    lo = [-(-((a.kernel - 1) * a.dilation) // a.stride) for a in three]
    last = [(a.size - 1 + a.before) // a.stride for a in three]
    return Spread(
        *(a.stride // s for a, s in zip(three, shared, strict=True)),
        *(a.dilation // s for a, s in zip(three, shared, strict=True)),
        *lo,
        *(one + end + 1 for one, end in zip(lo, last, strict=True)),
    )
