"""Gated recurrent unit (Cho et al. 2014), the reset gate behind the product with the state.

    r, z = sigmoid(x w + b + h u + b_h),  m = tanh(x w + b + r (h u + b_h)),  h = z h + (1 - z) m

Gates lie in the order r, z, m. A row of the trace: what w gives, what u gives, h.
The reset gate before the product is in gru_options.py.
"""

from collections.abc import Mapping
from typing import Any

from nnctl.engine.intrinsics import size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.maths import like, sigmoid, tanh
from nnctl.ops.gru_options import OPTIONS
from nnctl.ops.recurrent_cell import plain, register_cell
from nnctl.ops.recurrent_layer import Form


@inline
def _cell(at, before, n, g, unit):
    """Loops of few arrays each, which LLVM turns into vectors."""
    gate, again = size_of(unit) * g.units, at + size_of(unit) * g.again
    r, z, m = view(at, n, unit), view(at + gate, n, unit), view(at + 2 * gate, n, unit)
    of_r, of_z = view(again, n, unit), view(again + gate, n, unit)
    q, state = view(again + 2 * gate, n, unit), size_of(unit) * g.state
    h, old = view(at + state, n, unit), view(before + state, n, unit)
    for j in range(n):
        r[j] = sigmoid(r[j] + of_r[j])
    for j in range(n):
        z[j] = sigmoid(z[j] + of_z[j])
    for j in range(n):
        m[j] = tanh(m[j] + r[j] * q[j])
    for j in range(n):
        h[j] = m[j] + z[j] * (old[j] - m[j])


@inline
def _cell_back(at, before, dh, dc, g, unit):
    n, size, one = g.units, size_of(unit), like(1, unit)
    again = at + size * g.again
    r, z, m = view(at, n, unit), view(at + size * n, n, unit), view(at + size * 2 * n, n, unit)
    of_h, q = view(again, 2 * n, unit), view(again + size * 2 * n, n, unit)
    both, d = view(at, 2 * n, unit), view(dh, n, unit)
    old = view(before + size * g.state, n, unit)
    for j in range(n):
        kept, made, back = z[j], m[j], d[j]
        z[j] = back * (old[j] - made) * kept * (one - kept)
        m[j] = back * (one - kept) * (one - made * made)
        d[j] = back * kept
    for j in range(n):
        gate, part = r[j], q[j]
        q[j] = m[j] * gate
        r[j] = m[j] * part * gate * (one - gate)
    for j in range(2 * n):
        of_h[j] = both[j]


def _form(fields: Mapping[str, Any]) -> Form:
    n = int(fields["units"])
    return Form(n, 3 * n, apart=3 * n)


def _chosen(fields: Mapping[str, Any]) -> int:
    return int(fields["reset"] == "before" or fields["layer_norm"])


register_cell("gru", plain("gru", _form, _cell, _cell_back), OPTIONS, choose=_chosen)
