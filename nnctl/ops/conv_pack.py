"""Few filters on wide vectors: several neighboring places of a row as one.

With F filters, ``pack`` places of a row give pack * F numbers that lie side by side. They are the
outputs of a convolution with pack * F filters whose window is wider by the steps between them, and
whose stride is longer: its weights are w once for each place, moved by its step, zeros elsewhere.
Where F alone would leave most of a vector empty, that takes fewer multiply-adds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nnctl.engine.intrinsics import lanes_of, size_of, view
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.engine.tiles import cycles
from nnctl.ops.conv_core import clear, copy
from nnctl.ops.dense import step_of
from nnctl.ops.geometry import Geometry, geometry
from nnctl.ops.windows import Axis


def forward_pack(axes: Sequence[Axis], filters: int, groups: int, lanes: int) -> int:
    """How many places to take together in ``conv_forward``; 1 where that gains little."""
    return _best(axes[-1], filters, groups, lanes, lambda places, kernel: (places, kernel))


def gradient_pack(
    axes: Sequence[Axis], channels: int, filters: int, groups: int, lanes: int
) -> int:
    """How many places to take together in ``conv_gradient``."""
    return _best(
        axes[-1], filters, groups, lanes, lambda places, kernel: (kernel * channels, places)
    )


def _best(
    axis: Axis, filters: int, groups: int, lanes: int, sizes: Callable[[int, int], tuple[int, int]]
) -> int:
    """``sizes``: rows and depth of the products for some places and a kernel's width."""
    if groups > 1 or axis.dilation > 1 or filters > lanes:
        return 1

    def cost(pack: int) -> int:
        rows, depth = sizes(-(-axis.out // pack), axis.kernel + (pack - 1) * axis.stride)
        return cycles(rows, -(-pack * filters // lanes)) * depth

    best = min(range(1, min(2 * lanes // filters, axis.out) + 1), key=cost)
    return best if 10 * cost(best) <= 9 * cost(1) else 1


def packed(axes: Sequence[Axis], g: Geometry, pack: int) -> Geometry:
    """The convolution of ``pack`` places as one."""
    a = axes[-1]
    kernel, stride = a.kernel + (pack - 1) * a.stride, a.stride * pack
    last = Axis(a.size, -(-a.out // pack), kernel, stride, 1, a.before)
    wide = geometry([*axes[:-1], last], g.channels, pack * g.filters, 1, g.mode)
    return wide._replace(line=a.out * g.filters)


def _one(sizes: Sizes) -> Split:
    return Split(1, 1, 1, 1, 1, limit=1)


@tiles("wide wide_b", split=_one, whole="w b")
def pack_weights(w, b, wide, wide_b, g, filters, window, stride, unit):
    """The weights and biases of the packed convolution ``g``, of w with ``filters`` and a window
    ``window`` places wide."""
    item, lanes = size_of(unit), lanes_of(unit)
    step = step_of(g.filters, lanes)
    pack = g.filters // filters
    clear(wide, g.kernel_depth * g.kernel_height * g.kernel_width * g.channels * step, unit)
    for row in range(g.kernel_depth * g.kernel_height):
        for p in range(pack):
            for k in range(window):
                for c in range(g.channels):
                    source = w + item * ((row * window + k) * g.channels + c) * lanes
                    at = (row * g.kernel_width + k + p * stride) * g.channels + c
                    copy(source, wide + item * (at * step + p * filters), filters, unit)
    clear(wide_b, 2 * lanes, unit)
    for p in range(pack):
        copy(b, wide_b + item * p * filters, filters, unit)


@tiles("dw", split=_one, whole="dwide")
def unpack_gradient(dwide, dw, dw_accumulates, g, filters, window, stride, unit):
    """dw (+)= the sum over the places of their parts of ``dwide``, in order."""
    item, lanes = size_of(unit), lanes_of(unit)
    step = step_of(g.filters, lanes)
    pack = g.filters // filters
    for row in range(g.kernel_depth * g.kernel_height):
        for k in range(window):
            for c in range(g.channels):
                at = ((row * window + k) * g.channels + c) * lanes
                target = view(dw + item * at, lanes, unit)
                if not dw_accumulates:
                    clear(dw + item * at, lanes, unit)
                for p in range(pack):
                    place = (row * g.kernel_width + k + p * stride) * g.channels + c
                    part = view(dwide + item * (place * step + p * filters), filters, unit)
                    for j in range(filters):
                        target[j] += part[j]
