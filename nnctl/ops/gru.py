"""Gated recurrent unit (Cho et al. 2014), the reset gate behind the product with the state.

    r, z = sigmoid(x w + b + h u + b_h),  m = tanh(x w + b + r (h u + b_h)),  h = z h + (1 - z) m

Gates lie in the order r, z, m. A row of the trace: what w gives, what u gives, h.
"""

from nnctl.engine.intrinsics import size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import tiles
from nnctl.engine.maths import like, sigmoid, tanh
from nnctl.ops.recurrent import back_room, backward, forward, shard, work
from nnctl.ops.recurrent_layer import Layer
from nnctl.ops.registry import Call, Site, register


@inline
def _cell(at, before, g, unit):
    n, size = g.units, size_of(unit)
    of_x, of_h = view(at, g.columns, unit), view(at + size * g.again, g.columns, unit)
    h, old = view(at + size * g.state, n, unit), view(before + size * g.state, n, unit)
    for j in range(n):
        r, z = sigmoid(of_x[j] + of_h[j]), sigmoid(of_x[n + j] + of_h[n + j])
        m = tanh(of_x[2 * n + j] + r * of_h[2 * n + j])
        of_x[j], of_x[n + j], of_x[2 * n + j] = r, z, m
        h[j] = m + z * (old[j] - m)


@inline
def _cell_back(at, before, dh, dc, g, unit):
    n, size, one = g.units, size_of(unit), like(1, unit)
    of_x, of_h = view(at, g.columns, unit), view(at + size * g.again, g.columns, unit)
    d, old = view(dh, n, unit), view(before + size * g.state, n, unit)
    for j in range(n):
        r, z, m = of_x[j], of_x[n + j], of_x[2 * n + j]
        dz, dm = d[j] * (old[j] - m) * z * (one - z), d[j] * (one - z) * (one - m * m)
        dr = dm * of_h[2 * n + j] * r * (one - r)
        of_x[j], of_x[n + j], of_x[2 * n + j] = dr, dz, dm
        of_h[j], of_h[n + j], of_h[2 * n + j] = dr, dz, dm * r
        d[j] *= z


@tiles("y trace", split=shard, rowwise="x", work=work)
def gru_forward(
    x, x_ld, w, u, b, b_h, y, y_ld, trace, lengths, g, first_row, last_row, product1, product2, unit
):
    """All steps of some samples."""
    forward(
        _cell, x, x_ld, w, u, b, b_h, y, y_ld, trace, lengths, g, first_row, last_row,
        product1, product2, unit,
    )  # fmt: skip


@tiles("dx trace", split=shard, rowwise="dy", scratch=back_room, work=work)
def gru_backward(
    dy, dy_ld, dx, dx_ld, wants_dx, u_turned, w_turned, trace, lengths, zeros, g, scratch,
    first_row, last_row, product1, product2, unit,
):  # fmt: skip
    """Back through all steps of some samples."""
    backward(
        _cell_back, dy, dy_ld, dx, dx_ld, wants_dx, u_turned, w_turned, trace, lengths, zeros, g,
        scratch, first_row, last_row, product1, product2, unit,
    )  # fmt: skip


def _layer(site: Site, evaluation: bool = False) -> Layer:
    return Layer(site, gates=3, kept=1, tables=2, evaluation=evaluation)


def _forward(site: Site) -> list[Call]:
    return _layer(site).forward(gru_forward)


def _evaluate(site: Site) -> list[Call]:
    return _layer(site, evaluation=True).forward(gru_forward)


def _backward(site: Site) -> list[Call]:
    return _layer(site).backward(gru_backward)


register(
    "gru", _forward, _backward, evaluate=_evaluate,
    saved={"trace": lambda site: _layer(site).elements}, layouts={"w": "panels", "u": "panels"},
)  # fmt: skip
