"""Softmax over the last axis."""

from __future__ import annotations

from tests.reference import ops
from tests.vectors.case import OpCase


def _softmax(x, params, context):
    return ops.softmax(x[0])


CASES = [
    OpCase("softmax", (shape,), shape, _softmax, batch=batch)
    for batch, shape in [(5, (7,)), (1, (1,)), (3, (33,)), (2, (3, 2, 4)), (17, (10,))]
]
