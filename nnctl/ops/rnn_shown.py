"""Nonlinearities of simple recurrent cells, and their slopes by what they gave."""

from nnctl.engine.jit import inline
from nnctl.engine.maths import like, sigmoid, tanh

TANH, RELU, SIGMOID, LINEAR = range(4)
KINDS = {"tanh": TANH, "relu": RELU, "sigmoid": SIGMOID, "linear": LINEAR}


@inline
def shown(a, h, kind, unit):
    """h = g(a)."""
    zero = like(0, unit)
    for j in range(len(a)):
        if kind == TANH:
            h[j] = tanh(a[j])
        elif kind == RELU:
            h[j] = zero if a[j] <= zero else a[j]
        elif kind == SIGMOID:
            h[j] = sigmoid(a[j])
        else:
            h[j] = a[j]


@inline
def shown_back(d, h, da, kind, unit):
    """da = d g'(a), where h = g(a)."""
    zero, one = like(0, unit), like(1, unit)
    for j in range(len(h)):
        if kind == TANH:
            da[j] = d[j] * (one - h[j] * h[j])
        elif kind == RELU:
            da[j] = zero if h[j] <= zero else d[j]
        elif kind == SIGMOID:
            da[j] = d[j] * h[j] * (one - h[j])
        else:
            da[j] = d[j]
