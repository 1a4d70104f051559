"""Kernels of depthwise convolutions: every channel has windows of its own.

    y[o, c m + j] = b[c m + j] + sum_k x[o * stride - before + k * dilation, c] * w[k, 0, c m + j]

m the depth multiplier. Vectors run over the channels of the output; the sample is first copied into
a table with its borders, in which every channel stands m times side by side (``widened``).
"""

from nnctl.engine.intrinsics import lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, tiles
from nnctl.engine.vectors import first_lanes, multiply_add, plus, put, spread, take
from nnctl.ops.conv_core import clear, fold, staged
from nnctl.ops.conv_kernels import leaf_split


def _room(sizes: Sizes) -> int:
    """A sample with borders, and the same with channels side by side.

    Without borders that may be more than what the windows reach: strides can leave a rest.
    """
    g = sizes["g"]
    places = g.staging // g.channels if g.staged else g.depth * g.height * g.width
    return int(g.staging + places * g.filters)


@inline
def _steps(g):
    """Places from row to row, and from plane to plane, of a sample as the windows read it."""
    if g.staged:
        return g.reach_width, g.reach_height * g.reach_width
    return g.width, g.height * g.width


@inline
def _widened(x, room, g, unit):
    """The address of a table (places, filters) of the sample: a copy's, if it must be one."""
    a = staged(x, room, g, unit)
    times = g.filters // g.channels
    if times == 1:
        return a
    places = (g.reach_depth if g.staged else g.depth) * _steps(g)[1]
    wide = room + size_of(unit) * g.reach_depth * g.reach_height * g.reach_width * g.channels
    source, target = view(a, places * g.channels, unit), view(wide, places * g.filters, unit)
    for i in range(places * g.channels):
        for j in range(times):
            target[i * times + j] = source[i]
    return wide


@inline
def _window(place, g):
    """The first place that output ``place`` reads."""
    row, plane = _steps(g)
    w, rest = place % g.out_width, place // g.out_width
    h, d = rest % g.out_height, rest // g.out_height
    return d * g.stride_depth * plane + h * g.stride_height * row + w * g.stride_width


@inline
def _tap(k, g):
    """Places from the first of a window to that of kernel place ``k``."""
    row, plane = _steps(g)
    w, rest = k % g.kernel_width, k // g.kernel_width
    h, d = rest % g.kernel_height, rest // g.kernel_height
    return d * g.dilation_depth * plane + h * g.dilation_height * row + w * g.dilation_width


@inline
def _offsets(g):
    """How many kernel places and output places there are."""
    taps = g.kernel_depth * g.kernel_height * g.kernel_width
    return taps, g.out_depth * g.out_height * g.out_width


@tiles(
    "y",
    split=None,
    rowwise="x",
    scratch=_room,
    work=lambda sizes: sizes.capacity * sizes["g"].products,
)
def depthwise_forward(x, x_ld, w, b, y, y_ld, g, flipped, first_row, last_row, scratch, unit):
    """y = b + x * w, channel by channel."""
    item, lanes = size_of(unit), lanes_of(unit)
    taps, places = _offsets(g)
    pixel = item * g.filters
    for n in range(first_row, last_row):
        a = _widened(x + item * n * x_ld, scratch, g, unit)
        out = y + item * n * y_ld
        for c in range(0, g.filters, lanes):
            mask = first_lanes(g.filters - c, unit)
            bias = take(b + item * c, mask, unit)
            for o in range(places):
                total, read = bias, a + item * c + pixel * _window(o, g)
                for k in range(taps):
                    weight = take(
                        w + item * c + pixel * (taps - 1 - k if flipped else k), mask, unit
                    )
                    seen = take(read + pixel * _tap(k, g), mask, unit)
                    total = multiply_add(seen, weight, total)
                put(out + item * c + pixel * o, total, mask)


@tiles(
    "parts",
    split=leaf_split,
    rowwise="x dy",
    scratch=_room,
    work=lambda sizes: sizes.capacity * sizes["g"].products,
)
def depthwise_gradient(
    x, x_ld, dy, dy_ld, parts, part_size, leaf_rows, g, flipped, first_row, last_row, task, scratch,
    unit,
):  # fmt: skip
    """The leaf of dw of a shard of samples: the sum of x * dy over its samples and all places."""
    item, lanes = size_of(unit), lanes_of(unit)
    taps, places = _offsets(g)
    pixel = item * g.filters
    part = parts + item * task * part_size
    clear(part, part_size, unit)
    for n in range(first_row, last_row):
        a = _widened(x + item * n * x_ld, scratch, g, unit)
        back = dy + item * n * dy_ld
        for c in range(0, g.filters, lanes):
            mask = first_lanes(g.filters - c, unit)
            for k in range(taps):
                total, read = spread(unit - unit), a + item * c + pixel * _tap(k, g)
                for o in range(places):
                    seen = take(read + pixel * _window(o, g), mask, unit)
                    total = multiply_add(seen, take(back + item * c + pixel * o, mask, unit), total)
                at = part + item * c + pixel * (taps - 1 - k if flipped else k)
                put(at, plus(take(at, mask, unit), total), mask)


@tiles(
    "dx",
    split=None,
    rowwise="dy",
    scratch=_room,
    work=lambda sizes: sizes.capacity * sizes["g"].products,
)
def depthwise_backward(dy, dy_ld, w, dx, dx_ld, g, flipped, first_row, last_row, scratch, unit):
    """dx = what every output sends back through its window, borders added to what they repeat."""
    item, lanes = size_of(unit), lanes_of(unit)
    taps, places = _offsets(g)
    pixel = item * g.filters
    depth = g.reach_depth if g.staged else g.depth
    for n in range(first_row, last_row):
        back = dy + item * n * dy_ld
        clear(scratch, depth * _steps(g)[1] * g.filters, unit)
        for c in range(0, g.filters, lanes):
            mask = first_lanes(g.filters - c, unit)
            for k in range(taps):
                weight = take(w + item * c + pixel * (taps - 1 - k if flipped else k), mask, unit)
                to = scratch + item * c + pixel * _tap(k, g)
                for o in range(places):
                    at = to + pixel * _window(o, g)
                    sent = take(back + item * c + pixel * o, mask, unit)
                    put(at, multiply_add(sent, weight, take(at, mask, unit)), mask)
        fold(scratch, dx + item * n * dx_ld, g.filters // g.channels, g, unit)
