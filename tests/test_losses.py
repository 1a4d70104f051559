"""Every loss through every check; logits far out; one-hot rows against labels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.checks.loss_machine import LossSetting, engine
from tests.checks.losses import CHECKS, draw
from tests.reference import losses
from tests.vectors import collect
from tests.vectors.case import LossCase

LOSSES = collect("LOSSES")
BY_ID = {case.id: case for case in LOSSES}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", LOSSES, ids=lambda case: case.id)
def test_loss(case: LossCase, check: str) -> None:
    CHECKS[check](engine, case)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_hot_rows_are_labels(dtype: str, smoothing: float) -> None:
    case = next(
        c
        for c in LOSSES
        if c.fields == {"label_smoothing": smoothing} and c.note == "labels" and c.width == 5
    )
    x, labels = draw(case)
    by_label = engine(case, x, labels, LossSetting(dtype=dtype))
    by_row = engine(case, x, np.eye(5)[labels], LossSetting(dtype=dtype))
    bound = 16 * np.finfo(dtype).eps
    np.testing.assert_allclose(by_row.losses, by_label.losses, rtol=bound, atol=bound)
    np.testing.assert_allclose(by_row.dx, by_label.dx, rtol=bound, atol=bound)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("far", [30.0, 80.0, 500.0, 1e4, 1e30])
def test_logits_far_out_stay_finite(far: float, dtype: str) -> None:
    cross = next(c for c in LOSSES if c.tag == "cross_entropy" and c.note == "labels")
    x = np.array([[far, 0, 0, 0, -far]] * 2)
    labels = np.array([0, 4])
    found = engine(cross, x, labels, LossSetting(dtype=dtype))
    np.testing.assert_allclose(found.losses, losses.cross_entropy(x, labels), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.dx, [[0] * 5, [0.5, 0, 0, 0, -0.5]], atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("far", [30.0, 80.0, 500.0, 1e4, 1e30])
def test_binary_logits_far_out_stay_finite(far: float, dtype: str) -> None:
    case = next(c for c in LOSSES if c.tag == "binary_cross_entropy" and c.note == "labels")
    x, labels = np.array([[far], [-far], [far], [-far]]), np.array([1, 0, 0, 1])
    found = engine(case, x, labels, LossSetting(dtype=dtype))
    np.testing.assert_allclose(found.losses, [0, 0, far, far], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.dx[:, 0], [0, 0, 0.25, -0.25], atol=1e-6)


def test_a_tiny_loss_keeps_its_digits() -> None:
    """exp(-40) vanishes beside 1; the loss must not."""
    case = next(c for c in LOSSES if c.tag == "binary_cross_entropy" and c.note == "labels")
    found = engine(case, np.array([[40.0]]), np.array([1]), LossSetting())
    np.testing.assert_allclose(found.losses, np.log1p(np.exp(-40.0)), rtol=1e-12)
    np.testing.assert_allclose(found.dx[0], -np.exp(-40.0) / (1 + np.exp(-40.0)), rtol=1e-9)


def test_slope_of_mae_at_its_corner_is_zero() -> None:
    case = next(c for c in LOSSES if c.tag == "mae" and c.width == 5)
    x = np.ones((2, 5))
    assert not engine(case, x, x, LossSetting()).dx.any()
