"""Pools of 1 to 3 axes: windows side by side, over each other, apart; padding of all kinds."""

from __future__ import annotations

import numpy as np

from tests.reference import pool
from tests.vectors.case import OpCase

# (input, fields): channels of one, primes, around one and two vectors; rests that no window reaches
_WINDOWS = [
    ((7, 3), {"pool_size": 2}),
    ((5, 1), {"pool_size": 5}),
    ((9, 17), {"pool_size": 3, "stride": 2, "padding": "same"}),
    ((8, 2), {"pool_size": 2, "stride": 3}),
    ((6, 16), {"pool_size": 3, "stride": 1, "padding": "full"}),
    ((6, 5), {"pool_size": 4, "stride": 2, "padding": [[2, 1]]}),
    ((1, 33), {"pool_size": 1}),
    ((4, 4, 3), {"pool_size": 2}),
    ((5, 7, 1), {"pool_size": [2, 3], "padding": [1, 0]}),
    ((6, 5, 16), {"pool_size": 3, "stride": 2, "padding": 1}),
    ((5, 5, 33), {"pool_size": 3, "stride": 1, "padding": "same"}),
    ((7, 4, 17), {"pool_size": [3, 2], "stride": [1, 3], "padding": "valid"}),
    ((3, 8, 2), {"pool_size": [3, 8]}),
    ((4, 6, 5), {"pool_size": [2, 4], "stride": [3, 2], "padding": [[1, 0], [0, 3]]}),
    ((3, 4, 3, 2), {"pool_size": 2}),
    ((4, 3, 5, 17), {"pool_size": [2, 3, 2], "stride": [2, 1, 3], "padding": "same"}),
    ((3, 3, 4, 1), {"pool_size": 2, "stride": 1, "padding": [0, 1, [1, 0]]}),
]
_BATCHES = (5, 1, 3, 2)


def _out(function, shape):
    """The shape of an output, by what the reference gives."""
    return function(np.zeros((1, *shape))).shape[1:]


def _case(tag, function, shape, fields, batch):
    def forward(x, params, context):
        return function(x[0])

    out, apart = _out(function, shape), "avg" not in tag
    return OpCase(tag, (shape,), out, forward, fields, batch=batch, apart=apart)


def _pools(kind, **more):
    for k, (shape, fields) in enumerate(_WINDOWS):
        given = {**fields, **more}

        def function(x, given=given):
            return pool.pool(x, kind, **given)

        tag = f"{kind}_pool{len(shape) - 1}d"
        held = {"stride": None, "padding": "valid", **given}
        yield _case(tag, function, shape, held, _BATCHES[k % 4])


def _global(kind):
    def function(x):
        return pool.whole(x, kind)

    for k, shape in enumerate([(5, 3), (7, 7, 33), (1, 1, 4), (2, 3, 4, 17), (9, 16)]):
        yield _case(f"global_{kind}_pool", function, shape, {}, _BATCHES[k % 4])


def _adaptive():
    shapes = [
        ((7, 3), 3), ((5, 17), 1), ((6, 5, 16), [2, 5]), ((7, 5, 1), [3, 2]), ((3, 2, 4), [5, 3]),
        ((5, 4, 3, 2), [2, 3, 1]), ((4, 4, 33), 4),
    ]  # fmt: skip
    for k, (shape, size) in enumerate(shapes):

        def function(x, size=size):
            return pool.adaptive(x, size)

        fields = {"output_size": size}
        yield _case("adaptive_avg_pool", function, shape, fields, _BATCHES[k % 4])


CASES = [*_pools("max"), *_pools("min"), *_pools("avg", count_padding=False)]
CASES += _pools("avg", count_padding=True)
CASES += [case for kind in ("max", "min", "avg") for case in _global(kind)]
CASES += _adaptive()
