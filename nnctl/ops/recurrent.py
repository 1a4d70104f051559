"""What recurrent layers share: how a sample's steps lie, products of a step, gradients of weights.

A task runs all steps of its samples, with no other between them. Every sample has a trace, a row of
``width`` numbers for each step: the gates first, in whole panels, then the state h, then what else
the cell hands on, then what it keeps for the way back. Row 0 stands for the start, row k + 1 for
the k-th step taken, which is place k of the input, or place steps - 1 - k where a layer goes
backward in time. The start is zero, or given: h, or all that the cell hands on. The backward pass
puts the gradients of the gates where the gates were: the right factor of the products that give dw
and du. Evaluation has two rows only, used in turns.

Weights: w (inputs, gates * units), u (units, gates * units), b (gates * units,); gates side by side
in the order that the cell names. A step beyond a sample's length leaves the state as it is, gives
zeros, and has no gradient.

With recurrent dropout u multiplies what a mask leaves of h, the same for all steps of a sample (Gal
& Ghahramani 2016). The mask lies where row 0 would have gates.

A cell may have a product inside a step, v times what ``first`` makes of some gates and puts where
``kept`` begins; its sums lie behind the gates. Parameters of its own come as addresses, ``own``;
their gradients are added to a sample's ``leaf``, in double precision.
"""

from typing import NamedTuple

from nnctl.engine.intrinsics import call_product, lanes_of, load_int, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, Split
from nnctl.ops.conv_core import clear, copy
from nnctl.ops.dense import DEPTH, columns_of, padded, step_of
from nnctl.ops.norm_row import LANES

ROWS = 16  # samples of a task, at most: the products of a step are that many rows high
SUMS = 4 * LANES  # scratch of a cell that normalizes: two tables of sums in double precision


class Recurrence(NamedTuple):
    """Sizes of a recurrent layer, in numbers."""

    steps: int
    inputs: int
    units: int
    columns: int  # of w: gates * units
    columns_u: int  # of u: as many, or those of some gates
    again: int  # where in a row the gates lie that u gives: 0, or behind those that w gives
    state: int  # where h lies in a row
    kept: int  # where that lies which the cell keeps for the way back, behind the states
    handed: int  # where that of h lies which u multiplies: h itself, or what a mask leaves of it
    width: int  # of a row of the trace
    rows: int  # of a sample's trace
    backward: int  # 1: from the last step to the first
    every: int  # 1: gives the state of every step, 0: the last one
    kind: int  # which of its formulas the cell takes
    table: int  # width of a row of the products of w with a table of tokens; 0 without
    starts: int  # how many of the cell's states (h, then c) are given for the start
    inner: int  # where the sums of the product inside a step lie, and how many they are
    inner_columns: int
    inner_depth: (
        int  # of that product, whose left side lies where ``kept`` begins; 0: there is none
    )
    leaf: int  # numbers of a sample's gradients of the cell's own parameters


def shard(sizes: Sizes) -> Split:
    """At most ``ROWS`` samples a task, none across quarters of the batch."""
    quarter = -(-sizes.capacity // 4)
    rows = max(d for d in range(1, min(ROWS, quarter) + 1) if quarter % d == 0)
    return Split(rows, -(-sizes.capacity // rows), 1, 1, 1)


def work(sizes: Sizes) -> int:
    """Multiply-adds of a pass over a full batch."""
    g = sizes["g"]
    return int(sizes.capacity * g.steps * g.columns * (g.inputs + g.units))


@inline
def place(k, g):
    """Place in the input of the k-th step taken."""
    return g.steps - 1 - k if g.backward else k


@inline
def row(trace, sample, k, g, size):
    """Address of a sample's row of the trace after ``k`` steps."""
    return trace + size * ((sample * g.rows + k % g.rows) * g.width)


@inline
def multiply(a, a_ld, depth, w, columns, out, out_ld, start, start_ld, rows, p1, p2, unit):
    """out = start + a @ w for some rows; w (depth, columns) in panels."""
    size, lanes = size_of(unit), lanes_of(unit)
    for first in range(0, columns, 2 * lanes):
        step = step_of(columns - first, lanes)
        product = p1 if step == lanes else p2
        panel, target = w + size * first * depth, out + size * first
        for k in range(0, depth, DEPTH):
            begin, stride = (start + size * first, start_ld) if k == 0 else (target, out_ld)
            call_product(
                product, a + size * k, a_ld, 0, 1, panel + size * k * step, 0, step,
                target, out_ld, begin, stride, rows, 1, min(DEPTH, depth - k),
            )  # fmt: skip


@inline
def is_over(lengths, sample, t):
    return t >= load_int(lengths + 8 * sample)


@inline
def multiply_into(source, mask, target, count, unit):
    s, m, t = view(source, count, unit), view(mask, count, unit), view(target, count, unit)
    for j in range(count):
        t[j] = s[j] * m[j]


@inline
def begin(start, start_ld, trace, g, first_row, last_row, unit):
    """Row 0 of some samples: zeros, or the states that are given."""
    size, room = size_of(unit), columns_of(g.units, lanes_of(unit))
    for r in range(first_row, last_row):
        at = row(trace, r, 0, g, size)
        clear(at + size * g.state, g.width - g.state, unit)
        for s in range(g.starts):
            source = start + size * (r * start_ld + s * g.units)
            copy(source, at + size * (g.state + s * room), g.units, unit)
        if g.starts and g.handed != g.state:
            multiply_into(at + size * g.state, at, at + size * g.handed, g.units, unit)


@inline
def inside(first, own, v, b_v, trace, lengths, k, g, scratch, first_row, last_row, p1, p2, unit):
    """The product inside a step, of what ``first`` makes of the gates."""
    size, ld = size_of(unit), g.rows * g.width
    for r in range(first_row, last_row):
        if not is_over(lengths, r, place(k, g)):
            at, before = row(trace, r, k + 1, g, size), row(trace, r, k, g, size)
            first(at, before, own, scratch, g, unit)
    now = row(trace, first_row, k + 1, g, size)
    multiply(
        now + size * g.kept, ld, g.inner_depth, v, g.inner_columns, now + size * g.inner, ld, b_v,
        0, last_row - first_row, p1, p2, unit,
    )  # fmt: skip


@inline
def forward(
    cell, first, x, x_ld, w, u, b, b_h, v, b_v, own, start, start_ld, y, y_ld, trace, lengths, g,
    scratch, first_row, last_row, p1, p2, unit,
):  # fmt: skip
    """All steps of some samples; ``cell(row, row before, own, scratch, g, unit)`` turns gates into
    a state, ``first`` alike into what is multiplied by ``v``."""
    size, n, ld, count = size_of(unit), g.units, g.rows * g.width, last_row - first_row
    state, again, handed = size * g.state, size * g.again, size * g.handed
    begin(start, start_ld, trace, g, first_row, last_row, unit)
    for k in range(g.steps):
        t = place(k, g)
        now, old = row(trace, first_row, k + 1, g, size), row(trace, first_row, k, g, size)
        if g.table:
            for r in range(count):
                token = int(view(x + size * ((first_row + r) * x_ld + t), 1, unit)[0])
                copy(w + size * token * g.table, now + size * r * ld, g.table, unit)
        else:
            read = x + size * (first_row * x_ld + t * g.inputs)
            multiply(read, x_ld, g.inputs, w, g.columns, now, ld, b, 0, count, p1, p2, unit)
        if k > 0 or again or g.starts:  # the state may be zero at the start
            sums, sums_ld = (b_h, 0) if again else (now, ld)
            multiply(
                old + handed, ld, n, u, g.columns_u, now + again, ld, sums, sums_ld, count,
                p1, p2, unit,
            )  # fmt: skip
        if g.inner_depth:
            inside(
                first, own, v, b_v, trace, lengths, k, g, scratch, first_row, last_row,
                p1, p2, unit,
            )  # fmt: skip
        for r in range(count):
            at, before = now + size * r * ld, old + size * r * ld
            over = is_over(lengths, first_row + r, t)
            if over:
                copy(before + state, at + state, g.width - g.state, unit)
            else:
                cell(at, before, own, scratch, g, unit)
                if handed != state:
                    mask = row(trace, first_row + r, 0, g, size)
                    multiply_into(at + state, mask, at + handed, n, unit)
            if g.every:
                out = y + size * ((first_row + r) * y_ld + t * n)
                if over:
                    clear(out, n, unit)
                else:
                    copy(at + state, out, n, unit)
    if not g.every:
        for r in range(first_row, last_row):
            copy(row(trace, r, g.steps, g, size) + state, y + size * r * y_ld, n, unit)


def back_room(sizes: Sizes) -> int:
    """Scratch of a backward pass: gradients of two states, of what is handed on, of an input, of
    the left side of a product inside a step; and room for the sums of a cell."""
    g, lanes = sizes["g"], sizes.lanes
    wide = 3 * padded(g.units, lanes) + padded(g.inputs, lanes) + padded(g.inner_depth, lanes)
    return int(shard(sizes).rows * (wide + 5 * lanes) + SUMS)


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
def backward(
    cell, first_back, dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, u_turned, w_turned,
    v_turned, own, leaves, trace, lengths, zeros, g, scratch, first_row, last_row, p1, p2, unit,
):  # fmt: skip
    """Back through all steps of some samples.

    ``cell(row, row before, dh, dc, own, leaf, scratch, g, unit)`` puts the gradients of the gates
    where the gates were, and leaves in dh and dc what goes to the step before by other ways than u.
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
    clear(scratch, 2 * count * wide, unit)
    clear(leaves + 8 * first_row * g.leaf, count * g.leaf, 0.0)
    if not g.every:
        for r in range(count):
            copy(dy + size * (first_row + r) * dy_ld, dh + size * r * wide, n, unit)
    for k in range(g.steps - 1, -1, -1):
        t = place(k, g)
        now, old = row(trace, first_row, k + 1, g, size), row(trace, first_row, k, g, size)
        for r in range(count):
            at, before = now + size * r * ld, old + size * r * ld
            if is_over(lengths, first_row + r, t):
                clear(at, g.state, unit)
                continue
            if g.every:
                add(dy + size * ((first_row + r) * dy_ld + t * n), dh + size * r * wide, n, unit)
            leaf = leaves + 8 * (first_row + r) * g.leaf
            back, back_c = dh + size * r * wide, dc + size * r * wide
            cell(at, before, back, back_c, own, leaf, sums, g, unit)
        if g.inner_depth:
            inside_back(
                first_back, own, leaves, v_turned, zeros, dinner, wide_inner, dh, wide, trace,
                lengths, k, g, sums, first_row, last_row, p1, p2, unit,
            )  # fmt: skip
        if (k > 0 or g.starts) and g.handed == g.state:
            multiply(
                now + again, ld, g.columns_u, u_turned, n, dh, wide, dh, wide, count, p1, p2, unit
            )
        elif k > 0 or g.starts:
            multiply(
                now + again, ld, g.columns_u, u_turned, n, dhanded, wide, zeros, 0, count,
                p1, p2, unit,
            )  # fmt: skip
            for r in range(count):
                mask, part = row(trace, first_row + r, 0, g, size), dhanded + size * r * wide
                multiply_into(part, mask, part, n, unit)
                add(part, dh + size * r * wide, n, unit)
        if wants_dx:
            multiply(
                now, ld, g.columns, w_turned, g.inputs, dx_row, wide_in, zeros, 0, count,
                p1, p2, unit,
            )  # fmt: skip
            for r in range(count):
                out = dx + size * ((first_row + r) * dx_ld + t * g.inputs)
                copy(dx_row + size * r * wide_in, out, g.inputs, unit)
    for r in range(count if dstart_ld else 0):
        out = dstart + size * (first_row + r) * dstart_ld
        copy(dh + size * r * wide, out, n, unit)
        if g.starts > 1:
            copy(dc + size * r * wide, out + size * n, n, unit)


@inline
def add(source, target, count, unit):
    s, t = view(source, count, unit), view(target, count, unit)
    for j in range(count):
        t[j] += s[j]
