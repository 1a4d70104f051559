"""Gated recurrent unit with the reset gate before the product with the state (Cho et al. 2014),
with layer normalization, or both.

Before: r, z = sigmoid(x w + h u + b),  m = tanh(x w + (r h) u_m + b),  h = z h + (1 - z) m; u gives
the gates r and z only. Layer normalization (Ba et al. 2016), N(a) = (a - mean) / sqrt(var + 1e-5),
over r and z together and over m:

    r, z = sigmoid(gain_w N(x w) + b + gain_u N(h u) + b_h)
    m = tanh(gain_w N(x w) + b + r (gain_u N(h u) + b_h)), or before:
    m = tanh(gain_w N(x w) + b + gain_u N((r h) u_m))

A row of the trace: what w gives, what u gives, what u_m gives; h; r h, or what r multiplies; then
the gates where they are not in the place of what w gives.
"""

from collections.abc import Mapping
from typing import Any

from nnctl.engine.intrinsics import size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.maths import like, sigmoid, tanh
from nnctl.ops.norm_row import normalized, normalized_back
from nnctl.ops.recurrent_cell import Cell
from nnctl.ops.recurrent_layer import Form

BEFORE, NORM = 1, 2  # bits of the kind


@inline
def _gates(at, g, unit):
    """Where the gates of a row lie."""
    return at + size_of(unit) * (g.kept + g.units) if g.kind & NORM else at


@inline
def _of_u(at, first, g, unit):
    """Address of what comes of the state for r and z (``first`` = 0), or for m."""
    if g.kind & BEFORE and first:
        return at + size_of(unit) * g.inner
    return at + size_of(unit) * (g.again + first)


@inline
def _summed(at, first, count, own, scratch, g, unit):
    """The sums of some gates without what u gives of them; alone, normalized, what u gives."""
    size = size_of(unit)
    a, of_w = (
        view(_gates(at, g, unit) + size * first, count, unit),
        view(at + size * first, count, unit),
    )
    b = view(own[0] + size * first, count, unit)
    normalized(of_w, view(own[2] + size * first, count, unit), a, False, scratch)
    for j in range(count):
        a[j] += b[j]


@inline
def _first(at, before, own, scratch, g, unit):
    """r and z, and what r lets through of the state."""
    n, size, gates = g.units, size_of(unit), _gates(at, g, unit)
    both, of_u = view(gates, 2 * n, unit), view(_of_u(at, 0, g, unit), 2 * n, unit)
    r, let = view(gates, n, unit), view(at + size * g.kept, n, unit)
    old = view(before + size * g.handed, n, unit)
    if g.kind & NORM:
        _summed(at, 0, 2 * n, own, scratch, g, unit)
        normalized(of_u, view(own[3], 2 * n, unit), both, True, scratch)
        b_h = view(own[1], 2 * n, unit)
        for j in range(0 if g.kind & BEFORE else 2 * n):
            both[j] += b_h[j]
        for j in range(2 * n):
            both[j] = sigmoid(both[j])
    else:
        for j in range(2 * n):
            both[j] = sigmoid(both[j] + of_u[j])
    for j in range(n if g.kind & BEFORE else 0):
        let[j] = r[j] * old[j]


@inline
def _cell(at, before, own, scratch, g, unit):
    n, size, gates = g.units, size_of(unit), _gates(at, g, unit)
    r, z, m = (
        view(gates, n, unit),
        view(gates + size * n, n, unit),
        view(gates + size * 2 * n, n, unit),
    )
    h, old = view(at + size * g.state, n, unit), view(before + size * g.state, n, unit)
    of_u, q = view(_of_u(at, 2 * n, g, unit), n, unit), view(at + size * g.kept, n, unit)
    if not g.kind & BEFORE:
        _first(at, before, own, scratch, g, unit)
    if g.kind & NORM:
        gain = view(own[3] + size * 2 * n, n, unit)
        _summed(at, 2 * n, n, own, scratch, g, unit)
        if g.kind & BEFORE:
            normalized(of_u, gain, m, True, scratch)
        else:
            b_h = view(own[1] + size * 2 * n, n, unit)
            normalized(of_u, gain, q, False, scratch)
            for j in range(n):
                q[j] += b_h[j]
                m[j] += r[j] * q[j]
    else:
        for j in range(n):
            m[j] += of_u[j]
    for j in range(n):
        m[j] = tanh(m[j])
        h[j] = m[j] + z[j] * (old[j] - m[j])


@inline
def _sums_back(at, first, count, of_sum, own, leaf, scratch, g, unit):
    """From the gradients of some gates' sums, and of what u gives of them, to those of products."""
    size, n = size_of(unit), g.units
    da, of_w = (
        view(_gates(at, g, unit) + size * first, count, unit),
        view(at + size * first, count, unit),
    )
    of_u = view(_of_u(at, first, g, unit), count, unit)
    if g.kind & NORM:
        of_b, of_b_h = (
            view(leaf + 8 * first, count, 0.0),
            view(leaf + 8 * (3 * n + first), count, 0.0),
        )
        for j in range(count):
            of_b[j] += float(da[j])
            of_b_h[j] += float(of_sum[j])
        gain, of_gain = (
            view(own[2] + size * first, count, unit),
            view(leaf + 8 * (6 * n + first), count, 0.0),
        )
        gain_u, of_gain_u = (
            view(own[3] + size * first, count, unit),
            view(leaf + 8 * (9 * n + first), count, 0.0),
        )
        normalized_back(of_w, da, gain, of_gain, of_w, False, scratch)
        normalized_back(of_u, of_sum, gain_u, of_gain_u, of_u, False, scratch)
    else:
        for j in range(count):
            of_u[j] = of_sum[j]


@inline
def _cell_back(at, before, dh, dc, own, leaf, scratch, g, unit):
    n, size, one, gates = g.units, size_of(unit), like(1, unit), _gates(at, g, unit)
    r, z, m = (
        view(gates, n, unit),
        view(gates + size * n, n, unit),
        view(gates + size * 2 * n, n, unit),
    )
    q, d = view(at + size * g.kept, n, unit), view(dh, n, unit)
    old = view(before + size * g.state, n, unit)
    for j in range(n):
        kept, made, back = z[j], m[j], d[j]
        z[j] = back * (old[j] - made) * kept * (one - kept)
        m[j] = back * (one - kept) * (one - made * made)
        d[j] = back * kept
    if g.kind & BEFORE:
        _sums_back(at, 2 * n, n, m, own, leaf, scratch, g, unit)
    else:
        for j in range(n):
            gate, part = r[j], q[j]
            q[j] = m[j] * gate
            r[j] = m[j] * part * gate * (one - gate)
        _sums_back(at, 2 * n, n, q, own, leaf, scratch, g, unit)
        _sums_back(at, 0, 2 * n, view(gates, 2 * n, unit), own, leaf, scratch, g, unit)


@inline
def _first_back(at, before, mask, dlet, dh, own, leaf, scratch, g, unit):
    n, size, one, gates = g.units, size_of(unit), like(1, unit), _gates(at, g, unit)
    r, let, d = view(gates, n, unit), view(dlet, n, unit), view(dh, n, unit)
    old, shown = view(before + size * g.handed, n, unit), view(mask, n, unit)
    masked = g.handed != g.state
    for j in range(n):
        gate, back = r[j], let[j]
        d[j] += back * gate * shown[j] if masked else back * gate
        r[j] = back * old[j] * gate * (one - gate)
    _sums_back(at, 0, 2 * n, view(gates, 2 * n, unit), own, leaf, scratch, g, unit)


def _form(fields: Mapping[str, Any]) -> Form:
    n, before, norm = int(fields["units"]), fields["reset"] == "before", bool(fields["layer_norm"])
    own = (("b", 3 * n), ("b_h", 3 * n), ("gain_w", 3 * n), ("gain_u", 3 * n)) if norm else ()
    form = Form(n, 3 * n, 3 * n, kept=n + 3 * n * norm, own=own, kind=BEFORE * before + NORM * norm)
    return form._replace(apart=2 * n, inner=n, depth=n, v=("u_m", "zeros")) if before else form


OPTIONS = Cell("gru_options", _form, _cell, _cell_back, _first, _first_back)
