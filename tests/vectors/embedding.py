"""Rows of a table by token: one and many, around one vector of columns, tokens that come often."""

from __future__ import annotations

import numpy as np

from tests.vectors.case import OpCase


def _rows(x, params, context):
    """Row by row, in plain Python; NaN for what is no token."""
    w, y = params["w"], np.full((*x[0].shape, params["w"].shape[1]), np.nan)
    for place in np.ndindex(*x[0].shape):
        for k in range(len(w)):
            if abs(x[0][place] - k) < 0.5:
                y[place] = w[k]
    return y


def _case(batch, steps, vocabulary, units):
    fields = {"units": units, "vocabulary": vocabulary}
    return OpCase(
        "embedding", ((steps,),), (steps, units), _rows, fields, {"w": (vocabulary, units)},
        batch=batch, tokens=vocabulary,
    )  # fmt: skip


CASES = [
    _case(*size)
    for size in [(5, 4, 6, 3), (1, 1, 1, 1), (3, 7, 2, 17), (9, 2, 40, 33), (16, 5, 3, 16)]
]
