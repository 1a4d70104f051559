"""What an op's text can be made of."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

import numpy as np
import pytest

from nnctl.engine import control
from nnctl.engine.kernel import Bound, elementwise, rows
from nnctl.engine.op import op

_OP = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4)


def test_a_formula_cannot_read_one_number_a_sample() -> None:
    """Its arrays are walked by columns: it would read the numbers of other samples."""

    @elementwise()
    def scaled(x, c):
        return x * c

    rows, column = Bound("rows", "f", (64, 8)), Bound("column", "f", (64,))
    with pytest.raises(TypeError, match="scaled: c is one number a sample"):
        op(scaled, "float32", {"x": rows, "c": column, "y": rows})


class _Window(NamedTuple):
    width: int
    stride: int


def test_a_record_reaches_the_kernel_by_name() -> None:
    """Whole numbers that belong together are one argument, and no text differs between places."""

    @rows()
    def picked(x, y, window):
        for i in range(x.shape[0]):
            for j in range(window.width):
                y[i, j] = x[i, j * window.stride]

    memory = np.zeros(64, dtype=np.int64)
    memory[control.LIVE // 8] = 2
    x, y = np.arange(16.0).reshape(2, 8), np.zeros((2, 8))
    found = []
    for window in (_Window(3, 2), _Window(2, 3)):
        bound = {
            "x": Bound("rows", "f", (x.ctypes.data, 8)),
            "y": Bound("rows", "f", (y.ctypes.data, 8)),
            "window": Bound("record", words=tuple(window), record=_Window),
        }
        address, words = op(picked, "float64", bound)
        row = np.array([2, 1, 8, 8, -1, *words], dtype=np.int64)
        _OP(address)(memory.ctypes.data, row.ctypes.data, 0, 0)
        assert y[:, : window.width].tolist() == x[:, :: window.stride][:, : window.width].tolist()
        found.append(address)
    assert found[0] == found[1]
