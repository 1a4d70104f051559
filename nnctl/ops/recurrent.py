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
zeros, and has no gradient. Steps beyond the longest sample of a task are not taken at all: of their
rows the last one has the state, and the others zeros, which sums over rows may read.

With ``gradient_checkpointing`` the trace is that of a segment of the steps, and what is kept are
the states after each segment: the way back takes the segments from the last to the first, each of
them forward once more (``ops/recurrent_back.py``). Every bit is the same, but for dw, du and the
gradients of biases: the part of a segment is added to those behind it.

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
from nnctl.ops.dense import DEPTH, columns_of, step_of
from nnctl.ops.norm_row import LANES
from nnctl.ops.parts import by_tiles
from nnctl.ops.recurrent_rows import multiply_into

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
    every: int  # 1: gives the state of every step, 0: the last one, 2: none
    kind: int  # which of its formulas the cell takes
    table: int  # width of a row of the products of w with a table of tokens; 0 without
    starts: int  # how many of the cell's states (h, then c) are given for the start
    inner: int  # where the sums of the product inside a step lie, and how many they are
    inner_columns: int
    inner_depth: int  # of that product, whose left side is where ``kept`` begins; 0: there is none
    leaf: int  # numbers of a sample's gradients of the cell's own parameters
    gives: int  # where the output lies in a row: h, or what the cell keeps beside it
    taught: int  # 1: what u multiplies is given for all steps but the first
    start_at: int = 0  # where the states of the start lie in a row of what gives them
    first: int = 0  # step of the whole sequence that is the first here
    beyond: int = 0  # steps of the whole sequence behind the last one here
    ends: int = 0  # for how many states after the last step gradients are given
    cut_w: int = 0  # 1: w is cut, and multiplied on the CPU's tiles
    cut_u: int = 0  # 1: u is, alike


def shard(sizes: Sizes) -> Split:
    """At most ``ROWS`` samples a task, none across quarters of the batch, but on tiles."""
    g = sizes.values.get("g")
    if g is not None and (g.cut_w or g.cut_u):
        return by_tiles(sizes)
    quarter = -(-sizes.capacity // 4)
    rows = max(d for d in range(1, min(ROWS, quarter) + 1) if quarter % d == 0)
    return Split(rows, -(-sizes.capacity // rows), 1, 1, 1)


def work(sizes: Sizes) -> int:
    """Multiply-adds of a pass over a full batch."""
    g = sizes["g"]
    return int(sizes.capacity * g.steps * g.columns * (g.inputs + g.units))


@inline
def place(k, g):
    """Place in the input of the k-th step taken here."""
    return g.steps + g.beyond - 1 - k if g.backward else g.first + k


@inline
def row(trace, sample, k, g, size):
    """Address of a sample's row of the trace after ``k`` steps."""
    return trace + size * ((sample * g.rows + k % g.rows) * g.width)


@inline
def multiply(a, a_ld, depth, w, columns, out, out_ld, start, start_ld, rows, p1, p2, unit):
    """out = start + a @ w for some rows; w (depth, columns) in panels."""
    multiply_panels(
        a, a_ld, depth, w, columns, 0, columns, out, out_ld, start, start_ld, rows, p1, p2, unit
    )


@inline
def multiply_panels(
    a, a_ld, depth, w, columns, first, last, out, out_ld, start, start_ld, rows, p1, p2, unit
):  # fmt: skip
    """The same for columns ``first`` to ``last``, whole panels."""
    size, lanes = size_of(unit), lanes_of(unit)
    for column in range(first, last, 2 * lanes):
        step = step_of(columns - column, lanes)
        product = p1 if step == lanes else p2
        panel, target = w + size * column * depth, out + size * column
        for k in range(0, depth, DEPTH):
            begin, stride = (start + size * column, start_ld) if k == 0 else (target, out_ld)
            call_product(
                product, a + size * k, a_ld, 0, 1, panel + size * k * step, 0, step,
                target, out_ld, begin, stride, rows, 1, min(DEPTH, depth - k),
            )  # fmt: skip


@inline
def is_over(lengths, sample, t):
    return t >= load_int(lengths + 8 * sample)


@inline
def span(lengths, first_row, last_row, g):
    """The first of the steps taken that one of some samples has, and the end of them."""
    longest = 0
    for r in range(first_row, last_row):
        longest = max(longest, load_int(lengths + 8 * r))
    here = min(max(longest - (g.beyond if g.backward else g.first), 0), g.steps)
    return (g.steps - here, g.steps) if g.backward else (0, here)


@inline
def skip(first, end, y, y_ld, trace, g, first_row, last_row, unit):
    """Go from step ``first`` to ``end``, which none of some samples has."""
    size, n, wide = size_of(unit), g.units, g.width - g.state
    for r in range(first_row, last_row if first < end else first_row):
        state = row(trace, r, first, g, size) + size * g.state
        copy(state, row(trace, r, end, g, size) + size * g.state, wide, unit)
        for k in range(first + 1, end if g.rows > g.steps else first):
            clear(row(trace, r, k, g, size) + size * g.state, wide, unit)
        for k in range(first, end if g.every == 1 else first):
            clear(y + size * (r * y_ld + place(k, g) * n), n, unit)


@inline
def begin(start, start_ld, trace, g, first_row, last_row, unit):
    """Row 0 of some samples: zeros, or the states that are given."""
    size, room = size_of(unit), columns_of(g.units, lanes_of(unit))
    for r in range(first_row, last_row):
        at = row(trace, r, 0, g, size)
        clear(at + size * g.state, g.width - g.state, unit)
        for s in range(g.starts):
            source = start + size * (r * start_ld + g.start_at + s * g.units)
            copy(source, at + size * (g.state + s * room), g.units, unit)
        if g.starts and g.handed != g.state:
            multiply_into(at + size * g.state, at, at + size * g.handed, g.units, unit)


@inline
def of_input(
    x, x_ld, w, b, trace, g, k, first_row, last_row, first, last, p1, p2, unit
):  # fmt: skip
    """What w gives of the k-th step to columns ``first`` to ``last`` of the gates of some samples:
    of tokens a row of the products with the table."""
    size, t, ld = size_of(unit), place(k, g), g.rows * g.width
    for r in range(first_row, last_row if g.table else first_row):
        token = int(view(x + size * (r * x_ld + t), 1, unit)[0])
        source = w + size * (token * g.table + first)
        copy(source, row(trace, r, k + 1, g, size) + size * first, last - first, unit)
    if not g.table:
        multiply_panels(
            x + size * (first_row * x_ld + t * g.inputs), x_ld, g.inputs, w, g.columns, first, last,
            row(trace, first_row, k + 1, g, size), ld, b, 0, last_row - first_row, p1, p2, unit,
        )  # fmt: skip


@inline
def has_state(k, g):
    """Whether a step has a state before it that u is to multiply: else it is zero."""
    return k > 0 or g.again or g.starts


@inline
def of_state(u, b_h, trace, g, k, first_row, last_row, first, last, p1, p2, unit):
    """What u gives of the state before the k-th step, added to what w gives or kept apart."""
    size, ld = size_of(unit), g.rows * g.width
    if has_state(k, g):
        now, old = row(trace, first_row, k + 1, g, size), row(trace, first_row, k, g, size)
        sums, sums_ld = (b_h, 0) if g.again else (now, ld)
        multiply_panels(
            old + size * g.handed, ld, g.units, u, g.columns_u, first, last, now + size * g.again,
            ld, sums, sums_ld, last_row - first_row, p1, p2, unit,
        )  # fmt: skip


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
def turn(cell, own, y, y_ld, trace, lengths, k, g, scratch, first_row, last_row, unit):
    """Turn the gates of the k-th step into states, and give what the step gives."""
    size, n, t = size_of(unit), g.units, place(k, g)
    state, handed = size * g.state, size * g.handed
    for r in range(first_row, last_row):
        at, before = row(trace, r, k + 1, g, size), row(trace, r, k, g, size)
        over = is_over(lengths, r, t)
        if over:
            copy(before + state, at + state, g.width - g.state, unit)
        else:
            cell(at, before, own, scratch, g, unit)
            if handed != state and not g.taught:
                multiply_into(at + state, row(trace, r, 0, g, size), at + handed, n, unit)
        if g.every == 1:
            give(at, over, y + size * (r * y_ld + t * n), n, g, unit)


@inline
def give(at, over, out, n, g, unit):
    """Give what a step gives, of ``n`` units; zeros where the sample is over."""
    if over:
        clear(out, n, unit)
    else:
        copy(at + size_of(unit) * g.gives, out, n, unit)


@inline
def give_last(y, y_ld, trace, g, first_row, last_row, unit):
    """Give what the last step gives."""
    size = size_of(unit)
    for r in range(first_row, last_row):
        last = row(trace, r, g.steps, g, size)
        copy(last + size * g.gives, y + size * r * y_ld, g.units, unit)
