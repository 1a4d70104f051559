"""Accuracy of exp, tanh, sigmoid, erf and log1p against NumPy's and Python's, over their ranges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import types

from nnctl.engine import maths
from nnctl.engine.jit import entry

_erf = np.vectorize(math.erf, otypes=[float])
WIDE, SINGLE = types.float64, types.float32


def _over(function, kind):  # type: ignore[no-untyped-def]
    @entry(types.void(kind[::1], kind[::1]))
    def run(x, y):  # type: ignore[no-untyped-def]
        for i in range(x.shape[0]):
            y[i] = function(x[i])

    return run


def _sigmoid(x):  # type: ignore[no-untyped-def]
    return 1 / (1 + np.exp(-x))


# name: (reference, lowest, highest, ulps in double, ulps in single)
FUNCTIONS = {
    "exp": (np.exp, (-700, 700), (-87, 88), 3, 3),
    "tanh": (np.tanh, (-30, 30), (-12, 12), 8, 8),
    "sigmoid": (_sigmoid, (-600, 40), (-80, 20), 6, 6),
    "erf": (_erf, (-7, 7), (-5, 5), 2, 16),
    "log1p_unit": (np.log1p, (0, 1), (0, 1), 2, 4),
}
KINDS = {"float64": (WIDE, 1, 3), "float32": (SINGLE, 2, 4)}


def points(low: float, high: float) -> np.ndarray:
    """Evenly, at random, and tighter and tighter around 0."""
    stream = np.random.default_rng(0)
    small = np.geomspace(1e-12, 1, 500)
    given = np.concatenate(
        [np.linspace(low, high, 4001), stream.uniform(low, high, 4000), small, -small, [0.0]]
    )
    return np.sort(given[(given >= low) & (given <= high)])


@pytest.fixture(scope="module")
def compiled():  # type: ignore[no-untyped-def]
    made = {}

    def find(name: str, dtype: str):  # type: ignore[no-untyped-def]
        if (name, dtype) not in made:
            made[name, dtype] = _over(getattr(maths, name), KINDS[dtype][0])

        def run(x):  # type: ignore[no-untyped-def]
            x = np.ascontiguousarray(x, dtype)
            y = np.empty_like(x)
            made[name, dtype](x, y)
            return y

        return run

    return find


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_accuracy(name: str, dtype: str, compiled) -> None:  # type: ignore[no-untyped-def]
    about = FUNCTIONS[name]
    x = points(*about[KINDS[dtype][1]]).astype(dtype)
    wanted = about[0](x.astype(np.float64))
    found = compiled(name, dtype)(x)
    ulp = np.spacing(np.abs(wanted).astype(dtype)).astype(np.float64)
    error = np.abs(found.astype(np.float64) - wanted) / ulp
    k = int(error.argmax())
    assert error[k] <= about[KINDS[dtype][2]], f"{error[k]:.1f} ulps at {x[k]!r}"


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_never_falls_by_more_than_rounding(name: str, dtype: str, compiled) -> None:  # type: ignore[no-untyped-def]
    """All of them rise; an approximation may step down by a few ulps where pieces meet."""
    about = FUNCTIONS[name]
    found = compiled(name, dtype)(points(*about[KINDS[dtype][1]])).astype(np.float64)
    fall = found[:-1] - found[1:]
    allowed = 2 * about[KINDS[dtype][2]] * np.spacing(np.abs(found[1:]).astype(dtype))
    assert (fall <= allowed).all()


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_stays(name: str, dtype: str, compiled) -> None:  # type: ignore[no-untyped-def]
    assert np.isnan(compiled(name, dtype)([np.nan, 0.5, np.nan])[[0, 2]]).all()


@pytest.mark.parametrize("dtype", KINDS)
def test_at_the_ends(dtype: str, compiled) -> None:  # type: ignore[no-untyped-def]
    """Far out they are at their limits. exp is bounded: it serves where numbers are negative."""
    ends = [-np.inf, -1e30, 1e30, np.inf]
    for name, low in (("tanh", -1), ("sigmoid", 0), ("erf", -1)):
        found = compiled(name, dtype)(ends)
        np.testing.assert_allclose(found, [low, low, 1, 1], atol=3e-7, err_msg=name)
    found = compiled("exp", dtype)(ends)
    assert (found[:2] >= 0).all()
    assert (found[:2] < 1e-37).all()
    assert (found[2:] > 1e38).all()


@pytest.mark.parametrize("dtype", KINDS)
def test_exact_where_it_matters(dtype: str, compiled) -> None:  # type: ignore[no-untyped-def]
    assert compiled("exp", dtype)([0.0])[0] == 1
    assert compiled("sigmoid", dtype)([0.0])[0] == 0.5
    for name in ("tanh", "erf", "log1p_unit"):
        assert compiled(name, dtype)([0.0])[0] == 0
    for name in ("tanh", "erf"):
        assert (np.abs(compiled(name, dtype)(np.linspace(-50, 50, 2001))) <= 1).all(), name


def test_a_saturated_tanh_has_no_slope(compiled) -> None:  # type: ignore[no-untyped-def]
    """What a unit far in its saturation gives back would add up over samples and steps."""
    for dtype, from_here in (("float32", 8.0), ("float64", 20.0)):
        far = np.array([from_here, 10.0 + from_here, 1e4, np.inf])
        assert (compiled("tanh", dtype)(far) == 1).all()
        assert (compiled("tanh", dtype)(-far) == -1).all()
