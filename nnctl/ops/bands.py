"""Weighted sums over neighbours:  y_o = sum_i A[o, i] x_i,  A the product of a table of each axis.

Means over windows and up-sampling are of this form, and so are their gradients, by the tables
turned round. A row of a table is a band: the weights of the places ``first`` to ``stop``, none of
them 0. Shapes: x (N, D, H, W, C) -> y (N, D', H', W', C), each channel on its own. Sums go along W,
then the sums of rows along H, then along D, each in order.

The tables of a task lie in its scratch: they are small, and quickly made beside its samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

from nnctl.engine.intrinsics import lanes_of, load_int, size_of, store_int, view
from nnctl.engine.jit import helper, merged
from nnctl.engine.kernel import Sizes, rows
from nnctl.engine.vectors import address_of, first_lanes, multiply_add, put, spread, take
from nnctl.ops.registry import Call, Lowering, Record, Site
from nnctl.ops.windows import Axis, in_three, record

MEAN = 0  # of the places of a window that are no padding
MEAN_WITH_PADDING = 1  # padding counts as zeros
BINS = 2  # mean over floor(o in / out) to ceil((o + 1) in / out)
COPIES = 3  # every place ``kernel`` times
LINES = 4  # linear between the middles of places, constant beyond the first and the last


class Bands(NamedTuple):
    """How the tables are made: ``turned`` swaps input and output, ``most`` is the longest band."""

    kind: int
    turned: int
    most_depth: int
    most_height: int
    most_width: int


def _band(kind, o, size, out, kernel, stride, before):
    """First place of the band of output ``o`` of an axis, and the end of it."""
    if kind == BINS:
        return o * size // out, -(-(o + 1) * size // out)
    if kind == COPIES:
        return o // kernel, o // kernel + 1
    if kind == LINES:
        twice = 2 * o + 1 - kernel  # the place is twice / (2 kernel)
        first = min(max(twice // (2 * kernel), 0), size - 1)
        alone = twice < 0 or first == size - 1 or twice % (2 * kernel) == 0
        return first, first + (1 if alone else 2)
    start = o * stride - before
    return max(start, 0), min(start + kernel, size)


band = helper(_band)


@helper
def _weight(kind, o, i, first, stop, kernel):
    """A[o, i] of an axis, for i in the band of o."""
    if kind == COPIES:
        return 1.0
    if kind == LINES:
        part = 1.0
        if stop - first == 2:
            part = ((2 * o + 1 - kernel) % (2 * kernel)) / (2.0 * kernel)
            part = 1.0 - part if i == first else part
        return part
    return 1.0 / (kernel if kind == MEAN_WITH_PADDING else stop - first)


@helper
def _write_table(place, kind, turned, most, size, out, kernel, stride, before, unit):
    """Write an axis' bands (first, stop), then ``most`` weights for each; return the end."""
    count = size if turned else out
    weights = view(place + 16 * count, count * most, unit)
    start, end = 0, 0
    for t in range(count):
        if turned:
            while start < out and band(kind, start, size, out, kernel, stride, before)[1] <= t:
                start += 1
            while end < out and band(kind, end, size, out, kernel, stride, before)[0] <= t:
                end += 1
        else:
            start, end = band(kind, t, size, out, kernel, stride, before)
        store_int(place + 16 * t, start)
        store_int(place + 16 * t + 8, end)
        for s in range(start, end):
            o, i = (s, t) if turned else (t, s)
            first, stop = band(kind, o, size, out, kernel, stride, before)
            weights[t * most + s - start] = _weight(kind, o, i, first, stop, kernel)
    length = 16 * count + size_of(unit) * count * most
    return place + length + length % 8


@merged
def _apply(x, y, w, b, scratch, unit):
    """y = A x for the rows of some samples."""
    size, lanes = size_of(unit), lanes_of(unit)
    pixel, zero = size * w.channels, spread(unit - unit)
    in_height, in_width = w.height, w.width
    depth, height, width = w.out_depth, w.out_height, w.out_width
    if b.turned:
        in_height, in_width = w.out_height, w.out_width
        depth, height, width = w.depth, w.height, w.width
    along_h = _write_table(
        scratch, b.kind, b.turned, b.most_depth, w.depth, w.out_depth, w.kernel_depth,
        w.stride_depth, w.before_depth, unit,
    )  # fmt: skip
    along_w = _write_table(
        along_h, b.kind, b.turned, b.most_height, w.height, w.out_height, w.kernel_height,
        w.stride_height, w.before_height, unit,
    )  # fmt: skip
    _write_table(
        along_w, b.kind, b.turned, b.most_width, w.width, w.out_width, w.kernel_width,
        w.stride_width, w.before_width, unit,
    )  # fmt: skip
    of_d = view(scratch + 16 * depth, depth * b.most_depth, unit)
    of_h = view(along_h + 16 * height, height * b.most_height, unit)
    of_w = view(along_w + 16 * width, width * b.most_width, unit)
    for n in range(x.shape[0]):
        source = address_of(x) + size * n * x.shape[1]
        target = address_of(y) + size * n * y.shape[1]
        for td in range(depth):
            d0, d1 = load_int(scratch + 16 * td), load_int(scratch + 16 * td + 8)
            for th in range(height):
                h0, h1 = load_int(along_h + 16 * th), load_int(along_h + 16 * th + 8)
                for tw in range(width):
                    w0, w1 = load_int(along_w + 16 * tw), load_int(along_w + 16 * tw + 8)
                    for c in range(0, w.channels, lanes):
                        mask, total = first_lanes(w.channels - c, unit), zero
                        for d in range(d0, d1):
                            for h in range(h0, h1):
                                at = source + size * c + pixel * (d * in_height + h) * in_width
                                row = zero
                                for p in range(w0, w1):
                                    part = spread(of_w[tw * b.most_width + p - w0])
                                    row = multiply_add(part, take(at + pixel * p, mask, unit), row)
                                part = of_d[td * b.most_depth + d - d0]
                                part *= of_h[th * b.most_height + h - h0]
                                total = multiply_add(spread(part), row, total)
                        put(target + size * c, total, mask)
                    target += pixel


def _scratch(sizes: Sizes) -> int:
    w, b = sizes["windows"], sizes["bands"]
    counts = (w.depth, w.height, w.width) if b.turned else (w.out_depth, w.out_height, w.out_width)
    return int(sum((4 + most) * count + 2 for count, most in zip(counts, b[2:], strict=True)))


@rows("y", scratch=_scratch)
def banded_forward(x, y, windows, bands, scratch, unit):
    _apply(x, y, windows, bands, scratch, unit)


@rows("dx", scratch=_scratch)
def banded_backward(dy, dx, windows, bands, scratch, unit):
    _apply(dy, dx, windows, bands, scratch, unit)


def _longest(kind: int, axis: Axis, turned: bool) -> int:
    """The longest band of an axis' table, or of the table turned round."""
    around = (axis.size, axis.out, axis.kernel, axis.stride, axis.before)
    found: list[tuple[int, int]] = [_band(kind, o, *around) for o in range(axis.out)]
    if not turned:
        return max(stop - first for first, stop in found)
    readers = [0] * (axis.size + 1)  # at i, how many more bands hold i than i - 1
    for first, stop in found:
        readers[first] += 1
        readers[stop] -= 1
    return max(max(accumulate(readers)), 1)


def banded(
    axes: Callable[[Site], Sequence[Axis]], kind: Callable[[Site], int]
) -> tuple[Lowering, Lowering]:
    """The forward and backward calls of a layer whose windows ``axes`` knows."""

    def bound(site: Site, turned: bool) -> dict[str, Record]:
        three, what = in_three(axes(site)), kind(site)
        most = [_longest(what, axis, turned) for axis in three]
        bands = Bands(what, int(turned), *most)
        return {"windows": record(three, site.shapes[0][-1]), "bands": bands}

    def forward(site: Site) -> Sequence[Call]:
        return [Call(banded_forward, bound(site, False))]

    def backward(site: Site) -> Sequence[Call]:
        return [Call(banded_backward, bound(site, True))]

    return forward, backward
