"""Products on the CPU's tiles, against NumPy in double precision, and row by row."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from nnctl.engine import amx, cpu
from nnctl.engine.intrinsics import call_parts, store_int
from nnctl.engine.jit import helper

needs_tiles = pytest.mark.skipif(not cpu.HAS_TILES, reason="this CPU has no tiles of bfloat16")


@helper
def _multiply(product, a, b, c, start, start_ld, shape, parts, places):
    rows, columns, depth = shape
    left, right = parts
    for k in range(depth):
        store_int(places + 8 * k, b + 4 * k * columns)
    amx.cut_left(a, depth, rows, depth, left)
    amx.cut_right(places, columns, depth // 32, right)
    call_parts(product, left, right, c, columns, start, start_ld, rows, columns, depth // 32)


def _run(a: np.ndarray, b: np.ndarray, start: np.ndarray) -> np.ndarray:
    rows, depth, columns = *a.shape, b.shape[1]
    a, b = (np.ascontiguousarray(side, dtype=np.float32) for side in (a, b))
    c = np.full((rows, columns), np.nan, dtype=np.float32)
    left = np.full(-(-rows // 16) * 16 * depth * 6, 255, dtype=np.uint8)
    right = np.full(columns * depth * 6, 255, dtype=np.uint8)
    places = np.empty(depth, dtype=np.int64)
    _multiply(
        amx.product().address, a.ctypes.data, b.ctypes.data, c.ctypes.data, start.ctypes.data,
        0 if start.ndim == 1 else columns, (rows, columns, depth),
        (left.ctypes.data, right.ctypes.data), places.ctypes.data,
    )  # fmt: skip
    return c


@needs_tiles
@pytest.mark.parametrize("depth", [32, 64, 160])
@pytest.mark.parametrize("columns", [64, 192])
def test_products_of_any_number_of_rows(depth: int, columns: int) -> None:
    """They are as exact as those of vectors, and no number of rows moves a bit of one."""
    rng = np.random.default_rng(3)
    b = rng.normal(size=(depth, columns)).astype(np.float32)
    start = rng.normal(size=columns).astype(np.float32)
    for rows in range(1, 50):
        a = rng.normal(size=(rows, depth)).astype(np.float32)
        found = _run(a, b, start)
        wide = a.astype(np.float64) @ b.astype(np.float64) + start
        bound = np.finfo(np.float32).eps * 8 * (np.abs(a) @ np.abs(b) + np.abs(start))
        assert (np.abs(found - wide) <= bound).all(), rows
        again = _run(a, b, np.tile(start, (rows, 1)))
        assert np.array_equal(found, again), rows
        alone = np.concatenate([_run(row[None], b, start) for row in a[[0, rows // 2, rows - 1]]])
        assert np.array_equal(found[[0, rows // 2, rows - 1]], alone), rows


@needs_tiles
def test_the_parts_of_a_number_are_all_of_it() -> None:
    """A factor of 1 changes no bit, on either side, from 1e-30 to 1e38."""
    rng = np.random.default_rng(4)
    size = (64, 64)
    x = (rng.uniform(1, 10, size) * 10.0 ** rng.integers(-30, 38, size)).astype(np.float32)
    x *= np.where(rng.uniform(size=size) < 0.5, -1, 1)
    one, none = np.eye(64, dtype=np.float32), np.zeros(64, dtype=np.float32)
    assert np.array_equal(_run(x, one, none), x)
    assert np.array_equal(_run(one, x, none), x)


@needs_tiles
def test_what_is_not_finite_stays_so() -> None:
    """In its row, or its column, and nowhere else."""
    rng = np.random.default_rng(5)
    start = np.zeros(64, dtype=np.float32)
    for bad in (np.nan, np.inf, -np.inf):
        a, b = rng.normal(size=(20, 32)), rng.normal(size=(32, 64))
        a[18, 7] = bad
        lost = np.isfinite(_run(a, b, start))
        assert not lost[18].any() and lost[np.arange(20) != 18].all()
        a, b = rng.normal(size=(20, 32)), rng.normal(size=(32, 64))
        b[7, 18] = bad
        lost = np.isfinite(_run(a, b, start))
        assert not lost[:, 18].any() and lost[:, np.arange(64) != 18].all()


def _doctor(value: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nnctl", "doctor", "--json"],
        env={**os.environ, "NNCTL_AMX": value, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_tiles_can_be_switched_off() -> None:
    done = _doctor("0")
    assert done.returncode == 0
    assert '"tiles": false' in done.stdout


def test_tiles_that_are_not_there_are_no_silent_wish() -> None:
    done = _doctor("1", NNCTL_VECTOR_BYTES="32")
    assert done.returncode == 2
    assert done.stderr.startswith("error: NNCTL_AMX is 1, and there are no tiles to use")


def test_another_value_is_refused() -> None:
    done = _doctor("yes")
    assert done.returncode == 2
    assert done.stderr.startswith("error: NNCTL_AMX is 'yes'\n")
