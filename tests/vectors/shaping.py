"""Layers that only change the shape, and the fan-out."""

from __future__ import annotations

from tests.vectors.case import OpCase


def _flat(x, params, context):
    return x[0].reshape(len(x[0]), -1)


def _to(shape):
    return lambda x, params, context: x[0].reshape(len(x[0]), *shape)


CASES = [
    OpCase("flatten", ((4, 3, 2),), (24,), _flat),
    OpCase("flatten", ((7,),), (7,), _flat, batch=1),
    OpCase("reshape", ((24,),), (2, 4, 3), _to((2, 4, 3)), {"shape": [2, 4, 3]}),
    OpCase("reshape", ((5, 7),), (35,), _to((35,)), {"shape": [-1]}, batch=3),
    OpCase("mask", ((4, 3),), (4, 3), _to((4, 3))),  # no end before the last step: as it is
    OpCase("hold", ((4, 3),), (4, 3), _to((4, 3)), batch=3),
    OpCase("split", ((7,),), (7,), _to((7,)), consumers=2),
    OpCase("split", ((33,),), (33,), _to((33,)), consumers=3, batch=3),
]
