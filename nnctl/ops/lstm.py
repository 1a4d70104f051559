"""Long short-term memory (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000).

    i, f, o = sigmoid(x w + h u + b),  g = tanh(x w + h u + b),  c = f c + i g,  h = o tanh(c)

Gates lie in the order i, f, g, o. A row of the trace: gates, h, c.
"""

from nnctl.engine.intrinsics import lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import tiles
from nnctl.engine.maths import like, sigmoid, tanh
from nnctl.ops.dense import columns_of
from nnctl.ops.recurrent import back_room, backward, forward, shard, work
from nnctl.ops.recurrent_layer import Layer
from nnctl.ops.registry import Call, Site, register


@inline
def _c(at, g, unit):
    """The cell state of a row."""
    return view(at + size_of(unit) * (g.state + columns_of(g.units, lanes_of(unit))), g.units, unit)


@inline
def _cell(at, before, g, unit):
    """Loops of few arrays each, which LLVM turns into vectors."""
    n, size = g.units, size_of(unit)
    both, e = view(at, 2 * n, unit), view(at + size * 2 * n, n, unit)
    i, f, o = view(at, n, unit), view(at + size * n, n, unit), view(at + size * 3 * n, n, unit)
    h, c, old = view(at + size * g.state, n, unit), _c(at, g, unit), _c(before, g, unit)
    for j in range(2 * n):
        both[j] = sigmoid(both[j])
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
    c, old = _c(at, g, unit), _c(before, g, unit)
    d, q = view(dh, n, unit), view(dc, n, unit)
    for j in range(n):
        t = tanh(c[j])
        q[j] += d[j] * o[j] * (one - t * t)
    for j in range(n):
        o[j] = d[j] * tanh(c[j]) * o[j] * (one - o[j])
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


@tiles("y trace", split=shard, rowwise="x", work=work)
def lstm_forward(
    x, x_ld, w, u, b, y, y_ld, trace, lengths, g, first_row, last_row, product1, product2, unit
):
    """All steps of some samples."""
    forward(
        _cell, x, x_ld, w, u, b, b, y, y_ld, trace, lengths, g, first_row, last_row,
        product1, product2, unit,
    )  # fmt: skip


@tiles("dx trace", split=shard, rowwise="dy", scratch=back_room, work=work)
def lstm_backward(
    dy, dy_ld, dx, dx_ld, wants_dx, u_turned, w_turned, trace, lengths, zeros, g, scratch,
    first_row, last_row, product1, product2, unit,
):  # fmt: skip
    """Back through all steps of some samples."""
    backward(
        _cell_back, dy, dy_ld, dx, dx_ld, wants_dx, u_turned, w_turned, trace, lengths, zeros, g,
        scratch, first_row, last_row, product1, product2, unit,
    )  # fmt: skip


def _layer(site: Site, evaluation: bool = False) -> Layer:
    return Layer(site, gates=4, kept=2, evaluation=evaluation)


def _forward(site: Site) -> list[Call]:
    return _layer(site).forward(lstm_forward)


def _evaluate(site: Site) -> list[Call]:
    return _layer(site, evaluation=True).forward(lstm_forward)


def _backward(site: Site) -> list[Call]:
    return _layer(site).backward(lstm_backward)


register(
    "lstm", _forward, _backward, evaluate=_evaluate,
    saved={"trace": lambda site: _layer(site).elements}, layouts={"w": "panels", "u": "panels"},
)  # fmt: skip
