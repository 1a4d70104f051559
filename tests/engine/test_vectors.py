"""Vectors as values: masks, comparisons with NaN, bits."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.engine import cpu
from nnctl.engine.jit import helper
from nnctl.engine.vectors import (
    above,
    address_of,
    below,
    first_lanes,
    multiply_add,
    pick,
    put,
    same_bits,
    spread,
    spread_bits,
    take,
)

DTYPES = [np.float32, np.float64]


@helper
def _copy(x, y, count):
    mask = first_lanes(count, x[0])
    put(address_of(y), take(address_of(x), mask, x[0]), mask)


@helper
def _marks(a, b, y, which):
    """1 where the comparison holds; 3 * 2 - 6 where it does not, so that sums are tried too."""
    u = a[0]
    mask = first_lanes(len(a), u)
    p, q = take(address_of(a), mask, u), take(address_of(b), mask, u)
    yes = spread(y[0])
    no = multiply_add(spread(y[1]), spread(y[2]), spread(y[3]))
    if which == 0:
        found = pick(above(p, q), yes, no)
    elif which == 1:
        found = pick(below(p, q), yes, no)
    else:
        found = pick(same_bits(p, spread_bits(7, u)), yes, no)
    put(address_of(y), found, mask)


@pytest.mark.parametrize("kind", DTYPES)
def test_only_the_lanes_of_the_mask_are_written(kind: type) -> None:
    lanes = cpu.lanes(kind)
    x = np.arange(1, 3 * lanes + 1).astype(kind)
    for count in (0, 1, lanes - 1, lanes, lanes + 5):
        y = np.zeros_like(x)
        _copy(x, y, count)
        n = min(count, lanes)
        assert np.array_equal(y[:n], x[:n]) and not y[n:].any()


@pytest.mark.parametrize("kind", DTYPES)
def test_nan_is_above_and_below_all(kind: type) -> None:
    """And nothing but a NaN takes its place."""
    pairs = [(1, 2), (2, 1), (1, 1), (np.nan, 1), (1, np.nan), (np.nan, np.nan), (np.inf, 1)]
    wanted = [[0, 1, 0, 1, 0, 1, 1], [1, 0, 0, 1, 0, 1, 0]]
    for k, (a, b) in enumerate(pairs):
        for which in (0, 1):
            y = np.array([1, 3, 2, -6], dtype=kind)
            _marks(np.array([a], kind), np.array([b], kind), y, which)
            assert y[0] == wanted[which][k]


@pytest.mark.parametrize("kind", DTYPES)
def test_whole_numbers_are_told_apart_by_their_bits(kind: type) -> None:
    bits = np.array([7, 8], dtype=f"i{np.dtype(kind).itemsize}").view(kind)
    for number, wanted in zip(bits, (1, 0), strict=True):
        y = np.array([1, 3, 2, -6], dtype=kind)
        one = np.array([number], dtype=kind)
        _marks(one, one, y, 2)
        assert y[0] == wanted
