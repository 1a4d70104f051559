"""Initializers: spread and bounds as theory has them, streams by name and seed alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from nnctl.graph.graph import Parameter
from nnctl.init import initialize, starts
from nnctl.spec import registry
from tests.vectors.initializers import FAN_IN, FAN_OUT, INITIALIZERS

COUNT = FAN_IN * FAN_OUT


def _graph(*names: str, tag: str = "he_normal", **fields: float) -> SimpleNamespace:
    model = registry.model("initializers", tag)(type=tag, **fields)
    shape = (FAN_IN, FAN_OUT)
    return SimpleNamespace(
        parameters={n: Parameter(n, shape, model, FAN_IN, FAN_OUT, n) for n in names}
    )


@pytest.mark.parametrize(("tag", "fields", "mean", "std", "bounds"), INITIALIZERS, ids=str)
def test_mean_spread_and_bounds(tag, fields, mean, std, bounds) -> None:  # type: ignore[no-untyped-def]
    values = initialize(_graph("a.w", tag=tag, **fields), 0)["a.w"]
    assert values.shape == (FAN_IN, FAN_OUT)
    assert values.dtype == np.float64
    assert abs(values.mean() - mean) <= 5 * std / COUNT**0.5
    assert values.std() == pytest.approx(std, rel=0.02)
    assert bounds[0] <= values.min()
    assert values.max() <= bounds[1]
    if std and np.isfinite(bounds).all():
        assert values.max() - values.min() > 0.99 * (bounds[1] - bounds[0])


def test_normal_is_normal() -> None:
    """Skewness and kurtosis tell a normal distribution from an even one."""
    values = initialize(_graph("a.w", tag="normal", mean=0.0, std=1.0), 0)["a.w"]
    assert abs((values**3).mean()) < 0.05
    assert (values**4).mean() == pytest.approx(3, abs=0.1)


def test_a_parameters_start_depends_on_its_name_and_the_seed_alone() -> None:
    alone, beside = initialize(_graph("b.w"), 7), initialize(_graph("a.w", "b.w", "c.w"), 7)
    assert alone["b.w"].tobytes() == beside["b.w"].tobytes()
    assert not np.array_equal(beside["a.w"], beside["b.w"])
    assert not np.array_equal(initialize(_graph("b.w"), 8)["b.w"], alone["b.w"])


def test_every_initializer_has_a_start() -> None:
    assert set(starts()) == set(registry.tags("initializers"))
