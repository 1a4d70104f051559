"""Dropout, with the mask worked out by a Philox of plain Python."""

from __future__ import annotations

from tests.reference import ops
from tests.vectors.case import OpCase


def _dropped(rate):
    return lambda x, params, context: ops.dropout(x[0], rate, context)


CASES = [
    OpCase(
        "dropout", (shape,), shape, _dropped(rate), {"rate": rate}, batch=batch,
        differs=rate > 0, by_place=True,
    )
    for rate, batch, shape in [
        (0.5, 5, (7,)), (0.25, 3, (65,)), (0.0, 2, (9,)), (0.9, 1, (129,)), (0.5, 4, (4, 4, 3)),
    ]
]  # fmt: skip
