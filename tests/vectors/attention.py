"""Attention by both scores: one step and many, one number and several vectors."""

from __future__ import annotations

import numpy as np

from tests.reference.attention import attend
from tests.vectors.case import OpCase

# (batch, queries, keys, depth, width)
_SIZES = [(1, 1, 1, 1, 1), (3, 2, 5, 4, 3), (5, 7, 3, 17, 16), (4, 3, 18, 8, 33)]


def _attend(size, score):
    batch, queries, keys, depth, width = size

    def forward(x, params, context):
        return attend(*x, params.get("w"))

    return OpCase(
        "attend", ((queries, depth), (keys, depth), (keys, width)), (queries, width), forward,
        {"score": score}, {"w": (depth,)} if score == "additive" else {}, batch, weights=0.5,
        single=1e-5,
    )  # fmt: skip


def _repeat(x, params, context):
    return np.repeat(x[0][:, None], x[1].shape[1], axis=1)


CASES = [_attend(size, score) for size in _SIZES for score in ("dot", "additive")]
CASES += [
    OpCase("repeat_vector", ((units,), (steps, 2)), (steps, units), _repeat, batch=batch)
    for batch, units, steps in ((1, 1, 1), (5, 17, 3), (3, 2, 7))
]
CASES += [
    OpCase("mean_steps", ((steps, units),), (units,), lambda x, p, c: x[0].mean(axis=1), batch=5)
    for units, steps in ((1, 1), (17, 3), (2, 7))
]
