"""Embedding of tokens:  y_t = w[x_t],  a row of the table w (vocabulary, units) for each token.

Backward: dw[x_t] += dy_t, over the samples and their steps in order. A task does some columns of
the table and all tokens, so that no two tasks meet in a row. What is no token, 0 to vocabulary - 1,
gives NaN, which ends the training: that data hold none is seen to before.
"""

import numpy as np

from nnctl.engine.intrinsics import size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, Split, rows, tiles
from nnctl.ops.registry import Call, Site, register


@inline
def _token(x, vocabulary):
    """The row of the table that a number names; -1 for none."""
    value = np.float64(x)
    return int(value + 0.5) if -0.5 < value < vocabulary - 0.5 else -1


@rows("y")
def embedding_forward(x, x_width, w, y, units, vocabulary, unit):
    for i in range(x.shape[0]):
        for t in range(x_width):
            token = _token(x[i, t], vocabulary)
            for j in range(units):
                y[i, t * units + j] = w[token * units + j] if token >= 0 else unit * np.nan


def _columns(sizes: Sizes) -> Split:
    """A vector of columns a task."""
    units = sizes["units"]
    return Split(1, 1, sizes.lanes, -(-units // sizes.lanes), units, limit=1)


@tiles("dw", split=_columns, whole="x dy", work=lambda sizes: sizes.capacity * sizes["dy"])
def embedding_gradient(
    x, x_ld, x_width, dy, dy_ld, dw, dw_accumulates, units, vocabulary, first_column, last_column,
    live, unit,
):  # fmt: skip
    """dw (+)= the sum of dy_t over the tokens of each row, samples and steps in order."""
    table, size = view(dw, vocabulary * units, unit), size_of(unit)
    if not dw_accumulates:
        for k in range(vocabulary):
            for j in range(k * units + first_column, k * units + last_column):
                table[j] = 0
    for i in range(live):
        tokens = view(x + size * i * x_ld, x_width, unit)
        deltas = view(dy + size * i * dy_ld, x_width * units, unit)
        for t in range(x_width):
            token = _token(tokens[t], vocabulary)
            if token >= 0:
                for j in range(first_column, last_column):
                    table[token * units + j] += deltas[t * units + j]


@rows("dx")
def embedding_back(dy, dx, dx_width, units, unit):
    """Tokens have no slope; a NaN that comes back is not lost."""
    for i in range(dx.shape[0]):
        for t in range(dx_width):
            total = unit * 0
            for j in range(t * units, (t + 1) * units):
                total += dy[i, j] * 0
            dx[i, t] = total


def _backward(site: Site) -> list[Call]:
    back = [Call(embedding_back)] if site.needs_dx[0] else []
    return [Call(embedding_gradient), *back]


register("embedding", embedding_forward, _backward)
