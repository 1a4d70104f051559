"""Simple recurrent layer (Elman 1990):  h = g(x w + h u + b).

A row of the trace: the sum, then h. With layer normalization (Ba et al. 2016)
h = g(gain N(x w + h u) + b), N(a) = (a - mean) / sqrt(var + 1e-5) over all numbers.
"""

from collections.abc import Mapping
from typing import Any

from nnctl.engine.intrinsics import size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.maths import like
from nnctl.ops.norm_row import normalized, normalized_back
from nnctl.ops.recurrent_cell import Cell, plain, register_cell
from nnctl.ops.recurrent_layer import Form
from nnctl.ops.rnn_shown import KINDS, shown, shown_back


@inline
def _cell(at, before, n, g, unit):
    shown(view(at, n, unit), view(at + size_of(unit) * g.state, n, unit), g.kind, unit)


@inline
def _cell_back(at, before, dh, dc, g, unit):
    a, h = view(at, g.units, unit), view(at + size_of(unit) * g.state, g.units, unit)
    d, zero = view(dh, g.units, unit), like(0, unit)
    shown_back(d, h, a, g.kind, unit)
    for j in range(g.units):
        d[j] = zero


@inline
def _normed(at, before, own, scratch, g, unit):
    n, h = g.units, view(at + size_of(unit) * g.state, g.units, unit)
    gain, b = view(own[0], n, unit), view(own[1], n, unit)
    normalized(view(at, n, unit), gain, h, False, scratch)
    for j in range(n):
        h[j] += b[j]
    shown(h, h, g.kind, unit)


@inline
def _normed_back(at, before, dh, dc, own, leaf, scratch, g, unit):
    n, zero = g.units, like(0, unit)
    a, h, d = view(at, n, unit), view(at + size_of(unit) * g.state, n, unit), view(dh, n, unit)
    of_gain, of_b = view(leaf, n, 0.0), view(leaf + 8 * n, n, 0.0)
    shown_back(d, h, d, g.kind, unit)
    for j in range(n):
        of_b[j] += float(d[j])
    normalized_back(a, d, view(own[0], n, unit), of_gain, a, False, scratch)
    for j in range(n):
        d[j] = zero


def _form(fields: Mapping[str, Any]) -> Form:
    n = int(fields["units"])
    own = (("gain", n), ("b", n)) if fields["layer_norm"] else ()
    return Form(n, n, own=own, kind=KINDS[fields["nonlinearity"]])


register_cell(
    "rnn",
    plain("rnn", _form, _cell, _cell_back),
    Cell("rnn_normed", _form, _normed, _normed_back),
    choose=lambda fields: int(fields["layer_norm"]),
)
