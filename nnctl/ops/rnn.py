"""Simple recurrent layer (Elman 1990):  h = g(x w + h u + b).

A row of the trace: the sum, then h.
"""

from nnctl.engine.intrinsics import size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import tiles
from nnctl.engine.maths import like, sigmoid, tanh
from nnctl.ops.recurrent import back_room, backward, forward, shard, work
from nnctl.ops.recurrent_layer import Layer
from nnctl.ops.registry import Call, Site, register

TANH, RELU, SIGMOID, LINEAR = range(4)
KINDS = {"tanh": TANH, "relu": RELU, "sigmoid": SIGMOID, "linear": LINEAR}


@inline
def _cell(at, before, g, unit):
    a, h = view(at, g.units, unit), view(at + size_of(unit) * g.state, g.units, unit)
    zero = like(0, unit)
    for j in range(g.units):
        if g.kind == TANH:
            h[j] = tanh(a[j])
        elif g.kind == RELU:
            h[j] = zero if a[j] <= zero else a[j]
        elif g.kind == SIGMOID:
            h[j] = sigmoid(a[j])
        else:
            h[j] = a[j]


@inline
def _cell_back(at, before, dh, dc, g, unit):
    a, h = view(at, g.units, unit), view(at + size_of(unit) * g.state, g.units, unit)
    d, zero, one = view(dh, g.units, unit), like(0, unit), like(1, unit)
    for j in range(g.units):
        if g.kind == TANH:
            a[j] = d[j] * (one - h[j] * h[j])
        elif g.kind == RELU:
            a[j] = zero if h[j] <= zero else d[j]
        elif g.kind == SIGMOID:
            a[j] = d[j] * h[j] * (one - h[j])
        else:
            a[j] = d[j]
        d[j] = zero


@tiles("y trace", split=shard, rowwise="x", work=work)
def rnn_forward(
    x, x_ld, w, u, b, y, y_ld, trace, lengths, g, first_row, last_row, product1, product2, unit
):
    """All steps of some samples."""
    forward(
        _cell, x, x_ld, w, u, b, b, y, y_ld, trace, lengths, g, first_row, last_row,
        product1, product2, unit,
    )  # fmt: skip


@tiles("dx trace", split=shard, rowwise="dy", scratch=back_room, work=work)
def rnn_backward(
    dy, dy_ld, dx, dx_ld, wants_dx, u_turned, w_turned, trace, lengths, zeros, g, scratch,
    first_row, last_row, product1, product2, unit,
):  # fmt: skip
    """Back through all steps of some samples."""
    backward(
        _cell_back, dy, dy_ld, dx, dx_ld, wants_dx, u_turned, w_turned, trace, lengths, zeros, g,
        scratch, first_row, last_row, product1, product2, unit,
    )  # fmt: skip


def _layer(site: Site, evaluation: bool = False) -> Layer:
    kind = KINDS[site.fields["nonlinearity"]]
    return Layer(site, gates=1, kept=1, evaluation=evaluation, kind=kind)


def _forward(site: Site) -> list[Call]:
    return _layer(site).forward(rnn_forward)


def _evaluate(site: Site) -> list[Call]:
    return _layer(site, evaluation=True).forward(rnn_forward)


def _backward(site: Site) -> list[Call]:
    return _layer(site).backward(rnn_backward)


register(
    "rnn", _forward, _backward, evaluate=_evaluate,
    saved={"trace": lambda site: _layer(site).elements}, layouts={"w": "panels", "u": "panels"},
)  # fmt: skip
