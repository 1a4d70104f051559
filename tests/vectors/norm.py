"""Normalizations: one channel and many, one place and many, with and without scale and shift."""

from __future__ import annotations

import numpy as np

from tests.reference import norm
from tests.vectors.case import OpCase

# (batch, shape): channels of one, primes, around one and several vectors
_SHAPES = [
    (3, (1,)), (5, (7,)), (8, (16,)), (33, (65,)), (48, (33,)), (3, (5, 3)), (2, (4, 1)),
    (9, (7, 17)), (1, (6, 5)), (4, (5, 4, 16)), (17, (3, 3, 2)), (6, (2, 3, 4, 9)), (5, (9, 70)),
]  # fmt: skip
EPSILON = 1e-3


def _params(shape, scale, shift):
    found = {"gamma": shape} if scale else {}
    return found | ({"beta": shape} if shift else {})


def _batch(batch, shape, scale=True, shift=True):
    stream = np.random.default_rng(7)
    mean, var = stream.normal(size=shape[-1]), stream.uniform(0.5, 2, shape[-1])

    def forward(x, params, context):
        running = None if context.training else (mean, var)
        return norm.batch_norm(x[0], params.get("gamma"), params.get("beta"), EPSILON, running)

    fields = {"epsilon": EPSILON, "running_decay": 0.9, "scale": scale, "shift": shift}
    return OpCase(
        "batch_norm", (shape,), shape, forward, fields, _params(shape[-1:], scale, shift), batch,
        differs=True, joint=True, states={"running_mean": mean, "running_var": var}, single=2e-5,
    )  # fmt: skip


def _own(tag, function, batch, shape, given, trained, scale=True, shift=True):
    def forward(x, params, context):
        return function(x[0], params.get("gamma"), params.get("beta"), EPSILON, **given)

    fields = {"epsilon": EPSILON, "scale": scale, "shift": shift, **given}
    params = _params(trained, scale, shift)
    return OpCase(tag, (shape,), shape, forward, fields, params, batch, single=2e-5)


_WAYS = [(True, False), (False, True), (False, False)]
CASES = [_batch(*size) for size in _SHAPES]
CASES += [_batch(6, (4, 3), *way) for way in _WAYS]
CASES += [
    _own("layer_norm", norm.layer_norm, b, s, {"axes": axes}, s if axes == "all" else s[-1:])
    for b, s in _SHAPES
    for axes in ("last", "all")
    if (s[-1] if axes == "last" else int(np.prod(s))) > 2  # of two, all but ten digits cancel
]
CASES += [
    _own("layer_norm", norm.layer_norm, 3, (4, 5), {"axes": "last"}, (5,), *way) for way in _WAYS
]
CASES += [
    _own("group_norm", norm.group_norm, b, s, {"groups": g}, s[-1:])
    for b, s, g in [
        (3, (6,), 2), (5, (4, 6), 3), (1, (5, 5, 16), 4), (7, (3, 3, 33), 11), (4, (9, 5), 5),
        (2, (2, 3, 2, 70), 7), (17, (6, 1), 1), (8, (64,), 8),
    ]
]  # fmt: skip
CASES += [
    _own("group_norm", norm.group_norm, 3, (4, 6), {"groups": 2}, (6,), *way) for way in _WAYS
]
