"""Sums, products and concatenations of two and of three inputs."""

from __future__ import annotations

import numpy as np

from tests.vectors.case import OpCase


def _add(x, params, context):
    return sum(x[1:], x[0])


def _average(x, params, context):
    return np.mean(np.stack(x), axis=0)


def _multiply(x, params, context):
    return np.prod(np.stack(x), axis=0)


def _joined(axis):
    def concat(x, params, context):
        return np.concatenate(x, axis=axis if axis < 0 else axis + 1)

    return concat


def _concat(shapes, shape, axis=-1, batch=5):
    return OpCase("concat", shapes, shape, _joined(axis), {"axis": axis}, batch=batch)


CASES = [
    OpCase("add", ((7,), (7,)), (7,), _add),
    OpCase("add", ((2, 17),) * 3, (2, 17), _add, batch=3),
    OpCase("add", ((1,),) * 2, (1,), _add, batch=1),
    OpCase("average", ((7,), (7,)), (7,), _average),
    OpCase("average", ((2, 17),) * 3, (2, 17), _average, batch=3),
    OpCase("multiply", ((7,), (7,)), (7,), _multiply),
    OpCase("multiply", ((33,),) * 3, (33,), _multiply, batch=3),
    OpCase("multiply", ((2, 2, 3),) * 4, (2, 2, 3), _multiply, batch=1),
    _concat(((3,), (5,)), (8,)),
    _concat(((1,), (16,), (17,)), (34,), batch=3),
    _concat(((2, 3, 1), (2, 3, 4)), (2, 3, 5)),
    _concat(((2, 3), (4, 3)), (6, 3), axis=0),
    _concat(((2, 3, 4), (2, 1, 4)), (2, 4, 4), axis=1),
    _concat(((2, 3, 4), (2, 1, 4), (2, 2, 4)), (2, 6, 4), axis=-2, batch=1),
]
