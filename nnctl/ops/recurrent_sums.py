"""Gradients of a recurrent layer's weights: sums over the rows of all traces."""

from nnctl.engine.intrinsics import call_product, lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import tiles
from nnctl.ops.dense import gradient_split, panel_split, step_of
from nnctl.ops.recurrent import row

BLOCK = 128  # steps of a block of the sum for dw: their gates stay in the first-level cache


@tiles(
    "dw",
    split=lambda sizes: gradient_split(sizes, sizes["depth"], sizes["g"].columns),
    whole="a trace",
    work=lambda sizes: sizes.capacity * sizes["g"].steps * sizes["g"].columns * sizes["depth"],
)
def recurrent_gradient(
    a, a_ld, a_first, a_step, depth, trace, before, g, dw, dw_accumulates, zeros,
    first_row, last_row, first_column, live, product1, product2, unit,
):  # fmt: skip
    """dw (+)= the sum over samples and steps of a * dgates, for a block of rows and a panel.

    ``a_first`` and ``a_step``: where a sample's first step lies in ``a``, and how far the next one
    is. ``before``: where dgates lie in a row of the trace.
    """
    size, lanes = size_of(unit), lanes_of(unit)
    step = step_of(g.columns - first_column, lanes)
    product = product1 if step == lanes else product2
    out = dw + size * (first_column * depth + first_row * step)
    long, many = min(g.steps, BLOCK), max(1, BLOCK // g.steps)
    begun = dw_accumulates != 0
    for n in range(0, live, many):
        for k in range(0, g.steps, long):
            start, stride = (out, step) if begun else (zeros, 0)
            dgates = row(trace, n, 0, g, size) + size * ((k + 1) * g.width + before + first_column)
            call_product(
                product, a + size * (n * a_ld + a_first + k * a_step + first_row), 1, a_ld, a_step,
                dgates, g.rows * g.width, g.width, out, step, start, stride,
                last_row - first_row, min(many, live - n), min(long, g.steps - k),
            )  # fmt: skip
            begun = True


@tiles(
    "db",
    split=lambda sizes: panel_split(sizes, sizes["g"].columns),
    whole="trace",
    scratch=lambda sizes: 16 * sizes.lanes,
)
def recurrent_bias(
    trace, before, g, db, db_accumulates, capacity, live, first_column, scratch, unit
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
        for k in range(g.steps):
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
