"""Long short-term memory with peepholes (Gers & Schmidhuber 2000), layer normalization, or both.

Peepholes p (3, units): to the sums of i and f comes p times the c before, to that of o p times the
new c. Layer normalization (Ba et al. 2016), N(a) = (a - mean) / sqrt(var + 1e-5) over all numbers:

    i, f, o = sigmoid(a),  g = tanh(a),  a = gain_w N(x w) + gain_u N(h u) + b
    h = o tanh(gain_c N(c) + shift_c)

A row of the trace: gates; or what w gives, what u gives; h, c; then the gates. On the way back both
products are still there, and their gradients take their places.
"""

from collections.abc import Mapping
from typing import Any

from nnctl.engine.intrinsics import lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.maths import like, sigmoid, tanh
from nnctl.ops.dense import columns_of
from nnctl.ops.norm_row import EPSILON, inverse_of, normalized, normalized_back, sum_of
from nnctl.ops.recurrent_cell import Cell
from nnctl.ops.recurrent_layer import Form

PEEPHOLES, NORM = 1, 2  # bits of the kind
PEEPS = 3  # gates that see c: i, f, o


@inline
def _c(at, g, unit):
    """The cell state of a row."""
    return view(at + size_of(unit) * (g.state + columns_of(g.units, lanes_of(unit))), g.units, unit)


@inline
def _gates(at, g, unit):
    """Where the gates of a row lie."""
    return at + size_of(unit) * g.kept if g.kind & NORM else at


@inline
def _seen(own, k, g, unit):
    """The peepholes of a gate: i, f, o."""
    return view(own[0] + size_of(unit) * k * g.units, g.units, unit)


@inline
def _sums(at, own, scratch, g, unit):
    """The sums of all gates, where the two products were normalized."""
    n, a = 4 * g.units, view(_gates(at, g, unit), 4 * g.units, unit)
    b = view(own[5], n, unit)
    normalized(view(at, n, unit), view(own[1], n, unit), a, False, scratch)
    of_h = view(at + size_of(unit) * g.again, n, unit)
    normalized(of_h, view(own[2], n, unit), a, True, scratch)
    for j in range(n):
        a[j] += b[j]


@inline
def _cell(at, before, own, scratch, g, unit):
    n, size, gates = g.units, size_of(unit), _gates(at, g, unit)
    both, e = view(gates, 2 * n, unit), view(gates + size * 2 * n, n, unit)
    i, f = view(gates, n, unit), view(gates + size * n, n, unit)
    o = view(gates + size * 3 * n, n, unit)
    h, c, old = view(at + size * g.state, n, unit), _c(at, g, unit), _c(before, g, unit)
    if g.kind & NORM:
        _sums(at, own, scratch, g, unit)
    if g.kind & PEEPHOLES:
        p, q = _seen(own, 0, g, unit), _seen(own, 1, g, unit)
        for j in range(n):
            i[j] += p[j] * old[j]
            f[j] += q[j] * old[j]
    for j in range(2 * n):
        both[j] = sigmoid(both[j])
    for j in range(n):
        e[j] = tanh(e[j])
    for j in range(n):
        c[j] = f[j] * old[j] + i[j] * e[j]
    if g.kind & PEEPHOLES:
        p = _seen(own, 2, g, unit)
        for j in range(n):
            o[j] += p[j] * c[j]
    for j in range(n):
        o[j] = sigmoid(o[j])
        h[j] = c[j]
    if g.kind & NORM:
        shift = view(own[4], n, unit)
        normalized(c, view(own[3], n, unit), h, False, scratch)
        for j in range(n):
            h[j] += shift[j]
    for j in range(n):
        h[j] = o[j] * tanh(h[j])


@inline
def _shown_back(d, o, c, q, own, leaf, scratch, g, unit):
    """From dh: the gradient of the output gate's sum in o, and what dc has of it."""
    n, one = g.units, like(1, unit)
    if g.kind & NORM:
        gain, shift = view(own[3], n, unit), view(own[4], n, unit)
        of_gain = view(leaf + 8 * (PEEPS + 8) * n, n, 0.0)
        of_shift = view(leaf + 8 * (PEEPS + 9) * n, n, 0.0)
        mean = sum_of(c, scratch) / n
        inverse = inverse_of(c, mean, EPSILON, scratch)
        for j in range(n):
            t = like((float(c[j]) - mean) * inverse, unit) * gain[j] + shift[j]
            shown, gate = tanh(t), o[j]
            o[j] = d[j] * shown * gate * (one - gate)
            d[j] = d[j] * gate * (one - shown * shown)
            of_shift[j] += float(d[j])
        normalized_back(c, d, gain, of_gain, q, True, scratch)
    else:
        for j in range(n):
            shown, gate = tanh(c[j]), o[j]
            q[j] += d[j] * gate * (one - shown * shown)
            o[j] = d[j] * shown * gate * (one - gate)


@inline
def _peep_back(k, da, c, q, own, leaf, g, unit):
    """What a gate that sees c has of its gradient: dc, and that of the peepholes."""
    p, of_p = _seen(own, k, g, unit), view(leaf + 8 * k * g.units, g.units, 0.0)
    for j in range(g.units):
        q[j] += p[j] * da[j]
        of_p[j] += float(da[j]) * float(c[j])


@inline
def _sums_back(at, own, leaf, scratch, g, unit):
    """From the gradients of the sums of all gates to those of the two products."""
    n, size = 4 * g.units, size_of(unit)
    da, of_b = view(_gates(at, g, unit), n, unit), view(leaf + 8 * (PEEPS + 10) * g.units, n, 0.0)
    for j in range(n):
        of_b[j] += float(da[j])
    for k in range(2):
        product = view(at + size * g.again * k, n, unit)
        of_gain = view(leaf + 8 * (PEEPS * g.units + k * n), n, 0.0)
        normalized_back(product, da, view(own[1 + k], n, unit), of_gain, product, False, scratch)


@inline
def _cell_back(at, before, dh, dc, own, leaf, scratch, g, unit):
    n, size, one, gates = g.units, size_of(unit), like(1, unit), _gates(at, g, unit)
    i, f = view(gates, n, unit), view(gates + size * n, n, unit)
    e, o = view(gates + size * 2 * n, n, unit), view(gates + size * 3 * n, n, unit)
    c, old = _c(at, g, unit), _c(before, g, unit)
    d, q = view(dh, n, unit), view(dc, n, unit)
    _shown_back(d, o, c, q, own, leaf, scratch, g, unit)
    if g.kind & PEEPHOLES:
        _peep_back(2, o, c, q, own, leaf, g, unit)
    for j in range(n):
        a, b = i[j], e[j]
        i[j] = q[j] * b * a * (one - a)
        e[j] = q[j] * a * (one - b * b)
    for j in range(n):
        kept = f[j]
        f[j] = q[j] * old[j] * kept * (one - kept)
        q[j] *= kept
    if g.kind & PEEPHOLES:
        _peep_back(0, i, old, q, own, leaf, g, unit)
        _peep_back(1, f, old, q, own, leaf, g, unit)
    if g.kind & NORM:
        _sums_back(at, own, leaf, scratch, g, unit)
    for j in range(n):
        d[j] = one - one


def _form(fields: Mapping[str, Any]) -> Form:
    n, peeps, norm = int(fields["units"]), bool(fields["peepholes"]), bool(fields["layer_norm"])
    own: tuple[tuple[str, int], ...] = (("p", PEEPS * n),)
    if norm:
        own += (("gain_w", 4 * n), ("gain_u", 4 * n), ("gain_c", n), ("shift_c", n), ("b", 4 * n))
    kind = PEEPHOLES * peeps + NORM * norm
    return Form(n, 4 * n, 4 * n * norm, states=2, kept=4 * n * norm, own=own, kind=kind)


OPTIONS = Cell("lstm_options", _form, _cell, _cell_back)
