"""Kernels of depthwise convolutions: every channel has windows of its own.

    y[o, c m + j] = b[c m + j] + sum_k x[o * stride - before + k * dilation, c] * w[k, 0, c m + j]

m the depth multiplier. Vectors run over the channels of the output; the sample is first copied into
a table with its borders, in which every channel stands m times side by side (``widened``).
"""

from nnctl.engine.intrinsics import lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, tiles
from nnctl.engine.vectors import first_lanes, multiply_add, put, spread, take
from nnctl.ops.conv_core import clear, fold, stage, staged
from nnctl.ops.conv_kernels import leaf_split
from nnctl.ops.depthwise_rows import gather_weights, slide


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
def _jumps(g, item):
    """Bytes from place to place of a window along each axis, and from window to window."""
    row, plane = _steps(g)
    pixel = item * g.filters
    jumps = (
        pixel * g.dilation_depth * plane, pixel * g.dilation_height * row, pixel * g.dilation_width
    )  # fmt: skip
    hops = pixel * g.stride_depth * plane, pixel * g.stride_height * row, pixel * g.stride_width
    return jumps, hops


@inline
def _taps(g):
    """Places of the window."""
    return g.kernel_depth * g.kernel_height * g.kernel_width


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
    pixel = item * g.filters
    (jump_d, jump_h, jump_w), (hop_d, hop_h, hop_w) = _jumps(g, item)
    turn = -pixel if flipped else pixel
    for n in range(first_row, last_row):
        a = _widened(x + item * n * x_ld, scratch, g, unit)
        for c in range(0, g.filters, lanes):
            mask = first_lanes(g.filters - c, unit)
            bias = take(b + item * c, mask, unit)
            weights = w + item * c + (pixel * (_taps(g) - 1) if flipped else 0)
            for od in range(g.out_depth):
                for oh in range(g.out_height):
                    out = y + item * (n * y_ld + c)
                    out += pixel * (od * g.out_height + oh) * g.out_width
                    slide(
                        a + item * c + od * hop_d + oh * hop_h, hop_w, weights, turn, out, pixel,
                        bias, mask, g.out_width, g.kernel_depth, g.kernel_height, g.kernel_width,
                        jump_d, jump_h, jump_w, unit,
                    )  # fmt: skip


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
    pixel = item * g.filters
    (jump_d, jump_h, jump_w), (hop_d, hop_h, hop_w) = _jumps(g, item)
    turn = -pixel if flipped else pixel
    part = parts + item * task * part_size
    clear(part, part_size, unit)
    last = pixel * (_taps(g) - 1) if flipped else 0
    for n in range(first_row, last_row):
        a = _widened(x + item * n * x_ld, scratch, g, unit)
        for c in range(0, g.filters, lanes):
            mask = first_lanes(g.filters - c, unit)
            back = dy + item * (n * dy_ld + c)
            for kd in range(g.kernel_depth):
                for kh in range(g.kernel_height):
                    line = (kd * g.kernel_height + kh) * g.kernel_width
                    gather_weights(
                        a + item * c + kd * jump_d + kh * jump_h, back,
                        part + item * c + last + turn * line,
                        turn, mask, g.kernel_width, hop_w, jump_w, (g.out_width, g.out_height),
                        g.out_depth, hop_h, hop_d, pixel * g.out_width, pixel, unit,
                    )  # fmt: skip


def _back_room(sizes: Sizes) -> int:
    """The gradient of a sample with its borders, and what comes back with borders of zeros."""
    g = sizes["g"]
    places = g.staging // g.channels if g.staged else g.depth * g.height * g.width
    axes = ((g.out_depth, g.reach_depth), (g.out_height, g.reach_height))
    bordered = g.filters
    for out, reach in (*axes, (g.out_width, g.reach_width)):
        bordered *= 2 * reach - out
    return int(places * g.filters + (bordered if _is_plain(g) else 0))


def _is_plain(g):
    return g.stride_depth == g.stride_height == g.stride_width == 1


is_plain = inline(_is_plain)


@inline
def _collect(back, w, table, is_whole, room, g, flipped, unit):
    """table (places, filters) = what windows without strides send back, place by place.

    To all places that windows reach, or, where ``is_whole``, to those of the sample alone.
    """
    item, lanes = size_of(unit), lanes_of(unit)
    pixel = item * g.filters
    depth, height, width = g.reach_depth, g.reach_height, g.reach_width
    first_d, first_h, first_w = 0, 0, 0
    if is_whole:
        depth, height, width = g.depth, g.height, g.width
        first_d, first_h, first_w = g.before_depth, g.before_height, g.before_width
    border_d, border_h = g.reach_depth - g.out_depth, g.reach_height - g.out_height
    border_w = g.reach_width - g.out_width
    high, wide = g.reach_height + border_h, g.reach_width + border_w
    stage(
        back, room, g.out_depth, g.out_height, g.out_width, border_d, border_h, border_w,
        g.reach_depth + border_d, high, wide, g.filters, 0, unit,
    )  # fmt: skip
    turn = -pixel if flipped else pixel
    for c in range(0, g.filters, lanes):
        mask = first_lanes(g.filters - c, unit)
        weights = w + item * c + (pixel * (_taps(g) - 1) if flipped else 0)
        for d in range(depth):
            for h in range(height):
                read = room + item * c
                line = (first_d + d + border_d) * high + first_h + h + border_h
                read += pixel * (line * wide + first_w + border_w)
                slide(
                    read, pixel, weights, turn, table + item * c + pixel * (d * height + h) * width,
                    pixel, spread(unit - unit), mask, width, g.kernel_depth, g.kernel_height,
                    g.kernel_width, -pixel * g.dilation_depth * high * wide,
                    -pixel * g.dilation_height * wide, -pixel * g.dilation_width, unit,
                )  # fmt: skip


@inline
def _scatter(back, w, table, g, flipped, unit):
    """table (places, filters) = what windows send back, output by output."""
    item, lanes = size_of(unit), lanes_of(unit)
    pixel = item * g.filters
    (jump_d, jump_h, jump_w), (hop_d, hop_h, hop_w) = _jumps(g, item)
    depth = g.reach_depth if g.staged else g.depth
    clear(table, depth * _steps(g)[1] * g.filters, unit)
    for c in range(0, g.filters, lanes):
        mask = first_lanes(g.filters - c, unit)
        for k in range(_taps(g)):
            weight = take(w + item * c + pixel * (_taps(g) - 1 - k if flipped else k), mask, unit)
            kw, rest = k % g.kernel_width, k // g.kernel_width
            kh, kd = rest % g.kernel_height, rest // g.kernel_height
            to = table + item * c + kd * jump_d + kh * jump_h + kw * jump_w
            sent = back + item * c
            for od in range(g.out_depth):
                for oh in range(g.out_height):
                    at = to + od * hop_d + oh * hop_h
                    for _ in range(g.out_width):
                        total = multiply_add(take(sent, mask, unit), weight, take(at, mask, unit))
                        put(at, total, mask)
                        at += hop_w
                        sent += pixel


@tiles(
    "dx",
    split=None,
    rowwise="dy",
    scratch=_back_room,
    work=lambda sizes: sizes.capacity * sizes["g"].products,
)
def depthwise_backward(dy, dy_ld, w, dx, dx_ld, g, flipped, first_row, last_row, scratch, unit):
    """dx = what every output sends back through its window, borders added to what they repeat."""
    item = size_of(unit)
    depth = g.reach_depth if g.staged else g.depth
    room = scratch + item * depth * _steps(g)[1] * g.filters
    is_whole = is_plain(g) and g.mode == 0 and g.filters == g.channels  # then dx is the table
    for n in range(first_row, last_row):
        back, out = dy + item * n * dy_ld, dx + item * n * dx_ld
        if is_plain(g):
            _collect(back, w, out if is_whole else scratch, is_whole, room, g, flipped, unit)
        else:
            _scatter(back, w, scratch, g, flipped, unit)
        if not is_whole:
            fold(scratch, out, g.filters // g.channels, g, unit)
