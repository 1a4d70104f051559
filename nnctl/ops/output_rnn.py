"""Recurrence from the output to the hidden layer (Jordan 1986):

    h_t = g(x_t w + o_t-1 u + b),  o_t = f(h_t v + c)

The state that goes from step to step is o; the output is o, or with ``signals`` its sum. A row of
the trace: the sum for h, that for o; o; h, and with signals the sum again. The second sum is a
product inside the step.
"""

from collections.abc import Mapping
from typing import Any

from nnctl.engine.intrinsics import size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.maths import exp, like
from nnctl.ops.conv_core import copy
from nnctl.ops.recurrent_cell import Cell, register_cell
from nnctl.ops.recurrent_layer import Form
from nnctl.ops.rnn_shown import KINDS, shown, shown_back

SOFTMAX = len(KINDS)
OUTPUTS = {**KINDS, "softmax": SOFTMAX}
BASE = len(KINDS)  # a kind is that of g and, times this, that of f


@inline
def _softmax(a, y):
    peak = a[0]
    for j in range(1, len(a)):
        peak = a[j] if a[j] > peak else peak
    total = a[0] * 0
    for j in range(len(a)):
        y[j] = exp(a[j] - peak)
        total += y[j]
    for j in range(len(a)):
        y[j] /= total


@inline
def _softmax_back(d, y, da):
    mean = d[0] * 0
    for j in range(len(y)):
        mean += d[j] * y[j]
    for j in range(len(y)):
        da[j] = y[j] * (d[j] - mean)


@inline
def _first(at, before, own, scratch, g, unit):
    """h, of the sum."""
    n = g.inner_depth
    shown(view(at, n, unit), view(at + size_of(unit) * g.kept, n, unit), g.kind % BASE, unit)


@inline
def _cell(at, before, own, scratch, g, unit):
    n, size = g.units, size_of(unit)
    a, o = view(at + size * g.inner, n, unit), view(at + size * g.state, n, unit)
    if g.kind // BASE == SOFTMAX:
        _softmax(a, o)
    else:
        shown(a, o, g.kind // BASE, unit)
    if g.gives != g.state:
        copy(at + size * g.inner, at + size * g.gives, n, unit)


@inline
def _cell_back(at, before, dh, dc, own, leaf, scratch, g, unit):
    n, size, zero = g.units, size_of(unit), like(0, unit)
    a, o = view(at + size * g.inner, n, unit), view(at + size * g.state, n, unit)
    d = view(dh, n, unit)
    if g.kind // BASE == SOFTMAX:
        _softmax_back(d, o, a)
    else:
        shown_back(d, o, a, g.kind // BASE, unit)
    if g.gives != g.state:
        of_a = view(dc, n, unit)
        for j in range(n):
            a[j] += of_a[j]
            of_a[j] = zero
    for j in range(n):
        d[j] = zero


@inline
def _first_back(at, before, mask, dinner, dh, own, leaf, scratch, g, unit):
    n = g.inner_depth
    a, h = view(at, n, unit), view(at + size_of(unit) * g.kept, n, unit)
    shown_back(view(dinner, n, unit), h, a, g.kind % BASE, unit)


def _form(fields: Mapping[str, Any]) -> Form:
    hidden, outputs = int(fields["units"]), int(fields["outputs"])
    kind = KINDS[fields["nonlinearity"]] + BASE * OUTPUTS[fields["output_activation"]]
    signals = bool(fields["signals"])
    return Form(
        outputs, hidden, kept=hidden + signals * outputs, inner=outputs, depth=hidden,
        v=("v", "c"), kind=kind, beside=signals,
    )  # fmt: skip


register_cell("output_rnn", Cell("output_rnn", _form, _cell, _cell_back, _first, _first_back))
