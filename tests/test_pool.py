"""What a pool does where random numbers do not lead: equal values, NaN, windows of all kinds."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from nnctl.ops.windows import axes_of, in_three, record
from tests.checks.machine import engine
from tests.checks.setting import Data, Setting
from tests.reference import pool
from tests.vectors.case import Array, OpCase

DTYPES = ["float32", "float64"]


def _run(tag: str, x: Array, dtype: str, **fields: object) -> tuple[Array, Array, Array]:
    """y, dx and the dy that made it."""
    kind, _, rest = tag.partition("_pool")
    given = {"stride": None, "padding": "valid", **fields}
    y = pool.pool(x, kind, **given)
    dy = np.arange(1.0, y.size + 1).reshape(y.shape)
    case = OpCase(tag, (x.shape[1:],), y.shape[1:], lambda x, params, context: y, given)
    found = engine(case, Data([x], {}, [dy]), Setting(dtype=dtype))
    return found.y, found.dx[0], dy


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tag", ["max_pool2d", "min_pool2d"])
@pytest.mark.parametrize("channels", [1, 17])
def test_of_equal_values_the_first_is_chosen(tag: str, channels: int, dtype: str) -> None:
    x = np.full((2, 4, 6, channels), 0.5)
    y, dx, dy = _run(tag, x, dtype, pool_size=[2, 3])
    assert np.array_equal(y, np.full(dy.shape, 0.5))
    wanted = np.zeros(x.shape)
    wanted[:, ::2, ::3] = dy
    assert np.array_equal(dx, wanted)


@pytest.mark.parametrize("dtype", DTYPES)
def test_padding_is_never_chosen(dtype: str) -> None:
    """Not even where the input is what padding counts as."""
    x = np.full((1, 3, 3, 2), -np.inf)
    y, dx, dy = _run("max_pool2d", x, dtype, pool_size=3, stride=1, padding="same")
    assert np.all(y == -np.inf)
    assert dx.sum() == dy.sum()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("tag", ["max_pool1d", "min_pool1d"])
@pytest.mark.parametrize("at", range(6))
def test_nan_is_the_result_and_gets_the_gradient(tag: str, at: int, dtype: str) -> None:
    x = np.random.default_rng(0).normal(size=(1, 6, 3))
    x[0, at, 1] = np.nan
    y, dx, dy = _run(tag, x, dtype, pool_size=3)
    where = np.zeros(y.shape, dtype=bool)
    where[0, at // 3, 1] = True
    assert np.array_equal(np.isnan(y), where)
    assert dx[0, at, 1] == dy[0, at // 3, 1]
    assert np.isfinite(dx).all()


def test_windows_are_where_their_definition_says() -> None:
    """By trying: how many fit, and what lies before and behind."""
    paddings = ["valid", "same", "full", 1, [[0, 2]], [[2, 1]]]
    for size, kernel, stride, padding in product((4, 5, 9), (1, 2, 3, 4), (1, 2, 3), paddings):
        fields = {"pool_size": kernel, "stride": stride, "padding": padding}
        (axis,) = axes_of(fields, (size, 7), "pool_size")
        ((before, after),) = pool.ends(padding, [size], [kernel], [stride])
        fits = range(-before, size + after - kernel + 1, stride)
        assert (axis.before, axis.after, axis.out) == (before, after, len(fits)), fields
        if padding == "same":
            assert axis.out == math.ceil(size / stride)


def test_fields_per_axis_dilation_and_causal_padding() -> None:
    fields = {"kernel_size": [3, 2], "stride": 2, "dilation": [2, 1], "padding": [1, [0, 3]]}
    one, two = axes_of(fields, (9, 6, 4), "kernel_size")
    assert one == (9, 4, 3, 2, 2, 1, 1) and one.span == 5
    assert two == (6, 4, 2, 2, 1, 0, 3)
    (causal,) = axes_of(
        {"kernel_size": 3, "stride": 1, "dilation": 4, "padding": "causal"}, (7, 1), "kernel_size"
    )
    assert (causal.before, causal.after, causal.out) == (8, 0, 7)
    windows = record((one, two), 4, 8)
    assert in_three((one, two))[0] == (1, 1, 1, 1, 1, 0, 0)
    assert (windows.depth, windows.height, windows.out_width, windows.out_channels) == (1, 9, 4, 8)
