"""The way back to the input of a convolution with strides, without multiplying zeros."""

from nnctl.engine.intrinsics import call_product, lanes_of, size_of
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, tiles
from nnctl.ops.conv_core import copy, stage
from nnctl.ops.dense import columns_of, step_of


def _spread_room(sizes: Sizes) -> int:
    g, s = sizes["g"], sizes["s"]
    places = s.span_depth * s.span_height * s.span_width
    return int(places * g.filters + 2 * sizes.lanes * (g.width + 1))


@inline
def _first(residue, dilation, stride, every, kernel):
    """The first kernel place that reads places of a residue, or ``kernel`` if none does."""
    for k in range(min(every, kernel)):
        if (k * dilation - residue) % stride == 0:
            return k
    return kernel


@tiles(
    "dx",
    split=None,
    rowwise="dy",
    scratch=_spread_room,
    work=lambda sizes: sizes.capacity * sizes["g"].products,
)
def conv_spread(
    dy, dy_ld, turned, b, dx, dx_ld, g, s, first_row, last_row, scratch, product1, product2, unit
):
    """dx = b + what every output sends back through the window, for windows with strides.

    Input places of one residue modulo the stride are read by the same kernel places: each residue
    is a convolution of its own, and nothing is multiplied by zeros between outputs.
    """
    item = size_of(unit)
    room = scratch + item * s.span_depth * s.span_height * s.span_width * g.filters
    for n in range(first_row, last_row):
        stage(
            dy + item * n * dy_ld, scratch, g.out_depth, g.out_height, g.out_width,
            s.lo_depth, s.lo_height, s.lo_width, s.span_depth, s.span_height, s.span_width,
            g.filters, 0, unit,
        )  # fmt: skip
        out = dx + item * n * dx_ld
        for d in range(g.depth):
            k_d = _first((d + g.before_depth) % g.stride_depth, g.dilation_depth, g.stride_depth,
                         s.every_depth, g.kernel_depth)  # fmt: skip
            for h in range(g.height):
                k_h = _first(
                    (h + g.before_height) % g.stride_height, g.dilation_height, g.stride_height,
                    s.every_height, g.kernel_height,
                )  # fmt: skip
                _spread_row(
                    scratch, turned, b, out, room, d, h, k_d, k_h, g, s, product1, product2, unit
                )


@inline
def _spread_row(e, turned, b, dx, room, d, h, k_d, k_h, g, s, product1, product2, unit):
    """A row of dx: a product for each residue of its places and each panel of channels."""
    item, lanes = size_of(unit), lanes_of(unit)
    filters, inner = g.filters // g.groups, g.channels // g.groups
    kernel = g.kernel_depth * g.kernel_height * g.kernel_width
    row = s.span_width * g.filters
    for residue in range(g.stride_width):
        w0 = (residue - g.before_width) % g.stride_width
        k_w = _first(residue, g.dilation_width, g.stride_width, s.every_width, g.kernel_width)
        rows = -(-(g.width - w0) // g.stride_width)
        if rows <= 0:
            continue
        rounds = -(-(g.kernel_width - k_w) // s.every_width)
        j_w = (w0 + g.before_width - k_w * g.dilation_width) // g.stride_width + s.lo_width
        for group in range(g.groups):
            for channel in range(0, inner, 2 * lanes):
                step = step_of(inner - channel, lanes)
                used = min(step, inner - channel)
                product = product1 if step == lanes else product2
                panel = turned + item * kernel * filters * (
                    group * columns_of(inner, lanes) + channel
                )
                place = group * inner + channel
                out = dx + item * (((d * g.height + h) * g.width + w0) * g.channels + place)
                ld = g.stride_width * g.channels
                target, target_ld = (out, ld) if used == step else (room, step)
                start, stride = b + item * place, 0
                for kd in range(k_d, g.kernel_depth, s.every_depth):
                    j_d = (d + g.before_depth - kd * g.dilation_depth) // g.stride_depth
                    for kh in range(k_h, g.kernel_height, s.every_height):
                        if rounds <= 0:
                            continue
                        j_h = (h + g.before_height - kh * g.dilation_height) // g.stride_height
                        read = e + item * (
                            ((j_d + s.lo_depth) * s.span_height + j_h + s.lo_height) * row
                            + j_w * g.filters
                            + group * filters
                        )
                        tap = (kd * g.kernel_height + kh) * g.kernel_width + k_w
                        call_product(
                            product, read, g.filters, -s.back_width * g.filters, 1,
                            panel + item * tap * filters * step, s.every_width * filters * step,
                            step, target, target_ld, start, stride, rows, rounds, filters,
                        )  # fmt: skip
                        start, stride = target, target_ld
                if start == b + item * place:  # no output reads these places
                    for p in range(rows):
                        copy(start, target + item * p * target_ld, used, unit)
                if used < step:
                    for p in range(rows):
                        copy(room + item * p * step, out + item * p * ld, used, unit)
