"""Panel products: any number of rows, against NumPy in double precision, and row by row."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.engine import cpu
from nnctl.engine.intrinsics import call_product
from nnctl.engine.jit import helper
from nnctl.engine.tiles import cycles, product

ROUNDS, DEPTH = 2, 37


@helper
def _multiply(product, a, b, c, start, rows, first, unit_bytes, sizes):
    """Rows ``first`` to ``rows`` of C = start + A B, B one panel wide."""
    sam, sar, sak, step, rounds, depth = sizes
    call_product(
        product, a + unit_bytes * first * sam, sam, sar, sak, b, depth * step, step,
        c + unit_bytes * first * step, step, start, 0, rows - first, rounds, depth,
    )  # fmt: skip


def _run(dtype: type, vectors: int, a: np.ndarray, b: np.ndarray, start: np.ndarray, one: bool):
    rows, step = len(a), vectors * cpu.lanes(dtype)
    c = np.full((rows, step), np.nan, dtype=dtype)
    address = product(np.dtype(dtype).name, vectors).address
    sizes = (ROUNDS * DEPTH, DEPTH, 1, step, ROUNDS, DEPTH)
    for first, end in [(r, r + 1) for r in range(rows)] if one else [(0, rows)]:
        args = (a.ctypes.data, b.ctypes.data, c.ctypes.data, start.ctypes.data, end, first)
        _multiply(address, *args, a.itemsize, sizes)
    return c


@pytest.mark.parametrize("vectors", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_of_rows(dtype: type, vectors: int) -> None:
    """No number of rows moves a bit of one: a row's sum is one chain whatever tile it is in."""
    rng = np.random.default_rng(7)
    step = vectors * cpu.lanes(dtype)
    b = rng.normal(size=(ROUNDS * DEPTH, step)).astype(dtype)
    start = rng.normal(size=step).astype(dtype)
    for rows in range(1, 53):
        a = rng.normal(size=(rows, ROUNDS * DEPTH)).astype(dtype)
        found = _run(dtype, vectors, a, b, start, one=False)
        assert np.array_equal(found, _run(dtype, vectors, a, b, start, one=True)), rows
        wide = a.astype(np.float64) @ b.astype(np.float64) + start
        eps = np.finfo(dtype).eps
        bound = eps * ROUNDS * DEPTH * (np.abs(a) @ np.abs(b) + np.abs(start))
        assert (np.abs(found - wide) <= bound).all(), rows


@pytest.mark.parametrize("vectors", [1, 2])
def test_cost_grows_with_rows(vectors: int) -> None:
    """More rows never cost less, and each costs at least a cycle for each of its vectors."""
    costs = [cycles(rows, vectors) for rows in range(1, 200)]
    assert costs == sorted(costs)
    assert all(cost >= rows * vectors for rows, cost in enumerate(costs, 1))
