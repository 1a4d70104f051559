"""Simple recurrent layer (Elman 1990):  h = g(x w + h u + b).

A row of the trace: the sum, then h.
"""

from collections.abc import Mapping
from typing import Any

from nnctl.engine.intrinsics import size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.maths import like, sigmoid, tanh
from nnctl.ops.recurrent_layer import register_cell

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


def _kind(fields: Mapping[str, Any]) -> int:
    return KINDS[fields["nonlinearity"]]


register_cell("rnn", _cell, _cell_back, gates=1, kept=1, kind=_kind)
