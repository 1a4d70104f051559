"""The way back through the steps of a recurrent layer; how rows lie is told in ``recurrent.py``."""

from nnctl.engine.intrinsics import lanes_of, size_of
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes
from nnctl.ops.conv_core import clear, copy
from nnctl.ops.dense import columns_of, padded
from nnctl.ops.parts import elements, multiply_cut
from nnctl.ops.recurrent import SUMS, is_over, multiply, place, row, shard, span
from nnctl.ops.recurrent_rows import add, multiply_into


@inline
def skip_back(first, end, dx, dx_ld, wants_dx, trace, g, first_row, last_row, unit):
    """The gradients of steps that none of some samples has."""
    size = size_of(unit)
    for r in range(first_row, last_row):
        for k in range(first, end):
            clear(row(trace, r, k + 1, g, size), g.state, unit)
            if wants_dx:
                clear(dx + size * (r * dx_ld + place(k, g) * g.inputs), g.inputs, unit)


def back_room(sizes: Sizes) -> int:
    """Scratch of a backward pass: gradients of two states, of what is handed on, of an input, of
    the left side of a product inside a step; room for the sums of a cell, and for the parts of
    gates that are cut."""
    g, lanes, rows = sizes["g"], sizes.lanes, shard(sizes).rows
    wide = 3 * padded(g.units, lanes) + padded(g.inputs, lanes) + padded(g.inner_depth, lanes)
    deepest = max(g.columns * g.cut_w, g.columns_u * g.cut_u)
    return int(rows * (wide + 5 * lanes) + SUMS + elements(rows, deepest))


@inline
def inside_back(
    first_back, own, leaves, v_turned, zeros, dinner, wide, dh, dh_ld, trace, lengths, k, g,
    scratch, first_row, last_row, p1, p2, unit,
):  # fmt: skip
    """Back through the product inside a step."""
    size, ld = size_of(unit), g.rows * g.width
    multiply(
        row(trace, first_row, k + 1, g, size) + size * g.inner, ld, g.inner_columns, v_turned,
        g.inner_depth, dinner, wide, zeros, 0, last_row - first_row, p1, p2, unit,
    )  # fmt: skip
    for r in range(first_row, last_row):
        if not is_over(lengths, r, place(k, g)):
            at, before = row(trace, r, k + 1, g, size), row(trace, r, k, g, size)
            part, mask = dinner + size * (r - first_row) * wide, row(trace, r, 0, g, size)
            back = dh + size * (r - first_row) * dh_ld
            leaf = leaves + 8 * r * g.leaf
            first_back(at, before, mask, part, back, own, leaf, scratch, g, unit)


@inline
def _turned(
    cut, a, a_ld, depth, w, columns, out, out_ld, start, start_ld, rows, room, products, unit
):
    """out = start + a @ w for gradients of gates; ``products``: those of panels, and of parts."""
    p1, p2, of_parts = products
    if cut:
        multiply_cut(
            a, a_ld, depth, w, columns, out, out_ld, start, start_ld, rows, room, of_parts
        )  # fmt: skip
    else:
        multiply(a, a_ld, depth, w, columns, out, out_ld, start, start_ld, rows, p1, p2, unit)


@inline
def _give_back(rows, ld, dx, dx_ld, count, g, unit):
    """Put the gradients of a step's inputs in their places."""
    size = size_of(unit)
    for r in range(count):
        copy(rows + size * r * ld, dx + size * r * dx_ld, g.inputs, unit)


@inline
def _from_end(flow, flow_ld, dh, dc, ld, count, g, unit):
    """Take the gradients of the states that some samples hand on."""
    size, n = size_of(unit), g.units
    for r in range(count):
        source = flow + size * r * flow_ld
        copy(source, dh + size * r * ld, n, unit)
        if g.ends > 1:
            copy(source + size * n, dc + size * r * ld, n, unit)


@inline
def _to_start(dh, dc, ld, dstart, dstart_ld, count, g, unit):
    """Give the gradients of the states that some samples start from."""
    size, n = size_of(unit), g.units
    for r in range(count):
        out = dstart + size * r * dstart_ld
        copy(dh + size * r * ld, out, n, unit)
        if g.starts > 1:
            copy(dc + size * r * ld, out + size * n, n, unit)


@inline
def backward(
    cell, first_back, dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, dend, dend_ld, u_turned,
    w_turned, v_turned, own, leaves, trace, lengths, zeros, g, scratch, first_row, last_row, p1,
    p2, tile_product, unit,
):  # fmt: skip
    """Back through all steps of some samples, from the gradients of the states after them.

    ``cell(row, row before, dh, dc, own, leaf, scratch, g, unit)`` puts the gradients of the gates
    where the gates were, and leaves in dh and dc what goes to the step before by other ways than u.
    What comes to an output that is not h is in dc.
    ``first_back`` does so for the gates that the product inside a step is made of, and adds to dh.
    """
    size, lanes, n, ld = size_of(unit), lanes_of(unit), g.units, g.rows * g.width
    count, again = last_row - first_row, size * g.again
    wide, wide_in = columns_of(n, lanes) + lanes, columns_of(g.inputs, lanes) + lanes
    wide_inner = columns_of(g.inner_depth, lanes) + lanes
    dh, dc = scratch, scratch + size * count * wide
    dhanded = dc + size * count * wide
    dx_row = dhanded + size * count * wide
    dinner = dx_row + size * count * wide_in
    sums = dinner + size * count * wide_inner
    parts, products = sums + size * SUMS, (p1, p2, tile_product)
    given = dh if g.gives == g.state else dc
    clear(scratch, 2 * count * wide, unit)
    clear(leaves + 8 * first_row * g.leaf, count * g.leaf, 0.0)
    if g.ends:
        _from_end(dend + size * first_row * dend_ld, dend_ld, dh, dc, wide, count, g, unit)
    if g.every == 0:
        for r in range(count):
            copy(dy + size * (first_row + r) * dy_ld, given + size * r * wide, n, unit)
    first, end = span(lengths, first_row, last_row, g)
    skip_back(end, g.steps, dx, dx_ld, wants_dx, trace, g, first_row, last_row, unit)
    for k in range(end - 1, first - 1, -1):
        t = place(k, g)
        now, old = row(trace, first_row, k + 1, g, size), row(trace, first_row, k, g, size)
        for r in range(count):
            at, before = now + size * r * ld, old + size * r * ld
            if is_over(lengths, first_row + r, t):
                clear(at, g.state, unit)
                continue
            if g.every == 1:
                out = dy + size * ((first_row + r) * dy_ld + t * n)
                add(out, given + size * r * wide, n, unit)
            leaf = leaves + 8 * (first_row + r) * g.leaf
            back, back_c = dh + size * r * wide, dc + size * r * wide
            cell(at, before, back, back_c, own, leaf, sums, g, unit)
        if g.inner_depth:
            inside_back(
                first_back, own, leaves, v_turned, zeros, dinner, wide_inner, dh, wide, trace,
                lengths, k, g, sums, first_row, last_row, p1, p2, unit,
            )  # fmt: skip
        if (k > 0 or g.starts) and g.handed == g.state:
            _turned(
                g.cut_u, now + again, ld, g.columns_u, u_turned, n, dh, wide, dh, wide, count,
                parts, products, unit,
            )  # fmt: skip
        elif (k > 0 and not g.taught) or (k == 0 and g.starts):
            _turned(
                g.cut_u, now + again, ld, g.columns_u, u_turned, n, dhanded, wide, zeros, 0, count,
                parts, products, unit,
            )  # fmt: skip
            for r in range(count):
                mask, part = row(trace, first_row + r, 0, g, size), dhanded + size * r * wide
                multiply_into(part, mask, part, n, unit)
                add(part, dh + size * r * wide, n, unit)
        if wants_dx:
            _turned(
                g.cut_w, now, ld, g.columns, w_turned, g.inputs, dx_row, wide_in, zeros, 0, count,
                parts, products, unit,
            )  # fmt: skip
            out = dx + size * (first_row * dx_ld + t * g.inputs)
            _give_back(dx_row, wide_in, out, dx_ld, count, g, unit)
    skip_back(0, first, dx, dx_ld, wants_dx, trace, g, first_row, last_row, unit)
    if dstart_ld:
        _to_start(dh, dc, wide, dstart + size * first_row * dstart_ld, dstart_ld, count, g, unit)
