"""Up-sampling of 1 to 3 axes by whole factors, repeated and linear."""

from __future__ import annotations

from tests.reference import pool
from tests.vectors.case import OpCase

_SIZES = [
    ((5, 3), 2), ((1, 17), 3), ((4, 1), 1), ((3, 4, 16), 2), ((2, 5, 3), [3, 2]),
    ((4, 3, 33), [1, 4]), ((2, 3, 2, 5), 2), ((3, 1, 2, 17), [2, 5, 3]),
]  # fmt: skip


def _case(k, shape, size, interpolation):
    axes = len(shape) - 1
    factors = [size] * axes if isinstance(size, int) else size
    out = (*(n * f for n, f in zip(shape[:-1], factors, strict=True)), shape[-1])

    def forward(x, params, context):
        return pool.up_sampling(x[0], size, interpolation)

    fields = {"size": size, "interpolation": interpolation}
    return OpCase(f"up_sampling{axes}d", (shape,), out, forward, fields, batch=(5, 1, 3)[k % 3])


CASES = [
    _case(k, shape, size, interpolation)
    for interpolation in ("nearest", "linear")
    for k, (shape, size) in enumerate(_SIZES)
]
