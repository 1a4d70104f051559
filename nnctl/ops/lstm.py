"""Long short-term memory (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000).

    i, f, o = sigmoid(x w + h u + b),  g = tanh(x w + h u + b),  c = f c + i g,  h = o tanh(c)

Gates lie in the order i, f, g, o. A row of the trace: gates, h, c. What may be added to it is in
lstm_options.py.
"""

from collections.abc import Mapping
from typing import Any

from nnctl.engine.intrinsics import lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.maths import like, sigmoid, tanh
from nnctl.ops.dense import columns_of
from nnctl.ops.lstm_options import OPTIONS
from nnctl.ops.recurrent_cell import plain, register_cell
from nnctl.ops.recurrent_layer import Form


@inline
def _c(at, n, g, unit):
    """The cell state of a row."""
    return view(at + size_of(unit) * (g.state + columns_of(g.units, lanes_of(unit))), n, unit)


@inline
def _cell(at, before, n, g, unit):
    """Loops of few arrays each, which LLVM turns into vectors."""
    gate = size_of(unit) * g.units
    i, f, e = view(at, n, unit), view(at + gate, n, unit), view(at + 2 * gate, n, unit)
    o, h = view(at + 3 * gate, n, unit), view(at + size_of(unit) * g.state, n, unit)
    c, old = _c(at, n, g, unit), _c(before, n, g, unit)
    for j in range(n):
        i[j] = sigmoid(i[j])
    for j in range(n):
        f[j] = sigmoid(f[j])
    for j in range(n):
        e[j] = tanh(e[j])
    for j in range(n):
        o[j] = sigmoid(o[j])
    for j in range(n):
        c[j] = f[j] * old[j] + i[j] * e[j]
    for j in range(n):
        h[j] = o[j] * tanh(c[j])


@inline
def _cell_back(at, before, dh, dc, g, unit):
    n, size, one = g.units, size_of(unit), like(1, unit)
    i, f = view(at, n, unit), view(at + size * n, n, unit)
    e, o = view(at + size * 2 * n, n, unit), view(at + size * 3 * n, n, unit)
    c, old = _c(at, n, g, unit), _c(before, n, g, unit)
    d, q = view(dh, n, unit), view(dc, n, unit)
    for j in range(n):
        t, kept, back = tanh(c[j]), o[j], d[j]
        q[j] += back * kept * (one - t * t)
        o[j] = back * t * kept * (one - kept)
    for j in range(n):
        a, b = i[j], e[j]
        i[j] = q[j] * b * a * (one - a)
        e[j] = q[j] * a * (one - b * b)
    for j in range(n):
        kept = f[j]
        f[j] = q[j] * old[j] * kept * (one - kept)
        q[j] *= kept
    for j in range(n):
        d[j] = one - one


def _form(fields: Mapping[str, Any]) -> Form:
    n = int(fields["units"])
    return Form(n, 4 * n, states=2)


def _chosen(fields: Mapping[str, Any]) -> int:
    return int(fields["peepholes"] or fields["layer_norm"])


register_cell("lstm", plain("lstm", _form, _cell, _cell_back), OPTIONS, choose=_chosen)
