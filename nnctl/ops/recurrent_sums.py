"""Gradients of a recurrent layer's weights: sums over the rows of all traces."""

from nnctl.engine.intrinsics import call_product, lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.engine.vectors import first_lanes, put, take
from nnctl.ops.conv_core import clear
from nnctl.ops.dense import panel_split, step_of
from nnctl.ops.recurrent import row, span

BLOCK = 128  # steps of a block of the sum for dw
HIGH = 48  # rows of dw that are read from one packed block: whole tiles of a product
ROWS, PANELS = 3 * HIGH, 8  # of a task, at most
TASKS = 8  # about so many; the way back through the steps has about four


def _split(sizes: Sizes) -> Split:
    """Blocks of rows by some panels: about ``TASKS``, of ``HIGH`` rows at the least."""
    depth, columns, wide = sizes["depth"], sizes["g"].columns, 2 * sizes.lanes
    panels = -(-columns // wide)
    blocks = max(-(-depth // ROWS), min(depth // HIGH, -(-TASKS // panels)))
    rows = -(-depth // blocks)
    rows += -rows % 4
    count = -(-depth // rows)
    together = wide * min(PANELS, max(1, count * panels // TASKS))
    return Split(rows, count, together, -(-columns // together), columns, limit=depth)


def _packed(sizes: Sizes) -> int:
    """Room for the steps of a block: their gates in panels, and their numbers of ``a``."""
    return BLOCK * (2 * sizes.lanes * PANELS + ROWS) if sizes["depth"] > 2 * HIGH else 0


@inline
def _pack(source, apart, samples, stride, steps, width, target, wide, unit):
    """Some numbers of every step of some samples, in panels ``wide`` numbers wide, step by step."""
    size, lanes = size_of(unit), lanes_of(unit)
    full, panel = first_lanes(lanes, unit), size * samples * steps
    for n in range(samples):
        for k in range(steps):
            read = source + size * (n * apart + k * stride)
            write = target + size * (n * steps + k) * wide
            for column in range(0, width, wide):
                for j in range(column, min(column + wide, width), lanes):
                    part = take(read + size * j, first_lanes(width - j, unit), unit)
                    put(write + panel * column + size * (j - column), part, full)


@tiles(
    "dw",
    split=_split,
    whole="a trace lengths",
    scratch=_packed,
    work=lambda sizes: sizes.capacity * sizes["g"].steps * sizes["g"].columns * sizes["depth"],
)
def recurrent_gradient(
    a, a_ld, a_first, a_step, depth, trace, before, lengths, all_steps, g, dw, dw_accumulates,
    zeros, first_row, last_row, first_column, last_column, live, scratch, product1, product2, unit,
):  # fmt: skip
    """dw (+)= the sum over samples and steps of a * dgates, for a block of rows and some panels.

    Steps are far apart in ``a`` and in the trace: what a block of them has is packed first where
    there are many rows, or the products would wait for the caches.

    ``a_first`` and ``a_step``: where a sample's first step lies in ``a``, and how far the next one
    is. ``before``: where dgates lie in a row of the trace. Without ``all_steps`` those that no
    sample has are left out: they are zero.
    """
    size, lanes = size_of(unit), lanes_of(unit)
    rows, columns = last_row - first_row, last_column - first_column
    packed = scratch + 2 * size * BLOCK * lanes * PANELS
    long, many = min(g.steps, BLOCK), max(1, BLOCK // g.steps)
    begun, packs = dw_accumulates != 0, depth > 2 * HIGH
    for n in range(0, live, many):
        found = min(many, live - n)
        first, end = span(lengths, n, n + found, g)
        if all_steps:
            first, end = 0, g.steps
        for k in range(first, end, long):
            count = min(long, end - k)
            left = a + size * (n * a_ld + a_first + k * a_step + first_row)
            left_m, left_r, left_k = 1, a_ld, a_step
            right = row(trace, n, 0, g, size)
            right += size * ((k + 1) * g.width + before + first_column)
            right_j, right_r, right_k = 1, g.rows * g.width, g.width
            if packs:
                _pack(left, left_r, found, left_k, count, rows, packed, HIGH, unit)
                left, left_m, left_r, left_k = packed, found * count, count * HIGH, HIGH
                _pack(right, right_r, found, right_k, count, columns, scratch, 2 * lanes, unit)
                right, right_j, right_k = scratch, found * count, 2 * lanes
                right_r = count * right_k
            for column in range(first_column, last_column, 2 * lanes):
                step = step_of(g.columns - column, lanes)
                product = product1 if step == lanes else product2
                panel = right + size * (column - first_column) * right_j
                out = dw + size * (column * depth + first_row * step)
                for m in range(0, rows, HIGH):
                    to = out + size * m * step
                    start, stride = (to, step) if begun else (zeros, 0)
                    call_product(
                        product, left + size * m * left_m, 1, left_r, left_k, panel, right_r,
                        right_k, to, step, start, stride, min(HIGH, rows - m), found, count,
                    )  # fmt: skip
            begun = True
    for column in range(first_column, first_column if begun else last_column, 2 * lanes):
        step = step_of(g.columns - column, lanes)  # none of these steps is one of a sample
        clear(dw + size * (column * depth + first_row * step), rows * step, unit)


@tiles(
    "db",
    split=lambda sizes: panel_split(sizes, sizes["g"].columns),
    whole="trace lengths",
    scratch=lambda sizes: 16 * sizes.lanes,
)
def recurrent_bias(
    trace, before, lengths, g, db, db_accumulates, capacity, live, first_column, scratch, unit
):
    """db (+)= the sum of dgates, in double precision: quarters of the batch, then their tree."""
    size, lanes = size_of(unit), lanes_of(unit)
    n, used = 2 * lanes, min(2 * lanes, g.columns - first_column)
    quarter = (capacity + 3) // 4
    s = view(scratch, 4 * n, 0.0)
    for j in range(4 * n):
        s[j] = 0.0
    for r in range(live):
        sums = view(scratch + 8 * n * (r // quarter), used, 0.0)
        first, end = span(lengths, r, r + 1, g)
        for k in range(first, end):
            at = row(trace, r, 0, g, size) + size * ((k + 1) * g.width + before + first_column)
            d = view(at, used, unit)
            for j in range(used):
                sums[j] += d[j]
    out = view(db + size * first_column, used, unit)
    for j in range(used):
        total = (s[j] + s[n + j]) + (s[2 * n + j] + s[3 * n + j])
        out[j] = out[j] + total if db_accumulates else total


@inline
def quarters(rows, stride, out, adds, count, capacity, live, scratch, kind, unit):
    """out (+)= the sum of rows of numbers of the type of ``kind``, ``stride`` bytes from one to the
    next, in double precision: quarters of the batch, then their tree."""
    s, quarter = view(scratch, 4 * count, 0.0), (capacity + 3) // 4
    for j in range(4 * count):
        s[j] = 0.0
    for r in range(live):
        d, sums = (
            view(rows + r * stride, count, kind),
            view(scratch + 8 * count * (r // quarter), count, 0.0),
        )
        for j in range(count):
            sums[j] += d[j]
    target = view(out, count, unit)
    for j in range(count):
        total = (s[j] + s[count + j]) + (s[2 * count + j] + s[3 * count + j])
        target[j] = target[j] + total if adds else total


@tiles(
    "db",
    split=lambda sizes: panel_split(sizes, sizes["count"]),
    whole="leaves",
    scratch=lambda sizes: 16 * sizes.lanes,
)
def own_gradient(
    leaves, leaf, first, count, db, db_accumulates, capacity, live, first_column, scratch, unit
):  # fmt: skip
    """db (+)= the sum over samples of what they have of a parameter of the cell's own: ``count``
    of the ``leaf`` numbers of each."""
    size, n = size_of(unit), min(2 * lanes_of(unit), count - first_column)
    source = leaves + 8 * (first + first_column)
    quarters(
        source, 8 * leaf, db + size * first_column, db_accumulates, n, capacity, live, scratch,
        0.0, unit,
    )  # fmt: skip
