"""The way of a recurrent layer through its steps; how rows lie is told in ``recurrent.py``."""

from nnctl.engine.intrinsics import lanes_of, size_of
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes
from nnctl.ops.dense import columns_of
from nnctl.ops.parts import elements, multiply_cut
from nnctl.ops.recurrent import (
    SUMS,
    begin,
    give_last,
    has_state,
    inside,
    of_input,
    of_state,
    place,
    row,
    shard,
    skip,
    span,
    turn,
)


def room(sizes: Sizes) -> int:
    """Scratch of a forward pass: sums of a cell, and the parts of what is cut."""
    g = sizes["g"]
    deepest = max(g.inputs * g.cut_w, g.units * g.cut_u)
    return SUMS + elements(shard(sizes).rows, deepest)


@inline
def products(
    x, x_ld, w, u, b, b_h, trace, g, k, parts, first_row, last_row, p1, p2, tile_product, unit
):  # fmt: skip
    """What w and u give to the gates of the k-th step of some samples."""
    size, ld, rows = size_of(unit), g.rows * g.width, last_row - first_row
    now, old = row(trace, first_row, k + 1, g, size), row(trace, first_row, k, g, size)
    if g.cut_w:
        read = x + size * (first_row * x_ld + place(k, g) * g.inputs)
        multiply_cut(
            read, x_ld, g.inputs, w, g.columns, now, ld, b, 0, rows, parts, tile_product
        )  # fmt: skip
    else:
        wide = columns_of(g.columns, lanes_of(unit))
        of_input(x, x_ld, w, b, trace, g, k, first_row, last_row, 0, wide, p1, p2, unit)
    if g.cut_u and has_state(k, g):
        sums, sums_ld = (b_h, 0) if g.again else (now, ld)
        multiply_cut(
            old + size * g.handed, ld, g.units, u, g.columns_u, now + size * g.again, ld, sums,
            sums_ld, rows, parts, tile_product,
        )  # fmt: skip
    elif not g.cut_u:
        of_state(u, b_h, trace, g, k, first_row, last_row, 0, g.columns_u, p1, p2, unit)


@inline
def forward(
    cell, first, x, x_ld, w, u, b, b_h, v, b_v, own, start, start_ld, y, y_ld, trace, lengths, g,
    scratch, first_row, last_row, p1, p2, tile_product, unit,
):  # fmt: skip
    """All steps of some samples; ``cell(row, row before, own, scratch, g, unit)`` turns gates into
    a state, ``first`` alike into what is multiplied by ``v``."""
    parts = scratch + size_of(unit) * SUMS
    begin(start, start_ld, trace, g, first_row, last_row, unit)
    begins, end = span(lengths, first_row, last_row, g)
    skip(0, begins, y, y_ld, trace, g, first_row, last_row, unit)
    for k in range(begins, end):
        products(
            x, x_ld, w, u, b, b_h, trace, g, k, parts, first_row, last_row, p1, p2, tile_product,
            unit,
        )  # fmt: skip
        if g.inner_depth:
            inside(
                first, own, v, b_v, trace, lengths, k, g, scratch, first_row, last_row,
                p1, p2, unit,
            )  # fmt: skip
        turn(cell, own, y, y_ld, trace, lengths, k, g, scratch, first_row, last_row, unit)
    skip(end, g.steps, y, y_ld, trace, g, first_row, last_row, unit)
    if g.every == 0:
        give_last(y, y_ld, trace, g, first_row, last_row, unit)
