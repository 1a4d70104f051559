"""What all convolutions are made of: a sample with borders, and products along its rows.

A row of outputs is a product (``engine/tiles.py``): its rows are the places of the row, its sum
runs over the window, its columns are a panel of filters. Weights lie in panels of two vectors of
filters, as those of dense layers do: (panel, kernel place, channel, filter).
"""

from nnctl.engine.intrinsics import call_product, lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.ops.dense import columns_of, step_of

SHORT = 12  # places of a row that are one tile of a product


@inline
def place_of(i, size, mode):
    """The place that a place beyond the border repeats, or -1 where zeros stand."""
    if 0 <= i < size:
        return i
    if mode == 1:
        i = -i if i < 0 else 2 * (size - 1) - i
        return i if 0 <= i < size else -1
    if mode == 2:
        return 0 if i < 0 else size - 1
    return -1


@inline
def clear(address, count, unit):
    target = view(address, count, unit)
    for j in range(count):
        target[j] = unit * 0


@inline
def copy(source, target, count, unit):
    s, t = view(source, count, unit), view(target, count, unit)
    for j in range(count):
        t[j] = s[j]


@inline
def stage_row(source, target, size, before, reach, channels, mode, unit):
    """Copy a row of ``size`` places to where ``before`` places stand before it, of ``reach``."""
    item = size_of(unit)
    first, last = max(before, 0), max(min(reach, before + size), max(before, 0))
    copy(
        source + item * (first - before) * channels,
        target + item * first * channels,
        (last - first) * channels,
        unit,
    )
    if mode == 0:
        clear(target, first * channels, unit)
        clear(target + item * last * channels, (reach - last) * channels, unit)
        return
    for p in range(reach):
        if p < first or p >= last:
            at = place_of(p - before, size, mode)
            place = target + item * p * channels
            if at < 0:
                clear(place, channels, unit)
            else:
                copy(source + item * at * channels, place, channels, unit)


@inline
def stage(
    source, target, size_d, size_h, size_w, before_d, before_h, before_w, reach_d, reach_h, reach_w,
    channels, mode, unit,
):  # fmt: skip
    """Copy a sample into a table with borders."""
    item = size_of(unit)
    row = reach_w * channels
    for d in range(reach_d):
        from_d = place_of(d - before_d, size_d, mode)
        for h in range(reach_h):
            from_h = place_of(h - before_h, size_h, mode)
            place = target + item * (d * reach_h + h) * row
            if from_d < 0 or from_h < 0:
                clear(place, row, unit)
            else:
                read = source + item * (from_d * size_h + from_h) * size_w * channels
                stage_row(read, place, size_w, before_w, reach_w, channels, mode, unit)


@inline
def staged(source, room, g, unit):
    """The address at which the windows of ``g`` find a sample: its own, or a copy's in ``room``."""
    if not g.staged:
        return source
    stage(
        source, room, g.depth, g.height, g.width, g.before_depth, g.before_height, g.before_width,
        g.reach_depth, g.reach_height, g.reach_width, g.channels, g.mode, unit,
    )  # fmt: skip
    return room


@inline
def fold(table, dx, times, g, unit):
    """dx (places, channels) = the gradient ``table`` of a sample as its windows read it: borders
    are added to the places they repeat, and the ``times`` numbers of each channel up."""
    item = size_of(unit)
    depth, height, width = g.depth, g.height, g.width
    before_d, before_h, before_w = 0, 0, 0
    if g.staged:
        depth, height, width = g.reach_depth, g.reach_height, g.reach_width
        before_d, before_h, before_w = g.before_depth, g.before_height, g.before_width
    clear(dx, g.depth * g.height * g.width * g.channels, unit)
    for d in range(depth):
        to_d = place_of(d - before_d, g.depth, g.mode)
        for h in range(height):
            to_h = place_of(h - before_h, g.height, g.mode)
            for p in range(width):
                to_w = place_of(p - before_w, g.width, g.mode)
                if to_d < 0 or to_h < 0 or to_w < 0:
                    continue
                at = ((d * height + h) * width + p) * g.channels * times
                to = ((to_d * g.height + to_h) * g.width + to_w) * g.channels
                source = view(table + item * at, g.channels * times, unit)
                target = view(dx + item * to, g.channels, unit)
                for c in range(g.channels):
                    for j in range(times):
                        target[c] += source[c * times + j]


@inline
def tap_offset(t, g):
    """Elements from the first place of a window to where round ``t`` of calls begins."""
    per_depth = g.taps // g.kernel_depth
    d, h = t // per_depth, t % per_depth
    return d * g.dilation_depth * g.plane + h * g.dilation_height * g.row


def rows_together(g):
    """Rows of outputs that are one product: of small windows and short rows a product of its own
    for each takes longer to begin than to run. What lies between the end of a row and the next is
    made for nothing."""
    apart, width = g.row // g.channels, g.out_width
    window = g.kernel_height * g.kernel_width * (g.channels // g.groups)
    flat = g.stride_height * g.stride_width * g.kernel_depth * g.out_depth == 1
    if flat and window <= 32 and width <= SHORT and 4 * (apart - width) <= width:
        return max(1, min(g.out_height, 128 // apart))
    return 1


_rows_together = inline(rows_together)


@inline
def convolve(a, w, b, y, room, g, product1, product2, unit):
    """One sample: y (out places, filters) = b + the sum over the window of a * w.

    ``room``: rows of outputs by two vectors, for filters that fill no whole vector.
    """
    item, lanes = size_of(unit), lanes_of(unit)
    filters, inner = g.filters // g.groups, g.channels // g.groups
    window = g.kernel_depth * g.kernel_height * g.kernel_width * inner
    many, apart = _rows_together(g), g.row // g.channels
    for group in range(g.groups):
        weights = w + item * group * window * columns_of(filters, lanes)
        for column in range(0, filters, 2 * lanes):
            step = step_of(filters - column, lanes)
            used = min(step, filters - column)
            product = product1 if step == lanes else product2
            panel = weights + item * window * column
            place = group * filters + column
            for row in range(0, g.out_depth * g.out_height, many):
                rows = min(many, g.out_depth * g.out_height - row)
                od, oh = row // g.out_height, row % g.out_height
                read = a + item * (
                    od * g.stride_depth * g.plane + oh * g.stride_height * g.row + group * inner
                )
                out = y + item * (row * g.line + place)
                # whole vectors are written where they belong, others would reach into a neighbor
                whole = many == 1 and used == step and g.out_width * g.filters == g.line
                target, ld = (out, g.filters) if whole else (room, step)
                for t in range(g.taps):
                    start, stride = (b + item * place, 0) if t == 0 else (target, ld)
                    call_product(
                        product, read + item * tap_offset(t, g),
                        g.stride_width * g.channels, g.round_step, 1,
                        panel + item * t * g.rounds * g.length * step, g.length * step, step,
                        target, ld, start, stride, (rows - 1) * apart + g.out_width, g.rounds,
                        g.length,
                    )  # fmt: skip
                for k in range(0 if whole else rows):
                    made, to = room + item * k * apart * step, out + item * k * g.line
                    if used == step == g.filters and g.out_width * step == g.line:
                        copy(made, to, g.line, unit)
                        continue
                    for p in range(g.out_width):
                        found = min(used, g.line - place - p * g.filters)
                        copy(made + item * p * step, to + item * p * g.filters, found, unit)
