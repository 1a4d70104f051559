"""Recurrent layers that read tokens: w times the rows of the embedding's table, made once a batch.

    products = table @ w + b,   one row for each token, looked up at every step

``table`` is the embedding's w (vocabulary, inputs). On the way back the gradients of the gates are
added up by token (``dproducts``), samples and steps in order; dw and dtable are products with that.
"""

from nnctl.engine.intrinsics import lanes_of, size_of, view
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.ops.conv_core import clear
from nnctl.ops.dense import columns_of, padded, panel_split, step_of
from nnctl.ops.recurrent import multiply, place, row, span

ROWS = 8  # tokens of a task of the table's gradient


def _panels(sizes: Sizes) -> Split:
    """A panel of columns a task; the rows are tokens, not samples."""
    split = panel_split(sizes, sizes["g"].columns)
    return Split(1, 1, split.columns, split.column_tasks, split.width, limit=1)


def _blocks(sizes: Sizes) -> Split:
    """Some panels a task, in whole: what lies side by side is read in one go, and the product that
    follows reads what lies beyond the columns."""
    columns, wide = padded(sizes["g"].columns, sizes.lanes), 8 * sizes.lanes
    return Split(1, 1, wide, -(-columns // wide), columns, limit=1)


@tiles("products", split=_panels, whole="table w")
def token_products(table, w, b, vocabulary, products, g, first_column, product1, product2, unit):
    """products = table @ w + b, a panel of columns a task."""
    size, step = size_of(unit), step_of(g.columns - first_column, lanes_of(unit))
    multiply(
        table, g.inputs, g.inputs, w + size * first_column * g.inputs, step,
        products + size * first_column, g.table, b + size * first_column, 0, vocabulary,
        product1, product2, unit,
    )  # fmt: skip


@tiles(
    "dproducts db",
    split=_blocks,
    whole="x trace lengths",
    scratch=lambda sizes: 16 * sizes.lanes,
)
def token_sums(
    x, x_ld, trace, lengths, vocabulary, dproducts, dproducts_accumulates, db, db_accumulates,
    wants_db, g, live, first_column, last_column, scratch, unit,
):  # fmt: skip
    """dproducts[token] (+)= the sum of dgates over the steps that have it; db (+)= the sum of all.

    Row 0 is left out: dproducts is read as the trace of one sample with a step for each token.
    """
    size, width = size_of(unit), last_column - first_column
    for token in range(0 if dproducts_accumulates else vocabulary):
        clear(dproducts + size * ((token + 1) * g.table + first_column), width, unit)
    for n in range(live):
        tokens = view(x + size * n * x_ld, g.first + g.steps + g.beyond, unit)
        first, end = span(lengths, n, n + 1, g)
        for k in range(first, end):
            token = int(tokens[place(k, g)])
            source = row(trace, n, 0, g, size) + size * ((k + 1) * g.width + first_column)
            target = dproducts + size * ((token + 1) * g.table + first_column)
            s, t = view(source, width, unit), view(target, width, unit)
            for j in range(width):
                t[j] += s[j]
    if wants_db:
        width = min(width, g.columns - first_column)
        sums, out = view(scratch, width, 0.0), view(db + size * first_column, width, unit)
        for j in range(width):
            sums[j] = 0.0
        for token in range(vocabulary):
            s = view(dproducts + size * ((token + 1) * g.table + first_column), width, unit)
            for j in range(width):
                sums[j] += s[j]
        for j in range(width):
            out[j] = out[j] + sums[j] if db_accumulates else sums[j]


def _tokens(sizes: Sizes) -> Split:
    count = sizes["vocabulary"]
    return Split(ROWS, -(-count // ROWS), 1, 1, 1, limit=count)


@tiles(
    "dtable",
    split=_tokens,
    whole="dproducts",
    scratch=lambda sizes: ROWS * padded(sizes["g"].inputs, sizes.lanes),
)
def table_gradient(
    dproducts, w_turned, zeros, dtable, dtable_accumulates, g, first_row, last_row, scratch,
    product1, product2, vocabulary, unit,
):  # fmt: skip
    """dtable (+)= dproducts @ w.T, some tokens a task."""
    size, wide = size_of(unit), columns_of(g.inputs, lanes_of(unit))
    multiply(
        dproducts + size * (first_row + 1) * g.table, g.table, g.columns, w_turned, g.inputs,
        scratch, wide, zeros, 0, last_row - first_row, product1, product2, unit,
    )  # fmt: skip
    for r in range(last_row - first_row):
        source = view(scratch + size * r * wide, g.inputs, unit)
        target = view(dtable + size * (first_row + r) * g.inputs, g.inputs, unit)
        for j in range(g.inputs):
            target[j] = target[j] + source[j] if dtable_accumulates else source[j]
