"""Elementwise activations; widths around the lengths of vectors, batches of one and of primes."""

from __future__ import annotations

import numpy as np

from tests.reference import ops
from tests.vectors.case import OpCase

_FUNCTIONS = {
    "relu": (ops.relu, {}, (0.0,)),
    "leaky_relu": (ops.leaky_relu, {"slope": 0.1}, (0.0,)),
    "elu": (ops.elu, {"alpha": 1.5}, (0.0,)),
    "sigmoid": (ops.sigmoid, {}, ()),
    "tanh": (np.tanh, {}, ()),
    "softplus": (ops.softplus, {}, ()),
    "silu": (ops.silu, {}, ()),
    "gelu": (ops.gelu, {}, ()),
    "linear": (lambda x: x, {}, ()),
}
_THRESHOLDS = {"sign": ops.sign, "step": ops.step}
_SIZES = [(5, (7,)), (1, (1,)), (3, (4, 3, 2)), (7, (65,))]


def _on_first(function, **fields):
    return lambda x, params, context: function(x[0], **fields)


CASES = [
    OpCase(tag, (shape,), shape, _on_first(f, **fields), fields, batch=batch, kinks=kinks)
    for tag, (f, fields, kinks) in _FUNCTIONS.items()
    for batch, shape in _SIZES
]
CASES += [
    OpCase(
        tag,
        (shape,),
        shape,
        _on_first(f),
        {"straight_through": True},
        batch=batch,
        kinks=(0.0, -1.0, 1.0),
        surrogate=_on_first(ops.hard_tanh),
    )
    for tag, f in _THRESHOLDS.items()
    for batch, shape in _SIZES
]
CASES += [
    OpCase("relu", ((width,),), (width,), _on_first(ops.relu), batch=3, kinks=(0.0,))
    for width in (15, 16, 17, 31, 32, 33, 47, 48, 49, 257)
]
CASES += [
    OpCase("elu", ((9,),), (9,), _on_first(ops.elu, alpha=0.3), {"alpha": 0.3}, kinks=(0.0,)),
    OpCase(
        "leaky_relu",
        ((9,),),
        (9,),
        _on_first(ops.leaky_relu, slope=0.0),
        {"slope": 0.0},
        kinks=(0.0,),
    ),
]
