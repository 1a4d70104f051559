"""Largest and smallest of windows:  y_o = max (min) of x_i over the places i of window o.

Shapes: x (N, D, H, W, C) -> y (N, D', H', W', C), each channel on its own. Padding is never chosen.
Of equal ones the first is chosen; a NaN in the window is the result. ``chosen`` keeps the place of
the chosen one in the input, (d H + h) W + w, as the bits of a whole number beside y's elements.
Backward: dx_i = sum of dy_o over the windows that chose i, in their order; every dx is written
once, by its place, or by its window where windows lie side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nnctl.engine.intrinsics import lanes_of, size_of
from nnctl.engine.jit import inline, merged
from nnctl.engine.kernel import Kernel, rows
from nnctl.engine.vectors import (
    above,
    address_of,
    below,
    first_lanes,
    pick,
    plus,
    put,
    same_bits,
    spread,
    spread_bits,
    take,
)
from nnctl.ops.registry import Call, Lowering, Site, register
from nnctl.ops.windows import Axis, pool_axes, record, whole

AxesOf = Callable[[Site], Sequence[Axis]]


@inline
def _inside(o, stride, before, kernel, size):
    """First place of window ``o`` that is no padding, and the end of them."""
    start = o * stride - before
    return max(start, 0), min(start + kernel, size)


@inline
def _better(value, p, best, place, largest, keeps, unit):
    """The best of some values and its place, after that of place ``p``."""
    better = above(value, best) if largest else below(value, best)
    if keeps:
        place = pick(better, spread_bits(p, unit), place)
    return pick(better, value, best), place


@merged
def _choose(x, y, w, unit, largest, chosen, keeps):
    """Write y and, where ``keeps``, the places of what was chosen."""
    size, lanes = size_of(unit), lanes_of(unit)
    pixel = size * w.channels
    for i in range(x.shape[0]):
        source = address_of(x) + size * i * x.shape[1]
        target = address_of(y) + size * i * y.shape[1]
        kept = address_of(chosen) + size * i * chosen.shape[1]
        for od in range(w.out_depth):
            d0, d1 = _inside(od, w.stride_depth, w.before_depth, w.kernel_depth, w.depth)
            for oh in range(w.out_height):
                h0, h1 = _inside(oh, w.stride_height, w.before_height, w.kernel_height, w.height)
                for ow in range(w.out_width):
                    w0, w1 = _inside(ow, w.stride_width, w.before_width, w.kernel_width, w.width)
                    first = (d0 * w.height + h0) * w.width + w0
                    out = pixel * ((od * w.out_height + oh) * w.out_width + ow)
                    for c in range(0, w.channels, lanes):
                        mask = first_lanes(w.channels - c, unit)
                        base = source + size * c
                        best = take(base + pixel * first, mask, unit)
                        place = spread_bits(first, unit)
                        if d1 - d0 == 1 and h1 - h0 == 2 and w1 - w0 == 2:  # no loops to go round
                            for p in (first + 1, first + w.width, first + w.width + 1):
                                value = take(base + pixel * p, mask, unit)
                                best, place = _better(value, p, best, place, largest, keeps, unit)
                        else:
                            for d in range(d0, d1):
                                for h in range(h0, h1):
                                    row = (d * w.height + h) * w.width
                                    for p in range(row + w0, row + w1):
                                        value = take(base + pixel * p, mask, unit)
                                        best, place = _better(
                                            value, p, best, place, largest, keeps, unit
                                        )
                        put(target + out + size * c, best, mask)
                        if keeps:
                            put(kept + out + size * c, place, mask)


@rows("y chosen")
def max_forward(x, y, chosen, windows, unit):
    _choose(x, y, windows, unit, True, chosen, True)


@rows("y chosen")
def min_forward(x, y, chosen, windows, unit):
    _choose(x, y, windows, unit, False, chosen, True)


@rows("y")
def max_evaluate(x, y, windows, unit):
    _choose(x, y, windows, unit, True, y, False)


@rows("y")
def min_evaluate(x, y, windows, unit):
    _choose(x, y, windows, unit, False, y, False)


@inline
def _covering(i, start, stop, out, stride, before, kernel):
    """Windows that place ``i`` is in, from those of the place before it."""
    while start < out and start * stride - before + kernel <= i:
        start += 1
    while stop < out and stop * stride - before <= i:
        stop += 1
    return start, stop


@inline
def _side_by_side(w):
    """Whether the windows cover the input, every place once."""
    deep = w.stride_depth == w.kernel_depth and w.out_depth * w.kernel_depth == w.depth
    high = w.stride_height == w.kernel_height and w.out_height * w.kernel_height == w.height
    wide = w.stride_width == w.kernel_width and w.out_width * w.kernel_width == w.width
    return deep and high and wide and w.before_depth + w.before_height + w.before_width == 0


@inline
def _scatter(source, kept, target, w, unit):
    """dx of a sample whose windows lie side by side: each window writes its places."""
    size, lanes = size_of(unit), lanes_of(unit)
    pixel, zero = size * w.channels, spread(unit - unit)
    for d in range(w.out_depth):
        for h in range(w.out_height):
            for o in range(w.out_width):
                out = pixel * ((d * w.out_height + h) * w.out_width + o)
                for c in range(0, w.channels, lanes):
                    mask = first_lanes(w.channels - c, unit)
                    chosen = take(kept + out + size * c, mask, unit)
                    value = take(source + out + size * c, mask, unit)
                    for kd in range(d * w.kernel_depth, (d + 1) * w.kernel_depth):
                        for kh in range(h * w.kernel_height, (h + 1) * w.kernel_height):
                            first = (kd * w.height + kh) * w.width + o * w.kernel_width
                            for place in range(first, first + w.kernel_width):
                                is_here = same_bits(chosen, spread_bits(place, unit))
                                to = target + pixel * place + size * c
                                put(to, pick(is_here, value, zero), mask)


@inline
def _gather(source, kept, target, w, unit):
    """dx of a sample: each place adds up what the windows that it is in send back."""
    size, lanes = size_of(unit), lanes_of(unit)
    pixel, zero = size * w.channels, spread(unit - unit)
    place, d0, d1 = 0, 0, 0
    for d in range(w.depth):
        d0, d1 = _covering(d, d0, d1, w.out_depth, w.stride_depth, w.before_depth, w.kernel_depth)
        h0, h1 = 0, 0
        for h in range(w.height):
            h0, h1 = _covering(
                h, h0, h1, w.out_height, w.stride_height, w.before_height, w.kernel_height
            )
            w0, w1 = 0, 0
            for j in range(w.width):
                w0, w1 = _covering(
                    j, w0, w1, w.out_width, w.stride_width, w.before_width, w.kernel_width
                )
                for c in range(0, w.channels, lanes):
                    mask, here = first_lanes(w.channels - c, unit), spread_bits(place, unit)
                    total = zero
                    for od in range(d0, d1):
                        for oh in range(h0, h1):
                            row = (od * w.out_height + oh) * w.out_width
                            for o in range(row + w0, row + w1):
                                at = pixel * o + size * c
                                is_here = same_bits(take(kept + at, mask, unit), here)
                                value = take(source + at, mask, unit)
                                total = plus(total, pick(is_here, value, zero))
                    put(target + pixel * place + size * c, total, mask)
                place += 1


@rows("dx")
def chosen_backward(dy, dx, chosen, windows, unit):
    """dx_i = sum of dy_o where chosen_o = i; serves the largest and the smallest."""
    size = size_of(unit)
    apart = _side_by_side(windows)
    for i in range(dx.shape[0]):
        source = address_of(dy) + size * i * dy.shape[1]
        kept = address_of(chosen) + size * i * chosen.shape[1]
        target = address_of(dx) + size * i * dx.shape[1]
        if apart:
            _scatter(source, kept, target, windows, unit)
        else:
            _gather(source, kept, target, windows, unit)


def _lowerings(forward: Kernel, evaluate: Kernel, axes: AxesOf) -> tuple[Lowering, ...]:
    """The forward, backward and evaluating calls of a layer whose windows ``axes`` knows."""

    def calls(kernel: Kernel) -> Lowering:
        def lower(site: Site) -> Sequence[Call]:
            return [Call(kernel, {"windows": record(axes(site), site.shapes[0][-1])})]

        return lower

    return calls(forward), calls(chosen_backward), calls(evaluate)


def _add(tag: str, forward: Kernel, evaluate: Kernel, axes: AxesOf) -> None:
    run, back, show = _lowerings(forward, evaluate, axes)
    register(tag, run, back, evaluate=show, saved={"chosen": "rows"})


for _name, _forward, _evaluate in [
    ("max", max_forward, max_evaluate),
    ("min", min_forward, min_evaluate),
]:
    _add(f"global_{_name}_pool", _forward, _evaluate, whole)
    for _axes in (1, 2, 3):
        _add(f"{_name}_pool{_axes}d", _forward, _evaluate, pool_axes)
