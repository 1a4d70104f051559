"""Convolutions 3 x 3 at stride 1 by tiles of 2 x 4 outputs, after ``engine/winograd.py``.

The patches of a block of tiles go to 24 points each, laid out (point, tile, channel); at every
point they meet the window's in one product (``engine/tiles.py``) over the channels, and what comes
of it goes back to outputs. A tile never knows of its block: blocks change no bits. Samples are
copied into tables with borders that whole tiles fit in.

The window at its points lies in panels of filters: (panel, point, channel, filter).
"""

from __future__ import annotations

from nnctl.engine.intrinsics import call_product, lanes_of, size_of
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.engine.vectors import first_lanes
from nnctl.engine.winograd import (
    ACROSS,
    HIGH,
    POINTS,
    WIDE,
    from_points,
    from_points_at_edge,
    gradient_to_points,
    to_points,
    window_from_points,
    window_to_points,
)
from nnctl.ops.conv_core import clear, staged
from nnctl.ops.conv_kernels import leaf_split
from nnctl.ops.dense import padded, step_of
from nnctl.ops.geometry import Geometry

BLOCK = 48  # tiles
BIAS = ACROSS + 1  # the point whose products reach all outputs of a tile with factor 1
GAP = 16  # elements between points: a power of two would put all of them on one line of the cache


def suits(g: Geometry, lanes: int) -> bool:
    """Whether this way is taken: whole vectors of channels and filters, and few wasted outputs."""
    window = (g.kernel_depth, g.kernel_height, g.kernel_width)
    steps = (g.stride_height, g.stride_width, g.dilation_height, g.dilation_width)
    plain = window == (1, 3, 3) and steps == (1,) * 4 and g.groups == g.depth == g.out_depth == 1
    few = POINTS * tiles_of(g) * 4 <= 3 * 9 * g.out_height * g.out_width
    return plain and few and min(g.channels, g.filters) >= lanes


def tiles_of(g: Geometry) -> int:
    """Tiles of a sample."""
    return -(-g.out_height // HIGH) * -(-g.out_width // WIDE)


def tiled(g: Geometry) -> Geometry:
    """The same convolution, its table wide enough for whole tiles."""
    high, wide = -(-g.out_height // HIGH) * HIGH + 2, -(-g.out_width // WIDE) * WIDE + 2
    staged = g.staged or (high, wide) != (g.height, g.width)
    return g._replace(
        reach_height=high, reach_width=wide, staged=int(staged), row=wide * g.channels
    )


def together(per: int, samples: int) -> int:
    """Samples that share a block of tiles, of which each has ``per``."""
    most = max(1, BLOCK // per)
    groups = -(-samples // most)
    return -(-samples // groups)


_tiles_of, _together = inline(tiles_of), inline(together)


def point_elements(filters: int, channels: int, lanes: int) -> int:
    """Elements of a window at its points."""
    return POINTS * channels * padded(filters, lanes)


def _window_split(sizes: Sizes) -> Split:
    panels = -(-sizes["filters"] // (2 * sizes.lanes))
    return Split(1, panels, 1, 1, 1, limit=panels)


@tiles("u", split=_window_split, whole="w")
def winograd_window(w, u, channels, filters, first_row, unit):
    """The window at its points, a panel of filters a task."""
    item, lanes = size_of(unit), lanes_of(unit)
    column = 2 * lanes * first_row
    step = step_of(filters - column, lanes)
    source, target = w + item * 9 * channels * column, u + item * POINTS * channels * column
    mask, place = first_lanes(lanes, unit), channels * step
    for j in range(0, place, lanes):
        window_to_points(
            source + item * j, 3 * place, place, target + item * j, ACROSS * place, place,
            mask, 3, 3, unit,
        )  # fmt: skip


def _sample_room(sizes: Sizes) -> int:
    """Staged samples, and the patches of a block at their points."""
    g = sizes["g"]
    count = max(1, BLOCK // tiles_of(g))
    tables = g.staging * count if g.staged else 0
    return int(tables + POINTS * (BLOCK * g.channels + GAP))


def _forward_room(sizes: Sizes) -> int:
    wide = 2 * sizes.lanes
    return _sample_room(sizes) + POINTS * (BLOCK * wide + GAP) + wide


@inline
def _tile(t, g):
    """The sample of tile ``t``, and the row and column of its first output."""
    per, across = _tiles_of(g), -(-g.out_width // WIDE)
    at = t % per
    return t // per, HIGH * (at // across), WIDE * (at % across)


@inline
def _patches(a, ld, target, stride, first, count, g, unit):
    """Tiles ``first``... of samples ``ld`` apart to points ``stride`` apart."""
    item, lanes = size_of(unit), lanes_of(unit)
    for t in range(count):
        n, i, j = _tile(first + t, g)
        source = a + item * (n * ld + i * g.row + j * g.channels)
        out = target + item * t * g.channels
        for c in range(0, g.channels, lanes):
            to_points(
                source + item * c, g.row, g.channels, out + item * c, ACROSS * stride, stride,
                first_lanes(g.channels - c, unit), 0, 0, unit,
            )  # fmt: skip


@inline
def _outputs(m, stride, step, y, y_ld, column, first, count, g, unit):
    """Points of a panel of filters to outputs."""
    item, lanes = size_of(unit), lanes_of(unit)
    row = g.out_width * g.filters
    for t in range(count):
        n, i, j = _tile(first + t, g)
        rows, columns = g.out_height - i, g.out_width - j
        out = y + item * (n * y_ld + i * row + j * g.filters + column)
        source = m + item * t * step
        for c in range(0, step, lanes):
            mask = first_lanes(g.filters - column - c, unit)
            if rows >= HIGH and columns >= WIDE:
                from_points(
                    source + item * c, ACROSS * stride, stride, out + item * c, row, g.filters,
                    mask, rows, columns, unit,
                )  # fmt: skip
            else:
                from_points_at_edge(
                    source + item * c, ACROSS * stride, stride, out + item * c, row, g.filters,
                    mask, rows, columns, unit,
                )  # fmt: skip


@inline
def _stage_all(x, x_ld, first, count, room, g, unit):
    """Where the samples stand, tables of them filled if need be."""
    item = size_of(unit)
    if not g.staged:
        return x + item * first * x_ld, x_ld
    size = g.reach_height * g.reach_width * g.channels
    for n in range(count):
        staged(x + item * (first + n) * x_ld, room + item * n * size, g, unit)
    return room, size


@tiles(
    "y",
    split=None,
    rowwise="x",
    scratch=_forward_room,
    work=lambda sizes: sizes.capacity * sizes["g"].products // 2,
)
def winograd_forward(
    x, x_ld, u, b, y, y_ld, g, first_row, last_row, scratch, product1, product2, unit
):
    """y = b + x * w, by tiles; u: the window at its points."""
    item, lanes = size_of(unit), lanes_of(unit)
    per = _tiles_of(g)
    samples = _together(per, last_row - first_row)
    zeros = scratch
    v = zeros + item * 2 * lanes
    stride = BLOCK * g.channels + GAP
    m = v + item * POINTS * stride
    room = m + item * POINTS * (BLOCK * 2 * lanes + GAP)
    clear(zeros, 2 * lanes, unit)
    for n in range(first_row, last_row, samples):
        found = min(samples, last_row - n)
        a, ld = _stage_all(x, x_ld, n, found, room, g, unit)
        out = y + item * n * y_ld
        for first in range(0, found * per, BLOCK):
            count = min(BLOCK, found * per - first)
            _patches(a, ld, v, stride, first, count, g, unit)
            for column in range(0, g.filters, 2 * lanes):
                step = step_of(g.filters - column, lanes)
                product = product1 if step == lanes else product2
                panel = u + item * POINTS * g.channels * column
                apart = BLOCK * step + GAP
                for p in range(POINTS):
                    start = b + item * column if p == BIAS else zeros
                    call_product(
                        product, v + item * p * stride, g.channels, 0, 1,
                        panel + item * p * g.channels * step, 0, step,
                        m + item * p * apart, step, start, 0, count, 1, g.channels,
                    )  # fmt: skip
                _outputs(m, apart, step, out, y_ld, column, first, count, g, unit)


def _gradient_room(sizes: Sizes) -> int:
    g, wide = sizes["g"], 2 * sizes.lanes
    return _sample_room(sizes) + int(POINTS * ((BLOCK + g.channels) * wide + GAP))


@inline
def _gradients(dy, dy_ld, step, target, stride, column, first, count, g, unit):
    """Gradients of a panel of filters to points."""
    item, lanes = size_of(unit), lanes_of(unit)
    row = g.out_width * g.filters
    for t in range(count):
        n, i, j = _tile(first + t, g)
        rows, columns = g.out_height - i, g.out_width - j
        source = dy + item * (n * dy_ld + i * row + j * g.filters + column)
        out = target + item * t * step
        for c in range(0, step, lanes):
            gradient_to_points(
                source + item * c, row, g.filters, out + item * c, ACROSS * stride, stride,
                first_lanes(g.filters - column - c, unit), rows, columns, unit,
            )  # fmt: skip


@tiles(
    "parts",
    split=leaf_split,
    rowwise="x dy",
    scratch=_gradient_room,
    work=lambda sizes: sizes.capacity * sizes["g"].products // 2,
)
def winograd_gradient(
    x, x_ld, dy, dy_ld, parts, part_size, leaf_rows, g, first_row, last_row, task, scratch,
    product1, product2, unit,
):  # fmt: skip
    """The leaf of dw of a shard of samples, by tiles."""
    item, lanes = size_of(unit), lanes_of(unit)
    per = _tiles_of(g)
    samples = _together(per, last_row - first_row)
    stride = BLOCK * g.channels + GAP
    v = scratch
    m = v + item * POINTS * stride
    sums = m + item * POINTS * (BLOCK * 2 * lanes + GAP)
    room = sums + item * POINTS * g.channels * 2 * lanes
    full = first_lanes(lanes, unit)
    for column in range(0, g.filters, 2 * lanes):
        step = step_of(g.filters - column, lanes)
        product = product1 if step == lanes else product2
        apart, place = BLOCK * step + GAP, g.channels * step
        clear(sums, POINTS * place, unit)
        for n in range(first_row, last_row, samples):
            found = min(samples, last_row - n)
            a, ld = _stage_all(x, x_ld, n, found, room, g, unit)
            back = dy + item * n * dy_ld
            for first in range(0, found * per, BLOCK):
                count = min(BLOCK, found * per - first)
                _patches(a, ld, v, stride, first, count, g, unit)
                _gradients(back, dy_ld, step, m, apart, column, first, count, g, unit)
                for p in range(POINTS):
                    out = sums + item * p * place
                    call_product(
                        product, v + item * p * stride, 1, 0, g.channels,
                        m + item * p * apart, 0, step, out, step, out, step,
                        g.channels, 1, count,
                    )  # fmt: skip
        leaf = parts + item * (task * part_size + 9 * g.channels * column)
        for j in range(0, place, lanes):
            window_from_points(
                sums + item * j, ACROSS * place, place, leaf + item * j, 3 * place, place,
                full, 3, 3, unit,
            )  # fmt: skip
