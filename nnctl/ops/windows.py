"""Where the windows of convolutions and pools lie on their input, from a layer's fields.

A sample is (D, H, W, C); (L, C) and (H, W, C) have leading axes of 1. Window ``o`` of an axis reads
the places  o * stride - before + k * dilation,  0 <= k < kernel, of which those outside 0 to size
are padding. The number of windows is  (size + before + after - span) // stride + 1  with
span = (kernel - 1) * dilation + 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nnctl.ops.registry import Site


class Axis(NamedTuple):
    """The windows along one axis: ``out`` of them over ``size`` places."""

    size: int
    out: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def span(self) -> int:
        """Places from the first to the last of a window."""
        return (self.kernel - 1) * self.dilation + 1


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


def per_axis(value: Any, count: int) -> tuple[int, ...]:
    """A field that is one number for all axes, or one for each."""
    return tuple(map(int, value)) if isinstance(value, Sequence) else (int(value),) * count


def paddings(
    value: Any,
    sizes: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> tuple[tuple[int, int], ...]:
    """Padding (before, after) of each axis, from the field ``padding``.

    ``same`` gives ceil(size / stride) windows, the odd place behind; ``full`` every window that
    meets the input; ``causal`` windows that end where they stand.
    """
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if value == "valid":
        return ((0, 0),) * len(spans)
    if value == "full":
        return tuple((span - 1, span - 1) for span in spans)
    if value == "causal":
        return tuple((span - 1, 0) for span in spans)
    if value == "same":
        totals = [
            max((-(-size // step) - 1) * step + span - size, 0)
            for size, step, span in zip(sizes, stride, spans, strict=True)
        ]
        return tuple((total // 2, total - total // 2) for total in totals)
    each = value if isinstance(value, Sequence) else [value] * len(spans)
    if len(spans) == 1 and len(each) == 2:
        each = [each]  # of one axis, two numbers can only be its two ends
    pairs = [one if isinstance(one, Sequence) else (one, one) for one in each]
    return tuple((int(before), int(after)) for before, after in pairs)


def axes_of(fields: Mapping[str, Any], shape: Sequence[int], kernel: str) -> tuple[Axis, ...]:
    """The windows along each axis of ``shape``, (..., C). ``kernel`` is the field of their size.

    ``stride = None`` sets windows side by side.
    """
    sizes = tuple(shape[:-1])
    count = len(sizes)
    places = per_axis(fields[kernel], count)
    stride = fields.get("stride")
    steps = places if stride is None else per_axis(stride, count)
    dilation = per_axis(fields.get("dilation", 1), count)
    pads = paddings(fields.get("padding", "valid"), sizes, places, steps, dilation)
    found = []
    for size, k, step, d, (before, after) in zip(sizes, places, steps, dilation, pads, strict=True):
        out = (size + before + after - (k - 1) * d - 1) // step + 1
        found.append(Axis(size, out, k, step, d, before, after))
    return tuple(found)


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
